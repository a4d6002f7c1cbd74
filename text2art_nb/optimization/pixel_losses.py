"""Losses of an image's pixels. Names follow pixray's losses where it has them."""

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor, nn

from text2art_nb.optimization.filters import nearest_colours

_CLIPPED: Final = 0.5  # pixray's: a step larger than this is an edge, and may stay


class ImageLoss(nn.Module):
    """A loss of an image [B,3,H,W] in 0..1: one number per candidate, [B], with a finite gradient on any image."""

    def forward(self, image: Tensor) -> Tensor:
        """Return the loss per candidate, [B]."""
        raise NotImplementedError


class TVLoss(ImageLoss):
    """Total variation: how much neighboring pixels differ.

    kind: "default": ten times the mean squared step; "linear": the mean length of a step (pixray's default);
    "clipped": the same, where a step counts 0.5 at most, so that edges may stay; "log": log(1+length).
    """

    def __init__(self, kind: str = "default") -> None:
        super().__init__()
        self.kind = kind

    def forward(self, image: Tensor) -> Tensor:
        """Return the loss per candidate, [B]."""
        across = image[..., 1:] - image[..., :-1]
        down = image[..., 1:, :] - image[..., :-1, :]
        if self.kind == "default":
            return (across.square().mean((1, 2, 3)) + down.square().mean((1, 2, 3))) * 10
        squares = across[..., 1:, :].square().sum(1) + down[..., 1:].square().sum(1)
        length = (squares + 1e-8).sqrt()
        if self.kind == "clipped":
            length = length.clamp(max=_CLIPPED)
        elif self.kind == "log":
            length = length.log1p()
        return length.mean((1, 2))


class SaturationLoss(ImageLoss):
    """0.4 - colorfulness (Hasler and Süsstrunk 2003)."""

    def forward(self, image: Tensor) -> Tensor:
        """Return the loss per candidate, [B]."""
        red, green, blue = image.unbind(1)
        red_green, yellow_blue = (red - green).flatten(1), ((red + green) / 2 - blue).flatten(1)
        spread = (red_green.var(1) + yellow_blue.var(1) + 1e-8).sqrt()
        mean = (red_green.mean(1).square() + yellow_blue.mean(1).square() + 1e-8).sqrt()
        return 0.4 - (spread + 0.3 * mean)


class SymmetryLoss(ImageLoss):
    """Mean squared difference between the image and its mirror image. axis: left-right, top-bottom, both."""

    def __init__(self, axis: str = "left-right") -> None:
        super().__init__()
        self.axes = {"left-right": (-1,), "top-bottom": (-2,), "both": (-1, -2)}[axis]

    def forward(self, image: Tensor) -> Tensor:
        """Return the loss per candidate, [B]."""
        differences = [(image - image.flip(axis)).square().mean((1, 2, 3)) for axis in self.axes]
        return torch.stack(differences).mean(0)


class PaletteLoss(ImageLoss):
    """Mean squared distance of each pixel to the nearest color of `palette` [K,3]."""

    def __init__(self, palette: Tensor) -> None:
        super().__init__()
        self.palette = palette

    def forward(self, image: Tensor) -> Tensor:
        """Return the loss per candidate, [B]."""
        return (image - nearest_colours(image, self.palette)).square().sum(1).mean((1, 2))


class EdgeLoss(ImageLoss):
    """Mean squared difference of the border's pixels to `color` [3].

    margins: thickness of the border on the left, right, top and bottom, in percent of the width or height.
    """

    def __init__(self, color: Tensor, margins: Sequence[float]) -> None:
        super().__init__()
        self.color, self.margins = color, margins

    def forward(self, image: Tensor) -> Tensor:
        """Return the loss per candidate, [B]."""
        height, width = image.shape[-2:]
        left, right, top, bottom = (
            round(percent / 100 * side)
            for percent, side in zip(self.margins, (width, width, height, height), strict=True)
        )
        border = torch.ones(height, width, device=image.device, dtype=image.dtype)
        border[top : height - bottom, left : width - right] = 0
        return _weighted_difference(image, self.color, border / border.sum().clamp(min=1))


class VignetteLoss(ImageLoss):
    """Mean squared difference to `color` [3], weighted from 0 in the middle to 1 far out.

    size: standard deviation of the Gaussian that is left out, in percent of the width and the height.
    """

    def __init__(self, color: Tensor, size: float) -> None:
        super().__init__()
        self.color, self.size = color, size

    def forward(self, image: Tensor) -> Tensor:
        """Return the loss per candidate, [B]."""
        bells = []
        for side in image.shape[-2:]:
            places = (torch.arange(side, device=image.device, dtype=image.dtype) + 0.5) / side - 0.5
            bells.append((-(places * 100 / self.size).square() / 2).exp())
        outside = 1 - torch.outer(*bells)
        return _weighted_difference(image, self.color, outside / outside.numel())


class InitLoss(ImageLoss):
    """Mean squared difference to the init image, [1,3,H,W] at the size of the canvas."""

    def __init__(self, init: Tensor) -> None:
        super().__init__()
        self.init = init

    def forward(self, image: Tensor) -> Tensor:
        """Return the loss per candidate, [B]."""
        return (image - self.init).square().mean((1, 2, 3))


def _weighted_difference(image: Tensor, color: Tensor, weights: Tensor) -> Tensor:
    """Sum squared differences to `color` [3] with weights [H,W], mean over the channels: [B]."""
    return ((image - color.view(1, 3, 1, 1)).square().mean(1) * weights).sum((1, 2))
