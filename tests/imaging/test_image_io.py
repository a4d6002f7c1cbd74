"""What becomes of a picture that somebody hands over, and of one that a stranger did."""

import base64
import contextlib
import io
import struct
import time
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from text2art_nb.imaging.image_io import (
    MAX_SIDE,
    PNG_PREFIX,
    check_stranger,
    open_picture,
    picture_size,
    picture_to_uri,
)


def pixels(width: int = 24, height: int = 16, channels: int = 3) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width, channels), dtype=np.uint8)


def file_bytes(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def uri_of(data: bytes) -> str:
    return PNG_PREFIX + base64.b64encode(data).decode()


@contextlib.contextmanager
def at_most_bytes(limit: float) -> Iterator[None]:
    """Fails where Python and Pillow's Python side hold more than so many bytes at once."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, idat: bytes, *extra: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + chunk(b"IDAT", idat) + chunk(b"IEND", b"")


def test_every_form_of_a_picture_becomes_the_same_png(tmp_path: Path) -> None:
    array = pixels()
    image = Image.fromarray(array)
    data = file_bytes(image, "PNG")
    (tmp_path / "a.png").write_bytes(data)
    forms = [array, image, data, bytearray(data), uri_of(data), tmp_path / "a.png", str(tmp_path / "a.png")]
    assert {picture_to_uri(form) for form in forms} == {picture_to_uri(array)}
    assert np.array_equal(np.asarray(open_picture(picture_to_uri(array))), array)


def test_a_normalised_picture_stays_as_it_is() -> None:
    for array in (pixels(), pixels(channels=4)):
        uri = picture_to_uri(array)
        assert picture_to_uri(uri) == uri


def test_a_home_directory_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    Image.fromarray(pixels()).save(tmp_path / "a.png")
    assert picture_to_uri("~/a.png") == picture_to_uri(pixels())


def test_large_pictures_are_scaled_down_in_their_shape() -> None:
    uri = picture_to_uri(np.zeros((500, 4000, 3), np.uint8))
    assert picture_size(uri) == open_picture(uri).size == (MAX_SIDE, 128)


def test_a_picture_is_never_scaled_to_nothing() -> None:
    assert picture_size(picture_to_uri(np.zeros((1, 5000, 3), np.uint8))) == (MAX_SIDE, 1)


def test_what_is_transparent_stays_so_and_what_is_not_has_no_alpha() -> None:
    clear, opaque = pixels(channels=4), pixels(channels=4)
    opaque[..., 3] = 255
    assert open_picture(picture_to_uri(clear)).mode == "RGBA"
    assert open_picture(picture_to_uri(opaque)).mode == "RGB"


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "CMYK", "YCbCr", "I;16", "I", "F", "HSV"])
def test_any_kind_of_pixels_becomes_rgb(mode: str) -> None:
    image = Image.new(mode, (8, 8), 1 if mode == "1" else None)
    assert open_picture(picture_to_uri(image)).mode in ("RGB", "RGBA")


def test_sixteen_bit_grey_keeps_its_tones() -> None:
    ramp = Image.fromarray(np.linspace(0, 65535, 256).astype(np.uint16)[None])
    grey = np.asarray(open_picture(picture_to_uri(file_bytes(ramp, "PNG"))))[0, :, 0]
    assert np.abs(grey.astype(int) - np.arange(256)).max() <= 1


def test_a_photograph_is_turned_upright_and_its_place_is_forgotten() -> None:
    exif = Image.Exif()
    exif[0x0112], exif[0x010E] = 6, "my home"
    data = file_bytes(Image.fromarray(pixels(24, 16)), "JPEG", exif=exif.tobytes())
    uri = picture_to_uri(data)
    assert picture_size(uri) == (16, 24)
    assert picture_to_uri(Image.open(io.BytesIO(data))) == uri
    assert b"home" not in base64.b64decode(uri[len(PNG_PREFIX) :])


def test_text_inside_a_png_is_dropped() -> None:
    data = png(1, 1, zlib.compress(b"\0abc"), chunk(b"tEXt", b"secret\0here"))
    stored = base64.b64decode(picture_to_uri(uri_of(data))[len(PNG_PREFIX) :])
    assert b"secret" not in stored


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("no such.png", "there is no picture file 'no such.png'"),
        ("a\0b", "there is no picture file"),
        ("~nobody-here/x.png", "there is no picture file"),
        ("/", "there is no picture file"),
        ("https://example.org/a.png", "unless allow_urls=True"),
        (b"not a picture", "not a picture that can be opened"),
        (b"", "not a picture that can be opened"),
        (5, "must be a file, a PIL image"),
        (None, "must be a file, a PIL image"),
        (np.zeros((4, 4, 3), np.float32), "must be uint8 of shape"),
        (np.zeros((4, 4, 2), np.uint8), "must be uint8 of shape"),
        (np.zeros((0, 4, 3), np.uint8), "at least one pixel"),
        ("data:text/html;base64,AAAA", "must start with 'data:image/png;base64,'"),
        ("data:image/png;base64,@@@", "not valid base64"),
        ("data:image/png;base64,AAAA", "does not hold a PNG"),
    ],
)
def test_what_is_no_picture_is_refused_in_plain_words(value: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        picture_to_uri(value)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP"])
@pytest.mark.parametrize("cut", [0.3, 0.6, 0.95])
def test_a_torn_file_is_a_picture_or_a_plain_refusal(kind: str, cut: float) -> None:
    data = file_bytes(Image.fromarray(pixels(64, 64)), kind)
    for torn in (data[: int(len(data) * cut)], data[: int(len(data) * cut)] + b"\xff" * 100):
        try:
            uri = picture_to_uri(torn)
        except ValueError as error:
            found: object = str(error)
        else:
            found = picture_size(uri)
        assert found == (64, 64) or "not a picture that can be opened" in str(found)


def test_a_postscript_file_is_never_opened() -> None:
    with pytest.raises(ValueError, match="not a picture that can be opened"):
        picture_to_uri(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n")


def test_a_jpeg_data_uri_from_oneself_is_converted() -> None:
    data = file_bytes(Image.fromarray(pixels()), "JPEG")
    uri = picture_to_uri("data:image/jpeg;base64," + base64.b64encode(data).decode())
    assert uri.startswith(PNG_PREFIX)


BOMB = png(30_000, 30_000, zlib.compress(b"\0" * 1_000_000, 9))


@pytest.mark.parametrize("value", [BOMB, uri_of(BOMB)])
def test_a_decompression_bomb_is_refused_before_it_is_decoded(value: object) -> None:
    began = time.process_time()
    with at_most_bytes(50e6), pytest.raises(ValueError, match="at most 80 million pixels"):
        picture_to_uri(value)
    assert time.process_time() - began < 1


def test_a_small_header_with_an_ocean_behind_it_costs_nothing() -> None:
    deflated = zlib.compressobj(9)
    idat = b"".join(deflated.compress(b"\0" * 2**20) for _ in range(128)) + deflated.flush()
    began = time.process_time()
    image = open_picture(uri_of(png(16, 16, idat)))
    assert image.size == (16, 16)
    assert time.process_time() - began < 1


def test_a_compressed_comment_never_reaches_the_decoder() -> None:
    huge = chunk(b"zTXt", b"a\0\0" + zlib.compress(b"\0" * 50_000_000, 9))
    uri = uri_of(png(1, 1, zlib.compress(b"\0abc"), huge))
    with at_most_bytes(5e6):
        assert open_picture(uri).size == (1, 1)


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("/etc/passwd", "only as PNG data URIs"),
        ("https://example.org/a.png", "only as PNG data URIs"),
        ("data:image/jpeg;base64,AAAA", "only as PNG data URIs"),
        (b"bytes", "only as PNG data URIs"),
        ({"a": 1}, "only as PNG data URIs"),
        (PNG_PREFIX + "A" * 7_000_000, "at most 6 MB"),
        (uri_of(BOMB), "at most 1024 pixels on a side; this one is 30000x30000"),
        (uri_of(b"\x80\x04pickle"), "does not hold a PNG"),
        (uri_of(BOMB[:40]), "damaged or cut short"),
    ],
)
def test_a_stranger_may_only_hand_over_a_small_png(value: object, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        check_stranger(value)


def test_a_damaged_picture_from_a_stranger_is_refused_when_opened() -> None:
    with pytest.raises(ValueError, match="damaged"):
        picture_to_uri(uri_of(png(16, 16, b"not deflated")))


def test_an_address_is_fetched_where_that_is_allowed(served: str) -> None:
    assert picture_to_uri(f"{served}/a.png", allow_urls=True) == picture_to_uri(pixels())


def test_an_address_that_answers_no_picture_is_refused(served: str) -> None:
    with pytest.raises(ValueError, match="cannot be fetched"):
        picture_to_uri(f"{served}/missing.png", allow_urls=True)
    with pytest.raises(ValueError, match="cannot be fetched"):
        picture_to_uri("http://127.0.0.1:1/a.png", allow_urls=True)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[str]:
    """The address of a web server on this machine that has a.png."""
    import functools
    import http.server
    import threading

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    Image.fromarray(pixels()).save(tmp_path / "a.png")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
