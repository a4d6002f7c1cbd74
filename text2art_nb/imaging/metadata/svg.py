"""SVG: a pile of strokes as paths, and the recipe in ``<metadata>``. A stranger's is scanned, not parsed as XML.

What `write` writes is all that is ever drawn from a file: one ``rect``, one ``g``, ``path`` after ``path``, a line
each, in fixed words. Nothing is expanded, fetched or run, since nothing here knows how to. An SVG that another program
has changed still gives its recipe back, where that is left whole; but its strokes are not read.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import BinaryIO, Final

from text2art_nb.errors import ArtworkError
from text2art_nb.imaging.metadata.bounded import MAX_TEXT, Found, Reader, check_pixels, check_text

STARTS: Final = (b"<svg", b"<?xml")
MAX_DRAWING: Final = 16_000_000
"""Bytes of strokes in one file: four times the most that the settings can ask for at 1024 pixels."""
MAX_STROKES: Final = 4096
MAX_PAINTED: Final = 2e9
"""Pixels, counted once for every stroke that covers them: half a minute of painting."""

_OPEN: Final = b'<metadata><text2art xmlns="urn:text2art:recipe">'
_CLOSE: Final = b"</text2art></metadata>\n"
_SIZE: Final = re.compile(rb'<svg\b[^<>]{0,2000}?\swidth="(\d{1,5})(?:px)?"\s+height="(\d{1,5})(?:px)?"')
_HEAD: Final = '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="{1}" viewBox="0 0 {0} {1}">'
_GROUP: Final = '<g fill="none" stroke-linecap="round" stroke-linejoin="round">'
_PAPER: Final = re.compile(r'<rect width="\d{1,5}" height="\d{1,5}" fill="#([0-9a-f]{6})"/>')
_PATH: Final = re.compile(
    r'<path d="M(-?[0-9.]{1,9} -?[0-9.]{1,9})C([-0-9. ]{1,3000})" '
    r'stroke="#([0-9a-f]{6})" stroke-width="([0-9.]{1,10})" stroke-opacity="([01]\.[0-9]{4})"/>'
)
_NUMBER: Final = re.compile(r"-?[0-9]{1,5}\.[0-9]{2}")

Point = tuple[float, float]
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Stroke:
    """points: 3L+1 of a chain of L cubic Bézier curves, in pixels; width in pixels; colour and opacity 0..1."""

    points: Sequence[Sequence[float]]
    width: float
    colour: Sequence[float]
    opacity: float


@dataclass(frozen=True)
class Drawing:
    """size: (width, height) in pixels; strokes: in painter's order; paper: its colour, None for none."""

    size: tuple[int, int]
    strokes: Sequence[Stroke]
    paper: Sequence[float] | None


def write(drawing: Drawing) -> str:
    """The drawing as an SVG without a recipe: every stroke a path with round ends."""
    width, height = drawing.size
    lines = [_HEAD.format(width, height)]
    if drawing.paper is not None:
        lines.append(f'<rect width="{width}" height="{height}" fill="{_hex(drawing.paper)}"/>')
    return "\n".join([*lines, _GROUP, *map(_path, drawing.strokes), "</g>", "</svg>", ""])


def _path(stroke: Stroke) -> str:
    first, *rest = (f"{x:.2f} {y:.2f}" for x, y in stroke.points)
    look = f'stroke="{_hex(stroke.colour)}" stroke-width="{stroke.width:.3f}" stroke-opacity="{stroke.opacity:.4f}"'
    return f'<path d="M{first}C{" ".join(rest)}" {look}/>'


def _hex(colour: Sequence[float]) -> str:
    return "#" + "".join(f"{round(min(1.0, max(0.0, part)) * 255):02x}" for part in colour)


def embed(svg: str, text: bytes) -> bytes:
    """`svg`, as `write` writes it, with `text` (ASCII JSON) in it, right after its first line.

    Raises:
        ArtworkError: the text is longer than `MAX_TEXT`.
    """
    # JSON has these three in its strings alone, where they may be written so; XML then has nothing to unescape.
    for sign, number in ((b"&", b"26"), (b"<", b"3c"), (b">", b"3e")):
        text = text.replace(sign, b"\\u00" + number)
    check_text(text)
    first, rest = svg.encode("ascii").split(b"\n", 1)
    return first + b"\n" + _OPEN + text + _CLOSE + rest


def read(file: BinaryIO, size: int) -> Found:
    """The size and the recipe of an SVG of `size` bytes.

    Raises:
        ArtworkError: it is too large, declares entities, does not say how large it is, or carries two recipes.
    """
    data = _all(file, size)
    reader = Reader(file, size, "SVG")
    if b"<!" in data:
        raise reader.broken("it has declarations or comments, which none of ours has")
    shape = _SIZE.search(data, 0, 4000)
    if shape is None:
        raise reader.broken("it does not say how large it is in pixels")
    width, height = int(shape[1]), int(shape[2])
    check_pixels(width, height, "SVG")
    return Found("SVG", width, height, _recipe(data, reader))


def _all(file: BinaryIO, size: int) -> bytes:
    most = MAX_TEXT + MAX_DRAWING
    if size > most:
        raise ArtworkError(f"this SVG is {size:,} bytes long; {most:,} is the most")
    file.seek(0)
    return file.read(most)


def _recipe(data: bytes, reader: Reader) -> bytes | None:
    """What is between `<text2art …>` and its end."""
    start = data.find(b"<text2art")
    if start < 0:
        return None
    begin, end = data.find(b">", start, start + 200), data.find(b"</text2art>", start)
    if begin < 0 or end < begin:
        raise reader.broken("its recipe is cut off")
    if data.find(b"<text2art", end) >= 0:
        raise reader.broken("it carries two recipes")
    text = data[begin + 1 : end]
    if len(text) > MAX_TEXT:
        raise reader.broken(f"its recipe has more than {MAX_TEXT:,} bytes")
    return text


def strokes_of(file: BinaryIO, size: int) -> Drawing:
    """The drawing in an SVG that `write` wrote, with or without a recipe.

    Raises:
        ArtworkError: another program has written or changed it, or there is more in it than can be drawn.
    """
    data = _all(file, size)
    start, end = data.find(_OPEN), data.find(_CLOSE)
    if 0 <= start < end:
        data = data[:start] + data[end + len(_CLOSE) :]
    lines = data[:MAX_DRAWING].decode("ascii", "replace").split("\n")
    found = _SIZE.match(data)
    if found is None or lines[0] != _HEAD.format(*(shape := (int(found[1]), int(found[2])))):
        raise _foreign()
    paper = _PAPER.fullmatch(lines[1]) if len(lines) > 1 else None
    body = lines[2 if paper else 1 :]
    if len(body) < 4 or body[0] != _GROUP or body[-3:] != ["</g>", "</svg>", ""]:
        raise _foreign()
    if len(body) - 4 > MAX_STROKES:
        raise ArtworkError(f"this SVG has {len(body) - 4:,} strokes; {MAX_STROKES:,} is the most")
    check_pixels(*shape, "SVG")
    strokes = [_stroke(line) for line in body[1:-3]]
    if len({len(stroke.points) for stroke in strokes}) > 1:
        raise _foreign()
    _check_work(strokes, shape)
    return Drawing(shape, strokes, _colour(paper[1]) if paper else None)


def _foreign() -> ArtworkError:
    return ArtworkError("the strokes in this SVG cannot be read: another program has written or changed it")


def _stroke(line: str) -> Stroke:
    match = _PATH.fullmatch(line)
    if match is None:
        raise _foreign()
    numbers = [*match[1].split(" "), *match[2].split(" ")]
    if len(numbers) % 6 != 2 or not all(_NUMBER.fullmatch(number) for number in numbers):
        raise _foreign()
    values = [float(number) for number in numbers]
    try:
        width = float(match[4])
    except ValueError:
        raise _foreign() from None
    points = list(zip(values[::2], values[1::2], strict=True))
    return Stroke(points, width, _colour(match[3]), min(1.0, float(match[5])))


def _colour(digits: str) -> Colour:
    red, green, blue = (int(digits[k : k + 2], 16) / 255 for k in (0, 2, 4))
    return red, green, blue


def _check_work(strokes: list[Stroke], size: tuple[int, int]) -> None:
    """Refuse what would take minutes to paint: a curve is no longer than its points are apart."""
    painted = 0.0
    for stroke in strokes:
        steps = zip(stroke.points, stroke.points[1:], strict=False)
        length = sum(abs(ax - bx) + abs(ay - by) for (ax, ay), (bx, by) in steps)
        painted += min((length + stroke.width) * (stroke.width + 8), float(size[0] * size[1]))
    if painted > MAX_PAINTED:
        raise ArtworkError("this SVG has far more paint in it than can be drawn here")
