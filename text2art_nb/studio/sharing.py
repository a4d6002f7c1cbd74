"""Handing files on from a cell: links that don't swell the notebook's file, downloads and Google Drive on Colab."""

import html
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from text2art_nb.errors import RunError
from text2art_nb.studio.shelf import DRIVE


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


def copy_to_drive(files: Sequence[Path]) -> list[Path]:
    """Copies of the files on Google Drive, which asks for access first. Raises RunError outside Colab."""
    try:
        from google.colab import drive
    except ImportError:
        raise RunError("Google Drive is to be had on Colab only") from None
    drive.mount(str(DRIVE.parent))
    folder = DRIVE / "text2art"
    folder.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copy2(path, folder)) for path in files if path.parent != folder]
