"""A picture is laid over the one being drawn, again and again, by pixray's rules."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image

from text2art_nb.errors import SettingsError
from text2art_nb.optimization import overlay
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

Tiny = Callable[..., Settings]
RED = Image.new("RGB", (9, 7), (255, 0, 0))


def finish(run: Run) -> bytes:
    for _ in run:
        pass
    return run.artwork.image.tobytes()


@pytest.mark.parametrize(
    ("given", "due"),
    [
        ({"overlay_every": 10}, [0, 10, 20, 30, 40, 50, 60, 70, 80, 90]),
        ({"overlay_every": "25%"}, [0, 25, 50, 75]),
        ({"overlay_every": "50 iterations"}, [0, 50]),
        ({"overlay_every": "30i", "overlay_offset": "5%"}, [5, 35, 65, 95]),
        ({"overlay_every": 20, "overlay_until": "50%"}, [0, 20, 40]),
        ({"overlay_every": 20, "overlay_offset": 45}, [45, 65, 85]),
    ],
)
def test_it_is_laid_over_when_pixray_would(tiny: Tiny, given: dict[str, object], due: list[int]) -> None:
    settings = tiny(overlay_image=RED, iterations=100, **given)
    assert [done for done in range(100) if overlay.is_due(settings, done, 100)] == due


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"overlay_every": 0}, "overlay_every must be more than 0"),
        ({"overlay_every": "often"}, "overlay_every must be a number of iterations or a percentage"),
        ({"overlay_until": "130%"}, "overlay_until must be"),
        ({"overlay_alpha": 300}, "overlay_alpha must be at most 255"),
        ({"overlay_image": "no such file.png"}, "overlay_image cannot be used"),
    ],
)
def test_what_makes_no_sense_gets_one_sentence(tiny: Tiny, given: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        tiny(**given)


def test_a_strangers_recipe_may_name_no_file(tiny: Tiny) -> None:
    recipe = Settings(prompts="a cat").to_recipe() | {"overlay_image": "/etc/passwd"}
    with pytest.raises(SettingsError, match="only as PNG data URIs"):
        Settings.from_recipe(recipe)


def test_its_own_opacity_counts_unless_one_is_given() -> None:
    picture = torch.zeros(1, 3, 4, 4)
    half = torch.ones(1, 4, 2, 2) * 0.5
    for alpha, expected in ((None, 0.25), (255, 0.5), (0, 0.0)):
        torch.testing.assert_close(overlay.lay(picture, half, alpha), torch.full((1, 3, 4, 4), expected))


def test_over_what_is_transparent_it_keeps_its_colour_and_its_opacity() -> None:
    nothing = torch.zeros(1, 4, 4, 4)
    half = torch.ones(1, 4, 2, 2) * 0.5
    torch.testing.assert_close(overlay.lay(nothing, half, None), torch.full((1, 4, 4, 4), 0.5))


@pytest.mark.parametrize("drawer", ["vqgan", "pixel"])
def test_the_picture_becomes_the_overlay(tiny: Tiny, drawer: str) -> None:
    run = Run(tiny(drawer=drawer, overlay_image=RED, overlay_every=3, overlay_offset=0, learning_rate=1e-9))
    next(run), next(run), next(run)
    shown = run._prepare().drawer.render().detach()
    drawer_of = run._prepare().drawer
    drawer_of.start_from(torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1).expand(1, 3, 8, 8))
    assert (shown - drawer_of.render()).abs().mean() < 0.02


def test_a_run_with_an_overlay_goes_on_after_a_kill_and_is_drawn_again(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(overlay_image=RED, overlay_every=2, overlay_alpha=90, motion="zoom 1.1", motion_every=2))
    next(run), next(run), next(run)
    run.save(tmp_path / "killed.safetensors")
    picture = finish(run)
    assert finish(Run.load(tmp_path / "killed.safetensors")) == picture
    assert finish(Run(run.artwork.settings)) == picture


def test_a_picture_that_an_overlay_has_made_plain_is_drawn_on(tiny: Tiny) -> None:
    grey = Image.new("RGB", (9, 7), (90, 90, 90))
    run = Run(tiny(drawer="pixel", overlay_image=grey, overlay_every=3, iterations=6))
    assert len(list(run)) == 6
    assert not run.notices


def test_it_has_no_dark_edges() -> None:
    white = torch.ones(1, 3, 20, 20)
    overlay_with_edges = torch.zeros(1, 4, 8, 8)
    overlay_with_edges[..., 2:6, 2:6] = 1  # and black where it can't be seen
    torch.testing.assert_close(overlay.lay(white, overlay_with_edges, None), white, atol=1e-5, rtol=0)


def test_its_first_time_is_before_the_first_iteration_also_from_noise(tiny: Tiny) -> None:
    run = Run(tiny(drawer="pixel", start="noise", overlay_image=RED, overlay_every=100))
    red, green, blue = next(run).pixels[0].reshape(-1, 3).mean(0)
    assert red > 250
    assert max(green, blue) < 5
