"""Start eight drawings, finish the best two, and save strokes as vector graphics."""

from text2art_nb import draw

winner = draw("a red boat", drawer="strokes", quality="draft", candidates=8, finalists=2, seed=5)
winner.save("boat.svg")
winner.save("boat.png")
for place, other in enumerate(winner.others, start=2):
    print(f"place {place}: score {other.score:.3f}")
    other.save(f"boat-{place}.png")
