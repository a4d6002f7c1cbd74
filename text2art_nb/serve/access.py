"""Who is let in, who is who, and how much anybody may send: before anything else looks at a request."""

import hashlib
import hmac
import html
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, Final
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
FREE: Final = ("/api/health",)
"""What a load balancer may ask without a key."""
LOGIN: Final = """<!doctype html><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>text2art</title><style>body{{font:1.1rem system-ui;max-width:24rem;margin:20vh auto;padding:0 1rem}}
input{{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;margin:.5rem 0}}</style>
<form method="post" action="{path}"><label>This page has a password:<input type="password" name="key" autofocus></label>
<input type="submit" value="Come in"></form>{trouble}"""
MOST_LOGIN_BYTES: Final = 4096
MOST_FIELDS: Final = 64


class Access:
    """An ASGI layer around the whole application: keys, sizes, and the visitor's name in `scope["state"]`."""

    def __init__(self, app: ASGIApp, config: Config) -> None:
        self._app, self._config = app, config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        key = given_key(headers)
        known = self.knows(key)
        scope.setdefault("state", {})["visitor"] = visitor_of(scope, key if known else None, self._config.proxies)
        if answer := await self._at_the_door(scope, receive, headers, known):
            await answer(scope, receive, send)
            return
        if scope["type"] == "http":
            receive = _bounded(receive, self._config.limits.upload)
        await self._app(scope, receive, _guarded(send))

    def knows(self, key: str | None) -> bool:
        """Whether a key opens; any does, and none, where the operator has set none."""
        if not self._config.keys:
            return True
        mine = "sha256:" + hashlib.sha256((key or "").encode()).hexdigest()
        # All are compared, so that the time that it takes tells nothing.
        return sum(hmac.compare_digest(mine, each) for each in self._config.keys) > 0

    async def _at_the_door(self, scope: Scope, receive: Receive, headers: Headers, known: bool) -> Response | None:
        """The answer to a request that isn't let through, or that only wanted to be."""
        if scope["type"] == "websocket":
            return None if known else Response(status_code=403)
        if self._config.keys and (answer := await self._log_in(scope, receive)):
            return answer
        path = _path(scope)
        if not known and path not in FREE:
            if "text/html" in headers.get("accept", "") and not path.startswith("/api"):
                return HTMLResponse(LOGIN.format(path=_root(scope) + "/login", trouble=""), status_code=401)
            sentence = "a key is needed: in the header X-API-Key, or as Authorization: Bearer"
            problem = Problem(401, sentence, kind="no-key")
            return _answer(problem, {"WWW-Authenticate": 'Bearer realm="text2art"'})
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdigit() and int(length) > self._config.limits.upload:
            return _answer(too_large(self._config.limits.upload))
        return None

    async def _log_in(self, scope: Scope, receive: Receive) -> Response | None:
        """Give the browser its cookie for `/?key=…` and for the form of the page that asks for the password."""
        path = _path(scope)
        if scope["method"] == "GET" and path in ("", "/"):
            given = _key_in(scope["query_string"])
        elif scope["method"] == "POST" and path == "/login":
            given = _key_in(await _read(receive)) or ""
        else:
            return None
        if given is None:
            return None
        if not self.knows(given):
            trouble = html.escape("That is not it.")
            return HTMLResponse(LOGIN.format(path=_root(scope) + "/login", trouble=trouble), status_code=401)
        answer = RedirectResponse(_root(scope) + "/", status_code=303)
        secure = scope.get("scheme") == "https"
        answer.set_cookie(COOKIE, given, COOKIE_SECONDS, httponly=True, samesite="lax", secure=secure)
        return answer


def _key_in(form: bytes) -> str | None:
    """The key among the fields of a query or a form; None if there is none, or far too many fields."""
    try:
        return parse_qs(form.decode("latin-1"), max_num_fields=MOST_FIELDS).get("key", [None])[0]
    except ValueError:
        return None


def given_key(headers: Headers) -> str | None:
    """The key that a request brings: as X-API-Key, as a bearer, or in the cookie."""
    if key := headers.get("x-api-key"):
        return key
    kind, _, key = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and key.strip():
        return key.strip()
    return cookie_parser(headers.get("cookie", "")).get(COOKIE)


def visitor_of(scope: MutableMapping[str, Any], key: str | None, proxies: int) -> str:
    """Who asks: the key, where one came in a header, else the address; behind proxies that which they tell.

    Of the addresses in X-Forwarded-For only the last `proxies` were written by somebody who is believed.
    """
    headers = Headers(scope=scope)
    if key is not None and ("x-api-key" in headers or "authorization" in headers):
        return "key " + hashlib.sha256(key.encode()).hexdigest()
    if proxies:
        told = [each.strip() for line in headers.getlist("x-forwarded-for") for each in line.split(",")]
        if len(told) >= proxies:
            return f"address {told[-proxies][:100]}"
    client: Sequence[Any] | None = scope.get("client")
    return f"address {client[0] if client else '-'}"


def too_large(most: int) -> Problem:
    """413."""
    return Problem(413, f"a request may have at most {most:,} bytes; send a smaller picture", kind="too-large")


class TooLarge(HTTPException):
    """More came than may. FastAPI lets none but its own exceptions through while it reads a body."""

    def __init__(self) -> None:
        super().__init__(413)


def _bounded(receive: Receive, most: int) -> Receive:
    """As `receive`, but a body of more than `most` bytes raises TooLarge, whatever its header said."""
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


def _guarded(send: Send) -> Send:
    """As `send`, with the headers that keep browsers from guessing and from telling."""

    async def guarded(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers.setdefault("X-Content-Type-Options", "nosniff")
            headers.setdefault("Referrer-Policy", "same-origin")
        await send(message)

    return guarded


async def _read(receive: Receive) -> bytes:
    """A short body; what is longer counts as empty."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > MOST_LOGIN_BYTES or message["type"] != "http.request":
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
