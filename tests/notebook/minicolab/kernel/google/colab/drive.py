"""`mount` asks the page for access first, which the page refuses unless the test allows it."""

import os
from pathlib import Path

from google.colab import _message


def mount(mountpoint: str, force_remount: bool = False, timeout_ms: int = 120_000, readonly: bool = False) -> None:
    """Make the folder as which the user's Drive appears.

    Raises:
        MessageError: the user refused; in Colab's words, "credential propagation was unsuccessful".
        ValueError: Drive can't be shown at `mountpoint`.
    """
    if " " in mountpoint:
        raise ValueError("Mountpoint must not contain a space.")
    _message.blocking_request("request_auth", {"authType": "dfs_ephemeral"}, timeout_sec=int(timeout_ms / 1000))
    point = Path(mountpoint).expanduser()
    if (point / "MyDrive").is_dir() and not force_remount:
        print(f"Drive already mounted at {mountpoint}; to attempt to forcibly remount, call drive.mount(…).")
        return
    if point.is_symlink():
        raise ValueError("Mountpoint must not be a symlink")
    if point.is_dir() and os.listdir(point):
        raise ValueError("Mountpoint must not already contain files")
    if point.exists() and not point.is_dir():
        raise ValueError("Mountpoint must either be a directory or not exist")
    if not point.parent.exists():
        raise ValueError("Mountpoint must be in a directory that exists")
    (point / "MyDrive").mkdir(parents=True)
    print(f"Mounted at {mountpoint}")
