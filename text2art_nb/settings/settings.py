"""`Settings`: everything that a picture is asked to be, checked once, here, so that nothing further down has to.

Names and meanings are pixray's where the meaning is the same (its spelling is accepted where ours differs).
Raises one `SettingsError` with a plain sentence per field.
"""

import numbers
import secrets
from collections.abc import Mapping
from dataclasses import replace
from itertools import groupby
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import Field, ValidationInfo, field_validator, model_validator

from text2art_nb.errors import SettingsError
from text2art_nb.settings import coercion, strokes
from text2art_nb.settings.base import renamed
from text2art_nb.settings.drawing import DrawingSettings
from text2art_nb.settings.engine import EngineSettings
from text2art_nb.settings.halving import left
from text2art_nb.settings.motion import MotionSettings
from text2art_nb.settings.perception import LookingSettings, expanded, missing_mask, perceptor_spec
from text2art_nb.settings.presets import (
    DRAWER_MODELS,
    EMBEDDED_EYES,
    EMBEDDED_FFT_TASTE,
    EMBEDDED_LOSSES,
    EMBEDDED_PRESETS,
    FFT_TASTE,
    FULL_PRESETS,
    LIGHT_PRESETS,
    MAX_AREA,
    MAX_SIDE,
    MIN_SIDE,
    REFINING_ITERATIONS,
    TURBO_ITERATIONS,
    WITHOUT_LIGHT,
    Preset,
    grid_size,
    native_size,
    preset_size,
    trimmed,
)
from text2art_nb.settings.prompts import Prompt, parse_prompts, pick
from text2art_nb.settings.stages import model_of
from text2art_nb.settings.steering import MAX_STEERING, Steering, steering_entry
from text2art_nb.settings.style import TasteSettings
from text2art_nb.settings.tournament import TournamentSettings
from text2art_nb.settings.unsupported import ELSEWHERE, OTHER_PROGRAMS

RECIPE_VERSION = 1
"""The version of the recipe format that `Settings.to_recipe` writes."""

Quality = Literal["draft", "normal", "better", "best", "supreme"]
Aspect = Literal["square", "portrait", "widescreen", "retain"]
Keep = Literal["last", "best", "average"]
Start = Literal["noise", "proposal", "image"]
Precision = Literal["auto", "float32", "bfloat16", "float16"]

MAX_THREADS = 1024
"""Most threads that a picture may ask for."""

MAX_PICTURE_CHARS = 24_000_000
"""Most characters of all pictures (as data URIs) in one Settings."""

# Other spellings: pixray's and clipit's, and the ones that everybody types.
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "custom_loss": "losses",
        "vqgan_model": "model",
        "clip_models": "perceptors",
        "cutn": "num_cuts",
        "prompt": "prompts",
        "image_prompt": "image_prompts",
        "label": "labels",
        "init_weight_pix": "init_weight",
        "style_file": "style_image",
        "gaussian_color": "vignette_color",
        "edge_colour": "edge_color",
        "vignette_colour": "vignette_color",
        "fft_lrate": "learning_rate",
        "video": "make_video",
        "cuda_device": "device",
    }
)


class Settings(DrawingSettings, LookingSettings, TasteSettings, MotionSettings, TournamentSettings, EngineSettings):
    """Everything that a picture is asked to be. Frozen, comparable, hashable; make changed ones with `with_`.

    None means that quality, aspect, model, the drawer or chance decides; `resolved` says what they decide.

    Raises:
        SettingsError: one sentence per field that cannot be used; ``.problems`` has them by field.
    """

    aliases: ClassVar[Mapping[str, str]] = ALIASES
    elsewhere: ClassVar[Mapping[str, str]] = MappingProxyType({**OTHER_PROGRAMS, **ELSEWHERE})

    if TYPE_CHECKING:

        def __init__(self, /, **given: Any) -> None: ...

    prompts: str = Field(default="", description="What to draw: 'text:weight:stop | …'; a negative weight pushes away.")
    quality: Quality = Field(
        default="normal", description="How much work goes in, where it is not given: steps, views, size."
    )
    aspect: Aspect = Field(
        default="square", description="The shape where size is not given; retain keeps the init image's."
    )
    size: tuple[int, int] | None = Field(
        default=None, description="Width and height in pixels, 16 to 8192, like 384x216."
    )
    iterations: int | None = Field(default=None, ge=1, le=1_000_000, description="How many steps to draw.")
    candidates: int = Field(
        default=1, ge=1, le=64, description="How many pictures to draw side by side; the best is kept."
    )
    seed: int | None = Field(default=None, ge=0, le=2**63 - 1, description="Same seed, same picture; empty: a new one.")
    allow_urls: bool = Field(default=False, description="Whether pictures may be fetched from http(s) addresses.")
    image_prompts: Annotated[tuple[coercion.ImagePrompt, ...], coercion.AsChecked()] = Field(
        default=(), description="Pictures to look like, each optionally with ':weight'."
    )
    start: Start | None = Field(
        default=None,
        description="What it grows out of: noise, proposal (a small model's picture of the words), image (init_image).",
    )
    init_image: Annotated[str | None, coercion.AsChecked()] = Field(
        default=None, description="The picture to start from, kept as a PNG data URI."
    )
    learning_rate: float | None = Field(
        default=None, gt=0, le=1000, description="The size of a step; empty: the drawer's own."
    )
    learning_rate_drops: tuple[float, ...] = Field(
        default=(75.0,),
        max_length=16,
        description="When the learning rate is divided by 10, in percent of the iterations.",
    )
    keep: Keep = Field(
        default="last", description="Which picture to hand over: last, best (scored), average (running)."
    )
    make_video: bool = Field(default=True, description="Whether to keep frames for a video.")
    device: str = Field(default="auto", description="Where to compute: auto, cpu, cuda, cuda:N or mps.")
    precision: Precision = Field(default="auto", description="The arithmetic: auto, float32, bfloat16 or float16.")
    threads: int | None = Field(
        default=None,
        ge=1,
        le=MAX_THREADS,
        description="CPU threads that compute; the last bits depend on it. Empty: torch's number, kept by the run.",
    )
    steering: tuple[Steering, ...] = Field(
        default=(), max_length=MAX_STEERING, description="What was changed while it drew."
    )

    @field_validator("prompts", mode="before")
    @classmethod
    def _prompts(cls, value: Any) -> str:
        return coercion.prompt_line(value)

    @field_validator("quality", "aspect", "keep", "precision", mode="before")
    @classmethod
    def _one_of(cls, value: Any, info: ValidationInfo) -> str:
        field = str(info.field_name)
        return coercion.choice(value, get_args(cls.model_fields[field].annotation), field)

    @field_validator("start", mode="before")
    @classmethod
    def _start(cls, value: Any) -> str | None:
        return None if coercion.missing(value) else coercion.choice(value, get_args(Start), "start")

    @field_validator("size", mode="before")
    @classmethod
    def _size(cls, value: Any) -> tuple[int, int] | None:
        if value is None:
            return None
        width, height = coercion.pair(value, "size", "384x216", MIN_SIDE, MAX_SIDE)
        if width * height > MAX_AREA:
            raise ValueError(f"size may be at most {MAX_AREA // 2**20} megapixels in all; got {width}x{height}")
        return width, height

    @field_validator("image_prompts", mode="before")
    @classmethod
    def _image_prompts(cls, value: Any, info: ValidationInfo) -> tuple[str, ...]:
        pictures = coercion.pictures(value)
        if len(pictures) > 8:
            raise ValueError(f"image_prompts may have at most 8 entries; got {len(pictures)}")
        return tuple(coercion.image_prompt(each, bool(info.data.get("allow_urls"))) for each in pictures)

    @field_validator("init_image", mode="before")
    @classmethod
    def _init_image(cls, value: Any, info: ValidationInfo) -> str | None:
        if coercion.missing(value):
            return None
        return coercion.picture(value, "init_image", bool(info.data.get("allow_urls")))

    @field_validator("learning_rate_drops", mode="before")
    @classmethod
    def _drops(cls, value: Any) -> tuple[float, ...]:
        given = [value] if isinstance(value, numbers.Number) else coercion.items(value, "learning_rate_drops", ",")
        drops = sorted({coercion.number(each, "learning_rate_drops") for each in given})
        if drops and not (drops[0] > 0 and drops[-1] <= 100):
            got = coercion.shown(value)
            raise ValueError(f"learning_rate_drops must be percentages above 0 and at most 100, like 75; got {got}")
        return tuple(drops)

    @field_validator("device", mode="before")
    @classmethod
    def _device(cls, value: Any) -> str:
        name = value.strip().lower() if isinstance(value, str) else ""
        kind, colon, index = name.partition(":")
        numbered = kind == "cuda" and index.isascii() and index.isdigit() and len(index) <= 2
        if kind not in ("auto", "cpu", "cuda", "mps") or (colon and not numbered):
            raise ValueError(f"device must be auto, cpu, cuda, cuda:N or mps; got {coercion.shown(value)}")
        return name

    @field_validator("steering", mode="before")
    @classmethod
    def _steering(cls, value: Any) -> tuple[Steering, ...]:
        given = [value] if isinstance(value, Steering | Mapping) else coercion.items(value, "steering")
        entries = [steering_entry(each, position) for position, each in enumerate(given)]
        return tuple(sorted(entries, key=lambda entry: entry.iteration))

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        problems = {}
        if not self.prompts and not self.image_prompts and not self.labels:
            problems["prompts"] = "prompts is empty; say what to draw, like 'an underwater city'"
        if self.aspect == "retain" and self.init_image is None and self.size is None:
            problems["aspect"] = "aspect 'retain' needs an init_image, whose shape it keeps"
        if self.finalists is not None and self.finalists > self.candidates:
            problems["finalists"] = (
                f"finalists may be at most the candidates, {self.candidates}; got {self.finalists}: "
                f"try candidates={4 * self.finalists if self.finalists <= 16 else 64}"
            )
        if self.size is not None and self.size[0] * self.size[1] * self.upscale**2 > MAX_AREA:
            larger = "x".join(str(side * self.upscale) for side in self.size)
            problems["upscale"] = f"upscale may make at most {MAX_AREA // 2**20} megapixels; got {larger}"
        if self.upscale > 1 and self.upscaler == "vector" and self.last_drawer != "strokes":
            problems["upscaler"] = f"upscaler 'vector' is for the drawer strokes; {self.last_drawer} draws in pixels"
        if self.start == "image" and self.init_image is None:
            problems["start"] = "start 'image' needs an init_image"
        if self.drawer == "generator" and self.model in ("embedded", "light", "full"):
            problems["model"] = (
                "the drawer 'generator' needs a model: the path of your TorchScript or torch.export file, or the name "
                "of an installed generator"
            )
        elif heavy := self._without_light():
            problems["model"] = f"the drawer {heavy!r} has no light weights; take another drawer, or model='full'"
        if "->" in self.model and self.model.count("->") != len(self.stages) - 1:
            count = self.model.count("->") + 1
            problems["model"] = f"model names {count} weights for {len(self.stages)} drawers; name one, or one for each"
        if self.start == "proposal" and not self.asks_in_words:
            problems["start"] = "start 'proposal' needs words in the prompt that say what to draw"
        for line in (self.prompts, *(entry.prompts for entry in self.steering)):
            if sentence := missing_mask(line or "", len(self.masks)):
                problems["prompts"] = sentence
        if len(self.noise_prompt_weights) > len(self.noise_prompt_seeds):
            problems["noise_prompt_weights"] = (
                f"noise_prompt_weights has {len(self.noise_prompt_weights)} numbers for "
                f"{len(self.noise_prompt_seeds)} noise_prompt_seeds; give each weight its seed"
            )
        if len(self.init_image or "") + sum(map(len, self._other_pictures)) > MAX_PICTURE_CHARS:
            limit = f"{MAX_PICTURE_CHARS // 10**6} MB"
            problems["image_prompts"] = (
                f"image_prompts, masks and init_image may be at most {limit} together; give smaller ones"
            )
        if sentence := self._missing_candidate():
            problems["steering"] = sentence
        if problems:
            raise SettingsError(problems)
        return self

    @property
    def _other_pictures(self) -> tuple[str, ...]:
        single = (self.overlay_image, self.style_image, self.content_image)
        return (*self.image_prompts, *self.masks, *(picture or "" for picture in single))

    def _missing_candidate(self) -> str | None:
        """What is wrong with a steering that goes on with a candidate that isn't there."""
        count, total = self.candidates, self.iterations or self.preset.iterations
        for iteration, entries in groupby(self.steering, key=lambda entry: entry.iteration):
            count = min(
                count, left(self.candidates, self.finalists, iteration - 1, total)
            )  # by the total of before: it counted until now
            for entry in entries:
                total = entry.iterations or total
                if entry.candidate is None:
                    continue
                if entry.candidate >= count:
                    return f"candidate must be less than {count}, the number of candidates; got {entry.candidate}"
                count = 1
        return None

    def steered(self, iteration: int) -> "Settings":
        """What is asked for once `iteration` iterations are done: these settings as the steering has left them."""
        changes: dict[str, Any] = {}
        for entry in self.steering:
            if entry.iteration <= iteration:
                changes |= entry.new_settings
        return self.with_(**changes, steering=())

    @property
    def parsed(self) -> list[Prompt]:
        """The prompts of the line, the image prompts (whose ``image`` is a PNG data URI), labels and noise."""
        prompts = parse_prompts(self.prompts) if self.prompts else []
        for entry in self.image_prompts:
            prompts.append(Prompt("", entry.weight, entry.stop, entry.picture))
        return prompts + self.beside_the_line

    @property
    def asks_in_words(self) -> bool:
        """Whether there are words that say what to draw, not only pictures or what is to be avoided."""
        return any(prompt.weight > 0 for prompt in (parse_prompts(self.prompts) if self.prompts else ()))

    def _without_light(self) -> str | None:
        """The first drawer that is asked for light weights and has none."""
        for stage, drawer in enumerate(self.drawer_names):
            if drawer in WITHOUT_LIGHT and model_of(self.model, stage) == "light":
                return drawer
        return None

    @property
    def _proposal_knows(self) -> bool:
        """Whether every word that says what to draw is one that the proposals were taught."""
        from text2art_nb.models.vocabulary import unknown_words

        prompts = parse_prompts(self.prompts) if self.prompts else []
        said = [text for prompt in prompts if prompt.weight > 0 for text in prompt.texts]
        return bool(said) and not unknown_words(" ".join(said))

    def _usual_start(self) -> Start:
        """The init image; else a proposal, if the models are of its small world or it knows the words; else noise."""
        if self.init_image is not None:
            return "image"
        if self.engine == "pixray":
            return "noise"
        if self._leading_weights == "light":
            return "proposal" if self._proposal_knows else "noise"
        return "proposal" if self._leading_weights == "embedded" and self.asks_in_words else "noise"

    @property
    def _begins(self) -> Start:
        """What the picture grows out of: what is asked for, or what is usual for these settings."""
        return self.start or self._usual_start()

    @property
    def weights(self) -> str:
        """The model that is meant: "embedded" means a drawer's own, where it has no embedded one."""
        # A chain keeps "embedded", which each of its drawers takes as its own.
        return DRAWER_MODELS.get(self.drawer, self.model) if self.model == "embedded" else self.model

    @property
    def _leading_weights(self) -> str:
        """The first drawer's model, which says what is usual for all: the start, the eyes, the effort."""
        first = model_of(self.weights, 0)
        return DRAWER_MODELS.get(self.drawer_names[0], first) if first == "embedded" else first

    @property
    def preset(self) -> Preset:
        """The row of the quality table that these settings use; the embedded and the light models have their own."""
        tables = {"embedded": EMBEDDED_PRESETS, "light": LIGHT_PRESETS}
        row = tables.get(self._leading_weights, FULL_PRESETS)[self.quality]
        if self.drawer == "turbo":
            return replace(row, iterations=TURBO_ITERATIONS[self.quality])
        if self.drawer == "vqgan" and self.weights == "embedded" and self._begins == "proposal":
            return replace(row, iterations=REFINING_ITERATIONS[self.quality])
        return row

    @property
    def picture_size(self) -> tuple[int, int]:
        """(width, height) of the picture in pixels: size, or what aspect and quality mean.

        As pixray, sizes from the table that a real VQGAN, which draws in blocks of 16, could not fill are trimmed.
        """
        if self.size is not None:
            return self.size
        init_size = None
        if self.aspect == "retain" and self.init_image is not None:
            from text2art_nb.imaging.image_io import picture_size

            init_size = picture_size(self.init_image)
        size = preset_size(self.aspect, self.preset.scale, init_size)
        if self.drawer == "turbo":
            return native_size(size)
        return trimmed(size) if "vqgan" in self.drawer_names and self.model not in ("embedded", "light") else size

    @property
    def drawn_size(self) -> tuple[int, int]:
        """(width, height) at which the drawer hands its picture over: strokes to be enlarged are drawn larger."""
        width, height = self.picture_size
        return (width * self.upscale, height * self.upscale) if self.upscaler == "vector" else (width, height)

    def with_(self, **changes: Any) -> "Settings":
        """These settings with some of them changed, checked again as a whole.

        Raises:
            SettingsError: as `Settings` does.
        """
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return Settings(**given | renamed(changes, self.aliases))

    def resolved(self) -> "Settings":
        """These settings with everything explicit that was left to quality, aspect, model and chance (the seed).

        Resolving twice is resolving once. What stays None means itself: learning_rate (the drawer's own), micro_batch
        (what fits), threads (torch's number when the run begins), palette and pictures (none), the grid of a drawer
        that has none.
        """
        preset = self.preset
        size = self.picture_size
        seed = secrets.randbelow(2**32) if self.seed is None else self.seed
        found: dict[str, Any] = {
            "model": self.weights,
            "iterations": self.iterations or preset.iterations,
            "num_cuts": self.num_cuts or preset.num_cuts,
            "batches": self.batches or preset.batches,
            "perceptors": expanded(self.perceptors or (), self.quality) or preset.perceptors,
            "size": size,
            "seed": seed,
            **({"prompts": pick(self.prompts, seed)} if "{" in self.prompts else {}),
            # Only a later drawer of a chain is to refine without words: see stages.of_stage.
            "start": self._begins if self._begins != "proposal" or self.asks_in_words else "noise",
        }
        small = {perceptor_spec(each)[0] for each in found["perceptors"]} <= set(EMBEDDED_EYES)
        taste = EMBEDDED_LOSSES.get(self.drawer_names[0], {})
        own = "losses" in self.model_fields_set  # also where none are asked for
        if taste and not own and small and found["start"] == "noise" and self.engine == "text2art":
            found["losses"] = dict(taste)
        if preset.token_drop and self.engine == "text2art" and "token_drop" not in self.model_fields_set:
            found["token_drop"] = preset.token_drop
        if "turbo" in self.drawer_names and "keep" not in self.model_fields_set:
            found["keep"] = "best"  # its steps go up and down, and ReNO keeps the best
        if "fft" in self.drawer_names:
            decay, sharp = EMBEDDED_FFT_TASTE if small else FFT_TASTE
            found["fft_decay"] = decay if self.fft_decay is None else self.fft_decay
            found["fft_sharp"] = sharp if self.fft_sharp is None else self.fft_sharp
        if "pixel" in self.drawer_names:
            grid = grid_size(size, self.pixel_size, self.pixel_scale, self.pixel_type)
            found |= {"pixel_size": grid, "pixel_scale": 1.0}
        if "strokes" in self.drawer_names:
            found |= strokes.defaults(self)
        return self.with_(**found)

    def to_recipe(self) -> dict[str, Any]:
        """The settings as JSON types, defaults included, with the format's version under the key "text2art"."""
        recipe = {"text2art": RECIPE_VERSION, **self.model_dump(mode="json")}
        recipe["steering"] = [{"iteration": entry.iteration, **entry.changes} for entry in self.steering]
        return recipe

    @classmethod
    def from_recipe(cls, recipe: Any, trusted: bool = False) -> "Settings":
        """Read what `to_recipe` wrote.

        Args:
            recipe: a dict of JSON types.
            trusted: False for anything that came from elsewhere: its size and depth are bounded, its pictures must be
                PNG data URIs of at most 1024 pixels a side, it may name no directory and may not allow addresses.

        Raises:
            SettingsError: whatever is wrong with it.
        """
        if not isinstance(recipe, dict) or not all(isinstance(name, str) for name in recipe):
            raise SettingsError(f"a recipe must be a JSON object of settings by name; got {coercion.shown(recipe)}")
        given = dict(recipe)
        _check_version(given.pop("text2art", RECIPE_VERSION))
        given = renamed(given, cls.aliases)
        if "start" not in given:  # a picture of the time when there was no choice
            given["start"] = "noise" if given.get("init_image") is None else "image"
        given.setdefault("text_off", False)  # a picture of the time when there was none
        given.setdefault("lookup_beta", 0.0)  # likewise
        if not trusted:
            from text2art_nb.settings.untrusted import check_recipe

            check_recipe(given)
            given["allow_urls"] = False
        settings = cls(**given)
        return settings if trusted else settings._without_surplus_threads()

    def _without_surplus_threads(self) -> Self:
        """These settings without a number of threads that this machine doesn't have."""
        from text2art_nb.runtime.machine import most_threads

        surplus = self.threads is not None and self.threads > most_threads()
        return self.model_copy(update={"threads": None}) if surplus else self


def _check_version(version: Any) -> None:
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise SettingsError({"text2art": f"text2art must be the recipe's version, 1; got {coercion.shown(version)}"})
    if version > RECIPE_VERSION:
        newer = f"this recipe has version {coercion.shown(version)} and this text2art reads {RECIPE_VERSION}"
        raise SettingsError({"text2art": f"{newer}; update text2art to open it"})
