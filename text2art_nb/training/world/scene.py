"""Scenes: what a picture shows, as indices; sampling them and drawing them."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache, partial

import cv2
import numpy as np
from numpy.typing import NDArray

from text2art_nb.training.world.pen import Colour, Image, Pen, Tints, luma, tone
from text2art_nb.training.world.places import PLACES, THING_LIGHT, TIMES, WEATHERS, Place, ground_light
from text2art_nb.training.world.styles import STYLES
from text2art_nb.training.world.things import THINGS

COLOURS: dict[str, Colour] = {
    "red": (222, 58, 52),
    "orange": (244, 138, 44),
    "yellow": (248, 212, 66),
    "green": (76, 172, 80),
    "blue": (58, 112, 214),
    "purple": (142, 76, 190),
    "pink": (246, 140, 184),
    "brown": (142, 92, 56),
    "black": (54, 52, 62),
    "white": (244, 242, 238),
    "grey": (150, 154, 162),
}
_ACCENTS: dict[str, tuple[str, ...]] = {
    "red": ("yellow", "white", "blue"),
    "orange": ("white", "blue", "brown"),
    "yellow": ("red", "blue", "orange"),
    "green": ("yellow", "red", "white"),
    "blue": ("yellow", "white", "red"),
    "purple": ("yellow", "pink", "white"),
    "pink": ("purple", "white", "red"),
    "brown": ("yellow", "red", "green"),
    "black": ("red", "yellow", "grey"),
    "white": ("blue", "red", "grey"),
    "grey": ("blue", "red", "purple"),
}
SIZES = ("small", "medium", "large")
COUNTS = ("one", "two", "three")
POSITIONS = ("left", "centre", "right")
RELATIONS = ("none", "left of", "above", "in front of")

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "thing": tuple(t.name for t in THINGS),
    "colour": tuple(COLOURS),
    "size": SIZES,
    "count": COUNTS,
    "position": POSITIONS,
    "relation": RELATIONS,
    "thing2": tuple(t.name for t in THINGS),
    "colour2": tuple(COLOURS),
    "place": tuple(p.name for p in PLACES),
    "time": TIMES,
    "weather": WEATHERS,
    "style": tuple(s.name for s in STYLES),
}
NAMES = tuple(ATTRIBUTES)
_COLOUR_VALUES = tuple(COLOURS.values())
_STYLE_WEIGHTS = np.cumsum([s.weight for s in STYLES]) / sum(s.weight for s in STYLES)
_NATURAL = tuple(tuple(ATTRIBUTES["colour"].index(c) for c in t.natural) for t in THINGS)


@dataclass(frozen=True, slots=True)
class Scene:
    """A picture as indices into ATTRIBUTES; `thing2` and `colour2` are -1 where `relation` is 0 ("none").

    `variant` (0 <= variant < 2**63) fixes every free choice: shapes of parts, jitter, clouds.
    """

    thing: int
    colour: int
    size: int = 2
    count: int = 0
    position: int = 1
    relation: int = 0
    thing2: int = -1
    colour2: int = -1
    place: int = 0
    time: int = 0
    weather: int = 0
    style: int = 0
    variant: int = 0


def _held_out() -> tuple[frozenset[tuple[int, int]], frozenset[tuple[int, int]]]:
    places = frozenset((i, (5 * i + 3) % len(PLACES)) for i in range(0, len(THINGS)))
    styles = frozenset((i, (3 * i + 1) % len(STYLES)) for i in range(1, len(THINGS), 2))
    return places, styles


HELD_OUT_PLACES, HELD_OUT_STYLES = _held_out()
HELD_OUT: frozenset[tuple[str, str]] = frozenset(
    {(ATTRIBUTES["thing"][i], ATTRIBUTES["place"][j]) for i, j in HELD_OUT_PLACES}
    | {(ATTRIBUTES["thing"][i], ATTRIBUTES["style"][j]) for i, j in HELD_OUT_STYLES}
)
"""Pairs (thing, place) and (thing, style) that no training picture shows: 6 % of the former, 5 % of the latter."""


def is_held_out(scene: Scene) -> bool:
    """Whether a thing of the scene stands in a place or style in which no training picture shows it."""
    things = (scene.thing,) if scene.relation == 0 else (scene.thing, scene.thing2)
    return any((t, scene.place) in HELD_OUT_PLACES or (t, scene.style) in HELD_OUT_STYLES for t in things)


def sample_scenes(
    rng: np.random.Generator, n: int, *, held_out: bool = False, relations: float = 0.17, counts: float = 0.07
) -> list[Scene]:
    """`n` random scenes, none of them with a held-out pair, or each of them with one.

    `relations` and `counts` are the shares of scenes with two things and with two or three of the same.
    """
    scenes: list[Scene] = []
    while len(scenes) < n:
        for row, variant in zip(rng.random((n, 16)).tolist(), rng.integers(0, 2**62, n).tolist(), strict=True):
            scene = _scene(row, variant, relations, counts)
            if held_out and not is_held_out(scene):
                scene = _into_held_out(scene, row[15])
            if is_held_out(scene) == held_out:
                scenes.append(scene)
    return scenes[:n]


def _pick_colour(thing: int, u: float) -> int:
    natural = _NATURAL[thing]
    if u < 0.3:
        return natural[int(u / 0.3 * len(natural))]
    return int((u - 0.3) / 0.7 * len(COLOURS))


def _scene(u: list[float], variant: int, relations: float, counts: float) -> Scene:
    thing = int(u[0] * len(THINGS))
    place = int(u[1] * len(PLACES))
    where = PLACES[place]
    weather = 1 + int(u[3] / 0.16 * 4) if where.outdoors and u[3] < 0.16 else 0
    relation, thing2, colour2, count = 0, -1, -1, 0
    if u[4] < relations:
        relation = 1 if u[4] < 0.45 * relations else 2 if u[4] < 0.75 * relations else 3
        thing2 = (thing + 1 + int(u[5] * (len(THINGS) - 1))) % len(THINGS)
        colour2 = _pick_colour(thing2, u[6])
    elif u[4] < relations + counts:
        count = 1 if u[4] < relations + 0.6 * counts else 2
    return Scene(
        thing=thing,
        colour=_pick_colour(thing, u[7]),
        size=2 if u[8] < 0.68 else 1 if u[8] < 0.93 else 0,
        count=count,
        position=1 if u[9] < 0.56 else 0 if u[9] < 0.78 else 2,
        relation=relation,
        thing2=thing2,
        colour2=colour2,
        place=place,
        time=0 if u[2] < 0.36 else 1 if u[2] < 0.58 else 2 if u[2] < 0.82 else 3,
        weather=weather,
        style=int(np.searchsorted(_STYLE_WEIGHTS, u[10])),
        variant=variant,
    )


def _into_held_out(scene: Scene, u: float) -> Scene:
    by_style = [s for t, s in HELD_OUT_STYLES if t == scene.thing]
    if by_style and u < 0.5:
        return replace(scene, style=by_style[0])
    place = next(p for t, p in HELD_OUT_PLACES if t == scene.thing)
    return replace(scene, place=place, weather=scene.weather if PLACES[place].outdoors else 0)


def vary(scene: Scene, attribute: str, rng: np.random.Generator, k: int) -> list[Scene]:
    """`k` scenes that differ from `scene` (and each other) only in `attribute`, with the same variant.

    `attribute` is one of "thing", "colour", "place", "style", "time", "size", "position", "count", "thing2", "colour2"
    or "relation", which swaps the two things (k = 1 at most). Held-out pairs come up only if `scene` has one itself.
    Fewer than `k` come back where there are no more. Raises ValueError for another attribute, or one that the picture
    doesn't show (`attributes(scene)` is -1 there).
    """
    if attribute == "relation":
        if scene.relation == 0:
            raise ValueError("a scene without a relation has nothing to swap")
        return [replace(scene, thing=scene.thing2, colour=scene.colour2, thing2=scene.thing, colour2=scene.colour)][:k]
    if attribute not in NAMES or attribute == "weather":
        raise ValueError(f"cannot vary {attribute!r}")
    if attributes(scene)[NAMES.index(attribute)] < 0:
        raise ValueError(f"{attribute} cannot be told from this scene")
    now = getattr(scene, attribute)
    other = {"thing": scene.thing2, "thing2": scene.thing}.get(attribute, -1)
    values = [v for v in rng.permutation(len(ATTRIBUTES[attribute])).tolist() if v not in (now, other)]
    if attribute == "place":
        values = [v for v in values if PLACES[v].outdoors or scene.weather == 0]
    varied = (replace(scene, **{attribute: v}) for v in values)
    return [s for s in varied if is_held_out(scene) or not is_held_out(s)][:k]


def attributes(scene: Scene) -> NDArray[np.int16]:
    """What the picture shows, int16 [len(ATTRIBUTES)]; -1: it doesn't (colours of a pencil sketch, hour in space)."""
    single = scene.relation == 0 and scene.count == 0
    coloured = STYLES[scene.style].colours
    return np.array(
        (
            scene.thing,
            scene.colour if coloured else -1,
            scene.size if single else -1,
            scene.count,
            scene.position if single else -1,
            scene.relation,
            scene.thing2,
            scene.colour2 if coloured else -1,
            scene.place,
            scene.time if PLACES[scene.place].timed else -1,
            scene.weather,
            scene.style,
        ),
        dtype=np.int16,
    )


def holds(stated: NDArray[np.int16], shown: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Which captions are true of which pictures: `stated` [n, A], `shown` [m, A] (from `attributes`) -> bool [n, m].

    Everything stated must be shown. In a picture of two things, a caption about one thing may mean either, and
    a caption naming both without a relation may name them in either order.
    """
    direct = ((stated[:, None] == -1) | (stated[:, None] == shown[None])).all(-1)
    swapped = shown.copy()
    t, c, t2, c2, r = (NAMES.index(k) for k in ("thing", "colour", "thing2", "colour2", "relation"))
    swapped[:, [t, c, t2, c2]] = shown[:, [t2, c2, t, c]]
    either = ((stated[:, None] == -1) | (stated[:, None] == swapped[None])).all(-1)
    return np.asarray(direct | (either & (stated[:, None, r] == -1)))


# -- drawing


@lru_cache(maxsize=128)
def _tints(colour: int, accent: int, shade: int = 1) -> Tints:
    main = tone(_COLOUR_VALUES[colour], (-0.08, 0.0, 0.08)[shade])
    name = ATTRIBUTES["colour"][colour]
    light = tone(main, 0.34) if name not in ("white", "yellow") else tone(main, 0.5)
    dark = tone(main, -0.3) if name != "black" else (36, 34, 44)
    if name == "black":
        light = (92, 92, 106)
    return Tints(main, light, dark, COLOURS[_ACCENTS[name][accent]])


@lru_cache(maxsize=8)
def _mist(n: int) -> NDArray[np.float32]:
    y, x = np.mgrid[-1 : 1 : n * 1j, -1 : 1 : n * 1j]
    return np.asarray(np.clip(1.25 - 1.25 * np.sqrt(x * x + y * y), 0, 1), np.float32)[..., None]


def _part_from(pen: Pen, x: float, y: float, scale: float, tints: Tints, coloured: bool) -> None:
    """Where the ground behind a thing has nearly the thing's colour, blend a pale or dark mist behind the thing."""
    image = pen.image
    height, width = image.shape[:2]
    cx, cy, r = width / 2 + x * pen.unit, height / 2 + y * pen.unit, scale * pen.unit * 1.25
    x0, x1 = max(0, round(cx - r)), min(width, round(cx + r))
    y0, y1 = max(0, round(cy - r)), min(height, round(cy + r))
    if x1 - x0 < 4 or y1 - y0 < 4:
        return
    step = max(1, (x1 - x0) // 8)
    sample = image[y0:y1:step, x0:x1:step].reshape(-1, 3).astype(np.float32)
    main = pen._lit(tints.main)
    if pen.hand.fill == "dark":
        return
    if coloured:
        near = np.abs(sample - np.asarray(main, np.float32)).sum(axis=1) < 125
    else:
        near = np.abs(sample @ np.array((0.299, 0.587, 0.114), np.float32) - luma(main)) < 42
    share = float(near.mean())
    if share < 0.3:
        return
    mean = sample.mean(axis=0)
    bright = luma(main) < 165
    mist = mean * 0.2 + np.array((204, 200, 188), np.float32) if bright else mean * (0.5, 0.54, 0.62)
    n = max(4, round(2 * r))
    mask = _mist(n)
    ox, oy = x0 - round(cx - r), y0 - round(cy - r)
    part = mask[oy : oy + y1 - y0, ox : ox + x1 - x0]
    if part.shape[:2] != (y1 - y0, x1 - x0):
        part = cv2.resize(mask, (x1 - x0, y1 - y0))[..., None]
    k = part * min(0.64, 0.32 + share * 0.4)
    view = image[y0:y1, x0:x1]
    view[:] = (view * (1 - k) + mist.astype(np.float32) * k).astype(np.uint8)


def layout(scene: Scene, u: list[float]) -> list[tuple[int, int, float, float, float]]:
    """(thing, colour, x, y of the middle, half height) of everything in the scene, in picture units, from the back.

    `u`: at least 8 free numbers 0..1.
    """
    jx, jy = (u[0] - 0.5) * 0.05, (u[1] - 0.5) * 0.04

    def standing(thing: int, scale: float, base: float, hover: float) -> float:
        return hover if THINGS[thing].floats else base - scale

    if scene.relation:
        return _pair(scene, 0.9 + 0.2 * u[2], jx, jy)
    if scene.count:
        n = scene.count + 1
        s = (0.235, 0.165)[n - 2] * (0.92 + 0.16 * u[2])
        gap = (0.49, 0.325)[n - 2]
        out = []
        for i in range(n):
            lift = 0.05 * (u[3 + i] - 0.5) + (0.05 if i % 2 else 0.0)
            out.append(
                (scene.thing, scene.colour, (i - (n - 1) / 2) * gap + jx, standing(scene.thing, s, 0.36, 0.0) + lift, s)
            )
        return out
    s = (0.15, 0.26, 0.405)[scene.size] * (0.94 + 0.12 * u[2])
    base = (0.32, 0.38, 0.435)[scene.size]
    shift = (0.3, 0.22, 0.11)[scene.size]
    x = (scene.position - 1) * shift + jx
    return [(scene.thing, scene.colour, x, standing(scene.thing, s, base, (-0.08, -0.04, -0.01)[scene.size]) + jy, s)]


def _pair(scene: Scene, k: float, jx: float, jy: float) -> list[tuple[int, int, float, float, float]]:
    """`layout` of two things; `k`: how large they are, about 1."""
    first, second = (scene.thing, scene.colour), (scene.thing2, scene.colour2)
    floats, floats2 = THINGS[scene.thing].floats, THINGS[scene.thing2].floats
    if RELATIONS[scene.relation] == "left of":
        s = 0.215 * k
        return [
            (*first, -0.245 + jx, (0.0 if floats else 0.36 - s) + jy, s),
            (*second, 0.245 + jx, (0.0 if floats2 else 0.36 - s) - jy, s),
        ]
    if RELATIONS[scene.relation] == "above":
        s = 0.215 * k
        top = 0.425 + jy - 2 * s  # what can't fly stands on the lower one
        return [(*second, 2 * jx, top + s, s), (*first, -2 * jx, (-0.235 + jy) if floats else top + 0.035 - s, s)]
    s, s2 = 0.2 * k, 0.31 * k
    return [
        (*second, 0.1 + jx, (-0.05 if floats2 else 0.36 - s2) + jy, s2),
        (*first, -0.19 + jx, (0.2 if floats else 0.46 - s) - jy, s),
    ]


def _draw_thing(
    pen: Pen, scene: Scene, spot: tuple[int, int, float, float, float], u: list[float], place: Place
) -> None:
    thing, colour, x, y, scale = spot
    kind = THINGS[thing]
    tints = _tints(colour, int(u[15] * 3), int(u[15] * 9) % 3)
    _part_from(pen, x, y, scale, tints, STYLES[scene.style].colours)
    if place.ground and not kind.floats and scene.relation != 2:
        base = y + scale
        pen.ellipse(x, base, scale * 0.95, scale * 0.1, _ground_shadow(pen, x, base), line=False, shade=False)
    angle = (u[14] - 0.5) * (0.24 if kind.floats else 0.06)
    kind.draw(pen.at(x, y, scale, tints, u, flip=u[13] < 0.5, angle=angle, stretch=0.93 + 0.14 * u[12]))


def _ground_shadow(pen: Pen, x: float, y: float) -> Colour:
    height, width = pen.image.shape[:2]
    px = min(max(int(width / 2 + x * pen.unit), 0), width - 1)
    py = min(max(int(height / 2 + y * pen.unit), 0), height - 1)
    r, g, b = pen.image[py, px].tolist()
    f = pen.illumination
    return (r * 0.68 / f[0], g * 0.68 / f[1], b * 0.74 / f[2])


def _weather(pen: Pen, weather: str, u: list[float]) -> None:
    if weather == "rain":
        for k in range(round(34 * 2 * pen.half_width)):
            x = (((k + 1) * 0.7549 + u[0]) % 1 * 2 - 1) * pen.half_width
            y = (((k + 1) * 0.5698 + u[1]) % 1 * 2 - 1) * pen.half_height
            pen.line([(x, y), (x - 0.02, y + 0.07)], 0.007, (206, 226, 250))
    elif weather == "snowfall":
        for k in range(round(40 * 2 * pen.half_width)):
            x = (((k + 1) * 0.7549 + u[0]) % 1 * 2 - 1) * pen.half_width
            y = (((k + 1) * 0.5698 + u[1]) % 1 * 2 - 1) * pen.half_height
            pen.dot(x, y, 0.008 + 0.006 * (k % 3 == 0), (255, 255, 255))
    elif weather == "fog":
        height = pen.image.shape[0]
        veil = np.clip(np.linspace(-0.1, 1.2, height), 0, 0.62)[:, None, None].astype(np.float32)
        grey = (222, 226, 232) if not pen.night else (120, 128, 156)
        pen.image[:] = (pen.image * (1 - veil * 0.7) + np.asarray(grey, np.float32) * (veil * 0.7)).astype(np.uint8)


def _rainbow(pen: Pen) -> None:
    colours = ((236, 84, 84), (250, 170, 70), (250, 232, 110), (110, 200, 110), (90, 150, 236), (160, 110, 210))
    angles = np.linspace(np.pi, 2 * np.pi, 20)
    for k, colour in enumerate(colours):
        r = 0.5 - 0.026 * k
        pen.line(np.stack([r * np.cos(angles), 0.2 + r * 1.15 * np.sin(angles)], axis=1), 0.03, colour)


def render(scene: Scene, size: int | tuple[int, int]) -> Image:
    """The picture of a scene: uint8 [height, width, 3] RGB; `size` is its side, or (width, height), each >= 8.

    A pure function; the same picture at every size of the same shape. A picture that isn't square shows more to the
    sides or above and below. Raises ValueError for a smaller one.
    """
    width, height = (size, size) if isinstance(size, int) else size
    if min(width, height) < 8:
        raise ValueError(f"a picture is at least 8 pixels wide and high, not {width} x {height}")
    fine = 2 if min(width, height) < 1024 else 1
    style, place = STYLES[scene.style], PLACES[scene.place]
    image = np.zeros((height * fine, width * fine, 3), np.uint8)
    u = np.random.default_rng(scene.variant).random(96).tolist()
    time = TIMES[scene.time]
    pen = Pen(image, min(width, height) * float(fine), style.hand, _tints(0, 0), ground_light(place, time), u[:40])
    pen.night = place.timed and time == "night"
    place.draw(pen, time)
    weather = WEATHERS[scene.weather]
    if weather == "rainbow":
        _rainbow(pen)
    elif weather == "fog":
        _weather(pen, weather, u[40:])
    ground, pen.illumination = pen.illumination, THING_LIGHT[time] if place.timed else (1.0, 1.0, 1.0)
    for i, spot in enumerate(layout(scene, u[40:48])):
        _draw_thing(pen, scene, spot, u[48 + 3 * i : 64 + 3 * i], place)
    pen.illumination = ground
    if place.front:
        place.front(pen, time)
    if weather in ("rain", "snowfall"):
        _weather(pen, weather, u[40:])
    if fine > 1:
        image = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8)
    return style.finish(image, u[80:]) if style.finish else image


def render_many(scenes: Sequence[Scene], size: int | tuple[int, int], processes: int = 1) -> Image:
    """All pictures at once: uint8 [n, height, width, 3]; with `processes` > 1, over that many processes."""
    draw = partial(render, size=size)
    if processes <= 1 or len(scenes) < 64:
        return np.stack([draw(s) for s in scenes])
    with ProcessPoolExecutor(processes) as pool:
        return np.stack(list(pool.map(draw, scenes, chunksize=32)))
