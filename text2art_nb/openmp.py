"""The threads that help a thread compute: OpenMP keeps some for every thread that has ever computed with torch.

Where they are more than there are cores, GNU's OpenMP, on which torch runs on Linux, sends them to sleep after every
product instead of having them wait for the next one. A picture then takes half as long again, at the same CPU-seconds.
So while one thread draws, no other should have helpers.
"""

import contextlib
import ctypes
from pathlib import Path
from typing import Final

_SOFT: Final = 1  # omp_pause_soft, from omp.h: what was set stays set


def let_helpers_go() -> None:
    """End the helpers of the thread that calls; when it computes again, it gets others. Elsewhere nothing happens."""
    with contextlib.suppress(OSError):  # no /proc
        lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
        for library in {line.split(maxsplit=5)[-1] for line in lines if "libgomp" in line}:
            with contextlib.suppress(OSError, AttributeError):  # an OpenMP before version 5
                ctypes.CDLL(library).omp_pause_resource_all(_SOFT)
