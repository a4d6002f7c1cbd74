"""Write docs/settings.md from `Settings`: every setting with its meaning, type, default, range and drawers.

``python -m text2art_nb.settings.reference docs/settings.md`` writes the page; without a file it prints it.
"""

import sys
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from text2art_nb.settings import STEERABLE
from text2art_nb.settings.base import Checked
from text2art_nb.settings.drawing import DrawingSettings
from text2art_nb.settings.engine import EngineSettings
from text2art_nb.settings.motion import MotionSettings
from text2art_nb.settings.perception import LookingSettings
from text2art_nb.settings.presets import (
    EMBEDDED_PRESETS,
    FULL_PRESETS,
    LIGHT_PRESETS,
    MAX_SIDE,
    MIN_SIDE,
    TURBO_ITERATIONS,
    Preset,
)
from text2art_nb.settings.settings import ALIASES, Settings
from text2art_nb.settings.style import TasteSettings
from text2art_nb.settings.tournament import TournamentSettings

SECTIONS: Final[dict[str, type[Checked]]] = {
    "What draws": DrawingSettings,
    "Who looks, and how": LookingSettings,
    "Losses, filters, palette": TasteSettings,
    "Motion and overlay": MotionSettings,
    "Tournament": TournamentSettings,
    "Engine": EngineSettings,
    "The picture, and everything else": Settings,
}
"""The headings of the page, and the class whose own fields stand under each."""

_FIRST: Final = "The picture, and everything else"

_INTRODUCTION: Final = """\
# Settings

<!-- Written by `python -m text2art_nb.settings.reference docs/settings.md`; edit the descriptions in `Settings`. -->

Every setting of a picture. Each name is

- a keyword in Python: `draw("a castle", seed=7)`, `Settings(prompts="a castle", seed=7)`;
- an option on the command line: `--seed 7`, or `--set seed=7`;
- a field of the panel;
- a field of a job in the API, unless it concerns the server's machine, like `device`.

A wrong value gets one sentence that says what was wrong and what would be right.

A default of – means that nothing is set. Where a picture needs a value all the same, `quality`, `aspect`, `model`, the
drawer or chance supplies it; `Settings(…).resolved()` shows which.

A setting with a ✎ can be changed while the picture is being drawn.
"""

_RANGES: Final = {"size": f"{MIN_SIDE} to {MAX_SIDE} each", "upscale": "1, 2 or 4"}
"""Ranges that a validator holds, and no declared bound."""


def page() -> str:
    """The whole page, as Markdown."""
    ordered = [_FIRST, *(title for title in SECTIONS if title != _FIRST)]
    parts = [_INTRODUCTION, *(_section(title, SECTIONS[title]) for title in ordered), _qualities(), _aliases()]
    return "\n".join(parts)


def own_fields(title: str) -> list[str]:
    """Names of the settings that stand under a heading: a field belongs to the first class that declares it."""
    others = {name for each, room in SECTIONS.items() if each != _FIRST for name in room.model_fields}
    names = SECTIONS[title].model_fields
    return [name for name in names if title != _FIRST or name not in others]


def drawers_of(field: FieldInfo) -> tuple[str, ...]:
    """The drawers that a setting is for; empty: all."""
    extra = field.json_schema_extra
    owners = extra.get("drawers", []) if isinstance(extra, dict) else []
    return tuple(str(owner) for owner in owners) if isinstance(owners, list) else ()


def limits(field: FieldInfo) -> dict[str, float]:
    """The bounds that a field declares: "ge", "gt", "le", "lt" of a number and "max_length" of a list."""
    names = ("ge", "gt", "le", "lt", "max_length")
    return {name: getattr(rule, name) for rule in field.metadata for name in names if hasattr(rule, name)}


def _section(title: str, room: type[Checked]) -> str:
    rows = [_row(name, room.model_fields[name]) for name in own_fields(title)]
    return f"## {title}\n\n{_table(('name', 'meaning', 'type', 'default', 'range', 'drawers'), rows)}"


def _row(name: str, field: FieldInfo) -> tuple[str, ...]:
    shown = f"`{name}`" + (" ✎" if name in STEERABLE else "")
    meaning = (field.description or "").replace("|", "\\|")
    owners = ", ".join(f"`{owner}`" for owner in drawers_of(field)) or "all"
    return shown, meaning, _type(name, field.annotation), _default(field.default), _range(name, field), owners


def _type(name: str, annotation: Any) -> str:
    """The type in the words of a person who doesn't write Python."""
    kinds = [each for each in _members(annotation) if each is not type(None)]
    kind = kinds[0] if len(kinds) == 1 else annotation
    simple = {bool: "yes or no", int: "whole number", float: "number", str: "text"}
    if name.endswith("_image"):
        return "picture"
    if name in ("masks", "image_prompts"):
        return "pictures"
    if get_origin(kind) is Literal:
        return "one of " + ", ".join(f"`{each}`" for each in get_args(kind))
    if get_origin(kind) is dict:
        return "names and numbers" if get_args(kind)[1] is float else "names and values"
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        many = {"whole number": "whole numbers", "number": "numbers", "text": "texts"}
        each = many.get(simple.get(inner[0], ""), "entries")
        return each if inner[-1] is Ellipsis else f"{len(inner)} {each}"
    return simple.get(kind, "text")


def _members(annotation: Any) -> tuple[Any, ...]:
    """The kinds of a union; else the annotation alone."""
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def _default(value: Any) -> str:
    if value is None or value in ("", (), {}):
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(_default(each) for each in value)
    return f"{value:g}" if isinstance(value, float) else f"`{value}`" if isinstance(value, str) else str(value)


def _range(name: str, field: FieldInfo) -> str:
    if name in _RANGES:
        return _RANGES[name]
    bounds = limits(field)
    if "max_length" in bounds:
        return f"at most {bounds['max_length']}"
    lower = f"above {_number(bounds['gt'])}" if "gt" in bounds else _number(bounds["ge"]) if "ge" in bounds else ""
    if "le" not in bounds:
        return lower or "–"
    return f"{lower} to {_number(bounds['le'])}" if lower else f"at most {_number(bounds['le'])}"


def _number(value: float) -> str:
    return "2^63 - 1" if value == 2**63 - 1 else f"{value:,}" if isinstance(value, int) else f"{value:g}"


def _qualities() -> str:
    tables = {"embedded": EMBEDDED_PRESETS, "light": LIGHT_PRESETS, "a real model": FULL_PRESETS}
    rows = [
        (f"`{quality}`", model, str(preset.iterations), _views(preset), ", ".join(f"`{p}`" for p in preset.perceptors))
        for model, table in tables.items()
        for quality, preset in table.items()
    ]
    head = ("`quality`", "`model`", "`iterations`", "views in a step", "`perceptors`")
    turbo = ", ".join(str(count) for count in TURBO_ITERATIONS.values())
    text = (
        "## What `quality` decides\n\n"
        "These hold where they are not given.\n\n"
        "With the embedded models `vqgan` takes half as many iterations when it starts from a proposal, the default.\n"
        f"`turbo` takes {turbo} iterations.\n\n"
    )
    return text + _table(head, rows)


def _views(preset: Preset) -> str:
    return f"{preset.num_cuts} x {preset.batches}" if preset.batches > 1 else str(preset.num_cuts)


def _aliases() -> str:
    rows = [(f"`{other}`", f"`{name}`") for other, name in sorted(ALIASES.items())]
    text = "## Other names\n\nThe names that pixray, clipit and other programs use are accepted.\n\n"
    return text + _table(("other name", "setting"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return "".join(_lines([head, ["---"] * len(head), *rows]))


def _lines(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    for row in rows:
        yield f"| {' | '.join(row)} |\n"


def main(arguments: Sequence[str]) -> None:
    """Write the page to the file that is named, or print it."""
    if arguments:
        Path(arguments[0]).write_text(page(), encoding="utf-8")
    else:
        sys.stdout.write(page())


if __name__ == "__main__":
    main(sys.argv[1:])
