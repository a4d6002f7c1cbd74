"""The picture-book world: pictures are pure functions of scenes, captions are true, held-out pairs stay out."""

from dataclasses import replace

import numpy as np
import pytest

from text2art_nb.training.world import (
    ATTRIBUTES,
    HELD_OUT,
    NAMES,
    VOCABULARY,
    WORD,
    Scene,
    attributes,
    caption,
    holds,
    is_held_out,
    render,
    render_many,
    sample_scenes,
    stated_vector,
    vary,
)
from text2art_nb.training.world.captions import PLACE_WORDS, STYLE_WORDS, THING_WORDS


def _index(name: str, value: str) -> int:
    return ATTRIBUTES[name].index(value)


@pytest.fixture(scope="module")
def scenes() -> list[Scene]:
    return sample_scenes(np.random.default_rng(0), 3000)


def test_world_is_as_large_as_promised() -> None:
    assert len(ATTRIBUTES["thing"]) >= 80
    assert len(ATTRIBUTES["place"]) >= 16
    assert len(ATTRIBUTES["style"]) >= 10
    assert len(ATTRIBUTES["colour"]) == 11
    assert len(ATTRIBUTES["time"]) >= 3
    assert all(len(set(values)) == len(values) for values in ATTRIBUTES.values())


def test_same_scene_gives_the_same_picture(scenes: list[Scene]) -> None:
    for scene in scenes[:12]:
        assert np.array_equal(render(scene, 48), render(scene, 48))


def test_same_seed_gives_the_same_scenes() -> None:
    assert sample_scenes(np.random.default_rng(3), 50) == sample_scenes(np.random.default_rng(3), 50)


def test_processes_do_not_change_the_pictures(scenes: list[Scene]) -> None:
    assert np.array_equal(render_many(scenes[:64], 16), render_many(scenes[:64], 16, processes=2))


@pytest.mark.parametrize("size", [(64, 64), (96, 54), (40, 64), (33, 17), (8, 8), (200, 20)])
def test_any_size_and_shape(scenes: list[Scene], size: tuple[int, int]) -> None:
    for scene in scenes[:20]:
        picture = render(scene, size)
        assert picture.shape == (size[1], size[0], 3)
        assert picture.dtype == np.uint8
        assert picture.std() > 5


def test_too_small_a_size_is_refused(scenes: list[Scene]) -> None:
    with pytest.raises(ValueError, match="at least 8"):
        render(scenes[0], 4)


@pytest.mark.parametrize("style", ATTRIBUTES["style"])
def test_small_picture_is_the_large_one_made_smaller(style: str) -> None:
    scene = Scene(thing=_index("thing", "castle"), colour=0, style=_index("style", style), variant=5)
    small, large = render(scene, 64).astype(float), render(scene, 256).astype(float)
    shrunk = large.reshape(64, 4, 64, 4, 3).mean(axis=(1, 3))
    other = render(replace(scene, variant=6), 64)
    assert np.abs(small - shrunk).mean() < 0.6 * np.abs(small - other).mean()


def test_every_thing_looks_different_from_every_other() -> None:
    pictures = np.stack(
        [render(Scene(thing=t, colour=0, variant=9), 32) for t in range(len(ATTRIBUTES["thing"]))]
    ).astype(float)
    apart = np.abs(pictures[:, None] - pictures[None]).mean(axis=(2, 3, 4)) + 99 * np.eye(len(pictures))
    assert apart.min() > 3


@pytest.mark.parametrize("attribute", ["colour", "place", "time", "weather", "style", "size", "position", "count"])
def test_every_value_of_an_attribute_shows(attribute: str) -> None:
    scene = Scene(thing=_index("thing", "car"), colour=0, variant=9)
    pictures = [render(replace(scene, **{attribute: v}), 32).astype(float) for v in range(len(ATTRIBUTES[attribute]))]
    for i, a in enumerate(pictures):
        assert all(np.abs(a - b).mean() > 0.5 for b in pictures[:i])


def test_variants_of_a_thing_differ() -> None:
    scene = Scene(thing=0, colour=0)
    assert np.abs(render(scene, 32).astype(float) - render(replace(scene, variant=1), 32)).mean() > 1


def test_most_pictures_show_one_thing_large_or_medium(scenes: list[Scene]) -> None:
    plain = [s for s in scenes if s.relation == 0 and s.count == 0 and s.size > 0]
    assert len(plain) / len(scenes) > 0.73


def test_held_out_pairs_never_come_in_training(scenes: list[Scene]) -> None:
    for s in scenes:
        for thing in (s.thing, s.thing2) if s.relation else (s.thing,):
            name = ATTRIBUTES["thing"][thing]
            assert (name, ATTRIBUTES["place"][s.place]) not in HELD_OUT
            assert (name, ATTRIBUTES["style"][s.style]) not in HELD_OUT


def test_held_out_scenes_always_have_a_held_out_pair() -> None:
    assert all(is_held_out(s) for s in sample_scenes(np.random.default_rng(1), 300, held_out=True))


def test_every_value_comes_in_training(scenes: list[Scene]) -> None:
    pairs = sample_scenes(np.random.default_rng(8), 1500, relations=1.0)
    vectors = np.stack([attributes(s) for s in [*scenes, *pairs]])
    for k, name in enumerate(NAMES):
        assert set(vectors[:, k].tolist()) >= set(range(len(ATTRIBUTES[name])))


def test_captions_state_only_what_the_picture_shows(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(2)
    for s in scenes:
        stated = stated_vector(caption(s, rng)[1])
        assert (stated >= 0).any()
        assert holds(stated[None], attributes(s)[None]).all()


def test_captions_say_what_they_state(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(4)
    for s in scenes:
        text, stated = caption(s, rng)
        text = text.lower()
        assert ("colour" in stated) or s.relation or not any(f" {c} car" in text for c in ("red", "blue", "green"))
        if stated.get("time") == _index("time", "night"):
            assert any(w in text for w in ("night", "moonlight", "dark"))
        if stated.get("count", 0) == 1:
            assert any(w in text for w in ("two", "2", "pair"))


def test_colours_that_a_style_hides_are_not_stated(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(5)
    grey = [s for s in scenes if ATTRIBUTES["style"][s.style] in ("pencil sketch", "monochrome")]
    assert len(grey) > 0
    assert not any({"colour", "colour2"} & caption(s, rng)[1].keys() for s in grey)


def test_every_value_has_words() -> None:
    assert tuple(THING_WORDS) == ATTRIBUTES["thing"]
    assert tuple(PLACE_WORDS) == ATTRIBUTES["place"]
    assert tuple(STYLE_WORDS) == ATTRIBUTES["style"]


def test_vocabulary_has_every_word_of_the_captions(scenes: list[Scene]) -> None:
    rng = np.random.default_rng(6)
    words = {w for s in scenes for w in WORD.findall(caption(s, rng)[0].lower())}
    assert words <= VOCABULARY


@pytest.mark.parametrize("attribute", ["thing", "colour", "place", "style"])
def test_vary_changes_one_attribute_only(scenes: list[Scene], attribute: str) -> None:
    scene = next(s for s in scenes if s.relation == 0 and (attributes(s) >= 0)[NAMES.index(attribute)])
    others = vary(scene, attribute, np.random.default_rng(0), 5)
    values = [getattr(s, attribute) for s in [scene, *others]]
    assert len(set(values)) == 6
    assert not any(is_held_out(s) for s in others)
    assert all(replace(s, **{attribute: values[0]}) == scene for s in others)


def test_vary_relation_swaps_the_two_things(scenes: list[Scene]) -> None:
    scene = next(s for s in scenes if s.relation)
    (swapped,) = vary(scene, "relation", np.random.default_rng(0), 3)
    assert (swapped.thing, swapped.thing2) == (scene.thing2, scene.thing)
    assert vary(swapped, "relation", np.random.default_rng(0), 1) == [scene]


def test_vary_refuses_what_the_picture_does_not_show() -> None:
    with pytest.raises(ValueError, match="nothing to swap"):
        vary(Scene(0, 0), "relation", np.random.default_rng(0), 1)
    with pytest.raises(ValueError, match="colour"):
        vary(Scene(0, 0, style=_index("style", "monochrome")), "colour", np.random.default_rng(0), 1)


def test_a_caption_about_one_of_two_things_holds_and_a_swapped_relation_does_not() -> None:
    cat, house = _index("thing", "cat"), _index("thing", "house")
    shown = attributes(Scene(cat, 0, relation=1, thing2=house, colour2=4))[None]
    said = [
        {"thing": house},
        {"thing": house, "colour": 4},
        {"thing": house, "colour": 0},
        {"thing": cat, "relation": 1, "thing2": house},
        {"thing": house, "relation": 1, "thing2": cat},
    ]
    assert holds(np.stack([stated_vector(s) for s in said]), shown)[:, 0].tolist() == [True, True, False, True, False]


def _spot(scene: Scene, thing: str) -> tuple[float, float, float]:
    """(x, y, half height) of a thing in a scene of two."""
    from text2art_nb.training.world.scene import layout

    return next((x, y, half) for which, _, x, y, half in layout(scene, [0.5] * 8) if which == _index("thing", thing))


def _two(one: str, relation: str, other: str) -> Scene:
    at = _index("relation", relation)
    return Scene(_index("thing", one), 0, relation=at, thing2=_index("thing", other), colour2=1)


def test_what_cannot_fly_stands_on_what_is_below_it() -> None:
    scene = _two("cat", "above", "house")
    (_, cat, cat_half), (_, house, house_half) = _spot(scene, "cat"), _spot(scene, "house")
    assert cat + cat_half == pytest.approx(house - house_half, abs=0.05)


def test_what_flies_hovers_over_what_is_below_it() -> None:
    scene = _two("balloon", "above", "house")
    (_, balloon, half), (_, house, house_half) = _spot(scene, "balloon"), _spot(scene, "house")
    assert balloon + half < house - house_half + 0.03


def test_what_stands_in_front_is_smaller_lower_and_drawn_last() -> None:
    from text2art_nb.training.world.scene import layout

    scene = _two("cat", "in front of", "house")
    (_, cat, cat_half), (_, house, house_half) = _spot(scene, "cat"), _spot(scene, "house")
    assert cat_half < house_half
    assert cat + cat_half > house + house_half
    assert [which for which, *_ in layout(scene, [0.5] * 8)][-1] == _index("thing", "cat")


def test_only_what_cannot_fly_is_said_to_stand_on_something() -> None:
    rng = np.random.default_rng(4)
    indoors = _index("place", "room")
    said = {
        flyer: {caption(replace(_two(flyer, "above", "house"), place=indoors), rng)[0] for _ in range(200)}
        for flyer in ("balloon", "cat")
    }
    assert any(" standing on a" in text for text in said["cat"])
    assert not any("standing on" in text or "on top of" in text for text in said["balloon"])


@pytest.mark.parametrize(
    ("relation", "words"), [("left of", "right of"), ("in front of", "behind"), ("above", "below")]
)
def test_a_relation_is_said_from_either_side(relation: str, words: str) -> None:
    rng = np.random.default_rng(5)
    texts = {caption(_two("cat", relation, "house"), rng)[0] for _ in range(300)}
    assert any(words in text for text in texts)
