"""Telling people that a picture is ready: what is said, to whom, and that it is said once."""

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from filelock import FileLock

from text2art_nb.runtime.filesystems import lock_file
from text2art_nb.serve.config import Config, Notices
from text2art_nb.serve.lease import patiently
from text2art_nb.serve.store import FILM, PICTURE, Store, check_id
from text2art_nb.serve.tables import addresses, jobs, now

log = logging.getLogger("text2art.serve")

MOST_ATTACHED: Final = 15_000_000
"""Bytes of attachments in all; many mail servers refuse more than 20 to 25 MB as they travel."""


def wanted(connection: sa.Connection, config: Config, id: str) -> bool:
    """Whether anybody is to be told that job `id` is done."""
    public = connection.execute(sa.select(jobs.c.public).where(jobs.c.id == id)).scalar()
    return bool(config.notices.channels and public) or bool(config.notices.mail and _address(connection, id))


class Teller:
    """Sends notices, each kind once. `mail` and `channels` raise NoticeError, and may then be called again."""

    def __init__(self, config: Config, engine: sa.Engine, store: Store) -> None:
        self._config, self._engine, self._store = config, engine, store

    def mail(self, id: str) -> None:
        """Send the picture to the address that the job names; then the address is forgotten.

        Whoever else would send it, here or on another machine, waits meanwhile, and then finds no address.
        """
        job = self._job(id)
        if job is None or self._config.notices.mail is None:
            return
        with self._alone_with_address(id) as address:
            if address is not None:
                self._send(Notices(mail=self._config.notices.mail), address, job)

    @contextlib.contextmanager
    def _alone_with_address(self, id: str) -> Iterator[str | None]:
        """The address of a job, if it has one still, and nobody else has it; then, unless that raises, it is forgotten.

        On one machine a file keeps the others out, between machines (Postgres) the address's row does. SQLite would
        keep out everybody who has something else to write. That it was sent is noted patiently: else it comes twice.
        """
        check_id(id)
        place = self._config.data / "mails" / f"{id}.lock"
        place.parent.mkdir(parents=True, exist_ok=True)
        place = lock_file(place)
        sent = False
        with FileLock(place, is_singleton=False):
            try:
                with self._engine.begin() as connection:
                    mine = sa.select(addresses.c.address).where(addresses.c.job == id).with_for_update()
                    address = connection.execute(mine).scalar()
                    yield address
                    sent = address is not None
                    if sent:
                        _note_sent(connection, id)
            except sa.exc.DBAPIError as error:
                if not sent:
                    raise
                log.warning("job %s: its mail is sent, which is noted again: %s", id, error.orig)
                patiently(self._engine, lambda connection: _note_sent(connection, id))
        place.unlink(missing_ok=True)

    def give_up(self, id: str) -> None:
        """Forget the address of a job whose mail can't be sent."""
        gone = sa.delete(addresses).where(addresses.c.job == id)
        patiently(self._engine, lambda connection: connection.execute(gone))

    def _job(self, id: str) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(sa.select(jobs.c.id, jobs.c.prompt, jobs.c.public).where(jobs.c.id == id)).first()

    def channels(self, id: str) -> None:
        """Tell the operator's channels of a picture that may be seen by all."""
        job = self._job(id)
        if job is not None and job.public and self._config.notices.channels:
            self._send(Notices(channels=self._config.notices.channels), None, job)

    def _send(self, notices: Notices, address: str | None, job: Any) -> None:
        from text2art_nb.serve.notices import send

        prompt = " ".join(job.prompt.split())
        subject = f"Your picture is ready: {prompt[:60]}"
        lines = [f"“{prompt[:500]}” has been drawn."]
        if self._config.url:
            lines.append(f"It is at {self._config.url}/api/jobs/{job.id}/image")
        with self._files(job.id) as files:
            send(notices, address, subject, "\n\n".join(lines), files)

    @contextlib.contextmanager
    def _files(self, id: str) -> Iterator[list[Path]]:
        """The picture and its film as files here, as far as they are small enough to be sent."""
        with tempfile.TemporaryDirectory(prefix="text2art-") as folder:
            files, size = [], 0
            for name in (PICTURE, FILM):
                data = self._store.get(id, name)
                if data is not None and size + len(data) <= MOST_ATTACHED:
                    size += len(data)
                    files.append(Path(folder) / name)
                    files[-1].write_bytes(data)
            yield files


def _note_sent(connection: sa.Connection, id: str) -> None:
    connection.execute(sa.delete(addresses).where(addresses.c.job == id))
    connection.execute(sa.update(jobs).where(jobs.c.id == id).values(notified=now()))


def _address(connection: sa.Connection, id: str) -> str | None:
    address: str | None = connection.execute(sa.select(addresses.c.address).where(addresses.c.job == id)).scalar()
    return address
