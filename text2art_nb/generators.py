"""Deprecated name of `text2art_nb.drawers.generator_file`."""

import warnings
from typing import Any

from text2art_nb.drawers import generator_file

warnings.warn(
    "text2art_nb.generators is called text2art_nb.drawers.generator_file now", DeprecationWarning, stacklevel=2
)


def __getattr__(name: str) -> Any:
    return getattr(generator_file, name)


def __dir__() -> list[str]:
    return dir(generator_file)
