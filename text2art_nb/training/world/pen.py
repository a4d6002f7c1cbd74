"""A pen that draws shapes given in a thing's own coordinates, sharp at any size.

Every drawing of the world goes through `Pen`: it carries an affine map, the colours of the thing at hand and the hand
of the style (`Hand`), so that a castle is described once and drawn as pixel art, as neon or as cut paper.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np
from numpy.typing import NDArray

cv2.setNumThreads(1)  # pictures are small: threads cost more than they give, and training uses processes

Colour = tuple[float, float, float]
Points = Sequence[tuple[float, float]] | NDArray[np.float64]
Image = NDArray[np.uint8]

WHITE: Colour = (250, 248, 242)
INK: Colour = (34, 30, 40)
SILVER: Colour = (176, 184, 198)
STONE: Colour = (158, 152, 150)
WOOD: Colour = (142, 94, 58)
LEAF: Colour = (84, 158, 76)
SKIN: Colour = (246, 206, 170)
GOLD: Colour = (244, 194, 66)
GLASS: Colour = (168, 216, 240)
GLOW: Colour = (255, 222, 110)
ROSE: Colour = (240, 130, 140)

_SHIFT = 4  # cv2 takes coordinates in 1/16 pixel
_LIGHT_X, _LIGHT_Y = -0.55, -0.83  # where the light comes from


def mix(a: Colour, b: Colour, k: float) -> Colour:
    """`a` moved towards `b` by the fraction `k` (0..1)."""
    return (a[0] + (b[0] - a[0]) * k, a[1] + (b[1] - a[1]) * k, a[2] + (b[2] - a[2]) * k)


def tone(colour: Colour, k: float) -> Colour:
    """`colour` made lighter (k > 0, towards white) or darker (k < 0, towards a warm black), |k| <= 1."""
    return mix(colour, (255, 252, 240), k) if k >= 0 else mix(colour, (22, 16, 34), -k)


def luma(colour: Colour) -> float:
    """Brightness 0..255 (Rec. 601)."""
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


@dataclass(frozen=True)
class Hand:
    """How a style draws.

    `fill` is "flat" | "shaded" | "facets" | "dark", `outline` "none" | "self" | "ink" | "bright" | "light", `width`
    that of the outline in picture heights; `shadow` puts a cut-paper shadow under every shape; `ink` maps colours.
    """

    fill: str = "shaded"
    outline: str = "self"
    width: float = 0.013
    shadow: bool = False
    ink: Callable[[Colour], Colour] | None = None


@dataclass(frozen=True)
class Tints:
    """The colours of one thing: `main` is the colour that captions name, `accent` a small contrast."""

    main: Colour
    light: Colour
    dark: Colour
    accent: Colour


@lru_cache(maxsize=64)
def _curve_basis(n: int, per: int, closed: bool) -> NDArray[np.float64]:
    """Matrix that takes n control points to a Catmull-Rom curve through them, `per` points a segment."""
    segments = n if closed else n - 1
    basis = np.zeros((segments * per + (0 if closed else 1), n))
    for s in range(segments):
        ids = [(s + k) % n if closed else min(max(s + k, 0), n - 1) for k in (-1, 0, 1, 2)]
        for j in range(per + (1 if not closed and s == segments - 1 else 0)):
            t = j / per
            weights = (
                -0.5 * t + t * t - 0.5 * t**3,
                1 - 2.5 * t * t + 1.5 * t**3,
                0.5 * t + 2 * t * t - 1.5 * t**3,
                -0.5 * t * t + 0.5 * t**3,
            )
            for i, w in zip(ids, weights, strict=True):
                basis[s * per + j, i] += w
    return basis


@lru_cache(maxsize=4)
def _circle(n: int) -> NDArray[np.float64]:
    angle = np.arange(n) * (2 * math.pi / n) + math.pi / n
    return np.stack([np.cos(angle), np.sin(angle)], axis=1)


class Pen:
    """Draws on `image` (uint8 [H, W, 3] RGB, changed in place) through an affine map from local coordinates.

    Local coordinates of things: x and y in -1..1, y downwards, the ground at y = 1. Local coordinates of places: the
    picture's shorter side is 1 long, the origin in the middle.
    """

    def __init__(self, image: Image, unit: float, hand: Hand, tints: Tints, light: Colour, u: Sequence[float]) -> None:
        height, width = image.shape[:2]
        self.image = image
        self.unit = unit
        self.hand = hand
        self.tints = tints
        self.main, self.light, self.dark, self.accent = tints.main, tints.light, tints.dark, tints.accent
        self.illumination = light
        self.u = u
        self.night = False
        self.half_width = width / (2 * unit)
        self.half_height = height / (2 * unit)
        self._set(unit, unit, 0.0, (width / 2, height / 2))

    def _set(self, scale_x: float, scale_y: float, angle: float, origin: tuple[float, float]) -> None:
        c, s = math.cos(angle), math.sin(angle)
        self._matrix = np.array([[c * scale_x, s * scale_x], [-s * scale_y, c * scale_y]]) * (1 << _SHIFT)
        self._origin = np.array(origin) * (1 << _SHIFT)
        self.scale = abs(scale_y)
        size = min(1.0, 0.45 + 1.4 * self.scale / self.unit)
        self._outline = max(1, round(self.hand.width * self.unit * size))

    def at(
        self,
        x: float,
        y: float,
        scale: float,
        tints: Tints,
        u: Sequence[float],
        flip: bool = False,
        angle: float = 0.0,
        stretch: float = 1.0,
    ) -> "Pen":
        """A pen for a thing with its middle at (x, y) of the picture and half height `scale`, `stretch` as wide."""
        height, width = self.image.shape[:2]
        pen = Pen(self.image, self.unit, self.hand, tints, self.illumination, u)
        size = scale * self.unit
        pen._set(
            (-size if flip else size) * stretch, size, angle, (width / 2 + x * self.unit, height / 2 + y * self.unit)
        )
        pen.night = self.night
        return pen

    def pick(self, k: int, n: int) -> int:
        """Free choice number k among n, fixed by the scene's variant."""
        return int(self.u[k] * n)

    def vary(self, k: int, low: float, high: float) -> float:
        """Free number k in low..high, fixed by the scene's variant."""
        return low + (high - low) * self.u[k]

    def window(self) -> Colour:
        """Colour of a window: lit at night."""
        return GLOW if self.night else mix(GLASS, (70, 90, 130), 0.55)

    # -- colours

    def _lit(self, colour: Colour) -> Colour:
        if colour is GLOW:
            lit = colour
        else:
            f = self.illumination
            lit = (min(colour[0] * f[0], 255.0), min(colour[1] * f[1], 255.0), min(colour[2] * f[2], 255.0))
        return self.hand.ink(lit) if self.hand.ink else lit

    def _line_colour(self, colour: Colour) -> Colour:
        kind = self.hand.outline
        if kind == "ink":
            return (28, 24, 32)
        if kind == "bright":
            return _vivid(colour)
        if kind == "light":
            return tone(colour, 0.35)
        return tone(colour, -0.55)

    # -- shapes

    def _pixels(self, points: Points) -> NDArray[np.float64]:
        pixels: NDArray[np.float64] = np.asarray(points, dtype=np.float64) @ self._matrix + self._origin
        return pixels

    def poly(self, points: Points, colour: Colour, *, line: bool = True, shade: bool = True) -> None:
        """Filled polygon through `points`."""
        self._paint(self._pixels(points), colour, line, shade)

    def smooth(self, points: Points, colour: Colour, *, line: bool = True, shade: bool = True) -> None:
        """Filled closed smooth curve through `points`."""
        basis = _curve_basis(len(points), 2 if self.hand.fill == "facets" else 5, True)
        self._paint(basis @ self._pixels(points), colour, line, shade)

    def mirror(
        self, points: Points, colour: Colour, *, curve: bool = True, line: bool = True, shade: bool = True
    ) -> None:
        """Shape symmetric about x = 0 from its right half, listed from top to bottom."""
        pts = list(points)
        both = pts + [(-x, y) for x, y in reversed(pts) if abs(x) > 1e-9]
        (self.smooth if curve else self.poly)(both, colour, line=line, shade=shade)

    def rect(
        self, x0: float, y0: float, x1: float, y1: float, colour: Colour, *, line: bool = True, shade: bool = True
    ) -> None:
        """Filled rectangle."""
        self.poly(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), colour, line=line, shade=shade)

    def ellipse(
        self,
        x: float,
        y: float,
        rx: float,
        ry: float,
        colour: Colour,
        *,
        angle: float = 0.0,
        line: bool = True,
        shade: bool = True,
    ) -> None:
        """Filled ellipse with half axes rx, ry, turned by `angle` radians."""
        ring = _circle(9 if self.hand.fill == "facets" and rx * self.scale > 0.04 * self.unit else 24) * (rx, ry)
        if angle:
            c, s = math.cos(angle), math.sin(angle)
            ring = ring @ np.array([[c, s], [-s, c]])
        self._paint(self._pixels(ring + np.array((x, y))), colour, line, shade)

    def dot(self, x: float, y: float, r: float, colour: Colour) -> None:
        """Small plain disc without outline."""
        self._paint(self._pixels(_circle(12) * r + (x, y)), colour, False, False)

    def line(self, points: Points, width: float, colour: Colour, *, curve: bool = False) -> None:
        """Stroke of `width` (local units) along `points`, round ends, no outline."""
        self._stroke(self._path(points, curve), width * self.scale, self._lit(colour))

    def limb(self, points: Points, width: float, colour: Colour, *, curve: bool = True) -> None:
        """Stroke with an outline of its own: a leg, a tail, a branch, a rope."""
        path = self._path(points, curve)
        lit = self._lit(colour)
        thick = width * self.scale
        if self.hand.shadow:
            self._stroke(path + self._drop(), thick, self._under(path.mean(axis=0)))
        if self.hand.outline != "none":
            self._stroke(path, thick + 2 * self._outline, self._line_colour(lit))
        self._stroke(path, thick, _dim(lit) if self.hand.fill == "dark" else lit)

    def ring(self, x: float, y: float, r: float, width: float, colour: Colour) -> None:
        """Outlined ring of middle radius `r`."""
        circle = _circle(24) * r + (x, y)
        self.limb(np.vstack([circle, circle[:1]]), width, colour, curve=False)

    def eye(self, x: float, y: float, r: float) -> None:
        """Friendly eye: white, pupil, spark."""
        self.dot(x, y, r, WHITE)
        self.dot(x + 0.18 * r, y + 0.1 * r, 0.66 * r, INK)
        self.dot(x - 0.05 * r, y - 0.2 * r, 0.24 * r, WHITE)

    def _path(self, points: Points, curve: bool) -> NDArray[np.float64]:
        pixels = self._pixels(points)
        return _curve_basis(len(pixels), 5, False) @ pixels if curve and len(pixels) > 2 else pixels

    def _stroke(self, path: NDArray[np.float64], thickness: float, colour: Colour) -> None:
        cv2.polylines(
            self.image, [np.rint(path).astype(np.int32)], False, colour, max(1, round(thickness)), cv2.LINE_AA, _SHIFT
        )

    def _fill(self, pixels: NDArray[np.float64], colour: Colour) -> None:
        cv2.fillPoly(self.image, [np.rint(pixels).astype(np.int32)], colour, cv2.LINE_AA, _SHIFT)

    def _drop(self) -> NDArray[np.float64]:
        return np.array((0.012, 0.02)) * (self.unit * (1 << _SHIFT))

    def _under(self, centre: NDArray[np.float64]) -> Colour:
        """Shade of what lies under a pixel position, as a shadow on it."""
        height, width = self.image.shape[:2]
        x = min(max(int(centre[0]) >> _SHIFT, 0), width - 1)
        y = min(max(int(centre[1]) >> _SHIFT, 0), height - 1)
        r, g, b = self.image[y, x].tolist()
        return (r * 0.5, g * 0.5, b * 0.55)

    def _paint(self, pixels: NDArray[np.float64], colour: Colour, line: bool, shade: bool) -> None:
        hand = self.hand
        lit = self._lit(colour)
        if hand.shadow and line:
            self._fill(pixels + self._drop(), self._under(pixels.mean(axis=0)))
        if hand.fill == "dark":
            self._fill(pixels, _dim(lit) if line or shade or self._is_wide(pixels) else _vivid(lit))
        elif shade and hand.fill == "shaded":
            self._two_tone(pixels, lit)
        elif shade and hand.fill == "facets":
            self._facets(pixels, lit)
        else:
            self._fill(pixels, lit)
        if line and hand.outline != "none":
            cv2.polylines(
                self.image,
                [np.rint(pixels).astype(np.int32)],
                True,
                self._line_colour(lit),
                self._outline,
                cv2.LINE_AA,
                _SHIFT,
            )

    def _is_wide(self, pixels: NDArray[np.float64]) -> bool:
        """Too large an area to be a lit tube."""
        return float(np.ptp(pixels, axis=0).min()) > 0.14 * self.unit * (1 << _SHIFT)

    def _two_tone(self, pixels: NDArray[np.float64], colour: Colour) -> None:
        """Darker rim away from the light: the shape once in shade, once smaller and shifted in light."""
        self._fill(pixels, tone(colour, -0.2))
        low, high = pixels.min(axis=0), pixels.max(axis=0)
        centre = (low + high) / 2
        self._fill(centre + (pixels - centre) * 0.84 - (high - low) * (0.055, 0.045), tone(colour, 0.08))

    def _facets(self, pixels: NDArray[np.float64], colour: Colour) -> None:
        """Triangles around the middle, each as bright as it faces the light."""
        self._fill(pixels, colour)
        if len(pixels) > 11:
            pixels = pixels[:: -(-len(pixels) // 11)]
        centre = pixels.mean(axis=0)
        edge = np.roll(pixels, -1, axis=0)
        a, b = pixels - centre, edge - centre
        area = a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]
        if (area > 0).any() and (area < 0).any():  # not star-shaped: a fan would leave the outline
            return
        middle = a + b
        facing = (middle @ (_LIGHT_X, _LIGHT_Y)) / (np.hypot(middle[:, 0], middle[:, 1]) + 1e-6)
        for p, q, k in zip(pixels, edge, facing.tolist(), strict=True):
            self._fill(np.stack([centre, p, q]), tone(colour, 0.3 * k if k > 0 else 0.38 * k))


def _dim(colour: Colour) -> Colour:
    return (colour[0] * 0.2 + 6, colour[1] * 0.2 + 4, colour[2] * 0.2 + 14)


def _vivid(colour: Colour) -> Colour:
    """The colour as a neon tube shows it: saturated and bright, yet brown darker than orange and grey than white."""
    top, low = max(colour), min(colour)
    if top - low < 40:
        both = top + low  # quadratic, so that black, grey and white stay apart under the glow
        k = 0.0016 * both + 120 / both
        return (min(255.0, colour[0] * k), min(255.0, colour[1] * k), min(255.0, colour[2] * k))
    grey = (top + low) / 2
    k = 0.7 if top > 170 else 0.3
    r, g, b = (max(16.0, c + (c - grey) * k) for c in colour)
    lift = (112 + 0.55 * top) / max(r, g, b)
    return (r * lift, g * lift, b * lift)
