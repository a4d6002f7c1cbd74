"""`Artwork`: the picture, how it came about, and its recipe; a file that draws itself again."""

import contextlib
import itertools
import os
import re
import stat
import warnings
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from text2art_nb.errors import ArtworkError, SettingsError
from text2art_nb.imaging.metadata import gif, jpeg, mp4, png, recipe, svg
from text2art_nb.imaging.metadata.bounded import Found
from text2art_nb.settings import DRAWERS, Settings
from text2art_nb.settings import stages as stage_names

if TYPE_CHECKING:
    from PIL import Image

    from text2art_nb.artifacts.frame_store import FrameStore
    from text2art_nb.imaging.palettes import Colour

Source = str | os.PathLike[str] | bytes

SUFFIXES = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".gif": "GIF", ".mp4": "MP4", ".svg": "SVG"}

EAGER_PIXELS = 8 * 2**20
"""A still picture of at most so many pixels is decoded while it is opened, so that a damaged one is refused there."""


class Artwork:
    """A finished picture, or the state of one that is being drawn.

    Args:
        image: the picture, RGB or RGBA.
        settings: what it was asked to be, resolved, with the steering that happened.
        score: cosine similarity of the whole picture to its prompts, -1..1.
        frames: the pictures on the way, for GIF and MP4; None for none.
        made_with: names and versions of what drew it; None for this text2art and this torch.
        others: the other candidates, the better ones first; each draws itself again, too.
        svg: the picture as `metadata.svg.write` writes it, or what makes that; None where it isn't made of strokes.
    """

    def __init__(
        self,
        image: "Image.Image | Callable[[], Image.Image]",
        settings: Settings,
        score: float | None = None,
        frames: "FrameStore | None" = None,
        made_with: dict[str, str] | None = None,
        others: "tuple[Artwork, ...]" = (),
        svg: str | Callable[[], str] | None = None,
    ) -> None:
        self._image = image
        self.settings = settings
        self.score = score
        self.frames = frames
        self.made_with = _versions() if made_with is None else made_with
        self.others = others
        self._svg = svg

    @property
    def image(self) -> "Image.Image":
        """The picture.

        Raises:
            ArtworkError: it comes from a file whose pixels cannot be decoded.
        """
        if callable(self._image):
            self._image = self._image()
        return self._image

    @property
    def svg(self) -> str | None:
        """The picture as an SVG without a recipe; None where it isn't made of strokes.

        Raises:
            ArtworkError: it comes from an SVG that another program has changed.
        """
        if callable(self._svg):
            self._svg = self._svg()
        return self._svg

    def upscaled(self, factor: int, upscaler: str = "auto") -> "Artwork":
        """This picture 2 or 4 times as wide and high, with a recipe that draws it at that size.

        Args:
            factor: 2 or 4, and with what it was enlarged before at most 4.
            upscaler: as the setting; "vector" is for a run alone, which still has the strokes.

        Raises:
            ArtworkError: it is as large as it may be, or can't be enlarged in this way.
            ModelError: the weights of "swin2sr" can't be had.
        """
        from text2art_nb.artifacts import upscale
        from text2art_nb.optimization import filters

        wanted = {"upscale": self.settings.upscale * factor, "upscaler": upscaler}
        try:
            settings = self.settings.with_(size=self.settings.picture_size, **wanted)
        except SettingsError as error:
            raise ArtworkError(f"it can't be enlarged {factor} times: {error}") from error
        choice = upscale.choose(settings)
        if choice.how == "vector":
            raise ArtworkError("a finished picture has no strokes left: draw it again with upscale, or use 'lanczos'")
        if choice.notice:
            warnings.warn(choice.notice, stacklevel=2)
        made_by = filters.of_finished(settings)
        larger = upscale.enlarge(self.image, factor, choice.how, settings.device, made_by)
        return Artwork(larger, settings.with_(upscaler=choice.how), self.score, self.frames, self.made_with)

    @property
    def sprite(self) -> "Image.Image":
        """Of pixel art a picture of one pixel for each cell, columns x rows of `settings.pixel_size`; RGB or RGBA.

        Raises:
            ArtworkError: it isn't pixel art, or its pixels cannot be decoded.
        """
        from text2art_nb.artifacts import sprites

        if self.settings.last_drawer != "pixel" or self.settings.pixel_size is None:
            raise ArtworkError(f"only pixel art has a sprite; this was drawn by {self.settings.last_drawer}")
        return sprites.sprite(self.image, self.settings.pixel_size, self.settings.pixel_type)

    @property
    def _colours(self) -> "list[Colour] | None":
        """The palette that it was asked for in the end."""
        from text2art_nb.imaging.palettes import parse_palette

        asked = [self.settings.palette, *(entry.palette for entry in self.settings.steering)]
        last = [palette for palette in asked if palette is not None][-1:]
        return parse_palette(last[0]) if last and last[0] else None

    @property
    def recipe(self) -> bytes:
        """What the file carries: JSON in plain ASCII, the same bytes for the same settings and score."""
        settings = self.settings.to_recipe()
        settings["allow_urls"] = False  # its pictures are in it; nothing has to be fetched to draw it again
        return recipe.write(settings, self.score, self.made_with)

    def save(self, path: str | os.PathLike[str], metadata: bool = True) -> Path:
        """Write the picture; the same artwork gives the same PNG, byte for byte. The file appears whole or not at all.

        Args:
            path: the suffix says as what: .png or .jpg, or with the frames on the way to it .gif or .mp4. Of pixel art
                .sprite.png is the `sprite`; of strokes .svg has the strokes themselves. A PNG in the colours of its
                palette alone is indexed, with these colours.
            metadata: whether the file carries its recipe; without it carries nothing but the picture.

        Returns:
            The path; it ends in .png where .svg was asked for and a chain was stopped before its strokes began.

        Raises:
            ArtworkError: the suffix is none of these, or the file cannot be written.
        """
        from text2art_nb.artifacts.encoders import encode_gif, put, write_mp4

        path = Path(os.path.expanduser(path))  # Path.expanduser raises where there is no home
        kind = kind_of(path)
        if kind == "SVG":
            check_kind(path, self.settings)
            if self.svg is None and self._is_before_its_last_drawer:
                path, kind = _free(path.with_suffix(".png")), "PNG"
                warnings.warn(f"it is not yet drawn in strokes, so it is saved as {path.name}", stacklevel=2)
        text = self.recipe if metadata else None
        pixel_art = self.settings.last_drawer == "pixel"
        if kind == "MP4":
            closed = self.settings.loop_closing
            write_mp4(path, self.image, self.frames, pixel_art=pixel_art, recipe=text, closed=closed)
        elif kind == "GIF":
            closed = self.settings.loop_closing
            put(path, encode_gif(self.image, self.frames, pixel_art=pixel_art, recipe=text, closed=closed))
        elif kind == "SVG":
            put(path, self._encode_svg(path, text))
        else:
            image = self.sprite if is_sprite(path) else self.image
            put(path, _encode_still(image, kind, text, self._colours))
        return path

    @property
    def _is_before_its_last_drawer(self) -> bool:
        """Whether a chain was stopped before its last drawer began."""
        stages = self.settings.stages
        total = self.settings.steered(10**6).iterations or self.settings.preset.iterations
        stops = (
            stage_names.stage_after(stages, entry.iteration - 1, total)
            for entry in self.settings.steering
            if entry.stop
        )
        return any(stage < len(stages) - 1 for stage in stops)

    def _encode_svg(self, path: Path, text: bytes | None) -> bytes:
        if self.svg is None:
            raise ArtworkError(f"the strokes of this picture are gone, so that it can't be saved as {path.name!r}")
        return self.svg.encode("ascii") if text is None else svg.embed(self.svg, text)

    @classmethod
    def open(cls, source: Source, trusted: bool = False) -> "Artwork":
        """Read a picture back, with the settings that draw it again. Nothing in the file is believed or executed.

        Args:
            source: a file's path, or its bytes. What it is is seen from its content, not from its name.
            trusted: whether its recipe may name directories (of models) on this machine; only for files that you made.

        Raises:
            ArtworkError: it is not a picture that text2art can read, or carries no recipe, or one that cannot be
                drawn.
        """
        found, _ = _walk(source)
        settings, values = _settings(found, trusted)

        def decode() -> "Image.Image":
            return _decode(source, found)

        def strokes() -> str:
            return svg.write(_drawing(source))

        still = found.format in ("PNG", "JPEG") and found.width * found.height <= EAGER_PIXELS
        drawn = strokes if found.format == "SVG" else None
        return cls(decode() if still else decode, settings, values["score"], None, values["made_with"], svg=drawn)

    @staticmethod
    def inspect(source: Source, trusted: bool = False) -> dict[str, Any]:
        """What `open` would read, as JSON types, without decoding a pixel.

        Returns:
            ``{"file": {"format", "width", "height", "bytes"}, "text2art": 1, "settings", "score", "made_with"}``;
            ``Settings.from_recipe(found["settings"])`` are the settings.

        Raises:
            ArtworkError: as `open`.
        """
        found, size = _walk(source)
        _, values = _settings(found, trusted)
        return {"file": {"format": found.format, "width": found.width, "height": found.height, "bytes": size}, **values}

    def _repr_png_(self) -> bytes:
        """What a notebook shows."""
        return _encode_still(self.image, "PNG", None, self._colours)

    def __repr__(self) -> str:
        score = "" if self.score is None else f", score {self.score:.3f}"
        return f"<Artwork {printable(self.settings.prompts)[:60]!r}, seed {self.settings.seed}{score}>"


def kind_of(path: Path) -> str:
    """The format that a file's suffix asks for: PNG, JPEG, GIF or MP4.

    Raises:
        ArtworkError: it asks for none of them.
    """
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None:
        raise ArtworkError(f"a picture is saved as .png, .jpg, .gif or .mp4, not as {path.name!r} (strokes: .svg, too)")
    return kind


def kind_of_sheet(path: Path) -> str:
    """The format of a contact sheet: PNG or JPEG. Raises ArtworkError where its suffix asks for neither."""
    return _kind_among(path, ("PNG", "JPEG"), "a contact sheet is saved as .png or .jpg")


def kind_of_film(path: Path) -> str:
    """The format of a film: MP4 or GIF. Raises ArtworkError where its suffix asks for neither."""
    return _kind_among(path, ("MP4", "GIF"), "a film is saved as .mp4 or .gif")


def _kind_among(path: Path, kinds: tuple[str, ...], right: str) -> str:
    if (kind := kind_of(path)) not in kinds:
        raise ArtworkError(f"{right}, not as {path.name!r}")
    return kind


def check_kind(path: Path, settings: Settings) -> None:
    """Refuse `path` if it asks for what isn't made of what `settings` draw: the sprite of pixel art, an SVG of strokes.

    Raises:
        ArtworkError: it does, or for no picture at all, or for an MP4 where there is no ffmpeg.
    """
    if is_sprite(path) and settings.last_drawer != "pixel":
        raise ArtworkError(f"only pixel art has a sprite; this is drawn by {settings.last_drawer}")
    kind = kind_of(path)
    if kind == "MP4":
        from text2art_nb.artifacts.encoders import ffmpeg_program

        ffmpeg_program()
    if kind != "SVG":
        return
    if settings.last_drawer in DRAWERS and settings.last_drawer != "strokes":
        raise ArtworkError(f"only strokes are saved as .svg: {settings.last_drawer} draws pixels; try drawer=strokes")
    if settings.filters:
        raise ArtworkError("a picture with filters is no longer made of strokes, so that it can't be saved as .svg")


def is_sprite(path: Path) -> bool:
    """Whether a file's name asks for the sprite of pixel art."""
    return path.name.lower().endswith(".sprite.png")


def printable(text: str) -> str:
    """`text` with what a terminal might obey escaped."""
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode("ascii") for c in text)


def _versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    from text2art_nb.version import __version__

    made_with = {"text2art": __version__}
    with contextlib.suppress(PackageNotFoundError):
        made_with["torch"] = version("torch")
    return made_with


def _encode_still(image: "Image.Image", kind: str, text: bytes | None, colours: "Sequence[Colour] | None") -> bytes:
    from PIL import Image

    from text2art_nb.artifacts import sprites
    from text2art_nb.imaging.image_io import opaque

    mode = "RGBA" if kind == "PNG" and image.mode == "RGBA" else "RGB"
    image = image if image.mode == mode else opaque(image)
    # A copy of the pixels alone: Pillow would also write what it knows about where they came from.
    clean = Image.frombytes(mode, image.size, image.tobytes())
    file = BytesIO()
    if kind == "JPEG":
        clean.save(file, "JPEG", quality=95, subsampling=0)
    elif colours and (few := sprites.indexed(clean, colours)):
        few.save(file, "PNG", compress_level=9)
    else:
        clean.save(file, "PNG")
    if text is None:
        return file.getvalue()
    return (png if kind == "PNG" else jpeg).embed(file.getvalue(), text)


# ---- a stranger's file ----


@contextlib.contextmanager
def _opened(source: Source) -> Iterator[tuple[BinaryIO, int]]:
    """The source as a file, and its length. Only ordinary files: a pipe or a device could keep us forever."""
    if isinstance(source, bytes):
        yield BytesIO(source), len(source)
        return
    name = printable(Path(source).name)[:100]
    try:
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(os.path.expanduser(source), flags)
    except FileNotFoundError:
        raise ArtworkError(f"there is no file {name!r}") from None
    except (OSError, ValueError) as error:
        raise ArtworkError(f"the file {name!r} cannot be read: {getattr(error, 'strerror', None) or error}") from error
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise ArtworkError(f"{name!r} is not a file with a picture in it")
    with open(descriptor, "rb") as file:
        try:
            yield file, status.st_size
        except OSError as error:
            raise ArtworkError(f"the file {name!r} cannot be read: {error.strerror or error}") from error


def _walk(source: Source) -> tuple[Found, int]:
    """What is in the file, without decoding a pixel, and its length in bytes."""
    with _opened(source) as (file, size):
        start = file.read(12)
        if start.startswith(png.SIGNATURE):
            return png.read(file, size), size
        if start.startswith(gif.SIGNATURES):
            return gif.read(file, size), size
        if start.startswith(jpeg.SIGNATURE):
            return jpeg.read(file, size), size
        if start[4:8] == b"ftyp":
            return mp4.read(file, size), size
        if start.startswith(svg.STARTS):
            return svg.read(file, size), size
    raise ArtworkError("this is not a PNG, GIF, JPEG, MP4 or SVG file")


def _drawing(source: Source) -> svg.Drawing:
    with _opened(source) as (file, size):
        return svg.strokes_of(file, size)


def _settings(found: Found, trusted: bool) -> tuple[Settings, dict[str, Any]]:
    if found.text is None:
        raise ArtworkError(f"this {found.format} carries no recipe: text2art did not make it, or left its metadata out")
    values = recipe.parse(found.text)
    try:
        return Settings.from_recipe(values["settings"], trusted=trusted), values
    except SettingsError as error:
        why = printable(str(error))[:500]
        raise ArtworkError(f"the recipe in this {found.format} cannot be drawn: {why}") from error


def _decode(source: Source, found: Found) -> "Image.Image":
    """The pixels, of an animation the last ones."""
    if found.format == "MP4":
        from text2art_nb.artifacts.encoders import last_picture

        with _opened(source) as (file, size):
            return last_picture(file, size, found.width, found.height)
    if found.format == "SVG":
        from text2art_nb.drawers.strokes import picture_of

        return picture_of(_drawing(source))
    from PIL import Image

    with _opened(source) as (file, _):
        try:
            with Image.open(file, formats=(found.format,)) as image:
                if image.size != (found.width, found.height):
                    raise ValueError("its headers contradict each other")
                if found.format == "GIF":
                    _to_last(image)
                image.load()
                clear = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
                return image.convert("RGBA" if clear else "RGB")
        except Exception as error:  # what damaged files make Pillow raise has no common ancestor
            why = re.sub(r"\s+", " ", printable(str(error)))[:200]
            raise ArtworkError(f"the pixels of this {found.format} cannot be decoded: {why}") from error


MAX_ANIMATED_PIXELS = 256 * 2**20


def _to_last(image: "Image.Image") -> None:
    """Seek to an animation's last picture."""
    most = MAX_ANIMATED_PIXELS // (image.width * image.height)
    for number in range(most):
        try:
            image.seek(number)
        except EOFError:
            return
    raise ValueError(f"it has more than {most} pictures")


def _free(path: Path) -> Path:
    """`path`, or where another file has that name, one with a number in it."""
    numbered = (path.with_stem(f"{path.stem}-{number}") for number in itertools.count(2))
    return next(free for free in itertools.chain((path,), numbered) if not free.exists())
