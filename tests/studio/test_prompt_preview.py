"""How a prompt is understood is said back, plainly."""

import pytest

from text2art_nb.studio.prompt_preview import describe_prompts
from text2art_nb.studio.sparkline import LIMIT, Trace


def words(text: str) -> int:
    """A tokenizer for whom every word is a token, and start and end are two more."""
    return len(text.split()) + 2


def test_a_prompt_that_is_too_long_says_that_it_is_read_in_parts() -> None:
    said = describe_prompts("a very long prompt about a castle | fog", False, longest=6, count=words)
    assert "(9 tokens: more than the 6 that are read at once, so it is read in parts)" in said
    assert said.count("tokens") == 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("[left] a boat", "<b>a boat</b>, in the region left"),
        ("a seed ^ a flower", "<b>a seed</b>, then <b>a flower</b>"),
        ("a face -> a smile", "the way from <b>a face</b> to <b>a smile</b>"),
    ],
)
def test_where_when_and_from_where_a_prompt_pulls_is_said(line: str, said: str) -> None:
    assert said in describe_prompts(line, False)


@pytest.mark.parametrize("line", ["", "  |  ", "a cat:1000"])
def test_there_is_nothing_to_say_of_what_is_empty_or_unreadable(line: str) -> None:
    assert describe_prompts(line, True) == ""


def test_the_curves_do_not_grow_with_the_run() -> None:
    trace = Trace()
    for iteration in range(10_000):
        trace.add(iteration / 10_000, 1.0)
    assert LIMIT / 4 <= len(trace.scores) < LIMIT
    assert trace.scores[0] == 0
    assert trace.scores[-1] > 0.98
    assert trace.svg.count("<polyline") == 2
