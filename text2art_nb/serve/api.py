"""The API: jobs as HTTP, with frames as server-sent events and every refusal as an RFC 9457 problem."""

import logging
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path as FilePath
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, FastAPI, Header, Path, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field
from sqlalchemy.exc import OperationalError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Route

from text2art_nb.serve.access import TooLarge, too_large
from text2art_nb.serve.jobs import Desk, Event, Hanging, Job, What
from text2art_nb.serve.problems import MEDIA_TYPE, Problem
from text2art_nb.serve.requests import JobRequest

log = logging.getLogger("text2art.serve")

MOST_EVENT: Final = 2**53
MEDIA: Final[dict[What, str]] = {
    "image": "image/png",
    "video": "video/mp4",
    "svg": "image/svg+xml",
    "frame": "image/jpeg",
}


class Refusal(BaseModel):
    """An RFC 9457 problem; `fields` says what is wrong with each."""

    type: str = "about:blank"
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    fields: dict[str, str] = {}


class Likes(BaseModel):
    """How many visitors like a picture."""

    likes: int = Field(ge=0)


def _refusals(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What OpenAPI says about the problems that a path may answer with."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Refusal"}}}
    wait = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds after which to try again."}}
    usual = (400, 401, 413, 422, 429, 503)
    said: dict[int | str, dict[str, Any]] = {
        status: {"description": "Refused.", "content": content} for status in (*usual, *statuses)
    }
    said[429]["headers"] = said[503]["headers"] = wait
    return said


def _desk(request: Request) -> Desk:
    desk: Desk = request.app.state.desk
    return desk


def _visitor(request: Request) -> str:
    return str(request.state.visitor)


def _count(request: Request, desk: Annotated[Desk, Depends(_desk)]) -> None:
    desk.rates.read(_visitor(request))


TheDesk = Annotated[Desk, Depends(_desk)]
Visitor = Annotated[str, Depends(_visitor)]
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="As POST /api/jobs gave it.")]

router = APIRouter(prefix="/api", responses=_refusals(), dependencies=[Depends(_count)])


@router.post("/jobs", status_code=202, responses=_refusals(409), summary="Have a picture drawn")
def post_job(
    wanted: JobRequest,
    desk: TheDesk,
    visitor: Visitor,
    request: Request,
    response: Response,
    idempotency_key: Annotated[
        str | None,
        Header(min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+$", description="The same key gives the same job."),
    ] = None,
) -> Job:
    """Queue a job. `Location` says where it is to be asked about."""
    job = desk.submit(wanted, visitor, idempotency_key)
    response.headers["Location"] = f"{request.scope.get('root_path', '')}/api/jobs/{job.id}"
    return job


@router.get("/jobs/{id}", responses=_refusals(404), summary="How a job stands")
def get_job(id: Id, desk: TheDesk) -> Job:
    """Status, place in the queue, and a guess at when it will be done."""
    return desk.get(id)


@router.delete("/jobs/{id}", responses=_refusals(404), summary="Cancel a job")
def delete_job(id: Id, desk: TheDesk) -> Job:
    """End it before its next iteration; one that has ended stays as it is."""
    return desk.cancel(id)


def _known(id: Id, desk: TheDesk) -> str:
    return desk.get(id).id


@router.get(
    "/jobs/{id}/events",
    response_class=EventSourceResponse,
    responses=_refusals(404),
    summary="Watch a job (server-sent events)",
)
async def get_events(
    desk: TheDesk,
    id: Annotated[str, Depends(_known)],
    last_event_id: Annotated[int, Header(ge=0, le=MOST_EVENT, description="Go on after this event.")] = 0,
) -> AsyncIterator[ServerSentEvent]:
    """`queued`, `progress`, `frame` (which is at …/frame), and at the end `done`, `failed` or `cancelled`."""
    async for event in desk.watch(id, last_event_id):
        yield ServerSentEvent(event=event.kind, id=str(event.number), data=_shown(event), retry=1000)


def _shown(event: Event) -> dict[str, Any]:
    return {"number": event.number, "kind": event.kind, "picture": event.picture, "job": asdict(event.job)}


def _file(what: What) -> Any:
    def get_file(id: Id, desk: TheDesk) -> Response:
        found = desk.file(id, what)
        headers = {
            "Cache-Control": "no-store" if what == "frame" else "private, max-age=86400",
            # An SVG opened by itself is a page: it may run nothing here.
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        }
        if isinstance(found, FilePath):
            return FileResponse(found, media_type=MEDIA[what], headers=headers)
        return Response(found, media_type=MEDIA[what], headers=headers)

    return get_file


for _what, _summary in (
    ("image", "The picture, as PNG"),
    ("video", "Its film, as MP4"),
    ("svg", "Its strokes, as SVG"),
    ("frame", "The newest frame, as a small JPEG"),
):
    _kind: What = _what  # type: ignore[assignment]
    router.add_api_route(
        f"/jobs/{{id}}/{_what}",
        _file(_kind),
        methods=["GET"],
        summary=_summary,
        name=f"get_{_what}",
        response_class=Response,
        responses={200: {"content": {MEDIA[_kind]: {}}, "description": _summary}, **_refusals(404, 409)},
    )


@router.get("/gallery", summary="Pictures that may be seen by all")
def get_gallery(
    desk: TheDesk, visitor: Visitor, page: Annotated[int, Query(ge=1, le=100_000, description="From 1.")] = 1
) -> list[Hanging]:
    """Twelve of them, the newest first."""
    return desk.gallery(page, visitor)


@router.post("/jobs/{id}/like", responses=_refusals(404), summary="Like a picture of the gallery")
def post_like(id: Id, desk: TheDesk, visitor: Visitor) -> Likes:
    """Each visitor once; once more takes it back."""
    return Likes(likes=desk.like(id, visitor))


def answer_with_problems(app: FastAPI, *routers: APIRouter) -> None:
    """Have `app`, which includes the routers, answer everything that goes wrong with a problem."""

    def said(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
        return JSONResponse(problem.to_json(), problem.status, {**problem.headers, **(headers or {})}, MEDIA_TYPE)

    @app.exception_handler(Problem)
    async def of_ours(_: Request, problem: Problem) -> JSONResponse:
        return said(problem)

    @app.exception_handler(OperationalError)
    async def of_database(_: Request, error: OperationalError) -> JSONResponse:
        log.warning("the database does not answer: %s", error.orig)
        sentence = "the service is busy with itself for a moment; try again in a few seconds"
        return said(Problem(503, sentence, kind="no-database", retry_after=3))

    @app.exception_handler(TooLarge)
    async def of_size(request: Request, _: TooLarge) -> JSONResponse:
        return said(too_large(request.app.state.config.limits.upload))

    @app.exception_handler(RequestValidationError)
    async def of_kind(_: Request, error: RequestValidationError) -> JSONResponse:
        return said(_of_kind(error))

    @app.exception_handler(HTTPException)
    async def of_path(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        if error.status_code == 405:
            routes = [route for each in (app.router, *routers) for route in each.routes]
            headers["Allow"] = ", ".join(sorted(_methods(routes, request.url.path)))
        return said(Problem(error.status_code, f"{request.method} {request.url.path[:200]}: {error.detail}"), headers)


def _of_kind(error: RequestValidationError) -> Problem:
    fields: dict[str, str] = {}
    for detail in error.errors():
        place = [str(part) for part in detail["loc"] if part not in ("body", "path", "query", "header")]
        field = ".".join(place)[:100] or "body"
        fields.setdefault(field, f"{field}: {detail['msg'].removeprefix('Value error, ')}")
    return Problem(422, "; ".join(fields.values()), kind="invalid-request", fields=fields)


def _methods(routes: list[BaseRoute], path: str) -> set[str]:
    """The methods that a path has, whichever of its routes they are in."""
    allowed: set[str] = set()
    for route in routes:
        if isinstance(route, Route) and route.path_regex.match(path):
            allowed |= route.methods or set()
    return allowed
