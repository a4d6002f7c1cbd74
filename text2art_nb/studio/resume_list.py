"""Runs to continue: this session's and earlier ones', interrupted or finished."""

import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from text2art_nb.errors import RunError
from text2art_nb.studio.library import RunLibrary
from text2art_nb.studio.view import PanelView

MORE: Final = 100
MOST: Final = 50


class ResumeList:
    """The list of runs on disk, with [Resume] and [+100 iterations].

    resume: takes a run's directory and how many iterations to add (0: only what is left).

    The trait `runs`: runs, each (name, label, finished); more: how many iterations the second button adds; hint.
    """

    def __init__(self, view: PanelView, library: RunLibrary, resume: Callable[[Path, int], None]) -> None:
        self._view, self._library, self._resume = view, library, resume
        view.on_message("continue_run", self._begin)
        self.refresh()

    @property
    def shown(self) -> list[list[Any]]:
        """The runs, the newest first: name, label, and whether it is finished."""
        return list(self._view.runs["runs"])

    def refresh(self) -> None:
        """Look at the folder again."""
        runs = self._library.runs()[:MOST]
        count = Counter(run.label for run in runs)
        entries = [
            [
                run.directory.name,
                run.label if count[run.label] == 1 else f"{run.label}, {run.directory.stem}",
                run.finished,
            ]
            for run in runs
        ]
        hint = f"You can continue any run in {os.path.normpath(self._library.folder)}."
        self._view.runs = {"runs": entries, "more": MORE, "hint": hint}

    def _begin(self, content: dict[str, Any], buffers: list[Any]) -> None:
        name = content.get("run")
        if name not in [run[0] for run in self.shown]:
            raise RunError("there is no such run to continue")
        self._resume(self._library.folder / str(name), MORE if content.get("more") else 0)
