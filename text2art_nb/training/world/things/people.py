"""People and spirits: each function draws one thing with a `Pen` in local coordinates (x, y in -1..1, y down)."""

from text2art_nb.training.world.pen import GLASS, GOLD, INK, ROSE, SILVER, SKIN, WHITE, WOOD, Pen, tone
from text2art_nb.training.world.things.plants import star_points


def knight(p: Pen) -> None:
    """Armoured figure: plumed helmet with a visor, sword held up, shield."""
    p.smooth([(-0.3, -0.3), (0.3, -0.3), (0.46, 0.9), (-0.46, 0.9)], p.main)
    for x in (-0.17, 0.17):
        p.limb([(x, 0.5), (x, 0.92)], 0.22, SILVER, curve=False)
        p.ellipse(x - 0.05, 0.95, 0.17, 0.08, tone(SILVER, -0.3))
    p.mirror([(0, -0.3), (0.34, -0.26), (0.34, 0.2), (0.28, 0.56), (0, 0.6)], p.main)
    p.line([(-0.28, 0.26), (0.28, 0.26)], 0.08, GOLD)
    p.limb([(0.3, -0.14), (0.6, 0.02), (0.66, -0.1)], 0.17, SILVER)
    p.poly([(0.62, -0.06), (0.62, -0.86), (0.69, -1.0), (0.76, -0.86), (0.76, -0.06)], (226, 232, 240))
    p.line([(0.5, -0.06), (0.88, -0.06)], 0.08, GOLD)
    p.mirror([(0, -0.86), (0.24, -0.8), (0.32, -0.5), (0.28, -0.26), (0, -0.22)], SILVER)
    p.rect(-0.2, -0.56, 0.2, -0.46, INK, line=False, shade=False)
    p.line([(0, -0.46), (0, -0.26)], 0.03, tone(SILVER, -0.5))
    p.smooth(
        [(0, -0.82), (0.06, -1.0), (-0.3, -1.02), (-0.46, -0.7), (-0.26, -0.8)], p.accent if p.pick(0, 2) else p.main
    )
    shield = [(-0.78, -0.16), (-0.46, -0.24), (-0.14, -0.16), (-0.18, 0.28), (-0.46, 0.52), (-0.74, 0.28)]
    p.poly(shield, p.main)
    p.line([(-0.46, -0.18), (-0.46, 0.44)], 0.09, WHITE if p.main[1] < 215 else GOLD)
    p.line([(-0.7, 0.04), (-0.22, 0.04)], 0.09, WHITE if p.main[1] < 215 else GOLD)


def wizard(p: Pen) -> None:
    """Robe, tall starred hat with a wide brim, long beard, staff with an orb."""
    p.limb([(0.62, 0.98), (0.6, -0.5)], 0.08, WOOD, curve=False)
    p.ellipse(0.6, -0.62, 0.15, 0.15, p.accent)
    p.smooth([(-0.2, -0.2), (0.2, -0.2), (0.5, 0.6), (0.56, 0.98), (0, 1.02), (-0.56, 0.98), (-0.5, 0.6)], p.main)
    p.smooth([(0.14, -0.1), (0.62, 0.06), (0.7, 0.24), (0.34, 0.3)], p.main)
    p.ellipse(0, -0.3, 0.25, 0.24, SKIN)
    p.smooth([(-0.26, -0.26), (0, -0.16), (0.26, -0.26), (0.24, 0.16), (0.02, 0.6), (-0.2, 0.16)], WHITE)
    for x in (-0.1, 0.1):
        p.dot(x, -0.34, 0.045, INK)
    bend = p.vary(0, -0.2, 0.25)
    p.smooth([(-0.32, -0.42), (-0.12, -0.78), (bend, -1.06), (0.14, -0.72), (0.32, -0.42)], p.main)
    p.ellipse(0, -0.45, 0.52, 0.1, p.dark)
    for x, y in ((0.0, -0.66), (-0.28, 0.6), (0.26, 0.78)):
        p.poly(star_points(x, y, 0.1, 0.04), GOLD if p.main[2] > 90 else WHITE, line=False, shade=False)


def robot(p: Pen) -> None:
    """Boxy body with dials, square head, antenna, lamp eyes, jointed arms."""
    for s in (-1, 1):
        p.limb([(0.44 * s, 0.0), (0.74 * s, 0.14), (0.7 * s, 0.46)], 0.12, SILVER, curve=False)
        p.ellipse(0.7 * s, 0.52, 0.12, 0.12, p.dark)
        p.limb([(0.22 * s, 0.6), (0.22 * s, 0.88)], 0.15, SILVER, curve=False)
        p.rect(0.22 * s - 0.18, 0.86, 0.22 * s + 0.18, 1, p.dark)
    p.line([(0, -0.7), (0, -0.94)], 0.05, INK)
    p.dot(0, -0.95, 0.08, p.accent)
    p.rect(-0.46, -0.12, 0.46, 0.66, p.main)
    p.rect(-0.4, -0.74, 0.4, -0.18, p.main)
    for s in (-1, 1):
        p.rect(0.4 * s - 0.06, -0.54, 0.4 * s + 0.06, -0.36, p.dark)
        p.ellipse(0.18 * s, -0.52, 0.12, 0.12, (255, 240, 150), shade=False)
        p.dot(0.18 * s, -0.52, 0.05, INK)
    p.rect(-0.22, -0.34, 0.22, -0.26, INK, line=False, shade=False)
    p.rect(-0.3, 0.02, 0.3, 0.4, p.light, shade=False)
    if p.pick(0, 2):
        p.line(
            [(-0.24, 0.22), (-0.1, 0.22), (-0.02, 0.08), (0.08, 0.34), (0.14, 0.22), (0.24, 0.22)], 0.04, (220, 60, 60)
        )
    else:
        for k, c in enumerate(((230, 70, 60), GOLD, (80, 180, 90))):
            p.dot(-0.18 + 0.18 * k, 0.2, 0.07, c)
    p.line([(-0.3, 0.53), (0.3, 0.53)], 0.05, p.dark)


def astronaut(p: Pen) -> None:
    """Space suit in the named colour, round helmet with a dark visor, life-support pack."""
    p.rect(-0.46, -0.24, 0.46, 0.44, tone(p.main, -0.4))
    for s in (-1, 1):
        p.limb([(0.17 * s, 0.4), (0.24 * s, 0.88)], 0.26, p.main, curve=False)
        p.ellipse(0.27 * s, 0.94, 0.2, 0.09, tone(p.main, -0.5))
    raised = p.pick(0, 2)
    p.limb([(-0.3, -0.06), (-0.66, 0.1), (-0.72, 0.34)], 0.2, p.main)
    p.limb(
        [(0.3, -0.06), (0.66, -0.1), (0.76, -0.46)] if raised else [(0.3, -0.06), (0.66, 0.1), (0.72, 0.34)],
        0.2,
        p.main,
    )
    p.smooth(
        [(-0.36, -0.16), (0, -0.22), (0.36, -0.16), (0.36, 0.3), (0.28, 0.56), (-0.28, 0.56), (-0.36, 0.3)], p.main
    )
    p.rect(-0.18, 0.06, 0.18, 0.26, SILVER)
    p.dot(-0.08, 0.16, 0.05, (220, 60, 60))
    p.dot(0.08, 0.16, 0.05, (70, 150, 220))
    p.ellipse(0, -0.54, 0.46, 0.43, WHITE)
    p.ellipse(0, -0.5, 0.34, 0.28, (46, 60, 100), shade=False)
    p.smooth([(-0.24, -0.54), (-0.1, -0.7), (0.04, -0.72), (-0.14, -0.5)], GLASS, line=False, shade=False)


def ghost(p: Pen) -> None:
    """Floating sheet with a wavy hem, dark eyes and mouth."""
    p.smooth(
        [
            (-0.6, 0.86),
            (-0.66, 0.2),
            (-0.58, -0.5),
            (-0.3, -0.86),
            (0, -0.94),
            (0.3, -0.86),
            (0.58, -0.5),
            (0.66, 0.2),
            (0.6, 0.86),
            (0.42, 0.98),
            (0.3, 0.78),
            (0.14, 0.98),
            (0, 0.8),
            (-0.14, 0.98),
            (-0.3, 0.78),
            (-0.42, 0.98),
        ],
        p.main,
    )
    for s in (-1, 1):
        p.smooth([(0.56 * s, -0.06), (0.86 * s, -0.16), (0.92 * s, 0.06), (0.6 * s, 0.26)], p.main)
        face = INK if p.main[0] + p.main[1] + p.main[2] > 220 else WHITE
        p.ellipse(0.2 * s, -0.36, 0.12, 0.18, face, line=False, shade=False)
        p.dot(0.4 * s, -0.08, 0.08, ROSE)
    p.ellipse(0, 0.06, 0.13, 0.17 if p.pick(0, 2) else 0.09, face, line=False, shade=False)


def snowman(p: Pen) -> None:
    """Three balls, carrot nose, stick arms; hat and scarf carry the colour."""
    for s in (-1, 1):
        p.limb([(0.36 * s, 0.0), (0.8 * s, -0.28)], 0.06, WOOD, curve=False)
        p.line([(0.68 * s, -0.2), (0.86 * s, -0.12)], 0.05, WOOD)
    p.ellipse(0, 0.62, 0.56, 0.42, (244, 248, 255))
    p.ellipse(0, 0.02, 0.42, 0.38, (244, 248, 255))
    p.ellipse(0, -0.48, 0.32, 0.3, (244, 248, 255))
    p.limb([(-0.3, -0.24), (0, -0.16), (0.3, -0.24)], 0.17, p.main)
    p.limb([(0.16, -0.18), (0.24, 0.16)], 0.15, p.main, curve=False)
    p.rect(-0.26, -1.02, 0.26, -0.68, p.main)
    p.rect(-0.46, -0.72, 0.46, -0.62, p.main)
    for y in (0.1, 0.5, 0.74):
        p.dot(-0.02, y, 0.06, INK)
    for x in (-0.12, 0.12):
        p.dot(x, -0.52, 0.055, INK)
    p.poly([(-0.04, -0.46), (-0.04, -0.36), (0.34, -0.36)], (240, 130, 40), shade=False)


def princess(p: Pen) -> None:
    """Wide ball gown, long hair, crown."""
    hair = ((236, 190, 90), (120, 70, 44), (60, 44, 44), (206, 100, 50))[p.pick(0, 4)]
    p.smooth([(-0.36, -0.5), (0, -0.86), (0.36, -0.5), (0.4, 0.1), (0.2, 0.3), (-0.2, 0.3), (-0.4, 0.1)], hair)
    for s in (-1, 1):
        p.limb([(0.18 * s, -0.14), (0.46 * s, 0.1), (0.3 * s, 0.26)], 0.11, SKIN)
    p.mirror([(0, -0.2), (0.2, -0.2), (0.16, 0.12), (0.5, 0.5), (0.78, 0.96), (0, 1.02)], p.main)
    for x in (-0.36, 0, 0.36):
        p.line([(x * 0.4, 0.3), (x, 0.9)], 0.04, p.dark)
    p.smooth(
        [(-0.74, 0.86), (-0.3, 0.8), (0, 0.88), (0.3, 0.8), (0.74, 0.86), (0.7, 0.98), (0, 1.03), (-0.7, 0.98)], p.light
    )
    p.ellipse(0, -0.48, 0.24, 0.27, SKIN)
    p.smooth([(-0.27, -0.46), (-0.2, -0.74), (0.06, -0.76), (0.27, -0.48), (0.1, -0.6)], hair, line=False)
    for x in (-0.09, 0.1):
        p.dot(x, -0.46, 0.045, INK)
    p.line([(-0.06, -0.34), (0.0, -0.31), (0.07, -0.34)], 0.03, (200, 70, 80))
    p.poly([(-0.22, -0.7), (-0.26, -0.98), (-0.1, -0.84), (0, -1.04), (0.1, -0.84), (0.26, -0.98), (0.22, -0.7)], GOLD)


def skull(p: Pen) -> None:
    """Human skull: cranium, eye sockets, nose, teeth."""
    p.mirror([(0, -0.9), (0.5, -0.8), (0.78, -0.36), (0.7, 0.16), (0.46, 0.4), (0.42, 0.86), (0, 0.9)], p.main)
    dark = INK if p.main[0] + p.main[1] + p.main[2] > 220 else tone(p.main, 0.75)
    for s in (-1, 1):
        p.ellipse(0.34 * s, -0.1, 0.23, 0.25, dark, line=False, shade=False)
        p.line([(0.14 * s, 0.54), (0.14 * s, 0.84)], 0.05, dark)
        if p.night and p.pick(0, 2):
            p.dot(0.34 * s, -0.08, 0.08, (255, 120, 60))
    p.poly([(0, 0.14), (0.12, 0.36), (-0.12, 0.36)], dark, line=False, shade=False)
    p.line([(-0.36, 0.54), (0.36, 0.54)], 0.05, dark)


def mermaid(p: Pen) -> None:
    """Long hair, a scaly tail with a fin; the tail carries the colour."""
    hair = ((206, 80, 50), (236, 190, 90), (120, 70, 44), (60, 44, 44))[p.pick(0, 4)]
    p.smooth([(-0.34, -0.6), (0, -1.0), (0.34, -0.6), (0.5, 0.0), (0.34, 0.2), (-0.34, 0.2), (-0.5, 0.0)], hair)
    p.smooth([(0.5, 0.7), (0.98, 0.42), (1.0, 0.7), (0.84, 0.84), (0.98, 1.02), (0.66, 1.0)], p.light)
    for s in (-1, 1):
        p.limb([(0.16 * s, -0.16), (0.44 * s, 0.06), (0.3 * s, 0.26)], 0.11, SKIN)
    p.mirror([(0, -0.22), (0.2, -0.2), (0.15, 0.06), (0.2, 0.2), (0, 0.24)], SKIN)
    for x in (-0.1, 0.1):
        p.ellipse(x, -0.04, 0.1, 0.09, p.accent, shade=False)
    p.smooth(
        [
            (-0.22, 0.14),
            (0.0, 0.2),
            (0.22, 0.14),
            (0.28, 0.44),
            (0.44, 0.66),
            (0.7, 0.68),
            (0.5, 0.9),
            (0.1, 0.86),
            (-0.18, 0.56),
        ],
        p.main,
    )
    for x, y in ((-0.04, 0.34), (0.12, 0.4), (0.06, 0.56), (0.22, 0.62), (0.3, 0.76)):
        p.line([(x - 0.07, y), (x, y + 0.06), (x + 0.07, y)], 0.03, p.dark, curve=True)
    p.ellipse(0, -0.52, 0.25, 0.28, SKIN)
    p.smooth([(-0.28, -0.5), (-0.2, -0.82), (0.06, -0.84), (0.28, -0.52), (0.08, -0.66)], hair, line=False)
    for x in (-0.09, 0.1):
        p.dot(x, -0.5, 0.045, INK)
    p.line([(-0.07, -0.38), (0.0, -0.34), (0.08, -0.38)], 0.03, (200, 70, 80))
    if p.pick(1, 2):
        p.poly(star_points(-0.22, -0.72, 0.13, 0.06), GOLD, shade=False)
