"""Announce finished pictures: the text, the recipients, and that each notice is sent once."""

import contextlib
import logging
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from filelock import FileLock

from text2art_nb.runtime.filesystems import lock_file
from text2art_nb.serve.config import Config, Notices
from text2art_nb.serve.retry import in_transaction
from text2art_nb.serve.store import FILM, PICTURE, Store, check_id
from text2art_nb.serve.tables import addresses, jobs, now

log = logging.getLogger("text2art.serve")

MAX_ATTACHED: Final = 15_000_000
"""Total bytes of attachments. Many mail servers refuse more than 20 to 25 MB after encoding."""


def has_recipients(connection: sa.Connection, config: Config, id: str) -> bool:
    """Whether job `id` has anyone to notify."""
    public = connection.execute(sa.select(jobs.c.public).where(jobs.c.id == id)).scalar()
    return bool(config.notices.channels and public) or bool(config.notices.mail and _address(connection, id))


class Notifier:
    """Send each kind of notice once. `mail` and `channels` raise NoticeError and may then be called again."""

    def __init__(self, config: Config, engine: sa.Engine, store: Store) -> None:
        self._config, self._engine, self._store = config, engine, store

    def mail(self, id: str) -> None:
        """Mail the picture to the job's address, then delete the address.

        Other senders of the same mail, on any machine, wait meanwhile and then find no address.
        """
        job = self._job(id)
        if job is None or self._config.notices.mail is None:
            return
        with self._locked_address(id) as address:
            if address is not None:
                self._send(Notices(mail=self._config.notices.mail), address, job)

    @contextlib.contextmanager
    def _locked_address(self, id: str) -> Iterator[str | None]:
        """Yield the address of a job, or None, under an exclusive lock. Delete it unless the body raises.

        A file locks out senders on this machine; on Postgres the address's row locks out those on other machines. On
        SQLite a row lock would block every writer. Recording the delivery is retried, since a lost record means a
        second mail.
        """
        check_id(id)
        path = self._config.data / "mails" / f"{id}.lock"
        path.parent.mkdir(parents=True, exist_ok=True)
        path = lock_file(path)
        sent = False
        with FileLock(path, is_singleton=False):
            try:
                with self._engine.begin() as connection:
                    mine = sa.select(addresses.c.address).where(addresses.c.job == id).with_for_update()
                    address = connection.execute(mine).scalar()
                    yield address
                    sent = address is not None
                    if sent:
                        _record_sent(connection, id)
            except sa.exc.DBAPIError as error:
                if not sent:
                    raise
                log.warning("job %s: its mail is sent; recording that is retried: %s", id, error.orig)
                in_transaction(self._engine, lambda connection: _record_sent(connection, id))
        path.unlink(missing_ok=True)

    def discard_address(self, id: str) -> None:
        """Delete the address of a job whose mail can't be sent."""
        gone = sa.delete(addresses).where(addresses.c.job == id)
        in_transaction(self._engine, lambda connection: connection.execute(gone))

    def _job(self, id: str) -> sa.RowMapping | None:
        with self._engine.connect() as connection:
            query = sa.select(jobs.c.id, jobs.c.prompt, jobs.c.public).where(jobs.c.id == id)
            return connection.execute(query).mappings().first()

    def channels(self, id: str) -> None:
        """Announce a public picture in the operator's channels."""
        job = self._job(id)
        if job is not None and job["public"] and self._config.notices.channels:
            self._send(Notices(channels=self._config.notices.channels), None, job)

    def _send(self, notices: Notices, address: str | None, job: sa.RowMapping) -> None:
        from text2art_nb.serve.notices import send

        prompt = " ".join(job["prompt"].split())
        subject = f"Your picture is ready: {prompt[:60]}"
        lines = [f"“{prompt[:500]}” has been drawn."]
        if self._config.url:
            lines.append(f"See it at {self._config.url}/api/jobs/{job['id']}/image")
        with self._files(job["id"]) as files:
            send(notices, address, subject, "\n\n".join(lines), files)

    @contextlib.contextmanager
    def _files(self, id: str) -> Iterator[list[Path]]:
        """Yield the picture and its film as local files, as far as they fit into a message."""
        with tempfile.TemporaryDirectory(prefix="text2art-") as folder:
            files, size = [], 0
            for name in (PICTURE, FILM):
                data = self._store.get(id, name)
                if data is not None and size + len(data) <= MAX_ATTACHED:
                    size += len(data)
                    files.append(Path(folder) / name)
                    files[-1].write_bytes(data)
            yield files


def _record_sent(connection: sa.Connection, id: str) -> None:
    connection.execute(sa.delete(addresses).where(addresses.c.job == id))
    connection.execute(sa.update(jobs).where(jobs.c.id == id).values(notified=now()))


def _address(connection: sa.Connection, id: str) -> str | None:
    address: str | None = connection.execute(sa.select(addresses.c.address).where(addresses.c.job == id)).scalar()
    return address
