"""A sentence becomes a picture while you watch.

>>> from text2art_nb import draw
>>> draw("an underwater city").save("city.png")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from text2art_nb.runtime.openmp import wait_passively

if TYPE_CHECKING:
    from text2art_nb.artifacts.artwork import Artwork
    from text2art_nb.errors import Text2ArtError
    from text2art_nb.runs.comparison import Comparison, compare
    from text2art_nb.runs.drawing import draw
    from text2art_nb.runs.frame import Frame
    from text2art_nb.runs.run import Run
    from text2art_nb.settings import Settings
    from text2art_nb.studio import Studio
    from text2art_nb.version import __version__

wait_passively()  # here, because nothing of text2art imports torch earlier

__all__ = [
    "Artwork",
    "Comparison",
    "Frame",
    "Run",
    "Settings",
    "Studio",
    "Text2ArtError",
    "__version__",
    "compare",
    "draw",
]

# Where each name lives. Importing torch takes a second; whoever only asks for the version shall not wait for it.
_HOMES = {
    "Artwork": "artifacts.artwork",
    "Comparison": "runs.comparison",
    "Frame": "runs.frame",
    "Run": "runs.run",
    "Settings": "settings",
    "Studio": "studio",
    "Text2ArtError": "errors",
    "__version__": "version",
    "compare": "runs.comparison",
    "draw": "runs.drawing",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
