"""Helper threads sleep while they wait, a run keeps its number of them, and a thread that looks on lets its own go."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from text2art_nb.runs import doctor
from text2art_nb.runs.run import Run
from text2art_nb.runtime import openmp
from text2art_nb.runtime.machine import most_threads
from text2art_nb.settings import Settings

PROGRAM = """
import os, time, torch
from text2art_nb.runtime import openmp
def threads():
    return len(os.listdir("/proc/self/task"))
torch.set_num_threads(3)
def compute():
    torch.nn.functional.conv2d(torch.ones(4, 16, 64, 64), torch.ones(16, 16, 3, 3))
    return threads()
alone = threads()
helped = compute()
openmp.let_helpers_go()
until = time.monotonic() + 5  # the system lists a thread a moment longer than it lives
while threads() > alone and time.monotonic() < until:
    time.sleep(0.01)
left = threads()
print(helped - alone, left - alone, compute() - alone, torch.get_num_threads())
"""
gnu = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="torch brings GNU's OpenMP on Linux alone")


def environment(**more: str) -> dict[str, str]:
    """This process's, as a user has it who has said nothing about OpenMP, and `more`."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    return {**plain, "OMP_NUM_THREADS": "2", **more}


def run(*words: str, **more: str) -> "subprocess.CompletedProcess[str]":
    """A Python of its own, with what it prints."""
    return subprocess.run([sys.executable, *words], capture_output=True, text=True, env=environment(**more))


@gnu
def test_helpers_go_and_come_back_when_there_is_something_to_compute() -> None:
    done = run("-c", PROGRAM)
    helped, left, again, threads = map(int, done.stdout.split())
    assert (helped, left, again, threads) == (2, 0, 2, 3)


def test_without_a_list_of_libraries_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", none)
    openmp.let_helpers_go()


# -- how helpers wait


@gnu
@pytest.mark.parametrize(
    ("words", "more", "spins"),
    [
        (["-m", "text2art_nb", "doctor"], {}, "0"),
        (["-c", "from text2art_nb import Studio; import torch"], {}, "0"),
        (["-c", "import text2art_nb.serve.worker, torch"], {}, "0"),
        (["-c", "import text2art_nb.serve.share, torch"], {}, "0"),
        (["-c", "from text2art_nb.compat import clipit; import torch"], {}, "0"),
        (["-c", "import text2art_nb, torch"], {"OMP_WAIT_POLICY": "ACTIVE"}, "30000000000"),  # a user's own wish
        (["-c", "import text2art_nb, torch"], {"GOMP_SPINCOUNT": "77"}, "77"),
    ],
)
def test_libgomp_is_told_how_to_wait_before_it_is_loaded(words: list[str], more: dict[str, str], spins: str) -> None:
    said = run(*words, OMP_DISPLAY_ENV="VERBOSE", **more).stderr
    assert {line.split("'")[1] for line in said.splitlines() if "GOMP_SPINCOUNT" in line} == {spins}, said


@gnu
@pytest.mark.parametrize(
    ("program", "more", "spin"),
    [
        ("import text2art_nb", {}, False),
        ("import torch, text2art_nb", {}, True),  # too late: torch is loaded
        ("import text2art_nb", {"OMP_WAIT_POLICY": "ACTIVE"}, True),  # a user's own wish
        ("import text2art_nb", {"GOMP_SPINCOUNT": "300000"}, True),
        ("import text2art_nb, torch; torch.set_num_threads(1)", {"OMP_WAIT_POLICY": "ACTIVE"}, False),
    ],
)
def test_whether_helpers_spin_is_measured(program: str, more: dict[str, str], spin: bool) -> None:
    # Where others take the core, a helper that spins isn't always let spin; one that sleeps never seems to.
    measure = "from text2art_nb.runtime import openmp\nprint(any(openmp.helpers_spin() for _ in range(8)))"
    done = run("-c", f"{program}\n{measure}", **more)
    assert done.stdout.strip() == str(spin), done.stderr


def test_the_doctor_says_what_to_do_where_torch_was_loaded_first() -> None:
    check = doctor.helper_check(True, {"OMP_WAIT_POLICY": "PASSIVE"})
    assert check.ok
    assert check.mend.endswith("restart, and import text2art_nb first or set OMP_WAIT_POLICY=PASSIVE")
    assert doctor.helper_check(False, {"OMP_WAIT_POLICY": "PASSIVE"}).mend == ""


@pytest.mark.parametrize("asked", [{"OMP_WAIT_POLICY": "ACTIVE"}, {"GOMP_SPINCOUNT": "9"}])
def test_the_doctor_says_which_variable_asks_helpers_to_spin(asked: dict[str, str]) -> None:
    assert f"environment's {next(iter(asked))} asks for that" in doctor.helper_check(True, asked).mend


@gnu
def test_beside_a_busy_process_sleeping_helpers_cost_little() -> None:
    """Small products share out the work a thousand times a second; spinning takes 3 to 18 times one thread's time."""
    program = """if True:
        import text2art_nb, time, torch
        x, w = torch.randn(8, 32, 48, 48), torch.randn(32, 32, 3, 3)
        for turn in range(2):  # the first is a rehearsal
            began = time.monotonic()
            for _ in range(60):
                torch.nn.functional.conv2d(x, w).relu_()
        print(time.monotonic() - began)
        """

    def seconds(threads: int) -> float:
        return float(run("-c", program, OMP_NUM_THREADS=str(threads)).stdout)

    with busy_core():
        ratios = sorted(seconds(2) / seconds(1) for _ in range(3))
    assert ratios[0] < 1.4, ratios


@contextmanager
def busy_core() -> Iterator[None]:
    """A process that computes all the while on one of our cores."""
    loop = f"import os\nos.sched_setaffinity(0, {{{min(os.sched_getaffinity(0))}}})\nwhile True: pass"
    with subprocess.Popen([sys.executable, "-c", loop]) as process:
        yield
        process.kill()


# -- how many there are


def on_new_thread() -> int:
    """The number of threads that one which has never computed starts with."""
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return found[0]


def test_a_number_of_threads_is_the_calling_threads_own() -> None:
    before, fresh = torch.get_num_threads(), on_new_thread()
    with openmp.computing_with(before + 2):
        assert torch.get_num_threads() == before + 2
        assert on_new_thread() == fresh
        with openmp.computing_with(before + 1):
            assert torch.get_num_threads() == before + 1
        assert torch.get_num_threads() == before + 2
        with openmp.computing_with(None):
            assert torch.get_num_threads() == before + 2
    assert (torch.get_num_threads(), on_new_thread()) == (before, fresh)


def test_the_number_comes_back_after_an_error() -> None:
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError), openmp.computing_with(before + 1):
        _ = 1 / 0
    assert torch.get_num_threads() == before


def test_many_threads_change_their_numbers_at_once_and_none_hears_of_another() -> None:
    before, fresh = torch.get_num_threads(), on_new_thread()

    def work(number: int) -> bool:
        mine = openmp.own_number()
        for _ in range(20):
            with openmp.computing_with(number):
                if torch.get_num_threads() != number:
                    return False
            if torch.get_num_threads() != mine:
                return False
        return mine == fresh

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(work, range(2, 8)))
    assert (torch.get_num_threads(), on_new_thread()) == (before, fresh)


DRAW = """
import hashlib, json, sys
from text2art_nb import Run, Settings
place, asked, first = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
from text2art_nb.runs import run as runs
runs.CHECKPOINT_SECONDS = 0.0
run = Run.load(place) if first else Run(Settings(**asked), place)
for frame in run:
    run.flush()
    print(frame.iteration, flush=True)
tensors = run._checkpoint().tensors
numbers = b"".join(tensors[name].numpy().tobytes() for name in sorted(tensors))
print("done", hashlib.sha256(numbers).hexdigest(), run.settings.threads)
"""
ASKED = {"prompts": "a castle", "drawer": "fft", "size": [128, 128], "iterations": 5, "seed": 1, "device": "cpu"}


@gnu
@pytest.mark.parametrize("begun", [2, 1])
def test_a_killed_run_goes_on_exactly_under_another_number_of_threads(tmp_path: Path, begun: int) -> None:
    def draw(place: str, first: int, threads: int) -> list[str]:
        words = ["-c", DRAW, str(tmp_path / place), json.dumps(ASKED), str(first)]
        return run(*words, OMP_NUM_THREADS=str(threads)).stdout.split()[-3:]

    whole = draw("whole", 0, begun)
    assert whole[0::2] == ["done", str(begun)]
    words = [sys.executable, "-c", DRAW, str(tmp_path / "killed"), json.dumps(ASKED), "0"]
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, text=True, env=environment(OMP_NUM_THREADS=str(begun))
    ) as victim:
        assert victim.stdout is not None
        while victim.stdout.readline().strip() != "3":
            assert victim.poll() is None
        victim.send_signal(signal.SIGKILL)
    assert draw("killed", 1, 3 - begun) == whole


def test_a_recipe_says_the_number_and_redraws_with_it() -> None:
    settings = Settings(**ASKED).with_(iterations=2)
    drawn = Run(settings.with_(threads=2))
    list(drawn)
    again = Settings.from_recipe(drawn.artwork.settings.to_recipe(), trusted=True)
    assert again.threads == 2
    redrawn = Run(again)
    list(redrawn)
    assert redrawn.artwork.image.tobytes() == drawn.artwork.image.tobytes()


def test_a_recipe_without_the_number_takes_torchs() -> None:
    recipe = Settings(**ASKED).to_recipe()
    del recipe["threads"]
    drawn = Run(Settings.from_recipe(recipe).with_(iterations=1))
    assert drawn.settings.threads is None
    list(drawn)
    assert drawn.settings.threads == torch.get_num_threads()


def test_a_stranger_cant_ask_for_more_threads_than_there_are_cores() -> None:
    recipe = Settings(**ASKED).to_recipe()
    most = most_threads()
    assert Settings.from_recipe(recipe | {"threads": most}).threads == most
    assert Settings.from_recipe(recipe | {"threads": most + 1}).threads is None
    assert Settings.from_recipe(recipe | {"threads": most + 1}, trusted=True).threads == most + 1


def test_two_runs_at_once_each_compute_with_their_own_number() -> None:
    seen: dict[int, set[int]] = {1: set(), 3: set()}

    def draw(number: int) -> bytes:
        drawing = Run(Settings(**ASKED).with_(threads=number, iterations=3))
        for _ in drawing:
            assert torch.get_num_threads() == usual
        loop = drawing._prepare()
        render = loop.drawer.render

        def watched() -> torch.Tensor:
            seen[number].add(torch.get_num_threads())
            return render()

        loop.drawer.render = watched  # type: ignore[method-assign]
        drawing.steer(iterations=5)
        list(drawing)
        return drawing.artwork.image.tobytes()

    usual = on_new_thread()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(draw, seen))
    assert seen == {1: {1}, 3: {3}}
