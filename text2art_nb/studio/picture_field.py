"""The fields whose value is a picture, or several, and the place where a friend's picture is dropped."""

from typing import Any, Final

from text2art_nb.errors import SettingsError
from text2art_nb.imaging.image_io import open_picture, picture_to_uri
from text2art_nb.settings.prompts import split_weight
from text2art_nb.studio.fields import Field
from text2art_nb.studio.images import data_uri, jpeg
from text2art_nb.studio.incoming import Incoming

PREVIEW_SIDE: Final = 96
"""Longest side of the picture that stands in a field, in pixels."""


class PictureField(Field):
    """One picture (init_image), or many (image_prompts), as the settings hold them.

    The page is shown how many there are and a small preview of the last: the pictures themselves stay here.
    """

    kind = "pictures"

    def __init__(self, name: str, label: str, hint: str, many: bool) -> None:
        super().__init__(name, label, hint)
        self.many = many
        self.incoming = Incoming(self._take, many)
        self._pictures: list[str] = []
        self._preview = ""

    def enter(self, entered: Any) -> None:
        """The page can't say more than that there shall be none; files come through `incoming`."""
        if entered:
            raise SettingsError({self.name: f"{self.label} takes pictures by dropping them"})
        self._put([])

    @property
    def value(self) -> Any:
        if self.many:
            return list(self._pictures)
        return self._pictures[0] if self._pictures else None

    def fill(self, value: Any, touched: bool) -> None:
        pictures = list(value or []) if self.many else [value] if value else []
        self.touched = touched
        self._keep(pictures)

    def _take(self, name: str, data: bytes) -> None:
        try:
            uri = picture_to_uri(data)
        except ValueError as error:
            raise SettingsError({self.name: f"{name} cannot be used: {error}"}) from None
        self._put([*self._pictures, uri] if self.many else [uri])

    def _put(self, pictures: list[str]) -> None:
        self._keep(pictures)
        self._changed()

    def _keep(self, pictures: list[str]) -> None:
        last = self._pictures[-1:]
        self._pictures = pictures
        if pictures[-1:] != last:
            self._preview = _preview(pictures[-1]) if pictures else ""

    @property
    def described(self) -> dict[str, Any]:
        return {**super().described, "many": self.many}

    @property
    def shown(self) -> dict[str, Any]:
        return {**super().shown, "value": len(self._pictures), "preview": self._preview}


def _preview(picture: str) -> str:
    """A small picture as an address; "" for one that can't be opened, which `Settings` says."""
    try:
        return data_uri(jpeg(open_picture(split_weight(picture)[0]), 80, PREVIEW_SIDE))
    except ValueError:
        return ""
