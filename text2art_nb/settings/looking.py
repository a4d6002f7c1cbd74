"""The settings of looking: which perceptors, how many views of the picture, how much at once."""

from typing import Any

from pydantic import Field, field_validator

from text2art_nb import values
from text2art_nb.settings.checked import Checked


class LookingSettings(Checked):
    """See the module."""

    perceptors: tuple[str, ...] | None = Field(
        default=None,
        max_length=16,
        description="The CLIPs that look at the picture; empty: those of model and quality.",
    )
    num_cuts: int | None = Field(
        default=None, ge=1, le=1024, description="How many views of the picture are in a batch."
    )
    batches: int | None = Field(default=None, ge=1, le=64, description="How many batches of views make one step.")
    micro_batch: int | None = Field(default=None, ge=1, le=65_536, description="How many views are seen at once.")

    @field_validator("perceptors", mode="before")
    @classmethod
    def _perceptors(cls, value: Any) -> tuple[str, ...] | None:
        names = values.items(value, "perceptors", ",")
        return tuple(values.name(each, "perceptors", "names like 'ViT-B/32'") for each in names) or None
