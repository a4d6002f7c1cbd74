"""Half an hour of watching: neither the kernel nor the notebook's file grows with the number of frames."""

from pathlib import Path

import pytest

from tests.notebook.environments import Environment
from tests.notebook.kernel import Kernel, saved_size

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

FRAMES = 18_000  # half an hour of ten a second
EARLY = 1_000
GROWTH_BYTES = 50 * 2**20
SAVED_BYTES = 120 * 1024

# The studio shows ten pictures a second. Here it shows as many as it can, as if there were time.
NO_LEISURE = """
from text2art_nb.studio import background_run, run_session
background_run.SECONDS_BETWEEN = 0.0
run_session.POLL_SECONDS = 0.001
"""


def test_half_an_hour_of_frames_fills_neither_memory_nor_the_notebook(environment: Environment, tmp_path: Path) -> None:
    with Kernel(environment, tmp_path) as kernel:
        kernel.run("from text2art_nb import Studio; from tests.notebook.fake_run import FakeRun, resident_bytes")
        kernel.run("studio = Studio(); studio.hello()")  # waits for the models: they take memory, too
        kernel.run(NO_LEISURE)
        kernel.run(f"run = FakeRun({FRAMES}, watched=({EARLY},), breath=0.005)")

        cell = kernel.begin("await studio.paint(run=run)")
        cell.wait_until_ended(300)
        growth = kernel.value(f"resident_bytes() - run.memory[{EARLY}]")

        assert cell.error is None
        assert kernel.value("(run.iteration, len(studio.errors))") == (FRAMES, 0)
        assert sum(message.shows_picture for message in kernel.messages) > EARLY
        assert growth < GROWTH_BYTES
        assert saved_size(cell.outputs) < SAVED_BYTES
