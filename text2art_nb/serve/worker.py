"""The worker process: DBOS hands it jobs; it sends heartbeats and requeues the jobs of dead workers."""

import logging
import os
import signal
import threading
import time
from collections.abc import Callable
from typing import Final, TypedDict

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig
from dbos import error as dbos_error

from text2art_nb.serve.cleanup import sweep
from text2art_nb.serve.config import Config
from text2art_nb.serve.job_runner import JobRunner, WorkerBrokenError
from text2art_nb.serve.mail_process import send_in_subprocess
from text2art_nb.serve.notices import NoticeError, RefusedError
from text2art_nb.serve.notifier import Notifier
from text2art_nb.serve.queue import APPLICATION, DRAW, DRAWING, NOTICES, NOTIFY, POLL_SECONDS, VERSION, Queue
from text2art_nb.serve.queue_position import is_alive
from text2art_nb.serve.store import Store
from text2art_nb.serve.tables import engine_for, make_tables, now, workers
from text2art_nb.serve.throttle import Throttle
from text2art_nb.serve.worker_slot import WorkerSlot, acquire_slot


class Retries(TypedDict):
    """Options of `DBOS.step` that say how often and how fast a step is retried."""

    retries_allowed: bool
    interval_seconds: float
    max_attempts: int
    backoff_rate: float


TICK_SECONDS: Final = 0.5
END_SECONDS: Final = 30.0
"""How long a stopping worker waits for its current iteration."""
SWEEP_SECONDS: Final = 600.0
NOTICES_AT_ONCE: Final = 8
"""Parallel notices. One whose mail server is away holds its place for a quarter of an hour, mostly asleep."""
RETRIES: Final[Retries] = {"retries_allowed": True, "interval_seconds": 2.0, "max_attempts": 10, "backoff_rate": 2.0}
"""Ten attempts within a quarter of an hour."""
REAP_SECONDS: Final = 30.0
"""How long a dead worker is left to the worker that is looking after it."""
UNLIMITED_ATTEMPTS: Final = 1_000_000_000
"""DBOS must never give up a job itself: `lease` counts crashes on all machines."""
LATEST_END_SECONDS: Final = 36.0
"""Deadline after which a stopping worker exits; `supervisor` kills it after 40 seconds."""
EXIT_DATABASE: Final = 75
EXIT_BROKEN: Final = 76

log = logging.getLogger("text2art.serve")


class Worker:
    """One worker. `run` returns after `stop`, or when the process `parent` has ended.

    Raises:
        Text2ArtError: no free slot, or the database or the store is not available.
    """

    def __init__(self, config: Config, parent: int | None = None) -> None:
        self._config, self._parent = config, parent
        self._slot: WorkerSlot = acquire_slot(config)
        self._engine = engine_for(config)
        self._stopping = threading.Event()
        self._ready = threading.Event()
        make_tables(self._engine)
        self.beat()  # before it takes a job, so that no worker takes this one for dead
        self._store = Store(config)
        _launch_dbos(self._engine, self._slot.id, self._draw, config, Notifier(config, self._engine, self._store))
        self._queue = Queue(self._engine)
        self._runner = JobRunner(config, self._engine, self._store, self._queue, self._slot.id, self._slot.device)

    @property
    def id(self) -> str:
        """Machine, data folder and slot number."""
        return self._slot.id

    def stop(self) -> None:
        """Stop after the current iteration; the job continues on another worker, or here later."""
        self._stopping.set()

    def run(self) -> None:
        """Work until `stop` is called."""
        DBOS.register_queue(DRAWING, worker_concurrency=1, polling_interval_sec=POLL_SECONDS)
        DBOS.register_queue(NOTICES, worker_concurrency=NOTICES_AT_ONCE, polling_interval_sec=POLL_SECONDS)
        self._ready.set()
        threading.Thread(target=self._sweep_loop, name="text2art-sweep", daemon=True).start()
        beats = Throttle(self._config.heartbeat)
        while not self._stopping.wait(TICK_SECONDS) and not self._is_orphan():
            try:
                self._runner.check_lease()
                if beats.is_due():
                    self.beat()
                    self.reap()
            except sa.exc.DBAPIError as error:
                log.warning("the database does not answer: %s", error.orig)
        self._stopping.set()
        self._end()

    @property
    def stopping(self) -> threading.Event:
        """Set once the worker has to end."""
        return self._stopping

    def beat(self) -> None:
        """Record a heartbeat."""
        with self._engine.begin() as connection:
            there = sa.update(workers).where(workers.c.id == self._slot.id).values(beat=now(), reaped=None)
            if not connection.execute(there).rowcount:
                row = {"id": self._slot.id, "device": self._slot.device, "started": now(), "beat": now()}
                connection.execute(sa.insert(workers).values(**row))

    def reap(self) -> None:
        """Requeue the jobs of dead workers; delete the rows of those that left none."""
        silent = sa.and_(workers.c.id != self._slot.id, ~is_alive(self._config.heartbeat))
        free = sa.or_(workers.c.reaped.is_(None), workers.c.reaped < now() - REAP_SECONDS)
        with self._engine.connect() as connection:
            found = connection.execute(sa.select(workers.c.id, workers.c.beat).where(silent, free)).all()
        for dead in found:
            same = sa.and_(workers.c.id == dead.id, workers.c.beat == dead.beat)
            with self._engine.begin() as connection:  # only one of several workers that notice it proceeds
                if not connection.execute(sa.update(workers).where(same, free).values(reaped=now())).rowcount:
                    continue
            left = self._queue.abandoned(dead.id)
            self._queue.requeue(left)
            if left:
                log.warning("worker %s is dead: %d of its jobs are queued again", dead.id, len(left))
                continue
            with self._engine.begin() as connection:
                connection.execute(sa.delete(workers).where(same))

    def _sweep_loop(self) -> None:
        """Clean up every ten minutes on a thread of its own, so that a slow bucket delays nothing else."""
        while True:
            try:
                sweep(self._config, self._engine, self._store, self._queue)
            except Exception:  # the database, the disk or the bucket failed; drawing continues
                log.exception("the cleanup failed; it is tried again")
            if self._stopping.wait(SWEEP_SECONDS):
                return

    def _draw(self, id: str) -> None:
        self._ready.wait()
        try:
            self._runner.draw(id)
        except sa.exc.DBAPIError:
            # Nothing can be recorded, not even the failure. The job is requeued when a worker starts again.
            log.exception("job %s: the database is unreachable", id)
            os._exit(EXIT_DATABASE)
        except WorkerBrokenError:
            # The next job would fail as well. As after a crash, another worker or a restarted one continues.
            log.exception("worker %s can't draw any more and exits", self.id)
            os._exit(EXIT_BROKEN)

    def _is_orphan(self) -> bool:
        return self._parent is not None and os.getppid() != self._parent

    def _end(self) -> None:
        """Release the current job and record that this worker is gone."""
        self._runner.stop()
        if not self._runner.idle.wait(END_SECONDS):
            self._runner.release()
        self._queue.requeue(self._queue.abandoned(self._slot.id))
        with self._engine.begin() as connection:
            connection.execute(sa.update(workers).where(workers.c.id == self._slot.id).values(beat=0.0))


def _launch_dbos(engine: sa.Engine, id: str, draw: Callable[[str], None], config: Config, notifier: Notifier) -> None:
    """Start DBOS: it calls `draw` with job ids, mails finished jobs and announces them with `notifier`."""
    settings: DBOSConfig = {
        "name": APPLICATION,
        "system_database_engine": engine,
        "executor_id": id,
        "application_version": VERSION,
        "log_level": "WARNING",
    }
    DBOS(config=settings)

    @DBOS.step(name="mail", should_retry=lambda error: not isinstance(error, RefusedError), **RETRIES)
    def mail(id: str) -> None:
        send_in_subprocess(config, id)

    @DBOS.step(name="channels", **RETRIES)
    def channels(id: str) -> None:
        notifier.channels(id)

    @DBOS.workflow(name=DRAW, max_recovery_attempts=UNLIMITED_ATTEMPTS)
    def draw_job(id: str) -> None:
        draw(id)

    @DBOS.workflow(name=NOTIFY, max_recovery_attempts=UNLIMITED_ATTEMPTS)
    def notify(id: str) -> None:
        try:
            mail(id)
        except (NoticeError, dbos_error.DBOSMaxStepRetriesExceeded) as error:
            log.warning("job %s: its mail is given up: %s", id, error)
            notifier.discard_address(id)
        channels(id)

    DBOS.listen_queues([DRAWING, NOTICES])
    DBOS.launch()


def exit_in_time(stopping: threading.Event) -> None:
    """Wait for `stopping`; exit the process if it hasn't ended in time: the database may be away for hours."""
    stopping.wait()
    time.sleep(LATEST_END_SECONDS)
    log.warning("this worker could not sign off; another one takes over its job")
    logging.shutdown()
    os._exit(EXIT_DATABASE)


def work(config: Config, parent: int | None = None) -> int:
    """Run a worker until SIGTERM or Ctrl-C; a second Ctrl-C ends it at once. Return the exit code.

    Raises:
        Text2ArtError: as `Worker`.
    """
    # Import now, not with the first job: it takes seconds, and two importing threads would wait for each other.
    from text2art_nb.optimization import loop  # noqa: F401

    worker = Worker(config, parent)

    def handle_signal(number: int, _: object) -> None:
        if number == signal.SIGINT:  # SIGTERM comes twice: from systemd to the whole service, and from `supervisor`
            signal.signal(number, signal.SIG_DFL)
        worker.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle_signal)
    threading.Thread(target=exit_in_time, args=(worker.stopping,), daemon=True).start()
    log.warning("worker %s is ready", worker.id)
    worker.run()
    logging.shutdown()
    os._exit(0)  # the thread of a released job blocks until now
