"""The original pixray in the place of `loop.Loop`: each candidate is a process of its own, which hands over frames.

So a run by pixray is watched, paused, stopped, filmed and kept as any other. Two things it can't: be steered, except by
going on with one candidate alone; and go on after a kill: it begins anew.
"""

import functools
import os
import shutil
import tempfile
import weakref
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from text2art_nb import models
from text2art_nb.errors import RunError
from text2art_nb.imaging.tensors import resize
from text2art_nb.optimization.loop import Loop
from text2art_nb.optimization.loop_state import Numbers, Tensors
from text2art_nb.optimization.step_result import StepResult
from text2art_nb.runs.pixray import arguments
from text2art_nb.runs.pixray.process import Process, Shot
from text2art_nb.runtime import devices
from text2art_nb.settings import Settings
from text2art_nb.settings.perception import perceptor_spec
from text2art_nb.settings.presets import weights_for


class PixrayLoop(Loop):
    """As `Loop`, but pixray draws: nothing of that one's is used but its calls."""

    def __init__(self, settings: Settings, directory: Path | None) -> None:
        """settings: resolved; directory: the run's, where pixray's logs are kept; None: a temporary one.

        Raises RunError where pixray isn't installed, or the folder can't be written; ModelError where models can't be
        had.
        """
        self.device = devices.pick_device(settings.device)
        self.settings = settings
        self.iteration = 0
        self._given = frozenset(settings.model_fields_set)
        self._processes: list[Process] = []
        self._last: list[Shot] = []
        eyes, vqgan = _handed(settings)
        self._scratch = [Path(tempfile.mkdtemp(prefix="text2art-pixray-"))] if directory is None else []
        folder = self._scratch[0] if directory is None else directory.resolve()
        self._finalizer = weakref.finalize(self, _close, self._processes, self._scratch)
        for candidate in range(settings.candidates):
            own = folder / f"pixray-{candidate}"
            try:
                _empty(own)
                asked_for = self._asked(candidate, own)
            except OSError as error:
                raise RunError(f"pixray's folder {own} can't be written: {error.strerror or error}") from error
            order = {
                "settings": asked_for,
                "eyes": eyes,
                "vqgan": vqgan,
                "threads": max(1, _cores() // settings.candidates) if settings.candidates > 1 else 0,
            }
            self._processes.append(Process(order, own, _devices(settings)))

    def _asked(self, candidate: int, folder: Path) -> dict[str, Any]:
        """What pixray is told: besides what the user wants that it shall leave pictures and films to the run."""
        run = {
            "make_video": False,
            "save_intermediates": False,
            "save_every": max(2, self.total),
            "display_every": 1,
            "outdir": str(folder),
            "output": "pixray.png",
        }
        return arguments.asked(self.settings, candidate, folder, self._given) | run

    @property
    def total(self) -> int:
        """How many iterations there will be."""
        return self.settings.iterations or 0

    @property
    def count(self) -> int:
        """How many candidates are being drawn now."""
        return len(self._processes)

    def step(self, abandoned: Callable[[], bool] = lambda: False) -> StepResult | None:
        """One iteration; None if `abandoned()` came true, and then pixray is ended. RunError where it failed."""
        shots = []
        for process in self._processes:
            try:
                shot = process.next(abandoned)
            except RunError:
                self._scratch.clear()  # its log is there
                self.close()
                raise
            if shot is None:
                self.close()
                return None
            shots.append(shot)
        self.iteration += 1
        canvas = _tensor(shots)
        losses = {"pixray": [shot.loss for shot in shots]}
        notice = self._notice() if self.iteration == 1 else None
        if self.iteration == self.total:
            shots = self._ends(abandoned) or shots
            self.close()
        self._last = shots
        enlarge = functools.partial(resize, size=self.settings.picture_size)
        return StepResult(canvas, [shot.score for shot in shots], losses, notice, enlarge)

    def _ends(self, abandoned: Callable[[], bool]) -> list[Shot]:
        """The pictures after the last step, which pixray makes when it is done; none if that is abandoned."""
        shots = [process.next(abandoned) for process in self._processes]
        return [shot for shot in shots if shot is not None] if all(shots) else []

    def _notice(self) -> str | None:
        lost = arguments.without_meaning(self.settings, self._given)
        return f"pixray has no {', '.join(lost)}: left out" if lost else None

    def choose(self, *candidates: int) -> None:
        """Go on with these candidates alone, counted from 0, in this order; the other processes end."""
        for number, process in enumerate(self._processes):
            if number not in candidates:
                process.close()
        self._processes[:] = [self._processes[number] for number in candidates]
        self._last = [self._last[number] for number in candidates] if self._last else []

    def update_settings(self, settings: Settings) -> None:
        """Nothing can be told to pixray while it draws: `Run.steer` refuses it before it comes to that."""
        self.settings = settings

    def most_views(self) -> int:
        """1: pixray takes all its views at once."""
        return 1

    def finish(self) -> tuple[Tensor, list[float], list[float]]:
        """The pictures [B,3 or 4,H,W] as they stand, their scores, and again these: the best candidate comes first."""
        if not self._last:
            raise RunError("pixray has drawn nothing yet: its first picture comes after its models are loaded")
        scores = [shot.score for shot in self._last]
        return resize(_tensor(self._last), self.settings.picture_size), scores, scores

    def svg(self, candidate: int) -> None:
        """None: pixray's strokes stay in its process."""

    def state(self) -> tuple[Tensors, Numbers]:
        """Nothing that one could go on from: pixray begins anew."""
        return {}, {}

    def close(self) -> None:
        """End all processes."""
        self._finalizer()


def _empty(folder: Path) -> None:
    if folder.is_dir():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)


def _close(processes: list[Process], scratch: list[Path]) -> None:
    for process in processes:
        process.close()
    for folder in scratch:
        shutil.rmtree(folder, ignore_errors=True)


def _tensor(shots: list[Shot]) -> Tensor:
    """[B,3 or 4,H,W] in 0..1."""
    pictures = [torch.frombuffer(bytearray(shot.pixels), dtype=torch.uint8).view(shot.shape) for shot in shots]
    return torch.stack(pictures).movedim(-1, 1).float() / 255


def _handed(settings: Settings) -> tuple[dict[str, str], str | None]:
    """The CLIPs by name, and the VQGAN, that text2art has or fetches for pixray; none that the user had pixray name."""
    eyes: dict[str, str] = {}
    if not settings.pixray.keys() & {"clip_models", "perceptors"}:
        own = {entry.name for entry in entry_points(group="text2art.perceptors")}
        for name in (perceptor_spec(each)[0] for each in settings.perceptors or ()):
            eyes[name] = name if name in own else str(models.locate(name, "clip"))
    drawer = settings.pixray.get("drawer", settings.drawer)
    if drawer != "vqgan" or settings.pixray.keys() & {"vqgan_model", "vqgan_config", "vqgan_checkpoint"}:
        return eyes, None
    return eyes, str(models.locate(weights_for("vqgan", settings.model), "vqgan"))


def _devices(settings: Settings) -> dict[str, str]:
    """What the environment has to say for pixray to compute where it shall: it takes the first card that it sees."""
    kind, _, number = settings.device.partition(":")
    if kind == "cpu":
        return {"CUDA_VISIBLE_DEVICES": ""}
    return {"CUDA_VISIBLE_DEVICES": number} if number else {}


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
