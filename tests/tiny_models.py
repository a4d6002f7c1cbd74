"""Checkpoints with random weights in the hub's layout, small enough to be made and drawn with in a second."""

import json
import string
from pathlib import Path

import torch


def save_tokenizer(directory: Path, words: tuple[str, ...] = ()) -> None:
    """A byte-level BPE without merges, in CLIP's manner: start and end tokens, one token a character."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    symbols = ["<|startoftext|>", "<|endoftext|>", *sorted(pre_tokenizers.ByteLevel.alphabet()), *words]
    model = models.BPE(vocab={symbol: index for index, symbol in enumerate(symbols)}, merges=[])
    tokenizer = Tokenizer(model)
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<|startoftext|> $A <|endoftext|>",
        special_tokens=[("<|startoftext|>", 0), ("<|endoftext|>", 1)],
    )
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<|startoftext|>",
        eos_token="<|endoftext|>",
        pad_token="<|endoftext|>",
        unk_token="<|endoftext|>",
        model_max_length=32,
    )
    fast.save_pretrained(directory)
    assert string.ascii_lowercase[0] in symbols


def save_clip(directory: Path, *, size: int = 32, seed: int = 0) -> Path:
    """A CLIPModel of a few thousand weights whose eye sees `size` pixels."""
    from transformers import CLIPConfig, CLIPModel

    torch.manual_seed(seed)
    layers = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = CLIPConfig(
        text_config={**layers, "vocab_size": 300, "max_position_embeddings": 32, "bos_token_id": 0, "eos_token_id": 1},
        vision_config={**layers, "image_size": size, "patch_size": 8},
        projection_dim=16,
    )
    CLIPModel(config).save_pretrained(directory)
    save_tokenizer(directory)
    preprocessor = {"crop_size": {"height": size, "width": size}, "image_mean": [0.5] * 3, "image_std": [0.25] * 3}
    (directory / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return directory


def save_vqgan(directory: Path, *, seed: int = 0) -> Path:
    """A diffusers VQModel of factor 4 with 32 codes."""
    from diffusers import VQModel

    torch.manual_seed(seed)
    VQModel(
        down_block_types=("DownEncoderBlock2D",) * 3,
        up_block_types=("UpDecoderBlock2D",) * 3,
        block_out_channels=(8, 8, 16),
        layers_per_block=1,
        latent_channels=4,
        num_vq_embeddings=32,
        vq_embed_dim=4,
        norm_num_groups=4,
    ).save_pretrained(directory)
    return directory
