"""The contract of a drawer: the X of X + CLIP, anything differentiable that turns a few numbers into a picture."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from text2art_nb.imaging.tensors import resize
from text2art_nb.settings.prompts import Prompt


class Drawer(nn.Module, ABC):
    """Draws `candidates` pictures side by side from its parameters.

    Its parameters, and nothing else, are what is optimised and what a checkpoint holds: a frozen generator is kept
    outside `state_dict` (see `Frozen`). The first axis of every parameter is the candidate, so that one candidate's
    can be kept, or gone on with, alone.

    canvas: (width, height) in pixels at which it draws; `enlarge` brings a picture to the size that was asked for.
    learning_rate: its own, from noise; refining_rate: its own where it starts from a picture of what is asked for,
    which is to get better and not to become another one.
    takes_opacity: whether `start_from` takes a picture with its opacity, too, and sets its own after it.
    gradient_clip: the longest gradient, as a norm over all parameters of a candidate, that it can use; None: any.
    """

    learning_rate: ClassVar[float]
    refining_rate: ClassVar[float]
    gradient_clip: ClassVar[float | None] = None
    takes_opacity: bool = False
    canvas: tuple[int, int]

    @abstractmethod
    def render(self) -> Tensor:
        """The pictures of the present parameters: [B,3,H,W] in 0..1 at the size of the canvas, differentiable.

        [B,4,H,W] where something is transparent: colours, not multiplied by it, and the opacity. The perceptors see it
        over a plain ground, each iteration another.
        """

    @abstractmethod
    def start_from(self, image: Tensor) -> None:
        """Set the parameters so that `render()` comes near `image` ([1 or B,3,h,w] in 0..1, any size)."""

    def hear(self, prompts: Sequence[Prompt]) -> None:
        """What is asked for, at the start and whenever it changes; for a drawer that reads words itself."""

    def anneal(self, progress: float) -> None:
        """How much of its iterations is done, 0 to 1, before each picture; for a drawer that hardens as it goes."""

    def set_palette(self, palette: Tensor | None) -> None:
        """The colours [K,3], 0..1, that are asked for, None for any; for a drawer that can draw in them alone."""

    def losses(self) -> dict[str, Tensor]:
        """The drawer's own losses of the picture just rendered, by name, each [B], differentiable."""
        return {}

    def numbers(self) -> dict[str, Tensor]:
        """What it draws from, by name, [B,…] each, differentiable: what can be asked to stay near where it began."""
        return dict(self.named_parameters())

    def constrain(self) -> None:
        """Bring the parameters back into their range, in place, after each step."""

    def param_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        """What the optimiser gets; a drawer whose parameters want different rates returns several groups.

        "least", where a group has it, is the rate under which its own never is, whatever rate is asked for.
        """
        return [{"params": list(self.parameters()), "lr": learning_rate}]

    def optimizer(self) -> torch.optim.Optimizer:
        """What moves the parameters, at the drawer's own learning rates."""
        return torch.optim.Adam(self.param_groups(self.learning_rate))

    def enlarge(self, image: Tensor, size: tuple[int, int]) -> Tensor:
        """`image` [B,3 or 4,H,W] at `size` (width, height); smoothly, unless the drawer knows better."""
        width, height = size
        if image.shape[-2:] == (height, width):
            return image
        if image.shape[1] == 3:
            return resize(image, size)
        # The colours weighted by their opacity, or what can't be seen would bleed into what can.
        opacity = resize(image[:, 3:], size)
        colours = resize(image[:, :3] * image[:, 3:], size) / opacity.clamp(min=1e-6)
        return torch.cat([colours.clamp(0, 1), opacity], 1)

    def to_svg(self, size: tuple[int, int], candidate: int = 0) -> str | None:
        """One candidate's picture as an SVG of `size` (width, height); None where it isn't made of strokes."""
        return None

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


def decoded_size(asked: tuple[int, int], factor: int, embedded: bool) -> tuple[int, int]:
    """(width, height) that a decoder paints, multiples of its `factor`, where a picture of the `asked` size is wanted.

    The embedded decoders paint at half the size, and the picture is enlarged: their world is made of smooth shapes, and
    four times the pixels would cost four times the time.
    """
    divisor = 2 if embedded else 1
    width, height = (max(1, round(side / divisor / factor)) * factor for side in asked)
    return width, height
