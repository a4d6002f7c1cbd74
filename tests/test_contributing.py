"""The drawer that CONTRIBUTING.md shows: its files are extracted as they stand, installed, and its own tests pass."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FILES = ["text2art_glass.py", "pyproject.toml", "test_glass.py"]
_BLOCK = re.compile(r"^`([\w.]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files of the worked example."""
    folder = tmp_path_factory.mktemp("text2art-glass")
    blocks = dict(_BLOCK.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    assert list(blocks) == FILES
    for name, text in blocks.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.mark.timeout(900)
def test_the_worked_example_is_installed_and_passes_its_tests(project: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    install = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-build-isolation", "--no-deps"]
    shutil.copytree(project, tmp_path / "glass")  # building leaves files behind
    subprocess.run([*install, "--target", str(site), str(tmp_path / "glass")], check=True, timeout=600)
    tests = shutil.copy(project / "test_glass.py", tmp_path)  # away from the module, which must come from the site
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), tests]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=800, cwd=tmp_path, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"^3 passed", done.stdout, re.MULTILINE), done.stdout


def test_the_worked_example_is_clean(project: Path) -> None:
    command = [sys.executable, "-m", "ruff", "check", "--config", str(ROOT / "pyproject.toml"), str(project)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout
