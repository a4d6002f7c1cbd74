"""The perceptors: one file each family. Other packages add theirs through the entry points `text2art.perceptors`."""

import functools
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import cast

import torch

from text2art_nb import models
from text2art_nb.perceptors.base import Perceptor, SeesSome

__all__ = ["Perceptor", "SeesSome", "load"]


@functools.lru_cache(maxsize=16)
def load(name: str, device: torch.device) -> Perceptor:
    """The perceptor called `name` on `device`, shared by all runs.

    A catalogue name, "embedded", "embedded-2", "embedded-3", a directory in the layout of transformers or of open_clip,
    or a `.pt` file: one of OpenAI's own, or any CLIP's with its `open_clip_config.json` beside it.

    "judge" is the embedded model that was trained apart from the embedded CLIPs, to judge what they have guided.

    An entry point of the group `text2art.perceptors` names a function (device) -> Perceptor.
    Raises ModelError where it isn't there and can't be fetched, or isn't a perceptor.
    """
    for entry in entry_points(group="text2art.perceptors", name=name):
        return cast(Callable[[torch.device], Perceptor], entry.load())(device)
    from text2art_nb.perceptors import dual_encoder, open_clip, openai_clip

    place = models.locate(name, "clip")
    if dual_encoder.is_saved_in(place) or not open_clip.has_config(place):
        own = (place / "config.json").is_file()
        return (dual_encoder if own else openai_clip).load(name, place, device)
    return open_clip.load(name, place, device)
