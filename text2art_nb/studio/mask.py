"""Painting where a prompt shall count: a canvas over a picture, and what makes a mask of the settings of it."""

import html
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import anywidget
import ipywidgets as widgets
import traitlets

from text2art_nb.errors import SettingsError
from text2art_nb.prompts import mask_number, parse_prompts
from text2art_nb.studio.images import data_uri, jpeg
from text2art_nb.studio.kernel import heard_in_order
from text2art_nb.studio.picture_field import PictureField

if TYPE_CHECKING:
    from PIL import Image

PNG: Final = "data:image/png;base64,"
SIDE: Final = 512
"""The longer side of a painted mask, in pixels: it is softened at its edges anyway."""
MAX_PAINTED: Final = 4_000_000
"""Most characters of a painted mask; one that is longer was never painted here."""

Guarded = Callable[..., Callable[..., None]]
Under = Callable[[], "tuple[Image.Image, tuple[int, int]]"]
Take = Callable[[str, str, int | None], int]


class MaskCanvas(anywidget.AnyWidget):
    """A picture to paint over, in the browser.

    picture: what lies under it, as an address; width, height: of the mask, in pixels; painted: the mask after the last
    finished stroke, a PNG data URI, white where it was painted and black elsewhere; "" before the first stroke.
    """

    _esm = Path(__file__).with_name("mask.js")
    picture = traitlets.Unicode("").tag(sync=True)
    width = traitlets.Int(SIDE).tag(sync=True)
    height = traitlets.Int(SIDE).tag(sync=True)
    painted = traitlets.Unicode("").tag(sync=True)

    def __init__(self) -> None:
        super().__init__()
        self.on_msg(self._receive)

    def _receive(self, _: object, content: dict[str, Any], buffers: list[Any]) -> None:
        """What mask.js tells after each stroke; anything else is let go."""
        painted = content.get("painted")
        if isinstance(painted, str) and len(painted) <= MAX_PAINTED and (not painted or painted.startswith(PNG)):
            self.painted = painted


class MaskPainter:
    """The canvas, the words for what shall be there, and the buttons that hand both over.

    take: gets the mask as a PNG data URI, the words and the number of the mask that is to be replaced (None for one
    more), and returns the number that the mask has now. Raises SettingsError.
    """

    def __init__(self, guarded: Guarded, take: Take) -> None:
        self._take = take
        self._number: int | None = None
        self.canvas = MaskCanvas()
        self.words = widgets.Text(placeholder="what shall be there, like a red boat", continuous_update=False)
        self.words.layout.width = "100%"
        self.use, self.another = (widgets.Button() for _ in range(2))
        self.another.description, self.another.tooltip = "Another mask", "begin a new one, beside those that are there"
        self._note = widgets.HTML()
        for button, action in ((self.use, self._use), (self.another, self._begin_another)):
            button.add_class("t2a-small")
            button.on_click(guarded(action))
        buttons = widgets.Box([self.use, self.another])
        buttons.add_class("t2a-buttons")
        self.box = widgets.VBox([self.canvas, self.words, buttons, self._note])
        self.box.add_class("t2a-mask-painter")
        self._begin_another()

    def show(self, picture: "Image.Image", size: tuple[int, int]) -> None:
        """Lay the canvas over a picture, for pictures of `size` (width, height) pixels; what is painted stays.

        As drawing squeezes what it starts from to its size, so does this.
        """
        scale = SIDE / max(size)
        width, height = (max(1, round(side * scale)) for side in size)
        if (width, height) != (self.canvas.width, self.canvas.height):
            self.canvas.painted = ""
            self.canvas.width, self.canvas.height = width, height
        self.canvas.picture = data_uri(jpeg(picture.resize((width, height))))

    def _use(self) -> None:
        painted = self.canvas.painted
        if not painted:
            self.say("nothing is painted yet: paint over the picture where the prompt shall count", error=True)
            return
        try:
            self._number = self._take(painted, self.words.value.strip(), self._number)
        except SettingsError as error:
            self.say(str(error), error=True)
            return
        self.use.description = f"Change mask {self._number}"
        self.say(f"this is mask {self._number}: it is where a prompt counts that begins with [mask {self._number}]")

    def _begin_another(self) -> None:
        self._number = None
        self.canvas.painted = ""
        self.words.value = ""
        self.use.description = "Use it"
        self.say("")

    def say(self, sentence: str, error: bool = False) -> None:
        """Show a sentence under it."""
        kind = "t2a-note t2a-error" if error else "t2a-note"
        self._note.value = f'<div class="{kind}">{html.escape(sentence)}</div>' if sentence else ""


class MasksField(PictureField):
    """The masks of the settings: dropped as pictures, or painted on a canvas that a button opens.

    under: says what the canvas lies over, a picture and the size of what is to be drawn; take: see `MaskPainter`.
    """

    def __init__(self, guarded: Guarded, under: Under, take: Take) -> None:
        super().__init__("masks", "Masks", "where prompts like [mask 1] fog count", guarded, many=True)
        self._guarded, self._under, self._take_painted = guarded, under, take
        self.painter: MaskPainter | None = None
        self.paint = widgets.Button(description="Paint a mask", tooltip="over the picture that is there now")
        self.paint.add_class("t2a-small")
        self.paint.on_click(guarded(self._open))
        self.widget.children = (*self.widget.children, self.paint)

    def _open(self) -> None:
        """Show the canvas, over the picture of now; it is made when somebody asks for it."""
        if self.painter is None:
            self.painter = MaskPainter(self._guarded, self._take_painted)
            heard_in_order(self.painter.box)
            self.box.children = (*self.box.children, self.painter.box)
        self.painter.show(*self._under())


def with_mask(line: str, number: int, words: str) -> str:
    """A prompt line in which `words` count in mask `number`; as it is where that mask is named, or there are no words.

    >>> with_mask("a lake", 1, "a red boat")
    'a lake | [mask 1] a red boat'
    """
    if not words or names_mask(line, number):
        return line
    return " | ".join(part for part in (line.strip().rstrip("|").rstrip(), f"[mask {number}] {words}") if part)


def names_mask(line: str, number: int | None = None) -> bool:
    """Whether a prompt of a line counts in mask `number`, or in any mask; not where the line can't be read."""
    try:
        found = [mask_number(prompt.region) for prompt in parse_prompts(line)]
    except ValueError:
        return False
    return any(each is not None and number in (None, each) for each in found)
