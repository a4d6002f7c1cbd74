"""The settings of taste: style losses, filters, palette, and how closely to stay with the first picture."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, ValidationInfo, field_validator, model_validator

from text2art_nb.errors import SettingsError
from text2art_nb.settings import coercion
from text2art_nb.settings.base import Checked

LOSSES = (
    "smoothness",
    "saturation",
    "symmetry",
    "palette",
    "edge",
    "vignette",
    "aesthetic",
    "style",
    "content",
)
"""What else a picture may be pulled towards: see `text2art_nb.optimization.losses`."""
FILTERS = (
    "lookup",
    "mirror",
    "mirror-vertical",
    "rotate2",
    "rotate4",
    "kaleidoscope",
    "tile",
    "tile-across",
    "tile-down",
    "tile-brick",
)
"""What may be done to every picture of the drawer before it is looked at: see `text2art_nb.optimization.filters`."""

SmoothnessType = Literal["default", "clipped", "log", "linear"]
SymmetryAxis = Literal["left-right", "top-bottom", "both"]

# Pixray's names of the same things.
_SAME_FILTERS: Mapping[str, str] = MappingProxyType({"tiler": "tile", "wallpaper": "tile", "colorlookup": "lookup"})
_SAME_LOSSES: Mapping[str, str] = MappingProxyType({"gaussian": "vignette"})
_NO_LOSSES: Mapping[str, str] = MappingProxyType(
    {
        "resmem": "there is no loss 'resmem' (how well a picture is remembered); 'aesthetic' is how well it is liked",
        "detail": "there is no loss 'detail'; smoothness with a negative weight, like smoothness:-1, asks for detail",
    }
)


class TasteSettings(Checked):
    """See the module."""

    init_weight: float = Field(default=0.0, ge=0, le=1000, description="How strongly to stay close to the init image.")
    init_weight_spherical: float = Field(
        default=0.0,
        ge=0,
        le=1000,
        description="How strongly the drawer's numbers keep the direction that they started in, by the angle.",
    )
    init_weight_dist: float = Field(
        default=0.0,
        ge=0,
        le=1000,
        description="How strongly the drawer's numbers stay near those that they started from.",
    )
    init_weight_cos: float = Field(
        default=0.0,
        ge=0,
        le=1000,
        description="How strongly the drawer's numbers keep the direction that they started in, by its cosine.",
    )
    losses: dict[str, float] = Field(
        default={},
        description=f"What else to pull towards, by weight, like smoothness:2; there are {', '.join(LOSSES)}.",
    )
    smoothness_type: SmoothnessType = Field(
        default="default",
        description="How the loss smoothness counts a step between pixels: squared (default), linear, log, or clipped.",
    )
    symmetry_axis: SymmetryAxis = Field(
        default="left-right", description="What the loss symmetry wants to be alike: left-right, top-bottom or both."
    )
    edge_color: str = Field(default="white", description="The colour that the loss edge wants along the border.")
    edge_thickness: float = Field(
        default=5.0, ge=0, le=50, description="How thick that border is, in percent of the picture's width and height."
    )
    edge_margins: tuple[float, float, float, float] | None = Field(
        default=None, description="The border's thickness left, right, above and below, in percent, where they differ."
    )
    vignette_color: str = Field(
        default="white", description="The plain ground that the loss vignette wants, the more the farther outwards."
    )
    vignette_size: float = Field(
        default=28.0,
        ge=1,
        le=200,
        description="How large the middle is that the loss vignette leaves alone (a standard deviation, in percent).",
    )
    aesthetic_target: float = Field(
        default=10.0, ge=0, le=10, description="How well liked the loss aesthetic wants the picture to be, 0 to 10."
    )
    aesthetic_head: str | None = Field(
        default=None, description="The weights that rate pictures for the loss aesthetic; empty: those for ViT-L/14."
    )
    style_image: Annotated[str | None, coercion.AsChecked()] = Field(
        default=None, description="A picture whose manner the loss style takes over: its strokes and colours."
    )
    content_image: Annotated[str | None, coercion.AsChecked()] = Field(
        default=None, description="A picture whose things the loss content keeps in place; empty: the init image."
    )
    filters: tuple[str, ...] = Field(
        default=(), max_length=8, description=f"Stages after drawing, in order: {', '.join(FILTERS)}."
    )
    lookup_beta: float = Field(
        default=10.0, ge=0, le=1000, description="How strongly the filter lookup pulls every pixel to its colour."
    )
    palette: str | None = Field(
        default=None, description="The colours, like 'pico-8', 'red->yellow\\8', '[black,#ff0000]'."
    )

    @field_validator("losses", mode="before")
    @classmethod
    def _losses(cls, value: Any) -> dict[str, float]:
        return loss_weights(value)

    @field_validator("filters", mode="before")
    @classmethod
    def _filters(cls, value: Any) -> tuple[str, ...]:
        return filter_names(value)

    @model_validator(mode="before")
    @classmethod
    def _fetched_palette(cls, given: Any) -> Any:
        """A palette at an address is fetched here, where it can be seen whether that is allowed."""
        palette = given.get("palette") if isinstance(given, dict) else None
        if not isinstance(palette, str) or "://" not in palette:
            return given
        allowed = given.get("allow_urls", False)
        allow_urls = allowed is True or str(allowed).strip().lower() in ("1", "true", "yes", "on")
        try:
            return {**given, "palette": coercion.palette_text(palette, keep_empty=False, allow_urls=allow_urls)}
        except ValueError as error:
            raise SettingsError({"palette": str(error)}) from None

    @field_validator("palette", mode="before")
    @classmethod
    def _palette(cls, value: Any) -> str | None:
        return coercion.palette_text(value, keep_empty=False)

    @field_validator("smoothness_type", "symmetry_axis", mode="before")
    @classmethod
    def _choice(cls, value: Any, info: ValidationInfo) -> str:
        field = str(info.field_name)
        return coercion.choice(value, get_args(cls.model_fields[field].annotation), field)

    @field_validator("edge_color", "vignette_color", mode="before")
    @classmethod
    def _color(cls, value: Any, info: ValidationInfo) -> str:
        return _colour(value, str(info.field_name))

    @field_validator("edge_margins", mode="before")
    @classmethod
    def _margins(cls, value: Any) -> tuple[float, ...] | None:
        margins = [coercion.number(each, "edge_margins") for each in coercion.items(value, "edge_margins", ", ")]
        if not margins:
            return None
        if len(margins) != 4 or not all(0 <= margin <= 50 for margin in margins):
            right = "four percentages, left, right, above and below, 0 to 50 each, like 5,5,10,10"
            raise ValueError(f"edge_margins must be {right}; got {coercion.shown(value)}")
        return tuple(margins)

    @field_validator("aesthetic_head", mode="before")
    @classmethod
    def _head(cls, value: Any) -> str | None:
        right = "the name of weights, or a directory"
        return None if coercion.missing(value) else coercion.name(value, "aesthetic_head", right)

    @field_validator("style_image", "content_image", mode="before")
    @classmethod
    def _picture(cls, value: Any, info: ValidationInfo) -> str | None:
        if coercion.missing(value):
            return None
        return coercion.picture(value, str(info.field_name), allow_urls=False)

    @model_validator(mode="after")
    def _has_the_pictures(self) -> Self:
        problems = {}
        if self.losses.get("style") and self.style_image is None:
            problems["style_image"] = "the loss style needs a style_image, whose manner it takes over"
        if self.losses.get("content") and self.content_image is None and getattr(self, "init_image", None) is None:
            problems["content_image"] = "the loss content needs a content_image (or an init_image) to keep"
        if problems:
            raise SettingsError(problems)
        return self


def loss_weights(value: Any) -> dict[str, float]:
    """The style losses that `value` names, with their weights. Raises ValueError, naming the nearest, for another."""
    if isinstance(value, str):
        parts = (part.partition(":") for part in coercion.items(value, "losses", ",|"))
        value = ",".join("".join((_loss_name(name), *rest)) for name, *rest in parts)
    elif isinstance(value, Mapping):
        named = [(_loss_name(name), weight) for name, weight in value.items()]
        if len(dict(named)) < len(named):
            raise ValueError("losses names the same loss twice, under two names; give it one weight")
        value = dict(named)
    return coercion.weights(value, LOSSES)


def _loss_name(name: Any) -> Any:
    if not isinstance(name, str):
        return name
    plain = name.strip().lower()
    if plain in _NO_LOSSES:
        raise ValueError(_NO_LOSSES[plain])
    return _SAME_LOSSES.get(plain, name)


def filter_names(value: Any) -> tuple[str, ...]:
    """The filters that `value` names. Raises ValueError, naming the nearest, for one that isn't there."""
    given = coercion.items(value, "filters", ",|")
    ours = [_SAME_FILTERS.get(each.strip().lower(), each) if isinstance(each, str) else each for each in given]
    return tuple(coercion.choice(each, FILTERS, "filters", "filter") for each in ours)


def _colour(value: Any, field: str) -> str:
    """One colour as the palette grammar writes it; also three numbers, 0 to 255 (pixray's ``gaussian_color``)."""
    if isinstance(value, list | tuple):
        parts = [coercion.number(each, field) for each in value]
        value = f"({'+'.join(f'{part:g}' for part in parts)})"
    name = coercion.text(value, field, "a colour, like 'white' or '#f2eecb'")
    from text2art_nb.imaging.palettes import parse_palette

    one = not set(name) & set(";,[]@\\>")  # nothing else of the palette grammar: no lists, and above all no files
    try:
        one = one and len(parse_palette(f"[{name}]")) == 1
    except ValueError as error:
        raise ValueError(f"{field} cannot be read: {error}") from None
    if not one:
        raise ValueError(f"{field} must be one colour, like 'white' or '#f2eecb'; got {coercion.shown(value)}")
    return name
