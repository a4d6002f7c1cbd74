"""What ``setup_colab.sh --with-pixray`` does: pixray beside text2art, in an environment of its own.

Only the standard library is used, and nothing of text2art_nb, for this runs as a script, like ``bootstrap.py``. All of
it lies in one folder, ``.pixray`` beside ``.venv`` (``PIXRAY_HOME`` says otherwise): the sources of pixray and of what
it needs, each at a pinned commit, and ``venv`` with the versions that it works with. Nothing is installed into the
Python that runs this; its torch is read by the new environment, not copied, as it takes gigabytes.

``PIXRAY_SOURCES`` names a folder of clones for a machine that doesn't reach GitHub: ``OWNER+NAME/repo``, ``NAME``, or
``NAME.git`` in it.
"""

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).resolve().parents[3]
STAMP: Final = "installed.json"
CPU_INDEX: Final = "https://download.pytorch.org/whl/cpu"


class Source(NamedTuple):
    """A repository on GitHub, the commit that is taken, and where it goes in the folder."""

    repository: str
    commit: str
    folder: str


SOURCES: Final = (
    Source("pixray/pixray", "37b03cfc03903d13f19226e6e3732ecca79f0c9d", "pixray"),
    Source("facebookresearch/SLIP", "c6faf5d03cbfa7d529d210779f859cd3dddec09a", "pixray/SLIP"),
    Source("pixray/v-diffusion-pytorch", "118031bbc2439df4547f856d0ca09c21a13997ce", "pixray/v-diffusion-pytorch"),
    Source("bfirsh/taming-transformers", "7a6e64ee", "taming-transformers"),
    Source("pvigier/perlin-numpy", "6f077f8", "perlin-numpy"),
    Source("pixray/aphantasia", "7e6b3bb4519e498f97670c957ba55588f7aa95e7", "aphantasia"),
    Source("openai/CLIP", "d05afc436d78f1c48dc0dbf8e5980a9d471f35f6", "CLIP"),
)
"""pixray's last state, its two submodules as it pins them, and what its requirements.txt takes from GitHub."""

PACKAGES: Final = (
    "braceexpand==0.1.7",
    "colorthief==0.2.1",
    "einops>=0.8",
    "ftfy>=6.3",
    "imageio>=2.37",
    "lpips==0.1.4",
    "matplotlib>=3.10",
    "omegaconf==2.3.0",
    "opencv-python-headless>=4.10",
    "packaging",
    "pandas>=2.2",
    "pytorch-lightning==2.5.2",
    "pytorch-wavelets==1.3.0",
    "PyWavelets>=1.6",
    "regex",
    "scikit-image>=0.24",
    "scikit-learn>=1.5",
    "setuptools<81",
    "torch-optimizer==0.3.0",
    "torchvision",
)
"""What pixray imports, in versions that work with a torch of today."""

ALONE: Final = ("kornia==0.6.2", "timm==0.6.13", "resmem==1.1.6")
"""The same, without what they ask for: their bounds are of 2022."""


AS_ROOT: Final = "--root-user-action=ignore"
"""As in `bootstrap`, which can't be imported here: this runs as a script."""


class InstallError(Exception):
    """pixray can't be installed; its text is for the user."""


def home() -> Path:
    """Where pixray is, or goes."""
    given = os.environ.get("PIXRAY_HOME")
    return Path(os.path.expanduser(given)).resolve() if given else ROOT / ".pixray"


def fingerprint() -> str:
    """Changes when what is to be installed does, or the Python, or the torch that is read."""
    parts = [sys.version, *map(str, SOURCES), *PACKAGES, *ALONE, importlib.metadata.version("torch")]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def is_installed(place: Path) -> bool:
    """Whether all of it is at `place`, as it is wanted now."""
    try:
        return bool(json.loads((place / STAMP).read_text(encoding="utf-8"))["fingerprint"] == fingerprint())
    except (OSError, ValueError, KeyError, TypeError):  # none yet, or torn by a kill
        return False


def install(place: Path) -> None:
    """Bring pixray to `place`, which takes some minutes; at once where it is there already.

    Raises:
        InstallError: a repository or a package can't be had.
    """
    if importlib.util.find_spec("torch") is None:
        raise InstallError("text2art has to be set up first: ./setup_colab.sh")
    if is_installed(place):
        return
    (place / STAMP).unlink(missing_ok=True)
    for source in SOURCES:
        take(source, place / source.folder)
    make_environment(place)
    add_packages(place / "venv" / "bin" / "python")
    check(place)
    new = place / f"{STAMP}.new"
    new.write_text(json.dumps({"fingerprint": fingerprint(), "commit": SOURCES[0].commit}), encoding="utf-8")
    new.replace(place / STAMP)


# --- sources --------------------------------------------------------


def origin(source: Source) -> str:
    """Where a repository is cloned from: a folder of PIXRAY_SOURCES, else GitHub."""
    mirrors = os.environ.get("PIXRAY_SOURCES")
    if not mirrors:
        return f"https://github.com/{source.repository}.git"
    owner, name = source.repository.split("/")
    places = [Path(mirrors, f"{owner}+{name}", "repo"), Path(mirrors, name), Path(mirrors, f"{name}.git")]
    for each in places:
        if each.is_dir():
            return str(each)
    looked = ", ".join(each.name if each.name != "repo" else f"{owner}+{name}/repo" for each in places)
    raise InstallError(f"PIXRAY_SOURCES={mirrors} has no clone of {source.repository}: none of {looked}")


def take(source: Source, folder: Path) -> None:
    """Check out a repository at its commit, as a clone of its own in `folder`."""
    if is_at(folder, source.commit):
        return
    print(f"  {source.repository} at {source.commit[:8]}", flush=True)
    where = origin(source)
    if folder.joinpath(".git").exists():
        shutil.rmtree(folder)
    elif folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()  # the empty place of a submodule
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = folder.with_name(f"{folder.name}.new")
    if new.exists():
        shutil.rmtree(new)
    git("clone", "-q", "--no-checkout", where, str(new), about=source.repository)
    git("-C", str(new), "checkout", "-q", "--detach", source.commit, about=source.repository)
    new.replace(folder)  # in one step, so that a clone without its files is never taken for whole


def is_at(folder: Path, commit: str) -> bool:
    """Whether `folder` is a clone that stands at `commit`, whole."""
    if not (folder / ".git").exists():
        return False
    ran = subprocess.run(["git", "-C", str(folder), "rev-parse", "HEAD"], capture_output=True, text=True)
    return ran.returncode == 0 and ran.stdout.strip().startswith(commit)


def git(*arguments: str, about: str) -> None:
    """Run git, which may not ask for passwords.

    Raises:
        InstallError: what git said.
    """
    environment = {**os.environ, "GIT_TERMINAL_PROMPT": "0"}
    ran = subprocess.run(["git", *arguments], capture_output=True, text=True, env=environment)
    if ran.returncode:
        said = (ran.stderr.strip().splitlines() or ["git said nothing"])[-1]
        raise InstallError(f"{about} can't be cloned: {said} (PIXRAY_SOURCES can name a folder of clones)")


# --- the environment ------------------------------------------------


def make_environment(place: Path) -> None:
    """An empty environment that finds the sources, and behind all of its own the packages of this Python."""
    if not is_of_this_python(place / "venv" / "bin" / "python"):
        print(f"text2art: making {place / 'venv'} for pixray", flush=True)
        subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--clear", str(place / "venv")], check=True)
    [packages] = (place / "venv").glob("lib/python*/site-packages")
    torch = importlib.util.find_spec("torch")
    assert torch is not None
    assert torch.origin is not None
    own = [str(place / source.folder) for source in SOURCES if "/" not in source.folder and source.folder != "pixray"]
    shared = Path(torch.origin).parent.parent
    (packages / "text2art-sources.pth").write_text("".join(f"{each}\n" for each in own), encoding="utf-8")
    (packages / "text2art-torch.pth").write_text(f"{shared}\n", encoding="utf-8")


def is_of_this_python(python: Path) -> bool:
    """Whether an environment's Python works, and is of the version that runs this."""
    try:
        ran = subprocess.run([python, "-c", "import sys; print(sys.version)"], capture_output=True, text=True)
    except OSError:
        return False
    return ran.stdout.strip() == sys.version.strip()


def add_packages(python: Path) -> None:
    """Install what pixray imports. The torch that is read stays: pip is bound to its version."""
    version = importlib.metadata.version("torch")
    pin = python.parent.parent / "torch.txt"
    pin.write_text(f"torch=={version.split('+')[0]}\n", encoding="utf-8")
    index = ["--extra-index-url", CPU_INDEX] if version.endswith("+cpu") and answers(CPU_INDEX) else []
    print("  installing its packages: this takes some minutes", flush=True)
    run_pip(python, ["install", *index, AS_ROOT, "-c", str(pin), *PACKAGES])
    run_pip(python, ["install", AS_ROOT, "--no-deps", *ALONE])


def answers(index: str) -> bool:
    """Whether a package index can be reached."""
    try:
        with urllib.request.urlopen(f"{index}/torchvision/", timeout=5):
            return True
    except (urllib.error.URLError, OSError):
        return False


def run_pip(python: Path, arguments: Sequence[str]) -> None:
    """Run this Python's pip for another one; what it says is in a log beside that.

    Raises:
        InstallError: pip failed.
    """
    log = python.parent.parent / "install.log"
    command = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", *arguments]
    ran = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    with log.open("a", encoding="utf-8") as file:
        file.write(ran.stdout)
    if ran.returncode:
        said = [line for line in ran.stdout.splitlines() if line.startswith("ERROR")] or ran.stdout.splitlines()[-3:]
        raise InstallError(f"pixray's packages can't be installed: {' '.join(said)} (more in {log})")


def check(place: Path) -> None:
    """Import pixray once, in its own environment, so that what is missing is known now and not at the first picture."""
    child = Path(__file__).with_name("child.py")
    command = [str(place / "venv" / "bin" / "python"), "-P", str(child), "check", str(place / "pixray")]
    ran = subprocess.run(command, cwd=place / "pixray", capture_output=True, text=True)
    if ran.returncode:
        log = place / "venv" / "install.log"
        with log.open("a", encoding="utf-8") as file:
            file.write(ran.stdout + ran.stderr)
        last = (ran.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise InstallError(f"pixray is here, but can't be imported: {last} (more in {log})")
    print(f"  pixray works; {ran.stdout.strip().splitlines()[-1]}", flush=True)


def main() -> int:
    """Install, and say so; the exit status is 1 where that didn't work."""
    place = home()
    try:
        install(place)
    except (InstallError, OSError, subprocess.CalledProcessError) as error:
        print(f"text2art: {error}", file=sys.stderr)
        return 1
    print(f'text2art: pixray is in {place}. Draw with: text2art draw "a castle" --set engine=pixray')
    return 0


if __name__ == "__main__":
    sys.exit(main())
