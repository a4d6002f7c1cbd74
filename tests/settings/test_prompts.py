"""What somebody gets who writes a prompt line."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from text2art_nb.settings.modifiers import MODIFIERS, add_modifier, has_modifier, remove_modifier
from text2art_nb.settings.prompts import (
    REGIONS,
    Prompt,
    as_sentences,
    format_prompts,
    join_weight,
    parse_prompts,
    pick,
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
        ("a:-1 | b:-2.5", [Prompt("a", -1.0), Prompt("b", -2.5)]),
        (
            "[left] a boat:2 | [ Right ]a dragon",
            [Prompt("a boat", 2.0, region="left"), Prompt("a dragon", region="right")],
        ),
        ("[center] a | [upper-left] b", [Prompt("a", region="centre"), Prompt("b", region="top left")]),
        ("[mask 2] fog:0.5", [Prompt("fog", 0.5, region="mask 2")]),
        ("[0.1, .2,0.50,1] fog", [Prompt("fog", region="0.1,0.2,0.5,1")]),
        (r"\[left] fog | a [left] b | [half", [Prompt("[left] fog"), Prompt("a [left] b"), Prompt("[half")]),
        ("a ^ b^c:2:0.5", [Prompt("a", 2.0, 0.5, schedule=("b", "c"))]),
        ("a ^ b @30% ^ c @ 80.5 %:2", [Prompt("a", 2.0, schedule=("b", "c"), times=(None, 0.3, 0.805))]),
        (r"x\^2 | \^_\^", [Prompt("x^2"), Prompt("^_^")]),
        ("meet me @30%", [Prompt("meet me @30%")]),
        (r"a ^ meet me \@30%", [Prompt("a", schedule=("meet me @30%",))]),
        ("a face -> a smiling face:2", [Prompt("a smiling face", 2.0, origin="a face")]),
        ("[top] a -> b ^ c", [Prompt("b", region="top", schedule=("c",), origin="a")]),
        (r"a \-> b", [Prompt("a -> b")]),
        ("fog:–0.5 | mist:−0,5 | rain:﹣２", [Prompt("fog", -0.5), Prompt("mist", -0.5), Prompt("rain", -2.0)]),
        ("a castle：2｜fog：-1", [Prompt("a castle", 2.0), Prompt("fog", -1.0)]),
        ("a clock at 10:30", [Prompt("a clock at 10:30")]),
        ("a clock at 10:30:2", [Prompt("a clock at 10:30", 2.0)]),
        ("a clock at 23:59:59", [Prompt("a clock at 23:59:59")]),
        ("a film in 16:9", [Prompt("a film in 16:9")]),
        ("1:1", [Prompt("1:1")]),
        ("the year 2049:2", [Prompt("the year 2049", 2.0)]),
        ("route 66:0.5", [Prompt("route 66", 0.5)]),
        ("a clock at 10 :30", [Prompt("a clock at 10", 30.0)]),
        ("{red|blue} cats:2", [Prompt("{red|blue} cats", 2.0)]),
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
        ("[leftt] a boat", r"unknown region \[leftt\]; did you mean \[left\]"),
        ("[2d art] a boat", r"a bracket of your own is written \\\["),
        ("[left]", "needs words behind it"),
        ("[left]:2", "needs words behind it"),
        ("[left] [top] a", "a prompt has one region"),
        ("[mask 9] a", "masks are counted from 1 to 8"),
        ("[mask 0] a", "masks are counted from 1 to 8"),
        ("[0.1,0.2,0.5] a", "four shares of the picture"),
        ("[0.1,0.2,0.5,1.5] a", "four shares of the picture"),
        ("[0.5,0,0.5,1] a", "not thinner than 0.02"),
        ("a ^ ^ b", "words before and behind it"),
        ("^ a", "words before and behind it"),
        ("a @50% ^ b @30%", "must rise.*got @50%, @30%"),
        ("a ^ b @101%", "to @100% at most"),
        ("a:2 ^ b", "a number before \\^"),
        ("a ^ b:2 @50%", "a number before @"),
        ("a" + " ^ a" * 32, "at most 32 texts; got 33"),
        ("a -> b -> c", "a direction is one text, one arrow"),
        ("a ^ b -> c", "a direction is one text, one arrow"),
        ("-> a", "a direction is one text, one arrow"),
        ("a:2 -> b", "a number before ->"),
    ],
)
def test_a_line_that_cannot_be_drawn_is_refused_in_plain_words(line: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_prompts(line)


numbers = st.floats(-100, 100, allow_nan=False)
texts = st.text(max_size=30) | st.text("ab:|\\ 1.5-einf", max_size=12) | st.text("a[]^->@3% :\\|,", max_size=14)
words = texts.filter(lambda text: text.split() != [])
shares = st.tuples(st.floats(0, 0.4), st.floats(0, 0.4), st.floats(0.5, 1), st.floats(0.5, 1))
regions = st.sampled_from([*REGIONS, "mask 3"]) | shares.map(lambda box: ",".join(map(repr, box)))


@st.composite
def any_prompt(draw: st.DrawFn) -> Prompt:
    """A prompt of words, with anything that a line can say of it."""
    schedule = draw(st.lists(words, max_size=3))
    rising = sorted(draw(st.sets(st.integers(0, 1000), min_size=len(schedule) + 1, max_size=len(schedule) + 1)))
    times = [draw(st.sampled_from([None, time / 1000])) for time in rising]
    return Prompt(
        draw(words),
        draw(numbers),
        draw(numbers | st.just(-math.inf)),
        region=draw(st.none() | regions),
        schedule=tuple(schedule),
        times=tuple(times),
        origin=draw(st.none() | words),
    )


prompts = any_prompt()


@given(st.lists(prompts, min_size=1, max_size=5))
def test_written_prompts_read_back_as_they_were(some: list[Prompt]) -> None:
    assert parse_prompts(format_prompts(some)) == some


@given(texts)
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


def test_everything_that_a_prompt_can_say_is_written_as_people_write_it() -> None:
    line = "[left] a seed ^ a sprout @30% ^ a flower:2 | [0.1,0.2,0.5,0.9] a face -> a smiling face | [mask 1] fog:-0.5"
    assert format_prompts(parse_prompts(line)) == line


@pytest.mark.parametrize(
    ("line", "keys"),
    [
        ("a", (0.5,)),
        ("a ^ b", (0.25, 0.75)),
        ("a ^ b ^ c", (1 / 6, 0.5, 5 / 6)),
        ("a ^ b @30% ^ c @80%", (0, 0.3, 0.8)),
        ("a ^ b @30% ^ c", (0, 0.3, 1)),
        ("a @10% ^ b ^ c ^ d @70%", (0.1, 0.3, 0.5, 0.7)),
    ],
)
def test_a_schedule_is_even_where_no_times_are_given(line: str, keys: tuple[float, ...]) -> None:
    assert parse_prompts(line)[0].keys == pytest.approx(keys)


@pytest.mark.parametrize(
    ("line", "sentences"),
    [
        ("a cat | fog:-0.5", [("a cat", 1.0), ("fog", -0.5)]),
        ("[left] a red boat | [right] a blue house:2", [("a red boat left of a blue house", 2.0)]),
        ("[right] a red boat | [left] a blue house", [("a blue house left of a red boat", 1.0)]),
        ("[bottom] a house | [top] a bird | fog:-1", [("a bird above a house", 1.0), ("fog", -1.0)]),
        ("a beach:2 | [left] a boat | [right] a house", [("a boat left of a house", 1.0), ("a beach", 2.0)]),
        ("a beach | [mask 1] a boat | [left] a house", [("a beach", 1.0)]),
        ("[mask 1] a boat | [left] a house", [("a boat", 1.0), ("a house", 1.0)]),
        ("[left] a boat | [right] a house:-1", [("a boat", 1.0), ("a house", -1.0)]),
        ("[left] a boat | [bottom] a house", [("a boat", 1.0), ("a house", 1.0)]),
        ("a seed ^ a flower", [("a seed", 1.0)]),
        ("a face -> a smiling face", [("a face", 1.0)]),
    ],
)
def test_what_a_model_hears_that_reads_sentences(line: str, sentences: list[tuple[str, float]]) -> None:
    assert as_sentences(parse_prompts(line)) == sentences


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


@pytest.mark.parametrize(
    ("line", "with_word"),
    [
        ("[left] a boat:2 | fog", "[left] a boat Art:2 | fog"),
        ("a seed ^ a flower @40%", "a seed Art ^ a flower Art @40%"),
        ("a face -> a smiling face", "a face -> a smiling face Art"),
    ],
)
def test_a_modifier_leaves_regions_schedules_and_directions_alone(line: str, with_word: str) -> None:
    assert add_modifier(line, "Art") == with_word
    assert remove_modifier(with_word, "Art") == line


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


def test_a_choice_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    line = "a {red|blue|green} {cat|{dog|fox}} | {fog|rain}:-0.5"
    picked = {pick(line, seed) for seed in range(200)}
    assert len(picked) == 3 * 3 * 2
    assert pick(line, 7) == pick(line, 7)
    assert not any(set(each) & set("{}") for each in picked)


def test_a_choice_may_weigh_its_options_or_take_several() -> None:
    reds = sum(pick("{9::red|blue}", seed) == "red" for seed in range(400))
    assert 320 < reds < 400
    assert {len(pick("{2$$a|b|c}", seed).split(", ")) for seed in range(20)} == {2}


@pytest.mark.parametrize("line", [r"a \{red|blue\} cat", "a {cat} in {braces", "{}", "a castle"])
def test_what_is_no_choice_stays_as_it_is(line: str) -> None:
    assert pick(line, 1) == line


@pytest.mark.parametrize("text", ["at 10", "16:9", "赤：青", "a {b|c} d", "a｜b", "it is 7"])
@pytest.mark.parametrize("weight", [1.0, 2.0, 30.0, -0.5])
def test_numbers_and_signs_of_all_kinds_read_back(text: str, weight: float) -> None:
    assert parse_prompts(format_prompts([Prompt(text, weight)])) == [Prompt(text, weight)]
