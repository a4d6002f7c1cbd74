"""Lists of prompts on the command line: ``draw @prompts.txt``, or ``draw -`` for standard input."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, Final

from text2art_nb.errors import Text2ArtError

MAX_BYTES: Final = 1_000_000
MAX_LINES: Final = 1000


def prompt_lines(words: Sequence[str]) -> list[str] | None:
    """The prompts that the words of a command line name, one a line; None where they are a prompt themselves.

    Blank lines and lines that begin with # are passed over.

    Raises:
        Text2ArtError: a file that isn't there or isn't text, or a list without prompts or with too many.
    """
    if len(words) != 1 or not (words[0] == "-" or words[0].startswith("@")):
        return None
    name = "standard input" if words[0] == "-" else f"the file of prompts {words[0][1:]!r}"
    try:
        if words[0] == "-":
            data = _bounded(sys.stdin.buffer, name)
        else:
            with Path(os.path.expanduser(words[0][1:])).open("rb") as file:
                data = _bounded(file, name)
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise Text2ArtError(f"{name} cannot be read: {error.strerror}; a list has one prompt a line") from None
    except UnicodeDecodeError:
        raise Text2ArtError(f"{name} is not text in UTF-8; a list has one prompt a line") from None
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise Text2ArtError(f"{name} has no prompts in it; a list has one prompt a line")
    if len(lines) > MAX_LINES:
        raise Text2ArtError(f"{name} has {len(lines)} prompts; at most {MAX_LINES} are drawn at a time")
    return lines


def _bounded(source: BinaryIO, name: str) -> bytes:
    data = source.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise Text2ArtError(f"{name} may have at most {MAX_BYTES // 1_000_000} MB")
    return data
