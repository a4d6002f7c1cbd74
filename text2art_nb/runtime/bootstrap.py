"""What ``setup_colab.sh`` needs of Python: which packages are wanted, which are there, and how the rest gets in.

Only the standard library is used, and nothing of text2art_nb, for this runs before anything is installed. There are two
ways in:

* ``install_in_venv``: into the ``.venv`` beside the script, with the exact versions of ``constraints.txt``;
* ``install_in_place``: into a Python that belongs to somebody else (Colab's, or any kernel's). Whatever is there keeps
  its version: pip is bound to every single one of them, and what it did is compared afterwards.
"""

import argparse
import hashlib
import importlib
import importlib.metadata
import importlib.util
import itertools
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO

PACKAGE = "text2art-nb"
ROOT = Path(__file__).resolve().parents[2]
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
STAMP = "text2art-setup.json"
AS_ROOT = "--root-user-action=ignore"
"""In Colab everybody is root, and pip would warn of that, in red, at the end of every first set-up."""
OTHER_WAYS = "  ./setup_colab.sh lab opens the notebook with a Python of its own"
PINS_HEAD = """\
# The versions that CI ran with, used everywhere but in Colab. Written by: python text2art_nb/runtime/bootstrap.py pins
"""

# pip's arguments -> its exit status and its last words
Pip = Callable[[Sequence[str]], tuple[int, str]]


class SetupError(Exception):
    """Setting up cannot go on; its text is for the user."""


class Requirement(NamedTuple):
    """One line such as ``numpy>=2.1``: ``bound`` is the lowest version that will do ("" = any).

    ``rest``: what else stands behind, for pip: a version that will not do any more, the system that it is for.
    """

    name: str
    bound: str
    rest: str = ""

    def __str__(self) -> str:
        return (f"{self.name}>={self.bound}" if self.bound else self.name) + self.rest


def normal(name: str) -> str:
    """The one spelling of a package's name (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def release(version: str) -> tuple[int, ...]:
    """``2.11.0+cu128`` -> ``(2, 11)``: enough to compare with a lower bound. Trailing zeros don't count."""
    found = re.match(r"\d+(?:\.\d+)*", version)
    numbers = [int(part) for part in found.group().split(".")] if found else []
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def parse(line: str) -> Requirement | None:
    """Reads a line of requirements.txt; None for a blank one or a comment.

    Raises:
        SetupError: anything but a name with a lower bound, and an upper one and a system behind it, if any: no other
            kind is used in this project.
    """
    text = line.split("#")[0].strip()
    if not text:
        return None
    found = re.fullmatch(r"([A-Za-z0-9][\w.-]*)\s*(?:>=\s*([\w.]+)((?:,<[\d.]+)?(?:; sys_platform == '\w+')?))?", text)
    if not found:
        raise SetupError(f"'{text}' is not a requirement of the form name>=version")
    return Requirement(normal(found.group(1)), found.group(2) or "", found.group(3) or "")


def all_extras(root: Path) -> dict[str, list[str]]:
    """The extras in pyproject.toml and what they want."""
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras: dict[str, list[str]] = project["optional-dependencies"]
    return extras


def wanted(root: Path, extras: Iterable[str] = ()) -> list[Requirement]:
    """The direct dependencies in requirements.txt, and those of the named extras in pyproject.toml."""
    lines = (root / "requirements.txt").read_text(encoding="utf-8").splitlines()
    for extra in extras:
        lines += all_extras(root)[extra]
    return [requirement for requirement in map(parse, lines) if requirement]


def installed(path: list[str] | None = None) -> dict[str, str]:
    """Every installed package and its version; the first on the path wins, as for the interpreter itself.

    Args:
        path: folders to look in, None for ``sys.path``.
    """
    importlib.invalidate_caches()
    found: dict[str, str] = {}
    for one in importlib.metadata.distributions(path=sys.path if path is None else path):
        name, version = one.metadata["Name"], one.metadata["Version"]
        if name and version:  # a torn folder has neither
            found.setdefault(normal(name), version)
    return found


def missing(requirements: Iterable[Requirement], have: Mapping[str, str]) -> list[Requirement]:
    """Those that are not there at all."""
    return [requirement for requirement in requirements if requirement.name not in have]


def too_old(requirements: Iterable[Requirement], have: Mapping[str, str]) -> list[Requirement]:
    """Those that are there, in a version below the bound."""
    return [
        requirement
        for requirement in requirements
        if requirement.name in have and release(have[requirement.name]) < release(requirement.bound)
    ]


def pins(root: Path, path: list[str] | None = None) -> str:
    """constraints.txt: the versions, here and now, of all that the requirements and extras lead to.

    Local parts such as ``+cpu`` are left out, so that the pins hold for other builds of the same version.
    """
    here = installed(path)
    waiting = [requirement.name for requirement in wanted(root, all_extras(root))]
    reached: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name in reached or name not in here:
            continue
        reached[name] = here[name].split("+")[0]
        [one, *_] = importlib.metadata.distributions(name=name, path=sys.path if path is None else path)
        for line in one.requires or []:
            dependency = re.match(r"[A-Za-z0-9][\w.-]*", line)
            if dependency and "extra ==" not in line:
                waiting.append(normal(dependency.group()))
    return PINS_HEAD + "".join(f"{name}=={version}\n" for name, version in sorted(reached.items()))


# --- pip ------------------------------------------------------------


def run_pip(arguments: Sequence[str]) -> tuple[int, str]:
    """Runs this Python's pip, showing what is fetched and what goes wrong; all it says is in a log for the curious."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    said: list[str] = []
    with (
        open_log(Path(sys.prefix if sys.prefix != sys.base_prefix else tempfile.gettempdir())) as file,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            said.append(line.strip())
            shown = noteworthy(line.strip())
            if shown:
                print(f"  {shown}", flush=True)
    return process.returncode, "\n".join(said)


def open_log(folder: Path) -> TextIO:
    """The log in a folder, to be added to; where it is somebody else's, or can't be written, one that keeps nothing."""
    try:
        return (folder / "text2art-setup.log").open("a", encoding="utf-8")
    except OSError:  # the folder may be one that all users share; setting up matters more than its log
        return open(os.devnull, "a", encoding="utf-8")


def noteworthy(line: str) -> str:
    """The part of a line of pip's that is worth showing, "" for most."""
    fetched = re.match(r"(?:Downloading|Processing) (?:\S*/)?(\S+?\.whl)(?:\.metadata)?(?: \((.+)\))?$", line)
    if fetched:
        large = fetched.group(2) is None or "MB" in fetched.group(2) or "GB" in fetched.group(2)
        return f"{fetched.group(1)} {fetched.group(2) or ''}".rstrip() if large else ""
    if line.startswith("Installing collected packages:"):
        return f"installing {line.count(',') + 1} packages"
    return line if line.startswith(("WARNING", "ERROR")) else ""


def why_pip_failed(said: str) -> str:
    """The lines in which pip names the conflict, else its last few; for a Python without a way in, what else to do."""
    if "externally-managed-environment" in said:
        return "  this Python belongs to the operating system, which lets nobody else add to it\n" + OTHER_WAYS
    if re.search(r"No module named '?pip", said):
        return f"  {sys.executable} has no pip; {sys.executable} -m ensurepip may bring it\n" + OTHER_WAYS
    lines = [line for line in said.splitlines() if line]
    for start, line in enumerate(lines):
        if "conflict is caused by" in line:
            return "\n".join(itertools.takewhile(lambda text: not text.startswith("To fix"), lines[start + 1 :]))
    errors = [line for line in lines if line.startswith("ERROR")]
    return "\n".join(errors or lines[-5:])


def cpu_torch_index(pip: Pip, pin: str) -> list[str]:
    """Where a Linux without an NVIDIA card finds the small build of torch, as arguments for pip; [] for pip's own way.

    The usual index has only builds with several GB of CUDA there. A wheel that pip's settings point to comes first.
    """
    if sys.platform != "linux" or shutil.which("nvidia-smi"):
        return []
    status, _ = pip(["install", "-q", AS_ROOT, "--dry-run", "--no-index", "--no-deps", pin])
    if status == 0:
        return []
    try:
        with urllib.request.urlopen(f"{CPU_INDEX}/torch/", timeout=5):
            return ["--extra-index-url", CPU_INDEX]
    except (urllib.error.URLError, OSError):
        print("  the index of CPU builds of torch does not answer: taking the usual one (some GB more)", flush=True)
        return []


def install_package(root: Path, pip: Pip) -> None:
    """Makes ``import text2art_nb`` find this folder, from wherever it is called.

    Raises:
        SetupError: pip could not.
    """
    # torch brings a setuptools that is new enough nearly everywhere: then there is no need to fetch one just to build.
    isolated = [] if release(installed().get("setuptools", "0")) < (77,) else ["--no-build-isolation"]
    status, said = pip(["install", "-q", AS_ROOT, "--no-deps", *isolated, "-e", str(root)])
    if status:
        raise SetupError(f"text2art itself could not be installed:\n{why_pip_failed(said)}")


# --- the two ways in ------------------------------------------------


def fingerprint(root: Path) -> str:
    """Changes when what is to be installed does, or the Python, or the place of this folder."""
    digest = hashlib.sha256(f"{sys.version} {root}".encode())
    for name in ("requirements.txt", "constraints.txt", "pyproject.toml"):
        digest.update((root / name).read_bytes())
    return digest.hexdigest()


def extras_there(root: Path, prefix: Path) -> set[str] | None:
    """The extras that this environment was set up with for what is wanted now; None: it has to be set up anew."""
    try:
        stamp = json.loads((prefix / STAMP).read_text(encoding="utf-8"))
        return set(stamp["extras"]) if stamp["fingerprint"] == fingerprint(root) else None
    except (OSError, ValueError, KeyError, TypeError):  # none yet, or torn by a kill
        return None


def is_ready(root: Path, extras: Iterable[str], prefix: Path) -> bool:
    """True where the last setting-up of this environment covers what is wanted now: nothing need be looked at."""
    there = extras_there(root, prefix)
    return there is not None and set(extras) <= there


def install_in_venv(root: Path, extras: Sequence[str], prefix: Path, pip: Pip = run_pip) -> None:
    """Brings the environment at ``prefix`` (this Python's own) to the versions of constraints.txt.

    Extras add up: one that was asked for before stays, so that verbs with different extras can be used in turn.

    Raises:
        SetupError: pip failed; its reason is in the text.
    """
    if is_ready(root, extras, prefix):
        return
    extras = sorted({*extras, *(extras_there(root, prefix) or ())})
    constraints = root / "constraints.txt"
    requirements = wanted(root, extras)
    source: list[str] = []
    pin = next(line for line in constraints.read_text(encoding="utf-8").splitlines() if line.startswith("torch=="))
    if installed().get("torch", "").partition("+")[0] != pin.removeprefix("torch==").strip():
        print("text2art: installing into .venv; torch is the big one, so this takes some minutes", flush=True)
        source = cpu_torch_index(pip, pin)
    status, said = pip(["install", *source, AS_ROOT, "-c", str(constraints), *map(str, requirements)])
    if status:
        raise SetupError(f"the packages could not be installed:\n{why_pip_failed(said)}")
    install_package(root, pip)
    new = prefix / f"{STAMP}.new"
    new.write_text(json.dumps({"fingerprint": fingerprint(root), "extras": extras}), encoding="utf-8")
    new.replace(prefix / STAMP)


def is_our_venv(root: Path, prefix: Path) -> bool:
    """True for the Python of the ``.venv`` beside the script, the only one in which versions may be changed."""
    return prefix.resolve() == (root / ".venv").resolve()


def is_this_package(root: Path) -> bool:
    """True where ``text2art-nb`` is installed as this very folder."""
    try:
        origin = importlib.metadata.distribution(PACKAGE).read_text("direct_url.json") or "{}"
    except importlib.metadata.PackageNotFoundError:
        return False
    return bool(json.loads(origin).get("url") == root.as_uri())


def install_in_place(
    root: Path,
    extras: Sequence[str],
    pip: Pip = run_pip,
    path: list[str] | None = None,
    take_over: bool = True,
) -> None:
    """Adds what is missing to a Python that is not ours, and nothing else.

    Args:
        path: where the packages lie, None for ``sys.path``.
        take_over: whether ``import text2art_nb`` shall find this folder even where it has found another one so far.

    Raises:
        SetupError: something that is there would have to change, or has changed, or pip failed. The text names it.
    """
    requirements, before = wanted(root, extras), installed(path)
    old = too_old(requirements, before)
    if old:
        conflicts = "\n".join(f"  {one} is needed, {one.name} {before[one.name]} is installed" for one in old)
        raise SetupError(f"this Python's packages would have to change, so nothing was done:\n{conflicts}")
    lacking = missing(requirements, before)
    if lacking:
        print(f"text2art: adding {', '.join(one.name for one in lacking)}; all that is here stays as it is", flush=True)
        add(lacking, before, pip)
    if not is_this_package(root) and (take_over or PACKAGE not in before):
        install_package(root, pip)
    changes = changed(before, installed(path))
    if changes:
        raise SetupError("setting up has changed packages that it must not touch:\n" + "\n".join(changes))


def add(lacking: Sequence[Requirement], have: Mapping[str, str], pip: Pip) -> None:
    """Installs some packages while every one that is here is bound to its version.

    Raises:
        SetupError: not possible without changing one of those, or pip failed otherwise.
    """
    torch = [str(one) for one in lacking if one.name == "torch"]
    source = cpu_torch_index(pip, torch[0]) if torch else []
    with tempfile.TemporaryDirectory() as folder:
        bounds = Path(folder) / "installed.txt"
        bounds.write_text("".join(f"{name}=={version}\n" for name, version in have.items()), encoding="utf-8")
        status, said = pip(["install", *source, AS_ROOT, "-c", str(bounds), *map(str, lacking)])
    if status:
        names = ", ".join(map(str, lacking))
        raise SetupError(f"{names} cannot be added beside what is installed here:\n{why_pip_failed(said)}")


def changed(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """One line for each package whose version is not what it was. New ones, and the package itself, are no matter."""
    return [
        f"  {name} {version} became {after.get(name, 'nothing')}; put it back with: pip install {name}=={version}"
        for name, version in before.items()
        if name != PACKAGE and after.get(name) != version
    ]


def in_colab() -> bool:
    """True in Google Colab's Python, or one that pretends to be."""
    if os.environ.get("COLAB_RELEASE_TAG") or "google.colab" in sys.modules:
        return True
    return importlib.util.find_spec("google") is not None and importlib.util.find_spec("google.colab") is not None


def main(arguments: Sequence[str] | None = None) -> int:
    """``in-colab`` (exit status 0 = yes), ``setup [--extras dev,train]``, ``kernel``, ``pins`` (constraints.txt).

    ``kernel`` sets up for the notebook alone, which finds this folder by itself: another text2art may stay installed.
    """
    parser = argparse.ArgumentParser(prog="bootstrap.py", description=main.__doc__)
    parser.add_argument("verb", choices=["in-colab", "setup", "kernel", "pins"])
    parser.add_argument("--extras", default="", help="extras of pyproject.toml, with commas between them")
    options = parser.parse_args(arguments)
    extras = [extra for extra in options.extras.split(",") if extra]
    try:
        if options.verb == "in-colab":
            return 0 if in_colab() else 1
        if options.verb == "pins":
            print(pins(ROOT), end="")
        elif is_our_venv(ROOT, Path(sys.prefix)):
            install_in_venv(ROOT, extras, Path(sys.prefix))
        else:
            install_in_place(ROOT, extras, take_over=options.verb != "kernel")
    except SetupError as error:
        print(f"text2art: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
