"""The pictures on the way to the picture: kept on disk while it is drawn, and made into a film afterwards."""

import contextlib
import os
import re
import shutil
import tempfile
import threading
import weakref
from collections import deque
from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from text2art_nb.errors import ArtworkError
from text2art_nb.imaging.image_io import opaque

if TYPE_CHECKING:
    from PIL import Image

LIMIT = 300
"""Frames kept of a run, at most."""

FILM_FRAMES = LIMIT + 2
"""Frames of a film, at most: with its first and its last a run of the usual limit has so many."""

WAITING = 8
"""Frames that wait for the disk, at most: what a slow disk may cost in memory."""

HOLD_SECONDS = 1.5
"""How long a film shows its last picture."""

MIN_SIDE, MAX_SIDE = 256, 1920
"""Pixels of a film's shorter side at least, of its longer side at most."""

_NAME = re.compile(r"(\d{8})\.jpg")


class Picture(Protocol):
    """What `FrameStore.add` needs of a `Frame`."""

    @property
    def iteration(self) -> int: ...
    @property
    def image(self) -> "Image.Image": ...


def is_kept(iteration: int, last: int, limit: int = LIMIT) -> bool:
    """Whether a run that has reached iteration `last` keeps the frame of `iteration`, both counted from 1.

    Kept are the first and every 2^k-th, with the smallest k that keeps no more than `limit`. It depends on nothing but
    the two numbers, so that a run that was interrupted and resumed keeps what an uninterrupted one keeps.
    """
    return iteration == 1 or iteration % stride_for(last, limit) == 0


def stride_for(last: int, limit: int) -> int:
    """The smallest power of two of which no more than `limit` multiples are in 1 … last."""
    stride = 1
    while last // stride > limit:
        stride *= 2
    return stride


class FrameStore:
    """The frames of one run, as JPEG files that one background thread writes.

    Args:
        directory: where they lie; made if need be. None: a temporary directory that goes away with the store.
        after: the iteration at which the run starts; later frames, of an earlier attempt, are removed, as they will be
            drawn again. 0 for a new run, None to only read.
        limit: frames kept at most.

    `add` never waits for the disk: with more than a few frames waiting for it the oldest of them is left out, never the
    newest. An error while writing does not end the drawing; `close` raises it. Files appear whole or not at all, so a
    killed run leaves readable ones.
    """

    def __init__(
        self, directory: str | os.PathLike[str] | None = None, *, after: int | None = None, limit: int = LIMIT
    ) -> None:
        if directory is None:
            directory = tempfile.mkdtemp(prefix="text2art-")
            weakref.finalize(self, shutil.rmtree, directory, ignore_errors=True)
        self.directory = Path(directory)
        self.limit = limit
        self._changed = threading.Condition()
        self._waiting: deque[Picture] = deque()
        self._busy = False
        self._closing = False
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None
        self._newest: Picture | None = None
        self._last = 0
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            if after is not None:
                self._remove_after(after)
        except OSError as error:
            raise ArtworkError(f"frames cannot be kept in {self.directory}: {error.strerror or error}") from error
        self._last = max(self._on_disk(), default=0)

    def _remove_after(self, after: int) -> None:
        for leftover in self.directory.glob("*.part"):
            leftover.unlink()
        for iteration in self._on_disk():
            if iteration > after:
                self._path(iteration).unlink(missing_ok=True)

    def _path(self, iteration: int) -> Path:
        return self.directory / f"{iteration:08d}.jpg"

    def _on_disk(self) -> list[int]:
        if not self.directory.is_dir():
            return []
        return sorted(int(match[1]) for name in os.listdir(self.directory) if (match := _NAME.fullmatch(name)))

    @property
    def iterations(self) -> list[int]:
        """The iterations whose frames are kept, in order: as `is_kept` says, and the last one."""
        on_disk = self._on_disk()
        last = on_disk[-1] if on_disk else 0
        return [i for i in on_disk if i == last or is_kept(i, max(last, self._last), self.limit)]

    def __len__(self) -> int:
        return len(self.iterations)

    def add(self, frame: Picture) -> None:
        """Keep `frame` if it is one to be kept. Its picture is made here; the background thread writes it.

        Made there, it would cost a drawing on two cores half as much time again: where two threads compute, torch's
        helpers of both are more than there are cores, and go to sleep after every product instead of waiting for the
        next one.
        """
        with self._changed:
            if self._closing:
                raise ArtworkError("this store of frames is closed; make a new one to add to it")
            self._newest = frame
            self._last = frame.iteration
            if self._error is not None or not is_kept(frame.iteration, self._last, self.limit):
                return
        if not self._made(frame):
            return
        with self._changed:
            if len(self._waiting) >= WAITING:
                self._waiting.popleft()
            self._enqueue(frame)

    def _made(self, frame: Picture) -> bool:
        """Have the frame make its picture on this thread; False where it can't, which `close` will tell."""
        try:
            _ = frame.image
        except Exception as error:
            with self._changed:
                self._error = self._error or error
            return False
        return True

    def _enqueue(self, frame: Picture) -> None:
        self._waiting.append(frame)
        if self._thread is None:
            self._thread = threading.Thread(target=self._write_all, name="text2art-frames", daemon=True)
            self._thread.start()
        self._changed.notify_all()

    def _write_all(self) -> None:
        """The background thread: write what waits until the store is closed."""
        while True:
            with self._changed:
                self._busy = False
                self._changed.notify_all()
                while not self._waiting and not self._closing:
                    self._changed.wait()
                if not self._waiting:
                    return
                frame = self._waiting.popleft()
                self._busy = True
            try:
                self._write(frame)
            except Exception as error:
                with self._changed:
                    self._error = self._error or error
                    self._waiting.clear()

    def _write(self, frame: Picture) -> None:
        path = self._path(frame.iteration)
        part = path.with_suffix(".part")
        part.write_bytes(encoded(frame.image))
        os.replace(part, path)
        self._thin()

    def _thin(self) -> None:
        """Remove the frames that are no longer to be kept: those between the strides, once the stride has grown."""
        on_disk = self._on_disk()
        if len(on_disk) > self.limit + 1:
            for iteration in on_disk[:-1]:
                if not is_kept(iteration, on_disk[-1], self.limit):
                    self._path(iteration).unlink(missing_ok=True)

    def flush(self) -> None:
        """Wait until all frames given so far are on disk."""
        with self._changed:
            self._changed.wait_for(lambda: not self._waiting and not self._busy)

    def close(self) -> None:
        """Write what still waits, and the last frame of all; end the thread; remove what is not to be kept.

        Raises:
            ArtworkError: a frame could not be made or written; those before it are there.
        """
        with self._changed:
            newest, self._newest = self._newest, None
            missing = newest is not None and not is_kept(newest.iteration, self._last, self.limit)
            if newest is not None and missing and self._error is None and self._made(newest):
                self._enqueue(newest)
            self._closing = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        error, self._error = self._error, None
        if error is not None:
            reason = getattr(error, "strerror", None) or error
            raise ArtworkError(f"not all frames could be kept in {self.directory}: {reason}") from error
        if newest is None:  # nothing was added: who kept these may have had another limit
            return
        kept = set(self.iterations)
        for iteration in self._on_disk():
            if iteration not in kept:
                self._path(iteration).unlink(missing_ok=True)

    def __enter__(self) -> "FrameStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def images(self) -> Iterator["Image.Image"]:
        """The kept frames in order, as RGB pictures; a file that cannot be read is left out."""
        self.flush()
        for iteration in self.iterations:
            picture = self._read(iteration)
            if picture is not None:
                yield picture

    def nearest(self, iteration: int) -> "tuple[int, Image.Image] | None":
        """The kept frame that is nearest to `iteration`, which may still be drawn on: its iteration and its picture."""
        for kept in sorted(self.iterations, key=lambda each: abs(each - iteration)):
            picture = self._read(kept)
            if picture is not None:
                return kept, picture
        return None

    def _read(self, iteration: int) -> "Image.Image | None":
        from PIL import Image

        with (
            contextlib.suppress(OSError, ValueError, SyntaxError),
            Image.open(self._path(iteration), formats=("JPEG",)) as image,
        ):
            return image.convert("RGB")
        return None


def film_size(width: int, height: int, *, pixel_art: bool) -> tuple[int, int]:
    """The size of a film of pictures of `width` x `height` pixels.

    Even, at least 256 on the shorter side, at most 1920 on the longer, which goes first.

    Pixel art is enlarged by a whole number, so that its pixels stay squares of one size.
    """
    factor = 1.0
    if min(width, height) < MIN_SIDE:
        factor = MIN_SIDE / min(width, height)
        if pixel_art:
            factor = float(-(-MIN_SIDE // min(width, height)))
    factor = min(factor, MAX_SIDE / max(width, height))
    even = [max(2, round(side * factor / 2) * 2) for side in (width, height)]
    return even[0], even[1]


def fit(image: "Image.Image", size: tuple[int, int], *, pixel_art: bool) -> "Image.Image":
    """`image` scaled to `size` = (width, height), in RGB; one of another shape is centred on black."""
    from PIL import Image

    image = opaque(image)
    if image.size == size:
        return image
    scale = min(size[0] / image.width, size[1] / image.height)
    inner = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    # One pixel of difference is rounding to even sizes, not another shape.
    inner = _snapped(inner[0], size[0]), _snapped(inner[1], size[1])
    scaled = image.resize(inner, Image.Resampling.NEAREST if pixel_art and scale >= 1 else Image.Resampling.LANCZOS)
    if inner == size:
        return scaled
    canvas = Image.new("RGB", size)
    canvas.paste(scaled, ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2))
    return canvas


def encoded(image: "Image.Image") -> bytes:
    """`image` as a JPEG in which one sees no difference."""
    file = BytesIO()
    opaque(image).save(file, "JPEG", quality=90, subsampling=0)
    return file.getvalue()


def fps_for(frames: int) -> int:
    """Frames a second such that a film takes about eight seconds: 10 to 30."""
    return min(30, max(10, round(frames / 8)))


def evenly(frames: Iterable["Image.Image"], count: int, limit: int) -> Iterator["Image.Image"]:
    """At most `limit` of `count` frames, evenly spread."""
    step = max(1.0, count / limit)
    due = 0.0
    for number, frame in enumerate(frames):
        if number >= due:
            due += step
            yield frame


def _snapped(side: int, wanted: int) -> int:
    return wanted if abs(side - wanted) <= 2 else side
