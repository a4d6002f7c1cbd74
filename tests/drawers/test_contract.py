"""Every drawer keeps the contract: any size, init image, candidates, gradients to its parameters and nowhere else."""

from collections.abc import Callable

import pytest
import torch
from PIL import Image

from text2art_nb import drawers
from text2art_nb.drawers import Drawer
from text2art_nb.drawers.pixel import PixelDrawer
from text2art_nb.settings import Settings

Tiny = Callable[..., Settings]
CPU = torch.device("cpu")
OURS = ["vqgan", "pixel", "fft", "taesd", "generator", "turbo", "strokes"]


def build(settings: Settings, seed: int = 0) -> Drawer:
    return drawers.build(settings, CPU, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("drawer", OURS)
@pytest.mark.parametrize("size", [(64, 64), (65, 47), (16, 90), (512, 300)])
def test_it_draws_at_any_size(tiny: Tiny, drawer: str, size: tuple[int, int]) -> None:
    built = build(tiny(drawer=drawer, size=size, candidates=2))
    picture = built.enlarge(built.finish(), size)
    assert picture.shape == (2, 3, size[1], size[0])
    assert 0 <= picture.min() <= picture.max() <= 1


@pytest.mark.parametrize("drawer", OURS)
def test_the_gradient_reaches_all_its_parameters_and_nothing_frozen(tiny: Tiny, drawer: str) -> None:
    built = build(tiny(drawer=drawer))
    built.render().square().sum().backward()
    parameters = list(built.parameters())
    assert parameters
    assert all(parameter.grad is not None and parameter.grad.abs().sum() > 0 for parameter in parameters)
    assert sum(parameter.numel() for parameter in parameters) < 20_000


@pytest.mark.parametrize("drawer", OURS)
def test_candidates_start_differently_and_are_the_first_axis_of_every_parameter(tiny: Tiny, drawer: str) -> None:
    built = build(tiny(drawer=drawer, candidates=3))
    assert all(len(parameter) == 3 for parameter in built.parameters())
    first, second, third = built.render().detach()
    assert not torch.equal(first, second)
    assert not torch.equal(second, third)


@pytest.mark.parametrize("drawer", OURS)
def test_the_start_depends_on_the_generator_alone(tiny: Tiny, drawer: str) -> None:
    settings = tiny(drawer=drawer)
    assert torch.equal(build(settings).render(), build(settings).render())
    assert not torch.equal(build(settings).render(), build(settings, seed=1).render())


@pytest.mark.parametrize("drawer", OURS)
def test_constrain_brings_parameters_back(tiny: Tiny, drawer: str) -> None:
    built = build(tiny(drawer=drawer))
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.mul_(1000)
    built.constrain()
    now = built.render().detach()
    built.constrain()
    assert 0 <= now.min() <= now.max() <= 1
    torch.testing.assert_close(built.render().detach(), now, atol=1e-4, rtol=0)


def test_the_pixel_drawer_starts_from_a_picture_exactly(tiny: Tiny) -> None:
    built = build(tiny(drawer="pixel", size=(32, 32), pixel_size=(8, 8)))
    cells = torch.rand(1, 3, 8, 8)
    built.start_from(torch.nn.functional.interpolate(cells, (32, 32), mode="nearest"))
    assert (built.render()[0, :, ::4, ::4] - cells[0]).abs().mean() < 0.1


def test_pixel_art_is_made_of_plain_cells(tiny: Tiny) -> None:
    built = build(tiny(drawer="pixel", size=(60, 40), pixel_size=(6, 4)))
    blocks = built.finish()[0].unfold(1, 10, 10).unfold(2, 10, 10)
    assert torch.equal(blocks.amax((-1, -2)), blocks.amin((-1, -2)))


@pytest.mark.parametrize(
    ("changes", "grid"),
    [
        ({"aspect": "square", "size": None}, (40, 40)),
        ({"aspect": "portrait", "size": None}, (40, 50)),
        ({"aspect": "widescreen", "size": None}, (80, 45)),
        ({"pixel_size": (20, 10)}, (20, 10)),
        ({"aspect": "square", "size": None, "pixel_scale": 2}, (20, 20)),
    ],
)
def test_the_grid_is_pixrays(tiny: Tiny, changes: dict[str, object], grid: tuple[int, int]) -> None:
    built = build(tiny(drawer="pixel", **changes))
    assert isinstance(built, PixelDrawer)
    assert (built.cells.shape[-1], built.cells.shape[-2]) == grid


def test_an_unknown_drawer_names_the_nearest(tiny: Tiny) -> None:
    with pytest.raises(ValueError, match="did you mean 'pixel'"):
        tiny(drawer="pixle")


def test_an_init_image_of_any_shape_is_taken(tiny: Tiny) -> None:
    settings = tiny(drawer="vqgan", init_image=Image.new("L", (7, 300), 90))
    assert settings.init_image is not None
