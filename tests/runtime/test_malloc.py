"""What an iteration frees stays for the next one, and goes back to the system when the run is over."""

import gc
import subprocess
import sys
from collections.abc import Callable

import pytest

from text2art_nb.runs.run import Run
from text2art_nb.runtime import malloc
from text2art_nb.settings import Settings

PROGRAM = """
import torch
from text2art_nb.runtime import malloc as heap, machine
{before}
start = machine.held_bytes()
for _ in range(2):
    blocks = [torch.ones(12_000_000) for _ in range(8)]
    del blocks
kept = machine.held_bytes() - start
heap.give_back()
print(kept, machine.held_bytes() - start)
"""


def kept_and_left(before: str, **environment: str) -> tuple[int, int]:
    """Bytes that a process of its own holds after freeing 384 MB, and after giving back."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(before=before)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    kept, left = map(int, done.stdout.split())
    return kept, left


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator alone is told")
def test_what_is_freed_stays_until_it_is_given_back() -> None:
    kept, left = kept_and_left("heap.keep_what_is_freed()")
    assert kept > 300_000_000
    assert left < 60_000_000


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's allocator alone is told")
def test_whoever_has_told_the_allocator_already_is_heard() -> None:
    kept, _ = kept_and_left("heap.keep_what_is_freed()", MALLOC_TRIM_THRESHOLD_="131072")
    assert kept < 60_000_000


def test_elsewhere_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    malloc.keep_what_is_freed()
    malloc.give_back()


def test_imports_are_not_swept_for_garbage_and_what_comes_after_them_is(
    tiny: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(tiny())
    prepare, seen = run._prepare, []
    monkeypatch.setattr(run, "_prepare", lambda: (seen.append(gc.isenabled()), prepare())[1])
    next(run)
    first, seen[:] = list(seen), []
    next(run)
    assert set(first) == {False}
    assert set(seen) == {True}
    assert gc.isenabled()


def test_whoever_collects_no_garbage_goes_on_to_collect_none() -> None:
    gc.disable()
    try:
        with malloc.unswept():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_what_is_there_is_not_looked_through_again_and_what_comes_later_is() -> None:
    program = (
        "import gc\nfrom text2art_nb.runtime import malloc as heap\n"
        "with heap.unswept():\n"
        "    there = [[] for _ in range(1000)]\n"
        "    heap.keep_what_is_there()\n"
        "    later = []\n"
        "    assert gc.isenabled() and gc.get_freeze_count() > 1000\n"
        "    assert any(each is later for each in gc.get_objects())\n"
        "    assert not any(each is there for each in gc.get_objects())\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
