"""Where a run's random numbers come from: its seed and what they are for, nothing else.

So there is no state to save: an iteration that is drawn again sees the same views.
"""

import hashlib

import torch


def generator(seed: int, *key: int | str) -> torch.Generator:
    """A generator for `seed` and `key`, always on the CPU, so that all devices draw the same numbers."""
    digest = hashlib.sha256(repr((seed, *key)).encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)
