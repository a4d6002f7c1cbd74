"""The file is the recipe: what is saved comes back, the same bytes each time; or nothing, where that was asked for."""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, PngImagePlugin

from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.drawers import generator_file
from text2art_nb.errors import ArtworkError, ModelError
from text2art_nb.settings import Settings, Steering

FORMATS = ("png", "gif", "jpg", "mp4")


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    """Something smooth with a little grain, as drawings are."""
    rng = np.random.default_rng(0)
    small = Image.fromarray(rng.integers(0, 256, (6, 8, 3), dtype=np.uint8))
    return small.resize((96, 64), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def settings() -> Settings:
    """With a steered prompt, and words in several alphabets."""
    steering = (Steering(iteration=5, prompts="замок | туман:-0.5"), Steering(iteration=9, stop=True))
    return Settings(
        prompts="an underwater city | 灯台:0.5 🐙", seed=7, losses="smoothness:2", steering=steering
    ).resolved()


@pytest.fixture(scope="module")
def artwork(picture: Image.Image, settings: Settings) -> Artwork:
    """A finished picture."""
    return Artwork(picture, settings, score=0.31234567)


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_its_settings_and_score_back(artwork: Artwork, suffix: str, tmp_path: Path) -> None:
    back = Artwork.open(artwork.save(tmp_path / f"city.{suffix}"))
    assert back.settings == artwork.settings
    assert back.score == 0.3123


@pytest.mark.parametrize("suffix", FORMATS)
def test_every_format_gives_a_picture_back_that_looks_the_same(artwork: Artwork, suffix: str, tmp_path: Path) -> None:
    image = Artwork.open(artwork.save(tmp_path / f"city.{suffix}")).image
    same = np.asarray(image.resize(artwork.image.size), dtype=float)
    assert np.abs(same - np.asarray(artwork.image)).mean() < (0.5 if suffix == "png" else 8)


def test_a_png_gives_every_pixel_back(artwork: Artwork, tmp_path: Path) -> None:
    assert Artwork.open(artwork.save(tmp_path / "city.png")).image.tobytes() == artwork.image.tobytes()


def test_the_same_picture_and_settings_give_the_same_png_byte_for_byte(
    picture: Image.Image, settings: Settings, tmp_path: Path
) -> None:
    one = Artwork(picture, settings, score=0.25).save(tmp_path / "one.png")
    recipe = Artwork.inspect(one)["settings"]
    again = Artwork(picture.copy(), Settings.from_recipe(recipe), score=0.25).save(tmp_path / "two.png")
    assert one.read_bytes() == again.read_bytes()


def test_a_png_that_was_opened_is_saved_as_the_very_same_file(artwork: Artwork, tmp_path: Path) -> None:
    one = artwork.save(tmp_path / "one.png")
    assert Artwork.open(one).save(tmp_path / "two.png").read_bytes() == one.read_bytes()


def test_allow_urls_does_not_change_the_recipe_since_a_stranger_may_not_set_it(
    picture: Image.Image, settings: Settings
) -> None:
    assert Artwork(picture, settings.with_(allow_urls=True)).recipe == Artwork(picture, settings).recipe


@pytest.mark.parametrize("suffix", FORMATS)
def test_without_metadata_the_file_tells_nothing(artwork: Artwork, suffix: str, tmp_path: Path) -> None:
    path = artwork.save(tmp_path / f"city.{suffix}", metadata=False)
    data = path.read_bytes()
    for word in (b"text2art", b"underwater", b"settings", b"Lav", b"x264", b"Software", b"Exif", b"comment", b"cmt"):
        assert word not in data
    with pytest.raises(ArtworkError, match="carries no recipe"):
        Artwork.open(path)


def test_what_pillow_knows_about_a_picture_is_not_written(settings: Settings, tmp_path: Path) -> None:
    note = PngImagePlugin.PngInfo()
    note.add_text("Author", "somebody")
    Image.new("RGB", (32, 32), "red").save(tmp_path / "in.png", pnginfo=note, dpi=(300, 300), icc_profile=b"profile")
    with Image.open(tmp_path / "in.png") as loaded:
        loaded.load()
        path = Artwork(loaded, settings).save(tmp_path / "out.png", metadata=False)
    with Image.open(path) as saved:
        assert saved.info == {}


@pytest.mark.parametrize("suffix", FORMATS)
def test_an_init_image_of_a_megabyte_travels_in_every_format(suffix: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (640, 640, 3), dtype=np.uint8)
    settings = Settings(prompts="a castle", init_image=noise, seed=1).resolved()
    assert len(settings.init_image or "") > 1_000_000
    path = Artwork(Image.new("RGB", (64, 64), "teal"), settings).save(tmp_path / f"castle.{suffix}")
    assert Artwork.open(path).settings == settings
    if suffix != "mp4":
        with Image.open(path) as other_programs_can_open_it:
            other_programs_can_open_it.load()


def test_a_file_is_known_by_its_content_not_by_its_name(artwork: Artwork, tmp_path: Path) -> None:
    renamed = artwork.save(tmp_path / "city.png").rename(tmp_path / "city.jpg")
    assert Artwork.inspect(renamed)["file"]["format"] == "PNG"


def test_inspect_says_what_open_would_read_as_json_types(artwork: Artwork, tmp_path: Path) -> None:
    path = artwork.save(tmp_path / "city.png")
    found = Artwork.inspect(path)
    assert json.loads(json.dumps(found)) == found
    assert found["file"] == {"format": "PNG", "width": 96, "height": 64, "bytes": path.stat().st_size}
    assert Settings.from_recipe(found["settings"]) == artwork.settings


def test_bytes_are_opened_like_files(artwork: Artwork, tmp_path: Path) -> None:
    for suffix in FORMATS:
        data = artwork.save(tmp_path / f"city.{suffix}").read_bytes()
        assert Artwork.open(data).settings == artwork.settings


def test_a_model_directory_is_refused_from_a_stranger_and_taken_from_oneself(
    picture: Image.Image, tmp_path: Path
) -> None:
    own = Settings(prompts="a castle", model="/models/mine", perceptors=("/models/eye",), size=(64, 64), seed=1)
    path = Artwork(picture, own).save(tmp_path / "castle.png")
    with pytest.raises(ArtworkError, match="directory"):
        Artwork.open(path)
    assert Artwork.open(path, trusted=True).settings == own


def test_a_transparent_png_stays_transparent(settings: Settings, tmp_path: Path) -> None:
    image = Image.new("RGBA", (32, 32), (255, 0, 0, 0))
    assert Artwork.open(Artwork(image, settings).save(tmp_path / "ghost.png")).image.mode == "RGBA"


def test_a_suffix_that_is_no_pictures_is_refused_by_name(artwork: Artwork, tmp_path: Path) -> None:
    with pytest.raises(ArtworkError, match=r"\.png, \.jpg, \.gif or \.mp4, not as 'city\.txt'"):
        artwork.save(tmp_path / "city.txt")


def test_a_place_that_cannot_be_written_is_said_plainly_and_leaves_nothing(artwork: Artwork, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ArtworkError, match="cannot be written"):
        artwork.save(tmp_path / "file" / "city.png")
    (tmp_path / "city.png").mkdir()
    with pytest.raises(ArtworkError, match="cannot be written"):
        artwork.save(tmp_path / "city.png")
    assert sorted(os.listdir(tmp_path)) == ["city.png", "file"]


def test_a_notebook_shows_the_picture_without_its_recipe(artwork: Artwork) -> None:
    png = artwork._repr_png_()
    assert png.startswith(b"\x89PNG")
    assert b"text2art" not in png


def test_the_score_of_a_picture_that_nobody_looked_at_is_none(picture: Image.Image, settings: Settings) -> None:
    recipe = json.loads(Artwork(picture, settings, score=float("nan")).recipe)
    assert recipe["score"] is None


def test_the_package_is_imported_in_a_blink_and_offers_its_names() -> None:
    program = (
        "import sys, time; import text2art_nb as t; "
        "assert time.process_time() < 0.3, time.process_time(); assert 'torch' not in sys.modules; "
        "assert {'draw', 'Run', 'Settings', 'Artwork', 'Frame'} <= set(dir(t)); "
        "from text2art_nb import Artwork, Settings; assert 'torch' not in sys.modules; print(t.__version__)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    importlib.import_module("text2art_nb.runs.drawing")
    from text2art_nb import draw

    assert callable(draw)  # whichever module was imported first
    with pytest.raises(ImportError):
        from text2art_nb import drow  # type: ignore[attr-defined]  # noqa: F401


def test_a_home_that_nobody_has_is_a_directory_like_any_other(
    artwork: Artwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    saved = artwork.save("~nobody-is-called-so/cat.png")
    assert Artwork.open(saved).settings == artwork.settings
    with pytest.raises(ArtworkError, match="there is no file 'dog"):
        Artwork.open("~nobody-is-called-so/dog.png")
    with pytest.raises(ModelError, match="there is no generator"):
        generator_file.load("~nobody-is-called-so/generator.pt2", torch.device("cpu"))
