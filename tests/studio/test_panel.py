"""The panel: what it shows, and what it asks for."""

from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.runs.drawing import draw
from text2art_nb.settings import Settings
from text2art_nb.settings.modifiers import MODIFIERS
from text2art_nb.studio import Studio
from text2art_nb.studio.form import WITHOUT_FIELD
from text2art_nb.studio.panel import Panel
from text2art_nb.studio.picture_field import PictureField
from text2art_nb.studio.warmup import WarmUp


def panel_of(studio: Studio) -> Panel:
    panel = studio.controller.panel
    assert panel is not None
    return panel


def say(studio: Studio, do: str, *data: bytes, **content: Any) -> None:
    """What the page tells when a user does something there."""
    panel_of(studio).view._handle_custom_msg({"do": do, **content}, [memoryview(each) for each in data])


def type_into(studio: Studio, name: str, value: Any) -> None:
    """What a user does to a field."""
    say(studio, "field", name=name, value=value)


def shown(studio: Studio, name: str) -> Any:
    """What the page shows of a field."""
    return panel_of(studio).view.fields[name]


def note(studio: Studio, name: str) -> str:
    """What stands under a field."""
    return str(shown(studio, name).get("note", ""))


def set_loss(studio: Studio, name: str, value: float) -> None:
    """What a user does to a style loss's slider."""
    say(studio, "loss", name=name, value=value)


BUTTONS = {
    "Draw": "draw", "Pause": "pause", "Stop": "stop", "Branch from here": "branch", "Roll": "roll",
    "Paint a mask": "paint_mask", "Another mask": "another_mask", "Use its settings": "reuse",
}  # fmt: skip
"""What the page tells for each of its buttons."""


def press(studio: Studio, description: str) -> None:
    """Click the panel's button of that description."""
    say(studio, BUTTONS[description])


def test_every_setting_has_a_field_or_is_not_for_the_panel(studio: Studio) -> None:
    assert panel_of(studio).values.fields.keys() | WITHOUT_FIELD == Settings.model_fields.keys()


def test_a_drawers_own_fields_are_shown_with_that_drawer_alone(studio: Studio) -> None:
    def is_shown(name: str) -> bool:
        return not shown(studio, name).get("hidden", False)

    panel_of(studio).fill(Settings(prompts="a cat"))
    assert not is_shown("pixel_size")
    type_into(studio, "drawer", "pixel")
    assert is_shown("pixel_size")


def test_a_setting_without_a_place_of_its_own_is_asked_for_all_the_same(studio: Studio) -> None:
    panel_of(studio).fill(Settings(prompts="a cat"))
    type_into(studio, "text_off", False)
    type_into(studio, "pixel_type", "hex")
    assert studio.settings == Settings(prompts="a cat", text_off=False, pixel_type="hex")


def test_a_chain_from_a_friend_is_a_kind_of_its_own(studio: Studio) -> None:
    panel_of(studio).fill(Settings(prompts="a cat", drawer="vqgan -> pixel"))
    assert studio.settings.drawer == "vqgan -> pixel"


def test_a_field_that_nobody_touched_shows_what_the_quality_means(studio: Studio) -> None:
    panel_of(studio).fill(Settings(prompts="a cat"))
    type_into(studio, "quality", "better")
    assert shown(studio, "iterations")["value"] == "100"
    assert shown(studio, "size")["placeholder"] == "432x432"
    assert studio.settings == Settings(prompts="a cat", quality="better")


def test_a_field_that_was_touched_stays_as_it_is(studio: Studio) -> None:
    type_into(studio, "iterations", 33)
    type_into(studio, "quality", "best")
    assert studio.settings.iterations == 33


@pytest.mark.parametrize(
    ("name", "wrong", "right", "sentence"),
    [
        ("iterations", 0, 5, "Iterations must be at least 1"),
        ("iterations", "1.5", "15", "Iterations must be a whole number"),
        ("iterations", "ten", "10", "Iterations must be a whole number"),
        ("palette", "sweeti16", "sweetie16", "did you mean 'sweetie16'"),
        ("size", "9x9", "64x64", "Size must be 16 to 8192"),
        ("seed", "abc", "7", "Seed must be a whole number"),
        ("prompts", "a cat:1000", "a cat:2", "weight"),
        ("device", "gpu", "cpu", "Device must be"),
    ],
)
def test_what_is_wrong_stands_under_its_field_and_goes_away(
    studio: Studio, name: str, wrong: Any, right: Any, sentence: str
) -> None:
    type_into(studio, name, wrong)
    assert sentence in note(studio, name)
    assert shown(studio, name)["wrong"]
    type_into(studio, name, right)
    assert note(studio, name) == ""


def test_other_settings_in_a_sentence_are_called_by_their_labels(studio: Studio) -> None:
    type_into(studio, "min_stroke_width", "9")
    type_into(studio, "max_stroke_width", "3")
    said = panel_of(studio).preview.shown["message"]
    assert said.startswith("Min stroke width must be at most “Max stroke width”, 3")
    panel_of(studio).fill(Settings(prompts="a cat"))
    type_into(studio, "aspect", "retain")
    assert "needs a picture in “Start from”" in note(studio, "aspect")


def test_very_many_iterations_are_warned_of_and_drawn_all_the_same(studio: Studio) -> None:
    type_into(studio, "iterations", "1000000")
    assert "1,000,000 iterations take very long" in note(studio, "iterations")
    assert "wrong" not in shown(studio, "iterations")
    assert studio.settings.iterations == 1_000_000
    type_into(studio, "iterations", "400")
    assert note(studio, "iterations") == ""


def test_the_prompt_is_read_back(studio: Studio) -> None:
    type_into(studio, "prompts", "a castle:2 | fog:-0.5 | rain:1:0.4")
    said = panel_of(studio).view.prompt_preview
    assert "pulls towards</span> <b>a castle</b>, weight 2" in said
    assert "pushes away</span> <b>fog</b>, weight -0.5" in said
    assert "until the distance is 0.4" in said


def test_words_that_the_embedded_model_does_not_know_are_named(studio: Studio) -> None:
    type_into(studio, "perceptors", "embedded")
    type_into(studio, "prompts", "a zeppelin over a castle")
    assert "doesn't know</span> 'zeppelin'" in panel_of(studio).view.prompt_preview


def test_markup_in_a_prompt_is_text(studio: Studio) -> None:
    type_into(studio, "prompts", "<script>alert(1)</script>")
    assert "<script" not in panel_of(studio).view.prompt_preview
    assert "&lt;script" in panel_of(studio).view.prompt_preview


def test_a_pill_adds_its_words_and_takes_them_out_again(studio: Studio) -> None:
    type_into(studio, "prompts", "a castle:2 | fog")
    say(studio, "style", word="Artstation")
    assert shown(studio, "prompts")["value"] == "a castle Artstation:2 | fog"
    say(studio, "style", word="Artstation")
    assert shown(studio, "prompts")["value"] == "a castle:2 | fog"


def test_a_pill_is_lit_by_whoever_writes_its_words(studio: Studio) -> None:
    type_into(studio, "prompts", "a castle, watercolor")
    assert panel_of(studio).view.lit == ["watercolor"]
    type_into(studio, "prompts", "a castle")
    assert panel_of(studio).view.lit == []


def test_there_is_a_pill_for_each_of_fifty_modifiers(studio: Studio) -> None:
    words = [word for group in MODIFIERS.values() for word in group]
    assert len(words) >= 50
    assert [word for _, group in panel_of(studio).view.form["styles"] for word in group] == words


def test_a_swatch_takes_a_palette_and_lets_go_of_it(studio: Studio) -> None:
    say(studio, "palette", name="pico-8")
    assert studio.settings.palette == "pico-8"
    assert panel_of(studio).view.palette == "pico-8"
    say(studio, "palette", name="pico-8")
    assert studio.settings.palette is None


def test_the_dice_rolls_a_seed(studio: Studio) -> None:
    press(studio, "Roll")
    first = studio.settings.seed
    press(studio, "Roll")
    assert first is not None
    assert studio.settings.seed != first


def test_an_empty_seed_is_a_new_one_each_time(studio: Studio) -> None:
    type_into(studio, "seed", "")
    assert studio.settings.seed is None


def test_a_style_loss_is_set_by_its_slider(studio: Studio) -> None:
    set_loss(studio, "saturation", 1.5)
    assert studio.settings.losses == {"saturation": 1.5}


def press_filter(studio: Studio, name: str) -> None:
    """A press on one of the filters' pills: the page tells all that are pressed then."""
    chosen = shown(studio, "filters")["value"]
    rest = [each for each in chosen if each != name]
    type_into(studio, "filters", rest if name in chosen else [*rest, name])


def test_filters_are_pills(studio: Studio) -> None:
    press_filter(studio, "mirror")
    assert studio.settings.filters == ("mirror",)


def test_filters_come_in_the_order_in_which_they_were_pressed(studio: Studio) -> None:
    for name in ("tile", "lookup", "mirror", "lookup"):
        press_filter(studio, name)
    assert studio.settings.filters == ("tile", "mirror")


def test_filters_of_a_friend_keep_their_order(studio: Studio) -> None:
    names = ("tile", "mirror", "tile")
    panel_of(studio).fill(studio.settings.with_(filters=names))
    assert studio.settings.filters == names


def test_labels_with_a_comma_in_them_stay_whole(studio: Studio) -> None:
    labels = ("tabby cat, asleep:2", "a roof")
    panel_of(studio).fill(studio.settings.with_(labels=labels))
    assert shown(studio, "labels")["value"] == "tabby cat, asleep:2 | a roof"
    assert studio.settings.labels == labels


def send(studio: Studio, zone: str, name: str, data: bytes, piece: int = 1000) -> None:
    """What drop.js sends for a file that is dropped on a field, or to be remixed."""
    for offset in range(0, len(data), piece):
        about = {"zone": zone, "id": "1", "name": name, "size": len(data), "offset": offset}
        say(studio, "piece", data[offset : offset + piece], **about)


def png(width: int = 40, height: int = 30) -> bytes:
    file = BytesIO()
    Image.effect_noise((width, height), 80).convert("RGB").save(file, "PNG")
    return file.getvalue()


def test_a_dropped_picture_is_what_drawing_starts_from(studio: Studio) -> None:
    send(studio, "init_image", "sketch.png", png())
    assert str(studio.settings.init_image).startswith("data:image/png;base64,")
    assert shown(studio, "init_image")["preview"].startswith("data:image/jpeg;base64,")
    type_into(studio, "init_image", None)  # Remove
    assert studio.settings.init_image is None


def test_dropped_pictures_are_what_to_look_like(studio: Studio) -> None:
    send(studio, "image_prompts", "a.png", png())
    send(studio, "image_prompts", "b.png", png(20, 20))
    assert shown(studio, "image_prompts")["value"] == 2
    assert len(studio.settings.image_prompts) == 2


def test_what_is_no_picture_is_refused_under_its_field(studio: Studio) -> None:
    send(studio, "init_image", "notes.txt", b"hello")
    assert "notes.txt cannot be used" in note(studio, "init_image")


def test_a_file_whose_pieces_do_not_fit_together_is_dropped(studio: Studio) -> None:
    for about, data in (
        ({"id": "1", "size": 10, "offset": 0}, b"12345"),
        ({"id": "1", "size": 10, "offset": 7}, b"890"),
        ({"id": "2", "size": 10**12, "offset": 0}, b"12345"),
        ({"id": "3", "size": "10", "offset": 0}, b"12345"),
    ):
        say(studio, "piece", data, zone="init_image", name="a", **about)
    field = panel_of(studio).values.fields["init_image"]
    assert isinstance(field, PictureField)
    assert field.incoming.pending == 0
    assert studio.settings.init_image is None


@pytest.mark.parametrize("suffix", [".png", ".gif", ".mp4", ".jpg"])
def test_every_setting_comes_from_a_friends_picture(studio: Studio, tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"gift{suffix}"
    friends = Settings(prompts="a red boat | fog:-0.2", drawer="pixel", size="48x32", iterations=2, seed=4711)
    draw(friends, out=path, losses={"saturation": 0.5}, palette="gameboy", candidates=2, device="cpu")
    send(studio, "remix", path.name, path.read_bytes())
    assert f"All settings were taken from {path.name}" in panel_of(studio).view.remix["note"]
    assert studio.settings == Artwork.open(path).settings
    assert shown(studio, "seed")["value"] == "4711"
    assert shown(studio, "prompts")["value"] == "a red boat | fog:-0.2"
    assert panel_of(studio).values.losses["saturation"] == 0.5


def test_a_picture_without_a_recipe_says_so_and_changes_nothing(studio: Studio) -> None:
    before = studio.settings
    send(studio, "remix", "holiday.png", png())
    assert "carries no recipe" in panel_of(studio).view.remix["note"]
    assert studio.settings == before


def test_what_is_set_by_hand_is_not_undone_by_a_friends_steering(studio: Studio) -> None:
    panel = panel_of(studio)
    panel.fill(studio.settings.with_(steering=[{"iteration": 2, "prompts": "a dog"}]))
    type_into(studio, "size", "32x32")
    assert len(studio.settings.steering) == 1
    type_into(studio, "prompts", "a bird")
    assert studio.settings.steering == ()


def test_a_style_loss_that_pixel_art_has_by_itself_is_switched_off_by_its_slider(studio: Studio) -> None:
    panel = panel_of(studio)
    panel.fill(Settings(prompts="a cat", drawer="pixel", start="noise"))
    [name] = Settings(prompts="a cat", drawer="pixel", start="noise").resolved().losses
    assert panel.values.losses[name] > 0
    set_loss(studio, name, 0)
    assert studio.settings.resolved().losses == {}


@pytest.mark.parametrize("setting", ["candidates", "finalists"])
def test_other_candidates_undo_the_choice_among_those_before(studio: Studio, setting: str) -> None:
    panel = panel_of(studio)
    panel.fill(studio.settings.with_(candidates=4, steering=[{"iteration": 2, "candidate": 3}]))
    type_into(studio, setting, {"candidates": 2, "finalists": "2"}[setting])
    assert studio.settings.steering == ()


def test_other_masks_undo_steered_prompts_that_count_in_them(studio: Studio) -> None:
    panel = panel_of(studio)
    send(studio, "masks", "mask.png", png())
    panel.fill(studio.settings.with_(steering=[{"iteration": 2, "prompts": "[mask 1] fog"}]))
    send(studio, "masks", "mask.png", png())
    assert studio.settings.steering == ()


def test_a_studio_begins_with_a_prompt_by_either_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(WarmUp, "start", lambda self: None)
    studio = Studio(tmp_path, prompt="a castle")
    assert studio.settings.prompts == "a castle"
    studio.set(prompts="a tower")
    assert studio.settings.prompts == "a tower"


@pytest.mark.parametrize(("given", "model"), [({}, "full"), ({"model": "embedded"}, "embedded")])
def test_on_a_gpu_real_models_are_made_ready_unless_the_embedded_ones_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], model: str
) -> None:
    monkeypatch.setattr("text2art_nb.runtime.devices.pick_device", lambda: torch.device("cuda"))
    ready = []
    monkeypatch.setattr(WarmUp, "start", lambda self: ready.append(self.model))
    assert Studio(tmp_path, prompt="a castle", **given).settings.model == model
    assert ready == [model]


def test_before_drawing_it_says_how_long_it_will_take(studio: Studio) -> None:
    assert "This will take" in panel_of(studio).preview.shown["estimate"]


def test_a_wrong_setting_in_the_panels_cell_stands_on_the_panel(studio: Studio) -> None:
    studio.panel(prompt="a castle", quality="goood", palette="picoo-8")
    assert "unknown quality" in note(studio, "quality")
    assert "Palette cannot be read" in note(studio, "palette")


def test_a_wrong_prompt_in_the_panels_cell_can_be_mended_on_the_panel(studio: Studio) -> None:
    studio.panel(prompt="a castle:1000")
    assert shown(studio, "prompts")["value"] == "a castle:1000"
    assert "weight" in note(studio, "prompts")


def test_a_panel_that_is_shown_again_is_as_it_was_left(studio: Studio) -> None:
    studio.panel(prompt="a castle", quality="draft")
    type_into(studio, "prompts", "a tower")
    type_into(studio, "quality", "best")
    studio.panel(prompt="a castle", quality="draft")
    assert (studio.settings.prompts, studio.settings.quality) == ("a tower", "best")
    assert panel_of(studio).view.fields["prompts"]["value"] == "a tower"
    studio.panel(prompt="a bridge", quality="draft")
    assert (studio.settings.prompts, studio.settings.quality) == ("a bridge", "best")


def test_a_dropped_picture_is_started_from_whatever_a_recipe_said(studio: Studio) -> None:
    panel_of(studio).fill(Settings(prompts="a cat", start="proposal"))
    send(studio, "init_image", "sketch.png", png())
    assert studio.settings.start == "image"
    panel_of(studio).fill(Settings(prompts="a cat"))
    send(studio, "init_image", "sketch.png", png())
    assert studio.settings.start is None
    assert studio.settings.resolved().start == "image"


def test_what_no_option_is_or_no_number_is_said_under_the_field(studio: Studio) -> None:
    for name, wrong in (("quality", "huge"), ("candidates", "many"), ("candidates", "nan"), ("drawer", "crayon")):
        type_into(studio, name, wrong)
        assert note(studio, name)
        panel_of(studio).refresh()
    assert note(studio, "quality") == ""


def test_the_usual_kind_comes_first(studio: Studio) -> None:
    assert [label for _, label in shown(studio, "drawer")["firsts"]][:3] == ["Image", "Pixel art", "Strokes"]
