"""A finished picture is made larger: cells stay cells, strokes are drawn anew, tiles leave no seam."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from tests import tiny_models
from text2art_nb.artifacts import upscale
from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.errors import ArtworkError, ModelError, SettingsError
from text2art_nb.models import cache_root
from text2art_nb.optimization import filters
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

Tiny = Callable[..., Settings]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def swin2sr(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.save_swin2sr(tmp_path_factory.mktemp("tiny") / "swin2sr")


@pytest.fixture(autouse=True)
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No weights here, and no server."""
    monkeypatch.setenv("TEXT2ART_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TEXT2ART_OFFLINE", "1")


def noise(*size: int) -> Tensor:
    return torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(0))


def drawn(settings: Settings) -> tuple[Run, Image.Image]:
    run = Run(settings)
    list(run)
    return run, run.artwork.image


# -- which one


@pytest.mark.parametrize(
    ("changes", "how"),
    [
        ({"drawer": "pixel"}, "nearest"),
        ({"drawer": "vqgan -> pixel"}, "nearest"),
        ({"drawer": "strokes"}, "vector"),
        ({"drawer": "fft"}, "lanczos"),
        ({"filters": ("lookup",), "palette": "pico-8"}, "nearest"),
        ({"upscaler": "swin2sr", "drawer": "pixel"}, "swin2sr"),
    ],
)
def test_auto_takes_what_suits_the_picture(changes: dict[str, object], how: str) -> None:
    assert upscale.choose(Settings(prompts="a cat", upscale=2, **changes)).how == how


def test_auto_fetches_nothing_and_says_what_would_be_better() -> None:
    notice = upscale.choose(Settings(prompts="a cat", upscale=4)).notice
    assert notice is not None
    assert "upscaler=swin2sr" in notice
    with pytest.raises(ModelError, match="offline"):
        upscale.enlarge(Image.new("RGB", (16, 16)), 2, "swin2sr")


def test_auto_takes_the_network_whose_weights_are_here(swin2sr: Path) -> None:
    there = cache_root() / "upscaler" / "caidas--swin2SR-classical-sr-x2-64"
    shutil.copytree(swin2sr, there)
    assert upscale.choose(Settings(prompts="a cat", upscale=2)).how == "swin2sr"
    larger = upscale.enlarge(Image.new("RGBA", (40, 24), (200, 20, 20, 128)), 2, "swin2sr", "cpu")
    assert (larger.size, larger.mode) == ((80, 48), "RGBA")
    assert larger.getchannel("A").getextrema() == (128, 128)


# -- a run


def test_pixel_art_is_the_same_cells_four_times_as_large(tiny: Tiny) -> None:
    settings = tiny(drawer="pixel", iterations=2)
    small, large = drawn(settings)[1], drawn(settings.with_(upscale=4))[1]
    assert large.size == (192, 128)
    assert np.array_equal(np.array(small).repeat(4, 0).repeat(4, 1), np.array(large))


def test_strokes_are_drawn_anew(tiny: Tiny) -> None:
    settings = tiny(drawer="strokes", iterations=2, strokes=8, size=(64, 64))
    small, (_, large) = drawn(settings)[1], drawn(settings.with_(upscale=4))
    assert large.size == (256, 256)
    reduced = np.array(large.resize((64, 64), Image.Resampling.BOX), float)
    assert np.abs(reduced - np.array(small, float)).mean() < 4
    stretched = small.resize(large.size, Image.Resampling.BICUBIC)

    def sharpness(image: Image.Image) -> float:
        return float(np.abs(np.diff(np.array(image, float), axis=1)).max(1).mean())

    assert sharpness(large) > 1.2 * sharpness(stretched)


def test_the_recipe_draws_the_large_picture_again(tiny: Tiny) -> None:
    run, picture = drawn(tiny(upscale=2, iterations=2))
    assert picture.size == (96, 64)
    assert any("Lanczos" in notice for notice in run.notices)
    recipe = run.artwork.settings
    assert (recipe.upscale, recipe.upscaler, recipe.size) == (2, "lanczos", (48, 32))
    assert drawn(recipe)[1].tobytes() == picture.tobytes()


def test_a_network_that_cannot_be_had_is_said_before_anything_is_drawn(tiny: Tiny) -> None:
    run = Run(tiny(upscale=2, upscaler="swin2sr"))
    with pytest.raises(ModelError, match="swin2SR"):
        next(run)
    assert run.iteration == 0


def test_a_picture_too_large_for_the_network_is_enlarged_by_arithmetic(
    tiny: Tiny, swin2sr: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hungry(*_: object) -> None:
        raise MemoryError

    shutil.copytree(swin2sr, cache_root() / "upscaler" / "caidas--swin2SR-classical-sr-x2-64")
    monkeypatch.setattr(upscale, "by_network", hungry)
    run = Run(tiny(upscale=2, upscaler="swin2sr"))
    list(run)
    assert run.artwork.image.size == (96, 64)
    assert run.notices == ["memory ran out while the picture was enlarged: it is enlarged by Lanczos"]


def test_frames_are_not_enlarged(tiny: Tiny) -> None:
    assert next(Run(tiny(upscale=2))).image.size == (48, 32)


def test_an_artwork_can_be_made_larger_afterwards(tiny: Tiny) -> None:
    run = Run(tiny(iterations=2))
    list(run)
    with pytest.warns(UserWarning, match="Lanczos"):
        larger = run.artwork.upscaled(2)
    assert larger.image.size == (96, 64)
    assert drawn(larger.settings)[1].tobytes() == larger.image.tobytes()
    assert larger.upscaled(2, "nearest").image.size == (192, 128)
    with pytest.raises(ArtworkError, match="can't be enlarged 4 times"):
        larger.upscaled(4)


@pytest.mark.parametrize("how", ["swin2sr", "lanczos"])
def test_a_tile_stays_a_tile(swin2sr: Path, how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("text2art_nb.models.locate", lambda name, kind: swin2sr)
    settings = Settings(prompts="a cat", filters="tile")
    stages = filters.build(settings, None)
    tile = Image.fromarray((stages(noise(48, 64))[0].movedim(0, -1) * 255).byte().numpy())

    def strays(made_by: filters.Filters | None) -> float:
        """How far its edges are from what they become where they lie in the middle."""
        moved = Image.fromarray(np.roll(np.array(tile), (24, 32), (0, 1)))
        edges, middle = (np.array(upscale.enlarge(each, 2, how, "cpu", made_by), float) for each in (tile, moved))
        away = np.abs(edges - np.roll(middle, (-48, -64), (0, 1)))
        return float(away[:8].mean() + away[-8:].mean() + away[:, :8].mean() + away[:, -8:].mean())

    assert strays(stages) < 0.3 * strays(None)


def test_a_tiled_run_is_enlarged_as_a_tile(tiny: Tiny) -> None:
    settings = tiny(filters="tile", upscale=2, upscaler="lanczos", iterations=1, size=(32, 32))
    run, picture = drawn(settings)
    small = drawn(settings.with_(upscale=1))[1]
    assert run.settings.filters == ("tile",)
    assert np.array_equal(
        np.array(picture), np.array(upscale.enlarge(small, 2, "lanczos", "cpu", filters.build(settings, None)))
    )
    assert not np.array_equal(np.array(picture), np.array(upscale.enlarge(small, 2, "lanczos")))


def test_strokes_of_a_finished_picture_are_gone(tiny: Tiny) -> None:
    artwork = Artwork(Image.new("RGB", (48, 32)), tiny(drawer="strokes").resolved())
    with pytest.raises(ArtworkError, match="no strokes left"):
        artwork.upscaled(2)


# -- tiles


def test_tiles_of_what_has_no_edges_are_exact() -> None:
    picture = noise(300, 200)

    def see(part: Tensor) -> Tensor:
        return part.repeat_interleave(2, 2).repeat_interleave(2, 3)

    torch.testing.assert_close(upscale.tiled(see, picture, 2, 128, 32), see(picture), atol=1e-6, rtol=0)


def test_no_seam_is_left_where_tiles_disagree() -> None:
    heights = iter((0.2, 0.8))

    def see(part: Tensor) -> Tensor:
        return torch.full_like(part, next(heights))

    row = upscale.tiled(see, noise(16, 224), 1, 128, 32)[0, 0, 0]
    assert (row[:96] == 0.2).all()
    assert (row[128:] == 0.8).all()
    assert row.diff().abs().max() < 0.6 / 32 * 1.01


def test_no_tile_is_larger_than_said() -> None:
    seen: list[tuple[int, int]] = []

    def see(part: Tensor) -> Tensor:
        seen.append((part.shape[-2], part.shape[-1]))
        return part

    upscale.tiled(see, noise(500, 30), 1, 128, 32)
    assert seen == [(128, 30)] * 4 + [(116, 30)]


def test_the_network_in_tiles_is_nearly_the_network_at_once(swin2sr: Path) -> None:
    model = upscale.load(swin2sr, CPU)
    picture = noise(64, 96)
    with torch.no_grad():
        whole = model(pixel_values=picture).reconstruction.clamp(0, 1)
    tiled = upscale.by_network(model, picture, tile=48, overlap=24)
    away = (tiled - whole).abs()
    assert tiled.shape == (1, 3, 128, 192)
    assert away.mean() < 0.01 * whole.std()
    # At a seam neighbouring pixels differ no more than the whole picture's do there.
    seam = slice(2 * 24 - 1, 2 * 48 + 1)
    assert tiled[..., seam].diff(dim=-1).abs().mean() < 1.05 * whole[..., seam].diff(dim=-1).abs().mean()


def test_a_clip_is_no_upscaler(tiny_vqgan: Path) -> None:
    with pytest.raises(ModelError, match="no Swin2SR"):
        upscale.load(tiny_vqgan, CPU)


# -- settings


@pytest.mark.parametrize("value", [3, "8", 0, "two", None, True, 2.5])
def test_only_1_2_and_4_are_factors(value: object) -> None:
    with pytest.raises(SettingsError, match="upscale"):
        Settings(prompts="a cat", upscale=value)


@pytest.mark.parametrize("value", [2, "2", "2x", 2.0])
def test_a_factor_may_be_written_in_several_ways(value: object) -> None:
    assert Settings(prompts="a cat", upscale=value).upscale == 2


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"upscaler": "swin2rs"}, "did you mean 'swin2sr'"),
        ({"upscaler": "/etc/passwd"}, "unknown upscaler"),
        ({"upscaler": "vector", "drawer": "fft"}, "for the drawer strokes"),
        ({"upscale": 4, "size": (4096, 4096)}, "at most 64 megapixels; got 16384x16384"),
    ],
)
def test_what_cannot_be_is_said(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        Settings(**{"prompts": "a cat", "upscale": 2, **changes})
