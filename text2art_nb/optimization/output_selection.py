"""Which parameters the finished picture is made of: the last, the best, or the average of all steps."""

import math
from collections.abc import Callable
from typing import Final

import torch
from torch import Tensor

from text2art_nb.optimization.active_drawer import ActiveDrawer
from text2art_nb.optimization.ema import EMA
from text2art_nb.optimization.loop_state import Tensors, choose_per_candidate, select_candidates
from text2art_nb.settings.prompts import Prompt

_DECAY: Final = 0.9  # weight of the past in the average

Evaluate = Callable[[Tensors], tuple[Tensor, Tensor]]  # parameters -> images [B,3 or 4,H,W] and scores [B]


class OutputSelection:
    """Selects the parameters of the finished picture.

    keep: "last": those after the last step; "best": of each candidate those with the highest score, for the present
    prompts; "average": the exponential moving average over the steps (as diffusion models' weights are averaged).
    """

    def __init__(self, keep: str) -> None:
        self.keep = keep
        self._best: Tensors = {}  # parameters and, as "score", [B]
        self._prompts: list[Prompt] = []  # those for which the best was the best
        self._ema = EMA(_DECAY)

    @property
    def selected(self) -> Tensors:
        """The parameters that are kept, with those of the best their "score"; empty where nothing is."""
        return self._ema.average if self.keep == "average" else self._best

    def load(self, selected: Tensors, prompts: list[Prompt]) -> None:
        """Continue from what `selected` was, for the prompts of then."""
        self._best, self._ema.average, self._prompts = {}, {}, prompts
        if self.keep == "average":
            self._ema.average = selected
        else:
            self._best = selected

    def clear(self) -> None:
        """Forget what is kept."""
        self._best, self._ema.average = {}, {}

    def choose(self, candidates: Tensor) -> None:
        """Continue with some candidates, by their indices [b]."""
        self.load(select_candidates(self.selected, candidates), self._prompts)

    def update(self, parameters: Tensors, scores: Tensor) -> None:
        """Consider parameters before a step, and the scores [B] of their images."""
        if self.keep == "best":
            best = self._best.get("score", torch.full_like(scores, -math.inf))
            better = scores > best
            self._best = {
                name: choose_per_candidate(better, value, self._best.get(name, value))
                for name, value in parameters.items()
            }
            self._best["score"] = scores.maximum(best)
        elif self.keep == "average":
            self._ema.update(parameters)

    def update_prompts(self, prompts: list[Prompt]) -> None:
        """Forget the best where it was the best for other prompts."""
        if self.keep == "best" and self._prompts != prompts:
            self._best, self._prompts = {}, prompts

    def finish(self, active: ActiveDrawer, evaluate: Evaluate) -> tuple[Tensor, Tensor]:
        """Return the images [B,3 or 4,H,W] that would be handed over now, and their scores [B].

        The last parameters count among the best: the last step may have improved on it.
        """
        present = active.parameters()
        try:
            images, scores = evaluate(present)
            if not self.selected:
                return images, scores
            kept_images, kept_scores = evaluate({**present, **self.selected})
        finally:
            active.load_parameters(present)
        if self.keep == "average":
            return kept_images, kept_scores
        return choose_per_candidate(kept_scores > scores, kept_images, images), scores.maximum(kept_scores)

    def svg(self, active: ActiveDrawer, evaluate: Evaluate, size: tuple[int, int], candidate: int) -> str | None:
        """Return one candidate as an SVG of `size`, as `finish` returns it; None where the drawer makes none."""
        svg = active.drawer.to_svg(size, candidate)
        if svg is None or not self.selected:
            return svg
        present = active.parameters()
        kept = {**present, **self.selected}
        try:
            if self.keep == "average" or bool((evaluate(kept)[1] > evaluate(present)[1])[candidate]):
                active.load_parameters(kept)
                svg = active.drawer.to_svg(size, candidate)
        finally:
            active.load_parameters(present)
        return svg
