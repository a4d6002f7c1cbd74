"""The settings of a tournament: how many candidates are drawn to their end, and who ranks them."""

from typing import Any

from pydantic import Field, field_validator

from text2art_nb.settings import coercion
from text2art_nb.settings.base import Checked


class TournamentSettings(Checked):
    """See the module."""

    finalists: int | None = Field(
        default=None,
        ge=1,
        le=64,
        description="How many of the candidates are drawn to their end: the others drop out early; empty: all are.",
    )
    referee: str | None = Field(
        default=None,
        description="The CLIP that ranks the candidates; empty: one that doesn't guide, where there is one.",
    )

    @field_validator("referee", mode="before")
    @classmethod
    def _referee(cls, value: Any) -> str | None:
        return None if coercion.missing(value) else coercion.name(value, "referee", "a name like 'ViT-B/32'")
