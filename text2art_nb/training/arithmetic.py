"""Half-precision arithmetic, where it is faster: only on CPUs that have units for it."""

import functools
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import torch

_UNITS = frozenset({"avx512_bf16", "amx_bf16"})
_CPU = Path("/proc/cpuinfo")


@functools.cache
def has_bfloat16_units(info: Path = _CPU) -> bool:
    """Whether this CPU multiplies bfloat16 itself. Without such units every product takes many times as long as in
    float32 (nine times, measured on AVX2). False where nothing is known of the CPU."""
    if not info.exists():
        return False
    flags = (line for line in info.read_text(encoding="utf-8").splitlines() if line.startswith("flags"))
    return not _UNITS.isdisjoint(next(flags, "").split())


def fast_arithmetic() -> AbstractContextManager[object]:
    """A context in which convolutions and products are taken in bfloat16, where the CPU has units for it."""
    return torch.autocast("cpu", torch.bfloat16) if has_bfloat16_units() else nullcontext()
