"""Differentiable stages between the drawer and the cutouts: what they do is in the picture that everybody sees.

Names and meanings follow pixray's filters where it has them (`tile` is its tiler and wallpaper, `lookup` its lookup).
Where they depart: pixray's tiler only shows CLIP the edges in the middle, and hopes; here the edges also meet by
construction, in every picture.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from text2art_nb.imaging.palettes import parse_palette
from text2art_nb.runtime.devices import constant
from text2art_nb.settings.style import TasteSettings

if TYPE_CHECKING:
    from text2art_nb.settings import Settings

Stage = Callable[[Tensor], Tensor]
Enlarge = Callable[[Tensor, tuple[int, int]], Tensor]

_CHUNK: Final = 2**16  # pixels compared with a palette at once: at most 64 MB for 256 colours
_OVERLAP: Final = 6  # a tile overlaps its repetition by so small a part of itself
_REACH: Final = 4  # pixels around it that a resampled pixel is made of
_CLEAR: Final = 1e-4  # opacity under which nothing of a colour is seen
_SOFT: Final = 0.06  # how gradually one wedge of a rotation passes into the next, the picture being 2 wide

# pixray's colours where a lookup has no palette of its own: 15 of Endesga 32, by Endesga.
USUAL_COLOURS: Final = tuple(
    tuple(int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4))
    for digits in (
        "000000 ffffff 3f2832 262b44 5a6988 8b9bb4 193c3e 265c42 3e8948 63c74d fee761 feae34 f77622 b86f50 743f39"
    ).split()
)


def nearest_colours(image: Tensor, palette: Tensor) -> Tensor:
    """The colour of `palette` [K,3] that is nearest to each pixel of `image` [B,3,H,W]; no gradient."""
    with torch.no_grad():
        colours = palette.to(image)
        pixels = image.movedim(1, -1).reshape(-1, 3)
        nearest = torch.cat([torch.cdist(part, colours).argmin(-1) for part in pixels.split(_CHUNK)])
        return colours[nearest].view(len(image), *image.shape[2:], 3).movedim(-1, 1)


# -- symmetries


def mirror(image: Tensor) -> Tensor:
    """The left half of [B,3,H,W], and its reflection as the right half; a middle column stays."""
    half = image[..., : (image.shape[-1] + 1) // 2]
    return torch.cat([half, half[..., : image.shape[-1] // 2].flip(-1)], dim=-1)


def mirror_vertical(image: Tensor) -> Tensor:
    """The upper half of [B,3,H,W], and its reflection below; a middle row stays."""
    return mirror(image.mT).mT


def rotate2(image: Tensor) -> Tensor:
    """The upper half of [B,3,H,W], and below it the same turned by 180°, one passing softly into the other."""
    upper = _wedge(image, 2) * image
    return upper + upper.flip(-2, -1)


def rotate4(image: Tensor) -> Tensor:
    """The upper quarter of [B,3,H,W], a wedge, turned by 0°, 90°, 180° and 270°, with soft borders between them.

    A picture that isn't square is turned in its own proportions.
    """
    wedge = _wedge(image, 4).expand(len(image), 1, -1, -1)
    upper = torch.cat([wedge * image, wedge], 1)
    half = upper + upper.flip(-2, -1)
    quarter = half.rot90(1, (-2, -1))
    if quarter.shape != half.shape:
        quarter = torch.nn.functional.interpolate(quarter, image.shape[-2:], mode="bilinear", antialias=True)
    turned = half + quarter
    return turned[:, :-1] / turned[:, -1:]  # squeezed, the wedges no longer sum to one


def _wedge(image: Tensor, turns: int) -> Tensor:
    """How much [H,W] each pixel belongs to the upper one of 2 or 4 wedges; over all turns it sums to one."""
    y, x = (_steps(side, image) for side in image.shape[-2:])
    directions = [-y[:, None].expand(len(y), len(x)), y[:, None].expand(len(y), len(x))]
    if turns == 4:
        directions += [x.expand(len(y), len(x)), -x.expand(len(y), len(x))]
    return (torch.stack(directions) / _SOFT).softmax(0)[0]


def _steps(side: int, like: Tensor) -> Tensor:
    """The middles of `side` pixels between -1 and 1; exactly symmetric."""
    return (torch.arange(side, device=like.device, dtype=like.dtype) * 2 - (side - 1)) / side


def kaleidoscope(image: Tensor) -> Tensor:
    """One eighth of [B,3,H,W], the wedge between upward and up to the left, in eight mirrors.

    A picture that isn't square is mirrored in its own proportions.
    """
    height, width = image.shape[-2:]
    rows = torch.arange(height, device=image.device)
    columns = torch.arange(width, device=image.device)
    y = torch.minimum(rows, height - 1 - rows)[:, None].expand(height, width)  # the distance from the border
    x = torch.minimum(columns, width - 1 - columns).expand(height, width)
    swapped = y * width > x * height
    across, down = torch.where(swapped, y * width // height, x), torch.where(swapped, x * height // width, y)
    return image[..., down, across]


# -- tiles


@dataclass(frozen=True)
class Tile:
    """The picture as a tile: its right edge goes on at its left one, its lower edge at its upper one.

    across, down: in which directions it repeats; brick: every next row of tiles is shifted by half a tile.
    blended: whether the edges are made to meet. The drawn picture overlaps its own repetition by a sixth; there one
    passes gradually into the other, and what is left of it, five sixths, is stretched to the size. The borders of what
    was drawn, where drawers are at their worst, count for nothing, and the tile's edges lie in the middle of the
    overlap, where the endless pattern goes on as it does anywhere: the continuation's column W is column 0, and the
    step to it is a step like its neighbours. A mosaic of hard cells is left as it is, for there any edge is one more
    edge between cells.
    """

    across: bool = True
    down: bool = True
    brick: bool = False
    blended: bool = True

    def __call__(self, image: Tensor) -> Tensor:
        """[B,C,H,W] whose opposite edges meet."""
        if not self.blended:
            return image
        if self.across:
            image = _overlapped(image.mT, 0).mT
        if self.down:
            image = _overlapped(image, self._shift(image))
        return image.clamp(0, 1)  # what sharp resampling overshoots

    def _shift(self, image: Tensor) -> int:
        return image.shape[-1] // 2 if self.brick else 0

    def turned(self, image: Tensor, generator: torch.Generator) -> Tensor:
        """A window of the endless pattern, as large as the tile, at a random place: the seam is anywhere in it."""
        height, width = image.shape[-2:]
        x, y = (int(torch.randint(side, (1,), generator=generator)) for side in (width, height))
        if self.down:
            image = torch.cat([image[..., y:, :], image[..., :y, :].roll(self._shift(image), -1)], -2)
        return image.roll(-x, -1) if self.across else image

    def enlarged(self, enlarge: Enlarge, image: Tensor, size: tuple[int, int], reach: int = _REACH) -> Tensor:
        """`image` [B,C,H,W] at `size` (width, height), resampled with its neighbours around it, so that edges meet.

        reach: how far `enlarge` looks around each pixel of the image, in pixels.
        """
        height, width = image.shape[-2:]
        rows = _margin(height, size[1], reach) if self.down else 0
        columns = _margin(width, size[0], reach) if self.across else 0
        left, top = columns * size[0] // width, rows * size[1] // height
        if rows:
            above, below = image[..., -rows:, :], image[..., :rows, :]
            shift = self._shift(image)
            image = torch.cat([above.roll(-shift, -1), image, below.roll(shift, -1)], -2)
        if columns:
            image = torch.cat([image[..., -columns:], image, image[..., :columns]], -1)
        larger = enlarge(image, (size[0] + 2 * left, size[1] + 2 * top))
        return larger[..., top : top + size[1], left : left + size[0]]


def _overlapped(image: Tensor, shift: int) -> Tensor:
    """[…,H,W] that goes on downwards as at its top, `shift` further to the right; see `Tile`."""
    own, above, below = _rows(image.shape[-2], image)
    return own @ image + (above @ image).roll(-shift, -1) + (below @ image).roll(shift, -1)


def _rows(side: int, like: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """How each row of a tile is mixed, [side,side] each: from the drawn rows, from those of its repetition above it,
    and from those of the one below."""
    band = side // _OVERLAP
    period = side - band
    place = band / 2 + (torch.arange(side, dtype=torch.float64) + 0.5) * period / side - 0.5
    first = place.floor() - 1
    own, above, below = (torch.zeros(side, side, dtype=torch.float64) for _ in range(3))
    for tap in range(4):
        row = first + tap
        share = _catmull_rom((place - row).abs())
        inside = row.clamp(0, side - 1).long()
        # In the overlap a row is also one of the repetition, a period further up or down; elsewhere its share is 0.
        fading_in = ((row + 0.5) / band).clamp(0, 1) if band else torch.ones(side, dtype=torch.float64)
        fading_out = ((side - row - 0.5) / band).clamp(0, 1) if band else torch.ones(side, dtype=torch.float64)
        for matrix, index, part in (
            (own, inside, fading_in * fading_out),
            (above, (inside + period).clamp(max=side - 1), 1 - fading_in),
            (below, (inside - period).clamp(min=0), 1 - fading_out),
        ):
            matrix.scatter_add_(1, index[:, None], (share * part)[:, None])
    return own.to(like), above.to(like), below.to(like)


def _catmull_rom(distance: Tensor) -> Tensor:
    """The weight of a pixel so far (0..2) from the place that is asked for (Catmull and Rom, 1974)."""
    near = (1.5 * distance - 2.5) * distance.square() + 1
    far = ((-0.5 * distance + 2.5) * distance - 4) * distance + 2
    return torch.where(distance <= 1, near, torch.where(distance <= 2, far, torch.zeros_like(distance)))


def _margin(side: int, larger: int, reach: int) -> int:
    """How many pixels of its neighbours a side of a tile needs to be resampled to `larger`: so many as that looks
    around, or more, for they have to become a whole number of pixels."""
    step = side // math.gcd(side, larger)
    return min(side, step * math.ceil(reach / step))


# -- colours


class Lookup:
    """Every pixel in the nearest colour of a palette; the gradient passes straight through (pixray's `lookup`)."""

    def __init__(self, palette: Tensor | None, beta: float = 0.0) -> None:
        """palette: [K,3] in 0..1, None for `USUAL_COLOURS`; beta: how strongly what comes in is pulled towards it."""
        self._palette = palette
        self._beta = beta
        self.loss: Tensor | None = None

    def __call__(self, image: Tensor) -> Tensor:
        """`image` [B,3,H,W] in colours of the palette; the commitment of this picture, [B], is then in `loss`.

        beta·mean((q-z)²), q fixed, as a vector-quantising autoencoder's. pixray adds the same once more with z fixed,
        which has no gradient where the palette is fixed, and is left out.
        """
        snapped = self.snapped(image)
        self.loss = self._beta * (snapped - image).square().mean((1, 2, 3)) if self._beta else None
        return image + (snapped - image).detach()

    def snapped(self, image: Tensor) -> Tensor:
        """`image` [B,3 or 4,H,W] in exactly the palette's colours, and as opaque as it is; no gradient."""
        usual = constant(USUAL_COLOURS, image.device, image.dtype)
        colours = nearest_colours(image[:, :3], usual if self._palette is None else self._palette)
        return colours if image.shape[1] == 3 else torch.cat([colours, image[:, 3:]], 1)


class Filters:
    """Some stages, one after the other."""

    def __init__(self, stages: list[Stage]) -> None:
        self._stages = stages
        self._tiles = [stage for stage in stages if isinstance(stage, Tile)]

    def __call__(self, image: Tensor) -> Tensor:
        """`image` [B,3 or 4,H,W] through all of them; its opacity goes where its colours go."""
        for stage in self._stages:
            image = stage(image) if image.shape[1] == 3 else _with_opacity(stage, image)
        return image

    def losses(self) -> dict[str, Tensor]:
        """What the stages want of the picture that they were last given, by name, each [B], differentiable."""
        found = [stage.loss for stage in self._stages if isinstance(stage, Lookup) and stage.loss is not None]
        return {"lookup": torch.stack(found).sum(0)} if found else {}

    def looked_at(self, image: Tensor, generator: torch.Generator) -> Tensor:
        """What the eyes are shown of a filtered picture [B,3,H,W]: of a tile, some window of the endless pattern."""
        for tile in self._tiles[-1:]:
            return tile.turned(image, generator)
        return image

    @property
    def make_a_tile(self) -> bool:
        """Whether the edges of what comes out meet."""
        return any(tile.blended for tile in self._tiles[-1:])

    def enlarged(self, enlarge: Enlarge, image: Tensor, size: tuple[int, int], reach: int = _REACH) -> Tensor:
        """`image` [B,3 or 4,H,W] at `size` (width, height) by `enlarge`, which looks so far around.

        A tile stays one, and what a lookup has left in its colours stays in them.
        """
        if image.shape[-2:] == (size[1], size[0]):
            return enlarge(image, size)
        larger = self._tiles[-1].enlarged(enlarge, image, size, reach) if self.make_a_tile else enlarge(image, size)
        return self._last_lookup.snapped(larger) if self._last_lookup else larger

    @property
    def care_when_enlarged(self) -> bool:
        """Whether a picture that came out of them has to be enlarged by `enlarged`, to stay what they made of it."""
        return self.make_a_tile or self._last_lookup is not None

    @property
    def _last_lookup(self) -> Lookup | None:
        """The lookup whose colours are the only ones in what comes out."""
        for stage in reversed(self._stages):
            if isinstance(stage, Lookup):
                return stage
            if not _only_moves(stage):
                return None
        return None


def _with_opacity(stage: Stage, image: Tensor) -> Tensor:
    """`image` [B,4,H,W] through one stage."""
    if isinstance(stage, Lookup):
        return torch.cat([stage(image[:, :3]), image[:, 3:]], 1)
    if _only_moves(stage):
        return stage(image)
    # The colours weighted by their opacity, or what can't be seen would bleed into what can.
    mixed = stage(torch.cat([image[:, :3] * image[:, 3:], image[:, 3:]], 1))
    opacity = mixed[:, 3:]
    return torch.cat([(mixed[:, :3] / opacity.clamp(min=_CLEAR)).clamp(0, 1), opacity], 1)


def _only_moves(stage: Stage) -> bool:
    """Whether a stage moves pixels, and mixes none of them."""
    return stage in (mirror, mirror_vertical, kaleidoscope) or (isinstance(stage, Tile) and not stage.blended)


_SYMMETRIES: Final[dict[str, Stage]] = {
    "mirror": mirror,
    "mirror-vertical": mirror_vertical,
    "rotate2": rotate2,
    "rotate4": rotate4,
    "kaleidoscope": kaleidoscope,
}
_TILES: Final[dict[str, Tile]] = {
    "tile": Tile(),
    "tile-across": Tile(down=False),
    "tile-down": Tile(across=False),
    "tile-brick": Tile(brick=True),
}


def build(settings: TasteSettings, palette: Tensor | None, hard_cells: bool = False) -> Filters:
    """The filters that `settings.filters` names, in that order.

    palette: [K,3] for `lookup`, which takes pixray's usual fifteen colours without one.
    hard_cells: whether the drawer draws a mosaic, whose edges a tile leaves hard.
    """
    stages: list[Stage] = []
    for name in settings.filters:
        if name == "lookup":
            stages.append(Lookup(palette, settings.lookup_beta))
        elif name in _TILES:
            tile = _TILES[name]
            stages.append(Tile(tile.across, tile.down, tile.brick, blended=not hard_cells))
        else:
            stages.append(_SYMMETRIES[name])
    return Filters(stages)


def of_finished(settings: "Settings") -> Filters:
    """The filters that the finished picture of `settings` has gone through, as its steering left them."""
    ended = settings.steered(max((entry.iteration for entry in settings.steering), default=0))
    palette = torch.tensor(parse_palette(ended.palette)) if ended.palette else None
    return build(ended, palette, hard_cells=ended.last_drawer == "pixel")
