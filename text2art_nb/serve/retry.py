"""Retry what fails for a moment: a locked database, a store that can't be reached."""

import logging
import time
from collections.abc import Callable
from typing import Final, TypeVar

import sqlalchemy as sa

RETRY_FOR_SECONDS: Final = 120.0
"""How long a worker retries before it gives up."""
FIRST_DELAY_SECONDS: Final = 0.5

log = logging.getLogger("text2art.serve")
Result = TypeVar("Result")


def retry(action: Callable[[], Result], errors: type[Exception], name: str, backoff: float = 1.0) -> Result:
    """Call `action` until it succeeds or two minutes have passed.

    Args:
        action: what to do; its result is returned.
        errors: exceptions that are retried.
        name: what doesn't answer, for the log.
        backoff: factor of the delay from one attempt to the next.

    Raises:
        Exception: the last error of kind `errors`, or any other one at once.
    """
    end = time.monotonic() + RETRY_FOR_SECONDS
    delay = FIRST_DELAY_SECONDS
    while True:
        try:
            return action()
        except errors as error:
            if time.monotonic() + delay > end:
                raise
            log.warning("%s does not answer; trying again: %s", name, getattr(error, "orig", error))
        time.sleep(delay)
        delay *= backoff


def in_transaction(engine: sa.Engine, action: Callable[[sa.Connection], Result]) -> Result:
    """Run `action` in a transaction; retry while the database is locked or unreachable.

    Raises:
        OperationalError: it still is after two minutes.
    """

    def attempt() -> Result:
        with engine.begin() as connection:
            return action(connection)

    return retry(attempt, sa.exc.OperationalError, "the database")
