"""Where the repository is at home on GitHub: written into every place that says so, all at once.

    python text2art_nb/runtime/set_repository.py OWNER/REPO        (or: ./setup_colab.sh home OWNER/REPO)

The places are the badges of README.md and of the notebook's first cell, between ``<!-- home -->`` and
``<!-- /home -->``; the line ``HOME = ""`` of the notebook's set-up cell, which clones from there; and
``[project.urls]`` in pyproject.toml. Only the standard library is used: this may run before anything is installed.
"""

import json
import os
import re
import sys
import tomllib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
README, NOTEBOOK, PROJECT = "README.md", "text2art.ipynb", "pyproject.toml"
BADGE, CLONE = f"{NOTEBOOK}, badge", f"{NOTEBOOK}, set-up cell"

_BLOCK = re.compile(r"(<!-- home -->\s*)(.*?)(\s*<!-- /home -->)", re.DOTALL)
_BLIND = re.compile(r"^ {0,3}<!-- home -->[^\S\n]*\S", re.MULTILINE)
_ASSIGNMENT = re.compile(r'^HOME = "(.*?)"', re.MULTILINE)
_URLS = re.compile(r"^\[project\.urls\]\n(?:(?!\[).*\n)*", re.MULTILINE)
_PROJECT = re.compile(r"^\[project\]\n(?:(?!\[).*\n)*", re.MULTILINE)
_REPOSITORY = re.compile(r'^Repository = "(.*?)"$', re.MULTILINE)
_GITHUB = "https://github.com/"
_COLAB = "https://colab.research.google.com/github/"

Edit = Callable[[str], str]


class HomeError(Exception):
    """An address that can't be one, or a place for it that isn't there; its text is for the user."""


def parse(text: str) -> str:
    """``OWNER/REPO`` of that, or of a full address such as ``https://github.com/OWNER/REPO.git``.

    Raises:
        HomeError: GitHub has no such names.
    """
    bare = re.sub(r"^(?:https?://)?(?:www\.)?github\.com/", "", text.strip(), flags=re.IGNORECASE)
    parts = bare.removesuffix("/").removesuffix(".git").split("/")
    if len(parts) != 2:
        raise HomeError(f"'{text}' is not an address; give OWNER/REPO, or {_GITHUB}OWNER/REPO")
    owner, repository = parts
    if len(owner) > 39 or not re.fullmatch(r"[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*", owner):
        rule = "at most 39 letters and digits, with single hyphens between them"
        raise HomeError(f"'{owner}' can't be an owner on GitHub: {rule}")
    if repository in (".", "..") or not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", repository):
        rule = "at most 100 letters, digits, hyphens, underscores and dots"
        raise HomeError(f"'{repository}' can't be a repository on GitHub: {rule}")
    return f"{owner}/{repository}"


def badge(address: str) -> str:
    """The line of Markdown that opens the notebook of ``OWNER/REPO`` in Colab."""
    picture = "https://colab.research.google.com/assets/colab-badge.svg"
    return f"[![Open in Colab]({picture})]({_COLAB}{address}/blob/main/{NOTEBOOK})"


# --- the places -----------------------------------------------------


def places(root: Path) -> dict[str, str | None]:
    """The address that each place names, None where it names none yet.

    Raises:
        HomeError: a place isn't there.
    """
    notebook = _parse_notebook(_read(root, NOTEBOOK))
    setup = _source(_setup_cell(notebook))
    return {
        README: _in_badge(_block(_read(root, README), README)),
        BADGE: _in_badge(_block(_source(_badge_cell(notebook)), BADGE)),
        CLONE: _in_address(_ASSIGNMENT.findall(setup)[0]),
        PROJECT: _in_address(_repository(_read(root, PROJECT))),
    }


def write(root: Path, address: str) -> list[str]:
    """Writes ``OWNER/REPO`` into every place, or into none. Returns the files that had another one before.

    Raises:
        HomeError: a place isn't there.
    """
    edits: dict[str, Edit] = {
        README: lambda text: _with_badge(text, address, README),
        NOTEBOOK: lambda text: _in_notebook(text, address),
        PROJECT: lambda text: _in_project(text, address),
    }
    before = {name: _read(root, name) for name in edits}
    after = {name: edit(before[name]) for name, edit in edits.items()}
    changed = [name for name in edits if after[name] != before[name]]
    for name in changed:
        _replace(root / name, after[name])
    return changed


def _in_badge(text: str) -> str | None:
    found = re.search(re.escape(_COLAB) + r"([^/\s]+/[^/\s]+)/blob/", text)
    return found.group(1) if found else None


def _in_address(text: str) -> str | None:
    return parse(text) if text else None


def _block(text: str, place: str) -> str:
    """What is between the markers."""
    found = _BLOCK.findall(text)
    if len(found) != 1:
        raise HomeError(f"{place}: there should be <!-- home --> and <!-- /home --> once, with something between them")
    if _BLIND.search(text):
        trouble = "what follows an HTML comment at the start of a line is not read as Markdown"
        raise HomeError(f"{place}: put a line's end after <!-- home -->; {trouble}")
    return str(found[0][1])


def _with_badge(text: str, address: str, place: str) -> str:
    _block(text, place)
    return _BLOCK.sub(lambda found: found.group(1) + badge(address) + found.group(3), text)


def _in_notebook(text: str, address: str) -> str:
    """The notebook with badge and clone address, formatted as Jupyter does it, and not at all if nothing changes."""
    notebook = _parse_notebook(text)
    first, setup = _badge_cell(notebook), _setup_cell(notebook)
    edited = _with_badge(_source(first), address, BADGE)
    assigned = _ASSIGNMENT.sub(lambda _: f'HOME = "{_GITHUB}{address}"', _source(setup))
    if (edited, assigned) == (_source(first), _source(setup)):
        return text
    _set_source(first, edited)
    _set_source(setup, assigned)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def _in_project(text: str, address: str) -> str:
    """pyproject.toml with the address under ``[project.urls]``; other addresses there stay."""
    line = f'Repository = "{_GITHUB}{address}"'
    urls = _URLS.search(text)
    if urls:
        table = urls.group()
        heading, rest = table.split("\n", 1)
        table = _REPOSITORY.sub(lambda _: line, table) if _REPOSITORY.search(table) else f"{heading}\n{line}\n{rest}"
        edited = text[: urls.start()] + table + text[urls.end() :]
    else:
        project = _PROJECT.search(text)
        if not project:
            raise HomeError(f"{PROJECT} has no [project]")
        edited = f"{project.group().rstrip()}\n\n[project.urls]\n{line}\n\n"
        edited = text[: project.start()] + edited + text[project.end() :].lstrip("\n")
    if _repository(edited) != f"{_GITHUB}{address}":
        raise HomeError(f"{PROJECT}: its [project.urls] is written in a way that this program doesn't know")
    return edited


def _repository(text: str) -> str:
    """The address in pyproject.toml, "" if there is none."""
    try:
        return str(tomllib.loads(text)["project"].get("urls", {}).get("Repository", ""))
    except tomllib.TOMLDecodeError as error:
        raise HomeError(f"{PROJECT} is written in a way that this program doesn't know: {error}") from error


# --- the notebook ---------------------------------------------------


def _parse_notebook(text: str) -> dict[str, Any]:
    try:
        notebook = json.loads(text)
    except ValueError as error:
        raise HomeError(f"{NOTEBOOK} is not a notebook: {error}") from error
    if not isinstance(notebook, dict) or not notebook.get("cells"):
        raise HomeError(f"{NOTEBOOK} is not a notebook: it has no cells")
    return notebook


def _badge_cell(notebook: dict[str, Any]) -> dict[str, Any]:
    """The first cell."""
    first: dict[str, Any] = notebook["cells"][0]
    if first["cell_type"] != "markdown":
        raise HomeError(f"{NOTEBOOK}: the first cell should be Markdown, with the badge in it")
    return first


def _setup_cell(notebook: dict[str, Any]) -> dict[str, Any]:
    """The code cell with the line HOME = "…"."""
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    found: list[dict[str, Any]] = [cell for cell in code for _ in _ASSIGNMENT.findall(_source(cell))]
    if len(found) != 1:
        raise HomeError(f'{CLONE}: a line HOME = "" should be there once')
    return found[0]


def _source(cell: dict[str, Any]) -> str:
    """A cell's text; the format has it whole or in lines."""
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _set_source(cell: dict[str, Any], text: str) -> None:
    cell["source"] = text if isinstance(cell["source"], str) else text.splitlines(keepends=True)


# --- files ----------------------------------------------------------


def _read(root: Path, name: str) -> str:
    try:
        return (root / name).read_text(encoding="utf-8")
    except OSError as error:
        raise HomeError(f"{name} can't be read: {error.strerror or error}") from error


def _replace(path: Path, text: str) -> None:
    """Writes a file so that it is there whole or not at all, with the rights that it had."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    part.write_text(text, encoding="utf-8", newline="\n")
    part.chmod(path.stat().st_mode)
    part.replace(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the address that is given, and says where. Returns the exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if len(given) != 1:
            raise HomeError("give the repository's public address: ./setup_colab.sh home OWNER/REPO")
        address = parse(given[0])
        changed = write(ROOT, address)
    except HomeError as error:
        print(f"text2art: {error}", file=sys.stderr)
        return 1
    if changed:
        print(f"text2art: {_GITHUB}{address} is now in {', '.join(changed)}; commit and push them")
    else:
        print(f"text2art: {_GITHUB}{address} is there already")
    return 0


if __name__ == "__main__":
    sys.exit(main())
