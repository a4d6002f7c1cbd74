"""The progress bar: score and time left, on stderr."""

import sys
from typing import TYPE_CHECKING

from tqdm import tqdm

from text2art_nb.cli.process_clock import Clock
from text2art_nb.runs.run import Run
from text2art_nb.runtime.formatting import minutes

if TYPE_CHECKING:
    from text2art_nb.runs.frame import Frame

SHAPE = "{desc}{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} [{elapsed}{postfix}]"


class Progress:
    """Shows the frames of `run` as they come.

    first_frame_seconds: from the process's start to the first frame; None before it.
    """

    def __init__(self, run: Run, clock: Clock) -> None:
        self._clock = clock
        self.first_frame_seconds: float | None = None
        self._bar = tqdm(
            total=run.total,
            initial=run.iteration,
            desc="drawing",
            bar_format=SHAPE,
            file=sys.stderr,
            dynamic_ncols=True,
            # In a log file every refresh is a line of its own.
            mininterval=0.2 if sys.stderr.isatty() else 5.0,
        )

    def show(self, frame: "Frame") -> None:
        """One iteration is done."""
        if self.first_frame_seconds is None:
            self.first_frame_seconds = round(self._clock.seconds, 2)
        if frame.notice:
            self._bar.write(f"text2art: {frame.notice}", file=sys.stderr)
        self._bar.total = frame.total
        self._bar.set_postfix_str(f"score {frame.score:.3f}, {minutes(frame.eta)} left", refresh=False)
        self._bar.update(frame.iteration - self._bar.n)

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.leave = self.first_frame_seconds is not None
        self._bar.close()
