"""What can't be changed while it draws is refused, in words, and costs neither the picture nor its recipe."""

from collections.abc import Callable

import pytest
from PIL import Image

from text2art_nb.errors import SettingsError
from text2art_nb.imaging.image_io import picture_to_uri
from text2art_nb.runs.run import Run
from text2art_nb.settings import MAX_STEERING, Settings

Tiny = Callable[..., Settings]

BLACK = picture_to_uri(Image.new("L", (48, 32)))


def finish(run: Run) -> bytes:
    for _ in run:
        pass
    return run.artwork.image.tobytes()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"losses": "aesthetic"}, "losses can't be changed like that, and stays as it was: the loss aesthetic"),
        ({"prompts": "[mask 1] fog"}, "prompts can't be changed like that, and stays as it was: mask 1 is black"),
    ],
)
def test_steering_that_can_not_be_carried_out_leaves_all_as_it_was(
    tiny: Tiny, changes: dict[str, object], said: str
) -> None:
    run = Run(tiny(masks=[BLACK]))
    next(run)
    run.steer(**changes)
    picture = finish(run)
    assert [notice for notice in run.notices if notice.startswith(said)]
    assert run.settings.steering == ()
    assert picture == finish(Run(tiny(masks=[BLACK]))) == finish(Run(run.artwork.settings))


def test_of_two_changes_the_one_that_can_be_made_is_made(tiny: Tiny) -> None:
    run = Run(tiny())
    next(run)
    run.steer(losses="aesthetic")
    run.steer(learning_rate=0.5)
    picture = finish(run)
    assert [entry.changes for entry in run.settings.steering] == [{"learning_rate": 0.5}]
    assert picture == finish(Run(run.artwork.settings))


def test_a_choice_that_can_not_be_carried_out_leaves_all_candidates(tiny: Tiny) -> None:
    run = Run(tiny(candidates=2))
    next(run)
    run.steer(candidate=1, losses="aesthetic")
    finish(run)
    assert len(run.candidates) == 2


def test_the_last_of_very_many_changes_is_refused_at_once_and_the_picture_can_be_stopped(tiny: Tiny) -> None:
    many = [{"iteration": 1, "learning_rate": 0.1 + number / 1e6} for number in range(MAX_STEERING - 20)]
    run = Run(tiny(steering=many[:-1], candidates=2, size=(16, 16)))
    next(run)
    run.steer(learning_rate=0.2)
    with pytest.raises(SettingsError, match="can be steered 980 times"):
        run.steer(learning_rate=0.3)
    next(run)
    run.stop()
    finish(run)
    assert len(run.artwork.settings.steering) == len(many) + 1
    assert len(run.artwork.others) == 1


def test_the_best_for_new_words_is_not_measured_by_the_old_ones(tiny: Tiny) -> None:
    run = Run(tiny(keep="best"))
    next(run), next(run)
    loop = run._prepare()
    loop.selection.selected["score"].fill_(1.0)  # as if the words so far had been met exactly
    run.steer(prompts="a dog")
    frame = next(run)
    assert loop.selection.selected["score"].tolist() == pytest.approx(frame.scores)


def test_a_picture_can_be_steered_to_a_single_colour(tiny: Tiny) -> None:
    run = Run(tiny(filters="lookup", palette="pico-8"))
    next(run), next(run)
    run.steer(palette="[gray]")
    assert len(list(run)) == 4
    assert not run.notices
