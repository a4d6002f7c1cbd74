"""Stop a run halfway, load it from its folder, and end in the very same picture."""

from text2art_nb import Run, Settings

settings = Settings(prompts="a white owl in a forest", size=(144, 144), iterations=20, seed=11)

first = Run(settings, directory="owl.run")
for frame in first:
    if frame.iteration == 10:
        break  # or Ctrl-C, or a crash
first.save("owl-halfway.run")

second = Run.load("owl-halfway.run")  # in another process, if you like
for _ in second:
    pass

whole = Run(settings)
for _ in whole:
    pass
print("the same picture:", second.artwork.image.tobytes() == whole.artwork.image.tobytes())
second.artwork.save("owl.png")
