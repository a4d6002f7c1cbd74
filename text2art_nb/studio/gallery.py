"""The gallery: thumbnails of earlier pictures, newest first; downloads and settings of a selected one."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from text2art_nb.errors import ArtworkError
from text2art_nb.models.listing import in_words
from text2art_nb.studio.images import jpeg, thumbnail
from text2art_nb.studio.library import RunLibrary
from text2art_nb.studio.view import PanelView

if TYPE_CHECKING:
    from text2art_nb.artifacts.artwork import Artwork
    from text2art_nb.settings import Settings

PAGE: Final = 12
KINDS: Final = {".png": "image/png", ".svg": "image/svg+xml", ".mp4": "video/mp4", ".gif": "image/gif"}
LARGEST: Final = 24 * 2**20
"""Bytes of a file that is handed to the browser; a larger one is only named."""


class Gallery:
    """The pictures of a library, twelve a page. Thumbnails are made and sent only while the gallery is open.

    reuse: takes settings onto the panel.

    The trait `gallery`: names of this page's pictures; page, pages; chosen: what is said of one of them, or None: name,
    prompts, about, svg; note: what became of a download.
    """

    def __init__(self, view: PanelView, library: RunLibrary, reuse: "Callable[[Settings], None]") -> None:
        self._view, self._library, self._reuse = view, library, reuse
        self._open = False
        self._page = 0
        self._paths: list[Path] = []
        self._chosen: Path | None = None
        self._thumbnails: dict[tuple[Path, int], bytes] = {}
        view.gallery = {"names": [], "page": 0, "pages": 1, "chosen": None, "note": ""}
        view.on_message("gallery", lambda content, buffers: self.open(bool(content.get("open"))))
        view.on_message("turn", lambda content, buffers: self.turn(int(content["by"])))
        view.on_message("see", lambda content, buffers: self.see(str(content.get("name"))))
        view.on_message("download", lambda content, buffers: self.download(str(content.get("suffix"))))
        view.on_click("reuse", self.take)
        self.refresh()

    @property
    def shown(self) -> dict[str, Any]:
        """The trait `gallery`: everything shown but the pictures."""
        return dict(self._view.gallery)

    def _set(self, **changes: Any) -> None:
        self._view.gallery = {**self._view.gallery, **changes}

    def open(self, opened: bool) -> None:
        """Open or close the gallery."""
        self._open = opened
        self._send_thumbnails()
        if opened and self._chosen is not None:
            self._send_chosen()

    def refresh(self) -> None:
        """Read the folder again."""
        paths = self._library.pictures()
        pages = max(1, -(-len(paths) // PAGE))
        self._page = min(self._page, pages - 1)
        self._paths = paths[self._page * PAGE : (self._page + 1) * PAGE]
        self._set(names=[path.stem for path in self._paths], page=self._page, pages=pages)
        self._send_thumbnails()

    def _send_thumbnails(self) -> None:
        if self._open:
            self._view.show("thumbs", *map(self._thumbnail, self._paths), names=[path.stem for path in self._paths])

    def _thumbnail(self, path: Path) -> bytes:
        """The thumbnail; made once for each state of the file; b"" where it is no picture after all, or gone."""
        from PIL import Image

        try:
            key = path, path.stat().st_mtime_ns
            if key not in self._thumbnails:
                if len(self._thumbnails) > 200:
                    self._thumbnails.clear()
                with Image.open(path, formats=("PNG",)) as image:
                    self._thumbnails[key] = thumbnail(image)
            return self._thumbnails[key]
        except (OSError, ValueError, SyntaxError):
            return b""

    def turn(self, by: int) -> None:
        """Show another page."""
        self._page = max(0, self._page + by)
        self.refresh()

    def _artwork(self) -> "Artwork":
        if self._chosen is None:
            raise ArtworkError("choose a picture first")
        return self._library.artwork(self._chosen)

    def see(self, name: str) -> None:
        """Show one of this page's pictures, and what it is."""
        found = [path for path in self._paths if path.stem == name]
        if not found:
            return
        self._chosen = found[0]
        artwork = self._artwork()
        score = "" if artwork.score is None else f" · score {artwork.score:.3f}"
        about = f"seed {artwork.settings.seed}{score} · {self._chosen}"
        svg = bool(self._library.strokes(self._chosen))
        chosen = {"name": name, "prompts": artwork.settings.prompts, "about": about, "svg": svg}
        self._set(chosen=chosen, note="")
        self._send_chosen()

    def _send_chosen(self) -> None:
        self._view.show("chosen", jpeg(self._artwork().image))

    def download(self, suffix: str) -> None:
        """Send the chosen picture to the page as a file of that kind; a film is encoded first."""
        if self._chosen is None or suffix not in KINDS:
            return
        self._set(note="making it …")
        try:
            made = suffix in (".mp4", ".gif")
            path = self._library.film(self._chosen, suffix) if made else self._chosen.with_suffix(suffix)
        except ArtworkError:
            self._set(note="")
            raise
        self._set(note=hand_over(self._view, path))

    def take(self) -> None:
        """Fill the panel with the chosen picture's settings."""
        self._reuse(self._artwork().settings)


def hand_over(view: Any, path: Path) -> str:
    """Send a file to the page, which offers it as a download; the sentence that says where it lies."""
    size = path.stat().st_size
    where = f"{path}, {in_words(size)}"
    if size > LARGEST:
        return f"{where}: too large to be sent to the browser"
    view.show("file", path.read_bytes(), name=path.name, kind=KINDS[path.suffix])
    return where
