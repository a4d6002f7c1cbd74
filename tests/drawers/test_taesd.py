"""The taesd drawer: the latents of diffusion models, their channels, their range, and whose weights it takes."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests import tiny_models
from text2art_nb import drawers, models
from text2art_nb.drawers import taesd
from text2art_nb.errors import ModelError
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

Tiny = Callable[..., Settings]
CPU = torch.device("cpu")


def build(settings: Settings, seed: int = 0) -> taesd.TAESDDrawer:
    built = drawers.build(settings, CPU, torch.Generator().manual_seed(seed))
    assert isinstance(built, taesd.TAESDDrawer)
    return built


def test_full_means_its_real_weights_and_real_eyes() -> None:
    settings = Settings(prompts="a cat", drawer="taesd", model="full").resolved()
    assert settings.perceptors == ("ViT-B/32", "ViT-B/16")
    assert settings.iterations == 250
    assert settings.start == "noise"


def test_without_a_model_it_draws_what_it_is_asked_for_with_the_embedded_one() -> None:
    """The proposal survives its encoder and decoder, and the drawing after it; at half the size, and enlarged."""
    settings = Settings(prompts="a red castle in a meadow", drawer="taesd", seed=0, iterations=8).resolved()
    assert build(settings).canvas == (144, 144)
    run = Run(settings)
    first, *_, last = run
    assert run.artwork.image.size == (288, 288)
    assert last.score > first.score > 0.4


@pytest.mark.parametrize("drawer", ["vqgan", "pixel", "fft", "taesd"])
def test_embedded_still_means_embedded_for_drawers_that_need_no_download(drawer: str) -> None:
    assert Settings(prompts="a cat", drawer=drawer).resolved().model == "embedded"


@pytest.mark.parametrize("name", ["taesd", "taesdxl", "taesd3", "taef1"])
def test_the_four_are_known_by_name_with_size_and_licence(name: str) -> None:
    weights = models.find(name)
    assert (weights.kind, weights.licence, weights.loadable) == ("taesd", "MIT", True)
    assert weights.size == pytest.approx(9.8e6, rel=0.01)


@pytest.mark.parametrize("channels", [4, 16])
def test_the_real_architecture_loads_and_gradients_reach_the_latents(tmp_path: Path, channels: int) -> None:
    from diffusers import AutoencoderTiny

    torch.manual_seed(0)
    AutoencoderTiny(latent_channels=channels).save_pretrained(tmp_path)
    model = taesd.load(tmp_path, CPU)
    assert sum(parameter.numel() for parameter in model.decoder.parameters()) == pytest.approx(1.225e6, rel=0.005)
    built = taesd.TAESDDrawer(model, (64, 48), 2, torch.Generator().manual_seed(0))
    assert built.latents.shape == (2, channels, 6, 8)
    built.render().square().sum().backward()
    assert built.latents.grad is not None
    assert (built.latents.grad.abs().flatten(1).sum(1) > 0).all()
    assert all(parameter.grad is None for parameter in model.parameters())


def test_a_picture_is_encoded_into_the_latents(tiny: Tiny) -> None:
    built = build(tiny(drawer="taesd", size=(64, 48), candidates=2))
    picture = torch.rand(1, 3, 100, 90)
    built.start_from(picture)
    model = built._model
    seen = torch.nn.functional.interpolate(picture, (48, 64), mode="bicubic", antialias=True).clamp(0, 1)
    expected = model.encode(seen * 2 - 1).latents
    torch.testing.assert_close(built.latents.detach(), expected.expand(2, -1, -1, -1))


def test_the_latents_stay_in_the_range_of_pictures(tiny: Tiny) -> None:
    built = build(tiny(drawer="taesd"))
    with torch.no_grad():
        built.latents.mul_(1000)
    built.constrain()
    assert built.latents.abs().max() == taesd.REACH


def test_a_run_that_was_killed_ends_in_the_very_same_picture(tiny: Tiny, tmp_path: Path) -> None:
    whole = Run(tiny(drawer="taesd", candidates=2, iterations=4))
    for frame in whole:
        if frame.iteration == 2:
            whole.save(tmp_path / "half")
    again = Run.load(tmp_path / "half")
    for _ in again:
        pass
    assert again.artwork.image.tobytes() == whole.artwork.image.tobytes()


def test_weights_of_another_kind_are_refused_in_a_sentence(tmp_path: Path) -> None:
    directory = tiny_models.save_vqgan(tmp_path / "vqgan")
    with pytest.raises(ModelError, match="holds no TAESD"):
        taesd.load(directory, CPU)
