"""A database that works on a local disk, with a copy beside the pictures on Google Drive or another remote folder.

SQLite must not work on a FUSE or network file system (`runtime.filesystems`), but a copied file there is safe and
outlives the machine: a new Colab runtime finds the gallery, the likes and the queue again.
"""

import contextlib
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from text2art_nb.serve.config import Config
from text2art_nb.serve.tables import sqlite
from text2art_nb.serve.throttle import Throttle

NAME: Final = "text2art.sqlite"
COPY_SECONDS: Final = 60.0

log = logging.getLogger("text2art.serve")


class Archive:
    """The copy of a service's database in `folder`. Without a folder, nothing happens."""

    def __init__(self, config: Config, folder: Path | None) -> None:
        self._database = config.data / NAME
        self._folder = folder
        self._throttle = Throttle(COPY_SECONDS)
        self._sqlite = sqlite()
        self._copied: object = None

    def restore(self) -> None:
        """Restore the database from the copy if there is no database yet.

        An unreadable copy is renamed to "….damaged", and logged.
        """
        if self._folder is None or self._database.exists() or not (self._folder / NAME).is_file():
            return
        part = self._database.with_name(f".{NAME}.part")
        try:
            self._database.parent.mkdir(parents=True, exist_ok=True)
            # An older version worked there directly and left its latest changes in a separate file.
            for suffix in ("", "-wal"):
                with contextlib.suppress(FileNotFoundError):
                    shutil.copyfile(self._folder / f"{NAME}{suffix}", f"{part}{suffix}")
            self._copy(part, self._database)
        except (OSError, self._sqlite.Error) as error:
            log.warning("the database in %s can't be taken over, so a new one is created: %s", self._folder, error)
            self._quarantine(self._folder)
        finally:
            for suffix in ("", "-wal", "-shm"):
                Path(f"{part}{suffix}").unlink(missing_ok=True)

    def _quarantine(self, folder: Path) -> None:
        """Rename an unreadable copy so that it isn't overwritten; if that fails, make no copies there."""
        try:
            os.replace(folder / NAME, folder / f"{NAME}.damaged")
        except OSError:
            self._folder = None

    def back_up_if_changed(self, state: object) -> None:
        """Copy the database at most once a minute, if `state` has changed since the last copy."""
        if self._folder is not None and state != self._copied and self._throttle.is_due():
            self.back_up()
            self._copied = state

    def back_up(self) -> None:
        """Copy the database as it is now, also while it is written to. A failure is logged."""
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
            for suffix in ("-wal", "-shm"):  # left by an older version; ours includes them
                (self._folder / f"{NAME}{suffix}").unlink(missing_ok=True)
        except (OSError, self._sqlite.Error) as error:
            log.warning("the database could not be copied to %s: %s", self._folder, error)
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)

    def _copy(self, source: Path, target: Path) -> None:
        """Copy a database as of one moment into a single, self-contained file.

        Raises:
            Error: of the SQLite module: the source is damaged or no database.
            OSError: the target can't be written.
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
