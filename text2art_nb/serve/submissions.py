"""Accept and cancel jobs: idempotency keys, limits per visitor, and the queue entry, in one transaction."""

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from text2art_nb.errors import SettingsError
from text2art_nb.serve.config import Config
from text2art_nb.serve.job_feed import JobFeed
from text2art_nb.serve.jobs import OPEN, Job, count_views
from text2art_nb.serve.lease import update_job
from text2art_nb.serve.limits import RateLimiter
from text2art_nb.serve.problems import Problem
from text2art_nb.serve.queue import Queue
from text2art_nb.serve.requests import JobRequest
from text2art_nb.serve.store import check_id
from text2art_nb.serve.tables import addresses, jobs, lock_submissions, now
from text2art_nb.serve.visitors import VisitorHash

LONGEST_KEY: Final = 255


@dataclass(frozen=True)
class Submissions:
    """Put jobs into the queue and take them out again. Safe in any number of threads and processes."""

    config: Config
    engine: sa.Engine
    queue: Queue
    feed: JobFeed
    rate_limiter: RateLimiter
    visitor_hash: VisitorHash

    def submit(self, request: JobRequest, visitor: str, key: str | None = None, id: str | None = None) -> Job:
        """Queue a job.

        Args:
            request: what to draw.
            visitor: client id, as `access.visitor_of` gives it; only its HMAC is stored.
            key: the Idempotency-Key. The same visitor, key and request return the same job.
            id: id of the new job; None: a random one. If the id exists, its job is returned unchanged.

        Raises:
            Problem: 400 for an invalid key or id; 409 if another request used this key; 422 if it can't be drawn;
                429 for too many jobs, with `retry_after`.
        """
        if key is not None and not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
            raise Problem(400, f"an Idempotency-Key has 1 to {LONGEST_KEY} plain characters", kind="bad-key")
        client = self.visitor_hash(visitor)
        digest = _checked_digest(request)
        if (earlier := self._find_earlier(client, key, id, digest)) is not None:
            return self.feed.get(earlier)
        self.rate_limiter.count_job(client)
        try:
            settings = request.to_settings(self.config.models, self.config.limits)
        except SettingsError as error:
            raise Problem.of_settings(error) from None
        row = {
            "id": id or secrets.token_urlsafe(16).replace("-", "_"),
            "visitor": client,
            "prompt": request.prompt or settings.prompts,
            "public": request.public and self.config.public,
            "request": request.to_json(),
            "recipe": settings.to_recipe(),
            "work": float(count_views(settings)),
            "total": settings.iterations,
            "key": key,
            "digest": digest,
        }
        return self.feed.get(self._insert(row, request.email))

    def cancel(self, id: str) -> Job:
        """End a job before its next iteration. A job that has ended stays as it is. Raises Problem 404."""
        is_open = sa.and_(jobs.c.id == id, jobs.c.status.in_(OPEN))
        with self.engine.begin() as connection:
            values = {"status": "cancelled", "ended": now(), "eta": None}
            ended = update_job(connection, is_open, "cancelled", values, None)
            if ended:
                connection.execute(sa.delete(addresses).where(addresses.c.job == id))
        if ended:
            self.queue.cancel(id)
        return self.feed.get(id)

    def _find_earlier(self, client: str, key: str | None, id: str | None, digest: str) -> str | None:
        """Find the job with the same id, or with the same key of this client. Raises Problem 400, 409."""
        if id is not None:
            try:
                check_id(id)
            except ValueError as error:
                raise Problem(400, str(error), kind="bad-id") from None
        if key is None and id is None:
            return None
        same = jobs.c.id == id if id is not None else sa.and_(jobs.c.visitor == client, jobs.c.key == key)
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(jobs.c.id, jobs.c.digest).where(same)).first()
        if row is None:
            return None
        if id is None and not hmac.compare_digest(row.digest, digest):
            sentence = "another request used this Idempotency-Key before; use a new one for a new job"
            raise Problem(409, sentence, kind="key-used")
        return str(row.id)

    def _insert(self, row: dict[str, Any], address: str | None) -> str:
        """Insert and queue a job within the limits. Return its id, or that of an identical job that came first."""
        try:
            with self.engine.begin() as connection:
                lock_submissions(connection)
                open_jobs = self._check_limits(connection, row["visitor"])
                priority = open_jobs + 1
                values = {"status": "queued", "created": now(), "priority": priority, "iteration": 0, "events": 0}
                connection.execute(sa.insert(jobs).values(**row, **values))
                update_job(connection, jobs.c.id == row["id"], "queued", {}, None)
                if address and self.config.notices.mail:
                    connection.execute(sa.insert(addresses).values(job=row["id"], address=address))
                self.queue.enqueue(connection, row["id"], priority)
        except sa.exc.IntegrityError:
            # A request with the same key or id came a moment earlier.
            named = row["id"] if row["key"] is None else None
            earlier = self._find_earlier(row["visitor"], row["key"], named, row["digest"])
            if earlier is None:
                raise
            return earlier
        return str(row["id"])

    def _check_limits(self, connection: sa.Connection, client: str) -> int:
        """Count the client's open jobs. Raises Problem 429 if it, or all clients together, have too many."""
        limits = self.config.limits
        count = sa.select(sa.func.count()).where(jobs.c.status.in_(OPEN))
        total = connection.execute(count).scalar_one()
        own: int = connection.execute(count.where(jobs.c.visitor == client)).scalar_one()
        wait = _seconds_until_free(connection)
        if own >= limits.at_once:
            sentence = f"a visitor may have {limits.at_once} open jobs; wait until one is done, or cancel one"
            raise Problem(429, sentence, kind="too-many-jobs", retry_after=wait)
        if total >= limits.waiting:
            sentence = f"the queue is full with {limits.waiting} jobs; try again in {wait} seconds"
            raise Problem(429, sentence, kind="queue-full", retry_after=wait)
        return own


def _seconds_until_free(connection: sa.Connection) -> int:
    """Estimate when the next running job ends, 1 to 600 seconds from now."""
    soonest = sa.select(sa.func.min(jobs.c.eta)).where(jobs.c.status == "running")
    return max(1, min(600, round(connection.execute(soonest).scalar() or 10.0)))


def _checked_digest(request: JobRequest) -> str:
    """Hash a request. Raises Problem 422 if it can't be written as JSON."""
    try:
        return _digest(request)
    except (ValueError, TypeError, RecursionError):
        sentence = "settings must be numbers, texts, lists and objects, not deeply nested"
        raise Problem(422, sentence, kind="invalid-settings", fields={"settings": sentence}) from None


def _digest(request: JobRequest) -> str:
    text = json.dumps(request.model_dump(mode="json", exclude_defaults=True), sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()
