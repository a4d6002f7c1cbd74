"""Pictures from outside (a file, a browser, a stranger's recipe) in one form: a PNG data URI of bounded size.

A recipe that holds its init image and its image prompts in this form is complete: it can be sent, and draws the same
picture elsewhere. Everything here treats its input as hostile: sizes are checked before anything is decoded, only a few
formats are opened, and PNG chunks other than the picture itself never reach a decoder.
"""

import base64
import binascii
import functools
import hashlib
import io
import os
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    from PIL import Image

MAX_SIDE = 1024
"""Longest side, in pixels, of a normalised picture; larger ones are scaled down."""
MAX_FILE_BYTES = 64 * 2**20
"""Largest picture file (or download) that is opened."""
MAX_SOURCE_PIXELS = 80_000_000
"""Largest picture, in pixels, that is opened to be scaled down; below Pillow's own limit for warnings."""
MAX_URI_CHARS = 6_000_000
"""Longest data URI: the PNG of 1024 x 1024 incompressible RGBA pixels, in base64, and a little."""
PNG_PREFIX = "data:image/png;base64,"


class CheckedPicture(str):
    """A PNG data URI that `picture_to_uri` has decoded and found good; nothing decodes it again to check it.

    It is made here alone: what a recipe, a request or a file holds is plain text until it has been checked.
    """

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the data URI, in hex."""
        return hashlib.sha256(self.encode("ascii")).hexdigest()

    @functools.cached_property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels, from the PNG's header."""
        header = base64.b64decode(self[len(PNG_PREFIX) : len(PNG_PREFIX) + _HEADER_CHARS])
        width, height = struct.unpack(">II", header[16:24])
        return width, height


_HEADER_CHARS = 32  # of base64: the 24 bytes of a PNG up to its width and height
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_NEEDED_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_PLAIN_CHUNKS = frozenset({b"IHDR", b"IDAT", b"IEND"})
_TIMEOUT_SECONDS = 20.0
_DAMAGED = "the picture is damaged or of a kind that cannot be converted"


def picture_to_uri(picture: Any, *, allow_urls: bool = False) -> CheckedPicture:
    """Bring a picture into the form in which settings hold it.

    Args:
        picture: a path (str or os.PathLike), a ``PIL.Image``, an array of uint8 [H,W], [H,W,1], [H,W,3] or [H,W,4],
            the bytes of a picture file, a data URI, or, only with allow_urls, an http(s) address.
        allow_urls: whether an address may be fetched.

    Returns:
        ``data:image/png;base64,…``: 8-bit RGB, or RGBA where something is transparent; upright; at most 1024 pixels on
        the longer side; no metadata. What this function returned, it returns unchanged.

    Raises:
        ValueError: one plain sentence.
    """
    if isinstance(picture, CheckedPicture):
        return picture
    return CheckedPicture(_converted(picture, allow_urls))


def _converted(picture: Any, allow_urls: bool) -> str:
    from PIL import Image

    if isinstance(picture, str) and picture.lstrip()[:5].lower() == "data:":
        return _from_uri(picture.strip())
    if isinstance(picture, str) and picture.strip()[:8].lower().startswith(("http://", "https://")):
        if not allow_urls:
            raise ValueError("addresses are not fetched unless allow_urls=True; download the picture and give its file")
        return _encode(_open(_fetch(picture.strip()), "the address"))
    if isinstance(picture, str | os.PathLike):
        return _encode(_open_file(picture))
    if isinstance(picture, bytes | bytearray | memoryview):
        return _encode(_open(bytes(picture), "these bytes"))
    if isinstance(picture, Image.Image):
        return _encode(_upright(_small_enough(picture)))
    if hasattr(picture, "__array_interface__"):
        return _encode(_from_array(picture))
    raise ValueError(
        f"a picture must be a file, a PIL image, a uint8 array, bytes or a data URI; got {type(picture).__name__}"
    )


def open_picture(uri: str) -> "Image.Image":
    """Decode a PNG data URI into a ``PIL.Image`` of mode RGB or RGBA, at most 1024 pixels on each side.

    Raises:
        ValueError: not a PNG data URI, too large (known from its header, before anything is decoded), or damaged.
    """
    from PIL import Image

    width, height, chunks = _read_png(_uri_bytes(uri))
    if max(width, height) > MAX_SIDE:
        raise ValueError(
            f"a picture in a data URI may have at most {MAX_SIDE} pixels on a side; this one is {width}x{height}"
        )
    png = _SIGNATURE + b"".join(_chunk(kind, body) for kind, body in chunks if kind in _NEEDED_CHUNKS)
    try:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as image:
            image.load()
            return _plain_mode(image)
    except _DECODING as error:
        raise ValueError("the picture in the data URI is damaged") from error


def opaque(image: "Image.Image") -> "Image.Image":
    """`image` in RGB, what is transparent over white."""
    from PIL import Image

    if image.mode != "RGBA":
        return image.convert("RGB")
    ground = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(ground, image).convert("RGB")


def picture_size(uri: str) -> tuple[int, int]:
    """(width, height) in pixels that the header of a PNG data URI says; decodes no pixels.

    Raises:
        ValueError: not a PNG data URI, or cut short.
    """
    if isinstance(uri, CheckedPicture):
        return uri.size
    width, height, _ = _read_png(_uri_bytes(uri))
    return width, height


def check_stranger(picture: Any) -> None:
    """Refuse, from a stranger, everything but a PNG data URI of bounded length and size. Decodes no pixels.

    Raises:
        ValueError: what it is instead.
    """
    if not isinstance(picture, str) or not picture.startswith(PNG_PREFIX):
        raise ValueError("a recipe from elsewhere may hold pictures only as PNG data URIs, not as files or addresses")
    if len(picture) > MAX_URI_CHARS:
        raise ValueError(f"a picture in a data URI may be at most {MAX_URI_CHARS // 10**6} MB long")
    width, height = picture_size(picture)
    if max(width, height) > MAX_SIDE:
        raise ValueError(
            f"a picture in a data URI may have at most {MAX_SIDE} pixels on a side; this one is {width}x{height}"
        )


def read_source(source: str, allow_urls: bool) -> bytes:
    """The bytes of a file, or with allow_urls of an http(s) address; at most 64 MB.

    Raises:
        ValueError: one plain sentence.
    """
    if source.strip()[:8].lower().startswith(("http://", "https://")):
        if not allow_urls:
            raise ValueError("addresses are not fetched unless allow_urls=True; download the file and give its name")
        return _fetch(source.strip())
    return _file_bytes(source, "file")


def decode_picture(data: bytes, name: str) -> "Image.Image":
    """The first frame of a picture file's bytes, upright, 8 bits a channel, in its own size and mode.

    Raises:
        ValueError: it isn't a picture, is damaged or too large.
    """
    return _open(data, repr(name))


# What Pillow raises on damaged or hostile files; SyntaxError is its word for a broken PNG.
_DECODING = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
)


def _from_uri(uri: str) -> str:
    """A data URI brought into the form; one that is in it already comes back as it is (but has been decoded whole)."""
    if not uri.startswith(PNG_PREFIX):
        header, comma, _ = uri[:200].partition(",")
        if not comma or not header.lower().startswith("data:image/") or not header.lower().endswith(";base64"):
            raise ValueError("a picture's data URI must start with 'data:image/png;base64,'")
        if header.lower() + comma != PNG_PREFIX:
            return _encode(_open(_base64(uri[len(header) + 1 :]), "the data URI"))
        uri = PNG_PREFIX + uri[len(header) + 1 :]
    data = _uri_bytes(uri)
    width, height, chunks = _read_png(data)
    if max(width, height) > MAX_SIDE:
        return _encode(_open(data, "the data URI"))
    image = open_picture(uri)
    if {kind for kind, _ in chunks} <= _PLAIN_CHUNKS and _plain_header_mode(chunks[0][1]) == image.mode:
        return PNG_PREFIX + base64.b64encode(data).decode("ascii")
    return _encode(image)


def _plain_header_mode(header: bytes) -> str | None:
    """RGB or RGBA where an IHDR says so with 8 bits and no interlacing; else None."""
    depth, kind, interlaced = header[8], header[9], header[12]
    return {2: "RGB", 6: "RGBA"}.get(kind) if depth == 8 and not interlaced else None


def _uri_bytes(uri: str) -> bytes:
    if not uri.startswith(PNG_PREFIX):
        raise ValueError(f"a picture's data URI must start with '{PNG_PREFIX}'")
    return _base64(uri[len(PNG_PREFIX) :])


def _base64(text: str) -> bytes:
    if len(text) > MAX_FILE_BYTES:
        raise ValueError(f"a picture in a data URI may be at most {MAX_FILE_BYTES // 2**20} MB long")
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError("the data URI is not valid base64") from error


def _read_png(data: bytes) -> tuple[int, int, list[tuple[bytes, bytes]]]:
    """(width, height, chunks up to IEND) of a PNG; decodes nothing.

    Raises:
        ValueError: not a PNG, or cut short.
    """
    if not data.startswith(_SIGNATURE):
        raise ValueError("the data URI does not hold a PNG picture")
    chunks: list[tuple[bytes, bytes]] = []
    position = len(_SIGNATURE)
    while position + 12 <= len(data) and (not chunks or chunks[-1][0] != b"IEND"):
        length = int.from_bytes(data[position : position + 4], "big")
        kind, body = data[position + 4 : position + 8], data[position + 8 : position + 8 + length]
        if len(body) != length:
            break
        chunks.append((kind, body))
        position += 12 + length
    if not chunks or chunks[0][0] != b"IHDR" or len(chunks[0][1]) != 13 or chunks[-1][0] != b"IEND":
        raise ValueError("the PNG picture in the data URI is damaged or cut short")
    width, height = struct.unpack(">II", chunks[0][1][:8])
    return width, height, chunks


def _chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


def _open_file(path: "str | os.PathLike[str]") -> "Image.Image":
    data = _file_bytes(path, "picture file")
    return _open(data, repr(_file_name(path)))


def _file_name(path: "str | os.PathLike[str]") -> str:
    name = os.path.expanduser(os.fsdecode(path))
    return name if len(name) <= 80 else "…" + name[-79:]


def _file_bytes(path: "str | os.PathLike[str]", kind: str) -> bytes:
    file = Path(os.path.expanduser(os.fsdecode(path)))  # Path.expanduser raises where there is no home
    name = _file_name(file)
    try:
        if not file.is_file():
            raise ValueError(f"there is no {kind} {name!r}")
        with file.open("rb") as opened:
            return _bounded(opened)
    except OSError as error:
        raise ValueError(f"the {kind} {name!r} cannot be read") from error


def _bounded(source: "BinaryIO | Any") -> bytes:
    data: bytes = source.read(MAX_FILE_BYTES + 1)
    if len(data) > MAX_FILE_BYTES:
        raise ValueError(f"a picture file may be at most {MAX_FILE_BYTES // 2**20} MB")
    return data


def _fetch(address: str) -> bytes:
    from http.client import HTTPException
    from urllib import request

    opener = request.OpenerDirector()  # not build_opener: that one also follows a redirect to ftp:
    for handler in (
        request.ProxyHandler,
        request.HTTPHandler,
        request.HTTPSHandler,
        request.HTTPRedirectHandler,
        request.HTTPDefaultErrorHandler,
        request.HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    try:
        answer = opener.open(request.Request(address, headers={"User-Agent": "text2art"}), timeout=_TIMEOUT_SECONDS)
        if answer is None:
            raise ValueError("the address leads to something that is not http or https")
        with answer:
            return _bounded(answer)
    except (OSError, ValueError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        raise ValueError(f"the picture at {address[:100]!r} cannot be fetched ({reason})") from error


def _open(data: bytes, name: str) -> "Image.Image":
    """Open the bytes of a picture file: its first frame, upright, 8 bits a channel."""
    from PIL import Image, ImageOps

    if len(data) > MAX_FILE_BYTES:
        raise ValueError(f"a picture file may be at most {MAX_FILE_BYTES // 2**20} MB")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _small_enough(image)
            if image.format == "JPEG":
                image.draft("RGB", (MAX_SIDE, MAX_SIDE))  # the decoder itself scales down, by 2, 4 or 8
            image.load()
            return ImageOps.exif_transpose(image)
    except _TooLarge:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ValueError(f"a picture may have at most {MAX_SOURCE_PIXELS // 10**6} million pixels") from error
    except _DECODING as error:
        known = ", ".join(_FORMATS[:-1])
        raise ValueError(f"{name} is not a picture that can be opened ({known} and {_FORMATS[-1]} can)") from error


class _TooLarge(ValueError):
    """Told apart from the decoder's own ValueErrors."""


def _small_enough(image: "Image.Image") -> "Image.Image":
    width, height = image.size
    if width < 1 or height < 1:
        raise _TooLarge("a picture must have at least one pixel")
    if width * height > MAX_SOURCE_PIXELS:
        raise _TooLarge(
            f"a picture may have at most {MAX_SOURCE_PIXELS // 10**6} million pixels; this one is {width}x{height}"
        )
    return image


def _upright(image: "Image.Image") -> "Image.Image":
    """`image` turned as its EXIF says, which a photograph that somebody has opened still is not."""
    from PIL import ImageOps

    try:
        return ImageOps.exif_transpose(image)
    except _DECODING as error:
        raise ValueError(_DAMAGED) from error


def _from_array(array: Any) -> "Image.Image":
    import numpy as np
    from PIL import Image

    pixels = np.asarray(array)
    if pixels.dtype != np.uint8 or pixels.ndim not in (2, 3) or (pixels.ndim == 3 and pixels.shape[2] not in (1, 3, 4)):
        shape = list(pixels.shape)
        raise ValueError(
            f"a picture array must be uint8 of shape [height, width, 3]; got {pixels.dtype} of shape {shape}"
        )
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    if 0 in pixels.shape:
        raise ValueError("a picture must have at least one pixel")
    if pixels.shape[0] * pixels.shape[1] > MAX_SOURCE_PIXELS:
        raise ValueError(f"a picture may have at most {MAX_SOURCE_PIXELS // 10**6} million pixels")
    return Image.fromarray(np.ascontiguousarray(pixels))


def _plain_mode(image: "Image.Image") -> "Image.Image":
    """RGB, or RGBA where something is really transparent."""
    if image.mode.startswith("I;16"):
        image = image.convert("I")
        image = image.point(lambda value: value * (1 / 257)).convert("L")
    elif image.mode in ("I", "F"):
        image = image.convert("L")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
        lowest, _ = image.getchannel("A").getextrema()
        if isinstance(lowest, int | float) and lowest < 255:
            return image
    return image if image.mode == "RGB" else image.convert("RGB")


def _encode(image: "Image.Image") -> str:
    from PIL import Image

    try:
        image = _plain_mode(image)
    except _DECODING as error:
        raise ValueError(_DAMAGED) from error
    longer = max(image.size)
    if longer > MAX_SIDE:
        width, height = (max(1, round(side * MAX_SIDE / longer)) for side in image.size)
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=3.0)
        image = _plain_mode(image)
    # A copy without the original's metadata, which save() would write.
    stored = Image.frombytes(image.mode, image.size, image.tobytes())
    buffer = io.BytesIO()
    stored.save(buffer, "PNG", compress_level=6)
    return PNG_PREFIX + base64.b64encode(buffer.getvalue()).decode("ascii")
