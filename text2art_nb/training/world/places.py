"""The places of the world: each draws a background with a `Pen` (unit: the shorter side, origin: the middle)."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from text2art_nb.training.world.pen import GLOW, INK, LEAF, WHITE, WOOD, Colour, Pen, mix, tone

TIMES = ("day", "sunset", "night", "dawn")
WEATHERS = ("clear", "rain", "snowfall", "fog", "rainbow")

_SKIES: dict[str, tuple[Colour, Colour]] = {
    "day": ((92, 172, 236), (206, 236, 250)),
    "sunset": ((112, 70, 140), (255, 164, 84)),
    "night": ((14, 18, 54), (52, 62, 116)),
    "dawn": ((150, 176, 232), (255, 214, 214)),
}
_GROUND_LIGHT: dict[str, Colour] = {
    "day": (1, 1, 1),
    "sunset": (0.92, 0.68, 0.62),
    "night": (0.34, 0.38, 0.6),
    "dawn": (1.0, 0.88, 0.94),
}
THING_LIGHT: dict[str, Colour] = {
    "day": (1, 1, 1),
    "sunset": (1.0, 0.9, 0.84),
    "night": (0.86, 0.87, 0.98),
    "dawn": (1.0, 0.95, 0.97),
}


@dataclass(frozen=True)
class Place:
    """One kind of place. `timed`: the hour shows; `outdoors`: weather happens; `ground`: things cast shadows."""

    draw: Callable[[Pen, str], None]
    front: Callable[[Pen, str], None] | None = None
    timed: bool = True
    outdoors: bool = True
    ground: bool = True

    @property
    def name(self) -> str:
        return self.draw.__name__


def ground_light(place: Place, time: str) -> Colour:
    """Factors that the hour puts on the colours of the ground."""
    return _GROUND_LIGHT[time] if place.timed else (1.0, 1.0, 1.0)


# -- parts


def gradient(p: Pen, y0: float, y1: float, top: Colour, bottom: Colour) -> None:
    """Full-width vertical gradient between two heights; its colours aren't changed by the hour."""
    height = p.image.shape[0]
    a = max(0, round(height / 2 + y0 * p.unit))
    b = min(height, round(height / 2 + y1 * p.unit))
    if b <= a:
        return
    ink = p.hand.ink
    first, last = (ink(top), ink(bottom)) if ink else (top, bottom)
    k = np.linspace(0, 1, b - a)[:, None]
    rows = np.asarray(first) * (1 - k) + np.asarray(last) * k
    if p.hand.fill in ("facets", "flat"):  # broad bands instead of a smooth sky
        steps = 6
        rows = rows[
            np.minimum((np.arange(b - a) * steps // (b - a)) * (b - a) // steps + (b - a) // (2 * steps), b - a - 1)
        ]
    if p.hand.fill == "dark":
        rows = rows * 0.16 + (6, 4, 16)
    p.image[a:b] = rows.astype(np.uint8)[:, None, :]


def _plain(p: Pen, points: list[tuple[float, float]], colour: Colour, line: bool = True) -> None:
    p.poly(points, colour, line=line, shade=False)


def sky(p: Pen, time: str, horizon: float) -> None:
    """Sky with sun, moon, stars and clouds according to the hour."""
    top, bottom = _SKIES[time]
    gradient(p, -p.half_height, horizon + 0.16, top, bottom)
    x = p.vary(0, -0.4, 0.4)
    if time == "night":
        stars(p, horizon, 14)
        if p.pick(1, 2):
            outer = [(x + 0.08 * math.sin(0.3 * k), -0.36 - 0.08 * math.cos(0.3 * k)) for k in range(-1, 12)]
            inner = [
                (x - 0.035 + 0.085 * math.sin(0.32 * k), -0.37 - 0.07 * math.cos(0.32 * k)) for k in range(9, 0, -1)
            ]
            p.poly([*outer, *inner], (250, 244, 214), line=False, shade=False)
        else:
            p.ellipse(x, -0.36, 0.075, 0.075, (250, 244, 214), line=False, shade=False)
    elif time == "sunset":
        p.ellipse(x, horizon - 0.05, 0.17, 0.17, (255, 196, 110), line=False, shade=False)
        p.ellipse(x, horizon - 0.05, 0.125, 0.125, (255, 232, 160), line=False, shade=False)
    elif time == "dawn":
        p.ellipse(x, horizon - 0.02, 0.12, 0.12, (255, 244, 220), line=False, shade=False)
    else:
        p.ellipse(x, -0.38, 0.085, 0.085, (255, 240, 150), line=False, shade=False)
    if time != "night":
        puffs(p, {"day": (255, 255, 255), "sunset": (250, 150, 130), "dawn": (255, 236, 240)}[time], 2 + p.pick(2, 2))


def puffs(p: Pen, colour: Colour, n: int, low: float = -0.1) -> None:
    """Puffy clouds, more of them in a wider picture."""
    n = round(n * max(1.0, 2 * p.half_width))
    for k in range(n):
        x = -p.half_width + (k + p.u[8 + k % 8]) * 2 * p.half_width / n
        y = -0.42 * p.half_height / 0.5 + (low + 0.42) * p.u[16 + k % 8]
        w = 0.08 + 0.06 * p.u[24 + k % 8]
        for dx, dy, r in ((-0.8, 0.1, 0.5), (0.8, 0.1, 0.55), (0, -0.15, 0.75)):
            p.ellipse(x + dx * w, y + dy * w, r * w * 1.1, r * w * 0.8, colour, line=False, shade=False)


def stars(p: Pen, low: float, n: int) -> None:
    """Scattered stars above `low`."""
    n = round(n * max(1.0, 2 * p.half_width) * max(1.0, 2 * p.half_height))
    for k in range(n):
        x = (math.modf((k + 1) * 0.7549 + p.u[3])[0] * 2 - 1) * p.half_width
        y = -p.half_height + math.modf((k + 1) * 0.5698 + p.u[4])[0] * (p.half_height + low)
        p.dot(x, y, 0.005 + 0.004 * (k % 3 == 0), (255, 252, 226))


def hills(p: Pen, y: float, height: float, colour: Colour, seed: int, waves: float = 1.3) -> None:
    """Rolling ground from `y` down to the bottom of the picture."""
    a, b = 6.28 * p.u[seed], 6.28 * p.u[seed + 1]
    n = 14
    points = []
    for k in range(n + 1):
        x = -p.half_width - 0.03 + (2 * p.half_width + 0.06) * k / n
        points.append((x, y - height * (0.5 * math.sin(6.28 * waves * x + a) + 0.3 * math.sin(11 * waves * x + b))))
    bottom = p.half_height + 0.05
    _plain(p, [*points, (p.half_width + 0.05, bottom), (-p.half_width - 0.05, bottom)], colour)


def spread(p: Pen, n: int, seed: int) -> list[tuple[float, float]]:
    """(x, free number) of n things a unit width spread over the picture, both fixed by the variant."""
    n = max(1, round(n * 2 * p.half_width))
    return [
        (-p.half_width + (k + 0.2 + 0.6 * p.u[(seed + k) % 40]) * 2 * p.half_width / n, p.u[(seed + 3 * k + 7) % 40])
        for k in range(n)
    ]


def _little_tree(p: Pen, x: float, y: float, h: float, colour: Colour, pointed: bool) -> None:
    p.rect(x - h * 0.06, y - h * 0.4, x + h * 0.06, y, WOOD, line=False, shade=False)
    if pointed:
        p.poly([(x, y - h), (x + h * 0.28, y - h * 0.2), (x - h * 0.28, y - h * 0.2)], colour, shade=False)
    else:
        p.ellipse(x, y - h * 0.62, h * 0.32, h * 0.36, colour, shade=False)


# -- places


def meadow(p: Pen, time: str) -> None:
    """Rolling green hills, a path, bushes."""
    sky(p, time, 0.14)
    hills(p, 0.1, 0.09, (150, 200, 150), 5)
    hills(p, 0.2, 0.06, (128, 194, 96), 7, 0.8)
    for x, v in spread(p, 4, 9):
        p.ellipse(x, 0.22 + 0.04 * v, 0.05, 0.035, (92, 164, 84), line=False)
    hills(p, 0.34, 0.04, (106, 178, 78), 11, 0.6)
    for x, v in spread(p, 7, 13):
        p.line([(x, 0.46), (x + 0.01, 0.42 + 0.02 * v)], 0.008, (76, 146, 62))


def forest(p: Pen, time: str) -> None:
    """Rows of firs and leafy trees, trunks in front."""
    sky(p, time, 0.1)
    hills(p, 0.12, 0.03, (92, 140, 104), 5)
    for row, (y, h, c) in enumerate(((0.16, 0.42, (92, 150, 112)), (0.24, 0.52, (62, 124, 84)))):
        for x, v in spread(p, 7 - row, 9 + 5 * row):
            _little_tree(p, x, y, h * (0.8 + 0.3 * v), c, v < 0.6)
    hills(p, 0.26, 0.03, (84, 134, 66), 7)
    for x in (-p.half_width + 0.03, p.half_width - 0.03):
        p.rect(x - 0.05, -p.half_height - 0.05, x + 0.05, 0.4, (96, 70, 54))
        p.ellipse(x, -p.half_height + 0.02, 0.2, 0.14, (58, 112, 66))
    for x, v in spread(p, 5, 20):
        p.ellipse(x, 0.48, 0.07, 0.05 + 0.02 * v, (64, 116, 60))


def desert(p: Pen, time: str) -> None:
    """Sand dunes, distant mesas, ripples."""
    sky(p, time, 0.16)
    x = p.vary(5, -0.3, 0.3)
    for dx, w, h in ((-0.36, 0.12, 0.16), (0.34, 0.15, 0.12)):
        _plain(
            p,
            [(x + dx - w, 0.2), (x + dx - w * 0.7, 0.14 - h), (x + dx + w * 0.7, 0.14 - h), (x + dx + w, 0.2)],
            (206, 132, 92),
        )
    hills(p, 0.17, 0.06, (240, 206, 140), 7, 0.7)
    hills(p, 0.26, 0.07, (232, 190, 116), 9, 0.5)
    hills(p, 0.38, 0.05, (222, 174, 98), 11, 0.6)
    for x, v in spread(p, 5, 13):
        y = 0.36 + 0.1 * v
        p.line([(x - 0.05, y), (x, y - 0.008), (x + 0.05, y)], 0.007, (200, 150, 84), curve=True)


def snow(p: Pen, time: str) -> None:
    """White hills and snowy firs."""
    sky(p, time, 0.14)
    hills(p, 0.1, 0.1, (206, 220, 240), 5)
    for x, v in spread(p, 5, 9):
        h = 0.16 + 0.1 * v
        _little_tree(p, x, 0.2, h, (96, 140, 140), True)
        p.poly(
            [(x, 0.2 - h), (x + h * 0.13, 0.2 - h * 0.6), (x - h * 0.13, 0.2 - h * 0.6)], WHITE, line=False, shade=False
        )
    hills(p, 0.2, 0.05, (228, 238, 250), 7, 0.7)
    hills(p, 0.36, 0.04, (244, 248, 255), 11, 0.6)


def beach(p: Pen, time: str) -> None:
    """Sea at the horizon, foam, sand with shells, a little palm."""
    sky(p, time, 0.04)
    _sea(p, 0.04, time, (70, 164, 214))
    hills(p, 0.2, 0.025, WHITE, 7, 0.8)
    hills(p, 0.23, 0.025, (246, 218, 158), 7, 0.8)
    for x, v in spread(p, 5, 13):
        p.ellipse(x, 0.34 + 0.13 * v, 0.016, 0.012, (250, 170, 150) if v < 0.5 else WHITE, line=False, shade=False)
    side = -1 if p.u[6] < 0.5 else 1
    x = side * (p.half_width - 0.08)
    p.limb([(x, 0.3), (x + 0.02 * side, 0.1), (x - 0.02 * side, -0.1)], 0.03, WOOD)
    for k in range(5):
        a = 0.2 + 0.7 * k
        p.limb(
            [
                (x - 0.02 * side, -0.1),
                (x - 0.02 * side + 0.09 * math.cos(a), -0.13 - 0.05 * math.sin(a)),
                (x - 0.02 * side + 0.16 * math.cos(a), -0.06 - 0.04 * math.sin(a)),
            ],
            0.025,
            LEAF,
        )


def _sea(p: Pen, y: float, time: str, colour: Colour) -> None:
    _plain(
        p,
        [
            (-p.half_width - 0.05, y),
            (p.half_width + 0.05, y),
            (p.half_width + 0.05, p.half_height + 0.05),
            (-p.half_width - 0.05, p.half_height + 0.05),
        ],
        colour,
    )
    for x, v in spread(p, 6, 17):
        yy = y + 0.03 + 0.3 * v * v
        p.line([(x - 0.06, yy), (x, yy - 0.008), (x + 0.06, yy)], 0.007, tone(colour, 0.45), curve=True)


def sea(p: Pen, time: str) -> None:
    """Open water with rows of waves."""
    sky(p, time, 0.06)
    _sea(p, 0.06, time, (62, 146, 204))
    hills(p, 0.22, 0.016, (52, 128, 192), 7, 2.2)


def _waves(p: Pen, time: str) -> None:
    hills(p, 0.41, 0.024, (44, 112, 178), 9, 2.0)


def mountains(p: Pen, time: str) -> None:
    """Snow-capped peaks over foothills."""
    sky(p, time, 0.12)
    for row, (y, h, c) in enumerate(((0.2, 0.4, (140, 156, 190)), (0.22, 0.3, (112, 124, 158)))):
        for x, v in spread(p, 4 - row, 9 + 7 * row):
            top, w = y - h * (0.7 + 0.5 * v), 0.22 + 0.1 * v
            _plain(p, [(x - w, y + 0.05), (x, top), (x + w, y + 0.05)], c)
            _plain(p, [(x, top), (x + w, y + 0.05), (x + w * 0.15, y + 0.05)], tone(c, -0.15), line=False)
            _plain(
                p,
                [
                    (x - w * 0.26, top + 0.07),
                    (x, top),
                    (x + w * 0.26, top + 0.07),
                    (x + w * 0.1, top + 0.05),
                    (x, top + 0.09),
                    (x - w * 0.12, top + 0.05),
                ],
                WHITE,
                line=False,
            )
    hills(p, 0.22, 0.05, (120, 150, 120), 7)
    hills(p, 0.36, 0.04, (98, 132, 96), 11, 0.6)


def city(p: Pen, time: str) -> None:
    """A street: rows of tall blocks with windows, pavement, lamps."""
    sky(p, time, 0.16)
    for row, (n, h, c) in enumerate(((8, 0.42, (158, 170, 198)), (6, 0.3, (126, 132, 164)))):
        for k, (x, v) in enumerate(spread(p, n, 9 + 6 * row)):
            w, top = 0.06 + 0.03 * v, 0.2 - h * (0.5 + 0.7 * v)
            p.rect(x - w, top, x + w, 0.26, tone(c, 0.12 * (k % 2)), shade=False)
            for j in range(int((0.2 - top) / 0.07)):
                for dx in (-0.4, 0.4):
                    colour = GLOW if time == "night" and (j + k + (dx > 0)) % 3 else (92, 106, 146)
                    p.rect(
                        x + dx * w - 0.013,
                        top + 0.03 + 0.07 * j,
                        x + dx * w + 0.013,
                        top + 0.06 + 0.07 * j,
                        colour,
                        line=False,
                        shade=False,
                    )
    _plain(
        p,
        [
            (-p.half_width - 0.05, 0.24),
            (p.half_width + 0.05, 0.24),
            (p.half_width + 0.05, p.half_height + 0.05),
            (-p.half_width - 0.05, p.half_height + 0.05),
        ],
        (150, 150, 158),
    )
    p.rect(-p.half_width - 0.05, 0.3, p.half_width + 0.05, p.half_height + 0.05, (104, 104, 116), shade=False)
    for x, _ in spread(p, 4, 30):
        p.line([(x - 0.06, 0.42), (x + 0.06, 0.42)], 0.014, (240, 230, 190))


def space(p: Pen, time: str) -> None:
    """Black sky, stars, nebula, planets."""
    gradient(p, -p.half_height, p.half_height, (16, 12, 40), (44, 26, 78))
    p.ellipse(
        p.vary(5, -0.3, 0.3),
        p.vary(6, -0.2, 0.2),
        0.5,
        0.2,
        (62, 38, 104),
        angle=p.vary(7, -1, 1),
        line=False,
        shade=False,
    )
    stars(p, p.half_height, 34)
    s = 1 if p.u[8] < 0.5 else -1
    colour = ((224, 138, 92), (120, 180, 210), (214, 190, 120))[p.pick(9, 3)]
    p.ellipse(s * (p.half_width - 0.12), -p.half_height + 0.14, 0.12, 0.12, colour)
    if p.pick(10, 2):
        p.limb(
            [
                (s * (p.half_width - 0.12) - 0.19, -p.half_height + 0.18),
                (s * (p.half_width - 0.12) + 0.19, -p.half_height + 0.1),
            ],
            0.02,
            tone(colour, 0.4),
        )
    p.ellipse(-s * (p.half_width - 0.08), p.half_height - 0.1, 0.07, 0.07, (170, 120, 200))


def moon(p: Pen, time: str) -> None:
    """Grey cratered ground under a black sky with the Earth."""
    gradient(p, -p.half_height, 0.24, (8, 8, 22), (24, 24, 48))
    stars(p, 0.12, 22)
    x = p.vary(5, -0.36, 0.36)
    p.ellipse(x, -0.36, 0.1, 0.1, (70, 140, 220))
    p.ellipse(x - 0.03, -0.37, 0.04, 0.05, (110, 180, 90), line=False, shade=False)
    p.ellipse(x + 0.05, -0.33, 0.03, 0.035, (110, 180, 90), line=False, shade=False)
    hills(p, 0.16, 0.05, (150, 150, 160), 7)
    hills(p, 0.26, 0.04, (184, 184, 192), 9, 0.7)
    for x, v in spread(p, 6, 13):
        y, r = 0.3 + 0.17 * v, 0.03 + 0.03 * v
        p.ellipse(x, y, r * 1.6, r * 0.6, (132, 132, 144), shade=False)


def underwater(p: Pen, time: str) -> None:
    """Blue water with light from above, bubbles, weed and coral on the sand."""
    top, bottom = {
        "day": ((120, 214, 226), (24, 96, 160)),
        "sunset": ((246, 170, 130), (62, 70, 134)),
        "night": ((26, 44, 96), (8, 16, 48)),
        "dawn": ((226, 206, 226), (70, 112, 176)),
    }[time]
    gradient(p, -p.half_height, p.half_height, top, bottom)
    for x, v in spread(p, 3, 9):
        _plain(
            p,
            [(x, -p.half_height), (x + 0.06, -p.half_height), (x + 0.1 + 0.2 * v, 0.2), (x - 0.06 + 0.2 * v, 0.2)],
            mix(mix(top, bottom, 0.35), WHITE, 0.12),
            line=False,
        )
    hills(p, 0.34, 0.05, (206, 190, 150), 7, 0.8)
    for x, v in spread(p, 6, 13):
        if abs(x) < 0.22 * min(1.0, 2 * p.half_width) and v > 0.3:
            continue
        if v < 0.6:
            p.limb([(x, 0.44), (x + 0.03, 0.34), (x - 0.02, 0.25), (x + 0.02, 0.16 + 0.2 * v)], 0.028, (60, 150, 104))
        else:
            coral = (240, 120, 130) if v < 0.8 else (250, 170, 90)
            p.limb([(x, 0.44), (x, 0.32)], 0.035, coral)
            p.limb([(x, 0.37), (x + 0.05, 0.3)], 0.025, coral)
            p.limb([(x, 0.4), (x - 0.05, 0.31)], 0.025, coral)
    for x, v in spread(p, 5, 20):
        p.ellipse(x, -0.4 + 0.6 * v, 0.012 + 0.01 * v, 0.012 + 0.01 * v, mix(top, WHITE, 0.6), line=False, shade=False)


def cave(p: Pen, time: str) -> None:
    """Dark rock with stalactites, stalagmites and glowing crystals."""
    gradient(p, -p.half_height, p.half_height, (58, 50, 72), (92, 78, 98))
    p.ellipse(0, 0.02, 0.44 * p.half_width / 0.5, 0.42, (128, 110, 128), line=False, shade=False)
    p.ellipse(0, 0.0, 0.3 * p.half_width / 0.5, 0.32, (160, 140, 146), line=False, shade=False)
    rock = (66, 56, 70)
    hills(p, 0.3, 0.04, (88, 74, 84), 7)
    for x, v in spread(p, 8, 9):
        w = 0.05 + 0.04 * v
        _plain(
            p,
            [
                (x - w, -p.half_height - 0.05),
                (x + w, -p.half_height - 0.05),
                (x, -p.half_height + 0.1 + 0.2 * v * min(1.0, 0.3 + 2 * abs(x))),
            ],
            rock,
        )
    for x, v in spread(p, 6, 20):
        if abs(x) > 0.25:
            _plain(p, [(x - 0.06, 0.44), (x + 0.06, 0.44), (x, 0.3 - 0.16 * v)], rock)
            crystal = ((120, 230, 230), (210, 140, 250))[v > 0.5]
            p.poly([(x + 0.02, 0.46), (x + 0.04, 0.34), (x + 0.07, 0.32), (x + 0.09, 0.46)], crystal)


def volcano(p: Pen, time: str) -> None:
    """Smoking volcano with lava streams over dark ground."""
    sky(p, time, 0.16)
    x = p.vary(5, -0.22, 0.22)
    for dx, dy, r in ((0.02, -0.4, 0.1), (0.1, -0.46, 0.12), (-0.06, -0.46, 0.1)):
        p.ellipse(x + dx, dy, r, r * 0.7, (112, 104, 112), line=False)
    _plain(p, [(x - 0.42, 0.24), (x - 0.09, -0.3), (x + 0.09, -0.3), (x + 0.42, 0.24)], (112, 84, 84))
    _plain(p, [(x + 0.02, -0.3), (x + 0.09, -0.3), (x + 0.42, 0.24), (x + 0.1, 0.24)], (90, 66, 72), line=False)
    hot, glow = (255, 110, 40), (255, 196, 70)
    light, p.illumination = p.illumination, (1.0, 1.0, 1.0)  # lava shines by itself
    p.ellipse(x, -0.3, 0.09, 0.024, hot, line=False, shade=False)
    for dx in (-0.05, 0.04):
        p.line([(x + dx, -0.3), (x + dx * 2, -0.12), (x + dx * 3, 0.02), (x + dx * 5, 0.24)], 0.03, hot, curve=True)
    for k in range(4):
        p.dot(x - 0.1 + 0.07 * k, -0.36 - 0.05 * p.u[20 + k], 0.013, glow)
    p.illumination = light
    hills(p, 0.22, 0.03, (92, 74, 80), 7)
    p.illumination = (1.0, 1.0, 1.0)
    hills(p, 0.4, 0.02, hot, 11, 0.8)
    p.illumination = light
    hills(p, 0.43, 0.02, (66, 54, 64), 11, 0.8)


def room(p: Pen, time: str) -> None:
    """Indoors: papered wall, window with the hour outside, floor boards, rug."""
    wall = ((238, 214, 180), (196, 216, 214), (226, 200, 214))[p.pick(5, 3)]
    dim = 0.25 if time == "night" else 0.0
    gradient(p, -p.half_height, 0.24, tone(wall, -dim), tone(wall, -0.08 - dim))
    for x, _ in spread(p, 9, 9):
        p.line([(x, -p.half_height), (x, 0.22)], 0.012, tone(wall, -0.1))
    for s in (-1, 1):
        if s < 0 or p.half_width > 0.7 or p.pick(6, 2):
            x = s * (p.half_width - 0.17)
            top, bottom = _SKIES[time]
            p.rect(x - 0.12, -0.42, x + 0.12, -0.12, WHITE, shade=False)
            light, p.illumination = p.illumination, (1.0, 1.0, 1.0)
            p.rect(x - 0.1, -0.4, x + 0.1, -0.14, mix(top, bottom, 0.5), line=False, shade=False)
            p.dot(x + 0.04, -0.33, 0.03, (255, 240, 170))
            p.illumination = light
            p.line([(x, -0.4), (x, -0.14)], 0.014, WHITE)
            p.line([(x - 0.1, -0.27), (x + 0.1, -0.27)], 0.014, WHITE)
    p.rect(-p.half_width - 0.05, 0.22, p.half_width + 0.05, p.half_height + 0.05, (178, 124, 82), shade=False)
    for k in range(3):
        p.line([(-p.half_width, 0.3 + 0.08 * k), (p.half_width, 0.3 + 0.08 * k)], 0.007, (140, 92, 60))
    p.ellipse(0, 0.4, 0.36, 0.07, ((150, 60, 70), (70, 100, 140), (90, 120, 84))[p.pick(7, 3)])


def flowers(p: Pen, time: str) -> None:
    """A field full of blossoms in rows."""
    sky(p, time, 0.1)
    hills(p, 0.1, 0.06, (138, 186, 130), 5)
    hills(p, 0.16, 0.03, (110, 174, 86), 7, 0.8)
    colours = ((240, 96, 110), (250, 206, 80), (190, 120, 220), (250, 250, 240), (250, 150, 180))
    for row in range(5):
        y, r = 0.2 + 0.065 * row, 0.014 + 0.005 * row
        for k, (x, v) in enumerate(spread(p, 9 - row, 9 + 5 * row)):
            colour = colours[(k + 2 * row + int(5 * p.u[6])) % 5]
            yy = y + 0.03 * v
            p.dot(x, yy, r * 1.5, colour)
            p.dot(x, yy, r * 0.6, (255, 230, 120) if k % 2 else WHITE)


def clouds(p: Pen, time: str) -> None:
    """High above: a sea of clouds."""
    sky(p, time, 0.5)
    base = {"day": (255, 255, 255), "sunset": (255, 196, 170), "night": (128, 138, 184), "dawn": (255, 232, 238)}[time]
    light, p.illumination = p.illumination, (1.0, 1.0, 1.0)
    for row in range(3):
        colour, y = tone(base, -0.14 + 0.07 * row), 0.28 + 0.1 * row
        for x, v in spread(p, 6, 9 + 8 * row):
            p.ellipse(x, y + 0.04 * v, 0.13, 0.09 + 0.03 * v, colour, shade=False)
        p.rect(
            -p.half_width - 0.05, y + 0.05, p.half_width + 0.05, p.half_height + 0.05, colour, line=False, shade=False
        )
    p.illumination = light


def graveyard(p: Pen, time: str) -> None:
    """Crooked gravestones, a bare tree, an iron fence."""
    sky(p, time, 0.14)
    hills(p, 0.16, 0.05, (116, 128, 118), 5)
    s = 1 if p.u[6] < 0.5 else -1
    x = s * (p.half_width - 0.13)
    dark = (70, 58, 62)
    p.limb([(x, 0.3), (x - 0.01 * s, 0.0), (x + 0.03 * s, -0.3)], 0.05, dark)
    for x1, y1, x2, y2 in ((0.0, 0.0, -0.16, -0.16), (0.0, -0.1, 0.13, -0.26), (0.02, -0.2, -0.08, -0.36)):
        p.limb([(x + x1 * s, y1), (x + (x1 + x2) / 2 * s, y1 + (y2 - y1) * 0.3), (x + x2 * s, y2)], 0.025, dark)
    for xx, _ in spread(p, 12, 9):
        p.line([(xx, 0.22), (xx, 0.08)], 0.011, INK)
    p.line([(-p.half_width, 0.12), (p.half_width, 0.12)], 0.011, INK)
    hills(p, 0.22, 0.03, (98, 112, 92), 7)
    for xx, v in spread(p, 5, 13):
        y = 0.28 + 0.1 * v
        p.smooth(
            [(xx - 0.045, y), (xx - 0.045, y - 0.08), (xx, y - 0.13), (xx + 0.045, y - 0.08), (xx + 0.045, y)],
            (158, 158, 166),
        )
        p.line([(xx, y - 0.09), (xx, y - 0.03)], 0.01, (96, 96, 106))
        p.line([(xx - 0.02, y - 0.07), (xx + 0.02, y - 0.07)], 0.01, (96, 96, 106))


PLACES: tuple[Place, ...] = (
    Place(meadow),
    Place(forest),
    Place(desert),
    Place(snow),
    Place(beach),
    Place(sea, _waves, ground=False),
    Place(mountains),
    Place(city),
    Place(space, timed=False, outdoors=False, ground=False),
    Place(moon, timed=False, outdoors=False),
    Place(underwater, outdoors=False),
    Place(cave, timed=False, outdoors=False),
    Place(volcano),
    Place(room, outdoors=False),
    Place(flowers),
    Place(clouds, ground=False),
    Place(graveyard),
)
