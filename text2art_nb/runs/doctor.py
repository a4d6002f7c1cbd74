"""What this machine has for drawing, what is broken, and how to mend it: ``python -m text2art_nb doctor``."""

import importlib.metadata
import os
import platform
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from text2art_nb import models
from text2art_nb.errors import ModelError
from text2art_nb.models import embedded
from text2art_nb.models.listing import IN_PACKAGE, in_words
from text2art_nb.runtime import bootstrap, openmp

PYTHON = (3, 11)
MEMORY_NEEDED = 2e9  # bytes; with less, torch, the models and the system are likely to push each other out
DISK_NEEDED = 1e9  # bytes in the cache: one real model


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at.

    Attributes:
        name: what was looked at.
        found: what is there, in a few words.
        ok: False if drawing will fail, or go badly, because of it.
        mend: what to do about it, "" where nothing need be done.
    """

    name: str
    found: str
    ok: bool = True
    mend: str = ""


def report() -> list[Check]:
    """Looks at everything, in the order in which it is needed. No server is asked; takes as long as importing torch."""
    looks: tuple[Callable[[], Iterable[Check]], ...] = (
        _python,
        _packages,
        _device,
        _helpers,
        _memory,
        _disk,
        _embedded,
        _fetched,
        _ffmpeg,
        _sqlite,
    )
    return [check for look in looks for check in look()]


def is_well(checks: Iterable[Check]) -> bool:
    """True if nothing is broken."""
    return all(check.ok for check in checks)


def text(checks: list[Check]) -> str:
    """The report for people: one line each, what is broken marked and followed by how to mend it."""
    width = max(len(check.name) for check in checks)
    lines: list[str] = []
    for check in checks:
        lines.append(f"{'ok ' if check.ok else 'BAD'}  {check.name.ljust(width)}  {check.found}")
        if check.mend:
            lines.append(f"{' ' * (width + 7)}-> {check.mend}")
    broken = [check.name for check in checks if not check.ok]
    return "\n".join([*lines, "", f"broken: {', '.join(broken)}" if broken else "all is well"])


def main() -> int:
    """Prints the report; returns the exit status: 0 if all is well, 1 if something is broken."""
    checks = report()
    print(text(checks))
    return 0 if is_well(checks) else 1


def _python() -> Iterable[Check]:
    ok = sys.version_info >= PYTHON
    mend = "" if ok else f"text2art needs Python {PYTHON[0]}.{PYTHON[1]} or newer"
    yield Check("python", f"{platform.python_version()} on {platform.platform(terse=True)}", ok, mend)


def needed() -> list[bootstrap.Requirement]:
    """The direct dependencies: of the installed package, else of the requirements.txt beside it."""
    try:
        lines = importlib.metadata.requires(bootstrap.PACKAGE) or []
    except importlib.metadata.PackageNotFoundError:
        return bootstrap.wanted(bootstrap.ROOT)
    return [found for line in lines if "extra ==" not in line and (found := bootstrap.parse(line))]


def _packages() -> Iterable[Check]:
    return package_checks(needed(), bootstrap.installed())


def package_checks(requirements: Iterable[bootstrap.Requirement], have: dict[str, str]) -> list[Check]:
    """One check for each package that is needed, given the versions that are installed."""
    checks = []
    for one in requirements:
        version = have.get(one.name)
        ok = version is not None and bootstrap.release(version) >= bootstrap.release(one.bound)
        mend = "" if ok else f"{one} is needed: ./setup_colab.sh, or pip install '{one}'"
        checks.append(Check(one.name, version or "missing", ok, mend))
    return checks


def _device() -> Iterable[Check]:
    try:
        import torch

        from text2art_nb.runtime.devices import pick_device
    except (ImportError, OSError) as error:  # OSError: a library of the system's that torch wants is missing
        yield Check("device", f"torch does not import: {error}", False, "install torch anew: ./setup_colab.sh")
        return
    device = pick_device()
    found = f"{device.type}, {torch.get_num_threads()} threads on {os.cpu_count()} cores"
    mend = ""
    if device.type == "cuda":
        free, total = torch.cuda.mem_get_info()
        found = f"cuda, {torch.cuda.get_device_name()}, {in_words(free)} of {in_words(total)} free"
    elif shutil.which("nvidia-smi"):
        mend = (
            f"this torch ({torch.__version__}) cannot use the NVIDIA card: install a build with CUDA from pytorch.org"
        )
    yield Check("device", found, mend=mend)


def _helpers() -> Iterable[Check]:
    try:
        import torch

        spin = openmp.helpers_spin()
    except (ImportError, OSError):  # `_device` says so
        return
    if torch.get_num_threads() > 1:
        yield helper_check(spin, {name: os.environ[name] for name in openmp.WAITING if name in os.environ})


def helper_check(spin: bool, asked: dict[str, str]) -> Check:
    """How torch's helper threads wait, given what the environment asks for."""
    if not spin:
        return Check("helper threads", "sleep while they wait")
    slow = "they make a picture many times slower while other programs compute"
    passive = asked in ({}, {"OMP_WAIT_POLICY": "PASSIVE"})
    if passive:
        mend = "torch was loaded before text2art: restart, and import text2art_nb first or set OMP_WAIT_POLICY=PASSIVE"
    else:
        mend = f"your environment's {' and '.join(asked)} asks for that: unset it, or set OMP_WAIT_POLICY=PASSIVE"
    return Check("helper threads", "spin while they wait", mend=f"{slow}; {mend}")


def _memory() -> Iterable[Check]:
    free = available_memory()
    if free is None:
        yield Check("memory", "not known on this system")
        return
    ok = free >= MEMORY_NEEDED
    mend = "" if ok else "close other programs, or draw smaller: --quality draft"
    yield Check("memory", f"{in_words(free)} free", ok, mend)


def available_memory(proc: Path = Path("/proc/meminfo")) -> int | None:
    """Bytes that a program can still have without swapping; None where the system doesn't say."""
    try:
        for line in proc.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except OSError:  # not a Linux
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return None


def _disk() -> Iterable[Check]:
    try:
        root = models.cache_root()
    except ModelError as error:
        yield Check("disk", str(error), False, "set TEXT2ART_CACHE to a folder that can be written")
        return
    # os.path, for pathlib raises where a folder on the way can't be entered.
    place = next(folder for folder in (root, *root.parents) if os.path.exists(folder))
    free = shutil.disk_usage(place).free
    writable = os.access(place, os.W_OK)
    mend = ""
    if not writable:
        mend = f"{place} cannot be written: set TEXT2ART_CACHE to a folder that can"
    elif free < DISK_NEEDED:
        mend = "most real models won't fit: make room, or set TEXT2ART_CACHE to a folder on another disk"
    yield Check("disk", f"{in_words(free)} free for weights in {root}", writable, mend)


def _embedded() -> Iterable[Check]:
    return embedded_checks(embedded.WEIGHTS)


def embedded_checks(weights: Path) -> list[Check]:
    """Whether the embedded models are there and as they were shipped."""
    mend = "check text2art out again, or reinstall it"
    kinds = [kind for kind in embedded.KINDS if (weights / kind / "config.json").is_file()]
    absent = [kind for kind in ("clip", "clip2", "vqgan") if kind not in kinds]  # the judge only measures
    if absent:
        return [Check("embedded models", f"{', '.join(absent)} missing from {weights}", False, mend)]
    differences = embedded.differences(weights)
    if differences:
        return [Check("embedded models", "; ".join(differences), False, mend)]
    size = sum(path.stat().st_size for path in weights.rglob("*") if path.is_file())
    return [Check("embedded models", f"{', '.join(kinds)}; {in_words(size)}, as shipped")]


def _fetched() -> Iterable[Check]:
    try:
        rows = [row for row in models.rows() if row["on_disk"] and row["source"] != IN_PACKAGE]
    except ModelError:  # of the folder that they would be in, which `_disk` complains about
        return
    for row in rows:
        whole = row["ready"]
        mend = "" if whole else "begun, not whole: the next use goes on from there"
        yield Check(f"{row['kind']} {row['name']}", f"{in_words(row['on_disk'])} in {row['directory']}", mend=mend)
    if not rows:
        yield Check("fetched models", "none; real ones are fetched when first used")


def _ffmpeg() -> Iterable[Check]:
    mend = "install imageio-ffmpeg (it brings one), or set IMAGEIO_FFMPEG_EXE"
    try:
        import imageio_ffmpeg

        program = imageio_ffmpeg.get_ffmpeg_exe()
        said = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=20, check=True).stdout
    except (ImportError, RuntimeError, OSError, subprocess.SubprocessError) as error:
        yield Check("ffmpeg", f"no video can be written: {error}", False, mend)
        return
    yield Check("ffmpeg", " ".join(said.split()[:3]))


def _sqlite() -> Iterable[Check]:
    yield Check("sqlite", sqlite3.sqlite_version)


if __name__ == "__main__":
    sys.exit(main())
