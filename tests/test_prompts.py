"""What somebody gets who writes a prompt line."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from text2art_nb.prompts import (
    MODIFIERS,
    Prompt,
    add_modifier,
    format_prompts,
    has_modifier,
    join_weight,
    parse_prompts,
    remove_modifier,
    split_weight,
)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("a castle", [Prompt("a castle")]),
        ("a castle:0.5", [Prompt("a castle", 0.5)]),
        ("a castle:2:0.8", [Prompt("a castle", 2.0, 0.8)]),
        ("a|b:0.5| c:-0.3 ", [Prompt("a"), Prompt("b", 0.5), Prompt("c", -0.3)]),
        ("a castle : 1.5 : .7", [Prompt("a castle", 1.5, 0.7)]),
        ("a castle:1e-1", [Prompt("a castle", 0.1)]),
        ("a castle: the keep:0.5", [Prompt("a castle: the keep", 0.5)]),
        ("a castle: the keep", [Prompt("a castle: the keep")]),
        ("ratio 16:9:0.5:0.2", [Prompt("ratio 16:9", 0.5, 0.2)]),
        (r"at 10\:30", [Prompt("at 10:30")]),
        (r"this \| that:2", [Prompt("this | that", 2.0)]),
        ("a\\b\\\\c", [Prompt("a\\b\\c")]),
        ("  a   castle\n by the\tsea ", [Prompt("a castle by the sea")]),
        ("a || b |", [Prompt("a"), Prompt("b")]),
        ("a:1:-inf", [Prompt("a")]),
        ("a:1 | b:-1", [Prompt("a"), Prompt("b", -1.0)]),
        ("#pixelart 2024", [Prompt("#pixelart 2024")]),
        ("7", [Prompt("7")]),
        ("kühle Nacht 🌙:2", [Prompt("kühle Nacht 🌙", 2.0)]),
    ],
)
def test_a_line_is_read_as_prompts_with_weights_and_stops(line: str, expected: list[Prompt]) -> None:
    assert parse_prompts(line) == expected


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("", "the prompt is empty"),
        (" | | ", "the prompt is empty"),
        (":0.5", "numbers but no words"),
        ("a:101", "between -100 and 100; got 101"),
        ("a:nan", "between -100 and 100; got nan"),
        ("a:inf", "between -100 and 100; got inf"),
        ("a:1e999", "between -100 and 100"),
        ("a:1:inf", "the stop of the prompt 'a'"),
        ("a" * 10_001, "at most 10,000 characters; this one has 10,001"),
        ("a|" * 65, "at most 64 prompts; this one has 65"),
    ],
)
def test_a_line_that_cannot_be_drawn_is_refused_in_plain_words(line: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_prompts(line)


numbers = st.floats(-100, 100, allow_nan=False)
texts = st.text(max_size=30) | st.text("ab:|\\ 1.5-einf", max_size=12)
prompts = st.builds(
    Prompt,
    texts.filter(lambda text: text.split() != []),
    numbers,
    numbers | st.just(-math.inf),
)


@given(st.lists(prompts, min_size=1, max_size=5))
@settings(deadline=None)
def test_written_prompts_read_back_as_they_were(some: list[Prompt]) -> None:
    assert parse_prompts(format_prompts(some)) == some


@given(texts)
@settings(deadline=None)
def test_any_line_is_either_read_or_refused_with_a_sentence(line: str) -> None:
    try:
        found = parse_prompts(line)
    except ValueError as error:
        assert len(str(error)) > 20  # noqa: PT017
    else:
        assert found
        assert parse_prompts(format_prompts(found)) == found


def test_plain_prompts_are_written_without_numbers_or_backslashes() -> None:
    assert format_prompts([Prompt("a castle: the keep"), Prompt("b", 0.5), Prompt("c", 1.0, 0.25)]) == (
        "a castle: the keep | b:0.5 | c:1:0.25"
    )


def test_an_image_prompt_cannot_be_written_in_a_line() -> None:
    with pytest.raises(ValueError, match="image_prompts"):
        format_prompts([Prompt("", image="data:image/png;base64,")])


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("a.png", ("a.png", 1.0, -math.inf)),
        ("a.png:0.5", ("a.png", 0.5, -math.inf)),
        ("C:\\pictures\\a.png:0.5:0.7", ("C:\\pictures\\a.png", 0.5, 0.7)),
        ("https://example.org/a.png:-1", ("https://example.org/a.png", -1.0, -math.inf)),
        ("data:image/png;base64,AAAA:2", ("data:image/png;base64,AAAA", 2.0, -math.inf)),
    ],
)
def test_a_picture_carries_its_weight_behind_its_name(entry: str, expected: tuple[str, float, float]) -> None:
    assert split_weight(entry) == expected
    assert split_weight(join_weight(*expected)) == expected


def test_the_sites_ten_modifiers_come_first_and_forty_more_follow() -> None:
    groups = list(MODIFIERS.values())
    assert len(groups[0]) == 10
    assert groups[0][:2] == ("Trending", "Artstation")
    words = [word for group in groups for word in group]
    assert len(words) == 50
    assert len({word.lower() for word in words}) == 50


def test_a_modifier_goes_behind_the_first_prompts_words_before_its_weight() -> None:
    assert add_modifier("a castle:2 | fog:-1", "Artstation") == "a castle Artstation:2 | fog:-1"


def test_adding_a_modifier_twice_changes_nothing() -> None:
    line = add_modifier("a castle", "8K HD")
    assert add_modifier(line, "8k hd") == line


def test_a_modifier_alone_can_start_a_line() -> None:
    assert add_modifier("", "Pixelart") == "Pixelart"
    assert remove_modifier("Pixelart", "Pixelart") == ""


@pytest.mark.parametrize("word", [word for group in MODIFIERS.values() for word in group])
def test_every_modifier_can_be_added_and_removed_again(word: str) -> None:
    line = "two knights: at dawn:2 | fog"
    with_word = add_modifier(line, word)
    assert has_modifier(with_word, word)
    assert remove_modifier(with_word, word) == line


def test_a_modifier_is_a_whole_word() -> None:
    line = "an artist paints"
    assert not has_modifier(line, "Art")
    assert remove_modifier(line, "Art") == line


def test_removing_a_modifier_takes_its_comma_with_it() -> None:
    assert remove_modifier("a castle, Trending, at sea", "Trending") == "a castle, at sea"
