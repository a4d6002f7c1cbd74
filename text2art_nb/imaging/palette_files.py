r"""Palettes out of files: ``@sprite.png``, ``@photo.jpg\8``, ``@colours.hex``, ``.gpl``, ``.act``, and their addresses.

A file is read where settings are made: what they keep, and what a recipe carries, is a list of its colours. It is read
as what pictures from outside are: bounded, and decoded only as what it claims to be.
"""

import re
import struct
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from text2art_nb.imaging.image_io import decode_picture, read_source
from text2art_nb.imaging.palettes import MAX_COLOURS, names_a_file

if TYPE_CHECKING:
    from PIL import Image

MOST = 255
"""How many colours a file gives where nothing is said (pixray's)."""

_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp")
_SAMPLED_SIDE = 512

Bytes3 = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""


def resolve(palette: str, allow_urls: bool = False) -> str:
    r"""A palette's text with the files that it names read: ``@duo.hex; red\4`` becomes ``[#101010,#f0f0f0]; red\4``.

    Args:
        palette: as `palettes.parse_palette` reads it, with files and addresses.
        allow_urls: whether http(s) addresses may be fetched.

    Raises:
        ValueError: one plain sentence: a file that isn't there, or of another kind, or damaged; an address.
    """
    if not any(names_a_file(part) for part in palette.split(";")):
        return palette
    parts = [part.strip() for part in palette.split(";")]
    return "; ".join(_literal(part, allow_urls) if names_a_file(part) else part for part in parts)


def _literal(part: str, allow_urls: bool) -> str:
    counted = re.fullmatch(r"(.*?)\\\s*(\d{1,4})", part, re.DOTALL | re.ASCII)
    source, most = (counted[1].strip(), int(counted[2])) if counted else (part, MOST)
    if not 1 <= most <= MAX_COLOURS:
        raise ValueError(f"a palette's file may give 1 to {MAX_COLOURS} colours, like \\8; got \\{most}")
    colours = read(source.removeprefix("@").strip(), most, allow_urls)
    return "[" + ",".join("#{:02x}{:02x}{:02x}".format(*colour) for colour in colours) + "]"


def read(source: str, most: int = MOST, allow_urls: bool = False) -> list[Bytes3]:
    """The different colours of a palette's file or picture, in the order in which they stand there, at most `most`.

    Of a picture with more colours the `most` that stand for it best, dark to light; of a list with more the first ones.

    Args:
        source: a path, or with `allow_urls` an http(s) address; its suffix says what it is.
        most: 1 to 256.

    Raises:
        ValueError: as `resolve`.
    """
    suffix = PurePosixPath(re.sub(r"[?#].*", "", source) if "://" in source else source).suffix.lower()
    if suffix not in _PICTURES and suffix not in _LISTS:
        known = ", ".join([*_PICTURES, *_LISTS])
        raise ValueError(f"a palette's file may be one of {known}; got {source[-40:]!r}")
    data = read_source(source, allow_urls)
    if suffix in _PICTURES:
        return of_picture(decode_picture(data, source[-60:]), most)
    try:
        colours = list(dict.fromkeys(_LISTS[suffix](data)))[:most]
    except (ValueError, struct.error, IndexError):
        colours = []
    if not colours:
        raise ValueError(f"{source[-40:]!r} holds no colours that can be read as {suffix}")
    return colours


def of_picture(image: "Image.Image", most: int) -> list[Bytes3]:
    """The colours of a picture if they are at most `most`, in reading order; else so many that stand for it.

    What is transparent doesn't count. The distillation is Pillow's median cut and k-means: the same picture gives the
    same colours.
    """
    import numpy as np
    from PIL import Image

    pixels = np.asarray(image.convert("RGBA")).reshape(-1, 4)
    pixels = np.ascontiguousarray(pixels[pixels[:, 3] > 0][:, :3])
    if not len(pixels):
        raise ValueError("a palette's picture must show something; this one is transparent throughout")
    flat = Image.frombytes("RGB", (len(pixels), 1), pixels.tobytes())
    if flat.getcolors(most) is not None:
        wide = pixels.astype(np.int64)
        _, first = np.unique(wide[:, 0] << 16 | wide[:, 1] << 8 | wide[:, 2], return_index=True)
        return [_triple(pixels[place]) for place in sorted(first.tolist())]
    step = max(1, len(pixels) // _SAMPLED_SIDE**2)
    sample = np.ascontiguousarray(pixels[::step])
    few = Image.frombytes("RGB", (len(sample), 1), sample.tobytes()).quantize(
        most, method=Image.Quantize.MEDIANCUT, kmeans=8
    )
    table = few.getpalette() or []
    used = np.unique(np.asarray(few)).tolist()
    colours = {_triple(table[3 * number : 3 * number + 3]) for number in used}
    return sorted(colours, key=lambda colour: (299 * colour[0] + 587 * colour[1] + 114 * colour[2], colour))


def _triple(values: "Iterable[Any]") -> Bytes3:
    red, green, blue = (int(value) for value in values)
    return red, green, blue


def _hex(data: bytes) -> list[Bytes3]:
    """lospec's .hex: six digits a line."""
    lines = [line.strip().removeprefix("#") for line in data.decode("utf-8-sig").splitlines()]
    return [_triple(bytes.fromhex(line)) for line in lines if line]


def _gpl(data: bytes) -> list[Bytes3]:
    """GIMP's .gpl: a heading, then red, green and blue a line, and a name."""
    lines = data.decode("utf-8-sig", "replace").splitlines()
    if not lines or not lines[0].startswith("GIMP Palette"):
        raise ValueError("no GIMP palette")
    rows = (re.match(r"\s*(\d{1,3})\s+(\d{1,3})\s+(\d{1,3})(\s|$)", line, re.ASCII) for line in lines[1:])
    colours = [_triple(row.groups()[:3]) for row in rows if row]
    if any(max(colour) > 255 for colour in colours):
        raise ValueError("more than 255")
    return colours


def _act(data: bytes) -> list[Bytes3]:
    """Photoshop's .act: 256 colours of three bytes, and perhaps how many of them count."""
    if len(data) not in (768, 772):
        raise ValueError("no colour table")
    count = struct.unpack(">H", data[768:770])[0] if len(data) == 772 else 256
    return [_triple(data[3 * number : 3 * number + 3]) for number in range(min(count or 256, 256))]


_LISTS: dict[str, Callable[[bytes], list[Bytes3]]] = {".hex": _hex, ".gpl": _gpl, ".act": _act}
