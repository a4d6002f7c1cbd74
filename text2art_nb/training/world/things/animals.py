"""Land animals and birds: each function draws one thing with a `Pen` in local coordinates (x, y in -1..1, y down)."""

import math

from text2art_nb.training.world.pen import GOLD, INK, ROSE, WHITE, WOOD, Pen, tone


def _face(p: Pen, x: float, y: float, gap: float, r: float) -> None:
    p.eye(x - gap, y, r)
    p.eye(x + gap, y, r)


def cat(p: Pen) -> None:
    """Sitting, seen from the front: pointed ears, whiskers, curled tail."""
    p.limb([(0.3, 0.9), (0.8, 0.86), (0.84, 0.4), (0.66, 0.14)], 0.17, p.main)
    p.mirror([(0, -0.1), (0.3, 0.1), (0.5, 0.7), (0.42, 1), (0, 1)], p.main)
    p.ellipse(0, 0.5, 0.2, 0.3, p.light, line=False, shade=False)
    for s in (-1, 1):
        p.poly([(0.08 * s, -0.66), (0.5 * s, -1.0), (0.56 * s, -0.36)], p.main)
        p.poly([(0.24 * s, -0.66), (0.44 * s, -0.84), (0.46 * s, -0.5)], ROSE, line=False, shade=False)
        p.ellipse(0.2 * s, 0.92, 0.17, 0.11, p.light)
    p.ellipse(0, -0.32, 0.58, 0.46, p.main)
    if p.pick(0, 2):
        for x in (-0.14, 0, 0.14):
            p.line([(x, -0.76), (x, -0.58)], 0.06, p.dark)
    _face(p, 0, -0.36, 0.24, 0.13)
    p.poly([(-0.07, -0.18), (0.07, -0.18), (0, -0.1)], ROSE, line=False, shade=False)
    for s in (-1, 1):
        p.line([(0, -0.1), (0.1 * s, -0.03), (0.18 * s, -0.08)], 0.035, INK, curve=True)
        for dy in (-0.05, 0.08):
            p.line([(0.3 * s, -0.12), (0.72 * s, -0.16 + dy * 1.6)], 0.025, WHITE if p.main[1] < 120 else INK)


def dog(p: Pen) -> None:
    """Standing, side view: hanging ear, long muzzle, raised tail, collar."""
    p.limb([(0.64, 0.2), (0.86, -0.06), (0.84, -0.36)], 0.14, p.main)
    for x in (-0.34, 0.48):
        p.limb([(x + 0.1, 0.4), (x + 0.1, 0.92)], 0.18, p.dark, curve=False)
    p.smooth([(-0.5, 0.1), (0.1, 0.04), (0.66, 0.08), (0.74, 0.4), (0.4, 0.56), (-0.2, 0.62), (-0.56, 0.46)], p.main)
    for x in (-0.42, 0.6):
        p.limb([(x, 0.4), (x, 0.93)], 0.19, p.main, curve=False)
    p.smooth([(-0.6, 0.4), (-0.66, -0.2), (-0.3, -0.3), (-0.16, 0.24)], p.main, line=False)
    p.line(
        [(-0.62, 0.12), (-0.22, 0.14)], 0.11, (214, 60, 60) if p.main[0] < 190 or p.main[1] > 120 else (60, 110, 210)
    )
    p.smooth(
        [
            (-0.98, -0.26),
            (-0.68, -0.42),
            (-0.58, -0.76),
            (-0.3, -0.84),
            (-0.06, -0.6),
            (-0.12, -0.16),
            (-0.5, -0.02),
            (-0.94, -0.02),
        ],
        p.main,
    )
    p.smooth([(-0.24, -0.8), (0.04, -0.7), (0.16, -0.24), (0.02, -0.04), (-0.14, -0.28)], p.dark)
    p.ellipse(-0.94, -0.22, 0.1, 0.08, INK, line=False, shade=False)
    p.line([(-0.92, -0.08), (-0.7, -0.1)], 0.04, INK)
    p.eye(-0.48, -0.46, 0.11)
    if p.pick(0, 2):
        p.ellipse(0.2, 0.26, 0.2, 0.14, p.light, line=False, shade=False)


def rabbit(p: Pen) -> None:
    """Sitting, seen from the front: very long ears, buck teeth, round paws."""
    flop = p.pick(0, 3) == 0
    for s in (-1, 1):
        tip = (0.56 * s, -0.5) if flop and s > 0 else (0.26 * s, -1.02)
        a = -0.2 * s if not (flop and s > 0) else -0.75
        p.ellipse(
            (tip[0] + 0.16 * s) / 2,
            (tip[1] - 0.4) / 2 - 0.02,
            0.36 if flop and s > 0 else 0.15,
            0.15 if flop and s > 0 else 0.4,
            p.main,
            angle=a if not (flop and s > 0) else -0.1,
        )
        if not (flop and s > 0):
            p.ellipse(0.21 * s, -0.72, 0.07, 0.26, ROSE, angle=a, line=False, shade=False)
    p.ellipse(0, 0.56, 0.5, 0.46, p.main)
    p.ellipse(0, 0.62, 0.26, 0.3, p.light, line=False, shade=False)
    p.ellipse(0, -0.06, 0.44, 0.4, p.main)
    for s in (-1, 1):
        p.ellipse(0.32 * s, 0.92, 0.22, 0.11, p.light)
        p.ellipse(0.2 * s, 0.48, 0.11, 0.16, p.main, angle=0.4 * s)
    _face(p, 0, -0.12, 0.18, 0.11)
    p.dot(0, 0.02, 0.06, ROSE)
    p.rect(-0.06, 0.1, 0.06, 0.24, WHITE, shade=False)


def horse(p: Pen) -> None:
    """Standing, side view: arched neck, mane, long legs with hooves, flowing tail."""
    hair = p.dark if p.main[0] + p.main[1] + p.main[2] > 250 else p.light
    p.smooth([(0.66, -0.02), (0.94, 0.06), (0.98, 0.5), (0.84, 0.76), (0.8, 0.3)], hair)
    for x, c in ((-0.26, p.dark), (0.44, p.dark), (-0.42, p.main), (0.6, p.main)):
        p.limb([(x, 0.2), (x + 0.02, 0.6), (x, 0.9)], 0.14, c)
        p.line([(x, 0.92), (x, 0.98)], 0.17, INK)
    p.smooth(
        [(-0.5, -0.1), (0, -0.08), (0.5, -0.14), (0.74, 0.06), (0.66, 0.34), (0.1, 0.34), (-0.4, 0.4), (-0.58, 0.2)],
        p.main,
    )
    p.smooth(
        [
            (-0.56, 0.2),
            (-0.6, -0.3),
            (-0.98, -0.36),
            (-1.0, -0.54),
            (-0.64, -0.82),
            (-0.4, -0.86),
            (-0.2, -0.5),
            (-0.1, 0.0),
            (-0.2, 0.3),
        ],
        p.main,
    )
    p.smooth([(-0.44, -0.92), (-0.2, -0.72), (0.0, -0.2), (0.06, 0.06), (-0.16, -0.1), (-0.3, -0.5)], hair)
    p.poly([(-0.56, -0.82), (-0.5, -1.02), (-0.4, -0.84)], p.main)
    p.eye(-0.62, -0.6, 0.08)
    p.dot(-0.93, -0.46, 0.04, INK)
    if p.pick(0, 3) == 0:
        p.poly([(-0.06, -0.14), (0.3, -0.14), (0.34, 0.14), (-0.1, 0.14)], p.accent)


def elephant(p: Pen) -> None:
    """Side view: huge ear, curved trunk, tusk, pillar legs."""
    for x, c in ((-0.14, p.dark), (0.46, p.dark), (-0.34, p.main), (0.66, p.main)):
        p.limb([(x, 0.3), (x, 0.88)], 0.27, c, curve=False)
    p.line([(0.9, 0.0), (0.98, 0.4)], 0.06, p.dark)
    p.smooth([(-0.5, -0.2), (0, -0.52), (0.6, -0.44), (0.92, 0.0), (0.84, 0.44), (0.2, 0.58), (-0.4, 0.5)], p.main)
    up = p.pick(0, 2)
    trunk = (
        [(-0.62, -0.1), (-0.86, 0.3), (-0.84, 0.62), (-0.98, 0.74)]
        if not up
        else [(-0.62, -0.1), (-0.88, 0.16), (-1.0, -0.2), (-0.94, -0.56)]
    )
    p.limb(trunk, 0.2, p.main)
    p.ellipse(-0.5, -0.28, 0.36, 0.38, p.main)
    p.smooth([(-0.6, 0.04), (-0.72, 0.3), (-0.94, 0.36), (-0.76, 0.18)], WHITE, shade=False)
    p.smooth([(-0.4, -0.56), (-0.02, -0.7), (0.2, -0.3), (0.04, 0.14), (-0.28, 0.12)], p.light)
    p.eye(-0.62, -0.32, 0.09)


def giraffe(p: Pen) -> None:
    """Very long neck, small horned head, patches, long legs."""
    for x, c in ((-0.04, p.dark), (0.46, p.dark), (-0.2, p.main), (0.6, p.main)):
        p.limb([(x, 0.4), (x, 0.95)], 0.12, c, curve=False)
    p.line([(0.7, 0.2), (0.84, 0.54)], 0.05, p.dark)
    p.smooth([(-0.4, 0.1), (0.1, 0.1), (0.6, 0.16), (0.72, 0.4), (0.3, 0.56), (-0.2, 0.54)], p.main)
    p.poly([(-0.42, 0.4), (-0.46, -0.72), (-0.24, -0.76), (0.04, 0.2)], p.main)
    for s in (-0.4, -0.28):
        p.line([(s, -0.8), (s + 0.02, -0.98)], 0.05, p.dark)
    p.smooth([(-0.86, -0.62), (-0.5, -0.88), (-0.2, -0.84), (-0.2, -0.64), (-0.5, -0.54), (-0.82, -0.5)], p.main)
    p.smooth([(-0.22, -0.8), (0.0, -0.86), (-0.1, -0.7)], p.main)
    patch = tone(p.main, -0.42)
    for x, y in (
        (-0.34, -0.42),
        (-0.24, -0.2),
        (-0.34, -0.02),
        (-0.12, 0.1),
        (-0.28, 0.3),
        (0.06, 0.34),
        (0.3, 0.26),
        (0.52, 0.36),
        (0.24, 0.46),
    ):
        p.ellipse(x, y, 0.085, 0.075, patch, line=False, shade=False)
    p.eye(-0.5, -0.72, 0.07)


def owl(p: Pen) -> None:
    """Upright round body, huge ringed eyes, ear tufts, speckled breast, on a branch."""
    p.limb([(-0.9, 0.92), (0, 0.86), (0.9, 0.94)], 0.12, WOOD)
    p.mirror([(0, -0.72), (0.3, -0.78), (0.56, -1.0), (0.62, -0.4), (0.6, 0.3), (0.36, 0.8), (0, 0.9)], p.main)
    p.ellipse(0, 0.36, 0.36, 0.44, p.light, line=False, shade=False)
    for x, y in ((-0.16, 0.16), (0.0, 0.26), (0.16, 0.16), (-0.1, 0.44), (0.12, 0.44), (0, 0.6)):
        p.line([(x - 0.06, y), (x, y + 0.06), (x + 0.06, y)], 0.04, p.dark)
    for s in (-1, 1):
        p.smooth([(0.5 * s, -0.1), (0.72 * s, 0.2), (0.62 * s, 0.7), (0.42 * s, 0.5)], p.dark)
        p.ellipse(0.26 * s, -0.42, 0.27, 0.27, WHITE)
        p.dot(0.24 * s, -0.42, 0.18, GOLD if p.main[2] > 60 else (230, 120, 50))
        p.dot(0.24 * s, -0.42, 0.11, INK)
        p.line([(0.14 * s, 0.8), (0.14 * s, 0.92)], 0.1, GOLD)
    p.poly([(-0.09, -0.28), (0.09, -0.28), (0, -0.06)], GOLD, shade=False)


def bird(p: Pen) -> None:
    """Flying songbird, side view: wing up, beak, fanned tail."""
    p.poly([(0.4, 0.0), (0.98, -0.16), (0.92, 0.08), (1.0, 0.3), (0.4, 0.3)], p.dark)
    p.smooth([(0.1, -0.1), (0.4, -0.5), (0.3, -0.92), (-0.1, -0.7), (-0.26, -0.1)], p.dark)
    p.smooth(
        [
            (-0.8, -0.1),
            (-0.5, -0.42),
            (-0.16, -0.2),
            (0.3, -0.08),
            (0.62, 0.14),
            (0.2, 0.46),
            (-0.3, 0.46),
            (-0.7, 0.22),
        ],
        p.main,
    )
    p.smooth(
        [(-0.62, 0.14), (-0.3, 0.16), (0.14, 0.3), (-0.1, 0.42), (-0.4, 0.4)],
        WHITE if p.main[1] < 215 else (240, 180, 90),
        line=False,
        shade=False,
    )
    p.poly([(-0.76, -0.2), (-1.04, -0.04), (-0.74, 0.06)], GOLD if p.main[2] > 80 else (230, 110, 50), shade=False)
    p.smooth(
        [
            (-0.1, 0.0),
            (0.34, -0.1),
            (0.56, -0.6),
            (0.3, -0.86) if p.pick(0, 2) else (0.62, 0.5),
            (0.0, -0.5) if p.pick(0, 2) else (0.2, 0.4),
        ],
        p.light,
    )
    p.eye(-0.56, -0.14, 0.11)


def penguin(p: Pen) -> None:
    """Upright, front view: white belly, flippers, orange beak and feet."""
    orange = (244, 150, 50)
    for s in (-1, 1):
        p.ellipse(0.22 * s, 0.94, 0.22, 0.09, orange)
        p.smooth([(0.4 * s, -0.2), (0.66 * s, 0.1), (0.78 * s, 0.5), (0.5 * s, 0.4)], p.dark)
    p.mirror([(0, -0.98), (0.32, -0.86), (0.42, -0.46), (0.54, 0.2), (0.46, 0.74), (0, 0.94)], p.main)
    belly = WHITE if p.main[0] + p.main[1] + p.main[2] < 640 else (230, 214, 190)
    p.mirror([(0, -0.2), (0.28, -0.1), (0.36, 0.3), (0.28, 0.72), (0, 0.84)], belly, line=False, shade=False)
    for s in (-1, 1):
        p.ellipse(0.16 * s, -0.52, 0.19, 0.24, belly, line=False, shade=False)
        p.eye(0.15 * s, -0.54, 0.09)
    p.poly([(-0.13, -0.4), (0.13, -0.4), (0, -0.2)], orange, shade=False)
    if p.pick(0, 3) == 0:
        p.line([(-0.4, -0.2), (0, -0.1), (0.4, -0.2)], 0.12, p.accent, curve=True)


def butterfly(p: Pen) -> None:
    """Four patterned wings, slender body, feelers."""
    for s in (-1, 1):
        p.smooth(
            [(0.06 * s, 0.1), (0.5 * s, 0.1), (0.78 * s, 0.46), (0.56 * s, 0.88), (0.2 * s, 0.7)],
            p.accent if p.pick(0, 2) else p.dark,
        )
        p.smooth(
            [(0.05 * s, 0.1), (0.2 * s, -0.56), (0.7 * s, -0.88), (1.0 * s, -0.6), (0.84 * s, -0.02), (0.4 * s, 0.16)],
            p.main,
        )
        p.ellipse(0.64 * s, -0.44, 0.18, 0.2, p.light, line=False, shade=False)
        p.dot(0.64 * s, -0.44, 0.1, p.accent)
        p.dot(0.5 * s, 0.46, 0.13, p.light)
        p.line([(0.02 * s, -0.4), (0.12 * s, -0.74), (0.28 * s, -0.92)], 0.035, INK, curve=True)
        p.dot(0.28 * s, -0.92, 0.05, INK)
    p.ellipse(0, 0.08, 0.09, 0.52, (74, 58, 60))


def snail(p: Pen) -> None:
    """Spiral shell on a crawling body with eye stalks."""
    body = (222, 196, 150)
    for x in (-0.86, -0.62):
        p.limb([(-0.66, 0.5), (x, -0.02)], 0.07, body, curve=False)
        p.dot(x, -0.06, 0.09, INK)
    p.smooth(
        [(-0.98, 0.5), (-0.8, 0.28), (-0.56, 0.34), (-0.3, 0.66), (0.5, 0.76), (1.02, 0.98), (0, 1.0), (-0.7, 0.98)],
        body,
    )
    p.ellipse(0.2, 0.18, 0.6, 0.6, p.main)
    spiral = [
        (0.2 + (0.52 - 0.036 * k) * math.cos(0.75 * k + 1.2), 0.18 + (0.52 - 0.036 * k) * math.sin(0.75 * k + 1.2))
        for k in range(14)
    ]
    p.line(spiral, 0.07, tone(p.main, -0.5), curve=True)
    p.line([(-0.9, 0.62), (-0.8, 0.68), (-0.7, 0.64)], 0.04, INK, curve=True)


def frog(p: Pen) -> None:
    """Squat, front view: bulging eyes on top, wide mouth, folded legs."""
    for s in (-1, 1):
        p.smooth([(0.4 * s, 0.2), (0.9 * s, 0.1), (0.98 * s, 0.6), (0.6 * s, 0.9), (0.4 * s, 0.7)], p.main)
        p.ellipse(0.74 * s, 0.92, 0.26, 0.09, p.dark)
        p.ellipse(0.34 * s, -0.5, 0.24, 0.26, p.main)
    p.mirror([(0, -0.46), (0.4, -0.4), (0.68, -0.02), (0.56, 0.5), (0.4, 0.9), (0, 0.96)], p.main)
    p.ellipse(0, 0.58, 0.34, 0.32, p.light, line=False, shade=False)
    for s in (-1, 1):
        p.eye(0.34 * s, -0.52, 0.17)
        p.ellipse(0.24 * s, 0.92, 0.17, 0.08, p.main)
        p.dot(0.1 * s, -0.16, 0.03, INK)
    p.line([(-0.5, 0.0), (-0.2, 0.16), (0.2, 0.16), (0.5, 0.0)], 0.05, INK, curve=True)


def dinosaur(p: Pen) -> None:
    """Long neck and tail, plates along the back, stout legs."""
    plates = p.pick(0, 2)
    p.smooth([(0.4, 0.1), (0.8, 0.3), (1.06, 0.84), (0.6, 0.62), (0.3, 0.6)], p.main)
    for x in (-0.1, 0.46):
        p.limb([(x, 0.4), (x, 0.9)], 0.2, p.dark, curve=False)
    if plates:
        for k in range(6):
            x, y = -0.34 + 0.2 * k, -0.04 + 0.045 * (k - 2.2) ** 2
            p.poly([(x - 0.13, y + 0.1), (x, y - 0.28), (x + 0.13, y + 0.1)], p.accent, shade=False)
    p.smooth([(-0.5, 0.3), (-0.2, 0.02), (0.2, -0.04), (0.56, 0.2), (0.6, 0.5), (0.2, 0.68), (-0.3, 0.66)], p.main)
    p.smooth(
        [
            (-0.3, 0.5),
            (-0.56, 0.3),
            (-0.66, -0.5),
            (-0.96, -0.6),
            (-0.98, -0.8),
            (-0.6, -0.96),
            (-0.36, -0.76),
            (-0.34, -0.3),
            (-0.1, 0.1),
        ],
        p.main,
    )
    for x in (-0.28, 0.32):
        p.limb([(x, 0.44), (x, 0.92)], 0.22, p.main, curve=False)
    for x, y in ((0.0, 0.2), (0.24, 0.16), (0.14, 0.36)):
        p.dot(x, y, 0.07, p.light)
    p.eye(-0.62, -0.76, 0.08)
    p.line([(-0.94, -0.66), (-0.74, -0.64)], 0.035, INK)


def dragon(p: Pen) -> None:
    """Bat wings, horns, spiny tail, pale belly, sometimes breathing fire."""
    belly = (246, 222, 160) if p.main[0] + p.main[1] < 420 else (226, 140, 90)
    p.smooth(
        [(0.1, 0.1), (0.2, -0.5), (0.5, -1.0), (0.72, -0.6), (1.04, -0.46), (0.8, -0.16), (0.84, 0.16), (0.5, 0.08)],
        p.light,
    )
    for x, y in ((0.72, -0.6), (0.8, -0.16)):
        p.line([(0.16, 0.0), (x, y)], 0.04, p.dark)
    p.limb([(0.2, 0.74), (0.7, 0.9), (0.98, 0.7), (0.94, 0.44)], 0.15, p.main)
    p.poly([(0.8, 0.46), (0.98, 0.16), (1.1, 0.48)], p.accent, shade=False)
    p.smooth(
        [
            (-0.36, 0.4),
            (-0.4, -0.1),
            (-0.62, -0.34),
            (-0.98, -0.42),
            (-0.96, -0.62),
            (-0.5, -0.86),
            (-0.2, -0.68),
            (-0.06, -0.2),
            (0.3, 0.2),
            (0.42, 0.7),
            (0.2, 0.96),
            (-0.2, 0.96),
        ],
        p.main,
    )
    p.smooth(
        [(-0.32, 0.1), (-0.2, 0.1), (0.02, 0.5), (0.0, 0.86), (-0.2, 0.86), (-0.3, 0.5)], belly, line=False, shade=False
    )
    for x, y in ((-0.18, -0.74), (0.0, -0.36), (0.16, -0.06)):
        p.poly([(x - 0.1, y + 0.06), (x + 0.14, y - 0.14), (x + 0.06, y + 0.18)], p.accent, shade=False)
    p.limb([(-0.38, -0.8), (-0.2, -1.02)], 0.07, WHITE, curve=False)
    p.limb([(-0.1, 0.34), (-0.4, 0.42), (-0.48, 0.3)], 0.11, p.dark)
    for x in (-0.24, 0.26):
        p.ellipse(x, 0.94, 0.24, 0.1, p.main)
    p.eye(-0.5, -0.62, 0.1)
    if p.pick(0, 2):
        p.smooth(
            [(-0.94, -0.44), (-1.16, -0.14), (-1.3, 0.12), (-1.04, 0.06), (-0.96, 0.2), (-0.84, -0.1)],
            (255, 150, 40),
            line=False,
            shade=False,
        )
        p.smooth([(-0.94, -0.4), (-1.08, -0.1), (-1.0, 0.0), (-0.88, -0.16)], (255, 226, 100), line=False, shade=False)


def pig(p: Pen) -> None:
    """Round body, snout with nostrils, curly tail, short legs, side view."""
    p.line([(0.72, 0.1), (0.9, -0.02), (0.84, -0.16), (0.76, -0.04), (0.98, 0.02)], 0.06, p.dark, curve=True)
    for x in (-0.3, 0.42):
        p.limb([(x + 0.12, 0.5), (x + 0.12, 0.9)], 0.17, p.dark, curve=False)
    p.ellipse(0.12, 0.2, 0.68, 0.5, p.main)
    for x in (-0.34, 0.46):
        p.limb([(x, 0.5), (x, 0.92)], 0.18, p.main, curve=False)
    p.ellipse(-0.5, -0.06, 0.44, 0.42, p.main)
    for x in (-0.76, -0.24):
        p.poly([(x - 0.12, -0.34), (x + 0.02 * (x + 0.5), -0.68), (x + 0.16, -0.36)], p.dark)
    p.ellipse(-0.6, 0.06, 0.2, 0.15, p.light)
    for x in (-0.66, -0.54):
        p.dot(x, 0.06, 0.04, p.dark)
    p.eye(-0.72, -0.16, 0.08)
    p.eye(-0.4, -0.16, 0.08)


def lion(p: Pen) -> None:
    """Sitting, seen from the front: a great mane, round ears, tufted tail."""
    mane = p.dark if p.main[0] + p.main[1] + p.main[2] > 250 else p.light
    p.limb([(0.3, 0.86), (0.78, 0.84), (0.88, 0.42)], 0.12, p.main)
    p.ellipse(0.88, 0.32, 0.14, 0.18, mane)
    p.mirror([(0, 0.0), (0.34, 0.2), (0.52, 0.74), (0.44, 1), (0, 1)], p.main)
    p.ellipse(0, 0.66, 0.2, 0.26, p.light, line=False, shade=False)
    n = 11
    ring = []
    for k in range(2 * n):
        r = 0.72 if k % 2 else 0.62
        ring.append((r * math.sin(math.pi * k / n), -0.28 - r * 0.98 * math.cos(math.pi * k / n)))
    p.smooth(ring, mane)
    for s in (-1, 1):
        p.ellipse(0.4 * s, -0.66, 0.14, 0.14, p.main)
        p.ellipse(0.22 * s, 0.93, 0.18, 0.1, p.light)
    p.ellipse(0, -0.24, 0.44, 0.42, p.main)
    _face(p, 0, -0.34, 0.18, 0.1)
    p.ellipse(0, -0.02, 0.2, 0.15, p.light, line=False, shade=False)
    p.poly([(-0.09, -0.12), (0.09, -0.12), (0, -0.02)], INK, line=False, shade=False)
    for s in (-1, 1):
        p.line([(0, -0.02), (0.08 * s, 0.06), (0.16 * s, 0.02)], 0.035, INK, curve=True)


def bear(p: Pen) -> None:
    """Teddy bear, sitting: round ears, pale muzzle and belly, soles."""
    for s in (-1, 1):
        p.ellipse(0.42 * s, -0.76, 0.2, 0.2, p.main)
        p.ellipse(0.42 * s, -0.75, 0.1, 0.1, p.light, line=False, shade=False)
        p.ellipse(0.62 * s, 0.3, 0.18, 0.32, p.main, angle=0.6 * s)
    p.ellipse(0, 0.46, 0.54, 0.52, p.main)
    p.ellipse(0, 0.48, 0.32, 0.34, p.light, line=False, shade=False)
    for s in (-1, 1):
        p.ellipse(0.5 * s, 0.8, 0.26, 0.2, p.main)
        p.ellipse(0.56 * s, 0.82, 0.13, 0.12, p.light, line=False, shade=False)
    p.ellipse(0, -0.36, 0.56, 0.48, p.main)
    p.ellipse(0, -0.2, 0.25, 0.2, p.light, line=False, shade=False)
    _face(p, 0, -0.46, 0.22, 0.1)
    p.ellipse(0, -0.28, 0.1, 0.07, INK, line=False, shade=False)
    p.line([(0, -0.22), (0, -0.14)], 0.035, INK)
    p.line([(-0.1, -0.12), (0, -0.07), (0.1, -0.12)], 0.035, INK, curve=True)
    if p.pick(0, 2):
        for s in (-1, 1):
            p.poly([(0, 0.06), (0.26 * s, -0.06), (0.26 * s, 0.2)], p.accent, shade=False)
        p.ellipse(0, 0.07, 0.07, 0.07, p.accent, shade=False)


def fox(p: Pen) -> None:
    """Sitting, side view: pointed muzzle, big ears, white chest, bushy tail with a white tip."""
    p.smooth([(0.2, 0.96), (0.7, 1.0), (0.98, 0.6), (0.92, 0.0), (0.62, -0.06), (0.66, 0.4), (0.4, 0.7)], p.main)
    p.smooth([(0.62, -0.04), (0.9, 0.1), (0.96, -0.12), (0.74, -0.34)], WHITE)
    p.smooth([(-0.4, -0.1), (0.0, -0.12), (0.4, 0.4), (0.46, 0.92), (0.0, 1.0), (-0.36, 0.96), (-0.44, 0.4)], p.main)
    p.smooth([(-0.44, 0.0), (-0.22, 0.0), (-0.18, 0.5), (-0.4, 0.62)], WHITE, line=False, shade=False)
    for x in (-0.34, -0.12):
        p.limb([(x, 0.5), (x, 0.92)], 0.13, p.main, curve=False)
        p.line([(x, 0.84), (x, 0.94)], 0.12, INK)
    for x in (-0.38, -0.08):
        p.poly([(x - 0.18, -0.52), (x - 0.06, -1.0), (x + 0.18, -0.54)], p.main)
        p.poly([(x - 0.07, -0.6), (x - 0.03, -0.84), (x + 0.09, -0.6)], INK, line=False, shade=False)
    p.smooth(
        [(-0.98, -0.16), (-0.62, -0.5), (-0.3, -0.7), (0.06, -0.56), (0.16, -0.2), (-0.1, 0.04), (-0.5, 0.02)], p.main
    )
    p.smooth([(-0.96, -0.15), (-0.6, -0.22), (-0.3, -0.1), (-0.2, 0.02), (-0.5, 0.02)], WHITE, line=False, shade=False)
    p.ellipse(-0.96, -0.17, 0.09, 0.07, INK, line=False, shade=False)
    p.eye(-0.44, -0.36, 0.1)


def duck(p: Pen) -> None:
    """Rubber duck, side view: round head, flat bill, turned-up tail, wing."""
    p.smooth(
        [
            (-0.62, 0.2),
            (0.0, 0.16),
            (0.56, 0.18),
            (1.0, -0.16),
            (0.98, 0.4),
            (0.7, 0.86),
            (0.0, 1.0),
            (-0.6, 0.86),
            (-0.8, 0.5),
        ],
        p.main,
    )
    p.smooth([(-0.1, 0.34), (0.4, 0.34), (0.76, 0.3), (0.5, 0.7), (0.1, 0.72)], p.dark if p.pick(0, 2) else p.light)
    p.ellipse(-0.36, -0.3, 0.5, 0.48, p.main)
    beak = (244, 140, 40) if p.main[2] > 60 or p.main[1] > 190 or p.main[0] < 200 else (250, 214, 80)
    p.smooth([(-0.78, -0.3), (-1.04, -0.26), (-1.12, -0.1), (-0.92, -0.02), (-0.72, -0.08)], beak)
    p.line([(-1.06, -0.15), (-0.8, -0.16)], 0.035, INK)
    p.eye(-0.5, -0.42, 0.12)
    if p.pick(1, 3) == 0:
        p.smooth([(-0.4, -0.74), (-0.2, -0.98), (-0.26, -0.72)], p.main)


def bee(p: Pen) -> None:
    """Fat bee in flight: stripes, wings, feelers, sting."""
    p.poly([(0.8, 0.1), (1.08, 0.22), (0.8, 0.34)], INK, shade=False)
    for dx, a in ((0.12, 0.5), (-0.2, -0.2)):
        p.ellipse(dx + 0.1, -0.56, 0.26, 0.46, (224, 238, 250), angle=a)
    p.ellipse(0.08, 0.2, 0.82, 0.54, p.main)
    stripe = INK if p.main[0] + p.main[1] + p.main[2] > 240 else GOLD
    for x, h in ((-0.1, 0.5), (0.24, 0.5), (0.56, 0.4)):
        p.smooth(
            [
                (x - 0.08, 0.2 - h),
                (x + 0.08, 0.2 - h),
                (x + 0.12, 0.2),
                (x + 0.08, 0.2 + h),
                (x - 0.08, 0.2 + h),
                (x - 0.02, 0.2),
            ],
            stripe,
            line=False,
            shade=False,
        )
    p.ellipse(-0.62, 0.1, 0.36, 0.36, p.main)
    for x in (-0.78, -0.5):
        p.line([(x, -0.2), (x - 0.1, -0.5)], 0.045, INK)
        p.dot(x - 0.1, -0.54, 0.07, INK)
    p.eye(-0.74, 0.02, 0.1)
    p.eye(-0.5, 0.02, 0.1)
    p.line([(-0.76, 0.22), (-0.64, 0.29), (-0.5, 0.22)], 0.04, INK, curve=True)
