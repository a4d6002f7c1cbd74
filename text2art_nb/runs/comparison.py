"""One prompt by all drawers that can run here, side by side in one contact sheet."""

import os
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from text2art_nb import models
from text2art_nb.artifacts.artwork import Artwork, kind_of_sheet
from text2art_nb.errors import ModelError, RunError, SettingsError
from text2art_nb.runs.drawing import Watcher, keep_drawing, settings_of, stops
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings
from text2art_nb.settings.drawing import drawer_text

if TYPE_CHECKING:
    from PIL import Image

_SIDE: Final = 256  # of the square in which each picture stands, in pixels
_GAP: Final = 16
_LINE: Final = 20
_INK, _PALE, _PAPER = (32, 32, 36), (120, 120, 128), (255, 255, 255)


@dataclass(frozen=True)
class Comparison:
    """What each drawer made of a prompt.

    artworks: by the drawer's name, in the order in which they were drawn; seconds: what each took, its models' loading
    included; left_out: why the others could not draw.
    """

    artworks: dict[str, Artwork]
    seconds: dict[str, float]
    left_out: dict[str, str]

    @cached_property
    def image(self) -> "Image.Image":
        """The contact sheet: the prompt, every picture with its drawer, score and time, and who was left out."""
        return _sheet(self)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the contact sheet as .png or .jpg. Raises ArtworkError where that can't be."""
        from text2art_nb.artifacts.encoders import put

        path = Path(os.path.expanduser(path))
        kind = kind_of_sheet(path)
        put(path, _encoded(self.image, kind))
        return path

    def _repr_png_(self) -> bytes:
        """What a notebook shows."""
        return _encoded(self.image, "PNG")

    def __str__(self) -> str:
        drawn = [
            f"{name}: score {artwork.score or 0:.3f}, {self.seconds[name]:.0f} s"
            for name, artwork in self.artworks.items()
        ]
        return "\n".join([*drawn, *(f"{name} left out: {why}" for name, why in self.left_out.items())])


def compare(
    prompts: str | list[str] | Settings = "",
    drawers: Sequence[str] | str | None = None,
    *,
    watch: Watcher | None = None,
    **settings: Any,
) -> Comparison:
    """Draw the same with several drawers, with the same seed. Nothing is downloaded.

    Ctrl-C ends with the drawers that are done.

    Args:
        prompts: what to draw, as for `draw`.
        drawers: which; None for all that are installed, of which those are left out that lack their weights.
        watch: called with every frame of every drawer.
        settings: as for `draw`.

    Raises:
        SettingsError: a setting cannot be used, or there is no such drawer.
        ModelError: no drawer at all could draw.
        KeyboardInterrupt: Ctrl-C came before one was done.
    """
    base = settings_of(prompts, settings)
    base = base.with_(seed=secrets.randbelow(2**32) if base.seed is None else base.seed, make_video=False)
    artworks: dict[str, Artwork] = {}
    seconds: dict[str, float] = {}
    left_out: dict[str, str] = {}
    for name in _wanted(drawers):
        began = time.monotonic()
        try:
            artwork, stopped = _drawn(base, name, watch)
        except (SettingsError, ModelError, RunError) as error:
            left_out[name] = str(error)
            continue
        if artwork is not None:
            artworks[name], seconds[name] = artwork, time.monotonic() - began
        if stopped:
            if not artworks:
                raise KeyboardInterrupt
            break
    if not artworks:
        raise ModelError("no drawer can draw here: " + "; ".join(f"{name}: {why}" for name, why in left_out.items()))
    return Comparison(artworks, seconds, left_out)


def _wanted(drawers: Sequence[str] | str | None) -> list[str]:
    """The drawers' proper names. Raises SettingsError for one that was asked for and isn't there."""
    from text2art_nb import drawers as room

    if drawers is None:
        return room.names()
    asked = [part for part in drawers.split(",") if part.strip()] if isinstance(drawers, str) else drawers
    try:
        return list(dict.fromkeys(drawer_text(name) for name in asked))
    except ValueError as error:
        raise SettingsError({"drawers": str(error)}) from None


def _drawn(base: Settings, name: str, watch: Watcher | None) -> tuple[Artwork | None, bool]:
    """What one drawer draws, None if it was stopped before it was done; and whether it was stopped."""
    with models.without_network():
        run = Run(base.with_(drawer=name))
        with stops(run):
            keep_drawing(run, None, watch)
        return (None if run.stopped and run.iteration < run.total else run.artwork), run.stopped


# -- the contact sheet


def _sheet(comparison: Comparison) -> "Image.Image":
    from PIL import Image, ImageDraw

    columns = _columns(len(comparison.artworks))
    rows = -(-len(comparison.artworks) // columns)
    width = _GAP + columns * (_SIDE + _GAP)
    cell = _SIDE + 2 * _LINE + _GAP
    notes = [f"left out: {', '.join(comparison.left_out)}"] if comparison.left_out else []
    sheet = Image.new("RGB", (width, _LINE + 2 * _GAP + rows * cell + len(notes) * (_LINE + _GAP // 2)), _PAPER)
    pen = ImageDraw.Draw(sheet)
    title = next(iter(comparison.artworks.values())).settings.prompts or "pictures to look like"
    _write(pen, (_GAP, _GAP), title, width - 2 * _GAP, 17, _INK)
    for number, (name, artwork) in enumerate(comparison.artworks.items()):
        left = _GAP + number % columns * (_SIDE + _GAP)
        top = _LINE + 2 * _GAP + number // columns * cell
        picture = _fitted(artwork)
        sheet.paste(picture, (left + (_SIDE - picture.width) // 2, top + (_SIDE - picture.height) // 2))
        _write(pen, (left, top + _SIDE + 4), name, _SIDE, 15, _INK)
        facts = f"score {artwork.score or 0:.3f}, {comparison.seconds[name]:.0f} s"
        _write(pen, (left, top + _SIDE + 4 + _LINE), facts, _SIDE, 13, _PALE)
    for line, note in enumerate(notes):
        _write(pen, (_GAP, sheet.height - (len(notes) - line) * (_LINE + _GAP // 2)), note, width - 2 * _GAP, 13, _PALE)
    return sheet


def _columns(count: int) -> int:
    """As nearly square as it can be, but not wider than four."""
    return next(columns for columns in (1, 2, 3, 4) if columns == 4 or columns * columns >= count)


def _fitted(artwork: Artwork) -> "Image.Image":
    """The picture as large as its square allows; cells of pixel art stay squares with hard edges."""
    from PIL import Image

    from text2art_nb.imaging.image_io import opaque

    picture = opaque(artwork.image)
    scale = _SIDE / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    hard = artwork.settings.last_drawer == "pixel" and scale >= 1
    return picture.resize(size, Image.Resampling.NEAREST if hard else Image.Resampling.LANCZOS)


def _write(pen: Any, at: tuple[int, int], text: str, room: int, size: int, colour: tuple[int, int, int]) -> None:
    """One line of text that ends in … where there is no more room."""
    from PIL import ImageFont

    font = ImageFont.load_default(size)
    line = " ".join(text.split())
    while line and font.getlength(line) > room:
        line = line[:-2].rstrip() + "…"
    pen.text(at, line, colour, font=font)


def _encoded(image: "Image.Image", kind: str) -> bytes:
    from io import BytesIO

    file = BytesIO()
    image.save(file, kind, **({"quality": 92} if kind == "JPEG" else {"optimize": True}))
    return file.getvalue()
