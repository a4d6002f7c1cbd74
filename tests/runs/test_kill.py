"""A run that is killed with kill -9, at any moment, goes on and ends in the byte-identical picture."""

import errno
import multiprocessing
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from text2art_nb.artifacts.output_paths import alone
from text2art_nb.errors import RunError
from text2art_nb.runs import run as runs
from text2art_nb.runs.checkpoint import NAME, Checkpoint
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

Tiny = Callable[..., Settings]
LONGER = [("vqgan", 10), ("pixel", 10), ("strokes", 4), ("fft", 4)]


def draw(recipe: dict[str, Any], directory: Path, tell: Connection) -> None:
    """The victim: draws the recipe, or goes on with the run that is there; writes itself down at every iteration."""
    runs.CHECKPOINT_SECONDS = 0.0
    try:
        run = Run.load(directory)
    except RunError:
        run = Run(Settings.from_recipe(recipe, trusted=True), directory)
    for frame in run:
        tell.send(frame.iteration)
    run.artwork.image.save(directory / "picture.png")
    tell.send("done")


@pytest.fixture(scope="module")
def nursery() -> ForkServerContext:
    """Processes that have torch imported already: each victim is a process of its own, and is there at once."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["text2art_nb.optimization.loop", "transformers.models.clip.modeling_clip", "tests.runs.test_kill"]
    )
    return context


@contextmanager
def victim(nursery: ForkServerContext, settings: Settings, directory: Path) -> Iterator[tuple[int, Connection]]:
    """(process id, what it says) of a process that draws `settings`."""
    hear, tell = nursery.Pipe(duplex=False)
    process = nursery.Process(target=draw, args=(settings.to_recipe(), directory, tell))
    process.start()
    tell.close()
    assert process.pid is not None
    yield process.pid, hear
    process.join()


def listen(hear: Connection) -> list[Any]:
    """Everything that is still said before the other side is gone."""
    said = []
    while True:
        try:
            said.append(hear.recv())
        except (EOFError, ConnectionResetError):
            return said


@pytest.mark.parametrize(
    ("drawer", "kills"), [("vqgan", 2), *(pytest.param(*each, marks=pytest.mark.nightly) for each in LONGER)]
)
def test_killed_several_times_at_random_moments_the_picture_is_the_same(
    tiny: Tiny, tmp_path: Path, nursery: ForkServerContext, drawer: str, kills: int
) -> None:
    settings = tiny(drawer=drawer, strokes=12, iterations=15 * kills, keep="average").resolved()
    chance = random.Random(drawer)
    reached, resumed = 0, 0
    for _ in range(kills):
        with victim(nursery, settings, tmp_path) as (process, hear):
            said = [hear.recv() for _ in range(chance.randint(1, 12))]
            time.sleep(chance.random() * 0.03)
            os.kill(process, signal.SIGKILL)
            said += listen(hear)
        # Each life is far shorter than the ten seconds of work that may be lost, yet the run must get on.
        assert 1 <= said[0] <= reached + 1
        reached, resumed = said[-1], resumed + (said[0] > 1)
    assert resumed >= kills // 2
    with victim(nursery, settings, tmp_path) as (_, hear):
        assert listen(hear)[-1] == "done"
    # The reference is drawn in a process of the same kind: another number of threads would add up in another order.
    with victim(nursery, settings, tmp_path / "whole") as (_, hear):
        assert listen(hear)[-1] == "done"
    pictures = [Image.open(place / "picture.png") for place in (tmp_path, tmp_path / "whole")]
    assert pictures[0].tobytes() == pictures[1].tobytes()


def test_a_torn_checkpoint_never_replaces_a_good_one(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(), tmp_path)
    list(run)
    good = (tmp_path / NAME).read_bytes()
    torn = tmp_path / f".{NAME}.12345.part"  # what a kill in the middle of writing leaves
    torn.write_bytes(good[: len(good) // 3])
    assert Run.load(tmp_path).iteration == 6
    with alone(tmp_path):
        assert not torn.exists()


def test_a_run_killed_while_its_models_load_is_not_lost(tiny: Tiny, tmp_path: Path) -> None:
    settings = tiny().resolved()
    Checkpoint(settings).write(tmp_path / NAME)
    assert next(Run.load(tmp_path)).iteration == 1


def test_a_full_disk_is_said_and_the_picture_is_still_there(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file where the directory should be")
    run = Run(tiny(), tmp_path / "run")
    with pytest.raises(RunError, match="can't be saved"):
        list(run)
    assert run.artwork.image.size == (48, 32)


def test_a_hiccup_of_the_disk_does_not_cost_the_checkpoint_after_it(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write, failed = Checkpoint.write, []

    def hiccup(checkpoint: Checkpoint, path: Path) -> None:
        if not failed:
            failed.append(path)
            raise OSError(errno.EIO, "Input/output error")
        write(checkpoint, path)

    monkeypatch.setattr(Checkpoint, "write", hiccup)
    run = Run(tiny(), tmp_path)
    with pytest.raises(RunError, match="Input/output error"):
        list(run)
    run.flush()
    assert Run.load(tmp_path).iteration == run.iteration > 0
