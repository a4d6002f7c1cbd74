"""What is due between two iterations follows from the settings and the iteration alone."""

import torch
from PIL import Image

from text2art_nb.optimization.events import events_after
from text2art_nb.settings import Settings

RED = Image.new("RGB", (4, 4), "red")


def test_a_plain_run_has_nothing_to_do_in_between() -> None:
    found = events_after(Settings(prompts="a cat"), 3, 10)
    assert (found.survivors, found.stage, found.changes_picture) == (1, 0, False)


def test_each_thing_is_due_in_its_time() -> None:
    asked = Settings(
        prompts="a cat", drawer="vqgan:50 -> pixel:50", candidates=4, finalists=1, motion="zoom 1.1", motion_every=2,
        overlay_image=RED, overlay_every=5,
    )  # fmt: skip
    found = [events_after(asked, done, 10) for done in range(1, 10)]
    assert [each.stage for each in found] == [0] * 4 + [1] * 5
    assert [each.survivors for each in found] == sorted((each.survivors for each in found), reverse=True)
    assert found[-1].survivors == 1
    assert [done for done, each in enumerate(found, 1) if each.camera is not None] == [2, 4, 6, 8]
    assert [done for done, each in enumerate(found, 1) if each.overlays] == [5]


def test_the_camera_moves_before_the_picture_is_laid_over() -> None:
    asked = Settings(prompts="a cat", motion="pan 50 0", motion_every=1, overlay_image=RED, overlay_every=1)
    found = events_after(asked, 1, 10)
    black, half = torch.zeros(1, 3, 8, 8), torch.zeros(1, 4, 8, 8)
    half[:, 0] = 1
    half[:, 3, :, :4] = 1
    changed = found.apply(black, half)
    assert torch.equal(changed[0, 0, :, :4], torch.ones(8, 4))
    assert not changed[0, 0, :, 4:].any()
    assert found.apply(black, None).shape == black.shape
