"""The outer loop that every training program shares: checkpoints, learning curve, time limit, averaged weights.

A trainer is resumable to the byte: everything random in step *n* is drawn from generators seeded with (seed, *n*), so
that the state after *n* steps depends on nothing but the recipe, however often the process was killed in between.
"""

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from text2art_nb.errors import RunError
from text2art_nb.training.data import fingerprint


class Trainer(Protocol):
    """What `run` needs of a training program."""

    step: int
    total: int

    def advance(self) -> dict[str, float]:
        """Train on one batch; the losses by name."""

    def measure(self) -> dict[str, float]:
        """Held-out figures of the weights as they would be exported now."""

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """The inverse of `state_dict`."""


class Stretch(Protocol):
    """A stretch of a training: until step `until`, with learning rates at its beginning and its end."""

    @property
    def until(self) -> int: ...

    @property
    def rates(self) -> tuple[float, float]: ...


AnyStretch = TypeVar("AnyStretch", bound=Stretch)


def stage_of(stages: Sequence[AnyStretch], step: int, warm_up: int) -> tuple[AnyStretch, float]:
    """The stage that a step belongs to, and the step's learning rate, which rises over the first `warm_up` steps."""
    begin = 0
    for stage in stages:
        if step < stage.until:
            break
        begin = stage.until
    done = min(max((step - begin) / max(stage.until - begin, 1), 0.0), 1.0)
    rate = stage.rates[0] + (stage.rates[1] - stage.rates[0]) * done
    return stage, rate * min(1.0, (step + 1) / max(warm_up, 1))


class Average:
    """Exponential moving average of a module's parameters and buffers, the weights that are exported.

    Args:
        module: the module that is being trained.
        decay: how much of the average stays at each step, once it is warm.
    """

    def __init__(self, module: nn.Module, decay: float = 0.998) -> None:
        self.decay = decay
        self.tensors = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: nn.Module, step: int) -> None:
        """Move the average towards the module's weights after step number `step`."""
        share = 1 - min(self.decay, (1 + step) / (10 + step))
        for name, tensor in module.state_dict().items():
            kept = self.tensors[name]
            if kept.is_floating_point():
                kept.lerp_(tensor, share)
            else:
                kept.copy_(tensor)


class Stateful(Protocol):
    """A module, an optimiser, a codebook: what has a state and takes it back."""

    def state_dict(self) -> dict[str, Any]:
        """Its state."""

    def load_state_dict(self, state_dict: Any, /) -> Any:
        """The inverse."""


Plan = TypeVar("Plan")


class Resumable(Generic[Plan]):
    """The state of a trainer: its step, its averaged weights, and whatever else learns; and by what recipe."""

    plan: Plan
    step: int
    average: Average

    @property
    def recipe(self) -> str:
        """The plan in words, and the world that is taught: of another one the tokenizer would be another, too."""
        plan = {name: value for name, value in vars(self.plan).items() if not callable(value)}
        return f"{plan} of the world {fingerprint()}"

    def learning(self) -> dict[str, Stateful]:
        """What has a state that the next step depends on, by name."""
        raise NotImplementedError

    def state_dict(self) -> dict[str, Any]:
        """See `Trainer`."""
        parts = {name: part.state_dict() for name, part in self.learning().items()}
        return {"recipe": self.recipe, "step": self.step, "average": self.average.tensors, **parts}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """See `Trainer`. Raises RunError for the state of another recipe."""
        if state.get("recipe") != self.recipe:
            raise RunError("the checkpoint is of another recipe; without --resume the training begins anew")
        self.step = int(state["step"])
        for name, part in self.learning().items():
            part.load_state_dict(state[name])
        for name, tensor in state["average"].items():
            self.average.tensors[name].copy_(tensor)


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Write a state so that a kill at any moment leaves either the old file or the new one."""
    torn = path.with_suffix(".torn")
    with open(torn, "wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(torn, path)


def load_state(path: Path) -> dict[str, Any]:
    """Read a state that `save_state` wrote (tensors and plain values only: nothing is unpickled)."""
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state


class Curve:
    """The learning curve: one JSON object a line, kept beside the checkpoint."""

    def __init__(self, path: Path, resume: bool) -> None:
        self.path = path
        if not resume:
            path.unlink(missing_ok=True)

    def add(self, point: dict[str, float | int | str]) -> None:
        """Append one point and print it."""
        line = json.dumps({key: round(v, 5) if isinstance(v, float) else v for key, v in point.items()})
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(line + "\n")
        print(line, flush=True)


def read_curve(path: Path) -> list[dict[str, Any]]:
    """The points of a learning curve; a line torn by a kill is left out."""
    points = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            points.append(json.loads(line))
        except json.JSONDecodeError:
            continue
    return points


def run(
    trainer: Trainer,
    directory: Path,
    *,
    minutes: float | None = None,
    resume: bool = False,
    save_every: float = 60,
    measure_every: float = 100,
    clock: Callable[[], float] = time.monotonic,
) -> float:
    """Train until the recipe's last step or the time limit, with checkpoints on the way.

    Args:
        trainer: the training program.
        directory: where `checkpoint.pt` and `curve.jsonl` go.
        minutes: stop after this long (the checkpoint makes it go on later); None: to the end.
        resume: go on from `checkpoint.pt` if there is one; else begin anew, with a new curve.
        save_every, measure_every: seconds between checkpoints and between held-out measurements.

    Returns:
        The seconds of training altogether, earlier runs included.
    """
    directory.mkdir(parents=True, exist_ok=True)
    checkpoint = directory / "checkpoint.pt"
    seconds = 0.0
    resume = resume and checkpoint.exists()
    if resume:
        state = load_state(checkpoint)
        seconds = float(state["seconds"])
        trainer.load_state_dict(state["trainer"])
    curve = Curve(directory / "curve.jsonl", resume)
    begin = saved = measured = clock()
    sums: dict[str, list[float]] = defaultdict(list)

    def save() -> None:
        save_state(checkpoint, {"trainer": trainer.state_dict(), "seconds": seconds + clock() - begin})

    def report(figures: dict[str, float]) -> None:
        means = {name: sum(values) / len(values) for name, values in sums.items()}
        spent = {"seconds": round(seconds + clock() - begin, 1), "threads": torch.get_num_threads()}
        curve.add({"step": trainer.step, **spent, **means, **figures})
        sums.clear()

    while trainer.step < trainer.total and (minutes is None or clock() - begin < minutes * 60):
        for name, value in trainer.advance().items():
            sums[name].append(value)
        if clock() - saved >= save_every:
            save()
            saved = clock()
        if clock() - measured >= measure_every:
            report(trainer.measure())
            measured = clock()
    save()
    report(trainer.measure())
    return seconds + clock() - begin


def set_parameters(module: nn.Module, tensors: dict[str, Tensor]) -> None:
    """Load tensors by name, all of them, whatever their memory format."""
    module.load_state_dict(tensors, strict=True)
