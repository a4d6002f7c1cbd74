"""Rate pictures by a small head on the embeddings of ViT-L/14, trained on people's ratings from 1 to 10.

The head is Schuhmann's "improved aesthetic predictor" (LAION, 2022), as `ttj/sac-logos-ava1-l14-linearMSE` has it in
safetensors: five linear layers, ``layers.0`` to ``layers.7``, with nothing but dropout between them. So it is one
linear map, and is kept as one. A single ``weight`` and ``bias`` (LAION's first heads) are read as well.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from text2art_nb import models
from text2art_nb.errors import ModelError
from text2art_nb.perceptors.base import Perceptor

DEFAULT: Final = "ttj/sac-logos-ava1-l14-linearMSE"
_ITS_ENCODER: Final = "openai/clip-vit-large-patch14"
_FILE: Final = "model.safetensors"


@dataclass(frozen=True)
class Head:
    """One linear map from an image embedding to a rating: weight [D], bias []."""

    weight: Tensor
    bias: Tensor

    def rate(self, embeddings: Tensor) -> Tensor:
        """Rate unit vectors [n,D]: [n], about 1 to 10."""
        return embeddings @ self.weight + self.bias


def load(name: str | None, device: torch.device) -> Head:
    """Load the head called `name` (a catalogue name, or a directory with a model.safetensors); None: the default.

    Raises:
        ModelError: it isn't there, can't be fetched, or isn't a head.
    """
    path = Path(os.path.expanduser(name)) / _FILE if name else None
    if path is None or not path.is_file():
        path = models.locate(name or DEFAULT, "aesthetic") / _FILE
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        tensors = load_file(path)
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} cannot be read as the weights of an aesthetic head: {error}") from error
    head = _one_map(tensors, path)
    return Head(head.weight.to(device), head.bias.to(device))


def _one_map(tensors: Mapping[str, Tensor], path: Path) -> Head:
    """Multiply out all layers in their order (in double precision, so that nothing is lost)."""
    weights = sorted((name for name in tensors if name.endswith("weight")), key=_number)
    mapped, offset = None, None
    for name in weights:
        weight, bias = tensors[name].double(), tensors.get(name.removesuffix("weight") + "bias")
        fits = weight.dim() == 2 and (mapped is None or weight.shape[1] == mapped.shape[0])
        if not fits or bias is None or bias.shape != weight.shape[:1]:
            raise ModelError(f"{path} is not an aesthetic head: its layer {name} doesn't fit the one before it")
        mapped = weight if mapped is None else weight @ mapped
        offset = bias.double() if offset is None else weight @ offset + bias.double()
    if mapped is None or offset is None or mapped.shape[0] != 1:
        raise ModelError(f"{path} is not an aesthetic head, which ends in one number")
    return Head(mapped[0].float(), offset[0].float())


def _number(name: str) -> tuple[int, ...]:
    return tuple(int(digits) for digits in re.findall(r"\d+", name))


def check_encoders(perceptors: Sequence[Perceptor]) -> None:
    """Refuse, before anything is fetched, encoders whose embeddings the default head can't rate.

    Raises:
        ModelError: none is ViT-L/14; another encoder's vectors mean other things, however many numbers they have.
    """
    if not any(_is_its_encoder(perceptor.name) for perceptor in perceptors):
        raise ModelError(
            f"the loss aesthetic rates what ViT-L/14 sees, and here looks {_names(perceptors)}; add it, like "
            "perceptors='ViT-B/32,ViT-L/14', or give the aesthetic_head of another eye"
        )


def encoder_for(head: Head, requested: str | None, perceptors: Sequence[Perceptor], widths: Sequence[int]) -> Perceptor:
    """Return the first perceptor whose embeddings `head` can rate. widths: the length of each perceptor's vectors.

    Raises:
        ModelError: there is none.
    """
    for perceptor, width in zip(perceptors, widths, strict=True):
        if width == len(head.weight) and (requested is not None or _is_its_encoder(perceptor.name)):
            return perceptor
    numbers = f"vectors of {len(head.weight)} numbers"
    raise ModelError(f"the aesthetic_head {requested or DEFAULT!r} rates {numbers}; {_names(perceptors)} sees others")


def _names(perceptors: Sequence[Perceptor]) -> str:
    return ", ".join(perceptor.name for perceptor in perceptors)


def _is_its_encoder(name: str) -> bool:
    """Tell whether a perceptor's name is one of OpenAI's ViT-L/14 at 224 pixels."""
    try:
        return models.find(name).repository == _ITS_ENCODER
    except ModelError:  # a directory, the embedded encoder, a plug-in
        return Path(name).name == _ITS_ENCODER.partition("/")[2]
