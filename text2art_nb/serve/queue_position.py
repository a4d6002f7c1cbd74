"""The position of a job in the queue, and an estimate of its remaining time from measured throughput."""

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from text2art_nb.serve.tables import jobs, now, workers

RECENT_JOBS: Final = 20
"""Number of finished jobs that the throughput is averaged over."""
MISSED_HEARTBEATS: Final = 4
"""A worker that misses this many heartbeats counts as dead."""


@dataclass(frozen=True)
class Throughput:
    """The basis of an estimate.

    Attributes:
        seconds: seconds per view (`jobs.work` counts views); None before the first job is done.
        workers: number of live workers.
        running: seconds that all running jobs together still need.
    """

    seconds: float | None
    workers: int
    running: float


def measure_throughput(connection: sa.Connection, heartbeat: float) -> Throughput:
    """Measure the current throughput."""
    done = sa.select(jobs.c.seconds, jobs.c.work).where(jobs.c.status == "done", jobs.c.seconds.is_not(None))
    latest = done.order_by(jobs.c.ended.desc()).limit(RECENT_JOBS).subquery()
    seconds, work = connection.execute(sa.select(sa.func.sum(latest.c.seconds), sa.func.sum(latest.c.work))).one()
    left = sa.select(sa.func.coalesce(sa.func.sum(jobs.c.eta), 0.0)).where(jobs.c.status == "running")
    return Throughput(
        seconds=seconds / work if work else None,
        workers=connection.execute(sa.select(sa.func.count()).where(is_alive(heartbeat))).scalar_one(),
        running=connection.execute(left).scalar_one(),
    )


def is_alive(heartbeat: float) -> sa.ColumnElement[bool]:
    """Match the rows of `workers` with a recent heartbeat."""
    return workers.c.beat > now() - MISSED_HEARTBEATS * heartbeat


def queue_position(
    connection: sa.Connection, row: sa.Row[Any], throughput: Throughput
) -> tuple[int | None, float | None]:
    """Return (position, eta in seconds) for a row of `jobs`.

    Position 0 is being drawn, 1 is next; None if the job has ended.
    """
    if row.status == "running":
        return 0, row.eta
    if row.status != "queued":
        return None, None
    earlier = sa.or_(
        jobs.c.priority < row.priority,
        sa.and_(jobs.c.priority == row.priority, jobs.c.created < row.created),
        sa.and_(jobs.c.priority == row.priority, jobs.c.created == row.created, jobs.c.id < row.id),
    )
    ahead = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(jobs.c.work), 0.0))
    count, work = connection.execute(ahead.where(jobs.c.status == "queued", earlier)).one()
    if throughput.seconds is None or not throughput.workers:
        return count + 1, None
    return count + 1, (
        throughput.running + work * throughput.seconds
    ) / throughput.workers + row.work * throughput.seconds
