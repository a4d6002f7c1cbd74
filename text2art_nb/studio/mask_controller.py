"""Connect the mask painter to the requested settings and to the picture being drawn."""

from typing import TYPE_CHECKING

from text2art_nb.studio.error_log import ErrorLog
from text2art_nb.studio.images import start_picture
from text2art_nb.studio.mask import MaskPainter, MasksField, with_mask
from text2art_nb.studio.requested import RequestedSettings
from text2art_nb.studio.run_session import RunSession
from text2art_nb.studio.view import MaskView, PanelView

if TYPE_CHECKING:
    from PIL import Image


class MaskController:
    """Chooses the picture under the canvas, and puts painted masks into the settings."""

    def __init__(self, session: RunSession, requested: RequestedSettings, errors: ErrorLog) -> None:
        self._session, self._requested, self._errors = session, requested, errors

    def field(self, view: PanelView) -> MasksField:
        """Make the panel's field of masks."""
        return MasksField(view, self.underlay, self.take)

    def cell(self) -> MaskView:
        """Open the canvas in a view of its own. Raises Text2ArtError."""
        view = MaskView(self._errors.guarded)
        MaskPainter(view, self.take).show(*self.underlay())
        return view

    def underlay(self) -> "tuple[Image.Image, tuple[int, int]]":
        """Return the picture to paint over, and the size (width, height) of the picture that the mask is for.

        An init image that the latest run did not use comes next, so it is shown; otherwise the latest picture.
        """
        requested = self._requested.with_placeholder
        run, background = self._session.run, self._session.background
        used = None if run is None else run.settings.init_image
        frame = None if background is None else background.shown
        if frame is None or requested.init_image not in (None, used):
            return start_picture(requested), requested.picture_size
        return frame.image, requested.picture_size

    def take(self, mask: str, words: str, number: int | None) -> int:
        """Put a painted mask into the settings, and its words into the prompt. Returns the mask's number.

        mask: a PNG data URI; number: of the mask that it replaces, None for a new one. Raises SettingsError.
        """
        line, masks = self._requested.prompt_line, self._requested.masks
        place = len(masks) if number is None else min(number - 1, len(masks))
        masks[place : place + 1] = [mask]
        prompts = with_mask(line, place + 1, words)
        self._requested.set(masks=masks, **({"prompts": prompts} if prompts else {}))
        panel = self._requested.panel
        if panel is not None:
            panel.mark_changed()
        return place + 1
