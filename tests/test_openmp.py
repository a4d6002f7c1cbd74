"""A thread that has computed lets its helpers go, so that another one draws as fast as if it were alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from text2art_nb import openmp

PROGRAM = """
import os, time, torch
from text2art_nb import openmp
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


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="torch brings GNU's OpenMP on Linux alone")
def test_helpers_go_and_come_back_when_there_is_something_to_compute() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        check=True,
    )
    helped, left, again, threads = map(int, done.stdout.split())
    assert (helped, left, again, threads) == (2, 0, 2, 3)


def test_without_a_list_of_libraries_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object, **__: object) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(Path, "read_text", none)
    openmp.let_helpers_go()
