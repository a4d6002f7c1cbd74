"""Signs that touch a word don't take it away from the embedded models, and what they were taught stays as it is."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import torch

from text2art_nb import perceptors
from text2art_nb.models import embedded
from text2art_nb.models.plain_words import plain_words, taught_words
from text2art_nb.optimization import proposals
from text2art_nb.training.data import misspell
from text2art_nb.training.world.captions import (
    COLOUR_WORDS,
    PLACE_WORDS,
    STYLE_WORDS,
    THING_WORDS,
    TIME_WORDS,
    WEATHER_WORDS,
    caption,
)
from text2art_nb.training.world.scene import sample_scenes

CPU = torch.device("cpu")
CLIP = embedded.directory("clip")
TAUGHT = taught_words(CLIP)

TOUCHING = (
    "'{}'", '"{}"', "“{}”", "‘{}’", "({})", "[{}]", "{{{}}}", "<{}>", "#{}", "*{}*", "**{}**", "~{}~", "_{}_", "a_{}",
    "red,{},night", "red-{}", "red/{}", "red|{}", "（{}）", "｛{}｝", "「{}」", "red，{}。",
    "{}!", "{}?!", "{}…", "({}:1.2)", "🏰{}🏰",
    "\u200b{}\u200b", "red\u00a0{}\u2028night", "red\t{}\nnight", "<b>{}</b>", "{};night", "red–{}—night",
)  # fmt: skip


def stating_words() -> list[str]:
    """Every word and phrase that states a thing, a colour, a place, an hour, weather or a style."""
    nouns = [part for words in THING_WORDS.values() for word in words for part in word.split("/")]
    tables = [word for table in (COLOUR_WORDS, TIME_WORDS, WEATHER_WORDS) for words in table.values() for word in words]
    places = [word for pair in PLACE_WORDS.values() for words in pair for word in words]
    styles = [word for triple in STYLE_WORDS.values() for words in triple for word in words]
    return sorted({word for word in (*nouns, *tables, *places, *styles) if word})


def tokens(text: str) -> list[int]:
    ids: list[int] = perceptors.load("embedded", CPU).tokens(text)  # type: ignore[attr-defined]
    return ids[1:-1]


def contains(whole: list[int], part: list[int]) -> bool:
    return any(whole[start : start + len(part)] == part for start in range(len(whole) - len(part) + 1))


def test_there_are_hundreds_of_words_that_state_a_thing() -> None:
    assert len(stating_words()) > 360


@pytest.mark.parametrize("frame", TOUCHING)
def test_every_word_that_states_a_thing_survives_what_touches_it(frame: str) -> None:
    words = stating_words()
    if frame == "#{}":  # hashtags of their own were taught, too
        words = [word for word in words if f"#{word.split()[0]}" not in TAUGHT]
    assert [word for word in words if not contains(tokens(frame.format(word)), tokens(word))] == []


def test_the_castle_in_quotes_is_drawn() -> None:
    proposer = proposals.load("embedded", CPU)
    plain = proposer.describe([("a red castle at night", 1.0)])
    for typed in (
        "a red 'castle' at night",
        "a red “castle”, at night",
        "a #red-castle at_night",
        "a (red) [castle] at night!",
    ):
        assert proposer.describe([(typed, 1.0)]) == plain, typed


@pytest.mark.parametrize(
    "text",
    [
        "a red castle at night",
        "A Red Castle, at night.",
        "a jack-o-lantern and a hot-air balloon, 16-bit",
        "#pixelart u-boat",
        "a low-poly fish #storybook",
        "the children's book",
        "the fish's house, don't",
        "पानी के नीचे शहर",
        "一座水下城市",
        "2 cats",
    ],
)
def test_plain_prompts_stay_as_they_are(text: str) -> None:
    assert plain_words(text, TAUGHT) == text


def test_captions_as_they_were_trained_on_keep_their_tokens() -> None:
    tokenizer = perceptors.load("embedded", CPU)._tokenizer  # type: ignore[attr-defined]
    chance = np.random.default_rng(4)
    for scene in sample_scenes(chance, 1500):
        text = misspell(caption(scene, chance)[0], chance)
        if not text.endswith("!"):  # of two captions in a hundred; without it the word before is known better
            assert plain_words(text, TAUGHT) == text
            assert tokenizer(plain_words(text, TAUGHT)).input_ids == tokenizer(text).input_ids


def test_compounds_that_were_taught_stay_together_within_longer_ones() -> None:
    assert plain_words("a hot-air-balloon", TAUGHT) == "a hot-air balloon"
    assert plain_words("'jack-o-lantern'", TAUGHT) == "jack-o-lantern"
    assert plain_words("##neon!", TAUGHT) == "#neon"


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("a cat & a dog", "a cat and a dog"),
        ("cat+dog", "cat dog"),
        ("red,castle,night", "red, castle, night"),
        ("a castle , night", "a castle, night"),
        (", a castle", "a castle"),
        ("castle...", "castle."),
        ("cas\u00adtle", "castle"),
        ("🏰", "🏰"),
        ("---", "---"),
        ("", ""),
        ("  two   spaces ", "two spaces"),
    ],
)
def test_what_is_left_is_words_with_one_space_between_them(typed: str, read: str) -> None:
    assert plain_words(typed, TAUGHT) == read


def test_no_text_breaks_it_and_twice_is_once() -> None:
    signs = "a#'-_,.&+\u0301\u200b🏰 ’1\ud800"
    for letters in itertools.product(signs, repeat=3):
        once = plain_words("".join(letters), TAUGHT)
        assert plain_words(once, TAUGHT) == once


def test_a_checkpoint_without_a_list_of_words_has_none(tmp_path: Path) -> None:
    assert taught_words(tmp_path) == frozenset()
    assert "jack-o-lantern" in taught_words(CLIP)
