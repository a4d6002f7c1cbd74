"""What a VQGAN's decoder needn't do to paint the same: short cuts, exact but for the rounding.

- To double a picture's side and then convolve it with 3 x 3 is one transposed convolution of 4 x 4 on the small one:
  4/9 of the multiplications, and nothing is copied.
- A residual's sum is divided by a scale that is 1.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


@torch.no_grad()
def doubling(convolution: nn.Conv2d) -> nn.ConvTranspose2d:
    """Each pixel fourfold and then `convolution`, 3 x 3 with a border of one: [B,C,h,w] to [B,D,2·h,2·w]."""
    both = nn.ConvTranspose2d(
        convolution.in_channels,
        convolution.out_channels,
        kernel_size=4,
        stride=2,
        padding=1,
        bias=convolution.bias is not None,
        device=convolution.weight.device,
        dtype=convolution.weight.dtype,
    )
    both.weight.copy_(_spread(_spread(convolution.weight, 2), 3).transpose(0, 1))
    if both.bias is not None and convolution.bias is not None:
        both.bias.copy_(convolution.bias)
    return both.requires_grad_(False)


def _spread(kernel: Tensor, axis: int) -> Tensor:
    """Where a doubled pixel goes along an axis: each half of it to three places, of four in all."""
    left, middle, right = kernel.unbind(axis)
    return torch.stack((right, right + middle, middle + left, left), axis)


class Residual(nn.Module):
    """A ResnetBlock2D of diffusers as decoders of VQGANs have it: no time, no dropout, nothing divided."""

    def __init__(self, block: Any) -> None:
        super().__init__()
        self.norm1, self.conv1, self.norm2, self.conv2 = block.norm1, block.conv1, block.norm2, block.conv2
        self.shortcut = block.conv_shortcut

    def forward(self, x: Tensor, *_: Any, **__: Any) -> Tensor:
        """[B,C,h,w]. What else diffusers hands over, a time, is None here."""
        painted = self.conv1(F.silu(self.norm1(x)))
        painted = self.conv2(F.silu(self.norm2(painted)))
        return (x if self.shortcut is None else self.shortcut(x)) + painted


def shorten(decoder: nn.Module) -> None:
    """Put the short cuts in their places in a decoder of diffusers."""
    from diffusers.models.resnet import ResnetBlock2D
    from diffusers.models.upsampling import Upsample2D

    for parent in list(decoder.modules()):
        for name, part in list(parent.named_children()):
            if isinstance(part, Upsample2D) and _doubles(part):
                setattr(parent, name, doubling(part.conv))
            elif isinstance(part, ResnetBlock2D) and _is_plain(part):
                setattr(parent, name, Residual(part))


def _doubles(part: Any) -> bool:
    convolution = getattr(part, "conv", None)
    return (
        isinstance(convolution, nn.Conv2d)
        and (convolution.kernel_size, convolution.padding) == ((3, 3), (1, 1))
        and bool(part.interpolate)
        and part.norm is None
    )


def _is_plain(part: Any) -> bool:
    moved = (part.time_emb_proj, part.upsample, part.downsample)
    return (
        all(each is None for each in moved)
        and part.output_scale_factor == 1
        and isinstance(part.nonlinearity, nn.SiLU)
        and isinstance(part.norm1, nn.GroupNorm)
        and isinstance(part.norm2, nn.GroupNorm)
    )
