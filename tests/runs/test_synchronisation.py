"""An iteration crosses to the card and back as rarely as it can: two uploads and one read-back, strokes one more."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests import tiny_models
from tests.card import CARD, Card, OnCard, counted
from text2art_nb.drawers import brush
from text2art_nb.optimization import loop
from text2art_nb.optimization.loop import Loop
from text2art_nb.settings import Settings

Tiny = Callable[..., Settings]


@pytest.mark.parametrize(
    "deliberate",
    [
        lambda: torch.tensor([1.0, 2.0], device=CARD),
        lambda: torch.ones(3).to(CARD),
        lambda: torch.ones(3, device=CARD).copy_(torch.ones(3)),
        lambda: torch.ones(3, device=CARD).new_tensor([1.0]),
        lambda: torch.as_tensor([1.0], device=CARD),
    ],
)
def test_the_card_sees_an_upload(deliberate: Callable[[], Any]) -> None:
    uploads, readbacks = counted(deliberate)
    assert (len(uploads), len(readbacks)) == (1, 0)


@pytest.mark.parametrize(
    "deliberate",
    [
        lambda on: on.sum().item(),
        lambda on: on.tolist(),
        lambda on: bool((on > 0).any()),
        lambda on: float(on[0]),
        lambda on: on.nonzero(),
        lambda on: on[on > 0],
        lambda on: on.cpu(),
        lambda on: torch.zeros(3).copy_(on),
        lambda on: on.long().bincount(),
        lambda on: on.unique_consecutive(),
        lambda on: on.repeat_interleave(on.long()),
        lambda on: torch.equal(on, on),
    ],
)
def test_the_card_sees_a_read_back(deliberate: Callable[[torch.Tensor], Any]) -> None:
    with Card() as card:
        on = torch.ones(3, device=CARD)
        card.reset()
        deliberate(on)
        assert (len(card.uploads), len(card.readbacks)) == (0, 1), (card.uploads, card.readbacks)


def test_the_card_computes_what_the_cpu_does() -> None:
    with Card() as card:
        on = torch.arange(6.0, device=CARD).view(2, 3).requires_grad_()
        (on @ on.T).relu().sum().backward()
        assert isinstance(on.grad, OnCard)
        here = torch.arange(6.0).view(2, 3).requires_grad_()
        (here @ here.T).relu().sum().backward()
        assert here.grad is not None
        assert (card.uploads, card.readbacks) == ([], [])
        assert on.grad.held.equal(here.grad)


@pytest.fixture
def counting(monkeypatch: pytest.MonkeyPatch) -> Callable[[Settings], tuple[list[str], list[str]]]:
    """Counts what the third iteration of a picture uploads and reads back; by then all that is kept is there."""
    autocast = torch.autocast
    monkeypatch.setattr(loop, "pick_device", lambda name: CARD)
    # torch knows no autocast there; it is only switched off.
    monkeypatch.setattr(
        torch, "autocast", lambda kind, *args, **more: autocast("cpu" if kind == CARD.type else kind, *args, **more)
    )

    def count(settings: Settings) -> tuple[list[str], list[str]]:
        with Card() as card:
            drawing = Loop(settings.resolved())
            for _ in range(3):
                card.reset()
                assert drawing.step() is not None
            return card.uploads, card.readbacks

    return count


FEW = {"size": (64, 48), "num_cuts": 6, "iterations": 8}
CASES: dict[str, dict[str, Any]] = {
    "full": {},
    "full, kept": {"keep": "best", "losses": "smoothness:1,saturation:1,edge:1,vignette:1"},
    "full, palette": {"palette": "pico-8", "losses": "palette:1", "filters": "lookup"},
    "full, regions": {"prompts": "[left] a cat | [right] a dog", "micro_batch": 3},
    "full, in time": {"prompts": "a seed ^ a flower"},
    "pixel": {"drawer": "pixel"},
    "pixel, palette": {"drawer": "pixel", "palette": "pico-8", "pixel_type": "hex"},
    "pixel, transparent": {"drawer": "pixel", "transparent": True},
    "fft": {"drawer": "fft"},
}
STROKES: dict[str, dict[str, Any]] = {
    "paint": {"drawer": "strokes", "strokes": 12},
    "lines": {"drawer": "strokes", "strokes": 12, "stroke_kind": "line"},
}


@pytest.mark.parametrize("case", CASES)
def test_an_iteration_uploads_at_most_twice_and_reads_back_once(
    tiny: Tiny, counting: Callable[[Settings], tuple[list[str], list[str]]], case: str
) -> None:
    uploads, readbacks = counting(tiny(**{**FEW, **CASES[case]}))
    assert len(uploads) <= 2, uploads
    assert len(readbacks) <= 1, readbacks


def test_eyes_of_other_sizes_share_the_upload(
    tiny: Tiny, tmp_path: Path, counting: Callable[[Settings], tuple[list[str], list[str]]]
) -> None:
    eyes = [str(tiny_models.save_clip(tmp_path / str(size), size=size)) for size in (32, 48)]
    uploads, readbacks = counting(tiny(**FEW, perceptors=eyes))
    assert (len(uploads), len(readbacks)) == (1, 1)


@pytest.mark.parametrize("case", STROKES)
def test_strokes_also_read_back_where_they_lie(
    tiny: Tiny, counting: Callable[[Settings], tuple[list[str], list[str]]], case: str
) -> None:
    uploads, readbacks = counting(tiny(**{**FEW, **STROKES[case]}))
    assert len(uploads) <= 2, uploads
    assert len(readbacks) <= 2, readbacks


def test_strokes_are_the_same_on_a_card() -> None:
    generator = torch.Generator().manual_seed(3)
    points = torch.rand(2, 9, 7, 2, generator=generator) * 40
    widths = torch.rand(2, 9, generator=generator) * 6
    colours = torch.rand(2, 9, 4, generator=generator)
    pull = torch.randn(2, 3, 40, 48, generator=generator)

    def painted(device: torch.device) -> list[torch.Tensor]:
        given = [each.clone().to(device).requires_grad_() for each in (points, widths, colours)]
        picture = brush.paint(*given, torch.ones(3, device=device), (48, 40))
        picture.backward(pull.to(device))
        return [picture.detach(), *(each.grad for each in given if each.grad is not None)]

    here = painted(torch.device("cpu"))
    with Card():
        there = painted(CARD)
        assert len(here) == len(there) == 4
        for ours, theirs in zip(here, there, strict=True):
            assert isinstance(theirs, OnCard)
            torch.testing.assert_close(theirs.held, ours, rtol=1e-4, atol=1e-5)
