"""Where a job stands: its place in the queue and an honest guess at when it will be done, from what was measured."""

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from text2art_nb.serve.tables import jobs, now, workers

LATEST: Final = 20
"""The pace is the mean of so many finished jobs."""
BEATS: Final = 4
"""A worker that is silent for so many heartbeats is taken for dead."""


@dataclass(frozen=True)
class Pace:
    """What a guess rests on.

    seconds: what a view takes (`jobs.work` counts them), None before anything was drawn; workers: how many are alive;
    running: seconds that what is being drawn will still take, all together.
    """

    seconds: float | None
    workers: int
    running: float


def pace(connection: sa.Connection, heartbeat: float) -> Pace:
    """The present pace."""
    done = sa.select(jobs.c.seconds, jobs.c.work).where(jobs.c.status == "done", jobs.c.seconds.is_not(None))
    latest = done.order_by(jobs.c.ended.desc()).limit(LATEST).subquery()
    seconds, work = connection.execute(sa.select(sa.func.sum(latest.c.seconds), sa.func.sum(latest.c.work))).one()
    left = sa.select(sa.func.coalesce(sa.func.sum(jobs.c.eta), 0.0)).where(jobs.c.status == "running")
    return Pace(
        seconds=seconds / work if work else None,
        workers=connection.execute(sa.select(sa.func.count()).where(is_alive(heartbeat))).scalar_one(),
        running=connection.execute(left).scalar_one(),
    )


def is_alive(heartbeat: float) -> sa.ColumnElement[bool]:
    """Of `workers`: whether it has been heard of lately."""
    return workers.c.beat > now() - BEATS * heartbeat


def place(connection: sa.Connection, row: Any, at: Pace) -> tuple[int | None, float | None]:
    """(position, eta in seconds) of a row of `jobs`: position 0 is being drawn, 1 is next; None has ended."""
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
    if at.seconds is None or not at.workers:
        return count + 1, None
    return count + 1, (at.running + work * at.seconds) / at.workers + row.work * at.seconds
