"""Reading one value that a user gave: each function returns it in its proper type, or raises a ValueError whose text is
one plain sentence."""

import difflib
import math
import numbers
import os
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from text2art_nb.settings.dialects import understand
from text2art_nb.settings.prompts import Prompt, join_weight, parse_prompts, split_weight

if TYPE_CHECKING:
    from text2art_nb.imaging.image_io import CheckedPicture

MAX_TEXT = 10_000
"""Most characters in any text but a picture."""


def shown(value: Any) -> str:
    """A value for a sentence: short, on one line, whatever it is."""
    if isinstance(value, bytes | bytearray | memoryview):
        return f"{len(value)} bytes"
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:37] + "...")
    value = plain_number(value)
    if not isinstance(value, bool | int | float | list | tuple | dict | None):
        return f"a value of type {type(value).__name__}"
    try:
        text = " ".join(repr(value).split())
    except Exception:  # whatever somebody's __repr__ raises, and an int of too many digits
        return f"a value of type {type(value).__name__}"
    return text if len(text) <= 60 else text[:57] + "..."


def missing(value: Any) -> bool:
    """Whether nothing was given: None, or a line with nothing on it."""
    return value is None or (isinstance(value, str) and not value.strip())


def choice(value: Any, options: Sequence[str], field: str, kind: str | None = None, lower: bool = True) -> str:
    """One of some words; the sentence calls it a kind (or a field) and names the nearest one."""
    kind = kind or field
    name = value.strip() if isinstance(value, str) else ""
    name = name.lower() if lower else name
    if name in options:
        return name
    if not name:
        raise ValueError(f"{kind} must be one of {', '.join(options)}; got {shown(value)}")
    nearest = difflib.get_close_matches(name[:100].lower(), options, 1)
    known = ", ".join(options)
    meant = f"did you mean '{nearest[0]}'? ({known})" if nearest else f"it must be one of {known}"
    raise ValueError(f"unknown {kind} {shown(value)}; {meant}")


def text(value: Any, field: str, right: str) -> str:
    """A text without white space around it, of a length and with characters that a file can hold."""
    if not isinstance(value, str):
        raise ValueError(f"{field} must be {right}; got {shown(value)}")
    stripped = value.strip()
    if len(stripped) > MAX_TEXT:
        raise ValueError(f"{field} may have at most {MAX_TEXT:,} characters; got {len(stripped):,}")
    try:
        stripped.encode()
    except UnicodeEncodeError:
        raise ValueError(
            f"{field} must be text that a file can hold; it has half a character (a lone surrogate)"
        ) from None
    return stripped


def name(value: Any, field: str, right: str) -> str:
    """The name of something, or a path to it."""
    line = text(os.fspath(value) if isinstance(value, os.PathLike) else value, field, right)
    if not line or len(line) > 1000 or not line.isprintable():
        raise ValueError(f"{field} must be {right}; got {shown(value)}")
    return line


def items(value: Any, field: str, separators: str = "") -> list[Any]:
    """A list of things from a list, a tuple, or (with separators) a text; None is an empty list."""
    if value is None:
        return []
    if isinstance(value, str) and separators:
        return [part.strip() for part in re.split(f"[{re.escape(separators)}]", value) if part.strip()]
    if isinstance(value, list | tuple):
        return list(value)
    raise ValueError(f"{field} must be a list; got {shown(value)}")


def number(value: Any, what: str) -> float:
    """A finite number, also from a text or from numpy; True and False are none."""
    is_number = isinstance(value, numbers.Number) and not isinstance(value, bool)
    if is_number or isinstance(value, str):
        try:
            found = float(value)
        except (ValueError, TypeError, OverflowError):
            found = math.nan
        if math.isfinite(found):
            return found
    raise ValueError(f"{what} must be a finite number; got {shown(value)}")


def plain_number(value: Any) -> Any:
    """Python's int or float for a number of any library; what is neither comes back as it is."""
    if isinstance(value, bool) or not isinstance(value, numbers.Number):
        return value
    if isinstance(value, numbers.Integral):
        return int(value)
    try:
        return float(value)  # type: ignore[arg-type]
    except (ValueError, TypeError, OverflowError):
        return value


def pair(value: Any, field: str, example: str, lowest: int, highest: int) -> tuple[int, int]:
    """(a, b), both lowest to highest, from "AxB", [a, b], or one whole number for both."""
    if isinstance(value, str):
        match = re.fullmatch(r"\s*(\d{1,9})(?:\s*[x×*,]\s*(\d{1,9}))?\s*", value, re.ASCII | re.IGNORECASE)
        parts: list[Any] = [int(match[1]), int(match[2] or match[1])] if match else []
    elif isinstance(value, list | tuple):
        parts = [plain_number(part) for part in value]
    else:
        parts = [plain_number(value)] * 2
    if len(parts) != 2 or not all(_is_whole(part) for part in parts):
        raise ValueError(f"{field} must be WIDTHxHEIGHT, like {example}; got {shown(value)}")
    if not all(lowest <= part <= highest for part in parts):
        raise ValueError(f"{field} must be {lowest} to {highest} each way, like {example}; got {shown(value)}")
    return int(parts[0]), int(parts[1])


def _is_whole(value: Any) -> bool:
    return (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())


def prompt_line(value: Any) -> str:
    """A prompt line, from that or from a list of prompts; it may be empty (image prompts can stand alone)."""
    right = "text, like 'an underwater city | fog:0.5', or a list of such texts"
    if isinstance(value, list | tuple):
        if not all(isinstance(each, str) for each in value):
            raise ValueError(f"prompts must be {right}; got {shown(value)}")
        value = " | ".join(each.strip() for each in value if each.strip())
    line = understand(text(value, "prompts", right)).line
    if line:
        try:
            parse_prompts(line)
        except ValueError as error:
            raise ValueError(f"prompts cannot be read: {error}") from None
    return line


def weights(value: Any, options: Sequence[str]) -> dict[str, float]:
    """{"smoothness": 2.0}, from that or from "smoothness:2,saturation:0.5"; a name alone has weight 1."""
    pairs: list[tuple[Any, Any]] = []
    if isinstance(value, str):
        for part in items(value, "losses", ",|"):
            key, colon, weight = part.partition(":")
            pairs.append((key, weight if colon else 1.0))
    elif isinstance(value, Mapping):
        pairs += value.items()
    elif value is not None:
        raise ValueError(f"losses must be like 'smoothness:2,saturation:0.5'; got {shown(value)}")
    losses: dict[str, float] = {}
    for given, weight in pairs:
        loss = choice(given, options, "losses", "loss")
        if loss in losses:
            raise ValueError(f"losses names {loss!r} twice; give it one weight")
        losses[loss] = number(weight, f"the weight of the loss {loss!r}")
        if abs(losses[loss]) > 1000:
            raise ValueError(f"the weight of the loss {loss!r} must be between -1000 and 1000; got {losses[loss]:g}")
    return losses


def palette_text(value: Any, keep_empty: bool, allow_urls: bool = False) -> str | None:
    """A palette's text, checked; a list of colours becomes "[a,b]". Empty is None, unless empty means something.

    The files that it names are read, and the addresses where they are allowed: their colours take their place.
    """
    if isinstance(value, list | tuple) and value and all(isinstance(each, str) for each in value):
        value = f"[{','.join(value)}]"
    if value is None:
        return None
    line = text(value, "palette", "text, like 'pico-8' or '[black,#ff0000]'")
    if not line:
        return "" if keep_empty else None
    from text2art_nb.imaging.palette_files import resolve
    from text2art_nb.imaging.palettes import parse_palette

    try:
        line = resolve(line, allow_urls)
        parse_palette(line)
    except ValueError as error:
        raise ValueError(f"palette cannot be read: {error}") from None
    return line


def picture(value: Any, field: str, allow_urls: bool) -> "CheckedPicture":
    """Any picture as a PNG data URI."""
    from text2art_nb.imaging.image_io import picture_to_uri

    try:
        return picture_to_uri(value, allow_urls=allow_urls)
    except ValueError as error:
        raise ValueError(f"{field} cannot be used: {error}") from None


def pictures(value: Any) -> list[Any]:
    """The entries of image_prompts: from a list, from one picture alone, or from pixray's "a.png | b.png:0.5"."""
    if value is None:
        return []
    if isinstance(value, list | tuple):
        return list(value)
    if not isinstance(value, str):
        return [value]
    if "|" in value and not _is_file(value):
        return items(value, "image_prompts", "|")
    return [value] if value.strip() else []


class ImagePrompt(str):
    """A checked picture with its weight behind it, ``data:…:weight:stop``; its parts don't have to be read again."""

    picture: "CheckedPicture"
    weight: float
    stop: float

    @classmethod
    def of(cls, picture: "CheckedPicture", weight: float, stop: float) -> Self:
        """Join the parts. stop: -inf where there is none."""
        joined = cls(join_weight(picture, weight, stop))
        joined.picture, joined.weight, joined.stop = picture, weight, stop
        return joined

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.str_schema()


def image_prompt(value: Any, allow_urls: bool) -> ImagePrompt:
    """A picture with its weight: from ``data:…:weight``, ``file:weight``, a picture, or (picture, weight)."""
    if isinstance(value, ImagePrompt):
        return value
    weight, stop = 1.0, -math.inf
    if isinstance(value, list | tuple):
        if len(value) != 2:
            raise ValueError(
                f"image_prompts must be pictures, or pairs of a picture and its weight; got {shown(value)}"
            )
        value, weight = value[0], number(value[1], "the weight of an image prompt")
    elif isinstance(value, str) and not _is_file(value):
        value, weight, stop = split_weight(value.strip())
    Prompt("", weight, stop, image="")  # checks the ranges
    return ImagePrompt.of(picture(value, "image_prompts", allow_urls), weight, stop)


class AsChecked:
    """Marks a pydantic field whose validator returns checked text: it is kept as that very object, not copied.

    Pydantic makes a plain ``str`` of every subclass, and a picture would be checked anew at each change.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        text = handler(source)
        return core_schema.json_or_python_schema(
            json_schema=text,
            python_schema=core_schema.no_info_plain_validator_function(lambda value: value),
            serialization=core_schema.plain_serializer_function_ser_schema(_as_plain_text),
        )


def _as_plain_text(value: Any) -> Any:
    if isinstance(value, tuple):
        return [str(each) for each in value]
    return value if value is None else str(value)


def _is_file(path: str) -> bool:
    try:
        return len(path) < 4096 and os.path.isfile(path)
    except ValueError:  # there is a NUL in it
        return False
