"""The version of the package. pyproject.toml alone has it; an installation keeps it in its metadata."""

import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Final

_NAME: Final = "text2art-nb"
_UNKNOWN: Final = "0+unknown"


def read_version(root: Path) -> str:
    """Read the version of a checkout, or of the installation where `root` is none.

    root: the folder that has the package in it. A checkout is read first, since the metadata of ``pip install -e``
    may be older, and since on Colab nothing is installed. "0+unknown": there is neither.
    """
    project = root / "pyproject.toml"
    if project.is_file():
        table = tomllib.loads(project.read_text(encoding="utf-8")).get("project", {})
        if table.get("name") == _NAME:
            return str(table["version"])
    try:
        return version(_NAME)
    except PackageNotFoundError:
        return _UNKNOWN


__version__: Final = read_version(Path(__file__).parents[1])
