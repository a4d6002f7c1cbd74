"""What somebody gets who asks for a picture: settings, presets, a recipe, and plain words where they are wrong."""

import base64
import copy
import hashlib
import json
import pickle
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from text2art_nb.errors import SettingsError, Text2ArtError
from text2art_nb.settings import DRAWERS, FILTERS, LOSSES, Settings, Steering
from text2art_nb.settings.presets import EMBEDDED_PRESETS, FULL_PRESETS
from text2art_nb.settings.prompts import Prompt

PICTURE = np.arange(12 * 20 * 3, dtype=np.uint8).reshape(12, 20, 3)


def complaint(**given: Any) -> dict[str, str]:
    """The problems of settings that cannot be used."""
    with pytest.raises(SettingsError) as caught:
        Settings(**{"prompts": "a castle", **given})
    assert str(caught.value) == "; ".join(caught.value.problems.values())
    return caught.value.problems


# ---- plain words ----


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"iterations": -5}, "iterations must be at least 1; got -5"),
        ({"iterations": 10**7}, "iterations must be at most 1000000; got 10000000"),
        ({"iterations": "many"}, "iterations must be a whole number; got 'many'"),
        ({"iterations": 1.5}, "iterations must be a whole number; got 1.5"),
        ({"iterations": True}, "iterations must be a whole number; got True"),
        ({"init_weight": True}, "init_weight must be a finite number; got True"),
        ({"learning_rate": float("nan")}, "learning_rate must be a finite number; got nan"),
        ({"learning_rate": 0}, "learning_rate must be more than 0; got 0"),
        ({"make_video": "perhaps"}, "make_video must be true or false; got 'perhaps'"),
        ({"size": "big"}, "size must be WIDTHxHEIGHT, like 384x216; got 'big'"),
        ({"size": (256, True)}, "size must be WIDTHxHEIGHT, like 384x216; got (256, True)"),
        ({"size": "8x256"}, "size must be 16 to 8192 each way, like 384x216; got '8x256'"),
        ({"size": "8192x8193"}, "size must be 16 to 8192 each way, like 384x216; got '8192x8193'"),
        ({"pixel_size": 0}, "pixel_size must be 1 to 8192 each way, like 40x40; got 0"),
        ({"fft_decay": 9}, "fft_decay must be at most 4; got 9"),
        (
            {"latent_shape": "4xtwo"},
            "latent_shape must be whole numbers like 512 or 4x8x8, at most 1,048,576 in all; got '4xtwo'",
        ),
        (
            {"latent_shape": [4, 1.5]},
            "latent_shape must be whole numbers like 512 or 4x8x8, at most 1,048,576 in all; got [4, 1.5]",
        ),
        ({"latent": "1,x"}, "each number of latent must be a finite number; got 'x'"),
        ({"latent": [0] * 20_000}, "latent may have 1 to 16,384 numbers; got 20,000"),
        ({"image_range": "0..255"}, "unknown image_range '0..255'; did you mean '0..1'? (-1..1, 0..1)"),
        (
            {"quality": "supr"},
            "unknown quality 'supr'; did you mean 'supreme'? (draft, normal, better, best, supreme)",
        ),
        ({"drawer": "zzz"}, f"unknown drawer 'zzz'; it must be one of {', '.join(DRAWERS)}"),
        ({"aspect": 3}, "aspect must be one of square, portrait, widescreen, retain; got 3"),
        ({"aspect": "retain"}, "aspect 'retain' needs an init_image, whose shape it keeps"),
        ({"drawer": "pixl"}, f"unknown drawer 'pixl'; did you mean 'pixel'? ({', '.join(DRAWERS)})"),
        ({"filters": ["look-up"]}, f"unknown filter 'look-up'; did you mean 'lookup'? ({', '.join(FILTERS)})"),
        (
            {"losses": "smothness:2"},
            f"unknown loss 'smothness'; did you mean 'smoothness'? ({', '.join(LOSSES)})",
        ),
        ({"losses": {"symmetry": "x"}}, "the weight of the loss 'symmetry' must be a finite number; got 'x'"),
        ({"palette": "pico8000"}, "palette cannot be read: unknown colour 'pico8000'; did you mean 'pico-8'?"),
        ({"device": "gpu"}, "device must be auto, cpu, cuda, cuda:N or mps; got 'gpu'"),
        ({"model": ""}, "model must be 'embedded', 'light', 'full', a weights name or a directory; got ''"),
        ({"prompts": ""}, "prompts is empty; say what to draw, like 'an underwater city'"),
        ({"prompts": 5}, "prompts must be text, like 'an underwater city | fog:0.5', or a list of such texts; got 5"),
        (
            {"prompts": "a:1000"},
            "prompts cannot be read: the weight of the prompt 'a' must be between -100 and 100; got 1000",
        ),
        (
            {"learning_rate_drops": [50, 120]},
            "learning_rate_drops must be percentages above 0 and at most 100, like 75; got [50, 120]",
        ),
        ({"init_image": "gone.png"}, "init_image cannot be used: there is no picture file 'gone.png'"),
        (
            {"image_prompts": ["https://example.org/a.png"]},
            "image_prompts cannot be used: addresses are not fetched unless allow_urls=True; "
            "download the picture and give its file",
        ),
        ({"image_prompts": [PICTURE] * 9}, "image_prompts may have at most 8 entries; got 9"),
        ({"steering": [{"iteration": 0, "stop": True}]}, "steering entry 1: iteration must be at least 1; got 0"),
        (
            {"steering": [{"iteration": 5}]},
            "steering entry 1: a steering entry must change something, like prompts or learning_rate",
        ),
        ({"steering": [{"stop": True}]}, "steering entry 1: iteration is missing"),
        ({"filters": ["mirror"] * 9}, "filters may have at most 8 entries"),
        ({"symmetry_axis": "bth"}, "unknown symmetry_axis 'bth'; did you mean 'both'? (left-right, top-bottom, both)"),
        ({"edge_thickness": 51}, "edge_thickness must be at most 50; got 51"),
        (
            {"edge_margins": "5,5"},
            "edge_margins must be four percentages, left, right, above and below, 0 to 50 each, like 5,5,10,10; "
            "got '5,5'",
        ),
        ({"edge_color": "redd"}, "edge_color cannot be read: unknown colour 'redd'; did you mean 'red'?"),
        ({"edge_color": "red,blue"}, "edge_color must be one colour, like 'white' or '#f2eecb'; got 'red,blue'"),
        ({"style_image": "gone.png"}, "style_image cannot be used: there is no picture file 'gone.png'"),
        ({"perceptors": "ViT-B/32:0"}, "the weight of the perceptor 'ViT-B/32' must be above 0 and at most 100; got 0"),
        ({"perceptors": "a:1:2.5"}, "the cuts of the perceptor 'a' must be a whole number, 1 to 1024; got 2.5"),
        ({"perceptors": ":1"}, "perceptors must be names like 'ViT-B/32:0.5:16'; got ':1'"),
        ({"prompts": "[mask 2] fog", "masks": [PICTURE]}, "prompts names mask 2, but masks has 1 picture"),
        ({"prompts": "[mask 1] fog"}, "prompts names mask 1, but masks has no pictures"),
        ({"masks": [PICTURE] * 9}, "masks may have at most 8 entries; got 9"),
        ({"masks": "gone.png"}, "masks cannot be used: there is no picture file 'gone.png'"),
        ({"labels": "cat:1000"}, "the weight of the prompt 'cat' must be between -100 and 100; got 1000"),
        ({"noise_prompt_seeds": "a"}, "noise_prompt_seeds must be a finite number; got 'a'"),
        ({"noise_prompt_seeds": -1}, "noise_prompt_seeds must be whole numbers from 0, like 3,7; got -1"),
        (
            {"noise_prompt_weights": [1], "noise_prompt_seeds": ()},
            "noise_prompt_weights has 1 numbers for 0 noise_prompt_seeds; give each weight its seed",
        ),
    ],
)
def test_what_is_wrong_is_said_in_one_plain_sentence(given: dict[str, Any], sentence: str) -> None:
    assert complaint(**given) == {next(iter(given)): sentence}


def test_an_unknown_setting_is_named_with_the_nearest_known_one() -> None:
    assert complaint(iteratons=5) == {"iteratons": "unknown setting 'iteratons'; did you mean 'iterations'?"}
    assert "--help` lists them all" in complaint(zzz=5)["zzz"]


def test_every_problem_is_named_at_once() -> None:
    assert set(complaint(iterations=0, size="big", seed=-1, colour=3)) == {"iterations", "size", "seed", "colour"}


def test_a_problem_can_be_caught_as_what_it_is() -> None:
    with pytest.raises(SettingsError) as caught:
        Settings()
    error = caught.value
    assert isinstance(error, Text2ArtError)
    assert isinstance(error, ValueError)
    assert pickle.loads(pickle.dumps(error)).problems == error.problems


def test_settings_cannot_be_changed_behind_a_runs_back() -> None:
    with pytest.raises(SettingsError, match=r"settings\.with_\(seed=…\)"):
        Settings(prompts="a").seed = 3  # type: ignore[misc]


# ---- what is accepted ----


def test_only_a_prompt_is_needed() -> None:
    settings = Settings(prompts="an underwater city")
    assert (settings.drawer, settings.model, settings.quality, settings.aspect) == (
        "vqgan",
        "embedded",
        "normal",
        "square",
    )
    assert settings.learning_rate_drops == (75.0,)


@pytest.mark.parametrize("size", ["384x216", "384×216", " 384 X 216 ", "384,216", [384, 216], (384.0, np.int64(216))])
def test_a_size_may_be_written_in_many_ways(size: Any) -> None:
    assert Settings(prompts="a", size=size).size == (384, 216)


def test_one_number_is_a_square() -> None:
    assert Settings(prompts="a", size=256).size == Settings(prompts="a", size="256").size == (256, 256)


def test_a_perceptor_may_have_a_weight_and_cuts_of_its_own() -> None:
    settings = Settings(prompts="a", perceptors="ViT-B/32:0.5:16, ViT-B/16:2, embedded")
    assert settings.perceptors == ("ViT-B/32:0.5:16", "ViT-B/16:2", "embedded")
    assert settings.perceptor_names == ("ViT-B/32", "ViT-B/16", "embedded")
    assert Settings.from_recipe(settings.to_recipe()) == settings


def test_labels_and_noise_are_prompts_beside_the_line() -> None:
    settings = Settings(prompts="a", labels="tabby cat:2 | dog", noise_prompt_seeds=[3, 7], noise_prompt_weights=0.5)
    assert settings.parsed == [
        Prompt("a"),
        Prompt("tabby cat", 2, label=True),
        Prompt("dog", label=True),
        Prompt("", 0.5, noise=3),
        Prompt("", 1, noise=7),
    ]


def test_a_recipe_from_before_text_off_draws_without_it() -> None:
    recipe = Settings(prompts="a").to_recipe()
    assert Settings.from_recipe(recipe).text_off
    del recipe["text_off"]
    assert not Settings.from_recipe(recipe).text_off


def test_several_prompts_may_be_a_list() -> None:
    settings = Settings(prompts=["a castle", "fog:0.5"])
    assert settings.prompts == "a castle | fog:0.5"
    assert settings.parsed == [Prompt("a castle"), Prompt("fog", 0.5)]


def test_pixrays_spelling_is_understood() -> None:
    ours = Settings(prompts="a", losses={"saturation": 0.5, "smoothness": 2}, model="wikiart_1024", perceptors=["RN50"])
    theirs = {"custom_loss": "saturation:0.5,smoothness:2", "vqgan_model": "wikiart_1024", "clip_models": "RN50"}
    assert Settings(prompts="a", **theirs) == ours
    assert Settings(prompts="a").with_(**theirs) == ours


def test_two_names_for_one_setting_are_one_too_many() -> None:
    assert complaint(losses={}, custom_loss="palette") == {
        "losses": "custom_loss is another name for losses; give only one of them"
    }


def test_a_loss_without_a_weight_has_weight_one() -> None:
    assert Settings(prompts="a", losses="symmetry").losses == {"symmetry": 1.0}


def test_numbers_may_come_from_numpy_or_from_a_form() -> None:
    settings = Settings(prompts="a", iterations=np.int32(7), init_weight=np.float32(0.5), seed="12", candidates=2.0)
    assert (settings.iterations, settings.init_weight, settings.seed, settings.candidates) == (7, 0.5, 12, 2)
    assert type(settings.iterations) is int


def test_a_palette_may_be_a_list_of_colours() -> None:
    assert Settings(prompts="a", palette=["black", "#ff0000"]).palette == "[black,#ff0000]"


def test_words_may_be_in_capitals() -> None:
    assert (
        Settings(prompts="a", quality="Draft", aspect=" Portrait ", drawer="VQGAN", device="CUDA:1").device == "cuda:1"
    )


def test_the_names_shown_to_people_leave_pictures_and_defaults_out() -> None:
    text = repr(Settings(prompts="a", init_image=PICTURE, seed=3))
    assert text == "Settings(prompts='a', seed=3, init_image='data:image/png;base64,…')"


# ---- pictures ----


def test_the_init_image_is_kept_in_the_settings_themselves(tmp_path: Path) -> None:
    Image.fromarray(PICTURE).save(tmp_path / "a.png")
    settings = Settings(prompts="a", init_image=tmp_path / "a.png")
    (tmp_path / "a.png").unlink()
    assert str(settings.init_image).startswith("data:image/png;base64,")
    assert settings.with_(seed=1).init_image == settings.init_image


def test_image_prompts_carry_their_weights(tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    Image.fromarray(PICTURE).save(file)
    uri = Settings(prompts="a", init_image=PICTURE).init_image
    for given in ([f"{file}:0.5", PICTURE], [(file, 0.5), PICTURE], f"{file}:0.5 | {file}"):
        settings = Settings(image_prompts=given)
        assert settings.parsed == [Prompt("", 0.5, image=uri), Prompt("", 1.0, image=uri)]
        assert settings.with_(seed=1).parsed == settings.parsed


def test_a_file_whose_name_ends_in_a_number_is_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.fromarray(PICTURE).save("at 10:30", "PNG")
    assert Settings(image_prompts="at 10:30").parsed[0].weight == 1.0


def test_pictures_that_are_too_much_together_are_refused() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1024, 1024, 4), dtype=np.uint8)
    uri = Settings(prompts="a", init_image=noise).init_image
    assert "at most 24 MB together" in complaint(image_prompts=[uri] * 5)["image_prompts"]


# ---- quality and aspect ----


@pytest.mark.parametrize(
    ("quality", "iterations", "cuts", "batches", "size", "perceptors"),
    [
        ("draft", 200, 24, 1, (192, 96), ("ViT-B/16",)),
        ("normal", 250, 30, 1, (384, 208), ("ViT-B/32", "ViT-B/16")),
        ("better", 300, 36, 1, (576, 320), ("RN50", "ViT-B/32", "ViT-B/16")),
        ("best", 350, 12, 2, (768, 432), ("RN50x4", "ViT-B/32", "ViT-B/16")),
        ("supreme", 400, 8, 4, (960, 528), ("RN50x4", "ViT-B/32", "ViT-B/16", "RN101")),
    ],
)
def test_a_quality_means_what_it_means_in_pixray(
    quality: str, iterations: int, cuts: int, batches: int, size: tuple[int, int], perceptors: tuple[str, ...]
) -> None:
    found = Settings(prompts="a", model="full", quality=quality, aspect="widescreen").resolved()
    assert (found.iterations, found.num_cuts, found.batches) == (iterations, cuts, batches)
    assert (found.size, found.perceptors) == (size, perceptors)


def test_the_embedded_models_have_rows_of_their_own() -> None:
    found = Settings(prompts="a", start="noise").resolved()
    row = EMBEDDED_PRESETS["normal"]
    assert (found.iterations, found.num_cuts, found.batches) == (row.iterations, row.num_cuts, row.batches)
    assert found.perceptors == ("embedded", "embedded-2", "embedded-3")
    assert EMBEDDED_PRESETS.keys() == FULL_PRESETS.keys()


@pytest.mark.parametrize("quality", EMBEDDED_PRESETS)
def test_a_picture_that_is_there_already_takes_half_the_steps(quality: str) -> None:
    for changes, share in (({}, 2), ({"start": "proposal"}, 2), ({"start": "noise"}, 1), ({"drawer": "pixel"}, 1)):
        found = Settings(prompts="a", quality=quality, **changes).resolved()
        assert found.iterations == EMBEDDED_PRESETS[quality].iterations / share


def test_the_default_picture_has_at_least_256_pixels_a_side() -> None:
    assert min(Settings(prompts="a").picture_size) >= 256


@pytest.mark.parametrize(
    ("aspect", "size"), [("square", (288, 288)), ("portrait", (256, 320)), ("widescreen", (384, 216))]
)
def test_an_aspect_means_what_it_means_in_pixray(aspect: str, size: tuple[int, int]) -> None:
    assert Settings(prompts="a", drawer="pixel", model="full", aspect=aspect).picture_size == size


def test_retain_keeps_the_init_images_shape() -> None:
    settings = Settings(prompts="a", aspect="retain", init_image=PICTURE)
    assert settings.picture_size == settings.resolved().size == (288, 173)
    extreme = Settings(prompts="a", aspect="retain", init_image=np.zeros((1, 900, 3), np.uint8))
    assert extreme.picture_size == (288, 16)


def test_an_explicit_setting_beats_the_qualitys() -> None:
    given = {"iterations": 7, "num_cuts": 3, "batches": 2, "size": (250, 130), "perceptors": ("RN101",), "seed": 0}
    found = Settings(prompts="a", model="full", quality="best", **given).resolved()
    assert {name: getattr(found, name) for name in given} == given


@pytest.mark.parametrize(
    ("given", "grid"),
    [
        ({}, (40, 40)),
        ({"aspect": "portrait"}, (40, 50)),
        ({"aspect": "widescreen"}, (80, 45)),
        ({"aspect": "widescreen", "pixel_scale": 2.5}, (32, 18)),
        ({"pixel_size": "10x20"}, (10, 20)),
        ({"pixel_size": "10x20", "pixel_scale": 2}, (5, 10)),
        ({"pixel_size": "900x900", "size": "64x48"}, (64, 48)),
        ({"pixel_scale": 100}, (1, 1)),
    ],
)
def test_the_pixel_drawers_grid_is_pixrays(given: dict[str, Any], grid: tuple[int, int]) -> None:
    assert Settings(prompts="a", drawer="pixel", **given).resolved().pixel_size == grid


@pytest.mark.parametrize("drawer", ["vqgan", "pixel"])
def test_resolving_twice_is_resolving_once(drawer: str) -> None:
    once = Settings(prompts="a", drawer=drawer, pixel_scale=2, aspect="portrait").resolved()
    assert once.resolved() == once


def test_with_a_seed_resolving_has_one_result_and_without_each_has_its_own_seed() -> None:
    assert Settings(prompts="a", seed=3).resolved() == Settings(prompts="a", seed=3).resolved()
    assert len({Settings(prompts="a").resolved().seed for _ in range(8)}) > 1


# ---- steering ----


def test_steering_is_sorted_by_iteration() -> None:
    entries = [
        {"iteration": 9, "stop": True},
        {"iteration": 2, "prompts": ["x", "y"]},
        Steering(iteration=5, palette=""),
    ]
    settings = Settings(prompts="a", steering=entries)
    assert [entry.iteration for entry in settings.steering] == [2, 5, 9]
    assert [entry.changes for entry in settings.steering] == [{"prompts": "x | y"}, {"palette": ""}, {"stop": True}]


@pytest.mark.parametrize(
    "changes",
    [
        {"prompts": ""},
        {"prompts": "a:1000"},
        {"learning_rate": -1},
        {"palette": "nonsense!"},
        {"losses": "beauty:1"},
        {"iterations": 0},
        {"micro_batch": True},
        {"quality": "best"},
    ],
)
def test_steering_is_checked_as_the_settings_are(changes: dict[str, Any]) -> None:
    with pytest.raises(SettingsError) as caught:
        Steering(iteration=1, **changes)
    assert set(caught.value.problems) == set(changes)


# ---- changing, comparing ----


def test_a_change_is_checked_with_everything_else() -> None:
    settings = Settings(prompts="a", quality="draft")
    assert settings.with_(seed=5, quality="best") == Settings(prompts="a", seed=5, quality="best")
    with pytest.raises(SettingsError, match="iterations must be at least 1"):
        settings.with_(iterations=0)
    with pytest.raises(SettingsError, match="unknown setting 'iters'"):
        settings.with_(iters=5)
    assert settings.quality == "draft"


def test_equal_settings_are_one_key() -> None:
    one = Settings(prompts="a", losses="symmetry:2,palette", steering=[{"iteration": 1, "losses": {"palette": 2}}])
    other = Settings(prompts="a", losses={"palette": 1, "symmetry": 2}, steering=one.steering)
    assert one == other
    assert len({one, other, one.with_(seed=1)}) == 2


def test_settings_can_be_copied_and_sent_to_another_process() -> None:
    settings = Settings(prompts="a", init_image=PICTURE, steering=[{"iteration": 1, "stop": True}])
    assert copy.deepcopy(settings) == pickle.loads(pickle.dumps(settings)) == settings


# ---- the recipe ----

FULL = {
    "prompts": "a castle | fog:-0.5:0.2",
    "image_prompts": [(PICTURE, -0.5)],
    "init_image": PICTURE,
    "drawer": "pixel",
    "losses": "smoothness:2",
    "palette": "pico-8",
    "filters": "lookup",
    "size": "64x48",
    "seed": 2**63 - 1,
    "steering": [{"iteration": 3, "losses": {}, "iterations": 9}, {"iteration": 4, "stop": True}],
}


@pytest.mark.parametrize("trusted", [False, True])
def test_a_recipe_brings_the_same_settings_back_through_json(trusted: bool) -> None:
    settings = Settings(**FULL).resolved()
    recipe = json.loads(json.dumps(settings.to_recipe(), allow_nan=False))
    assert Settings.from_recipe(recipe, trusted=trusted) == settings


def test_a_recipe_says_its_version_and_every_setting() -> None:
    recipe = Settings(prompts="a").to_recipe()
    assert recipe["text2art"] == 1
    assert set(recipe) == {"text2art", *Settings.model_fields}


def test_reading_a_recipe_leaves_it_as_it_was() -> None:
    recipe = Settings(**FULL).to_recipe()
    before = copy.deepcopy(recipe)
    Settings.from_recipe(recipe)
    assert recipe == before


def test_a_strangers_recipe_may_not_allow_addresses() -> None:
    recipe = Settings(prompts="a", allow_urls=True).to_recipe()
    assert not Settings.from_recipe(recipe).allow_urls
    assert Settings.from_recipe(recipe, trusted=True).allow_urls


def test_ones_own_recipe_may_name_a_directory(tmp_path: Path) -> None:
    recipe = Settings(prompts="a", model=str(tmp_path), perceptors=[tmp_path]).to_recipe()
    assert Settings.from_recipe(recipe, trusted=True).perceptors == (str(tmp_path),)
    with pytest.raises(SettingsError) as caught:
        Settings.from_recipe(recipe)
    assert set(caught.value.problems) == {"model", "perceptors"}


def test_a_stranger_cannot_name_a_directory_that_is_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    recipe = {"prompts": "a", "model": "wikiart_1024"}
    assert Settings.from_recipe(recipe).model == "wikiart_1024"
    (tmp_path / "wikiart_1024").mkdir()
    with pytest.raises(SettingsError, match="must be a plain name"):
        Settings.from_recipe(recipe)


def deep(levels: int) -> list[Any]:
    nest: list[Any] = []
    for _ in range(levels):
        nest = [nest]
    return nest


@pytest.mark.parametrize(
    ("hostile", "sentence"),
    [
        ({"init_image": "/etc/passwd"}, "only as PNG data URIs, not as files or addresses"),
        ({"init_image": "https://example.org/a.png"}, "only as PNG data URIs"),
        ({"init_image": ["/etc/passwd"]}, "only as PNG data URIs"),
        ({"init_image": "data:image/svg+xml;base64,AAAA"}, "only as PNG data URIs"),
        ({"init_image": "data:image/png;base64," + "A" * 7_000_000}, "at most 6 MB"),
        ({"image_prompts": ["/etc/passwd:0.5"]}, "only as PNG data URIs"),
        ({"image_prompts": [["/etc/passwd", 0.5]]}, "only as PNG data URIs"),
        ({"image_prompts": "/etc/passwd"}, "only as PNG data URIs"),
        ({"image_prompt": "/etc/passwd"}, "only as PNG data URIs"),
        ({"model": "/etc"}, "model in a recipe from elsewhere must be a plain name, not a directory; got '/etc'"),
        ({"vqgan_model": "../weights"}, "must be a plain name"),
        ({"model": "~/weights"}, "must be a plain name"),
        ({"model": "C:\\weights"}, "must be a plain name"),
        ({"perceptors": ["ViT-B/32", "a/../../b"]}, "must be a plain name"),
        ({"perceptors": ["fox,bear.pt"]}, "must be a plain name"),
        ({"model": "fox,bear.pt"}, "must be a plain name"),
        ({"perceptors": "ViT-B/32, ./x"}, "must be a plain name"),
        ({"perceptors": ["./x:0.5:16"]}, "must be a plain name"),
        ({"masks": ["/etc/passwd"]}, "only as PNG data URIs"),
        ({"iterations": True}, "iterations must be a whole number; got True"),
        ({"iterations": 10**30}, "too large to be a setting"),
        ({"learning_rate": float("inf")}, "learning_rate must be a finite number"),
        ({"losses": {"palette": float("nan")}}, "must be a finite number"),
        ({"prompts": "x" * 10_001}, "at most 10,000 characters"),
        ({"prompts": "x" * 400_000}, "too large"),
        ({"x" * 400_000: 1}, "too large"),
        ({"prompts": ["a"] * 65}, "at most 64 prompts"),
        ({"filters": [0] * 1_000_000}, "too large"),
        ({"filters": deep(5000)}, "too deeply nested"),
        ({"steering": [{"iteration": 1, "stop": True}] * 1001}, "steering may have at most 1000 entries"),
        ({"steering": {"iteration": {}}}, "steering entry 1"),
        ({"__class__": "os.system"}, "unknown setting '__class__'"),
        ({"text2art": 2}, "this recipe has version 2 and this text2art reads 1; update text2art to open it"),
        ({"text2art": True}, "text2art must be the recipe's version"),
    ],
)
def test_a_hostile_recipe_is_refused_in_plain_words(hostile: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence.replace("\\", ".")):
        Settings.from_recipe({"text2art": 1, "prompts": "a", **hostile})


@pytest.mark.parametrize("recipe", [None, [], "{}", 5, {1: 2}, b"x"])
def test_what_is_no_recipe_is_refused(recipe: Any) -> None:
    with pytest.raises(SettingsError, match="a recipe must be a JSON object"):
        Settings.from_recipe(recipe)


def test_a_strangers_picture_is_checked_before_it_is_decoded() -> None:
    header = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (60_000).to_bytes(4, "big") * 2 + b"\x08\x02\0\0\0\0\0\0\0"
    bomb = "data:image/png;base64," + base64.b64encode(header + b"\0\0\0\0IEND\xaeB`\x82").decode()
    with pytest.raises(SettingsError, match="at most 1024 pixels on a side; this one is 60000x60000"):
        Settings.from_recipe({"prompts": "a", "init_image": bomb})


# ---- for panels and programs ----


def test_every_setting_is_described_for_panels_and_the_api() -> None:
    schema = Settings.model_json_schema()
    for properties in (schema["properties"], schema["$defs"]["Steering"]["properties"]):
        assert all(
            each["description"].endswith(".") and "\n" not in each["description"] for each in properties.values()
        )
    assert schema["properties"]["iterations"]["anyOf"][0] == {"maximum": 1_000_000, "minimum": 1, "type": "integer"}


def test_json_text_is_validated_with_the_same_words() -> None:
    assert Settings.model_validate_json('{"prompts": "a", "size": [64, 48]}').size == (64, 48)
    assert Settings.model_validate({"prompts": "a"}) == Settings(prompts="a")
    with pytest.raises(SettingsError, match="iterations must be at least 1; got 0"):
        Settings.model_validate_json('{"prompts": "a", "iterations": 0}')
    with pytest.raises(SettingsError, match="prompts is empty"):
        Settings.model_validate({})


def test_settings_are_light_to_import() -> None:
    program = (
        "import sys; from text2art_nb.settings import Settings; Settings(prompts='a | b').resolved(); "
        "print([name for name in ('torch', 'numpy', 'PIL', 'transformers') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_the_embedded_models_start_from_a_proposal_and_others_from_noise() -> None:
    assert Settings(prompts="a cat").resolved().start == "proposal"
    assert Settings(prompts="a cat", drawer="pixel").resolved().start == "proposal"
    assert Settings(prompts="a cat", model="full").resolved().start == "noise"
    assert Settings(prompts="fog:-1", image_prompts=[Image.new("RGB", (8, 8))]).resolved().start == "noise"


def test_an_init_image_is_what_is_started_from_unless_it_is_only_to_stay_close_to() -> None:
    picture = Image.new("RGB", (8, 8))
    assert Settings(prompts="a cat", init_image=picture).resolved().start == "image"
    assert Settings(prompts="a cat", init_image=picture, start="noise").resolved().start == "noise"


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"start": "image"}, "start 'image' needs an init_image"),
        ({"start": "proposal", "prompts": "fog:-1"}, "needs words in the prompt"),
        ({"start": "propsal"}, "did you mean 'proposal'"),
    ],
)
def test_a_start_that_can_not_be_says_why(given: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        Settings(**{"prompts": "a cat", **given})


def test_a_recipe_from_before_there_was_a_choice_starts_from_noise() -> None:
    recipe = Settings(prompts="a cat").to_recipe()
    del recipe["start"]
    assert Settings.from_recipe(recipe).start == "noise"


def test_the_taste_of_pixel_art_from_noise_can_be_switched_off() -> None:
    asked = {"prompts": "a castle", "drawer": "pixel", "start": "noise"}
    assert Settings(**asked).resolved().losses
    assert Settings(**asked, losses={}).resolved().losses == {}


def test_an_edit_of_the_prompt_does_not_read_the_pictures_again() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (2000, 2000, 3), dtype=np.uint8)
    settings = Settings(prompts="a castle", init_image=noise, image_prompts=[(noise, 2)], masks=[noise])
    began = time.process_time()
    edited = settings.with_(prompts="a red castle").resolved()
    assert time.process_time() - began < 0.05
    assert edited.init_image is settings.init_image
    assert edited.image_prompts[0].weight == 2


def test_a_checked_picture_knows_its_size_and_digest() -> None:
    settings = Settings(prompts="a castle", init_image=Image.new("RGB", (30, 20), "red"))
    uri = settings.init_image
    assert uri.size == (30, 20)
    assert uri.digest == hashlib.sha256(str(uri).encode()).hexdigest()


def test_a_picture_is_plain_text_in_a_recipe_and_checked_again_from_there() -> None:
    settings = Settings(prompts="a castle", init_image=Image.new("RGB", (30, 20), "red"))
    recipe = settings.to_recipe()
    assert type(recipe["init_image"]) is str
    assert Settings.from_recipe(json.loads(json.dumps(recipe))) == settings
    broken = recipe | {"init_image": recipe["init_image"][:-40]}
    with pytest.raises(SettingsError, match="init_image"):
        Settings.from_recipe(broken)


def test_settings_with_pictures_can_be_pickled_and_copied() -> None:
    red = Image.new("RGB", (30, 20), "red")
    settings = Settings(prompts="a castle", init_image=red, image_prompts=[(red, 0.5)])
    again = pickle.loads(pickle.dumps(settings))
    assert again == settings
    assert again.with_(seed=1).parsed == settings.parsed
    assert copy.deepcopy(settings).parsed == settings.parsed
