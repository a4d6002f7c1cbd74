"""What `pip install text2art-nb` brings: built from a clean copy, checked, and drawn with in an empty environment."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(1800), pytest.mark.xdist_group("wheel")]


def run(*command: str | Path, cwd: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, timeout=1500, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the sdist, and the wheel that was built from it, of what git knows and nothing else."""
    source = tmp_path_factory.mktemp("source")
    listed = run("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT).split("\0")
    for name in filter(None, listed):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, source / name)
    run(sys.executable, "-m", "build", "--no-isolation", cwd=source)
    return source / "dist"


@pytest.fixture(scope="module")
def wheel(built: Path) -> Path:
    [path] = built.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


@pytest.fixture(scope="module")
def empty(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel alone in it; what it needs is read from the environment of the tests, behind it."""
    folder = tmp_path_factory.mktemp("empty")
    run(sys.executable, "-m", "venv", "--without-pip", folder, cwd=folder)
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", str(python)]
    run(*pip, "install", "-q", "--no-index", "--no-deps", str(wheel), cwd=folder)
    paths = run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=folder).strip()
    # A path in a .pth file is searched last, and .pth files in it, such as that of `pip install -e`, are not read.
    (Path(paths) / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder


def test_twine_finds_nothing_to_complain_of(built: Path) -> None:
    pytest.importorskip("twine", reason="needs the extra dev")
    files = [str(path) for path in built.iterdir()]
    assert {Path(name).suffix for name in files} == {".whl", ".gz"}
    run(sys.executable, "-m", "twine", "check", "--strict", *files, cwd=built)


def test_the_wheel_has_the_version_and_the_name_of_the_project(wheel: Path) -> None:
    version = PROJECT["version"]
    assert wheel.name == f"text2art_nb-{version}-py3-none-any.whl"


def test_the_wheel_holds_every_file_that_a_user_needs(names: set[str]) -> None:
    tracked = run("git", "ls-files", "text2art_nb", cwd=ROOT).split()
    needed = {name for name in tracked if PurePosixPath(name).name != "figures.json"}  # the training program's notes
    assert needed - names == set()
    assert any(name.endswith("SHA256SUMS") for name in names)
    assert any(name.endswith("tokenizer.json") for name in names)


def test_the_wheel_holds_nothing_else(names: set[str]) -> None:
    assert {name.split("/")[0] for name in names} == {"text2art_nb", f"text2art_nb-{PROJECT['version']}.dist-info"}
    assert not {name for name in names if re.search(r"\.pyc$|/tests?/|\.ipynb$|/figures\.json$", name)}


def test_the_wheel_has_no_data_of_the_training_program(names: set[str]) -> None:
    data = {name for name in names if name.startswith("text2art_nb/training/") and not name.endswith(".py")}
    assert data == set()


def test_the_wheel_fits_on_pypi(wheel: Path) -> None:
    assert wheel.stat().st_size < 60_000_000  # PyPI takes 100 MB


def test_it_draws_in_an_empty_environment(empty: Path, tmp_path: Path) -> None:
    python = empty / "bin" / "python"
    where = run(python, "-c", "import text2art_nb; print(text2art_nb.__file__)", cwd=tmp_path).strip()
    assert Path(where).is_relative_to(empty)
    text2art = empty / "bin" / "text2art"
    assert run(text2art, "--version", cwd=tmp_path).split()[-1] == PROJECT["version"]
    home = os.environ | {"HOME": str(tmp_path), "TEXT2ART_OFFLINE": "1"}
    options = "--size 64x64 --iterations 3 --seed 1 --out castle.png".split()
    run(text2art, "draw", "a red castle", *options, cwd=tmp_path, env=home)
    code = "from text2art_nb import Artwork; print(Artwork.open('castle.png').image.size)"
    assert run(python, "-c", code, cwd=tmp_path).strip() == "(64, 64)"


def test_the_panel_finds_its_page_in_the_wheel(empty: Path, tmp_path: Path) -> None:
    code = (
        "from text2art_nb import Studio; s = Studio(model='embedded'); s.panel(prompt='a red castle'); print('shown')"
    )
    assert run(empty / "bin" / "python", "-c", code, cwd=tmp_path).strip().endswith("shown")
