"""What draws, and what goes on where it ends: the panel's way to a chain like ``vqgan:30 -> pixel:70``."""

from collections.abc import Mapping
from typing import Any

import ipywidgets as widgets

from text2art_nb.chain import read_stages
from text2art_nb.studio.fields import Field

EVEN = 50
"""The second one's share of the steps, in percent, where nobody says: then the chain doesn't say it either."""


class KindField(Field):
    """The setting `drawer`: one kind, or two that draw one after the other.

    A chain of more, as a recipe may have, stands among the kinds as one more of them.
    """

    def __init__(self, kinds: Mapping[str, str]) -> None:
        """kinds: what the panel calls them, and the drawers' names."""
        first = widgets.ToggleButtons(options=list(kinds.items()), layout=widgets.Layout(width="100%"))
        first.style.button_width = "auto"
        self.then = widgets.Dropdown(options=[("nothing else", ""), *kinds.items()], description="then")
        self.share = widgets.IntSlider(value=EVEN, min=5, max=95, step=5, description="% of steps")
        self._names = set(kinds.values())
        self._given: tuple[str, tuple[str, str, int]] | None = None
        super().__init__("drawer", first, "Kind", "what draws, and what goes on where that ends")
        for widget in (self.then, self.share):
            widget.continuous_update = False
            widget.layout.width = "auto"
            widget.observe(self._changed, "value")
        row = widgets.Box([self.then, self.share])
        row.add_class("t2a-row")
        label, toggles, note = self.box.children
        self.box.children = (label, toggles, row, note)
        self._follow()

    @property
    def _shown(self) -> tuple[str, str, int]:
        return self.widget.value, self.then.value, self.share.value

    @property
    def value(self) -> str:
        if self._given is not None and self._given[1] == self._shown:
            return self._given[0]  # as it was written, for there are many ways to write the same chain
        first, then, share = self._shown
        if not then:
            return str(first)
        if share == EVEN or "->" in first:
            return f"{first} -> {then}"
        return f"{first}:{100 - share} -> {then}:{share}"

    def fill(self, value: Any, touched: bool) -> None:
        self._filling = True
        try:
            stages = read_stages(value, str)
            pair = len(stages) == 2 and all(name in self._names for name, _ in stages)
            first = stages[0][0] if pair else value
            if first not in [each for _, each in self.widget.options]:
                self.widget.options = (*self.widget.options, (first, first))
            self.widget.value = first
            self.then.value = stages[1][0] if pair else ""
            self.share.value = round(100 * stages[1][1]) if pair else EVEN
            self._given = value, self._shown
        finally:
            self._filling = False
        self._follow()
        self.touched = touched

    def _changed(self, change: object) -> None:
        self._follow()
        super()._changed(change)

    def _follow(self) -> None:
        """A share is shown where there is something to share."""
        shared = bool(self.then.value) and "->" not in self.widget.value
        (self.share.remove_class if shared else self.share.add_class)("t2a-gone")
