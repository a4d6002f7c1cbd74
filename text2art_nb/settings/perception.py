"""The settings of looking: which perceptors, how many views of the picture, how much at once, and what else is asked
for beside the prompt line."""

import itertools
import math
from collections.abc import Sequence
from typing import Annotated, Any, Final

from pydantic import Field, field_validator

from text2art_nb.settings import coercion
from text2art_nb.settings.base import Checked
from text2art_nb.settings.presets import PERCEPTOR_PRESETS
from text2art_nb.settings.prompts import MAX_MASKS, MAX_WEIGHT, Prompt, mask_number, parse_prompts, split_weight

_MOST_CUTS: Final = 1024
_MOST_NOISES: Final = 16


class LookingSettings(Checked):
    """See the module."""

    perceptors: tuple[str, ...] | None = Field(
        default=None,
        max_length=16,
        description="The CLIPs that look, each 'name:weight:cuts', or 'robust'; empty: those of model and quality.",
    )
    num_cuts: int | None = Field(
        default=None, ge=1, le=_MOST_CUTS, description="How many views of the picture are in a batch."
    )
    batches: int | None = Field(default=None, ge=1, le=64, description="How many batches of views make one step.")
    micro_batch: int | None = Field(default=None, ge=1, le=65_536, description="How many views are seen at once.")
    token_drop: float = Field(
        default=0.0,
        ge=0,
        le=0.9,
        description="What share of each view a ViT leaves out, others each time, to be faster; try 0.5.",
    )
    labels: tuple[str, ...] = Field(
        default=(),
        max_length=16,
        description="Things to draw, like 'tabby cat:2', each read in the seven phrases that CLIP knows best.",
    )
    masks: Annotated[tuple[str, ...], coercion.AsChecked()] = Field(
        default=(),
        description="Black and white pictures for prompts like '[mask 1] fog': white is where the prompt counts.",
    )
    noise_prompt_seeds: tuple[int, ...] = Field(
        default=(),
        max_length=_MOST_NOISES,
        description="Whole numbers; each pulls the picture towards something random that is always the same.",
    )
    noise_prompt_weights: tuple[float, ...] = Field(
        default=(), max_length=_MOST_NOISES, description="How strongly each of them pulls; 1 where none is given."
    )
    text_off: bool = Field(
        default=True, description="Whether to push written words out of the picture (the embedded models write none)."
    )

    @field_validator("perceptors", mode="before")
    @classmethod
    def _perceptors(cls, value: Any) -> tuple[str, ...] | None:
        names = coercion.items(value, "perceptors", ",")
        given = tuple(coercion.name(each, "perceptors", "names like 'ViT-B/32'") for each in names)
        for each in given:
            perceptor_spec(each)
        return given or None

    @field_validator("labels", mode="before")
    @classmethod
    def _labels(cls, value: Any) -> tuple[str, ...]:
        given = coercion.items(value, "labels", "|")
        labels = tuple(coercion.text(each, "labels", "names of things, like 'tabby cat:2'") for each in given)
        for each in labels:
            _label(each)
        return labels

    @field_validator("masks", mode="before")
    @classmethod
    def _masks(cls, value: Any) -> tuple[str, ...]:
        given = coercion.pictures(value)
        if len(given) > MAX_MASKS:
            raise ValueError(f"masks may have at most {MAX_MASKS} entries; got {len(given)}")
        return tuple(coercion.picture(each, "masks", allow_urls=False) for each in given)

    @field_validator("noise_prompt_seeds", mode="before")
    @classmethod
    def _noise_seeds(cls, value: Any) -> tuple[int, ...]:
        seeds = [coercion.number(each, "noise_prompt_seeds") for each in _listed(value, "noise_prompt_seeds")]
        if not all(seed.is_integer() and 0 <= seed < 2**53 for seed in seeds):
            raise ValueError(f"noise_prompt_seeds must be whole numbers from 0, like 3,7; got {coercion.shown(value)}")
        return tuple(int(seed) for seed in seeds)

    @field_validator("noise_prompt_weights", mode="before")
    @classmethod
    def _noise_weights(cls, value: Any) -> tuple[float, ...]:
        weights = [coercion.number(each, "noise_prompt_weights") for each in _listed(value, "noise_prompt_weights")]
        if not all(abs(weight) <= MAX_WEIGHT for weight in weights):
            limit = f"between -{MAX_WEIGHT:g} and {MAX_WEIGHT:g}"
            raise ValueError(f"noise_prompt_weights must be {limit}; got {coercion.shown(value)}")
        return tuple(weights)

    @property
    def perceptor_names(self) -> tuple[str, ...]:
        """The perceptors without their weights and cuts."""
        return tuple(perceptor_spec(each)[0] for each in self.perceptors or ())

    @property
    def beside_the_line(self) -> list[Prompt]:
        """The prompts that labels and noise are."""
        weighted = itertools.zip_longest(self.noise_prompt_seeds, self.noise_prompt_weights, fillvalue=1.0)
        noises = [Prompt("", weight, noise=int(seed)) for seed, weight in weighted]
        return [_label(each) for each in self.labels] + noises[: len(self.noise_prompt_seeds)]


def perceptor_spec(text: str) -> tuple[str, float, int | None]:
    """(name, weight, cuts) of ``name:weight:cuts``, like ``ViT-B/32:0.5:16``; weight 1 and cuts None where not given.

    Raises:
        ValueError: no name, or numbers out of their range.
    """
    name, weight, cuts = split_weight(text)
    if not name.strip():
        raise ValueError(f"perceptors must be names like 'ViT-B/32:0.5:16'; got {coercion.shown(text)}")
    if not 0 < weight <= MAX_WEIGHT:
        raise ValueError(
            f"the weight of the perceptor {name!r} must be above 0 and at most {MAX_WEIGHT:g}; got {weight:g}"
        )
    if cuts == -math.inf:
        return name.strip(), weight, None
    if not (float(cuts).is_integer() and 1 <= cuts <= _MOST_CUTS):
        raise ValueError(f"the cuts of the perceptor {name!r} must be a whole number, 1 to {_MOST_CUTS}; got {cuts:g}")
    return name.strip(), weight, int(cuts)


def expanded(specs: Sequence[str], quality: str) -> tuple[str, ...]:
    """`specs` as in settings.perceptors, with each name of a preset ("robust") replaced by those that it means.

    Each of them gets the preset's weight and cuts.
    """
    found: list[str] = []
    for each in specs:
        name, _, _ = perceptor_spec(each)
        meant = PERCEPTOR_PRESETS.get(name.lower())
        rest = each.strip()[len(name) :]
        found += [each] if meant is None else [f"{one}{rest}" for one in meant[quality]]
    return tuple(dict.fromkeys(found))


def missing_mask(line: str, count: int) -> str | None:
    """What is wrong with a prompt line that names a mask where there are only `count`; None if nothing is."""
    named = [mask_number(prompt.region) or 0 for prompt in parse_prompts(line)] if "[" in line else []
    if max(named, default=0) <= count:
        return None
    return f"prompts names mask {max(named)}, but masks has {count or 'no'} picture{'' if count == 1 else 's'}"


def _label(text: str) -> Prompt:
    name, weight, stop = split_weight(text)
    return Prompt(name, weight, stop, label=True)


def _listed(value: Any, field: str) -> list[Any]:
    """The numbers of a list, of a text with commas, or one alone."""
    single = not isinstance(value, str | list | tuple | None)
    return [value] if single else coercion.items(value, field, ",|")
