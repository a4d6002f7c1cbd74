"""The styles of the world: each has a hand for the pen and a finish for the picture."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

from text2art_nb.training.world.pen import Colour, Hand, Image, luma, mix, tone

Finish = Callable[[Image, list[float]], Image]


@dataclass(frozen=True)
class Style:
    """`hand` draws the shapes, `finish(picture, u)` ends the whole picture; `colours`: whether they can be told."""

    name: str
    hand: Hand
    finish: Finish | None = None
    colours: bool = True
    weight: float = 1.0


@lru_cache(maxsize=32)
def _texture(kind: str, height: int, width: int) -> NDArray[np.float32]:
    """Texture in 0..1, the same at every size: made at 256 to the shorter side, resized."""
    unit = min(height, width)
    rows, columns = round(256 * height / unit), round(256 * width / unit)
    rng = np.random.default_rng({"grain": 1, "blots": 2, "hatch": 3, "edge": 4, "dots": 5}[kind])
    if kind == "hatch":
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
        big = (0.5 + 0.5 * np.sin((x + y) * (2 * math.pi / 8))).astype(np.float32)
    elif kind == "dots":
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32) * (math.pi / 8)
        big = (np.cos(x) * np.cos(y) > 0.1).astype(np.float32)
    elif kind == "edge":
        y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
        near = np.minimum(np.minimum(x, columns - 1 - x), np.minimum(y, rows - 1 - y)) / 256
        noise = cv2.resize(
            rng.random((rows // 16 + 2, columns // 16 + 2)).astype(np.float32),
            (columns, rows),
            interpolation=cv2.INTER_CUBIC,
        )
        big = np.clip((near - 0.03 * noise) / 0.03, 0, 1).astype(np.float32)
    else:
        cell = {"grain": 2, "blots": 28}[kind]
        small = rng.random((rows // cell + 2, columns // cell + 2)).astype(np.float32)
        big = np.clip(cv2.resize(small, (columns, rows), interpolation=cv2.INTER_CUBIC), 0, 1).astype(np.float32)
    return np.ascontiguousarray(cv2.resize(big, (width, height), interpolation=cv2.INTER_AREA))


def _pixel_art(image: Image, u: list[float]) -> Image:
    """Cells of 1/32 of the shorter side, few levels a channel."""
    height, width = image.shape[:2]
    cell = min(height, width) / 32
    small = cv2.resize(image, (max(1, round(width / cell)), max(1, round(height / cell))), interpolation=cv2.INTER_AREA)
    coarse = (np.rint(small / 36.4) * 36.4).astype(np.uint8)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)


def _pencil(image: Image, u: list[float]) -> Image:
    """Graphite on paper: light tones, hatching in the shade, grain."""
    height, width = image.shape[:2]
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    hatch, grain = _texture("hatch", height, width), _texture("grain", height, width)
    shade = 1 - grey
    value = 1 - 0.46 * shade - shade * (0.26 * hatch + 0.2 * (grain - 0.5)) - 0.5 * np.clip(shade - 0.72, 0, 1)
    paper = np.clip(value * 252, 0, 255)[..., None] * np.array((1.0, 0.985, 0.95), dtype=np.float32)
    return np.asarray(paper, dtype=np.uint8)


def _watercolour(image: Image, u: list[float]) -> Image:
    """Pale pigment in blots, paper grain, white ragged margin."""
    height, width = image.shape[:2]
    blots, grain, edge = (_texture(k, height, width)[..., None] for k in ("blots", "grain", "edge"))
    pigment = (255 - image.astype(np.float32)) * (0.74 + 0.34 * blots + 0.16 * (grain - 0.5)) * edge
    return np.asarray(np.clip(252 - pigment, 0, 255), dtype=np.uint8)


@lru_cache(maxsize=8)
def _strokes(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Painter's strokes along a swirl: x and y of every pixel's stroke's middle, and the stroke's brightness."""
    unit = min(height, width)
    rows, columns = round(256 * height / unit), round(256 * width / unit)
    rng = np.random.default_rng(7)
    n = rows * columns // 11
    middles, chance = rng.random((n, 2)) * (columns, rows), rng.random((n, 3))
    planes = [np.zeros((rows, columns), np.float32) for _ in range(3)]
    for (x, y), (a, b, c) in zip(middles.tolist(), chance.tolist(), strict=True):
        angle = 60 * math.sin(x / 47) + 50 * math.cos(y / 39) + 30 * (a - 0.5)
        for plane, value in zip(planes, (x, y, c), strict=True):
            cv2.ellipse(plane, (round(x), round(y)), (5 + round(3 * b), 2), angle, 0, 360, value, -1)
    far = [cv2.resize(p, (width, height), interpolation=cv2.INTER_NEAREST) for p in planes]
    return far[0] * (unit / 256), far[1] * (unit / 256), far[2]


def _oil(image: Image, u: list[float]) -> Image:
    """Brush strokes: every stroke takes the colour under its middle and catches light by itself."""
    height, width = image.shape[:2]
    x, y, light = _strokes(height, width)
    moved = cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    painted = cv2.addWeighted(moved, 0.66, image, 0.34, 0)
    return np.asarray(np.clip(painted * (0.86 + 0.3 * light)[..., None], 0, 255), dtype=np.uint8)


def _neon(image: Image, u: list[float]) -> Image:
    """Glow around the tubes."""
    unit = min(image.shape[:2])
    k = max(3, round(unit * 0.06) | 1)
    glow = cv2.convertScaleAbs(cv2.blur(cv2.blur(image, (k, k)), (k, k)), alpha=0.75)
    return np.asarray(cv2.add(image, glow), np.uint8)


def _stained_glass(image: Image, u: list[float]) -> Image:
    """Strong colours, panes of uneven brightness with lead between them."""
    height, width = image.shape[:2]
    unit = min(height, width)
    hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 1] = np.clip(hsv[..., 1] * 1.5 + 10, 0, 255)
    hsv[..., 2] = 255 * (hsv[..., 2] / 255) ** 0.72  # light falls through, so night is bright as well
    glass = cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB).astype(np.float32)
    glass = glass * (0.86 + 0.32 * _texture("blots", height, width))[..., None]
    out = np.asarray(np.clip(glass, 0, 255), np.uint8)
    middle = np.array((width / 2 + (u[0] - 0.5) * 0.2 * unit, height / 2 + (u[1] - 0.5) * 0.2 * unit))
    lead, thick = (26, 24, 30), max(1, round(unit * 0.012))
    for n in range(9):
        a = 2 * math.pi * (n + 0.3 * u[2 + n % 4]) / 9
        ray = middle + np.outer((0.44 * unit, width + height), (math.cos(a), math.sin(a)))
        cv2.polylines(out, [np.rint(ray * 16).astype(np.int32)], False, lead, thick, cv2.LINE_AA, 4)
    cv2.circle(out, np.rint(middle * 16).astype(int).tolist(), round(0.46 * unit * 16), lead, thick, cv2.LINE_AA, 4)
    return out


def _monochrome(image: Image, u: list[float]) -> Image:
    """Black and white with more contrast."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    value = np.clip((grey - 128) * 1.15 + 132, 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(value, cv2.COLOR_GRAY2RGB), np.uint8)


def _comic(image: Image, u: list[float]) -> Image:
    """Half-tone dots in the darker tones and a white page margin with a black frame."""
    height, width = image.shape[:2]
    unit = min(height, width)
    dots = _texture("dots", height, width)[..., None]
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32) / 255
    out = np.clip(image * (1.06 - 0.34 * (1 - grey) * dots * (grey < 0.8)), 0, 255).astype(np.uint8)
    m = max(1, round(unit * 0.035))
    line = max(1, round(unit * 0.016))
    for k, colour in ((m, (252, 252, 246)), (line, (26, 22, 30))):
        a = 0 if k == m else m
        out[a : a + k, a : width - a] = colour
        out[height - a - k : height - a, a : width - a] = colour
        out[a : height - a, a : a + k] = colour
        out[a : height - a, width - a - k : width - a] = colour
    return np.asarray(out, np.uint8)


def _pale(colour: Colour) -> Colour:
    return mix(colour, (255, 252, 244), 0.16)


def _strong(colour: Colour) -> Colour:
    grey = luma(colour)
    return tuple(min(255.0, max(0.0, grey + (c - grey) * 1.3)) for c in colour)  # type: ignore[return-value]


def _soft(colour: Colour) -> Colour:
    return tone(mix(colour, (luma(colour),) * 3, 0.1), 0.06)


STYLES: tuple[Style, ...] = (
    Style("picture book", Hand("shaded", "self", 0.013), weight=2.2),
    Style("pixel art", Hand("shaded", "ink", 0.016), _pixel_art, weight=1.2),
    Style("pencil sketch", Hand("shaded", "ink", 0.011), _pencil, colours=False, weight=0.8),
    Style("watercolor", Hand("flat", "self", 0.008, ink=_pale), _watercolour, weight=0.9),
    Style("low poly", Hand("facets", "none"), weight=0.9),
    Style("neon", Hand("dark", "bright", 0.017), _neon, weight=0.9),
    Style("oil painting", Hand("shaded", "self", 0.012), _oil, weight=0.9),
    Style("stained glass", Hand("flat", "ink", 0.026, ink=_strong), _stained_glass, weight=0.7),
    Style("monochrome", Hand("shaded", "ink", 0.012), _monochrome, colours=False, weight=0.7),
    Style("paper cut", Hand("flat", "light", 0.006, shadow=True, ink=_soft), weight=0.9),
    Style("comic", Hand("flat", "ink", 0.024, ink=_strong), _comic, weight=0.9),
)
