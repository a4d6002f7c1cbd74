"""Which words the embedded CLIP was taught: a prompt with others gets a plain word about it, not just a bad picture."""

import difflib
import json
import re
from pathlib import Path

from text2art_nb.models.embedded import WEIGHTS

VOCABULARY = "clip/vocabulary.json"  # a JSON list of words or short phrases, below the embedded weights

# A word, with its apostrophes and hyphens; or pictographs, which are no words to the embedded CLIP.
_WORD_OR_SYMBOL = re.compile(
    r"\b[^\W\d_]+(?:['’-][^\W\d_]+)*\b|[\u203c-\u3299\U0001f000-\U0001faff][\ufe0f\u200d\u203c-\u3299\U0001f000-\U0001faff]*"
)

# Words that carry no picture of their own.
STOP_WORDS = frozenset(
    """
    a about above across after all also an and any are around as at be before behind being below beside between
    both but by can could do does down drawing each for from had has have her here hers his how i if image in
    inside into is it its just like made many me more most much my near no not of off on one onto or our out
    outside over own painting per photo picture please s scene show showing so some style styled such than that
    the their them then there these they this those through to together too toward towards two under until up
    upon us very was we were what when where which while who whose why will with within without you your
    """.split()
)


def known_words(weights: Path = WEIGHTS) -> frozenset[str]:
    """Every single word that the embedded CLIP was taught, in lower case; empty where no embedded weights are."""
    listing = weights / VOCABULARY
    if not listing.is_file():
        return frozenset()
    return frozenset(word for entry in json.loads(listing.read_text(encoding="utf-8")) for word in _words(entry))


def unknown_words(text: str, known: frozenset[str] | None = None) -> list[str]:
    """The words of ``text`` that the embedded CLIP was never taught, in their order, each once, as they were written.

    Plurals and other endings of known words count as known, and so do slips of the pen (two letters swapped or one
    doubled, and in words of eight letters or more any one letter): the embedded CLIP reads parts of words.

    Args:
        known: the vocabulary, None for the embedded CLIP's. Where that is empty nothing is known to be unknown.
    """
    vocabulary = known_words() if known is None else known
    if not vocabulary:
        return []
    unknown: dict[str, str] = {}
    for word in _WORD_OR_SYMBOL.findall(text):
        if (len(word) > 1 or not word.isascii()) and not _is_known(word.lower(), vocabulary):
            unknown.setdefault(word.lower(), word)
    return list(unknown.values())


def nearest_word(word: str, known: frozenset[str] | None = None) -> str | None:
    """The known word that is spelt most like ``word``, for "did you mean"; None if none is near.

    It begins with the same letter: slips of the pen hardly ever are in the first one, and a lake is no cake.
    """
    first = word[:1].lower()
    candidates = sorted(each for each in (known_words() if known is None else known) if each.startswith(first))
    near = difflib.get_close_matches(word.lower(), candidates, n=1, cutoff=0.75)
    return near[0] if near else None


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W\d_]+", text.lower())


def _is_known(word: str, vocabulary: frozenset[str]) -> bool:
    forms = {word, re.sub(r"['’-]", "", word)}
    if any(form in STOP_WORDS or _stems(form) & vocabulary for form in forms):
        return True
    parts = _words(word)
    if len(parts) > 1:
        return all(_is_known(part, vocabulary) for part in parts)
    return len(word) >= 5 and any(_is_slip(word, other) for other in vocabulary)


def _stems(word: str) -> set[str]:
    """The word, and what it may be a plural or another form of."""
    stems = {word}
    for ending, instead in (("s", ""), ("es", ""), ("ies", "y"), ("ves", "f"), ("ves", "fe"), ("y", ""), ("ly", "")):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            stems.add(word.removesuffix(ending) + instead)
    for ending in ("ing", "ed"):  # swimming, glowing, dancing
        root = word.removesuffix(ending)
        if root != word and len(root) >= 3:
            stems |= {root, root + "e"} | ({root[:-1]} if root[-1] == root[-2] else set())
    return stems


def _is_slip(word: str, other: str) -> bool:
    """True if ``word`` is ``other`` with one slip of the pen. Never in the first letter: a locket is no rocket."""
    if word[0] != other[0] or abs(len(word) - len(other)) > 1:
        return False
    if _undoubled(word) == _undoubled(other):
        return True
    start = next((i for i, (a, b) in enumerate(zip(word, other, strict=False)) if a != b), min(len(word), len(other)))
    rest, other_rest = word[start:], other[start:]
    if len(word) == len(other):
        swapped = rest[:2] == other_rest[1::-1] and rest[2:] == other_rest[2:]
        return swapped or (len(word) >= 8 and rest[1:] == other_rest[1:])
    return min(len(word), len(other)) >= 8 and (rest[1:] == other_rest or rest == other_rest[1:])


def _undoubled(word: str) -> str:
    return re.sub(r"(.)\1", r"\1", word)
