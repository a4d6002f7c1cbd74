"""Read jobs, their files, and the stream of their events."""

import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import anyio
import sqlalchemy as sa

from text2art_nb.serve.config import Config
from text2art_nb.serve.jobs import ENDS, FILE_NAMES, OPEN, FileKind, Job, Status, job_from_row, select_job
from text2art_nb.serve.problems import Problem
from text2art_nb.serve.queue_position import Throughput, measure_throughput, queue_position
from text2art_nb.serve.store import Store
from text2art_nb.serve.tables import events, jobs

EventKind = Literal["queued", "progress", "frame", "done", "failed", "cancelled"]

POLL_SECONDS: Final = 0.25
"""Interval between two reads of a watched job, however many clients watch it."""
THROUGHPUT_SECONDS: Final = 1.0
"""How long a measured throughput is reused."""
CACHED_JOBS: Final = 64
"""Snapshots above this number are dropped once they are old."""


@dataclass(frozen=True)
class Event:
    """One change of a job.

    Attributes:
        number: counts from 1; the SSE id. A waiting job repeats number 1 when its position changes.
        job: the job as it was at that moment.
        picture: name of a JPEG in the store, or None.
    """

    number: int
    kind: EventKind
    job: Job
    picture: str | None


@dataclass(frozen=True)
class Snapshot:
    """A job with all its events, as read at `at` seconds of the monotonic clock."""

    job: Job
    events: tuple[Event, ...]
    at: float


class JobFeed:
    """Read the state of jobs. Safe in any number of threads and processes."""

    def __init__(self, config: Config, engine: sa.Engine, store: Store) -> None:
        self._config, self._engine, self._store = config, engine, store
        self._snapshots = SnapshotCache(self)
        self._throughput = float("-inf"), Throughput(None, 0, 0.0)

    def get(self, id: str) -> Job:
        """Read a job. Raises Problem 404."""
        with self._engine.connect() as connection:
            return self._read(connection, id)

    def file(self, id: str, kind: FileKind) -> Path | bytes:
        """Find a job's PNG, MP4 or SVG, or the JPEG of its newest frame.

        Raises:
            Problem: 404 if there is no such job or it never gets this file; 409 if the file isn't there yet.
        """
        with self._engine.connect() as connection:
            row = select_job(connection, id)
        exists = {"image": row.status == "done", "video": row.has_video, "svg": row.has_svg, "frame": True}
        found = self._store.find(id, FILE_NAMES[kind]) if exists[kind] else None
        if found is not None:
            return found
        if row.status in ENDS and (row.status != "done" or kind != "image"):
            raise Problem(404, f"this job has no {kind}: it is {row.status}", kind="no-such-file")
        raise Problem(409, f"there is no {kind} yet: the job is {row.status}", kind="not-yet", retry_after=2)

    def count_open(self) -> int:
        """Count the jobs that are queued or running."""
        query = sa.select(sa.func.count()).where(jobs.c.status.in_(OPEN))
        with self._engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def events(self, id: str, after: int = 0) -> Iterator[Event]:
        """Yield the events of a job after number `after`, as they happen, until it ends. Raises Problem 404."""
        cursor = EventCursor(after)
        while True:
            yield from cursor.advance(self._snapshots.read(id))
            if cursor.is_over:
                return
            time.sleep(POLL_SECONDS)

    async def watch(self, id: str, after: int = 0) -> AsyncIterator[Event]:
        """Do the same as `events` without a thread per watcher."""
        cursor = EventCursor(after)
        while True:
            snapshot = self._snapshots.fresh(id)
            if snapshot is None:
                snapshot = await anyio.to_thread.run_sync(self._snapshots.read, id)
            for event in cursor.advance(snapshot):
                yield event
            if cursor.is_over:
                return
            await anyio.sleep(POLL_SECONDS)

    def snapshot(self, id: str, before: Snapshot | None = None) -> Snapshot:
        """Read a job and the events that `before` doesn't have yet. Raises Problem 404."""
        known = before.events if before is not None else ()
        last = known[-1].number if known else 0
        query = sa.select(events).where(events.c.job == id, events.c.number > last).order_by(events.c.number)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()  # first, so that the job is never older than its events
            job = self._read(connection, id)
        return Snapshot(job, known + tuple(_event_from_row(row, job) for row in rows), time.monotonic())

    def _read(self, connection: sa.Connection, id: str) -> Job:
        row = select_job(connection, id)
        return job_from_row(row, *queue_position(connection, row, self._recent_throughput(connection, row)))

    def _recent_throughput(self, connection: sa.Connection, row: sa.Row[Any]) -> Throughput:
        """Measure the throughput if this row needs it, at most once a second."""
        if row.status != "queued":
            return Throughput(None, 0, 0.0)
        at, found = self._throughput
        if time.monotonic() - at > THROUGHPUT_SECONDS:
            found = measure_throughput(connection, self._config.heartbeat)
            self._throughput = time.monotonic(), found
        return found


class SnapshotCache:
    """Share one read of a watched job among all its watchers."""

    def __init__(self, feed: JobFeed) -> None:
        self._feed = feed
        self._lock = threading.Lock()
        self._snapshots: dict[str, Snapshot] = {}
        self._job_locks: dict[str, threading.Lock] = {}

    def fresh(self, id: str) -> Snapshot | None:
        """Return the cached snapshot unless it is older than POLL_SECONDS."""
        snapshot = self._snapshots.get(id)
        return snapshot if snapshot is not None and time.monotonic() - snapshot.at < POLL_SECONDS else None

    def read(self, id: str) -> Snapshot:
        """Return a fresh snapshot; one thread reads it while the others wait. Raises Problem 404."""
        with self._lock:
            job_lock = self._job_locks.setdefault(id, threading.Lock())
        try:
            with job_lock:
                snapshot = self.fresh(id)
                if snapshot is None:
                    snapshot = self._snapshots[id] = self._feed.snapshot(id, self._snapshots.get(id))
                return snapshot
        finally:
            self._evict()

    def _evict(self) -> None:
        """Drop snapshots that have not been read for some seconds."""
        if len(self._snapshots) <= CACHED_JOBS:
            return
        with self._lock:
            oldest = time.monotonic() - 20 * POLL_SECONDS
            for id in [id for id, snapshot in list(self._snapshots.items()) if snapshot.at < oldest]:
                self._snapshots.pop(id, None)
                self._job_locks.pop(id, None)


class EventCursor:
    """Track which events one watcher has received."""

    def __init__(self, after: int) -> None:
        self._last = after
        self._position: int | None = None
        self.is_over = False

    def advance(self, snapshot: Snapshot) -> list[Event]:
        """Return the new events. A waiting job repeats its event when its position changes."""
        job, last = snapshot.job, snapshot.events[-1] if snapshot.events else None
        new = [event for event in snapshot.events if event.number > self._last]
        waits = job.status == "queued" and last is not None
        if waits and last is not None and not new and job.position != self._position and self._last == last.number:
            new = [replace(last, job=job)]
        if waits:
            self._position = job.position
        if new:
            self._last = new[-1].number
        has_missed = any(event.number > self._last for event in snapshot.events)
        self.is_over = (bool(new) and new[-1].kind in ENDS) or (job.status in ENDS and not has_missed)
        return new


def _event_from_row(row: sa.Row[Any], job: Job) -> Event:
    """Build an event with the job as it was then. Position and eta are known only for the newest event."""
    kind: EventKind = row.kind
    status: Status = "running" if kind == "progress" or kind == "frame" else kind
    then = replace(job, status=status, iteration=row.iteration, total=row.total)
    if status != job.status or row.iteration != job.iteration:
        then = replace(then, position=0 if status == "running" else None, eta=None)
    if status not in ENDS:
        then = replace(then, error=None, has_video=False, has_svg=False)
    return Event(row.number, kind, then, row.picture)
