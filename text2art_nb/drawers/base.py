"""The contract of a drawer: the X of X + CLIP, anything differentiable that turns a few numbers into a picture."""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Drawer(nn.Module, ABC):
    """Draws `candidates` pictures side by side from its parameters.

    Its parameters, and nothing else, are what is optimised and what a checkpoint holds: a frozen generator is kept
    outside `state_dict` (see `Frozen`). The first axis of every parameter is the candidate, so that one candidate's
    can be kept, or gone on with, alone.

    canvas: (width, height) in pixels at which it draws; `enlarge` brings a picture to the size that was asked for.
    learning_rate: its own, from noise; refining_rate: its own where it starts from a picture of what is asked for,
    which is to get better and not to become another one.
    """

    learning_rate: ClassVar[float]
    refining_rate: ClassVar[float]
    canvas: tuple[int, int]

    @abstractmethod
    def render(self) -> Tensor:
        """The pictures of the present parameters: [B,3,H,W] in 0..1 at the size of the canvas, differentiable."""

    @abstractmethod
    def start_from(self, image: Tensor) -> None:
        """Set the parameters so that `render()` comes near `image` ([1 or B,3,h,w] in 0..1, any size)."""

    def constrain(self) -> None:
        """Bring the parameters back into their range, in place, after each step."""

    def param_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """What the optimiser gets; a drawer whose parameters want different rates returns several groups."""
        return [{"params": list(self.parameters()), "lr": learning_rate}]

    def optimizer(self) -> torch.optim.Optimizer:
        """What moves the parameters, at the drawer's own learning rates."""
        return torch.optim.Adam(self.param_groups(self.learning_rate))

    def enlarge(self, image: Tensor, size: tuple[int, int]) -> Tensor:
        """`image` [B,3,H,W] at `size` (width, height); smoothly, unless the drawer knows better."""
        width, height = size
        if image.shape[-2:] == (height, width):
            return image
        return F.interpolate(image, (height, width), mode="bicubic", antialias=True).clamp(0, 1)

    @torch.no_grad()
    def finish(self) -> Tensor:
        """The last picture, [B,3,H,W] in 0..1: a drawer with a better, slower decoder uses it here."""
        return self.render()


class Frozen:
    """Holds a frozen network without making it part of the module that holds it.

    `nn.Module.__setattr__` would register it, and its weights would then be optimised, checkpointed and copied.
    """

    def __init__(self, network: nn.Module) -> None:
        self.network = network


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
