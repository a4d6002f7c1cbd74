"""A run that is killed with kill -9, at any moment, goes on and ends in the byte-identical picture."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from text2art_nb.checkpoint import NAME, Checkpoint
from text2art_nb.errors import RunError
from text2art_nb.run import Run
from text2art_nb.settings import Settings

Tiny = Callable[..., Settings]
ROOT = Path(__file__).parents[1]

# Draws the recipe, or goes on with the run, in argv[1], and writes a checkpoint after every iteration.
WORKER = """
import json, sys
from pathlib import Path
from text2art_nb import run as runs
from text2art_nb.errors import RunError
from text2art_nb.settings import Settings
runs.CHECKPOINT_SECONDS = 0.0
directory = Path(sys.argv[1])
try:
    run = runs.Run.load(directory / "run")
except RunError:
    recipe = json.loads((directory / "recipe.json").read_text())
    run = runs.Run(Settings.from_recipe(recipe, trusted=True), directory / "run")
print("ready", flush=True)
for frame in run:
    print(frame.iteration, flush=True)
run.artwork.image.save(directory / "picture.png")
print("done", flush=True)
"""


def start(directory: Path) -> subprocess.Popen[str]:
    """A worker of its own process, fork of a shell would survive the kill: -c keeps it one process."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-c", WORKER, str(directory)], stdout=subprocess.PIPE, text=True, env=environment
    )


def kill_after(worker: subprocess.Popen[str], lines: int, moment: float) -> list[str]:
    """Kill the worker `moment` seconds after it has said `lines` lines, or let it end; what it said."""
    assert worker.stdout is not None
    said = []
    for line in worker.stdout:
        said.append(line.strip())
        if len(said) == lines and said[-1] != "done":
            time.sleep(moment)
            worker.send_signal(signal.SIGKILL)
    worker.wait()
    return said


@pytest.mark.parametrize("drawer", ["vqgan", "pixel"])
def test_killed_five_times_at_random_moments_the_picture_is_the_same(tiny: Tiny, tmp_path: Path, drawer: str) -> None:
    settings = tiny(drawer=drawer, iterations=60, keep="average").resolved()
    (tmp_path / "recipe.json").write_text(json.dumps(settings.to_recipe()))
    chance = random.Random(drawer)
    reached = 0
    for _ in range(5):
        said = kill_after(start(tmp_path), lines=chance.randint(2, 9), moment=chance.random() * 0.05)
        iterations = [int(line) for line in said if line.isdigit()]
        assert iterations[0] <= reached + 1, "more than one iteration was lost"
        assert iterations[0] >= reached - 1, "it began again"
        reached = iterations[-1]
    assert reached < 60
    assert kill_after(start(tmp_path), lines=10**6, moment=0)[-1] == "done"
    whole = Run(settings)
    list(whole)
    from PIL import Image

    assert Image.open(tmp_path / "picture.png").tobytes() == whole.artwork.image.tobytes()


def test_a_torn_checkpoint_never_replaces_a_good_one(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(), tmp_path)
    list(run)
    good = (tmp_path / NAME).read_bytes()
    (tmp_path / (NAME + ".part")).write_bytes(good[: len(good) // 3])  # what a kill in the middle of writing leaves
    assert Run.load(tmp_path).iteration == 6


def test_a_run_killed_while_its_models_load_is_not_lost(tiny: Tiny, tmp_path: Path) -> None:
    settings = tiny().resolved()
    Checkpoint(settings).write(tmp_path / NAME)
    assert [frame.iteration for frame in Run.load(tmp_path)][0] == 1


def test_a_full_disk_is_said_and_the_picture_is_still_there(tiny: Tiny, tmp_path: Path) -> None:
    (tmp_path / "run").write_text("a file where the directory should be")
    run = Run(tiny(), tmp_path / "run")
    with pytest.raises(RunError, match="can't be saved"):
        list(run)
    assert run.artwork.image.size == (48, 32)
