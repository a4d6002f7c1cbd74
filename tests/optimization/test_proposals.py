"""The embedded proposal: a picture of a sentence in one pass, the same for the same text and generator."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from text2art_nb.errors import ModelError
from text2art_nb.optimization import proposals
from text2art_nb.optimization.proposals import Proposer
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings
from text2art_nb.training import world
from text2art_nb.training.train import WEIGHTS

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def proposer() -> Proposer:
    """The shipped one."""
    return proposals.load("embedded", CPU)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The shipped files, to be damaged."""
    return Path(shutil.copytree(WEIGHTS / "proposal", tmp_path / "proposal"))


def propose(proposer: Proposer, text: str, count: int = 1, seed: int = 0) -> Tensor:
    """Proposals of one text of weight 1."""
    return proposer.propose([(text, 1.0)], count, torch.Generator().manual_seed(seed))


def test_proposals_are_pictures_of_64_pixels_in_range(proposer: Proposer) -> None:
    made = propose(proposer, "a castle in the snow", 3)
    assert made.shape == (3, 3, 64, 64)
    assert made.dtype == torch.float32
    assert made.min() >= 0
    assert made.max() <= 1


def test_the_same_text_and_generator_give_the_same_pictures(proposer: Proposer) -> None:
    assert torch.equal(propose(proposer, "a dragon", 2, 5), propose(proposer, "a dragon", 2, 5))


def test_candidates_differ_and_so_do_seeds(proposer: Proposer) -> None:
    made = propose(proposer, "a castle", proposer.variants)
    for one in range(len(made)):
        for other in range(one):
            assert (made[one] - made[other]).abs().mean() > 0.01
    assert not torch.equal(propose(proposer, "a castle", 4, 1), propose(proposer, "a castle", 4, 2))


def test_more_candidates_than_variants_can_be_asked_for(proposer: Proposer) -> None:
    assert len(propose(proposer, "a cat", 2 * proposer.variants + 1)) == 2 * proposer.variants + 1


@pytest.mark.parametrize(("colour", "channel"), [("red", 0), ("green", 1), ("blue", 2)])
def test_colours_are_as_stated(proposer: Proposer, colour: str, channel: int) -> None:
    made = {name: propose(proposer, f"a {name} castle").mean((0, 2, 3)) for name in ("red", "green", "blue")}
    shares = {name: mean[channel] / mean.sum() for name, mean in made.items()}
    assert max(shares, key=lambda name: float(shares[name])) == colour


def test_a_position_is_kept_when_the_picture_is_mirrored(proposer: Proposer) -> None:
    for seed in range(4):
        made = propose(proposer, "a small red heart on the left by day", 2, seed)
        redness = (made[:, 0] - made[:, 1:].mean(1)).clamp(min=0).sum((0, 1))
        assert redness[:32].sum() > redness[32:].sum()


def test_what_one_prompt_leaves_open_another_states(proposer: Proposer) -> None:
    said = proposer.describe([("a castle", 1.0), ("at night", 0.3), ("in the snow", -1.0)])
    assert world.ATTRIBUTES["thing"][said["thing"]] == "castle"
    assert world.ATTRIBUTES["time"][said["time"]] == "night"
    assert "place" not in said


def test_the_weightier_prompt_wins(proposer: Proposer) -> None:
    for weights, thing in (((0.4, 1.0), "fish"), ((1.0, 0.4), "cat")):
        said = proposer.describe([("a cat", weights[0]), ("a fish", weights[1])])
        assert world.ATTRIBUTES["thing"][said["thing"]] == thing


def test_a_thing_keeps_its_colour_beside_another_things(proposer: Proposer) -> None:
    for texts, thing, colour in (
        (("a red boat", "a blue house", "at night"), "boat", "red"),
        (("a blue house", "a red boat", "at night"), "house", "blue"),
        (("a boat", "a blue house at night", "red"), "boat", "red"),
    ):
        said = proposer.describe([(text, 1.0) for text in texts])
        assert {name: world.ATTRIBUTES[name][said[name]] for name in ("thing", "colour", "time")} == {
            "thing": thing,
            "colour": colour,
            "time": "night",
        }


@pytest.mark.parametrize("prompts", [[], [("", 1.0)], [("fog", -1.0)], [("zxq " * 200, 1.0)], [("☃ 雪だるま", 1.0)]])
def test_any_prompt_gives_a_picture(proposer: Proposer, prompts: list[tuple[str, float]]) -> None:
    made = proposer.propose(prompts, 2, torch.Generator().manual_seed(0))
    assert made.isfinite().all()


def test_loading_the_same_name_again_gives_the_same_object(proposer: Proposer) -> None:
    assert proposals.load("embedded", CPU) is proposer


@pytest.mark.parametrize("name", ["config.json", "model.safetensors", "tokenizer.json"])
def test_a_missing_or_damaged_file_is_one_clear_error(copy: Path, name: str) -> None:
    (copy / name).write_bytes((copy / name).read_bytes()[:100])
    with pytest.raises(ModelError, match=str(copy)):
        proposals.load(str(copy), CPU)
    (copy / name).unlink()
    with pytest.raises(ModelError, match=str(copy)):
        proposals.load(str(copy), CPU)


def test_another_models_files_are_refused(copy: Path) -> None:
    (copy / "config.json").write_text(json.dumps({"model_type": "vqgan"}))
    with pytest.raises(ModelError, match="vqgan"):
        proposals.load(str(copy), CPU)


def test_a_pickle_in_the_place_of_the_weights_is_not_opened(copy: Path) -> None:
    torch.save({"a": torch.zeros(1)}, copy / "model.safetensors")
    with pytest.raises(ModelError, match=r"model\.safetensors"):
        proposals.load(str(copy), CPU)


def test_the_card_has_the_measured_figures() -> None:
    figures = json.loads((WEIGHTS / "proposal" / "figures.json").read_text())
    assert f"{figures['judged']:.3f}" in (WEIGHTS / "proposal" / "README.md").read_text()
    assert figures["judged"] >= 0.5


def test_a_runs_sketch_is_what_its_first_frame_grew_out_of() -> None:
    run = Run(Settings(prompts="a red castle in the snow", drawer="pixel", size=(64, 64), num_cuts=2, seed=3))
    sketch = run.sketch()
    assert sketch is not None
    assert sketch.size == (64, 64)
    frame = next(run)
    other = Run(Settings(prompts="a green frog underwater", size=(64, 64), seed=3)).sketch()
    assert other is not None
    assert distance(frame.image, sketch) < 0.5 * distance(frame.image, other)


def test_a_run_that_starts_otherwise_has_no_sketch() -> None:
    assert Run(Settings(prompts="a red castle", start="noise")).sketch() is None


def test_a_sketch_waits_for_no_eye() -> None:
    """It is there before transformers and diffusers are imported, which takes most of the time to the first frame."""
    program = """
import sys
from text2art_nb import Run, Settings
assert Run(Settings(prompts="a castle")).sketch().size == (288, 288)
assert not {"transformers", "diffusers"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", program], check=True, timeout=200)


def distance(one: Image.Image, other: Image.Image) -> float:
    """Mean absolute difference of two pictures of the same size, 0..1."""
    return float(np.abs(np.asarray(one, np.float32) - np.asarray(other.convert("RGB"), np.float32)).mean() / 255)
