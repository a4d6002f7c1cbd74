"""Authenticate requests, identify visitors and limit request sizes, before anything else sees a request."""

import hashlib
import hmac
import html
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import cookie_parser
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from text2art_nb.serve.config import Config
from text2art_nb.serve.problems import MEDIA_TYPE, Problem

COOKIE: Final = "text2art_key"
COOKIE_SECONDS: Final = 30 * 86400
PUBLIC_PATHS: Final = ("/api/health",)
"""Paths that need no key, for load balancers."""
LOGIN: Final = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>text2art</title><style>body{{font:1.1rem system-ui;max-width:24rem;margin:20vh auto;padding:0 1rem}}
input{{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;margin:.5rem 0}}</style>
<form method="post" action="{path}"><label>Password:<input type="password" name="key" autofocus></label>
<input type="submit" value="Enter"></form>{trouble}"""
MAX_LOGIN_BYTES: Final = 4096
MAX_FIELDS: Final = 64


class Access:
    """ASGI middleware around the whole application: keys, sizes, and the visitor's id in `scope["state"]`."""

    def __init__(self, app: ASGIApp, config: Config) -> None:
        self._app, self._config = app, config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        key = given_key(headers)
        known = self.accepts(key)
        scope.setdefault("state", {})["visitor"] = visitor_of(scope, key if known else None, self._config.proxies)
        if answer := await self._check_request(scope, receive, headers, known):
            await answer(scope, receive, send)
            return
        if scope["type"] == "http":
            receive = _limit_body(receive, self._config.limits.upload)
        await self._app(scope, receive, _with_security_headers(send))

    def accepts(self, key: str | None) -> bool:
        """Whether a key is valid. Every key is, and none is needed, if the operator has set none."""
        if not self._config.keys:
            return True
        mine = "sha256:" + hashlib.sha256((key or "").encode()).hexdigest()
        # Compare all of them, so that the timing reveals nothing.
        return sum(hmac.compare_digest(mine, each) for each in self._config.keys) > 0

    async def _check_request(self, scope: Scope, receive: Receive, headers: Headers, known: bool) -> Response | None:
        """Answer a request that is refused or that is a login; None: pass it on."""
        if scope["type"] == "websocket":
            return None if known else Response(status_code=403)
        if self._config.keys and (answer := await self._log_in(scope, receive)):
            return answer
        path = _path(scope)
        if not known and path not in PUBLIC_PATHS:
            if "text/html" in headers.get("accept", "") and not path.startswith("/api"):
                return HTMLResponse(LOGIN.format(path=_root(scope) + "/login", trouble=""), status_code=401)
            sentence = "an API key is required, as X-API-Key or as Authorization: Bearer"
            problem = Problem(401, sentence, kind="no-key")
            return _answer(problem, {"WWW-Authenticate": 'Bearer realm="text2art"'})
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length) > self._config.limits.upload:
            return _answer(too_large(self._config.limits.upload))
        return None

    async def _log_in(self, scope: Scope, receive: Receive) -> Response | None:
        """Set the browser's cookie for `/?key=…` and for the password form."""
        path = _path(scope)
        if scope["method"] == "GET" and path in ("", "/"):
            given = _key_from_form(scope["query_string"])
        elif scope["method"] == "POST" and path == "/login":
            given = _key_from_form(await _read(receive)) or ""
        else:
            return None
        if given is None:
            return None
        if not self.accepts(given):
            trouble = html.escape("Wrong password.")
            return HTMLResponse(LOGIN.format(path=_root(scope) + "/login", trouble=trouble), status_code=401)
        answer = RedirectResponse(_root(scope) + "/", status_code=303)
        secure = scope.get("scheme") == "https"
        answer.set_cookie(COOKIE, given, COOKIE_SECONDS, httponly=True, samesite="lax", secure=secure)
        return answer


def _key_from_form(form: bytes) -> str | None:
    """Read the key from a query or a form; None if there is none, or too many fields."""
    try:
        return parse_qs(form.decode("latin-1"), max_num_fields=MAX_FIELDS).get("key", [None])[0]
    except ValueError:
        return None


def given_key(headers: Headers) -> str | None:
    """Read a request's key: X-API-Key, bearer token, or cookie."""
    if key := headers.get("x-api-key"):
        return key
    kind, _, key = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and key.strip():
        return key.strip()
    return cookie_parser(headers.get("cookie", "")).get(COOKIE)


def visitor_of(scope: Scope, key: str | None, proxies: int) -> str:
    """Identify the client: by its key if a header brought one, else by its address, as reported by trusted proxies.

    Only the last `proxies` addresses in X-Forwarded-For were written by trusted proxies.
    """
    headers = Headers(scope=scope)
    if key is not None and ("x-api-key" in headers or "authorization" in headers):
        return "key " + hashlib.sha256(key.encode()).hexdigest()
    if proxies:
        forwarded = [each.strip() for line in headers.getlist("x-forwarded-for") for each in line.split(",")]
        if len(forwarded) >= proxies:
            return f"address {forwarded[-proxies][:100]}"
    client: Sequence[object] | None = scope.get("client")
    return f"address {client[0] if client else '-'}"


def too_large(most: int) -> Problem:
    """Problem 413."""
    return Problem(413, f"a request may have at most {most:,} bytes; send a smaller picture", kind="too-large")


class TooLarge(HTTPException):
    """The body is too large. While it reads a body, FastAPI lets only its own exceptions through."""

    def __init__(self) -> None:
        super().__init__(413)


def _limit_body(receive: Receive, most: int) -> Receive:
    """Wrap `receive`: a body of more than `most` bytes raises TooLarge, whatever its header says."""
    seen = 0

    async def bounded() -> Message:
        nonlocal seen
        message = await receive()
        if message["type"] == "http.request":
            seen += len(message.get("body", b""))
            if seen > most:
                raise TooLarge
        return message

    return bounded


def _with_security_headers(send: Send) -> Send:
    """Wrap `send`: add headers against content sniffing and referrer leaks."""

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("Referrer-Policy", "same-origin")
        await send(message)

    return guarded


async def _read(receive: Receive) -> bytes:
    """Read a short body; a longer one counts as empty."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MAX_LOGIN_BYTES or message["type"] != "http.request":
            return b""
        if not message.get("more_body"):
            return body


def _answer(problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    both = {**problem.headers, **(headers or {})}
    return JSONResponse(problem.to_json(), problem.status, both, media_type=MEDIA_TYPE)


def _root(scope: Scope) -> str:
    return str(scope.get("root_path", "")).rstrip("/")


def _path(scope: Scope) -> str:
    return str(scope["path"]).removeprefix(_root(scope))
