"""Palette swatches: a click takes a palette, another lets go of it."""

import html
from collections.abc import Callable

import ipywidgets as widgets

from text2art_nb.palettes import PALETTES, Colour


class Swatches:
    """A button a palette, in its colours.

    choose: takes the palette's name, "" for none.
    """

    def __init__(self, choose: Callable[[str], None]) -> None:
        self._choose = choose
        self._layout, self._style = widgets.Layout(), widgets.Button().style
        self._chosen = ""
        self._buttons = {name: self._button(name) for name in PALETTES}
        rules = "".join(f".{_class(name)}{{background:{_stripes(PALETTES[name])}!important}}" for name in PALETTES)
        self.box = widgets.Box([*self._buttons.values(), widgets.HTML(f"<style>{rules}</style>")])
        self.box.add_class("t2a-pills")

    def _button(self, name: str) -> widgets.Button:
        button = widgets.Button(description=name, tooltip=name, layout=self._layout, style=self._style)
        button.add_class("t2a-swatch")
        button.add_class(_class(name))
        button.on_click(lambda _: self._choose("" if self._chosen == name else name))
        return button

    def follow(self, palette: str | None) -> None:
        """Mark the palette that is chosen."""
        chosen = palette or ""
        if chosen == self._chosen:
            return
        for name in {self._chosen, chosen} & self._buttons.keys():
            if name == chosen:
                self._buttons[name].add_class("t2a-chosen")
            else:
                self._buttons[name].remove_class("t2a-chosen")
        self._chosen = chosen


def _class(name: str) -> str:
    return f"t2a-palette-{html.escape(name)}"


def _stripes(colours: tuple[Colour, ...]) -> str:
    """A CSS gradient of hard stripes, at most sixteen."""
    shown = colours[:: max(1, len(colours) // 16)]
    steps = []
    for index, colour in enumerate(shown):
        code = "#" + "".join(f"{round(part * 255):02x}" for part in colour)
        steps.append(f"{code} {100 * index / len(shown):.1f}% {100 * (index + 1) / len(shown):.1f}%")
    return f"linear-gradient(90deg,{','.join(steps)})"
