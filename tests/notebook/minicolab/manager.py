"""Bundles the widget manager from the npm packages that Colab's is made of, once for each state of its sources."""

import hashlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pytest
from filelock import FileLock

from tests.notebook.environments import ROOT

HERE: Final = Path(__file__).parent
SOURCES: Final = HERE / "manager"
_PACKAGES: Final = ("package.json", "package-lock.json", ".npmrc")
_NPM: Final = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


class BuildError(Exception):
    """npm or esbuild failed; what they said is in the message."""


def built() -> Path:
    """The folder with `manager.js`, and the packages that it is made from in `node_modules`.

    It is made in `.minicolab` (T2A_MINICOLAB says otherwise), and again when packages or sources change. Where node
    or npm is missing, or npm reaches no registry, the test is skipped; on CI, where nobody would notice, it fails.
    """
    if lacking := [each for each in ("node", "npm") if shutil.which(each) is None]:
        _give_up(f"no {' and no '.join(lacking)} here; on Debian or Ubuntu: sudo apt-get install nodejs npm")
    top = Path(os.environ.get("T2A_MINICOLAB") or ROOT / ".minicolab").absolute()
    top.mkdir(parents=True, exist_ok=True)
    (top / ".gitignore").write_text("*\n", encoding="utf-8")
    with FileLock(top / "lock"):
        folder = top / _digest([HERE / name for name in _PACKAGES])
        if not (folder / "complete").exists():
            _install(folder)
        bundle = folder / _digest([HERE / "build.js", *sorted(SOURCES.iterdir())])
        if not (bundle / "manager.js").exists():
            _bundle(folder, bundle)
    return bundle


def packages(bundle: Path) -> Path:
    """Where the npm packages are that `bundle` was made from."""
    return bundle.parent / "node_modules"


def _install(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name in _PACKAGES:
        shutil.copy(HERE / name, folder)
    try:
        _run(_NPM, folder)
    except BuildError as error:
        _give_up(f"npm could not install the widget manager's packages: {error}")
    (folder / "complete").touch()


def _bundle(folder: Path, bundle: Path) -> None:
    shutil.copy(HERE / "build.js", folder)  # it finds the packages beside itself
    new = bundle.with_suffix(".new")
    shutil.rmtree(new, ignore_errors=True)
    _run(("node", "build.js", str(SOURCES), str(new / "manager.js")), folder)
    new.rename(bundle)


def _run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise BuildError((done.stdout + done.stderr)[-2000:])


def _digest(files: Sequence[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def _give_up(reason: str) -> None:
    words = f"the mini Colab can't be made: {reason}"
    pytest.fail(words) if os.environ.get("CI") else pytest.skip(words)
