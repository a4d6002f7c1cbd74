"""A text that is longer than a perceptor reads at once is read in parts, and all of it counts."""

from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from text2art_nb import perceptors
from text2art_nb.perceptors.long_texts import read_in_parts, split

CPU = torch.device("cpu")


def words(text: str) -> int:
    """A tokenizer for whom every word and every comma is a token, and start and end are two more."""
    return len(text.replace(",", " , ").split()) + 2


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a red castle", ["a red castle"]),
        ("", [""]),
        ("one two three four five six seven eight", ["one two three four five six", "seven eight"]),
        ("one two three four, five six seven", ["one two three four,", "five six seven"]),
        ("one, two three four five six seven", ["one, two three four five", "six seven"]),
    ],
    ids=["short", "empty", "at a word", "at a comma that is near", "not at one that is far"],
)
def test_it_breaks_at_a_comma_or_a_word(text: str, parts: list[str]) -> None:
    assert split(text, words, 8) == parts


def test_a_text_without_words_breaks_anywhere() -> None:
    text = "一座水下城市。" * 5
    parts = split(text, lambda part: len(part) + 2, 12)
    assert "".join(parts) == text
    assert max(map(len, parts)) <= 10
    assert parts[0].endswith("。")


@given(st.text(alphabet="ab ,。\n", max_size=80), st.integers(3, 12))
def test_nothing_is_lost_and_every_part_fits(text: str, longest: int) -> None:
    parts = split(text, words, longest)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert all(words(part) <= longest for part in parts)


def test_the_parts_count_by_their_tokens() -> None:
    table = {"one two three": torch.tensor([1.0, 0.0]), "four": torch.tensor([0.0, 1.0])}

    def read(texts: Sequence[str]) -> Tensor:
        return torch.stack([table[text] for text in texts])

    (vector,) = read_in_parts(["one two three four"], words, 5, read)
    torch.testing.assert_close(vector, F.normalize(torch.tensor([3.0, 1.0]), dim=0))


def test_a_perceptor_reads_the_end_of_a_long_text_too(tiny_clip: Path) -> None:
    eye = perceptors.load(str(tiny_clip), CPU)
    start = "a quiet harbour in the morning, " * 3
    assert eye.count_tokens(start) > eye.longest == 32
    one, other, alone = eye.read([start + "a red boat", start + "green hills", "a red boat"])
    assert (one - other).abs().max() > 1e-3
    torch.testing.assert_close(one.norm(), torch.tensor(1.0))
    torch.testing.assert_close(alone, eye.read(["a red boat"])[0], atol=1e-5, rtol=0)


def test_one_word_without_end_is_read_too(tiny_clip: Path) -> None:
    eye = perceptors.load(str(tiny_clip), CPU)
    assert (eye.read(["x" * 100]) - eye.read(["x" * 100 + "yz"])).abs().max() > 1e-3
