"""The picture of docs/prompts.md: prompt lines without and with regions.

python -m tests.bench.regions docs/regions.jpg
"""

import sys
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw

from text2art_nb import draw

LINES: Final = (
    "a red boat | a green tree",
    "[left] a red boat | [right] a green tree",
    "[top] a yellow star | [bottom] a blue whale",
)
_SIDE, _GAP, _FOOT = 240, 12, 34


def main(file: Path) -> None:
    """Draw each line with the embedded models and write the sheet."""
    out = Image.new("RGB", (len(LINES) * (_SIDE + _GAP) - _GAP, _SIDE + _FOOT), "white")
    pen = ImageDraw.Draw(out)
    for place, line in enumerate(LINES):
        left = place * (_SIDE + _GAP)
        picture = draw(line, seed=4, make_video=False).image
        out.paste(picture.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS), (left, 0))
        pen.text((left + 2, _SIDE + 3), line.replace(" | ", " |\n"), fill="black")
    out.save(file, quality=90)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
