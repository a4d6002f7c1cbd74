"""The stage: the panel's right half. Draw, Pause, Stop; the picture; how far it is; the way back; the candidates."""

import html
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import ipywidgets as widgets

from text2art_nb.frame import Frame
from text2art_nb.studio.images import data_uri, jpeg, thumbnail
from text2art_nb.studio.kernel import heard_in_order
from text2art_nb.studio.live import SKETCHED, progress

if TYPE_CHECKING:
    from PIL import Image

    from text2art_nb.studio.easel import Easel

Action = Callable[[], None]
Guarded = Callable[..., Callable[..., None]]

EMPTY: Final = '<div class="t2a-empty">Your picture grows here.</div>'


class Stage:
    """What is on the easel, for the panel.

    guarded: wraps handlers; draw, pause, stop: what the buttons do; branch: takes the iteration to go back to; choose:
    takes the number of a candidate, and among how many it was.
    """

    def __init__(
        self,
        guarded: Guarded,
        draw: Action,
        pause: Action,
        stop: Action,
        branch: Callable[[int], None],
        choose: Callable[[int, int], None],
    ) -> None:
        self.draw, self.pause, self.stop = (widgets.Button(description=each) for each in ("Draw", "Pause", "Stop"))
        for button, name, action in (
            (self.draw, "t2a-draw", draw),
            (self.pause, "t2a-quiet", pause),
            (self.stop, "t2a-stop", stop),
        ):
            button.add_class(name)
            button.on_click(guarded(action))
        buttons = widgets.Box([self.draw, self.pause, self.stop])
        buttons.add_class("t2a-buttons")
        self._estimate, self._status, self._message = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._picture = widgets.Image(format="jpeg", layout=widgets.Layout(display="none"))
        self._empty = widgets.HTML(EMPTY)
        self._frame_box = widgets.VBox([self._empty, self._picture])
        self._frame_box.add_class("t2a-picture")
        self.time = TimeMachine(guarded, branch, self.show_picture)
        self.candidates = Candidates(guarded, choose)
        self.box = widgets.VBox(
            [self._estimate, buttons, self._message, self._frame_box, self._status, self.candidates.box, self.time.box]
        )
        self.rest()
        self._seen: Frame | Image.Image | None = None
        self._sharp = False

    def estimate(self, sentence: str, notice: str = "") -> None:
        """What drawing will take, before it begins, and what will be fetched for it."""
        fetched = f'<div class="t2a-notice">{html.escape(notice)}</div>' if notice else ""
        self._estimate.value = f'<div class="t2a-estimate">{html.escape(sentence)}</div>{fetched}'

    def tell(self, sentence: str, error: bool = False) -> None:
        """A sentence under the buttons; an empty one takes it away."""
        kind = "t2a-note t2a-error" if error else "t2a-note"
        self._message.value = f'<div class="{kind}">{html.escape(sentence)}</div>' if sentence else ""

    def rest(self) -> None:
        """Nothing is being drawn."""
        self.draw.disabled, self.pause.disabled, self.stop.disabled = False, True, True
        self.pause.description = "Pause"

    def begin(self, pixel_art: bool) -> None:
        """A run begins."""
        self.draw.disabled, self.pause.disabled, self.stop.disabled = True, False, False
        self._seen = None
        self.time.follow()
        self.candidates.clear()
        if pixel_art:
            self._frame_box.add_class("t2a-sharp")
        else:
            self._frame_box.remove_class("t2a-sharp")
        self._status.value = '<div class="t2a-status">loading the models …</div>'

    def show(self, easel: "Easel") -> None:
        """What the easel has now."""
        paused = "Resume" if easel.run.paused else "Pause"
        if self.pause.description != paused:
            self.pause.description = paused
        frame = easel.shown
        if frame is None:
            self._show_sketch(easel)
            return
        if frame is self._seen:
            return
        self._seen = frame
        self.time.extend(frame.iteration, easel)
        if self.time.following:
            self.show_picture(frame.image)
        self.candidates.show(frame)
        self._status.value = progress(easel, frame)

    def _show_sketch(self, easel: "Easel") -> None:
        if easel.sketch is None or easel.sketch is self._seen:
            return
        self._seen = easel.sketch
        self.show_picture(easel.sketch)
        self._status.value = f'<div class="t2a-status">{SKETCHED}</div>'

    def show_picture(self, image: "Image.Image") -> None:
        """Put a picture on the stage."""
        self._picture.value = jpeg(image)
        if self._picture.layout.display == "none":
            self._picture.layout.display = ""
            self._empty.add_class("t2a-gone")


class TimeMachine:
    """A slider over all frames of the run, and the way to go on from any of them.

    look: shows a picture on the stage.
    """

    def __init__(self, guarded: Guarded, branch: Callable[[int], None], look: "Callable[[Image.Image], None]") -> None:
        self.following = True
        self._look = look
        self._easel: Easel | None = None
        self._moving = False
        self._slider = widgets.IntSlider(min=1, max=1, value=1, layout=widgets.Layout(width="100%"))
        self._branch = widgets.Button(description="Branch from here")
        self._branch.add_class("t2a-small")
        self._note = widgets.HTML()
        label = '<div class="t2a-label">Time machine<span>go back to any frame, change a setting, branch</span></div>'
        self.box = widgets.VBox([widgets.HTML(label), self._slider, widgets.HBox([self._branch, self._note])])
        self.box.add_class("t2a-time")
        self.box.add_class("t2a-gone")
        self._slider.observe(guarded(self._moved), "value")
        self._branch.on_click(guarded(lambda: branch(int(self._slider.value))))

    def follow(self) -> None:
        """Show the newest frame from now on."""
        self.following = True
        self._note.value = ""

    def extend(self, iteration: int, easel: "Easel") -> None:
        """There are so many frames now."""
        if self._easel is not easel:
            self._easel = easel
            self.box.remove_class("t2a-gone")
        self._moving = True
        try:
            if self.following and iteration < self._slider.value:
                self._slider.value = iteration
            self._slider.max = iteration
            if self.following:
                self._slider.value = iteration
        finally:
            self._moving = False

    def _moved(self) -> None:
        if self._moving or self._easel is None or self._easel.frames is None:
            return
        self.following = self._slider.value >= self._slider.max
        found = self._easel.frames.nearest(int(self._slider.value))
        if found is None:
            return
        iteration, picture = found
        self._note.value = "" if self.following else f'<div class="t2a-note">this is frame {iteration}</div>'
        self._look(picture)


class Candidates:
    """A live contact sheet, the best first; a click goes on with one of them alone."""

    MOST: Final = 16
    SECONDS: Final = 1.0

    def __init__(self, guarded: Guarded, choose: Callable[[int, int], None]) -> None:
        self._guarded, self._choose = guarded, choose
        self._key = f"t2a-c{secrets.token_hex(3)}"
        self._pictures = widgets.HTML()
        self._buttons: list[widgets.Button] = []
        self._order: list[int] = []
        self._count = 0
        self._due = 0.0
        label = '<div class="t2a-label">Candidates<span>the best first; click one to go on with it alone</span></div>'
        self._sheet = widgets.Box([])
        self._sheet.add_class("t2a-pills")
        self.box = widgets.VBox([widgets.HTML(label), self._sheet, self._pictures])
        self.box.add_class("t2a-candidates")
        self.box.add_class("t2a-gone")

    def clear(self) -> None:
        """None."""
        self.box.add_class("t2a-gone")
        self._pictures.value = ""
        self._order = []
        self._due = 0.0

    def show(self, frame: Frame) -> None:
        """The candidates of `frame`, about once a second; one alone needs no sheet."""
        if frame.candidates == 1:
            if self._order:
                self.clear()
            return
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + self.SECONDS
        self._count = frame.candidates
        self._order = sorted(range(frame.candidates), key=lambda each: -frame.scores[each])[: self.MOST]
        self._make(len(self._order))
        rules = []
        for place, (button, candidate) in enumerate(zip(self._buttons, self._order, strict=False)):
            button.description = f"{place + 1} · {frame.scores[candidate]:.3f}"
            picture = data_uri(thumbnail(_picture(frame, candidate), 144))
            rules.append(f".{self._key}-{place}{{background-image:url({picture})!important}}")
        self._pictures.value = f"<style>{''.join(rules)}</style>"
        self.box.remove_class("t2a-gone")

    def _make(self, count: int) -> None:
        """So many buttons."""
        while len(self._buttons) < count:
            place = len(self._buttons)
            button = widgets.Button(tooltip="go on with this one alone")
            button.add_class("t2a-candidate")
            button.add_class(f"{self._key}-{place}")
            button.on_click(self._guarded(lambda place=place: self._chosen(place)))
            heard_in_order(button)
            self._buttons.append(button)
        if len(self._sheet.children) != count:
            self._sheet.children = self._buttons[:count]

    def _chosen(self, place: int) -> None:
        if place < len(self._order):
            self._due = 0.0  # it shows next what came of that, also where it was too late
            self._choose(self._order[place], self._count)


def _picture(frame: Frame, candidate: int) -> "Image.Image":
    from PIL import Image

    return Image.fromarray(frame.pixels[candidate])
