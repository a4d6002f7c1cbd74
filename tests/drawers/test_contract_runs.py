"""In a run every drawer keeps the contract: pictures to start from, candidates, steering, a kill, and no surprises."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.drawers.contract_settings import CASES, CHAINS, contract_settings
from text2art_nb.drawers import names
from text2art_nb.drawers.base import Frozen
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

Tiny = Callable[..., Settings]
ALL = [*CASES, "chain", *(pytest.param(each, marks=pytest.mark.nightly) for each in CHAINS if each != "chain")]
FEW: dict[str, object] = {"iterations": 4, "num_cuts": 2}


def asked(tiny: Tiny, case: str, **changes: object) -> Settings:
    return tiny(**{**FEW, **contract_settings(case), **changes})


def finish(run: Run) -> bytes:
    for _ in run:
        pass
    return run.artwork.image.tobytes()


def gradient_picture(size: tuple[int, int]) -> Image.Image:
    """A picture that is dark on the left and light on the right."""
    row = np.linspace(0, 255, size[0]).astype(np.uint8)
    return Image.fromarray(np.broadcast_to(row, (size[1], size[0])).copy())


def test_every_drawer_is_among_the_cases() -> None:
    assert set(names()) == {str(case["drawer"]) for case in CASES.values()}


@pytest.mark.parametrize("case", ALL)
def test_the_same_settings_draw_the_same_picture(tiny: Tiny, case: str) -> None:
    settings = asked(tiny, case)
    assert finish(Run(settings)) == finish(Run(settings))


@pytest.mark.parametrize("case", ALL)
def test_a_run_with_candidates_goes_on_after_a_kill_to_the_byte_identical_picture(
    tiny: Tiny, tmp_path: Path, case: str
) -> None:
    run = Run(asked(tiny, case, candidates=2, keep="best"))
    next(run), next(run)
    run.save(tmp_path / "killed.safetensors")
    assert finish(Run.load(tmp_path / "killed.safetensors")) == finish(run)


@pytest.mark.parametrize("case", ALL)
def test_a_steered_run_is_drawn_again_from_its_recipe(tiny: Tiny, case: str) -> None:
    run = Run(asked(tiny, case, candidates=2))
    next(run)
    run.steer(prompts="a dog:2", candidate=1)
    picture = finish(run)
    assert run.settings.steering[0].changes == {"prompts": "a dog:2", "candidate": 1}
    assert finish(Run(run.artwork.settings)) == picture


@pytest.mark.parametrize("case", ALL)
def test_it_starts_from_a_picture_of_any_shape(tiny: Tiny, case: str) -> None:
    first, other = (
        next(Run(asked(tiny, case, init_image=picture, start="image")))
        for picture in (gradient_picture((70, 31)), gradient_picture((31, 70)).rotate(180))
    )
    assert first.image.size == other.image.size == (48, 32)
    # A tiny decoder of random numbers shows both in the same bytes: only its own numbers tell them apart.
    assert not torch.equal(first._canvas, other._canvas)


@pytest.mark.parametrize("case", ["vqgan pyramid", "pixel", "pixel hex", "pixel transparent", "strokes", "fft"])
def test_what_has_no_random_weights_shows_the_picture_that_it_starts_from(tiny: Tiny, case: str) -> None:
    more = {"strokes": 80} if case == "strokes" else {}
    begun = asked(tiny, case, **more, init_image=gradient_picture((48, 32)), start="image")
    shown = next(Run(begun)).image.convert("L")
    columns = np.asarray(shown, dtype=float).mean(0)
    assert np.corrcoef(columns, np.arange(48))[0, 1] > 0.9


@pytest.mark.parametrize("case", ALL)
def test_the_camera_and_an_overlay_work_with_it(tiny: Tiny, tmp_path: Path, case: str) -> None:
    red = Image.new("RGB", (8, 8), (255, 0, 0))
    run = Run(asked(tiny, case, iterations=2, motion="zoom 1.1", motion_every=1, overlay_image=red, overlay_every=1))
    next(run)
    run.save(tmp_path / "killed.safetensors")
    assert finish(Run.load(tmp_path / "killed.safetensors")) == finish(run)


@pytest.mark.parametrize("case", list(CASES))
def test_candidates_do_not_pull_on_each_other(tiny: Tiny, case: str) -> None:
    loop = Run(asked(tiny, case, candidates=3))._prepare()
    loop.drawer.anneal(0.0)
    loop.drawer.render()[1].square().sum().backward()
    for parameter in loop.drawer.parameters():
        assert parameter.grad is not None
        assert parameter.grad[1].abs().sum() > 0 or parameter.grad.abs().sum() == 0
        assert parameter.grad[[0, 2]].abs().sum() == 0


@pytest.mark.parametrize("case", ALL)
def test_no_gradient_leaks_into_what_is_frozen_shown_or_kept(tiny: Tiny, case: str) -> None:
    run = Run(asked(tiny, case, keep="average"))
    frame, _ = next(run), next(run)
    loop = run._prepare()
    frozen = [each.network for each in vars(loop.drawer).values() if isinstance(each, Frozen)]
    weights = [weight for network in frozen for weight in network.parameters()]
    assert all(weight.grad is None and not weight.requires_grad for weight in weights)
    tensors, _ = loop.state()
    assert not any(tensor.requires_grad for tensor in [*tensors.values(), frame._canvas])
    assert all(torch.isfinite(tensor).all() for tensor in tensors.values())


@pytest.mark.parametrize(
    "size", [(33, 65), *(pytest.param(each, marks=pytest.mark.nightly) for each in [(65, 129), (512, 64)])]
)
@pytest.mark.parametrize("case", list(CASES))
def test_a_picture_of_any_size_is_drawn(tiny: Tiny, case: str, size: tuple[int, int]) -> None:
    run = Run(asked(tiny, case, size=size, iterations=1, pixel_size=None))
    assert next(run).image.size == size
    assert run.artwork.image.size == size
