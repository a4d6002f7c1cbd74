"""A prompt's words that the embedded model was never taught are named, and only those."""

import json
from pathlib import Path

import pytest

from text2art_nb.models import known_words, nearest_word, unknown_words

KNOWN = frozenset(
    "castle city fish knife glow dance swim rocket jellyfish lighthouse underwater low poly pixelart knight red".split()
)


@pytest.mark.parametrize(
    ("prompt", "unknown"),
    [
        ("a red castle in the city", []),
        ("a zeppelin above a castle", ["zeppelin"]),
        ("Zeppelin, zeppelin and castles", ["Zeppelin"]),
        ("cities of castles, fishes with knives", []),
        ("a glowing fish, dancing knights, swimming, danced", []),
        ("#pixelart low-poly rocket", []),
        ("a locket for the cattle", ["locket", "cattle"]),
        ("the castel of the jelyfish", []),
        ("lighthose, lighthouze, underwatter", []),
        ("8K HD 3 castles", ["HD"]),
        ("the castle's knight", []),
        ("une ville sous l'eau", ["une", "ville", "sous", "l'eau"]),
        ("水中都市", ["水中都市"]),
        ("", []),
        ("!!! 123 ???", []),
    ],
)
def test_exactly_the_unknown_words_are_named(prompt: str, unknown: list[str]) -> None:
    assert unknown_words(prompt, KNOWN) == unknown


def test_without_embedded_weights_nothing_is_called_unknown() -> None:
    assert unknown_words("a zeppelin", frozenset()) == []


def test_the_vocabulary_is_read_word_by_word(tmp_path: Path) -> None:
    assert known_words(tmp_path) == frozenset()
    (tmp_path / "clip").mkdir()
    (tmp_path / "clip" / "vocabulary.json").write_text(json.dumps(["Castle", "left of", "#pixelart"]))
    assert known_words(tmp_path) == {"castle", "left", "of", "pixelart"}


def test_a_near_word_is_offered() -> None:
    assert nearest_word("rockets", KNOWN) == "rocket"
    assert nearest_word("xylophone", KNOWN) is None
