"""Runs that one can go on with: this session's and earlier ones', interrupted or finished."""

import os
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from text2art_nb.errors import RunError
from text2art_nb.studio.shelf import Shelf

Guarded = Callable[..., Callable[..., None]]
MORE = 100


class GoOn:
    """A list of the shelf's runs, [Resume] and [+100 iterations].

    go: takes a run's directory and how many iterations to add (0: only what is left).
    """

    def __init__(self, shelf: Shelf, guarded: Guarded, go: Callable[[Path, int], None]) -> None:
        self._shelf, self._go = shelf, go
        self._runs = widgets.Dropdown(options=[], layout=widgets.Layout(width="100%"))
        self._resume = widgets.Button(description="Resume", tooltip="draw what is left")
        self._more = widgets.Button(description=f"+{MORE} iterations")
        self._resume.on_click(guarded(lambda: self._begin(0)))
        self._more.on_click(guarded(lambda: self._begin(MORE)))
        buttons = widgets.Box([self._resume, self._more])
        buttons.add_class("t2a-buttons")
        hint = f'<div class="t2a-note">Every run in {os.path.normpath(shelf.folder)} can be gone on with.</div>'
        self.box = widgets.VBox([self._runs, buttons, widgets.HTML(hint)])
        self.box.add_class("t2a-field")
        self.box.add_class("t2a-go-on")
        self._finished: dict[str, bool] = {}
        self._runs.observe(guarded(self._choose), "value")
        self.refresh()

    def refresh(self) -> None:
        """Look at the folder again."""
        runs = self._shelf.runs()[:50]
        self._finished = {str(run.directory): run.finished for run in runs}
        self._runs.options = [(run.label, str(run.directory)) for run in runs]
        self._runs.value = str(runs[0].directory) if runs else None
        self._choose()

    def _choose(self) -> None:
        chosen = self._runs.value
        self._more.disabled = chosen is None
        self._resume.disabled = chosen is None or self._finished.get(chosen, True)

    def _begin(self, more: int) -> None:
        if self._runs.value is None:
            raise RunError("there is no run to go on with yet")
        self._go(Path(self._runs.value), more)
