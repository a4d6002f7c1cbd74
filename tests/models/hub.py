"""A Hugging Face hub on this machine: a real HTTP server on loopback that repositories are put on.

It answers huggingface_hub's client (`HF_ENDPOINT`) and ours as the hub does: small files by a 307 to its own
``/api/resolve-cache``, large ones by a 302 to a store on another origin with a signed address; ETag, X-Linked-ETag,
X-Linked-Size, X-Repo-Commit; ranges; gates, private and missing repositories with the hub's own headers; and, on
request, what goes wrong: limits, failures, cuts, wrong bytes, web pages.

Written against huggingface_hub's client (`file_download.py`, `_snapshot_download.py`, `utils/_http.py`) and headers
that people quote from the hub. Not imitated: Xet (no X-Xet-* headers, so that clients take the plain way), datasets and
spaces, HTTP/2, TLS, real signatures' cryptography, the web pages.

    python -m tests.models.hub --stock full,turbo,taesd            # serves until Ctrl-C, and says how to use it
    python -m tests.models.hub --stock full run draw "a cat"       # one command of text2art on it, from an empty cache
"""

import contextlib
import email.utils
import fnmatch
import hashlib
import http.server
import json
import re
import secrets
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from tests.models.hub_files import blob_id, is_large, read

SIGNED_FOR = 3600.0  # seconds


@dataclass
class Repository:
    """One repository: its files by commit, the newest last.

    gated: it wants its licence accepted. private: strangers don't see it. readers: tokens that may read it.
    """

    commits: dict[str, dict[str, bytes | Path]] = field(default_factory=dict)
    gated: bool = False
    private: bool = False
    readers: set[str] = field(default_factory=set)

    @property
    def newest(self) -> str:
        return list(self.commits)[-1]


@dataclass
class Fault:
    """What goes wrong with the next answers for addresses that match ``where`` (a pattern as the shell has them).

    Attributes:
        times: how many answers, None for all.
        host: only of this one, hub or store.
        status: answered instead of the file.
        headers: sent with that.
        cut: bytes after which the connection ends, ``pause`` seconds later.
        body: sent in the file's place, as if it were right.
        kind: that body's Content-Type.
        stall: seconds before an answer.
    """

    where: str
    times: int | None = 1
    host: str | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None
    pause: float = 0.0
    body: bytes | None = None
    kind: str | None = None
    stall: float = 0.0


@dataclass(frozen=True)
class Asked:
    """One request. host: hub or store."""

    host: str
    method: str
    path: str
    authorization: str | None
    range: str | None


class Hub:
    """The hub and its store. Use it as a context, or call `close`.

    tokens: those that it knows.
    """

    def __init__(self, port: int = 0) -> None:
        self.repositories: dict[str, Repository] = {}
        self.tokens: set[str] = set()
        self.faults: list[Fault] = []
        self.asked: list[Asked] = []
        self._lock = threading.Lock()
        self._digests: dict[tuple[Path, int], str] = {}
        self._hub = _serve(self, _HubHandler, port)
        self._store = _serve(self, _StoreHandler, 0)
        self.endpoint = f"http://127.0.0.1:{self._hub.server_address[1]}"
        self.store = f"http://127.0.0.1:{self._store.server_address[1]}"

    def __enter__(self) -> "Hub":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for server in (self._hub, self._store):
            server.shutdown()
            server.server_close()

    def put(self, name: str, files: Mapping[str, bytes | Path] | Path, commit: str | None = None, **about: Any) -> str:
        """A new commit of a repository: its files, or the directory that holds them. Returns the commit.

        about: gated, private, readers.
        """
        if isinstance(files, Path):
            found = sorted(path for path in files.rglob("*") if path.is_file())
            files = {path.relative_to(files).as_posix(): path for path in found}
        commit = commit or hashlib.sha1(f"{name} {len(self.repositories)} {secrets.token_hex()}".encode()).hexdigest()
        repository = self.repositories.setdefault(name, Repository())
        repository.commits.pop(commit, None)
        repository.commits[commit] = dict(files)
        for key, value in about.items():
            setattr(repository, key, value)
        return commit

    def fail(self, where: str, times: int | None = 1, **how: Any) -> None:
        """The next answers for matching addresses go wrong; see `Fault`."""
        self.faults.append(Fault(where, times, **how))

    def busy(self, where: str, after: float, times: int | None = 1, form: str = "seconds") -> None:
        """HTTP 429, as the hub answers who asks too much. form: when to come back, as seconds, date or limit."""
        if form == "limit":
            headers = {"RateLimit": f'"resolvers";r=0;t={after:.0f}', "RateLimit-Policy": '"resolvers";q=3000;w=300'}
        elif form == "date":
            headers = {"Retry-After": email.utils.formatdate(time.time() + after, usegmt=True)}
        else:
            headers = {"Retry-After": f"{after:.0f}"}
        self.fail(where, times, status=429, headers=headers)

    def requests(self, where: str = "*", method: str | None = None) -> list[Asked]:
        """What was asked for at matching addresses."""
        return [one for one in self.asked if fnmatch.fnmatch(one.path, where) and method in (None, one.method)]

    def sha256(self, held: bytes | Path) -> str:
        """The digest of a file, reckoned once for each that is on disk."""
        if isinstance(held, bytes):
            return hashlib.sha256(held).hexdigest()
        key = (held, held.stat().st_mtime_ns)
        if key not in self._digests:
            self._digests[key] = hashlib.sha256(held.read_bytes()).hexdigest()
        return self._digests[key]

    def note(self, asked: Asked) -> Fault | None:
        """Remembers a request; returns what shall go wrong with it."""
        with self._lock:
            self.asked.append(asked)
            for fault in self.faults:
                here = fault.host in (None, asked.host) and fnmatch.fnmatch(asked.path, fault.where)
                if here and fault.times != 0:
                    fault.times = None if fault.times is None else fault.times - 1
                    return fault
        return None


def _serve(hub: Hub, handler: type["_Handler"], port: int) -> http.server.ThreadingHTTPServer:
    made = type(handler.__name__, (handler,), {"hub": hub})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", port), made)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server


class _Handler(http.server.BaseHTTPRequestHandler):
    """What both hosts share: the notes, the faults, files with ranges."""

    hub: Hub
    host = ""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        authorization = self.headers.get("Authorization")
        fault = self.hub.note(
            Asked(self.host, self.command, urlsplit(self.path).path, authorization, self.headers.get("Range"))
        )
        self.cut: int | None = None
        if fault:
            time.sleep(fault.stall)
            if fault.status is not None:
                return self.say(fault.status, fault.headers)
            if fault.body is not None:
                kind = {"Content-Type": fault.kind} if fault.kind else {}
                return self.say(200, {**kind, **fault.headers}, fault.body)
            self.cut, self.pause = fault.cut, fault.pause
        return self.answer()

    do_HEAD = do_GET

    def answer(self) -> None:
        raise NotImplementedError

    def say(self, status: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.send(body)

    def send(self, body: bytes) -> None:
        with contextlib.suppress(ConnectionError):  # the client has had enough
            if self.cut is None:
                self.wfile.write(body)
                return
            self.wfile.write(body[: self.cut])
            time.sleep(self.pause)
            self.close_connection = True

    def file(self, body: bytes, headers: Mapping[str, str]) -> None:
        """A file, or the part of it that is asked for."""
        span = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        tag = headers["ETag"]
        if not span or self.headers.get("If-Range", tag) != tag:
            return self.say(200, {"Accept-Ranges": "bytes", **headers}, body)
        start, end = int(span[1]), int(span[2] or len(body) - 1)
        if start >= len(body):
            return self.say(416, {"Content-Range": f"bytes */{len(body)}"})
        end = min(end, len(body) - 1)
        where = {"Content-Range": f"bytes {start}-{end}/{len(body)}", "Accept-Ranges": "bytes"}
        return self.say(206, {**where, **headers}, body[start : end + 1])

    def log_message(self, format: str, *args: object) -> None:
        pass


class _HubHandler(_Handler):
    host = "hub"

    def answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if found := re.fullmatch(r"/api/resolve-cache/models/([^/]+/[^/]+)/([0-9a-f]{40})/(.+)", path):
            return self.resolve(*found.groups(), cached=True)
        if found := re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree|commits)/([^/]+)(?:/.*)?)?", path):
            return self.api(found[1], found[2] or "revision", found[3] or "main")
        if found := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            return self.resolve(*found.groups())
        return self.refuse(404, "", "Sorry, we can't find the page you are looking for.")

    def refuse(self, status: int, code: str, message: str, **more: str) -> None:
        headers = {"X-Error-Message": message, "Content-Type": "application/json; charset=utf-8", **more}
        if code:
            headers["X-Error-Code"] = code
        self.say(status, headers, json.dumps({"error": message}).encode())

    def admit(self, name: str) -> Repository | None:
        """The repository, if whoever asks may read it; else they are told."""
        said = self.headers.get("Authorization")
        token = said.removeprefix("Bearer ") if said else None
        if token is not None and token not in self.hub.tokens:
            self.refuse(401, "", "Invalid credentials in Authorization header")
            return None
        repository = self.hub.repositories.get(name)
        if repository is None or (repository.private and token not in repository.readers):
            # Strangers aren't told whether there is one.
            if token is None:
                self.refuse(401, "RepoNotFound", "Invalid username or password.")
            else:
                self.refuse(404, "RepoNotFound", "Repository not found")
            return None
        if repository.gated and token is None:
            message = (
                f"Access to model {name} is restricted. You must have access to it and be authenticated to access it."
            )
            self.refuse(401, "GatedRepo", f"{message} Please log in.")
            return None
        if repository.gated and token not in repository.readers:
            message = f"Access to model {name} is restricted and you are not in the authorized list."
            self.refuse(403, "GatedRepo", f"{message} Visit https://huggingface.co/{name} to ask for access.")
            return None
        return repository

    def commit(self, repository: Repository, revision: str) -> str | None:
        if revision == "main":
            return repository.newest
        if revision in repository.commits:
            return revision
        self.refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return None

    def resolve(self, name: str, revision: str, path: str, cached: bool = False) -> None:
        repository = self.admit(name)
        commit = self.commit(repository, revision) if repository else None
        if repository is None or commit is None:
            return None
        known = {"X-Repo-Commit": commit}
        held = repository.commits[commit].get(path)
        if held is None:
            return self.refuse(404, "EntryNotFound", "Entry not found", **known)
        body = read(held)
        if is_large(path, body):
            sha256 = self.hub.sha256(held)
            signed = urlencode({"Expires": f"{time.time() + SIGNED_FOR:.0f}", "Signature": _sign(sha256), "name": path})
            return self.say(
                302,
                {
                    **known,
                    "Location": f"{self.hub.store}/{name}/{sha256}?{signed}",
                    "X-Linked-Size": str(len(body)),
                    "X-Linked-ETag": f'"{sha256}"',
                    "Accept-Ranges": "bytes",
                    "Content-Type": "text/plain; charset=utf-8",
                },
            )
        tag = f'"{blob_id(body)}"'
        if not cached:
            onward = f"/api/resolve-cache/models/{name}/{commit}/{quote(path)}?{urlencode({'etag': tag})}"
            linked = {"X-Linked-Size": str(len(body)), "X-Linked-ETag": tag}
            return self.say(307, {**known, **linked, "Location": onward})
        kind = "application/json" if path.endswith(".json") else "text/plain; charset=utf-8"
        return self.file(body, {**known, "ETag": tag, "Content-Type": kind})

    def api(self, name: str, what: str, revision: str) -> None:
        repository = self.admit(name)
        commit = self.commit(repository, revision) if repository else None
        if repository is None or commit is None:
            return None
        files = repository.commits[commit]
        if what == "tree":
            said: Any = [self.entry(path, held) for path, held in files.items()]
        elif what == "commits":
            said = [
                {"id": one, "title": "upload model", "message": "", "authors": [], "date": "2023-01-01T00:00:00.000Z"}
                for one in reversed(repository.commits)
            ]
        else:
            said = {
                "id": name,
                "modelId": name,
                "sha": commit,
                "private": repository.private,
                "gated": "auto" if repository.gated else False,
                "siblings": [{"rfilename": path} for path in files],
            }
        return self.say(200, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(said).encode())

    def entry(self, path: str, held: bytes | Path) -> dict[str, Any]:
        """A file in the answer of the hub's API."""
        body = read(held)
        entry: dict[str, Any] = {"type": "file", "oid": blob_id(body), "size": len(body), "path": path}
        if is_large(path, body):
            entry["lfs"] = {"oid": self.hub.sha256(held), "size": len(body), "pointerSize": 134}
        return entry


class _StoreHandler(_Handler):
    """The store, which knows signatures and no tokens, and as Amazon's refuses whoever sends both."""

    host = "store"

    def answer(self) -> None:
        parts = urlsplit(self.path)
        name, _, sha256 = unquote(parts.path).strip("/").rpartition("/")
        asked = parse_qs(parts.query)
        if self.headers.get("Authorization"):
            return self.say(400, {"Content-Type": "application/xml"}, b"<Error>Only one auth mechanism allowed</Error>")
        fresh = float(asked.get("Expires", ["0"])[0]) > time.time()
        if not fresh or asked.get("Signature") != [_sign(sha256)]:
            return self.say(403, {"Content-Type": "application/xml"}, b"<Error><Code>AccessDenied</Code></Error>")
        repository = self.hub.repositories.get(name, Repository())
        for commit in repository.commits.values():
            held = commit.get(asked["name"][0])
            if held is not None and self.hub.sha256(held) == sha256:
                return self.file(read(held), {"ETag": f'"{sha256[:32]}"', "Content-Type": "binary/octet-stream"})
        return self.say(404)


_SECRET = secrets.token_hex()


def _sign(sha256: str) -> str:
    return hashlib.sha256(f"{_SECRET} {sha256}".encode()).hexdigest()


if __name__ == "__main__":
    import sys

    from tests.models.stock import main

    sys.exit(main())
