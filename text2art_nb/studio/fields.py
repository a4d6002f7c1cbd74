"""The panel's fields: each is one setting, its widget, a label, a hint, and a place for what is wrong with it."""

import html
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import ipywidgets as widgets

from text2art_nb.settings import Settings

Convert = Callable[[Any], Any]


def same(value: Any) -> Any:
    """The value as it is."""
    return value


class Field:
    """One setting on the panel.

    A field that nobody has touched says nothing: quality, aspect and the drawer decide, and it shows what they decide.

    name: the setting's; widget: what is moved or typed into; box: all of it, to be laid out; touched: whether its value
    counts.
    """

    def __init__(
        self,
        name: str,
        widget: widgets.DOMWidget,
        label: str,
        hint: str = "",
        to_setting: Convert = same,
        to_widget: Convert = same,
    ) -> None:
        self.name = name
        self.widget = widget
        self.touched = False
        self._to_setting, self._to_widget = to_setting, to_widget
        hint = hint or (Settings.model_fields[name].description or "")
        plain = widgets.Layout()  # one for all three: each would be one more message to the browser
        self._label = widgets.HTML(labelled(label, hint), layout=plain)
        self._note = widgets.HTML(layout=plain, style=self._label.style)
        self._note.add_class("t2a-gone")
        self.box = widgets.VBox([self._label, widget, self._note], layout=plain)
        self.box.add_class("t2a-field")
        self.box.add_class(f"t2a-{name.replace('_', '-')}-field")
        self._filling = False
        self._listeners: list[Callable[[Field], None]] = []
        widget.observe(self._changed, "value")

    def listen(self, listener: Callable[["Field"], None]) -> None:
        """Have `listener` called after each change that the user makes."""
        self._listeners.append(listener)

    def _changed(self, _: object) -> None:
        if self._filling:
            return
        self.touched = True
        for listener in self._listeners:
            listener(self)

    @property
    def value(self) -> Any:
        """What the setting shall be; only a touched field's counts."""
        return self._to_setting(self.widget.value)

    def fill(self, value: Any, touched: bool) -> None:
        """Show `value` (a setting's) without telling anybody."""
        self._filling = True
        try:
            shown = self._to_widget(value)
            if shown is not None:
                self.widget.value = shown
        finally:
            self._filling = False
        self.touched = touched

    def show(self, visible: bool) -> None:
        """Whether it is on the panel at all."""
        (self.box.remove_class if visible else self.box.add_class)("t2a-gone")

    def say(self, sentence: str, error: bool = False) -> None:
        """Show a sentence under the field; an empty one takes it away."""
        kind = "t2a-note t2a-error" if error else "t2a-note"
        text = f'<div class="{kind}">{html.escape(sentence)}</div>' if sentence else ""
        if self._note.value == text:
            return
        self._note.value = text
        if sentence:
            self._note.remove_class("t2a-gone")
        else:
            self._note.add_class("t2a-gone")


class Group(widgets.Box):
    """Several widgets that stand where a field has one; who made it says when its value changes."""

    def observe(self, handler: Any, names: Any = "value", type: str = "change") -> None:
        """As a widget's, but nothing can be heard of a value that it doesn't have."""
        if names != "value":
            super().observe(handler, names, type)


class Several(Field):
    """Any of a few words, in the order in which they were pressed: pills to press."""

    def __init__(self, name: str, label: str, options: Sequence[str], hint: str) -> None:
        plain = {"layout": widgets.Layout(), "style": widgets.ToggleButton().style}
        self._pills = {option: widgets.ToggleButton(description=option, **plain) for option in options}
        group = Group(list(self._pills.values()))
        group.add_class("t2a-pills")
        super().__init__(name, group, label, hint)
        self._chosen: list[str] = []
        for option, pill in self._pills.items():
            pill.add_class("t2a-pill")
            pill.observe(lambda _, option=option: self._pressed(option), "value")

    def _pressed(self, option: str) -> None:
        if self._filling:
            return
        if self._pills[option].value:
            self._chosen.append(option)
        else:
            self._chosen = [each for each in self._chosen if each != option]
        self._changed(option)

    @property
    def value(self) -> tuple[str, ...]:
        return tuple(self._chosen)

    def fill(self, value: Any, touched: bool) -> None:
        """As a field's; one that is there twice stays so until its pill is pressed."""
        self._chosen = list(value or ())
        self._filling = True
        try:
            for option, pill in self._pills.items():
                pill.value = option in self._chosen
        finally:
            self._filling = False
        self.touched = touched


def labelled(label: str, hint: str) -> str:
    """A label and its hint in one line; what doesn't fit is in the tooltip."""
    return (
        f'<div class="t2a-label" title="{html.escape(hint, quote=True)}">{html.escape(label)}'
        f"<span>{html.escape(hint)}</span></div>"
    )


def _full() -> widgets.Layout:
    return widgets.Layout(width="100%")


def text(name: str, label: str, hint: str = "", placeholder: str = "", **convert: Convert) -> Field:
    """A line of text; what it says is left to `Settings` to read."""
    widget = widgets.Text(placeholder=placeholder, layout=_full(), continuous_update=False)
    return Field(name, widget, label, hint, **({"to_widget": as_text} | convert))


def number(name: str, label: str, hint: str = "", **convert: Convert) -> Field:
    """A whole number that may be anything: `Settings` says what is wrong with it."""
    return Field(name, widgets.IntText(layout=_full()), label, hint, **convert)


def slider(name: str, label: str, lowest: float, highest: float, step: float, hint: str = "") -> Field:
    """A number between two bounds; a value from elsewhere that is beyond them moves them."""
    whole = all(isinstance(each, int) for each in (lowest, highest, step))
    kind = widgets.IntSlider if whole else widgets.FloatSlider
    widget = kind(value=lowest, min=lowest, max=highest, step=step, layout=_full(), continuous_update=False)
    return Field(name, widget, label, hint, to_widget=_with_room(widget))


def _with_room(widget: Any) -> Convert:
    """Moves a slider's bounds so that `value` is between them."""

    def make_room(value: Any) -> Any:
        if value is not None and value > widget.max:
            widget.max = value
        if value is not None and value < widget.min:
            widget.min = value
        return value

    return make_room


def choice(name: str, label: str, options: Mapping[str, Any], hint: str = "") -> Field:
    """One of a few, all in sight."""
    widget = widgets.ToggleButtons(options=list(options.items()), layout=_full())
    widget.style.button_width = "auto"
    return Field(name, widget, label, hint, to_widget=_with_option(widget))


def dropdown(name: str, label: str, options: Mapping[str, Any], hint: str = "") -> Field:
    """One of many."""
    widget = widgets.Dropdown(options=list(options.items()), layout=_full())
    return Field(name, widget, label, hint, to_widget=_with_option(widget))


def _with_option(widget: Any) -> Convert:
    """Makes a value from elsewhere, such as a friend's recipe, one of the options."""

    def fitting(value: Any) -> Any:
        if value not in [each for _, each in widget.options]:
            widget.options = (*widget.options, (str(value), value))
        return value

    return fitting


def named(name: str, label: str, options: list[str], hint: str = "", **convert: Convert) -> Field:
    """A line of text with suggestions."""
    widget = widgets.Combobox(options=options, layout=_full(), continuous_update=False)
    return Field(name, widget, label, hint, **({"to_widget": as_text} | convert))


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
