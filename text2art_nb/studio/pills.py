"""Style pills: keyword modifiers that a click adds to the prompt and another takes out again."""

from collections.abc import Callable

import ipywidgets as widgets

from text2art_nb.errors import SettingsError
from text2art_nb.prompts import MODIFIERS, add_modifier, has_modifier, remove_modifier


class Pills:
    """The site's ten in sight, the others in groups under a fold. They follow the prompt, whoever writes it.

    edit: takes a function from the old prompt line to the new one, and applies it.
    """

    def __init__(self, edit: Callable[[Callable[[str], str]], None]) -> None:
        self._edit = edit
        self._following = False
        # One layout and one style for all fifty: each would be two more messages to the browser.
        self._layout, self._style = widgets.Layout(), widgets.ToggleButton().style
        self._pills: dict[str, widgets.ToggleButton] = {}
        first, *others = MODIFIERS
        self.box = self._row(first)
        self.more = widgets.VBox(
            [
                each
                for group in others
                for each in (widgets.HTML(f'<div class="t2a-section">{group}</div>'), self._row(group))
            ]
        )

    def _row(self, group: str) -> widgets.Box:
        row = widgets.Box([self._pill(word) for word in MODIFIERS[group]])
        row.add_class("t2a-pills")
        return row

    def _pill(self, word: str) -> widgets.ToggleButton:
        pill = widgets.ToggleButton(description=word, layout=self._layout, style=self._style)
        pill.add_class("t2a-pill")
        pill.observe(lambda change: self._clicked(word, bool(change["new"])), "value")
        self._pills[word] = pill
        return pill

    def _clicked(self, word: str, on: bool) -> None:
        if not self._following:
            self._edit(lambda line: add_modifier(line, word) if on else remove_modifier(line, word))

    def follow(self, line: str) -> None:
        """Light the pills whose words are in the prompt line; one that can't be read changes nothing."""
        self._following = True
        try:
            for word, pill in self._pills.items():
                on = has_modifier(line, word)
                if pill.value != on:
                    pill.value = on
        except (SettingsError, ValueError):
            return
        finally:
            self._following = False
