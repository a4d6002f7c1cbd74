"""OpenAI's own files are read without running them, and what comes out sees and reads as the original does."""

import zipfile
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from tests.perceptors import openai_reference as reference
from text2art_nb import models, perceptors
from text2art_nb.errors import ModelError
from text2art_nb.optimization.losses import LossInputs, build
from text2art_nb.perceptors import openai_clip
from text2art_nb.settings import Settings

CPU = torch.device("cpu")
MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(1, 3, 1, 1)
PICTURE = Image.new("RGB", (8, 8), "red")
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(1, 3, 1, 1)


def tokens_of(text: str) -> Tensor:
    """The tests' tokenizer: a start of 0, one token a byte, an end of 1; filled up with zeros."""
    from tokenizers import pre_tokenizers

    alphabet = {symbol: index for index, symbol in enumerate(sorted(pre_tokenizers.ByteLevel.alphabet()), 2)}
    ids = [0, *(alphabet["Ġ" if letter == " " else letter] for letter in text), 1]
    return torch.tensor([ids + [0] * (77 - len(ids))])


def same(ours: Tensor, theirs: Tensor) -> None:
    torch.testing.assert_close(ours, F.normalize(theirs, dim=-1), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("kind", ["tiny RN", "tiny ViT", pytest.param("RN50", marks=pytest.mark.slow)])
def test_it_sees_and_reads_as_the_original_does(tmp_path: Path, kind: str) -> None:
    original = reference.save(tmp_path, kind)
    eye = perceptors.load(str(tmp_path), CPU)
    size = int(original.input_resolution)
    assert (eye.size, eye.longest) == (size, 77)
    views = torch.rand(2, 3, size, size)
    with torch.no_grad():
        seen = eye.see(views)
        same(seen, original.visual((views - MEAN) / STD))
        assert (seen[0] - seen[1]).abs().max() > 1e-3
        read = original.read(torch.cat([tokens_of("a cat"), tokens_of("a longer text")]))
        same(eye.read(["a cat", "a longer text"]), read)


def test_the_real_rn50_has_the_size_that_is_published() -> None:
    visual = openai_clip.ModifiedResNet((3, 4, 6, 3), 64, 224, 1024)
    assert sum(parameter.numel() for parameter in visual.parameters()) == pytest.approx(38.3e6, rel=0.01)


def test_the_gradient_reaches_the_picture_and_nothing_else(tmp_path: Path) -> None:
    reference.save(tmp_path, "tiny RN")
    eye = perceptors.load(str(tmp_path), CPU)
    views = torch.rand(1, 3, 96, 96, requires_grad=True)
    eye.see(views).sum().backward()
    assert views.grad is not None
    assert views.grad.abs().sum() > 0
    assert not any(parameter.requires_grad for parameter in eye._model.parameters())  # type: ignore[attr-defined]


@pytest.mark.parametrize(("kind", "last"), [("tiny RN", "layer4"), ("tiny ViT", "transformer.resblocks.1")])
def test_its_layers_can_be_looked_at_for_style_and_content(tmp_path: Path, kind: str, last: str) -> None:
    reference.save(tmp_path, kind)
    eye = perceptors.load(str(tmp_path), CPU)
    assert isinstance(eye, openai_clip.OpenAIClip)
    seen: list[Tensor] = []
    eye._model.visual.get_submodule(last).register_forward_hook(lambda module, given, made: seen.append(made))
    views = torch.rand(2, 3, eye.size, eye.size, requires_grad=True)
    eye.see(views)
    layers = eye.layers(views)
    places = seen[0].flatten(2).mT if seen[0].dim() == 4 else seen[0][:, 1:]
    torch.testing.assert_close(layers[-1], places)
    assert all(layer.dim() == 3 and len(layer) == 2 for layer in layers)
    settings = Settings(prompts="a cat", losses="style:1,content:1", style_image=PICTURE, content_image=PICTURE)
    losses = build(LossInputs(settings, [eye], CPU, lambda uri: torch.rand(1, 3, 40, 40)))(views[:1])
    torch.stack(list(losses.values())).sum().backward()
    assert losses.keys() == {"style", "content"}
    assert views.grad is not None
    assert views.grad[0].abs().sum() > 0


def test_the_program_in_the_file_is_not_run(tmp_path: Path) -> None:
    """`torch.jit.load` would stop at the first line of a program that is none."""
    reference.save(tmp_path, "tiny RN")
    path = tmp_path / "tiny-RN.pt"
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, b"raise SystemExit" if "/code/" in name else content)
    assert perceptors.load(str(path), CPU).size == 96


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.rand(2)}, tmp_path / "a.pt")
    with pytest.raises(ModelError, match=r"tokenizer\.json"):
        perceptors.load(str(tmp_path), CPU)
    (tmp_path / "tokenizer.json").write_text("{}")
    with pytest.raises(ModelError, match="no CLIP of OpenAI's"):
        perceptors.load(str(tmp_path), CPU)


def test_the_resnets_of_pixrays_presets_come_with_the_words_that_they_need() -> None:
    for name in ("RN50", "RN101", "RN50x4"):
        row = models.find(name)
        assert row.loadable
        assert {file.path for file in row.files} == {"tokenizer.json", f"{name}.pt"}
