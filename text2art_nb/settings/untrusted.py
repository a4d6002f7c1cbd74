"""What a recipe that came from elsewhere may not hold. It is checked before any of it is looked at closely."""

import itertools
import os
import re
from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points
from typing import Any

from text2art_nb.errors import SettingsError
from text2art_nb.imaging.image_io import PNG_PREFIX, check_stranger
from text2art_nb.settings import stages
from text2art_nb.settings.coercion import shown
from text2art_nb.settings.engine import OPTIONS, PATHS
from text2art_nb.settings.prompts import MAX_MASKS, split_weight

MAX_CHARS = 32_000_000
"""Most characters in all texts of a recipe, its pictures with them."""
MAX_TEXT_CHARS = 300_000
"""Most characters in all texts of a recipe but its pictures."""
MAX_VALUES = 20_000
MAX_IMAGE_PROMPTS = 8
MAX_DEPTH = 6


def check_recipe(values: Mapping[str, Any]) -> None:
    """Refuse a stranger's settings (by their proper names) that are too large, or that reach for this machine's files.

    Bounded: total text, number and depth of values, the length and the pixel size of pictures. Pictures must be PNG
    data URIs; `model`, `perceptors` and `referee` must be plain names, palettes no files. No pixel is decoded and no
    file is opened.

    Raises:
        SettingsError: what is wrong.
    """
    check_bounds(values)
    problems: dict[str, str] = {}
    for field, picture in _pictures(values):
        try:
            check_stranger(picture)
        except ValueError as error:
            problems.setdefault(field, f"{field} cannot be used: {error}")
    for field in ("model", "perceptors", "referee", "aesthetic_head"):
        for name in _named(values.get(field), field):
            if isinstance(name, str) and not _is_plain_name(name):
                sentence = (
                    f"{field} in a recipe from elsewhere must be a plain name, not a directory; got {shown(name)}"
                )
                problems.setdefault(field, sentence)
    if reached := sorted(_listed_names(values.get("pixray")) & PATHS):
        problems["pixray"] = (
            f"pixray in a recipe from elsewhere may not name files or weights; got {', '.join(reached)}"
        )
    if _brings_a_generator(values):
        problems["model"] = "model in a recipe from elsewhere may not be a file to run, only an installed generator"
    steered = [entry.get("palette") for entry in _listed(values.get("steering")) if isinstance(entry, Mapping)]
    for palette in (values.get("palette"), *steered):
        if any(isinstance(part, str) and ("@" in part or "://" in part) for part in _listed(palette)):
            problems.setdefault(
                "palette", f"palette in a recipe from elsewhere must be colours, not a file; got {shown(palette)}"
            )
    if problems:
        raise SettingsError(problems)


def _brings_a_generator(values: Mapping[str, Any]) -> bool:
    """Whether a recipe draws with a generator that no installed package offers: a file, which holds a program."""
    drawers = [stage.partition(":")[0].strip().lower() for stage in stages.split(str(values.get("drawer", "")))]
    model = str(values.get("model"))
    models = [stages.model_of(model, stage) for stage in range(model.count("->") + 1)]
    models = models if len(models) > 1 else models * len(drawers)
    installed = {entry.name for entry in entry_points(group="text2art.generators")}
    # Where there are fewer models than drawers, no model is left for the last ones.
    return any(drawer == "generator" and own not in installed for drawer, own in itertools.zip_longest(drawers, models))


def check_bounds(recipe: Mapping[str, Any]) -> None:
    """Count a recipe's values, characters and depth, without recursion, up to the first bound that it breaks.

    Raises:
        SettingsError: it breaks one.
    """
    characters = text_characters = count = 0
    waiting: list[tuple[Any, int]] = [(recipe, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str):
            characters += len(value)
            text_characters += 0 if value.startswith(PNG_PREFIX) else len(value)
        elif isinstance(value, int) and value.bit_length() > 64:
            raise SettingsError("this recipe holds a number that is too large to be a setting")
        elif isinstance(value, Mapping | list | tuple):
            count += len(value)
            inside: Iterable[Any] = [*value.keys(), *value.values()] if isinstance(value, Mapping) else value
            if count <= MAX_VALUES:
                waiting.extend((each, depth + 1) for each in inside)
        too_long = characters > MAX_CHARS or text_characters > MAX_TEXT_CHARS
        if too_long or depth > MAX_DEPTH or count > MAX_VALUES:
            raise SettingsError("this recipe is too large or too deeply nested to be one of text2art's")


def _pictures(values: Mapping[str, Any]) -> list[tuple[str, Any]]:
    pictures = [("init_image", values["init_image"])] if values.get("init_image") is not None else []
    for entry in _listed(values.get("image_prompts"))[: MAX_IMAGE_PROMPTS + 1]:  # more of them is an error anyway
        pictures.append(("image_prompts", split_weight(entry)[0] if isinstance(entry, str) else entry))
    for field in ("overlay_image", "style_image", "content_image"):
        if values.get(field) is not None:
            pictures.append((field, values[field]))
    pictures += [("masks", mask) for mask in _listed(values.get("masks"))[: MAX_MASKS + 1]]
    return pictures


def _named(value: Any, field: str) -> list[Any]:
    """The names in a field, cut up just as drawing will do it: what it would take as one name is looked at as one."""
    if field == "model" and isinstance(value, str):
        return value.split("->")
    if field == "perceptors":
        names = value.split(",") if isinstance(value, str) else _listed(value)
        return [split_weight(name)[0] if isinstance(name, str) else name for name in names]
    return _listed(value)


def _listed_names(value: Any) -> set[str]:
    return {OPTIONS.get(str(name), str(name)) for name in value} if isinstance(value, Mapping) else set()


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _is_plain_name(name: str) -> bool:
    """Whether a name cannot be taken for a path; "ViT-B/32" is a name."""
    name = name.strip()
    plain = re.fullmatch(r"[A-Za-z0-9][\w.@+-]*(/[A-Za-z0-9][\w.@+-]*)?", name, re.ASCII)
    return not name or (plain is not None and not os.path.exists(name))
