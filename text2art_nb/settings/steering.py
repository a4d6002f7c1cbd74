"""`Steering`: what was changed while a picture was being drawn."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from pydantic import Field, field_validator, model_validator

from text2art_nb.errors import SettingsError
from text2art_nb.settings import coercion
from text2art_nb.settings.base import Checked
from text2art_nb.settings.style import filter_names, loss_weights

MAX_STEERING = 1000
"""Most changes that a recipe may have."""


class Steering(Checked):
    """What was changed while a run was drawing; None (or left out) means not changed.

    Raises:
        SettingsError: as `Settings`; also where nothing is changed.
    """

    if TYPE_CHECKING:  # what is given need not have the fields' types yet

        def __init__(self, /, **given: Any) -> None: ...

    iteration: int = Field(ge=1, le=1_000_000, description="Takes effect at the start of this iteration, from 1.")
    prompts: str | None = Field(default=None, description="The new prompt line.")
    learning_rate: float | None = Field(default=None, gt=0, le=1000, description="The new learning rate.")
    palette: str | None = Field(default=None, description="The new palette; an empty text takes the palette away.")
    losses: dict[str, float] | None = Field(default=None, description="The new style losses, all of them.")
    iterations: int | None = Field(default=None, ge=1, le=1_000_000, description="The new total of iterations.")
    micro_batch: int | None = Field(default=None, ge=1, le=65_536, description="The new number of views seen at once.")
    num_cuts: int | None = Field(default=None, ge=1, le=1024, description="The new number of views in a batch.")
    batches: int | None = Field(default=None, ge=1, le=64, description="The new number of batches of views.")
    init_weight: float | None = Field(default=None, ge=0, le=1000, description="The new pull of the init image.")
    filters: tuple[str, ...] | None = Field(default=None, max_length=8, description="The new filters, all of them.")
    seed: int | None = Field(default=None, ge=0, le=2**63 - 1, description="The new seed: other views from here on.")
    candidate: int | None = Field(
        default=None, ge=0, le=63, description="The candidate, counted from 0, that goes on alone from here."
    )
    stop: bool = Field(default=False, description="Whether the run was stopped here.")

    @field_validator("prompts", mode="before")
    @classmethod
    def _prompts(cls, value: Any) -> str | None:
        line = None if value is None else coercion.prompt_line(value)
        if line == "":
            raise ValueError("prompts is empty; say what to draw, like 'an underwater city'")
        return line

    @field_validator("losses", mode="before")
    @classmethod
    def _losses(cls, value: Any) -> dict[str, float] | None:
        return None if value is None else loss_weights(value)

    @field_validator("palette", mode="before")
    @classmethod
    def _palette(cls, value: Any) -> str | None:
        return coercion.palette_text(value, keep_empty=True)

    @field_validator("filters", mode="before")
    @classmethod
    def _filters(cls, value: Any) -> tuple[str, ...] | None:
        return None if value is None else filter_names(value)

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.changes:
            raise ValueError("a steering entry must change something, like prompts or learning_rate")
        return self

    @property
    def changes(self) -> dict[str, Any]:
        """What is changed, by name, without the iteration."""
        return {name: value for name, value in self if name != "iteration" and value is not None and value is not False}

    @property
    def new_settings(self) -> dict[str, Any]:
        """The settings that are other ones from here on, by their names in `Settings`."""
        changed = {name: value for name, value in self.changes.items() if name not in ("stop", "candidate")}
        return changed if self.candidate is None else {**changed, "candidates": 1, "finalists": None}


def steering_entry(value: Any, position: int) -> Steering:
    """Entry number `position` of a recipe's steering. Raises ValueError."""
    if isinstance(value, Steering):
        return value
    if not isinstance(value, Mapping) or not all(isinstance(name, str) for name in value):
        example = "{'iteration': 50, 'prompts': 'a castle'}"
        raise ValueError(f"steering must be a list of entries like {example}; got {coercion.shown(value)}")
    try:
        return Steering(**value)
    except SettingsError as error:
        raise ValueError(f"steering entry {position + 1}: {error}") from None


STEERABLE = tuple(name for name in Steering.model_fields if name not in ("iteration", "stop"))
"""What `Run.steer` may change while a picture is being drawn."""
