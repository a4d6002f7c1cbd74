"""Sea creatures: each function draws one thing with a `Pen` in local coordinates (x, y in -1..1, y down)."""

import math

from text2art_nb.training.world.pen import INK, WHITE, Pen, tone


def fish(p: Pen) -> None:
    """Side view: body, forked tail, fins, stripes, gill, eye."""
    p.smooth([(0.45, 0), (0.98, -0.5), (0.84, 0), (0.98, 0.5)], p.accent)
    p.smooth([(-0.3, -0.4), (0.0, -0.84), (0.4, -0.62), (0.34, -0.26)], p.accent)
    p.smooth([(-0.2, 0.4), (0.0, 0.76), (0.3, 0.62), (0.24, 0.3)], p.accent)
    h = p.vary(0, 0.44, 0.6)
    p.smooth(
        [(-0.98, 0.02), (-0.6, -h * 0.85), (0, -h), (0.5, -0.2), (0.66, 0), (0.5, 0.2), (0, h), (-0.6, h * 0.85)],
        p.main,
    )
    if p.pick(1, 2):
        for x in (-0.2, 0.18):
            p.smooth(
                [(x, -h * 0.86), (x + 0.14, -h * 0.7), (x + 0.1, h * 0.6), (x - 0.04, h * 0.8), (x - 0.08, 0)],
                WHITE if p.main[1] < 215 else p.accent,
                line=False,
                shade=False,
            )
    p.line([(-0.42, -0.3), (-0.32, 0), (-0.42, 0.3)], 0.05, p.dark, curve=True)
    p.smooth([(-0.1, 0.04), (0.22, 0.0), (0.2, 0.22)], p.accent)
    p.eye(-0.62, -0.12, 0.15)


def shark(p: Pen) -> None:
    """Slender body with a tall back fin, pale belly, teeth."""
    p.poly([(-0.1, -0.24), (0.1, -0.84), (0.32, -0.2)], p.main)
    p.smooth([(0.6, 0.0), (1.02, -0.66), (0.92, -0.06), (1.0, 0.42)], p.main)
    p.smooth(
        [(-1.0, -0.06), (-0.6, -0.3), (0, -0.36), (0.5, -0.16), (0.86, -0.06), (0.5, 0.16), (0, 0.32), (-0.6, 0.3)],
        p.main,
    )
    p.smooth([(-0.86, 0.1), (-0.4, 0.12), (0.4, 0.08), (0, 0.3), (-0.56, 0.28)], WHITE, line=False, shade=False)
    p.poly([(-0.16, 0.2), (0.06, 0.72), (0.24, 0.2)], p.main)
    p.line([(-0.84, 0.12), (-0.64, 0.16), (-0.46, 0.08)], 0.05, INK, curve=True)
    for k in range(3):
        x = -0.78 + 0.11 * k
        p.poly([(x, 0.12), (x + 0.05, 0.24), (x + 0.1, 0.12)], WHITE, line=False, shade=False)
    for x in (-0.36, -0.27, -0.18):
        p.line([(x, -0.12), (x, 0.08)], 0.03, p.dark)
    p.eye(-0.66, -0.1, 0.09)


def whale(p: Pen) -> None:
    """Big round head, raised tail fluke, pale grooved belly, a spout."""
    p.smooth(
        [(0.62, -0.12), (0.74, -0.5), (0.42, -0.82), (0.84, -0.72), (1.06, -0.94), (1.02, -0.5), (0.9, 0.1)], p.main
    )
    p.smooth(
        [
            (-0.98, 0.2),
            (-0.86, -0.24),
            (-0.4, -0.46),
            (0.1, -0.34),
            (0.5, 0.02),
            (0.72, -0.2),
            (0.94, -0.1),
            (0.8, 0.44),
            (0.3, 0.7),
            (-0.4, 0.74),
            (-0.86, 0.56),
        ],
        p.main,
    )
    p.smooth(
        [(-0.94, 0.34), (-0.4, 0.4), (0.2, 0.48), (0.3, 0.66), (-0.4, 0.72), (-0.84, 0.54)],
        WHITE,
        line=False,
        shade=False,
    )
    for k in range(3):
        p.line([(-0.8 + 0.14 * k, 0.48 + 0.07 * k), (0.1, 0.56 + 0.04 * k)], 0.025, (170, 180, 190))
    p.smooth([(-0.2, 0.44), (0.1, 0.5), (0.16, 0.86), (-0.1, 0.72)], p.dark)
    p.eye(-0.62, 0.1, 0.1)
    for dx in (-0.24, 0.24):
        p.line(
            [(-0.4, -0.46), (-0.4 + dx * 0.4, -0.82), (-0.4 + dx, -0.86), (-0.4 + dx * 1.3, -0.68)],
            0.08,
            (200, 232, 250),
            curve=True,
        )


def jellyfish(p: Pen) -> None:
    """Glowing bell with a frilled hem and long wavy tentacles."""
    for k in range(5):
        x = -0.5 + 0.25 * k
        sway = 0.14 * math.sin(2.1 * k + 6.28 * p.u[0])
        p.limb([(x, 0), (x + sway, 0.34), (x - sway, 0.66), (x + sway, 0.98)], 0.09, p.light if k % 2 else p.main)
    p.smooth(
        [
            (-0.72, 0.04),
            (-0.66, -0.5),
            (-0.36, -0.86),
            (0, -0.96),
            (0.36, -0.86),
            (0.66, -0.5),
            (0.72, 0.04),
            (0.36, -0.04),
            (0, 0.1),
            (-0.36, -0.04),
        ],
        p.main,
    )
    p.ellipse(-0.24, -0.56, 0.2, 0.14, tone(p.main, 0.6), angle=-0.6, line=False, shade=False)
    for x in (-0.44, 0.0, 0.44):
        p.dot(x, -0.2, 0.09, p.accent)
    if p.pick(1, 2):
        p.eye(-0.2, -0.28, 0.1)
        p.eye(0.2, -0.28, 0.1)


def octopus(p: Pen) -> None:
    """Bulbous head with big eyes, curling arms with suckers."""
    for side in (-1, 1):
        for k, (reach, drop) in enumerate(((0.98, 0.25), (0.8, 0.72), (0.36, 0.96))):
            curl = p.vary(k, 0.05, 0.25)
            p.limb(
                [
                    (0.14 * side, 0.2),
                    (0.6 * reach * side, 0.5 + 0.3 * k / 2),
                    (reach * side, drop),
                    (reach * side - 0.12 * side, drop - curl - 0.06),
                ],
                0.2,
                p.main,
            )
            p.dot(0.56 * reach * side, 0.52 + 0.14 * k, 0.05, p.light)
    p.mirror([(0, -0.96), (0.4, -0.86), (0.58, -0.46), (0.44, -0.06), (0.36, 0.34), (0, 0.46)], p.main)
    p.ellipse(-0.26, -0.66, 0.14, 0.1, p.light, line=False, shade=False)
    p.eye(-0.2, -0.06, 0.16)
    p.eye(0.2, -0.06, 0.16)
    p.line([(-0.12, 0.22), (0, 0.28), (0.12, 0.22)], 0.05, INK, curve=True)


def turtle(p: Pen) -> None:
    """Domed patterned shell, head on a neck, flippers."""
    skin = (150, 178, 96) if p.main[1] < p.main[0] or p.main[2] > p.main[1] else (214, 190, 120)
    p.smooth([(0.7, 0.5), (1.02, 0.62), (0.8, 0.72)], skin)
    for x in (-0.42, 0.5):
        p.smooth([(x - 0.16, 0.5), (x + 0.2, 0.5), (x + 0.2, 0.98), (x - 0.2, 0.98)], skin)
    p.smooth([(-0.5, 0.5), (-0.66, 0.1), (-0.86, -0.14), (-1.02, 0.06), (-0.94, 0.28), (-0.74, 0.6)], skin)
    p.smooth([(-0.72, 0.6), (-0.58, 0.0), (-0.2, -0.42), (0.2, -0.44), (0.6, -0.04), (0.8, 0.6), (0, 0.68)], p.main)
    for x, y, r in ((0.03, -0.1, 0.22), (-0.36, 0.24, 0.18), (0.44, 0.24, 0.18), (0.04, 0.42, 0.16)):
        p.poly(
            [(x + r * math.cos(k * math.pi / 3), y + r * 0.9 * math.sin(k * math.pi / 3)) for k in range(6)],
            p.dark,
            shade=False,
        )
    p.limb([(-0.74, 0.6), (0.03, 0.7), (0.82, 0.6)], 0.1, p.light)
    p.eye(-0.88, 0.02, 0.09)


def crab(p: Pen) -> None:
    """Wide shell, eyes on stalks, two raised claws, six legs."""
    for side in (-1, 1):
        for k in range(3):
            p.limb(
                [
                    (0.4 * side, 0.4),
                    (side * (0.86 - 0.12 * k), 0.36 + 0.16 * k),
                    (side * (0.94 - 0.2 * k), 0.72 + 0.12 * k),
                ],
                0.1,
                p.dark,
                curve=False,
            )
        p.limb([(0.46 * side, 0.2), (0.86 * side, 0.0), (0.72 * side, -0.4)], 0.13, p.main)
        p.poly(
            [
                (0.72 * side, -0.2),
                (0.42 * side, -0.42),
                (0.5 * side, -0.8),
                (0.68 * side, -0.5),
                (0.92 * side, -0.84),
                (1.02 * side, -0.4),
            ],
            p.main,
        )
        p.limb([(0.18 * side, 0.1), (0.2 * side, -0.26)], 0.07, p.main, curve=False)
        p.eye(0.2 * side, -0.3, 0.12)
    p.smooth(
        [(-0.66, 0.3), (-0.4, -0.02), (0, -0.08), (0.4, -0.02), (0.66, 0.3), (0.4, 0.66), (0, 0.72), (-0.4, 0.66)],
        p.main,
    )
    p.line([(-0.16, 0.4), (0, 0.48), (0.16, 0.4)], 0.05, INK, curve=True)


def seahorse(p: Pen) -> None:
    """Upright S-shaped body, snout, crest, back fin, curled tail."""
    p.smooth([(0.3, -0.1), (0.66, -0.14), (0.6, 0.24), (0.3, 0.3)], p.accent)
    path = [
        (-0.02, -0.62),
        (0.16, -0.3),
        (0.14, 0.14),
        (-0.04, 0.5),
        (-0.14, 0.78),
        (0.1, 0.94),
        (0.26, 0.76),
        (0.12, 0.7),
    ]
    p.limb(path, 0.16, p.main)
    p.smooth([(-0.14, -0.5), (0.2, -0.6), (0.42, -0.1), (0.3, 0.36), (0, 0.6), (-0.16, 0.2), (-0.1, -0.1)], p.main)
    for y in (-0.2, 0.0, 0.2, 0.38):
        p.line([(-0.1, y), (0.08, y + 0.04)], 0.05, p.light)
    p.smooth(
        [
            (-0.72, -0.56),
            (-0.36, -0.66),
            (-0.2, -0.9),
            (0.08, -0.94),
            (0.22, -0.7),
            (0.08, -0.46),
            (-0.2, -0.44),
            (-0.7, -0.42),
        ],
        p.main,
    )
    p.poly(
        [(-0.12, -0.88), (-0.06, -1.04), (0.04, -0.94), (0.16, -1.04), (0.18, -0.88), (0.34, -0.86), (0.22, -0.68)],
        p.accent,
        shade=False,
    )
    p.eye(-0.08, -0.7, 0.1)
