"""Perceptors read the formats that the hub has, and say so plainly where a directory holds something else."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from tests import tiny_models
from text2art_nb import perceptors
from text2art_nb.errors import ModelError

CPU = torch.device("cpu")


def test_texts_and_views_become_unit_vectors_of_one_space(tiny_clip: Path) -> None:
    eye = perceptors.load(str(tiny_clip), CPU)
    read, seen = (
        eye.read(["a cat", "a much longer sentence about a dog"]),
        eye.see(torch.rand(3, 3, eye.size, eye.size)),
    )
    assert read.shape == (2, 16)
    assert seen.shape == (3, 16)
    torch.testing.assert_close(read.norm(dim=1), torch.ones(2))
    torch.testing.assert_close(seen.norm(dim=1), torch.ones(3))


def test_it_is_loaded_once_and_frozen(tiny_clip: Path) -> None:
    eye = perceptors.load(str(tiny_clip), CPU)
    assert perceptors.load(str(tiny_clip), CPU) is eye
    views = torch.rand(1, 3, 32, 32, requires_grad=True)
    eye.see(views).sum().backward()
    assert views.grad is not None
    assert not any(parameter.requires_grad for parameter in eye._model.parameters())  # type: ignore[attr-defined]


def test_a_text_reads_the_same_alone_and_among_longer_ones(tiny_clip: Path) -> None:
    eye = perceptors.load(str(tiny_clip), CPU)
    together = eye.read(["a cat", "a sentence that is quite a bit longer"])[0]
    torch.testing.assert_close(eye.read(["a cat"])[0], together, atol=1e-5, rtol=0)


def test_a_directory_of_something_else_is_refused(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}))
    with pytest.raises(ModelError, match="'bert'"):
        perceptors.load(str(tmp_path), CPU)


def test_a_checkpoint_with_a_missing_file_is_refused(tmp_path: Path) -> None:
    directory = tiny_models.save_clip(tmp_path / "clip")
    (directory / "model.safetensors").unlink()
    with pytest.raises(ModelError, match="holds no CLIP"):
        perceptors.load(str(directory), CPU)


def test_a_checkpoint_that_lacks_some_of_its_weights_is_refused(tmp_path: Path) -> None:
    directory = tiny_models.without_a_weight(
        tiny_models.save_clip(tmp_path / "clip") / "model.safetensors", "fc1.weight"
    )
    with pytest.raises(ModelError, match=r"holds no CLIP as its config\.json says: \S*fc1\.weight is missing"):
        perceptors.load(str(directory), CPU)


@pytest.mark.parametrize("name", ["config.json", "preprocessor_config.json", "tokenizer.json"])
def test_a_damaged_file_is_named(tmp_path: Path, name: str) -> None:
    directory = tiny_models.save_clip(tmp_path / "clip")
    (directory / name).write_text("<html>")
    with pytest.raises(ModelError, match=rf"holds no CLIP that transformers can load: {name} is not JSON"):
        perceptors.load(str(directory), CPU)


def test_many_threads_may_read_and_count_at_once(tiny_clip: Path) -> None:
    """Its tokenizer remembers how the last call wanted texts padded: counting on one thread once spoilt reading."""
    perceptor = perceptors.load(str(tiny_clip), CPU)
    count = perceptor.count_tokens("a dog")
    texts = ["a cat on a roof by the sea", "fog"]
    alone = perceptor.read(texts)

    def work(number: int) -> bool:
        return perceptor.count_tokens("a dog") == count if number % 2 else torch.equal(perceptor.read(texts), alone)

    with ThreadPoolExecutor(8) as threads:
        assert all(threads.map(work, range(600)))
