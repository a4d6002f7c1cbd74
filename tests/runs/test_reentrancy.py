"""Any number of runs live in one process, and each gives the picture that it gives alone."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

Tiny = Callable[..., Settings]


@pytest.fixture(scope="module")
def eight(tiny: Tiny) -> list[Settings]:
    """Eight runs that differ in everything that two users' runs could."""
    return [
        tiny(
            prompts=["a cat", "a dog | fog:-1", "a castle", "the sea:2"][k % 4],
            drawer=["vqgan", "pixel"][k % 2],
            size=[(48, 32), (32, 32), (40, 56)][k % 3],
            seed=k,
            iterations=4 + k,
            num_cuts=3 + k,
            candidates=1 + k % 2,
            keep=["last", "best", "average"][k % 3],
            losses={"smoothness": 0.1 * k},
        )
        for k in range(8)
    ]


def draw(settings: Settings) -> bytes:
    run = Run(settings)
    list(run)
    return run.artwork.image.tobytes()


@pytest.fixture(scope="module")
def alone(eight: list[Settings]) -> list[bytes]:
    pictures = [draw(settings) for settings in eight]
    assert len(set(pictures)) == 8
    return pictures


def test_eight_runs_interleaved_in_one_thread(eight: list[Settings], alone: list[bytes]) -> None:
    runs = [Run(settings) for settings in eight]
    going = list(runs)
    while going:
        going = [run for run in going if next(run, None) is not None]
    assert [run.artwork.image.tobytes() for run in runs] == alone


def test_eight_runs_on_four_threads(eight: list[Settings], alone: list[bytes]) -> None:
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(draw, eight)) == alone


def test_looking_at_a_run_from_another_thread_does_not_disturb_it(eight: list[Settings], alone: list[bytes]) -> None:
    run = Run(eight[6])
    with ThreadPoolExecutor(2) as threads:
        for frame in run:
            looks = [threads.submit(lambda: run.artwork.image), threads.submit(lambda frame=frame: frame.image)]
            assert all(look.result().size == (48, 32) for look in looks)
    assert run.artwork.image.tobytes() == alone[6]
