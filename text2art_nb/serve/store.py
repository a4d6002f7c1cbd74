"""Where pictures lie: a folder, or a bucket by fsspec; a file is there whole or not at all."""

import contextlib
import os
import re
import secrets
from pathlib import Path

from text2art_nb.errors import Text2ArtError
from text2art_nb.serve.config import Config

PICTURE, FILM, SVG, FRAME = "picture.png", "film.mp4", "picture.svg", "frame.jpg"
CHECKPOINT = "checkpoint.safetensors"

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Store:
    """The files of all jobs, each job's in a folder of its own.

    Raises:
        Text2ArtError: the URL's file system isn't installed or can't be reached.
    """

    def __init__(self, config: Config) -> None:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]

        try:
            self._fs, root = url_to_fs(config.files_url)
        except (ImportError, ValueError, OSError) as error:
            raise Text2ArtError(f"files can't be kept at {config.files_url}: {error}") from error
        self._root = str(root).rstrip("/")
        self.local = "file" in (self._fs.protocol if isinstance(self._fs.protocol, tuple) else (self._fs.protocol,))
        if self.local:
            Path(self._root).mkdir(parents=True, exist_ok=True)

    def put(self, id: str, name: str, data: bytes) -> None:
        """Write a file of a job, in place of an older one."""
        place = self._place(id, name)
        if not self.local:
            self._fs.pipe_file(place, data)  # a bucket shows an object once it is complete
            return
        path = Path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{name}.{os.getpid()}.{secrets.token_hex(4)}")
        try:
            part.write_bytes(data)
            os.replace(part, path)
        finally:
            part.unlink(missing_ok=True)

    def put_file(self, id: str, name: str, source: Path) -> None:
        """As `put`, from a file here."""
        self.put(id, name, source.read_bytes())

    def get(self, id: str, name: str) -> bytes | None:
        """A file's bytes, or None where there is no such file."""
        try:
            data: bytes = self._fs.cat_file(self._place(id, name))
        except FileNotFoundError:
            return None
        return data

    def find(self, id: str, name: str) -> Path | bytes | None:
        """A file as a path where it lies in a folder here, else as its bytes; None where there is no such file."""
        if not self.local:
            return self.get(id, name)
        path = Path(self._place(id, name))
        return path if path.is_file() else None

    def remove(self, id: str) -> None:
        """Remove all files of a job; what somebody else has removed meanwhile is removed, too."""
        place = self._place(id, "")
        while self._fs.exists(place):
            try:
                self._fs.rm(place, recursive=True)
            except FileNotFoundError:
                self._fs.invalidate_cache()  # a bucket's may still show what is gone

    def discard(self, id: str, name: str) -> None:
        """Remove a file of a job, if it is there."""
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(self._place(id, name))

    def _place(self, id: str, name: str) -> str:
        check_id(id)
        return f"{self._root}/{id}/{name}".rstrip("/")


def check_id(id: str) -> None:
    """Raises ValueError for what can't be a job's name, and so neither a folder's nor a part of an address."""
    if not _ID.fullmatch(id):
        raise ValueError(f"a job is named with 1 to 64 letters, digits, _ and -; got {id[:80]!r}")
