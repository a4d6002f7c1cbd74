"""The contact sheet of docs/taste.md: one prompt and seed, drawn by the embedded models with a filter or loss each.

python -m tests.bench.taste docs/taste.jpg
"""

import sys
from pathlib import Path

from PIL import Image, ImageDraw

from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

SIDE = 224
WAYS: dict[str, dict[str, object]] = {
    "plain": {},
    "tile, four of them": {"filters": "tile"},
    "mirror": {"filters": "mirror"},
    "rotate4": {"filters": "rotate4"},
    "lookup, pico-8": {"filters": "lookup", "palette": "pico-8"},
    "vignette:20, steps of 0.05": {"losses": "vignette:20", "learning_rate": 0.05},
}


def draw(ways: dict[str, object]) -> Image.Image:
    """A picture of 224 pixels; of a tile four, so that its seams lie in the middle."""
    run = Run(Settings(prompts="red flowers", seed=5, size=(SIDE, SIDE), iterations=80, device="cpu", **ways))
    for _ in run:
        pass
    picture = run.artwork.image.convert("RGB")
    if ways.get("filters") != "tile":
        return picture
    four = Image.new("RGB", (2 * SIDE, 2 * SIDE))
    for corner in ((0, 0), (SIDE, 0), (0, SIDE), (SIDE, SIDE)):
        four.paste(picture, corner)
    return four


def main(file: Path) -> None:
    """Draw the sheet into `file`: three columns, two rows, each picture with its name under it."""
    cell, below = SIDE + 8, 18
    sheet = Image.new("RGB", (3 * cell, 2 * (cell + below)), "white")
    for place, (name, ways) in enumerate(WAYS.items()):
        picture, (row, column) = draw(ways), divmod(place, 3)
        corner = (column * cell + 4, row * (cell + below) + 4)
        sheet.paste(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS), corner)
        ImageDraw.Draw(sheet).text((corner[0], corner[1] + SIDE + 3), name, fill="black")
    sheet.save(file, quality=85)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
