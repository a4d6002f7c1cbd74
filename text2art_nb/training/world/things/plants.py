"""Plants: each function draws one thing with a `Pen` in local coordinates (x, y in -1..1, y down, ground at y = 1)."""

import math

from text2art_nb.training.world.pen import GOLD, LEAF, ROSE, WHITE, WOOD, Pen, mix, tone


def tree(p: Pen) -> None:
    """Broad tree: thick trunk with a branch, a round crown of several tufts."""
    p.poly([(-0.14, -0.1), (0.14, -0.1), (0.17, 0.75), (0.32, 1), (-0.32, 1), (-0.17, 0.75)], WOOD)
    p.limb([(0.05, 0.4), (0.4, 0.05)], 0.09, WOOD, curve=False)
    tufts = [(-0.52, -0.05, 0.4), (0.52, -0.05, 0.4), (-0.34, -0.5, 0.42), (0.36, -0.48, 0.42), (0, -0.2, 0.5)]
    for x, y, r in tufts:
        p.ellipse(x, y, r, r * 0.92, p.main)
    p.ellipse(0, -0.46, 0.5, 0.46, p.main, line=False)
    for k in range(5):
        x, y = p.vary(2 * k, -0.6, 0.6), p.vary(2 * k + 1, -0.7, 0.1)
        if p.pick(12, 2):
            p.dot(x, y, 0.08, p.accent)
        else:
            p.line([(x - 0.1, y), (x, y + 0.06), (x + 0.1, y)], 0.05, p.dark, curve=True)


def pine(p: Pen) -> None:
    """Fir with layered pointed skirts, sometimes with snow or baubles."""
    p.rect(-0.13, 0.6, 0.13, 1, WOOD)
    extra = p.pick(0, 3)
    for k, (y, w) in enumerate(((0.68, 0.72), (0.24, 0.58), (-0.2, 0.42))):
        p.poly([(0, y - 0.8), (w, y), (w * 0.5, y - 0.08), (0, y + 0.04), (-w * 0.5, y - 0.08), (-w, y)], p.main)
        if extra == 1:
            p.poly(
                [(0, y - 0.8), (w * 0.36, y - 0.52), (0.1, y - 0.58), (0, y - 0.48), (-w * 0.36, y - 0.52)],
                WHITE,
                shade=False,
            )
        if extra == 2:
            for x in (-0.5, 0.1):
                p.dot(x * w + 0.04 * k, y - 0.2, 0.07, p.accent)
    if extra == 2:
        p.poly(star_points(0, -0.98, 0.16, 0.07), GOLD, shade=False)


def star_points(x: float, y: float, far: float, near: float, n: int = 5) -> list[tuple[float, float]]:
    """Corners of a star with n points, one of them up."""
    return [
        (
            x + (far if k % 2 == 0 else near) * math.sin(k * math.pi / n),
            y - (far if k % 2 == 0 else near) * math.cos(k * math.pi / n),
        )
        for k in range(2 * n)
    ]


def palm(p: Pen) -> None:
    """Bent slender trunk, drooping fronds, coconuts."""
    lean = p.vary(0, 0.1, 0.4)
    p.limb([(-0.2, 1), (-0.1, 0.3), (lean - 0.05, -0.4)], 0.16, WOOD)
    for k in range(5):
        t = k / 5
        p.line([(-0.24 + 0.24 * t, 0.86 - 1.1 * t), (-0.08 + 0.24 * t, 0.82 - 1.1 * t)], 0.03, tone(WOOD, -0.4))
    for a in (-0.1, 0.7, 2.44, 3.24, 1.25, 1.9):
        c, s = math.cos(a), -math.sin(a)
        x, y = lean, -0.44
        tip = (x + 0.78 * c, y + 0.55 * s + 0.34)
        p.smooth([(x, y), (x + 0.38 * c, y + 0.5 * s - 0.1), tip, (x + 0.36 * c, y + 0.42 * s + 0.14)], p.main)
    for dx in (-0.09, 0.1):
        p.ellipse(lean + dx, -0.34, 0.1, 0.1, (112, 70, 44))


def cactus(p: Pen) -> None:
    """Ribbed column with two raised arms and a blossom."""
    left, right = p.vary(0, -0.1, 0.3), p.vary(1, -0.3, 0.1)
    p.limb([(0, 0.5), (-0.6, 0.48), (-0.6, left - 0.4)], 0.26, p.main)
    p.limb([(0, 0.3), (0.6, 0.28), (0.6, right - 0.4)], 0.26, p.main)
    p.smooth([(-0.28, 1), (-0.28, -0.5), (-0.2, -0.8), (0, -0.92), (0.2, -0.8), (0.28, -0.5), (0.28, 1)], p.main)
    for x in (-0.12, 0.04, 0.18):
        p.line([(x, -0.7), (x, 0.95)], 0.035, p.dark)
    for k in range(5):
        p.line([(-0.22 + 0.1 * k, -0.4 + 0.3 * k), (-0.16 + 0.1 * k, -0.46 + 0.3 * k)], 0.03, WHITE)
    if p.pick(2, 3):
        p.poly(star_points(0.02, -0.92, 0.2, 0.1), ROSE if p.main[0] < 200 else WHITE, shade=False)


def mushroom(p: Pen) -> None:
    """Wide spotted cap on a pale stem."""
    h = p.vary(0, -0.1, 0.06)
    p.smooth([(-0.2, h), (0.2, h), (0.22, 0.6), (0.34, 0.96), (0, 1.02), (-0.34, 0.96), (-0.22, 0.6)], (248, 234, 210))
    p.smooth(
        [
            (-0.95, h + 0.06),
            (-0.8, h - 0.5),
            (-0.4, h - 0.82),
            (0, h - 0.9),
            (0.4, h - 0.82),
            (0.8, h - 0.5),
            (0.95, h + 0.06),
            (0.5, h + 0.2),
            (0, h + 0.24),
            (-0.5, h + 0.2),
        ],
        p.main,
    )
    for x, y, r in (
        (0, -0.58, 0.17),
        (-0.5, -0.3, 0.14),
        (0.5, -0.32, 0.15),
        (-0.16, -0.12, 0.1),
        (0.24, -0.1, 0.11),
        (-0.76, -0.02, 0.08),
        (0.78, -0.02, 0.08),
    ):
        p.ellipse(x, y + h, r, r * 0.9, WHITE if p.main[1] < 215 else p.accent, line=False, shade=False)


def flower(p: Pen) -> None:
    """One big blossom on a stem with two leaves: daisy, sunflower or tulip."""
    p.limb([(0, 1), (0.06, 0.5), (0, -0.2)], 0.1, LEAF)
    for side in (-1, 1):
        p.smooth([(0, 0.8), (0.3 * side, 0.46), (0.66 * side, 0.4), (0.4 * side, 0.74)], LEAF)
    kind = p.pick(0, 3)
    if kind == 2:
        p.mirror([(0, -0.7), (0.2, -0.5), (0.46, -0.9), (0.5, -0.3), (0.26, 0.04), (0, 0.1)], p.main)
        p.smooth([(0, -0.92), (0.2, -0.5), (0.14, 0), (-0.14, 0), (-0.2, -0.5)], p.light)
        return
    n = 7 if kind == 0 else 11
    for k in range(n):
        a = 2 * math.pi * k / n + p.u[1]
        c, s = math.cos(a), math.sin(a)
        p.ellipse(0.42 * c, -0.38 + 0.42 * s, 0.24, 0.17 if kind == 0 else 0.11, p.main, angle=a, shade=kind == 0)
    p.ellipse(
        0,
        -0.38,
        0.25 if kind == 0 else 0.32,
        0.25 if kind == 0 else 0.32,
        GOLD if kind == 0 and p.main[2] > 90 else mix(WOOD, (60, 30, 20), 0.3),
    )


def pumpkin(p: Pen) -> None:
    """Ribbed pumpkin with a stalk, sometimes with a carved face."""
    p.limb([(0, -0.3), (0.04, -0.6), (0.2, -0.76)], 0.14, LEAF)
    for x, w in ((-0.6, 0.4), (0.6, 0.4), (-0.32, 0.42), (0.32, 0.42), (0, 0.36)):
        p.ellipse(x, 0.3, w, 0.66, p.main)
    if p.pick(0, 2):
        face = (255, 226, 120) if p.night else (60, 34, 30)
        for x in (-0.34, 0.34):
            p.poly([(x - 0.18, 0.22), (x, -0.08), (x + 0.18, 0.22)], face, shade=False)
        p.poly(
            [(-0.5, 0.44), (-0.25, 0.54), (0, 0.48), (0.25, 0.54), (0.5, 0.44), (0.28, 0.74), (0, 0.8), (-0.28, 0.74)],
            face,
            shade=False,
        )
