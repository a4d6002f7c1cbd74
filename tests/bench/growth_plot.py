"""The plot of `against_pixray`'s part growth: seconds and memory by cuts and candidates, as an SVG of lines."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

Points = Sequence[tuple[float, float]]  # CPU-seconds, megabytes

WIDTH: Final = 300
HEIGHT: Final = 200
LEFT: Final = 50
_COLOURS: Final = {"cuts": "#1b6ca8", "candidates": "#1b6ca8", "pixray_cuts": "#c0392b"}
_NAMES: Final = {"cuts": "text2art", "candidates": "text2art", "pixray_cuts": "pixray"}


def plot(path: Path, numbers: Mapping[str, Sequence[int]], found: Mapping[str, Points]) -> None:
    """Three panels: seconds by cuts, memory by cuts, seconds by candidates. numbers: what lies on each axis."""
    panels = [
        ("CPU-seconds an iteration, by cuts", "cuts", ("cuts", "pixray_cuts"), 0),
        ("peak memory in MB, by cuts", "cuts", ("cuts", "pixray_cuts"), 1),
        ("CPU-seconds an iteration, by candidates", "candidates", ("candidates",), 0),
    ]
    parts = []
    for place, (title, axis, lines, part) in enumerate(panels):
        values = {line: [each[part] for each in found[line]] for line in lines}
        parts.append(_panel(place * (WIDTH + LEFT + 30) + LEFT, title, numbers[axis], values))
    width = len(panels) * (WIDTH + LEFT + 30)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT + 70}" font-family="sans-serif">'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{head}<rect width="100%" height="100%" fill="white"/>{"".join(parts)}</svg>\n', encoding="utf-8")


def _panel(left: float, title: str, numbers: Sequence[int], lines: Mapping[str, Sequence[float]]) -> str:
    most = max(max(values) for values in lines.values()) * 1.1
    bottom, right = HEIGHT + 30, left + WIDTH
    out = [
        f'<text x="{left}" y="18" font-size="13">{title}</text>',
        f'<path d="M{left} 30V{bottom}H{right}" fill="none" stroke="#888"/>',
        f'<text x="{left - 4}" y="36" font-size="10" text-anchor="end">{most:.3g}</text>',
        f'<text x="{left - 4}" y="{bottom}" font-size="10" text-anchor="end">0</text>',
    ]
    for number in numbers:
        x = left + WIDTH * number / numbers[-1]
        out.append(f'<text x="{x}" y="{bottom + 14}" font-size="10" text-anchor="middle">{number}</text>')
    for order, (name, values) in enumerate(lines.items()):
        points = [
            (left + WIDTH * number / numbers[-1], bottom - HEIGHT * value / most)
            for number, value in zip(numbers, values, strict=True)
        ]
        way = "L".join(f"{x:.1f} {y:.1f}" for x, y in points)
        out.append(f'<path d="M{way}" fill="none" stroke="{_COLOURS[name]}" stroke-width="2"/>')
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{_COLOURS[name]}"/>' for x, y in points]
        label = f'<text x="{left + 10 + 70 * order}" y="{bottom + 32}" font-size="11" fill="{_COLOURS[name]}">'
        out.append(f"{label}{_NAMES[name]}</text>")
    return "".join(out)
