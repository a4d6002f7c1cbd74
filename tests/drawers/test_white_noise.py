"""The projection onto white noise: its norms, its fixed points, what it leaves alone and what it mends."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from text2art_nb.drawers.turbo import TurboDrawer, norm_prior
from text2art_nb.drawers.white_noise import _rings, white_projection
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

CPU = torch.device("cpu")
SHAPES = [(2, 4, 64, 64), (1, 4, 48, 88), (1, 2, 9, 7), (1, 4, 6, 10)]


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def smooth(white: Tensor) -> Tensor:
    """Noise with too much power in its low frequencies, but of the right variance."""
    blurred = torch.nn.functional.avg_pool2d(white, 3, stride=1, padding=1)
    return blurred / blurred.std()


def sparse(white: Tensor) -> Tensor:
    """A few waves in the place of noise."""
    spectrum = torch.fft.rfft2(white, norm="ortho")
    return torch.fft.irfft2(torch.where(spectrum.abs() > 1.2, spectrum, 0), s=white.shape[-2:], norm="ortho")


def norms(image: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """l1 and squared l2 norm of each block of the spectrum, and what white noise has there in the mean."""
    places, counted, expected, _ = _rings(*image.shape[-2:], CPU)
    magnitude = torch.fft.rfft2(image.double(), norm="ortho").abs().flatten(-2)[..., places]
    found = (counted * magnitude).sum(-1), (counted * magnitude.square()).sum(-1)
    return *found, (counted * expected).sum(-1), counted.sum(-1)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "spoil", [lambda white: white, smooth, sparse, lambda white: 3 * white, lambda white: 0.2 * white]
)
def test_every_block_has_the_norms_of_white_noise(shape: tuple[int, ...], spoil: Callable[[Tensor], Tensor]) -> None:
    projected = white_projection(spoil(noise(*shape)))
    l1, l2, wanted_l1, wanted_l2 = norms(projected)
    assert projected.shape == shape
    torch.testing.assert_close(l1, wanted_l1.double().expand_as(l1), rtol=2e-3, atol=2e-3)
    torch.testing.assert_close(l2, wanted_l2.double().expand_as(l2), rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize("shape", SHAPES)
def test_every_frequency_counts_as_often_as_it_stands_in_the_whole_spectrum(shape: tuple[int, ...]) -> None:
    places, counted, _, twins = _rings(*shape[-2:], CPU)
    inside = counted > 0
    assert len(places[inside].unique()) == inside.sum()
    assert set(twins.tolist()) == set(places[inside].tolist())
    assert counted.sum() == shape[-2] * shape[-1]


def test_what_white_noise_is_expected_to_have_is_what_it_has() -> None:
    l1, l2, wanted_l1, wanted_l2 = norms(noise(400, 4, 16, 18))
    torch.testing.assert_close(l1.mean((0, 1)), wanted_l1.double(), rtol=0.01, atol=0)
    torch.testing.assert_close(l2.mean((0, 1)), wanted_l2.double(), rtol=0.01, atol=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_to_project_twice_is_to_project_once(shape: tuple[int, ...]) -> None:
    once = white_projection(smooth(noise(*shape)))
    torch.testing.assert_close(white_projection(once), once, atol=2e-3, rtol=0)


def test_white_noise_is_left_nearly_alone_and_other_noise_is_not() -> None:
    white = noise(8, 4, 64, 64)

    def moved(before: Tensor) -> float:
        return float((white_projection(before) - before).norm() / before.norm())

    assert moved(white) < 0.1
    assert moved(smooth(white)) > 0.3
    assert moved(sparse(white)) > 0.2


def test_the_phases_stay() -> None:
    before = noise(1, 4, 32, 32)
    turned = torch.fft.rfft2(white_projection(before)) * torch.fft.rfft2(before).conj()
    assert turned.real.min() > -1e-4 * turned.abs().max()
    assert turned.imag.abs().max() < 1e-4 * turned.abs().max()


def test_it_is_the_nearest_with_these_norms() -> None:
    """No other magnitudes with the same norms, made by small turns of three of them, are nearer."""
    before = smooth(noise(1, 1, 8, 8))
    rings, counted, _, _ = _rings(8, 8, CPU)
    old, new = (
        torch.fft.rfft2(each.double(), norm="ortho").abs().flatten()[rings][0]
        for each in (before, white_projection(before))
    )
    weight = counted[0].double()
    least = float((weight * (new - old).square()).sum())
    generator = torch.Generator().manual_seed(1)
    twice = (weight == 2).nonzero().flatten()
    for _ in range(300):
        places = twice[torch.randperm(len(twice), generator=generator)[:3]]
        three, angle = new[places], float(torch.rand(1, generator=generator)) * 0.5 + 0.01
        axis = torch.ones(3, dtype=torch.float64) / math.sqrt(3)  # turning around it keeps the sum and the squares
        turned = (
            three * math.cos(angle)
            + torch.linalg.cross(axis, three) * math.sin(angle)
            + axis * (axis @ three) * (1 - math.cos(angle))
        )
        if turned.min() < 0:
            continue
        other = new.clone()
        other[places] = turned
        assert float((weight * (other - old).square()).sum()) >= least - 1e-6


def test_it_mends_what_the_norm_prior_does_not_see() -> None:
    """Smooth noise of the right length has no norm loss, but is no white noise."""
    wrong = smooth(noise(1, 4, 64, 64))
    wrong *= math.sqrt(wrong[0].numel() - 1) / wrong.norm()
    assert float(norm_prior(wrong)) < 1e-2

    def neighbours(image: Tensor) -> float:
        return float((image[..., 1:] * image[..., :-1]).mean())

    assert neighbours(wrong) > 0.5
    assert abs(neighbours(white_projection(wrong))) < 0.1


@pytest.mark.parametrize("spoil", [torch.zeros_like, torch.ones_like])
def test_what_is_no_noise_at_all_ends_in_finite_numbers(spoil: Callable[[Tensor], Tensor]) -> None:
    assert white_projection(spoil(noise(1, 4, 16, 16))).isfinite().all()


@pytest.mark.parametrize(("prior", "held"), [("white", True), ("norm", False)])
def test_the_setting_chooses(tiny: Callable[..., Settings], prior: str, held: bool) -> None:
    run = Run(tiny(drawer="turbo", iterations=3, noise_prior=prior, keep="last"))
    frames = list(run)
    drawer = run._prepare().drawer
    assert isinstance(drawer, TurboDrawer)
    l1, _, wanted_l1, _ = norms(drawer.noise.detach())
    assert torch.allclose(l1, wanted_l1.double().expand_as(l1), rtol=5e-3) == held
    assert ("norm" in frames[-1].losses) == (not held)


def test_it_is_renos_where_nobody_says() -> None:
    assert Settings(prompts="a cat", drawer="turbo").resolved().noise_prior == "norm"
