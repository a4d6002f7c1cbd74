"""Objects: each function draws one thing with a `Pen` in local coordinates (x, y in -1..1, y down, ground at y = 1)."""

import math

from text2art_nb.training.world.pen import GLOW, GOLD, INK, LEAF, ROSE, SILVER, WHITE, WOOD, Pen, tone
from text2art_nb.training.world.things.plants import star_points


def crown(p: Pen) -> None:
    """Five-pointed crown with jewels and a band."""
    p.poly(
        [
            (-0.8, 0.66),
            (-0.96, -0.4),
            (-0.5, 0.08),
            (-0.36, -0.6),
            (-0.1, 0.02),
            (0, -0.8),
            (0.1, 0.02),
            (0.36, -0.6),
            (0.5, 0.08),
            (0.96, -0.4),
            (0.8, 0.66),
        ],
        p.main,
        shade=False,
    )
    p.poly([(0.3, 0.42), (0.36, -0.4), (0.5, 0.2), (0.86, -0.16), (0.74, 0.42)], p.dark, line=False, shade=False)
    for x, y in ((-0.96, -0.42), (-0.36, -0.62), (0, -0.84), (0.36, -0.62), (0.96, -0.42)):
        p.ellipse(x, y, 0.1, 0.1, p.light)
    p.rect(-0.8, 0.42, 0.8, 0.76, p.dark)
    for k in range(5):
        p.ellipse(-0.6 + 0.3 * k, 0.59, 0.1, 0.1, (ROSE, p.accent)[(k + p.pick(0, 2)) % 2], shade=False)


def sword(p: Pen) -> None:
    """Upright blade pointing up, guard, wrapped grip, pommel."""
    w = p.vary(0, 0.13, 0.19)
    p.poly([(-w, 0.3), (-w, -0.76), (0, -1.02), (w, -0.76), (w, 0.3)], tone(p.main, 0.25), shade=False)
    p.poly([(0, 0.3), (0, -1.0), (w, -0.76), (w, 0.3)], tone(p.main, -0.15), line=False, shade=False)
    p.limb([(-0.52, 0.26), (0, 0.36), (0.52, 0.26)], 0.15, GOLD if p.main[2] > 100 else SILVER)
    p.limb([(0, 0.42), (0, 0.8)], 0.16, WOOD, curve=False)
    for y in (0.5, 0.62, 0.74):
        p.line([(-0.07, y), (0.07, y - 0.05)], 0.04, tone(WOOD, -0.4))
    p.ellipse(0, 0.9, 0.14, 0.12, p.main)


def heart(p: Pen) -> None:
    """Plump heart with a highlight."""
    p.mirror([(0, -0.46), (0.34, -0.82), (0.8, -0.74), (0.96, -0.3), (0.72, 0.24), (0.3, 0.68), (0, 0.96)], p.main)
    p.ellipse(-0.46, -0.42, 0.2, 0.13, tone(p.main, 0.7), angle=-0.7, line=False, shade=False)
    if p.pick(0, 3) == 0:
        p.limb([(-1.06, 0.5), (1.06, -0.3)], 0.06, WOOD, curve=False)
        p.poly([(1.14, -0.34), (0.9, -0.36), (1.0, -0.14)], SILVER, shade=False)


def star(p: Pen) -> None:
    """Fat five-pointed star, sometimes with a face."""
    p.poly(star_points(0, 0.06, 1.02, 0.48), p.main, shade=p.hand.fill == "facets")
    if p.hand.fill == "shaded":
        p.poly(star_points(-0.03, 0.03, 0.8, 0.38), tone(p.main, 0.2), line=False, shade=False)
    if p.pick(0, 2):
        for x in (-0.18, 0.18):
            p.eye(x, -0.04, 0.12)
        p.line([(-0.14, 0.22), (0, 0.3), (0.14, 0.22)], 0.06, INK, curve=True)


def apple(p: Pen) -> None:
    """Apple with a stalk, a leaf and a highlight."""
    p.limb([(0, -0.4), (0.04, -0.72), (0.14, -0.88)], 0.09, WOOD)
    p.smooth([(0.08, -0.58), (0.36, -0.92), (0.72, -0.84), (0.46, -0.56)], LEAF)
    p.mirror([(0, -0.44), (0.36, -0.58), (0.74, -0.4), (0.82, 0.06), (0.62, 0.62), (0.3, 0.9), (0, 0.8)], p.main)
    p.ellipse(-0.42, -0.12, 0.13, 0.22, tone(p.main, 0.7), angle=0.4, line=False, shade=False)
    if p.pick(0, 4) == 0:
        p.ellipse(0.84, 0.1, 0.24, 0.26, WHITE, line=False, shade=False)


def cup(p: Pen) -> None:
    """Steaming mug on a saucer with a handle."""
    for k in range(3):
        x = -0.34 + 0.3 * k
        p.line([(x, -0.5), (x + 0.12, -0.64), (x - 0.04, -0.8), (x + 0.08, -0.96)], 0.06, (236, 236, 240), curve=True)
    p.ellipse(-0.05, 0.88, 0.9, 0.13, p.light)
    p.ring(0.62, 0.2, 0.28, 0.14, p.main)
    p.poly([(-0.68, -0.26), (0.58, -0.26), (0.46, 0.74), (0.3, 0.88), (-0.4, 0.88), (-0.56, 0.74)], p.main)
    p.ellipse(-0.05, -0.26, 0.63, 0.15, p.light)
    p.ellipse(-0.05, -0.25, 0.52, 0.1, (96, 58, 40), shade=False)
    if p.pick(0, 2):
        p.poly(star_points(-0.05, 0.28, 0.24, 0.11), WHITE if p.main[1] < 215 else p.accent, line=False, shade=False)
    else:
        p.line([(-0.6, 0.3), (0.5, 0.3)], 0.1, WHITE if p.main[1] < 215 else p.accent)


def book(p: Pen) -> None:
    """Open book with lines of text, cover edge and ribbon."""
    p.poly([(-1.0, -0.34), (0, -0.14), (1.0, -0.34), (1.0, 0.62), (0, 0.84), (-1.0, 0.62)], p.main)
    for s in (-1, 1):
        p.smooth(
            [(0, -0.2), (0.4 * s, -0.5), (0.9 * s, -0.46), (0.9 * s, 0.0), (0.9 * s, 0.48), (0.4 * s, 0.44), (0, 0.7)],
            (252, 244, 222),
            shade=False,
        )
        for k in range(4):
            y = -0.28 + 0.18 * k
            if k != 1 or p.pick(0, 2):
                p.line([(0.16 * s, y + 0.06), (0.78 * s, y - 0.06)], 0.04, (150, 140, 140))
    p.line([(0, -0.2), (0, 0.74)], 0.05, p.dark)
    p.poly([(0.1, 0.6), (0.24, 0.56), (0.24, 0.98), (0.17, 0.9), (0.1, 1.0)], p.accent, shade=False)


def umbrella(p: Pen) -> None:
    """Open umbrella with panels and a hooked handle."""
    p.limb([(0, -0.4), (0, 0.7), (0.06, 0.92), (0.24, 0.92), (0.3, 0.74)], 0.08, WOOD)
    p.line([(0, -0.84), (0, -1.0)], 0.06, INK)
    p.poly(
        [
            (-0.98, 0.1),
            (-0.86, -0.3),
            (-0.54, -0.66),
            (0, -0.86),
            (0.54, -0.66),
            (0.86, -0.3),
            (0.98, 0.1),
            (0.66, -0.06),
            (0.33, 0.1),
            (0, -0.06),
            (-0.33, 0.1),
            (-0.66, -0.06),
        ],
        p.main,
    )
    stripe = WHITE if p.main[1] < 215 else p.accent
    if p.pick(0, 2):
        p.poly([(0, -0.84), (0.24, -0.5), (0.33, 0.1), (0, -0.06), (-0.33, 0.1), (-0.24, -0.5)], stripe)
    else:
        for x in (-0.33, 0.33):
            p.line([(0, -0.84), (x * 0.8, -0.4), (x, 0.08)], 0.04, p.dark, curve=True)


def guitar(p: Pen) -> None:
    """Waisted body with a sound hole, long neck, pegs, strings."""
    p.limb([(0, 0.2), (0, -0.78)], 0.15, WOOD, curve=False)
    p.poly([(-0.14, -0.76), (-0.18, -1.02), (0.18, -1.02), (0.14, -0.76)], tone(WOOD, -0.4))
    for y in (-0.94, -0.82):
        p.dot(-0.22, y, 0.05, SILVER)
        p.dot(0.22, y, 0.05, SILVER)
    p.mirror([(0, -0.2), (0.32, -0.16), (0.42, 0.1), (0.32, 0.32), (0.52, 0.58), (0.48, 0.9), (0, 1.02)], p.main)
    p.line([(0, -0.2), (0, -0.76)], 0.13, tone(WOOD, -0.25))
    p.ellipse(0, 0.24, 0.17, 0.17, INK)
    p.rect(-0.2, 0.66, 0.2, 0.74, tone(WOOD, -0.4), shade=False)
    for x in (-0.05, 0.05):
        p.line([(x, -0.9), (x, 0.7)], 0.02, (240, 232, 210))


def key(p: Pen) -> None:
    """Old key: ring, shaft, two teeth, lying aslant."""

    def turned(points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(0.78 * x - 0.62 * y, 0.62 * x + 0.78 * y) for x, y in points]

    p.limb(turned([(-0.3, 0), (0.98, 0)]), 0.17, p.main, curve=False)
    for x, h in ((0.6, 0.3), (0.9, 0.38)):
        p.limb(turned([(x, 0.04), (x, h)]), 0.16, p.main, curve=False)
    centre = turned([(-0.62, 0)])[0]
    p.ring(*centre, 0.34, 0.18, p.main)
    p.ellipse(*turned([(-0.2, 0)])[0], 0.13, 0.13, p.light)
    if p.pick(0, 2):
        p.dot(*centre, 0.12, p.accent)


def lantern(p: Pen) -> None:
    """Hanging lantern: handle, roof, glowing panes, base."""
    p.ring(0, -0.82, 0.18, 0.07, INK)
    p.poly([(-0.56, -0.34), (-0.3, -0.66), (0.3, -0.66), (0.56, -0.34)], p.main)
    p.poly([(-0.44, -0.34), (0.44, -0.34), (0.5, 0.68), (-0.5, 0.68)], GLOW)
    p.smooth(
        [(0, -0.12), (0.16, 0.24), (0.1, 0.48), (-0.1, 0.48), (-0.16, 0.24)], (255, 150, 50), line=False, shade=False
    )
    p.smooth([(0, 0.1), (0.07, 0.32), (0, 0.46), (-0.07, 0.32)], (255, 244, 190), line=False, shade=False)
    for x in (-0.46, 0.46):
        p.limb([(x * 0.96, -0.32), (x * 1.06, 0.68)], 0.1, p.main, curve=False)
    p.line([(0, -0.34), (0, -0.1)], 0.06, p.dark)
    p.rect(-0.62, 0.66, 0.62, 0.9, p.main)


def clock(p: Pen) -> None:
    """Alarm clock with two bells, feet and hands."""
    for s in (-1, 1):
        p.ellipse(0.46 * s, -0.66, 0.28, 0.2, p.accent, angle=0.5 * s)
        p.limb([(0.4 * s, 0.7), (0.56 * s, 0.96)], 0.12, p.dark, curve=False)
    p.line([(0, -0.6), (0, -0.86)], 0.08, p.dark)
    p.ellipse(0, 0.12, 0.8, 0.78, p.main)
    p.ellipse(0, 0.12, 0.6, 0.58, WHITE, shade=False)
    for k in range(12):
        a = k * math.pi / 6
        p.dot(0.5 * math.sin(a), 0.12 - 0.48 * math.cos(a), 0.05 if k % 3 else 0.07, INK)
    a = 6.28 * p.u[0]
    p.line([(0, 0.12), (0.3 * math.sin(a), 0.12 - 0.3 * math.cos(a))], 0.09, INK)
    p.line([(0, 0.12), (0.44 * math.sin(12 * a), 0.12 - 0.42 * math.cos(12 * a))], 0.06, INK)


def gift(p: Pen) -> None:
    """Wrapped present with a ribbon and a bow."""
    p.rect(-0.74, -0.1, 0.74, 1, p.main)
    p.rect(-0.86, -0.36, 0.86, 0.0, p.main)
    p.rect(-0.15, -0.34, 0.15, 1, p.accent, shade=False)
    for s in (-1, 1):
        p.smooth([(0, -0.4), (0.26 * s, -0.84), (0.66 * s, -0.82), (0.6 * s, -0.48)], p.accent)
    p.ellipse(0, -0.44, 0.14, 0.12, p.accent)
    if p.pick(0, 2):
        for x, y in ((-0.5, 0.24), (0.5, 0.24), (-0.46, 0.7), (0.46, 0.7)):
            p.dot(x, y, 0.09, p.light)


def cake(p: Pen) -> None:
    """Two-tier cake with dripping icing and lit candles."""
    for k in range(3):
        x = -0.26 + 0.26 * k
        p.rect(x - 0.05, -0.72, x + 0.05, -0.36, p.accent, shade=False)
        p.smooth([(x, -0.98), (x + 0.08, -0.8), (x, -0.72), (x - 0.08, -0.8)], (255, 190, 70), line=False, shade=False)
    p.rect(-0.48, -0.38, 0.48, 0.2, p.main)
    p.smooth(
        [
            (-0.52, -0.4),
            (0.52, -0.4),
            (0.5, -0.16),
            (0.34, -0.08),
            (0.2, -0.22),
            (0, -0.06),
            (-0.2, -0.22),
            (-0.34, -0.08),
            (-0.5, -0.16),
        ],
        WHITE,
        shade=False,
    )
    p.rect(-0.8, 0.18, 0.8, 0.88, p.main)
    p.smooth(
        [
            (-0.84, 0.16),
            (0.84, 0.16),
            (0.8, 0.42),
            (0.6, 0.34),
            (0.4, 0.52),
            (0.2, 0.36),
            (0, 0.52),
            (-0.2, 0.36),
            (-0.4, 0.52),
            (-0.6, 0.34),
            (-0.8, 0.42),
        ],
        WHITE,
        shade=False,
    )
    p.ellipse(0, 0.92, 0.98, 0.09, SILVER)


def chest(p: Pen) -> None:
    """Treasure chest with a round lid, half open over gold and jewels."""
    p.smooth([(-0.86, -0.3), (-0.8, -0.8), (-0.3, -0.96), (0.3, -0.96), (0.8, -0.8), (0.86, -0.3)], p.main)
    for x in (-0.56, 0.56):
        p.limb([(x, -0.86), (x, -0.3)], 0.1, GOLD, curve=False)
    p.rect(-0.84, -0.32, 0.84, 0.1, (60, 40, 36), shade=False)
    for k in range(9):
        x = -0.68 + 0.17 * k
        p.ellipse(x, -0.02 - 0.12 * ((k * 5) % 3), 0.13, 0.13, GOLD, shade=False)
    for x, c in ((-0.3, ROSE), (0.1, p.accent), (0.42, ROSE)):
        p.poly([(x - 0.09, -0.26), (x, -0.36), (x + 0.09, -0.26), (x, -0.14)], c, shade=False)
    p.rect(-0.9, 0.06, 0.9, 0.94, p.main)
    p.rect(-0.9, 0.06, 0.9, 0.2, GOLD, shade=False)
    for x in (-0.56, 0.56):
        p.rect(x - 0.08, 0.06, x + 0.08, 0.94, GOLD, shade=False)
    p.ellipse(0, 0.24, 0.17, 0.2, GOLD)
    p.dot(0, 0.22, 0.06, INK)


def icecream(p: Pen) -> None:
    """Two scoops in a waffle cone, a cherry on top."""
    p.poly([(-0.42, 0.06), (0.42, 0.06), (0, 1.0)], (226, 168, 92))
    for k in range(3):
        p.line([(-0.3 + 0.26 * k, 0.1), (0.06 + 0.08 * k, 0.6 - 0.14 * k)], 0.035, (166, 108, 52))
        p.line([(0.3 - 0.26 * k, 0.1), (-0.06 - 0.08 * k, 0.6 - 0.14 * k)], 0.035, (166, 108, 52))
    p.ellipse(0, -0.52, 0.38, 0.36, WHITE if p.pick(0, 2) and p.main[1] < 215 else p.light)
    p.smooth(
        [
            (-0.56, 0.06),
            (-0.56, -0.26),
            (-0.24, -0.44),
            (0.24, -0.44),
            (0.56, -0.26),
            (0.56, 0.06),
            (0.3, 0.0),
            (0.1, 0.16),
            (-0.16, 0.02),
            (-0.36, 0.16),
        ],
        p.main,
    )
    p.ellipse(0, -0.9, 0.11, 0.11, (214, 40, 56) if p.main[1] > 90 else GOLD)
    p.line([(0.02, -0.98), (0.1, -1.06)], 0.03, LEAF)
    for x, y in ((-0.3, -0.2), (0.06, -0.26), (0.32, -0.12), (-0.06, -0.6)):
        p.line([(x, y), (x + 0.07, y - 0.05)], 0.045, p.accent)
