"""The packages that sharing needs, and how to add them."""

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Final

NEEDED: Final = ("dbos", "fastapi", "uvicorn", "limits", "sqlalchemy")
WANTED: Final = (*NEEDED, "gradio", "apprise")
"""With these there is a web page, too, and mail."""


def how_to_add(extra: str) -> str:
    """What to type for an extra of this package: with -e, or a copy that grows old takes the folder's place."""
    return f"{sys.executable} -m pip install -c constraints.txt -e '.[{extra}]' in text2art's folder"


def lacking(modules: Sequence[str]) -> list[str]:
    """Those that this Python doesn't have."""
    return [name for name in modules if find_spec(name) is None]
