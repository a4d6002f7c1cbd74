"""GIF: the recipe is one comment extension that starts with ``text2art:``, before the pictures.

Layout: Graphics Interchange Format, version 89a, CompuServe 1990, sections 17 to 27.
"""

from typing import BinaryIO

from text2art_nb.imaging.metadata.bounded import KEYWORD, MAX_TEXT, Found, Reader, check_pixels, check_text

SIGNATURES = (b"GIF87a", b"GIF89a")
PREFIX = KEYWORD + b":"
TRAILER, EXTENSION, PICTURE = 0x3B, 0x21, 0x2C
COMMENT = 0xFE


def embed(gif: bytes, text: bytes) -> bytes:
    """`gif` with `text` (ASCII JSON) in it, right after its global palette.

    Raises:
        ArtworkError: the text is longer than `MAX_TEXT`.
    """
    check_text(text)
    content = PREFIX + text
    blocks = [content[i : i + 255] for i in range(0, len(content), 255)]
    comment = bytes([EXTENSION, COMMENT]) + b"".join(bytes([len(block)]) + block for block in blocks) + b"\0"
    at = 13 + _palette_length(gif[10])
    return b"GIF89a" + gif[6:at] + comment + gif[at:]


def read(file: BinaryIO, size: int) -> Found:
    """Walk the blocks of a GIF of `size` bytes.

    Raises:
        ArtworkError: it is cut off, malformed, too large, or carries two recipes.
    """
    reader = Reader(file, size, "GIF")
    reader.skip(6)
    width, height, flags = reader.unpack("<HHB")
    check_pixels(width, height, "GIF")
    reader.skip(2 + _palette_length(flags))
    text: bytes | None = None
    pictures = 0
    # A file whose recipe has been found may have as many blocks as it likes: the walk just ends.
    while not (text is not None and reader.exhausted):
        reader.step()
        (kind,) = reader.unpack("B")
        if kind == TRAILER:
            if not pictures:
                raise reader.broken("it has no picture")
            break
        if kind == PICTURE:
            pictures += 1
            _skip_picture(reader)
        elif kind == EXTENSION:
            (label,) = reader.unpack("B")
            found = None
            if label == COMMENT:
                found = _comment(reader)
            else:
                _skip_blocks(reader)
            if found is not None and text is not None:
                raise reader.broken("it carries two recipes")
            text = text if found is None else found
        else:
            raise reader.broken(f"it has a block of the unknown kind {kind}")
    return Found("GIF", width, height, text)


def _palette_length(flags: int) -> int:
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _skip_picture(reader: Reader) -> None:
    *_, width, height, flags = reader.unpack("<HHHHB")
    check_pixels(width, height, "GIF")
    reader.skip(_palette_length(flags) + 1)
    _skip_blocks(reader)


def _skip_blocks(reader: Reader) -> None:
    while (length := reader.take(1)[0]) and not reader.exhausted:
        reader.step()
        reader.skip(length)


def _comment(reader: Reader) -> bytes | None:
    """The comment at hand if it is a recipe."""
    length = reader.take(1)[0]
    first = reader.take(length)
    if not first.startswith(PREFIX):
        if length:
            _skip_blocks(reader)
        return None
    parts = [first]
    while length := reader.take(1)[0]:
        reader.step()
        parts.append(reader.take(length))
        if len(parts) * 255 > MAX_TEXT + 512:
            raise reader.broken(f"its recipe has more than {MAX_TEXT:,} bytes")
    return b"".join(parts)[len(PREFIX) :]
