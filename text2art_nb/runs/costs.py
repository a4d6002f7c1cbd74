"""Usual costs of drawers and image encoders, backward pass included: a prior where nothing has been measured yet.

Measured with one thread of an AMD EPYC at 2.6 GHz: vqgan, pixel, the embedded encoder, ViT-B/32 and B/16. On a busy
machine, and scaled by the embedded VQGAN there: strokes, fft, taesd, TinyCLIP-8M/16. Scaled from docs/drawers/turbo.md:
turbo. Guessed: generator. The other encoders follow from their multiplications and activations, relative to ViT-B/32.
"""

import math
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from text2art_nb.models import embedded
from text2art_nb.settings import Settings, stages
from text2art_nb.settings.perception import perceptor_spec
from text2art_nb.settings.presets import native_size, weights_for

STYLE_VIEWS: Final = 5
"""Views of the picture that the style loss encodes (`losses.close_views`); the content loss encodes one."""
_DROP_SAVES: Final = 0.8  # of a view's cost, were all patches dropped (docs/perceptors.md has the measurements)
# Not measured: how many times a plain GPU is faster than one thread, and the seconds that it needs for any iteration.
_GPU_SPEEDUP: Final = 40.0
_GPU_ITERATION: Final = 0.04


class Cost(NamedTuple):
    """Of an iteration: fixed, and per unit, which is a megapixel of the picture for a drawer, a view for an encoder."""

    seconds: float
    seconds_each: float
    megabytes: float
    megabytes_each: float


DRAWERS: Final[Mapping[str, Cost]] = MappingProxyType(
    {
        "vqgan": Cost(0.44, 112.0, 300, 16_500),  # also a plug-in's drawer
        "embedded vqgan": Cost(0.04, 1.4, 50, 800),
        "embedded taesd": Cost(0.02, 0.7, 50, 800),
        "pixel": Cost(0.008, 0.16, 10, 180),
        "strokes": Cost(0.02, 0.2, 10, 200),  # the fixed part is for 256 strokes
        "fft": Cost(0.004, 0.25, 10, 200),
        "taesd": Cost(0.04, 12.0, 60, 2_800),
        "turbo": Cost(0.0, 584.0, 5_000, 3_500),  # per megapixel of its native size: 150 s of UNet per picture
        "generator": Cost(0.1, 12.0, 200, 2_800),
    }
)


class ImageEncoder(NamedTuple):
    """name: as in the papers; pattern: found in its name or path; side: of a view, in pixels; cost: per view."""

    name: str
    pattern: str
    side: int
    cost: Cost


IMAGE_ENCODERS: Final = (
    # The first whose pattern is found counts: the particular before the general, ViT-B/16 for any unknown one.
    ImageEncoder("TinyCLIP-40M/32", r"tinyclip.*40m", 224, Cost(0.0, 0.12, 350, 30)),
    ImageEncoder("TinyCLIP-39M/16", r"tinyclip.*39m", 224, Cost(0.0, 0.5, 350, 70)),
    ImageEncoder("TinyCLIP-8M/16", r"tinyclip|^light$", 224, Cost(0.0, 0.1, 100, 30)),
    ImageEncoder("RN50x16", r"rn50x16", 384, Cost(0.0, 3.6, 800, 1_000)),
    ImageEncoder("RN50x4", r"rn50x4", 288, Cost(0.0, 1.1, 450, 450)),
    ImageEncoder("RN101", r"rn101", 224, Cost(0.0, 0.5, 300, 260)),
    ImageEncoder("RN50", r"rn50", 224, Cost(0.0, 0.3, 250, 180)),
    ImageEncoder("ViT-L/14@336", r"336", 336, Cost(0.0, 10.0, 1_400, 850)),
    ImageEncoder("ViT-H/14", r"\bh.?14|huge|pickscore", 224, Cost(0.0, 8.7, 2_700, 560)),
    ImageEncoder("ViT-L/14", r"\bl.?14|large|fare2", 224, Cost(0.0, 4.2, 1_400, 350)),
    ImageEncoder("ViT-B/32", r"32", 224, Cost(0.0, 0.23, 500, 40)),
    ImageEncoder("ViT-B/16", r"", 224, Cost(0.0, 0.9, 500, 100)),
)
_EMBEDDED: Final = ImageEncoder("embedded", r"", 64, Cost(0.0, 0.0035, 0, 1.7))


def image_encoder(name: str) -> ImageEncoder:
    """Look up an image encoder by its name or path."""
    found = (encoder for encoder in IMAGE_ENCODERS if re.search(encoder.pattern, name.lower()))
    return _EMBEDDED if name in embedded.EYES else next(found)


def drawer(settings: Settings, stage: int) -> Cost:
    """Look up a stage's drawer; strokes cost by their number, turbo by its native size."""
    name = settings.drawer_names[stage]
    if weights_for(name, stages.model_of(settings.model, stage)) == "embedded":
        name = f"embedded {name}" if f"embedded {name}" in DRAWERS else name
    cost = DRAWERS.get(name, DRAWERS["vqgan"])
    fixed = (settings.strokes or 256) / 256 if name == "strokes" else 1
    each = 1 if name != "turbo" else math.prod(native_size(settings.picture_size)) / math.prod(settings.picture_size)
    return Cost(cost.seconds * fixed, cost.seconds_each * each, cost.megabytes * fixed, cost.megabytes_each * each)


def time(settings: Settings, device: str = "cpu", only: int | None = None) -> list[float]:
    """Seconds of an iteration: fixed, per view, per megapixel; of one thread, or of a GPU.

    settings: resolved; only: one stage of a chain, counted from 0; None: the mean over all.
    """
    shares = [share if only is None else float(stage == only) for stage, (_, share) in enumerate(settings.stages)]
    drawers = [(share, drawer(settings, stage)) for stage, share in enumerate(shares)]
    view, cuts = 0.0, settings.num_cuts or 1
    for name, _, own in map(perceptor_spec, settings.perceptors or ()):
        encoder = image_encoder(name)
        drops = encoder is not _EMBEDDED and not encoder.name.startswith("RN")  # only a transformer drops patches
        view += encoder.cost.seconds_each * (1 - _DROP_SAVES * settings.token_drop * drops) * (own or cuts) / cuts
    fixed, megapixel = (sum(share * cost[part] for share, cost in drawers) for part in (0, 1))
    if device == "cpu":
        return [fixed, view, megapixel]
    return [_GPU_ITERATION + fixed / _GPU_SPEEDUP, view / _GPU_SPEEDUP, megapixel / _GPU_SPEEDUP]


def style_views(settings: Settings) -> int:
    """Count the views per candidate, beside the cutouts, that the style and content losses encode."""
    return STYLE_VIEWS * bool(settings.losses.get("style")) + bool(settings.losses.get("content"))


def memory(settings: Settings, views: int) -> tuple[list[float], int]:
    """Bytes: fixed, per view in memory, per megapixel; and how many of an iteration's `views` are in memory at once."""
    drawers = [drawer(settings, stage) for stage in range(len(settings.stages))]
    encoders = [image_encoder(name) for name in settings.perceptor_names]
    # As many as `Loop.micro_batch` takes; those of the encoder that needs most for them count.
    batches = [settings.micro_batch or max(4, math.ceil(10 * (224 / each.side) ** 2)) for each in encoders]
    held = [(each.cost.megabytes_each, min(views, batch)) for each, batch in zip(encoders, batches, strict=True)]
    view, at_once = max(held, key=math.prod)
    most = max(drawers, key=lambda cost: cost.megabytes_each)
    fixed = most.megabytes + sum(each.cost.megabytes for each in encoders)
    return [fixed * 1e6, view * 1e6, most.megabytes_each * 1e6], max(at_once, style_views(settings))
