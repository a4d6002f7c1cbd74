"""The contract of a perceptor: a frozen network that puts pictures and words into one space."""

from collections.abc import Sequence
from typing import Protocol

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
        """How many tokens it can read; the rest of a longer text is ignored."""
        ...
