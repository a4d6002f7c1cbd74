"""The recipe's text: strict JSON in plain ASCII, the same bytes for the same settings, and bounded when read.

``{"made_with": {"text2art": "0.1.0", "torch": "2.13.0"}, "score": 0.3127, "settings": {…}, "text2art": 1}``

There is nothing in it that a second drawing of the same settings would not give again: no time, no name, no machine.
"""

import json
import math
import re
from typing import Any, NoReturn

from text2art_nb.errors import ArtworkError
from text2art_nb.imaging.metadata.bounded import MAX_TEXT

VERSION = 1
MAX_DEPTH = 16
"""Lists in lists in objects …: ours go five deep."""

MAX_OUTSIDE = 256 * 1024
"""Bytes outside of strings: what limits how many objects a recipe can make (ours have about a thousand)."""

MAX_DIGITS = 40
"""Characters of one number; 64 bits of either kind need at most 25."""

# Matches from every quote on, closed or not, so that it goes through any text once.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NUMBER_TOO_LONG = re.compile(rb"[-+.0-9eE]{%d,}" % (MAX_DIGITS + 1))


def write(settings: dict[str, Any], score: float | None, made_with: dict[str, str]) -> bytes:
    """The text for a file.

    Args:
        settings: `Settings.to_recipe()`.
        score: how well the picture fits its prompts, kept to four digits; None if nobody knows.
        made_with: names and versions of what drew it.
    """
    recipe = {
        "text2art": VERSION,
        "settings": settings,
        "score": round(score, 4) if score is not None and math.isfinite(score) else None,
        "made_with": made_with,
    }
    return json.dumps(recipe, sort_keys=True, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode("ascii")


def parse(text: bytes) -> dict[str, Any]:
    """The recipe in a stranger's text: ``text2art``, ``settings`` (a dict, unchecked), ``score``, ``made_with``.

    Raises:
        ArtworkError: it is not JSON, or not a recipe's, or larger, deeper or longer than a recipe can be.
    """
    _check_structure(text)
    try:
        recipe = json.loads(text.decode("ascii"), object_pairs_hook=_object, parse_constant=_constant)
    except ArtworkError:
        raise
    except (ValueError, RecursionError) as error:
        raise ArtworkError("the recipe in this file is not JSON") from error
    if not isinstance(recipe, dict) or type(recipe.get("text2art")) is not int:
        raise ArtworkError("the recipe in this file is not one of text2art's")
    if recipe["text2art"] > VERSION:
        raise ArtworkError("this file was made by a newer text2art; update text2art to read it")
    if recipe["text2art"] < 1 or not isinstance(recipe.get("settings"), dict):
        raise ArtworkError("the recipe in this file is not one of text2art's")
    recipe["score"] = _score(recipe.get("score"))
    recipe["made_with"] = _made_with(recipe.get("made_with"))
    return {name: recipe[name] for name in ("text2art", "settings", "score", "made_with")}


def _check_structure(text: bytes) -> None:
    """Refuse what would cost the JSON parser much memory, much time, or its stack."""
    if len(text) > MAX_TEXT:
        raise ArtworkError(f"the recipe in this file is {len(text):,} bytes long; {MAX_TEXT:,} is the most")
    outside = _STRING.sub(b"", text)
    if len(outside) > MAX_OUTSIDE:
        raise ArtworkError("the recipe in this file has far more in it than a recipe can have")
    if _NUMBER_TOO_LONG.search(outside):
        raise ArtworkError(f"the recipe in this file has a number of more than {MAX_DIGITS} digits")
    depth = deepest = 0
    for byte in outside:
        if byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    if deepest > MAX_DEPTH:
        raise ArtworkError(f"the recipe in this file is nested {deepest:,} deep; {MAX_DEPTH} is the most")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise ArtworkError("the recipe in this file says one thing twice")
    return made


def _constant(name: str) -> NoReturn:
    raise ArtworkError(f"the recipe in this file has {name} where a number must be")


def _score(score: object) -> float | None:
    if score is None:
        return None
    if isinstance(score, bool) or not isinstance(score, int | float) or not -2 <= score <= 2:
        raise ArtworkError("the recipe's score is not a number that a score can be")
    return float(score)


def _made_with(versions: object) -> dict[str, str]:
    if versions is None:
        return {}
    if not isinstance(versions, dict) or len(versions) > 16:
        raise ArtworkError("the recipe does not say properly what it was made with")
    for name, version in versions.items():
        if not isinstance(version, str) or len(name) > 40 or len(version) > 80:
            raise ArtworkError("the recipe does not say properly what it was made with")
    return versions
