"""The drawers: one file each. Other packages add theirs through the entry point group `text2art.drawers`."""

from collections.abc import Callable
from importlib import import_module
from importlib.metadata import entry_points
from typing import cast

import torch

from text2art_nb.drawers.base import Drawer
from text2art_nb.errors import SettingsError
from text2art_nb.settings import Settings

__all__ = ["Drawer", "build", "names"]

Builder = Callable[[Settings, torch.device, torch.Generator], Drawer]

_OURS = {
    "strokes": "text2art_nb.drawers.strokes",
    "vqgan": "text2art_nb.drawers.vqgan",
    "pixel": "text2art_nb.drawers.pixel",
    "fft": "text2art_nb.drawers.fft",
    "taesd": "text2art_nb.drawers.taesd",
    "turbo": "text2art_nb.drawers.turbo",
    "generator": "text2art_nb.drawers.generator",
}


def names() -> list[str]:
    """Every drawer that can be asked for here, ours first."""
    return [*_OURS, *(entry.name for entry in entry_points(group="text2art.drawers"))]


def build(settings: Settings, device: torch.device, generator: torch.Generator) -> Drawer:
    """The drawer of `settings.drawer`, ready to draw. An entry point names a function with these very arguments."""
    return _builder(settings.drawer)(settings, device, generator)


def _builder(name: str) -> Builder:
    if name in _OURS:
        return cast(Builder, import_module(_OURS[name]).build)
    for entry in entry_points(group="text2art.drawers", name=name):
        return cast(Builder, entry.load())
    raise SettingsError({"drawer": f"there is no drawer {name!r} here; there are {', '.join(names())}"})
