"""The two environments in which the notebook must work: current Jupyter, and Colab as far as its pins tell of it.

`python -m tests.notebook.environments` makes both and prints their Pythons.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from text2art_nb.runtime.bootstrap import AS_ROOT, cpu_torch_index

ROOT = Path(__file__).resolve().parents[2]
NAMES = ("jupyter", "colab")

_STUB = Path(__file__).parent / "colab_stub"
_STAMP = "text2art-recipe"
_LOCK = "text2art-lock"
_TORCH = "torch==2.13.0"  # Colab has 2.11; of this one a CPU build lies on CI's disk, and pip finds it there

# What stock Colab had (image of 2026-08), and what the tests need. All of it resolves as it stands on Python 3.11.
_REQUIREMENTS = (
    "anywidget==0.9.21",
    "diffusers==0.39.*",
    "huggingface_hub==1.27.*",
    "imageio-ffmpeg==0.6.*",
    "imageio==2.37.*",
    "ipykernel==6.17.1",
    "ipython==7.34.0",
    "ipywidgets==7.7.1",
    "jupyter_client==7.4.9",
    "nbval>=0.11",
    "notebook==6.5.7",
    "numpy==2.1.3",
    "pillow==11.3.*",
    "pydantic==2.13.*",
    "pytest>=8.3",
    "pyzmq==26.2.1",
    "safetensors==0.8.*",
    "tornado==6.5.7",
    "tqdm==4.67.*",
    "traitlets==5.7.1",
    "transformers==5.15.*",
    _TORCH,
)

# Colab imports it before the first cell. A line in a .pth file, as Debian's Python has a sitecustomize of its own.
_IMPORT_STUB = "import google.colab\n"


@dataclass(frozen=True)
class Environment:
    """A Python with Jupyter in it. env: all environment variables for what runs there, PATH first of all."""

    name: str
    python: Path
    env: dict[str, str]

    @property
    def folder(self) -> Path:
        """The virtual environment's folder."""
        return self.python.parent.parent


def get(name: str) -> Environment:
    """The environment of that name, made if need be."""
    return {"jupyter": jupyter, "colab": colab}[name]()


def jupyter() -> Environment:
    """Current Jupyter: the environment that runs the tests."""
    return _environment("jupyter", Path(sys.prefix))


def colab() -> Environment:
    """A simulated Colab, without text2art, which the notebook has to bring.

    It is made once, in `.venv-colab` (T2A_COLAB_VENV says otherwise), and again when what it is made of changes.
    """
    folder = Path(os.environ.get("T2A_COLAB_VENV") or ROOT / ".venv-colab").absolute()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / ".gitignore").write_text("*\n", encoding="utf-8")
    made = _environment("colab", folder)
    with FileLock(folder / _LOCK):
        if not _is_made(folder):
            _clear(folder)
            _make(made)
            _write_whole(folder / _STAMP, _recipe())
    return made


def twin(environment: Environment, folder: Path) -> Environment:
    """A copy of `environment` in `folder`, without text2art, to install into without harm to the original.

    Files are shared as hard links: pip replaces files, it doesn't write into them. Programs are copied, for their first
    line names the Python that they belong to.
    """
    left_out = shutil.ignore_patterns("text2art-*", "*text2art_nb*")
    shutil.copytree(environment.folder, folder, symlinks=True, copy_function=_link, ignore=left_out)
    for program in (folder / "bin").iterdir():
        if not program.is_symlink():
            mode, content = program.stat().st_mode, program.read_bytes()
            program.unlink()
            program.write_bytes(content.replace(os.fsencode(environment.folder), os.fsencode(folder)))
            program.chmod(mode)
    return _environment(environment.name, folder)


def versions(environment: Environment) -> dict[str, str]:
    """Every installed package and its version, as a fresh Python there sees them.

    -P: a clone that was installed with pip install -e has text2art_nb.egg-info in it, and it may be the folder of now.
    """
    program = (
        "import importlib.metadata as m, json\n"
        "names = {each.metadata['Name'] for each in m.distributions()}\n"
        "print(json.dumps({name: m.version(name) for name in names}))\n"
    )
    command = [str(environment.python), "-P", "-c", program]
    found: dict[str, str] = json.loads(
        subprocess.run(command, env=environment.env, check=True, capture_output=True).stdout
    )
    return found


def _environment(name: str, folder: Path) -> Environment:
    """The virtual environment in `folder`, whose variables owe nothing to the shell that the tests were called from."""
    foreign = ("PYTHONPATH", "PYTHONHOME", "PYTEST_", "T2A_", "JUPYTER_", "IPYTHON")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    own = {
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
        "VIRTUAL_ENV": str(folder),
        "OMP_NUM_THREADS": "1",  # several kernels run at once, on two cores
        # Compile what is imported, not all that is installed: half of the time goes there. (To pip, 0 means "don't".)
        "PIP_NO_COMPILE": "0",
        "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # else a kernel begins with the debugger's warnings
    }
    return Environment(name, folder / "bin" / "python", {**kept, **own})


def _recipe() -> str:
    """Changes when what the simulated Colab is made of does."""
    digest = hashlib.sha256(f"{sys.version} {_REQUIREMENTS} {_IMPORT_STUB}".encode())
    for file in sorted(_STUB.rglob("*.py")):
        digest.update(f"{file.relative_to(_STUB)}\n".encode() + file.read_bytes())
    return digest.hexdigest()


def _is_made(folder: Path) -> bool:
    stamp = folder / _STAMP
    return stamp.exists() and stamp.read_text(encoding="utf-8") == _recipe() and (folder / "bin" / "python").exists()


def _clear(folder: Path) -> None:
    """Remove what a kill or an older recipe left, but not the lock, which is held."""
    (folder / _STAMP).unlink(missing_ok=True)
    for each in folder.iterdir():
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        elif each.name not in (_LOCK, ".gitignore"):
            each.unlink()


def _make(environment: Environment) -> None:
    _run([sys.executable, "-m", "venv", str(environment.folder)], environment.env)

    def pip(arguments: Sequence[str]) -> tuple[int, str]:
        command = [str(environment.python), "-m", "pip", *arguments]
        done = subprocess.run(command, env=environment.env, capture_output=True, text=True)
        return done.returncode, done.stdout + done.stderr

    source = cpu_torch_index(pip, _TORCH)
    status, said = pip(["install", "-q", AS_ROOT, *source, *_REQUIREMENTS])
    if status:
        raise RuntimeError(f"the simulated Colab could not be made:\n{said}")
    site = Path(
        _run([environment.python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], environment.env)
    )
    shutil.copytree(_STUB, site, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (site / "google_colab_stub.pth").write_text(_IMPORT_STUB, encoding="utf-8")


def _run(command: Sequence[str | Path], env: dict[str, str]) -> str:
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{command} failed:\n{done.stdout}{done.stderr}")
    return done.stdout.strip()


def _write_whole(path: Path, text: str) -> None:
    """Write a file so that a kill leaves the old one or the new one."""
    new = path.with_name(f"{path.name}.new")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


def _link(source: str, target: str) -> None:
    """A hard link, or a copy where the two are not on one disk."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)


if __name__ == "__main__":
    for each in NAMES:
        print(each, get(each).python)
