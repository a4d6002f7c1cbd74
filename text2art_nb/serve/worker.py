"""The worker process: DBOS hands it jobs; it says every few seconds that it is alive, and looks after the dead."""

import logging
import os
import signal
import threading
import time
from typing import Any, Final

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig
from dbos import error as dbos_error

from text2art_nb.serve.cleanup import sweep
from text2art_nb.serve.config import Config
from text2art_nb.serve.job_runner import Drawing, OutOfOrderError, Pacer
from text2art_nb.serve.mail_process import send_apart
from text2art_nb.serve.notices import NoticeError, RefusedError
from text2art_nb.serve.notifier import Teller
from text2art_nb.serve.queue import APPLICATION, DRAW, DRAWING, NOTICES, NOTIFY, POLL_SECONDS, VERSION, Queue
from text2art_nb.serve.queue_position import is_alive
from text2art_nb.serve.store import Store
from text2art_nb.serve.tables import engine_for, make_tables, now, workers
from text2art_nb.serve.worker_slot import Seat, take_seat

TICK_SECONDS: Final = 0.5
END_SECONDS: Final = 30.0
"""How long a worker that has to end waits for the iteration at hand."""
SWEEP_SECONDS: Final = 600.0
NOTICES_AT_ONCE: Final = 8
"""One whose mail server is away keeps its place for a quarter of an hour, mostly asleep."""
PATIENT: Final[Any] = {"retries_allowed": True, "interval_seconds": 2.0, "max_attempts": 10, "backoff_rate": 2.0}
"""Tried ten times in a quarter of an hour."""
REAP_SECONDS: Final = 30.0
"""What another worker looks after need not be looked after again for so long."""
NEVER: Final = 1_000_000_000
"""DBOS shall never give a job up by itself: `hold` counts crashes, wherever they happen."""
LATEST_END_SECONDS: Final = 36.0
"""After so long a worker ends whatever keeps it waiting; `beside` kills one after 40."""
BROKEN_DATABASE: Final = 75
OUT_OF_ORDER: Final = 76

log = logging.getLogger("text2art.serve")


class Worker:
    """One worker. `run` returns after `stop`, or when the process `parent` has ended.

    Raises:
        Text2ArtError: it has no place here, or the database or the files can't be had.
    """

    def __init__(self, config: Config, parent: int | None = None) -> None:
        self._config, self._parent = config, parent
        self._seat: Seat = take_seat(config)
        self._engine = engine_for(config)
        self._stopping = threading.Event()
        self._ready = threading.Event()
        make_tables(self._engine)
        self.beat()  # before anything is taken, so that nobody thinks that it is left over
        self._store = Store(config)
        _launch_dbos(self._engine, self._seat.id, self._draw, config, Teller(config, self._engine, self._store))
        self._queue = Queue(self._engine)
        self._drawing = Drawing(config, self._engine, self._store, self._queue, self._seat.id, self._seat.device)

    @property
    def id(self) -> str:
        """Its name: machine and number."""
        return self._seat.id

    def stop(self) -> None:
        """End after the iteration at hand; the job goes on elsewhere, or here later."""
        self._stopping.set()

    def run(self) -> None:
        """Work until somebody says stop."""
        DBOS.register_queue(DRAWING, worker_concurrency=1, polling_interval_sec=POLL_SECONDS)
        DBOS.register_queue(NOTICES, worker_concurrency=NOTICES_AT_ONCE, polling_interval_sec=POLL_SECONDS)
        self._ready.set()
        threading.Thread(target=self._keep_swept, name="text2art-sweep", daemon=True).start()
        beats = Pacer(self._config.heartbeat)
        while not self._stopping.wait(TICK_SECONDS) and not self._is_orphan():
            try:
                self._drawing.look_up()
                if beats.is_due():
                    self.beat()
                    self.reap()
            except sa.exc.DBAPIError as error:
                log.warning("the database does not answer: %s", error.orig)
        self._stopping.set()
        self._end()

    @property
    def stopping(self) -> threading.Event:
        """Set once it has to end."""
        return self._stopping

    def beat(self) -> None:
        """Say that it is alive."""
        with self._engine.begin() as connection:
            there = sa.update(workers).where(workers.c.id == self._seat.id).values(beat=now(), reaped=None)
            if not connection.execute(there).rowcount:
                row = {"id": self._seat.id, "device": self._seat.device, "started": now(), "beat": now()}
                connection.execute(sa.insert(workers).values(**row))

    def reap(self) -> None:
        """Queue again what workers have left that are silent; forget those that have left nothing."""
        silent = sa.and_(workers.c.id != self._seat.id, ~is_alive(self._config.heartbeat))
        free = sa.or_(workers.c.reaped.is_(None), workers.c.reaped < now() - REAP_SECONDS)
        with self._engine.connect() as connection:
            found = connection.execute(sa.select(workers.c.id, workers.c.beat).where(silent, free)).all()
        for dead in found:
            same = sa.and_(workers.c.id == dead.id, workers.c.beat == dead.beat)
            with self._engine.begin() as connection:  # of several who find it, one looks after it
                if not connection.execute(sa.update(workers).where(same, free).values(reaped=now())).rowcount:
                    continue
            left = self._queue.abandoned(dead.id)
            self._queue.give_back(left)
            if left:
                log.warning("worker %s is silent: %d of its jobs are queued again", dead.id, len(left))
                continue
            with self._engine.begin() as connection:
                connection.execute(sa.delete(workers).where(same))

    def _keep_swept(self) -> None:
        """Sweep now and then, on a thread of its own: neither a slow bucket nor trouble there is to disturb others."""
        while True:
            try:
                sweep(self._config, self._engine, self._store, self._queue)
            except Exception:  # the database, the disk, the bucket: whatever it is, the drawing goes on
                log.exception("what is old could not all be swept away; it is tried again")
            if self._stopping.wait(SWEEP_SECONDS):
                return

    def _draw(self, id: str) -> None:
        self._ready.wait()
        try:
            self._drawing.draw(id)
        except sa.exc.DBAPIError:
            # Nothing can be written down, not even that it failed: whoever starts us again gets the job back.
            log.exception("job %s: the database is gone", id)
            os._exit(BROKEN_DATABASE)
        except OutOfOrderError:
            # The next job would fail as well. As after a crash, whoever starts us again or takes over goes on.
            log.exception("worker %s is out of order, and ends", self.id)
            os._exit(OUT_OF_ORDER)

    def _is_orphan(self) -> bool:
        return self._parent is not None and os.getppid() != self._parent

    def _end(self) -> None:
        """Give back what is at hand, and be known as gone."""
        self._drawing.stop()
        if not self._drawing.idle.wait(END_SECONDS):
            self._drawing.let_go()
        self._queue.give_back(self._queue.abandoned(self._seat.id))
        with self._engine.begin() as connection:
            connection.execute(sa.update(workers).where(workers.c.id == self._seat.id).values(beat=0.0))


def _launch_dbos(engine: sa.Engine, id: str, draw: Any, config: Config, teller: Teller) -> None:
    """Have DBOS call `draw` with the ids of jobs; of those that are done couriers bring mail, and `teller` tells."""
    settings: DBOSConfig = {
        "name": APPLICATION,
        "system_database_engine": engine,
        "executor_id": id,
        "application_version": VERSION,
        "log_level": "WARNING",
    }
    DBOS(config=settings)

    @DBOS.step(name="mail", should_retry=lambda error: not isinstance(error, RefusedError), **PATIENT)
    def mail(id: str) -> None:
        send_apart(config, id)

    @DBOS.step(name="channels", **PATIENT)
    def channels(id: str) -> None:
        teller.channels(id)

    @DBOS.workflow(name=DRAW, max_recovery_attempts=NEVER)
    def draw_job(id: str) -> None:
        draw(id)

    @DBOS.workflow(name=NOTIFY, max_recovery_attempts=NEVER)
    def notify(id: str) -> None:
        try:
            mail(id)
        except (NoticeError, dbos_error.DBOSMaxStepRetriesExceeded) as error:
            log.warning("job %s: its mail is given up: %s", id, error)
            teller.give_up(id)
        channels(id)

    DBOS.listen_queues([DRAWING, NOTICES])
    DBOS.launch()


def end_in_time(stopping: threading.Event) -> None:
    """Wait until a worker has to end; if it hasn't soon, end the process: the database may be away for hours."""
    stopping.wait()
    time.sleep(LATEST_END_SECONDS)
    log.warning("this worker could not say that it ends; whoever finds it silent takes over")
    logging.shutdown()
    os._exit(BROKEN_DATABASE)


def work(config: Config, parent: int | None = None) -> int:
    """Be a worker until SIGTERM or Ctrl-C; a second Ctrl-C ends at once. Returns the exit code.

    Raises:
        Text2ArtError: as `Worker`.
    """
    # Here and now, not when the first job comes: it takes seconds, and two threads that import it wait for each other.
    from text2art_nb.optimization import loop  # noqa: F401

    worker = Worker(config, parent)

    def hear(number: int, _: Any) -> None:
        if number == signal.SIGINT:  # SIGTERM comes twice: from systemd to all of a service, and from `beside`
            signal.signal(number, signal.SIG_DFL)
        worker.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, hear)
    threading.Thread(target=end_in_time, args=(worker.stopping,), daemon=True).start()
    log.warning("worker %s is ready", worker.id)
    worker.run()
    logging.shutdown()
    os._exit(0)  # the thread of a job that was given back holds on to it until now
