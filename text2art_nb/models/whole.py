"""Whether a checkpoint has all the weights of its model: diffusers and transformers fill gaps with random numbers, and
go on."""

from collections.abc import Collection, Mapping
from pathlib import Path

from text2art_nb.errors import ModelError


def check_whole(directory: Path, kind: str, loaded: Mapping[str, Collection[str]]) -> None:
    """Raises ModelError where weights are missing, or there are some that the model doesn't have.

    kind: what it should be, like "VQGAN"; loaded: what the library says with ``output_loading_info=True``.
    """
    check_nothing_missing(directory, kind, loaded)
    _refuse(directory, kind, loaded["unexpected_keys"], "has no place in it")


def check_nothing_missing(directory: Path, kind: str, loaded: Mapping[str, Collection[str]]) -> None:
    """As `check_whole`, for a model whose files may hold more than it: old ones have buffers that are computed now."""
    _refuse(directory, kind, loaded["missing_keys"], "is missing")


def _refuse(directory: Path, kind: str, keys: Collection[str], wrong: str) -> None:
    names = sorted(keys)
    if names:
        others = f", and {len(names) - 1} more" if len(names) > 1 else ""
        raise ModelError(f"{directory} holds no {kind} as its config.json says: {names[0]} {wrong}{others}")
