"""Where the repository is at home is said in several places, and all of them say the same."""

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from text2art_nb.runtime import set_repository
from text2art_nb.runtime.set_repository import HomeError, places, write

ROOT = Path(__file__).resolve().parents[2]
URL = "https://github.com/some-body/art_1.0"
BADGE = (
    "[![Open in Colab](https://colab.research.google.com/assets/colab-badge.svg)]"
    "(https://colab.research.google.com/github/some-body/art_1.0/blob/main/text2art.ipynb)"
)
SETUP = [
    '#@title 1 - Set up { display-mode: "form" }\n',
    'HOME = ""  # where to clone from; written by ./setup_colab.sh home\n',
    'print("äöü", HOME)',
]


def store(root: Path, notebook: object) -> None:
    (root / "text2art.ipynb").write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with the places, that has no home yet."""
    root = tmp_path / "project"
    root.mkdir()
    (root / "README.md").write_text("# Art\n\n<!-- home -->\nNo address yet.\n<!-- /home -->\n\nMore – and more.\n")
    (root / "pyproject.toml").write_text(
        '[project]\nname = "art"\nkeywords = [\n    "a",\n]\n\n[project.scripts]\nart = "art:main"\n'
    )
    badge = ["# Art\n", "\n", "**Draw.** <!-- home -->No address yet.<!-- /home -->\n", "More – and more."]
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": badge},
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": SETUP},
        {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": 'print("HOME")'},
    ]
    store(root, {"cells": cells, "metadata": {"accelerator": "GPU"}, "nbformat": 4, "nbformat_minor": 5})
    return root


def notebook_of(root: Path) -> list[dict[str, object]]:
    cells: list[dict[str, object]] = json.loads((root / "text2art.ipynb").read_text())["cells"]
    return cells


def test_without_a_home_every_place_says_so(project: Path) -> None:
    assert set(places(project).values()) == {None}
    assert len(places(project)) == 4


def test_the_address_is_written_in_every_place(project: Path) -> None:
    write(project, "some-body/art_1.0")
    assert (project / "README.md").read_text() == (
        f"# Art\n\n<!-- home -->\n{BADGE}\n<!-- /home -->\n\nMore – and more.\n"
    )
    badge, setup, other = (cell["source"] for cell in notebook_of(project))
    assert badge == ["# Art\n", "\n", f"**Draw.** <!-- home -->{BADGE}<!-- /home -->\n", "More – and more."]
    assert setup == [SETUP[0], SETUP[1].replace('""', f'"{URL}"'), SETUP[2]]
    assert other == 'print("HOME")'
    assert tomllib.loads((project / "pyproject.toml").read_text())["project"] == {
        "name": "art",
        "keywords": ["a"],
        "urls": {"Repository": URL},
        "scripts": {"art": "art:main"},
    }
    assert set(places(project).values()) == {"some-body/art_1.0"}


def test_written_again_nothing_changes(project: Path) -> None:
    assert write(project, "some-body/art_1.0") == ["README.md", "text2art.ipynb", "pyproject.toml"]
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in project.iterdir()}
    assert write(project, "some-body/art_1.0") == []
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in project.iterdir()} == before


def test_another_address_takes_the_place_of_the_first(project: Path) -> None:
    write(project, "other/thing")
    write(project, "some-body/art_1.0")
    there = {path.name: path.read_bytes() for path in project.iterdir()}
    assert set(places(project).values()) == {"some-body/art_1.0"}
    assert not any(b"other" in content for name, content in there.items() if name != "text2art.ipynb")
    assert b"other/thing" not in there["text2art.ipynb"]


def test_the_notebook_keeps_its_format(project: Path) -> None:
    before = (project / "text2art.ipynb").read_text()
    write(project, "some-body/art_1.0")
    after = (project / "text2art.ipynb").read_text()
    assert len(before.splitlines()) == len(after.splitlines())
    assert after.endswith("}\n")
    assert "äöü" in after
    differing = [pair for pair in zip(before.splitlines(), after.splitlines(), strict=True) if pair[0] != pair[1]]
    assert len(differing) == 2


def test_other_addresses_of_the_project_stay(project: Path) -> None:
    with (project / "pyproject.toml").open("a") as file:
        file.write('\n[project.urls]\nDocumentation = "https://docs.example"\n\n[tool.x]\ny = 1\n')
    for address in ("other/thing", "some-body/art_1.0"):
        write(project, address)
    text = (project / "pyproject.toml").read_text()
    assert tomllib.loads(text)["project"]["urls"] == {"Repository": URL, "Documentation": "https://docs.example"}
    assert tomllib.loads(text)["tool"] == {"x": {"y": 1}}
    assert text.count("[project.urls]") == 1


def test_the_files_keep_their_rights(project: Path) -> None:
    (project / "README.md").chmod(0o664)
    write(project, "some-body/art_1.0")
    assert (project / "README.md").stat().st_mode & 0o777 == 0o664
    assert sorted(path.name for path in project.iterdir()) == ["README.md", "pyproject.toml", "text2art.ipynb"]


# --- addresses


@pytest.mark.parametrize(
    "text",
    [
        "some-body/art_1.0",
        "https://github.com/some-body/art_1.0",
        "https://github.com/some-body/art_1.0.git",
        "https://github.com/some-body/art_1.0/",
        "HTTPS://GitHub.com/some-body/art_1.0",
        "http://www.github.com/some-body/art_1.0",
        "github.com/some-body/art_1.0",
        " some-body/art_1.0 ",
    ],
)
def test_an_address_may_be_written_in_full(text: str) -> None:
    assert set_repository.parse(text) == "some-body/art_1.0"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not an address"),
        ("art", "is not an address"),
        ("a/b/c", "is not an address"),
        ("https://gitlab.com/a/b", "is not an address"),
        ("/art", "can't be an owner"),
        ("-a/art", "can't be an owner"),
        ("a-/art", "can't be an owner"),
        ("a--b/art", "can't be an owner"),
        ("a_b/art", "can't be an owner"),
        ("a" * 40 + "/art", "can't be an owner"),
        ("ä/art", "can't be an owner"),
        ("a\n/art", "can't be an owner"),
        ("a/", "is not an address"),
        ("a/..", "can't be a repository"),
        ("a/.git", "can't be a repository"),
        ('a/b"c', "can't be a repository"),
        ("a/b c", "can't be a repository"),
        ("a/b)", "can't be a repository"),
        ("a/" + "b" * 101, "can't be a repository"),
    ],
)
def test_what_github_can_not_have_is_refused_in_a_sentence(project: Path, text: str, said: str) -> None:
    with pytest.raises(HomeError, match=said):
        set_repository.parse(text)


# --- places that aren't there


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        ("README.md", "<!-- /home -->", "", r"README\.md: there should be <!-- home -->"),
        ("README.md", "More", "<!-- home -->\nx\n<!-- /home -->", r"README\.md: there should be"),
        ("README.md", "<!-- home -->\n", "<!-- home --> ", "not read as Markdown"),
        ("text2art.ipynb", "<!-- home -->", "", r"text2art\.ipynb, badge: there should be"),
        ("text2art.ipynb", "HOME = ", "HOUSE = ", 'a line HOME = "" should be there once'),
        ("text2art.ipynb", '"print(\\"HOME\\")"', '"HOME = \\"\\""', 'a line HOME = "" should be there once'),
        ("text2art.ipynb", '"markdown"', '"raw"', "the first cell should be Markdown"),
        ("text2art.ipynb", '"cells": [', '"cells": ', "is not a notebook"),
        ("pyproject.toml", "[project]", "[ project ]", r"pyproject\.toml has no \[project\]"),
        ("pyproject.toml", "[project.scripts]", "[project.urls] # ours\nx = 'y'\n[project.scripts]", "a way that"),
    ],
)
def test_where_one_place_is_missing_none_is_written(project: Path, file: str, old: str, new: str, said: str) -> None:
    text = (project / file).read_text()
    assert old in text
    (project / file).write_text(text.replace(old, new, 1))
    before = {path: path.read_bytes() for path in project.iterdir()}
    with pytest.raises(HomeError, match=said):
        write(project, "some-body/art_1.0")
    assert {path: path.read_bytes() for path in project.iterdir()} == before


@pytest.mark.parametrize("file", ["README.md", "text2art.ipynb", "pyproject.toml"])
def test_a_file_that_is_missing_is_named(project: Path, file: str) -> None:
    (project / file).unlink()
    with pytest.raises(HomeError, match=f"{file} can't be read"):
        write(project, "some-body/art_1.0")
    with pytest.raises(HomeError, match=f"{file} can't be read"):
        places(project)


# --- the real thing


def test_all_places_of_this_repository_name_the_same_address() -> None:
    named = places(ROOT)
    assert len(set(named.values())) == 1, named


def run_in_a_copy(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs ``setup_colab.sh home …`` in a copy of what it touches, with a Python that has nothing installed."""
    copy = tmp_path / "copy"
    for name in (
        "README.md",
        "text2art.ipynb",
        "pyproject.toml",
        "setup_colab.sh",
        "text2art_nb/runtime/set_repository.py",
    ):
        if not (copy / name).exists():
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    bare = tmp_path / "bare" / "python3"
    bare.parent.mkdir(exist_ok=True)
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    bare.chmod(0o755)
    return subprocess.run(
        [copy / "setup_colab.sh", "home", *arguments],
        env={"PATH": "/usr/bin:/bin", "PYTHON": str(bare)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_script_gives_this_repository_a_home(tmp_path: Path) -> None:
    done = run_in_a_copy(tmp_path, f"{URL}.git")
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{URL} is now in README.md, text2art.ipynb, pyproject.toml" in done.stdout
    assert set(places(tmp_path / "copy").values()) == {"some-body/art_1.0"}
    again = run_in_a_copy(tmp_path, "some-body/art_1.0")
    assert (again.returncode, again.stderr) == (0, "")
    assert "there already" in again.stdout


@pytest.mark.parametrize("arguments", [[], ["a/b", "c"], ["a b/c"]])
def test_the_script_refuses_what_is_no_address(tmp_path: Path, arguments: list[str]) -> None:
    done = run_in_a_copy(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("text2art: ")
    assert "Traceback" not in done.stderr
    assert (tmp_path / "copy" / "README.md").read_bytes() == (ROOT / "README.md").read_bytes()
