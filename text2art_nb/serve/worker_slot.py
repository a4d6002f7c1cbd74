"""A worker's seat: an id that no living process has, and the device that goes with it."""

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

MOST: Final = 256


@dataclass(frozen=True)
class Seat:
    """id: "host:token:number"; device: as in `Settings`; lock: held until the process ends, however it ends."""

    id: str
    device: str
    lock: FileLock


def take_seat(config: Config) -> Seat:
    """The first free seat of this machine. A worker that takes a dead one's seat gets its jobs back at once.

    Raises:
        Text2ArtError: there is none.
    """
    place = _seats(config.data) / hashlib.sha256(config.database_url.encode()).hexdigest()[:16]
    place.mkdir(parents=True, exist_ok=True)
    here = f"{socket.gethostname()}:{_token(place.parent)}"
    for number in range(MOST):
        lock = FileLock(place / f"{number}.lock", is_singleton=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            continue
        return Seat(f"{here}:{number}", _device(config, number), lock)
    raise Text2ArtError(f"{MOST} workers are at work on this machine already")


def _seats(data: Path) -> Path:
    """Where the locks lie: in the data folder, or on a local disk where they would not hold there."""
    place = data / "seats"
    place.mkdir(parents=True, exist_ok=True)
    return lock_file(place / "token").parent


def _token(place: Path) -> str:
    """What tells this data folder from others: machines made from one image have one name, and so do containers."""
    path = place / "token"
    with FileLock(place / "token.lock", is_singleton=False):
        if not path.exists() or not path.read_text(encoding="ascii"):
            path.write_text(secrets.token_hex(4), encoding="ascii")
        return path.read_text(encoding="ascii")


def _device(config: Config, number: int) -> str:
    """The `number`th graphics card, in turn, where there are several."""
    if config.device != "auto":
        return config.device
    import torch

    cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return f"cuda:{number % cards}" if cards > 1 else "auto"
