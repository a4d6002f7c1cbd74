"""The settings of drawing: what draws, and what each drawer has of its own.

A drawer's own field says whose it is, as in ``json_schema_extra={"drawers": ["pixel"]}``: the panel shows it with
that drawer alone.
"""

from typing import Any, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from text2art_nb.settings import coercion, strokes
from text2art_nb.settings.base import Checked
from text2art_nb.settings.latents import latent_numbers, latent_shape
from text2art_nb.settings.presets import MAX_SIDE
from text2art_nb.settings.stages import Stage, read_stages, written
from text2art_nb.settings.unsupported import DRAWERS_ELSEWHERE

DRAWERS = ("vqgan", "pixel", "fft", "taesd", "generator", "strokes", "turbo")
"""The drawers that come with the package; others add theirs through the entry points `text2art.drawers`."""

PixelType = Literal["rect", "rectshift", "hex", "tri", "diamond", "knit"]
StrokeKind = Literal["paint", "line"]
ImageRange = Literal["-1..1", "0..1"]
NoisePrior = Literal["norm", "white"]
Upscaler = Literal["auto", "nearest", "vector", "swin2sr", "lanczos"]


class DrawingSettings(Checked):
    """See the module."""

    drawer: str = Field(
        default="vqgan",
        description="What draws: vqgan, pixel, strokes, fft, taesd, turbo, generator; or a chain: vqgan -> pixel.",
    )
    model: str = Field(
        default="embedded", description="The drawer's weights: embedded, light, full, a weights name, or a directory."
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
    pixel_type: PixelType = Field(
        default="rect",
        description="The shape of the pixel drawer's cells: rect, rectshift (bricks), hex, tri, diamond or knit.",
        json_schema_extra={"drawers": ["pixel"]},
    )
    transparent: bool = Field(
        default=False,
        description="Whether the ground is clear: of pixel art where the prompt needs nothing, of strokes all of it.",
        json_schema_extra={"drawers": ["pixel", "strokes"]},
    )
    transparent_weight: float = Field(
        default=0.5,
        ge=0,
        le=1000,
        description="How strongly transparent pixel art is pulled to show as little as it can.",
        json_schema_extra={"drawers": ["pixel"]},
    )
    fft_decay: float | None = Field(
        default=None,
        ge=0,
        le=4,
        description="How fast the fft drawer's fine waves fade: higher is smoother; empty: what suits the perceptors.",
        json_schema_extra={"drawers": ["fft"]},
    )
    fft_colors: float = Field(
        default=1.5,
        ge=0.1,
        le=10,
        description="How saturated the fft drawer's colours come out; 1 is a photograph's.",
        json_schema_extra={"drawers": ["fft"]},
    )
    fft_sharp: float | None = Field(
        default=None,
        ge=-10,
        le=10,
        description="How much the fft drawer is rewarded for sharpness; empty: what suits the perceptors.",
        json_schema_extra={"drawers": ["fft"]},
    )
    latent_shape: tuple[int, ...] | None = Field(
        default=None,
        description="The shape of what your generator takes, without the batch, like 512 or 4x8x8.",
        json_schema_extra={"drawers": ["generator"]},
    )
    latent_range: float | None = Field(
        default=None,
        gt=0,
        le=1000,
        description="How far from 0 each number of your generator's latent may go (truncation); empty: 2.",
        json_schema_extra={"drawers": ["generator"]},
    )
    image_range: ImageRange | None = Field(
        default=None,
        description="What black and white are in your generator's pictures: -1..1 (the usual; empty) or 0..1.",
        json_schema_extra={"drawers": ["generator"]},
    )
    latent: tuple[float, ...] | None = Field(
        default=None,
        description="The latent that your generator starts from, as numbers; empty: drawn by chance, from the seed.",
        json_schema_extra={"drawers": ["generator"]},
    )
    latent_weight: float = Field(
        default=0.0,
        ge=0,
        le=1000,
        description="How strongly your generator is held near the latent that was given.",
        json_schema_extra={"drawers": ["generator"]},
    )
    latent_steps: int = Field(
        default=200,
        ge=0,
        le=5000,
        description="How many steps your generator takes to come near the picture to start from.",
        json_schema_extra={"drawers": ["generator"]},
    )

    noise_prior: NoisePrior = Field(
        default="norm",
        description="What keeps turbo's noise one: norm (ReNO's loss) or white (its spectrum, after each step).",
        json_schema_extra={"drawers": ["turbo"]},
    )
    strokes: int | None = Field(
        default=None,
        ge=1,
        le=4096,
        description="How many brush strokes; empty: 256, or 40 lines; for real models 1024, or 24.",
        json_schema_extra={"drawers": ["strokes"]},
    )
    stroke_kind: StrokeKind = Field(
        default="paint",
        description="What the strokes drawer does: paint in colour, or line, a drawing in black lines.",
        json_schema_extra={"drawers": ["strokes"]},
    )
    stroke_length: int | None = Field(
        default=None,
        ge=1,
        le=32,
        description="How many curves make one stroke: more of them wind more; empty: 1, or 8 for lines.",
        json_schema_extra={"drawers": ["strokes"]},
    )
    min_stroke_width: float | None = Field(
        default=None,
        gt=0,
        le=100,
        description="The thinnest stroke, in percent of the picture's height; empty: 1, or 0.5 for lines.",
        json_schema_extra={"drawers": ["strokes"]},
    )
    max_stroke_width: float | None = Field(
        default=None,
        gt=0,
        le=100,
        description="The thickest stroke, in percent of the picture's height; empty: 12, or 2 for lines.",
        json_schema_extra={"drawers": ["strokes"]},
    )
    paper: str | None = Field(
        default=None,
        description="The colour under the strokes; empty: white, or cream for lines.",
        json_schema_extra={"drawers": ["strokes"]},
    )

    @model_validator(mode="before")
    @classmethod
    def _stroke_names(cls, given: Any) -> Any:
        return strokes.by_either_name(given)

    @field_validator("stroke_kind", mode="before")
    @classmethod
    def _stroke_kind(cls, value: Any) -> str:
        return coercion.choice(value, get_args(StrokeKind), "stroke_kind")

    @field_validator("noise_prior", mode="before")
    @classmethod
    def _noise_prior(cls, value: Any) -> str:
        return coercion.choice(value, get_args(NoisePrior), "noise_prior")

    @field_validator("paper", mode="before")
    @classmethod
    def _paper(cls, value: Any) -> str | None:
        return strokes.paper(value)

    @model_validator(mode="after")
    def _widths_in_order(self) -> Self:
        low, high = strokes.widths(self.stroke_kind, self.min_stroke_width, self.max_stroke_width)
        if low > high:
            raise ValueError(f"min_stroke_width must be at most max_stroke_width, {high:g}; got {low:g}")
        return self

    upscale: int = Field(
        default=1, ge=1, le=4, description="How many times as wide and high the finished picture is made: 1, 2 or 4."
    )
    upscaler: Upscaler = Field(
        default="auto",
        description="What enlarges it: auto, nearest (pixel art), vector (strokes), swin2sr (a network), lanczos.",
    )

    @field_validator("drawer", mode="before")
    @classmethod
    def _drawer(cls, value: Any) -> str:
        return drawer_text(value)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The drawers that draw one after the other, each with its share of the iterations; the shares sum to 1."""
        return read_stages(self.drawer, _known_drawer)

    @property
    def drawer_names(self) -> tuple[str, ...]:
        """The drawers of the stages, without their shares."""
        return tuple(name for name, _ in self.stages)

    @property
    def last_drawer(self) -> str:
        """The drawer that finishes the picture, and so decides how it looks."""
        return self.drawer_names[-1]

    @field_validator("upscale", mode="before")
    @classmethod
    def _upscale(cls, value: Any) -> int:
        given = value.strip().lower().removesuffix("x") if isinstance(value, str) else value
        factor = coercion.number(given, "upscale")
        if factor not in (1, 2, 4):
            raise ValueError(f"upscale must be 1, 2 or 4; got {coercion.shown(value)}")
        return int(factor)

    @field_validator("upscaler", mode="before")
    @classmethod
    def _upscaler(cls, value: Any) -> str:
        return coercion.choice(value, get_args(Upscaler), "upscaler")

    @field_validator("model", mode="before")
    @classmethod
    def _model(cls, value: Any) -> str:
        return coercion.name(value, "model", "'embedded', 'light', 'full', a weights name or a directory")

    @field_validator("pixel_type", mode="before")
    @classmethod
    def _pixel_type(cls, value: Any) -> str:
        return coercion.choice(value, get_args(PixelType), "pixel_type")

    @field_validator("pixel_size", mode="before")
    @classmethod
    def _pixel_size(cls, value: Any) -> tuple[int, int] | None:
        return None if value is None else coercion.pair(value, "pixel_size", "40x40", 1, MAX_SIDE)

    @field_validator("latent_shape", mode="before")
    @classmethod
    def _latent_shape(cls, value: Any) -> tuple[int, ...] | None:
        return latent_shape(value)

    @field_validator("image_range", mode="before")
    @classmethod
    def _image_range(cls, value: Any) -> str | None:
        return None if coercion.missing(value) else coercion.choice(value, get_args(ImageRange), "image_range")

    @field_validator("latent", mode="before")
    @classmethod
    def _latent(cls, value: Any) -> tuple[float, ...] | None:
        return latent_numbers(value)


def drawer_text(value: Any) -> str:
    """A drawer, or a chain of them, in its one spelling. Raises ValueError, naming the nearest, for an unknown one."""
    if isinstance(value, str) and ("->" in value or "→" in value or ":" in value):
        return written(coercion.text(value, "drawer", "a drawer's name"), _known_drawer)
    return _known_drawer(value)


def _known_drawer(value: Any) -> str:
    """A drawer's proper name. Raises ValueError, naming the nearest, for one that isn't there."""
    if isinstance(value, str) and value.strip().lower() in DRAWERS:
        return value.strip().lower()
    plugged_in = _plugged_in_drawers()
    if isinstance(value, str) and value.strip() not in plugged_in and value.strip().lower() in DRAWERS_ELSEWHERE:
        raise ValueError(DRAWERS_ELSEWHERE[value.strip().lower()])
    return coercion.choice(value, (*DRAWERS, *plugged_in), "drawer", lower=False)


def _plugged_in_drawers() -> tuple[str, ...]:
    from importlib.metadata import entry_points

    return tuple(sorted({point.name for point in entry_points(group="text2art.drawers")} - set(DRAWERS)))
