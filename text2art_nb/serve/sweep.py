"""What is swept away with time: what watchers no longer need, and jobs that hang nowhere."""

from typing import Final

import sqlalchemy as sa

from text2art_nb.serve.config import Config
from text2art_nb.serve.queue import Queue
from text2art_nb.serve.store import Store
from text2art_nb.serve.tables import addresses, events, jobs, likes, now

EVENT_SECONDS: Final = 3600.0
"""How long after its end a job keeps its events; the last one stays."""
MOST: Final = 500
"""Jobs swept at a time, so that nobody waits for long."""


def sweep(config: Config, engine: sa.Engine, store: Store, queue: Queue) -> None:
    """Remove old events, and old jobs with their files. Any number of workers may do so at once."""
    ended = jobs.c.ended.is_not(None)
    old_events = sa.select(jobs.c.id, jobs.c.events).where(ended, jobs.c.ended < now() - EVENT_SECONDS).subquery()
    stale = sa.select(events.c.job).join(old_events, events.c.job == old_events.c.id)
    with engine.connect() as connection:
        several = stale.where(events.c.number < old_events.c.events).distinct().limit(MOST)
        stale_jobs = connection.execute(several).scalars().all()
        hidden = sa.or_(~jobs.c.public, jobs.c.status != "done")
        old = sa.select(jobs.c.id).where(ended, hidden, jobs.c.ended < now() - config.keep_days * 86400.0)
        old_jobs = connection.execute(old.limit(MOST)).scalars().all()
    with engine.begin() as connection:
        last = sa.select(jobs.c.events).where(jobs.c.id == events.c.job).scalar_subquery()
        connection.execute(sa.delete(events).where(events.c.job.in_(stale_jobs), events.c.number < last))
    if stale_jobs:
        queue.forget(stale_jobs)
    for id in old_jobs:
        store.remove(id)
        with engine.begin() as connection:
            for table in (events, addresses, likes):
                connection.execute(sa.delete(table).where(table.c.job == id))
            connection.execute(sa.delete(jobs).where(jobs.c.id == id))
