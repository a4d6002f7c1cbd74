"""Perceptors of a run and the views each sees in one iteration."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from text2art_nb.optimization import cutouts
from text2art_nb.optimization.targets import EncodedPrompts
from text2art_nb.perceptors import Perceptor
from text2art_nb.runtime.devices import upload
from text2art_nb.settings.perception import perceptor_spec

_MIN_VIEWS: Final = 4  # of a region
_GLANCE_VIEWS: Final = 16


@dataclass(frozen=True)
class PerceptorView:
    """A perceptor's part in a run.

    share: its weight in the distance, 1 where all weigh the same; cuts: its own number of cuts, None: that of the
    settings; prompts: as its text encoder embeds them.
    """

    perceptor: Perceptor
    share: float
    cuts: int | None
    prompts: EncodedPrompts

    @property
    def size(self) -> int:
        """Side of its views in pixels."""
        return self.perceptor.size


def perceptor_views(
    specs: Sequence[str], perceptors: Sequence[Perceptor], encode_prompts: Callable[[Perceptor], EncodedPrompts]
) -> list[PerceptorView]:
    """Give each perceptor its share; `specs` as in settings.perceptors, and the perceptors that they name."""
    read = [perceptor_spec(spec) for spec in specs]
    total = sum(weight for _, weight, _ in read)
    return [
        PerceptorView(perceptor, weight * len(read) / total, cuts, encode_prompts(perceptor))
        for perceptor, (_, weight, cuts) in zip(perceptors, read, strict=True)
    ]


def views_per_region(cuts: int, regions: int) -> int:
    """Share `cuts` views among `regions`, at least four each.

    So the cost of an iteration grows with the number of regions only where there are few views or many regions.
    """
    return cuts if regions <= 1 else max(_MIN_VIEWS, -(-cuts // regions))


@dataclass(frozen=True)
class ViewBatch:
    """One iteration's views of the picture, or of a region of it, for encoders of one size."""

    pyramid: cutouts.Pyramid
    views: cutouts.Views
    noise: Tensor
    candidates: int

    def micro_batches(self, most: int) -> Iterator[tuple[slice, int, int]]:
        """Yield (candidates, first view, last view + 1) of micro-batches of at most `most` views."""
        together = min(self.candidates, most)
        each = max(1, most // together)
        for first in range(0, self.candidates, together):
            for start in range(0, len(self.views), each):
                yield slice(first, first + together), start, min(start + each, len(self.views))


def to_device(batches: Sequence[ViewBatch], device: torch.device) -> list[ViewBatch]:
    """Move the random numbers of all batches to `device`, in one transfer."""
    numbers = iter(upload([each for batch in batches for each in (*batch.views.on_device, batch.noise)], device))
    return [
        replace(batch, views=batch.views.moved(next(numbers), next(numbers), next(numbers)), noise=next(numbers))
        for batch in batches
    ]


def encode_views(
    perceptor: Perceptor, views: Tensor, patch_dropout: float, generator: torch.Generator, straight: bool
) -> Tensor:
    """Encode views [b,n,3,s,s] as unit vectors [b,n,D].

    patch_dropout: share of the tokens that the encoder may leave out, where it can, to be faster; the generator draws
    them. straight: whether the last view is the straight one; it is scored, so nothing is left out of it.
    """
    see_some = getattr(perceptor, "see_some", None)
    if see_some is None or not patch_dropout:
        return perceptor.see(views.flatten(0, 1)).float().unflatten(0, views.shape[:2])
    some = views[:, :-1] if straight else views
    parts = []
    if some.numel():
        encoded = see_some(some.flatten(0, 1), patch_dropout, generator)
        parts.append(encoded.float().unflatten(0, some.shape[:2]))
    if straight:
        parts.append(perceptor.see(views[:, -1]).float()[:, None])
    return torch.cat(parts, 1)


def encode_straight(perceptor: Perceptor, picture: Tensor) -> Tensor:
    """Encode the whole of `picture` [B,3,H,W] in one straight view: [B,D]."""
    views = cutouts.Pyramid(picture, perceptor.size).see(cutouts.straight_view(), None)
    return perceptor.see(views[:, 0])


def encode_from_all_sides(perceptor: Perceptor, picture: Tensor, generator: torch.Generator) -> Tensor:
    """Encode `picture` [1,3,H,W] as the mean [D] of such views as a run takes, a unit vector."""
    views = cutouts.draw_views(_GLANCE_VIEWS, (picture.shape[-1], picture.shape[-2]), 0, generator, 0.0)
    encoded = perceptor.see(cutouts.Pyramid(picture, perceptor.size).see(views, None)[0])
    return torch.nn.functional.normalize(encoded.mean(0), dim=0)


def weighted_mean(values: Sequence[Tensor], weights: Sequence[float]) -> Tensor:
    """Return the weighted mean of scores, [B] each."""
    if len(values) == 1:
        return values[0]
    total = sum(weights)
    shares = [each / total if total else 1 / len(values) for each in weights]
    return torch.stack([value * share for value, share in zip(values, shares, strict=True)]).sum(0)
