"""A file from a stranger is refused in a plain sentence, at once, without much memory, without doing what it says."""

import base64
import json
import os
import pickle
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.errors import ArtworkError
from text2art_nb.imaging.metadata import gif, jpeg, png
from text2art_nb.imaging.metadata.bounded import MAX_TEXT
from text2art_nb.settings import Settings

SECONDS = 4.0  # a tenth of a second or so on a quiet machine; what is not linear takes minutes
MEGABYTES = 200
URI = "data:image/png;base64,"

GOOD = Artwork(Image.new("RGB", (48, 32), "teal"), Settings(prompts="a castle", seed=1).resolved(), 0.25).recipe


def still(kind: str, size: tuple[int, int] = (48, 32)) -> bytes:
    """A picture without a recipe."""
    file = BytesIO()
    Image.effect_noise(size, 60).convert("RGB").save(file, kind)
    return file.getvalue()


def chunk(kind: bytes, body: bytes, length: int | None = None) -> bytes:
    """A PNG chunk, of which the length may be a lie."""
    return (
        struct.pack(">I", len(body) if length is None else length)
        + kind
        + body
        + struct.pack(">I", zlib.crc32(kind + body))
    )


def png_with(*chunks: bytes, picture: bytes | None = None) -> bytes:
    """A PNG with these chunks after its header."""
    data = picture or still("PNG")
    return data[:33] + b"".join(chunks) + data[33:]


def png_of(text: bytes) -> bytes:
    """A PNG with this text for a recipe."""
    return png_with(chunk(b"tEXt", b"text2art\0" + text))


def box(kind: bytes, *contents: bytes, length: int | None = None) -> bytes:
    """An MP4 box, of which the length may be a lie."""
    body = b"".join(contents)
    return struct.pack(">I", len(body) + 8 if length is None else length) + kind + body


def mp4_of(*texts: bytes, side: int = 64, length: int | None = None) -> bytes:
    """The skeleton of an MP4 with these comments."""
    comments = [box(b"\xa9cmt", box(b"data", struct.pack(">II", 1, 0), text, length=length)) for text in texts]
    header = box(b"tkhd", bytes(76), struct.pack(">II", side << 16, side << 16))
    tags = box(b"udta", box(b"meta", bytes(4), box(b"ilst", *comments)))
    return box(b"ftyp", b"isom") + box(b"moov", box(b"trak", header), tags) + box(b"mdat", bytes(100))


def gif_of(text: bytes) -> bytes:
    """A GIF with this text for a recipe."""
    return gif.embed(still("GIF"), text)


def jpeg_of(text: bytes) -> bytes:
    """A JPEG with this text for a recipe."""
    return jpeg.embed(still("JPEG"), text)


def recipe(**changes: Any) -> bytes:
    """A recipe whose settings have these values, whatever they are."""
    good = json.loads(GOOD)
    good["settings"] |= changes
    return json.dumps(good).encode()


def huge_header(width: int, height: int) -> bytes:
    """A PNG that says that it is so large, with as few bytes as a bomb needs."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = zlib.compress(bytes(1_000_000), 9)
    return (
        png.SIGNATURE
        + chunk(b"IHDR", header)
        + chunk(b"tEXt", b"text2art\0" + GOOD)
        + chunk(b"IDAT", rows)
        + chunk(b"IEND", b"")
    )


def data_uri(data: bytes) -> str:
    """The bytes as settings hold a picture."""
    return URI + base64.b64encode(data).decode()


def bomb() -> bytes:
    """Two gigabytes of spaces, deflated to two megabytes."""
    stream = zlib.compressobj(9)
    start = stream.compress(b" ") + stream.flush(zlib.Z_FULL_FLUSH)
    block = stream.compress(b" " * 2**24) + stream.flush(zlib.Z_FULL_FLUSH)
    return start + block * 128


class Evil:
    """What a pickle would run."""

    def __reduce__(self) -> tuple[Callable[[str], int], tuple[str]]:
        return os.system, ("touch /tmp/text2art-was-here",)


PICKLE = pickle.dumps(Evil())

# name -> the file's bytes and a word that the error must have
FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    "empty": (lambda: b"", "not a PNG"),
    "text": (lambda: b"hello", "not a PNG"),
    "pickle": (lambda: PICKLE, "not a PNG"),
    "zip": (lambda: b"PK\x03\x04" + bytes(100), "not a PNG"),
    "html": (lambda: b"<html onload=alert(1)>", "not a PNG"),
    "an svg with a script": (lambda: b"<svg onload=alert(1)>", "does not say how large it is"),
    "png without recipe": (lambda: still("PNG"), "carries no recipe"),
    "gif without recipe": (lambda: still("GIF"), "carries no recipe"),
    "jpeg without recipe": (lambda: still("JPEG"), "carries no recipe"),
    "mp4 without recipe": (lambda: mp4_of(), "carries no recipe"),
    "mp4 with somebody's comment": (lambda: mp4_of(b"holidays 2024"), "carries no recipe"),
    "png cut off": (lambda: png_of(GOOD)[:-200], "longer than the file"),
    "png cut off in its header": (lambda: png_of(GOOD)[:20], "cut off"),
    "gif cut off": (lambda: gif_of(GOOD)[:-1], "cut off"),
    "jpeg cut off": (lambda: jpeg_of(GOOD)[:-100], "decoded"),
    "mp4 cut off": (lambda: mp4_of(GOOD)[:-1], "longer than what it is in"),
    "png with its pixels damaged": (lambda: png_with(chunk(b"tEXt", b"text2art\0" + GOOD))[:-60] + bytes(60), ""),
    "png chunk of 2 GB": (lambda: png_with(chunk(b"tEXt", b"text2art\0", 2**31 - 1)), "longer than the file"),
    "png of 100,000 x 100,000": (lambda: huge_header(100_000, 100_000), "pixels"),
    "png of 2^32 pixels on a side": (lambda: huge_header(2**32 - 1, 2**32 - 1), "pixels"),
    "png of no pixels": (lambda: huge_header(0, 5), "pixels"),
    "png whose pixels are missing": (lambda: huge_header(2000, 2000), "decoded"),
    "gif of 65,535 x 65,535": (lambda: b"GIF89a" + b"\xff" * 4 + gif_of(GOOD)[10:], "pixels"),
    "mp4 of 65,535 pixels": (lambda: mp4_of(GOOD, side=65_535), "pixels"),
    "zTXt bomb": (lambda: png_with(chunk(b"zTXt", b"text2art\0\0" + bomb())), "unpacks to more"),
    "iTXt bomb": (lambda: png_with(chunk(b"iTXt", b"text2art\0\1\0\0\0" + bomb())), "unpacks to more"),
    "zTXt that is no zlib": (lambda: png_with(chunk(b"zTXt", b"text2art\0\0nonsense")), "decompressed"),
    "zTXt cut off": (lambda: png_with(chunk(b"zTXt", b"text2art\0\0" + zlib.compress(GOOD)[:-9])), "cut off"),
    "two recipes": (lambda: png_with(*[chunk(b"tEXt", b"text2art\0" + GOOD)] * 2), "two recipes"),
    "two recipes in a gif": (lambda: gif.embed(gif_of(GOOD), GOOD), "two recipes"),
    "two recipes in a jpeg": (lambda: jpeg.embed(jpeg_of(GOOD), GOOD), "two"),
    "two recipes in an mp4": (lambda: mp4_of(GOOD, GOOD), "two recipes"),
    "a million chunks": (lambda: png_with(chunk(b"tEXt", b"a") * 1_000_000), "blocks"),
    "a million gif blocks": (lambda: still("GIF")[:-1] + b"\x21\x01" + b"\1a" * 5_000_000, "blocks"),
    "a million jpeg comments": (lambda: b"\xff\xd8" + b"\xff\xfe\0\2" * 1_000_000 + still("JPEG")[2:], "blocks"),
    "a million mp4 boxes": (lambda: box(b"ftyp") + box(b"free") * 1_000_000, "blocks"),
    "mp4 box of 10 GB": (lambda: mp4_of(GOOD, length=2**32 - 1), "longer than"),
    "mp4 box of 2^64": (lambda: box(b"ftyp") + box(b"moov", b"\xff" * 8, length=1), "longer than"),
    "mp4 box shorter than itself": (lambda: box(b"ftyp") + box(b"moov", length=4), "longer than"),
    "recipe of 30 MB": (lambda: png_of(b'{"text2art":1,"settings":{"prompts":"' + b"a" * 30_000_000 + b'"}}'), "text"),
    "recipe in a wrong checksum": (lambda: png_of(GOOD).replace(b"castle", b"cattle"), "checksum"),
    "pickle in the recipe": (lambda: png_of(PICKLE), "JSON"),
    "not JSON": (lambda: png_of(b"{'text2art': 1}"), "JSON"),
    "not text": (lambda: png_of(b"\xff\xfe\xfd"), "JSON"),
    "nothing": (lambda: png_of(b""), "JSON"),
    "a list": (lambda: png_of(b"[1, 2]"), "not one of text2art's"),
    "a recipe of tomorrow": (lambda: png_of(b'{"text2art": 2, "settings": {}}'), "newer"),
    "a version that is true": (lambda: png_of(b'{"text2art": true, "settings": {}}'), "not one of text2art's"),
    "settings that are a list": (lambda: png_of(b'{"text2art": 1, "settings": []}'), "not one of text2art's"),
    "nested a million deep": (lambda: png_of(b'{"text2art":1,"settings":{"losses":' + b"[" * 1_000_000), ""),
    "nested a thousand deep": (lambda: png_of(b'{"a":' * 1000 + b"1" + b"}" * 1000), "nested"),
    "ten million lists": (lambda: png_of(b"[" + b"[]," * 8_000_000 + b"1]"), "far more"),
    "a number of a million digits": (lambda: png_of(GOOD.replace(b'"seed":1', b'"seed":' + b"9" * 200_000)), "digits"),
    "a million quotes": (lambda: png_of(b'"' + b'\\"' * 10_000_000), ""),
    "NaN": (lambda: png_of(GOOD.replace(b"0.25", b"NaN")), "NaN"),
    "Infinity": (lambda: png_of(GOOD.replace(b'"seed":1', b'"seed":-Infinity')), "Infinity"),
    "1e999": (lambda: png_of(GOOD.replace(b"0.25", b"1e999")), "score"),
    "a score of words": (lambda: png_of(GOOD.replace(b"0.25", b'"high"')), "score"),
    "one key twice": (lambda: png_of(GOOD.replace(b'"seed":1', b'"seed":1,"seed":2')), "twice"),
    "made with a list": (lambda: png_of(GOOD.replace(b'"made_with":{', b'"made_with":{"x":[],')), "made with"),
    "iterations of words": (lambda: png_of(recipe(iterations="many")), "iterations"),
    "iterations of a list": (lambda: png_of(recipe(iterations=[1])), "iterations"),
    "10^12 iterations": (lambda: png_of(recipe(iterations=10**12)), "iterations"),
    "a size of 10 GB": (lambda: png_of(recipe(size=[100_000, 100_000])), "size"),
    "a size below nothing": (lambda: png_of(recipe(size=[-1, -1])), "size"),
    "a size of one side": (lambda: png_of(recipe(size=[64])), "size"),
    "prompts of a number": (lambda: png_of(recipe(prompts=3)), "prompts"),
    "no prompts": (lambda: png_of(recipe(prompts=None)), "prompts"),
    "half a character": (lambda: png_of(recipe(prompts="\ud800")), "prompts"),
    "a setting that there is not": (lambda: png_of(recipe(__class__="os")), "__class__"),
    "a drawer with a path": (lambda: png_of(recipe(drawer="../../evil")), "drawer"),
    "a model's path": (lambda: png_of(recipe(model="/etc")), "directory"),
    "a relative path": (lambda: png_of(recipe(model="../weights")), "directory"),
    "a perceptor's path": (lambda: png_of(recipe(perceptors=["/tmp/evil"])), "directory"),
    "an init image's path": (lambda: png_of(recipe(init_image="/etc/passwd")), "init_image"),
    "an init image's address": (lambda: png_of(recipe(init_image="http://[::1]:9/", allow_urls=True)), "init_image"),
    "an image prompt's path": (lambda: png_of(recipe(image_prompts=["/etc/passwd"])), "image_prompts"),
    "an init image of 99 Mpx": (lambda: png_of(recipe(init_image=data_uri(huge_header(9999, 9999)))), "init_image"),
    "wide characters, 25 MB": (lambda: png_of(recipe(prompts="\U0001f419" + "a" * 25_000_000)), "too large"),
    "wide characters, many": (lambda: png_of(recipe(prompts="\U0001f419" * 2_000_000)), "too large"),
    "an init image that is a pickle": (lambda: png_of(recipe(init_image=data_uri(PICKLE))), "init_image"),
    "an init image of 20 MB": (lambda: png_of(recipe(init_image=URI + "A" * 20_000_000)), "init_image"),
    "terminal codes": (lambda: png_of(recipe(drawer="\x1b]0;pwned\x07\x9b31m")), "drawer"),
    "in a gif": (lambda: gif_of(recipe(model="/etc")), "directory"),
    "in a jpeg": (lambda: jpeg_of(recipe(model="/etc")), "directory"),
    "in an mp4": (lambda: mp4_of(recipe(model="/etc")), "directory"),
}  # fmt: skip


# Opens each file that it is told on stdin; says what came of it, the seconds of CPU, and the most memory so far.
OPENER = """
import json, pathlib, re, resource, sys, time
from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.errors import ArtworkError

def peak():
    status = pathlib.Path("/proc/self/status")
    if status.exists():  # getrusage's figure starts at the size of the process that started this one
        return int(re.search(r"VmHWM:\\s+(\\d+)", status.read_text())[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

for path in map(json.loads, sys.stdin):
    began, kind, said = time.process_time(), "opened", ""
    try:
        Artwork.open(path)
    except ArtworkError as error:
        kind, said = "refused", str(error)
    except BaseException as error:
        kind, said = "raised", repr(error)[:500]
    print(json.dumps([kind, said, time.process_time() - began, peak()]), flush=True)
"""


@pytest.fixture(scope="module")
def refusals(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Opens files, by path, in one process of its own, whose memory is watched."""
    process = subprocess.Popen(
        [sys.executable, "-c", OPENER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def ask(path: str) -> tuple[str, str, float, float]:
        process.stdin.write(json.dumps(path) + "\n")
        process.stdin.flush()
        kind, said, seconds, most = json.loads(process.stdout.readline())
        return kind, said, seconds, most

    yield ask
    process.stdin.close()
    process.wait()


@pytest.mark.parametrize("name", FILES)
def test_refused_at_once_without_much_memory(name: str, refusals: Any, tmp_path: Path) -> None:
    make, word = FILES[name]
    path = tmp_path / "hostile.png"
    path.write_bytes(make())
    kind, said, seconds, most = refusals(str(path))
    assert kind == "refused", said
    assert word in said
    assert len(said) < 700
    assert said.isprintable()
    assert seconds < SECONDS
    assert most < MEGABYTES
    assert not Path("/tmp/text2art-was-here").exists()


def test_a_file_of_10_gb_is_refused_at_once(refusals: Any, tmp_path: Path) -> None:
    for start in (still("PNG")[:33], still("GIF")[:-1], still("JPEG")[:-2], box(b"ftyp") + box(b"mdat", length=0), b""):
        path = tmp_path / "sparse"
        path.write_bytes(start)
        os.truncate(path, 10 * 2**30)
        kind, said, seconds, most = refusals(str(path))
        assert kind == "refused", said
        assert seconds < SECONDS
        assert most < MEGABYTES


@pytest.mark.parametrize(
    "place", ["/dev/zero", "/dev/null", "/proc/self/mem", "/", "no such file", "nul\0byte", "fifo"]
)
def test_what_is_not_a_file_is_not_waited_for(place: str, refusals: Any, tmp_path: Path) -> None:
    if place == "fifo":
        place = str(tmp_path / "fifo")
        os.mkfifo(place)
    kind, said, seconds, _ = refusals(place)
    assert kind == "refused", said
    assert seconds < SECONDS


def test_a_good_recipe_in_the_same_wrappings_is_taken() -> None:
    for data in (png_of(GOOD), gif_of(GOOD), jpeg_of(GOOD), mp4_of(GOOD)):
        assert Artwork.inspect(data)["settings"]["prompts"] == "a castle"
    for text in (chunk(b"zTXt", b"text2art\0\0" + zlib.compress(GOOD)), chunk(b"iTXt", b"text2art\0\0\0\0\0" + GOOD)):
        assert Artwork.open(png_with(text)).settings.prompts == "a castle"


def test_a_recipe_that_could_not_be_read_again_is_not_written() -> None:
    for embed in (png.embed, gif.embed, jpeg.embed):
        with pytest.raises(ArtworkError, match="most that a"):
            embed(still("PNG"), b" " * (MAX_TEXT + 1))


GOOD_FILES = [png_of(GOOD), gif_of(GOOD), jpeg_of(GOOD), mp4_of(GOOD)]


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A good file with some bytes changed, some taken out and some put in."""
    data = bytearray(draw(st.sampled_from(GOOD_FILES)))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1))
        how = draw(st.sampled_from(("change", "remove", "insert", "cut", "length")))
        if how == "change":
            data[at] = draw(st.integers(0, 255))
        elif how == "remove":
            del data[at : at + draw(st.integers(1, 40))]
        elif how == "insert":
            data[at:at] = draw(st.binary(max_size=12))
        elif how == "length":
            data[at : at + 4] = struct.pack(">I", draw(st.sampled_from((0, 1, 2**31 - 1, 2**32 - 1))))
        else:
            del data[at:]
        if not data:
            break
    return bytes(data)


def refusal(open_it: Callable[[bytes], object], data: bytes) -> str | None:
    """What the refusal says; None if the file was taken."""
    try:
        open_it(data)
    except ArtworkError as error:
        return str(error)
    return None


@given(data=mutated())
def test_damage_anywhere_ends_in_a_plain_refusal_or_a_whole_picture(data: bytes) -> None:
    said = refusal(Artwork.open, data)
    assert said is None or said.isprintable()


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=8,
)


@given(changes=st.dictionaries(st.sampled_from([*Settings.model_fields, "text2art", "other"]), JSONISH, max_size=4))
def test_any_values_in_a_recipe_are_taken_or_refused_plainly(changes: dict[str, Any]) -> None:
    said = refusal(Artwork.inspect, png_of(recipe(**changes)))
    assert said is None or said.isprintable()
