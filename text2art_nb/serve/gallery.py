"""The public gallery: finished pictures whose visitors published them, and their likes."""

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from text2art_nb.serve.problems import not_found
from text2art_nb.serve.tables import jobs, likes
from text2art_nb.serve.visitors import VisitorHash

PAGE_SIZE: Final = 12


@dataclass(frozen=True)
class GalleryItem:
    """A picture in the gallery. Its files are at /api/jobs/{id}/image, …/video and …/svg.

    Attributes:
        likes: number of visitors who like it.
        liked: whether the current visitor likes it.
        request: a `JobRequest` that draws it again, as JSON types, without the e-mail address.
    """

    id: str
    prompt: str
    created: float
    likes: int
    liked: bool
    has_video: bool
    has_svg: bool
    request: dict[str, Any]


@dataclass(frozen=True)
class Gallery:
    """List published pictures and count their likes."""

    engine: sa.Engine
    visitor_hash: VisitorHash

    def page(self, number: int = 1, visitor: str | None = None) -> list[GalleryItem]:
        """Return twelve published pictures, newest first. `number` counts from 1."""
        count = sa.select(sa.func.count()).where(likes.c.job == jobs.c.id).scalar_subquery()
        client = self.visitor_hash(visitor) if visitor is not None else ""
        liked = sa.exists().where(likes.c.job == jobs.c.id, likes.c.visitor == client)
        columns = (jobs.c.id, jobs.c.prompt, jobs.c.created, count.label("likes"), liked.label("liked"))
        query = sa.select(*columns, jobs.c.has_video, jobs.c.has_svg, jobs.c.request).where(_is_published())
        query = query.order_by(jobs.c.created.desc(), jobs.c.id)
        query = query.limit(PAGE_SIZE).offset((max(number, 1) - 1) * PAGE_SIZE)
        with self.engine.connect() as connection:
            return [GalleryItem(**row._mapping) for row in connection.execute(query)]

    def like(self, id: str, visitor: str) -> int:
        """Like a picture, or take the like back. Return the number of likes. Raises Problem 404."""
        like = {"job": id, "visitor": self.visitor_hash(visitor)}
        count = sa.select(sa.func.count()).where(likes.c.job == id)
        try:
            with self.engine.begin() as connection:
                if connection.execute(sa.select(jobs.c.id).where(jobs.c.id == id, _is_published())).first() is None:
                    raise not_found(id)
                unlike = sa.delete(likes).where(likes.c.job == id, likes.c.visitor == like["visitor"])
                if not connection.execute(unlike).rowcount:
                    connection.execute(sa.insert(likes).values(like))
                return int(connection.execute(count).scalar_one())
        except sa.exc.IntegrityError:  # two likes at the same moment count as one
            with self.engine.connect() as connection:
                return int(connection.execute(count).scalar_one())


def _is_published() -> sa.ColumnElement[bool]:
    return sa.and_(jobs.c.public.is_(sa.true()), jobs.c.status == "done")
