"""A palette that is enforced: every cell takes one of its colours, at first a little, in the end entirely."""

from typing import Final

import torch
from torch import Tensor

from text2art_nb.runtime.devices import constant

_SOFT_UNTIL: Final = 0.1  # of the run: until then the cells are free to find their shapes
_HARD_FROM: Final = 0.7  # from then on there is time to choose among the palette's colours
# Never entirely while it draws: a picture in which all cells come to have one colour is still seen to differ from a
# flat one, and goes on from there; `Drawer.finish` is the one that gives exact colours.
_HARDEST: Final = 0.95
_CHUNK: Final = 2**16  # cells compared with the palette at once: at most 64 MB for 256 colours

# sRGB, as linear light, to the cones' answers, and those, compressed, to lightness and two axes of colour.
_TO_CONES: Final = (
    (0.4122214708, 0.5363325363, 0.0514459929),
    (0.2119034982, 0.6806995451, 0.1073969566),
    (0.0883024619, 0.2817188376, 0.6299787005),
)
_TO_LAB: Final = (
    (0.2104542553, 0.7936177850, -0.0040720468),
    (1.9779984951, -2.4285922050, 0.4505937099),
    (0.0259040371, 0.7827717662, -0.8086757660),
)


def hardness(progress: float) -> float:
    """How much of the palette's colours is in the cells, 0 to 0.95, where `progress` (0 to 1) of the run is done."""
    share = min(1.0, max(0.0, (progress - _SOFT_UNTIL) / (_HARD_FROM - _SOFT_UNTIL)))
    return _HARDEST * share * share * (3 - 2 * share)


def towards(cells: Tensor, goal: Tensor, share: float) -> Tensor:
    """`cells` brought so much (0 to 1) nearer to `goal`, with the gradient of the cells as they were."""
    return cells + share * (goal - cells).detach()


@torch.no_grad()
def nearest(cells: Tensor, palette: Tensor) -> Tensor:
    """For each cell of [B,3,rows,columns] the colour of `palette` [K,3] that looks most like it, by Oklab."""
    flat = cells.float().clamp(0, 1).movedim(1, -1).reshape(-1, 3)
    palette = palette.to(flat)
    with torch.autocast(cells.device.type, enabled=False):  # half precision takes neighbouring colours for each other
        known = oklab(palette)
        found = torch.cat([torch.cdist(oklab(part), known).argmin(1) for part in flat.split(_CHUNK)])
    return palette[found].view(len(cells), *cells.shape[2:], 3).movedim(-1, 1)


def oklab(colours: Tensor) -> Tensor:
    """[…,3] in sRGB, 0..1, in Oklab (Ottosson 2020), where equal distances look equally large."""
    light = torch.where(colours <= 0.04045, colours / 12.92, ((colours + 0.055) / 1.055) ** 2.4)
    cones = light @ constant(_TO_CONES, colours.device, colours.dtype).T
    return cones.clamp(min=0) ** (1 / 3) @ constant(_TO_LAB, colours.device, colours.dtype).T
