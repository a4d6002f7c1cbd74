"""What a run hands to whoever watches it, once an iteration."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from torch import Tensor

from text2art_nb.imaging.tensors import to_pixels

if TYPE_CHECKING:
    import numpy as np
    from PIL import Image


@dataclass(frozen=True)
class Frame:
    """One iteration. Nothing is converted until somebody asks for the picture, and then once.

    iteration: 1 … total; the picture is the one that this iteration looked at, before its step.
    loss: weighted sum of `losses`, of the best candidate; score: cosine similarity, -1..1, of the whole picture to the
    prompts (weighted, negative prompts count against it), of the best candidate; scores: of each.
    seconds: spent drawing so far; eta: seconds that the rest will take at the present pace.
    notice: what the user should know about this iteration ("not a number: went back …"), or None.
    """

    iteration: int
    total: int
    loss: float
    losses: dict[str, float]
    score: float
    scores: list[float]
    seconds: float
    eta: float
    notice: str | None
    _canvas: Tensor = field(repr=False)
    _enlarge: Callable[[Tensor], Tensor] = field(repr=False)

    @property
    def candidates(self) -> int:
        """How many pictures are drawn side by side."""
        return len(self.scores)

    @property
    def best(self) -> int:
        """Index of the candidate with the highest score."""
        return max(range(len(self.scores)), key=self.scores.__getitem__)

    @cached_property
    def pixels(self) -> "np.ndarray":
        """All candidates at the size that was asked for, uint8 [B,H,W,3]."""
        return to_pixels(self._enlarge(self._canvas))

    @cached_property
    def image(self) -> "Image.Image":
        """The best candidate's picture."""
        return self.picture(self.best)

    def picture(self, candidate: int) -> "Image.Image":
        """The picture of one candidate, counted from 0."""
        from PIL import Image

        return Image.fromarray(to_pixels(self._enlarge(self._canvas[candidate : candidate + 1]))[0])
