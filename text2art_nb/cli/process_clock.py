"""How long this process has been running."""

import os
import time
from pathlib import Path


class Clock:
    """Seconds since the process started: since exec on Linux, since this object was made where that is not known."""

    def __init__(self) -> None:
        self._made = time.monotonic()
        self._before = _age()

    @property
    def seconds(self) -> float:
        """How long it has been."""
        return self._before + time.monotonic() - self._made


def _age() -> float:
    """Seconds from the process's start to now, by the kernel's record (proc(5), field 22 of stat); 0 if unknown."""
    try:
        # The second field, the program's name, may itself hold spaces and brackets.
        fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - started
    except (OSError, ValueError, IndexError, AttributeError):
        return 0.0
    # Sandboxes exist whose kernel counts from another moment than its clock.
    return age if 0 <= age < 60 else 0.0
