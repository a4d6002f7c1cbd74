"""Where fetched weights lie on this machine, and what of a checkpoint is there."""

import os
from pathlib import Path

from text2art_nb.errors import ModelError
from text2art_nb.models.catalogue import File, Weights
from text2art_nb.models.download import is_whole


def root() -> Path:
    """``$TEXT2ART_CACHE``, else ``~/.cache/text2art``. Raises ModelError where the system knows of no home."""
    try:
        return Path(os.environ.get("TEXT2ART_CACHE") or "~/.cache/text2art").expanduser()
    except RuntimeError as error:
        raise ModelError(f"there is no folder for weights ({error}): set TEXT2ART_CACHE to one") from error


def directory(weights: Weights) -> Path:
    """The checkpoint's own directory, whether it exists or not."""
    return root() / weights.kind / weights.name.replace("/", "--")


def lacking(weights: Weights, where: Path) -> list[File]:
    """The needed files that are not in ``where``: neither themselves nor one that serves as well."""
    return [
        file
        for file in weights.files
        if not file.optional and not any(is_whole(choice, where) for choice in file.choices())
    ]


def bytes_on_disk(where: Path) -> int:
    """The size of all files below a directory; 0 where it does not exist, or can't be looked into."""
    if not os.path.isdir(where):
        return 0
    return sum(path.stat().st_size for path in where.rglob("*") if path.is_file())
