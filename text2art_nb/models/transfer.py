"""One file on its way from one address: the ``.part`` beside its place, and a note of which version of it that is.

Whatever ends it, a part is either of a version that is known, and the next try goes on from where it ends, or it is
thrown away. The file itself appears in one step, when its bytes have been checked.
"""

import hashlib
import http.client
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import IO, Any
from urllib.parse import urlsplit

from text2art_nb.errors import ModelError
from text2art_nb.models import asking
from text2art_nb.models.asking import Answer, Broken, Refused, TooLong
from text2art_nb.models.provenance import Provenance
from text2art_nb.models.weights import UNPINNED, File, address, endpoint, repository_of

# (name of the file, bytes so far, bytes in all or None) -> nothing
Progress = Callable[[str, int, int | None], None]
Notice = Callable[[str], None]

PIECE = 1 << 18
TIMEOUT = 15.0  # seconds without a single byte
ATTEMPTS = 4  # in a row without a single new byte
LONGEST_PAUSE = 330.0  # seconds; the hub counts requests in windows of five minutes


class Cancelled(ModelError):
    """The download was stopped on request; what has come so far is kept for the next time."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to bear with a server.

    Attributes:
        attempts: in a row that bring nothing.
        timeout: seconds without a single byte.
        waits: seconds before each new attempt, the last one again and again.
        longest_pause: the most seconds that a busy server may ask for.
    """

    attempts: int = ATTEMPTS
    timeout: float = TIMEOUT
    waits: tuple[float, ...] = (1.0, 2.0, 4.0)
    longest_pause: float = LONGEST_PAUSE


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What all files of a download share: who hears of it, what stops it, and what is remembered of it."""

    progress: Progress
    notice: Notice
    cancel: Event
    patience: Patience
    provenance: Provenance | None = None


@dataclass(slots=True)
class _Reply:
    """A server's answer: a stream of bytes from ``start`` on, of ``total`` in all, and the digest that it promises."""

    stream: http.client.HTTPResponse
    start: int
    total: int | None
    tag: str | None
    sha256: str | None


_PAGE = "it answers with a web page instead"  # a proxy's, or one that wants to see a person first


class Transfer:
    """Fetches one file, from as many addresses as it takes."""

    def __init__(self, file: File, target: Path, around: Circumstances) -> None:
        self.file = file
        self.target = target
        self.part = target.with_name(f"{target.name}.part")
        self.origin = target.with_name(f"{target.name}.part.json")
        self.around = around
        self.remembered = around.provenance.digest_of(file.path) if around.provenance else None

    def run(self, url: str) -> None:
        """Fetches from one address of the catalogue, as often as it takes; returns when the file is in its place.

        Raises:
            Refused: this address will not do.
            Cancelled: on request.
            OSError: the disk; what the network does is one of the others.
        """
        inherited = self.done > 0
        asked, promised = self._fill(url)
        try:
            self._land(asked, promised)
        except Refused:
            if not inherited:
                raise
            # The bad bytes may have come from elsewhere, or long ago: this address gets a fresh start.
            self._land(*self._fill(url))

    def _fill(self, url: str) -> tuple[str, str | None]:
        """Fetches until the part is as long as the file; returns the address that was asked, its commit in it, and the
        digest that the server promised, if it did."""
        fruitless = 0
        while True:
            before = self.done
            try:
                asked = address(self._pinned(url))
                return asked, self._attempt(asked)
            except Broken as broken:
                fruitless = 0 if self.done > before else fruitless + 1
                if fruitless >= self.around.patience.attempts:
                    raise Refused(str(broken)) from broken
                self._pause(url, broken, fruitless)

    def _pause(self, url: str, broken: Broken, fruitless: int) -> None:
        """Waits before the next attempt: as long as the server asks for, and says so; or as long as is usual."""
        waits = self.around.patience.waits
        usual = waits[min(fruitless, len(waits) - 1)]
        if broken.wait is None:
            return self._wait(usual)
        host = urlsplit(address(url)).hostname
        if broken.wait > self.around.patience.longest_pause:
            raise Refused(f"{broken}: {host} wants to be asked again in {broken.wait:.0f} s, not before") from broken
        if broken.wait > usual:
            more = "; with a token in HF_TOKEN it allows more" if asking.is_hubs(address(url)) else ""
            self.around.notice(f"{host} asks for a pause of {broken.wait:.0f} s ({broken}): waiting{more}")
        return self._wait(max(usual, broken.wait))

    def _pinned(self, url: str) -> str:
        """The address with a commit in it: the catalogue's, the one that was learned before, or the branch's now."""
        repository = repository_of(url)
        if repository is None or UNPINNED not in url:
            return url
        provenance = self.around.provenance
        commit = provenance.commit_of(repository) if provenance else None
        if commit is None:
            beginning = provenance.beginning(repository) if provenance else ""
            commit = self._learned(url, repository, beginning)
            if provenance:
                provenance.learn_commit(repository, commit)
        return url.replace(UNPINNED, commit)

    def _learned(self, url: str, repository: str, beginning: str) -> str:
        """The commit of a repository's branch, or the one before it that begins as the catalogue says."""
        timeout = self.around.patience.timeout
        now = asking.commit_at(address(url.replace(UNPINNED, "main")), timeout)
        if now is None:
            raise Refused("it doesn't say which commit it has")
        if now.startswith(beginning):
            return now
        found = asking.json_at(f"{endpoint()}/api/models/{repository}/commits/main", timeout)
        older = _commits(found)
        if commit := next((commit for commit in older if commit.startswith(beginning)), None):
            return commit
        raise Refused(f"it doesn't have the commit {beginning} any more")

    @property
    def done(self) -> int:
        """Bytes that have come so far."""
        return self.part.stat().st_size if self.part.exists() else 0

    def _attempt(self, url: str) -> str | None:
        """Fetches what is lacking in one connection; returns the digest that the server promised, if it did."""
        whole, promised = self._is_filled(url)
        if whole:
            return promised
        reply = self._ask(url)
        with reply.stream, self.part.open("r+b" if reply.start else "wb") as out:
            self._note(url, reply)
            out.seek(reply.start)
            self._check_room(reply)
            self._copy(reply, out)
        if reply.total is not None and self.done != reply.total:
            raise Broken(f"the connection ended after {self.done} of {reply.total} bytes")
        return reply.sha256

    def _is_filled(self, url: str) -> tuple[bool, str | None]:
        """Whether the part is as long as the file already, and the digest that was promised for it."""
        noted = self._noted(url)
        promised = noted.get("sha256")
        if self.file.size is not None:
            return self.done == self.file.size, promised
        return self.done > 0 and noted.get("total") == self.done, promised

    def _copy(self, reply: _Reply, out: IO[bytes]) -> None:
        done = reply.start
        while True:
            if self.around.cancel.is_set():
                raise self._cancelled()
            try:
                piece = reply.stream.read1(PIECE)
            except (OSError, http.client.HTTPException) as error:
                raise Broken(f"the connection broke ({error})") from error
            if not piece:
                return
            out.write(piece)
            done += len(piece)
            self.around.progress(self.file.path, done, reply.total)

    def _ask(self, url: str) -> _Reply:
        """Opens the address, from where the part ends if that part is of the same version of the file."""
        headers = {}
        tag = self._resumable(url)
        if tag is not None:
            headers["Range"] = f"bytes={self.done}-"
            if tag:
                headers["If-Range"] = tag
        try:
            answer = asking.open_file(url, headers, self.around.patience.timeout)
        except TooLong:  # the part is longer than the file: it is of something else
            self._forget()
            raise
        return self._understand(answer)

    def _understand(self, answer: Answer) -> _Reply:
        stream = answer.stream
        if self.file.sha256 is None and stream.headers.get_content_type() == "text/html":
            stream.close()
            raise Refused(_PAGE)
        length = stream.headers.get("Content-Length")
        total = int(length) if length and length.isdigit() else None
        start = 0
        if stream.status == 206:
            span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", stream.headers.get("Content-Range", ""))
            if not span or int(span[1]) != self.done:
                stream.close()
                self._forget()
                raise Broken("the server went on from the wrong place")
            start = int(span[1])
            total = int(span[2]) if span[2] != "*" else (total and start + total)
        if self.file.size is not None and total is not None and total != self.file.size:
            stream.close()
            raise Refused(f"it has {total} bytes there instead of {self.file.size}")
        tag = stream.headers.get("ETag")
        return _Reply(stream, start, total, None if tag is None or tag.startswith("W/") else tag, answer.sha256)

    def _resumable(self, url: str) -> str | None:
        """None to start afresh; else the version tag that the part must still have ("" = the digest will tell)."""
        if not self.done:
            return None
        if self.file.sha256 or self.remembered:
            return ""
        return self._noted(url).get("tag") or None

    def _noted(self, url: str) -> dict[str, Any]:
        """What was noted of the part, if it is of that address."""
        try:
            noted = json.loads(self.origin.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}
        return noted if isinstance(noted, dict) and noted.get("url") == url else {}

    def _note(self, url: str, reply: _Reply) -> None:
        said = {"url": url, "tag": reply.tag, "total": reply.total, "sha256": reply.sha256}
        work = self.origin.with_name(f"{self.origin.name}.new")
        work.write_text(json.dumps(said), encoding="utf-8")
        os.replace(work, self.origin)

    def _check_room(self, reply: _Reply) -> None:
        lacking = (reply.total or 0) - reply.start
        free = shutil.disk_usage(self.target.parent).free
        if lacking > free:
            need = f"{self.file.path} needs {lacking / 1e6:.0f} MB more"
            raise ModelError(f"{need}, and {self.target.parent} has {free / 1e6:.0f} MB left")

    def _land(self, url: str, promised: str | None) -> None:
        """Checks the whole part and moves it to its place; a wrong one is thrown away."""
        size, expected = self.done, self.file.sha256 or self.remembered or promised
        found = digest(self.part)
        trouble = None
        if self.file.size is not None and size != self.file.size:
            trouble = f"it has {size} bytes there instead of {self.file.size}"
        elif expected and found != expected:
            trouble = self._difference(found, expected, promised)
        elif not expected:
            trouble = _looks_wrong(self.part, self.target.suffix)
        if trouble:
            self._forget()
            raise Refused(trouble)
        if self.around.provenance:  # before the file is there: what is there is always remembered
            self.around.provenance.learn_file(self.file.path, self.part, found, url)
        os.replace(self.part, self.target)
        self.origin.unlink(missing_ok=True)

    def _difference(self, found: str, expected: str, promised: str | None) -> str:
        """Why bytes with another digest than the expected one are refused, and what can be done about it."""
        told = f"its sha256 there is {found}, not {expected}"
        if self.file.sha256 and found == promised:
            return f"{told}: its server says that this is right, so this version of text2art names another file"
        if not self.file.sha256 and self.remembered and self.around.provenance:
            memory = self.around.provenance.path
            return f"{told} as it came the first time: if you trust the new one, delete {memory} and fetch it again"
        return told

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.origin.unlink(missing_ok=True)

    def _wait(self, seconds: float) -> None:
        """Sleeps, but not through a cancellation."""
        if self.around.cancel.wait(seconds):
            raise self._cancelled()

    def _cancelled(self) -> Cancelled:
        return Cancelled(f"fetching {self.file.path} was stopped; the next time goes on from where it was")


def digest(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _commits(answer: bytes) -> list[str]:
    """The commits in what the hub's API says of a branch, the newest first."""
    try:
        listed = json.loads(answer)
    except (ValueError, RecursionError) as error:
        raise Refused("it doesn't say which commits it has") from error
    entries = listed if isinstance(listed, list) else []
    return [str(entry.get("id")) for entry in entries if isinstance(entry, dict)]


def _looks_wrong(path: Path, suffix: str) -> str | None:
    """What shows that a file of which no digest is known is none of its kind; None if nothing does."""
    with path.open("rb") as stream:
        head = stream.read(1000).lstrip().lower()
    if head.startswith((b"<!doctype", b"<!--", b"<html", b"<head", b"<?xml")):
        return _PAGE
    if suffix == ".json":
        try:
            json.loads(path.read_bytes())
        except (ValueError, RecursionError) as error:
            return f"what is there is not JSON ({error})"
    return None
