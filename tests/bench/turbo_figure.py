"""The picture of docs/drawers/turbo.md as an SVG: how the noise is pulled, and how much of a card that takes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

INK, PALE, BLUE, RED, SAND = "#26262b", "#8a8a92", "#1b6ca8", "#c0392b", "#e9dfc8"
CARD: Final = 15.0
"""GB of a T4."""
BESIDE: Final = 3.0
"""GB of the CLIPs with their views, and of CUDA: the page's estimate, not counted."""

_STEPS: Final = (
    ("noise", "what is moved"),
    ("UNet", "one step; is told words"),
    ("TAESD", "in the end the full VAE"),
    ("picture", "the frame that you see"),
    ("cutouts", "from many sides"),
    ("CLIP", "reads the words, too"),
)
_BOX, _SPACE = 112, 34


def draw(path: Path, counted: Mapping[str, Mapping[str, float]]) -> None:
    """counted: by the model's name, GB of its "weights" and of its "iteration"'s peak, in float16."""
    width = len(_STEPS) * (_BOX + _SPACE) + 20
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {190 + 62 * len(counted)}" '
    parts = ['<rect width="100%" height="100%" fill="white"/>', *_loop(width), *_bars(counted, 172, width)]
    path.write_text(f'{head}font-family="sans-serif">{"".join(parts)}</svg>\n', encoding="utf-8")


def _text(x: float, y: float, text: str, size: int = 12, colour: str = INK, anchor: str = "start") -> str:
    return f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" fill="{colour}" text-anchor="{anchor}">{text}</text>'


def _loop(width: int) -> list[str]:
    """The boxes from noise to CLIP, and the gradient's way back."""
    out, top = [], 20
    for place, (name, said) in enumerate(_STEPS):
        left = 10 + place * (_BOX + _SPACE)
        fill = SAND if name == "noise" else "#f3f4f7"
        out.append(f'<rect x="{left}" y="{top}" width="{_BOX}" height="52" rx="8" fill="{fill}" stroke="{PALE}"/>')
        out.append(_text(left + _BOX / 2, top + 23, name, 15, anchor="middle"))
        out.append(_text(left + _BOX / 2, top + 41, said, 9, PALE, "middle"))
        if place:
            out.append(_arrow(left - _SPACE + 4, top + 26, left - 4, top + 26, INK))
    left, right = 10 + _BOX / 2, width - _SPACE - 10 - _BOX / 2
    way = f"M{right:.0f} {top + 56}V{top + 84}H{left:.0f}"
    out.append(f'<path d="{way}" fill="none" stroke="{RED}" stroke-width="2"/>')
    out.append(_arrow(left, top + 84, left, top + 58, RED))
    said = "the gradient of likeness goes back through them all to the noise alone, whose length the norm prior holds"
    return [*out, _text(width / 2, top + 100, said, 11, RED, "middle")]


def _arrow(x: float, y: float, to_x: float, to_y: float, colour: str) -> str:
    across, down = (to_x > x) - (to_x < x), (to_y > y) - (to_y < y)
    tip = (
        f"M{to_x - 6 * across - 4 * abs(down):.0f} {to_y - 6 * down - 4 * abs(across):.0f}L{to_x:.0f} {to_y:.0f}"
        f"L{to_x - 6 * across + 4 * abs(down):.0f} {to_y - 6 * down + 4 * abs(across):.0f}"
    )
    way = f"M{x:.0f} {y:.0f}L{to_x:.0f} {to_y:.0f}{tip}"
    return f'<path d="{way}" fill="none" stroke="{colour}" stroke-width="2"/>'


def _bars(counted: Mapping[str, Mapping[str, float]], top: int, width: int) -> list[str]:
    """A bar for each model: weights, what an iteration adds, what stands beside them; the card's end as a line."""
    left, scale = 110, (width - 170) / (CARD + 1)
    out = [_text(10, top - 16, "GB on the card, 512 x 512 pixels, float16", 12)]
    for row, (name, sizes) in enumerate(counted.items()):
        y, x = top + row * 62, float(left)
        out.append(_text(10, y + 20, name, 13))
        pieces: Sequence[tuple[str, float, str]] = (
            (f"weights {sizes['weights']:.1f}", sizes["weights"], BLUE),
            (f"iteration {sizes['iteration'] - sizes['weights']:.1f}", sizes["iteration"] - sizes["weights"], RED),
            (f"CLIPs and CUDA, estimated {BESIDE:.0f}", BESIDE, PALE),
        )
        for place, (said, size, colour) in enumerate(pieces):
            out.append(f'<rect x="{x:.0f}" y="{y}" width="{size * scale:.0f}" height="28" fill="{colour}"/>')
            out.append(_text(left + place * 130, y + 44, said, 10, colour))
            x += size * scale
    end = left + CARD * scale
    out.append(f'<path d="M{end:.0f} {top - 8}V{top + len(counted) * 62 - 24}" stroke="{INK}" stroke-dasharray="4 3"/>')
    return [*out, _text(end, top - 12, "a T4 ends here", 10, anchor="middle")]
