"""The tensors of a `.ckpt` or `.pt` file, without unpickling it and without running anything that is in it.

PyTorch's files are pickles: a program that builds what was saved. Lightning's checkpoints, taming-transformers' among
them, also hold objects of Lightning's own (a ModelCheckpoint and its like), which `torch.load(weights_only=True)`
refuses; and OpenAI's CLIPs are TorchScript archives, whose `torch.jit.load` runs what they define as `__setstate__`.

So the file is read as what it is underneath: a zip archive with one record of plain numbers for each tensor, and a
pickle that says which name belongs to which record. That pickle is read by a machine that has no names but these:

- the functions that put a tensor together give a note of where it lies (`_Place`), not a tensor;
- the names of storages give a number format;
- `collections.OrderedDict` is itself;
- every other name, whatever it is called, is a new empty class (`_Inert`) whose objects take what they are given and
  do nothing with it. `os.system` is one of them.

Nothing is imported and nothing is called. Only the records that are asked for are read: 0.3 of sflckr's 4.3 GB.
A file from before PyTorch 1.6 is no zip archive but five pickles and then the storages, one behind the other. The same
machine reads the pickles.
"""

import collections
import os
import pickle
import zipfile
from collections.abc import Callable, Collection, Mapping
from contextlib import closing
from dataclasses import dataclass
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import Tensor

from text2art_nb.errors import ModelError

MAX_PICKLE = 64_000_000
"""Most bytes of the pickle that names the tensors; sflckr's, with all of its optimiser's state, has far less."""
MAX_NAMES = 100_000
"""Most entries that are looked through."""
MAX_DEPTH = 64
MAX_COPIES = 4
"""Most bytes of all tensors together, in sizes of their file: tensors may share a storage, a bomb does nothing else."""

_OLD_MAGIC = 0x1950A86A20F9469CFC6C
_OLD_PROTOCOL = 1001

_FORMATS = {
    "DoubleStorage": torch.float64,
    "FloatStorage": torch.float32,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
}


@dataclass(frozen=True)
class _Place:
    """Where a tensor lies: the record, its number format, and the window on it, all counted in elements."""

    record: str
    format: torch.dtype
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Inert:
    """What stands for an object of any class that a pickle names. It keeps its state, to be looked through, no more."""

    def __new__(cls, *_: Any, **__: Any) -> "_Inert":
        made = super().__new__(cls)
        made.state = {}
        return made

    def __init__(self, *_: Any, **__: Any) -> None:
        self.state: Any

    def __call__(self, *_: Any, **__: Any) -> "_Inert":
        """Where it stands for a method that is to be called."""
        return self

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, _key: Any, _value: Any) -> None:
        """Entries of a foreign mapping are no tensors of the model."""

    def append(self, _value: Any) -> None:
        """Nor are those of a foreign list."""

    def extend(self, _values: Any) -> None:
        """See `append`."""


class _Machine(pickle.Unpickler):
    """Reads a pickle of tensors; see the module for what it knows.

    formats: the number formats of all storages that it named.
    """

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.formats: dict[str, torch.dtype] = {}

    def find_class(self, module: str, name: str) -> Any:
        # A pickle may set attributes of whatever it has got hold of, so it never gets anything that others use.
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return lambda *given: _place(*given)
        if module == "torch._utils" and name == "_rebuild_parameter":
            return lambda place, *_: place
        if module in ("torch", "torch.storage") and name in _FORMATS:
            return _FORMATS[name]
        if (module, name) == ("collections", "OrderedDict"):
            return collections.OrderedDict
        return type("_Inert", (_Inert,), {})

    def persistent_load(self, pid: Any) -> tuple[str, torch.dtype]:
        """The record and number format of a storage: ("storage", format, record, device, length)."""
        if not (isinstance(pid, tuple) and len(pid) >= 3 and pid[0] == "storage" and isinstance(pid[2], str)):
            raise pickle.UnpicklingError("it holds something that is no tensor")
        if not isinstance(pid[1], torch.dtype):
            raise pickle.UnpicklingError("it holds numbers of an unknown format")
        if len(pid) > 5 and pid[5] is not None:
            raise pickle.UnpicklingError("it holds parts of storages, as PyTorch wrote them before 0.4")
        self.formats[pid[2]] = pid[1]
        return pid[2], pid[1]


def _place(storage: Any, offset: Any, shape: Any, strides: Any, *_: Any) -> _Place:
    record, number_format = storage
    sizes, steps = tuple(map(int, shape)), tuple(map(int, strides))
    if len(sizes) != len(steps) or len(sizes) > 8 or min((int(offset), *sizes, *steps), default=0) < 0:
        raise pickle.UnpicklingError("it holds a tensor of an impossible shape")
    return _Place(record, number_format, int(offset), sizes, steps)


def read_tensors(path: Path, wanted: Callable[[str], str | None] = lambda name: name) -> dict[str, Tensor]:
    """The tensors of a checkpoint, on the CPU, in the format in which they were saved.

    Args:
        path: a file of `torch.save` (a state dict, alone or under the key ``state_dict``) or of `torch.jit.save`.
        wanted: from a tensor's name in the file to the name that it shall have, None for one that isn't needed.

    Raises:
        ModelError: it can't be read, is damaged, or holds no tensor that is wanted.
    """
    try:
        found = _from_zip(path, wanted) if zipfile.is_zipfile(path) else _from_old(path, wanted)
    except (OSError, zipfile.BadZipFile, pickle.UnpicklingError, RuntimeError, *_DAMAGE) as error:
        raise ModelError(f"{path} is not a checkpoint that can be read: {_brief(error)}") from error
    if not found:
        raise ModelError(f"{path} holds none of the weights that are needed")
    return found


# What reading a damaged or malicious pickle ends in, besides an UnpicklingError.
_DAMAGE = (ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, OverflowError, MemoryError)


def _from_zip(path: Path, wanted: Callable[[str], str | None]) -> dict[str, Tensor]:
    with closing(zipfile.ZipFile(path)) as archive:
        records = {info.filename: info for info in archive.infolist()}
        pickles = [name for name in records if name == "data.pkl" or name.endswith("/data.pkl")]
        if len(pickles) != 1:
            raise ModelError(f"{path} is a zip file, but not one of PyTorch's")
        root = pickles[0].removesuffix("data.pkl")
        _check_order(archive, records, root)
        saved = _Machine(BytesIO(_record(archive, records[pickles[0]], MAX_PICKLE))).load()
        places = _wanted(saved, wanted, path)
        storages = {
            name: torch.frombuffer(bytearray(_record(archive, records[f"{root}data/{name}"])), dtype=number_format)
            for name, number_format in _storages(places).items()
        }
    return {name: _tensor(storages, place) for name, place in places.items()}


def _check_order(archive: zipfile.ZipFile, records: Mapping[str, zipfile.ZipInfo], root: str) -> None:
    """A file from a big-endian machine says so."""
    note = records.get(f"{root}byteorder")
    if note is not None and _record(archive, note, 16) != b"little":
        raise ModelError(f"{archive.filename} was written on a big-endian machine, which can't be read here")


def _record(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int | None = None) -> bytes:
    """The bytes of a record; PyTorch never compresses those that hold numbers, so nothing here can blow up."""
    if info.compress_type != zipfile.ZIP_STORED or (most is not None and info.file_size > most):
        raise ModelError(f"{archive.filename} is not as PyTorch writes its files ({info.filename})")
    return archive.read(info)


def _wanted(saved: Any, wanted: Callable[[str], str | None], path: Path) -> dict[str, _Place]:
    """The places of the tensors that are wanted, by the names that they shall have."""
    found = {ours: place for name, place in _names(saved).items() if (ours := wanted(name)) is not None}
    if sum(prod(place.shape) * place.format.itemsize for place in found.values()) > MAX_COPIES * path.stat().st_size:
        raise pickle.UnpicklingError("its tensors are larger than itself")
    return found


def _storages(places: Mapping[str, _Place]) -> dict[str, torch.dtype]:
    """The storages that have numbers of some of these tensors, each once, with their format."""
    found: dict[str, torch.dtype] = {}
    for place in places.values():
        if prod(place.shape) and found.setdefault(place.record, place.format) != place.format:
            raise pickle.UnpicklingError(f"it gives {place.record} two number formats")
    return found


def _tensor(storages: Mapping[str, Tensor], place: _Place) -> Tensor:
    if prod(place.shape) == 0:
        return torch.zeros(place.shape, dtype=place.format)
    # `as_strided` refuses what would lie outside of the storage.
    numbers = storages[place.record]
    if prod(place.shape) > len(numbers):
        raise pickle.UnpicklingError(f"{place.record} is too small for its tensor")
    return numbers.as_strided(place.shape, place.strides, place.offset).contiguous()


def _names(saved: Any) -> dict[str, _Place]:
    """The tensors of what was saved, by the names that a state dict has."""
    if isinstance(saved, Mapping) and isinstance(saved.get("state_dict"), Mapping):
        saved = saved["state_dict"]
    found: dict[str, _Place] = {}
    waiting: list[tuple[str, Any, int]] = [("", saved, 0)]
    looked_at = 0
    while waiting:
        prefix, value, depth = waiting.pop()
        inside = value.state if isinstance(value, _Inert) else value
        if not isinstance(inside, Mapping):
            continue
        looked_at += len(inside)
        if looked_at > MAX_NAMES or depth > MAX_DEPTH:
            raise pickle.UnpicklingError("it has too many parts to be a checkpoint")
        for key, each in inside.items():
            if isinstance(each, _Place):
                found[f"{prefix}{key}"] = each
            elif isinstance(each, _Inert | Mapping):
                waiting.append((f"{prefix}{key}.", each, depth + 1))
    return found


class _Sparing:
    """What a machine may read of an old file: from where the file stands, so many bytes of pickles at most."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._left = MAX_PICKLE

    def read(self, size: int) -> bytes:
        return self._count(self._file.read(min(size, self._left + 1)))

    def readline(self) -> bytes:
        return self._count(self._file.readline(self._left + 1))

    def _count(self, data: bytes) -> bytes:
        self._left -= len(data)
        if self._left < 0:
            raise pickle.UnpicklingError("it has too much besides its tensors")
        return data


def _from_old(path: Path, wanted: Callable[[str], str | None]) -> dict[str, Tensor]:
    """From a file of before PyTorch 1.6: magic number, version, machine, what was saved, the storages' names."""
    with path.open("rb") as file:
        pickles = _Sparing(file)
        if (_Machine(pickles).load(), _Machine(pickles).load()) != (_OLD_MAGIC, _OLD_PROTOCOL):
            raise pickle.UnpicklingError("it begins as no file of PyTorch's does")
        machine = _Machine(pickles).load()
        if not isinstance(machine, Mapping) or machine.get("little_endian") is not True:
            raise ModelError(f"{path} was written on a big-endian machine, which can't be read here")
        reader = _Machine(pickles)
        places = _wanted(reader.load(), wanted, path)
        names = _Machine(pickles).load()
        if not isinstance(names, list) or len(names) > MAX_NAMES:
            raise pickle.UnpicklingError("it has no list of its storages")
        storages = _old_storages(file, names, reader.formats, _storages(places).keys())
    return {name: _tensor(storages, place) for name, place in places.items()}


def _old_storages(
    file: BinaryIO, names: list[str], formats: Mapping[str, torch.dtype], needed: Collection[str]
) -> dict[str, Tensor]:
    """The storages that are needed, of all that follow in an old file, each behind the number of its elements."""
    left = os.fstat(file.fileno()).st_size - file.tell()
    found: dict[str, Tensor] = {}
    for name in names:
        count = int.from_bytes(file.read(8), "little")
        size = count * formats[name].itemsize
        left -= 8 + size
        if left < 0:
            raise pickle.UnpicklingError("it ends before its tensors do")
        if name in needed and size:
            found[name] = torch.frombuffer(bytearray(file.read(size)), dtype=formats[name])
        else:
            file.seek(size, os.SEEK_CUR)
    return found


def _brief(error: Exception) -> str:
    """The first line of an error, whose others are advice for programmers."""
    return str(error).strip().split("\n", 1)[0][:200] or type(error).__name__
