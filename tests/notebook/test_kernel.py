"""Stop, Pause and Interrupt on a busy kernel, and what stays in the notebook, by the messages a front end sends."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.notebook.environments import Environment
from tests.notebook.kernel import JPEG, WIDGET, Button, Cell, Kernel, Message, saved_size
from tests.patience import least

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # the first test may have to make the simulated Colab

AT_ONCE = 0.5  # seconds, besides the iteration that is being drawn
LONG = 120  # seconds that nobody would wait
SOON = 60  # a fraction of a second, on a machine that has time
SAVED_BYTES = 120 * 1024

BEGIN = """
import threading, time
from text2art_nb import Studio
from text2art_nb.optimization.loop import Loop
real_step = Loop.step
"""
DRAW_FOR_LONG = """
Loop.step = real_step
studio = Studio()
studio.set(prompts="a cat", quality="draft", size="64x64", iterations=100000, seed=1)
"""

# An iteration of three seconds that looks, as the real ones do, between its parts whether it is still wanted.
SLOW_FROM_THE_THIRD = """
def slow_step(loop, abandoned=lambda: False):
    if loop.iteration < 2:
        return real_step(loop, abandoned)
    print("slow", flush=True)
    end = time.monotonic() + 3
    while time.monotonic() < end:
        if abandoned():
            return None
        time.sleep(0.02)
    return real_step(loop, abandoned)
Loop.step = slow_step
"""

# One that never looks, such as a download or a foreign library may be.
DEAF_FROM_THE_THIRD = """
released = threading.Event()
def deaf_step(loop, abandoned=lambda: False):
    global drawing
    if loop.iteration < 2:
        return real_step(loop, abandoned)
    drawing = threading.current_thread()
    print("deaf", flush=True)
    released.wait(120)
    return real_step(loop, abandoned)
Loop.step = deaf_step
"""
PAINT = """
from PIL import Image
from text2art_nb.imaging.image_io import picture_to_uri
painted = picture_to_uri(Image.new("RGB", (64, 64), "white"))
"""
LET_IT_END = """
released.set()
if drawing is not threading.main_thread():
    drawing.join(10)
Loop.step = real_step
"""


@pytest.fixture(scope="module")
def kernels(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Kernel]]:
    """The kernel that the tests share, if there is one."""
    shared: list[Kernel] = []
    yield shared
    for kernel in shared:
        kernel.__exit__()


@pytest.fixture
def kernel(
    kernels: list[Kernel], environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Kernel]:
    """A kernel with a studio that would draw a small picture for hours: a new one where the last doesn't obey."""
    if not kernels:
        kernels.append(Kernel(environment, tmp_path_factory.mktemp("kernel")).__enter__())
        kernels[0].run(BEGIN, seconds=120)
    kernel = kernels[0]
    kernel.run(DRAW_FOR_LONG)
    yield kernel
    if kernel.is_busy:
        kernels.pop().__exit__()
    else:
        assert kernel.value("[repr(error) for error in studio.errors]") == []


def paint(kernel: Kernel) -> Cell:
    """Run the cell that paints, until its picture is seen to change."""
    cell = kernel.begin("await studio.paint()")
    cell.wait_for_frames(4)
    return cell


def ask_to_end(cell: Cell, how: str) -> float:
    """Do what a user does who wants the cell to end; the moment of that."""
    stop = cell.button("Stop")
    asked = time.monotonic()
    if how == "stop":
        cell.kernel.click(stop)
    else:
        cell.kernel.interrupt()
    return asked


def seconds_to_end(cell: Cell, asked: float) -> float:
    """How long the user had to wait."""
    cell.wait_until_ended(LONG)
    assert cell.ended is not None
    return cell.ended - asked


def iteration_seconds(kernel: Kernel) -> float:
    """How long an iteration of the latest run takes."""
    seconds: float = kernel.value("studio.run.seconds / studio.run.iteration")
    return seconds


def picture_numbers(messages: list[Message]) -> list[int]:
    """Which of the messages are pictures."""
    return [number for number, message in enumerate(messages) if message.shows_picture]


@pytest.mark.parametrize("how", ["stop", "interrupt"])
def test_stop_and_interrupt_end_the_cell_at_once_and_keep_the_picture(kernel: Kernel, how: str) -> None:
    def wait() -> float:
        cell = paint(kernel)
        waited = seconds_to_end(cell, ask_to_end(cell, how))
        assert (cell.error, cell.tracebacks) == (None, [])
        return waited - iteration_seconds(kernel)

    assert least(wait, AT_ONCE) < AT_ONCE
    assert kernel.value("(studio.run.stopped, studio.result.settings.prompts)") == (True, "a cat")
    assert kernel.value("studio.result.image.size") == (64, 64)


@pytest.mark.parametrize("how", ["stop", "interrupt"])
def test_stop_and_interrupt_end_also_an_iteration_that_takes_seconds(kernel: Kernel, how: str) -> None:
    kernel.run(SLOW_FROM_THE_THIRD)

    def wait() -> float:
        cell = kernel.begin("await studio.paint()")
        cell.wait_for_text("slow")
        kernel.listen(0.3)  # well into it
        waited = seconds_to_end(cell, ask_to_end(cell, how))
        assert (cell.error, cell.tracebacks) == (None, [])
        return waited

    assert least(wait, AT_ONCE) < AT_ONCE
    assert kernel.value("(studio.run.iteration, studio.result is not None)") == (2, True)


@pytest.mark.parametrize("how", ["stop", "interrupt"])
def test_stop_and_interrupt_end_a_picture_that_pauses(kernel: Kernel, how: str) -> None:
    def wait() -> float:
        cell = paint(kernel)
        kernel.click(cell.button("Pause"))
        wait_for_description(cell, "Resume")
        waited = seconds_to_end(cell, ask_to_end(cell, how))
        assert (cell.error, cell.tracebacks) == (None, [])
        return waited

    assert least(wait, AT_ONCE) < AT_ONCE


def test_after_an_interrupt_the_next_picture_can_be_painted_and_interrupted(kernel: Kernel) -> None:
    def wait() -> float:
        cell = paint(kernel)
        waited = seconds_to_end(cell, ask_to_end(cell, "interrupt"))
        assert cell.error is None
        return waited - iteration_seconds(kernel)

    for _ in range(2):
        assert least(wait, AT_ONCE) < AT_ONCE

    # The studio's hold on Ctrl-C ends with its cell.
    other = kernel.begin("print('sleeping', flush=True); time.sleep(120)")
    other.wait_for_text("sleeping")
    kernel.interrupt()
    assert seconds_to_end(other, time.monotonic()) < SOON
    assert other.error is not None
    assert other.error.startswith("KeyboardInterrupt")


def test_a_second_interrupt_ends_what_does_not_heed_the_first(kernel: Kernel) -> None:
    kernel.run(DEAF_FROM_THE_THIRD)
    cell = kernel.begin("await studio.paint()")
    cell.wait_for_text("deaf")
    kernel.interrupt()
    kernel.listen(0.3)  # two signals at the same moment would be one

    asked = time.monotonic()
    kernel.interrupt()

    assert seconds_to_end(cell, asked) < SOON
    assert cell.error is not None
    assert cell.error.startswith("KeyboardInterrupt")
    assert JPEG in [kind for output in cell.outputs for kind in output.get("data", {})]
    kernel.run(LET_IT_END)
    again = paint(kernel)
    seconds_to_end(again, ask_to_end(again, "stop"))
    assert again.error is None


def test_a_second_interrupt_of_a_picture_on_the_panel_ends_it_and_not_the_kernel(kernel: Kernel) -> None:
    kernel.run(DEAF_FROM_THE_THIRD + "studio.panel()")
    first = len(kernel.messages)
    kernel.click(Button(kernel.value("studio.controller.panel.view.model_id"), "draw"))
    kernel.wait_for(lambda message: "deaf" in message.content.get("text", ""), "third iteration", LONG, first)
    for _ in range(2):
        kernel.interrupt()
        kernel.listen(0.3)  # two signals at the same moment would be one

    assert kernel.value("studio.controller.panel.preview.shown['drawing']") is False
    assert "Interrupted" in kernel.value("studio.controller.panel.preview.shown['message']")
    kernel.run(LET_IT_END)
    again = paint(kernel)
    seconds_to_end(again, ask_to_end(again, "stop"))
    assert again.error is None


def test_pause_holds_the_picture_and_resume_lets_it_go_on(kernel: Kernel) -> None:
    cell = paint(kernel)
    pause = cell.button("Pause")
    kernel.click(pause)
    wait_for_description(cell, "Resume")
    kernel.listen(0.5)  # the iteration that was being drawn

    assert picture_numbers(kernel.listen(1.0)) == []
    assert kernel.is_busy

    kernel.click(pause)
    cell.wait_for_more_frames(3, seconds=SOON)
    seconds_to_end(cell, ask_to_end(cell, "stop"))
    assert cell.error is None


def test_the_saved_cell_holds_one_picture_and_what_it_shows(kernel: Kernel) -> None:
    kernel.run("studio.set(prompts='an underwater city', size='512x512', iterations=3)")
    cell = kernel.begin("await studio.paint()")
    cell.wait_until_ended(120)

    assert cell.error is None
    kinds = [kind for output in cell.outputs for kind in output.get("data", {})]
    assert kinds.count(JPEG) == 1
    assert WIDGET not in kinds
    assert saved_size(cell.outputs) < SAVED_BYTES
    [caption] = [output["data"]["text/html"] for output in cell.outputs if "t2a-caption" in str(output)]
    for told in ("an underwater city", "done", "512", "3"):
        assert told in caption


def test_a_stopped_picture_says_where_it_was_stopped(kernel: Kernel) -> None:
    cell = paint(kernel)
    seconds_to_end(cell, ask_to_end(cell, "stop"))

    [caption] = [output["data"]["text/html"] for output in cell.outputs if "t2a-caption" in str(output)]
    assert f"stopped at iteration {kernel.value('studio.run.iteration')}" in caption


def test_no_picture_is_webp_and_no_more_than_ten_are_sent_a_second(kernel: Kernel) -> None:
    cell = paint(kernel)
    heard = kernel.listen(2.0)
    seconds_to_end(cell, ask_to_end(cell, "stop"))

    assert 2 <= len(picture_numbers(heard)) <= 22
    assert not [message for message in kernel.messages if "image/webp" in message.content.get("data", {})]


def test_the_panel_without_a_kernel_says_how_to_open_it(kernel: Kernel) -> None:
    cell = kernel.run("studio.panel()")

    shown = [output["data"] for output in cell.outputs if "data" in output]
    assert any(WIDGET in data for data in shown)
    assert any("Run this cell to open the control panel" in data.get("text/html", "") for data in shown)
    assert not any("VBox(" in data["text/plain"] for data in shown)


def test_a_mask_that_is_painted_in_a_cell_of_its_own_comes_to_python(kernel: Kernel) -> None:
    cell = kernel.run("studio.mask()")
    assert any(WIDGET in output.get("data", {}) for output in cell.outputs)
    canvas = [comm for comm, state in kernel.states().items() if "mask" in state][-1]
    kernel.run(PAINT)
    kernel.tell(canvas, {"do": "painted", "painted": kernel.value("painted")})
    kernel.click(Button(canvas, "use_mask"))
    kernel.run("pass")
    assert kernel.value("studio.settings.masks == (painted,)")


@pytest.mark.nightly  # a promise of speed, which a busy machine can't keep
def test_the_first_picture_is_there_two_seconds_after_running_the_cell(
    environment: Environment, tmp_path: Path
) -> None:
    with Kernel(environment, tmp_path) as fresh:
        fresh.run("from text2art_nb import Studio; studio = Studio(); studio.hello()")
        fresh.run("studio.panel(prompt='an underwater city')")
        cell = fresh.begin("await studio.paint()")
        cell.wait_for_frames(1, seconds=30)
        assert fresh.messages[-1].at - cell.began < 2.0


def wait_for_description(cell: Cell, description: str) -> None:
    """Wait until a button of the cell's says so."""
    cell.kernel.wait_for(
        lambda message: (
            message.kind == "comm_msg"
            and description in [label for _, label, *_ in message.content["data"].get("state", {}).get("buttons", ())]
        ),
        f"button that says {description}",
        SOON,
    )


def test_torchs_helpers_sleep_while_they_wait(environment: Environment, tmp_path: Path) -> None:
    # Empty, for the tests' own process has a policy already, which a kernel would inherit.
    with Kernel(environment, tmp_path, OMP_NUM_THREADS="2", OMP_WAIT_POLICY="", GOMP_SPINCOUNT="") as kernel:
        kernel.run(
            "from text2art_nb import Studio; from text2art_nb.runtime import openmp\nstudio = Studio(); studio.hello()",
            120,
        )
        assert kernel.value("openmp.helpers_spin()") is False
