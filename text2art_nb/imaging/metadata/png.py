"""PNG: the recipe is one ``tEXt`` chunk with the keyword ``text2art``, before the pixels.

Layout: Portable Network Graphics (PNG) Specification, Third Edition, W3C, sections 5 and 11.3.3. Plain ``tEXt`` rather
than compressed, because Pillow and others refuse compressed text of more than a megabyte, and a recipe that
holds an init image is longer than that. All three kinds of text chunk are read.
"""

import struct
import zlib
from typing import BinaryIO

from text2art_nb.imaging.metadata.bounded import KEYWORD, MAX_TEXT, Found, Reader, check_pixels, check_text

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER_END = 8 + 25  # the signature and the whole IHDR chunk


def embed(png: bytes, text: bytes) -> bytes:
    """`png` with `text` (ASCII JSON) in it, right after its header.

    Raises:
        ArtworkError: the text is longer than `MAX_TEXT`.
    """
    check_text(text)
    body = b"tEXt" + KEYWORD + b"\0" + text
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:HEADER_END] + chunk + png[HEADER_END:]


def read(file: BinaryIO, size: int) -> Found:
    """Walk the chunks of a PNG of `size` bytes.

    Raises:
        ArtworkError: it is cut off, malformed, too large, or carries two recipes.
    """
    reader = Reader(file, size, "PNG")
    reader.skip(len(SIGNATURE))
    width, height = _header(reader)
    text: bytes | None = None
    pixels = False
    while True:
        reader.step()
        length, kind = reader.unpack(">I4s")
        end = reader.position + length
        if end + 4 > size:
            raise reader.broken("a chunk says that it is longer than the file")
        if kind in (b"tEXt", b"zTXt", b"iTXt"):
            found = _text(reader, kind, length)
            if found is not None and text is not None:
                raise reader.broken("it carries two recipes")
            text = text if found is None else found
        pixels = pixels or kind == b"IDAT"
        if kind == b"IEND":
            break
        reader.jump(end + 4)
    if not pixels:
        raise reader.broken("it has no pixels")
    return Found("PNG", width, height, text)


def _header(reader: Reader) -> tuple[int, int]:
    length, kind, width, height = reader.unpack(">I4sII")
    if kind != b"IHDR" or length != 13:
        raise reader.broken("it does not start with a header")
    check_pixels(width, height, "PNG")
    reader.skip(5 + 4)
    return width, height


def _text(reader: Reader, kind: bytes, length: int) -> bytes | None:
    """The text of the chunk at hand if it is a recipe's."""
    prefix = KEYWORD + b"\0"
    if length < len(prefix):
        return None
    start = reader.take(len(prefix))
    if start != prefix:
        return None
    rest = reader.take(length - len(prefix))
    (checksum,) = reader.unpack(">I")
    if zlib.crc32(rest, zlib.crc32(start, zlib.crc32(kind))) != checksum:
        raise reader.broken("its recipe's checksum is wrong")
    if kind == b"tEXt":
        return rest
    if kind == b"zTXt":
        return _inflate(reader, rest[1:]) if rest[:1] == b"\0" else None
    flags, parts = rest[:2], rest[2:].split(b"\0", 2)
    if len(parts) != 3 or flags not in (b"\0\0", b"\1\0"):
        raise reader.broken("its recipe's text chunk is malformed")
    return _inflate(reader, parts[2]) if flags == b"\1\0" else parts[2]


def _inflate(reader: Reader, data: bytes) -> bytes:
    """Decompress no more than `MAX_TEXT`, whatever the stream holds."""
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(data, MAX_TEXT + 1)
    except zlib.error as error:
        raise reader.broken("its recipe cannot be decompressed") from error
    if len(text) > MAX_TEXT:
        raise reader.broken(f"its recipe unpacks to more than {MAX_TEXT:,} bytes")
    if not stream.eof:
        raise reader.broken("its recipe is cut off")
    return text
