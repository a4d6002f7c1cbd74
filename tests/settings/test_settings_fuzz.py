"""Whatever is put into the settings ends in settings or in one SettingsError in plain words; never in anything else."""

import json
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from text2art_nb.errors import SettingsError
from text2art_nb.settings import DRAWERS, FILTERS, LOSSES, Settings, Steering
from text2art_nb.settings.drawing import NoisePrior, PixelType, StrokeKind
from text2art_nb.settings.presets import ASPECTS
from text2art_nb.settings.style import SmoothnessType, SymmetryAxis

JARGON = (
    "Input should",
    "pydantic",
    "type=",
    "http",
    "validation error",
    "Traceback",
    "[type",
    "NoneType",
    "truth value",
)

# Texts that look nearly right, numbers at and beyond every edge, and things that do not belong in settings at all.
NEARLY = """
0 -1 1e9 nan inf 256x256 0x0 99999x99999 3x a:b:c a:1:2:3 : | \\ smoothness:2 smoothness:x palette,palette
red-> [red red\\999
(1+2+3) pico-8 true Draft cuda:99 cuda: / ~ ../.. data: data:image/png;base64, https:// \0 \ud800
"""
nearly = st.sampled_from(["", " ", *NEARLY.split(), "a" * 10_001])
edges = st.sampled_from([0, -1, 1, 15, 16, 64, 65, 8192, 8193, 2**31, 2**63 - 1, 2**63, -(2**63), 10**30, 10**400])
numbers = st.integers() | st.floats() | edges | st.just(-0.0) | st.complex_numbers()
simple = st.none() | st.booleans() | numbers | st.text(max_size=12) | nearly | st.binary(max_size=12)
json_like = st.recursive(
    simple,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


strange = st.sampled_from(
    [
        np.float64("nan"),
        np.int64(-3),
        np.bool_(True),
        np.zeros(3),
        np.zeros((2, 2, 3), np.uint8),
        np.array("x"),
        object(),
        Settings,
        range(3),
        {1, 2},
        {1: 2},
        {"iteration": 1, "stop": True, 5: 5},
        (lambda: None),
        float,
        memoryview(b"abc"),
        1j,
    ]
)
anything = json_like | strange
fields = st.sampled_from([*Settings.model_fields, *Settings.aliases])


def says_it_plainly(error: SettingsError) -> bool:
    """Whether there is a sentence for each problem, short, on one line, naming its field where there is one."""
    sentences = error.problems.items()
    assert sentences
    for field, sentence in sentences:
        assert isinstance(field, str)
        assert 15 < len(sentence) < 1000, sentence
        assert "\n" not in sentence, sentence
        ours = sentence.partition("; got ")[0].replace("https://", "").replace("http(s)", "")
        assert not any(word in ours for word in JARGON), sentence
    return True


@given(fields, anything)
def test_any_value_of_a_field_is_accepted_or_refused_plainly(field: str, value: Any) -> None:
    given_values = {"prompts": "a"} if Settings.aliases.get(field, field) != "prompts" else {}
    try:
        found = Settings(**given_values, **{field: value})
    except SettingsError as error:
        assert says_it_plainly(error)  # noqa: PT017
        ours = Settings.aliases.get(field, field)
        assert set(error.problems) <= {ours, "prompts"}  # noqa: PT017
    else:
        assert found.with_() == found


@pytest.mark.parametrize("field", Settings.model_fields)
def test_an_array_is_read_or_refused_in_our_words(field: str) -> None:
    try:
        Settings(**{"prompts": "a", field: np.zeros((2, 3))})
    except SettingsError as error:
        assert says_it_plainly(error)  # noqa: PT017


@given(st.dictionaries(fields | st.text(max_size=10), anything, max_size=6))
def test_any_settings_together_are_accepted_or_refused_plainly(values: dict[str, Any]) -> None:
    try:
        Settings(**values)
    except SettingsError as error:
        assert says_it_plainly(error)  # noqa: PT017


@given(st.dictionaries(st.sampled_from([*Steering.model_fields]), anything, max_size=4))
def test_any_steering_is_accepted_or_refused_plainly(values: dict[str, Any]) -> None:
    try:
        entry = Steering(**values)
    except SettingsError as error:
        assert says_it_plainly(error)  # noqa: PT017
    else:
        assert Settings(prompts="a", steering=[entry]).steering == (entry,)


@given(json_like | st.dictionaries(fields | st.just("text2art"), json_like, max_size=5))
def test_any_strangers_recipe_is_accepted_or_refused_plainly(recipe: Any) -> None:
    try:
        found = Settings.from_recipe(recipe)
    except SettingsError as error:
        assert says_it_plainly(error)  # noqa: PT017
    else:
        assert not found.allow_urls


# ---- what is right ----

words = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20).filter(
    lambda text: text.strip(" |:\\\u00a0") != "" and text.strip() != "" and not any(sign in text for sign in "|:^>[@")
)
weight = st.floats(-100, 100, allow_nan=False)
lines = st.lists(
    st.tuples(words, weight).map(lambda pair: f"{pair[0]}:{pair[1]!r}") | words, min_size=1, max_size=4
).map(" | ".join)
# These two want a picture beside them.
alone = [name for name in LOSSES if name not in ("style", "content")]
losses = st.dictionaries(st.sampled_from(alone), st.floats(-1000, 1000, allow_nan=False))
palettes = st.sampled_from(["pico-8", "red->gold\\8", "[black,#ff0000]", "rust;navy"])
count = st.integers(1, 64)
rate = st.floats(0, 1000, exclude_min=True)
steering = st.fixed_dictionaries(
    {"iteration": st.integers(1, 1000)},
    optional={"prompts": lines, "learning_rate": rate, "palette": palettes, "losses": losses, "iterations": count},
).filter(lambda entry: len(entry) > 1)
picture = st.sampled_from([np.zeros((2, 3, 3), np.uint8), np.full((4, 4, 4), 7, np.uint8)])
valid = st.fixed_dictionaries(
    {"prompts": lines},
    optional={
        # A generator wants a file of one's own for its model, which no stranger may name: tests/drawers has that one.
        "drawer": st.sampled_from([name for name in DRAWERS if name != "generator"]),
        "model": st.sampled_from(["embedded", "full", "imagenet_f16_1024"]),
        "perceptors": st.none() | st.lists(st.sampled_from(["ViT-B/32", "RN50", "embedded", "robust:0.5"]), max_size=3),
        "quality": st.sampled_from(["draft", "normal", "better", "best", "supreme"]),
        "aspect": st.sampled_from([*ASPECTS]),
        "size": st.none() | st.tuples(st.integers(16, 8192), st.integers(16, 8192)),
        "iterations": st.none() | st.integers(1, 10**6),
        "num_cuts": st.none() | count,
        "batches": st.none() | count,
        "candidates": count,
        "seed": st.none() | st.integers(0, 2**63 - 1),
        "image_prompts": st.lists(st.tuples(picture, weight), max_size=2),
        "init_image": st.none() | picture,
        "init_weight": st.floats(0, 1000),
        "learning_rate": st.none() | rate,
        "learning_rate_drops": st.lists(st.floats(0, 100, exclude_min=True), max_size=3),
        "losses": losses,
        "filters": st.lists(st.sampled_from(FILTERS), max_size=3),
        "palette": st.none() | palettes,
        "pixel_size": st.none() | st.tuples(st.integers(1, 500), st.integers(1, 500)),
        "pixel_scale": st.none() | st.floats(0.01, 100),
        "pixel_type": st.sampled_from(get_args(PixelType)),
        "transparent": st.booleans(),
        "transparent_weight": st.floats(0, 1000),
        "strokes": st.none() | st.integers(1, 4096),
        "stroke_kind": st.sampled_from(get_args(StrokeKind)),
        "noise_prior": st.sampled_from(get_args(NoisePrior)),
        "stroke_length": st.none() | st.integers(1, 32),
        "min_stroke_width": st.none() | st.floats(0.1, 0.5),
        "max_stroke_width": st.none() | st.floats(12, 100),
        "paper": st.none() | st.sampled_from(["white", "#F2EECB"]),
        "fft_decay": st.none() | st.floats(0, 4),
        "fft_colors": st.floats(0.1, 10),
        "fft_sharp": st.none() | st.floats(-10, 10),
        "upscaler": st.sampled_from(["auto", "nearest", "swin2sr", "lanczos"]),
        "smoothness_type": st.sampled_from(get_args(SmoothnessType)),
        "symmetry_axis": st.sampled_from(get_args(SymmetryAxis)),
        "token_drop": st.floats(0, 0.9),
        "text_off": st.booleans(),
        "labels": st.lists(words, max_size=2),
        "init_weight_spherical": st.floats(0, 1000),
        "lookup_beta": st.floats(0, 1000),
        "latent_shape": st.none() | st.lists(st.integers(1, 16), min_size=1, max_size=5),
        "latent": st.none() | st.lists(st.floats(-3, 3), min_size=1, max_size=20),
        "image_range": st.none() | st.sampled_from(["-1..1", "0..1"]),
        "keep": st.sampled_from(["last", "best", "average"]),
        "make_video": st.booleans(),
        "device": st.sampled_from(["auto", "cpu", "cuda", "cuda:1", "mps"]),
        "precision": st.sampled_from(["auto", "float32", "bfloat16", "float16"]),
        "micro_batch": st.none() | count,
        "steering": st.lists(steering, max_size=3),
    },
)


@given(valid)
def test_every_valid_settings_comes_back_from_its_recipe(values: dict[str, Any]) -> None:
    asked = Settings(**values)
    recipe = json.loads(json.dumps(asked.to_recipe(), allow_nan=False))
    for trusted in (False, True):
        assert Settings.from_recipe(recipe, trusted=trusted) == asked
    assert hash(Settings.from_recipe(recipe)) == hash(asked)


@given(valid)
def test_every_valid_settings_resolves_once_and_for_all(values: dict[str, Any]) -> None:
    once = Settings(**values).resolved()
    assert once.resolved() == once
    assert None not in (once.iterations, once.num_cuts, once.batches, once.perceptors, once.size, once.seed)
    assert json.loads(json.dumps(once.to_recipe(), allow_nan=False)) == once.to_recipe()


@given(valid)
def test_every_valid_settings_comes_back_from_pydantics_json(values: dict[str, Any]) -> None:
    asked = Settings(**values)
    assert Settings.model_validate_json(asked.model_dump_json()) == asked


class Hostile:
    """An object whose every look raises."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


@pytest.mark.parametrize(
    "value", [Hostile(), [Hostile()], 10**5000, [10**5000]], ids=["object", "list", "huge", "huges"]
)
@pytest.mark.parametrize("field", Settings.model_fields)
def test_even_what_cannot_be_printed_is_refused_plainly(field: str, value: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(**{"prompts": "a", field: value})
    assert set(caught.value.problems) == {field}
    assert says_it_plainly(caught.value)
