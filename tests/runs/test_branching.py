"""One can go back to any frame of a run and take another road, and every road is in the picture's recipe."""

from collections.abc import Callable
from pathlib import Path

import pytest

from text2art_nb.errors import RunError, SettingsError
from text2art_nb.runs.run import Run
from text2art_nb.runs.snapshots import LIMIT, States
from text2art_nb.settings import Settings

Tiny = Callable[..., Settings]


def finish(run: Run) -> bytes:
    for _ in run:
        pass
    return run.artwork.image.tobytes()


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("drawer", ["vqgan", "pixel"])
def test_a_branch_shows_the_frame_that_it_left_from_and_ends_elsewhere(
    tiny: Tiny, tmp_path: Path, drawer: str, kept: bool
) -> None:
    run = Run(tiny(drawer=drawer), directory=tmp_path / "run" if kept else None)
    frames = list(run)
    branch = run.branch(4, prompts="a dog:2", seed=9)
    first = next(branch)
    assert first.iteration == 4
    assert first.image.tobytes() == frames[3].image.tobytes()
    assert finish(branch) != run.artwork.image.tobytes()


def test_a_branch_without_changes_ends_in_the_same_picture(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(keep="average"), directory=tmp_path)
    picture = finish(run)
    assert finish(run.branch(5)) == picture


def test_a_branch_is_drawn_again_from_its_recipe(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(), directory=tmp_path / "run")
    run.steer(learning_rate=0.1)
    finish(run)
    branch = run.branch(3, tmp_path / "branch", prompts="a dog", iterations=8)
    picture = finish(branch)
    assert branch.iteration == 8
    assert finish(Run(branch.artwork.settings)) == picture


def test_a_branch_leaves_from_a_run_that_was_stopped_and_loaded_again(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(), directory=tmp_path)
    frames = [next(run), next(run), next(run)]
    run.stop()
    finish(run)
    branch = Run.load(tmp_path).branch(2)
    assert next(branch).image.tobytes() == frames[1].image.tobytes()
    assert finish(branch) == finish(Run(tiny()))


@pytest.mark.parametrize("iteration", [0, 7])
def test_there_is_no_branch_from_a_frame_that_was_not_drawn(tiny: Tiny, iteration: int) -> None:
    run = Run(tiny())
    finish(run)
    with pytest.raises(RunError, match="iteration must be 1 to 6"):
        run.branch(iteration)


def test_a_branch_says_at_once_what_it_can_not_change(tiny: Tiny) -> None:
    run = Run(tiny())
    next(run)
    with pytest.raises(SettingsError, match="drawer can't be changed"):
        run.branch(1, drawer="pixel")


@pytest.mark.parametrize("drawer", ["vqgan", "pixel"])
def test_one_candidate_goes_on_alone_and_the_recipe_knows_which(tiny: Tiny, tmp_path: Path, drawer: str) -> None:
    run = Run(tiny(drawer=drawer, candidates=3, keep="best"), directory=tmp_path)
    before = [next(run), next(run)][-1]
    run.steer(candidate=2)
    after = next(run)
    assert (before.candidates, after.candidates) == (3, 1)
    picture = finish(run)
    assert finish(Run(run.artwork.settings)) == picture


def test_a_run_with_a_chosen_candidate_goes_on_after_a_kill(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(candidates=3))
    next(run)
    run.steer(candidate=1)
    next(run), next(run)
    run.save(tmp_path / "killed.safetensors")
    assert finish(Run.load(tmp_path / "killed.safetensors")) == finish(run)


def test_the_second_of_two_quick_choices_is_too_late(tiny: Tiny) -> None:
    run = Run(tiny(candidates=3))
    next(run)
    run.steer(candidate=1)
    run.steer(candidate=2)
    finish(run)
    assert [entry.candidate for entry in run.settings.steering] == [1]


def test_a_recipe_that_goes_on_with_a_candidate_that_is_not_there_is_refused(tiny: Tiny) -> None:
    with pytest.raises(SettingsError, match="candidate must be less than 2"):
        tiny(candidates=2, steering=[{"iteration": 2, "candidate": 2}])


def test_what_is_kept_to_go_back_to_is_bounded(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(iterations=100, size=(16, 16)), directory=tmp_path)
    finish(run)
    kept = list((tmp_path / "states").iterdir())
    assert 10 <= len(kept) <= LIMIT
    assert States(tmp_path / "states", after=run.iteration).nearest(50) is not None


def test_a_damaged_state_costs_time_but_no_branch(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(), directory=tmp_path)
    frames = list(run)
    for state in (tmp_path / "states").iterdir():
        state.write_bytes(b"damaged")
    assert next(run.branch(5)).image.tobytes() == frames[4].image.tobytes()
