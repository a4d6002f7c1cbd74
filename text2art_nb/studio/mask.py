"""Paint masks: a canvas over a picture, and the mask that it becomes in the settings."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from text2art_nb.errors import SettingsError
from text2art_nb.settings.prompts import mask_number, parse_prompts
from text2art_nb.studio.images import jpeg
from text2art_nb.studio.picture_field import PictureField
from text2art_nb.studio.view import MaskView, PanelView

if TYPE_CHECKING:
    from PIL import Image

PNG: Final = "data:image/png;base64,"
SIDE: Final = 512
"""The longer side of a painted mask, in pixels: it is softened at its edges anyway."""
MAX_PAINTED: Final = 4_000_000
"""Most characters of a painted mask; one that is longer was never painted here."""
MAX_WORDS: Final = 2_000

Under = Callable[[], "tuple[Image.Image, tuple[int, int]]"]
Take = Callable[[str, str, int | None], int]


class MaskPainter:
    """The canvas, the words for what should be there, and the buttons that hand both over.

    take: gets the mask as a PNG data URI, the words and the number of the mask that is to be replaced (None for one
    more), and returns the number that the mask has now. Raises SettingsError.

    The trait `mask`: open: whether it is on the page; width, height: of the mask, in pixels; painted: the mask after
    the last finished stroke, a PNG data URI, white where it was painted and black elsewhere, "" before the first;
    words; number: of the mask that it is, None for a new one; note, wrong: the sentence under it.
    """

    def __init__(self, view: PanelView | MaskView, take: Take) -> None:
        self._view, self._take = view, take
        self._under = b""
        view.mask = {"open": False, "width": SIDE, "height": SIDE, "painted": "", "words": "", "number": None}
        view.on_message("painted", lambda content, buffers: self._painted(content.get("painted")))
        view.on_message("use_mask", lambda content, buffers: self.use(str(content.get("words", ""))))
        view.on_click("another_mask", self.begin_another)
        view.on_click("hello", self._send)

    @property
    def shown(self) -> dict[str, Any]:
        """The trait `mask`: everything shown but the picture under the canvas."""
        return dict(self._view.mask)

    @property
    def under(self) -> bytes:
        """The picture under the canvas, a JPEG."""
        return self._under

    def _set(self, **changes: Any) -> None:
        self._view.mask = {**self._view.mask, **changes}

    def show(self, picture: "Image.Image", size: tuple[int, int]) -> None:
        """Lay the canvas over a picture, for pictures of `size` (width, height) pixels; what is painted stays.

        As drawing squeezes what it starts from to its size, so does this.
        """
        scale = SIDE / max(size)
        width, height = (max(1, round(side * scale)) for side in size)
        other = (width, height) != (self.shown["width"], self.shown["height"])
        painted = "" if other else self.shown["painted"]
        self._set(open=True, width=width, height=height, painted=painted)
        self._under = jpeg(picture.resize((width, height)))
        self._send()

    def _send(self) -> None:
        if self._under:
            self._view.show("under", self._under)

    def _painted(self, painted: Any) -> None:
        """Take the mask that mask.js sends after each stroke; ignore anything else."""
        if isinstance(painted, str) and len(painted) <= MAX_PAINTED and (not painted or painted.startswith(PNG)):
            self._set(painted=painted)

    def use(self, words: str) -> None:
        """Put the mask and its words into the settings."""
        words = words.strip()[:MAX_WORDS]
        self._set(words=words)
        painted, number = self.shown["painted"], self.shown["number"]
        if not painted:
            self.show_note("Nothing is painted yet: paint over the picture where the prompt should apply.", error=True)
            return
        try:
            number = self._take(painted, words, number)
        except SettingsError as error:
            self.show_note(str(error), error=True)
            return
        self._set(number=number)
        self.show_note(f"This is mask {number}. A prompt that begins with [mask {number}] applies there.")

    def begin_another(self) -> None:
        """Start a new mask beside the others."""
        self._set(number=None, painted="", words="")
        self.show_note("")

    def show_note(self, sentence: str, error: bool = False) -> None:
        """Show a sentence under it."""
        self._set(note=sentence, wrong=error and bool(sentence))


class MasksField(PictureField):
    """The masks of the settings: dropped as pictures, or painted on a canvas that a button opens.

    under: says what the canvas lies over, a picture and the size of what is to be drawn; take: see `MaskPainter`.
    """

    kind = "masks"

    def __init__(self, view: PanelView, under: Under, take: Take) -> None:
        super().__init__("masks", "Masks", "where prompts like [mask 1] fog apply", many=True)
        self._under = under
        self.painter = MaskPainter(view, take)
        view.on_click("paint_mask", self.open)

    def open(self) -> None:
        """Open the canvas over the present picture."""
        self.painter.show(*self._under())

    def _put(self, pictures: list[str]) -> None:
        if not pictures and self.painter.shown["number"] is not None:
            self.painter.begin_another()  # the mask that it was is gone
        super()._put(pictures)


def with_mask(line: str, number: int, words: str) -> str:
    """A prompt line in which `words` count in mask `number`; as it is where that mask is named, or there are no words.

    >>> with_mask("a lake", 1, "a red boat")
    'a lake | [mask 1] a red boat'
    """
    if not words or names_mask(line, number):
        return line
    return " | ".join(part for part in (line.strip().rstrip("|").rstrip(), f"[mask {number}] {words}") if part)


def names_mask(line: str, number: int | None = None) -> bool:
    """Whether a prompt applies in mask `number`, or in any mask; False for a line that can't be parsed."""
    try:
        found = [mask_number(prompt.region) for prompt in parse_prompts(line)]
    except ValueError:
        return False
    return any(each is not None and number in (None, each) for each in found)
