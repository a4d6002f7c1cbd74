"""A web server on this machine that serves files well and badly, as the real ones do."""

import hashlib
import http.server
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.models.hub import Hub
from text2art_nb import perceptors
from text2art_nb.models import File, Patience


@dataclass
class Behaviour:
    """How one address behaves. ``cuts``: bytes after which the first requests break off, one by one."""

    body: bytes = b""
    status: int = 200
    cuts: list[int] = field(default_factory=list)
    ranges: bool = True
    tag: str | None = '"one"'
    moved_to: str | None = None
    linked_sha256: str | None = None
    kind: str | None = None  # the Content-Type
    busy: int = 0  # how many requests are answered "503, come later" first
    asked: list[str | None] = field(default_factory=list)  # the Range of every request
    sent: int = 0


class Shelf:
    """The server: put files on it, hand out their addresses, look at what was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, Behaviour] = {}
        shelf = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                shelf.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self.thread.start()
        self.base = f"http://127.0.0.1:{self.server.server_address[1]}"

    def put(self, path: str, body: bytes = b"", **behaviour: object) -> Behaviour:
        self.files[path] = Behaviour(body, **behaviour)  # type: ignore[arg-type]
        return self.files[path]

    def file(self, path: str, body: bytes, *, checked: bool = True, mirrors: tuple[str, ...] = ()) -> File:
        """The catalogue's entry for a file on this server."""
        sha256 = hashlib.sha256(body).hexdigest() if checked else None
        addresses = tuple(self.base + mirror for mirror in mirrors)
        return File(self.base + path, path.rsplit("/", 1)[1], len(body) if checked else None, sha256, addresses)

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        here = self.files.get(request.path, Behaviour(status=404))
        here.asked.append(request.headers.get("Range"))
        if here.busy:
            here.busy -= 1
            return self._head(request, 503, {"Content-Length": "0"})
        if here.moved_to:
            moved = {"Location": here.moved_to, "X-Linked-Etag": f'"{here.linked_sha256}"', "Content-Length": "0"}
            return self._head(request, 302, moved)
        if here.status != 200:
            return self._head(request, here.status, {"Content-Length": "0"})
        start = self._start(request, here)
        if start > len(here.body):
            return self._head(request, 416, {"Content-Length": "0"})
        headers = {"Content-Length": str(len(here.body) - start)}
        if here.tag:
            headers["ETag"] = here.tag
        if here.kind:
            headers["Content-Type"] = here.kind
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(here.body) - 1}/{len(here.body)}"
        self._head(request, 206 if start else 200, headers)
        end = min(len(here.body), start + here.cuts.pop(0)) if here.cuts else len(here.body)
        here.sent += end - start  # before the last byte, after which a test may look at it
        request.wfile.write(here.body[start:end])
        request.close_connection = True
        return None

    @staticmethod
    def _start(request: http.server.BaseHTTPRequestHandler, here: Behaviour) -> int:
        wanted = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        other_version = request.headers.get("If-Range", here.tag) != here.tag
        return int(wanted[1]) if wanted and here.ranges and not other_version else 0

    @staticmethod
    def _head(request: http.server.BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
        request.send_response(status)
        for name, value in headers.items():
            request.send_header(name, value)
        request.end_headers()


@pytest.fixture
def shelf() -> Iterator[Shelf]:
    shelf = Shelf()
    yield shelf
    shelf.server.shutdown()
    shelf.server.server_close()
    shelf.thread.join()


@pytest.fixture
def patience() -> Patience:
    """As the real one, but without the waiting."""
    return Patience(attempts=3, timeout=5, waits=(0.01,))


@pytest.fixture
def local_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub that everybody asks, empty caches, nobody's token, and no server that was asked before."""
    import huggingface_hub.constants

    for name in ("TEXT2ART_OFFLINE", "HF_HUB_OFFLINE", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TEXT2ART_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hf"))
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(tmp_path / "hf-token"))
    with Hub() as hub:
        monkeypatch.setenv("HF_ENDPOINT", hub.endpoint)
        yield hub


@pytest.fixture
def nothing_loaded() -> Iterator[None]:
    """No perceptor that an earlier test has loaded by a name, and none of this test's for the later ones."""
    perceptors.load.cache_clear()
    yield
    perceptors.load.cache_clear()
