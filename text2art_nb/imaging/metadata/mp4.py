"""MP4: the recipe is the film's comment, ``moov/udta/meta/ilst/©cmt/data``, where players and taggers look for it.

Layout: ISO/IEC 14496-12 (boxes) and the QuickTime File Format's metadata item list. Written by ffmpeg from a file in
its FFMETADATA1 syntax (a recipe is too long for a command line); read by walking the boxes, without ffmpeg.
"""

import re
from collections.abc import Iterator
from typing import BinaryIO

from text2art_nb.imaging.metadata.bounded import MAX_TEXT, Found, Reader, check_pixels, check_text

COMMENT = b"\xa9cmt"
UTF8 = 1
ENCODER_NAME = b"\x0cLavc libx264"


def ffmetadata(text: bytes) -> bytes:
    """The file that makes ffmpeg put `text` (ASCII JSON) into the film's comment.

    Raises:
        ArtworkError: the text is longer than `MAX_TEXT`.
    """
    check_text(text)
    return b";FFMETADATA1\ncomment=" + re.sub(rb"([=;#\\\n])", rb"\\\1", text) + b"\n"


def without_encoder(mp4: bytes) -> bytes:
    """`mp4` without the encoder's name in its sample description, which ffmpeg's own switches leave there."""
    end = mp4.find(b"mdat")
    header, pixels = mp4[:end], mp4[end:]
    return header.replace(ENCODER_NAME, bytes(len(ENCODER_NAME))) + pixels


def read(file: BinaryIO, size: int) -> Found:
    """Walk the boxes of an MP4 of `size` bytes.

    Raises:
        ArtworkError: it is cut off, malformed, too large, or carries two recipes.
    """
    reader = Reader(file, size, "MP4")
    film: tuple[int, int] | None = None
    pixels = False
    for kind, start, end in _boxes(reader, 0, size):
        if kind == b"moov":
            if film is not None:
                raise reader.broken("it has two films in it")
            film = start, end
        pixels = pixels or kind == b"mdat"
    if film is None or not pixels:
        raise reader.broken("it has no film in it")
    width, height = _shape(reader, *film)
    return Found("MP4", width, height, _comment(reader, *film))


def _boxes(reader: Reader, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The kind, the start and the end of the content of each box between two positions."""
    while start + 8 <= end:
        reader.step()
        reader.jump(start)
        length, kind = reader.unpack(">I4s")
        head = 8
        if length == 1:
            (length,) = reader.unpack(">Q")
            head = 16
        elif length == 0:
            length = end - start
        if length < head or start + length > end:
            raise reader.broken("a box says that it is longer than what it is in")
        yield kind, start + head, start + length
        start += length
    if start != end and end == reader.size:
        raise reader.broken("it ends in the middle of a box")


def _inside(reader: Reader, start: int, end: int, *path: bytes) -> Iterator[tuple[int, int]]:
    """The content of each box at `path` inside the box whose content is given."""
    for kind, a, b in _boxes(reader, start, end):
        if kind != path[0]:
            continue
        if kind == b"meta":  # a full box: four bytes of version and flags come first
            a = min(a + 4, b)
        if len(path) == 1:
            yield a, b
        else:
            yield from _inside(reader, a, b, *path[1:])


def _shape(reader: Reader, start: int, end: int) -> tuple[int, int]:
    """Width and height in pixels of the first track that has any."""
    for a, b in _inside(reader, start, end, b"trak", b"tkhd"):
        if b - a < 84:
            raise reader.broken("its track header is too short")
        reader.jump(b - 8)
        width, height = reader.unpack(">II")  # fixed point, 16.16
        if width >> 16:
            check_pixels(width >> 16, height >> 16, "MP4")
            return width >> 16, height >> 16
    raise reader.broken("it has no pictures")


def _comment(reader: Reader, start: int, end: int) -> bytes | None:
    """The film's comment if it looks like a recipe."""
    text: bytes | None = None
    for a, b in _inside(reader, start, end, b"udta", b"meta", b"ilst", COMMENT, b"data"):
        if b - a < 8:
            raise reader.broken("its comment is too short")
        reader.jump(a)
        kind, _ = reader.unpack(">II")
        if kind != UTF8 or b - a == 8:
            continue
        if text is not None:
            raise reader.broken("it carries two recipes")
        if b - a - 8 > MAX_TEXT:
            raise reader.broken(f"its comment has more than {MAX_TEXT:,} bytes")
        text = reader.take(b - a - 8)
    # Films by others have comments too; a recipe is a JSON object.
    return text if text is not None and text.startswith(b"{") and b'"text2art"' in text else None
