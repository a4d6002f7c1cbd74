"""Health for load balancers and metrics for Prometheus."""

from typing import Annotated, Final, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from text2art_nb.serve.job_service import JobService
from text2art_nb.serve.queue_position import is_alive
from text2art_nb.serve.tables import gate, jobs, now, workers

STATUSES: Final = ("queued", "running", "done", "failed", "cancelled")
PROMETHEUS: Final = "text/plain; version=0.0.4; charset=utf-8"


class Health(BaseModel):
    """Whether the service can draw. `workers` counts the live ones."""

    status: Literal["ok", "no workers"]
    workers: int
    waiting: int


def _job_service(request: Request) -> JobService:
    service: JobService = request.app.state.service
    return service


router = APIRouter()


@router.get("/api/health", summary="Whether the service works")
def get_health(service: Annotated[JobService, Depends(_job_service)]) -> Health:
    """Any answer means that the web process and the database work."""
    alive = alive_workers(service)
    return Health(status="ok" if alive else "no workers", workers=alive, waiting=service.feed.count_open())


def alive_workers(service: JobService) -> int:
    """Count the workers with a recent heartbeat."""
    query = sa.select(sa.func.count()).select_from(workers).where(is_alive(service.config.heartbeat))
    with service.engine.connect() as connection:
        return int(connection.execute(query).scalar_one())


@router.get("/api/metrics", response_class=PlainTextResponse, summary="Metrics for Prometheus")
def get_metrics(service: Annotated[JobService, Depends(_job_service)]) -> PlainTextResponse:
    """Count jobs and workers, and measure how long jobs take."""
    return PlainTextResponse(text(service), media_type=PROMETHEUS)


def text(service: JobService) -> str:
    """Render the metrics in Prometheus's text format."""
    with service.engine.connect() as connection:
        by_status = sa.select(jobs.c.status, sa.func.count()).group_by(jobs.c.status)
        counts: dict[str, int] = {row[0]: row[1] for row in connection.execute(by_status)}
        passed = connection.execute(sa.select(gate.c.passed)).scalar_one()
        done = sa.select(sa.func.count(), sa.func.coalesce(sa.func.sum(jobs.c.seconds), 0.0))
        drawn, seconds = connection.execute(done.where(jobs.c.status == "done")).one()
        oldest = sa.select(sa.func.coalesce(now() - sa.func.min(jobs.c.created), 0.0))
        waited = connection.execute(oldest.where(jobs.c.status == "queued")).scalar_one()
    lines = _metric("text2art_jobs", "gauge", "Jobs by status.")
    lines += [f'text2art_jobs{{status="{status}"}} {counts.get(status, 0)}' for status in STATUSES]
    lines += [*_metric("text2art_submissions_total", "counter", "Jobs submitted in total.")]
    lines += [f"text2art_submissions_total {passed}"]
    lines += [*_metric("text2art_drawing_seconds", "summary", "Time spent drawing a job.")]
    lines += [f"text2art_drawing_seconds_sum {seconds:.3f}", f"text2art_drawing_seconds_count {drawn}"]
    lines += [*_metric("text2art_oldest_waiting_seconds", "gauge", "Age of the oldest queued job.")]
    lines += [f"text2art_oldest_waiting_seconds {max(0.0, waited):.3f}"]
    lines += [*_metric("text2art_workers", "gauge", "Live workers.")]
    lines += [f"text2art_workers {alive_workers(service)}"]
    return "\n".join(lines) + "\n"


def _metric(name: str, kind: str, text: str) -> list[str]:
    return [f"# HELP {name} {text}", f"# TYPE {name} {kind}"]
