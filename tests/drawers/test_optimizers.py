"""JointAdam keeps the proportions of the gradient, and candidates apart; what an optimiser remembers can be kept."""

import pytest
import torch
from torch import Tensor

from text2art_nb.drawers.optimizers import JointAdam, calmed, moments_of, set_moments


def moved(gradients: list[Tensor], steps: int = 1, lr: float = 0.1) -> list[Tensor]:
    """How far parameters of zeros go along constant gradients."""
    parameters = [torch.zeros_like(gradient).requires_grad_() for gradient in gradients]
    optimiser = JointAdam([{"params": parameters, "lr": lr}])
    for _ in range(steps):
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient.clone()
        optimiser.step()
    return [parameter.detach() for parameter in parameters]


def test_a_step_has_the_learning_rate_as_its_root_mean_square() -> None:
    gradients = [torch.randn(1, 3, 5), torch.randn(1, 7) * 100]
    steps = torch.cat([step.flatten() for step in moved(gradients)])
    assert steps.square().mean().sqrt().item() == pytest.approx(0.1, rel=1e-4)


def test_the_proportions_of_the_gradient_are_kept() -> None:
    gradient = torch.tensor([[1.0, -0.01, 5.0]])
    (step,) = moved([gradient], steps=3)
    torch.testing.assert_close(step / step[0, 0], gradient / gradient[0, 0])


def test_it_goes_downhill() -> None:
    parameter = torch.full((1, 4), 3.0, requires_grad=True)
    optimiser = JointAdam([{"params": [parameter], "lr": 0.05}])
    for _ in range(200):
        optimiser.zero_grad()
        parameter.square().sum().backward()
        optimiser.step()
    assert parameter.abs().max() < 0.2


def test_a_candidate_moves_as_it_would_alone() -> None:
    gradient = torch.randn(3, 2, 4) * torch.tensor([1.0, 50.0, 0.001]).view(3, 1, 1)
    (together,) = moved([gradient], steps=2)
    for k in range(3):
        torch.testing.assert_close(moved([gradient[k : k + 1]], steps=2)[0], together[k : k + 1])


def test_its_state_is_saved_and_restored_like_any_optimisers() -> None:
    parameter = torch.zeros(1, 3, requires_grad=True)
    first = JointAdam([{"params": [parameter], "lr": 0.1}])
    parameter.grad = torch.ones(1, 3)
    first.step()
    second = JointAdam([{"params": [parameter], "lr": 0.1}])
    second.load_state_dict(first.state_dict())
    before = parameter.detach().clone()
    first.step()
    went = parameter.detach().clone()
    with torch.no_grad():
        parameter.copy_(before)
    second.step()
    assert torch.equal(parameter.detach(), went)


def test_what_it_remembers_can_be_taken_out_put_back_and_calmed() -> None:
    parameter = torch.nn.Parameter(torch.ones(2, 3))
    optimizer = torch.optim.Adam([parameter], lr=0.1)
    parameter.square().sum().backward()
    optimizer.step()
    kept = moments_of(optimizer)
    optimizer.step()
    set_moments(optimizer, kept)
    assert all(torch.equal(value, kept[name]) for name, value in moments_of(optimizer).items())
    quiet = calmed(kept)
    assert not quiet["0.exp_avg"].any()
    assert torch.equal(quiet["0.exp_avg_sq"], kept["0.exp_avg_sq"])
