"""The files of finished pictures: a folder, or a bucket through fsspec. A file is complete or absent."""

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
    """The files of all jobs, one folder per job.

    Raises:
        Text2ArtError: the URL's file system isn't installed or can't be reached.
    """

    def __init__(self, config: Config) -> None:
        from fsspec.core import url_to_fs

        try:
            self._fs, root = url_to_fs(config.files_url)
        except (ImportError, ValueError, OSError) as error:
            raise Text2ArtError(f"files can't be stored at {config.files_url}: {error}") from error
        self._root = str(root).rstrip("/")
        self.local = "file" in (self._fs.protocol if isinstance(self._fs.protocol, tuple) else (self._fs.protocol,))
        if self.local:
            Path(self._root).mkdir(parents=True, exist_ok=True)

    def put(self, id: str, name: str, data: bytes) -> None:
        """Write a file of a job, replacing an older one."""
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
        """Write a file of a job from a local file."""
        self.put(id, name, source.read_bytes())

    def get(self, id: str, name: str) -> bytes | None:
        """Read a file; None if it doesn't exist."""
        try:
            data: bytes = self._fs.cat_file(self._place(id, name))
        except FileNotFoundError:
            return None
        return data

    def find(self, id: str, name: str) -> Path | bytes | None:
        """Return a file as a path if the store is a folder, else as bytes; None if it doesn't exist."""
        if not self.local:
            return self.get(id, name)
        path = Path(self._place(id, name))
        return path if path.is_file() else None

    def remove(self, id: str) -> None:
        """Remove all files of a job, including any that another process removes meanwhile."""
        place = self._place(id, "")
        while self._fs.exists(place):
            try:
                self._fs.rm(place, recursive=True)
            except FileNotFoundError:
                self._fs.invalidate_cache()  # a bucket's listing may be stale

    def discard(self, id: str, name: str) -> None:
        """Remove a file of a job if it exists."""
        with contextlib.suppress(FileNotFoundError):
            self._fs.rm_file(self._place(id, name))

    def _place(self, id: str, name: str) -> str:
        check_id(id)
        return f"{self._root}/{id}/{name}".rstrip("/")


def check_id(id: str) -> None:
    """Raise ValueError for an invalid job id: it becomes part of a path and of an address."""
    if not _ID.fullmatch(id):
        raise ValueError(f"a job's id has 1 to 64 letters, digits, _ and -; got {id[:80]!r}")
