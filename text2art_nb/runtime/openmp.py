"""OpenMP's helper threads: how they wait, how many there are, and when they go.

torch computes with one helper thread per further core, on Linux through GNU's OpenMP (libgomp), which keeps a set of
helpers for every thread that has ever computed.

- Waiting. By default a helper spins for its next piece of work. Where another process wants the core, the one thread
  spins while the other, on which it waits, isn't let compute: a picture then takes up to thirty times as long. Helpers
  that sleep cost nothing when the machine is quiet. libgomp reads OMP_WAIT_POLICY and GOMP_SPINCOUNT once, when it is
  loaded with torch.
- Number. Sums are taken in another order with another number of threads, so the last bits of a picture depend on it.
  A run keeps the number that it began with.
"""

import contextlib
import ctypes
import os
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TypeVar

_Result = TypeVar("_Result")

WAITING: Final = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
"""The variables that say how helpers wait; libgomp reads them when it is loaded."""

_SOFT: Final = 1  # omp_pause_soft, from omp.h: what was set stays set
_NAPS: Final = 8  # enough that one interrupted nap does not decide
_NAP_SECONDS: Final = 0.004  # shorter than libgomp spins by default, far longer than waking a thread takes
_SPINNING: Final = 0.25  # share of the naps that helpers computed; asleep it is below .05

# The number of threads to come is torch's, one for the process; whoever changes it does so alone.
_changing = threading.Lock()


def wait_passively() -> None:
    """Make helpers sleep while they wait. Call it before torch is imported; child processes inherit it.

    Keeps a user's own OMP_WAIT_POLICY or GOMP_SPINCOUNT.
    """
    if not any(os.environ.get(name) for name in WAITING):
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"


def helpers_spin() -> bool:
    """Measure whether torch's helpers spin while they wait. Takes 0.1 s and imports torch; False on one thread."""
    import torch

    if torch.get_num_threads() == 1:
        return False
    # What else this process computes meanwhile, such as a run that draws, is in both.
    let_helpers_go()
    idle = _seconds_of_others(lambda: None)
    numbers = torch.ones(1 << 18)  # large enough that torch shares it out
    waiting = _seconds_of_others(lambda: numbers.mul_(1))
    return waiting - idle > _SPINNING * _NAPS * _NAP_SECONDS


def _seconds_of_others(work: Callable[[], object]) -> float:
    """CPU-seconds that other threads of this process take in naps of the calling one, each after some `work`."""
    total = 0.0
    for _ in range(_NAPS):
        work()
        before = time.process_time() - time.thread_time()
        time.sleep(_NAP_SECONDS)
        total += time.process_time() - time.thread_time() - before
    return total


def own_number() -> int:
    """With how many threads the calling thread computes."""
    import torch

    with _changing:  # a thread that has never computed gets the number that is torch's at that moment
        return torch.get_num_threads()


@contextlib.contextmanager
def computing_with(number: int | None) -> Iterator[None]:
    """Make the calling thread compute with `number` threads within the block; None leaves the number as it is.

    Other threads, present and to come, keep theirs.
    """
    usual = own_number()
    if number is None or number == usual:
        yield
        return
    _set_own(number)
    try:
        yield
    finally:
        _set_own(usual)


def _set_own(number: int) -> None:
    """Set the calling thread's number of threads.

    `torch.set_num_threads` sets it for the calling thread and for threads that compute for the first time later; only a
    new thread can tell that second number, and set it back without touching the caller's.
    """
    import torch

    with _changing:
        to_come = _on_new_thread(torch.get_num_threads)
        torch.set_num_threads(number)
        _on_new_thread(lambda: torch.set_num_threads(to_come))


def _on_new_thread(function: Callable[[], _Result]) -> _Result:
    results: list[_Result] = []
    thread = threading.Thread(target=lambda: results.append(function()), name="text2art-openmp")
    thread.start()
    thread.join()
    return results[0]


def let_helpers_go() -> None:
    """End the helpers of the calling thread; it gets others when it computes again. Does nothing without libgomp.

    Where helpers are more than cores, libgomp sends them to sleep after every product instead of letting them wait for
    the next one, and a picture takes half as long again. So while one thread draws, no other should have helpers.
    """
    with contextlib.suppress(OSError):  # no /proc
        lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
        for library in {line.split(maxsplit=5)[-1] for line in lines if "libgomp" in line}:
            with contextlib.suppress(OSError, AttributeError):  # an OpenMP before version 5
                ctypes.CDLL(library).omp_pause_resource_all(_SOFT)
