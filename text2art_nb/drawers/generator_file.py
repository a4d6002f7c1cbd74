"""Generators that the user brings, or that an installed package offers: found, looked at, loaded.

A file is either TorchScript (`torch.jit.save`) or an exported program (`torch.export.save`); which one is seen from
what is in it. Both hold a program: load only files that you would run. Pickles, which an exported program may carry
along, are refused unless they hold tensors alone. A package offers a generator as an entry point of the group
`text2art.generators`: a function `(device) -> (module, LatentSpec)`.
"""

import difflib
import functools
import io
import json
import os
import pickle
import zipfile
from dataclasses import dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final, cast

import torch
from torch import nn

from text2art_nb.errors import ModelError

GROUP: Final = "text2art.generators"


@dataclass(frozen=True)
class LatentSpec:
    """What a generator takes and gives.

    Attributes:
        shape: of a latent, without the batch; None where the file doesn't say.
        reach: each number of a latent stays within ±reach (truncation).
        low, high: what black and white are in its pictures.
    """

    shape: tuple[int, ...] | None
    reach: float = 2.0
    low: float = -1.0
    high: float = 1.0


Generator = tuple[nn.Module, LatentSpec]


def names() -> list[str]:
    """The generators that installed packages offer."""
    return sorted({entry.name for entry in entry_points(group=GROUP)})


def load(name: str, device: torch.device) -> Generator:
    """The frozen generator of an installed package, or of a file, on `device`: from [B,*shape] to [B,1 or 3,H,W].

    Raises ModelError where there is none, or a file holds something else.
    """
    for entry in entry_points(group=GROUP, name=name):
        module, spec = cast(Generator, entry.load()(device))
        return _frozen(module), spec
    path = Path(os.path.expanduser(name))  # Path.expanduser raises where there is no home
    if not path.is_file():
        near = difflib.get_close_matches(name, names(), 1)
        there = f"did you mean '{near[0]}'?" if near else f"installed: {', '.join(names()) or 'none'}"
        raise ModelError(f"there is no generator '{name}', neither a file nor an installed one; {there}")
    return _read(path, path.stat().st_mtime_ns, device)


@functools.lru_cache(maxsize=2)
def _read(path: Path, _written: int, device: torch.device) -> Generator:
    """_written: when; a file that was saved anew is read anew."""
    kind = _kind(path)
    if kind == "export":
        _refuse_pickles(path)
    try:
        return _read_export(path, device) if kind == "export" else _read_script(path, device)
    except ModelError:
        raise
    except Exception as error:  # torch's readers raise whatever they stumble over
        first = str(error).strip().splitlines()[0:1]
        raise ModelError(f"{path} holds no generator that torch can load: {''.join(first)}") from error


def _kind(path: Path) -> str:
    """By what is in the file: "export" or "script"."""
    files: list[str] = []
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            files = [name.partition("/")[2] for name in archive.namelist()]
    if "archive_format" in files:
        return "export"
    if "constants.pkl" in files:
        return "script"
    why = "it holds weights without a program" if "data.pkl" in files else "it is neither of them"
    raise ModelError(f"{path} must be saved by torch.jit.save or torch.export.save; {why}")


def _refuse_pickles(path: Path) -> None:
    """Raises ModelError for an exported program that carries anything that torch would unpickle and run."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.endswith(".pt") and archive.getinfo(name).file_size and not _tensors_alone(archive.read(name)):
                raise ModelError(f"{path} carries a program of another kind ({name}); export the bare generator")
            if name.endswith("_config.json") and not _raw(archive.read(name)):
                raise ModelError(f"{path} carries pickled objects ({name}); export the bare generator")


def _tensors_alone(content: bytes) -> bool:
    try:
        torch.load(io.BytesIO(content), weights_only=True)
    except pickle.UnpicklingError:
        return False
    return True


def _raw(content: bytes) -> bool:
    """Whether all tensors that an archive's list names are plain bytes."""
    try:
        listed = json.loads(content)["config"].values()
        return all(
            not each["use_pickle"] and Path(each["path_name"]).name.startswith(("weight_", "tensor_"))
            for each in listed
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _read_script(path: Path, device: torch.device) -> Generator:
    module = cast(nn.Module, torch.jit.load(path, map_location=device))
    return _frozen(module.eval()), LatentSpec(None)


def _read_export(path: Path, device: torch.device) -> Generator:
    from torch.export.passes import move_to_device_pass

    program = move_to_device_pass(torch.export.load(path), device)
    inputs = program.graph_signature.user_inputs
    if len(inputs) != 1:
        raise ModelError(f"{path} must take one tensor, the latents; it takes {len(inputs)} things")
    (latent,) = [node for node in program.graph.nodes if node.name == inputs[0]]
    sides = latent.meta["val"].shape[1:]
    shape = tuple(int(side) for side in sides) if all(isinstance(side, int) for side in sides) else None
    # An exported module knows no eval(): what it does was settled when it was exported.
    return _frozen(program.module()), LatentSpec(shape or None)


def _frozen(module: nn.Module) -> nn.Module:
    for parameter in module.parameters():  # TorchScript's modules have no requires_grad_
        parameter.requires_grad_(False)
    return module
