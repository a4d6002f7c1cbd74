"""A worker's hold on a job: what it writes into the job's row counts only while nobody else has taken it."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import sqlalchemy as sa

from text2art_nb.serve.queue import Queue
from text2art_nb.serve.tables import addresses, events, jobs, now

MOST_CRASHES: Final = 3
POISON: Final = (
    f"{MOST_CRASHES} workers broke down while they drew this, so it has been put aside; try it smaller or otherwise"
)


PATIENCE_SECONDS: Final = 120.0
"""How long a worker waits for a database that is locked, restarts, or can't be reached, before it gives up."""
RETRY_SECONDS: Final = 0.5

log = logging.getLogger("text2art.serve")
Result = TypeVar("Result")


class Gone(Exception):
    """The job is no longer this worker's: it was cancelled, or given to another one."""


@dataclass(frozen=True)
class Hold:
    """One worker's attempt at one job. `attempt` is the fence: a higher one in the row means that this one is over.

    Attributes:
        recipe: what to draw, as `Settings.to_recipe` wrote it.
    """

    engine: sa.Engine
    id: str
    attempt: int
    recipe: dict[str, Any]

    def note(self, iteration: int, total: int, eta: float | None, picture: str | None = None) -> None:
        """Write down how far it is. Raises Gone."""
        values = {"iteration": iteration, "total": total, "eta": eta}
        self._change("frame" if picture else "progress", values, picture=picture)

    def finish(self, queue: Queue, seconds: float, has_video: bool, has_svg: bool, notify: bool) -> None:
        """It is done; its files are in the store. Those to be told are told by a job of its own. Raises Gone."""
        values = {"status": "done", "seconds": seconds, "has_video": has_video, "has_svg": has_svg}

        def tell(connection: sa.Connection) -> None:
            if notify:
                queue.put_notice(connection, self.id)

        self._change("done", values | {"ended": now(), "eta": None}, tell)

    def fail(self, sentence: str) -> None:
        """It can't be drawn. Raises Gone."""

        def forget(connection: sa.Connection) -> None:
            connection.execute(sa.delete(addresses).where(addresses.c.job == self.id))

        self._change("failed", {"status": "failed", "error": sentence, "ended": now(), "eta": None}, forget)

    def give_back(self) -> None:
        """Somebody else, or this worker later, shall go on with it. Raises Gone."""
        self._change("queued", {"status": "queued", "worker": None, "eta": None})

    def is_mine(self) -> bool:
        """Whether nobody has cancelled or taken it."""
        query = sa.select(jobs.c.attempt).where(jobs.c.id == self.id, jobs.c.status == "running")
        found = patiently(self.engine, lambda connection: connection.execute(query).scalar())
        return bool(found == self.attempt)

    def _change(
        self,
        kind: str,
        values: dict[str, Any],
        then: Callable[[sa.Connection], None] | None = None,
        picture: str | None = None,
    ) -> None:
        """Change the row, and do `then` in the same transaction."""
        mine = (jobs.c.id == self.id) & (jobs.c.attempt == self.attempt) & (jobs.c.status == "running")

        def write(connection: sa.Connection) -> None:
            if not change(connection, mine, kind, values, picture):
                raise Gone(self.id)
            if then is not None:
                then(connection)

        patiently(self.engine, write)


def take(engine: sa.Engine, id: str, worker: str) -> Hold | None:
    """Begin an attempt at a job; None if there is nothing to do any more.

    Whoever finds it being drawn finds that its worker has died: after three of these it is put aside as failed.
    """
    values = {
        "status": "running",
        "attempt": jobs.c.attempt + 1,
        "crashes": jobs.c.crashes + sa.case((jobs.c.status == "running", 1), else_=0),
        "started": sa.func.coalesce(jobs.c.started, now()),
        "worker": worker,
    }
    there = (jobs.c.id == id) & jobs.c.status.in_(("queued", "running"))
    taking = sa.update(jobs).where(there).values(values).returning(jobs.c.attempt, jobs.c.crashes, jobs.c.recipe)
    row = patiently(engine, lambda connection: connection.execute(taking).first())
    if row is None:
        return None
    hold = Hold(engine, id, row.attempt, row.recipe)
    if row.crashes >= MOST_CRASHES:
        hold.fail(POISON)
        return None
    return hold


def change(
    connection: sa.Connection, which: sa.ColumnElement[bool], kind: str, values: dict[str, Any], picture: str | None
) -> bool:
    """Change the row of one job and write the event that watchers see; False if there is no such row."""
    returning = (jobs.c.id, jobs.c.events, jobs.c.iteration, jobs.c.total)
    row = connection.execute(
        sa.update(jobs).where(which).values(**values, events=jobs.c.events + 1).returning(*returning)
    ).first()
    if row is None:
        return False
    event = {"job": row.id, "number": row.events, "kind": kind, "iteration": row.iteration, "total": row.total}
    connection.execute(sa.insert(events).values(**event, picture=picture))
    return True


def patiently(engine: sa.Engine, do: Callable[[sa.Connection], Result]) -> Result:
    """Do something in a transaction, again and again while the database is locked or away.

    Raises:
        OperationalError: it was so for two minutes.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            with engine.begin() as connection:
                return do(connection)
        except sa.exc.OperationalError as error:
            if time.monotonic() > end:
                raise
            log.warning("the database does not answer, and is asked again: %s", error.orig)
            time.sleep(RETRY_SECONDS)
