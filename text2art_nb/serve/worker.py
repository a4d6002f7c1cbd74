"""The worker process: DBOS hands it jobs; it says every few seconds that it is alive, and looks after the dead."""

import logging
import os
import signal
import threading
from typing import Any, Final

import sqlalchemy as sa
from dbos import DBOS, DBOSConfig

from text2art_nb.serve.config import Config
from text2art_nb.serve.courier import send_apart
from text2art_nb.serve.queue import APPLICATION, DRAW, DRAWING, NOTICES, NOTIFY, POLL_SECONDS, VERSION, Queue
from text2art_nb.serve.seat import Seat, take_seat
from text2art_nb.serve.standing import is_alive
from text2art_nb.serve.store import Store
from text2art_nb.serve.sweep import sweep
from text2art_nb.serve.tables import engine_for, make_tables, now, workers
from text2art_nb.serve.telling import Teller
from text2art_nb.serve.work import Drawing, Pacer

TICK_SECONDS: Final = 0.5
END_SECONDS: Final = 30.0
"""How long a worker that has to end waits for the iteration at hand."""
SWEEP_SECONDS: Final = 600.0
REAP_SECONDS: Final = 30.0
"""What another worker looks after need not be looked after again for so long."""
NEVER: Final = 1_000_000_000
"""DBOS shall never give a job up by itself: `hold` counts crashes, wherever they happen."""
BROKEN_DATABASE: Final = 75

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
        DBOS.register_queue(NOTICES, worker_concurrency=2, polling_interval_sec=POLL_SECONDS)
        self._ready.set()
        beats, sweeps = Pacer(self._config.heartbeat), Pacer(SWEEP_SECONDS)
        while not self._stopping.wait(TICK_SECONDS) and not self._is_orphan():
            try:
                self._drawing.look_up()
                if beats.is_due():
                    self.beat()
                    self.reap()
                if sweeps.is_due():
                    sweep(self._config, self._engine, self._store, self._queue)
            except sa.exc.DBAPIError as error:
                log.warning("the database does not answer: %s", error.orig)
        self._end()

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

    def _draw(self, id: str) -> None:
        self._ready.wait()
        try:
            self._drawing.draw(id)
        except sa.exc.DBAPIError:
            # Nothing can be written down, not even that it failed: whoever starts us again gets the job back.
            log.exception("job %s: the database is gone", id)
            os._exit(BROKEN_DATABASE)

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

    @DBOS.step(name="mail", retries_allowed=True, interval_seconds=2.0, max_attempts=10, backoff_rate=2.0)
    def mail(id: str) -> None:
        send_apart(config, id)

    @DBOS.step(name="channels", retries_allowed=True, interval_seconds=2.0, max_attempts=10, backoff_rate=2.0)
    def channels(id: str) -> None:
        teller.channels(id)

    @DBOS.workflow(name=DRAW, max_recovery_attempts=NEVER)
    def draw_job(id: str) -> None:
        draw(id)

    @DBOS.workflow(name=NOTIFY, max_recovery_attempts=NEVER)
    def notify(id: str) -> None:
        mail(id)
        channels(id)

    DBOS.listen_queues([DRAWING, NOTICES])
    DBOS.launch()


def work(config: Config, parent: int | None = None) -> int:
    """Be a worker until SIGTERM or Ctrl-C; a second one ends at once. Returns the exit code.

    Raises:
        Text2ArtError: as `Worker`.
    """
    # Here and now, not when the first job comes: it takes seconds, and two threads that import it wait for each other.
    from text2art_nb import loop  # noqa: F401

    worker = Worker(config, parent)

    def hear(number: int, _: Any) -> None:
        signal.signal(number, signal.SIG_DFL)
        worker.stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, hear)
    log.warning("worker %s is ready", worker.id)
    worker.run()
    logging.shutdown()
    os._exit(0)  # the thread of a job that was given back holds on to it until now
