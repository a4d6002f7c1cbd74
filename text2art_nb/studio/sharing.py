"""Handing files on from a cell: links that don't swell the notebook's file, and downloads on Colab."""

import html
import os
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from text2art_nb.errors import RunError


def reference(path: Path) -> str:
    """A file for a cell's output: a link to it where it lies beside the notebook, else only its place.

    The file itself is never in it: what is in a cell's output is in the notebook's file.
    """
    size = f"{path.stat().st_size / 1e6:.1f} MB"
    near = Path(os.path.relpath(path))
    if near.parts[0] == "..":
        return f"{html.escape(str(path))}, {size}"
    return f'<a download href="{quote(near.as_posix())}">{html.escape(near.as_posix())}</a>, {size}'


def download(files: Sequence[Path]) -> None:
    """Have the browser save the files. Raises RunError where it can't be told to: outside Colab."""
    try:
        from google.colab import files as colab
    except ImportError:
        raise RunError("downloads begin by themselves on Colab only; elsewhere click the links") from None
    for path in files:
        colab.download(str(path))
