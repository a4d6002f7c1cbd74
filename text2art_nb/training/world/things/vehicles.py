"""Vehicles: each function draws one thing with a `Pen` in local coordinates (x, y in -1..1, y down,
ground at y = 1)."""

import math

from text2art_nb.training.world.pen import GLASS, GLOW, GOLD, INK, SILVER, WHITE, WOOD, Pen, tone


def _wheel(p: Pen, x: float, y: float, r: float) -> None:
    p.ellipse(x, y, r, r, (52, 50, 58), shade=False)
    p.dot(x, y, r * 0.5, SILVER)


def boat(p: Pen) -> None:
    """Sailing boat: hull, mast, two sails, pennant."""
    p.limb([(-0.02, 0.5), (-0.02, -0.94)], 0.06, WOOD, curve=False)
    p.smooth([(0.06, -0.84), (0.5, -0.3), (0.7, 0.34), (0.3, 0.4), (0.06, 0.36)], WHITE if p.pick(0, 2) else p.light)
    p.poly([(-0.1, -0.7), (-0.1, 0.36), (-0.68, 0.36)], p.accent if p.pick(1, 2) else WHITE)
    p.poly([(-0.02, -1.0), (-0.3, -0.92), (-0.02, -0.84)], p.main, shade=False)
    p.poly([(-0.98, 0.44), (0.98, 0.44), (0.66, 1), (-0.6, 1)], p.main)
    p.line([(-0.9, 0.56), (0.9, 0.56)], 0.06, WHITE)


def ship(p: Pen) -> None:
    """Steamer: long hull with portholes, cabins, smoking funnels."""
    n = 2 + p.pick(0, 2)
    for k in range(n):
        x = -0.4 + 0.4 * k
        p.dot(x + 0.16, -0.78, 0.14, (214, 212, 216))
        p.dot(x + 0.36, -0.9, 0.1, (226, 224, 228))
        p.poly([(x - 0.12, -0.62), (x + 0.12, -0.62), (x + 0.14, 0.1), (x - 0.14, 0.1)], p.accent)
        p.rect(x - 0.12, -0.62, x + 0.12, -0.48, INK, shade=False)
    p.rect(-0.62, -0.12, 0.66, 0.16, WHITE)
    p.rect(-0.76, 0.12, 0.76, 0.42, WHITE)
    for k in range(6):
        p.dot(-0.6 + 0.24 * k, 0.28, 0.06, p.window())
    p.poly([(-1.05, 0.34), (1.05, 0.34), (0.86, 1), (-0.78, 1)], p.main)
    for k in range(5):
        p.dot(-0.6 + 0.3 * k, 0.6, 0.06, WHITE)
    p.poly([(-0.82, 0.86), (0.9, 0.86), (0.86, 1), (-0.78, 1)], tone(p.main, -0.4), line=False, shade=False)


def rocket(p: Pen) -> None:
    """Upright rocket: nose cone, porthole, fins, flame."""
    if p.pick(0, 4):
        p.smooth(
            [(-0.22, 0.6), (0.22, 0.6), (0.16, 0.84), (0, 1.06), (-0.16, 0.84)], (255, 140, 40), line=False, shade=False
        )
        p.smooth([(-0.12, 0.6), (0.12, 0.6), (0, 0.88)], (255, 230, 120), line=False, shade=False)
    for s in (-1, 1):
        p.poly([(0.26 * s, 0.14), (0.66 * s, 0.5), (0.62 * s, 0.86), (0.24 * s, 0.6)], p.accent)
    p.mirror([(0, -1.0), (0.22, -0.66), (0.36, -0.2), (0.36, 0.2), (0.24, 0.64), (0, 0.66)], p.main)
    p.mirror([(0, -1.0), (0.13, -0.84), (0.26, -0.56), (0, -0.5)], p.accent)
    for y, r in ((-0.22, 0.17), (0.22, 0.12)):
        p.ellipse(0, y, r + 0.05, r + 0.05, WHITE)
        p.ellipse(0, y, r, r, GLASS, shade=False)
    p.poly([(-0.05, 0.4), (0.05, 0.4), (0.05, 0.88), (-0.05, 0.88)], p.accent)


def ufo(p: Pen) -> None:
    """Flying saucer: dome, disc with lights, a beam."""
    if p.pick(0, 3):
        p.poly([(-0.3, 0.2), (0.3, 0.2), (0.66, 1), (-0.66, 1)], (214, 248, 160), line=False, shade=False)
    p.mirror([(0, -0.72), (0.28, -0.62), (0.44, -0.32), (0.46, 0.0), (0, 0.06)], GLASS)
    p.ellipse(0, -0.22, 0.15, 0.22, (110, 200, 90))
    p.dot(-0.06, -0.28, 0.05, INK)
    p.dot(0.06, -0.28, 0.05, INK)
    p.ellipse(0, 0.1, 1.0, 0.3, p.main)
    p.ellipse(0, 0.0, 0.56, 0.12, p.light)
    for k in range(5):
        x = -0.72 + 0.36 * k
        p.dot(x, 0.2 - 0.16 * (x / 0.72) ** 2 + 0.02, 0.09, (GLOW, p.accent)[k % 2])


def car(p: Pen) -> None:
    """Small car, side view: cabin windows, bumper, lamps, wheels."""
    long = p.pick(0, 2)
    if long:
        p.smooth([(-0.62, 0.3), (-0.44, -0.3), (-0.2, -0.36), (0.3, -0.36), (0.5, -0.26), (0.76, 0.3)], p.main)
    else:
        p.poly([(-0.56, 0.3), (-0.36, -0.36), (0.86, -0.36), (0.92, 0.3)], p.main)
    p.poly([(-0.42, 0.18), (-0.3, -0.22), (-0.02, -0.22), (-0.02, 0.18)], GLASS, shade=False)
    p.poly([(0.08, 0.18), (0.08, -0.22), (0.38, -0.22), (0.56, 0.18)], GLASS, shade=False)
    p.smooth(
        [(-1.0, 0.62), (-0.94, 0.3), (-0.5, 0.16), (0.5, 0.14), (0.94, 0.24), (1.0, 0.7), (0.6, 0.8), (-0.8, 0.8)],
        p.main,
    )
    p.line([(0.03, 0.2), (0.03, 0.68)], 0.03, p.dark)
    p.line([(0.1, 0.34), (0.22, 0.34)], 0.05, p.dark)
    p.ellipse(-0.92, 0.46, 0.09, 0.1, GLOW, shade=False)
    p.ellipse(0.95, 0.44, 0.06, 0.09, (230, 60, 50), shade=False)
    _wheel(p, -0.54, 0.76, 0.24)
    _wheel(p, 0.56, 0.76, 0.24)


def train(p: Pen) -> None:
    """Steam engine: boiler, chimney with smoke, cab, wheels with a rod."""
    for x, y, r in ((-0.5, -0.72, 0.16), (-0.24, -0.86, 0.2), (0.1, -0.92, 0.17)):
        p.ellipse(x, y, r, r * 0.85, (226, 224, 228), line=False)
    p.poly([(-0.8, -0.62), (-0.5, -0.62), (-0.56, -0.1), (-0.74, -0.1)], INK)
    p.ellipse(-0.22, -0.16, 0.14, 0.18, GOLD)
    p.rect(-0.9, -0.14, 0.3, 0.5, p.main)
    for x in (-0.6, -0.26, 0.1):
        p.line([(x, -0.12), (x, 0.48)], 0.04, p.dark)
    p.rect(0.26, -0.52, 0.94, 0.56, p.main)
    p.rect(0.18, -0.64, 1.02, -0.48, p.accent)
    p.rect(0.4, -0.34, 0.8, 0.04, p.window(), shade=False)
    p.ellipse(-0.9, 0.06, 0.08, 0.12, GLOW, shade=False)
    p.poly([(-0.92, 0.5), (-0.74, 0.5), (-0.7, 1), (-1.06, 1)], p.accent)
    p.rect(-0.9, 0.48, 0.98, 0.62, p.dark)
    for x, r in ((-0.5, 0.2), (-0.06, 0.2), (0.62, 0.3)):
        _wheel(p, x, 1 - r, r)
    p.line([(-0.5, 0.8), (0.62, 0.72)], 0.06, SILVER)


def balloon(p: Pen) -> None:
    """Hot-air balloon: striped envelope, ropes, basket."""
    for x in (-0.16, 0.16):
        p.line([(x * 1.6, 0.36), (x, 0.74)], 0.03, WOOD)
    outline = [(0, -1.0), (0.42, -0.9), (0.7, -0.54), (0.68, -0.14), (0.4, 0.24), (0.2, 0.44), (0, 0.46)]
    p.mirror(outline, p.main)
    stripe = WHITE if p.main[1] < 215 else p.accent
    kind = p.pick(0, 3)
    if kind == 0:
        p.mirror([(0, -0.98), (0.2, -0.84), (0.28, -0.36), (0.2, 0.16), (0.1, 0.44), (0, 0.44)], stripe)
    elif kind == 1:
        p.smooth([(-0.68, -0.44), (0, -0.34), (0.68, -0.44), (0.7, -0.12), (0, 0.0), (-0.7, -0.12)], stripe)
    else:
        for x in (-0.36, 0.36):
            p.smooth(
                [(x * 0.3, -0.97), (x * 1.4, -0.6), (x * 1.4, -0.1), (x * 0.5, 0.42), (x * 0.7, -0.2), (x * 0.7, -0.6)],
                stripe,
                line=False,
            )
    p.rect(-0.2, 0.72, 0.2, 1, (176, 120, 70))
    p.line([(-0.2, 0.84), (0.2, 0.84)], 0.04, tone(WOOD, -0.3))


def airplane(p: Pen) -> None:
    """Propeller plane or airliner, side view: wings, tail fin, windows."""
    p.poly([(0.62, -0.04), (0.84, -0.6), (1.04, -0.6), (0.96, 0.02)], p.accent)
    p.smooth([(-0.1, 0.0), (0.1, -0.4), (0.34, -0.42), (0.3, 0.0)], p.dark)
    p.smooth(
        [(-0.98, 0.1), (-0.84, -0.16), (-0.4, -0.24), (0.4, -0.16), (1.0, -0.06), (0.9, 0.1), (0.4, 0.3), (-0.6, 0.34)],
        p.main,
    )
    for k in range(5):
        p.dot(-0.4 + 0.2 * k, -0.02, 0.06, GLASS)
    p.smooth([(-0.9, -0.02), (-0.82, -0.14), (-0.6, -0.18), (-0.58, 0.0)], GLASS, shade=False)
    p.poly([(-0.24, 0.14), (0.2, 0.14), (0.6, 0.72), (0.36, 0.76)], p.light)
    if p.pick(0, 2):
        p.ellipse(-1.0, 0.08, 0.05, 0.42, SILVER, shade=False)
        p.dot(-0.98, 0.08, 0.08, INK)


def submarine(p: Pen) -> None:
    """Rounded hull, conning tower with a periscope, portholes, propeller."""
    p.line([(0.06, -0.36), (0.06, -0.84), (-0.2, -0.84)], 0.09, p.dark)
    p.poly([(-0.26, -0.2), (-0.2, -0.56), (0.3, -0.56), (0.4, -0.2)], p.main)
    for s in (-1, 1):
        p.ellipse(0.98, 0.2 + 0.24 * s, 0.08, 0.22, GOLD)
    p.poly([(0.62, -0.1), (0.94, -0.36), (0.9, 0.2)], p.accent)
    p.poly([(0.62, 0.5), (0.94, 0.76), (0.9, 0.2)], p.accent)
    p.smooth(
        [
            (-1.0, 0.2),
            (-0.86, -0.14),
            (-0.4, -0.26),
            (0.3, -0.24),
            (0.94, 0.14),
            (0.94, 0.28),
            (0.3, 0.66),
            (-0.4, 0.68),
            (-0.86, 0.54),
        ],
        p.main,
    )
    for x in (-0.6, -0.14, 0.32):
        p.ellipse(x, 0.16, 0.17, 0.17, GOLD)
        p.ellipse(x, 0.16, 0.11, 0.11, GLASS, shade=False)


def bicycle(p: Pen) -> None:
    """Two spoked wheels, diamond frame, saddle, handlebar."""
    for x in (-0.58, 0.58):
        p.ring(x, 0.58, 0.4, 0.08, INK)
        for k in range(3):
            a = k * math.pi / 3 + p.u[0]
            p.line(
                [
                    (x - 0.36 * math.cos(a), 0.58 - 0.36 * math.sin(a)),
                    (x + 0.36 * math.cos(a), 0.58 + 0.36 * math.sin(a)),
                ],
                0.02,
                SILVER,
            )
    for path in (
        [(-0.58, 0.58), (-0.22, -0.1), (0.4, -0.1), (0.0, 0.6), (-0.58, 0.58)],
        [(-0.3, -0.3), (0.0, 0.6)],
        [(0.34, -0.4), (0.58, 0.58)],
    ):
        p.limb(path, 0.1, p.main, curve=False)
    p.limb([(-0.46, -0.32), (-0.14, -0.32)], 0.12, INK, curve=False)
    p.limb([(0.34, -0.38), (0.44, -0.52), (0.66, -0.46)], 0.09, p.dark)
    p.dot(0, 0.6, 0.11, GOLD)


def bus(p: Pen) -> None:
    """Long coach, side view: a row of windows, stripe, two wheels."""
    p.smooth(
        [
            (-0.98, -0.4),
            (-0.9, -0.62),
            (-0.4, -0.66),
            (0.5, -0.66),
            (0.92, -0.6),
            (1.02, -0.3),
            (1.02, 0.6),
            (0.9, 0.68),
            (-0.9, 0.68),
            (-1.0, 0.6),
        ],
        p.main,
    )
    for k in range(4):
        x = -0.88 + 0.42 * k
        p.rect(x, -0.48, x + 0.34, -0.04, p.window(), shade=False)
    p.poly([(0.8, -0.48), (0.94, -0.44), (1.0, -0.04), (0.8, -0.04)], p.window(), shade=False)
    p.rect(-0.98, 0.12, 1.0, 0.26, p.accent if p.pick(0, 2) else WHITE, line=False, shade=False)
    p.dot(0.92, 0.46, 0.09, GLOW)
    for x in (-0.56, 0.56):
        _wheel(p, x, 0.7, 0.28)


def helicopter(p: Pen) -> None:
    """Side view: glass nose, tail boom with a small rotor, main rotor, skids."""
    p.limb([(0.3, 0.06), (0.96, -0.06)], 0.13, p.main, curve=False)
    p.poly([(0.84, -0.04), (0.9, -0.44), (1.06, -0.46), (1.02, 0.0)], p.main)
    p.ring(0.98, -0.24, 0.13, 0.04, INK)
    p.smooth(
        [
            (-0.9, 0.3),
            (-0.84, -0.06),
            (-0.5, -0.34),
            (0.0, -0.38),
            (0.36, -0.2),
            (0.5, 0.1),
            (0.3, 0.44),
            (-0.3, 0.54),
            (-0.76, 0.5),
        ],
        p.main,
    )
    p.smooth([(-0.84, 0.2), (-0.76, -0.06), (-0.46, -0.26), (-0.2, -0.26), (-0.2, 0.2)], p.window(), shade=False)
    p.rect(-0.04, -0.18, 0.2, 0.12, p.window(), shade=False)
    p.limb([(-0.06, -0.36), (-0.06, -0.62)], 0.09, SILVER, curve=False)
    p.poly([(-1.06, -0.7), (0.94, -0.7), (0.94, -0.6), (-1.06, -0.6)], (92, 94, 104), shade=False)
    for x in (-0.5, 0.12):
        p.line([(x, 0.5), (x - 0.04, 0.76)], 0.06, INK)
    p.limb([(-0.9, 0.7), (-0.8, 0.8), (0.5, 0.8)], 0.08, SILVER)
