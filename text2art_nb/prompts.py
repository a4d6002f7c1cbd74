r"""The prompt line: ``text:weight:stop | text:weight | …``, and the keyword modifiers that go at its end.

The grammar is that of pixray, clipit and VQGAN-CLIP (a weight, then a distance below which the prompt stops pulling),
with two things made plain: a colon is only a separator where numbers follow it (``a castle: the keep:0.5`` is the text
``a castle: the keep`` with weight 0.5), and ``\|``, ``\:`` and ``\\`` stand for the characters themselves.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

MAX_LINE = 10_000
"""Most characters in a prompt line."""
MAX_PROMPTS = 64
"""Most prompts in a line."""
MAX_WEIGHT = 100.0
"""Largest weight (and stop), either sign."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?(?:inf|infinity|nan)", re.IGNORECASE | re.ASCII)
_ESCAPED = re.compile(r"\\([\\|:])")
_PIECES_OF = re.compile(r"((?:\\[\\|:]|[^|:])*)([|:]?)", re.DOTALL)


@dataclass(frozen=True)
class Prompt:
    """One thing that the picture should look like (or, with a negative weight, should not).

    Attributes:
        text: the words; may be empty only where there is an image.
        weight: how strongly it pulls, -100..100; below 0 it pushes away.
        stop: the distance below which it stops pulling (-100..100); -inf: never.
        image: a picture to look like instead of words, as a PNG data URI.

    Raises:
        ValueError: a number out of its range, or neither words nor image.
    """

    text: str
    weight: float = 1.0
    stop: float = -math.inf
    image: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", " ".join(self.text.split()))
        if not self.text and self.image is None:
            raise ValueError("a prompt needs words, like 'an underwater city'")
        name = f"the prompt {_short(self.text)}" if self.text else "an image prompt"
        if not math.isfinite(self.weight) or abs(self.weight) > MAX_WEIGHT:
            raise ValueError(
                f"the weight of {name} must be between -{MAX_WEIGHT:g} and {MAX_WEIGHT:g}; got {self.weight:g}"
            )
        if self.stop != -math.inf and not abs(self.stop) <= MAX_WEIGHT:
            raise ValueError(
                f"the stop of {name} must be between -{MAX_WEIGHT:g} and {MAX_WEIGHT:g}; got {self.stop:g}"
            )


def parse_prompts(line: str) -> list[Prompt]:
    r"""Read a prompt line, like ``"a castle by the sea | fog:0.5 | blurry:-0.3"``.

    Parts are separated by ``|``; empty parts are skipped. Trailing numbers of a part are its weight and its stop. White
    space is collapsed. ``\|``, ``\:`` and ``\\`` are literal; any other backslash is itself.

    Raises:
        ValueError: an empty line, one of more than 10,000 characters or 64 prompts, or a weight or stop out of range.
    """
    if len(line) > MAX_LINE:
        raise ValueError(f"a prompt line may have at most {MAX_LINE:,} characters; this one has {len(line):,}")
    prompts = [_prompt(pieces) for pieces in _split(line) if len(pieces) > 1 or pieces[0].strip()]
    if not prompts:
        raise ValueError("the prompt is empty; say what to draw, like 'an underwater city'")
    if len(prompts) > MAX_PROMPTS:
        raise ValueError(f"a prompt line may have at most {MAX_PROMPTS} prompts; this one has {len(prompts)}")
    return prompts


def format_prompts(prompts: Iterable[Prompt]) -> str:
    """Write prompts as the line that `parse_prompts` reads back to equal prompts; images have no place in a line.

    Raises:
        ValueError: a prompt that is an image.
    """
    parts = []
    for prompt in prompts:
        if prompt.image is not None:
            raise ValueError("an image prompt cannot be written in a prompt line; it belongs in image_prompts")
        numbers = ""
        if prompt.stop != -math.inf:
            numbers = f":{_digits(prompt.weight)}:{_digits(prompt.stop)}"
        elif prompt.weight != 1.0:
            numbers = f":{_digits(prompt.weight)}"
        parts.append(_escape(prompt.text) + numbers)
    return " | ".join(parts)


def split_weight(text: str) -> tuple[str, float, float]:
    """Take the trailing ``:weight:stop`` off a file name, an address or a data URI: (rest, weight, stop).

    Backslashes stay: they are no escapes there.
    """
    pieces = text.split(":")
    count = _numbers_at_end(pieces)
    weight, stop = _weight_and_stop(pieces, count)
    return ":".join(pieces[: len(pieces) - count]), weight, stop


def join_weight(text: str, weight: float, stop: float) -> str:
    """The inverse of `split_weight`."""
    if stop != -math.inf:
        return f"{text}:{_digits(weight)}:{_digits(stop)}"
    return text if weight == 1.0 else f"{text}:{_digits(weight)}"


def _split(line: str) -> list[list[str]]:
    """The parts of a line, each as its pieces between unescaped colons (escapes still in them)."""
    parts: list[list[str]] = [[]]
    position = 0
    while position <= len(line):
        match = _PIECES_OF.match(line, position)
        assert match is not None  # the pattern matches the empty string
        parts[-1].append(match[1])
        if match[2] == "|":
            parts.append([])
        position = match.end() if match[2] else len(line) + 1
    return parts


def _prompt(pieces: Sequence[str]) -> Prompt:
    count = _numbers_at_end(pieces)
    weight, stop = _weight_and_stop(pieces, count)
    words = ":".join(pieces[: len(pieces) - count])
    text = _ESCAPED.sub(r"\1", words)
    if not text.strip():
        raise ValueError(f"the prompt {_short(':'.join(pieces))} has numbers but no words before them")
    return Prompt(text, weight, stop)


def _numbers_at_end(pieces: Sequence[str]) -> int:
    """How many of the last pieces are numbers: 0, 1 or 2; the first piece never is."""
    count = 0
    while count < min(2, len(pieces) - 1) and _NUMBER.fullmatch(pieces[-1 - count].strip()):
        count += 1
    return count


def _weight_and_stop(pieces: Sequence[str], count: int) -> tuple[float, float]:
    numbers = [float(piece) for piece in pieces[len(pieces) - count :]]
    return numbers[0] if count else 1.0, numbers[1] if count == 2 else -math.inf


def _escape(text: str) -> str:
    text = text.replace("\\", "\\\\").replace("|", "\\|")
    pieces = text.split(":")
    written = pieces[0]
    for piece in pieces[1:]:  # only a colon before something that reads as a number needs its backslash
        written += ("\\:" if _NUMBER.fullmatch(piece.strip()) else ":") + piece
    return written


def _digits(number: float) -> str:
    return repr(int(number)) if number == int(number) else repr(number)


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")


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
    word itself.
    """
    word = " ".join(word.split())
    if not word or has_modifier(line, word):
        return line
    if not line.strip(" \t\r\n|"):
        return _escape(word)
    first, *others = parse_prompts(line)
    return format_prompts([Prompt(f"{first.text} {word}", first.weight, first.stop), *others])


def remove_modifier(line: str, word: str) -> str:
    """Take a modifier out of the first prompt of a line, wherever `add_modifier` or the user put it; other words stay.

    A line in which nothing else is left becomes "" (or what its other prompts are).
    """
    if not has_modifier(line, word):
        return line
    first, *others = parse_prompts(line)
    text = _modifier(word).sub("", first.text).strip(" ,")
    return format_prompts(([Prompt(text, first.weight, first.stop)] if text else []) + others)


def has_modifier(line: str, word: str) -> bool:
    """Whether the first prompt of a line has this modifier in it, as whole words, in upper or lower case."""
    if not word.strip() or not line.strip(" \t\r\n|"):
        return False
    return _modifier(word).search(parse_prompts(line)[0].text) is not None


def _modifier(word: str) -> re.Pattern[str]:
    words = r"\s+".join(re.escape(part) for part in word.split())
    return re.compile(rf"(?:,\s*|\s+)?(?<![\w#-]){words}(?![\w-])", re.IGNORECASE)
