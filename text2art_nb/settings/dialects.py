"""Prompts as other programs write them, brought into the prompt line's own grammar.

People paste what worked elsewhere: Stable Diffusion web UI (A1111) and ComfyUI, InvokeAI's Compel, Midjourney, Disco
Diffusion. What has a meaning here is translated, what has none is left out, and each time a note says so in one plain
sentence. A line without such syntax comes back unchanged.
"""

import ast
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from text2art_nb.settings.prompts import REGIONS, mask_number, parse_prompts, read_region

AVOIDED: Final = -0.5
"""Weight of what another program's negative prompt names."""
_MOST_ROUNDS: Final = 12
_MAX_LIST: Final = 64  # prompts in a pasted list

_LORA = re.compile(r"<(?:lora|lyco|hypernet|embedding)\s*:[^<>]*>|\bembedding:[\w.-]+", re.IGNORECASE)
_EMPHASIS = re.compile(
    r"\(([^()\[\]]*?)(?:[:\uff1a]\s*([+-]?(?:\d+[.,]?\d*|\.\d+))\s*)?\)([+-]{1,6}|(?:\d*\.\d+|\d+)(?![\w.]))?"
)
_BRACKET = re.compile(r"\[([^\[\]]*)\]")
_COMPEL = re.compile(r"(?<=\w\w)(\+{1,6}|-{2,6})(?=[\s,.;|)]|$)")
_WILDCARD = re.compile(r"__([\w./*-]+?)__")
_DOUBLE_COLON = re.compile(r"::[ \t]*([+-]?(?:\d+[.,]?\d*|\.\d+))?(?![:\d])")
_OPTION = re.compile(r"(?:^|(?<=\s))(?:--|[\u2013\u2014])([a-z]{1,12})\b[ \t]*", re.IGNORECASE)
_A1111_NEGATIVE = re.compile(r"^[ \t]*negative prompt[ \t]*[:\uff1a][ \t]*", re.IGNORECASE | re.MULTILINE)
_A1111_SETTINGS = re.compile(r"^[ \t]*steps[ \t]*:[ \t]*\d+[ \t]*,.*\Z", re.IGNORECASE | re.MULTILINE | re.DOTALL)
_AND = re.compile(r"\s+AND\s+")
_BREAK = re.compile(r"\s*\bBREAK\b\s*")
_PLAIN = re.compile(r"[^(){}\[\]<>_+:{}\u2013\u2014\uff08\uff09-]*")

# What Midjourney's options mean here; those of the set are left out.
_MIDJOURNEY: Final = frozenset(
    """aspect ar no v version q quality s stylize seed chaos c niji style iw tile stop weird w video repeat r sref cref
    sw cw p profile raw fast relax turbo hd test testp uplight upbeta public stealth creative draft exp oref""".split()
)
_FLAGS: Final = frozenset(
    "tile video raw fast relax turbo hd test testp uplight upbeta public stealth creative draft".split()
)


@dataclass(frozen=True)
class Understood:
    """What a prompt line says.

    line: in the grammar of `prompts`; notes: one sentence for each thing that was read otherwise than it was written.
    """

    line: str
    notes: tuple[str, ...] = ()


def understand(line: str) -> Understood:
    """Translate another program's syntax in a prompt line; never raises."""
    if _PLAIN.fullmatch(line) and "AND" not in line and "BREAK" not in line:
        return Understood(line)
    notes: list[str] = []
    for _ in range(_MOST_ROUNDS):  # what one translation leaves may be another's: a recipe is read again as it stands
        before = line
        for translate in _TRANSLATORS:
            line = translate(line, notes.append)
        line = line.strip()
        if line == before:
            break
    return Understood(line, tuple(dict.fromkeys(notes)))


def _full_width(line: str, _: Callable[[str], None]) -> str:
    return line.translate({0xFF08: "(", 0xFF09: ")", 0xFF3B: "[", 0xFF3D: "]", 0xFF5B: "{", 0xFF5D: "}"})


def _list(line: str, note: Callable[[str], None]) -> str:
    """Disco Diffusion's list, or dictionary by frame, of prompts."""
    text = line.strip()
    if (
        len(text) > 10_000
        or not (text.startswith(("[", "{")) and text.endswith(("]", "}")))
        or not set(text) & set("\"'")
    ):
        return line
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return line
    if isinstance(found, dict):
        found = next(iter(found.values()), None)
        note(
            "of Disco Diffusion's prompts by frame only the first is read; a story is written 'a seed ^ a flower @50%'"
        )
    found = [found] if isinstance(found, str) else found
    if (
        not isinstance(found, list | tuple)
        or not 0 < len(found) <= _MAX_LIST
        or not all(isinstance(x, str) for x in found)
    ):
        return line
    return " | ".join(found)


def _pasted_settings(line: str, note: Callable[[str], None]) -> str:
    """A1111's text below a picture: the prompt, a negative prompt, a line of settings."""
    settings = _A1111_SETTINGS.search(line)
    if settings:
        note("the settings of another program ('Steps: …') are left out; text2art has its own")
        line = line[: settings.start()]
    parts = _A1111_NEGATIVE.split(line, maxsplit=1)
    if len(parts) == 1:
        return line
    return " | ".join([parts[0].strip(), *_avoided(parts[1], note)])


def _midjourney(line: str, note: Callable[[str], None]) -> str:
    """Midjourney's options: ``--no fog`` pushes away, the others are left out."""
    found = [match for match in _OPTION.finditer(line) if match[1].lower() in _MIDJOURNEY]
    if not found:
        return line
    words, avoided = [line[: found[0].start()]], []
    for match, after in zip(found, [*found[1:], None], strict=True):
        value = line[match.end() : after.start() if after else len(line)].strip()
        name = match[1].lower()
        if name == "no":
            avoided += _avoided(value, note)
            continue
        value, _, rest = ("", "", value) if name in _FLAGS else value.partition(" ")
        words.append(rest)
        note(_said_of(name, value))
    return " | ".join([" ".join(" ".join(words).split()), *avoided])


def _said_of(name: str, value: str) -> str:
    option = f"--{name} {value}".strip()
    if name in ("ar", "aspect"):
        return f"'{option}' is left out; the shape is a setting: aspect={_aspect(value)}"
    if name == "seed":
        return f"'{option}' is left out; the seed is a setting: seed={value or 7}"
    if name == "tile":
        return "'--tile' is left out; it is a filter: filters=tile"
    if name in ("q", "quality"):
        return f"'{option}' is left out; quality is a setting: draft, normal, better, best or supreme"
    return f"Midjourney's '{option}' has no meaning here and is left out"


def _aspect(ratio: str) -> str:
    found = re.fullmatch(r"(\d{1,4}(?:\.\d+)?)[:xX/](\d{1,4}(?:\.\d+)?)", ratio.strip())
    if not found or float(found[2]) == 0 or float(found[1]) == 0:
        return "widescreen"
    shape = math.log(float(found[1]) / float(found[2]))
    return "square" if abs(shape) < 0.12 else "widescreen" if shape > 0 else "portrait"


def _avoided(text: str, note: Callable[[str], None]) -> list[str]:
    words = [" ".join(word.split()) for word in re.split(r"[,|\n]", text)]
    given = [word for word in words if word]
    if given:
        note(f"what is to be avoided pushes away with weight {AVOIDED:g}: {', '.join(given)}"[:300])
    return [f"{word}:{AVOIDED:g}" for word in given]


def _networks(line: str, note: Callable[[str], None]) -> str:
    """LoRAs, hypernetworks and embeddings of Stable Diffusion."""

    def leave_out(match: re.Match[str]) -> str:
        note(f"'{match[0][:60]}' is left out: text2art has no LoRAs or embeddings")
        return ""

    return _LORA.sub(leave_out, line)


def _wildcards(line: str, note: Callable[[str], None]) -> str:
    """``__animal__`` names a file of words, which isn't here: the word itself is read."""

    def word(match: re.Match[str]) -> str:
        name = match[1].strip("*/.").replace("_", " ").replace("/", " ")
        note(f"'{match[0]}' names a file of words, which text2art has not; it reads '{name}'. A choice is {{red|blue}}")
        return name

    return _WILDCARD.sub(word, line)


def _emphasis(line: str, note: Callable[[str], None]) -> str:
    """A1111's and Compel's weights of single words: the words stay, their weights are left out."""

    def plain(match: re.Match[str]) -> str:
        words, weight, compel = match[1].strip(), match[2], match[3]
        if weight is None and compel is None:
            return match[0]
        given = weight or compel
        note(
            f"'{match[0][:60]}': a weight inside a sentence isn't read; '{words[:40]}' counts as the rest does. "
            f"To weigh it, add it as a prompt: | {words[:40]}:{'2' if not given.startswith('-') else '-0.5'}"
        )
        return words

    before = None
    while before != line:
        before, line = line, _EMPHASIS.sub(plain, line)
        line = re.sub(r"\(\(([^()]*)\)\)", r"(\1)", line)

    def bare(match: re.Match[str]) -> str:
        note(
            f"'{match[1]}' behind a word is Compel's weight, which isn't read; to weigh it, add it as a prompt: | fog:2"
        )
        return ""

    return _COMPEL.sub(bare, line)


def _brackets(line: str, note: Callable[[str], None]) -> str:
    """A1111's ``[word]``, ``[cat:dog:0.5]`` and ``[cat|dog]``, where they are no regions."""

    def plain(match: re.Match[str]) -> str:
        inside, before = match[1].strip(), match.string[: match.start()].rstrip()
        if (not before or before.endswith(("|", "\uff5c"))) and _is_region(inside):
            return match[0]
        if match.string[: match.start()].endswith("\\") or not inside:
            return match[0]
        words = [word.strip() for word in re.split(r"[|:]", inside) if re.search(r"[^\W\d]", word)]
        if len(words) > 1:
            note(f"'{match[0][:60]}' is read as '{words[0]}'; one after the other is written '{words[0]} ^ {words[1]}'")
            return words[0]
        note(f"the brackets of '{match[0][:60]}' are left out; a region is [left], [mask 1] or [0.1,0.2,0.5,0.9]")
        return words[0] if words else inside

    return _BRACKET.sub(plain, line)


def _is_region(text: str) -> bool:
    try:
        region = read_region(text)
    except ValueError:
        return _is_nearly_one(text)
    return region in REGIONS or mask_number(region) is not None or "," in region


def _is_nearly_one(text: str) -> bool:
    """Whether somebody meant a region and slipped: then the grammar says what is wrong with it."""
    import difflib

    if re.match(r"\s*mask\b", text, re.IGNORECASE) or re.fullmatch(r"[\s\d.,+-]+", text):
        return True
    return bool(difflib.get_close_matches(text.lower()[:40], list(REGIONS), 1, cutoff=0.8))


def _weighted_parts(line: str, note: Callable[[str], None]) -> str:
    """Midjourney's ``hot dog::2 fog::-0.5``."""
    outside = re.sub(r"\{[^{}]*\}", lambda match: "\0" * len(match[0]), line)
    found = list(_DOUBLE_COLON.finditer(outside))
    if not found:
        return line
    parts, start = [], 0
    for match in found:
        words = line[start : match.start()].strip(" ,|")
        if words:
            parts.append(f"{words}:{match[1]}" if match[1] else words)
        start = match.end()
    rest = line[start:].strip(" ,|")
    line = " | ".join([*parts, rest] if rest else parts)
    note(f"'::' is Midjourney's; here it is written: {line[:200]}")
    return line


def _conjunctions(line: str, note: Callable[[str], None]) -> str:
    """A1111's AND between prompts and BREAK between their parts."""
    if _AND.search(line) and not line.isupper():
        line = _AND.sub(" | ", line)
        note(f"AND separates prompts in other programs; here it is written: {line[:200]}")
    if _BREAK.search(line) and not line.isupper():
        line = _BREAK.sub(", ", line).strip(" ,")
        note("BREAK has no meaning here and is left out")
    return line


_TRANSLATORS: Final[tuple[Callable[[str, Callable[[str], None]], str], ...]] = (
    _full_width,
    _list,
    _pasted_settings,
    _networks,
    _midjourney,
    _wildcards,
    _emphasis,
    _brackets,
    _weighted_parts,
    _conjunctions,
)


def in_words(line: str) -> list[str]:
    """How a prompt line is understood, one plain sentence a prompt, where that isn't evident; see `understand`.

    Empty where there is one prompt of weight 1 without anything special.
    """
    understood = understand(line)
    try:
        prompts = parse_prompts(understood.line)
    except ValueError:
        return list(understood.notes)
    plain = len(prompts) == 1 and prompts[0].weight == 1 and prompts[0].stop == -math.inf and not prompts[0].schedule
    said = []
    for prompt in () if plain and prompts[0].region is None and prompts[0].origin is None else prompts:
        weight = "" if prompt.weight == 1 else f" with weight {prompt.weight:g}"
        stop = "" if prompt.stop == -math.inf else f", until the distance is {prompt.stop:g}"
        words = ", then ".join(f"'{text}'" for text in (prompt.text, *prompt.schedule))
        words = f"the way from '{prompt.origin}' to {words}" if prompt.origin else words
        where = f" in the region {prompt.region}" if prompt.region else ""
        said.append(f"{'pushes away' if prompt.weight < 0 else 'pulls towards'} {words}{where}{weight}{stop}")
    return [*understood.notes, *said]
