"""`Settings`: everything that a picture is asked to be, checked once, here, so that nothing further down has to.

Names and meanings are pixray's where the meaning is the same (its spelling is accepted where ours differs). Whatever is
wrong ends in one `SettingsError` with a plain sentence per field. Importing this loads neither torch nor numpy nor
Pillow.
"""

from text2art_nb.settings.drawing import DRAWERS
from text2art_nb.settings.settings import (
    ALIASES,
    MAX_PICTURE_CHARS,
    MAX_THREADS,
    RECIPE_VERSION,
    Aspect,
    Keep,
    Precision,
    Quality,
    Settings,
    Start,
)
from text2art_nb.settings.steering import MAX_STEERING, STEERABLE, Steering
from text2art_nb.settings.style import FILTERS, LOSSES

__all__ = [
    "ALIASES",
    "DRAWERS",
    "FILTERS",
    "LOSSES",
    "MAX_PICTURE_CHARS",
    "MAX_STEERING",
    "MAX_THREADS",
    "RECIPE_VERSION",
    "STEERABLE",
    "Aspect",
    "Keep",
    "Precision",
    "Quality",
    "Settings",
    "Start",
    "Steering",
]
