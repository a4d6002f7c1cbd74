"""Optional packages that serving needs, and how to install them."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

REQUIRED: Final = ("dbos", "fastapi", "uvicorn", "limits", "sqlalchemy")
RECOMMENDED: Final = (*REQUIRED, "gradio", "apprise")
"""Adds the web page and mail."""


def install_hint(extra: str) -> str:
    """Return the command that installs an extra of this package, editable so that no stale copy remains."""
    return f"{sys.executable} -m pip install -c constraints.txt -e '.[{extra}]' in text2art's folder"


def missing_modules(modules: Sequence[str]) -> list[str]:
    """Return those modules that are not installed."""
    return [name for name in modules if find_spec(name) is None]
