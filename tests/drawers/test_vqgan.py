"""The VQGAN drawer: what it paints from noise and from a proposal; and a checkpoint is loaded whole or not at all."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests import tiny_models
from text2art_nb import proposals
from text2art_nb.drawers import vqgan
from text2art_nb.drawers.base import resize
from text2art_nb.errors import ModelError
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


def test_what_grows_out_of_noise_is_painted_in_codes() -> None:
    drawer = embedded("noise")
    painted = drawer._painted(drawer.latents).detach().movedim(1, -1).flatten(0, 2)
    distances = torch.cdist(painted, drawer.codebook)
    assert distances.amin(1).max() < 1e-4
    latents = drawer.latents.detach().movedim(1, -1).flatten(0, 2)
    assert torch.equal(torch.cdist(latents, drawer.codebook).argmin(1), distances.argmin(1))


def test_a_proposal_is_painted_between_the_codes_which_shows_more_of_it() -> None:
    settings = Settings(prompts="a castle", quality="draft", seed=1).resolved()
    assert settings.start == "proposal"
    proposal = proposals.of_settings(settings, CPU)

    def error(drawer: vqgan.VQGANDrawer) -> float:
        drawer.start_from(proposal)
        with torch.no_grad():
            return float((drawer.render() - resize(proposal, drawer.canvas)).square().mean())

    assert error(embedded("proposal")) < 0.9 * error(embedded("noise"))
