"""An eye that leaves out what nobody looks at sees what transformers' own sees, and so does what goes back to it."""

from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from tests.perceptors import families
from text2art_nb import models, perceptors
from text2art_nb.perceptors.dual_encoder import flatten_pooling
from text2art_nb.perceptors.fused_ops import Patches, scale_into, shorten
from text2art_nb.perceptors.resnet_clip import ModifiedResNet

CPU = torch.device("cpu")


def told(features: Any) -> torch.Tensor:
    return F.normalize(features if isinstance(features, torch.Tensor) else features.pooler_output, dim=-1)


@pytest.mark.parametrize("kind", ["clip", "siglip", "embedded", "judge"])
def test_it_sees_what_transformers_own_model_sees(kind: str, tiny_clip: Path, tmp_path: Path) -> None:
    from transformers import AutoModel

    if kind in ("embedded", "judge"):  # a ResNet and a RegNet
        place = models.locate(kind, "clip")
    else:
        place = tiny_clip if kind == "clip" else families.save_siglip(tmp_path / kind, kind)
    model, looking = flatten_pooling(AutoModel.from_pretrained(place)).eval(), perceptors.load(str(place), CPU)
    ours = torch.rand(3, 3, looking.size, looking.size, requires_grad=True)
    theirs = ours.detach().clone().requires_grad_()
    mean, std = (getattr(looking, name) for name in ("_mean", "_std"))
    seen, wanted = looking.see(ours), told(model.get_image_features(pixel_values=(theirs - mean) / std))
    torch.testing.assert_close(seen, wanted, atol=1e-5, rtol=1e-4)
    pull = torch.randn_like(wanted)
    seen.backward(pull)
    wanted.backward(pull)
    torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-5, rtol=1e-3)


def test_patches_are_what_the_convolution_makes_of_them() -> None:
    convolution = nn.Conv2d(3, 8, 4, stride=4)
    pictures = torch.rand(2, 3, 17, 12)  # a row is left over
    torch.testing.assert_close(Patches(convolution)(pictures), convolution(pictures))


def test_openais_gelu_between_two_layers_is_a_silu_between_two_others() -> None:
    before, behind = nn.Linear(6, 24), nn.Linear(24, 6)
    ours = torch.randn(50, 6, requires_grad=True)
    theirs = ours.detach().clone().requires_grad_()
    hidden = before(theirs)
    wanted = behind(hidden * torch.sigmoid(1.702 * hidden))
    wanted.sum().backward()
    between = scale_into(before, behind)
    found = behind(between(before(ours)))
    found.sum().backward()
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(ours.grad, theirs.grad)


def test_a_frozen_resnet_sees_the_same_without_its_batch_norms() -> None:
    eye = ModifiedResNet((1, 2, 1, 1), 16, 64, 32)
    for part in eye.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_()
            part.running_var.uniform_(0.5, 2)
    eye.eval().requires_grad_(False)
    pictures = torch.rand(2, 3, 64, 64)
    wanted = eye(pictures)
    eye.shorten()
    torch.testing.assert_close(eye(pictures), wanted, atol=1e-5, rtol=1e-4)
    assert not any(isinstance(part, nn.BatchNorm2d) for part in eye.modules())


def test_an_eye_that_begins_with_any_other_convolution_keeps_it() -> None:
    tower, first = nn.Module(), nn.Conv2d(3, 8, 3, stride=2)
    tower.embeddings = nn.Module()
    tower.embeddings.patch_embedding = first
    shorten(tower)
    assert tower.embeddings.patch_embedding is first
