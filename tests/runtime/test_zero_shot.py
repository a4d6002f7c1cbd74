"""Twelve pictures tell an encoder that knows things from one of random weights, and from one that is read wrongly."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from tests import tiny_models
from text2art_nb import perceptors
from text2art_nb.perceptors import dual_encoder
from text2art_nb.runs import zero_shot
from text2art_nb.runs.zero_shot import THINGS, ZeroShot, captions, pairing_p, pictures
from text2art_nb.training.world import ATTRIBUTES, Scene, render

CPU = torch.device("cpu")
COLORS = "grey red white red black red red purple brown grey red red".split()


def look(eye: perceptors.Perceptor) -> ZeroShot:
    return zero_shot.zero_shot(eye, CPU, torch.float32)


def test_the_pictures_are_what_the_packages_own_world_draws() -> None:
    things, colors = ATTRIBUTES["thing"], ATTRIBUTES["colour"]
    for shown, thing, color in zip(pictures(), THINGS, COLORS, strict=True):
        drawn = render(Scene(things.index(thing), colors.index(color), variant=3), zero_shot.SIDE)
        difference = shown.permute(1, 2, 0).numpy() - np.asarray(drawn) / 255
        assert np.abs(difference).mean() < 0.02, thing  # what JPEG takes


@pytest.mark.parametrize("name", ["embedded", "embedded-2", "embedded-3", "judge"])
def test_a_trained_encoder_picks_the_right_captions(name: str) -> None:
    """The only trained encoders that are here; a real CLIP knows these twelve things as well."""
    found = look(perceptors.load(name, CPU))
    assert found.ok, (found.picked, found.p)
    assert found.right == 12
    assert not found.untrained
    assert found.own > found.others
    assert found.why == ""


@pytest.mark.parametrize("seed", range(4))
def test_random_weights_are_told_by_measuring(seed: int, tmp_path: Path) -> None:
    eye = dual_encoder.load("random", tiny_models.save_clip(tmp_path, seed=seed), CPU)
    found = look(eye)
    assert not found.ok
    assert found.right < 6
    assert found.untrained
    assert "these weights are random" in found.why


class Misread:
    """A trained encoder that reads something else than it is told to."""

    name, size, augmentation = "misread", 64, 1.0

    def __init__(self, instead: Sequence[str]) -> None:
        self._eye = perceptors.load("embedded", CPU)
        self._instead = list(instead)
        self.network = self._eye.network  # type: ignore[attr-defined]

    def read(self, texts: Sequence[str]) -> torch.Tensor:
        return self._eye.read(self._instead)

    def see(self, views: torch.Tensor) -> torch.Tensor:
        return self._eye.see(views)

    def count_tokens(self, text: str) -> int:
        return self._eye.count_tokens(text)

    @property
    def longest(self) -> int:
        return self._eye.longest


def test_trained_weights_that_are_read_wrongly_are_not_called_random() -> None:
    found = look(Misread(["a picture"] * 12))
    assert not found.ok
    assert not found.untrained
    assert "something reads or sees wrongly" in found.why


def test_what_was_taken_for_what_is_said() -> None:
    told = captions()
    found = look(Misread([told[(k + 1) % 4] if k < 4 else told[k] for k in range(12)]))
    assert found.right == 8
    assert not found.ok
    assert found.p < 0.01
    assert "castle for lighthouse" in found.why


@pytest.mark.parametrize(
    ("similarity", "low", "high"),
    [
        (torch.eye(12), 0.0, 0.001),
        (torch.full((12, 12), 0.3), 1.0, 1.0),
        (torch.eye(12).roll(1, 0), 0.3, 1.0),
        (torch.full((12, 12), float("nan")), 1.0, 1.0),
        (torch.arange(12.0).expand(12, 12), 0.3, 1.0),  # one caption fits everything: that tells nothing
    ],
)
def test_how_likely_random_pairs_are_to_agree_as_well(similarity: torch.Tensor, low: float, high: float) -> None:
    assert low <= pairing_p(similarity) <= high


def test_of_many_random_similarities_as_many_pass_as_should() -> None:
    generator = torch.Generator().manual_seed(5)
    passed = sum(pairing_p(torch.randn(12, 12, generator=generator)) <= 0.1 for _ in range(200))
    assert 8 <= passed <= 34  # 20 on average


def test_captions_have_their_articles() -> None:
    assert "a picture of an owl" in captions()
    assert "a picture of a boat" in captions()
