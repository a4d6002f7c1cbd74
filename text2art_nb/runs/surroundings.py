"""What a self-check says of the machine before anything is fetched: versions, device, memory, folders."""

import importlib.metadata
import os
import platform
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import torch

from text2art_nb import models
from text2art_nb.errors import ModelError
from text2art_nb.models.listing import in_words
from text2art_nb.runs import doctor
from text2art_nb.runtime import bootstrap, cards, devices, filesystems
from text2art_nb.runtime.report import Finding
from text2art_nb.version import __version__

PACKAGES: Final = (
    "torch",
    "transformers",
    "diffusers",
    "huggingface_hub",
    "safetensors",
    "tokenizers",
    "numpy",
    "pillow",
    "pydantic",
    "imageio",
    "ipython",
    "ipykernel",
    "ipywidgets",
    "anywidget",
)
"""Whose versions are told."""


def versions() -> Finding:
    """Versions of text2art, Python and `PACKAGES`; and where all this runs, as far as it says so."""
    found = {"text2art": f"{__version__}{_commit()}", "python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "none"
    where = platform.platform(terse=True)
    if colab := os.environ.get("COLAB_RELEASE_TAG"):
        where += f", Colab {colab}"
    text = ", ".join(f"{name} {version}" for name, version in found.items())
    return Finding("versions", f"{text}; {where}", data={"packages": found, "platform": where})


def usual_checks() -> Finding:
    """What `text2art doctor` finds without real models: only what is broken is told."""
    checks = doctor.report()
    broken = [f"{check.name}: {check.found}; {check.mend}" for check in checks if not check.ok]
    data = {"checks": [asdict(check) for check in checks]}
    if broken:
        return Finding("doctor", "; ".join(broken), "BAD", data)
    return Finding("doctor", f"{len(checks)} checks without real models, all well", data=data)


def _commit() -> str:
    """The commit of the clone that this package is in, in brackets; "" where it is in none."""
    if not (bootstrap.ROOT / ".git").exists():
        return ""
    command = ["git", "-C", str(bootstrap.ROOT), "rev-parse", "--short=12", "HEAD"]
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""
    return f" ({said})"


def device(chosen: torch.device) -> Finding:
    """What computes, in which precision, and how much memory is free."""
    dtype = str(devices.pick_precision("auto", chosen)).removeprefix("torch.")
    data: dict[str, Any] = {"device": chosen.type, "dtype": dtype, "free_bytes": free_bytes(chosen)}
    if chosen.type == "cuda":
        free, total = torch.cuda.mem_get_info(chosen)
        major, minor = torch.cuda.get_device_capability(chosen)
        name = torch.cuda.get_device_name(chosen)
        data |= {"card": name, "capability": f"{major}.{minor}", "cuda": torch.version.cuda, "total_bytes": total}
        where = f"{name} (capability {major}.{minor}, CUDA {torch.version.cuda})"
        text = f"{where}, {in_words(free)} of {in_words(total)} free"
    else:
        free = data["free_bytes"]
        text = f"{chosen.type}, {torch.get_num_threads()} threads on {os.cpu_count()} cores"
        text += f", {in_words(free)} of memory free" if free is not None else ""
        data["threads"] = torch.get_num_threads()
    quality = quality_for(chosen)
    return Finding("device", f"{text}; {quality} quality, CLIPs in {dtype}", data={**data, "quality": quality})


def free_bytes(chosen: torch.device) -> int | None:
    """Memory that is free where `chosen` computes; None where the system doesn't say."""
    if chosen.type == "cuda":
        return int(torch.cuda.mem_get_info(chosen)[0])
    return doctor.available_memory()


def quality_for(chosen: torch.device) -> str:
    """The quality whose models are looked at: on CUDA what the notebook draws in on that card, elsewhere `normal`."""
    if chosen.type != "cuda":
        return "normal"
    free, _ = torch.cuda.mem_get_info(chosen)
    return cards.choose(torch.cuda.get_device_name(chosen), free).quality or cards.QUALITIES[0]


def folders(pictures: Path) -> Iterator[Finding]:
    """Whether files can be written and read where text2art keeps weights and pictures, and where temporary ones go.

    pictures: the folder of pictures, whether it is there already or not.
    """
    try:
        yield _folder("folder of weights", models.cache_root())
    except ModelError as error:
        yield Finding("folder of weights", str(error), "BAD")
    yield _folder("folder of pictures", pictures)
    yield _folder("temporary folder", Path(tempfile.gettempdir()))


def _folder(name: str, folder: Path) -> Finding:
    began = time.monotonic()
    # os.path, for pathlib raises where a mount is dead.
    place = next(each for each in (folder.absolute(), *folder.absolute().parents) if os.path.isdir(each))
    mount = filesystems.mount_of(place)
    data: Mapping[str, Any] = {"path": str(folder), "type": mount.type, "remote": mount.is_remote}
    try:
        with tempfile.TemporaryFile(dir=place) as file:
            file.write(b"text2art")
            file.seek(0)
            if file.read() != b"text2art":
                return Finding(name, f"{folder} gives back other bytes than were written", "BAD", data)
        free = shutil.disk_usage(place).free
    except OSError as error:
        return Finding(name, f"{folder} does not answer: {error.strerror or error}", "BAD", data)
    kind = f"{mount.type or 'unknown'}, {'remote' if mount.is_remote else 'local'}"
    text = f"{folder} answers ({kind}; {in_words(free)} free)"
    return Finding(name, text, data={**data, "free_bytes": free}, seconds=time.monotonic() - began)
