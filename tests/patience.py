"""How long something takes, on a machine that does other things meanwhile."""

from collections.abc import Callable

ATTEMPTS = 10


def least(attempt: Callable[[], float], enough: float) -> float:
    """
    The fewest seconds of some attempts, which end with the first that needs less than enough.

    What else the machine does, the other tests above all, only adds to what an attempt takes.
    """
    seconds = attempt()
    for _ in range(ATTEMPTS - 1):
        if seconds < enough:
            break
        seconds = min(seconds, attempt())
    return seconds
