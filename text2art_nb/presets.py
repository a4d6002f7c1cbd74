"""What the words "quality" and "aspect" mean in numbers: one table each, and the sizes that follow from them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

MIN_SIDE, MAX_SIDE = 16, 8192
"""Shortest and longest side of a picture, in pixels."""
MAX_AREA = 64 * 2**20
"""Largest picture, in pixels."""


@dataclass(frozen=True)
class Preset:
    """What one quality means.

    Attributes:
        iterations: steps.
        num_cuts, batches: views of the picture in a batch, and batches in a step.
        scale: how many times the aspect's base size.
        perceptors: the CLIPs that look.
    """

    iterations: int
    num_cuts: int
    batches: int
    scale: int
    perceptors: tuple[str, ...]


# For real models: pixray's table, less the ResNets of its last three rows (RN50, RN50x4, RN101), which transformers
# can't load: a preset must not name what would fail.
FULL_PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "draft": Preset(200, 24, 1, 1, ("ViT-B/16",)),
        "normal": Preset(250, 30, 1, 2, ("ViT-B/32", "ViT-B/16")),
        "better": Preset(300, 36, 1, 3, ("ViT-B/32", "ViT-B/16")),
        "best": Preset(350, 12, 2, 4, ("ViT-B/32", "ViT-B/16")),
        "supreme": Preset(400, 8, 4, 5, ("ViT-B/32", "ViT-B/16")),
    }
)

# The same qualities for the embedded models, whose small eye needs fewer steps and views.
EMBEDDED_PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "draft": Preset(60, 8, 1, 1, ("embedded",)),
        "normal": Preset(120, 12, 1, 2, ("embedded",)),
        "better": Preset(200, 16, 1, 3, ("embedded",)),
        "best": Preset(300, 24, 1, 4, ("embedded",)),
        "supreme": Preset(400, 32, 1, 5, ("embedded",)),
    }
)

# The taste of a drawer under the embedded eye, where no losses are asked for (docs/performance.md has what it brings).
EMBEDDED_LOSSES: Mapping[str, Mapping[str, float]] = MappingProxyType({"pixel": MappingProxyType({"smoothness": 3.0})})

# Width and height in pixels at scale 1 (pixray's); "retain" takes the square's width and the init image's shape.
ASPECTS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {
        "square": (144, 144),
        "portrait": (128, 160),
        "widescreen": (192, 108),
    }
)


def preset_size(aspect: str, scale: int, init_size: tuple[int, int] | None = None) -> tuple[int, int]:
    """(width, height) in pixels of an aspect at a scale; "retain" needs the init image's (width, height)."""
    if aspect != "retain" or init_size is None:
        width, height = ASPECTS["square" if aspect == "retain" else aspect]
        return width * scale, height * scale
    width = ASPECTS["square"][0] * scale
    return width, min(MAX_SIDE, max(MIN_SIDE, round(width * init_size[1] / init_size[0])))


def trimmed(size: tuple[int, int], step: int = 16) -> tuple[int, int]:
    """(width, height) cut down to multiples of step, at least one step: what a VQGAN that draws in blocks can fill."""
    return max(step, size[0] // step * step), max(step, size[1] // step * step)


def grid_size(size: tuple[int, int], given: tuple[int, int] | None, scale: float | None) -> tuple[int, int]:
    """The pixel drawer's (columns, rows) on a canvas of (width, height) pixels.

    As pixray: 40x40 for a square, 40x50 for a portrait, 80x45 for a widescreen; square cells for the shapes between.
    What is given replaces that, scale divides it, and cells are never smaller than a pixel.
    """
    width, height = size
    columns = 80 if width >= 1.5 * height else 40
    base = given or (columns, columns * height / width)
    across, down = (max(1, round(count / (scale or 1.0))) for count in base)
    return min(width, across), min(height, down)
