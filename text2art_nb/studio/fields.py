"""The panel's fields: each is one setting, what the page shows of it, and what is wrong with it.

No field knows of a browser. `described` is what the page builds a control from, once; `shown` is what changes.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from text2art_nb.errors import SettingsError
from text2art_nb.settings import Settings

Convert = Callable[[Any], Any]

MAX_TEXT: Final = 20_000
"""Most characters that a field takes from the page."""


def same(value: Any) -> Any:
    """The value as it is."""
    return value


class Field:
    """One setting on the panel.

    An untouched field counts for nothing: quality, aspect and the drawer decide, and it shows their choice.

    name: the setting's; label, hint: what stands beside it; kind: what the page makes of it; entered: what stands in
    it; touched: whether its value counts; visible: whether it is on the panel at all; note, wrong: the sentence under
    it, and whether that is an error.
    """

    kind = "text"

    def __init__(
        self,
        name: str,
        label: str,
        hint: str = "",
        *,
        placeholder: str = "",
        to_setting: Convert = same,
        to_shown: Convert = same,
    ) -> None:
        self.name = name
        self.label = label
        self.hint = hint or (Settings.model_fields[name].description or "")
        self.placeholder = placeholder
        self.entered: Any = ""
        self.touched = False
        self.visible = True
        self.note, self.wrong = "", False
        self._to_setting, self._to_shown = to_setting, to_shown
        self._listeners: list[Callable[[Field], None]] = []

    def listen(self, listener: Callable[["Field"], None]) -> None:
        """Have `listener` called after each change that the user makes."""
        self._listeners.append(listener)

    def enter(self, entered: Any) -> None:
        """Take a value from the page. Raises SettingsError for one that the field can't hold."""
        self.entered = self._read(entered)
        self._changed()

    def _read(self, entered: Any) -> Any:
        return str(entered)[:MAX_TEXT]

    def _changed(self) -> None:
        self.touched = True
        for listener in self._listeners:
            listener(self)

    @property
    def value(self) -> Any:
        """The setting's value; it counts only if the field is touched."""
        return self._to_setting(self.entered)

    def fill(self, value: Any, touched: bool) -> None:
        """Show a setting's value without calling listeners."""
        shown = self._to_shown(value)
        if shown is not None:
            self.entered = shown
        self.touched = touched

    def set_visible(self, visible: bool) -> None:
        """Show or hide the field."""
        self.visible = visible

    def set_note(self, sentence: str, error: bool = False) -> None:
        """Show a sentence under the field; an empty one removes it."""
        self.note, self.wrong = sentence, error and bool(sentence)

    @property
    def described(self) -> dict[str, Any]:
        """The constant part: the page builds the control from it, once."""
        return {"kind": self.kind, "label": self.label, "hint": self.hint}

    @property
    def shown(self) -> dict[str, Any]:
        """The variable part. Empty entries are left out: there are a hundred fields."""
        found: dict[str, Any] = {"value": self.entered}
        for name, value in (("placeholder", self.placeholder), ("note", self.note), ("wrong", self.wrong)):
            if value:
                found[name] = value
        return found if self.visible else {**found, "hidden": True}


class Prompt(Field):
    """The prompt: several lines of text, heard letter by letter."""

    kind = "prompt"


class Number(Field):
    """A whole number; what is no number is left to `Settings` to complain about. An empty one says nothing."""

    kind = "number"

    def _read(self, entered: Any) -> Any:
        return as_text(entered)[:MAX_TEXT]

    def _changed(self) -> None:
        super()._changed()
        if not str(self.entered).strip():
            self.touched = False

    @property
    def value(self) -> Any:
        return whole_or_text(str(self.entered))

    def fill(self, value: Any, touched: bool) -> None:
        self.entered = as_text(value)
        self.touched = touched


class Slider(Field):
    """A number between two bounds; a value from elsewhere that is beyond them moves them."""

    kind = "slider"

    def __init__(self, name: str, label: str, lowest: float, highest: float, step: float, hint: str = "") -> None:
        super().__init__(name, label, hint)
        self.lowest, self.highest, self.step = lowest, highest, step
        self._whole = all(isinstance(each, int) for each in (lowest, highest, step))
        self.entered = lowest

    def _read(self, entered: Any) -> Any:
        try:
            number = float(entered)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise SettingsError({self.name: f"{self.label} must be a number"})
        number = min(max(number, self.lowest), self.highest)
        return round(number) if self._whole else number

    def fill(self, value: Any, touched: bool) -> None:
        if value is not None:
            self.lowest, self.highest = min(self.lowest, value), max(self.highest, value)
            self.entered = value
        self.touched = touched

    @property
    def described(self) -> dict[str, Any]:
        return {**super().described, "step": self.step}

    @property
    def shown(self) -> dict[str, Any]:
        return {**super().shown, "bounds": [self.lowest, self.highest]}


class Choice(Field):
    """One of a few. all_in_sight: whether each is a button of its own, or all are in a list that opens."""

    def __init__(
        self, name: str, label: str, options: Mapping[str, Any], hint: str = "", *, all_in_sight: bool = False
    ) -> None:
        """options: what the page calls them, and the setting's values."""
        super().__init__(name, label, hint)
        self.kind = "choice" if all_in_sight else "select"
        self.options = dict(options)
        self.entered = next(iter(self.options))

    def _read(self, entered: Any) -> Any:
        if entered in self.options:
            return entered
        found = [label for label, value in self.options.items() if value == entered]
        if not found:
            raise SettingsError({self.name: f"{self.label} has no option {entered!r}"})
        return found[0]

    @property
    def value(self) -> Any:
        return self.options[self.entered]

    def fill(self, value: Any, touched: bool) -> None:
        """As a field's; a value from elsewhere, such as a friend's recipe, becomes one of the options."""
        if value not in self.options.values():
            self.options[str(value)] = value
        self.entered = next(label for label, each in self.options.items() if each == value)
        self.touched = touched

    @property
    def shown(self) -> dict[str, Any]:
        return {**super().shown, "options": list(self.options)}


class ComboBox(Field):
    """A line of text with suggestions."""

    kind = "named"

    def __init__(
        self, name: str, label: str, options: Sequence[str], hint: str = "", *, to_setting: Convert = same
    ) -> None:
        super().__init__(name, label, hint, to_setting=to_setting, to_shown=as_text)
        self.options = list(options)

    @property
    def shown(self) -> dict[str, Any]:
        return {**super().shown, "options": self.options}


class Switch(Field):
    """On or off."""

    kind = "switch"

    def _read(self, entered: Any) -> Any:
        return bool(entered)

    def fill(self, value: Any, touched: bool) -> None:
        self.entered, self.touched = bool(value), touched


class MultiSelect(Field):
    """Any of a few words, in the order in which they were pressed: pills to press."""

    kind = "several"

    def __init__(self, name: str, label: str, options: Sequence[str], hint: str) -> None:
        super().__init__(name, label, hint)
        self.options = list(options)
        self.entered = []

    def _read(self, entered: Any) -> Any:
        return [each for each in entered if each in self.options]

    def press(self, option: str) -> None:
        """Toggle one of the options."""
        rest = [each for each in self.entered if each != option]
        self.enter(rest if option in self.entered else [*rest, option])

    @property
    def value(self) -> tuple[str, ...]:
        return tuple(self.entered)

    def fill(self, value: Any, touched: bool) -> None:
        self.entered, self.touched = list(value or ()), touched

    @property
    def described(self) -> dict[str, Any]:
        return {**super().described, "options": self.options}


def as_text(value: Any) -> str:
    """A setting as it is typed: "", "0.5", "a, b", "name:2, other:1"."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return ", ".join(f"{name}:{weight:g}" for name, weight in value.items())
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def size_as_text(value: Any) -> str:
    """384x216."""
    return "" if value is None else "x".join(map(str, value))


def whole_or_text(value: str) -> int | str | None:
    """A whole number from a line of text; None for an empty one; else the text, for `Settings` to complain about."""
    value = value.strip()
    return int(value) if value.isascii() and value.lstrip("-").isdigit() else value or None


def number_or_none(value: str) -> float | str | None:
    """The number in a line of text; None for an empty one; else the text, for `Settings` to complain about."""
    if not value.strip():
        return None
    try:
        return float(value)
    except ValueError:
        return value


def text_or_none(value: str) -> str | None:
    """The text; None for an empty one."""
    return value.strip() or None


def text(
    name: str,
    label: str,
    hint: str = "",
    placeholder: str = "",
    *,
    to_setting: Convert = same,
    to_shown: Convert = as_text,
) -> Field:
    """A line of text; what it says is left to `Settings` to read."""
    return Field(name, label, hint, placeholder=placeholder, to_setting=to_setting, to_shown=to_shown)
