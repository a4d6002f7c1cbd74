"""Fetching one file so that it is whole, checked, and never half there.

Bytes go to ``NAME.part`` and move to ``NAME`` in one step once size and digest are right. A connection that breaks is
taken up where it broke (HTTP Range), in this process or a later one; an address that fails for good gives way to the
next.
"""

import hashlib
import http.client
import json
import os
import re
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import IO

from text2art_nb.errors import ModelError
from text2art_nb.models.catalogue import File, address

# (name of the file, bytes so far, bytes in all or None) -> nothing
Progress = Callable[[str, int, int | None], None]

PIECE = 1 << 18
TIMEOUT = 15.0  # seconds without a single byte
ATTEMPTS = 4  # in a row without a single new byte


class Cancelled(ModelError):
    """The download was stopped on request; what has come so far is kept for the next time."""


class Absent(ModelError):
    """No address has such a file (HTTP 404 or 410 everywhere): another form of it may exist."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to bear with a server. ``waits``: seconds before each new attempt, the last one again and again."""

    attempts: int = ATTEMPTS
    timeout: float = TIMEOUT
    waits: tuple[float, ...] = (1.0, 2.0, 4.0)


class _Refused(Exception):
    """This address will not give the file; ``absent`` if it says that there is none."""

    def __init__(self, reason: str, absent: bool = False) -> None:
        super().__init__(reason)
        self.absent = absent


class _Broken(Exception):
    """The connection ended early, or the server is busy: worth another attempt."""


def fetch(
    file: File,
    directory: Path,
    *,
    progress: Progress | None = None,
    cancel: Event | None = None,
    patience: Patience | None = None,
) -> Path:
    """Brings ``file``, or where there is none the one that serves as well, into ``directory``.

    Args:
        progress: called after each piece, on this thread.
        cancel: looked at before each piece.

    Returns:
        the path of the file. One that is there already, with the right size where that is known, is not fetched again.

    Raises:
        Absent: every address says that there is no such file.
        Cancelled: ``cancel`` was set.
        ModelError: no address gave it whole; each one's reason is in the text. Or the disk is full.
    """
    for choice in file.choices():
        if is_whole(choice, directory):
            return directory / choice.path
    absent: list[Absent] = []
    for choice in file.choices():
        try:
            return _fetch_one(choice, directory, progress or _silent, cancel or Event(), patience or Patience())
        except Absent as error:
            absent.append(error)
    raise Absent("; ".join(map(str, absent)))


def _fetch_one(file: File, directory: Path, progress: Progress, cancel: Event, patience: Patience) -> Path:
    """``fetch`` without the files that serve as well: from the first address that has this one whole."""
    target = directory / file.path
    transfer = _Transfer(file, target, progress, cancel, patience)
    reasons: list[tuple[str, _Refused]] = []
    for url in map(address, (file.url, *file.mirrors)):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            transfer.run(url)
            return target
        except _Refused as refusal:
            reasons.append((url, refusal))
        except OSError as error:  # what the network did is caught where it happened: this is the disk
            raise ModelError(f"{target} cannot be written ({error.strerror or error})") from error
    kind = Absent if all(refusal.absent for _, refusal in reasons) else ModelError
    tried = "; ".join(f"{url}: {refusal}" for url, refusal in reasons)
    raise kind(f"{file.path} could not be fetched ({tried})")


def is_whole(file: File, directory: Path) -> bool:
    """True where the file is there, with its published size. (Its digest was checked when it came.)"""
    target = directory / file.path
    return os.path.isfile(target) and (file.size is None or target.stat().st_size == file.size)


def digest(path: Path) -> str:
    """The sha256 of a file, in hex."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


_PAGE = "it answers with a web page instead"  # a proxy's, or one that wants to see a person first


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


def _silent(_name: str, _done: int, _total: int | None) -> None:
    pass


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, and remembers the digest that the hub names before it sends one on to its store."""

    def __init__(self) -> None:
        self.sha256: str | None = None

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        tag = headers.get("X-Linked-Etag", "").strip('"')
        if re.fullmatch(r"[0-9a-f]{64}", tag):
            self.sha256 = tag
        return super().redirect_request(req, fp, code, msg, headers, newurl)


@dataclass(slots=True)
class _Reply:
    """A server's answer: a stream of bytes from ``start`` on, of ``total`` in all, and the digest that it promises."""

    stream: http.client.HTTPResponse
    start: int
    total: int | None
    tag: str | None
    sha256: str | None


class _Transfer:
    """One file on its way: the ``.part`` beside its place, and a note of which version of it that is."""

    def __init__(self, file: File, target: Path, progress: Progress, cancel: Event, patience: Patience) -> None:
        self.file = file
        self.target = target
        self.part = target.with_name(f"{target.name}.part")
        self.origin = target.with_name(f"{target.name}.part.json")
        self.progress = progress
        self.cancel = cancel
        self.patience = patience

    def run(self, url: str) -> None:
        """Fetches from one address, as often as it takes; returns when the file is in its place.

        Raises:
            _Refused: this address will not do.
            Cancelled: on request.
        """
        inherited = self.done > 0
        promised = self._fill(url)
        try:
            self._land(promised)
        except _Refused:
            if not inherited:
                raise
            # The bad bytes may have come from elsewhere, or long ago: this address gets a fresh start.
            self._land(self._fill(url))

    def _fill(self, url: str) -> str | None:
        """Fetches until the part is as long as the file; returns the digest that the server promised, if it did."""
        fruitless = 0
        while True:
            before = self.done
            try:
                return self._attempt(url)
            except _Broken as broken:
                fruitless = 0 if self.done > before else fruitless + 1
                if fruitless >= self.patience.attempts:
                    raise _Refused(str(broken)) from broken
                waits = self.patience.waits
                self._wait(waits[min(fruitless, len(waits) - 1)])

    @property
    def done(self) -> int:
        """Bytes that have come so far."""
        return self.part.stat().st_size if self.part.exists() else 0

    def _attempt(self, url: str) -> str | None:
        """Fetches what is lacking in one connection; returns the digest that the server promised, if it did."""
        if self.file.size is not None and self.done == self.file.size:
            return None
        reply = self._ask(url)
        with reply.stream, self.part.open("r+b" if reply.start else "wb") as out:
            self._note(url, reply)
            out.seek(reply.start)
            self._check_room(reply)
            self._copy(reply, out)
        if reply.total is not None and self.done != reply.total:
            raise _Broken(f"the connection ended after {self.done} of {reply.total} bytes")
        return reply.sha256

    def _copy(self, reply: _Reply, out: IO[bytes]) -> None:
        done = reply.start
        while True:
            if self.cancel.is_set():
                raise self._cancelled()
            try:
                piece = reply.stream.read1(PIECE)
            except (OSError, http.client.HTTPException) as error:
                raise _Broken(f"the connection broke ({error})") from error
            if not piece:
                return
            out.write(piece)
            done += len(piece)
            self.progress(self.file.path, done, reply.total)

    def _ask(self, url: str) -> _Reply:
        """Opens the address, from where the part ends if that part is of the same version of the file."""
        redirects = _Redirects()
        request = urllib.request.Request(url, headers={"User-Agent": "text2art-nb", "Accept-Encoding": "identity"})
        tag = self._resumable(url)
        if tag is not None:
            request.add_header("Range", f"bytes={self.done}-")
            if tag:
                request.add_header("If-Range", tag)
        try:
            stream = urllib.request.build_opener(redirects).open(request, timeout=self.patience.timeout)
        except urllib.error.HTTPError as error:
            raise self._http_error(error) from error
        except urllib.error.URLError as error:
            if isinstance(error.reason, TimeoutError | ConnectionResetError | ConnectionAbortedError):
                raise _Broken(f"the connection broke ({error.reason})") from error
            raise _Refused(f"no connection ({error.reason})") from error
        except (OSError, http.client.HTTPException) as error:
            raise _Broken(f"the connection broke ({error})") from error
        return self._understand(stream, redirects.sha256)

    def _http_error(self, error: urllib.error.HTTPError) -> Exception:
        error.close()
        if error.code == 416:  # the part is longer than the file: it is of something else
            self._forget()
            return _Broken("the server has a shorter file")
        if error.code in (408, 425, 429) or error.code >= 500:
            return _Broken(f"HTTP {error.code}")
        return _Refused(f"HTTP {error.code}", absent=error.code in (404, 410))

    def _understand(self, stream: http.client.HTTPResponse, sha256: str | None) -> _Reply:
        if self.file.sha256 is None and stream.headers.get_content_type() == "text/html":
            stream.close()
            raise _Refused(_PAGE)
        length = stream.headers.get("Content-Length")
        total = int(length) if length and length.isdigit() else None
        start = 0
        if stream.status == 206:
            span = re.fullmatch(r"bytes (\d+)-\d+/(\d+|\*)", stream.headers.get("Content-Range", ""))
            if not span or int(span[1]) != self.done:
                stream.close()
                self._forget()
                raise _Broken("the server went on from the wrong place")
            start = int(span[1])
            total = int(span[2]) if span[2] != "*" else (total and start + total)
        if self.file.size is not None and total is not None and total != self.file.size:
            stream.close()
            raise _Refused(f"it has {total} bytes there instead of {self.file.size}")
        tag = stream.headers.get("ETag")
        return _Reply(stream, start, total, None if tag is None or tag.startswith("W/") else tag, sha256)

    def _resumable(self, url: str) -> str | None:
        """None to start afresh; else the version tag that the part must still have ("" = the digest will tell)."""
        if not self.done:
            return None
        if self.file.sha256:
            return ""
        try:
            origin = json.loads(self.origin.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return origin.get("tag") or None if origin.get("url") == url else None

    def _note(self, url: str, reply: _Reply) -> None:
        self.origin.write_text(json.dumps({"url": url, "tag": reply.tag}), encoding="utf-8")

    def _check_room(self, reply: _Reply) -> None:
        lacking = (reply.total or 0) - reply.start
        free = shutil.disk_usage(self.target.parent).free
        if lacking > free:
            need = f"{self.file.path} needs {lacking / 1e6:.0f} MB more"
            raise ModelError(f"{need}, and {self.target.parent} has {free / 1e6:.0f} MB left")

    def _land(self, promised: str | None) -> None:
        """Checks the whole part and moves it to its place; a wrong one is thrown away."""
        expected = self.file.sha256 or promised
        size = self.done
        if self.file.size is not None and size != self.file.size:
            self._forget()
            raise _Refused(f"it has {size} bytes there instead of {self.file.size}")
        if expected:
            found = digest(self.part)
            if found != expected:
                self._forget()
                raise _Refused(f"its sha256 there is {found}, not {expected}")
        elif trouble := _looks_wrong(self.part, self.target.suffix):
            self._forget()
            raise _Refused(trouble)
        os.replace(self.part, self.target)
        self.origin.unlink(missing_ok=True)

    def _forget(self) -> None:
        self.part.unlink(missing_ok=True)
        self.origin.unlink(missing_ok=True)

    def _wait(self, seconds: float) -> None:
        """Sleeps, but not through a cancellation."""
        if self.cancel.wait(seconds):
            raise self._cancelled()

    def _cancelled(self) -> Cancelled:
        return Cancelled(f"fetching {self.file.path} was stopped; the next time goes on from where it was")
