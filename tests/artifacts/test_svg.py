"""Strokes are saved as SVG: a real renderer draws the same picture, and a stranger's file does nothing."""

import io
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.errors import ArtworkError
from text2art_nb.imaging.metadata import svg
from text2art_nb.runs.drawing import draw
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

Tiny = Callable[..., Settings]
CHROMIUM = Path("/usr/bin/chromium")


def decibels(one: Image.Image, other: Image.Image) -> float:
    difference = np.asarray(one.convert("RGB"), dtype=float) - np.asarray(other.convert("RGB"), dtype=float)
    return float(10 * np.log10(255**2 / max(1e-9, np.square(difference).mean())))


def house() -> Image.Image:
    """Something with outlines."""
    picture = Image.new("RGB", (96, 96), "skyblue")
    pen = ImageDraw.Draw(picture)
    pen.rectangle((25, 40, 70, 85), "white", "black", 3)
    pen.polygon([(20, 40), (48, 12), (76, 40)], "firebrick", "black")
    pen.ellipse((70, 8, 90, 28), "gold")
    return picture


def drawn(settings: Settings) -> Artwork:
    run = Run(settings)
    list(run)
    return run.artwork


@pytest.fixture(scope="module")
def artwork(tiny: Tiny) -> Artwork:
    """A painting of twelve strokes."""
    return drawn(tiny(drawer="strokes", strokes=12, size=(80, 60), iterations=2, prompts='a <cat> & a "dog"'))


@pytest.fixture(scope="module")
def file(artwork: Artwork, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return artwork.save(tmp_path_factory.mktemp("svg") / "cat.svg").read_bytes()


@pytest.fixture(scope="module")
def render() -> Iterator[Callable[[str, tuple[int, int]], Image.Image]]:
    """Draws an SVG with Chromium; fails on CI, where one is installed, if there is none."""
    if not CHROMIUM.exists():
        words = f"there is no {CHROMIUM}; on Debian or Ubuntu: sudo apt-get install chromium"
        pytest.fail(words) if os.environ.get("CI") else pytest.skip(words)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        flags = "--no-sandbox --disable-dev-shm-usage --disable-gpu --no-first-run".split()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)

        def draw_it(text: str, size: tuple[int, int]) -> Image.Image:
            page = browser.new_page(viewport={"width": size[0], "height": size[1]}, device_scale_factor=1)
            page.set_content(f"<style>body{{margin:0}}svg{{display:block}}</style>{text}")
            shot = Image.open(io.BytesIO(page.screenshot()))
            shot.load()
            return shot

        yield draw_it
        browser.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"drawer": "strokes", "strokes": 256, "size": (288, 288)},
        {"drawer": "strokes", "strokes": 60, "stroke_length": 3, "size": (320, 180), "paper": "navy"},
        {"drawer": "line_sketch", "size": (288, 288), "init_image": house()},
    ],
    ids=["paint", "long strokes", "lines"],
)
def test_a_real_renderer_draws_the_picture_of_the_png(
    tiny: Tiny, render: Callable[[str, tuple[int, int]], Image.Image], changes: dict[str, object]
) -> None:
    made = drawn(tiny(iterations=1, num_cuts=1, **changes))
    assert made.svg is not None
    # Chromium asks at 16 places in a pixel whether it is covered, which alone costs as much where ink meets paper.
    assert decibels(render(made.svg, made.image.size), made.image) >= 35


def test_an_svg_gives_its_settings_and_its_picture_back(artwork: Artwork, file: bytes) -> None:
    back = Artwork.open(file, trusted=True)
    assert back.settings == artwork.settings
    assert back.image.size == artwork.image.size
    assert decibels(back.image, artwork.image) > 45


def test_an_svg_that_was_opened_is_saved_as_the_very_same_file(file: bytes, tmp_path: Path) -> None:
    again = Artwork.open(file, trusted=True).save(tmp_path / "again.svg")
    assert again.read_bytes() == file


def test_inspect_tells_its_size(file: bytes) -> None:
    assert Artwork.inspect(file, trusted=True)["file"] == {
        "format": "SVG",
        "width": 80,
        "height": 60,
        "bytes": len(file),
    }


def test_without_metadata_the_file_has_the_strokes_alone(artwork: Artwork, tmp_path: Path) -> None:
    data = artwork.save(tmp_path / "bare.svg", metadata=False).read_bytes()
    assert b"text2art" not in data
    assert b"cat" not in data
    assert data.count(b"<path") == 12
    with pytest.raises(ArtworkError, match="this SVG carries no recipe"):
        Artwork.open(data)


def test_the_whole_file_is_well_formed_xml(file: bytes) -> None:
    from xml.dom import minidom

    root = minidom.parseString(file).documentElement
    assert root is not None
    assert len(root.getElementsByTagName("path")) == 12


def test_draw_writes_it_in_one_call(tiny: Tiny, tmp_path: Path) -> None:
    draw(tiny(drawer="strokes", strokes=5, iterations=1), out=tmp_path / "five.svg", make_video=False)
    assert (tmp_path / "five.svg").read_text().count("<path") == 5


def test_the_best_picture_s_strokes_are_saved_where_the_best_is_kept(tiny: Tiny) -> None:
    made = drawn(tiny(drawer="strokes", strokes=8, iterations=6, keep="best", candidates=2, learning_rate=200))
    assert made.svg is not None
    same = Artwork.open(svg.embed(made.svg, made.recipe), trusted=True).image
    assert decibels(same, made.image) > 45


def test_a_clear_ground_stays_clear(tiny: Tiny) -> None:
    made = drawn(tiny(drawer="strokes", strokes=4, iterations=1, transparent=True))
    assert made.image.mode == "RGBA"
    assert made.svg is not None
    assert "<rect" not in made.svg
    assert Artwork.open(svg.embed(made.svg, made.recipe), trusted=True).image.mode == "RGBA"


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"drawer": "pixel"}, "only strokes are saved as .svg: pixel draws pixels"),
        ({"drawer": "strokes", "filters": "mirror"}, "with filters is no longer made of strokes"),
    ],
)
def test_an_svg_of_what_has_no_strokes_is_refused_before_it_is_drawn(
    tiny: Tiny, tmp_path: Path, changes: dict[str, object], sentence: str
) -> None:
    def never(_: object) -> None:
        raise AssertionError("it was drawn")

    with pytest.raises(ArtworkError, match=sentence):
        draw(tiny(**changes), out=tmp_path / "no.svg", watch=never)


def test_a_png_that_was_opened_has_no_strokes_left(artwork: Artwork, tmp_path: Path) -> None:
    opened = Artwork.open(artwork.save(tmp_path / "cat.png"), trusted=True)
    with pytest.raises(ArtworkError, match=r"the strokes of this picture are gone.*'cat\.svg'"):
        opened.save(tmp_path / "cat.svg")


# -- a stranger's file


def test_entities_are_refused_not_expanded(file: bytes) -> None:
    bomb = b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>' + file
    with pytest.raises(ArtworkError, match="declarations"):
        Artwork.open(bomb, trusted=True)


def test_strokes_that_another_program_changed_are_not_read_but_the_recipe_is(artwork: Artwork, file: bytes) -> None:
    changed = file.replace(b"<path d=", b'<path onclick="alert(1)" d=', 1)
    back = Artwork.open(changed, trusted=True)
    assert back.settings == artwork.settings
    with pytest.raises(ArtworkError, match="another program has written or changed it"):
        _ = back.image
    with pytest.raises(ArtworkError, match="another program has written or changed it"):
        _ = back.svg


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"M", b"M1e9 "),
        (b"C", b"C1 2 3 4 5 6 7 8 "),
        (b'stroke-width="', b'stroke-width="99999.9.9'),
        (b'stroke-width="', b'stroke-width="nan'),
        (b'stroke-opacity="', b'stroke-opacity="7'),
        (b"</g>", b'</g><image href="http://example.org/x.png"/>'),
        (b'viewBox="0', b'viewBox="-9'),
    ],
)
def test_strokes_of_any_other_form_are_refused(file: bytes, before: bytes, after: bytes) -> None:
    head, mark, rest = file.partition(svg._CLOSE)
    changed = (
        file.replace(before, after, 1) if before == b'viewBox="0' else head + mark + rest.replace(before, after, 1)
    )
    with pytest.raises(ArtworkError):
        _ = Artwork.open(changed, trusted=True).image


def test_two_recipes_and_a_recipe_that_does_not_end_are_refused(file: bytes) -> None:
    head, mark, rest = file.partition(svg._CLOSE)
    with pytest.raises(ArtworkError, match="two recipes"):
        Artwork.open(head + mark + b"<text2art>{}</text2art>" + rest, trusted=True)
    with pytest.raises(ArtworkError, match="cut off"):
        Artwork.open(head, trusted=True)


def test_a_huge_file_and_a_huge_picture_are_refused(file: bytes) -> None:
    with pytest.raises(ArtworkError, match="bytes long"):
        svg.read(io.BytesIO(b"<svg"), 10**9)
    with pytest.raises(ArtworkError, match="99,999 x 99,999"):
        svg.read(io.BytesIO(b'<svg width="99999" height="99999">'), 34)


def test_an_endless_amount_of_paint_is_refused() -> None:
    stroke = svg.Stroke([(0, 0), (8000, 0), (0, 8000), (8000, 8000)], 9000, (0, 0, 0), 1)
    text = svg.write(svg.Drawing((8000, 8000), [stroke] * 100, None)).encode()
    with pytest.raises(ArtworkError, match="far more paint"):
        svg.strokes_of(io.BytesIO(text), len(text))


def test_a_chain_that_is_stopped_before_its_strokes_is_saved_as_a_png(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(drawer="vqgan -> strokes", strokes=4))
    next(run)
    with pytest.warns(UserWarning, match=r"not yet drawn in strokes, so it is saved as cat\.png"):
        saved = run.artwork.save(tmp_path / "cat.svg")
    assert saved == tmp_path / "cat.png"
    assert Artwork.open(saved, trusted=True).image.tobytes() == run.artwork.image.tobytes()


def test_a_png_that_stands_in_for_an_svg_takes_nobodys_place(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(drawer="vqgan -> strokes", strokes=4))
    next(run)
    (tmp_path / "cat.png").write_bytes(b"another cat")
    with pytest.warns(UserWarning, match=r"saved as cat-2\.png"):
        assert run.artwork.save(tmp_path / "cat.svg") == tmp_path / "cat-2.png"
    assert (tmp_path / "cat.png").read_bytes() == b"another cat"


def test_a_finished_chain_whose_strokes_are_gone_does_not_pretend_to_be_unfinished(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(drawer="vqgan -> strokes", strokes=4))
    list(run)
    file = run.artwork.save(tmp_path / "cat.png")
    with pytest.raises(ArtworkError, match="the strokes of this picture are gone"):
        Artwork.open(file, trusted=True).save(tmp_path / "cat.svg")
