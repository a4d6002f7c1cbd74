"""What a VQGAN's decoder needn't do to paint the same: short cuts, exact but for the rounding.

- To double a picture's side and then convolve it with 3 x 3 is to convolve the small one with four kernels of 2 x 2,
  one for each pixel of four: 4/9 of the multiplications, a tenth of a decoder's.
- A residual's sum is divided by a scale that is 1.
"""

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class DoublingConvolution(nn.Module):
    """Each pixel fourfold and then a convolution of 3 x 3, as one of 2 x 2 that paints the four pixels side by side."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        """convolution: of 3 x 3, with a border of one."""
        super().__init__()
        kernel = convolution.weight.detach()
        phases = [_halved(_halved(kernel, 2, row), 3, column) for row in (0, 1) for column in (0, 1)]
        bias = convolution.bias
        self.weight = nn.Parameter(torch.cat(phases), requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias.detach().repeat(4), requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """[B,C,2·h,2·w] of [B,C,h,w]."""
        height, width = x.shape[-2:]
        fields = F.conv2d(x, self.weight, self.bias, padding=1).unflatten(1, (4, -1)).unbind(1)
        corners = ((0, 0), (0, 1), (1, 0), (1, 1))
        cut = [field[..., y : y + height, x : x + width] for field, (y, x) in zip(fields, corners, strict=True)]
        four = torch.stack(cut, -1).unflatten(-1, (2, 2))  # [B,C,h,w,2,2]
        return four.transpose(3, 4).flatten(4, 5).flatten(2, 3)


def _halved(kernel: Tensor, axis: int, phase: int) -> Tensor:
    """A kernel's three steps along an axis on what was doubled, as two on what it was doubled from.

    The first of two pixels sees its left neighbour and twice itself; the second twice itself and its right one.
    """
    left, middle, right = kernel.unbind(axis)
    return torch.stack((left, middle + right) if phase == 0 else (left + middle, right), axis)


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
                setattr(parent, name, DoublingConvolution(part.conv))
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
