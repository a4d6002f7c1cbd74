"""What draws: one kind or two in a row, with which weights, and what has to be fetched for that."""

from pathlib import Path
from typing import Any

import pytest

from tests.studio.test_painting import files_sent
from tests.studio.test_panel import note, panel_of, png, press, say, send, set_loss, shown, type_into
from text2art_nb import models
from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.models import locate
from text2art_nb.settings import Settings
from text2art_nb.studio import Studio
from text2art_nb.studio.kind_field import KindField
from text2art_nb.studio.model_choices import model_choices, to_fetch


def kind(studio: Studio) -> KindField:
    field = panel_of(studio).values.fields["drawer"]
    assert isinstance(field, KindField)
    return field


def test_a_chain_is_put_together_on_the_panel(studio: Studio) -> None:
    panel_of(studio).fill(Settings(prompts="a cat"))
    type_into(studio, "drawer", {"then": "pixel"})
    assert studio.settings.drawer == "vqgan -> pixel"
    assert not shown(studio, "pixel_size").get("hidden", False)
    type_into(studio, "drawer", {"share": 70})
    assert studio.settings.drawer == "vqgan:30 -> pixel:70"
    type_into(studio, "drawer", {"then": ""})
    assert studio.settings.drawer == "vqgan"


@pytest.mark.parametrize(
    "chain", ["vqgan -> pixel", "vqgan:30 -> pixel:70", "fft:1 -> strokes:2", "fft -> vqgan -> pixel", "pixel"]
)
def test_a_chain_from_a_recipe_is_shown_and_stays_as_it_was_written(studio: Studio, chain: str) -> None:
    panel_of(studio).fill(Settings(prompts="a cat", drawer=chain))
    type_into(studio, "iterations", 33)
    assert studio.settings.drawer == chain


def test_one_can_go_on_from_a_chain_of_a_recipe(studio: Studio) -> None:
    panel_of(studio).fill(Settings(prompts="a cat", drawer="vqgan:30 -> pixel:70"))
    assert (kind(studio).first, kind(studio).then, kind(studio).share) == ("vqgan", "pixel", 70)
    assert shown(studio, "drawer")["value"] == {"first": "vqgan", "then": "pixel", "share": 70, "shared": True}
    type_into(studio, "drawer", {"first": "fft"})
    assert studio.settings.drawer == "fft:30 -> pixel:70"


@pytest.mark.parametrize(
    ("drawer", "there", "not_there"),
    [
        ("vqgan", "imagenet_f16_16384", "taesd"),
        ("taesd", "taef1", "imagenet_f16_16384"),
        ("turbo", "sd-turbo", "taesd"),
        ("vqgan -> taesd", "taesd", "sd-turbo"),
    ],
)
def test_the_models_offered_are_those_of_the_kind(drawer: str, there: str, not_there: str) -> None:
    choices = model_choices(Settings(prompts="a cat", drawer=drawer))
    assert there in choices
    assert not_there not in choices


def test_installed_generators_are_offered(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("text2art_nb.drawers.generator_file.names", lambda: ["roses"])
    type_into(studio, "model", "my.pt")
    type_into(studio, "drawer", "generator")
    assert "roses" in shown(studio, "model")["options"]


@pytest.fixture
def nothing_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache."""
    monkeypatch.setenv("TEXT2ART_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))


@pytest.mark.usefixtures("nothing_fetched")
def test_what_has_to_be_fetched_and_its_licence_stand_there_before_drawing(studio: Studio) -> None:
    type_into(studio, "model", "embedded")
    type_into(studio, "drawer", "turbo")
    said = panel_of(studio).preview.shown["notice"]
    assert "Draw downloads first: sd-turbo (" in said
    assert "licence: " in said
    type_into(studio, "drawer", "pixel")
    assert panel_of(studio).preview.shown["notice"] == ""


@pytest.mark.usefixtures("nothing_fetched")
def test_all_weights_of_a_chain_and_its_eyes_are_counted() -> None:
    asked = Settings(
        prompts="a cat", drawer="taesd -> vqgan", model="taesd -> full", perceptors="ViT-B/32,embedded", upscale=2,
        upscaler="swin2sr", losses="aesthetic",
    )  # fmt: skip
    kinds = sorted(each.kind for each in to_fetch(asked))
    assert kinds == ["aesthetic", "clip", "taesd", "upscaler", "vqgan"]
    assert to_fetch(Settings(prompts="a cat")) == []
    judged = Settings(prompts="a cat", candidates=4, referee="ViT-B/32")
    assert [each.kind for each in to_fetch(judged)] == ["clip"]
    assert to_fetch(judged.with_(candidates=1)) == []


def test_a_download_on_the_way_is_told_where_it_is_watched(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    real = models.locate

    def fetching(name: str, kind: str, **given: Any) -> Path:
        tell = locate.__globals__["_TELLS"].get()
        assert tell is not None
        tell("fetching it; licence: nobody's")
        return real(name, kind, **given)

    monkeypatch.setattr("text2art_nb.drawers.vqgan.models.locate", fetching)
    told: list[str] = []
    monkeypatch.setattr(panel_of(studio).preview, "show_message", lambda sentence, error=False: told.append(sentence))
    press(studio, "Draw")
    assert "fetching it; licence: nobody's" in told


def look(studio: Studio) -> dict[str, Any]:
    """A click on the newest picture of the gallery; what is said of it."""
    gallery = panel_of(studio).gallery
    say(studio, "see", name=gallery.shown["names"][0])
    found: dict[str, Any] = gallery.shown["chosen"]
    return found


def test_strokes_can_be_saved_as_what_they_are(studio: Studio) -> None:
    press(studio, "Draw")
    assert not look(studio)["svg"]
    panel_of(studio).set(drawer="strokes", strokes=4, iterations=1)
    press(studio, "Draw")
    assert look(studio)["svg"]
    sent = files_sent(studio)
    say(studio, "download", suffix=".svg")
    assert sent[-1][0]["kind"] == "image/svg+xml"
    assert b"<svg" in sent[-1][1]
    [path] = studio.library.folder.glob("*.svg")
    assert Artwork.open(path, trusted=True).settings.drawer == "strokes"
    assert path in studio.session.files("none")


def test_a_style_loss_that_needs_a_picture_has_it_beside_it(studio: Studio) -> None:
    set_loss(studio, "style", 1.0)
    assert "needs a picture in “Style picture”" in note(studio, "style_image")
    send(studio, "style_image", "manner.png", png())
    assert note(studio, "style_image") == ""
    assert studio.settings.losses["style"] == 1.0
