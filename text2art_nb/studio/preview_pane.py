"""The panel's right half: Draw, Pause, Stop; the picture, its progress, its candidates and earlier frames."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from text2art_nb.runs.frame import Frame
from text2art_nb.runtime.formatting import about
from text2art_nb.studio.images import as_shown, data_uri, jpeg, thumbnail
from text2art_nb.studio.live_view import SKETCHED, progress_of
from text2art_nb.studio.view import PanelView

if TYPE_CHECKING:
    from PIL import Image

    from text2art_nb.studio.background_run import BackgroundRun

Action = Callable[[], None]

SECONDS_BETWEEN: Final = 0.2
"""At most five frames a second: the page has a form to keep alive, too."""
MEASURED_ITERATIONS: Final = 3
"""Iterations after which the estimate is what the run itself takes."""
STILL_SIDE: Final = 320
STILL_BYTES: Final = 24_000
"""The picture that stays in the panel's state, and so may be in the notebook's file."""


class PreviewPane:
    """The picture being drawn, its buttons and its progress.

    draw, pause, stop: what the buttons do; branch: takes the iteration to go back to; choose: takes the number of a
    candidate, and among how many it was.

    The trait `progress`: drawing, paused; estimate, notice: before it begins; message, wrong: the sentence under the
    buttons; status, share, trace, notices: see `progress_of`; sharp: whether its pixels are meant to be seen.
    """

    def __init__(
        self,
        view: PanelView,
        draw: Action,
        pause: Action,
        stop: Action,
        branch: Callable[[int], None],
        choose: Callable[[int, int], None],
    ) -> None:
        self._view = view
        for name, action in (("draw", draw), ("pause", pause), ("stop", stop)):
            view.on_click(name, action)
        self.time = TimeMachine(view, branch, self.show_picture)
        self.candidates = Candidates(view, choose)
        self._seen: Frame | Image.Image | None = None
        self._due = 0.0
        self._picture: tuple[bytes, str] | None = None
        self._sharp = False
        self._downloads = 0
        view.on_click("hello", self._send_picture)
        view.progress = {"drawing": False, "paused": False, "status": "", "share": None, "sharp": False}

    def _set(self, **changes: Any) -> None:
        self._view.progress = {**self._view.progress, **changes}

    @property
    def shown(self) -> dict[str, Any]:
        """The trait `progress`: everything shown but the pictures."""
        return dict(self._view.progress)

    @property
    def picture(self) -> bytes:
        """The file of the picture that it shows; b"" before there is one."""
        return b"" if self._picture is None else self._picture[0]

    def show_estimate(self, sentence: str, notice: str = "") -> None:
        """Show what drawing will take, and what will be downloaded for it."""
        self._set(estimate=sentence, notice=notice)

    def show_message(self, sentence: str, error: bool = False) -> None:
        """Show a sentence under the buttons; an empty one removes it."""
        self._set(message=sentence, wrong=error and bool(sentence))

    def idle(self) -> None:
        """Show that nothing is being drawn."""
        self._set(drawing=False, paused=False)
        if self._view.progress.get("share") is None:
            self._set(status="")  # it never came to a first frame, and isn't loading any more

    def begin(self, pixel_art: bool) -> None:
        """Show that a run begins. pixel_art: whether its pixels are meant to be seen."""
        self._seen, self._due, self._sharp, self._downloads = None, 0.0, pixel_art, 0
        self.time.follow()
        self.candidates.clear()
        loading: dict[str, Any] = {"status": "loading the models …", "share": None, "trace": "", "notices": []}
        self._set(drawing=True, paused=False, sharp=pixel_art, message="", wrong=False, **loading)

    def show(self, background: "BackgroundRun") -> None:
        """Show a run's newest picture and progress."""
        frame = background.shown
        if len(background.downloads) > self._downloads and not background.done:
            self._downloads = len(background.downloads)
            self.show_message(background.downloads[-1])
        if self._view.progress["paused"] != background.run.paused and not background.done:
            self._set(paused=background.run.paused, **({} if frame is None else progress_of(background, frame)))
        if frame is None:
            self._show_sketch(background)
            return
        if not background.done and (frame is self._seen or time.monotonic() < self._due):
            return
        self._seen = frame
        self._due = time.monotonic() + SECONDS_BETWEEN
        self.time.extend(frame.iteration, background)
        if self.time.following:
            self._put(frame.image)
        self.candidates.show(frame)
        self._set(**progress_of(background, frame), **_measured(background, frame))

    def _show_sketch(self, background: "BackgroundRun") -> None:
        if background.sketch is None or background.sketch is self._seen:
            return
        self._seen = background.sketch
        self._put(background.sketch)
        self._set(status=SKETCHED)

    def show_picture(self, image: "Image.Image") -> None:
        """Show a picture that stays for a while: a small copy of it is kept in the panel's state."""
        self._put(image)
        self._view.still = _still(image)

    def _put(self, image: "Image.Image") -> None:
        self._picture = as_shown(image, self._sharp)
        self._send_picture()

    def _send_picture(self) -> None:
        if self._picture is not None:
            self._view.show("picture", self._picture[0], kind=self._picture[1])


def _measured(background: "BackgroundRun", frame: Frame) -> dict[str, Any]:
    """Correct the estimate by the pace of the run itself, once there are a few iterations to go by."""
    if background.done or background.drawn < MEASURED_ITERATIONS or not frame.eta:
        return {}
    return {"estimate": f"This takes about {about(frame.seconds + frame.eta)} in all, at its present pace."}


def _still(image: "Image.Image") -> str:
    """As good a small picture as fits into the panel's state."""
    for quality in (85, 70, 50, 30):
        data = jpeg(image, quality, STILL_SIDE)
        if len(data) <= STILL_BYTES:
            break
    return data_uri(data)


class TimeMachine:
    """A slider over all frames of the run, and a button to continue from any of them.

    look: shows a picture. The trait `time`: there: whether there are frames; last: how many; at: which one is shown;
    note: says which, unless it is the newest.
    """

    def __init__(self, view: PanelView, branch: Callable[[int], None], look: "Callable[[Image.Image], None]") -> None:
        self.following = True
        self._view, self._look = view, look
        self._background: BackgroundRun | None = None
        view.time = {"there": False, "last": 1, "at": 1, "note": ""}
        view.on_message("look", lambda content, buffers: self.move(int(content["at"])))
        view.on_click("branch", lambda: branch(self.at))

    @property
    def at(self) -> int:
        """The frame that it stands at."""
        return int(self._view.time["at"])

    @property
    def last(self) -> int:
        """The newest frame."""
        return int(self._view.time["last"])

    def _set(self, **changes: Any) -> None:
        self._view.time = {**self._view.time, **changes}

    def follow(self) -> None:
        """Follow the newest frame."""
        self.following = True
        self._set(note="")

    def extend(self, iteration: int, background: "BackgroundRun") -> None:
        """There are so many frames now."""
        self._background = background
        self._set(there=True, last=iteration, at=iteration if self.following else min(self.at, iteration))

    def move(self, to: int) -> None:
        """Show the frame `to`, or the nearest one that there is."""
        if self._background is None or self._background.frames is None:
            return
        to = min(max(to, 1), self.last)
        self.following = to >= self.last
        found = self._background.frames.nearest(to)
        if found is None:
            return
        iteration, picture = found
        self._set(at=to, note="" if self.following else f"this is frame {iteration}")
        self._look(picture)


class Candidates:
    """A live contact sheet, best first. A click continues with one candidate alone.

    The trait `candidates`: number, among and label each. Which one was meant, and among how many, comes back with the
    click: the sheet may have changed since.
    """

    MOST: Final = 16
    SECONDS: Final = 1.0

    def __init__(self, view: PanelView, choose: Callable[[int, int], None]) -> None:
        self._view, self._choose = view, choose
        self._pictures: list[bytes] = []
        self._due = 0.0
        self._chosen_among = 0
        view.on_message("choose", lambda content, buffers: self.choose(int(content["number"]), int(content["among"])))
        view.on_click("hello", self._send)

    @property
    def shown(self) -> list[dict[str, Any]]:
        """Those on the sheet, the best first."""
        return list(self._view.candidates)

    def clear(self) -> None:
        """Remove all candidates."""
        self._view.candidates, self._pictures, self._due, self._chosen_among = [], [], 0.0, 0

    def show(self, frame: Frame) -> None:
        """The candidates of `frame`, about once a second; one alone needs no sheet."""
        if frame.candidates == 1:
            if self._view.candidates:
                self.clear()
            return
        if time.monotonic() < self._due or frame.candidates == self._chosen_among:
            return
        self._due = time.monotonic() + self.SECONDS
        order = sorted(range(frame.candidates), key=lambda each: -frame.scores[each])[: self.MOST]
        self._pictures = [thumbnail(_picture(frame, candidate), 144) for candidate in order]
        self._view.candidates = [
            {"number": candidate, "among": frame.candidates, "label": f"{place} · {frame.scores[candidate]:.3f}"}
            for place, candidate in enumerate(order, 1)
        ]
        self._send()

    def _send(self) -> None:
        if self._pictures:
            self._view.show("candidates", *self._pictures)

    def choose(self, number: int, among: int) -> None:
        """Continue with one candidate alone. The sheet goes at once, the others with the next iteration."""
        self._due = 0.0  # where it was too late, it shows next what there is now
        self._choose(number, among)
        self.clear()
        self._chosen_among = among


def _picture(frame: Frame, candidate: int) -> "Image.Image":
    from PIL import Image

    return Image.fromarray(frame.pixels[candidate])
