"""The settings of what happens to the picture between iterations: the camera, and pictures laid over it."""

from typing import Annotated, Any

from pydantic import Field, ValidationInfo, field_validator

from text2art_nb.settings import coercion
from text2art_nb.settings.base import Checked
from text2art_nb.settings.timeline import read_moment, read_motion


class MotionSettings(Checked):
    """See the module."""

    motion: str | None = Field(
        default=None,
        description="How the camera moves, a step, by when: '0: zoom 1.02, pan 3 0; 50%: rotate 2'.",
    )
    motion_every: int = Field(default=10, ge=1, le=100_000, description="How many iterations a camera step takes.")
    loop_closing: bool = Field(
        default=False, description="Whether the film returns to its first picture, so that it can play in a circle."
    )
    overlay_image: Annotated[str | None, coercion.AsChecked()] = Field(
        default=None, description="A picture that is laid over again and again, kept as a PNG data URI."
    )
    overlay_every: str = Field(
        default="10", description="How often it is laid over, in iterations or percent of them: 50 or 10%."
    )
    overlay_offset: str = Field(default="0", description="How late the first time is, like 5 or 2%.")
    overlay_until: str | None = Field(
        default=None, description="When it is no longer laid over, like 200 or 50%; empty: to the end."
    )
    overlay_alpha: int | None = Field(
        default=None, ge=0, le=255, description="How opaque it is, 0 to 255; empty: as the picture itself is."
    )

    @field_validator("motion", mode="before")
    @classmethod
    def _motion(cls, value: Any) -> str | None:
        if coercion.missing(value):
            return None
        line = coercion.text(value, "motion", "text, like '0: zoom 1.02, pan 3 0; 50%: rotate 2'")
        read_motion(line)
        return line

    @field_validator("overlay_image", mode="before")
    @classmethod
    def _overlay_image(cls, value: Any) -> str | None:
        if coercion.missing(value):
            return None
        return coercion.picture(value, "overlay_image", allow_urls=False)

    @field_validator("overlay_every", "overlay_offset", "overlay_until", mode="before")
    @classmethod
    def _moment(cls, value: Any, info: ValidationInfo) -> str | None:
        field = str(info.field_name)
        if coercion.missing(value):
            return cls.model_fields[field].default  # type: ignore[no-any-return]
        given = str(coercion.number(value, field)) if isinstance(value, int | float) else value
        moment = read_moment(coercion.text(given, field, "iterations or percent, like 50 or 10%"), field)
        if field == "overlay_every" and moment.number == 0:
            raise ValueError("overlay_every must be more than 0, like 50 or 10%")
        return str(moment)
