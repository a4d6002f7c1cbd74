"""A VQGAN's checkpoint is loaded whole or not at all."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests import tiny_models
from text2art_nb.drawers import vqgan
from text2art_nb.errors import ModelError

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
