"""The VQGAN drawer: what it paints from noise and from a proposal; and a checkpoint is loaded whole or not at all."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests import tiny_models
from text2art_nb.drawers import vqgan
from text2art_nb.errors import ModelError
from text2art_nb.imaging.tensors import resize
from text2art_nb.optimization import proposals
from text2art_nb.settings import Settings

CPU = torch.device("cpu")
WEIGHTS = "diffusion_pytorch_model.safetensors"


def test_a_checkpoint_with_a_gap_is_not_filled_with_random_numbers(tmp_path: Path) -> None:
    directory = tiny_models.save_vqgan(tmp_path)
    tensors = load_file(directory / WEIGHTS)
    del tensors["quantize.embedding.weight"], tensors["decoder.conv_in.bias"]
    save_file(tensors, directory / WEIGHTS)
    with pytest.raises(ModelError, match=r"no VQGAN as .* decoder\.conv_in\.bias is missing, and 1 more"):
        vqgan.load(directory, CPU)


def test_a_checkpoint_of_a_larger_model_is_refused(tmp_path: Path) -> None:
    directory = tiny_models.save_vqgan(tmp_path)
    tensors = load_file(directory / WEIGHTS)
    save_file({**tensors, "loss.discriminator.weight": torch.zeros(3)}, directory / WEIGHTS)
    with pytest.raises(ModelError, match=r"loss\.discriminator\.weight has no place in it"):
        vqgan.load(directory, CPU)


def embedded(start: str) -> vqgan.VQGANDrawer:
    settings = Settings(prompts="a castle", start=start, quality="draft", seed=1).resolved()
    return vqgan.build(settings, CPU, torch.Generator().manual_seed(1))


def test_a_real_vqgan_is_painted_in_codes(tmp_path: Path) -> None:
    settings = Settings(prompts="a castle", model=str(tiny_models.save_vqgan(tmp_path)), size=(64, 48), start="noise")
    drawer = vqgan.build(settings.resolved(), CPU, torch.Generator().manual_seed(1))
    painted = drawer._painted(drawer.latents).detach().movedim(1, -1).flatten(0, 2)
    distances = torch.cdist(painted, drawer.codebook)
    assert distances.amin(1).max() < 1e-4
    latents = drawer.latents.detach().movedim(1, -1).flatten(0, 2)
    assert torch.equal(torch.cdist(latents, drawer.codebook).argmin(1), distances.argmin(1))


def test_what_grows_out_of_noise_is_moved_as_a_whole_too() -> None:
    drawer = embedded("noise")
    before = drawer._painted(drawer.latents).detach()
    with torch.no_grad():
        drawer.coarser[-1][..., 2, 2] += 1.0
    moved = (drawer._painted(drawer.latents).detach() - before).abs().amax((0, 1)) > 0.1
    rows, columns = moved.nonzero().unbind(1)
    assert 8 <= rows.max() - rows.min() <= 18  # of 36 latents a side, of which the coarsest four have nine each
    assert 8 <= columns.max() - columns.min() <= 18


def test_a_pyramid_stays_among_the_codes_and_starts_from_a_picture_as_it_is() -> None:
    drawer, proposal = embedded("noise"), torch.rand(1, 3, 32, 32)
    drawer.coarser[0].data.fill_(1e3)
    drawer.constrain()
    summed = drawer._painted(drawer.latents)
    assert ((summed >= drawer.lowest - 1e-3) & (summed <= drawer.highest + 1e-3)).all()
    drawer.start_from(proposal)
    plain = embedded("proposal")
    plain.start_from(proposal)
    assert torch.equal(drawer.render(), plain.render())


def test_a_proposal_is_painted_between_the_codes_which_shows_more_of_it() -> None:
    settings = Settings(prompts="a castle", quality="draft", seed=1).resolved()
    assert settings.start == "proposal"
    proposal = proposals.of_settings(settings, CPU)

    def error(drawer: vqgan.VQGANDrawer) -> float:
        drawer.start_from(proposal)
        with torch.no_grad():
            return float((drawer.render() - resize(proposal, drawer.canvas)).square().mean())

    between = embedded("proposal")
    codes = vqgan.VQGANDrawer(between._model, between.canvas, 1, torch.Generator())
    assert error(between) < 0.9 * error(codes)


def test_it_is_what_a_pyramid_adds_up_to_that_is_asked_to_stay_near_its_start() -> None:
    drawer = embedded("noise")
    before = drawer.numbers()["latents"].detach()
    with torch.no_grad():
        drawer.coarser[-1] += 3.0
        drawer.latents -= 3.0
    torch.testing.assert_close(drawer.numbers()["latents"], before)


def test_the_nearest_code_is_found_where_the_perceptors_look_in_half_precision(tmp_path: Path) -> None:
    settings = Settings(prompts="a castle", model=str(tiny_models.save_vqgan(tmp_path)), size=(256, 256), start="noise")
    drawer = vqgan.build(settings.resolved(), CPU, torch.Generator().manual_seed(1))
    exact = drawer._painted(drawer.latents)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(drawer._painted(drawer.latents), exact)


@pytest.mark.parametrize("start", ["noise", "picture"])
def test_a_real_vqgan_starts_from_the_codes_nearest_to_what_its_encoder_says(tmp_path: Path, start: str) -> None:
    """As pixray does: held to the codes' range before, latents beyond it would find other codes."""
    model = vqgan.load(tiny_models.save_vqgan(tmp_path), CPU)
    with torch.no_grad():
        model.encoder.conv_out.weight *= 40  # far beyond the codes
    drawer = vqgan.VQGANDrawer(model, (64, 48), 1, torch.Generator().manual_seed(1))
    picture = torch.rand(1, 3, 48, 64)
    if start == "picture":
        drawer.start_from(picture)
    else:
        picture = vqgan._soft_noise(1, (64, 48), torch.Generator().manual_seed(1))
    with torch.no_grad():
        encoded = model.encode(picture * 2 - 1).latents.movedim(1, -1).flatten(0, 2)
    nearest = torch.cdist(encoded, drawer.codebook).argmin(1)
    clamped = encoded.maximum(drawer.codebook.amin(0)).minimum(drawer.codebook.amax(0))
    assert (torch.cdist(clamped, drawer.codebook).argmin(1) != nearest).any()
    begun = drawer.latents.detach().movedim(1, -1).flatten(0, 2)
    assert torch.equal(begun, drawer.codebook[nearest])


@pytest.mark.parametrize("start", ["noise", "proposal"])
def test_the_embedded_vqgan_starts_from_what_its_encoder_says_not_from_codes(start: str) -> None:
    drawer, picture = embedded(start), torch.rand(1, 3, 64, 64)
    drawer.start_from(picture)
    with torch.no_grad():
        encoded = drawer._model.encode(resize(picture, drawer.canvas) * 2 - 1).latents
    assert torch.equal(drawer.latents, encoded.maximum(drawer.lowest).minimum(drawer.highest))
