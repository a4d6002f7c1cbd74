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
        token_drop: the share of each view's patches that they leave out.
    """

    iterations: int
    num_cuts: int
    batches: int
    scale: int
    perceptors: tuple[str, ...]
    token_drop: float = 0.0


# For real models: pixray's table.
FULL_PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "draft": Preset(200, 24, 1, 1, ("ViT-B/16",)),
        "normal": Preset(250, 30, 1, 2, ("ViT-B/32", "ViT-B/16")),
        "better": Preset(300, 36, 1, 3, ("RN50", "ViT-B/32", "ViT-B/16")),
        "best": Preset(350, 12, 2, 4, ("RN50x4", "ViT-B/32", "ViT-B/16")),
        "supreme": Preset(400, 8, 4, 5, ("RN50x4", "ViT-B/32", "ViT-B/16", "RN101")),
    }
)

EMBEDDED_EYES: tuple[str, ...] = ("embedded", "embedded-2", "embedded-3")
"""The CLIPs in the package that guide."""

# The same qualities for the embedded models, whose small eyes need fewer steps and views.
EMBEDDED_PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "draft": Preset(60, 3, 1, 1, EMBEDDED_EYES),
        "normal": Preset(100, 4, 1, 2, EMBEDDED_EYES),
        "better": Preset(200, 5, 1, 3, EMBEDDED_EYES),
        "best": Preset(300, 8, 1, 4, EMBEDDED_EYES),
        "supreme": Preset(400, 11, 1, 5, EMBEDDED_EYES),
    }
)

LIGHT_EYES: tuple[str, ...] = ("tinyclip",)
"""The CLIP that guides where model="light": any word, on a CPU, in minutes."""

# For a real vocabulary without a GPU: one small CLIP, few views, half of their patches. tests/bench/light.py measures
# what a picture takes.
LIGHT_PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        "draft": Preset(80, 8, 1, 1, LIGHT_EYES, 0.5),
        "normal": Preset(150, 12, 1, 2, LIGHT_EYES, 0.5),
        "better": Preset(250, 16, 1, 3, LIGHT_EYES, 0.5),
        "best": Preset(350, 20, 1, 4, LIGHT_EYES, 0.5),
        "supreme": Preset(400, 30, 1, 5, LIGHT_EYES, 0.25),
    }
)

# Several perceptors by one name, in the setting `perceptors`: for each quality those that it means.
_ROBUST_SMALL, _ROBUST_LARGE = "robust-ViT-B/32", "robust-ViT-L/14"
PERCEPTOR_PRESETS: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "robust": MappingProxyType(
            {
                "draft": (_ROBUST_SMALL,),
                "normal": (_ROBUST_SMALL, _ROBUST_LARGE),
                "better": (_ROBUST_SMALL, _ROBUST_LARGE),
                "best": (_ROBUST_SMALL, _ROBUST_LARGE),
                "supreme": (_ROBUST_SMALL, _ROBUST_LARGE),
            }
        )
    }
)

# The taste of a drawer under the embedded eye, where no losses are asked for (docs/history.md has what it brings).
EMBEDDED_LOSSES: Mapping[str, Mapping[str, float]] = MappingProxyType({"pixel": MappingProxyType({"smoothness": 3.0})})

# (fft_decay, fft_sharp) where they are not given: aphantasia's for real CLIPs; a small eye finds noise in the sharp.
FFT_TASTE: tuple[float, float] = (1.5, 0.3)
EMBEDDED_FFT_TASTE: tuple[float, float] = (2.0, 0.0)

# The weights that a drawer means by "embedded", where it has none in the package.
DRAWER_MODELS: Mapping[str, str] = MappingProxyType({"turbo": "sd-turbo"})

# What kind of weights a drawer needs, where it needs any that have a name; and which "full" and "light" mean.
DRAWER_KINDS: Mapping[str, str] = MappingProxyType({"vqgan": "vqgan", "taesd": "taesd", "turbo": "diffusion"})
FULL_MODELS: Mapping[str, str] = MappingProxyType(
    {"vqgan": "imagenet_f16_16384", "taesd": "taesd", "turbo": "sd-turbo"}
)
LIGHT_MODELS: Mapping[str, str] = MappingProxyType({"vqgan": "embedded", "taesd": "taesd"})
WITHOUT_LIGHT: tuple[str, ...] = ("turbo", "generator")
"""The drawers that model="light" isn't for: a GPU's, and the user's own."""


def weights_for(drawer: str, model: str) -> str:
    """The weights that `model` means for one drawer: "full" and "light" say others for each, any other name itself."""
    table = {"full": FULL_MODELS, "light": LIGHT_MODELS}.get(model, {})
    return table.get(drawer, model)


# How many steps a quality means for the turbo drawer, which begins with a picture and not with noise: ReNO takes 50.
TURBO_ITERATIONS: Mapping[str, int] = MappingProxyType(
    {"draft": 15, "normal": 50, "better": 80, "best": 120, "supreme": 200}
)

# How many steps a quality means for the embedded VQGAN where it begins with a proposal: half as many as from noise.
# Fifty steps of .012 end in the picture of a hundred of .006 (docs/history.md).
REFINING_ITERATIONS: Mapping[str, int] = MappingProxyType(
    {quality: row.iterations // 2 for quality, row in EMBEDDED_PRESETS.items()}
)

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


def grid_size(
    size: tuple[int, int], given: tuple[int, int] | None, scale: float | None, shape: str = "rect"
) -> tuple[int, int]:
    """The pixel drawer's (columns, rows) on a canvas of (width, height) pixels, for cells of a shape.

    As pixray: 40x40 for a square, 40x50 for a portrait, 80x45 for a widescreen; square cells for the shapes between;
    more columns of triangles, more rows of hexagons and of diamonds. What is given replaces that, and scale divides it.
    Odd counts make the edges of shifted rows alike (and of triangles, with an even count of rows). Cells are never
    smaller than a pixel.
    """
    width, height = size
    columns = 80 if width >= 1.5 * height else 40
    wider, taller = _MORE_CELLS.get(shape, (1.0, 1.0))
    base = given or (columns * wider, columns * height / width * taller)
    across, down = (max(1, round(count / (scale or 1.0))) for count in base)
    odd = _ODD_CELLS.get(shape, (None, None))
    return _counted(across, width, odd[0]), _counted(down, height, odd[1])


# How many times the cells across and down there are of a shape, where the grid isn't given.
_MORE_CELLS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {"tri": (1.414, 1.0), "hex": (1.0, 1.414), "diamond": (1.0, 2.0)}
)
# Whether a shape's columns and rows are to be odd (1) or even (0) in number.
_ODD_CELLS: Mapping[str, tuple[int, int]] = MappingProxyType(
    {"rectshift": (1, 1), "hex": (1, 1), "diamond": (1, 1), "tri": (1, 0)}
)


def _counted(count: int, most: int, odd: int | None) -> int:
    """`count`, or where that isn't odd (even) the next one that is; the one before where there is room for `most`."""
    count = min(most, count)
    if odd is None or count % 2 == odd:
        return count
    return count + 1 if count < most else count - 1


def native_size(size: tuple[int, int], side: int = 512, grain: int = 64) -> tuple[int, int]:
    """(width, height) of the shape of `size`, about as large as side x side, in multiples of grain.

    At such sizes a diffusion model draws best: it repeats itself on larger canvases and blurs on smaller ones. No side
    is longer than four times the model's.
    """
    width, height = size
    scale = side / (width * height) ** 0.5
    across, down = (min(max(1, round(each * scale / grain)), 4 * side // grain) * grain for each in size)
    return across, down
