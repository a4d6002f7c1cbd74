"""What one iteration hands to the run."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class StepResult:
    """What one iteration saw: the canvas [B,3 or 4,H,W], scores [B], and the losses by name, each [B].

    notice: what the user should know, or None; enlarge: resizes a canvas to the requested size, as the drawer of this
    iteration does.
    """

    canvas: Tensor
    scores: list[float]
    losses: dict[str, list[float]]
    notice: str | None
    enlarge: Callable[[Tensor], Tensor]

    @property
    def totals(self) -> list[float]:
        """The sum of the losses of each candidate."""
        return [sum(values) for values in zip(*self.losses.values(), strict=True)]

    @property
    def best(self) -> int:
        """Index of the candidate with the highest score."""
        return max(range(len(self.scores)), key=self.scores.__getitem__)
