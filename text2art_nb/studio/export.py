"""Offer files for download from a cell: links, or buttons where links don't work."""

import html
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from text2art_nb.errors import RunError
from text2art_nb.models.listing import in_words
from text2art_nb.studio.gallery import hand_over
from text2art_nb.studio.view import CellView, Guarded


def links_work() -> bool:
    """Whether a link to a file beside the notebook leads to it: not from Colab's frames, nor from VS Code's."""
    return "google.colab" not in sys.modules and "VSCODE_PID" not in os.environ


def reference(path: Path) -> str:
    """A file for a cell's output: a link to it where that works and it lies beside the notebook, else only its place.

    The file itself is never in it: what is in a cell's output is in the notebook's file.
    """
    size = in_words(path.stat().st_size)
    near = Path(os.path.relpath(path))
    if near.parts[0] == ".." or not links_work():
        return f"{html.escape(str(path))}, {size}"
    return f'<a download href="{quote(near.as_posix())}">{html.escape(near.as_posix())}</a>, {size}'


def buttons_for(files: Sequence[Path], guarded: Guarded) -> CellView:
    """A button for each file, which has the browser save it. The bytes go through the page, not by an address."""
    view = CellView(guarded)
    view.buttons = [[path.name, f"Download {path.name}", "save it on your computer", False] for path in files]

    def offer(path: Path) -> None:
        def hand() -> None:
            view.note = hand_over(view, path)

        view.on_click(path.name, hand)

    for path in files:
        offer(path)
    return view


def download(files: Sequence[Path]) -> None:
    """Have the browser save the files. Raises RunError where it can't be told to: outside Colab."""
    try:
        from google.colab import files as colab
    except ImportError:
        raise RunError("downloads begin by themselves on Colab only; elsewhere click the links") from None
    for path in files:
        colab.download(str(path))
