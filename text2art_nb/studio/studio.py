"""`Studio`: what the notebook holds. It puts runs on the easel, lets cell and panel watch, and keeps the pictures."""

import contextlib
import html
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from IPython.display import HTML, display

from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.errors import RunError, SettingsError, Text2ArtError
from text2art_nb.runs.estimate import Paces
from text2art_nb.settings import Settings
from text2art_nb.settings.base import renamed
from text2art_nb.studio import export
from text2art_nb.studio.background_run import Easel
from text2art_nb.studio.changes import differences
from text2art_nb.studio.check import CheckError
from text2art_nb.studio.drive import copy_to_drive
from text2art_nb.studio.images import soft_noise
from text2art_nb.studio.kernel import (
    Interrupts,
    Pump,
    answered,
    pause,
    run_after_click,
    running_kernel,
    works_by_hand,
)
from text2art_nb.studio.library import Shelf
from text2art_nb.studio.live_view import LiveCell
from text2art_nb.studio.mask import MaskPainter, MasksField, with_mask
from text2art_nb.studio.model_choices import notice_of, to_fetch
from text2art_nb.studio.output import allow_custom_widgets, note, say, show_hint, show_widget
from text2art_nb.studio.view import MaskView, PanelView
from text2art_nb.studio.warmup import Readiness

if TYPE_CHECKING:
    from PIL import Image

    from text2art_nb.artifacts.output_paths import Places
    from text2art_nb.runs.run import Run
    from text2art_nb.serve.share import Share
    from text2art_nb.studio.panel import Panel
    from text2art_nb.studio.view import CellView

LOOK_SECONDS = 0.02
"""Between two looks at the easel: so long a click waits at most."""
ENDING_SECONDS = 10.0
"""How long a cell waits for a picture that was stopped, but is still ending, before it says so."""
TORN = "interrupted: what was drawn until a few seconds ago can be gone on with"


class View(Protocol):
    """Whoever watches the easel."""

    def show(self, easel: Easel) -> None:
        """Show what it has now."""
        ...


class Studio:
    """A control panel, a picture that grows, and what was drawn before.

    >>> studio = Studio()
    >>> studio.panel(prompt="an underwater city")
    >>> await studio.paint()

    result: the latest picture, None before there is one; run: the latest run; errors: what handlers raised that was no
    plain mistake of the user's (it is shown on the panel, too, and in the log).
    """

    def __init__(self, folder: Path | str | None = None, **settings: Any) -> None:
        """folder: where pictures and runs are kept (default: $T2A_DIR, Google Drive if mounted, ./text2art).

        settings: what to begin with. Loads the models on a thread of its own; on CUDA real ones, which are fetched
        first (1.5 to 2.2 GB), unless model="embedded" is among the settings. There the card decides the quality
        (`runtime.cards`), unless that is among them. Raises SettingsError.
        """
        self.result: Artwork | None = None
        self.run: Run | None = None
        self.errors: list[Exception] = []
        self.shelf = Shelf(Path(os.path.expanduser(folder)) if folder else None)
        self._kernel = running_kernel()
        self._pump = Pump(self._kernel)
        self._paces = Paces()
        self._easel: Easel | None = None
        self._places: Places | None = None
        self._baseline: Settings | None = None
        self._begun_as: Settings | None = None
        self._waiting: Callable[[], None] | None = None
        self._panel: Panel | None = None
        self._asked_before: dict[str, Any] = {}
        self._cell_view: CellView | None = None
        self._share: Share | None = None
        settings = renamed(settings, Settings.aliases)
        self._readiness = Readiness(settings.get("model"), settings.get("quality"))
        self._suited = self._readiness.suited
        settings = {**self._suited, **settings}
        self._given = settings
        if settings:
            _check(settings)
        self._readiness.warm_up()

    # -- what the notebook's cells call

    def hello(self) -> None:
        """Print one line: the device, its memory, the models and the quality, and why these.

        Waits until the models are loaded, and says so meanwhile.
        """
        if not self._readiness.is_ready:
            print("Loading the models …", flush=True)
        self._readiness.wait(lambda seconds: print(f"  still loading ({seconds:.0f} s) …", flush=True))
        self._follow_readiness()
        print(self._readiness.sentence)

    def check(self) -> None:
        """Say nothing if all went well so far. Raises CheckError, one plain sentence in a notebook, if it didn't."""
        if self.errors:
            raise CheckError(f"something went wrong: {self._sentence(self.errors[-1])}")
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

        page = PageCheck(None if self._panel is None else self._panel.view)
        try:
            self._check_free()
            check = SelfCheck(only, pictures=self.shelf.folder, tell=tell, beside=page.findings)
        except Text2ArtError as error:
            say(str(error))
            return
        with answered(self._kernel):
            await page.ask(self._pump, lambda: pause(LOOK_SECONDS, by_hand=False))
        with interruptible():
            check.run()
        print(check.block)

    def _follow_readiness(self) -> None:
        """Where weights could not be fetched, other models or another quality suit; what the user set, stays."""
        now = self._readiness.suited
        for name, before in self._suited.items():
            if self._given.get(name) == before and now.get(name) != before:
                self._given.pop(name)
                self._given |= {name: now[name]} if name in now else {}
        self._suited = now

    def set(self, **settings: Any) -> None:
        """Change settings, on the panel if there is one. Raises SettingsError."""
        if self._panel is not None:
            self._panel.set(**settings)
            return
        settings = renamed(settings, Settings.aliases)
        _check({**self._given, **settings})
        self._given |= settings

    def panel(self, prompt: str | None = None, **settings: Any) -> None:
        """Show the control panel. prompt, settings: what to begin with; what is wrong with them stands on the panel.

        Shown again, it is as it was left: only what is said otherwise than the last time counts.
        """
        given: dict[str, Any] = {}
        asked = renamed({"prompts": prompt, **settings} if prompt is not None else settings, Settings.aliases)
        settings = {name: value for name, value in asked.items() if self._asked_before.get(name, ...) != value}
        self._asked_before |= asked
        line = settings.pop("prompts", None)
        if self._panel is None:
            self._panel = self._make_panel()
            self._panel.introduce(self._readiness.sentence.removeprefix("text2art "))
            given = self._given
        try:
            self._panel.set(**{**given, **settings})
            error = None
        except SettingsError as problem:
            error = problem
        if line is not None:
            self._panel.enter("prompts", line)
        if error is not None:
            self._panel.complain(error)
        allow_custom_widgets()
        show_widget(self._panel.view, "")
        show_hint()

    def mask(self) -> None:
        """Show a canvas over the picture of now (or the one to start from), to paint where a prompt shall count.

        What is painted becomes one of the `masks`, for prompts like ``[mask 1] a red boat``.
        """
        view = MaskView(self.guarded)
        painter = MaskPainter(view, self._take_mask)
        try:
            painter.show(*self._under_mask())
        except Text2ArtError as error:
            say(str(error))
            return
        allow_custom_widgets()
        show_widget(view, "Run this cell to paint a mask")

    async def paint(self, prompt: str | None = None, run: "Run | None" = None, **settings: Any) -> None:
        """Draw what the panel (or `set`, or `settings`) says, in this cell: *Pause*, *Stop*, and the picture growing.

        Stop and the notebook's Interrupt end it within a moment, and the picture is kept; a second Interrupt raises
        KeyboardInterrupt. prompt: another one than the panel's; run: one that is to be drawn instead.
        """
        await self._let_end()
        try:
            if run is None:
                if prompt is not None:
                    settings["prompts"] = prompt
                if settings:
                    self.set(**settings)
                easel = self._new_easel(self.settings)
            else:
                easel = self._put(run, None)
        except Text2ArtError as error:
            self._complain(error)
            say(str(error))
            return
        await self._paint(easel)

    async def resume(self, steps: int = 100) -> None:
        """Go on with the latest run, in this cell: to its end if it was stopped, else `steps` iterations more."""
        await self._let_end()
        try:
            if self._places is None:
                raise RunError("there is no run to go on with yet: run the paint cell first")
            unfinished = self.run is not None and self.run.iteration < self.run.total
            easel = self._old_easel(self._places.directory, 0 if unfinished else steps)
        except Text2ArtError as error:
            say(str(error))
            return
        await self._paint(easel)

    def stop(self) -> None:
        """Stop the drawing, from any thread; the picture is kept."""
        if self.run is not None:
            self.run.stop()

    def pause(self) -> None:
        """Pause the drawing, from any thread; or go on, if it is paused."""
        if self.run is not None:
            if self.run.paused:
                self.run.resume()
            else:
                self.run.pause()

    def share(self, public: bool | str = False, *, open: bool = False) -> None:
        """Let others draw here: a web page and an API in processes of their own, a link to them, and a way to stop.

        public: False, and only you reach it, on this machine or through Colab's own proxy; True, and the link works
        everywhere: through Gradio, or ngrok or cloudflared where one is configured or named. Such a link has a
        password in it, unless `open` says that anybody may draw. Free Colab ends runtimes that mainly serve a web page.
        What the service needs and isn't installed is installed first. With the pictures on Google Drive its database
        is on a local disk.
        """
        from text2art_nb.serve.share import Share
        from text2art_nb.serve.tunnels import tunnel_for
        from text2art_nb.studio.service import ServiceView, bring_what_is_lacking, link_for

        try:
            bring_what_is_lacking()
            if self._share is not None:
                self._share.stop()
            self._share = Share(self.shelf.folder / "service", tunnel_for(public), open=open)
            link = link_for(self._share.start(), self._share)
        except Text2ArtError as error:
            say(str(error))
            return
        ServiceView(self._share, link, self.guarded).show()

    def unshare(self) -> None:
        """End what `share` has started."""
        if self._share is not None:
            self._share.stop()

    def save(self, film: str = "mp4", drive: bool = False, download: bool = False) -> None:
        """Say where the latest picture and its film are, and hand them on.

        film: mp4, gif, or none; drive: put copies on Google Drive (it asks for access); download: have the browser save
        them; both on Colab only.
        """
        try:
            files = self._to_share(film)
        except Text2ArtError as error:
            say(str(error))
            return
        display(HTML("<br>".join(export.reference(path) for path in files)))
        if not export.links_work():
            allow_custom_widgets()
            show_widget(export.buttons_for(files, self.guarded), "Run this cell to download them")
        if drive:
            self._hand_on(lambda: copy_to_drive(files))
        if download:
            self._hand_on(lambda: export.download(files))

    def _hand_on(self, action: "Callable[[], list[Path] | None]") -> None:
        """Copy or download what was drawn; say where to, or in one sentence why not: the files stay where they are."""
        try:
            copies = action() or []
        except Text2ArtError as error:
            say(str(error))
            return
        if copies:
            display(HTML("<br>".join(html.escape(f"copied to {path}") for path in copies)))

    def _to_share(self, film: str) -> list[Path]:
        if self._places is None or self.result is None:
            raise RunError("there is no picture to share yet: run the paint cell first")
        if film not in ("mp4", "gif", "none"):
            raise SettingsError({"film": f"film must be mp4, gif or none; got {film!r}"})
        picture = self._places.picture
        films = [] if film == "none" else [self.shelf.film(picture, f".{film}")]
        return [picture, *self.shelf.strokes(picture), *films]

    @property
    def settings(self) -> Settings:
        """What is asked for now. Raises SettingsError."""
        return self._panel.settings if self._panel is not None else Settings(**self._given)

    @property
    def _asked(self) -> Settings:
        """As `settings`, with a prompt that stands in where there is none yet."""
        return self._panel.asked() if self._panel is not None else Settings(**{"prompts": "a picture", **self._given})

    # -- drawing

    async def _paint(self, easel: Easel) -> None:
        cell = LiveCell(easel.run, _start_picture(easel.run.settings), self.guarded, self._cell_view)
        self._cell_view = cell.view
        try:
            with answered(self._kernel):
                await self._follow(easel, cell)
            self._finish(easel)
            if easel.artwork is not None:
                cell.finish(easel.artwork, easel.run.total, easel.run.iteration)
            if easel.error is not None:
                cell.fail(self._sentence(easel.error))
            elif easel.artwork is None:
                cell.fail("stopped before the first frame")
        except KeyboardInterrupt:
            self._leave()
            cell.fail(TORN)
            raise
        finally:
            cell.leave()
        self._do_what_waits()

    def _draw_in_panel(self, easel: Easel) -> None:
        """Draw after a click on the panel, which alone shows it."""

        async def work() -> None:
            try:
                await self._follow(easel, by_hand=works_by_hand(self._kernel))
                self._finish(easel)
                self._do_what_waits()
            except KeyboardInterrupt:  # further up is the kernel's own loop, which would end, and the kernel with it
                self._leave()
            except Exception as error:  # nobody awaits this: what is not told here is lost
                self._report(error)

        run_after_click(work(), self._kernel)

    async def _follow(self, easel: Easel, *views: View, by_hand: bool = False) -> None:
        """Watch the easel to its end; let clicks in; hear Interrupt."""
        panel = self._panel
        watching: tuple[View, ...] = views if panel is None else (*views, panel.stage)
        if panel is not None:
            panel.stage.begin(easel.run.settings.last_drawer == "pixel")
        told = 0
        with Interrupts() as interrupts:
            easel.start()
            try:
                while not easel.done:
                    self._pump()
                    await pause(LOOK_SECONDS, by_hand)
                    self._obey(interrupts, easel)
                    self._steer(easel)
                    told += self._tell_fetching(easel.fetching[told:], in_cell=bool(views))
                    for view in watching:
                        view.show(easel)
            finally:
                easel.run.stop()  # also where this was torn away: nobody watches any more

    def _tell_fetching(self, notices: list[str], in_cell: bool) -> int:
        """Show what is being downloaded and under which licence, where it is watched; how many notices that were."""
        for notice in notices:
            if self._panel is not None:
                self._panel.stage.tell(notice)
            if in_cell:
                note(notice)
        return len(notices)

    def _obey(self, interrupts: Interrupts, easel: Easel) -> None:
        if interrupts.told == 1:
            easel.run.stop()
        elif interrupts.told > 1:
            raise KeyboardInterrupt

    def _leave(self) -> None:
        """After a second Interrupt: the run ends by itself, some time; the panel is ready for another one."""
        self._waiting = None
        if self._panel is not None:
            self._panel.stage.rest()
            self._panel.stage.tell(TORN, error=True)
            self._panel.go_on.refresh()

    def _finish(self, easel: Easel) -> None:
        """Keep what was drawn, and show it on the panel."""
        if easel.artwork is not None:
            self.result = easel.artwork
            self._save(easel)
            self._measure(easel)
        panel = self._panel
        if panel is not None:
            panel.stage.show(easel)
            if easel.artwork is not None:
                panel.stage.show_picture(easel.artwork.image)
            panel.stage.rest()
            panel.gallery.refresh()
            panel.go_on.refresh()
            panel.refresh()
        if easel.error is not None:
            self._report(easel.error)
        elif easel.trouble is not None and panel is not None:
            panel.stage.tell(easel.trouble, error=True)

    def _save(self, easel: Easel) -> None:
        if self._places is not None and easel.artwork is not None:
            try:
                easel.artwork.save(self._places.picture)
                if easel.artwork.svg is not None:  # here, for only the run still has the strokes
                    easel.artwork.save(self._places.picture.with_suffix(".svg"))
            except Text2ArtError as error:
                self._report(error)

    def _measure(self, easel: Easel) -> None:
        """Note what this run took, so that the next one's estimate is a measurement."""
        if easel.frame is None or easel.peak_bytes is None or easel.drawn < 3:
            return
        per_iteration = (easel.frame.seconds - easel.seconds_before) / easel.drawn
        start = max(0.0, (easel.first_frame_seconds or 0.0) - per_iteration)
        settings = easel.run.settings.with_(steering=())
        self._paces.note(settings, easel.drawn, per_iteration * easel.drawn, easel.peak_bytes, start)

    # -- putting runs on the easel

    def _new_easel(self, asked: Settings) -> Easel:
        from text2art_nb.runs.run import Run

        self._check_free()
        settings = _capped(asked).resolved()
        places = self.shelf.place(settings)
        return self._put(Run(settings, directory=places.directory), places)

    def _old_easel(self, directory: Path, more: int) -> Easel:
        from text2art_nb.runs.run import Run

        self._check_free()
        places = self.shelf.place_of(directory)
        run = Run.load(directory)
        total = run.total + more
        if more:
            run = Run.load(directory, iterations=total)
        if self._panel is not None:
            self._panel.fill(run.present.with_(iterations=total))
        return self._put(run, places)

    def _put(self, run: "Run", places: "Places | None") -> Easel:
        self._check_free()
        frames = self.shelf.frames(places, after=run.iteration) if places is not None else None
        self.run, self._places = run, places
        self._easel = Easel(run, frames, self._readiness.join)
        self._baseline = self._begun_as = None
        if self._panel is not None:
            self._panel.changed_at = None
            with contextlib.suppress(SettingsError):  # what is on the panel can't be drawn: then it can't steer either
                self._baseline = self._begun_as = self._for_steering(run)
        return self._easel

    async def _let_end(self) -> None:
        """Wait a while for a picture that was stopped and torn away from (by a second Interrupt) to end."""
        until = time.monotonic() + ENDING_SECONDS
        while self._is_busy and self.run is not None and self.run.stopped and time.monotonic() < until:
            self._pump()
            await pause(LOOK_SECONDS, by_hand=False)

    @property
    def _is_busy(self) -> bool:
        return self._easel is not None and self._easel.started and not self._easel.done

    def _check_free(self) -> None:
        if self._is_busy and self.run is not None and self.run.stopped:
            raise RunError("the last picture is still ending; try again in a moment")
        if self._is_busy:
            raise RunError("a picture is being drawn: stop it first")

    def _when_free(self, action: Callable[[], None]) -> None:
        """Do `action`, after stopping what is being drawn."""
        if self._is_busy:
            self._waiting = action
            self.stop()
        else:
            action()

    def _do_what_waits(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            self.guarded(waiting)()

    # -- steering and branching

    def _for_steering(self, run: "Run") -> Settings:
        """What the panel asks for, resolved as for `run`: where the panel says no seed, the run's counts.

        And where it says no iterations, those that its quality means for what draws now, not for the next picture.
        """
        asked = self.settings
        usual = run.settings.model_copy(update={"quality": asked.quality}).preset.iterations
        seed = run.settings.seed if asked.seed is None else asked.seed
        return asked.with_(seed=seed, iterations=asked.iterations or usual).resolved()

    def _steer(self, easel: Easel) -> None:
        """Pass on what was changed on the panel since the last time, once the hand has rested."""
        if self._panel is None or not self._panel.is_rested:
            return
        self._panel.changed_at = None
        try:
            wanted = self._for_steering(easel.run)
        except SettingsError:
            return  # it stands under its field
        if self._baseline is None:
            self._baseline = wanted
            return
        changes, later = differences(self._baseline, wanted)
        if changes:
            try:
                easel.run.steer(**changes)
            except SettingsError as error:
                self._panel.complain(error)
                return
        self._baseline = wanted
        if later:
            self._panel.stage.tell(f"{', '.join(later)}: from the next Draw on")
        elif changes:
            self._panel.stage.tell(f"{', '.join(sorted(changes))}: changed while drawing")

    def _branch(self, iteration: int) -> None:
        """Go on from the frame of `iteration` with what the panel says now.

        What a run can't change on its way (kind, size, models …) is drawn by a new one, which starts from the picture.
        """
        if self.run is None or self._places is None:
            raise RunError("there is no run to branch from yet")
        iteration = min(iteration, self.run.iteration)
        wanted = self._for_steering(self.run)
        changes, later = differences(self.run.settings.steered(iteration), wanted)
        if self._asks_for(later, wanted):
            frame = self.shelf.frames(self._places, after=None).nearest(iteration)
            if frame is None:
                raise RunError("the frames of this run are gone, so there is nothing to branch from")
            self._draw_in_panel(self._new_easel(self.settings.with_(init_image=frame[1], start="image")))
            return
        places = self.shelf.place(wanted)
        run = self.run.branch(iteration, places.directory, **changes)
        self._draw_in_panel(self._put(run, places))

    def _asks_for(self, names: list[str], wanted: Settings) -> bool:
        """Whether any of these settings is another one on the panel than when the run began.

        A run has changed some itself: what `auto` came to, who is the referee, how many candidates are left.
        """
        begun = self._begun_as
        return any(begun is None or getattr(begun, name) != getattr(wanted, name) for name in names)

    def _choose(self, candidate: int, among: int) -> None:
        """Go on with one of those that the sheet shows; a round that has ended since has given them other numbers."""
        if self.run is None:
            return
        if self.run.count != among:
            raise RunError("some of these have dropped out in the meantime: choose again among those that are left")
        self.run.steer(candidate=candidate)
        if self._panel is not None:
            self._panel.stage.tell("going on with that one alone")

    # -- masks

    def _under_mask(self) -> "tuple[Image.Image, tuple[int, int]]":
        """What a mask is painted over, and the size (width, height) of the picture that it is for.

        A picture to start from that the latest run didn't start from is what comes next; else the latest picture.
        """
        asked = self._asked
        begun = None if self.run is None else self.run.settings.init_image
        shown = None if self._easel is None else self._easel.shown
        if shown is None or asked.init_image not in (None, begun):
            return _start_picture(asked), asked.picture_size
        return shown.image, asked.picture_size

    def _take_mask(self, mask: str, words: str, number: int | None) -> int:
        """Make a painted mask one of the settings', in place of number `number` if it is still there; its number."""
        if self._panel is not None:
            line, masks = str(self._panel.field("prompts").entered), list(self._panel.field("masks").value)
        else:
            asked = self._asked
            line, masks = asked.prompts if "prompts" in self._given else "", list(asked.masks)
        place = len(masks) if number is None else min(number - 1, len(masks))
        masks[place : place + 1] = [mask]
        prompts = with_mask(line, place + 1, words)
        self.set(masks=masks, **({"prompts": prompts} if prompts else {}))
        if self._panel is not None:
            self._panel.changed_at = time.monotonic()
        return place + 1

    # -- the panel

    def _make_panel(self) -> "Panel":
        from text2art_nb.studio.gallery import Gallery
        from text2art_nb.studio.panel import Panel
        from text2art_nb.studio.resume_list import GoOn
        from text2art_nb.studio.stage import Stage

        def branch(iteration: int) -> None:
            self._when_free(lambda: self._branch(iteration))

        def go_on_with(place: Path, more: int) -> None:
            self._when_free(lambda: self._draw_in_panel(self._old_easel(place, more)))

        view = PanelView(self.guarded)
        stage = Stage(view, self._draw, self.pause, self.stop, branch, self._choose)
        gallery = Gallery(view, self.shelf, self._reuse)
        go_on = GoOn(view, self.shelf, go_on_with)
        masks = MasksField(view, self._under_mask, self._take_mask)
        return Panel(view, self._readiness, stage, gallery, go_on, self._remix, masks, self._estimate)

    def _draw(self) -> None:
        try:
            easel = self._new_easel(self.settings)
        except SettingsError as error:
            self._complain(error)
            if self._panel is not None:  # at the button, too: the field may be under a fold
                self._panel.stage.tell(str(error), error=True)
            return
        self._draw_in_panel(easel)

    def _estimate(self, settings: Settings) -> None:
        if self._panel is not None:
            takes = self._paces.guess(_capped(settings).resolved())
            self._panel.stage.estimate(f"This will take {takes}.", notice_of(to_fetch(settings)))

    def _reuse(self, settings: Settings) -> None:
        if self._panel is not None:
            self._fill(self._panel, settings)
            self._panel.stage.tell("every setting now comes from that picture")

    def _fill(self, panel: "Panel", settings: Settings) -> None:
        """Every field takes its value from `settings`: for the next Draw. What is being drawn goes on as it was."""
        panel.fill(settings)
        if self._is_busy and self.run is not None:
            self._baseline = None
            with contextlib.suppress(SettingsError):  # it stands under its field
                self._baseline = self._for_steering(self.run)

    def _remix(self, name: str, data: bytes) -> None:
        """Take every setting from a friend's file, and show its picture."""
        assert self._panel is not None  # the zone is on it
        try:
            artwork = Artwork.open(data)
            image = artwork.image
        except Text2ArtError as error:
            self._panel.say_remix(f"{name}: {error}", error=True)
            return
        self._fill(self._panel, artwork.settings)
        self._panel.stage.show_picture(image)
        steered = sum(1 for entry in artwork.settings.steering if not entry.stop)
        also = f" (and it is steered {steered} times on its way, as it was)" if steered else ""
        self._panel.say_remix(f"every setting now comes from {name}{also}; Draw draws it again")

    # -- what goes wrong

    def guarded(self, action: Callable[[], None]) -> Callable[..., None]:
        """`action` as a handler of a widget's event: what it raises is shown on the panel, and nothing is lost."""

        def handle(*_: object) -> None:
            try:
                action()
            except Exception as error:
                self._report(error)

        return handle

    def _report(self, error: Exception) -> None:
        if not isinstance(error, Text2ArtError):
            self.errors.append(error)
            logging.getLogger("text2art").error("a handler of the studio failed", exc_info=error)
        self._complain(error)

    def _complain(self, error: Exception) -> None:
        """Show it on the panel: under its field if it has one."""
        if self._panel is None:
            return
        if isinstance(error, SettingsError):
            self._panel.complain(error)
        else:
            self._panel.stage.tell(self._sentence(error), error=True)

    def _sentence(self, error: Exception) -> str:
        """An error for people."""
        if isinstance(error, Text2ArtError):
            return str(error)
        return f"something went wrong inside text2art ({type(error).__name__}: {error}); studio.errors has it whole"


def _check(settings: dict[str, Any]) -> None:
    """Raises SettingsError unless they would do with some prompt."""
    Settings(**{"prompts": "a picture", **settings})


def _capped(settings: Settings) -> Settings:
    """With no more iterations than $T2A_MAX_STEPS allows, where that is set: for tests of the notebook."""
    most = os.environ.get("T2A_MAX_STEPS", "")
    if not most.isdigit() or int(most) < 1:
        return settings
    return settings.with_(iterations=min(settings.resolved().iterations or 1, int(most)))


def _start_picture(settings: Settings) -> "Image.Image":
    """What there is to see before the first frame."""
    from text2art_nb.imaging.image_io import open_picture

    if settings.init_image is not None:
        return open_picture(settings.init_image)
    width, height = settings.picture_size
    scale = min(1.0, 768 / max(width, height))
    return soft_noise(max(1, round(width * scale)), max(1, round(height * scale)))
