"""Each family of perceptors is read as it was trained: its activation, its padding, its kind of picture."""

import json
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.perceptors import families
from text2art_nb import models, perceptors
from text2art_nb.errors import ModelError
from text2art_nb.runs.run import Run
from text2art_nb.settings.presets import FULL_PRESETS

CPU = torch.device("cpu")


def quick_gelu(x: Tensor) -> Tensor:
    return x * torch.sigmoid(1.702 * x)


def seen_with(place: Path, views: Tensor, activation) -> Tensor:
    """What a CLIP's eye sees, its layers gone through by hand with an activation."""
    from transformers import CLIPModel

    model = CLIPModel.from_pretrained(place)
    tower = model.vision_model
    x = tower.pre_layrnorm(tower.embeddings((views - 0.5) / 0.25))
    for layer in tower.encoder.layers:
        x = x + layer.self_attn(layer.layer_norm1(x))[0]
        x = x + layer.mlp.fc2(activation(layer.mlp.fc1(layer.layer_norm2(x))))
    return F.normalize(model.visual_projection(tower.post_layernorm(x[:, 0])), dim=-1)


@pytest.mark.parametrize(
    ("named", "activation"),
    [("quick_gelu", quick_gelu), ("gelu", F.gelu), (None, quick_gelu)],
    ids=["OpenAI's", "LAION's", "a config of OpenAI's that names none"],
)
@torch.no_grad()
def test_the_activation_is_the_one_of_its_config(tmp_path: Path, named: str | None, activation) -> None:
    eye = perceptors.load(str(families.save_clip_with(tmp_path, named)), CPU)
    views = torch.rand(2, 3, 32, 32)
    other = F.gelu if activation is quick_gelu else quick_gelu
    torch.testing.assert_close(eye.see(views), seen_with(tmp_path, views, activation), atol=1e-6, rtol=0)
    assert (eye.see(views) - seen_with(tmp_path, views, other)).abs().max() > 1e-6


@pytest.mark.parametrize("kind", ["siglip", "siglip2"])
def test_siglip_reads_texts_filled_up_to_their_full_length(tmp_path: Path, kind: str) -> None:
    eye = perceptors.load(str(families.save_siglip(tmp_path, kind)), CPU)
    assert (eye.size, eye.longest) == (32, 24)
    model, tokenizer = eye._model, eye._tokenizer  # type: ignore[attr-defined]
    ids = tokenizer("a cat").input_ids
    full = torch.tensor([ids + [tokenizer.pad_token_id] * (24 - len(ids))])
    with torch.no_grad():
        expected = F.normalize(model.get_text_features(input_ids=full).pooler_output, dim=-1)
        short = F.normalize(model.get_text_features(input_ids=full[:, : len(ids)]).pooler_output, dim=-1)
    read = eye.read(["A cat"])  # lower case, as it was trained
    torch.testing.assert_close(read, expected)
    assert (read - short).abs().max() > 1e-4


@pytest.mark.parametrize("prompt", ["一座水下城市", "sebuah bandar di bawah laut"])
def test_a_prompt_in_any_language_is_read(tmp_path: Path, prompt: str) -> None:
    eye = perceptors.load(str(families.save_siglip(tmp_path, "siglip")), CPU)
    read = eye.read([prompt, "something else"])
    assert (read[0] - read[1]).abs().max() > 1e-3


def test_a_siglip_2_for_any_aspect_sees_patches_as_it_was_trained(tmp_path: Path) -> None:
    """Row by row; in each the pixels row by row; in each its three colours."""
    eye = perceptors.load(str(families.save_siglip(tmp_path, "siglip2")), CPU)
    views = torch.rand(2, 3, 32, 32)
    pixels = eye._pixels(views)["pixel_values"]  # type: ignore[attr-defined]
    for row, column in ((0, 0), (0, 3), (2, 1)):
        patch = (views[1, :, row * 8 : row * 8 + 8, column * 8 : column * 8 + 8] - 0.5) / 0.5
        torch.testing.assert_close(pixels[1, row * 4 + column], patch.permute(1, 2, 0).flatten())
    seen = eye.see(views)
    torch.testing.assert_close(seen.norm(dim=1), torch.ones(2))
    assert (seen[0] - seen[1]).abs().max() > 1e-4


def test_a_siglip_is_read_by_its_tokenizer_json_alone(tmp_path: Path) -> None:
    """As google/siglip-base-patch16-256-multilingual is saved; SentencePiece's own file isn't fetched."""
    plain = families.save_siglip(tmp_path / "plain", "siglip")
    named = families.save_siglip(tmp_path / "named", "siglip")
    config = json.loads((named / "tokenizer_config.json").read_text())
    del config["backend"]
    own = {"tokenizer_class": "SiglipTokenizer", "do_lower_case": True, "sp_model_kwargs": {}}
    end = {"content": "<|endoftext|>", "lstrip": True, "normalized": False, "rstrip": True, "special": True}
    extra = {"added_tokens_decoder": {"1": {**end, "single_word": False}}, "additional_special_tokens": []}
    (named / "tokenizer_config.json").write_text(json.dumps(config | own | extra))
    texts = ["一座水下城市", "a lighthouse"]
    read = [perceptors.load(str(directory), CPU).read(texts) for directory in (plain, named)]
    torch.testing.assert_close(read[0], read[1])


def test_a_siglip_without_its_tokenizers_files_is_refused_in_a_sentence(tmp_path: Path) -> None:
    directory = families.save_siglip(tmp_path, "siglip")
    (directory / "tokenizer.json").unlink()
    (directory / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "SiglipTokenizer"}))
    with pytest.raises(ModelError, match=r"has no tokenizer: put tokenizer\.json"):
        perceptors.load(str(directory), CPU)


@pytest.mark.parametrize("where", ["nowhere", "processor_config.json"])
def test_a_siglip_sees_colours_as_it_was_trained_wherever_that_is_written(tmp_path: Path, where: str) -> None:
    usual = families.save_siglip(tmp_path / "usual", "siglip")
    other = families.save_siglip(tmp_path / "other", "siglip")
    pixels = json.loads((other / "preprocessor_config.json").read_text())
    (other / "preprocessor_config.json").unlink()
    if where != "nowhere":
        pixels["image_mean"] = [0.25] * 3
        (other / where).write_text(json.dumps({"image_processor": pixels}))
    views = torch.rand(1, 3, 32, 32)
    shifted = views if where == "nowhere" else views + 0.25
    seen = perceptors.load(str(usual), CPU).see(shifted)
    torch.testing.assert_close(perceptors.load(str(other), CPU).see(views), seen)


@pytest.mark.parametrize("kind", ["siglip", "siglip2"])
def test_a_run_looks_through_siglip(tmp_path: Path, tiny, kind: str) -> None:
    directory = families.save_siglip(tmp_path / kind, kind)
    run = Run(tiny(perceptors=(str(directory),), iterations=2, drawer="pixel"))
    first, last = (frame.image.tobytes() for frame in run)
    assert first != last


def test_all_the_clips_that_people_ask_for_are_known() -> None:
    names = (
        "ViT-B/32 ViT-B/16 ViT-L/14 ViT-L/14@336px ViT-L/14@336 laion-ViT-B/32 laion-ViT-L/14 laion-ViT-H/14 ViT-H/14"
    )
    for name in (*names.split(), "siglip2", "siglip-multilingual", "RN50", "RN101", "RN50x4", "RN50x16"):
        row = models.find(name)
        assert (row.kind, row.loadable) == ("clip", True)


def test_the_presets_look_through_pixrays_clips() -> None:
    eyes = {quality: preset.perceptors for quality, preset in FULL_PRESETS.items()}
    assert eyes == {
        "draft": ("ViT-B/16",),
        "normal": ("ViT-B/32", "ViT-B/16"),
        "better": ("RN50", "ViT-B/32", "ViT-B/16"),
        "best": ("RN50x4", "ViT-B/32", "ViT-B/16"),
        "supreme": ("RN50x4", "ViT-B/32", "ViT-B/16", "RN101"),
    }
    assert all(models.find(name).loadable for names in eyes.values() for name in names)
