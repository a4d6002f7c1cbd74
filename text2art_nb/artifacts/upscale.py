"""Enlarging the finished picture: by the drawer where it has no pixels of its own, by a network, or by arithmetic.

Which one suits depends on what the picture is made of: cells stay cells (nearest), strokes are drawn anew at the larger
size (vector, which is the drawer's own work: see `Settings.drawn_size`), all else is for Swin2SR (Conde et al. 2022),
or for Lanczos where its weights aren't on this machine. `auto` downloads nothing.
"""

import functools
import importlib
import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor

from text2art_nb import models
from text2art_nb.errors import ModelError
from text2art_nb.optimization.filters import Filters
from text2art_nb.runtime.devices import pick_device
from text2art_nb.settings import Settings

if TYPE_CHECKING:
    from PIL import Image
    from transformers import Swin2SRForImageSuperResolution

TILE: Final = 128
"""Sides of the pieces that a network sees at once, in pixels of the small picture."""
OVERLAP: Final = 32
"""How far a piece reaches into the next one, from whose picture its own passes over to it."""
_LANCZOS_REACH: Final = 4  # pixels around it that a pixel is made of


@dataclass(frozen=True)
class Choice:
    """How to enlarge (one of the setting's values but "auto"), and what a user should know about it."""

    how: str
    notice: str | None = None


def choose(settings: Settings) -> Choice:
    """What `settings.upscaler` means for these settings on this machine; asks no server."""
    if settings.upscale == 1 or settings.upscaler != "auto":
        return Choice(settings.upscaler)
    if settings.last_drawer == "strokes":
        return Choice("vector")
    if settings.last_drawer == "pixel" or "lookup" in settings.filters:
        return Choice("nearest")
    try:
        models.locate(weights(settings.upscale), "upscaler", download=False)
    except ModelError:  # they aren't here, and whoever asked for "auto" didn't ask for a download
        size = models.find(weights(settings.upscale)).size or 0
        notice = (
            f"enlarged by Lanczos; upscaler=swin2sr makes it sharper, and fetches {size / 1e6:.0f} MB the first time"
        )
        return Choice("lanczos", notice)
    return Choice("swin2sr")


def fetch(settings: Settings) -> None:
    """Have the weights here that the settings enlarge with, if any. Raises ModelError where they can't be had."""
    if settings.upscaler == "swin2sr":
        models.locate(weights(settings.upscale), "upscaler")


def weights(factor: int) -> str:
    """The name of the weights that enlarge so many times."""
    return f"swin2sr-x{factor}"


def enlarge(
    image: "Image.Image", factor: int, how: str, device: str = "auto", made_by: Filters | None = None
) -> "Image.Image":
    """`image` (RGB or RGBA) `factor` times as wide and high.

    Args:
        image: a picture without strokes of its own.
        factor: 1, 2 or 4.
        how: nearest, swin2sr or lanczos; "vector" leaves it as it is: the drawer has drawn it larger.
        device: where the network computes, as in the setting.
        made_by: the filters that it went through; a tile is enlarged amid its repetitions, so that it stays one, and
            what a lookup left in its colours stays in them.

    Raises:
        ModelError: the network's weights are neither here nor to be had.
    """
    from PIL import Image

    if factor == 1 or how == "vector":
        return image
    size = image.width * factor, image.height * factor
    if how == "nearest":
        return image.resize(size, Image.Resampling.NEAREST)
    grow, reach = (_by_lanczos, _LANCZOS_REACH) if how == "lanczos" else (_network(factor, device), OVERLAP)
    if made_by is None or not made_by.care_when_enlarged:
        return grow(image, size)

    def grow_tensor(picture: Tensor, larger: tuple[int, int]) -> Tensor:
        return _tensor(grow(Image.fromarray(_pixels(picture)), larger))

    return Image.fromarray(_pixels(made_by.enlarged(grow_tensor, _tensor(image), size, reach)))


def _by_lanczos(image: "Image.Image", size: tuple[int, int]) -> "Image.Image":
    from PIL import Image

    return image.resize(size, Image.Resampling.LANCZOS)


def _network(factor: int, device: str) -> "Callable[[Image.Image, tuple[int, int]], Image.Image]":
    """The network that enlarges so many times. Raises ModelError where its weights can't be had."""
    from PIL import Image

    place = pick_device(device)
    model = load(models.locate(weights(factor), "upscaler"), place)

    def grow(image: "Image.Image", size: tuple[int, int]) -> "Image.Image":
        larger = Image.fromarray(_pixels(by_network(model, _tensor(image.convert("RGB")).to(place))))
        if image.mode == "RGBA":
            larger.putalpha(image.getchannel("A").resize(size, Image.Resampling.LANCZOS))
        return larger

    return grow


@torch.no_grad()
def by_network(
    model: "Swin2SRForImageSuperResolution", picture: Tensor, tile: int = TILE, overlap: int = OVERLAP
) -> Tensor:
    """`picture` [1,3,H,W] in 0..1, enlarged by the model's factor, in 0..1; memory is that of one tile and the result.

    tile, overlap: multiples of the model's window, so that a tile is cut into windows where the whole would be.
    """

    def see(part: Tensor) -> Tensor:
        larger: Tensor = model(pixel_values=part).reconstruction
        return larger.float()

    return tiled(see, picture, int(model.config.upscale), tile, overlap).clamp(0, 1)


def tiled(see: Callable[[Tensor], Tensor], picture: Tensor, factor: int, tile: int, overlap: int) -> Tensor:
    """What `see` makes of `picture` [1,C,H,W], a tile at a time: [1,C,H·factor,W·factor].

    Neighbouring tiles share `overlap` pixels, over which one passes into the other linearly: there is no seam, and
    where they agree nothing is changed.
    """
    height, width = picture.shape[-2:]
    whole = torch.zeros(1, picture.shape[1], height * factor, width * factor, device=picture.device)
    for top, bottom, down in _spans(height, tile, overlap, factor):
        for left, right, across in _spans(width, tile, overlap, factor):
            part = see(picture[..., top:bottom, left:right])
            share = (down[:, None] * across[None]).to(part.device)
            whole[..., top * factor : bottom * factor, left * factor : right * factor] += part * share
    return whole


def _spans(size: int, tile: int, overlap: int, factor: int) -> Iterator[tuple[int, int, Tensor]]:
    """(first, last + 1, share of each enlarged pixel in the whole) of the tiles along one axis; shares add up to 1."""
    for start in range(0, max(1, size - overlap), tile - overlap):
        stop = min(start + tile, size)
        share = torch.ones((stop - start) * factor)
        ramp = (torch.arange(overlap * factor) + 0.5) / (overlap * factor)
        if start > 0:
            share[: len(ramp)] *= ramp
        if stop < size:
            share[-len(ramp) :] *= ramp.flip(0)
        yield start, stop, share


@functools.lru_cache(maxsize=2)
def load(directory: Path, device: torch.device) -> "Swin2SRForImageSuperResolution":
    """The frozen Swin2SR saved in `directory` (transformers' layout), in float32.

    One copy a device is shared by all. Raises ModelError where the files aren't one.
    """
    transformers = importlib.import_module("transformers")

    transformers.utils.logging.disable_progress_bar()  # as in perceptors.dual_encoder
    try:
        model = transformers.Swin2SRForImageSuperResolution.from_pretrained(
            directory, local_files_only=True, dtype=torch.float32
        )
    except (OSError, ValueError, KeyError, RuntimeError, pickle.UnpicklingError) as error:
        raise ModelError(f"{directory} holds no Swin2SR that transformers can load: {error}") from error
    frozen: Swin2SRForImageSuperResolution = model.eval().requires_grad_(False).to(device)
    return frozen


def _tensor(image: "Image.Image") -> Tensor:
    return torch.from_numpy(np.array(image)).movedim(-1, 0)[None].float() / 255


def _pixels(picture: Tensor) -> np.ndarray:
    return (picture[0].movedim(0, -1) * 255).round().byte().cpu().numpy()
