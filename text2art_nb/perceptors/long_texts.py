"""Texts that are longer than a perceptor reads at once: read in parts, and the parts' meanings put together.

CLIP reads 77 tokens, start and end included, and SigLIP 64. What follows was cut off by the family of VQGAN+CLIP; here
it counts, as in AUTOMATIC1111's web UI and ComfyUI, which break at 75 tokens, at a comma where one is near. They hand
all parts to their model side by side; a perceptor's one vector is the parts' mean, weighted by their tokens.
"""

from collections.abc import Callable, Sequence
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

_NEAR: Final = 1 / 3  # how far back, as a share of a part, a comma is looked for (the web UI: 20 of 75 tokens)
_PAUSES: Final = ",;.:!?，。、；：！？"
_TOGETHER: Final = 64  # parts that are read at once


def split(text: str, count: Callable[[str], int], longest: int) -> list[str]:
    """The parts of a text, none of more than `longest` tokens: it breaks after a comma, or a word, or anywhere.

    Args:
        count: how many tokens a text has, start and end included.
    """
    parts: list[str] = []
    rest = text.strip()
    while rest and count(rest) > longest:
        fits = _longest_that_fits(rest, count, longest)
        end = _good_end(rest, fits)
        parts.append(rest[:end].strip())
        rest = rest[end:].strip()
    return [*parts, rest] if rest or not parts else parts


def read_in_parts(
    texts: Sequence[str], count: Callable[[str], int], longest: int, read: Callable[[Sequence[str]], Tensor]
) -> Tensor:
    """Unit vectors [n,D] of texts of any length.

    Args:
        count, longest: see `split`.
        read: unit vectors of texts of at most `longest` tokens.
    """
    split_texts = [split(text, count, longest) for text in texts]
    parts = [part for each in split_texts for part in each]
    read_parts = torch.cat([read(parts[i : i + _TOGETHER]) for i in range(0, len(parts), _TOGETHER)])
    vectors = []
    for each, group in zip(split_texts, read_parts.split([len(each) for each in split_texts]), strict=True):
        if len(each) == 1:
            vectors.append(group[0])
            continue
        ends = count("")
        weights = torch.tensor([float(max(1, count(part) - ends)) for part in each], device=group.device)
        vectors.append(F.normalize(weights @ group, dim=0))
    return torch.stack(vectors)


def _longest_that_fits(text: str, count: Callable[[str], int], longest: int) -> int:
    """How many characters of a text can be read at once; 1 at least."""
    low, high = 1, len(text)  # the first fits, or nothing does; the last doesn't
    while high - low > 1:
        middle = (low + high) // 2
        if count(text[:middle]) <= longest:
            low = middle
        else:
            high = middle
    return low


def _good_end(text: str, fits: int) -> int:
    """Where to break a text of which `fits` characters can be read: after the last pause that is near, or word."""
    nearest = fits - int(fits * _NEAR)
    for end in range(fits, nearest - 1, -1):
        if text[end - 1] in _PAUSES and (text[end].isspace() or ord(text[end - 1]) > 127):
            return end
    if text[fits].isspace():
        return fits
    for end in range(fits, fits // 2, -1):
        if text[end - 1].isspace():
            return end
    return fits
