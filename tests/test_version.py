"""One version: pyproject.toml has it, and whatever tells a version tells that one."""

import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path

import text2art_nb
from text2art_nb.version import read_version

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_package_tells_the_version_of_the_project() -> None:
    assert text2art_nb.__version__ == PROJECT["version"]


def test_a_checkout_counts_more_than_metadata_of_an_older_installation(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "text2art-nb"\nversion = "9.8.7"\n')
    assert read_version(tmp_path) == "9.8.7"


def test_an_installation_tells_what_its_metadata_says(tmp_path: Path) -> None:
    assert read_version(tmp_path) == version("text2art-nb")


def test_the_project_of_another_package_is_not_taken_for_ours(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "another"\nversion = "9.8.7"\n')
    assert read_version(tmp_path) == version("text2art-nb")


def test_importing_the_package_does_not_read_the_version() -> None:
    code = "import sys, text2art_nb; sys.exit('tomllib' in sys.modules or 'importlib.metadata' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, timeout=120, check=False).returncode == 0


def test_ci_runs_every_python_that_the_project_names() -> None:
    named = {each.rsplit(" ", 1)[1] for each in PROJECT["classifiers"] if re.search(r":: 3\.\d+$", each)}
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    [matrix] = re.findall(r"python: \[(.*)\]", workflow)
    assert {each.strip().strip('"') for each in matrix.split(",")} == named == {"3.11", "3.12", "3.13", "3.14"}
    assert PROJECT["requires-python"] == ">=3.11"


def test_the_changelog_has_a_section_for_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## (\[?{re.escape(PROJECT['version'])}\]?)", text, re.MULTILINE)
