"""A worker's lease on a job: its writes to the job's row count only while it holds the lease."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from text2art_nb.serve.queue import Queue
from text2art_nb.serve.retry import in_transaction
from text2art_nb.serve.tables import addresses, events, jobs, now

MAX_CRASHES: Final = 3
TOO_MANY_CRASHES: Final = (
    f"{MAX_CRASHES} workers crashed while drawing this, so it was put aside; try a smaller or a different picture"
)


class LeaseLost(Exception):
    """The worker no longer holds the job: it was cancelled or given to another worker."""


@dataclass(frozen=True)
class Lease:
    """One worker's attempt at one job.

    Attributes:
        attempt: the fencing token. A higher number in the row means that this lease is lost.
        recipe: what to draw, as written by `Settings.to_recipe`.
    """

    engine: sa.Engine
    id: str
    attempt: int
    recipe: dict[str, Any]

    def record_progress(self, iteration: int, total: int, eta: float | None, picture: str | None = None) -> None:
        """Record an iteration and, if there is one, its frame. Raises LeaseLost."""
        values = {"iteration": iteration, "total": total, "eta": eta}
        self._change("frame" if picture else "progress", values, picture=picture)

    def finish(self, queue: Queue, seconds: float, has_video: bool, has_svg: bool, notify: bool) -> None:
        """Mark the job as done once its files are in the store; queue its notices. Raises LeaseLost."""
        values = {"status": "done", "seconds": seconds, "has_video": has_video, "has_svg": has_svg}

        def enqueue_notice(connection: sa.Connection) -> None:
            if notify:
                queue.enqueue_notice(connection, self.id)

        self._change("done", values | {"ended": now(), "eta": None}, enqueue_notice)

    def fail(self, sentence: str) -> None:
        """Mark the job as failed. Raises LeaseLost."""

        def forget(connection: sa.Connection) -> None:
            connection.execute(sa.delete(addresses).where(addresses.c.job == self.id))

        self._change("failed", {"status": "failed", "error": sentence, "ended": now(), "eta": None}, forget)

    def release(self) -> None:
        """Queue the job again, for any worker to continue. Raises LeaseLost."""
        self._change("queued", {"status": "queued", "worker": None, "eta": None})

    def is_held(self) -> bool:
        """Whether the job was neither cancelled nor taken over."""
        query = sa.select(jobs.c.attempt).where(jobs.c.id == self.id, jobs.c.status == "running")
        found = in_transaction(self.engine, lambda connection: connection.execute(query).scalar())
        return bool(found == self.attempt)

    def _change(
        self,
        kind: str,
        values: Mapping[str, object],
        then: Callable[[sa.Connection], None] | None = None,
        picture: str | None = None,
    ) -> None:
        """Change the row, and do `then` in the same transaction."""
        mine = (jobs.c.id == self.id) & (jobs.c.attempt == self.attempt) & (jobs.c.status == "running")

        def write(connection: sa.Connection) -> None:
            if not update_job(connection, mine, kind, values, picture):
                raise LeaseLost(self.id)
            if then is not None:
                then(connection)

        in_transaction(self.engine, write)


def acquire_lease(engine: sa.Engine, id: str, worker: str) -> Lease | None:
    """Begin an attempt at a job; return None if there is nothing left to do.

    A job that is already running has lost its worker to a crash. After three crashes it is marked as failed.
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
    row = in_transaction(engine, lambda connection: connection.execute(taking).first())
    if row is None:
        return None
    lease = Lease(engine, id, row.attempt, row.recipe)
    if row.crashes >= MAX_CRASHES:
        lease.fail(TOO_MANY_CRASHES)
        return None
    return lease


def update_job(
    connection: sa.Connection,
    which: sa.ColumnElement[bool],
    kind: str,
    values: Mapping[str, object],
    picture: str | None,
) -> bool:
    """Update the row of a job and write an event for its watchers. Return False if no row matches."""
    returning = (jobs.c.id, jobs.c.events, jobs.c.iteration, jobs.c.total)
    row = connection.execute(
        sa.update(jobs).where(which).values(**values, events=jobs.c.events + 1).returning(*returning)
    ).first()
    if row is None:
        return False
    event = {"job": row.id, "number": row.events, "kind": kind, "iteration": row.iteration, "total": row.total}
    connection.execute(sa.insert(events).values(**event, picture=picture))
    return True
