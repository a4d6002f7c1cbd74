"""Small trial drawings with real models: score before and after, pace, memory, numbers that are none, Stop's delay."""

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final

from text2art_nb.runs.run import Run
from text2art_nb.runtime.machine import PeakMemory
from text2art_nb.settings import Settings

DRAWERS: Final = ("vqgan", "pixel", "taesd", "turbo")
PROMPTS: Final = ("an underwater city", "a red castle in the snow", "a lighthouse at night")
ENOUGH_STEPS: Final = 20
"""From so many iterations on, a score that doesn't rise is a fault."""
STOP_SECONDS: Final = 1.0
"""What Stop may take beside the iteration that it comes in."""
_NOT_A_NUMBER: Final = "numbers that are none"  # in what a run says where it takes such a step back
_STOPPED_RUN: Final = 100_000  # iterations, of which a few are drawn


@dataclass(frozen=True)
class Drawing:
    """One trial drawing.

    Attributes:
        prompt: what was drawn.
        before, after: score of the first frame, and of the finished picture.
        first_seconds: until the first frame; with the models' loading where they weren't loaded.
        iteration_seconds: of an iteration after the first.
        finite: whether all losses and scores were numbers, and no step had to be taken back.
        flat: whether the finished picture is of one color.
        notices: what the run said.
    """

    prompt: str
    before: float
    after: float
    first_seconds: float
    iteration_seconds: float
    finite: bool
    flat: bool
    notices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Trial:
    """The drawings with one drawer. peak_bytes: most memory at a time, of the card or of this process."""

    drawer: str
    size: tuple[int, int]
    iterations: int
    drawings: tuple[Drawing, ...]
    peak_bytes: int

    @property
    def rose(self) -> int:
        """In how many drawings the score rose."""
        return sum(each.after > each.before for each in self.drawings)

    @property
    def fault(self) -> str:
        """What is wrong with the drawings, in a few words; "" for nothing."""
        if not all(each.finite for each in self.drawings):
            return "numbers that are none"
        if any(each.flat for each in self.drawings):
            return "a picture of one color"
        if not self.rose and self.iterations >= ENOUGH_STEPS:
            return "no score rose"
        return ""

    @property
    def data(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self) | {"rose": self.rose, "fault": self.fault}


@dataclass(frozen=True)
class StopDelay:
    """How long a run went on after `stop`, which came in the middle of an iteration that takes `iteration_seconds`."""

    seconds: float
    iteration_seconds: float

    @property
    def ok(self) -> bool:
        """Whether it ended with the iteration at the latest."""
        return self.seconds <= self.iteration_seconds + STOP_SECONDS


def trial_settings(drawer: str, device: str, quality: str, prompt: str = PROMPTS[0], seed: int = 1) -> Settings:
    """Small and short: on "cpu" a few iterations with few views, elsewhere enough of them to see the score rise.

    quality: whose CLIPs look.
    """
    on_cpu = device == "cpu"
    side, iterations, views = (96, 4, 2) if on_cpu else (144, 40, 16)
    if drawer == "turbo":  # draws at its models' own size, and each iteration is a whole picture
        iterations = 2 if on_cpu else 12
    return Settings(
        prompts=prompt,
        drawer=drawer,
        model="full",
        quality=quality,
        batches=1,
        size=(side, side),
        iterations=iterations,
        num_cuts=views,
        seed=seed,
        device=device,
    ).resolved()


def draw_trial(drawer: str, device: str, quality: str, tell: Callable[[str], None]) -> Trial:
    """Draw `PROMPTS` with one drawer. tell: hears of each. Raises RunError and ModelError."""
    drawings = []
    settings = trial_settings(drawer, device, quality)
    with PeakMemory(device) as peak:
        for seed, prompt in enumerate(PROMPTS, 1):
            tell(f"drawing {prompt} with {drawer}")
            drawings.append(_drawing(trial_settings(drawer, device, quality, prompt, seed)))
    return Trial(drawer, settings.picture_size, settings.iterations or 0, tuple(drawings), peak.bytes)


def _drawing(settings: Settings) -> Drawing:
    began = time.monotonic()
    run, seconds = Run(settings), 0.0
    scores: list[float] = []
    paces: list[float] = []  # cumulative seconds
    losses: list[float] = []
    for frame in run:
        seconds = seconds or time.monotonic() - began
        scores.append(frame.score)
        losses.append(frame.loss)
        paces.append(frame.seconds)
    picture, after = run.candidates[0]
    taken_back = any(_NOT_A_NUMBER in notice for notice in run.notices)
    return Drawing(
        prompt=settings.prompts,
        before=scores[0],
        after=after,
        first_seconds=seconds,
        iteration_seconds=(paces[-1] - paces[0]) / max(1, len(paces) - 1),
        finite=all(map(math.isfinite, [*scores, *losses, after])) and not taken_back,
        flat=len(picture.getcolors(2) or ()) == 1,
        notices=tuple(dict.fromkeys(run.notices)),
    )


def stop_delay(drawer: str, device: str, quality: str) -> StopDelay:
    """Stop a run in the middle of its fourth iteration, from another thread, as a button does."""
    run = Run(trial_settings(drawer, device, quality).with_(iterations=_STOPPED_RUN))
    for _ in range(2):
        next(run)
    began = time.monotonic()
    next(run)
    pace = time.monotonic() - began
    stopped: list[float] = []

    def stop() -> None:
        stopped.append(time.monotonic())
        run.stop()

    timer = threading.Timer(pace / 3, stop)
    timer.start()
    try:
        deque(run, maxlen=0)
    finally:
        ended = time.monotonic()
        timer.cancel()
        run.stop()
    timer.join()
    return StopDelay(ended - stopped[0], pace)
