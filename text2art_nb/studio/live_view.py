"""The live cell: the controls and the growing picture in a cell's own output, and what stays there afterwards.

The picture is display data, not a widget: so it is in the notebook's file, and a friend sees it without a kernel.
"""

import html
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from text2art_nb.runtime.formatting import about
from text2art_nb.studio.images import jpeg, static_jpeg
from text2art_nb.studio.output import note, replace_by_html, show_jpeg, show_widget
from text2art_nb.studio.view import CellView

if TYPE_CHECKING:
    from PIL import Image

    from text2art_nb.artifacts.artwork import Artwork
    from text2art_nb.runs.frame import Frame
    from text2art_nb.runs.run import Run
    from text2art_nb.studio.background_run import BackgroundRun

AGAIN = "Run this cell to draw again"
SKETCHED = "first sketch; loading the models that draw it out …"


def status_line(frame: "Frame", going: bool = True) -> str:
    """iteration 12 of 120 · score 0.310 · about 14 s left. going: whether it is being drawn; else no time is left."""
    left = f" · about {about(frame.eta)} left" if frame.eta and going else ""
    return f"iteration {frame.iteration} of {frame.total} · score {frame.score:.3f}{left}"


def progress_of(background: "BackgroundRun", frame: "Frame") -> dict[str, Any]:
    """Describe a run's progress for the page.

    share: of all iterations, 0..1; status: the status line; trace: the curves of score and loss, as SVG; notices: the
    run's latest notices.
    """
    return {
        "share": round(frame.iteration / max(1, frame.total), 4),
        "status": status_line(frame, going=not background.done and not background.run.paused),
        "trace": background.trace.svg,
        "notices": list(background.run.notices[-2:]),
    }


class LiveCell:
    """One cell's output: [Pause] [Stop] status, and below it the picture.

    Its view goes from one cell to the next, and is never closed: Colab's widget manager can't close what is on the page
    ("Cannot convert undefined or null to object"), and every further one would be saved with the notebook.
    """

    def __init__(
        self,
        run: "Run",
        start: "Image.Image",
        guarded: Callable[..., Callable[..., None]],
        view: CellView | None = None,
    ) -> None:
        """guarded: wraps an event handler so that its errors are reported (`ErrorLog.guarded`).

        view: that of the cell before, which has ended; None where there was none.
        """
        self._run = run
        self._ids = f"t2a-{secrets.token_hex(6)}", f"t2a-{secrets.token_hex(6)}"
        self._shown: Frame | Image.Image | None = None
        self._downloads = 0
        self._paused: bool | None = None
        self.view = CellView(guarded) if view is None else view
        self.view.progress = {"status": "loading the models …", "share": None}
        self.view.on_click("pause", self._toggle)
        self.view.on_click("stop", lambda: self._run.stop())
        self._show_buttons()
        show_widget(self.view, AGAIN, self._ids[0])
        show_jpeg(jpeg(start), self._ids[1], update=False)

    def _show_buttons(self) -> None:
        paused = self._run.paused
        if paused == self._paused:
            return
        self._paused = paused
        self.view.buttons = [
            ["pause", "Resume" if paused else "Pause", "wait before the next iteration", False],
            ["stop", "Stop", "end here, and keep the picture", False],
        ]

    def _toggle(self) -> None:
        if self._run.paused:
            self._run.resume()
        else:
            self._run.pause()
        self._show_buttons()

    def show(self, background: "BackgroundRun") -> None:
        """Show a run's newest picture, its progress, and what is downloaded for it."""
        for notice in background.downloads[self._downloads :]:
            self._downloads += 1
            note(notice)
        self._show_buttons()  # the panel has a button for that, too
        frame = background.shown
        if frame is None:
            self._show_sketch(background)
            return
        if frame is self._shown:
            return
        self._shown = frame
        show_jpeg(jpeg(frame.image), self._ids[1], update=True)
        self.view.progress = progress_of(background, frame)

    def _show_sketch(self, background: "BackgroundRun") -> None:
        if background.sketch is None or background.sketch is self._shown:
            return
        self._shown = background.sketch
        show_jpeg(jpeg(background.sketch), self._ids[1], update=True)
        self.view.progress = {"status": SKETCHED, "share": None}

    def finish(self, artwork: "Artwork", total: int, iteration: int) -> None:
        """Leave the finished picture and its caption, without any widget."""
        show_jpeg(static_jpeg(artwork), self._ids[1], update=True)
        self.leave()
        replace_by_html(caption(artwork, total, iteration), self._ids[0])

    def fail(self, sentence: str) -> None:
        """Leave one plain sentence in place of the controls."""
        self.leave()
        replace_by_html(f'<div class="t2a-caption t2a-error">{html.escape(sentence)}</div>', self._ids[0])

    def leave(self) -> None:
        """Disable the controls; the display stays."""
        self.view.clear_handlers()
        self.view.buttons = [[*button[:3], True] for button in self.view.buttons]


def caption(artwork: "Artwork", total: int, iteration: int) -> str:
    """Describe a finished picture, as HTML: the prompt, how far it came, and the call that draws it again."""
    settings = artwork.settings
    state = f"done, {iteration} iterations" if iteration >= total else f"stopped at iteration {iteration} of {total}"
    width, height = settings.picture_size
    facts = [state, settings.drawer, settings.model, f"{width}×{height}", f"seed {settings.seed}"]
    if artwork.score is not None:
        facts.append(f"score {artwork.score:.3f}")
    if steered := [str(entry.iteration) for entry in settings.steering if not entry.stop]:
        facts.append(f"changed at iteration {', '.join(steered)}")
    prompt = settings.prompts or "(pictures as prompts)"
    return (
        '<div class="t2a-caption" style="font:14px/1.5 system-ui,sans-serif;margin:4px 0">'
        f"<strong>{html.escape(prompt)}</strong><br>"
        f'<span style="opacity:.7">{html.escape(" · ".join(fact for fact in facts if fact))}</span><br>'
        f'<code style="font-size:12px">{html.escape(_call(artwork))}</code></div>'
    )


def _call(artwork: "Artwork") -> str:
    """A line of Python that draws a similar picture."""
    settings = artwork.settings
    shown = {
        "drawer": settings.drawer,
        "model": settings.model,
        "quality": settings.quality,
        "size": "x".join(map(str, settings.picture_size)),
        "iterations": settings.iterations,
        "seed": settings.seed,
    }
    defaults = {"drawer": "vqgan", "model": "embedded", "quality": "normal"}
    words = [f"{name}={value!r}" for name, value in shown.items() if value != defaults.get(name)]
    return f"draw({settings.prompts!r}, {', '.join(words)})"
