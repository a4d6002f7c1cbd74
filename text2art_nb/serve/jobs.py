"""Values that describe a job: its status, its progress, and how its table row becomes one."""

from dataclasses import dataclass
from typing import Any, Final, Literal

import sqlalchemy as sa

from text2art_nb.serve.problems import not_found
from text2art_nb.serve.store import FILM, FRAME, PICTURE, SVG
from text2art_nb.serve.tables import jobs
from text2art_nb.settings import Settings

Status = Literal["queued", "running", "done", "failed", "cancelled"]
FileKind = Literal["image", "video", "svg", "frame"]

ENDS: Final[tuple[Status, ...]] = ("done", "failed", "cancelled")
"""Statuses that never change again."""
OPEN: Final[tuple[Status, ...]] = ("queued", "running")
FILE_NAMES: Final[dict[FileKind, str]] = {"image": PICTURE, "video": FILM, "svg": SVG, "frame": FRAME}
SMALL_COLUMNS: Final = tuple(column for column in jobs.c if column.name not in ("request", "recipe"))
"""Columns that are quick to read. A recipe may hold megabytes of pictures."""


@dataclass(frozen=True)
class Job:
    """The public state of a job.

    Attributes:
        position: 0 while it is being drawn, 1 if it is next, None once it has ended.
        eta: seconds until it is done; None if unknown.
        iteration: iterations finished so far, out of `total`.
        prompt: as the visitor wrote it. Escape it before display.
        error: one sentence if the job failed.
        created: seconds since 1970.
    """

    id: str
    status: Status
    position: int | None
    eta: float | None
    iteration: int
    total: int
    prompt: str
    error: str | None
    created: float
    public: bool
    has_video: bool
    has_svg: bool


def select_job(connection: sa.Connection, id: str) -> sa.Row[Any]:
    """Read the row of a job, without its large columns. Raises Problem 404."""
    row = connection.execute(sa.select(*SMALL_COLUMNS).where(jobs.c.id == id)).first()
    if row is None:
        raise not_found(id)
    return row


def job_from_row(row: sa.Row[Any], position: int | None, eta: float | None) -> Job:
    """Build a Job from its table row and its place in the queue."""
    return Job(
        id=row.id,
        status=row.status,
        position=position,
        eta=None if eta is None else round(eta, 1),
        iteration=row.iteration,
        total=row.total,
        prompt=row.prompt,
        error=row.error,
        created=row.created,
        public=row.public,
        has_video=row.has_video,
        has_svg=row.has_svg,
    )


def count_views(settings: Settings) -> int:
    """Count the views that all iterations encode: drawing time is proportional to it."""
    per_iteration = (settings.num_cuts or 1) * (settings.batches or 1) * settings.candidates
    return max(1, (settings.iterations or 1) * per_iteration)
