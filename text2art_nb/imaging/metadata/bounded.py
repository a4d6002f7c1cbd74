"""Reading a stranger's file with every step counted and every size checked against what is really there."""

import struct
from dataclasses import dataclass
from typing import Any, BinaryIO

from text2art_nb.errors import ArtworkError

MAX_TEXT = 26_000_000
"""Bytes of recipe that one file may carry: the pictures that `Settings` allows, and all the rest."""

MAX_PIXELS = 64 * 2**20
"""Pixels of one picture: the most that `Settings.size` can ask for."""

MAX_STEPS = 200_000
"""Blocks of a file that are looked at: about half a second of walking in Python."""

KEYWORD = b"text2art"


@dataclass(frozen=True, slots=True)
class Found:
    """What a walk through a file finds: its format, its size in pixels, and the recipe's text if it carries one."""

    format: str
    width: int
    height: int
    text: bytes | None


class Reader:
    """A cursor over a seekable binary file of `size` bytes that refuses to leave it.

    Args:
        file: the file, opened for reading.
        size: its real length in bytes.
        name: the format's name, for the errors: ``PNG``.

    Every method raises `ArtworkError` where the file is shorter than it says, or has too many blocks.
    """

    def __init__(self, file: BinaryIO, size: int, name: str) -> None:
        self.file = file
        self.size = size
        self.name = name
        self.position = 0
        self._steps = 0
        file.seek(0)

    def step(self) -> None:
        """Count one block."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise ArtworkError(f"this {self.name} has more than {MAX_STEPS:,} blocks; no picture of ours has")

    @property
    def exhausted(self) -> bool:
        """Whether the next `step` would refuse the file."""
        return self._steps >= MAX_STEPS

    def take(self, count: int) -> bytes:
        """The next `count` bytes, at most `MAX_TEXT` and a little."""
        if count > MAX_TEXT + 64:
            raise ArtworkError(f"this {self.name} claims a block of {count:,} bytes of text; {MAX_TEXT:,} is the most")
        if self.position + count > self.size:
            raise ArtworkError(f"this {self.name} is cut off: it ends in the middle of a block")
        data = self.file.read(count)
        if len(data) != count:
            raise ArtworkError(f"this {self.name} is cut off: it ends in the middle of a block")
        self.position += count
        return data

    def unpack(self, layout: str) -> tuple[Any, ...]:
        """The next values in `struct`'s notation."""
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def jump(self, position: int) -> None:
        """Go to `position`, counted from the file's start."""
        if not 0 <= position <= self.size:
            raise ArtworkError(f"this {self.name} is cut off: it says that it goes on after its end")
        if position != self.position:
            self.file.seek(position)
            self.position = position

    def skip(self, count: int) -> None:
        """Leave out `count` bytes."""
        self.jump(self.position + count)

    def broken(self, why: str) -> ArtworkError:
        """The error for a file that is not well-formed."""
        return ArtworkError(f"this {self.name} is broken: {why}")


def check_pixels(width: int, height: int, name: str) -> None:
    """Refuse a picture without pixels, or with more than `MAX_PIXELS`, before anything decodes it."""
    if width < 1 or height < 1:
        raise ArtworkError(f"this {name} is broken: it says that it is {width} x {height} pixels")
    if width * height > MAX_PIXELS:
        raise ArtworkError(f"this {name} says that it is {width:,} x {height:,} pixels; {MAX_PIXELS:,} is the most")


def check_text(text: bytes) -> None:
    """Refuse to put more recipe into a file than `read` would take out again."""
    if len(text) > MAX_TEXT:
        raise ArtworkError(
            f"the recipe is {len(text):,} bytes because of the pictures in it, and {MAX_TEXT:,} is the most that a "
            "file carries; save with metadata=False or use smaller pictures"
        )
