"""What the settings of strokes mean where they are left open, and pixray's two names for them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Protocol

from text2art_nb.settings import coercion

KINDS: Final[Mapping[str, str]] = MappingProxyType({"clipdraw": "paint", "line_sketch": "line"})
"""pixray's drawers, and the kind of strokes that each is here."""

_WIDTHS: Final = {"paint": (1.0, 12.0), "line": (0.5, 2.0)}  # percent of the height
_COUNTS: Final = {"paint": (1024, 256), "line": (24, 40)}  # for real models, and for the embedded and light ones
_PAPERS: Final = {"paint": "white", "line": "#F2EECB"}


class Asked(Protocol):
    """What `defaults` looks at in settings."""

    model: str
    strokes: int | None
    stroke_length: int | None
    min_stroke_width: float | None
    max_stroke_width: float | None
    paper: str | None

    @property
    def stroke_kind(self) -> str:
        """paint or line."""


def by_either_name(given: Any) -> Any:
    """Settings as they were given, with pixray's name of a drawer as ours and the kind."""
    drawer = given.get("drawer") if isinstance(given, dict) else None
    kind = KINDS.get(drawer.strip().lower()) if isinstance(drawer, str) else None
    return given if kind is None else {**given, "drawer": "strokes", "stroke_kind": kind}


def widths(kind: str, lowest: float | None, highest: float | None) -> tuple[float, float]:
    """The thinnest and the thickest stroke, in percent of the height. What is left open gives way to what is not."""
    low, high = _WIDTHS[kind]
    if highest is not None:
        low = min(low, highest)
    if lowest is not None:
        high = max(high, lowest)
    return low if lowest is None else lowest, high if highest is None else highest


def paper(value: Any) -> str | None:
    """One colour in the palettes' grammar. Raises ValueError."""
    if value is None:
        return None
    line = coercion.text(value, "paper", "a colour, like 'white' or '#F2EECB'")
    if not line:
        return None
    try:
        count = len(paper_colours(line))
    except ValueError as error:
        raise ValueError(f"paper cannot be read: {error}") from None
    if count != 1:
        raise ValueError(f"paper must be one colour; got {coercion.shown(value)}")
    return line


def paper_colours(line: str) -> list[tuple[float, float, float]]:
    """The colour that `line` names, as the only one in a list."""
    from text2art_nb.imaging.palettes import parse_palette

    return parse_palette(f"[{line}]")


def defaults(asked: Asked) -> dict[str, Any]:
    """What strokes are like where `asked` leaves it open.

    pixray's where a real CLIP looks: 1024 strokes of paint, or 24 lines of 8 curves in black on cream, 0.5 to 2 percent
    thick. It paints with 1 to 5 percent; a broader brush covers the paper, and a picture to start from, with fewer.
    """
    line = asked.stroke_kind == "line"
    low, high = widths(asked.stroke_kind, asked.min_stroke_width, asked.max_stroke_width)
    return {
        "strokes": asked.strokes or _COUNTS[asked.stroke_kind][asked.model in ("embedded", "light")],
        "stroke_length": asked.stroke_length or (8 if line else 1),
        "min_stroke_width": low,
        "max_stroke_width": high,
        "paper": asked.paper or _PAPERS[asked.stroke_kind],
    }
