"""Detect NaN and flat images, and roll back to the last good state with smaller steps."""

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from text2art_nb.errors import RunError
from text2art_nb.imaging.tensors import composite
from text2art_nb.optimization.loop_state import Snapshot

_FLAT: Final = 2e-3  # standard deviation, in 0..1, under which an image shows nothing
_MAX_ROLL_BACKS: Final = 8  # in a row; then the step is so small that the cause must lie elsewhere


@dataclass(frozen=True)
class Measurements:
    """What the CPU reads of one iteration.

    spread: the least standard deviation of the candidates' images; checksum: finite only where all losses and gradients
    are; scores: of each candidate; losses: by name, of each candidate.
    """

    spread: float
    checksum: float
    scores: list[float]
    losses: dict[str, list[float]]


def read_back(image: Tensor, gradients: list[Tensor], scores: Tensor, losses: dict[str, Tensor]) -> Measurements:
    """Read an iteration's figures with a single device synchronization.

    image: [B,3 or 4,H,W]; scores: [B]; losses: by name, [B] each.
    """
    checksum = torch.stack([*losses.values()]).sum() + sum(gradient.abs().sum() for gradient in gradients)
    on_black = composite(image.detach(), torch.zeros(3, device=image.device))
    spread = on_black.flatten(1).std(1).min()
    read = torch.cat([torch.stack([spread, checksum]), scores, *losses.values()]).tolist()
    count = len(scores)
    rows = [read[start : start + count] for start in range(2, len(read), count)]
    return Measurements(read[0], read[1], rows[0], dict(zip(losses, rows[1:], strict=True)))


class StepGuard:
    """Keeps the last good state of a drawer, and halves the step each time that it has to go back to it.

    rate_scale: the share of the learning rate that is left; roll_backs: how many in a row; good_spread: the standard
    deviation of the last good image, 0 where a flat one is allowed.
    """

    def __init__(
        self, good: Snapshot | None = None, rate_scale: float = 1.0, roll_backs: int = 0, good_spread: float = 0.0
    ) -> None:
        self.good = good
        self.rate_scale = rate_scale
        self.roll_backs = roll_backs
        self.good_spread = good_spread

    def allow_flat(self) -> None:
        """Accept a flat image once: in a single color the picture is plain on purpose."""
        self.good_spread = 0.0

    def check_finite(self, measured: Measurements) -> str | None:
        """Return what is wrong with an iteration's image, in words, or None."""
        if not math.isfinite(measured.checksum + measured.spread):
            return "the picture turned into numbers that are none"
        if measured.spread < _FLAT <= self.good_spread:
            return "the picture went flat"
        self.good_spread = measured.spread
        return None

    def replace_good(self, good: Snapshot) -> None:
        """Replace the state to go back to, where there is one, as the picture has been changed from outside."""
        self.good = self.good and good

    def accept(self, good: Snapshot) -> None:
        """Take a state as the one to go back to."""
        self.good = good
        self.roll_backs = 0

    def roll_back(self, problem: str) -> tuple[Snapshot, str]:
        """Halve the step; returns the state to go back to and a notice. Raises RunError where that won't help."""
        self.roll_backs += 1
        if self.good is None or self.roll_backs > _MAX_ROLL_BACKS:
            raise RunError(f"{problem}, and smaller steps don't help; try precision='float32' or another learning_rate")
        self.rate_scale /= 2
        return self.good, f"{problem}: went back to the last good one, with {self.rate_scale:g} of the step"

    def choose(self, candidates: Tensor) -> None:
        """Continue with some candidates, by their indices [b]."""
        self.good = self.good and self.good.select(candidates)
