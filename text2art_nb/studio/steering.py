"""Turn changes on the panel into changes of the run that is being drawn."""

import contextlib
from typing import TYPE_CHECKING, Any

from text2art_nb.errors import SettingsError
from text2art_nb.settings import Settings
from text2art_nb.studio.changes import differences
from text2art_nb.studio.panel import Panel

if TYPE_CHECKING:
    from text2art_nb.runs.run import Run


class PanelSteering:
    """Compares the panel with what it said last, and steers the run by the difference."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._baseline: Settings | None = None
        self._initial: Settings | None = None

    def begin(self, run: "Run") -> None:
        """Take the panel's present state as what `run` was started with."""
        self._panel.clear_change()
        self.rebase(run)
        self._initial = self._baseline

    def rebase(self, run: "Run") -> None:
        """Take the panel's present state as known: only later changes steer `run`."""
        self._baseline = None
        with contextlib.suppress(SettingsError):  # shown under its field; then the panel can't steer either
            self._baseline = self.settings_for(run)

    def settings_for(self, run: "Run") -> Settings:
        """The panel's settings, resolved for `run`. Raises SettingsError.

        An empty seed means the run's. Empty iterations mean those of its own quality, not of the next picture's.
        """
        requested = self._panel.settings
        usual = run.settings.model_copy(update={"quality": requested.quality}).preset.iterations
        seed = run.settings.seed if requested.seed is None else requested.seed
        return requested.with_(seed=seed, iterations=requested.iterations or usual).resolved()

    def steer(self, run: "Run") -> None:
        """Steer `run` by what has changed, once the user has paused."""
        panel = self._panel
        if not panel.is_rested:
            return
        panel.clear_change()
        try:
            wanted = self.settings_for(run)
        except SettingsError:
            return  # shown under its field
        if self._baseline is None:
            self._baseline = wanted
            return
        changes, later = differences(self._baseline, wanted)
        if changes:
            try:
                run.steer(**changes)
            except SettingsError as error:
                panel.show_errors(error)
                return
        self._baseline = wanted
        if later:
            panel.preview.show_message(f"{panel.values.labels(later)}: used from the next Draw on.")
        elif changes:
            panel.preview.show_message(f"{panel.values.labels(changes)} changed from iteration {run.iteration + 1} on.")

    def plan_branch(self, run: "Run", iteration: int) -> tuple[Settings, dict[str, Any], bool]:
        """Compare the panel with `run` at an iteration. Raises SettingsError.

        Returns the panel's settings, what a branch can be steered to, and whether it takes a new run instead: because
        of a setting that a run can't change, and that the user has changed since the run began. The run changes some
        by itself: what `auto` meant, the referee, how many candidates are left.
        """
        wanted = self.settings_for(run)
        changes, later = differences(run.settings.steered(iteration), wanted)
        initial = self._initial
        anew = any(initial is None or getattr(initial, name) != getattr(wanted, name) for name in later)
        return wanted, changes, anew
