"""What a hub knows of a file: its bytes, whether they are in git or in its store, and what git calls them."""

import hashlib
from pathlib import Path

LARGE_ENDINGS = (".safetensors", ".bin", ".ckpt", ".pt", ".pth", ".model")


def read(held: bytes | Path) -> bytes:
    return held if isinstance(held, bytes) else held.read_bytes()


def is_large(path: str, body: bytes) -> bool:
    """Whether the hub keeps it in its store, not in git."""
    return path.endswith(LARGE_ENDINGS) or len(body) > 10_000_000


def blob_id(body: bytes) -> str:
    """What git calls these bytes, which the hub has as the ETag of small files."""
    return hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()
