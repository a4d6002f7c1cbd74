"""While it draws, it says how long the rest will take: within a quarter after ten iterations."""

import random
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest

from text2art_nb import Run, Settings
from text2art_nb.runs.pace import Pace
from text2art_nb.settings import halving, stages

KINDS = (
    {},
    {"quality": "better"},
    {"drawer": "pixel", "candidates": 4},
    {"drawer": "vqgan:30 -> pixel:70"},
    {"drawer": "pixel -> vqgan", "quality": "draft"},
    {"drawer": "pixel", "candidates": 16, "finalists": 2},
    {"drawer": "fft -> strokes", "candidates": 6, "finalists": 3},
)


def wanted(**changes: object) -> Settings:
    return Settings(**{"prompts": "a cat", "seed": 1, "device": "cpu", **changes}).resolved()


def took(settings: Settings, done: int, scale: float = 1.0) -> tuple[float, int]:
    """Seconds and candidates of the iteration after `done` others, on a pretended machine."""
    total = settings.iterations or 0
    count = halving.left(settings.candidates, settings.finalists, done, total)
    name = settings.drawer_names[stages.stage_after(settings.stages, done, total)]
    width, height = settings.picture_size
    views = count * (halving.cuts((settings.num_cuts or 1) * (settings.batches or 1), settings.finalists, count) + 1)
    fixed, megapixel = {"vqgan": (0.045, 1.3), "pixel": (0.01, 0.2), "fft": (0.005, 0.2), "strokes": (0.02, 0.2)}[name]
    return scale * (0.07 + fixed + 0.0098 * views + megapixel * count * width * height / 1e6), count


def said_and_true(settings: Settings, after: int, seconds: list[float]) -> tuple[float, float]:
    """What is said to be left after so many iterations, and what was."""
    pace = Pace()
    for done in range(after):
        pace.add(settings, done + 1, took(settings, done)[1], seconds[done])
    return pace.eta(settings, after, took(settings, after)[1]), sum(seconds[after:])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [0.3, 5.0])
def test_after_ten_iterations_the_time_left_is_known_within_a_quarter(kind: dict[str, object], scale: float) -> None:
    """Whatever the first iteration took to load and to warm up, and though others use the machine, too."""
    settings, chance = wanted(**kind), random.Random(5)
    seconds = [took(settings, done, scale)[0] * chance.uniform(0.9, 1.1) for done in range(settings.iterations or 0)]
    seconds[0] *= 30
    for after in (10, 11, 15):
        said, true = said_and_true(settings, after, seconds)
        assert said == pytest.approx(true, rel=0.25), after


def test_from_the_second_iteration_on_the_first_one_counts_no_more() -> None:
    seconds = [60.0, *[2.0] * ((wanted().iterations or 0) - 1)]
    assert said_and_true(wanted(), 1, seconds)[0] == pytest.approx(60.0 * (len(seconds) - 1))
    for after in (2, 3, 20):
        said, true = said_and_true(wanted(), after, seconds)
        assert said == pytest.approx(true), after


def test_a_single_slow_iteration_changes_nothing_once_there_are_some() -> None:
    seconds = [2.0] * (wanted().iterations or 0)
    seconds[14] = 100.0  # such as one that loads the referee
    said, true = said_and_true(wanted(), 16, seconds)
    assert said == pytest.approx(true)


def test_a_machine_that_becomes_slower_is_noticed() -> None:
    total = wanted().iterations or 0
    seconds = [1.0] * 20 + [3.0] * (total - 20)
    said, true = said_and_true(wanted(), 40, seconds)
    assert said == pytest.approx(true, rel=0.05)


def test_with_all_iterations_done_nothing_is_left() -> None:
    seconds = [1.0] * (wanted().iterations or 0)
    pace = Pace()
    for number, each in enumerate(seconds, 1):
        pace.add(wanted(), number, 1, each)
    assert pace.eta(wanted(), len(seconds), 1) == 0
    assert pace.eta(wanted(iterations=len(seconds) + 10), len(seconds), 1) == pytest.approx(10.0)


def test_a_candidate_that_goes_on_alone_takes_less_than_all() -> None:
    many = wanted(drawer="pixel", candidates=8)
    pace = Pace()
    for number in (1, 2, 3):
        pace.add(many, number, 8, 1.0)
    assert pace.eta(many, 3, 1) < 0.5 * pace.eta(many, 3, 8)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """A clock that only the iterations move: by 9 seconds the first time, by 2 each time after it."""
    from text2art_nb.runs import run as runs

    clock = SimpleNamespace(now=0.0, steps=0)
    monkeypatch.setattr(runs, "time", SimpleNamespace(monotonic=lambda: clock.now))
    step = Run._step

    def slow(run: Run, loop: object) -> object:
        clock.now += 2.0 if clock.steps else 9.0
        clock.steps += 1
        return step(run, loop)  # type: ignore[arg-type]

    monkeypatch.setattr(Run, "_step", slow)
    return clock


def test_a_frame_says_what_is_left(clock: SimpleNamespace, tiny: Callable[..., Settings]) -> None:
    run = Run(tiny(iterations=6))
    assert [round(frame.eta, 6) for frame in run] == [45.0, 8.0, 6.0, 4.0, 2.0, 0.0]
    run.steer(iterations=9)
    assert [round(frame.eta, 6) for frame in run] == [4.0, 2.0, 0.0]
    assert run.seconds == 25.0
