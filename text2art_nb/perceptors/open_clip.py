"""CLIPs in open_clip's layout: `open_clip_config.json` beside `open_clip_model.safetensors` or a `.bin` or `.pt` file.

The tensors have OpenAI's names (`perceptors.openai_clip`). The config says what their shapes don't: the activation, the
width of the attention heads, and how pixels are normalised. The reader knows the towers that OpenAI published, with
any sizes; a config that asks for anything else (a timm eye, a Hugging Face text tower, layer scale) is refused.

Source: open_clip's `CLIPVisionCfg` and `CLIPTextCfg`, compared with open_clip_torch 3.3.0 (tests/fixtures/open_clip).
"""

import json
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import torch
from torch import Tensor

from text2art_nb.errors import ModelError
from text2art_nb.models.archive import read_tensors
from text2art_nb.perceptors import openai_clip
from text2art_nb.perceptors.openai_clip import CLIP_MEAN, CLIP_STD, Details, OpenAIClip

CONFIG: Final = "open_clip_config.json"
TENSORS: Final = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "open_clip_pytorch_model.bin")
"""The files that open_clip saves the tensors in, the best first; `open_clip_pytorch_model.bin` is the older one."""

_MOST_CONFIG: Final = 1_000_000  # bytes

# What the shapes of the tensors say, what only training looks at, and what other settings make irrelevant.
_READ: Final = frozenset(
    "layers width head_width heads mlp_ratio patch_size image_size patch_dropout attn_pooler_queries attn_pooler_heads "
    "output_tokens context_length vocab_size hf_tokenizer_name tokenizer_mode tokenizer_kwargs pad_id eos_id "
    "final_ln_after_pool hf_model_pretrained hf_proj_type hf_pooler_type timm_model_pretrained timm_pool timm_proj "
    "timm_proj_bias timm_drop timm_drop_path".split()
)
# What has to be as it is in OpenAI's towers.
_USUAL: Final[Mapping[str, tuple[Any, ...]]] = MappingProxyType(
    {
        "pos_embed_type": ("learnable",),
        "pool_type": ("tok", "argmax"),
        "proj_type": ("linear",),
        "block_type": (None, "default"),
    }
)


def load(name: str, place: Path, device: torch.device) -> OpenAIClip:
    """The CLIP of a directory in open_clip's layout, or of a `.pt` file that has its config beside it.

    Raises ModelError where files are missing, or the model isn't one that can be read.
    """
    path = find(place)
    config = path.with_name(CONFIG)
    details = _details(config, _config(config))
    words = openai_clip.tokenizer_beside(path)
    return openai_clip.of_tensors(name, path, _tensors(path), words, device, details)


def has_config(place: Path) -> bool:
    """Whether a directory, or the directory of a file, has open_clip's config."""
    return ((place.parent if place.is_file() else place) / CONFIG).is_file()


def find(place: Path) -> Path:
    """The file of tensors in `place`, which may be that file itself. Raises ModelError where there is none."""
    if place.is_file():
        return place
    found = next((place / name for name in TENSORS if (place / name).is_file()), None) or openai_clip.find(place)
    if found is None:
        raise ModelError(f"{place} has {CONFIG}, but no {TENSORS[0]}, {TENSORS[-1]} or .pt file beside it")
    return found


def _tensors(path: Path) -> dict[str, Tensor]:
    """The tensors of a file, under OpenAI's names. Raises ModelError."""
    if path.suffix != ".safetensors":
        return {_plain(key): value for key, value in read_tensors(path).items()}
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        return {_plain(key): value for key, value in load_file(path).items()}
    except (OSError, SafetensorError) as error:
        raise ModelError(f"{path} is not a checkpoint that can be read: {error}") from error


def _plain(key: str) -> str:
    """A tensor's name in OpenAI's files: without DataParallel's prefix, and without a custom text tower's own."""
    return key.removeprefix("module.").removeprefix("text.")


def _config(path: Path) -> dict[str, Any]:
    """The JSON object of a config. Raises ModelError."""
    try:
        if path.stat().st_size > _MOST_CONFIG:
            raise ValueError("it is too long")
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} is no config of open_clip: {error}") from error
    if not isinstance(config, dict):
        raise ModelError(f"{path} is no config of open_clip: it is not a JSON object")
    return config


def _details(path: Path, config: Mapping[str, Any]) -> Details:
    """What a config says beyond the shapes. Raises ModelError for a model that can't be read."""
    model = config.get("model_cfg", config)  # a file of open_clip's own model_configs is the inner part alone
    pixels = config.get("preprocess_cfg") or {}
    try:
        vision, text = model["vision_cfg"], model["text_cfg"]
        for part, tower in (("vision_cfg", vision), ("text_cfg", text)):
            if strange := _strange(tower):
                raise ModelError(f"{path} asks for {part}.{strange}, which text2art doesn't read")
        if model.get("multimodal_cfg"):
            raise ModelError(f"{path} is of a model that writes captions (CoCa), which text2art doesn't read")
        return Details(
            quick_gelu=_flag(model.get("quick_gelu", False)),
            head_width=_whole(vision.get("head_width", 64)),
            text_heads=_whole(text.get("heads", 8)),
            mean=_three(pixels.get("mean") or model.get("mean") or CLIP_MEAN),
            std=_three(pixels.get("std") or model.get("std") or CLIP_STD),
            size=_size(vision.get("image_size", 224)),
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ModelError(f"{path} is no config of open_clip: {type(error).__name__} {error}") from error


def _strange(tower: Mapping[str, Any]) -> str | None:
    """The first setting of a tower, with its value, that OpenAI's towers don't have; None where there is none."""
    for key, value in tower.items():
        right = _USUAL.get(key)
        known = key in _READ or (value in right if right else not value)
        if not known:
            return f"{key} = {json.dumps(value)[:80]}"
    return None


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("quick_gelu must be true or false")
    return value


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"a whole number above 0 was expected, not {json.dumps(value)[:40]}")
    return value


def _size(value: Any) -> int:
    """Pixels along each side, also where both sides are given. Raises ValueError where they differ."""
    sides = value if isinstance(value, list) else [value]
    if len(set(sides)) != 1:
        raise ValueError("image_size isn't square")
    return _whole(sides[0])


def _three(value: Any) -> tuple[float, ...]:
    numbers = tuple(float(each) for each in value)
    if len(numbers) != 3:
        raise ValueError("mean and std must have three numbers each")
    return numbers
