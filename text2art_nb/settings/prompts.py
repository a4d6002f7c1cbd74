r"""The prompt line's grammar, and the keyword modifiers that go at its end.

``text:weight:stop | text:weight | …`` is that of pixray, clipit and VQGAN-CLIP (a weight, then a distance below which
the prompt stops pulling), with two things made plain: a colon is only a separator where numbers follow it
(``a castle: the keep:0.5`` is the text ``a castle: the keep`` with weight 0.5), and a backslash makes a separator a
character. A number may have a decimal comma and any of the signs that keyboards and phones make of a minus; ： and ｜
are separators, too. A time (``a clock at 10:30``) and a usual ratio (``16:9``) are words, not weights; ``at 10 :30`` is
a weight. ``{red|blue}`` is a choice, which the seed makes (`pick`). Each prompt may also have

- a region where it counts: ``[left] a red boat | [mask 1] fog | [0.1,0.2,0.5,0.9] a dragon``;
- a schedule: ``a seed ^ a sprout @30% ^ a flower`` (VQGAN-CLIP's ``^``, here blended, and with times);
- a direction: ``a face -> a smiling face``.

Escapes: ``\|``, ``\:``, ``\\``, ``\[``, ``\^``, ``\->``, ``\@``; any other backslash is itself.
"""

import difflib
import itertools
import math
import random
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

MAX_LINE = 10_000
"""Most characters in a prompt line."""
MAX_PROMPTS = 64
"""Most prompts in a line."""
MAX_WEIGHT = 100.0
"""Largest weight (and stop), either sign."""

MAX_TEXTS = 32
"""Most texts in the schedule of a prompt."""
MAX_MASKS = 8
"""Most masks that regions may name."""

Box = tuple[float, float, float, float]

REGIONS: Mapping[str, Box] = MappingProxyType(
    {
        "left": (0.0, 0.0, 0.5, 1.0),
        "right": (0.5, 0.0, 1.0, 1.0),
        "top": (0.0, 0.0, 1.0, 0.5),
        "bottom": (0.0, 0.5, 1.0, 1.0),
        "centre": (0.25, 0.25, 0.75, 0.75),
        "top left": (0.0, 0.0, 0.5, 0.5),
        "top right": (0.5, 0.0, 1.0, 0.5),
        "bottom left": (0.0, 0.5, 0.5, 1.0),
        "bottom right": (0.5, 0.5, 1.0, 1.0),
    }
)
"""The regions that have a name: (left, top, right, bottom) as shares of the picture's width and height."""

_SAME_REGION = {"center": "centre", "middle": "centre", "upper": "top", "lower": "bottom"}
_THINNEST = 0.02  # as a share of the picture; a thinner region shows nothing
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|[+-]?(?:inf|infinity|nan)", re.IGNORECASE | re.ASCII)
_ESCAPED = re.compile(r"\\([\\|:\[^@{}\uff1a\uff5c]|->)")
_MINUS = str.maketrans(dict.fromkeys("‐‑‒–—−﹣－", "-"))
_COMMA = re.compile(r"(?<=\d),(?=\d+$)", re.ASCII)
_CLOCK = re.compile(r"(?:[01]?\d|2[0-3]):[0-5]\d", re.ASCII)
_RATIOS = frozenset("1:1 2:1 1:2 3:2 2:3 4:3 3:4 5:4 4:5 7:5 5:7 16:9 9:16 16:10 10:16 18:9 9:18 21:9 9:21".split())
_WHOLE_AT_END = re.compile(r"(?:^|\s)(\d{1,2})$", re.ASCII)
_CHOICE = re.compile(r"(?<!\\)\{([^{}]*\|[^{}]*)\}", re.DOTALL)
_CHOICES = r"\{(?:[^{}]|\{[^{}]*\})*\}"
_PIECES_OF = re.compile(rf"((?:\\[\\|:\uff1a\uff5c]|{_CHOICES}|[^|:\uff1a\uff5c])*)([|:\uff1a\uff5c]?)", re.DOTALL)
_TOKENS = re.compile(r"\\(?:[\\|:\[^@{}\uff1a\uff5c]|->)|->|.", re.DOTALL)
_REGION = re.compile(r"\s*\[([^\[\]]*)\]", re.DOTALL)
_TIME = re.compile(r"@\s*(\d+\.?\d*|\.\d+)\s*%\s*$", re.ASCII)


@dataclass(frozen=True)
class Prompt:
    """One thing that the picture should look like (or, with a negative weight, should not).

    Attributes:
        text: the words; may be empty only where there is an image or noise.
        weight: how strongly it pulls, -100..100; below 0 it pushes away.
        stop: the distance below which it stops pulling (-100..100); -inf: never.
        image: a picture to look like instead of words, as a PNG data URI.
        region: where it counts, as `read_region` returns it; None: the whole picture.
        schedule: the texts that follow the first one, in their order.
        times: when each text is fully reached, 0..1 of the iterations: the first and then those of the schedule; None
            where nobody said. Empty where nobody said anything.
        origin: for a direction, the text that the picture should move away from.
        label: whether the text names a thing, and is to be read in many phrases.
        noise: the seed of a random vector, instead of words.

    Raises:
        ValueError: a number out of its range, an unknown region, times out of order, or nothing to look like.
    """

    text: str
    weight: float = 1.0
    stop: float = -math.inf
    image: str | None = None
    region: str | None = None
    schedule: tuple[str, ...] = ()
    times: tuple[float | None, ...] = ()
    origin: str | None = None
    label: bool = False
    noise: int | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", " ".join(self.text.split()))
        object.__setattr__(self, "schedule", tuple(" ".join(text.split()) for text in self.schedule))
        if self.origin is not None:
            object.__setattr__(self, "origin", " ".join(self.origin.split()))
        if self.region is not None:
            object.__setattr__(self, "region", read_region(self.region))
        if not self.text and self.image is None and self.noise is None:
            raise ValueError("a prompt needs words, like 'an underwater city'")
        self._check_numbers()
        self._check_texts()
        self._check_times()

    def _check_numbers(self) -> None:
        name = f"the prompt {_short(self.text)}" if self.text else "an image prompt"
        if not math.isfinite(self.weight) or abs(self.weight) > MAX_WEIGHT:
            raise ValueError(
                f"the weight of {name} must be between -{MAX_WEIGHT:g} and {MAX_WEIGHT:g}; got {self.weight:g}"
            )
        if self.stop != -math.inf and not abs(self.stop) <= MAX_WEIGHT:
            raise ValueError(
                f"the stop of {name} must be between -{MAX_WEIGHT:g} and {MAX_WEIGHT:g}; got {self.stop:g}"
            )

    def _check_texts(self) -> None:
        if self.origin == "":
            raise ValueError(f"'-> {self.text}' needs words before the arrow, like 'a face -> a smiling face'")
        if not all(self.schedule):
            raise ValueError(
                rf"the schedule of {_short(self.text)} has a ^ without words; a ^ of your own is written \^"
            )
        if len(self.schedule) >= MAX_TEXTS:
            raise ValueError(f"a schedule may have at most {MAX_TEXTS} texts; got {len(self.schedule) + 1}")

    def _check_times(self) -> None:
        times = [None if time is None else round(time, 8) for time in self.times]
        plain = not self.schedule or all(time is None for time in times)
        object.__setattr__(self, "times", () if plain else tuple(times))
        if self.times and len(self.times) != len(self.schedule) + 1:
            raise ValueError(f"the schedule of {_short(self.text)} needs a time for each of its texts, or none")
        said = [time for time in self.times if time is not None]
        if not all(0 <= time <= 1 for time in said) or said != sorted(set(said)):
            raise ValueError(
                f"the times in the schedule of {_short(self.text)} must rise, from @0% to @100% at most; got "
                + ", ".join(f"@{_percent(time)}" for time in said)
            )

    @property
    def texts(self) -> tuple[str, ...]:
        """All words in it: where it comes from, what it asks for, and what it asks for later."""
        return ((self.origin,) if self.origin else ()) + ((self.text,) if self.text else ()) + self.schedule

    @property
    def keys(self) -> tuple[float, ...]:
        """When each text is fully reached, as shares of the iterations, rising.

        Without any times each text has an equal share, and is reached in the middle of it. With some, the first is
        reached at 0 and the last at 1 unless they say otherwise, and the others evenly between their neighbours.
        """
        count = len(self.schedule) + 1
        if not any(time is not None for time in self.times):
            return tuple((k + 0.5) / count for k in range(count))
        times = list(self.times)
        times[0] = 0.0 if times[0] is None else times[0]
        times[-1] = 1.0 if times[-1] is None else times[-1]
        known = [k for k, time in enumerate(times) if time is not None]
        keys: list[float] = []
        for start, stop in itertools.pairwise(known):
            first, last = times[start] or 0.0, times[stop] or 0.0
            keys += [first + (last - first) * k / (stop - start) for k in range(stop - start)]
        return (*keys, times[-1] or 0.0)


def read_region(text: str) -> str:
    """The proper name of a region: a name of `REGIONS`, ``mask N``, or four shares like ``0.1,0.2,0.5,0.9``.

    Raises:
        ValueError: it is none of them.
    """
    words = " ".join(_SAME_REGION.get(word, word) for word in text.replace("-", " ").lower().split())
    if words in REGIONS:
        return words
    if mask := re.fullmatch(r"mask ?(\d{1,3})", words, re.ASCII):
        number = int(mask[1])
        if not 1 <= number <= MAX_MASKS:
            raise ValueError(f"masks are counted from 1 to {MAX_MASKS}; got [mask {number}]")
        return f"mask {number}"
    if "," in text:
        return ",".join(_digits(share) for share in _box(text))
    near = difflib.get_close_matches(words[:100], [*REGIONS, "mask 1"], 1)
    known = f"{', '.join(REGIONS)}, mask 1, or shares like 0.1,0.2,0.5,0.9"
    meant = f"did you mean [{near[0]}]? ({known})" if near else f"a region is {known}"
    raise ValueError(rf"unknown region [{text.strip()[:40]}]; {meant}; a bracket of your own is written \[")


def region_box(region: str) -> Box | None:
    """(left, top, right, bottom), shares of the picture, of what `read_region` returned; None for a mask."""
    if region.startswith("mask"):
        return None
    return REGIONS[region] if region in REGIONS else _box(region)


def mask_number(region: str | None) -> int | None:
    """Which of the masks, counted from 1, a region is; None for one that is no mask."""
    return int(region.removeprefix("mask ")) if region is not None and region.startswith("mask") else None


def _box(text: str) -> Box:
    right = "four shares of the picture, 0 to 1: left, top, right, bottom, like [0.1,0.2,0.5,0.9]"
    shares = [float(part) if _NUMBER.fullmatch(part.strip()) else math.nan for part in text.split(",")]
    if len(shares) != 4 or not all(0 <= share <= 1 for share in shares):
        raise ValueError(f"a region must be {right}; got [{text.strip()[:40]}]")
    x0, y0, x1, y1 = shares
    if x1 - x0 < _THINNEST or y1 - y0 < _THINNEST:
        raise ValueError(f"a region must be {right}, and not thinner than {_THINNEST:g}; got [{text.strip()[:40]}]")
    return x0, y0, x1, y1


def parse_prompts(line: str) -> list[Prompt]:
    r"""Read a prompt line, like ``"a castle by the sea | fog:0.5 | blurry:-0.3"``; see the module for all of it.

    Parts are separated by ``|``; empty parts are skipped. Trailing numbers of a part are its weight and its stop. White
    space is collapsed.

    Raises:
        ValueError: an empty line, one of more than 10,000 characters or 64 prompts, a number out of range, or a region,
            schedule or direction that makes no sense.
    """
    if len(line) > MAX_LINE:
        raise ValueError(f"a prompt line may have at most {MAX_LINE:,} characters; this one has {len(line):,}")
    prompts = [_prompt(pieces) for pieces in _split(line) if len(pieces) > 1 or pieces[0].strip()]
    if not prompts:
        raise ValueError("the prompt is empty; say what to draw, like 'an underwater city'")
    if len(prompts) > MAX_PROMPTS:
        raise ValueError(f"a prompt line may have at most {MAX_PROMPTS} prompts; this one has {len(prompts)}")
    return prompts


def pick(line: str, seed: int) -> str:
    """Replace each choice, ``{red|blue}``, by one of its options; the same seed makes the same choices.

    Choices may be nested. As in Dynamic Prompts, ``{2::red|blue}`` makes red twice as likely, and ``{2$$a|b|c}`` takes
    two of them.
    """
    chance = random.Random(seed)
    for _ in range(MAX_LINE):
        match = _CHOICE.search(line)
        if match is None:
            break
        line = line[: match.start()] + _picked(match[1], chance) + line[match.end() :]
    return line


def _picked(inside: str, chance: random.Random) -> str:
    count, many, options = inside.partition("$$")
    wanted = int(count) if many and count.strip().isascii() and count.strip().isdigit() else 1
    weighted = [_option(each) for each in (options if many else inside).split("|")]
    taken: list[str] = []
    while weighted and len(taken) < wanted:
        mark = chance.random() * sum(weight for _, weight in weighted)
        place = 0
        while place < len(weighted) - 1 and mark >= weighted[place][1]:
            mark -= weighted[place][1]
            place += 1
        taken.append(weighted.pop(place)[0])
    return ", ".join(taken)


def _option(text: str) -> tuple[str, float]:
    """An option of a choice and how likely it is, from ``2::red``."""
    weight, mark, words = text.partition("::")
    if mark and _NUMBER.fullmatch(_plain(weight)) and 0 < float(_plain(weight)) < math.inf:
        return words.strip(), float(_plain(weight))
    return text.strip(), 1.0


def format_prompts(prompts: Iterable[Prompt]) -> str:
    """Write prompts as the line that `parse_prompts` reads back to equal prompts; images have no place in a line.

    Raises:
        ValueError: a prompt that is an image, a label or noise.
    """
    return " | ".join(_written(prompt) for prompt in prompts)


def as_sentences(prompts: Iterable[Prompt]) -> list[tuple[str, float]]:
    """(sentence, weight) of each prompt, for a model that reads whole sentences and doesn't know of regions or of time.

    Of a schedule and a direction it is where they begin. If the regions are one prompt on the left, one on the right,
    they are one sentence: "a red boat left of a blue house"; above and below likewise. Other regions are passed over,
    unless there is nothing else.
    """
    said = [(prompt.region, prompt.origin or prompt.text, prompt.weight) for prompt in prompts if prompt.text]
    whole = [(text, weight) for region, text, weight in said if region is None]
    parts = [(region, text, weight) for region, text, weight in said if region is not None and weight > 0]
    named = {region: text for region, text, _ in parts}
    for first, second, relation in (("left", "right", "left of"), ("top", "bottom", "above")):
        if len(parts) == 2 and {*named} == {first, second}:
            return [(f"{named[first]} {relation} {named[second]}", max(weight for _, _, weight in parts)), *whole]
    return whole if any(weight > 0 for _, weight in whole) else [(text, weight) for _, text, weight in said]


def _written(prompt: Prompt) -> str:
    if prompt.image is not None:
        raise ValueError("an image prompt cannot be written in a prompt line; it belongs in image_prompts")
    if prompt.label or prompt.noise is not None:
        raise ValueError("labels and noise cannot be written in a prompt line; they have settings of their own")
    numbers = ""
    if prompt.stop != -math.inf:
        numbers = f":{_digits(prompt.weight)}:{_digits(prompt.stop)}"
    elif prompt.weight != 1.0:
        numbers = f":{_digits(prompt.weight)}"
    texts = prompt.schedule or (prompt.text,)
    if numbers and texts[-1][-1:].isdigit():
        numbers = f" {numbers}"  # or the two could be taken for a time or a ratio
    region = f"[{prompt.region}] " if prompt.region else ""
    origin = f"{escape(prompt.origin)} -> " if prompt.origin else ""
    return region + origin + " ^ ".join(_stages(prompt)) + numbers


def _stages(prompt: Prompt) -> list[str]:
    """The texts of a schedule with their times, escaped."""
    if not prompt.schedule:
        return [escape(prompt.text)]
    texts = (prompt.text, *prompt.schedule)
    times = prompt.times or (None,) * len(texts)
    plain = [_TIME.sub(lambda match: "\\" + match[0], escape(text)) for text in texts]
    return [text if time is None else f"{text} @{_percent(time)}" for text, time in zip(plain, times, strict=True)]


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
        if match[2] in ("|", "\uff5c"):
            parts.append([])
        position = match.end() if match[2] else len(line) + 1
    return parts


def _prompt(pieces: Sequence[str]) -> Prompt:
    count = _numbers_at_end(pieces)
    weight, stop = _weight_and_stop(pieces, count)
    words = ":".join(pieces[: len(pieces) - count])
    if not words.strip():
        raise ValueError(f"the prompt {_short(':'.join(pieces))} has numbers but no words before them")
    region, words = _take_region(words)
    origin, words = _take_origin(words)
    texts, times = _take_schedule(words)
    return Prompt(texts[0], weight, stop, region=region, schedule=texts[1:], times=times, origin=origin)


def _take_region(words: str) -> tuple[str | None, str]:
    """The region before the words, and the words."""
    match = _REGION.match(words)
    if match is None:
        return None, words
    rest = words[match.end() :]
    if not rest.strip():
        raise ValueError(f"the region {match[0].strip()} needs words behind it, like '[left] a red boat'")
    if _REGION.match(rest):
        raise ValueError(rf"a prompt has one region; got {_short(words.strip())} (a bracket of your own is written \[)")
    return read_region(match[1]), rest


def _take_origin(words: str) -> tuple[str | None, str]:
    """The text before the arrow of a direction, and what is behind it."""
    parts = _split_at(words, "->")
    if len(parts) == 1:
        return None, words
    if len(parts) > 2 or len(_split_at(parts[0], "^")) > 1 or not all(part.strip() for part in parts):
        raise ValueError(
            rf"a direction is one text, one arrow and where it leads, like 'a face -> a smiling face'; "
            rf"got {_short(words.strip())} (an arrow of your own is written \->)"
        )
    _check_weightless(parts[0], "->")
    return _unescaped(parts[0]), parts[1]


def _take_schedule(words: str) -> tuple[tuple[str, ...], tuple[float | None, ...]]:
    """The texts of a schedule and their times; a text alone has none."""
    parts = _split_at(words, "^")
    if len(parts) == 1:
        return (_unescaped(words),), ()
    stages = [_stage(part) for part in parts]
    if not all(text.strip() for text, _ in stages):
        raise ValueError(
            r"each ^ needs words before and behind it, like 'a seed ^ a flower'; a ^ of your own is written \^"
        )
    for text, time in stages[:-1]:
        _check_weightless(text, "^" if time is None else "@")
    if stages[-1][1] is not None:
        _check_weightless(stages[-1][0], "@")
    return tuple(_unescaped(text) for text, _ in stages), tuple(time for _, time in stages)


def _stage(words: str) -> tuple[str, float | None]:
    """A text of a schedule, escapes still in it, and the time behind it."""
    tokens = _TOKENS.findall(words)
    for k, token in enumerate(tokens):
        if token == "@" and (match := _TIME.fullmatch("".join(tokens[k:]))):
            return "".join(tokens[:k]), float(match[1]) / 100
    return words, None


def _check_weightless(words: str, mark: str) -> None:
    if _numbers_at_end(_split(words)[0]):
        raise ValueError(
            f"{_short(words.strip())} has a number before {mark}; a prompt has one weight, at its end "
            r"(a colon of your own is written \:)"
        )


def _split_at(words: str, mark: str) -> list[str]:
    """The parts of words between unescaped marks; escapes stay."""
    parts = [""]
    for token in _TOKENS.findall(words):
        if token == mark:
            parts.append("")
        else:
            parts[-1] += token
    return parts


def _unescaped(words: str) -> str:
    return _ESCAPED.sub(r"\1", words)


def _numbers_at_end(pieces: Sequence[str]) -> int:
    """How many of the last pieces are numbers: 0, 1 or 2; the first piece never is."""
    count = 0
    while count < min(2, len(pieces) - 1) and _NUMBER.fullmatch(_plain(pieces[-1 - count])):
        count += 1
    for first in range(len(pieces) - count, len(pieces)):
        kind = _clock_or_ratio(pieces, first)
        if kind:
            return len(pieces) - first - kind
    return count


def _clock_or_ratio(pieces: Sequence[str], place: int) -> int:
    """How many pieces from `place` on belong to a time or a ratio that the piece before them begins: 0, 1 or 2."""
    before = _WHOLE_AT_END.search(pieces[place - 1])
    if before is None:
        return 0
    if _CLOCK.fullmatch(f"{before[1]}:{pieces[place].rstrip()}"):
        seconds = len(pieces) > place + 1 and re.fullmatch(r"[0-5]\d", pieces[place + 1].rstrip(), re.ASCII)
        return 2 if seconds else 1
    return int(f"{before[1]}:{pieces[place].rstrip()}" in _RATIOS)


def _plain(number: str) -> str:
    """A number's text as `float` reads it: plain digits, a decimal point, a hyphen for a minus."""
    return _COMMA.sub(".", unicodedata.normalize("NFKC", number).translate(_MINUS).strip())


def _weight_and_stop(pieces: Sequence[str], count: int) -> tuple[float, float]:
    numbers = [float(_plain(piece)) for piece in pieces[len(pieces) - count :]]
    return numbers[0] if count else 1.0, numbers[1] if count == 2 else -math.inf


def escape(text: str) -> str:
    for mark in ("\\", "|", "\uff5c", "\uff1a", "^", "->", "{", "}"):
        text = text.replace(mark, "\\" + mark)
    text = "\\" + text if text.startswith("[") else text
    pieces = text.split(":")
    written = pieces[0]
    for piece in pieces[1:]:  # only a colon before something that reads as a number needs its backslash
        written += ("\\:" if _NUMBER.fullmatch(_plain(piece)) else ":") + piece
    return written


def _digits(number: float) -> str:
    return repr(int(number)) if number == int(number) else repr(number)


def _percent(time: float) -> str:
    return f"{time * 100:.6f}".rstrip("0").rstrip(".") + "%"


def _short(text: str) -> str:
    return repr(text if len(text) <= 40 else text[:37] + "...")
