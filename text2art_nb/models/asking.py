"""Asking a server for a file, as huggingface_hub asks the hub: the token, the redirects, and what a refusal means.

The token goes to the hub's own address and nowhere else: not to the store that the hub sends one on to, and not to a
mirror on another host.
"""

import email.message
import email.utils
import http.client
import os
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from pathlib import Path
from typing import IO
from urllib.parse import SplitResult, urljoin, urlsplit

from text2art_nb.models.weights import HUB, endpoint

TOKENS_PAGE = f"{HUB}/settings/tokens"
_SAFE = ("localhost", "127.0.0.1", "::1")  # hosts that a token may go to without encryption
_PORTS = {"http": 80, "https": 443}
_HOPS = 5
_Headers = email.message.Message


class Refused(Exception):
    """This address will not give the file; ``absent`` if it says that there is none."""

    def __init__(self, reason: str, absent: bool = False) -> None:
        super().__init__(reason)
        self.absent = absent


class Broken(Exception):
    """The connection ended early, or the server is busy: worth another attempt, in ``wait`` seconds if it says so."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class TooLong(Broken):
    """The server says that what was asked for lies behind the file's end (HTTP 416)."""


@dataclass(slots=True)
class Answer:
    """A server's answer: its bytes, and what the hub said on the way of the file (None where it didn't).

    sha256: the digest that it promises; commit: the commit that the file is of.
    """

    stream: http.client.HTTPResponse
    sha256: str | None
    commit: str | None


def open_file(url: str, headers: Mapping[str, str], timeout: float) -> Answer:
    """Opens an address, following where it leads.

    Raises:
        Refused: it will not do.
        Broken: it may do later.
    """
    secret = token() if may_hear_token(url) else None
    try:
        return _open(url, headers, timeout, secret)
    except _BadToken:  # it would spoil what everybody may read
        try:
            return _open(url, headers, timeout, None)
        except Refused as refusal:
            raise Refused(f"{refusal}; the hub doesn't know the one that is there now", refusal.absent) from refusal


def commit_at(url: str, timeout: float) -> str | None:
    """The commit that the hub says an address with a branch in it stands at; None if it says none.

    Raises:
        Refused, Broken: as `open_file`; that the very file doesn't exist is no hindrance.
    """
    for _ in range(_HOPS):
        headers, status = _head(url, timeout)
        commit = headers.get("X-Repo-Commit", "")
        onward = urljoin(url, headers.get("Location", ""))
        if re.fullmatch(r"[0-9a-f]{40}", commit):
            return commit
        if status not in (301, 302, 303, 307, 308) or not is_hubs(onward):
            return None
        url = onward  # a repository that was renamed
    return None


def json_at(url: str, timeout: float) -> bytes:
    """What an address of the hub's API answers, a few hundred kB at most. Raises as `open_file`."""
    with open_file(url, {}, timeout).stream as stream:
        try:
            return stream.read(1 << 20)
        except (OSError, http.client.HTTPException) as error:
            raise Broken(f"the connection broke ({error})") from error


def token() -> str | None:
    """The user's token for the hub, from where huggingface_hub has it: ``$HF_TOKEN``, or the file that logging in made.

    Raises:
        Refused: what is there can't be a token.
    """
    if os.environ.get("HF_HUB_DISABLE_IMPLICIT_TOKEN", "").upper() in ("1", "ON", "YES", "TRUE"):
        return None
    from huggingface_hub import constants  # here, so that the doctor can say that it's missing

    said = os.environ.get("HF_TOKEN") or os.environ.get("HUGGING_FACE_HUB_TOKEN") or ""
    if not said.strip():
        try:
            said = Path(constants.HF_TOKEN_PATH).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            return None
    said = said.strip()
    if said and not re.fullmatch(r"[\x21-\x7e]{1,4096}", said):
        raise Refused(f"what HF_TOKEN holds is no token: copy one from {TOKENS_PAGE}")
    return said or None


def is_hubs(url: str) -> bool:
    """Whether an address is the hub's own, that is at `endpoint`."""
    return _origin(urlsplit(url)) == _origin(urlsplit(endpoint()))


def may_hear_token(url: str) -> bool:
    """Whether the token may go to an address: the hub's own, by an encrypted connection or on this machine."""
    there = urlsplit(url)
    return is_hubs(url) and (there.scheme == "https" or there.hostname in _SAFE)


def _origin(parts: SplitResult) -> tuple[str, str | None, int | None]:
    return parts.scheme, parts.hostname, parts.port or _PORTS.get(parts.scheme)


class _BadToken(Refused):
    """The hub doesn't know the token that came with a question."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects, and notes what the hub says of a file before it sends one on to its store."""

    def __init__(self, secret: str | None) -> None:
        self.secret = secret
        self.sha256: str | None = None
        self.commit: str | None = None

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if req.get_method() == "HEAD":
            return None
        self.note(headers)
        there = urlsplit(newurl)
        if there.scheme not in ("http", "https") or (there.scheme == "http" and req.full_url.startswith("https:")):
            fp.close()
            raise Refused(f"it leads to {there.hostname} without encryption")
        onward = super().redirect_request(req, fp, code, msg, headers, newurl)
        if onward is not None:
            _introduce(onward, self.secret)
        return onward

    def note(self, headers: _Headers) -> None:
        """Keeps the first digest and commit that are named."""
        tag = headers.get("X-Linked-Etag", "").strip('"')
        if re.fullmatch(r"[0-9a-f]{64}", tag):
            self.sha256 = self.sha256 or tag
        self.commit = self.commit or headers.get("X-Repo-Commit")


def _introduce(request: urllib.request.Request, secret: str | None) -> None:
    """Adds the token, for this very address: urllib copies other headers to wherever it is sent on to."""
    if secret and may_hear_token(request.full_url):
        request.add_unredirected_header("Authorization", f"Bearer {secret}")


def _request(url: str, headers: Mapping[str, str], secret: str | None, method: str) -> urllib.request.Request:
    usual = {"User-Agent": "text2art-nb", "Accept-Encoding": "identity"}
    request = urllib.request.Request(url, headers={**usual, **headers}, method=method)
    _introduce(request, secret)
    return request


def _open(url: str, headers: Mapping[str, str], timeout: float, secret: str | None) -> Answer:
    redirects = _Redirects(secret)
    request = _request(url, headers, secret, "GET")
    try:
        stream = urllib.request.build_opener(redirects).open(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        error.close()
        raise _refusal(url, error.code, error.headers, secret) from error
    except (OSError, http.client.HTTPException) as error:
        raise _no_connection(error) from error
    redirects.note(stream.headers)
    return Answer(stream, redirects.sha256, redirects.commit)


def _head(url: str, timeout: float) -> tuple[_Headers, int]:
    """The headers and status of an address, without following where it leads."""
    secret = token() if may_hear_token(url) else None
    while True:
        request = _request(url, {}, secret, "HEAD")
        try:
            with urllib.request.build_opener(_Redirects(secret)).open(request, timeout=timeout) as stream:
                return stream.headers, stream.status
        except urllib.error.HTTPError as error:
            error.close()
            entry = error.headers.get("X-Error-Code") == "EntryNotFound"
            if error.code < 400 or (error.code == 404 and entry):
                return error.headers, error.code
            refusal = _refusal(url, error.code, error.headers, secret)
            if not isinstance(refusal, _BadToken):
                raise refusal from error
            secret = None
        except (OSError, http.client.HTTPException) as error:
            raise _no_connection(error) from error


def _no_connection(error: Exception) -> Exception:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(error, urllib.error.URLError) and not isinstance(
        reason, TimeoutError | ConnectionResetError | ConnectionAbortedError
    ):
        return Refused(f"no connection ({reason})")
    if isinstance(reason, socket.gaierror):
        return Refused(f"no connection ({reason})")
    return Broken(f"the connection broke ({reason})")


def _refusal(url: str, status: int, headers: _Headers, secret: str | None) -> Exception:
    """What a server's refusal means, in words that say what to do."""
    if status == 416:
        return TooLong("the server has a shorter file")
    if status in (408, 425, 429) or status >= 500:
        return Broken(f"HTTP {status}", _pause(headers))
    if not is_hubs(url):
        return Refused(f"HTTP {status}", absent=status in (404, 410))
    code = headers.get("X-Error-Code", "")
    if status in (401, 403):
        return _denied(url, status, code, headers, secret)
    if code == "RevisionNotFound":
        return Refused(f"HTTP {status}: its repository doesn't have that commit any more", absent=True)
    return Refused(f"HTTP {status}", absent=status in (404, 410))


def _denied(url: str, status: int, code: str, headers: _Headers, secret: str | None) -> Refused:
    page = _page(url)
    if code == "GatedRepo" and not secret:
        return Refused(
            f"HTTP {status}: accept the licence at {page} and set HF_TOKEN to a token of that account, "
            f"from {TOKENS_PAGE}"
        )
    if code == "GatedRepo":
        return Refused(
            f"HTTP {status}: accept the licence at {page} with the account that HF_TOKEN is of, "
            "and wait where its authors want to agree first"
        )
    if not secret:
        return Refused(
            f"HTTP {status}: {page} isn't there for everybody; if it exists, set HF_TOKEN to a token that may read it, "
            f"from {TOKENS_PAGE}"
        )
    told = re.sub(r"[^\x20-\x7e]+", " ", headers.get("X-Error-Message", ""))[:200]
    if status == 401 and code != "RepoNotFound":
        return _BadToken(f"HTTP 401: the hub doesn't know the token in HF_TOKEN: make a new one at {TOKENS_PAGE}")
    reason = f" ({told})" if told else ""
    return Refused(f"HTTP {status}: the token in HF_TOKEN may not read {page}{reason}: set HF_TOKEN to one that may")


def _page(url: str) -> str:
    """The page, on the hub itself, of the repository that an address at `endpoint` is of."""
    path = urlsplit(url).path.removeprefix(urlsplit(endpoint()).path).removeprefix("/api/models").lstrip("/")
    return f"{HUB}/{'/'.join(path.split('/')[:2])}"


def _pause(headers: _Headers) -> float | None:
    """Seconds after which a busy server wants to be asked again: Retry-After as a number or a date, or RateLimit."""
    said = headers.get("Retry-After", "").strip()
    if re.fullmatch(r"\d{1,9}", said):
        return float(said)
    try:
        when = email.utils.parsedate_to_datetime(said)
    except ValueError:
        limit = re.search(r"\br\s*=\s*0\s*;\s*t\s*=\s*(\d{1,9})\b", headers.get("RateLimit", ""))
        return float(limit[1]) if limit else None
    if when.tzinfo is None:  # "-0000": a time in UTC of a machine that doesn't know its zone
        when = when.replace(tzinfo=UTC)
    return max(0.0, when.timestamp() - time.time())
