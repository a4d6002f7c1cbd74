"""Image tensors: resizing, compositing, clamping, and conversion to pixels."""

from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

if TYPE_CHECKING:
    import numpy as np


class _ClampWithGradient(torch.autograd.Function):
    """Clamp to 0..1 whose gradient still flows where it would bring the value back (as in VQGAN+CLIP)."""

    @staticmethod
    def forward(ctx: Any, value: Tensor) -> Tensor:
        ctx.save_for_backward(value)
        return value.clamp(0, 1)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        (value,) = ctx.saved_tensors
        (gradient,) = gradients
        return gradient * (gradient * (value - value.clamp(0, 1)) >= 0)


def clamp_with_gradient(value: Tensor) -> Tensor:
    """`value` clamped to 0..1; a pixel that is out of range can still be pulled back in."""
    clamped: Tensor = _ClampWithGradient.apply(value)
    return clamped


def resize(image: Tensor, size: tuple[int, int]) -> Tensor:
    """`image` [B,3,h,w] squeezed to `size` (width, height), antialiased, in 0..1."""
    width, height = size
    return F.interpolate(image, (height, width), mode="bicubic", antialias=True).clamp(0, 1)


def composite(image: Tensor, background: Tensor) -> Tensor:
    """Composite `image` [B,4,H,W] on one color [3]: [B,3,H,W]. An image without opacity is returned as it is."""
    if image.shape[1] == 3:
        return image
    colors, opacity = image[:, :3], image[:, 3:]
    return colors * opacity + background.view(1, 3, 1, 1) * (1 - opacity)


def to_pixels(image: Tensor) -> "np.ndarray":
    """[B,3,H,W] in 0..1 as uint8 [B,H,W,3], rounded."""
    pixels: np.ndarray = image.detach().float().clamp(0, 1).mul(255).round().byte().movedim(1, -1).cpu().numpy()
    return pixels
