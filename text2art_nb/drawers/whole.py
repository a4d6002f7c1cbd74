"""Whether a checkpoint has all the weights of its model: diffusers fills gaps with random numbers, and goes on."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from text2art_nb.errors import ModelError


def check_whole(directory: Path, kind: str, loaded: Mapping[str, Sequence[str]]) -> None:
    """Raises ModelError where weights are missing, or there are some that the model doesn't have.

    kind: what it should be, like "VQGAN"; loaded: what diffusers says with ``output_loading_info=True``.
    """
    for keys, wrong in (("missing_keys", "is missing"), ("unexpected_keys", "has no place in it")):
        names = sorted(loaded[keys])
        if names:
            others = f", and {len(names) - 1} more" if len(names) > 1 else ""
            raise ModelError(f"{directory} holds no {kind} as its config.json says: {names[0]} {wrong}{others}")
