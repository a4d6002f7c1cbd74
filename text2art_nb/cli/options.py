"""The settings that are given on the command line."""

import argparse
import json
from typing import Any

from text2art_nb.errors import Text2ArtError

# Options that are settings' names already, and what the help says about them.
PLAIN = {
    "drawer": ("NAME", "what draws: vqgan, pixel, strokes, fft, taesd, turbo, generator; or a chain: 'vqgan -> pixel'"),
    "model": ("NAME", "whose weights: embedded, light (any word, on a CPU), full, or a name from 'models'"),
    "size": ("WxH", "pixels, such as 384x216"),
    "aspect": ("SHAPE", "square, portrait, widescreen or retain (the init image's)"),
    "quality": ("LEVEL", "draft, normal, better, best or supreme: size and effort"),
    "iterations": ("N", "how many steps"),
    "seed": ("S", "the same seed and settings give the same picture"),
    "candidates": ("B", "how many pictures side by side; the best is kept"),
    "upscale": ("N", "1, 2 or 4: how many times as wide and high the finished picture is made"),
    "start": ("WHAT", "noise, proposal, or image (the init image's)"),
    "init_image": ("FILE", "the picture to start from"),
}
# Settings that are no options: the prompts stand by themselves, the rest is what a run records.
_NO_OPTIONS = frozenset({"prompts", "steering"})


def given_settings(options: argparse.Namespace) -> dict[str, Any]:
    """What the options of `draw` say about `Settings`, values as they were typed.

    Raises:
        Text2ArtError: a --set that is not NAME=VALUE.
    """
    from text2art_nb.settings import Settings

    named = {name: getattr(options, name, None) for name in Settings.model_fields if name not in _NO_OPTIONS}
    given = {
        name: _value(value) if isinstance(value, str) and name not in PLAIN else value
        for name, value in named.items()
        if value is not None
    }
    if options.prompt:
        given["prompts"] = " ".join(options.prompt)
    if options.no_video:
        given["make_video"] = False
    for entry in options.set:
        name, equals, value = entry.partition("=")
        name = name.strip().replace("-", "_")
        if not equals or not name:
            raise Text2ArtError(f"--set takes NAME=VALUE, such as --set num_cuts=24; got {entry!r}")
        given[name] = _value(value)
    return given


def _value(text: str) -> Any:
    """Lists and objects are JSON; all else is left to `Settings`, which reads numbers and words itself."""
    if text.lstrip()[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text  # a palette, for one, is written like a list
    return text
