"""Free words of the punctuation that touches them, for the embedded models.

Their tokenizer reads a known word as one token only where a space is before it: of `'castle'`, `#castle` and
`red-castle` it makes other tokens than of ` castle`, and none of them draws one.
"""

import functools
import json
import re
import unicodedata
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

VOCABULARY_FILE: Final = "vocabulary.json"
"""Lies beside the weights of an embedded text encoder: the words that it was taught."""

_WORD: Final = r"[^\W_]+(?:'[^\W_]+)*"
_PLAIN: Final = re.compile(rf"{_WORD}(?:,|\.\.?)?")
_CORE: Final = re.compile(r"#?[^\W_](?:.*[^\W_])?")
_PAUSES: Final = ",;，、；"
_SAME: Final = {ord(sign): "'" for sign in "’‘ʼ´`"} | {ord(sign): "-" for sign in "‐‑‒–—−"}
_BREAKS: Final = "\u200b"  # a space of no width
_SELECTORS: Final = "\ufe0e\ufe0f\u20e3"  # what makes an emoji of a sign


@functools.lru_cache(maxsize=8)
def taught_words(directory: Path) -> frozenset[str]:
    """The words that the encoder in `directory` was taught, `16-bit` and `#pixelart` too; empty without a list.

    Raises OSError, and ValueError where the list is no JSON.
    """
    listing = directory / VOCABULARY_FILE
    if not listing.is_file():
        return frozenset()
    return frozenset(str(word).lower() for word in json.loads(listing.read_text(encoding="utf-8")))


def plain_words(text: str, taught: Collection[str]) -> str:
    """`text` with one space between words, and without the signs that touch them.

    A comma or full stop behind a word stays, as do the compounds of `taught`.
    A text of signs alone is returned unchanged.
    """
    chunks = _readable(text).split()
    freed = " ".join(part for chunk in chunks for part in _freed(chunk, taught))
    return re.sub(r" ?,[ ,]*", ", ", freed).strip(" ,") if _has_gaps(freed) else freed or text


def _has_gaps(text: str) -> bool:
    """Whether there is a comma with nothing before it: of a sign that went, or between words without spaces."""
    return re.search(r"(^| ),", text) is not None


def _readable(text: str) -> str:
    """`text` with one form of each letter, quote and dash, and without characters that are not seen."""
    read = unicodedata.normalize("NFKC", text.translate(_SAME)).translate(_SAME)
    return "".join(_seen(sign) for sign in read)


def _seen(sign: str) -> str:
    if sign in _BREAKS or unicodedata.category(sign) == "Cc":
        return " "
    return "" if sign in _SELECTORS or unicodedata.category(sign) == "Cf" else sign


def _freed(chunk: str, taught: Collection[str]) -> Iterator[str]:
    """The words in a chunk of text without spaces, each with the comma or full stop behind it."""
    if _PLAIN.fullmatch(chunk) or any(unicodedata.category(sign).startswith("M") for sign in chunk):
        yield chunk  # marks: Python's \\w knows no vowel signs of Indic scripts
        return
    if chunk in ("&", "+"):
        yield "and"
        return
    found = _CORE.search(chunk)
    if found is None:
        yield from "," if set(chunk) & set(_PAUSES) else ()
        return
    behind = chunk[found.end() :]
    end = "," if set(behind) & set(_PAUSES) else "." if "." in behind else ""
    *words, last = _words(found[0], taught)
    yield from words
    yield last + end


def _words(core: str, taught: Collection[str]) -> list[str]:
    """The words of a chunk that begins and ends with a letter or digit, or begins with a hash."""
    if core.lower() in taught:
        return [core]
    words: list[str] = []
    for part in re.split(rf"([{_PAUSES}])|[^\w'#-]|_", core):
        if part and part in _PAUSES:
            words.append(",")
        elif part:
            words += [part] if part.lower() in taught else _compound(re.split("-+", part.lstrip("#")), taught)
    return words


def _compound(parts: list[str], taught: Collection[str]) -> list[str]:
    """The words of a compound, of which the longest parts that were taught with their hyphens stay together."""
    words: list[str] = []
    start = 0
    while start < len(parts):
        for end in range(len(parts), start, -1):
            joined = "-".join(parts[start:end])
            if end - start > 1 and joined.lower() in taught:
                words.append(joined)
                break
        else:
            end = start + 1
            found = re.findall(rf"#?{_WORD}", parts[start])
            words += [word if word.lower() in taught else word.lstrip("#") for word in found]
        start = end
    return words
