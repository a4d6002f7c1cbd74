"""What somebody gets who names a palette."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from text2art_nb.palettes import MAX_COLOURS, PALETTES, parse_palette

BLACK, WHITE, RED = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0), (1.0, 0.0, 0.0)


def test_a_colour_is_sixteen_steps_from_black_to_it() -> None:
    reds = parse_palette("red")
    assert len(reds) == 16
    assert (reds[0], reds[-1]) == (BLACK, RED)
    assert [red for red, _, _ in reds] == pytest.approx([step / 15 for step in range(16)])


def test_a_number_behind_a_backslash_says_how_many_steps() -> None:
    rusts = parse_palette("rust\\8")
    assert len(rusts) == 8
    assert rusts[-1] == pytest.approx((0xA8 / 255, 0x3C / 255, 0x09 / 255))


def test_a_ramp_goes_through_all_its_colours() -> None:
    assert parse_palette("black->red->white\\5") == [BLACK, (0.5, 0, 0), RED, (1, 0.5, 0.5), WHITE]


def test_a_ramp_has_sixteen_steps_unless_it_says_so() -> None:
    assert len(parse_palette("navy->gold")) == 16


def test_brackets_hold_exactly_these_colours() -> None:
    assert parse_palette("[black,#ff0000,#fff]") == [BLACK, RED, WHITE]


def test_a_list_without_brackets_means_the_same() -> None:
    assert parse_palette("black, red") == [BLACK, RED]


def test_a_list_can_be_resampled() -> None:
    assert parse_palette("[black,white]\\3") == [BLACK, (0.5, 0.5, 0.5), WHITE]


def test_a_semicolon_joins_and_says_each_colour_once() -> None:
    assert parse_palette("[red]; [white,red]") == [RED, WHITE]


def test_colours_can_be_given_as_numbers() -> None:
    assert parse_palette("[(255+0+0),1+1+1]") == [RED, WHITE]


@pytest.mark.parametrize("spelling", ["mediumslateblue", "Medium Slate Blue", "medium_slate-blue", "#7b68ee", "7B68EE"])
def test_a_colours_name_may_be_spelt_in_any_way(spelling: str) -> None:
    assert parse_palette(spelling)[-1] == pytest.approx((0x7B / 255, 0x68 / 255, 0xEE / 255))


@pytest.mark.parametrize(("name", "size"), [("pico-8", 16), ("gameboy", 4), ("c64", 16), ("endesga32", 32)])
def test_famous_palettes_are_known_by_name(name: str, size: int) -> None:
    assert parse_palette(name) == list(PALETTES[name])
    assert parse_palette(name.upper().replace("-", " ")) == list(PALETTES[name])
    assert len(set(PALETTES[name])) == size


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("rd", "unknown colour 'rd'; did you mean 'red'"),
        ("picoo8", "did you mean 'pico-8'"),
        ("[red,blu]", "unknown colour 'blu'; did you mean 'blue'"),
        ("", "the palette is empty"),
        (" ; ", "the palette is empty"),
        ("[red", "needs a bracket at both ends"),
        ("red->", "a colour is missing"),
        ("[]", "a colour is missing"),
        ("red\\0", "must be 1 to 256"),
        ("red\\many", "must be 1 to 256"),
        ("red\\257", "must be 1 to 256"),
        ("#ff00", "must be #rgb or #rrggbb"),
        ("(256+0+0)", "must be like"),
        ("(1+2)", "must be like"),
        ("(nan+0+0)", "must be like"),
        ("red\\200;blue\\200", "at most 256 colours"),
        ("x" * 10_001, "at most 10,000 characters"),
    ],
)
def test_a_palette_that_cannot_be_read_is_refused_in_plain_words(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint.replace("(", r"\(")):
        parse_palette(text)


pieces = st.sampled_from(["red", "rust", "->", "\\8", "\\", "[", "]", ",", ";", "#ff0", "(1+2+3)", "+", " ", "pico-8"])


@given(st.lists(pieces, max_size=10).map("".join) | st.text(max_size=20))
@settings(deadline=None)
def test_any_text_is_a_palette_of_colours_in_range_or_refused_with_a_sentence(text: str) -> None:
    try:
        colours = parse_palette(text)
    except ValueError as error:
        assert len(str(error)) > 20  # noqa: PT017
    else:
        assert 1 <= len(colours) <= MAX_COLOURS
        assert all(0 <= part <= 1 for colour in colours for part in colour)


def test_names_are_known_however_often_pillow_has_looked_them_up() -> None:
    from PIL import ImageColor

    from text2art_nb import palettes

    ImageColor.getrgb("red")
    palettes._names.cache_clear()
    assert palettes._names()["red"] == "ff0000"
