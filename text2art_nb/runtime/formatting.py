"""Numbers as people say them."""

import math
from typing import Final

_ROUND: Final = (
    (3, "a few seconds"),
    (10, "10 s"),
    (20, "20 s"),
    (30, "half a minute"),
    (60, "a minute"),
    (120, "2 minutes"),
    (300, "5 minutes"),
    (600, "10 minutes"),
    (1200, "20 minutes"),
    (1800, "half an hour"),
    (3600, "an hour"),
)


def minutes(seconds: float) -> str:
    """1:05:00, 12:30, 0:07."""
    whole = max(0, round(seconds))
    hours, rest = divmod(whole, 3600)
    return f"{hours}:{rest // 60:02}:{rest % 60:02}" if hours else f"{rest // 60}:{rest % 60:02}"


def about(seconds: float) -> str:
    """A measured time to two digits or so: 7 s, 40 s, 2.5 min, 33 min, 2.5 h."""
    if seconds < 1.5:
        return "a second"
    if seconds < 20:
        return f"{seconds:.0f} s"
    if seconds < 87.5:
        return f"{round(seconds / 5) * 5} s"
    if seconds < 9.75 * 60:
        return f"{round(seconds / 30) / 2:g} min"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{round(seconds / 1800) / 2:g} h"


def roughly(seconds: float) -> str:
    """A guessed time: a few seconds, half a minute, 20 minutes, 6 hours."""
    if seconds > 1.5 * 3600:
        return f"{seconds / 3600:.0f} hours"
    return min(_ROUND, key=lambda mark: abs(math.log(mark[0] / max(seconds, 1.0))))[1]
