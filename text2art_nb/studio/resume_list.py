"""Runs that one can go on with: this session's and earlier ones', interrupted or finished."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from text2art_nb.errors import RunError
from text2art_nb.studio.library import Shelf
from text2art_nb.studio.view import PanelView

MORE: Final = 100
MOST: Final = 50


class GoOn:
    """A list of the shelf's runs, [Resume] and [+100 iterations].

    go: takes a run's directory and how many iterations to add (0: only what is left).

    The trait `runs`: runs, each (name, label, finished); more: how many iterations the second button adds; hint.
    """

    def __init__(self, view: PanelView, shelf: Shelf, go: Callable[[Path, int], None]) -> None:
        self._view, self._shelf, self._go = view, shelf, go
        view.hear("go_on", self._begin)
        self.refresh()

    @property
    def shown(self) -> list[list[Any]]:
        """The runs, the newest first: name, label, and whether it is finished."""
        return list(self._view.runs["runs"])

    def refresh(self) -> None:
        """Look at the folder again."""
        runs = [[run.directory.name, run.label, run.finished] for run in self._shelf.runs()[:MOST]]
        hint = f"Every run in {os.path.normpath(self._shelf.folder)} can be gone on with."
        self._view.runs = {"runs": runs, "more": MORE, "hint": hint}

    def _begin(self, content: dict[str, Any], buffers: list[Any]) -> None:
        name = content.get("run")
        if name not in [run[0] for run in self.shown]:
            raise RunError("there is no run to go on with yet")
        self._go(self._shelf.folder / str(name), MORE if content.get("more") else 0)
