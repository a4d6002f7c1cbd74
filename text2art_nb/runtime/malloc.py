"""Memory that should not cost time: what is freed is used again, and imports are not swept for garbage.

A large decoder takes and frees two gigabytes an iteration. glibc hands such blocks back to the system at once, which
has to wipe every page before the next iteration gets it: a tenth of the time. Other allocators (macOS's, musl's, the
tcmalloc that Colab preloads) know better by themselves; nothing is changed there.
"""

import contextlib
import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from typing import Final

# From glibc's malloc.h.
_TRIM_THRESHOLD: Final = -1
_MMAP_MAX: Final = -4
_THEIRS: Final = ("GLIBC_TUNABLES", "MALLOC_MMAP_MAX_", "MALLOC_TRIM_THRESHOLD_")


def keep_what_is_freed() -> None:
    """From now on this process keeps what it frees, until `give_back`; unless its environment says how it wants it.

    On its main thread. Other threads have heaps of 64 MB, which glibc can't be told to make larger: what they take at
    once may not be more than that to be kept.
    """
    if any(os.environ.get(name) for name in _THEIRS):
        return
    with contextlib.suppress(OSError, AttributeError):  # another C library
        mallopt = _library().mallopt
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, -1)


def give_back() -> None:
    """Hand the system what is free now."""
    with contextlib.suppress(OSError, AttributeError):
        _library().malloc_trim(0)


@contextlib.contextmanager
def unswept() -> Iterator[None]:
    """No garbage collection within.

    Importing torch, transformers and diffusers makes a million objects that all stay; looking through them again and
    again costs 0.7 of the 4.3 seconds to the first frame.
    """
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def keep_what_is_there() -> None:
    """What is there now stays until the process ends, and isn't looked through for garbage again; what comes later is.

    Only for a process that is all ours: in a notebook, somebody's garbage would stay as well.
    """
    gc.freeze()
    gc.enable()


def _library() -> ctypes.CDLL:
    if not sys.platform.startswith("linux"):
        raise OSError("not glibc")
    return ctypes.CDLL(None)
