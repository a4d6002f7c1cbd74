"""Worker slots: an id that no live process has, and the device that belongs to it."""

import hashlib
import secrets
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from filelock import FileLock, Timeout

from text2art_nb.errors import Text2ArtError
from text2art_nb.runtime.filesystems import lock_file
from text2art_nb.serve.config import Config

MAX_WORKERS: Final = 256


@dataclass(frozen=True)
class WorkerSlot:
    """A claimed slot.

    Attributes:
        id: "host:token:number".
        device: as in `Settings`.
        lock: held until the process ends, however it ends.
    """

    id: str
    device: str
    lock: FileLock


def acquire_slot(config: Config) -> WorkerSlot:
    """Claim the first free slot of this machine. A worker that claims a dead worker's slot gets its jobs back at once.

    Raises:
        Text2ArtError: all slots are taken.
    """
    place = _lock_directory(config.data) / hashlib.sha256(config.database_url.encode()).hexdigest()[:16]
    place.mkdir(parents=True, exist_ok=True)
    here = f"{socket.gethostname()}:{_host_token(place.parent)}"
    for number in range(MAX_WORKERS):
        lock = FileLock(place / f"{number}.lock", is_singleton=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        return WorkerSlot(f"{here}:{number}", _device(config, number), lock)
    raise Text2ArtError(f"{MAX_WORKERS} workers already run on this machine")


def _lock_directory(data: Path) -> Path:
    """Return the folder of the lock files: in the data folder, or on a local disk if locks don't hold there."""
    place = data / "seats"
    place.mkdir(parents=True, exist_ok=True)
    return lock_file(place / "token").parent


def _host_token(place: Path) -> str:
    """Return a token of this data folder. Machines and containers made from one image share their host name."""
    path = place / "token"
    with FileLock(place / "token.lock", is_singleton=False):
        if not path.exists() or not path.read_text(encoding="ascii"):
            path.write_text(secrets.token_hex(4), encoding="ascii")
        return path.read_text(encoding="ascii")


def _device(config: Config, number: int) -> str:
    """Assign the graphics cards in turn if there are several."""
    if config.device != "auto":
        return config.device
    import torch

    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return f"cuda:{number % cards}" if cards > 1 else "auto"
