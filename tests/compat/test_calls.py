"""The article's code runs unchanged, on text2art's engine, and two sets of settings don't disturb each other."""

import threading
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.compat import clipit, pixray
from text2art_nb.errors import RunError, SettingsError

# What keeps a test short, by nothing but the article's own calls.
QUICK: dict[str, Any] = {"iterations": 2, "num_cuts": 2, "size": (48, 32), "seed": 5}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The originals write into the folder where they run."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    clipit.reset_settings()
    pixray.reset_settings()


def test_the_articles_first_recipe_draws_its_prompt(folder: Path) -> None:
    clipit.reset_settings()
    prompts = "underwater city"
    quality = "normal"
    aspect = "widescreen"
    clipit.add_settings(prompts=prompts, quality=quality, aspect=aspect)
    assert clipit.apply_settings().size == (384, 216)
    clipit.add_settings(**QUICK)
    settings = clipit.apply_settings()
    clipit.do_init(settings)
    clipit.do_run(settings)
    picture = Artwork.open(folder / "output.png")
    assert picture.settings.prompts == "underwater city"
    assert picture.settings.quality == "normal"
    assert picture.image.size == (48, 32)


def test_iterations() -> None:
    clipit.reset_settings()
    clipit.add_settings(prompts="underwater city", iterations=500)
    settings = clipit.apply_settings()
    clipit.do_init(settings)
    assert settings.run is not None
    assert settings.run.total == settings.iterations == 500


def test_a_video_lies_beside_the_picture(folder: Path) -> None:
    clipit.reset_settings()
    clipit.add_settings(prompts="underwater city", make_video=True)
    clipit.add_settings(**QUICK)
    settings = clipit.apply_settings()
    clipit.do_init(settings)
    clipit.do_run(settings)
    assert Artwork.open(folder / "output.mp4").settings.prompts == "underwater city"


def test_a_size_of_ones_own() -> None:
    clipit.reset_settings()
    clipit.add_settings(prompts="underwater city", size=(800, 200))
    assert clipit.apply_settings().size == (800, 200)


def test_pixel_art(folder: Path) -> None:
    clipit.reset_settings()
    clipit.add_settings(prompts="underwater city", use_pixeldraw=True)
    clipit.add_settings(**QUICK, pixel_size=(12, 8))
    settings = clipit.apply_settings()
    clipit.do_init(settings)
    clipit.do_run(settings)
    picture = Image.open(folder / "output.png").convert("RGB")
    assert picture.resize((12, 8), Image.Resampling.NEAREST).resize((48, 32), Image.Resampling.NEAREST) == picture


def test_quality_and_aspect_are_those_of_the_originals() -> None:
    clipit.reset_settings()
    clipit.add_settings(prompts="underwater city", quality="best", aspect="square")
    assert clipit.apply_settings().size == (576, 576)
    clipit.add_settings(aspect="portrait", quality="draft")
    assert clipit.apply_settings().size == (128, 160)


def test_real_models_are_drawn_with_as_clipit_did() -> None:
    clipit.reset_settings()
    clipit.add_settings(prompts="underwater city", vqgan_model="full")
    assert (clipit.apply_settings().num_cuts, clipit.apply_settings().iterations) == (30, 250)
    clipit.add_settings(vqgan_model=None, model="full")
    assert (clipit.apply_settings().num_cuts, clipit.apply_settings().iterations) == (40, 350)


@pytest.mark.parametrize(
    ("given", "field", "ours"),
    [
        ({"clip_models": "RN50"}, "perceptors", ("RN50",)),
        ({"cutn": 7}, "num_cuts", 7),
    ],
)
def test_what_the_user_names_takes_the_place_of_clipits_own_with_real_models(
    given: dict[str, Any], field: str, ours: Any
) -> None:
    clipit.add_settings(prompts="underwater city", model="full", **given)
    assert getattr(clipit.apply_settings(), field) == ours


@pytest.mark.parametrize(("model", "quality"), [("full", "best"), ("embedded", "draft")])
def test_a_loss_of_clipits_is_what_it_was_in_the_mean_of_all_iterations(model: str, quality: str) -> None:
    clipit.add_settings(prompts="underwater city", model=model, quality=quality, enforce_smoothness=50)
    settings = clipit.apply_settings()
    assert settings.losses == {"smoothness": settings.iterations / 2 / 50}


def test_a_loss_of_clipits_that_is_no_number_is_refused_in_a_sentence() -> None:
    clipit.add_settings(prompts="underwater city", enforce_saturation="much")
    with pytest.raises(SettingsError, match="enforce_saturation must be"):
        clipit.apply_settings()


def test_nothing_is_left_of_what_was_added_before_a_reset() -> None:
    clipit.add_settings(prompts="underwater city", iterations=7)
    clipit.reset_settings()
    assert clipit.get_settings() == {}


def test_two_sets_of_settings_are_drawn_in_turn_each_to_its_own_picture(folder: Path) -> None:
    clipit.add_settings(prompts="a red apple", output="apple.png", **QUICK)
    apple = clipit.apply_settings()
    clipit.reset_settings()
    clipit.add_settings(prompts="a blue whale", output="whale.png", **{**QUICK, "size": (32, 48), "iterations": 3})
    whale = clipit.apply_settings()
    clipit.do_init(apple)
    clipit.do_init(whale)
    clipit.do_run(whale)
    clipit.do_run(apple)
    for name, prompt, size in (("apple", "a red apple", (48, 32)), ("whale", "a blue whale", (32, 48))):
        picture = Artwork.open(folder / f"{name}.png")
        assert (picture.settings.prompts, picture.image.size) == (prompt, size)


def test_two_threads_have_settings_of_their_own() -> None:
    found: dict[str, dict[str, Any]] = {}
    both = threading.Barrier(2, timeout=30)

    def draw(prompt: str, **own: Any) -> None:
        clipit.reset_settings()
        clipit.add_settings(prompts=prompt, **own)
        both.wait()
        clipit.add_settings(quality="draft")
        both.wait()
        found[prompt] = clipit.get_settings()

    threads = [
        threading.Thread(target=draw, args=("an apple",), kwargs={"seed": 1}),
        threading.Thread(target=draw, args=("a whale",), kwargs={"aspect": "square"}),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {
        "an apple": {"prompts": "an apple", "seed": 1, "quality": "draft"},
        "a whale": {"prompts": "a whale", "aspect": "square", "quality": "draft"},
    }


def test_an_unknown_setting_is_refused_with_the_nearest_name() -> None:
    clipit.add_settings(prompts="a", use_pixeldrew=True)
    with pytest.raises(SettingsError, match="unknown setting 'use_pixeldrew'; did you mean 'use_pixeldraw'"):
        clipit.apply_settings()


def test_settings_without_a_meaning_are_accepted_with_one_warning() -> None:
    clipit.add_settings(prompts="a", optimiser="AdamW", save_every=5, cudnn_determinism=True)
    with pytest.warns(UserWarning, match="optimiser.*save_every.*cudnn_determinism") as told:
        clipit.apply_settings()
    assert len(told) == 1


def test_a_setting_that_has_another_way_here_is_refused_with_that_way() -> None:
    pixray.add_settings(prompts="a", spot_prompts="a boat")
    with pytest.raises(SettingsError, match=r"prompts='\[centre\] a red boat'"):
        pixray.apply_settings()


@pytest.mark.parametrize(
    ("given", "field", "ours"),
    [
        ({"scale": 2.5}, "size", (480, 270)),
        ({"ezsize": "large", "aspect": "square"}, "size", (576, 576)),
        ({"vector_prompts": "none"}, "text_off", False),
        ({"vector_prompts": "textoff"}, "text_off", True),
        ({"init_weight": 2.0}, "init_weight_spherical", 2.0),
        ({"drawer": "fast_pixel"}, "drawer", "pixel"),
        ({"drawer": "line_sketch"}, "stroke_kind", "line"),
        ({"use_clipdraw": True}, "drawer", "strokes"),
        ({"enforce_smoothness": 100, "iterations": 400}, "losses", {"smoothness": 2.0}),
        ({"cuda_device": "cuda:0"}, "device", "auto"),
        ({"perceptors": "clip"}, "perceptors", ("embedded", "embedded-2", "embedded-3")),
    ],
)
def test_what_an_original_calls_otherwise_means_the_same(given: dict[str, Any], field: str, ours: Any) -> None:
    pixray.add_settings(prompts="a", model="embedded", **given)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert getattr(pixray.apply_settings(), field) == ours


@pytest.mark.parametrize("drawer", ["vdiff", "super_resolution"])
def test_a_drawer_that_is_not_here_is_refused_with_what_is(drawer: str) -> None:
    pixray.add_settings(prompts="a", drawer=drawer)
    with pytest.raises(SettingsError, match=r"turbo|upscale"):
        pixray.apply_settings()


def test_running_before_beginning_is_a_plain_error() -> None:
    clipit.add_settings(prompts="a")
    with pytest.raises(RunError, match=r"clipit\.do_init\(settings\) comes before"):
        clipit.do_run(clipit.apply_settings())


def test_pixrays_one_call_draws_into_a_new_folder(folder: Path) -> None:
    artwork = pixray.run("a yellow fish", "fft", **QUICK)
    [found] = folder.glob("outputs/*_00/output.png")
    assert Image.open(found).tobytes() == artwork.image.convert("RGB").tobytes()


def test_the_display_of_a_run_can_be_somebody_elses() -> None:
    clipit.add_settings(prompts="a", display_every=1, **{**QUICK, "iterations": 3})
    settings = clipit.apply_settings()
    clipit.do_init(settings)
    turns = 1
    while not clipit.do_run(settings, return_display=True):
        turns += 1
    assert turns == 3
