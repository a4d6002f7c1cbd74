"""The contract of a perceptor: a frozen network that puts pictures and words into one space."""

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor


class Perceptor(Protocol):
    """Frozen, in eval mode, shared by all runs on a device: neither `read` nor `see` may change anything in it.

    name: as it was asked for; size: side in pixels of the square views that it sees;
    augmentation: how far its views may stray (see `cutouts.draw_views`), 1.0 for a CLIP of the whole internet.
    """

    name: str
    size: int
    augmentation: float

    def read(self, texts: Sequence[str]) -> Tensor:
        """Unit vectors [n,D] of `texts`."""
        ...

    def see(self, views: Tensor) -> Tensor:
        """Unit vectors [n,D] of `views` [n,3,size,size] in 0..1 (pixels are normalised inside); differentiable."""
        ...

    def count_tokens(self, text: str) -> int:
        """How many tokens `text` takes, start and end included."""
        ...

    @property
    def longest(self) -> int:
        """How many tokens it reads at once; a longer text is read in parts (`perceptors.long_texts`)."""
        ...


class SeesSome(Perceptor, Protocol):
    """A perceptor that can leave out a part of what it looks at, to be faster."""

    def see_some(self, views: Tensor, share: float, generator: torch.Generator) -> Tensor:
        """As `see`, but without a share of the patches, 0..0.9, others in each view, drawn from a CPU generator."""
        ...
