"""A VQGAN that paints by short cuts paints what diffusers' own decoder paints, and so does what goes back to it."""

from pathlib import Path

import pytest
import torch
from torch import nn

from text2art_nb.drawers import vqgan
from text2art_nb.drawers.fused_ops import Residual, doubling, shorten


def test_it_paints_what_diffusers_paints(tiny_vqgan: Path) -> None:
    from diffusers.models.autoencoders.vq_model import VQModel

    wanted = VQModel.from_pretrained(tiny_vqgan).eval()
    quick = vqgan.load(tiny_vqgan, torch.device("cpu"))
    kinds = [type(part) for part in quick.decoder.modules()]
    assert kinds.count(nn.ConvTranspose2d) == len(wanted.config.block_out_channels) - 1
    assert kinds.count(Residual) > 4
    ours = torch.randn(2, wanted.config.latent_channels, 5, 3, requires_grad=True)
    theirs = ours.detach().clone().requires_grad_()
    picture = quick.decode(ours, force_not_quantize=True).sample
    reference = wanted.decode(theirs, force_not_quantize=True).sample
    torch.testing.assert_close(picture, reference, atol=1e-4, rtol=1e-4)
    pull = torch.randn_like(picture)
    picture.backward(pull)
    reference.backward(pull)
    torch.testing.assert_close(ours.grad, theirs.grad, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("bias", [True, False])
def test_doubling_first_and_convolving_then_is_one_convolution(bias: bool) -> None:
    convolution = nn.Conv2d(3, 4, 3, padding=1, bias=bias)
    small = torch.randn(2, 3, 5, 7)
    doubled = small.repeat_interleave(2, 2).repeat_interleave(2, 3)
    torch.testing.assert_close(doubling(convolution)(small), convolution(doubled))


def test_blocks_of_another_kind_are_left_as_they_are() -> None:
    from diffusers.models.resnet import ResnetBlock2D
    from diffusers.models.upsampling import Upsample2D

    odd = [
        ResnetBlock2D(in_channels=32, temb_channels=None, output_scale_factor=2.0),
        ResnetBlock2D(in_channels=32, temb_channels=8),
        Upsample2D(32, use_conv=True, kernel_size=5, padding=2),
        Upsample2D(32, use_conv=False),
    ]
    decoder = nn.Sequential(*odd)
    shorten(decoder)
    assert [type(part) for part in decoder] == [type(part) for part in odd]
