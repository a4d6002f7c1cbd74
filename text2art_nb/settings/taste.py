"""The settings of taste: style losses, filters, palette, and how closely to stay with the first picture."""

from typing import Any

from pydantic import Field, field_validator

from text2art_nb import values
from text2art_nb.settings.checked import Checked

LOSSES = ("smoothness", "saturation", "symmetry", "palette")
FILTERS = ("lookup", "mirror")


class TasteSettings(Checked):
    """See the module."""

    init_weight: float = Field(default=0.0, ge=0, le=1000, description="How strongly to stay close to the init image.")
    losses: dict[str, float] = Field(
        default={}, description="Style losses by weight, like smoothness:2 (saturation, symmetry, palette)."
    )
    filters: tuple[str, ...] = Field(
        default=(), max_length=8, description="Stages after drawing, in order: lookup, mirror."
    )
    palette: str | None = Field(
        default=None, description="The colours, like 'pico-8', 'red->yellow\\8', '[black,#ff0000]'."
    )

    @field_validator("losses", mode="before")
    @classmethod
    def _losses(cls, value: Any) -> dict[str, float]:
        return values.weights(value, LOSSES)

    @field_validator("filters", mode="before")
    @classmethod
    def _filters(cls, value: Any) -> tuple[str, ...]:
        return filter_names(value)

    @field_validator("palette", mode="before")
    @classmethod
    def _palette(cls, value: Any) -> str | None:
        return values.palette_text(value, keep_empty=False)


def filter_names(value: Any) -> tuple[str, ...]:
    """The filters that `value` names. Raises ValueError, naming the nearest, for one that isn't there."""
    return tuple(values.choice(each, FILTERS, "filters", "filter") for each in values.items(value, "filters", ",|"))
