"""The perceptors: one file each family. Other packages add theirs through the entry points `text2art.perceptors`."""

import functools
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import cast

import torch

from text2art_nb import models
from text2art_nb.perceptors.base import Perceptor

__all__ = ["Perceptor", "load"]


@functools.lru_cache(maxsize=16)
def load(name: str, device: torch.device) -> Perceptor:
    """The perceptor called `name` (a catalogue name, "embedded", or a directory) on `device`, shared by all runs.

    An entry point of the group `text2art.perceptors` names a function (device) -> Perceptor.
    Raises ModelError where it isn't there and can't be fetched, or isn't a perceptor.
    """
    for entry in entry_points(group="text2art.perceptors", name=name):
        return cast(Callable[[torch.device], Perceptor], entry.load())(device)
    from text2art_nb.perceptors import dual_encoder

    return dual_encoder.load(name, models.locate(name, "clip"), device)
