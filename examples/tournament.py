"""Start four drawings, finish the best two, and save strokes as vector graphics."""

from text2art_nb import draw

winner = draw(
    "a red boat", drawer="strokes", size=(144, 144), iterations=20, candidates=4, finalists=2, strokes=64, seed=5
)
winner.save("boat.svg")
winner.save("boat.png")
for place, other in enumerate(winner.others, start=2):
    print(f"place {place}: score {other.score:.3f}")
    other.save(f"boat-{place}.png")
