"""Losses measure what their names say, one number a candidate."""

import math

import pytest
import torch

from text2art_nb.objectives import Targets, palette_distance, saturation, smoothness, spherical_distance, symmetry


def unit(*values: float) -> torch.Tensor:
    vector = torch.tensor(values, dtype=torch.float32)
    return vector / vector.norm()


@pytest.mark.parametrize("angle", [0.01, 0.5, math.pi / 2, 3.0])
def test_the_spherical_distance_is_half_the_squared_angle(angle: float) -> None:
    there = torch.tensor([math.cos(angle), math.sin(angle)])
    assert spherical_distance(unit(1, 0), there).item() == pytest.approx(angle**2 / 2, rel=1e-3)


def test_the_spherical_distance_has_a_finite_gradient_where_both_agree() -> None:
    here = unit(1, 0).requires_grad_()
    spherical_distance(here, unit(1, 0)).backward()
    assert here.grad is not None
    assert torch.isfinite(here.grad).all()


def targets(weight: float, stop: float = -math.inf) -> Targets:
    return Targets(unit(1, 0)[None], torch.tensor([weight]), torch.tensor([stop]))


def test_a_positive_prompt_pulls_and_a_negative_one_pushes() -> None:
    for weight, sign in ((2.0, -1), (-0.5, 1)):
        seen = unit(0.5, 0.8)[None, None].requires_grad_()
        targets(weight).distance(seen).sum().backward()
        assert seen.grad is not None
        assert torch.sign(seen.grad[0, 0, 0]) == sign


def test_below_its_stop_a_prompt_no_longer_pulls() -> None:
    near, far = unit(1, 0.1), unit(0, 1)
    seen = torch.stack([near, far])[None].requires_grad_()
    targets(1.0, stop=0.3).distance(seen).sum().backward()
    assert seen.grad is not None
    assert seen.grad[0, 0].abs().sum() == 0
    assert seen.grad[0, 1].abs().sum() > 0


def test_the_score_is_the_weighted_cosine() -> None:
    both = Targets(torch.stack([unit(1, 0), unit(0, 1)]), torch.tensor([3.0, -1.0]), torch.full((2,), -math.inf))
    assert both.score(unit(1, 0)[None]).item() == pytest.approx(0.75)
    assert both.score(unit(0, 1)[None]).item() == pytest.approx(-0.25)


def test_smoothness_is_larger_for_noise_than_for_a_gradient() -> None:
    noise = torch.rand(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    ramp = torch.linspace(0, 1, 16).expand(1, 3, 16, 16)
    assert smoothness(noise) > 10 * smoothness(ramp) > 0


def test_saturation_is_lower_for_vivid_pictures() -> None:
    grey = torch.full((1, 3, 4, 4), 0.5)
    vivid = torch.eye(3).repeat(2, 2)[:4, :4].expand(3, 4, 4)[None] * torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1)
    assert saturation(vivid) < saturation(grey)


def test_symmetry_is_zero_for_a_mirror_image() -> None:
    half = torch.rand(1, 3, 8, 4)
    assert symmetry(torch.cat([half, half.flip(-1)], -1)).item() == 0
    assert symmetry(torch.cat([half, half], -1)).item() > 0


def test_palette_distance_is_zero_for_its_own_colours_and_one_number_a_candidate() -> None:
    palette = torch.tensor([[1.0, 0, 0], [0, 0, 1.0]])
    red = palette[0].view(1, 3, 1, 1).expand(1, 3, 4, 4)
    grey = torch.full((1, 3, 4, 4), 0.5)
    distances = palette_distance(torch.cat([red, grey]), palette)
    assert distances.tolist() == pytest.approx([0.0, 0.75])
