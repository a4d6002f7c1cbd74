"""`JobRequest`: what a visitor may request, and its translation to `Settings` without access to the server."""

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, field_validator, model_validator

from text2art_nb.errors import SettingsError
from text2art_nb.imaging.image_io import picture_to_uri
from text2art_nb.serve.config import Limits
from text2art_nb.settings import ALIASES, Settings
from text2art_nb.settings.base import renamed
from text2art_nb.settings.coercion import shown
from text2art_nb.settings.modifiers import add_modifier, has_modifier
from text2art_nb.settings.presets import EMBEDDED_EYES
from text2art_nb.settings.prompts import split_weight
from text2art_nb.settings.untrusted import check_recipe

Type = Literal["image", "painting", "pixel art"]
Word = Annotated[str, StringConstraints(min_length=1, max_length=60, pattern=r"^[^\x00-\x1f\x7f|^]+$")]

DRAWERS: Final[dict[Type, str]] = {"image": "vqgan", "painting": "strokes", "pixel art": "pixel"}
HASHTAG: Final = "#pixelart"

OPERATOR_SETTINGS: Final = frozenset(
    "device precision threads micro_batch allow_urls aesthetic_head referee steering engine pixray".split()
)
"""Settings that the operator decides or that a run records."""
PICTURES: Final = ("init_image", "style_image", "content_image", "overlay_image")
IMAGE_LIST_SETTINGS: Final = ("image_prompts", "masks")
EMBEDDED_DRAWERS: Final = frozenset({"vqgan", "pixel", "strokes", "fft", "taesd"})


class JobRequest(BaseModel):
    """A picture to be drawn. Any name of `Settings` may stand beside these fields, or in `settings`.

    Attributes:
        init_image: a picture in base64 or as a data URI; addresses are never fetched.
        email: where to send the finished picture, if the service sends mail; stored apart and never shown.

    Raises:
        ValidationError: a field of the wrong type. `to_settings` checks the values.
    """

    model_config = ConfigDict(frozen=True, extra="allow", strict=True, hide_input_in_errors=True)

    private: ClassVar[frozenset[str]] = frozenset({"email"})

    prompt: str = Field(default="", max_length=2000, description="What to draw: 'text:weight | …'.")
    type: Type = Field(default="image", description="What draws: image, painting (strokes) or pixel art.")
    quality: Literal["draft", "normal", "better", "best", "supreme"] = "normal"
    aspect: Literal["square", "portrait", "widescreen", "retain"] = "square"
    keywords: list[Word] = Field(default=[], max_length=16, description="Style words, appended to the prompt.")
    init_image: str | None = Field(
        default=None, max_length=12_000_000, description="The picture to start from: base64, or a data URI."
    )
    public: bool = Field(default=False, description="Whether to show it in the gallery.")
    email: str | None = Field(default=None, max_length=254, description="Where to send it; never shown.")
    settings: dict[str, Any] = Field(default={}, description="Any other of text2art's settings, by name.")

    @model_validator(mode="before")
    @classmethod
    def _move_into_settings(cls, given: object) -> object:
        """Move top-level names of settings into `settings`."""
        if not isinstance(given, dict):
            return given
        others = {name: value for name, value in given.items() if name not in cls.model_fields}
        inside = given.get("settings", {})
        if not others or not isinstance(inside, dict):
            return given
        if twice := sorted(others.keys() & inside.keys()):
            raise ValueError(f"{shown(twice[0])} is given both at the top level and in settings; give it once")
        return {name: value for name, value in given.items() if name in cls.model_fields} | {
            "settings": {**inside, **others}
        }

    @field_validator("email")
    @classmethod
    def _email(cls, value: str | None) -> str | None:
        if value is None or value == "":
            return None
        from text2art_nb.serve.notices import NoticeError, checked_address

        try:
            return checked_address(value)
        except NoticeError:
            raise ValueError("email must be one plain address, like ada@example.org") from None

    def to_settings(self, models: Sequence[str] = ("embedded",), limits: Limits | None = None) -> Settings:
        """Return the settings to draw, resolved (with a seed), free of everything that a stranger may not use.

        Args:
            models: names of weights that may be used.
            limits: the most that may be requested; None: the defaults.

        Raises:
            SettingsError: the picture can't be drawn, or not here; one sentence per field.
        """
        given = renamed(self.settings, ALIASES)
        _refuse(given, {name: f"{name} can't be set by visitors" for name in sorted(OPERATOR_SETTINGS)})
        for name, value in (("quality", self.quality), ("aspect", self.aspect), ("init_image", self.init_image)):
            if name in self.model_fields_set and name in given:
                raise SettingsError({name: f"{name} is given both at the top level and in settings; give it once"})
            given.setdefault(name, value)
        if self.prompt and given.get("prompts"):
            raise SettingsError({"prompt": "prompt is another name for prompts; give only one of them"})
        given["prompts"] = self.prompt or given.get("prompts", "")
        given.setdefault("drawer", DRAWERS[self.type])
        given = {name: value for name, value in given.items() if value is not None}
        _read_pictures(given)
        check_recipe(given)
        settings = self._with_keywords(Settings(**given))
        if "\0" in self.prompt + settings.prompts:
            raise SettingsError({"prompt": "prompt may not hold the character NUL, which databases can't store"})
        _check_weights(settings, models)
        settings = settings.resolved()
        _check_limits(settings, limits or Limits())
        return settings

    def _with_keywords(self, settings: Settings) -> Settings:
        """Append the keywords to the prompt, and #pixelart for pixel art, as in the article."""
        words = list(self.keywords)
        if self.type == "pixel art" and not has_modifier(settings.prompts, HASHTAG):
            words.append(HASHTAG)
        line = settings.prompts
        try:
            for word in words if line else ():
                line = add_modifier(line, word)
        except ValueError as error:
            raise SettingsError({"keywords": f"keywords cannot be used: {error}"}) from None
        return settings.with_(prompts=line)

    def to_json(self) -> dict[str, Any]:
        """Return the JSON of an equal request, without private fields and without pictures."""
        hidden = {*self.private, "init_image"}
        request: dict[str, Any] = self.model_dump(mode="json", exclude_defaults=True, exclude=hidden)
        pictures = {
            *PICTURES,
            *IMAGE_LIST_SETTINGS,
            *(name for name, ours in ALIASES.items() if ours in (*PICTURES, *IMAGE_LIST_SETTINGS)),
        }
        settings = {name: value for name, value in request.pop("settings", {}).items() if name not in pictures}
        return request | ({"settings": settings} if settings else {})


def _refuse(given: Mapping[str, object], sentences: dict[str, str]) -> None:
    problems = {name: sentence for name, sentence in sentences.items() if name in given}
    if problems:
        raise SettingsError(problems)


def _read_pictures(given: dict[str, object]) -> None:
    """Convert every picture to the form that settings hold. Only its own bytes are ever read."""
    for name in PICTURES:
        if name in given:
            given[name] = _picture(name, given[name])
    for name in IMAGE_LIST_SETTINGS:
        if name in given:
            value = given[name]
            entries = value if isinstance(value, list) else [value]
            if len(entries) > 8:
                raise SettingsError({name: f"{name} may have at most 8 entries; got {len(entries)}"})
            given[name] = [_weighted(name, each) for each in entries]


def _weighted(name: str, entry: object) -> str:
    if not isinstance(entry, str):
        raise SettingsError({name: f"{name} must be pictures in base64 or data URIs; got {shown(entry)}"})
    scheme, comma, rest = entry.partition(",")
    body, colon, numbers = rest.partition(":") if comma else (entry, "", "")
    picture = _picture(name, f"{scheme},{body}" if comma else body)
    try:
        split_weight(f"x{colon}{numbers}")
    except ValueError as error:
        raise SettingsError({name: f"{name} cannot be used: {error}"}) from None
    return f"{picture}{colon}{numbers}"


def _picture(name: str, value: object) -> str:
    """Convert a picture in base64, or a data URI, to a PNG data URI.

    Raises:
        SettingsError: the bytes are not a picture, or the text is a path or an address.
    """
    right = "a picture's bytes in base64, or a data URI; files and addresses are not opened"
    if not isinstance(value, str):
        raise SettingsError({name: f"{name} must be {right}; got {shown(value)}"})
    body = value.strip()
    if body[:5].lower() == "data:":
        head, comma, body = body.partition(",")
        if not comma or not re.fullmatch(r"data:image/[\w.+-]+;base64", head, re.IGNORECASE):
            raise SettingsError({name: f"{name} must be {right}; this data URI isn't a picture in base64"})
    try:
        data = base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise SettingsError({name: f"{name} must be {right}; got {shown(value)}"}) from None
    try:
        return picture_to_uri(data)
    except ValueError as error:
        raise SettingsError({name: f"{name} cannot be used: {error}"}) from None


def _check_weights(settings: Settings, models: Sequence[str]) -> None:
    """Reject drawers, weights and perceptors that the operator doesn't offer.

    Raises:
        SettingsError: names them.
    """
    known = f"available: {', '.join(models)}"
    problems = {}
    for name in settings.model.split("->"):
        if name.strip() not in models:
            problems["model"] = f"model {shown(name.strip())} is not available here; {known}"
    for name in settings.perceptor_names:
        if ("embedded" if name in EMBEDDED_EYES else name) not in models:
            problems["perceptors"] = f"the perceptor {shown(name)} is not available here; {known}"
    for name in settings.drawer_names:
        if name not in EMBEDDED_DRAWERS and settings.weights not in models:
            there = ", ".join(sorted(EMBEDDED_DRAWERS))
            problems["drawer"] = f"the drawer {shown(name)} is not available here; available: {there}"
    if settings.upscaler == "swin2sr" and "swin2sr" not in models:
        problems["upscaler"] = "the upscaler 'swin2sr' is not available here; available: nearest, vector and lanczos"
    if problems:
        raise SettingsError(problems)


def _check_limits(settings: Settings, limits: Limits) -> None:
    """Reject requests beyond the limits.

    Raises:
        SettingsError: names the limit.
    """
    width, height = settings.picture_size
    pixels = width * height * settings.upscale**2 * settings.candidates
    steps = settings.iterations or 0
    views = steps * (settings.num_cuts or 1) * (settings.batches or 1) * settings.candidates
    problems = {}
    if pixels > limits.pixels:
        problems["size"] = f"size may make at most {limits.pixels:,} pixels in all here; got {pixels:,}"
    if steps > limits.iterations:
        problems["iterations"] = f"iterations may be at most {limits.iterations} here; got {steps}"
    elif views > limits.views:
        problems["num_cuts"] = (
            f"iterations x num_cuts x batches x candidates may be at most {limits.views:,} here; got {views:,}"
        )
    if problems:
        raise SettingsError(problems)
