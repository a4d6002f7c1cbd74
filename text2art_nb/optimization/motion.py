"""The camera of a film: one step of zooming, panning and rotating, and the return to the first image."""

import math
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from text2art_nb.imaging.tensors import resize
from text2art_nb.optimization.input_images import on_white
from text2art_nb.settings.timeline import Camera

_LEAST: Final = 1e-3  # weight of an invisible color where it meets others


def warp(picture: Tensor, camera: Camera) -> Tensor:
    """`picture` [B,3 or 4,H,W] in 0..1 after one camera step, of the same shape; what comes in at the edges is a
    reflection.

    Bicubic: a film of many small steps stays sharper than with bilinear ones.
    """
    if picture.shape[1] == 3:
        return _moved(picture, camera).clamp(0, 1)
    # Where pixels meet, each colour counts as much as it can be seen; one that can't be is kept for when it can.
    seen = picture[:, 3:] + _LEAST
    moved = _moved(torch.cat([picture[:, :3] * seen, seen], 1), camera)
    return torch.cat([moved[:, :3] / moved[:, 3:].clamp(min=_LEAST), moved[:, 3:] - _LEAST], 1).clamp(0, 1)


def _moved(picture: Tensor, camera: Camera) -> Tensor:
    height, width = picture.shape[-2:]
    grid = F.affine_grid(
        _sources(camera, width / height).to(picture).expand(len(picture), -1, -1), list(picture.shape), False
    )
    return F.grid_sample(picture, grid, mode="bicubic", padding_mode="reflection", align_corners=False)


def _sources(camera: Camera, aspect: float) -> Tensor:
    """[1,2,3]: where each point of the new picture, in -1..1, was in the old one."""
    angle = math.radians(camera.rotate)
    cos, sin = math.cos(angle) / camera.zoom, math.sin(angle) / camera.zoom
    # Turned in pixels, not in shares of the sides, or a picture that isn't square would be sheared.
    turn = torch.tensor([[cos, -sin / aspect], [sin * aspect, cos]])
    moved = torch.tensor([camera.pan[0] / 50, camera.pan[1] / 50])
    return torch.cat([turn, -(turn @ moved)[:, None]], 1)[None]


class LoopBlend:
    """Blends the first image of a film into its last ones, so that it returns to its start.

    first: the first image [B,3 or 4,H,W], once there is one.
    """

    def __init__(self) -> None:
        self.first: Tensor | None = None

    def __call__(self, image: Tensor, iteration: int, total: int) -> Tensor:
        """Return `image` [B,3 or 4,H,W] of an iteration with as much of the first image as is due."""
        if self.first is None:
            self.first = image.clone()
        share = blend_share(iteration, total)
        if share == 0:
            return image
        first = self.first
        if first.shape[1] != image.shape[1]:
            first, image = on_white(first), on_white(image)
        return torch.lerp(image, resize(first, (image.shape[-1], image.shape[-2])), share)

    def choose(self, candidates: Tensor) -> None:
        """Continue with some candidates, by their indices [b]."""
        self.first = None if self.first is None else self.first[candidates]


def blend_share(iteration: int, total: int, part: float = 0.25) -> float:
    """Return the share of the first image in that of `iteration`, 0 to 1.

    It rises smoothly (3t² - 2t³) over the last `part` of the iterations, and is 1 at the last.
    """
    t = min(1.0, max(0.0, (iteration / max(1, total) - (1 - part)) / part))
    return t * t * (3 - 2 * t)
