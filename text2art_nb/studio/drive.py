"""Copy files to Google Drive on Colab. Mounts it on request, and explains every failure in one sentence."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from text2art_nb.errors import RunError
from text2art_nb.studio.library import DRIVE

# What the reason for a failure has in it, in lower case, and what that means. `google.colab.drive.mount` raises a
# MessageError where access is refused, ValueErrors where its program gives up, NotImplementedError where there is none
# (Colab Enterprise, a local runtime), and pexpect's TIMEOUT, which has no text of its own.
_REASONS: Final = (
    (
        "credential propagation",
        "access to it was not granted: run this cell again and choose “Connect to Google Drive”",
    ),
    ("timeout", "it did not answer in time: try again in a minute"),
    ("domain policy", "the policy of your organization does not allow it here"),
    ("already contain files", f"the folder {DRIVE.parent} has files in it: move them away and run this cell again"),
    ("notimplementederror", "this kind of runtime has none"),
    ("keyerror", "this kind of runtime has none"),
    ("mount failed", "mounting it failed: try again in a minute"),
)


def copy_to_drive(files: Sequence[Path]) -> list[Path]:
    """Copy files to the folder `text2art` on Google Drive, which asks for access first. Returns the copies.

    A copy is there whole or not at all.

    Raises:
        RunError: there is no Drive here, access is refused, or it takes no files. The files stay where they are.
    """
    folder = connect() / "text2art"
    copies = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path in files:
            if path.parent == folder:
                continue
            part = folder / f".{path.name}.{os.getpid()}.part"
            try:
                shutil.copyfile(path, part)
                os.replace(part, folder / path.name)
            finally:
                part.unlink(missing_ok=True)
            copies.append(folder / path.name)
    except OSError as error:
        raise RunError(f"Google Drive did not take the files ({error.strerror or error}); {_stay(files)}") from error
    return copies


def connect() -> Path:
    """Mount the user's Drive if it isn't mounted yet. Returns its folder.

    Raises:
        RunError: this isn't Colab, or Drive can't be mounted, in one sentence.
    """
    try:
        from google.colab import drive
    except ImportError:
        raise RunError("Google Drive is available on Colab only; the pictures stay on this machine") from None
    if not os.path.ismount(DRIVE.parent):
        try:
            drive.mount(str(DRIVE.parent))
        except Exception as error:  # Colab's, pexpect's or the system's: undocumented
            raise RunError(f"Google Drive could not be used: {_why(error)}; the pictures stay in Colab") from error
    if not os.path.isdir(DRIVE):
        # Made by us, the folder would look like Drive, and be gone with the runtime.
        raise RunError(
            f"Google Drive could not be used: there is no {DRIVE} after mounting it; the pictures stay in Colab"
        )
    return DRIVE


def _why(error: Exception) -> str:
    said = f"{type(error).__name__}: {error}".lower()
    known = next((meaning for mark, meaning in _REASONS if mark in said), None)
    return known or " ".join(str(error).split())[:200] or type(error).__name__


def _stay(files: Sequence[Path]) -> str:
    return f"they stay in {files[0].parent}" if files else "nothing was copied"
