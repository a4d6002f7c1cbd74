"""The picture as it grows, in a file that an image viewer shows anew whenever it changes."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from text2art_nb.artifacts.encoders import put
from text2art_nb.cli.process_clock import Clock
from text2art_nb.errors import ArtworkError

if TYPE_CHECKING:
    from PIL import Image

    from text2art_nb.runs.frame import Frame
    from text2art_nb.runs.run import Run

SECONDS: Final = 0.5  # between two pictures, at least


class Growing:
    """Keeps the file `path` at what a run has come to, twice a second: its sketch, then its frames.

    first_seconds: from the process's start to the first picture; None before it. trouble: why there will be no more.
    """

    def __init__(self, path: Path, clock: Clock) -> None:
        self._path, self._clock = path, clock
        self.first_seconds: float | None = None
        self.trouble: str | None = None
        self._written = -SECONDS

    def begin(self, run: "Run") -> None:
        """Show what `run` starts from, if that is known before its models are loaded."""
        sketch = run.sketch()
        if sketch is not None:
            self._show(sketch)

    def show(self, frame: "Frame") -> None:
        """Show `frame`, if the last picture was shown long enough."""
        if self.trouble is None and (frame.iteration == 1 or time.monotonic() - self._written >= SECONDS):
            self._show(frame.image)

    def _show(self, picture: "Image.Image") -> None:
        from text2art_nb.artifacts.frame_store import encoded

        try:
            put(self._path, encoded(picture))
        except ArtworkError as error:  # nobody can watch it then; that is no reason not to draw it
            self.trouble = str(error)
            return
        self._written = time.monotonic()
        if self.first_seconds is None:
            self.first_seconds = round(self._clock.seconds, 2)
