"""Watch a run frame by frame, change the prompt while it draws, and branch from an earlier frame."""

from text2art_nb import Run, Settings

day = Run(
    Settings(prompts="a lighthouse in a storm", size=(144, 144), iterations=20, seed=3), directory="lighthouse.run"
)
for frame in day:
    print(f"{frame.iteration}/{frame.total}  score {frame.score:.3f}")
    if frame.iteration == 8:
        day.steer(prompts="a lighthouse at sunset")  # takes effect at the next iteration
        frame.image.save("storm.png")
day.artwork.save("sunset.png")

night = day.branch(8, prompts="a lighthouse at night")  # from the very state after iteration 8
for _ in night:
    pass
night.artwork.save("night.png")
