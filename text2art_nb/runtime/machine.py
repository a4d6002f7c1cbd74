"""The machine, as it can be told without importing torch: what it is, where a run computes, what memory it takes.

What only torch knows is asked of it if somebody has imported it already.
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

_SELF: Final = Path("/proc/self")
_CARDS: Final = Path("/proc/driver/nvidia/gpus")


def describe() -> str:
    """What makes this machine as fast as it is: a book in a shared home may be used on several."""
    return ", ".join([_processor(), f"{threads()} threads", *_cards()])


def _processor() -> str:
    """The processor's name."""
    with contextlib.suppress(OSError), open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine() or "some processor"


def threads() -> int:
    """How many threads torch will compute with."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isascii() and asked.isdigit() and int(asked):
        return int(asked)
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def most_threads() -> int:
    """How many threads this machine can use: its cores, or more where its user has asked torch for more."""
    return max(threads(), os.cpu_count() or 1)


def _cards() -> list[str]:
    """The names of the NVIDIA cards that the driver knows."""
    names = []
    for card in sorted(_CARDS.glob("*/information")):
        with contextlib.suppress(OSError):
            lines = card.read_text("utf-8", "replace").splitlines()
            names += [line.partition(":")[2].strip() for line in lines if line.startswith("Model")]
    return names


def _torch() -> ModuleType | None:
    """torch, if it is wholly imported: another thread may be in the middle of that."""
    module = sys.modules.get("torch")
    return None if getattr(getattr(module, "__spec__", None), "_initializing", False) else module


def pick_device(name: str) -> str:
    """What "auto" will stand for (`devices.pick_device`), as well as it can be told before torch is there."""
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
    """The memory that this process holds now; 0 where the system doesn't say."""
    return _status("VmRSS") or 0


def _status(name: str) -> int | None:
    """Bytes in a line of Linux's report on this process; None elsewhere."""
    with contextlib.suppress(OSError), (_SELF / "status").open(encoding="utf-8") as file:
        for line in file:
            if line.startswith(f"{name}:"):
                return int(line.split()[1]) * 1024
    return None


class PeakMemory:
    """Measures the most memory that is held at a time while its block runs: ``with PeakMemory() as peak: …``.

    It is the CUDA device's memory if torch computes there, else that of the whole process. `bytes` may be read within
    the block, and keeps its value after it. Where the system can't begin anew (it isn't Linux), the process's peak is
    that of its whole life. Of two blocks at the same time, the earlier one forgets what was before the later.
    """

    def __init__(self, device: str = "auto") -> None:
        """device: the settings'; a run on the CPU is not measured by what others do on the card."""
        self._device = device
        self._peak: int | None = None

    def __enter__(self) -> Self:
        self._peak = None
        malloc.give_back()  # what is free, but kept for the next iteration, is not held
        with contextlib.suppress(OSError):  # no Linux, or a sandbox that forbids it
            (_SELF / "clear_refs").write_text("5")  # the peak becomes what is held now
        cuda = self._cuda()
        if cuda is not None:
            cuda.reset_peak_memory_stats(self._cuda_device)
        return self

    def __exit__(self, *_: object) -> None:
        self._peak = self._read()

    @property
    def bytes(self) -> int:
        """The peak so far, or that of the whole block."""
        return self._read() if self._peak is None else self._peak

    @property
    def _cuda_device(self) -> str | None:
        return self._device if self._device.startswith("cuda:") else None

    def _cuda(self) -> Any:
        """torch.cuda if the device may be a card and torch has begun to use it; else None."""
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
