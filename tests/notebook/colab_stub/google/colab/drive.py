"""`mount` makes the folder that a mounted Drive would show."""

from pathlib import Path

mounted: list[str] = []


def mount(mountpoint: str, force_remount: bool = False, timeout_ms: int = 120_000, readonly: bool = False) -> None:
    """Make the folder as which the user's Drive appears."""
    (Path(mountpoint) / "MyDrive").mkdir(parents=True, exist_ok=True)
    mounted.append(mountpoint)


def flush_and_unmount(timeout_ms: int = 24 * 60 * 60 * 1000) -> None:
    """Forget the mounts; their folders stay."""
    mounted.clear()
