"""What is remembered of fetched weights: the commit that a branch stood at, and the sha256 of every file.

It lies in a small JSON file beside the checkpoint's directory, so that deleting the directory to fetch it anew doesn't
delete what was known of it. The first download of a file whose digest nobody has published is trusted; every later one
must bring the same bytes, and so must whatever lies in the directory when it is used.
"""

import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from text2art_nb.errors import ModelError
from text2art_nb.models.weights import beginning, is_commit

SUFFIX = ".lock.json"
_VERSION = 1


@dataclass(frozen=True, slots=True)
class Fetched:
    """One file as it came.

    Attributes:
        sha256, size: of its bytes.
        url: where it came from.
        revision: what the catalogue said of the commit then; a digest is compared only while it says the same.
        changed: when the file on disk was last written, in nanoseconds; the bytes were right then.
    """

    sha256: str
    size: int
    url: str
    revision: str
    changed: int


class Provenance:
    """The memory of one checkpoint; read when made, written with each thing that it is told."""

    def __init__(self, directory: Path, repository: str = "", revision: str = "") -> None:
        """directory: the checkpoint's; repository, revision: as the catalogue has them.

        Raises:
            ModelError: what is there is not a memory that can be read.
        """
        self.path = directory.with_name(directory.name + SUFFIX)
        self.repository = repository
        self.revision = revision
        self._commits: dict[str, str] = {}
        self._files: dict[str, Fetched] = {}
        try:
            self._read()
        except FileNotFoundError:
            pass
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise ModelError(
                f"{self.path} can't be read ({str(error)[:200]}): delete it, and what is fetched next is trusted anew"
            ) from error

    def commit_of(self, repository: str) -> str | None:
        """The commit that a repository's files are of; None until it was learned."""
        return self._commits.get(repository)

    def beginning(self, repository: str) -> str:
        """How a repository's commit begins, as far as the catalogue knows; "" where it doesn't."""
        return beginning(self.revision) if repository == self.repository else ""

    def digest_of(self, path: str) -> str | None:
        """The sha256 that a file of the checkpoint came with the first time; None if it never came."""
        fetched = self._files.get(path)
        return fetched.sha256 if fetched and fetched.revision == self.revision else None

    def learn_commit(self, repository: str, commit: str) -> None:
        """Remember which commit is asked for from now on. Raises OSError where it can't be written."""
        self._commits[repository] = commit
        self._write()

    def learn_file(self, path: str, on_disk: Path, sha256: str, url: str) -> None:
        """Remember a file of the checkpoint, whose bytes are in `on_disk`. Raises OSError where it can't be written."""
        state = on_disk.stat()
        self._files[path] = Fetched(sha256, state.st_size, url, self.revision, state.st_mtime_ns)
        self._write()

    def touched(self, directory: Path) -> Iterator[tuple[str, Fetched]]:
        """The remembered files that were written since their bytes were known to be right: their size or time differs.

        Those that aren't there, and those of another revision, are left out.
        """
        for path, fetched in self._files.items():
            try:
                state = (directory / path).stat()
            except OSError:
                continue
            same = (state.st_size, state.st_mtime_ns) == (fetched.size, fetched.changed)
            if fetched.revision == self.revision and not same:
                yield path, fetched

    def _read(self) -> None:
        said = json.loads(self.path.read_text(encoding="utf-8"))
        if said["version"] != _VERSION:
            raise ValueError(f"it is of version {said['version']!r}, not {_VERSION}")
        commits, files = _mapping(said["commits"]), _mapping(said["files"])
        self._files = {str(path): _fetched(entry) for path, entry in files.items()}
        if not all(isinstance(commit, str) and is_commit(commit) for commit in commits.values()):
            raise ValueError("a commit has 40 hex digits")
        self._commits = dict(commits)

    def _write(self) -> None:
        """All at once: whoever reads it meanwhile, and whatever interrupts it, finds the old one or the new one."""
        files = {path: asdict(fetched) for path, fetched in self._files.items()}
        said = {"version": _VERSION, "commits": self._commits, "files": files}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        handle, work = tempfile.mkstemp(dir=self.path.parent, prefix=f".{self.path.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(said, stream, indent=1, sort_keys=True)
            os.replace(work, self.path)
        except BaseException:
            Path(work).unlink(missing_ok=True)
            raise


def _mapping(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise TypeError("it must be a table of tables")
    return value


def _fetched(entry: Any) -> Fetched:
    fetched = Fetched(**_mapping(entry))
    words = (fetched.sha256, fetched.url, fetched.revision)
    numbers = (fetched.size, fetched.changed)
    if not all(isinstance(word, str) for word in words) or not all(isinstance(number, int) for number in numbers):
        raise TypeError("an entry must have sha256, size, url, revision and changed")
    return fetched
