"""Where a run computes, and in which precision: the only file that asks torch what the machine has."""

import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import Final

import torch
from torch import Tensor

from text2art_nb.errors import RunError

_DTYPES: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
# CUDA's and MPS's; the CPU allocator's on Linux and macOS, and on Windows; cuBLAS' and cuDNN's, and cuDNN's since 9.
_NO_MEMORY: Final = (
    "out of memory",
    "can't allocate memory",
    "not enough memory: you tried to allocate",
    "status_alloc_failed",
    "_allocation_failed",
)


def pick_device(name: str = "auto") -> torch.device:
    """The device that `name` stands for: "auto" takes CUDA, then MPS, then the CPU.

    Raises RunError where the device asked for isn't there.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    device = torch.device(name)
    there = {
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not there.get(device.type, True):
        raise RunError(f"this machine has no device {name!r}; device='auto' takes the best one that is there")
    return device


def pick_precision(name: str, device: torch.device) -> torch.dtype:
    """The number format of the perceptors' arithmetic: "auto" is bfloat16 or float16 on CUDA, float32 elsewhere."""
    if name != "auto":
        return _DTYPES[name]
    if device.type != "cuda":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


@contextlib.contextmanager
def mixed(device: torch.device, dtype: torch.dtype) -> Iterator[None]:
    """Autocast to `dtype` on `device`; nothing at all for float32."""
    if dtype == torch.float32:
        yield
        return
    with torch.autocast(device.type, dtype):
        yield


def is_out_of_memory(error: BaseException) -> bool:
    """Whether `error` is a device's, or the CPU allocator's, way of saying that memory ran out."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(sign in text for sign in _NO_MEMORY)


def free_memory(device: torch.device) -> None:
    """Give cached blocks back before a retry."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def upload(tensors: Sequence[Tensor], device: torch.device) -> list[Tensor]:
    """Copy CPU tensors of one dtype to `device` in a single transfer; on the CPU they stay what they are."""
    if device.type == "cpu" or not tensors:
        return list(tensors)
    packed = torch.cat([tensor.flatten() for tensor in tensors])
    if device.type == "cuda":
        packed = packed.pin_memory()  # from there the copy runs beside the next computation
    moved = packed.to(device, non_blocking=device.type == "cuda").split([tensor.numel() for tensor in tensors])
    return [part.view(tensor.shape) for part, tensor in zip(moved, tensors, strict=True)]


@functools.lru_cache(maxsize=64)
def constant(values: tuple[float | tuple[float, ...], ...], device: torch.device, dtype: torch.dtype) -> Tensor:
    """Numbers that never change, copied to a device once. Not to be written to."""
    return torch.tensor(values, device=device, dtype=dtype)
