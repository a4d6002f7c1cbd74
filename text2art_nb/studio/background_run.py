"""`BackgroundRun`: one run, drawn on a thread of its own, and what a view needs to know of it at this moment.

Views (the live cell, the panel) look at it whenever they like, on the kernel's main thread, which so stays free to hear
clicks and Interrupt however long an iteration takes. No widget is ever touched from here.
"""

import threading
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final

from text2art_nb import models
from text2art_nb.artifacts.frame_store import FrameStore
from text2art_nb.artifacts.output_paths import alone
from text2art_nb.runs.drawing import close_frames, keep_drawing, picture_of
from text2art_nb.runtime import openmp
from text2art_nb.runtime.machine import PeakMemory
from text2art_nb.studio.sparkline import Trace

if TYPE_CHECKING:
    from PIL import Image

    from text2art_nb.artifacts.artwork import Artwork
    from text2art_nb.runs.frame import Frame
    from text2art_nb.runs.run import Run

SECONDS_BETWEEN: Final = 0.1
"""At most ten pictures a second: more than that, browsers swap without painting."""


class BackgroundRun:
    """Draws `run` from `start` on.

    sketch: what it starts from, where that is there before the first frame; frame: the newest; shown: the newest whose
    picture is made; trace: scores and losses so far; artwork: the picture, once it's done; error: what ended it, or
    None; warning: what else went wrong, in a sentence, or None; downloads: what is being downloaded for it, and under
    which licence, in sentences.
    """

    def __init__(self, run: "Run", frames: FrameStore | None = None, ready: Callable[[], None] = lambda: None) -> None:
        """ready: called on the thread before it draws, to wait for models that are being loaded already."""
        self.run = run
        self.frames = frames
        self._ready = ready
        self.sketch: Image.Image | None = None
        self.frame: Frame | None = None
        self.shown: Frame | None = None
        self.trace = Trace()
        self.artwork: Artwork | None = None
        self.error: Exception | None = None
        self.warning: str | None = None
        self.downloads: list[str] = []
        self.peak_bytes: int | None = None
        self.first_frame_seconds: float | None = None
        self.drawn = 0
        self.seconds_before = run.seconds
        self.started = False
        self._began = time.monotonic()
        self._due = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._work, name="text2art-background-run", daemon=True)

    def start(self) -> None:
        """Begin to draw. The thread that calls, which may have computed before, only looks on from here."""
        openmp.let_helpers_go()
        self._began = time.monotonic()
        self.started = True
        self._thread.start()

    @property
    def done(self) -> bool:
        """Whether it has ended, in whatever way."""
        return self._done.is_set()

    def _work(self) -> None:
        try:
            self.sketch = self.run.sketch()
            self._ready()
            own = nullcontext() if self.run.directory is None else alone(self.run.directory)
            with own, models.telling(self.downloads.append), PeakMemory(self.run.settings.device) as memory:
                self._draw()
            self.peak_bytes = memory.bytes
        except Exception as error:
            self.error = error
        finally:
            self._done.set()

    def _draw(self) -> None:
        try:
            keep_drawing(self.run, self.frames, self._watch)
        finally:
            self.warning = close_frames(self.frames)
            if self.frame is not None:  # whatever has happened: what there is is kept
                self._show(self.frame)
                self.artwork = picture_of(self.run, self.frames)

    def _watch(self, frame: "Frame") -> None:
        now = time.monotonic()
        if self.first_frame_seconds is None:
            self.first_frame_seconds = now - self._began
        self.frame = frame
        self.drawn += 1
        self.trace.add(frame.score, frame.loss)
        if now >= self._due:
            self._show(frame)

    def _show(self, frame: "Frame") -> None:
        # Made here, where it delays no click, and where torch has its helpers already.
        _ = frame.image, frame.pixels if frame.candidates > 1 else None
        self.shown = frame
        self._due = time.monotonic() + SECONDS_BETWEEN
