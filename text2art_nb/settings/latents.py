"""Reading what is said about a generator's latent: its shape, and its numbers."""

import math
from typing import Any

from text2art_nb.settings import coercion

MAX_LATENT = 2**20
"""Most numbers in the latent of a generator."""
MAX_LATENT_NUMBERS = 16_384
"""Most numbers of a latent that settings, and so a recipe, can hold."""

_MAX_NESTING = 6


def latent_shape(value: Any) -> tuple[int, ...] | None:
    """The shape of a latent without its batch, from "4x8x8", 512 or [4,8,8]; nothing given is None.

    Raises ValueError for what isn't a shape, and for one that is too large.
    """
    if coercion.missing(value):
        return None
    parts = value.lower().replace(",", "x").replace("×", "x").split("x") if isinstance(value, str) else value
    parts = parts if isinstance(parts, list | tuple) else [parts]
    right = f"whole numbers like 512 or 4x8x8, at most {MAX_LATENT:,} in all"
    wrong = ValueError(f"latent_shape must be {right}; got {coercion.shown(value)}")
    try:
        sides = [coercion.number(part, "latent_shape") for part in parts]
    except ValueError:
        raise wrong from None
    if not 1 <= len(sides) <= 5 or not all(side >= 1 and side.is_integer() for side in sides):
        raise wrong
    if math.prod(sides) > MAX_LATENT:
        raise wrong
    return tuple(int(side) for side in sides)


def latent_numbers(value: Any) -> tuple[float, ...] | None:
    """The numbers of a latent from a text with commas, a list of any shape, an array or a tensor; nothing is None.

    Raises ValueError for anything else, and for more than a recipe can hold.
    """
    if coercion.missing(value):
        return None
    found = coercion.items(value.tolist() if hasattr(value, "tolist") else value, "latent", ",")
    for _ in range(_MAX_NESTING):
        if not any(isinstance(each, list | tuple) for each in found):
            break
        found = [inner for each in found for inner in (each if isinstance(each, list | tuple) else [each])]
    if not 1 <= len(found) <= MAX_LATENT_NUMBERS:
        raise ValueError(f"latent may have 1 to {MAX_LATENT_NUMBERS:,} numbers; got {len(found):,}")
    return tuple(coercion.number(each, "each number of latent") for each in found)
