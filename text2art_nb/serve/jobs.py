"""The desk: what the page and the API share. Jobs are handed in, asked about, watched, cancelled and hung up here."""

import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import anyio
import sqlalchemy as sa

from text2art_nb.errors import SettingsError
from text2art_nb.serve.config import Config
from text2art_nb.serve.lease import change
from text2art_nb.serve.limits import Rates
from text2art_nb.serve.problems import Problem, not_found
from text2art_nb.serve.queue import Queue, make_queue
from text2art_nb.serve.queue_position import Pace, pace, place
from text2art_nb.serve.requests import JobRequest
from text2art_nb.serve.store import FILM, FRAME, PICTURE, SVG, Store, check_id
from text2art_nb.serve.tables import addresses, engine_for, events, gate, jobs, likes, make_tables, now, pass_gate

Status = Literal["queued", "running", "done", "failed", "cancelled"]
Kind = Literal["queued", "progress", "frame", "done", "failed", "cancelled"]
What = Literal["image", "video", "svg", "frame"]

ENDS: Final[tuple[Status, ...]] = ("done", "failed", "cancelled")
PAGE: Final = 12
LOOK_SECONDS: Final = 0.25
"""How often a watched job is looked up, however many watch it."""
PACE_SECONDS: Final = 1.0
LONGEST_KEY: Final = 255
SHOWN: Final = tuple(column for column in jobs.c if column.name not in ("request", "recipe"))
"""Columns that are quick to read: a recipe may hold megabytes of pictures."""
NAMES: Final[dict[What, str]] = {"image": PICTURE, "video": FILM, "svg": SVG, "frame": FRAME}


@dataclass(frozen=True)
class Job:
    """What anybody may know about a job.

    position: 0 is being drawn, 1 is next, None has ended; eta: seconds until it is done, None where nobody can say.
    iteration, total: how far it is; prompt: as the visitor wrote it: escape it; error: a sentence, if it failed.
    created: seconds since 1970.
    """

    id: str
    status: Status
    position: int | None
    eta: float | None
    iteration: int
    total: int
    prompt: str
    error: str | None
    created: float
    public: bool
    has_video: bool
    has_svg: bool


@dataclass(frozen=True)
class Event:
    """What a watcher sees.

    number: counts from 1 and is the SSE id; a job that waits may repeat its number 1 when its position changes.
    picture: the name of a JPEG in the store, or None.
    """

    number: int
    kind: Kind
    job: Job
    picture: str | None


@dataclass(frozen=True)
class Hanging:
    """A picture in the gallery.

    likes: how many visitors like it; liked: whether the one who asks does; request: what `JobRequest` would draw it
    again, as JSON types, without the address. Its files are at /api/jobs/{id}/image, …/video, …/svg.
    """

    id: str
    prompt: str
    created: float
    likes: int
    liked: bool
    has_video: bool
    has_svg: bool
    request: dict[str, Any]


class Desk:
    """See the module. Any number of threads and processes may have one of the same service.

    Raises:
        Text2ArtError: the database or the files can't be had.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        config.data.mkdir(parents=True, exist_ok=True)
        self.engine = engine_for(config)
        make_queue(self.engine)
        make_tables(self.engine)
        self.store = Store(config)
        self.rates = Rates(config.limits)
        self._queue = Queue(self.engine)
        self._boards = Boards(self)
        self._paced = float("-inf"), Pace(None, 0, 0.0)
        with self.engine.connect() as connection:
            self._salt: str = connection.execute(sa.select(gate.c.salt)).scalar_one()

    def close(self) -> None:
        """Let go of the database."""
        self._queue.close()
        self.engine.dispose()

    # -- handing in

    def submit(self, request: JobRequest, visitor: str, key: str | None = None, id: str | None = None) -> Job:
        """Queue a job.

        Args:
            request: what to draw.
            visitor: who asks, as `access.visitor_of` says; kept only as a mark that nobody can read.
            key: the Idempotency-Key: the same visitor's same key and request give the same job.
            id: what the job shall be called; one that is there already is handed out as it is.

        Raises:
            Problem: 400 a key or an id that can't be; 409 another request had this key; 422 it can't be drawn; 429 too
                many, with `retry_after`.
        """
        if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
            raise Problem(400, f"an Idempotency-Key has 1 to {LONGEST_KEY} plain characters", kind="bad-key")
        mark = self.mark(visitor)
        digest = _checked_digest(request)
        if (earlier := self._earlier(mark, key, id, digest)) is not None:
            return self.get(earlier)
        self.rates.job(mark)
        try:
            settings = request.to_settings(self.config.models, self.config.limits)
        except SettingsError as error:
            raise Problem.of_settings(error) from None
        row = {
            "id": id or secrets.token_urlsafe(16).replace("-", "_"),
            "visitor": mark,
            "prompt": request.prompt or settings.prompts,
            "public": request.public and self.config.public,
            "request": request.to_json(),
            "recipe": settings.to_recipe(),
            "work": float(views(settings)),
            "total": settings.iterations,
            "key": key,
            "digest": digest,
        }
        return self.get(self._insert(row, request.email))

    def _earlier(self, mark: str, key: str | None, id: str | None, digest: str) -> str | None:
        """The job that was handed in with the same key, or by the same name. Raises Problem 400, 409."""
        if id is not None:
            try:
                check_id(id)
            except ValueError as error:
                raise Problem(400, str(error), kind="bad-id") from None
        if key is None and id is None:
            return None
        same = jobs.c.id == id if id is not None else sa.and_(jobs.c.visitor == mark, jobs.c.key == key)
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(jobs.c.id, jobs.c.digest).where(same)).first()
        if row is None:
            return None
        if id is None and not hmac.compare_digest(row.digest, digest):
            sentence = "this Idempotency-Key came with another request before; use a new one for a new job"
            raise Problem(409, sentence, kind="key-used")
        return str(row.id)

    def _insert(self, row: dict[str, Any], address: str | None) -> str:
        """Put a job into the queue, unless there are too many; its id, or that of the same one that came before."""
        try:
            with self.engine.begin() as connection:
                pass_gate(connection)
                mine = self._check_numbers(connection, row["visitor"])
                values = {"status": "queued", "created": now(), "priority": mine + 1, "iteration": 0, "events": 0}
                connection.execute(sa.insert(jobs).values(**row, **values))
                change(connection, jobs.c.id == row["id"], "queued", {}, None)
                if address and self.config.notices.mail:
                    connection.execute(sa.insert(addresses).values(job=row["id"], address=address))
                self._queue.put(connection, row["id"], mine + 1)
        except sa.exc.IntegrityError:
            # Somebody was quicker by a moment with the same key or name.
            named = row["id"] if row["key"] is None else None
            earlier = self._earlier(row["visitor"], row["key"], named, row["digest"])
            if earlier is None:
                raise
            return earlier
        return str(row["id"])

    def _check_numbers(self, connection: sa.Connection, mark: str) -> int:
        """How many jobs the visitor has in hand. Raises Problem 429 if these, or all of them, are too many."""
        limits = self.config.limits
        count = sa.select(sa.func.count()).where(jobs.c.status.in_(("queued", "running")))
        everybody = connection.execute(count).scalar_one()
        mine: int = connection.execute(count.where(jobs.c.visitor == mark)).scalar_one()
        wait = self._until_free(connection)
        if mine >= limits.at_once:
            sentence = f"a visitor may have {limits.at_once} jobs in hand; wait until one is done, or cancel one"
            raise Problem(429, sentence, kind="too-many-jobs", retry_after=wait)
        if everybody >= limits.waiting:
            sentence = f"{limits.waiting} jobs are waiting already; try again in {wait} seconds"
            raise Problem(429, sentence, kind="queue-full", retry_after=wait)
        return mine

    def _until_free(self, connection: sa.Connection) -> int:
        """Seconds after which a place in the queue should be free."""
        soonest = sa.select(sa.func.min(jobs.c.eta)).where(jobs.c.status == "running")
        return max(1, min(600, round(connection.execute(soonest).scalar() or 10.0)))

    # -- asking

    def get(self, id: str) -> Job:
        """The job as it stands. Raises Problem 404."""
        with self.engine.connect() as connection:
            row = self._row(connection, id)
            return _job(row, *place(connection, row, self._pace(connection, row)))

    def cancel(self, id: str) -> Job:
        """End a job before its next iteration; one that has ended stays as it is. Raises Problem 404."""
        open_ = sa.and_(jobs.c.id == id, jobs.c.status.in_(("queued", "running")))
        with self.engine.begin() as connection:
            ended = change(connection, open_, "cancelled", {"status": "cancelled", "ended": now(), "eta": None}, None)
            if ended:
                connection.execute(sa.delete(addresses).where(addresses.c.job == id))
        if ended:
            self._queue.cancel(id)
        return self.get(id)

    def file(self, id: str, what: What) -> Path | bytes:
        """A job's PNG, MP4, SVG, or the JPEG of its newest frame. Raises Problem 404, or 409 if it isn't there yet."""
        with self.engine.connect() as connection:
            row = self._row(connection, id)
        there = {"image": row.status == "done", "video": row.has_video, "svg": row.has_svg, "frame": True}
        found = self.store.find(id, NAMES[what]) if there[what] else None
        if found is not None:
            return found
        if row.status in ENDS and (row.status != "done" or what != "image"):
            raise Problem(404, f"this job has no {what}: it is {row.status}", kind="no-such-file")
        raise Problem(409, f"there is no {what} yet: the job is {row.status}", kind="not-yet", retry_after=2)

    def waiting(self) -> int:
        """How many jobs wait or are drawn."""
        query = sa.select(sa.func.count()).where(jobs.c.status.in_(("queued", "running")))
        with self.engine.connect() as connection:
            return int(connection.execute(query).scalar_one())

    def mark(self, visitor: str) -> str:
        """What is kept of a visitor: enough to know it again, too little to know who it is."""
        return hmac.new(self._salt.encode(), visitor.encode(), hashlib.sha256).hexdigest()[:32]

    # -- watching

    def events(self, id: str, after: int = 0) -> Iterator[Event]:
        """What happens to a job from event `after` on, as it happens; ends after done, failed or cancelled.

        Raises Problem 404.
        """
        seen = Watcher(after)
        while True:
            yield from (news := seen.news(self._boards.look(id)))
            if (news and news[-1].kind in ENDS) or seen.is_over:
                return
            time.sleep(LOOK_SECONDS)

    async def watch(self, id: str, after: int = 0) -> AsyncIterator[Event]:
        """As `events`, without a thread for each watcher."""
        seen = Watcher(after)
        while True:
            board = self._boards.fresh(id)
            if board is None:
                board = await anyio.to_thread.run_sync(self._boards.look, id)
            for event in (news := seen.news(board)):
                yield event
            if (news and news[-1].kind in ENDS) or seen.is_over:
                return
            await anyio.sleep(LOOK_SECONDS)

    def board(self, id: str, before: "Board | None" = None) -> "Board":
        """All that has happened to a job; what `before` knows isn't read again. Raises Problem 404."""
        known = before.events if before is not None else ()
        last = known[-1].number if known else 0
        query = sa.select(events).where(events.c.job == id, events.c.number > last).order_by(events.c.number)
        with self.engine.connect() as connection:
            rows = connection.execute(query).all()  # before the job, which so is never older than its events
            row = self._row(connection, id)
            job = _job(row, *place(connection, row, self._pace(connection, row)))
        return Board(job, known + tuple(_event(each, job) for each in rows), time.monotonic())

    # -- the gallery

    def gallery(self, page: int = 1, visitor: str | None = None) -> list[Hanging]:
        """Twelve pictures, the newest first: those done whose visitors wanted them seen. page counts from 1."""
        count = sa.select(sa.func.count()).where(likes.c.job == jobs.c.id).scalar_subquery()
        mark = self.mark(visitor) if visitor is not None else ""
        mine = sa.exists().where(likes.c.job == jobs.c.id, likes.c.visitor == mark)
        columns = (jobs.c.id, jobs.c.prompt, jobs.c.created, count.label("likes"), mine.label("liked"))
        query = sa.select(*columns, jobs.c.has_video, jobs.c.has_svg, jobs.c.request).where(_hangs())
        query = query.order_by(jobs.c.created.desc(), jobs.c.id).limit(PAGE).offset((max(page, 1) - 1) * PAGE)
        with self.engine.connect() as connection:
            return [Hanging(**row._mapping) for row in connection.execute(query)]

    def like(self, id: str, visitor: str) -> int:
        """Like a picture of the gallery; once more takes it back. Returns how many do. Raises Problem 404."""
        mine = {"job": id, "visitor": self.mark(visitor)}
        count = sa.select(sa.func.count()).where(likes.c.job == id)
        try:
            with self.engine.begin() as connection:
                if connection.execute(sa.select(jobs.c.id).where(jobs.c.id == id, _hangs())).first() is None:
                    raise not_found(id)
                taken_back = sa.delete(likes).where(likes.c.job == id, likes.c.visitor == mine["visitor"])
                if not connection.execute(taken_back).rowcount:
                    connection.execute(sa.insert(likes).values(mine))
                return int(connection.execute(count).scalar_one())
        except sa.exc.IntegrityError:  # twice at the same moment: liked it is
            with self.engine.connect() as connection:
                return int(connection.execute(count).scalar_one())

    def _row(self, connection: sa.Connection, id: str) -> Any:
        row = connection.execute(sa.select(*SHOWN).where(jobs.c.id == id)).first()
        if row is None:
            raise not_found(id)
        return row

    def _pace(self, connection: sa.Connection, row: Any) -> Pace:
        """What the guess for a row rests on; only for one that waits it has to be known, and not to the second."""
        if row.status != "queued":
            return Pace(None, 0, 0.0)
        at, found = self._paced
        if time.monotonic() - at > PACE_SECONDS:
            found = pace(connection, self.config.heartbeat)
            self._paced = time.monotonic(), found
        return found


@dataclass(frozen=True)
class Board:
    """What is known of a job at a moment (by the monotonic clock): the job, and its events from the first one."""

    job: Job
    events: tuple[Event, ...]
    at: float


class Boards:
    """The boards of the jobs that are watched, each looked up once in a while, however many watch it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._turn = threading.Lock()
        self._boards: dict[str, Board] = {}
        self._turns: dict[str, threading.Lock] = {}

    def fresh(self, id: str) -> Board | None:
        """The board, if it is new enough not to be looked up."""
        board = self._boards.get(id)
        return board if board is not None and time.monotonic() - board.at < LOOK_SECONDS else None

    def look(self, id: str) -> Board:
        """The board; one thread looks it up while the others wait for it. Raises Problem 404."""
        with self._turn:
            turn = self._turns.setdefault(id, threading.Lock())
        try:
            with turn:
                board = self.fresh(id)
                if board is None:
                    board = self._boards[id] = self._desk.board(id, self._boards.get(id))
                return board
        finally:
            self._forget()

    def _forget(self) -> None:
        """Drop what nobody has watched for some seconds."""
        if len(self._boards) <= 64:
            return
        with self._turn:
            old = time.monotonic() - 20 * LOOK_SECONDS
            for id in [id for id, board in list(self._boards.items()) if board.at < old]:
                self._boards.pop(id, None)
                self._turns.pop(id, None)


class Watcher:
    """What one watcher has seen."""

    def __init__(self, after: int) -> None:
        self._last = after
        self._position: int | None = None
        self.is_over = False

    def news(self, board: Board) -> list[Event]:
        """What it hasn't seen; while it waits the first event again whenever its place in the queue changes."""
        news = [event for event in board.events if event.number > self._last]
        waits = board.job.status == "queued" and bool(board.events)
        if waits and not news and board.job.position != self._position and self._last == board.events[-1].number:
            news = [replace(board.events[-1], job=board.job)]
        if waits:
            self._position = board.job.position
        if news:
            self._last = news[-1].number
        self.is_over = board.job.status in ENDS and not any(event.number > self._last for event in board.events)
        return news


def views(settings: Any) -> int:
    """How many views of the picture will be looked at in all: what the time that it takes goes with."""
    each = (settings.num_cuts or 1) * (settings.batches or 1) * settings.candidates
    return max(1, (settings.iterations or 1) * each)


def _hangs() -> sa.ColumnElement[bool]:
    return sa.and_(jobs.c.public.is_(sa.true()), jobs.c.status == "done")


def _checked_digest(request: JobRequest) -> str:
    """The request's digest. Raises Problem 422 for what can't be written as JSON: too deep, or of another kind."""
    try:
        return _digest(request)
    except (ValueError, TypeError, RecursionError):
        sentence = "settings must be numbers, texts, lists and objects, not deeply nested"
        raise Problem(422, sentence, kind="invalid-settings", fields={"settings": sentence}) from None


def _digest(request: JobRequest) -> str:
    text = json.dumps(request.model_dump(mode="json", exclude_defaults=True), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _job(row: Any, position: int | None, eta: float | None) -> Job:
    return Job(
        id=row.id,
        status=row.status,
        position=position,
        eta=None if eta is None else round(eta, 1),
        iteration=row.iteration,
        total=row.total,
        prompt=row.prompt,
        error=row.error,
        created=row.created,
        public=row.public,
        has_video=row.has_video,
        has_svg=row.has_svg,
    )


def _event(row: Any, job: Job) -> Event:
    """An event with the job as it stood then; what can't be known any more (position, eta) is told of the newest."""
    kind: Kind = row.kind
    status: Status = "running" if kind == "progress" or kind == "frame" else kind
    then = replace(job, status=status, iteration=row.iteration, total=row.total)
    if status != job.status or row.iteration != job.iteration:
        then = replace(then, position=0 if status == "running" else None, eta=None)
    if status not in ENDS:
        then = replace(then, error=None, has_video=False, has_svg=False)
    return Event(row.number, kind, then, row.picture)
