"""Estimates how long the rest of a running picture takes, by the pace of its latest iterations."""

import math
import statistics
from collections import deque
from typing import Final

from text2art_nb.runs import costs
from text2art_nb.runtime import machine
from text2art_nb.settings import Settings, halving, stages

_LATEST: Final = 16
_TRIMMED: Final = 1 / 8
"""Share left out at either end: iterations that loaded a model, or that something else slowed down."""
_CPU_ITERATION: Final = 0.06
"""Seconds of one thread for any iteration, beside its drawer and views; `costs.time` has a GPU's."""


class Pace:
    """Mean pace of the latest iterations, each measured in what is usual for its drawer, pixels and views.

    So it holds across the stages of a chain and the rounds of a tournament. The first iteration of a run, which warms
    up, counts only until there is another.
    """

    def __init__(self) -> None:
        self._paces: deque[float] = deque(maxlen=_LATEST)
        self._is_warm = False

    def add(self, settings: Settings, iteration: int, candidates: int, seconds: float) -> None:
        """Record the `seconds` of one iteration, counted from 1. settings: resolved, as steered so far."""
        pace = seconds / _usual(settings, iteration - 1, candidates)
        if len(self._paces) == 1 and not self._is_warm:
            self._paces.clear()
            self._is_warm = True
        self._paces.append(pace)

    def eta(self, settings: Settings, done: int, candidates: int) -> float:
        """Seconds of the iterations after `done`; the next one draws `candidates`. One must be recorded."""
        total = settings.iterations or 0
        rounds = halving.rounds(settings.candidates, settings.finalists, total)
        usual = 0.0
        for end in sorted({*(end for end, _ in rounds), *stages.ends(settings.stages, total)}):
            if done < min(end, total):
                left = halving.left(settings.candidates, settings.finalists, done, total)
                usual += (min(end, total) - done) * _usual(settings, done, min(candidates, left))
                done = min(end, total)
        paces = sorted(self._paces)
        trimmed = math.floor(len(paces) * _TRIMMED)
        return usual * statistics.fmean(paces[trimmed : len(paces) - trimmed])


def _usual(settings: Settings, done: int, candidates: int) -> float:
    """Usual seconds of the iteration that follows `done` others."""
    stage = stages.stage_after(settings.stages, done, settings.iterations or 0)
    device = machine.pick_device(settings.device)
    fixed, view, megapixel = costs.time(settings, device, stage)
    cuts = halving.cuts((settings.num_cuts or 1) * (settings.batches or 1), settings.finalists, candidates)
    views, pixels = cuts + 1 + costs.style_views(settings), math.prod(settings.picture_size)
    own = fixed + (_CPU_ITERATION if device == "cpu" else 0.0)
    return own + candidates * (view * views + megapixel * pixels / 1e6)
