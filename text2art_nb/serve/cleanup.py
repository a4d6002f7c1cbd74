"""Remove what is no longer needed: old events, files that runs left, and old private jobs."""

import logging
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import sqlalchemy as sa

from text2art_nb.serve.config import Config
from text2art_nb.serve.jobs import OPEN
from text2art_nb.serve.queue import Queue
from text2art_nb.serve.store import CHECKPOINT, Store
from text2art_nb.serve.tables import addresses, events, jobs, likes, now

EVENT_SECONDS: Final = 3600.0
"""How long a job keeps its events after its end; the last one stays."""
RUN_SECONDS: Final = 3600.0
"""How long a run's folder is kept after its last change: another service may share the data folder."""
BATCH_SIZE: Final = 500
"""Jobs removed at a time, so that nothing else waits long."""

log = logging.getLogger("text2art.serve")


def sweep(config: Config, engine: sa.Engine, store: Store, queue: Queue) -> None:
    """Remove old events, leftovers of runs, and old private jobs with their files. Safe in several workers at once.

    A job that can't be removed is logged and tried again next time.

    Raises:
        DBAPIError: the database does not answer.
    """
    _forget_events(engine, store, queue)
    _remove_runs(config.data / "runs", engine)
    hidden = sa.or_(~jobs.c.public, jobs.c.status != "done")
    old = sa.select(jobs.c.id).where(
        jobs.c.ended.is_not(None), hidden, jobs.c.ended < now() - config.keep_days * 86400.0
    )
    with engine.connect() as connection:
        old_jobs = connection.execute(old.limit(BATCH_SIZE)).scalars().all()
    for id in old_jobs:
        try:
            store.remove(id)
        except Exception as error:  # each kind of bucket has its own errors
            log.warning("job %s: its files can't be removed: %s", id, error)
            continue
        with engine.begin() as connection:
            for table in (events, addresses, likes):
                connection.execute(sa.delete(table).where(table.c.job == id))
            connection.execute(sa.delete(jobs).where(jobs.c.id == id))


def _forget_events(engine: sa.Engine, store: Store, queue: Queue) -> None:
    """For jobs that ended a while ago: delete all events but the last, queue records, and remote checkpoints."""
    ended = sa.and_(jobs.c.ended.is_not(None), jobs.c.ended < now() - EVENT_SECONDS)
    old_events = sa.select(jobs.c.id, jobs.c.events).where(ended).subquery()
    stale = sa.select(events.c.job).join(old_events, events.c.job == old_events.c.id)
    with engine.connect() as connection:
        several = stale.where(events.c.number < old_events.c.events).distinct().limit(BATCH_SIZE)
        stale_jobs = connection.execute(several).scalars().all()
    if not stale_jobs:
        return
    forgotten = queue.forget(stale_jobs)  # the others have a pending notice and come again
    _discard_checkpoints(forgotten, store)
    with engine.begin() as connection:
        last = sa.select(jobs.c.events).where(jobs.c.id == events.c.job).scalar_subquery()
        connection.execute(sa.delete(events).where(events.c.job.in_(forgotten), events.c.number < last))


def _discard_checkpoints(ids: Sequence[str], store: Store) -> None:
    """Delete checkpoints that other machines would have continued from."""
    for id in () if store.local else ids:
        try:
            store.discard(id, CHECKPOINT)
        except Exception as error:  # each kind of bucket has its own errors
            log.warning("job %s: its checkpoint can't be removed: %s", id, error)


def _remove_runs(runs: Path, engine: sa.Engine) -> None:
    """Remove folders of runs that no worker will continue: cancelled while queued, or ended on another machine."""
    found = [each for each in runs.glob("*") if time.time() - _changed(each) > RUN_SECONDS]
    for folder in found[:BATCH_SIZE]:
        open_ = sa.select(jobs.c.id).where(jobs.c.id == folder.name, jobs.c.status.in_(OPEN))
        with engine.connect() as connection:
            if connection.execute(open_).first() is not None:
                continue
        shutil.rmtree(folder, ignore_errors=True)
        if folder.exists():
            log.warning("the run %s can't be removed", folder)


def _changed(folder: Path) -> float:
    """Last write to a run's folder; a checkpoint is replaced inside the folder of its attempt."""
    try:
        return max(each.stat().st_mtime for each in (folder, *folder.glob("*")))
    except FileNotFoundError:  # removed meanwhile
        return time.time()
