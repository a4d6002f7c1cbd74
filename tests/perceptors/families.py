"""Small checkpoints of the other families that perceptors come in, with random weights and in the hub's layout."""

import json
from pathlib import Path

import torch

from tests import tiny_models

LAYERS = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}


def save_siglip(directory: Path, kind: str) -> Path:
    """kind: siglip, whose eye sees 32 pixels; siglip2, whose eye sees 16 patches of 8 pixels in any arrangement."""
    import transformers

    torch.manual_seed(5)
    text = {**LAYERS, "vocab_size": 300, "max_position_embeddings": 24, "projection_size": 32}
    if kind == "siglip":
        vision = {**LAYERS, "image_size": 32, "patch_size": 8}
        model: torch.nn.Module = transformers.SiglipModel(
            transformers.SiglipConfig(text_config=text, vision_config=vision)
        )
        preprocessor = {"size": {"height": 32, "width": 32}, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    else:
        vision = {**LAYERS, "num_patches": 16, "patch_size": 8}
        model = transformers.Siglip2Model(transformers.Siglip2Config(text_config=text, vision_config=vision))
        preprocessor = {"max_num_patches": 16, "patch_size": 8, "image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    model.save_pretrained(directory)
    tiny_models.save_tokenizer(directory)
    (directory / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return directory


def save_clip_with(directory: Path, activation: str | None) -> Path:
    """A CLIP whose config names an activation, or none, as OpenAI's first files did."""
    tiny_models.save_clip(directory)
    config = json.loads((directory / "config.json").read_text())
    for tower in ("text_config", "vision_config"):
        config[tower].pop("hidden_act", None)
        if activation is not None:
            config[tower]["hidden_act"] = activation
    (directory / "config.json").write_text(json.dumps(config))
    return directory
