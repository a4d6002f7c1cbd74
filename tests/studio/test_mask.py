"""Painting a mask: what is painted becomes a mask of the settings, and its words a prompt that counts in it."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw

from tests.studio.test_panel import panel_of, png, press, send, type_into
from text2art_nb.imaging.image_io import picture_to_uri
from text2art_nb.settings import Settings
from text2art_nb.studio import Studio
from text2art_nb.studio.changes import differences
from text2art_nb.studio.images import data_uri
from text2art_nb.studio.mask import MaskPainter, MasksField, with_mask
from text2art_nb.studio.warmup import WarmUp


def tell(painter: MaskPainter, do: str, **content: Any) -> None:
    """What the page tells."""
    painter._view._handle_custom_msg({"do": do, **content}, [])


def painted(painter: MaskPainter, *box: int) -> str:
    """What the browser tells when somebody has painted over a rectangle."""
    sheet = Image.new("RGB", (painter.shown["width"], painter.shown["height"]))
    ImageDraw.Draw(sheet).rectangle(box, fill="white")
    mask = picture_to_uri(sheet)
    tell(painter, "painted", painted=mask)
    assert painter.shown["painted"] == mask
    return mask


def use(painter: MaskPainter, words: str = "") -> None:
    """A click on Use it, with those words beside the canvas."""
    tell(painter, "use_mask", words=words)


def opened(studio: Studio) -> MaskPainter:
    """The panel's painter."""
    press(studio, "Paint a mask")
    field = panel_of(studio).values.fields["masks"]
    assert isinstance(field, MasksField)
    assert field.painter.shown["open"]
    return field.painter


def under(painter: MaskPainter) -> Image.Image:
    """The picture under the canvas."""
    return Image.open(BytesIO(painter.under))


def test_what_is_painted_is_a_mask_and_its_words_count_in_it(studio: Studio) -> None:
    type_into(studio, "prompts", "a lake")
    painter = opened(studio)
    mask = painted(painter, 0, 0, 200, 500)
    use(painter, "a red boat")
    assert studio.settings.prompts == "a lake | [mask 1] a red boat"
    assert studio.settings.masks == (mask,)
    assert "This is mask 1" in painter.shown["note"]


def test_painting_on_changes_the_mask_and_another_one_comes_beside_it(studio: Studio) -> None:
    painter = opened(studio)
    painted(painter, 0, 0, 9, 9)
    use(painter)
    first = painted(painter, 0, 0, 99, 99)
    use(painter)
    assert studio.settings.masks == (first,)
    tell(painter, "another_mask")
    assert painter.shown["painted"] == ""
    second = painted(painter, 300, 300, 400, 400)
    use(painter)
    assert studio.settings.masks == (first, second)


def test_nothing_painted_is_no_mask(studio: Studio) -> None:
    painter = opened(studio)
    use(painter)
    assert "Nothing is painted yet" in painter.shown["note"]
    assert studio.settings.masks == ()


def test_what_no_canvas_sends_is_let_go(studio: Studio) -> None:
    painter = opened(studio)
    mask = painted(painter, 0, 0, 9, 9)
    for strange in (
        {"painted": 5},
        {"painted": "file:///etc/passwd"},
        {},
        {"painted": "data:image/png;base64," + "A" * 5_000_000},
    ):
        tell(painter, "painted", **strange)
    assert painter.shown["painted"] == mask


def test_it_is_painted_over_the_picture_that_will_be_drawn_on(studio: Studio) -> None:
    type_into(studio, "size", "48x24")
    painter = opened(studio)
    assert (painter.shown["width"], painter.shown["height"]) == (512, 256)
    green = Image.new("RGB", (40, 40), "green")
    panel_of(studio).set(init_image=green)
    press(studio, "Paint a mask")
    assert under(painter).size == (512, 256)
    assert under(painter).getpixel((100, 100))[1] > 100  # type: ignore[index]
    press(studio, "Draw")
    assert studio.result is not None
    press(studio, "Paint a mask")
    drawn = studio.result.image.resize((512, 256))
    shown = under(painter)
    assert all(abs(a - b) < 24 for a, b in zip(drawn.getpixel((256, 128)), shown.getpixel((256, 128)), strict=True))  # type: ignore[arg-type]


def test_a_mask_is_drawn_with(studio: Studio) -> None:
    painter = opened(studio)
    mask = painted(painter, 0, 0, 255, 511)
    use(painter, "a red boat")
    press(studio, "Draw")
    assert studio.result is not None
    assert studio.result.settings.masks == (mask,)


def test_a_cell_of_its_own_paints_without_a_panel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WarmUp, "start", lambda self: None)
    painters: list[MaskPainter] = []
    make = MaskPainter.__init__

    def noted(self: MaskPainter, *given: Any) -> None:
        make(self, *given)
        painters.append(self)

    monkeypatch.setattr(MaskPainter, "__init__", noted)
    studio = Studio(tmp_path, size="64x64")
    studio.mask()
    [painter] = painters
    mask = painted(painter, 0, 0, 99, 99)
    use(painter, "a cat")
    assert studio.settings == Settings(prompts="[mask 1] a cat", masks=[mask], size="64x64")
    assert studio.errors == []


def test_while_drawing_a_mask_and_its_prompt_wait_for_the_next_draw() -> None:
    before = Settings(prompts="a lake").resolved()
    mask = data_uri(png(), "image/png")
    after = before.with_(prompts="a lake | [mask 1] a boat", masks=[mask], num_cuts=3)
    assert differences(before, after) == ({"num_cuts": 3}, ["masks", "prompts"])


@pytest.mark.parametrize(
    ("line", "number", "words", "expected"),
    [
        ("a lake", 1, "a boat", "a lake | [mask 1] a boat"),
        ("a lake | ", 2, "fog:0.5", "a lake | [mask 2] fog:0.5"),
        ("", 1, "a boat", "[mask 1] a boat"),
        ("a lake | [mask 1] a ship", 1, "a boat", "a lake | [mask 1] a ship"),
        ("a lake", 1, "", "a lake"),
    ],
)
def test_the_words_come_at_the_end_of_the_line(line: str, number: int, words: str, expected: str) -> None:
    assert with_mask(line, number, words) == expected


def test_a_mask_can_still_be_dropped_as_a_picture(studio: Studio) -> None:
    send(studio, "masks", "mask.png", png())
    assert len(studio.settings.masks) == 1


def test_a_mask_that_was_removed_is_not_called_one_any_more(studio: Studio) -> None:
    painter = opened(studio)
    painted(painter, 0, 0, 9, 9)
    use(painter)
    assert painter.shown["number"] == 1
    type_into(studio, "masks", None)  # Remove
    assert (painter.shown["number"], painter.shown["note"], painter.shown["painted"]) == (None, "", "")
    assert studio.settings.masks == ()
