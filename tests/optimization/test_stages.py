"""One drawer's end is the next one's start, in one run and one recipe."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from text2art_nb import drawers
from text2art_nb.drawers.pixel import PixelDrawer
from text2art_nb.drawers.vqgan import VQGANDrawer
from text2art_nb.errors import ModelError, SettingsError
from text2art_nb.optimization import stages as stage_drawers
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings
from text2art_nb.settings.presets import EMBEDDED_EYES

Tiny = Callable[..., Settings]
CHAIN = "vqgan:50 -> pixel:50"


def finish(run: Run) -> bytes:
    for _ in run:
        pass
    return run.artwork.image.tobytes()


@pytest.mark.parametrize(
    ("text", "written", "stages"),
    [
        ("pixel", "pixel", (("pixel", 1.0),)),
        ("VQGAN -> Pixel", "vqgan -> pixel", (("vqgan", 0.5), ("pixel", 0.5))),
        ("vqgan:30→pixel:70", "vqgan:30 -> pixel:70", (("vqgan", 0.3), ("pixel", 0.7))),
        ("vqgan:30->pixel", "vqgan:30 -> pixel", (("vqgan", 0.3), ("pixel", 0.7))),
        ("pixel:1 -> vqgan:3", "pixel:1 -> vqgan:3", (("pixel", 0.25), ("vqgan", 0.75))),
        (
            "pixel -> vqgan -> pixel:50",
            "pixel -> vqgan -> pixel:50",
            (("pixel", 0.25), ("vqgan", 0.25), ("pixel", 0.5)),
        ),
    ],
)
def test_a_chain_is_read_and_has_one_spelling(
    tiny: Tiny, text: str, written: str, stages: tuple[tuple[str, float], ...]
) -> None:
    settings = tiny(drawer=text)
    assert settings.drawer == written
    assert settings.stages == stages
    assert tiny(drawer=written) == settings


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("vqgan -> pixle", "did you mean 'pixel'"),
        ("vqgan ->", "an arrow without a drawer beside it"),
        ("vqgan:100 -> pixel", "leave nothing of 100 for pixel"),
        ("vqgan:much -> pixel", "must be a number above 0"),
        ("vqgan:-3 -> pixel", "must be a number above 0"),
        (" -> ".join(["pixel"] * 9), "at most 8 drawers"),
    ],
)
def test_a_chain_that_makes_no_sense_gets_one_sentence(tiny: Tiny, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence) as refused:
        tiny(drawer=text)
    assert list(refused.value.problems) == ["drawer"]


def test_the_next_drawer_starts_from_the_last_picture_of_the_one_before(tiny: Tiny) -> None:
    run = Run(tiny(drawer=CHAIN, pixel_size=(48, 32), learning_rate_drops=()))
    next(run), next(run), next(run)
    loop = run._prepare()
    assert isinstance(loop.drawer, PixelDrawer)
    alone = Run(tiny(drawer="vqgan", iterations=3, learning_rate_drops=()))
    finish(alone)
    last = alone._prepare().finish()[0]
    assert (loop.drawer.render() - last).abs().mean() < 0.01


def test_every_iteration_is_a_frame_of_the_size_that_was_asked_for(tiny: Tiny) -> None:
    frames = list(Run(tiny(drawer="pixel -> vqgan -> pixel")))
    assert [frame.iteration for frame in frames] == [1, 2, 3, 4, 5, 6]
    assert {frame.image.size for frame in frames} == {(48, 32)}


def test_a_chain_is_drawn_again_from_its_recipe(tiny: Tiny) -> None:
    run = Run(tiny(drawer=CHAIN))
    picture = finish(run)
    assert finish(Run(Settings.from_recipe(run.artwork.settings.to_recipe(), trusted=True))) == picture


@pytest.mark.parametrize("after", [2, 3, 4])
@pytest.mark.parametrize("candidates", [1, 3])
def test_a_chain_goes_on_after_a_kill_to_the_byte_identical_picture(
    tiny: Tiny, tmp_path: Path, after: int, candidates: int
) -> None:
    run = Run(tiny(drawer=CHAIN, candidates=candidates, keep="average"))
    for _ in range(after):
        next(run)
    run.save(tmp_path / "killed.safetensors")
    loaded = Run.load(tmp_path / "killed.safetensors")
    assert finish(loaded) == finish(run)


@pytest.mark.parametrize("iteration", [2, 5])
def test_a_branch_leaves_a_chain_on_either_side_of_the_change(tiny: Tiny, tmp_path: Path, iteration: int) -> None:
    run = Run(tiny(drawer=CHAIN), directory=tmp_path)
    frames = list(run)
    branch = run.branch(iteration, prompts="a dog")
    assert next(branch).image.tobytes() == frames[iteration - 1].image.tobytes()
    picture = finish(branch)
    assert isinstance(branch._prepare().drawer, PixelDrawer)
    assert finish(Run(branch.artwork.settings)) == picture


def test_candidates_are_carried_over_one_by_one(tiny: Tiny) -> None:
    run = Run(tiny(drawer=CHAIN, candidates=3, pixel_size=(48, 32), learning_rate_drops=()))
    for _ in range(3):
        next(run)
    before = list(Run(tiny(drawer="vqgan", candidates=3, iterations=4, learning_rate_drops=())))[3]._canvas
    after = run._prepare().drawer.render().detach()
    far = (before[:, None] - after[None]).abs().mean((2, 3, 4))
    assert far.argmin(1).tolist() == [0, 1, 2]


def test_a_chosen_candidate_goes_on_alone_through_the_change(tiny: Tiny) -> None:
    run = Run(tiny(drawer=CHAIN, candidates=3))
    next(run)
    run.steer(candidate=1)
    picture = finish(run)
    assert run._prepare().count == 1
    assert finish(Run(run.artwork.settings)) == picture


def test_a_longer_chain_moves_the_changes_that_are_still_to_come(tiny: Tiny) -> None:
    run = Run(tiny(drawer=CHAIN))
    next(run)
    run.steer(iterations=10)
    for _ in range(3):
        next(run)
    assert isinstance(run._prepare().drawer, VQGANDrawer)
    picture = finish(run)
    assert isinstance(run._prepare().drawer, PixelDrawer)
    assert finish(Run(run.artwork.settings)) == picture


def test_a_finished_chain_goes_on_with_its_last_drawer(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(drawer=CHAIN), directory=tmp_path)
    finish(run)
    more = Run.load(tmp_path, iterations=14)
    next(more)
    assert isinstance(more._prepare().drawer, PixelDrawer)
    picture = finish(more)
    assert finish(Run(more.artwork.settings)) == picture


def test_the_learning_rate_drops_late_in_each_stage(tiny: Tiny) -> None:
    run = Run(tiny(drawer=CHAIN, iterations=8, learning_rate=0.1))
    rates = []
    for _ in run:
        rates.append(run._prepare().active.optimizer.param_groups[0]["lr"])
    assert rates[:3] == [0.1] * 3
    assert rates[4:7] == pytest.approx([0.1] * 3)
    assert rates[7] == pytest.approx(0.01)


def test_a_chain_of_more_drawers_than_iterations_still_ends_with_the_last(tiny: Tiny) -> None:
    run = Run(tiny(drawer="vqgan -> vqgan -> pixel", iterations=2))
    finish(run)
    assert isinstance(run._prepare().drawer, PixelDrawer)


def test_each_drawer_of_a_chain_may_have_weights_of_its_own(tiny: Tiny, tiny_turbo: Path, tiny_vqgan: Path) -> None:
    settings = tiny(drawer="turbo -> vqgan -> pixel", model=f"{tiny_turbo} -> {tiny_vqgan} -> embedded", iterations=3)
    assert [frame.iteration for frame in Run(settings)] == [1, 2, 3]
    with pytest.raises(SettingsError, match="model names 2 weights for 3 drawers"):
        settings.with_(model="sd-turbo -> embedded")


def test_a_chain_that_ends_in_strokes_is_enlarged_as_strokes(tiny: Tiny) -> None:
    run = Run(tiny(drawer="vqgan -> strokes", strokes=5, upscale=2, iterations=2))
    finish(run)
    assert run.settings.upscaler == "vector"
    assert run.artwork.image.size == (96, 64)


def test_a_change_for_which_memory_ran_out_is_tried_again(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    build, troubles = drawers.build, [MemoryError()]

    def build_at_the_second_try(settings: Settings, *rest: Any) -> drawers.Drawer:
        if settings.drawer == "pixel" and troubles:
            raise troubles.pop()
        return build(settings, *rest)

    monkeypatch.setattr(drawers, "build", build_at_the_second_try)
    run = Run(tiny(drawer=CHAIN))
    finish(run)
    assert not troubles
    assert isinstance(run._prepare().drawer, PixelDrawer)


def test_weights_that_cannot_be_had_are_missed_before_anything_is_drawn(
    tiny: Tiny, tiny_vqgan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEXT2ART_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TEXT2ART_OFFLINE", "1")
    run = Run(tiny(drawer="vqgan -> turbo", model=f"{tiny_vqgan} -> sd-turbo"))
    with pytest.raises(ModelError, match="sd-turbo' are not on this machine"):
        next(run)
    assert run.iteration == 0


def test_the_first_drawers_model_says_what_is_usual_for_all() -> None:
    told = Settings(prompts="a cat", drawer="vqgan -> turbo", model="embedded -> sd-turbo", seed=1).resolved()
    assert (told.start, told.perceptors) == ("proposal", EMBEDDED_EYES)


def test_a_chain_that_begins_with_turbo_has_its_eyes_and_its_start_without_being_told() -> None:
    silent = Settings(prompts="a cat", drawer="turbo -> vqgan", seed=1).resolved()
    told = Settings(prompts="a cat", drawer="turbo -> vqgan", model="sd-turbo -> embedded", seed=1).resolved()
    assert silent.model == "embedded"
    assert silent.with_(model=told.model) == told
    assert told.start == "noise"


def test_a_strangers_chain_may_name_weights_but_no_directory() -> None:
    recipe = Settings(prompts="a cat", drawer="turbo -> vqgan", model="sd-turbo -> embedded").to_recipe()
    assert Settings.from_recipe(recipe).model == "sd-turbo -> embedded"
    with pytest.raises(SettingsError, match="must be a plain name"):
        Settings.from_recipe(recipe | {"model": "sd-turbo -> /home/me/vqgan"})


def test_the_last_drawer_decides_whether_a_film_has_hard_edges(tiny: Tiny) -> None:
    assert tiny(drawer="vqgan -> pixel").last_drawer == "pixel"
    assert tiny(drawer="pixel -> vqgan").last_drawer == "vqgan"
    assert tiny(drawer="vqgan -> pixel", size=(300, 300)).resolved().pixel_size == (40, 40)


def test_what_a_later_drawer_is_handed_it_makes_better_as_it_would_a_proposal() -> None:
    settings = Settings(prompts="a castle", drawer="fft -> vqgan", start="noise", quality="draft").resolved()
    assert stage_drawers.of_stage(settings, 0, 1).start == "noise"
    assert stage_drawers.of_stage(settings, 1, 1).start == "proposal"
    pictures_alone = settings.with_(prompts="", image_prompts=[Image.new("RGB", (8, 8))])
    assert stage_drawers.of_stage(pictures_alone, 1, 1).start == "proposal"


def test_a_chain_that_was_steered_away_from_words_goes_on_after_a_kill(tiny: Tiny, tmp_path: Path) -> None:
    chained = "fft:20 -> vqgan:40 -> strokes:20 -> pixel:20"
    run = Run(tiny(drawer=chained, model="embedded", size=(32, 32), strokes=4, start="noise", iterations=10))
    next(run), next(run), next(run)
    run.steer(prompts="fog:-1")
    next(run)
    run.save(tmp_path / "killed.safetensors")
    assert finish(Run.load(tmp_path / "killed.safetensors")) == finish(run)
