"""Texts become the tokens that their model was trained on, whatever people type; a missing tokenizer is told."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from tests import tiny_models
from tests.fixtures.originals.reading import unpack
from tests.perceptors import openai_reference
from text2art_nb import perceptors
from text2art_nb.drawers import one_step
from text2art_nb.errors import ModelError

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts, the tokenizers of CLIP and SigLIP 2, and what the original projects read of the texts."""
    return unpack("tokens", tmp_path_factory.mktemp("tokens"))


@pytest.mark.parametrize("name", ["openai-ViT", "transformers-clip-eos-2", "siglip2"])
def test_three_hundred_odd_texts_are_the_tokens_of_the_original(originals: Path, tmp_path: Path, name: str) -> None:
    texts = json.loads((originals / "texts.json").read_text(encoding="utf-8"))
    tokens = json.loads((originals / "tokens.json").read_text(encoding="utf-8"))
    assert len(texts) >= 300
    eye = perceptors.load(str(unpack(name, tmp_path / name)), CPU)
    wanted = tokens["siglip2"] if name == "siglip2" else tokens["openai"]
    differing = []
    for text, ids in zip(texts, wanted, strict=True):
        ours = eye.tokens(text)  # type: ignore[attr-defined]
        if name == "siglip2":  # the original fills up with token 0, and cuts at 64
            ours = (ours[:63] + ours[-1:] if len(ours) > 64 else ours) + [0] * (64 - len(ours))
        if ours != ids:
            differing.append(text)
    assert differing == []
    assert tokens["openai"] == tokens["open_clip"]


@pytest.mark.parametrize("name", ["openai-RN", "transformers-clip-eos-49407", "siglip2"])
def test_what_looks_the_same_is_read_the_same(tmp_path: Path, name: str) -> None:
    eye = perceptors.load(str(unpack(name, tmp_path / name)), CPU)
    for typed, meant in (("it’s  a “castle”", 'it\'s a "castle"'), ("caf&eacute; &amp; fish", "café & fish")):
        assert torch.equal(eye.read([typed]), eye.read([meant]))


def test_a_siglips_long_text_still_breaks_at_its_commas(tmp_path: Path) -> None:
    eye = perceptors.load(str(unpack("siglip2", tmp_path / "siglip2")), CPU)
    first, second = "xyz " * 14 + "castle", "xyz " * 14 + "fog"
    assert eye.count_tokens(first) <= 64 < eye.count_tokens(f"{first}, {second}")
    together = eye.read([first, second]).mean(0)
    read = eye.read([f"{first}, {second}"])[0]
    torch.testing.assert_close(read, together / together.norm(), atol=2e-3, rtol=0)


@pytest.mark.parametrize("left", [[], ["vocab.json"], ["merges.txt"]])
def test_a_clip_without_its_tokenizer_is_refused_with_the_names_of_the_files(tmp_path: Path, left: list[str]) -> None:
    place = unpack("transformers-clip-eos-2", tmp_path / "clip")
    for name in {"tokenizer.json", "vocab.json", "merges.txt"} - {*left}:
        (place / name).unlink()
    with pytest.raises(ModelError, match=r"tokenizer\.json, or vocab\.json and merges\.txt") as refused:
        perceptors.load(str(place), CPU)
    assert all(f"{name} alone is half" in str(refused.value) for name in left)


def test_either_form_of_a_tokenizer_will_do(tmp_path: Path) -> None:
    whole = unpack("transformers-clip-eos-2", tmp_path / "whole")
    parts = Path(shutil.copytree(whole, tmp_path / "parts"))
    (parts / "tokenizer.json").unlink()
    texts = ["It’s a café", "a red castle"]
    read = [perceptors.load(str(place), CPU).read(texts) for place in (whole, parts)]
    assert torch.equal(*read)


def empty_tokenizer() -> str:
    """One that reads every text as nothing between its start and end."""
    from transformers import CLIPTokenizer

    return str(CLIPTokenizer().backend_tokenizer.to_str())


@pytest.mark.parametrize("kind", ["transformers", "OpenAI"])
def test_a_tokenizer_that_knows_no_words_is_refused(tmp_path: Path, kind: str) -> None:
    if kind == "OpenAI":
        openai_reference.save(tmp_path, "tiny ViT")
    else:
        tiny_models.save_clip(tmp_path)
    (tmp_path / "tokenizer.json").write_text(empty_tokenizer())
    with pytest.raises(ModelError, match="reads different words alike"):
        perceptors.load(str(tmp_path), CPU)


def test_a_tokenizer_of_a_larger_model_is_refused(tmp_path: Path) -> None:
    place = tiny_models.save_clip(tmp_path / "clip")
    real = unpack("tokens", tmp_path / "tokens") / "clip"
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(real / name, place)
    with pytest.raises(ModelError, match="is of another model: token 49407 of 300"):
        perceptors.load(str(place), CPU)


def test_one_step_diffusion_without_its_tokenizer_is_refused(tmp_path: Path) -> None:
    place = unpack("sdxl-one-step", tmp_path)
    (place / "tokenizer_2" / "merges.txt").unlink()
    with pytest.raises(ModelError, match=r"tokenizer_2 has no tokenizer \(vocab\.json alone is half of one\)"):
        one_step.load(place, CPU, torch.float32)
