"""Films out of pictures: an MP4 by ffmpeg (the one that imageio-ffmpeg brings), a GIF by Pillow."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import IO, TYPE_CHECKING

from text2art_nb.artifacts.frame_store import FILM_FRAMES, HOLD_SECONDS, FrameStore, evenly, film_size, fit, fps_for
from text2art_nb.errors import ArtworkError
from text2art_nb.imaging.metadata import gif, mp4

if TYPE_CHECKING:
    from PIL import Image

GIF_FRAMES = 48
GIF_MAX_SIDE = 384
PALETTE_SAMPLES = 8


def write_mp4(
    path: Path,
    final: "Image.Image",
    frames: FrameStore | None,
    *,
    pixel_art: bool,
    recipe: bytes | None,
    closed: bool = False,
) -> None:
    """Write an MP4 (H.264, yuv420p, its index first) of `frames`, then `final` for 1.5 s.

    Args:
        path: where to; it appears there whole.
        final: the finished picture; the film has its shape, see `film_size`.
        frames: what came before, None for none.
        pixel_art: enlarge by whole numbers with hard edges.
        recipe: ASCII JSON for the film's comment; None for a film without any metadata, the encoder's own included.
        closed: whether the frames lead back to the first; then they are all that is shown.

    Raises:
        ArtworkError: there is no ffmpeg, or it failed, or there is no room for its work.
    """
    size = film_size(*final.size, pixel_art=pixel_art)
    count = len(frames) if frames is not None else 0
    fps = fps_for(min(count, FILM_FRAMES))
    before = evenly(frames.images(), count, FILM_FRAMES) if frames is not None else iter(())
    last = fit(final, size, pixel_art=pixel_art)
    held = 0 if closed and frames is not None and len(frames) else round(fps * HOLD_SECONDS)
    pictures = chain((fit(image, size, pixel_art=pixel_art) for image in before), repeat(last, held))
    try:
        with tempfile.TemporaryDirectory(prefix="text2art-") as scratch:
            film = Path(scratch) / "film.mp4"
            inputs: list[str] = []
            if recipe is not None:
                tags = Path(scratch) / "tags.txt"
                tags.write_bytes(mp4.ffmetadata(recipe))
                inputs = ["-f", "ffmetadata", "-i", str(tags)]
            _encode(_ffmpeg(size, fps, inputs, film, bare=recipe is None), pictures)
            data = film.read_bytes()
    except OSError as error:  # no room for its work, or an ffmpeg that can't be started
        raise ArtworkError(f"the film cannot be made: {error.strerror or error}") from error
    put(path, data if recipe is not None else mp4.without_encoder(data))


def ffmpeg_program() -> str:
    """The path of ffmpeg.

    Raises:
        ArtworkError: there is none.
    """
    try:
        from imageio_ffmpeg import get_ffmpeg_exe

        return str(get_ffmpeg_exe())
    except (ImportError, RuntimeError) as error:
        raise ArtworkError("an MP4 needs ffmpeg (pip install imageio-ffmpeg); a .gif needs nothing more") from error


def _ffmpeg(size: tuple[int, int], fps: int, inputs: list[str], film: Path, *, bare: bool) -> list[str]:
    """ffmpeg's command line."""
    return [
        *(ffmpeg_program(), "-hide_banner", "-v", "error", "-y"),
        *("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{size[0]}x{size[1]}", "-r", str(fps), "-i", "pipe:0"),
        *inputs,
        *("-map", "0:v", "-map_metadata", "1" if inputs else "-1"),
        # Said aloud, or players guess the matrix by the film's height and get the colours wrong.
        *("-vf", "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int"),
        *("-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709", "-color_range", "tv"),
        *("-c:v", "libx264", "-preset", "medium", "-crf", "20", "-pix_fmt", "yuv420p"),
        *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-movflags", "+faststart"),
        # x264 writes all its options into the stream, in a message of kind 6.
        *(("-bsf:v", "filter_units=remove_types=6") if bare else ()),
        str(film),
    ]


def _encode(command: list[str], pictures: Iterator["Image.Image"]) -> None:
    """Feed `pictures` to ffmpeg."""
    with tempfile.TemporaryFile() as complaints:
        # A session of its own: Ctrl-C in a terminal reaches every process there, and would end the film too early.
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=complaints, start_new_session=True
        )
        try:
            assert process.stdin is not None
            _feed(process.stdin, pictures)
            code = process.wait()
        except BaseException:
            process.kill()
            process.wait()
            raise
        if code != 0:
            complaints.seek(0)
            last = complaints.read(4000).decode("utf-8", "replace").strip().splitlines()[-1:] or [f"exit code {code}"]
            raise ArtworkError(f"ffmpeg could not write the film: {last[0]}")


def _feed(pipe: IO[bytes], pictures: Iterator["Image.Image"]) -> None:
    try:
        with pipe:
            for picture in pictures:
                pipe.write(picture.tobytes())
    except BrokenPipeError:
        return  # ffmpeg has ended early; its exit code and its words say why


def encode_gif(
    final: "Image.Image",
    frames: FrameStore | None,
    *,
    pixel_art: bool,
    recipe: bytes | None,
    closed: bool = False,
) -> bytes:
    """An endless GIF of at most 48 of `frames`, then `final` for 1.5 s, all in one palette of 256 colours.

    Args:
        final: the finished picture; the GIF has its shape, 256 to 512 pixels where that is possible.
        frames: what came before, None for none.
        pixel_art: enlarge by whole numbers with hard edges, and do not dither.
        recipe: ASCII JSON for the GIF's comment; None for no metadata.
        closed: whether the frames lead back to the first; then they are all that is shown.

    Raises:
        ArtworkError: the recipe is too long.
    """
    from io import BytesIO

    from PIL import Image

    width, height = film_size(*final.size, pixel_art=pixel_art)
    shrink = min(1.0, GIF_MAX_SIDE / max(width, height))
    size = (max(1, round(width * shrink)), max(1, round(height * shrink)))
    count = len(frames) if frames is not None else 0
    last = fit(final, size, pixel_art=pixel_art)
    palette = _shared_palette(last, frames, count, size)
    dither = Image.Dither.NONE

    def indexed(images: Iterable["Image.Image"]) -> Iterator["Image.Image"]:
        for image in images:
            yield fit(image, size, pixel_art=pixel_art).quantize(palette=palette, dither=dither)

    before = list(indexed(evenly(frames.images(), count, GIF_FRAMES))) if frames is not None else []
    closed = closed and bool(before)
    pictures = before if closed else [*before, *indexed([last])]
    # As long as the MP4; browsers slow down what claims to be faster than 50 frames a second.
    shown = min(count, FILM_FRAMES)
    tick = max(20, round(100 * shown / fps_for(shown) / len(before)) * 10) if before else 0
    durations = [tick] * len(before) + ([] if closed else [round(HOLD_SECONDS * 1000)])
    file = BytesIO()
    pictures[0].save(
        file, "GIF", save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=False, disposal=1
    )
    data = file.getvalue()
    return data if recipe is None else gif.embed(data, recipe)


def _shared_palette(last: "Image.Image", frames: FrameStore | None, count: int, size: tuple[int, int]) -> "Image.Image":
    """A picture in mode P with the palette for the whole film: from the last picture, twice, and a few before it."""
    from PIL import Image

    samples = [last, last]
    if frames is not None:
        samples += [fit(image, size, pixel_art=False) for image in evenly(frames.images(), count, PALETTE_SAMPLES)]
    sheet = Image.new("RGB", (size[0], size[1] * len(samples)))
    for number, sample in enumerate(samples):
        sheet.paste(sample, (0, number * size[1]))
    return sheet.quantize(256, method=Image.Quantize.MEDIANCUT)


def put(path: Path, data: bytes) -> None:
    """Write `data` to `path` so that it is there whole or not at all, whenever the process is killed.

    Raises:
        ArtworkError: it cannot be written there.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        os.replace(part, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise ArtworkError(f"the picture cannot be written to {path}: {error.strerror or error}") from error


def last_picture(film: IO[bytes], size: int, width: int, height: int) -> "Image.Image":
    """The last picture of an MP4 from anywhere, decoded by an ffmpeg that may read nothing else, and has 20 seconds.

    Args:
        film: the MP4, at any position; `size` bytes long.
        width, height: of its pictures, in pixels, already checked.

    Raises:
        ArtworkError: there is no ffmpeg, or it found no picture.
    """
    from PIL import Image

    with tempfile.TemporaryDirectory(prefix="text2art-") as scratch:
        copy, raw = Path(scratch) / "film.mp4", Path(scratch) / "picture.raw"
        film.seek(0)
        with copy.open("wb") as file:
            shutil.copyfileobj(film, file)
        command = [
            *(ffmpeg_program(), "-hide_banner", "-v", "error", "-y", "-nostdin", "-threads", "1"),
            *("-protocol_whitelist", "file", "-f", "mov", "-enable_drefs", "0", "-sseof", "-1", "-i", str(copy)),
            *("-map", "0:v:0", "-vf", f"scale={width}:{height}", "-pix_fmt", "rgb24", "-c:v", "rawvideo"),
            *("-f", "image2", "-update", "1", "-frames:v", "60", str(raw)),
        ]
        try:
            subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=20, check=True)
            return Image.frombytes("RGB", (width, height), raw.read_bytes())
        except (subprocess.SubprocessError, OSError, ValueError) as error:
            raise ArtworkError("the pixels of this MP4 cannot be decoded") from error
