"""What somebody gets who pastes a prompt that was written for another program."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from text2art_nb import Settings
from text2art_nb.errors import SettingsError
from text2art_nb.settings.dialects import in_words, understand
from text2art_nb.settings.prompts import parse_prompts


def read(line: str) -> list[tuple[str, float]]:
    return [(prompt.text, prompt.weight) for prompt in parse_prompts(understand(line).line)]


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        # A1111, ComfyUI
        ("a (red:1.2) castle", [("a red castle", 1)]),
        ("((a castle:1.3)) at night", [("(a castle) at night", 1)]),
        ("a [castle] at night", [("a castle at night", 1)]),
        ("a （castle：1.4） at night", [("a castle at night", 1)]),
        ("[cat:dog:0.5] in space", [("cat in space", 1)]),
        ("a castle <lora:add_detail:0.8>, embedding:easyneg", [("a castle ,", 1)]),
        ("a castle AND fog:0.5", [("a castle", 1), ("fog", 0.5)]),
        ("a castle BREAK at night", [("a castle, at night", 1)]),
        (
            "a cat\nNegative prompt: blur, (fog:1.2)\nSteps: 20, Sampler: Euler a, CFG scale: 7, Seed: 5",
            [("a cat", 1), ("blur", -0.5), ("fog", -0.5)],
        ),
        # InvokeAI
        ("a (red castle)1.3 by the sea", [("a red castle by the sea", 1)]),
        ("a castle++ in fog--", [("a castle in fog", 1)]),
        # Midjourney
        ("a fox --ar 16:9 --v 6.1 --stylize 250", [("a fox", 1)]),
        ("a fox —no fog, snow —ar 3:2", [("a fox", 1), ("fog", -0.5), ("snow", -0.5)]),
        ("hot dog::2 fog::-0.5", [("hot dog", 2), ("fog", -0.5)]),
        ("space:: ship", [("space", 1), ("ship", 1)]),
        ("a wall --tile a door", [("a wall a door", 1)]),
        # Disco Diffusion
        ('["a castle:2", "fog:-1"]', [("a castle", 2), ("fog", -1)]),
        ("{0: ['a castle', 'fog:-1'], 100: ['a fish']}", [("a castle", 1), ("fog", -1)]),
        # Dynamic Prompts
        ("a __animal__ at night", [("a animal at night", 1)]),
    ],
)
def test_what_is_meant_is_drawn(line: str, meant: list[tuple[str, float]]) -> None:
    assert read(line) == meant
    assert Settings(prompts=line).prompts == understand(line).line


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("a fox --ar 16:9", "aspect=widescreen"),
        ("a fox --ar 2:3", "aspect=portrait"),
        ("a fox --seed 5", "seed=5"),
        ("a fox --tile", "filters=tile"),
        ("a fox --v 6", "'--v 6' has no meaning here"),
        ("a fox --no fog", "pushes away with weight -0.5: fog"),
        ("a (red:1.2) fox", "| red:2"),
        ("a fox <lora:x:1>", "no LoRAs"),
        ("a __color__ fox", "{red|blue}"),
        ("hot dog::2", "hot dog:2"),
        ("[cat:dog:0.5]", "'cat ^ dog'"),
    ],
)
def test_a_sentence_says_what_was_understood_and_how_to_say_it_here(line: str, said: str) -> None:
    assert any(said in note for note in understand(line).notes)


@pytest.mark.parametrize(
    "line",
    [
        "a castle",
        "a castle:2:0.8 | fog:-0.3",
        "[left] a red boat | [right] a green tree",
        "[mask 1] fog | [0.1,0.2,0.5,0.9] a dragon",
        "a seed ^ a sprout @30% ^ a flower",
        "a face -> a smiling face",
        "a house (old), by the sea",
        "a red-haired girl — a portrait",
        "A CASTLE AND A FOX",
        "{red|blue} cat",
        r"\[left] fog",
        "#pixelart 2024",
        "a smiley :-) and a heart <3",
        "C++ and C--",
        "赤い竜、雪",
    ],
)
def test_a_line_in_our_own_grammar_stays_as_it_is(line: str) -> None:
    assert understand(line).line == line
    assert understand(line).notes == ()


def test_a_slip_in_a_regions_name_is_still_told() -> None:
    with pytest.raises(SettingsError, match=r"did you mean \[left\]"):
        Settings(prompts="[leftt] a boat")


@pytest.mark.parametrize(("line", "count"), [("a castle", 0), ("a castle:2", 1), ("a castle | fog:-1", 2)])
def test_what_is_evident_is_not_said(line: str, count: int) -> None:
    assert len(in_words(line)) == count


def test_the_recipe_has_the_choice_that_the_seed_made() -> None:
    drawn = Settings(prompts="a {red|blue} fox", seed=3).resolved()
    assert drawn.prompts in ("a red fox", "a blue fox")
    assert drawn.resolved() == drawn
    assert {Settings(prompts="a {red|blue} fox", seed=seed).resolved().prompts for seed in range(20)} == {
        "a red fox",
        "a blue fox",
    }


@given(st.text(st.sampled_from("ab 1.:|[](){}<>-+_–：｜\\^@,\"'\nAND"), max_size=60))
def test_whatever_is_pasted_is_read_or_refused_with_a_sentence(line: str) -> None:
    once = understand(line).line
    assert understand(once).line == once  # a recipe holds what was understood
    assert len(once) <= 8 * len(line) + 40
    with contextlib.suppress(ValueError):
        parse_prompts(once)
