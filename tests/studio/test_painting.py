"""Drawing from the panel and in a cell: watch, steer, stop, go back, choose, go on, keep."""

import asyncio
import json
import re
import signal
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from ipywidgets import Widget
from PIL import Image

from tests.studio.test_panel import panel_of, press, say, send, set_loss, type_into
from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.artifacts.output_paths import alone
from text2art_nb.settings import Settings
from text2art_nb.studio import Studio, export, panel
from text2art_nb.studio.images import STATIC_BYTES, static_jpeg
from text2art_nb.studio.live_view import caption


@pytest.fixture(autouse=True)
def _restless(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is changed steers at once: tests don't type letter by letter."""
    monkeypatch.setattr(panel, "QUIET_SECONDS", 0.0)


def when(studio: Studio, iteration: int, act: Callable[[], None]) -> None:
    """Have `act` done once, while it draws, when the run has come to `iteration`; the run waits there for it."""
    waiting = [act]

    def look() -> None:
        run = studio.run
        if waiting and run is not None and run.iteration >= iteration:
            waiting.pop()()

    before = studio.session.pump

    def pump() -> None:
        before()
        look()

    studio.session.pump = pump


def stage_text(studio: Studio) -> str:
    """All sentences on the preview."""
    now = panel_of(studio).preview.shown
    return "\n".join(str(now.get(name, "")) for name in ("estimate", "notice", "message", "status"))


def files_sent(studio: Studio) -> list[tuple[dict[str, Any], bytes]]:
    """What is sent to the page from now on, with its first bytes."""
    sent: list[tuple[dict[str, Any], bytes]] = []
    view = panel_of(studio).view
    send = view.send

    def note(content: dict[str, Any], buffers: Any = None) -> None:
        sent.append((content, bytes(buffers[0]) if buffers else b""))
        send(content, buffers)

    view.send = note
    return sent


def test_draw_leaves_a_picture_on_the_stage_on_the_disk_and_in_the_gallery(studio: Studio) -> None:
    press(studio, "Draw")
    assert studio.result is not None
    [picture] = studio.library.pictures()
    assert Artwork.open(picture, trusted=True).settings == studio.result.settings
    assert panel_of(studio).preview.picture[:2] == b"\xff\xd8"
    assert "iteration 6 of 6" in stage_text(studio)
    assert panel_of(studio).gallery.shown["names"] == [picture.stem]


def test_the_buttons_are_alive_only_where_they_mean_something(studio: Studio) -> None:
    preview = panel_of(studio).preview
    seen: list[bool] = []
    when(studio, 1, lambda: seen.append(preview.shown["drawing"]))
    assert not preview.shown["drawing"]
    press(studio, "Draw")
    assert seen == [True]
    assert not preview.shown["drawing"]


def test_stop_keeps_the_picture(studio: Studio) -> None:
    type_into(studio, "iterations", 100_000)
    when(studio, 3, lambda: press(studio, "Stop"))
    press(studio, "Draw")
    assert studio.run is not None
    assert 3 <= studio.run.iteration < 100_000
    assert studio.result is not None


def test_pause_waits_and_resume_goes_on(studio: Studio) -> None:
    type_into(studio, "iterations", 120)
    preview = panel_of(studio).preview
    seen: list[str] = []

    def rest() -> None:
        press(studio, "Pause")
        assert studio.run is not None
        seen.append(f"{studio.run.paused}")
        press(studio, "Pause")

    when(studio, 3, rest)
    press(studio, "Draw")
    assert seen == ["True"]
    assert not preview.shown["paused"]
    assert studio.run is not None
    assert studio.run.iteration == 120


def test_nothing_is_left_of_a_picture_that_has_ended_or_pauses(studio: Studio) -> None:
    type_into(studio, "iterations", 100_000)
    told: list[str] = []

    def rest() -> None:
        press(studio, "Pause")
        panel_of(studio).preview.show(studio.session.background)  # type: ignore[arg-type]
        told.append(stage_text(studio))
        press(studio, "Stop")

    when(studio, 3, rest)
    press(studio, "Draw")
    assert "iteration" in told[0]
    assert "left" not in told[0]
    assert "left" not in panel_of(studio).preview.shown["status"]


def test_while_drawing_the_estimate_is_what_the_run_itself_takes(studio: Studio) -> None:
    type_into(studio, "iterations", 120)
    told: list[str] = []
    before = panel_of(studio).preview.shown["estimate"]
    when(studio, 60, lambda: told.append(panel_of(studio).preview.shown["estimate"]))
    press(studio, "Draw")
    assert told[0] != before
    assert "at its present pace" in told[0]
    assert "present pace" not in panel_of(studio).preview.shown["estimate"]


def test_a_change_while_it_draws_is_named_by_its_label(studio: Studio) -> None:
    type_into(studio, "iterations", 120)
    told: list[str] = []
    when(studio, 2, lambda: type_into(studio, "learning_rate", "0.05"))
    when(studio, 60, lambda: told.append(panel_of(studio).preview.shown["message"]))
    press(studio, "Draw")
    assert re.fullmatch(r"Learning rate changed from iteration \d+ on\.", told[0])


def test_two_runs_that_would_look_alike_on_the_list_are_told_apart(studio: Studio) -> None:
    for _ in range(2):
        press(studio, "Draw")
    labels = [label for _, label, _ in panel_of(studio).resume_list.shown]
    assert len(set(labels)) == 2


def test_ending_what_was_never_shared_says_so(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("text2art_nb.studio.studio.note", said.append)
    studio.unshare()
    assert said == ["Nothing is being shared."]


def test_a_small_file_has_a_size(studio: Studio) -> None:
    press(studio, "Draw")
    [picture] = studio.library.pictures()
    assert re.search(r", [1-9][\d.]* kB$", export.reference(picture))


def test_the_old_name_of_the_library_still_works(studio: Studio) -> None:
    with pytest.warns(DeprecationWarning, match=r"Studio\.library"):
        assert studio.shelf is studio.library


def test_a_run_that_never_began_does_not_load_for_ever(studio: Studio) -> None:
    press(studio, "Draw")
    type_into(studio, "model", "./nowhere")
    press(studio, "Draw")
    assert panel_of(studio).preview.shown["status"] == ""


def test_what_is_changed_while_it_draws_steers_it_and_is_in_the_recipe(studio: Studio, tmp_path: Path) -> None:
    type_into(studio, "iterations", 120)

    def steer() -> None:
        type_into(studio, "prompts", "a dog in the snow")
        set_loss(studio, "saturation", 2.0)

    when(studio, 2, steer)
    press(studio, "Draw")
    assert studio.run is not None
    assert studio.run.present.prompts == "a dog in the snow"
    assert studio.run.present.losses["saturation"] == 2.0
    assert len(studio.run.settings.steering) in (1, 2)


def test_what_can_not_be_changed_on_the_way_waits_for_the_next_draw(studio: Studio) -> None:
    type_into(studio, "iterations", 120)
    told: list[str] = []
    when(studio, 2, lambda: type_into(studio, "drawer", "pixel"))
    when(studio, 110, lambda: told.append(stage_text(studio)))
    press(studio, "Draw")
    assert "from the next Draw on" in told[0]
    assert studio.result is not None
    assert studio.result.settings.drawer == "vqgan"


def test_another_drawer_for_the_next_picture_leaves_the_present_one_its_iterations(studio: Studio) -> None:
    panel_of(studio).fill(Settings(prompts="a castle", perceptors="embedded", size="64x64"))
    when(studio, 2, lambda: type_into(studio, "drawer", "pixel"))
    press(studio, "Draw")
    assert studio.run is not None
    assert (studio.run.iteration, studio.run.total) == (50, 50)
    assert studio.settings.resolved().iterations == 100


def test_a_steered_picture_drawn_again_from_its_png_is_byte_identical(studio: Studio) -> None:
    panel_of(studio).fill(studio.settings.with_(model="embedded", perceptors="embedded", size="64x64", iterations=50))
    when(studio, 0, lambda: None)
    plan = {
        10: {"prompts": "a red castle", "losses": {"smoothness": 1.0}},
        25: {"learning_rate": 0.05, "palette": "gameboy"},
        40: {"prompts": "a castle at night:2 | fog:-0.5", "losses": {}},
    }
    background = studio.controller.create(studio.settings)
    steer_at(background.run, plan)
    studio.controller.draw_in_panel(background)
    [first] = studio.library.pictures()
    assert [entry.iteration for entry in background.run.settings.steering] == [10, 25, 40]
    send(studio, "remix", first.name, first.read_bytes())
    press(studio, "Draw")
    again, _ = studio.library.pictures()
    assert again != first
    assert again.read_bytes() == first.read_bytes()


def steer_at(run: Any, plan: dict[int, dict[str, Any]]) -> None:
    """Have `run` steered just before each iteration of `plan`."""
    step = run._steer_now

    def steer(loop: Any) -> None:
        if changes := plan.get(loop.iteration + 1):
            run.steer(**changes)
        step(loop)

    run._steer_now = steer


def choose(studio: Studio, place: int) -> None:
    """A click on a candidate: the page says which it meant, and among how many."""
    each = panel_of(studio).preview.candidates.shown[place]
    say(studio, "choose", number=each["number"], among=each["among"])


def test_the_time_machine_shows_any_frame_and_branches_from_it(studio: Studio) -> None:
    press(studio, "Draw")
    machine = panel_of(studio).preview.time
    last = panel_of(studio).preview.picture
    assert (machine.at, machine.last) == (6, 6)
    say(studio, "look", at=2)
    assert panel_of(studio).preview.picture != last
    assert panel_of(studio).view.time["note"] == "this is frame 2"
    type_into(studio, "prompts", "a dog")
    press(studio, "Branch from here")
    assert studio.run is not None
    assert [(entry.iteration, entry.prompts) for entry in studio.run.settings.steering] == [(2, "a dog")]
    assert len(studio.library.pictures()) == 2


def test_a_branch_of_another_kind_starts_from_the_frame(studio: Studio) -> None:
    press(studio, "Draw")
    say(studio, "look", at=4)
    press(studio, "Use its settings")  # all of them, also where it started from
    type_into(studio, "drawer", "pixel")
    press(studio, "Branch from here")
    assert studio.result is not None
    drawn = studio.result.settings
    assert (drawn.drawer, drawn.start) == ("pixel", "image")
    assert str(drawn.init_image).startswith("data:image/png")


@pytest.mark.parametrize(
    "asked", [{"upscale": 2}, {"candidates": 4, "finalists": 2}, {"candidates": 3}], ids=["larger", "finals", "chosen"]
)
def test_a_branch_shares_the_way_also_where_the_run_has_decided_something(
    studio: Studio, asked: dict[str, int]
) -> None:
    studio.set(**asked, iterations=40)
    if "finalists" not in asked and "candidates" in asked:
        when(studio, 20, lambda: choose(studio, 1))
    press(studio, "Draw")
    say(studio, "look", at=38)
    press(studio, "Branch from here")
    assert studio.result is not None
    assert studio.result.settings.init_image is None
    assert len(studio.library.pictures()) == 2
    first, second = (Artwork.open(path, trusted=True).settings for path in studio.library.pictures())
    assert first.steering == second.steering


def test_branching_while_it_draws_stops_it_first(studio: Studio) -> None:
    type_into(studio, "iterations", 100_000)

    def branch() -> None:
        type_into(studio, "iterations", 8)
        press(studio, "Branch from here")

    when(studio, 4, branch)
    press(studio, "Draw")
    assert studio.run is not None
    assert studio.run.iteration == 8
    assert len(studio.library.pictures()) == 2


def test_a_click_on_a_candidate_goes_on_with_it_alone(studio: Studio) -> None:
    type_into(studio, "candidates", 3)
    type_into(studio, "iterations", 60)
    sheet = panel_of(studio).preview.candidates
    chosen: list[int] = []

    def pick() -> None:
        assert [each["label"][0] for each in sheet.shown] == ["1", "2", "3"]
        chosen.append(sheet.shown[1]["number"])
        choose(studio, 1)
        assert sheet.shown == []
        assert "Continuing with this candidate alone." in stage_text(studio)

    when(studio, 20, pick)
    press(studio, "Draw")
    assert studio.run is not None
    [entry] = studio.run.settings.steering
    assert entry.candidate == chosen[0]
    assert len(studio.run.candidates) == 1


def test_a_click_on_a_candidate_that_has_new_neighbours_is_refused_in_words(studio: Studio) -> None:
    studio.set(candidates=8, finalists=2, iterations=60, referee="guides")
    told: list[str] = []

    def choose() -> None:
        say(studio, "choose", number=1, among=8)  # the page still shows those of before the last round
        told.append(stage_text(studio))
        studio.stop()

    when(studio, 25, choose)
    press(studio, "Draw")
    assert "choose again among those that are left" in told[0]
    assert studio.run is not None
    assert [entry.candidate for entry in studio.run.settings.steering] == [None]  # only where it was stopped


def test_a_friends_picture_that_is_opened_while_it_draws_waits_for_the_next_draw(studio: Studio) -> None:
    type_into(studio, "iterations", 60)

    def change() -> None:
        studio.controller.reuse(studio.settings.with_(prompts="a dog", num_cuts=3))
        type_into(studio, "learning_rate", "0.2")

    when(studio, 5, change)
    press(studio, "Draw")
    assert studio.run is not None
    assert [entry.changes for entry in studio.run.settings.steering] == [{"learning_rate": 0.2}]


def test_the_gallery_shows_downloads_and_lends_its_settings(studio: Studio) -> None:
    type_into(studio, "seed", "11")
    press(studio, "Draw")
    type_into(studio, "seed", "12")
    press(studio, "Draw")
    gallery = panel_of(studio).gallery
    sent = files_sent(studio)
    say(studio, "see", name=gallery.shown["names"][1])
    assert "seed 11" in gallery.shown["chosen"]["about"]
    assert sent[-1][0]["show"] == "chosen"
    for suffix, begins in ((".png", b"\x89PNG"), (".mp4", b"\0\0\0"), (".gif", b"GIF8")):
        say(studio, "download", suffix=suffix)
        about, data = sent[-1]
        assert (about["show"], about["name"]) == ("file", gallery.shown["names"][1] + suffix)
        assert data.startswith(begins)
        assert f"{suffix}, " in gallery.shown["note"]
    press(studio, "Use its settings")
    assert studio.settings.seed == 11


def test_an_interrupted_run_of_an_earlier_session_goes_on(studio: Studio, tmp_path: Path) -> None:
    type_into(studio, "iterations", 120)
    when(studio, 3, lambda: press(studio, "Stop"))
    press(studio, "Draw")
    later = Studio(tmp_path / "pictures", prompts="something else")
    later.panel()
    resume_list = panel_of(later).resume_list
    [[name, label, finished]] = resume_list.shown
    assert ("of 120" in label, finished) == (True, False)
    say(later, "continue_run", run=name, more=False)
    assert later.run is not None
    assert (later.run.iteration, later.settings.prompts) == (120, "a cat on a roof | fog:-0.3")
    say(later, "continue_run", run=name, more=True)
    assert later.run.iteration == 220
    assert later.errors == []


def test_a_run_that_another_process_draws_into_is_left_alone(studio: Studio) -> None:
    type_into(studio, "iterations", 120)
    when(studio, 3, lambda: press(studio, "Stop"))
    press(studio, "Draw")
    assert studio.run is not None
    assert studio.run.directory is not None
    with alone(studio.run.directory):  # as the command line does while it draws
        say(studio, "continue_run", run=studio.run.directory.name, more=False)
        assert "is being drawn into by another process" in stage_text(studio)
    say(studio, "continue_run", run=studio.run.directory.name, more=False)
    assert studio.run.iteration == 120


def test_the_estimate_is_measured_after_the_first_run(studio: Studio) -> None:
    type_into(studio, "iterations", 40)
    press(studio, "Draw")
    assert "as measured here" in panel_of(studio).preview.shown["estimate"]


def test_a_run_that_fails_says_why_in_a_sentence(studio: Studio) -> None:
    type_into(studio, "model", "./nowhere")
    press(studio, "Draw")
    assert "is not a directory of weights" in stage_text(studio)
    assert studio.result is None


def interrupt_twice() -> None:
    for _ in range(2):
        signal.raise_signal(signal.SIGINT)


def test_a_second_interrupt_leaves_the_kernel_alive_and_the_panel_ready(studio: Studio) -> None:
    type_into(studio, "iterations", 100_000)
    when(studio, 1, interrupt_twice)
    press(studio, "Draw")
    assert "Interrupted. You can continue from what was drawn up to a few seconds ago." in stage_text(studio)
    assert not panel_of(studio).preview.shown["drawing"]


def test_a_second_interrupt_tears_a_cell_away_and_leaves_the_panel_ready(studio: Studio) -> None:
    type_into(studio, "iterations", 100_000)
    when(studio, 1, interrupt_twice)
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(studio.paint())
    assert not panel_of(studio).preview.shown["drawing"]
    type_into(studio, "iterations", 6)
    asyncio.run(studio.paint())
    assert studio.result is not None
    assert studio.result.settings.iterations == 6


def test_an_error_of_ours_is_told_and_kept(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setattr(studio.library, "new_paths", broken)
    press(studio, "Draw")
    assert "something went wrong inside text2art (ZeroDivisionError: division by zero)" in stage_text(studio)
    assert [type(error) for error in studio.errors] == [ZeroDivisionError]
    studio.errors.clear()


def test_painting_in_a_cell_draws_what_the_panel_says(studio: Studio) -> None:
    type_into(studio, "seed", "21")
    asyncio.run(studio.paint())
    assert studio.result is not None
    assert studio.result.settings.seed == 21


def test_a_cell_goes_on_with_the_latest_run(studio: Studio) -> None:
    asyncio.run(studio.paint())
    asyncio.run(studio.resume(steps=4))
    assert studio.run is not None
    assert studio.run.iteration == 10


def test_a_wrong_setting_is_one_sentence_in_the_cell(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    type_into(studio, "iterations", -5)
    said: list[str] = []
    monkeypatch.setattr("text2art_nb.studio.studio.say", said.append)
    asyncio.run(studio.paint())
    assert studio.result is None
    [sentence] = said
    assert sentence.startswith("iterations must be at least 1")


def test_steps_are_capped_for_tests_of_the_notebook(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("T2A_MAX_STEPS", "2")
    asyncio.run(studio.paint())
    assert studio.run is not None
    assert studio.run.iteration == 2


def test_what_stays_in_the_notebook_is_small_and_can_be_drawn_again(studio: Studio) -> None:
    type_into(studio, "size", "512x512")
    type_into(studio, "iterations", 2)
    asyncio.run(studio.paint())
    assert studio.result is not None
    data = static_jpeg(studio.result)
    assert len(data) <= STATIC_BYTES
    assert Artwork.open(data, trusted=True).settings == studio.result.settings
    text = caption(studio.result, 2, 2)
    assert len(data) * 4 / 3 + len(text) < 120_000
    assert "done, 2 iterations" in text
    assert "seed 7" in text


def test_a_reopened_page_is_told_what_it_showed(studio: Studio) -> None:
    press(studio, "Draw")
    sent = files_sent(studio)
    say(studio, "hello")
    pictures = [data for content, data in sent if content["show"] == "picture"]
    assert pictures == [panel_of(studio).preview.picture]
    assert not [content for content, _ in sent if content["show"] == "thumbs"]
    say(studio, "gallery", open=True)
    assert [content["names"] for content, _ in sent if content["show"] == "thumbs"] == [
        panel_of(studio).gallery.shown["names"]
    ]


def test_the_state_in_the_notebooks_file_is_small(studio: Studio) -> None:
    type_into(studio, "size", "256x256")
    send(studio, "init_image", "noise.png", noisy_png())
    press(studio, "Draw")
    say(studio, "gallery", open=True)
    say(studio, "see", name=panel_of(studio).gallery.shown["names"][0])
    asyncio.run(studio.paint())
    view = panel_of(studio).view
    state = Widget.get_manager_state(drop_defaults=False, widgets=[view, view.layout])["state"]
    assert len(state) == 2
    assert len(json.dumps(state)) < 120_000


def test_the_panel_is_one_widget(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Widget] = []
    settings = {name: getattr(studio.settings, name) for name in studio.settings.model_fields_set}
    Widget.on_widget_constructed(made.append)
    try:
        studio = Studio(studio.library.folder, **settings)
        studio.panel()
        asyncio.run(studio.paint())
        studio.mask()
    finally:
        Widget.on_widget_constructed(None)
    assert len(made) <= 6  # panel, live cell, mask's cell, and what lays each of them out


def noisy_png() -> bytes:
    """A picture that no encoder makes small."""
    file = BytesIO()
    Image.effect_noise((600, 600), 90).convert("RGB").save(file, "PNG")
    return file.getvalue()


def test_what_no_page_says_is_let_go(studio: Studio) -> None:
    before = studio.settings
    for strange in ({}, {"do": "nothing"}, {"do": "field", "name": "nobody", "value": 1}, {"do": None}):
        panel_of(studio).view._handle_custom_msg(strange, [])
    say(studio, "see", name="../../etc/passwd")
    say(studio, "download", suffix=".py")
    assert studio.settings == before
    assert panel_of(studio).gallery.shown["chosen"] is None


def test_a_run_that_is_not_on_the_list_is_not_gone_on_with(studio: Studio) -> None:
    say(studio, "continue_run", run="../elsewhere.run", more=True)
    assert "there is no such run to continue" in stage_text(studio)
    assert studio.run is None


def test_what_is_wrong_is_said_at_the_button_too(studio: Studio) -> None:
    type_into(studio, "micro_batch", "0")
    press(studio, "Draw")
    assert "Views at once must be at least 1" in stage_text(studio)
    assert studio.run is None


def test_an_emptied_device_or_model_means_the_usual_one(studio: Studio) -> None:
    type_into(studio, "device", " ")
    type_into(studio, "model", "")
    asked = studio.settings
    assert (asked.device, asked.model) == (Settings(prompts="a cat").device, Settings(prompts="a cat").model)


def test_pixel_art_is_sent_with_sharp_pixels(studio: Studio) -> None:
    studio.set(drawer="pixel", start="noise", iterations=2)
    press(studio, "Draw")
    assert panel_of(studio).preview.shown["sharp"]
    assert panel_of(studio).preview.picture.startswith(b"\x89PNG")


def test_a_cell_paints_another_prompt(studio: Studio) -> None:
    asyncio.run(studio.paint("a red boat"))
    assert studio.result is not None
    assert studio.result.settings.prompts == "a red boat"


def test_sharing_names_the_files_and_puts_none_of_them_into_the_notebook(
    studio: Studio, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asyncio.run(studio.paint())
    shown: list[Any] = []
    monkeypatch.setattr("text2art_nb.studio.studio.display", shown.append)
    studio.save(film="gif")
    [html] = [each.data for each in shown]
    assert ".png" in html
    assert ".gif" in html
    assert "base64" not in html
    assert studio.library.pictures()[0].with_suffix(".gif").is_file()


@pytest.mark.parametrize(
    ("wish", "sentence"),
    [({"film": "avi"}, "film must be mp4, gif or none"), ({"drive": True, "film": "none"}, "on Colab only")],
)
def test_sharing_says_what_it_can_not_do(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, wish: dict[str, Any], sentence: str
) -> None:
    asyncio.run(studio.paint())
    said: list[str] = []
    monkeypatch.setattr("text2art_nb.studio.studio.say", said.append)
    studio.save(**wish)
    assert sentence in said[0]
