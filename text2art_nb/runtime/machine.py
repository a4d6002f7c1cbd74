"""Describes the machine without importing torch: processor, threads, cards, device, memory.

Asks torch only where it is imported already.
"""

import contextlib
import importlib.metadata
import os
import platform
import sys
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Self

from text2art_nb.runtime import malloc

_SELF: Final = Path("/proc/self")  # not psutil, which has no peak that can be reset
_CARDS: Final = Path("/proc/driver/nvidia/gpus")


def describe() -> str:
    """Name everything that decides this machine's speed, to tell it from others that share a home folder."""
    return ", ".join([_processor(), f"{threads()} threads", *_cards()])


def _processor() -> str:
    """Name the processor."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "some processor"


def threads() -> int:
    """Count the threads that torch will compute with."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isascii() and asked.isdigit() and int(asked):
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def most_threads() -> int:
    """Count the threads that this machine can use: its cores, or more where OMP_NUM_THREADS says so."""
    return max(threads(), os.cpu_count() or 1)


def _cards() -> list[str]:
    """Name the NVIDIA cards that the driver lists."""
    names = []
    for card in sorted(_CARDS.glob("*/information")):
        with contextlib.suppress(OSError):
            lines = card.read_text("utf-8", "replace").splitlines()
            names += [line.partition(":")[2].strip() for line in lines if line.startswith("Model")]
    return names


def _torch() -> ModuleType | None:
    """Return torch if it is fully imported: another thread may be importing it."""
    module = sys.modules.get("torch")
    return None if getattr(getattr(module, "__spec__", None), "_initializing", False) else module


def pick_device(name: str) -> str:
    """Resolve "auto" as `devices.pick_device` does; before torch is imported, by the driver and the system."""
    if name != "auto":
        return name
    torch: Any = _torch()
    if torch is not None:
        if torch.cuda.is_available():
            return "cuda"
        return "mps" if torch.backends.mps.is_available() else "cpu"
    if _cards() and not _torch_is_for_cpus():
        return "cuda"
    return "mps" if (sys.platform, platform.machine()) == ("darwin", "arm64") else "cpu"


def _torch_is_for_cpus() -> bool:
    try:
        return importlib.metadata.version("torch").endswith("+cpu")
    except importlib.metadata.PackageNotFoundError:
        return False


def held_bytes() -> int:
    """Return the resident memory of this process; 0 where the system doesn't report it."""
    return _status("VmRSS") or 0


def _status(name: str) -> int | None:
    """Read bytes from a line of /proc/self/status; None outside Linux."""
    with contextlib.suppress(OSError), (_SELF / "status").open(encoding="utf-8") as file:
        for line in file:
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return None


class PeakMemory:
    """Measures the peak memory of a block: ``with PeakMemory() as peak: …``.

    That of the CUDA device if torch computes there, else the resident memory of the process. `bytes` may be read within
    the block and after it. Outside Linux the process's peak can't be reset and is that of its whole life. Of two blocks
    at a time, the later one resets the earlier one's peak.
    """

    def __init__(self, device: str = "auto") -> None:
        """device: that of the settings; a run on the CPU isn't measured by a card that others use."""
        self._device = device
        self._peak: int | None = None

    def __enter__(self) -> Self:
        self._peak = None
        malloc.give_back()  # freed memory that malloc keeps isn't needed
        with contextlib.suppress(OSError):  # no Linux, or a sandbox that forbids it
            (_SELF / "clear_refs").write_text("5")  # resets VmHWM to VmRSS
        cuda = self._cuda()
        if cuda is not None:
            cuda.reset_peak_memory_stats(self._cuda_device)
        return self

    def __exit__(self, *_: object) -> None:
        self._peak = self._read()

    @property
    def bytes(self) -> int:
        """Return the peak so far, or that of the finished block."""
        return self._read() if self._peak is None else self._peak

    @property
    def _cuda_device(self) -> str | None:
        return self._device if self._device.startswith("cuda:") else None

    def _cuda(self) -> Any:
        """Return torch.cuda if the device may be a card and torch has initialized it."""
        torch: Any = _torch()
        if torch is None or not (self._device == "auto" or self._device.startswith("cuda")):
            return None
        return torch.cuda if torch.cuda.is_initialized() else None

    def _read(self) -> int:
        cuda = self._cuda()
        if cuda is not None:
            return int(cuda.max_memory_allocated(self._cuda_device))
        peak = _status("VmHWM")
        if peak is not None:
            return peak
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024
