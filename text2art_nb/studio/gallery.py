"""What was drawn before: thumbnails, newest first; one to look at, to download, to take the settings of."""

import html
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import ipywidgets as widgets

from text2art_nb.errors import ArtworkError
from text2art_nb.studio.images import data_uri, download_link, jpeg, thumbnail
from text2art_nb.studio.shelf import Shelf

if TYPE_CHECKING:
    from text2art_nb.artwork import Artwork
    from text2art_nb.settings import Settings

Guarded = Callable[..., Callable[..., None]]
PAGE: Final = 12
KINDS: Final = {".png": "image/png", ".svg": "image/svg+xml", ".mp4": "video/mp4", ".gif": "image/gif"}
LARGEST_LINK: Final = 24 * 2**20
"""Bytes of a file that is handed to the browser in a link; a larger one is only named."""


class Gallery:
    """The pictures of a shelf, twelve a page.

    reuse: takes settings onto the panel.
    """

    def __init__(self, shelf: Shelf, guarded: Guarded, reuse: "Callable[[Settings], None]") -> None:
        self._shelf, self._guarded, self._reuse = shelf, guarded, reuse
        self._key = f"t2a-g{secrets.token_hex(3)}"
        self._page = 0
        self._paths: list[Path] = []
        self._chosen: Path | None = None
        self._thumbnails: dict[tuple[Path, int], str] = {}
        self._layout, self._button_style = widgets.Layout(), widgets.Button().style
        self._buttons = [self._thumb(place) for place in range(PAGE)]
        self._sheet = widgets.Box([])
        self._sheet.add_class("t2a-pills")
        self._style, self._about, self._links = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._picture = widgets.Image(format="jpeg")
        picture = widgets.Box([self._picture])
        picture.add_class("t2a-picture")
        self._newer, self._older = (self._small(text, step) for text, step in (("Newer", -1), ("Older", 1)))
        self._detail = widgets.VBox([picture, self._about, self._actions(), self._links])
        self._detail.add_class("t2a-gone")
        self._pages = widgets.Box([self._newer, self._older])
        self._pages.add_class("t2a-buttons")
        self.box = widgets.VBox([self._style, self._sheet, self._pages, self._detail])
        self.refresh()

    def _thumb(self, place: int) -> widgets.Button:
        button = widgets.Button(layout=self._layout, style=self._button_style)
        button.add_class("t2a-thumb")
        button.add_class(f"{self._key}-{place}")
        button.on_click(self._guarded(lambda: self._choose(place)))
        return button

    def _small(self, text: str, step: int) -> widgets.Button:
        button = widgets.Button(description=text)
        button.add_class("t2a-small")
        button.on_click(self._guarded(lambda: self._turn(step)))
        return button

    def _actions(self) -> widgets.Box:
        buttons = []
        for text, action in (
            ("PNG", lambda: self._download(".png")),
            ("SVG", lambda: self._download(".svg")),
            ("MP4", lambda: self._download(".mp4")),
            ("GIF", lambda: self._download(".gif")),
            ("Use its settings", self._take),
        ):
            button = widgets.Button(description=text)
            button.add_class("t2a-small")
            button.on_click(self._guarded(action))
            buttons.append(button)
        self._svg = buttons[1]
        row = widgets.Box(buttons)
        row.add_class("t2a-buttons")
        return row

    def refresh(self) -> None:
        """Look at the folder again."""
        paths = self._shelf.pictures()
        last = max(0, (len(paths) - 1) // PAGE)
        self._page = min(self._page, last)
        self._paths = paths[self._page * PAGE : (self._page + 1) * PAGE]
        self._newer.disabled, self._older.disabled = self._page == 0, self._page == last
        for button in (self._newer, self._older):
            button.layout.display = "none" if last == 0 else ""
        rules = []
        for place, path in enumerate(self._paths):
            self._buttons[place].tooltip = path.stem
            rules.append(f".{self._key}-{place}{{background-image:url({self._thumbnail(path)})!important}}")
        empty = "" if paths else '<div class="t2a-empty">What you draw is kept here.</div>'
        self._style.value = f"<style>{''.join(rules)}</style>{empty}"
        self._sheet.children = self._buttons[: len(self._paths)]

    def _thumbnail(self, path: Path) -> str:
        """The thumbnail's address; made once for each state of the file."""
        from PIL import Image

        try:
            key = path, path.stat().st_mtime_ns
            if key not in self._thumbnails:
                if len(self._thumbnails) > 200:
                    self._thumbnails.clear()
                with Image.open(path, formats=("PNG",)) as image:
                    self._thumbnails[key] = data_uri(thumbnail(image))
            return self._thumbnails[key]
        except (OSError, ValueError, SyntaxError):  # not a picture after all, or gone: an empty square says so
            return "data:,"

    def _turn(self, step: int) -> None:
        self._page = max(0, self._page + step)
        self.refresh()

    def _artwork(self) -> "Artwork":
        if self._chosen is None:
            raise ArtworkError("choose a picture first")
        return self._shelf.artwork(self._chosen)

    def _choose(self, place: int) -> None:
        if place >= len(self._paths):
            return
        self._chosen = self._paths[place]
        artwork = self._artwork()
        self._picture.value = jpeg(artwork.image)
        score = "" if artwork.score is None else f" · score {artwork.score:.3f}"
        self._about.value = (
            f'<div class="t2a-reading"><b>{html.escape(artwork.settings.prompts)}</b><br>'
            f"seed {artwork.settings.seed}{score} · {html.escape(str(self._chosen))}</div>"
        )
        self._links.value = ""
        self._svg.layout.display = "" if self._shelf.strokes(self._chosen) else "none"
        self._detail.remove_class("t2a-gone")

    def _download(self, suffix: str) -> None:
        if self._chosen is None:
            return
        self._links.value = '<div class="t2a-note">making it …</div>'
        try:
            made = suffix in (".mp4", ".gif")
            path = self._shelf.film(self._chosen, suffix) if made else self._chosen.with_suffix(suffix)
        except ArtworkError:
            self._links.value = ""
            raise
        self._links.value = file_link(path)

    def _take(self) -> None:
        self._reuse(self._artwork().settings)


def file_link(path: Path) -> str:
    """A link that saves the file, or where it is if it is too large for one."""
    size = path.stat().st_size
    where = f'<span class="t2a-note">{html.escape(str(path))}, {size / 1e6:.1f} MB</span>'
    if size > LARGEST_LINK:
        return where
    kind = KINDS[path.suffix]
    return download_link(path.read_bytes(), kind, path.name, f"Save {path.name}") + where
