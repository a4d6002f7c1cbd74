"""Views show the picture from many sides, cost one resampling, and are the same however they are split."""

import math

import pytest
import torch
from torch import Tensor

from text2art_nb.optimization.cutouts import Pyramid, draw_field, draw_views, straight_view


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def ramp(width: int, height: int) -> Tensor:
    """A picture whose red is x and whose green is y, both 0..1."""
    y, x = torch.meshgrid(torch.linspace(0, 1, height), torch.linspace(0, 1, width), indexing="ij")
    return torch.stack([x, y, torch.zeros_like(x)])[None]


def test_the_last_view_is_the_whole_picture_as_it_is() -> None:
    views = draw_views(5, (64, 64), 1, generator())
    seen = Pyramid(ramp(64, 64), 32).see(views.part(4, 5), draw_field(32, generator()))[0, 0]
    expected = Pyramid(ramp(64, 64), 32).see(straight_view(), None)[0, 0]
    torch.testing.assert_close(seen, expected)
    assert seen[0, 0, 0] < 0.02
    assert seen[0, 0, -1] > 0.98


@pytest.mark.parametrize("size", [(64, 64), (200, 50), (33, 87)])
def test_zooms_lie_inside_the_picture_and_are_not_distorted(size: tuple[int, int]) -> None:
    views = draw_views(400, size, 0, generator())
    # Without perspective the rows are (half width, 0, centre) and (0, half height, centre).
    flat = views.homographies[: views.zooms][views.homographies[: views.zooms, 2, :2].abs().sum(1) == 0]
    assert len(flat) > 30
    half, centre = torch.stack([flat[:, 0, 0], flat[:, 1, 1]], 1), flat[:, :2, 2]
    assert (centre.abs() + half <= 1 + 1e-5).all()
    aspect = half[:, 0] * size[0] / (half[:, 1] * size[1])
    assert aspect.min() >= 0.84
    assert aspect.max() <= 1.21
    area = half.prod(1) * size[0] * size[1] / min(size) ** 2
    assert 0.2 < area.min() < 0.35
    assert 0.8 < area.max() <= 1.0


def test_about_sixty_percent_are_zooms() -> None:
    assert draw_views(31, (64, 64), 0, generator()).zooms == 18


def test_every_view_is_another() -> None:
    seen = Pyramid(torch.rand(1, 3, 48, 48), 32).see(draw_views(20, (48, 48), 0, generator()), None)[0]
    assert len({view.numpy().tobytes() for view in seen}) == 20


def test_splitting_into_micro_batches_changes_nothing() -> None:
    image = torch.rand(2, 3, 40, 60)
    views, field = draw_views(11, (60, 40), 3, generator()), draw_field(24, generator(1))
    pyramid = Pyramid(image, 24)
    whole = pyramid.see(views, field)
    parts = [pyramid.see(views.part(start, min(start + 3, 11)), field) for start in range(0, 11, 3)]
    torch.testing.assert_close(torch.cat(parts, 1), whole, rtol=0, atol=0)
    torch.testing.assert_close(pyramid.see(views, field, slice(1, 2))[0], whole[1], rtol=0, atol=0)


def test_candidates_are_shown_from_the_same_sides() -> None:
    image = torch.rand(1, 3, 32, 32).expand(3, -1, -1, -1)
    seen = Pyramid(image, 16).see(draw_views(6, (32, 32), 0, generator()), draw_field(16, generator()))
    torch.testing.assert_close(seen[0], seen[2], rtol=0, atol=0)


def test_the_gradient_reaches_every_pixel_of_a_large_picture() -> None:
    image = torch.rand(1, 3, 150, 90, requires_grad=True)
    pyramid = Pyramid(image, 32)
    pyramid.see(straight_view(), None).sum().backward()
    pyramid.backward()
    assert image.grad is not None
    assert (image.grad.abs().sum(1) > 0).all()


def test_the_gathered_gradient_is_the_true_one() -> None:
    """The two-stage backward against plain autograd, by finite differences in float64."""
    image = torch.rand(1, 3, 12, 12, dtype=torch.float64)
    views = draw_views(3, (12, 12), 1, generator(), strength=0.5)

    def total(picture: Tensor) -> Tensor:
        return Pyramid(picture, 8).see(views, None).sin().sum()

    leaf = image.clone().requires_grad_()
    pyramid = Pyramid(leaf, 8)
    pyramid.see(views, None).sin().sum().backward()
    pyramid.backward()
    assert leaf.grad is not None
    for place in [(0, 0, 5, 5), (0, 2, 0, 11), (0, 1, 7, 3)]:
        step = torch.zeros_like(image)
        step[place] = 1e-6
        slope = (total(image + step) - total(image - step)) / 2e-6
        assert math.isclose(slope.item(), leaf.grad[place].item(), rel_tol=1e-3, abs_tol=1e-6)


def test_a_grey_picture_keeps_its_grey_when_colours_stray() -> None:
    views = draw_views(30, (32, 32), 0, generator())
    seen = Pyramid(torch.full((1, 3, 32, 32), 0.5), 16).see(views, None)
    torch.testing.assert_close(seen, torch.full_like(seen, 0.5), atol=1e-4, rtol=0)


def test_colours_stray_and_can_be_told_not_to() -> None:
    red = torch.tensor([0.8, 0.2, 0.2]).view(1, 3, 1, 1).expand(1, 3, 32, 32)
    lively = Pyramid(red, 16).see(draw_views(30, (32, 32), 0, generator(), strength=1), None)
    still = Pyramid(red, 16).see(draw_views(30, (32, 32), 0, generator(), strength=0), None)
    assert lively.std(1).max() > 0.02
    assert still.std(1).max() < 1e-3
