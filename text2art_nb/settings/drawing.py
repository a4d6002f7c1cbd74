"""The settings of drawing: what draws, and what each drawer has of its own.

A drawer's own field says whose it is, as in ``json_schema_extra={"drawers": ["pixel"]}``: the panel shows it with
that drawer alone.
"""

from typing import Any

from pydantic import Field, field_validator

from text2art_nb import values
from text2art_nb.presets import MAX_SIDE
from text2art_nb.settings.checked import Checked

DRAWERS = ("vqgan", "pixel")
"""The drawers that come with the package; others add theirs through the entry points `text2art.drawers`."""


class DrawingSettings(Checked):
    """See the module."""

    drawer: str = Field(default="vqgan", description="What draws: vqgan, pixel, or the name of an installed plug-in.")
    model: str = Field(
        default="embedded", description="The drawer's weights: embedded, full, a weights name, or a directory."
    )
    pixel_size: tuple[int, int] | None = Field(
        default=None,
        description="The pixel drawer's columns and rows, like 40x40.",
        json_schema_extra={"drawers": ["pixel"]},
    )
    pixel_scale: float | None = Field(
        default=None,
        ge=0.01,
        le=100,
        description="Divides the pixel drawer's grid.",
        json_schema_extra={"drawers": ["pixel"]},
    )

    @field_validator("drawer", mode="before")
    @classmethod
    def _drawer(cls, value: Any) -> str:
        if isinstance(value, str) and value.strip().lower() in DRAWERS:
            return value.strip().lower()
        return values.choice(value, (*DRAWERS, *_plugged_in_drawers()), "drawer", lower=False)

    @field_validator("model", mode="before")
    @classmethod
    def _model(cls, value: Any) -> str:
        return values.name(value, "model", "'embedded', 'full', a weights name or a directory")

    @field_validator("pixel_size", mode="before")
    @classmethod
    def _pixel_size(cls, value: Any) -> tuple[int, int] | None:
        return None if value is None else values.pair(value, "pixel_size", "40x40", 1, MAX_SIDE)


def _plugged_in_drawers() -> tuple[str, ...]:
    from importlib.metadata import entry_points

    return tuple(sorted({point.name for point in entry_points(group="text2art.drawers")} - set(DRAWERS)))
