"""What drawers and eyes usually cost: a guess for a machine on which nothing like it has been drawn yet.

Measured with one thread of an AMD EPYC at 2.6 GHz: vqgan, pixel, the embedded eye, ViT-B/32 and B/16; TinyCLIP 8M/16 on
a busy one. strokes, fft and
taesd were measured on a busy machine and scaled by what the embedded VQGAN took there; turbo is scaled from its page, a
generator of the user's is a guess. The other eyes are reckoned from their multiplications and activations, by what
ViT-B/32 takes for its own. The way back is in it.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from text2art_nb.models import embedded
from text2art_nb.settings import Settings, stages
from text2art_nb.settings.perception import perceptor_spec
from text2art_nb.settings.presets import native_size, weights_for

STYLE_VIEWS: Final = 5
"""How many views of the picture the loss style looks at (`losses.close_views`); content looks at one."""


@dataclass(frozen=True)
class Price:
    """What something costs in an iteration.

    seconds, megabytes: by itself; seconds_each, megabytes_each: for each of what it is counted in, which is a megapixel
    of the picture for a drawer, and for an eye a view.
    """

    seconds: float
    seconds_each: float
    megabytes: float
    megabytes_each: float


DRAWERS: Final[Mapping[str, Price]] = MappingProxyType(
    {
        "vqgan": Price(0.44, 112.0, 300, 16_500),
        "embedded vqgan": Price(0.04, 1.4, 50, 800),
        "embedded taesd": Price(0.02, 0.7, 50, 800),
        "pixel": Price(0.008, 0.16, 10, 180),
        "strokes": Price(0.02, 0.2, 10, 200),  # of 256 strokes; by itself it costs more with more of them
        "fft": Price(0.004, 0.25, 10, 200),
        "taesd": Price(0.04, 12.0, 60, 2_800),
        "turbo": Price(0.0, 584.0, 5_000, 3_500),  # a megapixel of its own size: 150 s of UNet for each picture
        "generator": Price(0.1, 12.0, 200, 2_800),  # nobody knows: as a small one
    }
)
"""By name, a megapixel each; of two there are embedded ones. What a plug-in costs nobody knows: as a VQGAN."""

EYES: Final[Mapping[str, Price]] = MappingProxyType(
    {
        "embedded": Price(0.0, 0.0035, 0, 1.7),
        "TinyCLIP-8M/16": Price(0.0, 0.1, 100, 30),
        "TinyCLIP-40M/32": Price(0.0, 0.12, 350, 30),
        "TinyCLIP-39M/16": Price(0.0, 0.5, 350, 70),
        "ViT-B/32": Price(0.0, 0.23, 500, 40),
        "ViT-B/16": Price(0.0, 0.9, 500, 100),
        "ViT-L/14": Price(0.0, 4.2, 1_400, 350),
        "ViT-L/14@336": Price(0.0, 10.0, 1_400, 850),
        "ViT-H/14": Price(0.0, 8.7, 2_700, 560),
        "RN50": Price(0.0, 0.3, 250, 180),
        "RN101": Price(0.0, 0.5, 300, 260),
        "RN50x4": Price(0.0, 1.1, 450, 450),
        "RN50x16": Price(0.0, 3.6, 800, 1_000),
    }
)
"""By the names that people know, a view each."""
_SIDES: Final[Mapping[str, int]] = MappingProxyType(
    {"embedded": 64, "RN50x4": 288, "ViT-L/14@336": 336, "RN50x16": 384}
)  # pixels along each side of a view, where they aren't 224

# What tells one in its name or its path, the particular before the general.
_MARKS: Final = (
    (r"tinyclip.*40m", "TinyCLIP-40M/32"),
    (r"tinyclip.*39m", "TinyCLIP-39M/16"),
    (r"tinyclip|^light$", "TinyCLIP-8M/16"),
    (r"rn50x16", "RN50x16"),
    (r"rn50x4", "RN50x4"),
    (r"rn101", "RN101"),
    (r"rn50", "RN50"),
    (r"336", "ViT-L/14@336"),
    (r"\bh.?14|huge|pickscore", "ViT-H/14"),
    (r"\bl.?14|large|fare2", "ViT-L/14"),
    (r"32", "ViT-B/32"),
)


_DROP_SAVES: Final = 0.8
"""What part of a view's cost leaving out all patches would save (docs/perceptors.md has what was measured)."""


def of_drawer(settings: Settings, stage: int) -> Price:
    """What the drawer of a stage costs; strokes by their number, turbo by the size that it draws at."""
    name = settings.drawer_names[stage]
    if weights_for(name, stages.model_of(settings.model, stage)) == "embedded" and f"embedded {name}" in DRAWERS:
        name = f"embedded {name}"
    price = DRAWERS.get(name, DRAWERS["vqgan"])
    if name == "turbo":  # whatever is asked for
        share = math.prod(native_size(settings.picture_size)) / math.prod(settings.picture_size)
        return Price(price.seconds, price.seconds_each * share, price.megabytes, price.megabytes_each * share)
    if name != "strokes":
        return price
    share = (settings.strokes or 256) / 256
    return Price(price.seconds * share, price.seconds_each, price.megabytes * share, price.megabytes_each)


def of_eye(name: str) -> Price:
    """What an eye costs, by its name or path; one that nobody knows counts as a ViT-B/16."""
    return EYES[_known(name)]


def side(name: str) -> int:
    """How many pixels long and high an eye's views are."""
    return _SIDES.get(_known(name), 224)


def _known(name: str) -> str:
    if name in embedded.EYES:
        return "embedded"
    return next((known for mark, known in _MARKS if re.search(mark, name.lower())), "ViT-B/16")


def _seen(name: str, share: float) -> float:
    """What a view costs an eye of which `share` is what it would look at, were it a transformer of patches."""
    known = _known(name)
    return 1.0 if known == "embedded" or known.startswith("RN") else share


def style_views(settings: Settings) -> int:
    """How many views beside the cuts the style losses look at, with every eye, for each candidate."""
    return STYLE_VIEWS * bool(settings.losses.get("style")) + bool(settings.losses.get("content"))


def time(settings: Settings) -> list[float]:
    """Seconds for an iteration by itself, for a view and for a megapixel, of one thread; settings: resolved."""
    prices = [(share, of_drawer(settings, stage)) for stage, (_, share) in enumerate(settings.stages)]
    specs = [perceptor_spec(each) for each in settings.perceptors or ()]
    cuts = settings.num_cuts or 1
    seen = 1 - _DROP_SAVES * settings.token_drop
    return [
        sum(share * price.seconds for share, price in prices),
        sum(of_eye(name).seconds_each * _seen(name, seen) * (own or cuts) / cuts for name, _, own in specs),
        sum(share * price.seconds_each for share, price in prices),
    ]


def memory(settings: Settings, heaviest: str) -> list[float]:
    """Bytes by themselves, for a view in memory and for a megapixel.

    settings: resolved; heaviest: the eye that needs most for its views.
    """
    drawers = [of_drawer(settings, stage) for stage in range(len(settings.stages))]
    eyes = [of_eye(name) for name in settings.perceptor_names]
    most = max(drawers, key=lambda price: price.megabytes_each)
    return [
        (most.megabytes + sum(eye.megabytes for eye in eyes)) * 1e6,
        of_eye(heaviest).megabytes_each * 1e6,
        most.megabytes_each * 1e6,
    ]
