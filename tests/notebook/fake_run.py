"""A run that draws noise, as fast as it is asked to: for watching the studio through very many frames."""

import os
import threading
import time
from pathlib import Path
from typing import Any, Self

import torch

from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.runs.frame import Frame
from text2art_nb.settings import Settings


class FakeRun:
    """Looks like a `Run`, and also writes down how much memory the process has at certain iterations."""

    def __init__(self, total: int, watched: tuple[int, ...] = (), size: int = 64, breath: float = 0.0) -> None:
        """watched: the iterations at which to look at the memory; breath: seconds that every tenth takes besides, in
        which whoever watches gets to show it, however busy the machine is."""
        self.settings = Settings(prompts="noise", size=(size, size), iterations=total, seed=1).resolved()
        self.total = total
        self.iteration = 0
        self.seconds = 0.0
        self.notices: list[str] = []
        self.directory = None
        self.memory: dict[int, int] = {}
        self._watched = watched
        self._size = size
        self._breath = breath
        self._noise = torch.Generator().manual_seed(1)
        self._last: Frame | None = None
        self._going = threading.Event()
        self._going.set()
        self._stopped = threading.Event()

    @property
    def paused(self) -> bool:
        return not self._going.is_set()

    @property
    def stopped(self) -> bool:
        return self._stopped.is_set()

    def stop(self) -> None:
        self._stopped.set()
        self._going.set()

    def pause(self) -> None:
        self._going.clear()

    def resume(self) -> None:
        self._going.set()

    def steer(self, **changes: Any) -> None:
        """Noise cannot be steered."""

    def sketch(self) -> None:
        """Noise begins as noise."""

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Frame:
        self._going.wait()
        if self.stopped or self.iteration >= self.total:
            raise StopIteration
        self.iteration += 1
        if self._breath and self.iteration % 10 == 0:
            time.sleep(self._breath)
        self.seconds += 1e-3
        if self.iteration in self._watched:
            self.memory[self.iteration] = resident_bytes()
        score = self.iteration / self.total
        self._last = Frame(
            iteration=self.iteration,
            total=self.total,
            loss=1 - score,
            losses={"prompts": 1 - score},
            score=score,
            scores=[score],
            seconds=self.seconds,
            eta=1e-3 * (self.total - self.iteration),
            notice=None,
            _canvas=torch.rand(1, 3, self._size, self._size, generator=self._noise),
            _enlarge=lambda canvas: canvas,
        )
        return self._last

    @property
    def artwork(self) -> Artwork:
        assert self._last is not None
        return Artwork(self._last.image, self.settings, self._last.score)

    def flush(self) -> None:
        """Nothing is kept."""


def resident_bytes() -> int:
    """The memory that this process has of the machine's at this moment."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
