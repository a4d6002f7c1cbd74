"""The run being drawn: its background thread, its files, and the picture that it leaves."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from text2art_nb.errors import RunError, SettingsError
from text2art_nb.runs.estimate import Estimate, Paces
from text2art_nb.settings import Settings
from text2art_nb.studio.background_run import BackgroundRun
from text2art_nb.studio.kernel import Interrupts, MessagePump, running_kernel, sleep
from text2art_nb.studio.library import RunLibrary

if TYPE_CHECKING:
    from text2art_nb.artifacts.artwork import Artwork
    from text2art_nb.artifacts.output_paths import Places
    from text2art_nb.runs.run import Run

POLL_SECONDS: Final = 0.02
"""Between two polls of the background run; a click waits at most this long."""
ENDING_SECONDS: Final = 10.0
"""How long a cell waits for a stopped run that has not ended yet."""


class View(Protocol):
    """Anything that displays a background run."""

    def show(self, background: BackgroundRun) -> None:
        """Display its present state."""
        ...


class RunSession:
    """Starts, follows and keeps one run at a time.

    library: where pictures and runs are kept; kernel: the ipykernel, None outside of Jupyter; pump: called while a run
    is followed, lets widget messages in; run: the latest run; paths: its files, None for a run given by the user;
    background: its thread; result: the latest picture. All four are None before the first run.
    """

    def __init__(self, library: RunLibrary, wait_for_models: Callable[[], None]) -> None:
        """wait_for_models: called on the run's thread before it draws."""
        self.library = library
        self.kernel: Any | None = running_kernel()
        self.pump: Callable[[], None] = MessagePump(self.kernel)
        self.run: Run | None = None
        self.paths: Places | None = None
        self.background: BackgroundRun | None = None
        self.result: Artwork | None = None
        self._wait_for_models = wait_for_models
        self._paces = Paces()
        self._waiting: Callable[[], None] | None = None

    # -- starting a run

    def create(self, requested: Settings) -> BackgroundRun:
        """Make a new run. Raises RunError while another one is drawn, and SettingsError."""
        from text2art_nb.runs.run import Run

        self.check_free()
        settings = capped(requested).resolved()
        paths = self.library.new_paths(settings)
        return self.adopt(Run(settings, directory=paths.directory), paths)

    def load(self, directory: Path, more: int = 0) -> BackgroundRun:
        """Load a run from disk. more: iterations to add to its total. Raises RunError."""
        from text2art_nb.runs.run import Run

        self.check_free()
        paths = self.library.paths_of(directory)
        run = Run.load(directory)
        if more:
            run = Run.load(directory, iterations=run.total + more)
        return self.adopt(run, paths)

    def branch(self, iteration: int, settings: Settings, changes: Mapping[str, Any]) -> BackgroundRun:
        """Branch the latest run at an iteration. settings: resolved, they name the files; changes: from there on."""
        run, _ = self.branchable
        paths = self.library.new_paths(settings)
        return self.adopt(run.branch(iteration, paths.directory, **changes), paths)

    @property
    def branchable(self) -> "tuple[Run, Places]":
        """The latest run and its files. Raises RunError where there is none to branch from."""
        if self.run is None or self.paths is None:
            raise RunError("there is no run to branch from yet")
        return self.run, self.paths

    def adopt(self, run: "Run", paths: "Places | None" = None) -> BackgroundRun:
        """Make `run` the session's run. paths: where its picture goes; None: nowhere. Raises RunError."""
        self.check_free()
        frames = self.library.frames(paths, after=run.iteration) if paths is not None else None
        self.run, self.paths = run, paths
        self.background = BackgroundRun(run, frames, self._wait_for_models)
        return self.background

    # -- while it draws

    async def follow(self, background: BackgroundRun, views: Sequence[View], blocking: bool) -> None:
        """Start a background run and update the views until it ends.

        The first Interrupt stops the run, the second raises KeyboardInterrupt. blocking: see `kernel.sleep`.
        """
        with Interrupts() as interrupts:
            background.start()
            try:
                while not background.done:
                    self.pump()
                    await sleep(POLL_SECONDS, blocking)
                    if interrupts.count == 1:
                        background.run.stop()
                    elif interrupts.count > 1:
                        raise KeyboardInterrupt
                    for view in views:
                        view.show(background)
            finally:
                background.run.stop()  # also after KeyboardInterrupt: the views are gone

    async def wait_until_ended(self) -> None:
        """Wait a while for a stopped run that a second Interrupt has left behind."""
        until = time.monotonic() + ENDING_SECONDS
        while self.is_busy and self.run is not None and self.run.stopped and time.monotonic() < until:
            self.pump()
            await sleep(POLL_SECONDS, blocking=False)

    @property
    def is_busy(self) -> bool:
        """Whether a run is being drawn."""
        return self.background is not None and self.background.started and not self.background.done

    def check_free(self) -> None:
        """Raise RunError while a run is being drawn."""
        if self.is_busy and self.run is not None and self.run.stopped:
            raise RunError("the last picture is still ending; try again in a moment")
        if self.is_busy:
            raise RunError("a picture is being drawn: stop it first")

    def stop(self) -> None:
        """Stop the run, from any thread."""
        if self.run is not None:
            self.run.stop()

    def toggle_pause(self) -> None:
        """Pause the run, or resume it, from any thread."""
        if self.run is not None:
            if self.run.paused:
                self.run.resume()
            else:
                self.run.pause()

    def when_free(self, action: Callable[[], None]) -> None:
        """Call `action` now, or stop the run and leave it for `take_waiting`."""
        if self.is_busy:
            self._waiting = action
            self.stop()
        else:
            action()

    def take_waiting(self) -> Callable[[], None] | None:
        """Return the action that waits for the run's end, and forget it."""
        waiting, self._waiting = self._waiting, None
        return waiting

    # -- once it has ended

    def keep(self, background: BackgroundRun) -> None:
        """Save what was drawn and note how long it took. Raises Text2ArtError where it can't be saved."""
        artwork = background.artwork
        if artwork is None:
            return
        self.result = artwork
        self._measure(background)
        if self.paths is not None:
            artwork.save(self.paths.picture)
            if artwork.svg is not None:  # only the run itself still has the strokes
                artwork.save(self.paths.picture.with_suffix(".svg"))

    def _measure(self, background: BackgroundRun) -> None:
        """Note the run's time and memory, for the next estimate."""
        if background.frame is None or background.peak_bytes is None or background.drawn < 3:
            return
        per_iteration = (background.frame.seconds - background.seconds_before) / background.drawn
        start = max(0.0, (background.first_frame_seconds or 0.0) - per_iteration)
        settings = background.run.settings.with_(steering=())
        self._paces.note(settings, background.drawn, per_iteration * background.drawn, background.peak_bytes, start)

    def estimate(self, settings: Settings) -> Estimate:
        """Estimate time and memory of drawing `settings`."""
        return self._paces.guess(capped(settings).resolved())

    def files(self, film: str) -> list[Path]:
        """List the latest picture's files. film: "mp4", "gif" or "none"; made where missing.

        Raises RunError before the first picture, SettingsError for another film, ArtworkError.
        """
        if self.paths is None or self.result is None:
            raise RunError("there is no picture to share yet: run the paint cell first")
        if film not in ("mp4", "gif", "none"):
            raise SettingsError({"film": f"film must be mp4, gif or none; got {film!r}"})
        picture = self.paths.picture
        films = [] if film == "none" else [self.library.film(picture, f".{film}")]
        return [picture, *self.library.strokes(picture), *films]


def capped(settings: Settings) -> Settings:
    """Limit the iterations to $T2A_MAX_STEPS, where that is set: for tests of the notebook."""
    limit = os.environ.get("T2A_MAX_STEPS", "")
    if not limit.isdigit() or int(limit) < 1:
        return settings
    return settings.with_(iterations=min(settings.resolved().iterations or 1, int(limit)))
