"""The fields whose value is a picture, or several: dropped, or taken from what is on the easel."""

import html
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from text2art_nb.errors import SettingsError
from text2art_nb.pictures import picture_to_uri
from text2art_nb.prompts import split_weight
from text2art_nb.studio.drop import DropZone
from text2art_nb.studio.fields import Field, Group


class PictureField(Field):
    """One picture (init_image), or many (image_prompts), as the settings hold them."""

    def __init__(
        self, name: str, label: str, hint: str, guarded: Callable[..., Callable[..., None]], many: bool
    ) -> None:
        self._many = many
        self._pictures: list[str] = []
        self._invitation = "Drop pictures here, or click" if many else "Drop a picture here, or click"
        self._zone = DropZone(label=self._invitation, many=many)
        self._clear = widgets.Button(description="Remove", tooltip="do without it")
        self._clear.add_class("t2a-small")
        self._clear.add_class("t2a-gone")
        box = Group([self._zone, self._clear])
        box.add_class("t2a-drop-row")
        super().__init__(name, box, label, hint)
        self._zone.on_file(lambda file, data: guarded(lambda: self._take(file, data))())
        self._clear.on_click(guarded(lambda: self._put([])))

    @property
    def value(self) -> Any:
        if self._many:
            return list(self._pictures)
        return self._pictures[0] if self._pictures else None

    def fill(self, value: Any, touched: bool) -> None:
        self._pictures = list(value or []) if self._many else [value] if value else []
        self.touched = touched
        self._show()

    def _take(self, name: str, data: bytes) -> None:
        try:
            uri = picture_to_uri(data)
        except ValueError as error:
            raise SettingsError({self.name: f"{name} cannot be used: {error}"}) from None
        self._put([*self._pictures, uri] if self._many else [uri])

    def _put(self, pictures: list[str]) -> None:
        self._pictures = pictures
        self._show()
        self._changed(None)

    def _show(self) -> None:
        there = bool(self._pictures)
        self._zone.preview = split_weight(self._pictures[-1])[0] if there else ""
        count = len(self._pictures)
        self._zone.label = self._invitation if not there else "Drop another" if count == 1 else f"{count} pictures"
        if there:
            self._clear.remove_class("t2a-gone")
        else:
            self._clear.add_class("t2a-gone")


class RemixZone:
    """Where a friend's picture is dropped."""

    def __init__(self, take: Callable[[str, bytes], None]) -> None:
        """take: what to do with (name, data)."""
        self._zone = DropZone(
            label="Drop a PNG, JPEG, GIF or MP4 made by text2art: every setting is taken from it",
            accept=".png,.jpg,.jpeg,.gif,.mp4,image/*,video/mp4",
        )
        self._zone.on_file(take)
        self._note = widgets.HTML()
        self.box = widgets.VBox([self._zone, self._note])

    def say(self, sentence: str, error: bool = False) -> None:
        """Show a sentence under it."""
        kind = "t2a-note t2a-error" if error else "t2a-note"
        self._note.value = f'<div class="{kind}">{html.escape(sentence)}</div>'
