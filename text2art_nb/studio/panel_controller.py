"""Connect the panel's events to the run session, and show the session's state on the panel."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.errors import RunError, SettingsError, Text2ArtError
from text2art_nb.settings import Settings
from text2art_nb.studio.background_run import BackgroundRun
from text2art_nb.studio.error_log import ErrorLog, sentence_for
from text2art_nb.studio.gallery import Gallery
from text2art_nb.studio.kernel import must_block, run_after_click
from text2art_nb.studio.mask_controller import MaskController
from text2art_nb.studio.model_choices import notice_of, to_fetch
from text2art_nb.studio.panel import Panel
from text2art_nb.studio.preview_pane import PreviewPane
from text2art_nb.studio.requested import RequestedSettings
from text2art_nb.studio.resume_list import ResumeList
from text2art_nb.studio.run_session import RunSession, View
from text2art_nb.studio.steering import PanelSteering
from text2art_nb.studio.view import PanelView
from text2art_nb.studio.warmup import WarmUp

if TYPE_CHECKING:
    from text2art_nb.runs.run import Run

INTERRUPTED = "Interrupted. You can continue from what was drawn up to a few seconds ago."


class PanelController:
    """Draws what the panel asks for. Works without a panel, too: then runs are only watched by the cell.

    panel: None until `open` is called first.
    """

    def __init__(
        self,
        session: RunSession,
        requested: RequestedSettings,
        masks: MaskController,
        warmup: WarmUp,
        errors: ErrorLog,
    ) -> None:
        self.panel: Panel | None = None
        self._session, self._requested, self._masks = session, requested, masks
        self._warmup, self._errors = warmup, errors
        self._steering: PanelSteering | None = None
        self._given_before: dict[str, Any] = {}
        errors.show_with(self.show_error)

    # -- the panel

    def open(self, given: Mapping[str, Any]) -> PanelView:
        """Make the panel, or update the one there is. given: settings that a cell asks for, by their own names.

        Opened again, the panel stays as the user left it: only what `given` has changed since the last time counts.
        Invalid settings are shown on the panel.
        """
        changed = {name: value for name, value in given.items() if self._given_before.get(name, ...) != value}
        self._given_before |= given
        line = changed.pop("prompts", None)
        if self.panel is None:
            changed = {**self._requested.given, **changed}
            self._make_panel()
        panel = self.panel
        assert panel is not None
        error = None
        try:
            panel.set(**changed)
        except SettingsError as problem:
            error = problem
        if line is not None:
            panel.enter("prompts", line)
        if error is not None:
            panel.show_errors(error)
        return panel.view

    def _make_panel(self) -> None:
        session = self._session

        def branch(iteration: int) -> None:
            session.when_free(lambda: self.branch(iteration))

        def resume(directory: Path, more: int) -> None:
            session.when_free(lambda: self.draw_in_panel(self.load(directory, more)))

        view = PanelView(self._errors.guarded)
        preview = PreviewPane(view, self.draw, session.toggle_pause, session.stop, branch, self.choose)
        gallery = Gallery(view, session.library, self.reuse)
        resume_list = ResumeList(view, session.library, resume)
        masks = self._masks.field(view)
        self.panel = Panel(view, self._warmup, preview, gallery, resume_list, self.remix, masks, self.estimate)
        self._steering = PanelSteering(self.panel)
        self._requested.panel = self.panel
        view.head = self._warmup.sentence.removeprefix("text2art ")

    # -- starting runs

    def create(self, settings: Settings) -> BackgroundRun:
        """Make a new run. Raises RunError, SettingsError."""
        background = self._session.create(settings)
        self._begin_steering(background)
        return background

    def load(self, directory: Path, more: int) -> BackgroundRun:
        """Load a run and fill the panel with its settings. more: iterations to add. Raises RunError."""
        background = self._session.load(directory, more)
        if self.panel is not None:
            self.panel.fill(background.run.present.with_(iterations=background.run.total))
        self._begin_steering(background)
        return background

    def adopt(self, run: "Run") -> BackgroundRun:
        """Draw a run that the user has made. Raises RunError."""
        background = self._session.adopt(run)
        self._begin_steering(background)
        return background

    def _begin_steering(self, background: BackgroundRun) -> None:
        if self._steering is not None:
            self._steering.begin(background.run)

    # -- drawing

    async def follow(self, background: BackgroundRun, *views: View, blocking: bool = False) -> None:
        """Draw a run, shown in `views` and on the panel. The second Interrupt raises KeyboardInterrupt."""
        if self.panel is not None:
            self.panel.preview.begin(background.run.settings.last_drawer == "pixel")
            views = (self, *views)
        await self._session.follow(background, views, blocking)

    def show(self, background: BackgroundRun) -> None:
        """Pass on what has changed on the panel, and show the run there."""
        if self.panel is not None and self._steering is not None:
            self._steering.steer(background.run)
            self.panel.preview.show(background)

    def draw_in_panel(self, background: BackgroundRun) -> None:
        """Draw a run after a click on the panel, where alone it is shown."""
        kernel = self._session.kernel

        async def work() -> None:
            try:
                await self.follow(background, blocking=must_block(kernel))
                self.finish(background)
                self.do_waiting()
            except KeyboardInterrupt:  # further up is the kernel's own loop, which would end, and the kernel with it
                self.abandon()
            except Exception as error:  # no one awaits this: an error that is not reported here is lost
                self._errors.report(error)

        run_after_click(work(), kernel)

    def finish(self, background: BackgroundRun) -> None:
        """Keep what was drawn, and show it on the panel."""
        try:
            self._session.keep(background)
        except Text2ArtError as error:
            self._errors.report(error)
        if self.panel is not None:
            self.panel.finish(background)
        if background.error is not None:
            self._errors.report(background.error)
        elif background.warning is not None and self.panel is not None:
            self.panel.preview.show_message(background.warning, error=True)

    def do_waiting(self) -> None:
        """Do what was clicked while another run had to end first."""
        action = self._session.take_waiting()
        if action is not None:
            self._errors.guarded(action)()

    def abandon(self) -> None:
        """After a second Interrupt: leave the run to end by itself, and make the panel ready for another one."""
        self._session.take_waiting()
        if self.panel is not None:
            self.panel.preview.idle()
            self.panel.preview.show_message(INTERRUPTED, error=True)
            self.panel.resume_list.refresh()

    # -- what the panel's buttons do

    def draw(self) -> None:
        """Draw a new picture."""
        try:
            background = self.create(self._requested.settings)
        except SettingsError as error:
            self.show_error(error)
            if self.panel is not None:  # at the button, too: the field may be under a fold
                self.panel.preview.show_message(self.panel.sentence_for(error), error=True)
            return
        self.draw_in_panel(background)

    def branch(self, iteration: int) -> None:
        """Continue from an earlier frame with the panel's present settings.

        A setting that a run can't change (kind, size, models …) takes a new run, which starts from the frame.
        """
        session, steering = self._session, self._steering
        run, paths = session.branchable
        assert steering is not None  # the button is on the panel
        iteration = min(iteration, run.iteration)
        wanted, changes, anew = steering.plan_branch(run, iteration)
        if anew:
            frame = session.library.frames(paths, after=None).nearest(iteration)
            if frame is None:
                raise RunError("the frames of this run are gone, so there is nothing to branch from")
            self.draw_in_panel(self.create(self._requested.settings.with_(init_image=frame[1], start="image")))
            return
        background = session.branch(iteration, wanted, changes)
        self._begin_steering(background)
        self.draw_in_panel(background)

    def choose(self, candidate: int, among: int) -> None:
        """Continue with one candidate alone. among: how many there were on the sheet that was clicked.

        Raises RunError where a round has ended since, which has renumbered them.
        """
        run = self._session.run
        if run is None:
            return
        if run.count != among:
            raise RunError("some candidates have dropped out in the meantime: choose again among those that are left")
        run.steer(candidate=candidate)
        if self.panel is not None:
            self.panel.preview.show_message("Continuing with this candidate alone.")

    def reuse(self, settings: Settings) -> None:
        """Fill the panel with a picture's settings. What is being drawn continues unchanged."""
        if self.panel is not None:
            self._fill(self.panel, settings)
            self.panel.preview.show_message("All settings were taken from that picture.")

    def _fill(self, panel: Panel, settings: Settings) -> None:
        panel.fill(settings)
        if self._session.is_busy and self._session.run is not None and self._steering is not None:
            self._steering.rebase(self._session.run)

    def remix(self, name: str, data: bytes) -> None:
        """Fill the panel with the settings in a picture file, and show the picture."""
        panel = self.panel
        assert panel is not None  # the drop zone is on it
        try:
            artwork = Artwork.open(data)
            image = artwork.image
        except Text2ArtError as error:
            panel.show_remix_note(f"{name}: {error}", error=True)
            return
        self._fill(panel, artwork.settings)
        panel.preview.show_picture(image)
        edits = sum(1 for entry in artwork.settings.steering if not entry.stop)
        also = f", with {edits} change{'s' if edits > 1 else ''} on the way" if edits else ""
        panel.show_remix_note(f"All settings were taken from {name}{also}. Draw draws it again.")

    def estimate(self, settings: Settings) -> None:
        """Show what drawing `settings` will take, and what will be downloaded for it."""
        if self.panel is not None:
            estimate = self._session.estimate(settings)
            self.panel.preview.show_estimate(f"This will take {estimate}.", notice_of(to_fetch(settings)))

    def show_error(self, error: Exception) -> None:
        """Show an error on the panel: under its field if it has one."""
        if self.panel is None:
            return
        if isinstance(error, SettingsError):
            self.panel.show_errors(error)
        else:
            self.panel.preview.show_message(sentence_for(error), error=True)
