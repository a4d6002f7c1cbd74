"""Where a prompt counts: a part of the picture, cut out, with everything else replaced by one colour.

A perceptor is shown what lies inside as a picture of its own; so the gradient of the prompt stays inside as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from text2art_nb.errors import RunError
from text2art_nb.imaging.image_io import open_picture
from text2art_nb.imaging.tensors import resize
from text2art_nb.settings.prompts import Box, mask_number, region_box

_SOFT: Final = 0.04  # width of the soft edge, of the picture's shorter side
_VISIBLE: Final = 0.02  # a mask's grey under this is black
_LONGEST: Final = 4 / 3  # sides: an eye is square, and what is longer is padded


@dataclass(frozen=True)
class Region:
    """A part of the canvas.

    mask: [1,1,h,w] in 0..1, of the part and its padding; crop: (left, top, right, bottom) in pixels of the canvas;
    padding: (left, right, top, bottom) in pixels, as `F.pad` takes them.
    """

    mask: Tensor
    crop: tuple[int, int, int, int]
    padding: tuple[int, int, int, int]

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of what `cut` returns."""
        return self.mask.shape[-1], self.mask.shape[-2]

    def to(self, device: torch.device) -> "Region":
        """The same region, for pictures on `device`."""
        return replace(self, mask=self.mask.to(device))

    def cut(self, image: Tensor) -> Tensor:
        """The part of `image` [B,3,H,W] that lies inside, [B,3,h,w]; what doesn't has the mean colour of what does."""
        left, top, right, bottom = self.crop
        part = F.pad(image[..., top:bottom, left:right], self.padding)
        mask = self.mask.to(part)
        with torch.no_grad():
            mean = (part * mask).sum((2, 3), keepdim=True) / mask.sum()
        return part * mask + mean * (1 - mask)


def build(region: str, canvas: tuple[int, int], masks: Sequence[str] = ()) -> Region:
    """The region that a prompt names, on a canvas of (width, height) pixels.

    Args:
        region: as `prompts.read_region` returns it.
        canvas: of any size.
        masks: PNG data URIs; white is inside.

    Raises:
        RunError: there is no such mask, or it is black.
    """
    whole = mask_of(region, canvas, masks)
    rows, columns = (whole[0, 0].amax(axis) > _VISIBLE for axis in (1, 0))
    if not bool(rows.any()):
        raise RunError(f"{region} is black all over; paint white where the prompt shall count")
    top, bottom = _ends(rows)
    left, right = _ends(columns)
    padding = _padding(right - left, bottom - top)
    return Region(F.pad(whole[..., top:bottom, left:right], padding), (left, top, right, bottom), padding)


def mask_of(region: str, canvas: tuple[int, int], masks: Sequence[str] = ()) -> Tensor:
    """How much each pixel of the canvas lies inside, [1,1,H,W] in 0..1, with soft edges. Raises RunError."""
    box = region_box(region)
    if box is not None:
        return _box_mask(box, canvas)
    number = mask_number(region) or 0
    if not 1 <= number <= len(masks):
        raise RunError(f"there is no {region}: masks has {len(masks)}")
    reach = max(1, round(min(canvas) * _SOFT / 2))
    mask = resize(open_mask(masks[number - 1]), canvas)
    return F.avg_pool2d(mask, 2 * reach + 1, stride=1, padding=reach, count_include_pad=False)


def open_mask(picture: str) -> Tensor:
    """A PNG data URI as a mask [1,1,h,w] in 0..1: its brightness; what is transparent in it is black."""
    pixels = np.array(open_picture(picture).convert("RGBA").convert("LA"))
    light = torch.from_numpy(pixels).float() / 255
    return (light[..., 0] * light[..., 1])[None, None]


def _box_mask(box: Box, canvas: tuple[int, int]) -> Tensor:
    """A rectangle whose edges are soft, except where they are the picture's own."""
    width, height = canvas
    x0, y0, x1, y1 = box
    soft = max(1.0, min(canvas) * _SOFT)
    across, down = _ramp(x0, x1, width, soft), _ramp(y0, y1, height, soft)
    return (down[:, None] * across)[None, None]


def _ramp(start: float, stop: float, pixels: int, soft: float) -> Tensor:
    """[pixels]: 1 between two shares of the way, 0 outside, a ramp of `soft` pixels around each that isn't an end."""
    at = torch.arange(pixels) + 0.5
    rising = torch.ones(pixels) if start <= 0 else ((at - start * pixels) / soft + 0.5).clamp(0, 1)
    falling = torch.ones(pixels) if stop >= 1 else ((stop * pixels - at) / soft + 0.5).clamp(0, 1)
    return rising.minimum(falling)


def _ends(inside: Tensor) -> tuple[int, int]:
    """The first index that is inside, and the one behind the last."""
    where = inside.nonzero()
    return int(where[0]), int(where[-1]) + 1


def _padding(width: int, height: int) -> tuple[int, int, int, int]:
    """What makes a part nearly square."""
    across = max(0, round(height / _LONGEST) - width)
    down = max(0, round(width / _LONGEST) - height)
    return across // 2, across - across // 2, down // 2, down - down // 2
