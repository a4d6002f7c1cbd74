"""A prompt with a region counts there and nowhere else, on a canvas of any size."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from text2art_nb.errors import RunError
from text2art_nb.imaging.image_io import picture_to_uri
from text2art_nb.imaging.tensors import resize
from text2art_nb.optimization import regions
from text2art_nb.optimization.guidance import Moment
from text2art_nb.optimization.loop import Loop
from text2art_nb.optimization.views import views_per_region
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings
from text2art_nb.settings.prompts import REGIONS

Tiny = Callable[..., Settings]


def spot(left: int, top: int, right: int, bottom: int, size: tuple[int, int] = (64, 48)) -> str:
    """A mask that is white in a rectangle of pixels."""
    pixels = np.zeros((size[1], size[0]), np.uint8)
    pixels[top:bottom, left:right] = 255
    return picture_to_uri(Image.fromarray(pixels))


@pytest.mark.parametrize("canvas", [(64, 48), (17, 90), (16, 16), (512, 300)])
@pytest.mark.parametrize("region", [*REGIONS, "0.1,0.2,0.5,0.9", "0.97,0.97,1,1", "mask 1"])
def test_every_region_is_there_on_any_canvas(region: str, canvas: tuple[int, int]) -> None:
    mask = regions.mask_of(region, canvas, [spot(0, 0, 20, 20)])
    assert mask.shape == (1, 1, canvas[1], canvas[0])
    assert mask.min() >= 0
    assert mask.max() <= 1
    built = regions.build(region, canvas, [spot(0, 0, 20, 20)])
    part = built.cut(torch.rand(2, 3, canvas[1], canvas[0]))
    assert part.shape == (2, 3, built.size[1], built.size[0])
    assert torch.isfinite(part).all()


def test_a_half_ends_in_a_soft_edge_in_the_middle_and_hard_at_the_border() -> None:
    row = regions.mask_of("left", (100, 100))[0, 0, 50]
    assert row[0] == row[40] == 1
    assert row[60] == row[99] == 0
    assert 0 < row[49] < 1
    assert float(row.mean()) == pytest.approx(0.5, abs=0.01)


def test_opposite_halves_cover_the_picture_once() -> None:
    both = regions.mask_of("top", (50, 70)) + regions.mask_of("bottom", (50, 70))
    assert torch.allclose(both, torch.ones_like(both), atol=1e-5)


def test_a_mask_counts_where_it_is_white() -> None:
    mask = regions.mask_of("mask 2", (128, 96), [spot(0, 0, 1, 1), spot(32, 0, 64, 48)])[0, 0]
    assert mask[48, 100] == 1
    assert mask[48, 20] == 0


def test_what_is_transparent_in_a_mask_is_black() -> None:
    picture = Image.new("RGBA", (8, 8), (255, 255, 255, 0))
    picture.paste((255, 255, 255, 255), (0, 0, 4, 8))
    mask = regions.open_mask(picture_to_uri(picture))[0, 0]
    assert mask[:, :4].min() == 1
    assert mask[:, 4:].max() == 0


def test_a_black_mask_is_refused_in_plain_words() -> None:
    with pytest.raises(RunError, match="mask 1 is black all over; paint white"):
        regions.build("mask 1", (64, 64), [spot(0, 0, 0, 0)])


def test_a_region_is_cut_out_nearly_square_and_the_rest_has_its_mean_colour() -> None:
    picture = torch.zeros(1, 3, 60, 60)
    picture[:, 0, :, :30], picture[:, 2, :, 30:] = 1.0, 1.0  # red to the left of blue
    built = regions.build("left", (60, 60))
    part = built.cut(picture)
    assert max(built.size) / min(built.size) <= 1.35
    padding = part[..., 0]
    assert padding[0, 0].min() > 0.95
    assert part[:, 0].mean() > 0.95  # all but the soft edge


def test_the_gradient_stays_inside() -> None:
    picture = torch.rand(1, 3, 40, 40, requires_grad=True)
    regions.build("0.5,0.5,1,1", (40, 40)).cut(picture).square().sum().backward()
    assert picture.grad is not None
    assert picture.grad[..., :19, :].abs().sum() == 0
    assert picture.grad[..., :, :19].abs().sum() == 0
    assert (picture.grad[..., 22:, 22:].abs() > 0).float().mean() > 0.9


def test_views_are_shared_so_that_regions_cost_little() -> None:
    assert views_per_region(12, 1) == 12
    assert views_per_region(12, 2) * 2 == 12
    assert views_per_region(12, 5) == 4
    assert views_per_region(2, 3) == 4


def gradient(settings: Settings) -> Tensor:
    loop = Loop(settings.resolved())
    leaf = loop.render().detach().requires_grad_()
    assert loop.evaluate(leaf, Moment(1, 0.0)) is not None
    assert leaf.grad is not None
    return leaf.grad


@pytest.mark.parametrize(
    ("prompts", "touched"),
    [
        ("[left] a cat", (slice(None), slice(0, 24))),
        ("[bottom] a cat | [bottom] fog:-0.5", (slice(16, 32), slice(None))),
        ("[mask 1] a cat", (slice(8, 16), slice(12, 24))),
    ],
)
def test_a_run_with_a_region_pulls_there_alone(tiny: Tiny, prompts: str, touched: tuple[slice, slice]) -> None:
    mask = spot(12, 8, 24, 16, (48, 32))
    pulled = gradient(tiny(prompts=prompts, size=(48, 32), masks=[mask], losses={}))[0].abs().sum(0)
    inside = torch.zeros(32, 48, dtype=torch.bool)
    inside[touched] = True
    near = torch.nn.functional.max_pool2d(inside[None].float(), 5, stride=1, padding=2)[0] > 0  # the soft edge
    assert pulled[inside].sum() > 0
    assert pulled[~near].sum() == 0


def test_a_region_and_the_whole_picture_pull_together(tiny: Tiny) -> None:
    pulled = gradient(tiny(prompts="[left] a cat:5 | a beach", losses={}))[0].abs().sum(0)
    assert pulled[:, 40:].sum() > 0
    assert pulled[:, :20].mean() > pulled[:, 28:].mean()


def test_the_score_is_the_mean_over_prompts_each_in_its_region(tiny: Tiny) -> None:
    def score(prompts: str) -> float:
        loop = Loop(tiny(prompts=prompts, text_off=False).resolved())
        with torch.no_grad():
            return float(loop.guidance.score(loop.render(), 0.0)[0])

    alone = score("[left] a cat"), score("a dog:3")
    assert score("[left] a cat | a dog:3") == pytest.approx((alone[0] + 3 * alone[1]) / 4, abs=1e-5)


def test_strokes_that_are_handed_over_larger_are_judged_in_the_same_region(tiny: Tiny) -> None:
    loop = Loop(tiny(prompts="[right] a cat", drawer="strokes", strokes=30, size=(600, 400)).resolved())
    picture, scores, _ = loop.finish()
    assert picture.shape[-1] > loop.drawer.canvas[0]
    with torch.no_grad():
        of_canvas = float(loop.guidance.score(resize(picture, loop.drawer.canvas), 0.0)[0])
    assert scores[0] == pytest.approx(of_canvas, abs=2e-3)


@pytest.mark.parametrize("drawer", ["vqgan", "pixel"])
def test_any_number_of_regions_draws_the_same_twice(tiny: Tiny, drawer: str) -> None:
    prompts = " | ".join(f"[{region}] a cat" for region in (*REGIONS, "mask 1", "0.3,0.3,0.6,0.6"))
    settings = tiny(prompts=prompts, drawer=drawer, masks=[spot(0, 0, 9, 9)], candidates=2, micro_batch=9, iterations=1)

    def drawn(settings: Settings) -> bytes:
        run = Run(settings)
        list(run)
        return run.artwork.image.tobytes()

    assert drawn(settings) == drawn(settings)


def test_a_region_can_be_steered_in(tiny: Tiny) -> None:
    run = Run(tiny(prompts="a cat"))
    for frame in run:
        if frame.iteration == 2:
            run.steer(prompts="[left] a dog | [right] a cat")
    again = Run(run.artwork.settings)
    list(again)
    assert again.artwork.image.tobytes() == run.artwork.image.tobytes()


def greener(picture: Image.Image, half: str) -> float:
    """How much more green than red there is in a half of a picture."""
    pixels = np.asarray(picture.convert("RGB")).astype(float) / 255
    middle = pixels.shape[1] // 2
    part: Any = pixels[:, :middle] if half == "left" else pixels[:, middle:]
    return float((part[..., 1] - part[..., 0]).mean())


def test_with_the_embedded_models_each_half_gets_its_own_colour() -> None:
    pictures = {}
    for name, prompts in {
        "with": "[left] a red boat | [right] a green tree",
        "without": "a red boat | a green tree",
    }.items():
        settings = Settings(prompts=prompts, drawer="pixel", start="noise", iterations=15, size=64, num_cuts=8, seed=3)
        run = Run(settings.with_(device="cpu"))
        list(run)
        pictures[name] = run.artwork.image
    apart = {name: greener(picture, "right") - greener(picture, "left") for name, picture in pictures.items()}
    assert greener(pictures["with"], "left") < -0.1
    assert greener(pictures["with"], "right") > 0.03
    assert apart["with"] > apart["without"] + 0.1
