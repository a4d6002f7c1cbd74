"""Rate limits per visitor, counted in memory by each web process."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from text2art_nb.serve.config import Limits
from text2art_nb.serve.problems import Problem


class RateLimiter:
    """Count the requests of all visitors.

    The number of open jobs per visitor is counted in the database: see `submissions`.
    """

    def __init__(self, limits: Limits) -> None:
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._jobs = RateLimitItemPerMinute(limits.per_minute, namespace="jobs")
        self._reads = RateLimitItemPerMinute(limits.reads_per_minute, namespace="reads")

    def count_job(self, visitor: str) -> None:
        """Count a submitted job. Raises Problem 429."""
        self._hit(self._jobs, visitor, "jobs")

    def count_read(self, visitor: str) -> None:
        """Count any other request. Raises Problem 429."""
        self._hit(self._reads, visitor, "requests")

    def _hit(self, item: RateLimitItemPerMinute, visitor: str, noun: str) -> None:
        if self._window.hit(item, visitor):
            return
        wait = max(1, math.ceil(self._window.get_window_stats(item, visitor).reset_time - time.time()))
        sentence = f"a visitor may send {item.amount} {noun} a minute; try again in {wait} seconds"
        raise Problem(429, sentence, kind="too-often", retry_after=wait)
