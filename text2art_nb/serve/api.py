"""The HTTP API: jobs, frames as server-sent events, and errors as RFC 9457 problems."""

import logging
from collections.abc import AsyncIterator, Callable
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
from text2art_nb.serve.gallery import GalleryItem
from text2art_nb.serve.job_feed import Event
from text2art_nb.serve.job_service import JobService
from text2art_nb.serve.jobs import FileKind, Job
from text2art_nb.serve.problems import MEDIA_TYPE, Problem
from text2art_nb.serve.requests import JobRequest

log = logging.getLogger("text2art.serve")

MAX_EVENT_NUMBER: Final = 2**53
MEDIA: Final[dict[FileKind, str]] = {
    "image": "image/png",
    "video": "video/mp4",
    "svg": "image/svg+xml",
    "frame": "image/jpeg",
}


class ProblemDetails(BaseModel):
    """An RFC 9457 problem. `fields` has a message for each invalid field."""

    type: str = "about:blank"
    title: str
    status: int = Field(ge=400, le=599)
    detail: str
    fields: dict[str, str] = {}


class Likes(BaseModel):
    """The number of visitors who like a picture."""

    likes: int = Field(ge=0)


def _problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI entries of the problems that a path may answer with."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    wait = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds to wait before a retry."}}
    usual = (400, 401, 413, 422, 429, 503)
    responses: dict[int | str, dict[str, Any]] = {
        status: {"description": "The request was refused.", "content": content} for status in (*usual, *statuses)
    }
    responses[429]["headers"] = responses[503]["headers"] = wait
    return responses


def _job_service(request: Request) -> JobService:
    service: JobService = request.app.state.service
    return service


def _visitor(request: Request) -> str:
    return str(request.state.visitor)


def _count(request: Request, service: Annotated[JobService, Depends(_job_service)]) -> None:
    service.rate_limiter.count_read(_visitor(request))


Service = Annotated[JobService, Depends(_job_service)]
VisitorId = Annotated[str, Depends(_visitor)]
Id = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The id that POST /api/jobs returned.")]

router = APIRouter(prefix="/api", responses=_problem_responses(), dependencies=[Depends(_count)])


@router.post("/jobs", status_code=202, responses=_problem_responses(409), summary="Draw a picture")
def post_job(
    wanted: JobRequest,
    service: Service,
    visitor: VisitorId,
    request: Request,
    response: Response,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+$", description="A repeated key returns the same job."
        ),
    ] = None,
) -> Job:
    """Queue a job. `Location` is its address."""
    job = service.submissions.submit(wanted, visitor, idempotency_key)
    response.headers["Location"] = f"{request.scope.get('root_path', '')}/api/jobs/{job.id}"
    return job


@router.get("/jobs/{id}", responses=_problem_responses(404), summary="Get a job")
def get_job(id: Id, service: Service) -> Job:
    """Return its status, its place in the queue, and an estimate of its remaining time."""
    return service.feed.get(id)


@router.delete("/jobs/{id}", responses=_problem_responses(404), summary="Cancel a job")
def delete_job(id: Id, service: Service) -> Job:
    """End it before its next iteration. A job that has ended stays as it is."""
    return service.submissions.cancel(id)


def _existing_id(id: Id, service: Service) -> str:
    return service.feed.get(id).id


@router.get(
    "/jobs/{id}/events",
    response_class=EventSourceResponse,
    responses=_problem_responses(404),
    summary="Watch a job (server-sent events)",
)
async def get_events(
    service: Service,
    id: Annotated[str, Depends(_existing_id)],
    last_event_id: Annotated[int, Header(ge=0, le=MAX_EVENT_NUMBER, description="Resume after this event.")] = 0,
) -> AsyncIterator[ServerSentEvent]:
    """Send `queued`, `progress`, `frame` (fetch it at …/frame), and at the end `done`, `failed` or `cancelled`."""
    async for event in service.feed.watch(id, last_event_id):
        yield ServerSentEvent(event=event.kind, id=str(event.number), data=_shown(event), retry=1000)


def _shown(event: Event) -> dict[str, object]:
    return {"number": event.number, "kind": event.kind, "picture": event.picture, "job": asdict(event.job)}


def _file_endpoint(kind: FileKind) -> Callable[[str, JobService], Response]:
    def get_file(id: Id, service: Service) -> Response:
        found = service.feed.file(id, kind)
        headers = {
            "Cache-Control": "no-store" if kind == "frame" else "private, max-age=86400",
            # An SVG that is opened directly is a page; it must not run scripts.
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
        }
        if isinstance(found, FilePath):
            return FileResponse(found, media_type=MEDIA[kind], headers=headers)
        return Response(found, media_type=MEDIA[kind], headers=headers)

    return get_file


FILES: Final[tuple[tuple[FileKind, str], ...]] = (
    ("image", "The picture, as PNG"),
    ("video", "The video of the drawing, as MP4"),
    ("svg", "The strokes, as SVG"),
    ("frame", "The newest frame, as a small JPEG"),
)

for _kind, _summary in FILES:
    router.add_api_route(
        f"/jobs/{{id}}/{_kind}",
        _file_endpoint(_kind),
        methods=["GET"],
        summary=_summary,
        name=f"get_{_kind}",
        response_class=Response,
        responses={200: {"content": {MEDIA[_kind]: {}}, "description": _summary}, **_problem_responses(404, 409)},
    )


@router.get("/gallery", summary="List public pictures")
def get_gallery(
    service: Service,
    visitor: VisitorId,
    page: Annotated[int, Query(ge=1, le=100_000, description="Counts from 1.")] = 1,
) -> list[GalleryItem]:
    """Return twelve pictures, newest first."""
    return service.gallery.page(page, visitor)


@router.post("/jobs/{id}/like", responses=_problem_responses(404), summary="Like a picture in the gallery")
def post_like(id: Id, service: Service, visitor: VisitorId) -> Likes:
    """Count each visitor once; a second request takes the like back."""
    return Likes(likes=service.gallery.like(id, visitor))


def add_problem_handlers(app: FastAPI, *routers: APIRouter) -> None:
    """Make `app`, which includes the routers, answer every error with a problem."""

    def answer(problem: Problem, headers: dict[str, str] | None = None) -> JSONResponse:
        return JSONResponse(problem.to_json(), problem.status, {**problem.headers, **(headers or {})}, MEDIA_TYPE)

    @app.exception_handler(Problem)
    async def of_ours(_: Request, problem: Problem) -> JSONResponse:
        return answer(problem)

    @app.exception_handler(OperationalError)
    async def of_database(_: Request, error: OperationalError) -> JSONResponse:
        log.warning("the database does not answer: %s", error.orig)
        sentence = "the database is busy; try again in a few seconds"
        return answer(Problem(503, sentence, kind="no-database", retry_after=3))

    @app.exception_handler(TooLarge)
    async def of_size(request: Request, _: TooLarge) -> JSONResponse:
        return answer(too_large(request.app.state.config.limits.upload))

    @app.exception_handler(RequestValidationError)
    async def of_kind(_: Request, error: RequestValidationError) -> JSONResponse:
        return answer(_validation_problem(error))

    @app.exception_handler(HTTPException)
    async def of_path(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers or {})
        if error.status_code == 405:
            routes = [route for each in (app.router, *routers) for route in each.routes]
            headers["Allow"] = ", ".join(sorted(_methods(routes, request.url.path)))
        return answer(Problem(error.status_code, f"{request.method} {request.url.path[:200]}: {error.detail}"), headers)


def _validation_problem(error: RequestValidationError) -> Problem:
    fields: dict[str, str] = {}
    for detail in error.errors():
        place = [str(part) for part in detail["loc"] if part not in ("body", "path", "query", "header")]
        field = ".".join(place)[:100] or "body"
        fields.setdefault(field, f"{field}: {detail['msg'].removeprefix('Value error, ')}")
    return Problem(422, "; ".join(fields.values()), kind="invalid-request", fields=fields)


def _methods(routes: list[BaseRoute], path: str) -> set[str]:
    """Collect the methods of a path from all of its routes."""
    allowed: set[str] = set()
    for route in routes:
        if isinstance(route, Route) and route.path_regex.match(path):
            allowed |= route.methods or set()
    return allowed
