"""JPEG: the recipe is a row of comment segments ``text2art:PART/PARTS:…``, right after the start of the image.

Layout: ITU-T T.81, annex B. A segment holds at most 65,533 bytes, so that a long recipe needs several.
"""

import re
from typing import BinaryIO

from text2art_nb.imaging.metadata.bounded import KEYWORD, MAX_TEXT, Found, Reader, check_pixels, check_text

SIGNATURE = b"\xff\xd8\xff"
PIECE = 65_000
MAX_PIECES = MAX_TEXT // PIECE + 1
COMMENT, SCAN, END = 0xFE, 0xDA, 0xD9
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
ALONE = frozenset({0x01, *range(0xD0, 0xD9)})
HEAD = re.compile(rb"text2art:(\d{1,5})/(\d{1,5}):")


def embed(jpeg: bytes, text: bytes) -> bytes:
    """`jpeg` with `text` (ASCII JSON) in it.

    Raises:
        ArtworkError: the text is longer than `MAX_TEXT`.
    """
    check_text(text)
    pieces = [text[i : i + PIECE] for i in range(0, len(text), PIECE)] or [b""]
    segments = []
    for number, piece in enumerate(pieces, 1):
        content = KEYWORD + b":%d/%d:" % (number, len(pieces)) + piece
        segments.append(bytes([0xFF, COMMENT]) + (len(content) + 2).to_bytes(2, "big") + content)
    # A JFIF header must stay the first segment.
    at = 2
    if jpeg[2:4] == b"\xff\xe0":
        at += 2 + int.from_bytes(jpeg[4:6], "big")
    return jpeg[:at] + b"".join(segments) + jpeg[at:]


def read(file: BinaryIO, size: int) -> Found:
    """Walk the segments of a JPEG of `size` bytes up to its pixels.

    Raises:
        ArtworkError: it is cut off, malformed, too large, or carries two recipes.
    """
    reader = Reader(file, size, "JPEG")
    reader.skip(2)
    pieces: list[bytes] = []
    shape: tuple[int, int] | None = None
    while True:
        reader.step()
        mark, kind = reader.unpack("BB")
        if mark != 0xFF or kind == END:
            raise reader.broken("it has no pixels")
        if kind == 0xFF:  # a fill byte: the marker starts at it
            reader.jump(reader.position - 1)
            continue
        if kind in ALONE:
            continue
        (length,) = reader.unpack(">H")
        end = reader.position + length - 2
        if kind == SCAN:
            break
        if length < 2:
            raise reader.broken("a segment says that it is shorter than its own length")
        if kind in FRAMES:
            _, height, width = reader.unpack(">BHH")
            check_pixels(width, height, "JPEG")
            shape = width, height
        if kind == COMMENT and (piece := reader.take(length - 2)).startswith(KEYWORD):
            pieces.append(piece)
            if len(pieces) > MAX_PIECES:
                raise reader.broken(f"its recipe has more than {MAX_TEXT:,} bytes")
        reader.jump(end)
    if shape is None:
        raise reader.broken("it does not say how large it is")
    return Found("JPEG", *shape, _join(reader, pieces))


def _join(reader: Reader, comments: list[bytes]) -> bytes | None:
    """The recipe out of its numbered pieces."""
    parts: list[bytes] = []
    total = 0
    for comment in comments:
        head = HEAD.match(comment)
        if head is None:
            continue
        if int(head[1]) != len(parts) + 1 or (parts and int(head[2]) != total):
            raise reader.broken("the pieces of its recipe are out of order, or it carries two")
        total = int(head[2])
        parts.append(comment[head.end() :])
    if len(parts) != total:
        raise reader.broken("pieces of its recipe are missing")
    text = b"".join(parts)
    if len(text) > MAX_TEXT:
        raise reader.broken(f"its recipe has more than {MAX_TEXT:,} bytes")
    return text if parts else None
