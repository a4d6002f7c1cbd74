"""Differentiable stages between the drawer and the cutouts: what they do is in the picture that everybody sees."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Filter = Callable[[Tensor], Tensor]


def mirror(image: Tensor) -> Tensor:
    """The left half of [B,3,H,W], and its reflection as the right half; a middle column stays."""
    half = image[..., : (image.shape[-1] + 1) // 2]
    return torch.cat([half, half[..., : image.shape[-1] // 2].flip(-1)], dim=-1)


class Lookup:
    """Every pixel in the nearest colour of the palette; the gradient passes straight through (pixray's `lookup`)."""

    def __init__(self, palette: Tensor) -> None:
        """palette: [K,3] in 0..1."""
        self._palette = palette

    def __call__(self, image: Tensor) -> Tensor:
        with torch.no_grad():
            palette = self._palette.to(image)
            pixels = image.movedim(1, -1).flatten(0, 2)
            nearest = palette[torch.cdist(pixels, palette).argmin(-1)]
            snapped = nearest.view(len(image), *image.shape[2:], 3).movedim(-1, 1)
        return image + (snapped - image).detach()


def build(names: Sequence[str], palette: Tensor | None) -> Filter:
    """The filters called `names`, one after the other. `lookup` without a palette changes nothing."""
    stages: list[Filter] = []
    for name in names:
        if name == "mirror":
            stages.append(mirror)
        elif name == "lookup" and palette is not None:
            stages.append(Lookup(palette))

    def apply(image: Tensor) -> Tensor:
        for stage in stages:
            image = stage(image)
        return image

    return apply
