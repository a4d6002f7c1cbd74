"""Make fields for settings without a place of their own on the panel, from their types.

They stand under folds, by the room of `text2art_nb.settings` that they come from; a drawer's own are shown with that
drawer alone. So a new setting is on the panel as soon as it is a setting.
"""

import types
from collections.abc import Iterator
from typing import Any, Final, Literal, Union, get_args, get_origin

from text2art_nb.settings import Settings
from text2art_nb.settings.base import Checked
from text2art_nb.settings.drawing import DrawingSettings
from text2art_nb.settings.engine import Engine, EngineSettings
from text2art_nb.settings.motion import MotionSettings
from text2art_nb.settings.perception import LookingSettings
from text2art_nb.settings.style import TasteSettings
from text2art_nb.studio import fields
from text2art_nb.studio.fields import Field
from text2art_nb.studio.picture_field import PictureField

SECTIONS: Final[dict[str, type[Checked]]] = {
    "Options for this kind": DrawingSettings,
    "Prompt and views": LookingSettings,
    "Style": TasteSettings,
    "Motion and overlay": MotionSettings,
    "Engine": EngineSettings,
    "Other": Settings,
}
"""The folds, and whose fields are under each."""

PARTED: Final = ("labels",)
"""Texts that may have a comma in them, and are parted by a bar."""


def other_fields(known: set[str]) -> Iterator[Field]:
    """A field for every setting that is not in `known`."""
    for name in Settings.model_fields:
        if name not in known:
            yield _field(name)


def section_of(name: str) -> str:
    """The fold that a setting's field belongs under."""
    return next(title for title, room in SECTIONS.items() if name in room.model_fields)


def drawers_of(name: str) -> tuple[str, ...]:
    """The drawers that a setting is for; empty: for all."""
    extra = Settings.model_fields[name].json_schema_extra
    owners = extra.get("drawers", []) if isinstance(extra, dict) else []
    return tuple(str(owner) for owner in owners) if isinstance(owners, list) else ()


def _field(name: str) -> Field:
    kind = _without_none(Settings.model_fields[name].annotation)
    label = name.replace("_", " ").capitalize()
    if name == "engine":
        return _engine(label)
    if name.endswith("_image"):
        return PictureField(name, label, "", many=False)
    if kind is bool:
        return fields.Switch(name, label)
    if get_origin(kind) is Literal:
        return _one_of(name, label, get_args(kind))
    default = Settings.model_fields[name].default
    if kind in (int, float):
        return fields.text(name, label, to_setting=lambda text: _number(text, default))
    return fields.text(
        name,
        label,
        to_setting=lambda text: text.strip() or default,
        to_shown=_sizes if _is_size(kind) else _parted if name in PARTED else fields.as_text,
    )


def _without_none(annotation: Any) -> Any:
    """X of `X | None`; else the annotation as it is."""
    if get_origin(annotation) in (Union, types.UnionType):
        kinds = [each for each in get_args(annotation) if each is not type(None)]
        return kinds[0] if len(kinds) == 1 else annotation
    return annotation


def _is_size(kind: Any) -> bool:
    return bool(kind == tuple[int, int])


def _parted(value: Any) -> str:
    return " | ".join(map(str, value or ()))


def _sizes(value: Any) -> str:
    return fields.size_as_text(value)


def _number(text: str, default: Any) -> Any:
    number = fields.number_or_none(text)
    if number is None:
        return default
    return int(number) if isinstance(number, float) and number.is_integer() else number


def _engine(label: str) -> Field:
    """pixray is offered where it is installed."""
    from text2art_nb.runs.pixray.process import HOW, is_here

    there = is_here()
    options = {name: name for name in (get_args(Engine) if there else ("text2art",))}
    hint = "pixray: the original, in a process of its own" if there else f"pixray isn't installed; {HOW} installs it"
    return fields.Choice("engine", label, options, hint)


def _one_of(name: str, label: str, options: tuple[str, ...]) -> Field:
    usual = {"default": None} if Settings.model_fields[name].default is None else {}
    return fields.Choice(name, label, {**usual, **{option: option for option in options}})
