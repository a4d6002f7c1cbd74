"""What somebody gets who names a palette."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from text2art_nb.errors import SettingsError
from text2art_nb.imaging import palette_files
from text2art_nb.imaging.palettes import MAX_COLOURS, PALETTES, parse_palette
from text2art_nb.settings import Settings, Steering

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


pieces = st.sampled_from(
    ["red", "rust", "->", "\\8", "\\", "[", "]", ",", ";", "#ff0", "(1+2+3)", "+", " ", "mat:jet", "pico-8"]
)


@given(st.lists(pieces, max_size=10).map("".join) | st.text(max_size=20))
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

    from text2art_nb.imaging import palettes

    ImageColor.getrgb("red")
    palettes._names.cache_clear()
    assert palettes._names()["red"] == "ff0000"


# ---- all that pixray documents ----

RUST = (0xA8 / 255, 0x3C / 255, 0x09 / 255)


@pytest.mark.parametrize(
    ("text", "count", "first", "last"),
    [
        ("white", 16, BLACK, WHITE),
        ("red", 16, BLACK, RED),
        ("rust\\8", 8, BLACK, RUST),
        ("red->rust", 16, RED, RUST),
        ("red->#ffff00", 16, RED, (1.0, 1.0, 0.0)),
        ("red->#ffff00\\20", 20, RED, (1.0, 1.0, 0.0)),
        ("black->red->white", 16, BLACK, WHITE),
        ("[black, red, #ff0001]", 3, BLACK, (1.0, 0.0, 1 / 255)),
        ("[black, red, white]\\9", 9, BLACK, WHITE),
        ("red->white;blue->yellow", 32, RED, (1.0, 1.0, 0.0)),
        ("red\\8;blue->yellow\\8", 16, BLACK, (1.0, 1.0, 0.0)),
        ("red->yellow;[black]", 17, RED, BLACK),
        ("(255+0+0)", 16, BLACK, RED),
        ("[(255+0+0),[1+1+1]]", 2, RED, WHITE),
        ("[1+0+0]", 1, RED, RED),
        ("pixel_green", 16, BLACK, (0.44, 1.0, 0.53)),
        ("pixel_orange\\4", 4, BLACK, (1.0, 0.8, 0.2)),
        ("pixel_blue\\4", 4, BLACK, (0.44, 0.53, 1.0)),
        ("pixel_red\\4", 4, BLACK, (1.0, 0.53, 0.44)),
        ("pixel_grayscale\\4", 4, BLACK, WHITE),
        ("tan brown\\2", 2, BLACK, (0xAB / 255, 0x7E / 255, 0x4C / 255)),
        ("xkcd:red\\2", 2, BLACK, (0xE5 / 255, 0.0, 0.0)),
        ("mat:red\\2", 2, BLACK, RED),
        ("mat:g\\2", 2, BLACK, (0.0, 0x80 / 255, 0.0)),
        ("mat:tab:orange\\2", 2, BLACK, (1.0, 0x7F / 255, 0x0E / 255)),
        ("mat:C1->mat:xkcd:rust\\2", 2, (1.0, 0x7F / 255, 0x0E / 255), RUST),
        ("mat:viridis", 16, (0x44 / 255, 1 / 255, 0x54 / 255), (0xFD / 255, 0xE7 / 255, 0x25 / 255)),
        ("mat:viridis_r\\4", 4, (0xFD / 255, 0xE7 / 255, 0x25 / 255), (0x44 / 255, 1 / 255, 0x54 / 255)),
        ("mat:tab10", 10, (0x1F / 255, 0x77 / 255, 0xB4 / 255), (0x17 / 255, 0xBE / 255, 0xCF / 255)),
        ("mat:Set1\\3", 3, (0xE4 / 255, 0x1A / 255, 0x1C / 255), (0x99 / 255,) * 3),
        ("mat:Greys\\2", 2, WHITE, BLACK),
    ],
)
def test_every_piece_of_pixrays_grammar_is_read(
    text: str, count: int, first: tuple[float, ...], last: tuple[float, ...]
) -> None:
    colours = parse_palette(text)
    assert len(colours) == count
    assert colours[0] == pytest.approx(first, abs=1e-9)
    assert colours[-1] == pytest.approx(last, abs=1e-9)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("mat:virids", "did you mean 'mat:viridis'"),
        ("mat:tab:blu", "did you mean 'mat:tab:blue'"),
        ("xkcd:rustt", "did you mean 'xkcd:rust'"),
        ("pixel_gren", "did you mean 'pixel_green'"),
        ("[mat:viridis,red]", "mat:viridis is a whole colour map; it stands alone"),
        ("resurect64", "did you mean 'resurrect64'"),
        ("@sprite.png", "is read where settings are made"),
    ],
)
def test_what_is_unknown_is_refused_naming_the_nearest(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_palette(text)


def test_a_colour_map_looks_like_matplotlibs_all_the_way_through() -> None:
    jet = parse_palette("mat:jet\\5")
    known = [(0, 0, 0x80), (0, 0x80, 0xFF), (0x7D, 0xFF, 0x7A), (0xFF, 0x94, 0), (0x80, 0, 0)]
    for colour, expected in zip(jet, known, strict=True):
        assert [part * 255 for part in colour] == pytest.approx(expected, abs=6)


def test_there_are_a_dozen_palettes_and_more_with_all_their_colours_different() -> None:
    sizes = {name: len(colours) for name, colours in PALETTES.items()}
    assert len(sizes) >= 12
    assert sizes["resurrect64"] == 64
    assert sizes["db32"] == 32
    assert all(len(set(colours)) == len(colours) for colours in PALETTES.values())


# ---- files ----

DUO = [(16, 32, 48), (240, 128, 0), (255, 255, 255)]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A directory with the same three colours in files of every kind."""
    image = Image.new("RGB", (3, 2))
    image.putdata(DUO * 2)
    image.save(tmp_path / "duo.png")
    image.quantize(3).save(tmp_path / "duo.gif")
    (tmp_path / "duo.hex").write_text("\n".join("{:02X}{:02x}{:02x}".format(*colour) for colour in DUO) + "\n")
    rows = "\n".join("{:3d} {:3d} {:3d}\tname".format(*colour) for colour in DUO)
    (tmp_path / "duo.gpl").write_text(f"GIMP Palette\nName: Duo 7\nColumns: 3\n# by nobody\n{rows}\n")
    table = bytes(part for colour in DUO for part in colour).ljust(768, b"\0")
    (tmp_path / "duo.act").write_bytes(table + b"\0\3\xff\xff")
    return tmp_path


@pytest.mark.parametrize("suffix", ["png", "gif", "hex", "gpl", "act"])
def test_a_palette_comes_out_of_a_file_of_any_kind(files: Path, suffix: str) -> None:
    assert palette_files.read(str(files / f"duo.{suffix}")) == DUO


def test_a_picture_with_more_colours_is_distilled_always_to_the_same(tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 60, (64, 64, 3), dtype=np.uint8)
    noise[:32] += np.array([180, 60, 0], dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "photo.jpg", quality=95)
    colours = palette_files.read(str(tmp_path / "photo.jpg"), 2)
    assert colours == palette_files.read(str(tmp_path / "photo.jpg"), 2)
    assert np.abs(np.array(colours) - [[30, 30, 30], [210, 90, 30]]).max() < 12
    assert len(palette_files.read(str(tmp_path / "photo.jpg"), 255)) <= 255


def test_what_is_transparent_in_a_picture_is_no_colour(tmp_path: Path) -> None:
    image = Image.new("RGBA", (2, 1), (9, 9, 9, 0))
    image.putpixel((0, 0), (1, 2, 3, 255))
    image.save(tmp_path / "dot.png")
    assert palette_files.read(str(tmp_path / "dot.png")) == [(1, 2, 3)]


def test_settings_keep_the_colours_of_a_file_and_not_its_name(files: Path) -> None:
    palette = Settings(prompts="a castle", palette=f"@{files / 'duo.png'}\\2; [red]; @{files / 'duo.hex'}").palette
    assert palette is not None
    distilled, red, exact = palette.split("; ")
    assert distilled.count("#") == 2
    assert red == "[red]"
    assert exact == "[#102030,#f08000,#ffffff]"
    assert Settings(prompts="a castle", palette=palette).palette == palette


def test_steering_reads_a_file_too(files: Path) -> None:
    assert Steering(iteration=1, palette=f"@{files / 'duo.act'}").palette == "[#102030,#f08000,#ffffff]"


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("gone.png", None, "there is no file"),
        ("torn.png", b"\x89PNG\r\n\x1a\n", "not a picture that can be opened"),
        ("odd.xyz", b"", "may be one of .png, .jpg"),
        ("bad.hex", b"ff00zz", "holds no colours that can be read as .hex"),
        ("bad.gpl", b"1 2 3", "holds no colours that can be read as .gpl"),
        ("bad.act", b"123", "holds no colours that can be read as .act"),
        ("many.hex\\999", b"", "may give 1 to 256 colours"),
    ],
)
def test_a_file_that_is_no_palette_is_refused_in_plain_words(
    tmp_path: Path, name: str, content: bytes | None, complaint: str
) -> None:
    if content is not None:
        (tmp_path / name.partition("\\")[0]).write_bytes(content)
    with pytest.raises(SettingsError, match=f"palette cannot be read: .*{complaint}"):
        Settings(prompts="a castle", palette=f"@{tmp_path / name}")


def test_an_address_is_fetched_only_where_that_is_allowed(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = "https://example.org/duo.hex"
    with pytest.raises(SettingsError, match="not fetched unless allow_urls=True"):
        Settings(prompts="a castle", palette=address)
    monkeypatch.setattr(
        "text2art_nb.imaging.image_io._fetch", lambda asked: {address: (files / "duo.hex").read_bytes()}[asked]
    )
    for spelling in (address, f"@{address}"):
        settings = Settings(prompts="a castle", palette=spelling, allow_urls=True)
        assert settings.palette == "[#102030,#f08000,#ffffff]"


@pytest.mark.parametrize("palette", ["@{file}", "red; @{file}", ["a];@{file};[b"], "https://example.org/x.hex"])
def test_a_strangers_recipe_names_no_palette_file(files: Path, palette: str | list[str]) -> None:
    file = str(files / "duo.png")
    given = palette.replace("{file}", file) if isinstance(palette, str) else [palette[0].replace("{file}", file)]
    for recipe in ({"palette": given}, {"steering": [{"iteration": 1, "palette": given}]}):
        with pytest.raises(SettingsError, match="must be colours, not a file"):
            Settings.from_recipe({"prompts": "a castle", **recipe})
