"""Losses of what an image encoder sees in an image: its style, its content, and how well people would like it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeGuard

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from text2art_nb.imaging.tensors import resize
from text2art_nb.optimization.aesthetic import Head
from text2art_nb.optimization.pixel_losses import ImageLoss
from text2art_nb.perceptors.base import Perceptor

_AESTHETIC_SCALE: Final = 0.02  # pixray's scale of a squared difference of ratings
_STYLE_DEPTHS: Final = (0.2, 0.4, 0.6, 0.8)  # of an encoder's layers, 0 the first and 1 the last
_CONTENT_DEPTH: Final = 0.8


class LayeredEncoder(Protocol):
    """An image encoder whose layers can be read."""

    @property
    def size(self) -> int:
        """Side of its views in pixels."""

    def layers(self, views: Tensor) -> tuple[Tensor, ...]:
        """Return the layers, [n,positions,C] each, of views [n,3,size,size]."""


def has_layers(perceptor: Perceptor) -> "TypeGuard[LayeredEncoder]":
    """Tell whether the layers of an encoder can be read."""
    return hasattr(perceptor, "layers")


class StyleLoss(ImageLoss):
    """Distance of Gram matrices to those of a style picture [1,3,h,w], mean over encoders."""

    def __init__(self, encoders: Sequence[LayeredEncoder], picture: Tensor) -> None:
        super().__init__()
        self.encoders = encoders
        self.targets = [
            StyleStatistics.of(_style_layers(encoder, close_views(picture, encoder.size))) for encoder in encoders
        ]

    def forward(self, image: Tensor) -> Tensor:
        """Return the loss per candidate, [B]."""
        return _per_candidate(self._distance, image)

    def _distance(self, image: Tensor) -> Tensor:
        pairs = zip(self.encoders, self.targets, strict=True)
        return torch.stack(
            [target.distance(_style_layers(encoder, close_views(image, encoder.size))) for encoder, target in pairs]
        ).mean()


class ContentLoss(ImageLoss):
    """One minus the cosine to the features of a content picture [1,3,h,w] at each position, mean over encoders."""

    def __init__(self, encoders: Sequence[LayeredEncoder], picture: Tensor) -> None:
        super().__init__()
        self.encoders = encoders
        self.targets = [_content(encoder, picture) for encoder in encoders]

    def forward(self, image: Tensor) -> Tensor:
        """Return the loss per candidate, [B]."""
        return _per_candidate(self._distance, image)

    def _distance(self, image: Tensor) -> Tensor:
        pairs = zip(self.encoders, self.targets, strict=True)
        return torch.stack(
            [(1 - (_content(encoder, image) * target).sum(-1)).mean() for encoder, target in pairs]
        ).mean()


class AestheticLoss(ImageLoss):
    """Squared difference of the rating, about 1 to 10, to the target (pixray's)."""

    def __init__(self, head: Head, encoder: Perceptor, target: float) -> None:
        super().__init__()
        self.head, self.encoder, self.target = head, encoder, target

    def forward(self, image: Tensor) -> Tensor:
        """Return the loss per candidate, [B]."""
        return _per_candidate(self._distance, image)

    def _distance(self, image: Tensor) -> Tensor:
        views = resize(image, (self.encoder.size, self.encoder.size))
        rating = self.head.rate(self.encoder.see(views).float())[0]
        return _AESTHETIC_SCALE * (rating - self.target).square()


@dataclass(frozen=True)
class StyleStatistics:
    """The style of a picture in some layers of an encoder, each channel standardized by the style picture.

    means, spreads: [C] of each layer; grams: [C,C], Gram matrices of the channels (Gatys, Ecker and Bethge 2016).
    """

    means: tuple[Tensor, ...]
    spreads: tuple[Tensor, ...]
    grams: tuple[Tensor, ...]

    @staticmethod
    def of(layers: Sequence[Tensor]) -> "StyleStatistics":
        """Measure the layers, [n,positions,C] each, of one picture's views."""
        means = tuple(layer.mean((0, 1)) for layer in layers)
        deviations = [(layer - mean).square().mean((0, 1)).sqrt() for layer, mean in zip(layers, means, strict=True)]
        # A channel that hardly moves in the style picture must not outweigh all others.
        spreads = tuple(deviation + deviation.mean() * 0.1 + 1e-3 for deviation in deviations)
        measured = zip(layers, means, spreads, strict=True)
        return StyleStatistics(
            means, spreads, tuple(_gram((layer - mean) / spread) for layer, mean, spread in measured)
        )

    def distance(self, layers: Sequence[Tensor]) -> Tensor:
        """Return the distance of another picture's layers: one number, 0 for the same picture."""
        found = []
        for layer, mean, spread, gram in zip(layers, self.means, self.spreads, self.grams, strict=True):
            difference = _gram((layer - mean) / spread) - gram
            found.append(difference.square().sum() / gram.square().sum().clamp(min=1e-6))
        return torch.stack(found).mean().log1p()


def _gram(layer: Tensor) -> Tensor:
    flat = layer.flatten(0, 1)
    return flat.T @ flat / len(flat)


def close_views(image: Tensor, size: int) -> Tensor:
    """Resize one picture [1,3,H,W] and its four quarters to an encoder's square: [5,3,size,size]."""
    height, width = image.shape[-2:]
    up, down = slice(0, (height + 1) // 2), slice(height // 2, height)
    left, right = slice(0, (width + 1) // 2), slice(width // 2, width)
    parts = [image[..., rows, columns] for rows in (up, down) for columns in (left, right)]
    return torch.cat([resize(part, (size, size)) for part in (image, *parts)])


def _style_layers(encoder: LayeredEncoder, views: Tensor) -> list[Tensor]:
    layers = encoder.layers(views)
    chosen = sorted({round(depth * (len(layers) - 1)) for depth in _STYLE_DEPTHS})
    return [layers[index].float() for index in chosen]


def _content(encoder: LayeredEncoder, picture: Tensor) -> Tensor:
    """Return a unit vector for each position of one picture [1,3,H,W]: [positions,C]."""
    layers = encoder.layers(resize(picture, (encoder.size, encoder.size)))
    return F.normalize(layers[round(_CONTENT_DEPTH * (len(layers) - 1))][0].float(), dim=-1, eps=1e-6)


def _per_candidate(measure: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
    """Measure each candidate alone, [B], with the memory of one alone."""
    if len(image) == 1:
        return measure(image)[None]
    each = [checkpoint(measure, image[index : index + 1], use_reentrant=False) for index in range(len(image))]
    return torch.stack(each)
