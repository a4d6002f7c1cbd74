"""The state of a loop: all that it takes to resume it and end in the byte-identical picture."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from text2art_nb.errors import RunError

Tensors = dict[str, Tensor]
Numbers = dict[str, float]


@dataclass(frozen=True)
class Snapshot:
    """Copies of a drawer's parameters and of its optimizer's moments, by name."""

    parameters: Tensors
    moments: Tensors

    def select(self, candidates: Tensor) -> "Snapshot":
        """Keep some candidates, by their indices [b]."""
        return Snapshot(select_candidates(self.parameters, candidates), select_candidates(self.moments, candidates))


@dataclass(frozen=True)
class LoopState:
    """Where a loop stands.

    current: the drawer and its optimizer; good: the last state before which nothing was NaN or flat.
    selected: what `OutputSelection` keeps; latents: those to stay near; direction_starts: embeddings of the initial
    picture by encoder and region; first_image: [B,C,H,W], to which the film returns.
    rate_scale, roll_backs, good_spread: those of `StepGuard`; stage, stage_began: those of `ActiveDrawer`.
    """

    current: Snapshot
    good: Snapshot | None = None
    selected: Tensors = field(default_factory=dict)
    latents: Tensors = field(default_factory=dict)
    direction_starts: Tensors = field(default_factory=dict)
    first_image: Tensor | None = None
    iteration: int = 0
    rate_scale: float = 1.0
    roll_backs: int = 0
    good_spread: float = 0.0
    stage: int = 0
    stage_began: int = 0

    @property
    def candidates(self) -> int:
        """How many candidates there are. Raises RunError where there is no picture in the state."""
        for value in self.current.parameters.values():
            if value.dim():
                return len(value)
        raise RunError("this checkpoint has no picture in it, so it can't go on here")

    def to_checkpoint(self) -> tuple[Tensors, Numbers]:
        """Flatten to copies of all tensors by their names in a checkpoint file, and the numbers."""
        begun = {f"numbers.{name}": value for name, value in self.latents.items()} | self.direction_starts
        tensors = _prefixed("drawer.", self.current.parameters)
        tensors |= _prefixed("kept.", self.selected)
        tensors |= _prefixed("begun.", begun)
        tensors |= _prefixed("optimizer.", self.current.moments)
        if self.good is not None:
            tensors |= _prefixed("good.drawer.", self.good.parameters)
            tensors |= _prefixed("good.optimizer.", self.good.moments)
        if self.first_image is not None:
            tensors["first"] = self.first_image
        numbers: Numbers = {
            "iteration": self.iteration,
            "rate_scale": self.rate_scale,
            "retreats": self.roll_backs,
            "stage": self.stage,
            "stage_began": self.stage_began,
            "good_spread": self.good_spread,
        }
        return {name: value.clone() for name, value in tensors.items()}, numbers

    @classmethod
    def from_checkpoint(
        cls, tensors: Mapping[str, Tensor], numbers: Mapping[str, float], device: torch.device | str = "cpu"
    ) -> Self:
        """Read what `to_checkpoint` returned, also by an older text2art, which knew fewer numbers."""
        tensors = {name: value.to(device) for name, value in tensors.items()}
        begun = _under("begun.", tensors)
        latents = _under("numbers.", begun)
        good = _under("good.", tensors)
        return cls(
            current=Snapshot(_under("drawer.", tensors), _under("optimizer.", tensors)),
            good=Snapshot(_under("drawer.", good), _under("optimizer.", good)) if good else None,
            selected=_under("kept.", tensors),
            latents=latents,
            direction_starts={name: value for name, value in begun.items() if not name.startswith("numbers.")},
            first_image=tensors.get("first"),
            iteration=int(numbers["iteration"]),
            rate_scale=float(numbers["rate_scale"]),
            roll_backs=int(numbers["retreats"]),
            good_spread=float(numbers["good_spread"]),
            stage=int(numbers.get("stage", 0)),
            stage_began=int(numbers.get("stage_began", 0)),
        )


def select_candidates(tensors: Mapping[str, Tensor], candidates: Tensor) -> Tensors:
    """Keep some candidates, by their indices [b], of every tensor that has a candidate axis."""
    return {name: value[candidates] if value.dim() else value for name, value in tensors.items()}


def choose_per_candidate(where: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """Take `new` for the candidates of `where` [B], `old` for the others."""
    return torch.where(where.view(-1, *[1] * (new.dim() - 1)), new, old)


def _prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> Tensors:
    return {f"{prefix}{name}": value for name, value in tensors.items()}


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> Tensors:
    """Return the tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
