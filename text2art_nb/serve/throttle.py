"""Limit how often something is done."""

import time


class Throttle:
    """Allow an action at most once every `seconds`; the first time at once."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last = float("-inf")

    def is_due(self) -> bool:
        """Whether to do it now. If so, the interval restarts."""
        if time.monotonic() - self._last < self._seconds:
            return False
        self._last = time.monotonic()
        return True
