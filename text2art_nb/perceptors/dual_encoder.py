"""CLIP and its relatives, as `transformers` saves them: CLIPModel, SiglipModel, VisionTextDualEncoderModel.

All speak `get_text_features` and `get_image_features`; the embedded CLIP is one more of them.
"""

import importlib
import json
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from text2art_nb.errors import ModelError

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
_CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


class DualEncoder:
    """A perceptor over a `transformers` dual encoder; see `perceptors.base.Perceptor`."""

    def __init__(
        self, name: str, model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", pixels: dict[str, Any]
    ) -> None:
        """pixels: what its preprocessor_config.json says (size, image_mean, image_std), or {} for CLIP's own."""
        self.name = name
        self._model = flatten_pooling(model.eval().requires_grad_(False))
        self._tokenizer = tokenizer
        self.size = _side(pixels, model.config)
        self.augmentation = float(pixels.get("text2art_augmentation", 1.0))
        device = next(model.parameters()).device
        self._mean = torch.tensor(pixels.get("image_mean", _CLIP_MEAN), device=device).view(1, 3, 1, 1)
        self._std = torch.tensor(pixels.get("image_std", _CLIP_STD), device=device).view(1, 3, 1, 1)

    @property
    def longest(self) -> int:
        text = getattr(self._model.config, "text_config", self._model.config)
        return int(text.max_position_embeddings)

    def count_tokens(self, text: str) -> int:
        return len(self._tokenizer(text).input_ids)

    @torch.no_grad()
    def read(self, texts: Sequence[str]) -> Tensor:
        # SigLIP was trained on texts padded to their full length and reads nothing else well.
        padding = "max_length" if self._model.config.model_type.startswith("siglip") else True
        tokens = self._tokenizer(
            list(texts), padding=padding, truncation=True, max_length=self.longest, return_tensors="pt"
        )
        known = {key: tokens[key].to(self._mean.device) for key in ("input_ids", "attention_mask") if key in tokens}
        return _unit(self._model.get_text_features(**known))

    def see(self, views: Tensor) -> Tensor:
        return _unit(self._model.get_image_features(pixel_values=(views - self._mean) / self._std))


def flatten_pooling(model: "PreTrainedModel") -> "PreTrainedModel":
    """Make the pooled features of convolutional eyes [n,D] where transformers 5.23 leaves them [n,D,1,1], over which
    VisionTextDualEncoderModel's own projection stumbles. Adds no parameters; does nothing to other eyes."""
    pooler = getattr(getattr(model, "vision_model", None), "pooler", None)
    if isinstance(pooler, nn.AdaptiveAvgPool2d):
        model.vision_model.pooler = nn.Sequential(pooler, nn.Flatten(1))
    return model


def _unit(features: Any) -> Tensor:
    """Features as unit vectors in float32; transformers 5 wraps them in an output, version 4 did not."""
    vectors = features if isinstance(features, Tensor) else features.pooler_output
    return F.normalize(vectors.float(), dim=-1)


def _side(pixels: dict[str, Any], config: Any) -> int:
    """The side of the square that the eye sees: what its preprocessor hands it, or else what its own config says."""
    cropped = pixels.get("do_center_crop", "crop_size" in pixels)
    size = pixels.get("crop_size" if cropped else "size", getattr(config.vision_config, "image_size", None))
    if isinstance(size, dict):
        size = size.get("height", size.get("shortest_edge"))
    if not isinstance(size, int):
        raise ModelError("this perceptor's files don't say how large the pictures are that it sees")
    return size


def load(name: str, directory: Path, device: torch.device) -> DualEncoder:
    """The dual encoder saved in `directory`. Raises ModelError where the files aren't one.

    Weights come from safetensors, or from a .bin that is read with `weights_only`: nothing is unpickled.
    """
    # Not `import transformers`: that module puts another in its own place while it is imported, and a thread that asks
    # for it meanwhile would be left with the empty one.
    transformers = importlib.import_module("transformers")

    transformers.utils.logging.disable_progress_bar()  # its bar for reading one small file is noise in a notebook
    kinds = {
        "clip": "CLIPModel",
        "siglip": "SiglipModel",
        "siglip2": "Siglip2Model",
        "vision-text-dual-encoder": "VisionTextDualEncoderModel",
    }
    try:
        config = json.loads((directory / "config.json").read_text())
        kind = kinds.get(config.get("model_type", ""))
        if kind is None:
            raise ModelError(
                f"{directory} holds a {config.get('model_type')!r}; a perceptor is one of {', '.join(kinds)}"
            )
        model = getattr(transformers, kind).from_pretrained(directory, local_files_only=True, dtype=torch.float32)
        tokenizer = transformers.AutoTokenizer.from_pretrained(directory, local_files_only=True)
    except (OSError, ValueError, KeyError, RuntimeError, pickle.UnpicklingError) as error:
        raise ModelError(f"{directory} holds no CLIP that transformers can load: {error}") from error
    preprocessor = directory / "preprocessor_config.json"
    pixels = json.loads(preprocessor.read_text()) if preprocessor.exists() else {}
    return DualEncoder(name, model.to(device), tokenizer, pixels)
