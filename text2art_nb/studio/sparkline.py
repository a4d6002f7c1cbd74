"""The way of the score and of the loss, as a small SVG."""

from collections.abc import Sequence
from typing import Final

WIDTH, HEIGHT = 220, 36
LIMIT: Final = 240


class Trace:
    """At most 240 points of an endless series, evenly spread: what is shown doesn't grow with the run."""

    def __init__(self) -> None:
        self.scores: list[float] = []
        self.losses: list[float] = []
        self._stride = 1
        self._count = 0

    def add(self, score: float, loss: float) -> None:
        """One iteration's."""
        if self._count % self._stride == 0:
            self.scores.append(score)
            self.losses.append(loss)
        self._count += 1
        if len(self.scores) >= LIMIT:
            self.scores, self.losses = self.scores[::2], self.losses[::2]
            self._stride *= 2

    @property
    def svg(self) -> str:
        """Both curves, the score in the accent's colour; nothing before there are two points."""
        if len(self.scores) < 2:
            return ""
        curves = _curve(self.losses, "t2a-curve-loss", "#b9b4d0") + _curve(self.scores, "t2a-curve-score", "#6a4cf0")
        label = f"score {self.scores[-1]:.3f}, loss {self.losses[-1]:.3f}"
        return (
            f'<svg class="t2a-spark" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" role="img" '
            f'aria-label="{label}"><title>{label}: violet is the score, grey the loss</title>{curves}</svg>'
        )


def _curve(values: Sequence[float], name: str, colour: str) -> str:
    lowest, highest = min(values), max(values)
    spread = highest - lowest or 1.0
    points = " ".join(
        f"{2 + (WIDTH - 4) * index / (len(values) - 1):.1f},{HEIGHT - 3 - (HEIGHT - 6) * (value - lowest) / spread:.1f}"
        for index, value in enumerate(values)
    )
    return f'<polyline class="{name}" points="{points}" fill="none" stroke="{colour}" stroke-width="1.8"/>'
