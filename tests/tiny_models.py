"""Checkpoints with random weights in the hub's layout, small enough to be made and drawn with in a second."""

import json
import string
from pathlib import Path
from typing import Any

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


def without_a_weight(file: Path, ending: str) -> Path:
    """Take the first of the tensors that are called like that out of a .safetensors file; its directory."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(file)
    del tensors[next(name for name in tensors if name.endswith(ending))]
    save_file(tensors, file, metadata={"format": "pt"})
    return file.parent


def fill_up(file: Path, size: int) -> None:
    """Make a .safetensors file as long as the catalogue says that the real one is, by a note in its header."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(file)
    save_file(tensors, file, metadata={"format": "pt", "filling": ""})
    for _ in range(9):  # the header is rounded up to 8 bytes
        if file.stat().st_size == size:
            return
        with file.open("rb") as opened:
            header = json.loads(opened.read(int.from_bytes(opened.read(8), "little")))
        filling = len(header["__metadata__"]["filling"]) + size - file.stat().st_size
        save_file(tensors, file, metadata={"format": "pt", "filling": "." * filling})
    raise AssertionError(f"{file} cannot be made {size} bytes long")


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


def save_taesd(directory: Path, *, channels: int = 4, seed: int = 0) -> Path:
    """A diffusers AutoencoderTiny of factor 8, a few thousand weights each way."""
    from diffusers import AutoencoderTiny

    torch.manual_seed(seed)
    sizes = {"num_encoder_blocks": (1,) * 4, "num_decoder_blocks": (1,) * 4}
    blocks = {"encoder_block_out_channels": (8,) * 4, "decoder_block_out_channels": (8,) * 4}
    AutoencoderTiny(**sizes, **blocks, latent_channels=channels).save_pretrained(directory)
    return directory


class TinyGenerator(torch.nn.Module):
    """Eight numbers to a picture of 32 by 24 pixels, -1..1, as a GAN's generator would."""

    def __init__(self, seed: int = 0) -> None:
        super().__init__()
        torch.manual_seed(seed)
        self.first = torch.nn.Linear(8, 8 * 3 * 4)
        self.last = torch.nn.Conv2d(8, 3, 3, padding=1)

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        coarse = self.first(latent).view(-1, 8, 3, 4)
        return torch.tanh(3 * self.last(torch.nn.functional.interpolate(coarse, scale_factor=8.0, mode="bilinear")))


def save_generator(path: Path, *, seed: int = 0, batches: bool = True, module: torch.nn.Module | None = None) -> Path:
    """A generator as TorchScript (.pt), or exported (.pt2), for any number of latents or (batches=False) for one."""
    module = (module or TinyGenerator(seed)).eval()
    if path.suffix == ".pt":
        torch.jit.script(module).save(path)
        return path
    several = {0: torch.export.Dim("batch", min=1, max=64)}
    example = (torch.zeros(2 if batches else 1, 8),)
    torch.export.save(torch.export.export(module, example, dynamic_shapes=(several if batches else None,)), path)
    return path


def save_sd_turbo(directory: Path, *, xl: bool = False, half: bool = False, seed: int = 0) -> Path:
    """A one-step diffusion model of 64 pixels in the hub's layout, as SD-Turbo or SDXL-Turbo, with a TAESD beside it.

    half: in float16 files, as the hub has them beside the others.
    """
    import diffusers

    torch.manual_seed(seed)
    parts: dict[str, Any] = {
        "scheduler": diffusers.EulerAncestralDiscreteScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", timestep_spacing="trailing"
        )
    }
    for suffix in ("", "_2")[: 1 + xl]:
        parts[f"text_encoder{suffix}"] = _text_encoder("WithProjection" if suffix else "")
        _save_clip_tokenizer(directory / f"tokenizer{suffix}", "<|endoftext|>" if xl and not suffix else "!")
    extra = {
        "addition_embed_type": "text_time",
        "addition_time_embed_dim": 4,
        "projection_class_embeddings_input_dim": 6 * 4 + 16,
    }
    parts["unet"] = diffusers.UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        layers_per_block=1,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        cross_attention_dim=32 * (1 + xl),
        attention_head_dim=2,
        norm_num_groups=4,
        **(extra if xl else {}),
    )
    parts["vae"] = diffusers.AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        block_out_channels=(4, 4, 8, 8),
        layers_per_block=1,
        norm_num_groups=4,
        force_upcast=xl,
    )
    for name, part in parts.items():
        if half and name != "scheduler":
            part.half().save_pretrained(directory / name, variant="fp16")
        else:
            part.save_pretrained(directory / name)
    save_taesd(directory / "taesd", seed=seed)
    index: dict[str, Any] = {"_class_name": f"StableDiffusion{'XL' * xl}Pipeline", "_diffusers_version": "0.24.0"}
    index |= {name: [type(part).__module__.split(".")[0], type(part).__name__] for name, part in parts.items()}
    index |= {f"tokenizer{suffix}": ["transformers", "CLIPTokenizer"] for suffix in ("", "_2")[: 1 + xl]}
    (directory / "model_index.json").write_text(json.dumps(index))
    return directory


def _save_clip_tokenizer(directory: Path, pad: str) -> None:
    """The four files that the hub has of CLIP's own tokenizer: here without merges, a token for each letter."""
    from tokenizers import pre_tokenizers

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    symbols = [*letters, *(f"{letter}</w>" for letter in letters), "<|startoftext|>", "<|endoftext|>"]
    special = {"bos_token": symbols[-2], "eos_token": symbols[-1], "unk_token": symbols[-1], "pad_token": pad}
    config = {"tokenizer_class": "CLIPTokenizer", "model_max_length": 32, "do_lower_case": True, **special}
    directory.mkdir(parents=True)
    (directory / "vocab.json").write_text(json.dumps({symbol: index for index, symbol in enumerate(symbols)}))
    (directory / "merges.txt").write_text("#version: 0.2\n")
    (directory / "special_tokens_map.json").write_text(json.dumps(special))
    (directory / "tokenizer_config.json").write_text(json.dumps(config))


def _text_encoder(kind: str) -> Any:
    import transformers

    config = transformers.CLIPTextConfig(
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=2,
        vocab_size=514,
        max_position_embeddings=32,
        projection_dim=16,
        bos_token_id=512,
        eos_token_id=513,
    )
    return getattr(transformers, f"CLIPTextModel{kind}")(config)


def save_swin2sr(directory: Path, *, factor: int = 2, seed: int = 0) -> Path:
    """A Swin2SR of one layer, in windows of 8 pixels."""
    from transformers import Swin2SRConfig, Swin2SRForImageSuperResolution

    torch.manual_seed(seed)
    config = Swin2SRConfig(embed_dim=12, depths=[2], num_heads=[2], window_size=8, upscale=factor)
    Swin2SRForImageSuperResolution(config).save_pretrained(directory)
    return directory
