"""Buildings: each function draws one thing with a `Pen` in local coordinates (x, y in -1..1, y down,
ground at y = 1)."""

import math

from text2art_nb.training.world.pen import GOLD, INK, LEAF, SILVER, STONE, WHITE, WOOD, Pen, tone


def _flag(p: Pen, x: float, y: float) -> None:
    p.line([(x, y), (x, y - 0.24)], 0.03, INK)
    p.poly([(x, y - 0.24), (x + 0.2, y - 0.17), (x, y - 0.1)], p.accent, shade=False)


def _battlements(p: Pen, x0: float, x1: float, y: float, n: int) -> None:
    step = (x1 - x0) / (2 * n - 1)
    for i in range(n):
        p.rect(x0 + 2 * i * step, y - 0.12, x0 + (2 * i + 1) * step, y + 0.04, p.main)


def _windows(p: Pen, x0: float, y0: float, columns: int, rows: int, dx: float, dy: float, w: float, h: float) -> None:
    colour = p.window()
    for i in range(columns):
        for j in range(rows):
            x, y = x0 + i * dx, y0 + j * dy
            p.rect(x - w / 2, y - h / 2, x + w / 2, y + h / 2, colour, line=False, shade=False)


def castle(p: Pen) -> None:
    """Wall with a gate, corner towers, a keep, pointed roofs or battlements, flags."""
    pointed = p.pick(0, 3) > 0
    keep = p.vary(1, -0.62, -0.42)
    p.rect(-0.3, keep, 0.3, 0.6, p.main)
    _battlements(p, -0.34, 0.34, keep, 4)
    if p.pick(2, 2):
        p.poly([(-0.26, keep - 0.06), (0, keep - 0.42), (0.26, keep - 0.06)], p.accent)
        _flag(p, 0, keep - 0.36)
    else:
        _flag(p, 0, keep - 0.06)
    p.rect(-0.66, 0.12, 0.66, 1, p.main)
    _battlements(p, -0.5, 0.5, 0.12, 5)
    top = p.vary(3, -0.3, -0.12)
    for x in (-0.7, 0.7):
        p.rect(x - 0.2, top, x + 0.2, 1, p.light)
        if pointed:
            p.poly([(x - 0.28, top), (x, top - 0.5), (x + 0.28, top)], p.accent)
            _flag(p, x, top - 0.46)
        else:
            _battlements(p, x - 0.26, x + 0.26, top, 3)
            _flag(p, x, top - 0.06)
        _windows(p, x, top + 0.25, 1, 2, 0, 0.4, 0.1, 0.2)
    _windows(p, -0.12, keep + 0.25, 2, 1, 0.24, 0, 0.09, 0.2)
    p.smooth([(-0.2, 1), (-0.2, 0.62), (0, 0.44), (0.2, 0.62), (0.2, 1)], WOOD, shade=False)
    p.line([(0, 0.5), (0, 1)], 0.03, INK)


def house(p: Pen) -> None:
    """Walls, pitched roof, chimney, door and two windows."""
    if p.pick(0, 3):
        p.rect(0.34, -0.8, 0.56, -0.2, STONE)
    p.rect(-0.74, -0.1, 0.74, 1, p.main)
    p.poly(
        [(-0.98, -0.04), (-0.1 if p.pick(1, 2) else -0.4, -0.92), (0.1 if p.pick(1, 2) else 0.4, -0.92), (0.98, -0.04)],
        p.accent,
    )
    for x in (-0.46, 0.46):
        p.rect(x - 0.2, 0.16, x + 0.2, 0.54, p.window(), shade=False)
        p.line([(x, 0.16), (x, 0.54)], 0.04, WHITE)
        p.line([(x - 0.2, 0.35), (x + 0.2, 0.35)], 0.04, WHITE)
    p.rect(-0.16, 0.4, 0.16, 1, WOOD)
    p.dot(0.08, 0.72, 0.04, GOLD)
    if p.pick(2, 2):
        p.ellipse(0, -0.42, 0.15, 0.15, p.window(), shade=False)


def lighthouse(p: Pen) -> None:
    """Tapering striped tower with a lamp room, on a rock."""
    p.smooth([(-0.75, 1), (-0.5, 0.72), (0, 0.66), (0.5, 0.74), (0.75, 1)], STONE)
    p.poly([(-0.24, -0.45), (0.24, -0.45), (0.4, 0.84), (-0.4, 0.84)], WHITE)
    for y in (-0.3, 0.14, 0.58):
        a, b = 0.24 + 0.124 * (y + 0.45), 0.24 + 0.124 * (y + 0.67)
        p.poly([(-a, y), (a, y), (b, y + 0.22), (-b, y + 0.22)], p.main)
    if p.night or p.pick(0, 2):
        p.poly([(0.1, -0.62), (1.1, -0.84), (1.1, -0.4)], (255, 240, 170), line=False, shade=False)
        p.poly([(-0.1, -0.62), (-1.1, -0.84), (-1.1, -0.4)], (255, 240, 170), line=False, shade=False)
    p.rect(-0.34, -0.5, 0.34, -0.42, INK, shade=False)
    p.rect(-0.18, -0.76, 0.18, -0.5, (255, 232, 140), shade=False)
    p.poly([(-0.26, -0.74), (0, -1), (0.26, -0.74)], p.main)
    p.rect(-0.1, 0.64, 0.1, 0.86, WOOD, shade=False)


def windmill(p: Pen) -> None:
    """Tapering mill with a cap and four lattice sails."""
    p.poly([(-0.3, -0.3), (0.3, -0.3), (0.46, 1), (-0.46, 1)], p.main)
    p.smooth([(-0.36, -0.26), (-0.26, -0.52), (0, -0.62), (0.26, -0.52), (0.36, -0.26)], p.accent)
    p.rect(-0.13, 0.64, 0.13, 1, WOOD)
    _windows(p, 0, 0.2, 1, 1, 0, 0, 0.16, 0.2)
    turn = p.vary(0, 0.35, 1.2)
    for k in range(4):
        a = turn + k * math.pi / 2
        c, s = math.cos(a), math.sin(a)
        near, far, w = 0.2, 0.8, 0.22
        sail = [(near, 0.0), (far, 0.0), (far, w), (near, w)]
        p.poly([(c * x - s * y, -0.32 + s * x + c * y) for x, y in sail], WHITE, shade=False)
        p.line([(0, -0.32), (c * 0.84, -0.32 + s * 0.84)], 0.06, WOOD)
    p.dot(0, -0.32, 0.09, INK)


def _huts(p: Pen) -> None:
    """Little houses of a village on both sides."""
    for x in (-0.76, 0.76):
        p.rect(x - 0.16, 0.66, x + 0.16, 1, (248, 228, 196))
        p.poly([(x - 0.3, 0.62), (x - 0.12, 0.44), (x + 0.12, 0.44), (x + 0.3, 0.62), (x, 0.7)], p.main)


def pagoda(p: Pen) -> None:
    """Storeys that grow narrower, each under a roof with upturned eaves."""
    if p.pick(3, 3) == 0:
        _huts(p)
    storeys = 3 + p.pick(0, 2)
    step = 1.6 / storeys
    for k in range(storeys):
        y = 1 - k * step
        w = 0.52 - 0.34 * k / storeys
        p.rect(-w, y - step, w, y, (248, 228, 196) if p.pick(1, 2) else tone(p.main, 0.55))
        n = 3 if k == 0 else 2
        _windows(p, -w * 0.5, y - step * 0.36, n, 1, w * 1.0 / (n - 1), 0, 0.1, step * 0.34)
    for k in range(storeys):
        y, w = 1 - (k + 1) * step, 0.52 - 0.34 * k / storeys
        r = w + 0.36
        p.poly(
            [
                (-r, y - 0.04),
                (-w * 0.9, y + 0.06),
                (w * 0.9, y + 0.06),
                (r, y - 0.04),
                (r * 0.94, y + 0.12),
                (w * 0.9, y + 0.2),
                (-w * 0.9, y + 0.2),
                (-r * 0.94, y + 0.12),
            ],
            p.main,
            shade=False,
        )
        p.poly(
            [
                (-r, y - 0.04),
                (-w * 0.55, y - 0.12),
                (w * 0.55, y - 0.12),
                (r, y - 0.04),
                (w * 0.9, y + 0.12),
                (-w * 0.9, y + 0.12),
            ],
            p.main,
        )
    p.line([(0, -0.7), (0, -1)], 0.06, GOLD)
    p.dot(0, -0.84, 0.08, GOLD)
    p.rect(-0.12, 0.74, 0.12, 1, p.dark, shade=False)


def temple(p: Pen) -> None:
    """Greek temple: steps, columns, pediment."""
    n = 4 + p.pick(0, 3)
    p.rect(-0.76, -0.2, 0.76, 0.72, tone(p.main, -0.45), shade=False)
    for k in range(n):
        x = -0.68 + 1.36 * k / (n - 1)
        p.rect(x - 0.09, -0.2, x + 0.09, 0.72, p.light)
    p.rect(-0.86, -0.34, 0.86, -0.18, p.main)
    p.poly([(-0.96, -0.34), (0, -0.86), (0.96, -0.34)], p.main)
    p.ellipse(0, -0.52, 0.13, 0.12, p.accent, shade=False)
    p.rect(-0.86, 0.7, 0.86, 0.84, p.main)
    p.rect(-0.98, 0.84, 0.98, 1, p.main)


def tent(p: Pen) -> None:
    """Camping tent or striped circus tent with an open flap."""
    if p.pick(0, 2):
        p.poly([(-0.98, 1), (0, -0.6), (0.98, 1)], p.main)
        p.poly([(-0.3, 1), (0, -0.3), (0.3, 1)], tone(p.main, -0.7), shade=False)
        p.poly([(0, -0.3), (0.3, 1), (0.52, 1)], p.light, shade=False)
        p.line([(0, -0.6), (0.1, -0.74)], 0.05, WOOD)
        p.line([(0, -0.6), (-0.1, -0.74)], 0.05, WOOD)
        return
    p.rect(-0.76, 0.1, 0.76, 1, WHITE)
    for k in range(4):
        x = -0.76 + k * 0.435
        p.rect(x, 0.1, x + 0.217, 1, p.main, line=False)
    p.poly([(-0.95, 0.16), (0, -0.7), (0.95, 0.16)], p.main)
    p.poly([(-0.34, 0.14), (0, -0.68), (0.34, 0.14)], WHITE, line=False, shade=False)
    _flag(p, 0, -0.68)
    p.poly([(-0.24, 1), (0, 0.3), (0.24, 1)], tone(p.main, -0.7), shade=False)


def city(p: Pen) -> None:
    """Skyline of tall blocks of different heights with rows of windows."""
    heights = [p.vary(k, 0.5, 1.25) for k in range(5)]
    heights[2] = 1.65 + 0.3 * p.u[5]
    for k in (0, 4, 1, 3, 2):
        x, w, h = -0.76 + k * 0.38, 0.22, heights[k]
        colour = (p.main, p.light, p.main, p.dark, p.main)[k]
        p.rect(x - w, 1 - h, x + w, 1, colour)
        if k == 2 and p.pick(6, 2):
            p.poly([(x - w, 1 - h), (x, 0.78 - h), (x + w, 1 - h)], colour)
        elif k % 2 == 0:
            p.line([(x, 1 - h), (x, 0.84 - h)], 0.04, INK)
        rows = int(h / 0.22)
        _windows(p, x - 0.1, 1.16 - h, 2, rows, 0.2, 0.22, 0.1, 0.12)


def village(p: Pen) -> None:
    """Cluster of little houses with a church tower."""
    p.rect(-0.14, -0.5, 0.14, 0.6, WHITE)
    p.poly([(-0.2, -0.48), (0, -0.98), (0.2, -0.48)], p.main)
    _windows(p, 0, -0.28, 1, 1, 0, 0, 0.12, 0.16)
    spots = [
        (-0.55, 0.42, 0.34),
        (0.5, 0.36, 0.36),
        (-0.18, 0.62, 0.3),
        (0.72, 0.98, 0.28),
        (-0.72, 1.0, 0.3),
        (0.12, 1.0, 0.34),
    ]
    for k, (x, y, w) in enumerate(spots):
        wall = (WHITE, (246, 226, 190), (236, 214, 214))[(k + p.pick(0, 3)) % 3]
        p.rect(x - w * 0.7, y - w, x + w * 0.7, y, wall)
        p.poly([(x - w, y - w * 0.9), (x, y - w * 2), (x + w, y - w * 0.9)], p.main)
        _windows(p, x - w * 0.3, y - w * 0.5, 2, 1, w * 0.6, 0, w * 0.3, w * 0.4)


def bridge(p: Pen) -> None:
    """Stone bridge on arches, or a hanging bridge with two towers."""
    if p.pick(0, 2):
        for x in (-0.55, 0.55):
            p.rect(x - 0.1, -0.7, x + 0.1, 1, p.main)
        for a, b, sag in ((-1.1, -0.55, 0.1), (-0.55, 0.55, 0.7), (0.55, 1.1, 0.1)):
            rise = -0.64 if sag > 0.5 else 0
            left = -0.64 if a > -1 else 0.3
            right = -0.64 if b < 1 else 0.3
            p.line(
                [(a, left), ((a + b) / 2, (left + right) / 2 + sag * (0.9 if rise else 1)), (b, right)],
                0.05,
                p.dark,
                curve=True,
            )
        p.rect(-1.1, 0.34, 1.1, 0.5, p.main)
        for k in range(9):
            x = -0.44 + 0.11 * k
            p.line([(x, 0.0 - 0.64 * (x / 0.55) ** 2 + 0.0), (x, 0.34)], 0.02, p.dark)
        return
    deck = [(-1.05, 0.3), (-0.5, 0.02), (0, -0.08), (0.5, 0.02), (1.05, 0.3)]
    p.poly(
        [
            *deck,
            (1.05, 1),
            (0.72, 1),
            (0.66, 0.62),
            (0.44, 0.5),
            (0.22, 0.62),
            (0.16, 1),
            (-0.16, 1),
            (-0.22, 0.62),
            (-0.44, 0.5),
            (-0.66, 0.62),
            (-0.72, 1),
            (-1.05, 1),
        ],
        p.main,
        shade=False,
    )
    p.limb(deck, 0.1, p.light)
    for x in (-0.8, -0.4, 0.0, 0.4, 0.8):
        p.line([(x, 0.34), (x + 0.12, 0.34)], 0.04, p.dark)


def igloo(p: Pen) -> None:
    """Dome of blocks with a tunnel entrance."""
    p.smooth([(-0.95, 1), (-0.88, 0.2), (-0.5, -0.36), (0, -0.54), (0.5, -0.36), (0.88, 0.2), (0.95, 1)], p.main)
    for y, w in ((0.62, 0.94), (0.24, 0.86), (-0.12, 0.66)):
        p.line([(-w, y), (0, y + 0.06), (w, y)], 0.035, p.dark, curve=True)
    for k, (x, y) in enumerate(
        [(-0.5, 0.1), (0.1, 0.08), (0.6, 0.44), (-0.7, 0.46), (0.3, -0.3), (-0.2, -0.3), (-0.1, 0.44)]
    ):
        if (k + p.pick(0, 7)) % 7:
            p.line([(x, y - 0.14), (x, y + 0.16)], 0.035, p.dark)
    p.smooth([(-0.1, 1), (-0.1, 0.5), (0.22, 0.28), (0.54, 0.5), (0.54, 1)], p.light)
    p.smooth([(0.02, 1), (0.02, 0.62), (0.22, 0.46), (0.42, 0.62), (0.42, 1)], tone(p.main, -0.75), shade=False)


def pyramid(p: Pen) -> None:
    """Pyramid with a sunlit and a shaded side and courses of stone."""
    x = p.vary(0, 0.1, 0.3)
    p.poly([(-1.05, 1), (0, -0.75), (1.05, 1)], p.light, shade=False)
    p.poly([(0, -0.75), (1.05, 1), (x, 1)], p.dark, shade=False)
    for k in range(1, 6):
        t = k / 6
        y = -0.75 + 1.75 * t
        p.line([(-1.05 * t, y), (x * t, y), (1.05 * t, y)], 0.028, tone(p.main, -0.3))
    p.rect(-0.34, 0.7, -0.12, 1, INK, shade=False)
    if p.pick(1, 2):
        p.poly([(-0.15, -0.5), (0, -0.75), (0.15, -0.5)], GOLD, shade=False)


def tower(p: Pen) -> None:
    """Tall clock tower with a spire."""
    p.rect(-0.34, -0.4, 0.34, 1, p.main)
    p.rect(-0.42, -0.5, 0.42, 0.04, p.light)
    p.poly([(-0.44, -0.48), (0, -1.02), (0.44, -0.48)], p.accent)
    p.ellipse(0, -0.22, 0.22, 0.22, WHITE, shade=False)
    p.line([(0, -0.22), (0, -0.38)], 0.05, INK)
    p.line([(0, -0.22), (0.1, -0.16)], 0.05, INK)
    _windows(p, -0.14, 0.3, 2, 2, 0.28, 0.26, 0.1, 0.16)
    p.smooth([(-0.13, 1), (-0.13, 0.78), (0, 0.68), (0.13, 0.78), (0.13, 1)], WOOD, shade=False)


def well(p: Pen) -> None:
    """Round wishing well with a roof and a bucket."""
    p.rect(-0.62, 0.3, 0.62, 1, p.main)
    for y, x0 in ((0.52, 0.0), (0.76, 0.2)):
        p.line([(-0.62, y), (0.62, y)], 0.03, p.dark)
        for k in range(3):
            p.line([(-0.5 + x0 + 0.4 * k, y), (-0.5 + x0 + 0.4 * k, y + 0.22)], 0.03, p.dark)
    p.ellipse(0, 0.3, 0.66, 0.16, p.light)
    p.ellipse(0, 0.3, 0.5, 0.1, INK, shade=False)
    for x in (-0.5, 0.5):
        p.limb([(x, 0.28), (x, -0.4)], 0.09, WOOD)
    p.line([(0, -0.4), (0, 0)], 0.03, INK)
    p.poly([(-0.13, -0.02), (0.13, -0.02), (0.09, 0.22), (-0.09, 0.22)], SILVER)
    p.poly([(-0.85, -0.3), (-0.5, -0.85), (0.5, -0.85), (0.85, -0.3)], p.main)
    p.dot(-0.8, 0.95, 0.06, LEAF)
