"""The fft drawer: every picture has its spectrum, at any size, and what fades is fine detail."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from text2art_nb import drawers
from text2art_nb.drawers.fft import FFTDrawer
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

Tiny = Callable[..., Settings]
SIZES = [(48, 32), (47, 33), (33, 48), (16, 31)]


def drawer(size: tuple[int, int] = (48, 32), candidates: int = 1, seed: int = 0, **asked: float) -> FFTDrawer:
    return FFTDrawer(size, candidates, torch.Generator().manual_seed(seed), **asked)


def some_picture(size: tuple[int, int], count: int = 1) -> Tensor:
    """Noise, with pure black, pure white and a pure colour in it: [count,3,H,W]."""
    picture = torch.rand(count, 3, size[1], size[0], generator=torch.Generator().manual_seed(3))
    picture[..., :5, :5] = 0
    picture[..., 5:9, :5] = 1
    picture[:, 0, 9:, :5] = 1
    return picture


def psnr(a: Tensor, b: Tensor) -> float:
    return float(-10 * (a - b).detach().square().mean().log10())


def roughness(picture: Tensor) -> float:
    return float((picture[..., 1:] - picture[..., :-1]).square().mean() / picture.var())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("decay", [0.0, 1.5, 3.0])
def test_it_starts_from_a_picture_exactly_at_odd_and_even_sizes(size: tuple[int, int], decay: float) -> None:
    built, picture = drawer(size, decay=decay), some_picture(size)
    built.start_from(picture)
    assert psnr(built.render(), picture) > 50


def test_each_candidate_starts_from_its_own_picture() -> None:
    built, pictures = drawer(candidates=2), some_picture((48, 32), count=2)
    built.start_from(pictures)
    assert psnr(built.render(), pictures) > 50


def test_it_is_sharp_to_the_pixel() -> None:
    stripes = torch.zeros(1, 3, 33, 47)
    stripes[..., ::2] = 1
    built = drawer((47, 33))
    built.start_from(stripes)
    assert psnr(built.render(), stripes) > 50


def test_constrain_leaves_a_picture_as_it_is() -> None:
    built, picture = drawer(), some_picture((48, 32))
    built.start_from(picture)
    built.constrain()
    assert psnr(built.render(), picture) > 50


def test_constrain_bounds_the_spectrum() -> None:
    built = drawer()
    usual = drawer()
    usual.start_from(some_picture((48, 32)))
    with torch.no_grad():
        built.spectrum.mul_(1e6)
    built.constrain()
    assert built.spectrum.norm() < 3 * usual.spectrum.norm()


def test_a_picture_that_is_pure_white_can_still_be_pulled_back() -> None:
    built = drawer()
    built.start_from(torch.ones(1, 3, 32, 48))
    built.render().sum().backward()
    assert built.spectrum.grad is not None
    assert built.spectrum.grad.abs().max() > 0.1


def test_a_steeper_decay_starts_smoother() -> None:
    soft, rough = (drawer(decay=decay, candidates=4).render().detach() for decay in (2.5, 1.0))
    assert roughness(soft) < roughness(rough) / 2


def test_more_colours_are_more_saturated() -> None:
    plain, vivid = (drawer(colours=colours, candidates=4).render().detach() for colours in (1.0, 3.0))
    assert (vivid - vivid.mean(1, keepdim=True)).std() / vivid.std() > (plain - plain.mean(1, keepdim=True)).std() / (
        plain.std()
    )


def test_sharpness_is_rewarded_where_it_is_asked_for() -> None:
    plain, keen = drawer(sharp=0.0), drawer(sharp=0.3, candidates=2)
    assert plain.losses() == {}
    stripes = torch.zeros(2, 3, 32, 48)
    stripes[1, ..., ::2] = 1
    keen.start_from(stripes)
    flat, striped = keen.losses()["sharp"].tolist()
    assert striped < flat - 0.2
    assert flat == pytest.approx(0, abs=1e-4)


def test_small_eyes_get_a_steeper_decay_and_no_reward_for_sharpness() -> None:
    embedded = Settings(prompts="a cat", drawer="fft").resolved()
    real = Settings(prompts="a cat", drawer="fft", model="full").resolved()
    assert (real.fft_decay, real.fft_sharp) == (1.5, 0.3)
    assert (embedded.fft_decay or 0) > 1.5
    assert embedded.fft_sharp == 0


def test_what_is_asked_for_is_kept() -> None:
    asked = Settings(prompts="a cat", drawer="fft", fft_decay=1, fft_sharp=0.7).resolved()
    assert (asked.fft_decay, asked.fft_sharp) == (1, 0.7)


def test_a_run_that_was_killed_ends_in_the_very_same_picture(tiny: Tiny, tmp_path: object) -> None:
    settings = tiny(drawer="fft", candidates=2, fft_sharp=0.3, iterations=4, size=(47, 33))
    whole = Run(settings)
    for frame in whole:
        if frame.iteration == 2:
            whole.save(f"{tmp_path}/half")
    again = Run.load(f"{tmp_path}/half")
    for _ in again:
        pass
    assert again.artwork.image.tobytes() == whole.artwork.image.tobytes()


def test_a_proposal_gets_better_and_stays_the_picture_that_it_was() -> None:
    settings = Settings(prompts="a red castle in the snow", drawer="fft", size=(64, 64), seed=1, iterations=16)
    frames = [(frame.score, frame.pixels) for frame in Run(settings.with_(num_cuts=8))]
    (first_score, first), (last_score, last) = frames[0], frames[-1]
    assert last_score > first_score
    assert psnr(torch.as_tensor(last) / 255, torch.as_tensor(first) / 255) > 16


def test_the_drawer_is_built_with_its_settings() -> None:
    settings = Settings(prompts="a cat", drawer="fft", size=(33, 47), fft_decay=2.5, seed=1)
    built = drawers.build(settings, torch.device("cpu"), torch.Generator().manual_seed(0))
    assert isinstance(built, FFTDrawer)
    assert built.spectrum.shape == (1, 3, 47, 17, 2)
    assert torch.equal(built.scale, drawer((33, 47), decay=2.5).scale)
