"""Keyword modifiers: the word lists, and how they are added to and taken out of a prompt line."""

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType

from text2art_nb.settings.prompts import escape, format_prompts, parse_prompts

# The first group is text2art.com's ten pills, in its order and spelling; the others are what people who draw with CLIP
# lean on.
MODIFIERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "text2art.com": (
            "Trending",
            "Artstation",
            "Pixelart",
            "Painting",
            "Art",
            "2D Game Art",
            "8K HD",
            "Unreal Engine",
            "Matte drawing",
            "Charcoal drawing",
        ),
        "medium": (
            "oil painting",
            "watercolor",
            "pencil sketch",
            "ink drawing",
            "pastel",
            "woodcut",
            "stained glass",
            "mosaic",
            "origami",
            "paper cut",
        ),
        "style": (
            "low poly",
            "isometric",
            "flat design",
            "line art",
            "pop art",
            "ukiyo-e",
            "art nouveau",
            "art deco",
            "impressionism",
            "cubism",
            "surrealism",
            "vaporwave",
        ),
        "light": (
            "golden hour",
            "at sunset",
            "at night",
            "moonlight",
            "neon",
            "volumetric light",
            "backlit",
            "candlelight",
        ),
        "mood": (
            "dreamy",
            "serene",
            "mysterious",
            "epic",
            "whimsical",
        ),
        "colour": (
            "monochrome",
            "pastel colors",
            "vivid colors",
            "muted colors",
            "sepia",
        ),
    }
)
"""Keyword modifiers by group: the site's ten, and forty more."""


def add_modifier(line: str, word: str) -> str:
    """Append a modifier to the first prompt of a line, before its weight; a line that has it already stays as it is.

    ``add_modifier("a castle:2 | fog", "Artstation")`` is ``"a castle Artstation:2 | fog"``. An empty line becomes the
    word itself. All texts of a schedule get it.
    """
    word = " ".join(word.split())
    if not word or has_modifier(line, word):
        return line
    if not line.strip(" \t\r\n|"):
        return escape(word)
    first, *others = parse_prompts(line)
    schedule = tuple(f"{text} {word}" for text in first.schedule)
    return format_prompts([replace(first, text=f"{first.text} {word}", schedule=schedule), *others])


def remove_modifier(line: str, word: str) -> str:
    """Take a modifier out of the first prompt of a line, wherever `add_modifier` or the user put it; other words stay.

    A line in which nothing else is left becomes "" (or what its other prompts are).
    """
    if not has_modifier(line, word):
        return line
    first, *others = parse_prompts(line)
    text, *schedule = (_modifier(word).sub("", each).strip(" ,") for each in (first.text, *first.schedule))
    if text and all(schedule):
        others = [replace(first, text=text, schedule=tuple(schedule)), *others]
    return format_prompts(others)


def has_modifier(line: str, word: str) -> bool:
    """Whether the first prompt of a line has this modifier in it, as whole words, in upper or lower case."""
    if not word.strip() or not line.strip(" \t\r\n|"):
        return False
    return _modifier(word).search(parse_prompts(line)[0].text) is not None


def _modifier(word: str) -> re.Pattern[str]:
    words = r"\s+".join(re.escape(part) for part in word.split())
    return re.compile(rf"(?:,\s*|\s+)?(?<![\w#-]){words}(?![\w-])", re.IGNORECASE)
