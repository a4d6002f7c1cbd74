"""`Studio`: the methods that a notebook's cells call."""

import html
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from IPython.display import HTML, display

from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.errors import RunError, Text2ArtError
from text2art_nb.settings import Settings
from text2art_nb.settings.base import renamed
from text2art_nb.studio import export
from text2art_nb.studio.background_run import BackgroundRun
from text2art_nb.studio.check import CheckError
from text2art_nb.studio.drive import copy_to_drive
from text2art_nb.studio.error_log import ErrorLog, sentence_for
from text2art_nb.studio.images import start_picture
from text2art_nb.studio.kernel import acknowledge_messages, sleep
from text2art_nb.studio.library import RunLibrary
from text2art_nb.studio.live_view import LiveCell
from text2art_nb.studio.mask_controller import MaskController
from text2art_nb.studio.output import allow_custom_widgets, note, say, show_hint, show_widget
from text2art_nb.studio.panel_controller import INTERRUPTED, PanelController
from text2art_nb.studio.requested import RequestedSettings
from text2art_nb.studio.run_session import POLL_SECONDS, RunSession
from text2art_nb.studio.warmup import WarmUp

if TYPE_CHECKING:
    from text2art_nb.runs.run import Run
    from text2art_nb.serve.share import Share
    from text2art_nb.studio.view import CellView


class Studio:
    """A control panel, a live picture, and a gallery of earlier pictures, for a notebook.

    >>> studio = Studio()
    >>> studio.panel(prompt="an underwater city")
    >>> await studio.paint()

    session: the run being drawn and its files; controller: the panel, once it is shown.
    """

    def __init__(self, folder: Path | str | None = None, **settings: Any) -> None:
        """folder: where pictures and runs are kept (default: $T2A_DIR, Google Drive if mounted, ./text2art).

        settings: the initial settings. Loads the models on a thread of its own; on CUDA real ones, which are downloaded
        first (1.5 to 2.2 GB), unless model="embedded" is among the settings. There the GPU decides the quality
        (`runtime.cards`), unless that is among them. Raises SettingsError.
        """
        given = renamed(settings, Settings.aliases)
        library = RunLibrary(Path(os.path.expanduser(folder)) if folder else None)
        self._errors = ErrorLog()
        self._warmup = WarmUp(given.get("model"), given.get("quality"))
        self._requested = RequestedSettings(given, self._warmup.recommended)
        self.session = RunSession(library, self._warmup.join)
        self._masks = MaskController(self.session, self._requested, self._errors)
        self.controller = PanelController(self.session, self._requested, self._masks, self._warmup, self._errors)
        self._cell_view: CellView | None = None
        self._share: Share | None = None
        self._warmup.start()

    @property
    def result(self) -> Artwork | None:
        """The latest picture; None before the first."""
        return self.session.result

    @property
    def run(self) -> "Run | None":
        """The latest run; None before the first."""
        return self.session.run

    @property
    def library(self) -> RunLibrary:
        """The folder of pictures and runs."""
        return self.session.library

    @property
    def shelf(self) -> RunLibrary:
        """Deprecated name of `library`."""
        warnings.warn("Studio.shelf is called Studio.library now", DeprecationWarning, stacklevel=2)
        return self.library

    @property
    def errors(self) -> list[Exception]:
        """Unexpected errors of event handlers. The panel shows them, and they are in the log "text2art"."""
        return self._errors.errors

    @property
    def settings(self) -> Settings:
        """The settings of the next picture. Raises SettingsError."""
        return self._requested.settings

    # -- setting up

    def hello(self) -> None:
        """Print one line: the device, its memory, the models and the quality, and why these.

        Waits until the models are loaded, and prints how long that has taken so far.
        """
        if not self._warmup.is_ready:
            print("Loading the models …", flush=True)
        self._warmup.wait(lambda seconds: print(f"  still loading ({seconds:.0f} s) …", flush=True))
        self._requested.recommend(self._warmup.recommended)
        print(self._warmup.sentence)

    def check(self) -> None:
        """Raise CheckError, one sentence in a notebook, if no picture was drawn or a handler has failed."""
        if self.errors:
            raise CheckError(f"something went wrong: {sentence_for(self.errors[-1])}")
        if self.result is None:
            raise CheckError("no picture has been drawn yet: run the cells from the first one on")

    async def self_check(self, only: str | None = None) -> None:
        """Try this machine out with real models, and print one block of plain text to paste into an issue.

        It fetches what `model="full"` needs, has the real CLIPs look at twelve pictures, draws small pictures with each
        drawer, and asks the page whether the panel's folds answer. Interrupt ends it, with what was found so far.

        only: drawers, with commas between, such as "vqgan,pixel"; None: all for which memory suffices.
        """
        from text2art_nb.runs.self_check import SelfCheck
        from text2art_nb.studio.self_check import PageCheck, interruptible, tell

        page = PageCheck(None if self.controller.panel is None else self.controller.panel.view)
        try:
            self.session.check_free()
            check = SelfCheck(only, pictures=self.library.folder, tell=tell, beside=page.findings)
        except Text2ArtError as error:
            say(str(error))
            return
        with acknowledge_messages(self.session.kernel):
            await page.ask(self.session.pump, lambda: sleep(POLL_SECONDS, blocking=False))
        with interruptible():
            check.run()
        print(check.block)

    def set(self, **settings: Any) -> None:
        """Change settings, on the panel if there is one. Raises SettingsError."""
        self._requested.set(**settings)

    def panel(self, prompt: str | None = None, **settings: Any) -> None:
        """Show the control panel. prompt, settings: initial values; invalid ones are explained on the panel.

        Shown again, the panel is as the user left it: only values that differ from the last call count.
        """
        given = {"prompts": prompt, **settings} if prompt is not None else settings
        view = self.controller.open(renamed(given, Settings.aliases))
        allow_custom_widgets()
        show_widget(view, "")
        show_hint()

    def mask(self) -> None:
        """Show a canvas over the latest picture (or the init image) to paint where a prompt applies.

        What is painted becomes one of the `masks`, for prompts like ``[mask 1] a red boat``.
        """
        try:
            view = self._masks.cell()
        except Text2ArtError as error:
            say(str(error))
            return
        allow_custom_widgets()
        show_widget(view, "Run this cell to paint a mask")

    # -- drawing

    async def paint(self, prompt: str | None = None, run: "Run | None" = None, **settings: Any) -> None:
        """Draw in this cell, with *Pause* and *Stop* and the picture growing.

        Stop and the notebook's Interrupt end it within a moment, and the picture is kept; a second Interrupt raises
        KeyboardInterrupt.

        prompt, settings: instead of the panel's; run: drawn instead of a new one.
        """
        await self.session.wait_until_ended()
        try:
            if run is None:
                if prompt is not None:
                    settings["prompts"] = prompt
                if settings:
                    self.set(**settings)
                background = self.controller.create(self.settings)
            else:
                background = self.controller.adopt(run)
        except Text2ArtError as error:
            self.controller.show_error(error)
            say(str(error))
            return
        await self._paint(background)

    async def resume(self, steps: int = 100) -> None:
        """Continue the latest run in this cell: to its end if it was stopped, else for `steps` more iterations."""
        await self.session.wait_until_ended()
        try:
            if self.session.paths is None:
                raise RunError("there is no run to continue yet: run the paint cell first")
            unfinished = self.run is not None and self.run.iteration < self.run.total
            background = self.controller.load(self.session.paths.directory, 0 if unfinished else steps)
        except Text2ArtError as error:
            say(str(error))
            return
        await self._paint(background)

    async def _paint(self, background: BackgroundRun) -> None:
        run = background.run
        cell = LiveCell(run, start_picture(run.settings), self._errors.guarded, self._cell_view)
        self._cell_view = cell.view
        try:
            with acknowledge_messages(self.session.kernel):
                await self.controller.follow(background, cell)
            self.controller.finish(background)
            if background.artwork is not None:
                cell.finish(background.artwork, run.total, run.iteration)
            if background.error is not None:
                cell.fail(sentence_for(background.error))
            elif background.artwork is None:
                cell.fail("stopped before the first frame")
        except KeyboardInterrupt:
            self.controller.abandon()
            cell.fail(INTERRUPTED)
            raise
        finally:
            cell.leave()
        self.controller.do_waiting()

    def stop(self) -> None:
        """Stop the drawing, from any thread; the picture is kept."""
        self.session.stop()

    def pause(self) -> None:
        """Pause the drawing, or resume it, from any thread."""
        self.session.toggle_pause()

    # -- handing on

    def share(self, public: bool | str = False, *, open: bool = False) -> None:
        """Start a web page and an API in processes of their own, and show a link and a way to stop them.

        public: False: reachable from this machine or through Colab's own proxy only. True: reachable from everywhere,
        through Gradio, or ngrok or cloudflared where one is configured or named. Such a link has a password in it,
        unless `open` lets anyone draw. Free Colab ends runtimes that mainly serve a web page.

        Installs what the service needs first. With the pictures on Google Drive its database is on a local disk.
        """
        from text2art_nb.serve.share import Share
        from text2art_nb.serve.tunnels import tunnel_for
        from text2art_nb.studio.service import ServiceView, bring_what_is_lacking, link_for

        try:
            bring_what_is_lacking()
            if self._share is not None:
                self._share.stop()
            self._share = Share(self.library.folder / "service", tunnel_for(public), open=open)
            link = link_for(self._share.start(), self._share)
        except Text2ArtError as error:
            say(str(error))
            return
        ServiceView(self._share, link, self._errors.guarded).show()

    def unshare(self) -> None:
        """Stop what `share` has started."""
        if self._share is None or not self._share.is_running:
            note("Nothing is being shared.")
            return
        self._share.stop()
        note("Sharing has ended. The pictures stay where they are.")

    def save(self, film: str = "mp4", drive: bool = False, download: bool = False) -> None:
        """Show where the latest picture and its film are, with links or buttons to download them.

        film: "mp4", "gif" or "none"; drive: copy the files to Google Drive (asks for access); download: have the
        browser save them. Both work on Colab only.
        """
        try:
            files = self.session.files(film)
        except Text2ArtError as error:
            say(str(error))
            return
        display(HTML("<br>".join(export.reference(path) for path in files)))
        if not export.links_work():
            allow_custom_widgets()
            show_widget(export.buttons_for(files, self._errors.guarded), "Run this cell to download them")
        if drive:
            _export(lambda: copy_to_drive(files))
        if download:
            _export(lambda: export.download(files))


def _export(action: "Callable[[], list[Path] | None]") -> None:
    """Copy or download files; show where to, or why that failed: the files themselves stay."""
    try:
        copies = action() or []
    except Text2ArtError as error:
        say(str(error))
        return
    if copies:
        display(HTML("<br>".join(html.escape(f"copied to {path}") for path in copies)))
