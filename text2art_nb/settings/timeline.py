"""Moments of a run (``50%``, ``120``), and what the camera does at them: words and numbers only.

``0: zoom 1.02, pan 3 0; 50%: rotate 2``: keys, each a moment and what the camera does there, a step. Between two keys
that say something of the same kind it changes evenly; after the last one it stays. The signs are Disco Diffusion's.
"""

import difflib
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

MAX_KEYS: Final = 64
MAX_ITERATION: Final = 1_000_000
_MOMENT = re.compile(r"(\d+\.?\d*|\.\d+)\s*(%|percent|iterations?|i)?", re.ASCII | re.IGNORECASE)
# What may be said, how many numbers it takes, and between what they lie.
_MOVES: Final[Mapping[str, tuple[int, float, float]]] = MappingProxyType(
    {"zoom": (1, 0.5, 2.0), "pan": (2, -100.0, 100.0), "rotate": (1, -180.0, 180.0)}
)
_STILL: Final[Mapping[str, tuple[float, ...]]] = MappingProxyType({"zoom": (1.0,), "pan": (0.0, 0.0), "rotate": (0.0,)})


@dataclass(frozen=True)
class Moment:
    """A number of iterations, or a percentage of all of them."""

    number: float
    percent: bool = False

    def of(self, total: int) -> int:
        """The iteration, rounded, of a run of `total`."""
        return round(self.number / 100 * total) if self.percent else round(self.number)

    def __str__(self) -> str:
        return f"{self.number:.10g}%" if self.percent else f"{self.number:.10g}"


def read_moment(text: str, what: str) -> Moment:
    """A moment from ``50%``, ``120``, ``120 iterations`` or pixray's ``120i``.

    Raises:
        ValueError: anything else, calling it `what`.
    """
    match = _MOMENT.fullmatch(text.strip())
    number = float(match[1]) if match else math.nan
    percent = match is not None and (match[2] or "").lower() in ("%", "percent")
    if not 0 <= number <= (100 if percent else MAX_ITERATION):
        raise ValueError(
            f"{what} must be a number of iterations or a percentage, like 50 or 10%; got {text.strip()[:40]!r}"
        )
    return Moment(number, percent)


@dataclass(frozen=True)
class Camera:
    """What one camera step does to the picture.

    zoom: how many times larger everything gets, about the middle; pan: how far the picture goes to the right and down,
    in percent of its width and height; rotate: by how many degrees it turns against the clock.
    """

    zoom: float = 1.0
    pan: tuple[float, float] = (0.0, 0.0)
    rotate: float = 0.0

    @property
    def still(self) -> bool:
        """Whether nothing moves."""
        return self == Camera()


@dataclass(frozen=True)
class Key:
    """A moment, and the moves that are said there, by name."""

    moment: Moment
    moves: Mapping[str, tuple[float, ...]]


def read_motion(text: str) -> tuple[Key, ...]:
    """The keys of a timeline such as ``0: zoom 1.02, pan 3 0; 50%: rotate 2``; one without a moment is at 0.

    Raises:
        ValueError: what is wrong with it, in a sentence.
    """
    parts = [part.strip() for part in text.split(";") if part.strip()]
    if not parts or len(parts) > MAX_KEYS:
        raise ValueError(f"motion must have 1 to {MAX_KEYS} keys, like '0: zoom 1.02; 50%: rotate 2'; got {len(parts)}")
    return tuple(_key(part) for part in parts)


def _key(part: str) -> Key:
    moment, colon, moves = part.partition(":")
    if not colon:
        moment, moves = "0", part
    found: dict[str, tuple[float, ...]] = {}
    # "pan 3, 0" is one move: a comma is a separator only where a word follows.
    for move in re.split(r",(?=\s*[^\W\d])", moves):
        name, numbers = _move(move)
        if name in found:
            raise ValueError(f"motion says {name!r} twice at {moment.strip()}; say it once")
        found[name] = numbers
    return Key(read_moment(moment, "a moment of motion"), MappingProxyType(found))


def _move(text: str) -> tuple[str, tuple[float, ...]]:
    name, *numbers = re.split(r"[\s,]+", text.strip().lower())
    if name not in _MOVES:
        nearest = difflib.get_close_matches(name[:40], _MOVES, 1)
        meant = f"did you mean {nearest[0]!r}?" if nearest else "there are"
        raise ValueError(f"unknown move {name[:40]!r} in motion; {meant} (zoom 1.02, pan 3 0, rotate 2)")
    count, lowest, highest = _MOVES[name]
    try:
        values = tuple(float(number) for number in numbers)
    except ValueError:
        values = ()
    if len(values) != count or not all(lowest <= value <= highest for value in values):
        right = "one number" if count == 1 else "two numbers"
        raise ValueError(
            f"{name} in motion takes {right} from {lowest:g} to {highest:g}; got {' '.join(numbers)[:40]!r}"
        )
    return name, values


def camera_at(keys: Sequence[Key], iteration: int, total: int) -> Camera:
    """What the camera does after `iteration` of `total` iterations."""
    zoom, pan, rotate = (_value(keys, name, iteration, total) for name in _MOVES)
    return Camera(zoom[0], (pan[0], pan[1]), rotate[0])


def _value(keys: Sequence[Key], name: str, iteration: int, total: int) -> tuple[float, ...]:
    """Of one kind of move; it starts from standing still unless a key at 0 says otherwise."""
    said = [(key.moment.of(total), key.moves[name]) for key in keys if name in key.moves]
    track = sorted([(0, _STILL[name]), *said], key=lambda point: point[0])  # stable: of two at 0 the one that was said
    if iteration >= track[-1][0]:
        return track[-1][1]
    for (start, before), (stop, after) in itertools.pairwise(track):
        if start <= iteration < stop:
            part = (iteration - start) / (stop - start)
            return tuple(a + (b - a) * part for a, b in zip(before, after, strict=True))
    return _STILL[name]
