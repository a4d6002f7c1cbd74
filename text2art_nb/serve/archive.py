"""A database that works on a local disk, and a copy of it beside the pictures, on Google Drive or another remote place.

SQLite must not work on a FUSE or network file system (`runtime.filesystems`), but a file that is only copied there is
safe, and outlives the machine: the gallery, the likes and the queue of a Colab runtime are there in the next one.
"""

import contextlib
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from text2art_nb.serve.config import Config
from text2art_nb.serve.job_runner import Pacer
from text2art_nb.serve.tables import sqlite

NAME: Final = "text2art.sqlite"
COPY_SECONDS: Final = 60.0

log = logging.getLogger("text2art.serve")


class Archive:
    """The copy of a service's database in `folder`. Without a folder there is none, and nothing happens."""

    def __init__(self, config: Config, folder: Path | None) -> None:
        self._database = config.data / NAME
        self._folder = folder
        self._pacer = Pacer(COPY_SECONDS)
        self._sqlite = sqlite()
        self._copied: object = None

    def bring_back(self) -> None:
        """Take the copy as the database, where there is no database yet.

        One that can't be read is put aside as "….damaged", and logged.
        """
        if self._folder is None or self._database.exists() or not (self._folder / NAME).is_file():
            return
        part = self._database.with_name(f".{NAME}.part")
        try:
            self._database.parent.mkdir(parents=True, exist_ok=True)
            # One that has worked there, by an older version, has its latest changes in a file of their own.
            for suffix in ("", "-wal"):
                with contextlib.suppress(FileNotFoundError):
                    shutil.copyfile(self._folder / f"{NAME}{suffix}", f"{part}{suffix}")
            self._copy(part, self._database)
        except (OSError, self._sqlite.Error) as error:
            log.warning("the database in %s can't be taken over, and a new one is made: %s", self._folder, error)
            self._put_aside(self._folder)
        finally:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{part}{suffix}").unlink(missing_ok=True)

    def _put_aside(self, folder: Path) -> None:
        """Keep what can't be read from being written over; where it can't be moved, nothing is copied there."""
        try:
            os.replace(folder / NAME, folder / f"{NAME}.damaged")
        except OSError:
            self._folder = None

    def keep_up(self, state: object) -> None:
        """Copy the database at most once a minute, if `state` isn't what it was at the last copy."""
        if self._folder is not None and state != self._copied and self._pacer.is_due():
            self.put_away()
            self._copied = state

    def put_away(self) -> None:
        """Copy the database as it is now; others may write to it meanwhile. If it fails, that is logged."""
        if self._folder is None or not self._database.exists():
            return
        part = self._folder / f".{NAME}.part"
        try:
            with tempfile.TemporaryDirectory(prefix="text2art-") as local:
                copy = Path(local) / NAME
                self._copy(self._database, copy)
                self._folder.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(copy, part)
            os.replace(part, self._folder / NAME)
            for suffix in ("-wal", "-shm"):  # of an older version's database, which is in ours
                (self._folder / f"{NAME}{suffix}").unlink(missing_ok=True)
        except (OSError, self._sqlite.Error) as error:
            log.warning("the database could not be copied to %s: %s", self._folder, error)
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def _copy(self, source: Path, target: Path) -> None:
        """Copy a database as of one moment, into a file that needs no other one beside it.

        Raises:
            Error: of the module for SQLite: it isn't one, or it is damaged.
            OSError: it can't be written.
        """
        new = target.with_name(f".{target.name}.new")
        new.unlink(missing_ok=True)
        connect, closing = self._sqlite.connect, contextlib.closing
        try:
            with closing(connect(str(source))) as old, closing(connect(str(new))) as copy:
                old.backup(copy)
                copy.execute("PRAGMA journal_mode=DELETE")
                [[verdict]] = copy.execute("PRAGMA quick_check(1)")
            if verdict != "ok":
                raise self._sqlite.DatabaseError(f"it is damaged: {verdict}")
            os.replace(new, target)
        finally:
            new.unlink(missing_ok=True)
