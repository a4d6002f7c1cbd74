"""The real architectures at full size, with random weights, in the hub's layout."""

import json
from pathlib import Path

from tests import tiny_models


def save_vit_b32(directory: Path, patch: int = 32) -> Path:
    """`openai/clip-vit-base-patch32` as transformers saves it: CLIPConfig's defaults are that very model.

    patch: 16 for `openai/clip-vit-base-patch16`.
    """
    from transformers import CLIPConfig, CLIPModel

    text, vision = {"bos_token_id": 0, "eos_token_id": 1}, {"patch_size": patch}
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=512)
    CLIPModel(config).save_pretrained(directory)
    tiny_models.save_tokenizer(directory)
    size = {"height": 224, "width": 224}
    (directory / "preprocessor_config.json").write_text(json.dumps({"crop_size": size, "size": {"shortest_edge": 224}}))
    return directory


def save_taming(directory: Path) -> Path:
    """`xvjiarui/taming-vq-f16-n16384`: VQModel's config.json and a diffusion_pytorch_model.bin that holds tensors."""
    from diffusers import VQModel

    model = VQModel(
        down_block_types=("DownEncoderBlock2D",) * 4 + ("AttnDownEncoderBlock2D",),
        up_block_types=("AttnUpDecoderBlock2D",) + ("UpDecoderBlock2D",) * 4,
        block_out_channels=(128, 128, 256, 256, 512),
        layers_per_block=2,
        latent_channels=256,
        num_vq_embeddings=16384,
        vq_embed_dim=256,
        norm_num_groups=32,
    )
    model.save_pretrained(directory, safe_serialization=False)
    assert (directory / "diffusion_pytorch_model.bin").exists()
    return directory


def save_taesd(directory: Path) -> Path:
    """`madebyollin/taesd`: AutoencoderTiny's defaults are that very model."""
    from diffusers import AutoencoderTiny

    AutoencoderTiny().save_pretrained(directory)
    return directory
