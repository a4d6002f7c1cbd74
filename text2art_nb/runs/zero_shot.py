"""Zero-shot test of an image-text encoder: twelve shipped pictures, twelve captions, which belongs to which?

The pictures were rendered by the package's own world (`tests/runtime/test_zero_shot.py` renders them again).
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from text2art_nb.runtime import devices

if TYPE_CHECKING:
    from text2art_nb.perceptors.base import Perceptor

SHEET: Final = Path(__file__).with_name("twelve_pictures.jpg")
THINGS: Final = (
    "castle",
    "lighthouse",
    "windmill",
    "boat",
    "train",
    "bicycle",
    "mushroom",
    "octopus",
    "owl",
    "robot",
    "snowman",
    "umbrella",
)
"""What the pictures of the sheet show, row by row."""
COLUMNS: Final = 4
SIDE: Final = 160  # pixels of each picture

ENOUGH: Final = 9
"""How many of the twelve an encoder that works gets right at the least."""
PERMUTATIONS: Final = 2000
CHANCE: Final = 0.01
"""Above this probability, guessing explains what an encoder picked."""

CAT: Final = "a photo of a cat"
CAT_TOKENS: Final = (49406, 320, 1125, 539, 320, 2368, 49407)
"""CLIP's tokens of `CAT`, as the documentation of transformers has them."""


@dataclass(frozen=True)
class ZeroShot:
    """Outcome for one encoder.

    Attributes:
        picked: for each picture, in the order of `THINGS`, the thing whose caption is the most similar.
        p: probability that pictures and captions paired at random agree as well (a permutation test).
        own, others: mean cosine similarity of a picture to its own caption, and to those of the others.
        captions, pictures: mean cosine similarity of two different captions, and of two different pictures.
        untrained: whether the network still has the values that a new one begins with (`is_untrained`).
    """

    picked: tuple[str, ...]
    p: float
    own: float
    others: float
    captions: float
    pictures: float
    untrained: bool

    @property
    def right(self) -> int:
        """How many captions were picked rightly, of 12; guessing gets 1 on average."""
        return sum(map(str.__eq__, self.picked, THINGS))

    @property
    def ok(self) -> bool:
        """Whether the encoder knows the pictures."""
        return self.right >= ENOUGH and self.p <= CHANCE

    @property
    def why(self) -> str:
        """Why the test is not passed, in one sentence; "" if it is."""
        if self.ok:
            return ""
        if not math.isfinite(self.own + self.others):
            return "what it sees or reads are numbers that are none (NaN)"
        if self.untrained:
            return "it can't pass: these weights are random, every normalization layer is as in a new network"
        if self.p > CHANCE:
            return "no better than guessing although the weights are trained: something reads or sees wrongly here"
        wrong = [f"{thing} for {shown}" for thing, shown in zip(self.picked, THINGS, strict=True) if thing != shown]
        return f"an encoder that works gets {ENOUGH} or more; it took {', '.join(wrong)}"


def pictures() -> Tensor:
    """The twelve pictures, [12,3,160,160] in 0..1."""
    import numpy as np
    from PIL import Image

    with Image.open(SHEET) as sheet:
        pixels = np.asarray(sheet.convert("RGB"))
    whole = torch.from_numpy(pixels.copy()).permute(2, 0, 1).float().div(255)
    rows = whole.unfold(1, SIDE, SIDE).unfold(2, SIDE, SIDE)  # [3,rows,columns,160,160]
    return rows.permute(1, 2, 0, 3, 4).flatten(0, 1)


def captions() -> list[str]:
    """The caption of each picture."""
    return [f"a picture of {'an' if thing[0] in 'aeiou' else 'a'} {thing}" for thing in THINGS]


@torch.no_grad()
def zero_shot(perceptor: "Perceptor", device: torch.device, dtype: torch.dtype) -> ZeroShot:
    """Let `perceptor`, which is on `device`, pick a caption for each picture, computing in `dtype`."""
    views = F.interpolate(pictures(), (perceptor.size,) * 2, mode="bicubic", antialias=True).clamp(0, 1)
    with devices.mixed(device, dtype):
        seen, read = perceptor.see(views.to(device)), perceptor.read(captions())
    seen, read = seen.float().cpu(), read.float().cpu()
    similarity = seen @ read.T  # [pictures,captions]
    own, others = _diagonal_and_rest(similarity)
    return ZeroShot(
        picked=tuple(THINGS[best] for best in similarity.argmax(1).tolist()),
        p=pairing_p(similarity),
        own=own,
        others=others,
        captions=_diagonal_and_rest(read @ read.T)[1],
        pictures=_diagonal_and_rest(seen @ seen.T)[1],
        untrained=is_untrained(perceptor),
    )


def pairing_p(similarity: Tensor) -> float:
    """Permutation test of a [n,n] similarity: how often random pairs are as similar as those on the diagonal.

    What a row or a column has in common is taken out first: a caption that is similar to every picture tells nothing.
    Numbers that aren't finite give 1.
    """
    if not bool(similarity.isfinite().all()):
        return 1.0
    centered = similarity - similarity.mean(0, keepdim=True) - similarity.mean(1, keepdim=True) + similarity.mean()
    count = len(centered)
    generator = torch.Generator().manual_seed(0)
    orders = torch.stack([torch.randperm(count, generator=generator) for _ in range(PERMUTATIONS)])
    found = centered[torch.arange(count), orders].sum(1)
    return (1 + int((found >= centered.diagonal().sum()).sum())) / (1 + PERMUTATIONS)


def is_untrained(perceptor: object) -> bool:
    """Whether every layer norm of a perceptor's network has weights of exactly 1 and biases of exactly 0.

    A new network begins so, and the first step of training ends it. False where there is nothing to tell by.
    """
    network = getattr(perceptor, "network", None)
    norms = [part for part in network.modules() if isinstance(part, nn.LayerNorm)] if network is not None else []
    affine: list[tuple[Any, Any]] = [(part.weight, part.bias) for part in norms if part.weight is not None]
    return bool(affine) and all(
        bool((weight == 1).all()) and (bias is None or bool((bias == 0).all())) for weight, bias in affine
    )


def _diagonal_and_rest(square: Tensor) -> tuple[float, float]:
    """Mean of the diagonal, and of all the rest."""
    count = len(square)
    own = square.diagonal().sum()
    return float(own / count), float((square.sum() - own) / (count * (count - 1)))
