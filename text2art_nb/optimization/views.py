"""Who looks at a picture in a run, and what they are shown in one iteration."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from text2art_nb.optimization import cutouts
from text2art_nb.optimization.targets import Heard
from text2art_nb.perceptors import Perceptor
from text2art_nb.runtime.devices import upload
from text2art_nb.settings.perception import perceptor_spec

_FEWEST: Final = 4  # views of a region


@dataclass(frozen=True)
class Eye:
    """A perceptor in a run: its share in the distance (1 where all have the same weight), its own cuts (None: those of
    the settings), and the prompts as it understands them."""

    perceptor: Perceptor
    share: float
    cuts: int | None
    heard: Heard

    @property
    def size(self) -> int:
        """Side of its views in pixels."""
        return self.perceptor.size


def eyes(specs: Sequence[str], perceptors: Sequence[Perceptor], hear: Callable[[Perceptor], Heard]) -> list[Eye]:
    """The eyes of a run: `specs` as in settings.perceptors, and the perceptors that they name."""
    read = [perceptor_spec(spec) for spec in specs]
    total = sum(weight for _, weight, _ in read)
    return [
        Eye(perceptor, weight * len(read) / total, cuts, hear(perceptor))
        for perceptor, (_, weight, cuts) in zip(perceptors, read, strict=True)
    ]


def views_each(cuts: int, regions: int) -> int:
    """How many views each of `regions` gets: they share what there is, but none gets fewer than four.

    So the cost of an iteration grows with the number of regions only where there are few views or many regions.
    """
    return cuts if regions <= 1 else max(_FEWEST, -(-cuts // regions))


@dataclass(frozen=True)
class Sight:
    """One iteration's views of the picture, or of a region of it, for eyes of one size."""

    pyramid: cutouts.Pyramid
    views: cutouts.Views
    noise: Tensor
    candidates: int

    def batches(self, most: int) -> Iterator[tuple[slice, int, int]]:
        """(candidates, first view, last view + 1) of micro-batches of at most `most` views."""
        together = min(self.candidates, most)
        each = max(1, most // together)
        for first in range(0, self.candidates, together):
            for start in range(0, len(self.views), each):
                yield slice(first, first + together), start, min(start + each, len(self.views))


def moved(sights: Sequence[Sight], device: torch.device) -> list[Sight]:
    """The same sights with all their random numbers on `device`, in one transfer."""
    numbers = iter(upload([each for sight in sights for each in (*sight.views.on_device, sight.noise)], device))
    return [
        replace(sight, views=sight.views.moved(next(numbers), next(numbers), next(numbers)), noise=next(numbers))
        for sight in sights
    ]


def see(perceptor: Perceptor, views: Tensor, dropped: float, generator: torch.Generator, straight: bool) -> Tensor:
    """Unit vectors [b,n,D] of views [b,n,3,s,s].

    dropped: the share of the tokens that the perceptor may leave out, where it knows how to, to be faster; which, the
    generator says. straight: whether the last view is the straight one, from which nothing is left out: it is scored.
    """
    see_some = getattr(perceptor, "see_some", None)
    if see_some is None or not dropped:
        return perceptor.see(views.flatten(0, 1)).float().unflatten(0, views.shape[:2])
    some = views[:, :-1] if straight else views
    parts = (
        [see_some(some.flatten(0, 1), dropped, generator).float().unflatten(0, some.shape[:2])] if some.numel() else []
    )
    if straight:
        parts.append(perceptor.see(views[:, -1]).float()[:, None])
    return torch.cat(parts, 1)


def straight(perceptor: Perceptor, picture: Tensor) -> Tensor:
    """How a perceptor sees the whole of `picture` [B,3,H,W]: [B,D]."""
    views = cutouts.Pyramid(picture, perceptor.size).see(cutouts.straight_view(), None)
    return perceptor.see(views[:, 0])


def glance(perceptor: Perceptor, picture: Tensor, generator: torch.Generator) -> Tensor:
    """How a perceptor sees `picture` [1,3,H,W] from all sides: the mean [D] of the views that a run would take."""
    views = cutouts.draw_views(16, (picture.shape[-1], picture.shape[-2]), 0, generator, 0.0)
    seen = perceptor.see(cutouts.Pyramid(picture, perceptor.size).see(views, None)[0])
    return torch.nn.functional.normalize(seen.mean(0), dim=0)


def together(values: Sequence[Tensor], loudness: Sequence[float]) -> Tensor:
    """The mean of scores, [B] each, weighted."""
    if len(values) == 1:
        return values[0]
    total = sum(loudness)
    weights = [each / total if total else 1 / len(values) for each in loudness]
    return torch.stack([value * weight for value, weight in zip(values, weights, strict=True)]).sum(0)
