"""How often a visitor may ask: counted in this process's memory, so each web process counts for itself."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from text2art_nb.serve.config import Limits
from text2art_nb.serve.problems import Problem


class Rates:
    """The rates of all visitors. How many jobs a visitor may have at once is the database's to count: see `jobs`."""

    def __init__(self, limits: Limits) -> None:
        self._window = MovingWindowRateLimiter(MemoryStorage())
        self._jobs = RateLimitItemPerMinute(limits.per_minute, namespace="jobs")
        self._reads = RateLimitItemPerMinute(limits.reads_per_minute, namespace="reads")

    def job(self, visitor: str) -> None:
        """Count a job. Raises Problem 429."""
        self._hit(self._jobs, visitor, "jobs")

    def read(self, visitor: str) -> None:
        """Count any other request. Raises Problem 429."""
        self._hit(self._reads, visitor, "requests")

    def _hit(self, item: RateLimitItemPerMinute, visitor: str, what: str) -> None:
        if self._window.hit(item, visitor):
            return
        wait = max(1, math.ceil(self._window.get_window_stats(item, visitor).reset_time - time.time()))
        sentence = f"a visitor may send {item.amount} {what} a minute; try again in {wait} seconds"
        raise Problem(429, sentence, kind="too-often", retry_after=wait)
