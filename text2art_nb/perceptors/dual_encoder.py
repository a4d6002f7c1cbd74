"""CLIP and its relatives, as `transformers` saves them: CLIPModel, SiglipModel, VisionTextDualEncoderModel.

All speak `get_text_features` and `get_image_features`; the embedded CLIP is one more of them.
"""

import functools
import importlib
import json
import math
import pickle
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from text2art_nb.errors import ModelError
from text2art_nb.models.cleaning import canonicalize, clean
from text2art_nb.models.missing_weights import check_nothing_missing, check_tokenizer, check_tokenizer_files
from text2art_nb.models.plain_words import plain_words, taught_words
from text2art_nb.perceptors.fused_ops import class_token, shorten
from text2art_nb.perceptors.long_texts import read_in_parts
from text2art_nb.perceptors.patch_dropout import keep_some

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
_CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
_SIGLIP_MEAN = _SIGLIP_STD = (0.5, 0.5, 0.5)


class DualEncoder:
    """A perceptor over a `transformers` dual encoder; see `perceptors.base.Perceptor`."""

    def __init__(
        self,
        name: str,
        model: "PreTrainedModel",
        tokenizer: "PreTrainedTokenizerBase",
        pixels: dict[str, Any],
        cleaned: Callable[[str], str] = str,
    ) -> None:
        """pixels: what its preprocessor_config.json says (size, image_mean, image_std), or {} for its family's own.

        cleaned: what its training captions went through before the tokenizer; of a SigLIP all but `canonicalize`.
        """
        self.name = name
        self._cleaned = cleaned
        self._model = flatten_pooling(model.eval().requires_grad_(False))
        shorten(getattr(model, "vision_model", None))
        # A fast tokenizer keeps how the last call wanted its texts padded, and looks it up while it works: two runs
        # that read at once would get each other's padding.
        self._tokenizer, self._tokenizing = tokenizer, threading.Lock()
        self.size = _side(pixels, model.config)
        self.augmentation = float(pixels.get("text2art_augmentation", 1.0))
        device = next(model.parameters()).device
        mean, std = (_SIGLIP_MEAN, _SIGLIP_STD) if self._is_siglip else (_CLIP_MEAN, _CLIP_STD)
        self._mean = torch.tensor(pixels.get("image_mean", mean), device=device).view(1, 3, 1, 1)
        self._std = torch.tensor(pixels.get("image_std", std), device=device).view(1, 3, 1, 1)

    @property
    def network(self) -> nn.Module:
        """The frozen network."""
        return self._model

    @property
    def longest(self) -> int:
        text = getattr(self._model.config, "text_config", self._model.config)
        return int(text.max_position_embeddings)

    @property
    def _is_siglip(self) -> bool:
        return str(self._model.config.model_type).startswith("siglip")

    def tokens(self, text: str) -> list[int]:
        """The ids of `text`, cleaned, with its start and end if it has any, of any length and without filling."""
        return self._tokens_of(self._cleaned(text))

    def count_tokens(self, text: str) -> int:
        return len(self.tokens(text))

    def _tokens_of(self, cleaned: str) -> list[int]:
        with self._tokenizing:
            ids: list[int] = self._tokenizer(self._prepared(cleaned)).input_ids
        return ids

    @torch.no_grad()
    def read(self, texts: Sequence[str]) -> Tensor:
        cleaned = [self._cleaned(text) for text in texts]
        return read_in_parts(cleaned, lambda part: len(self._tokens_of(part)), self.longest, self._read_short)

    def _read_short(self, texts: Sequence[str]) -> Tensor:
        prepared = [self._prepared(text) for text in texts]
        fit = {"truncation": True, "max_length": self.longest, "return_tensors": "pt"}
        if self._is_siglip:
            # SigLIP was trained on texts filled up to their full length on the right, and reads the filling: no mask.
            with self._tokenizing:
                tokens = self._tokenizer(prepared, padding="max_length", padding_side="right", **fit)
            known = {"input_ids": tokens["input_ids"].to(self._mean.device)}
        else:
            with self._tokenizing:
                tokens = self._tokenizer(prepared, padding=True, **fit)
            names = [name for name in ("input_ids", "attention_mask") if name in tokens]
            known = {name: tokens[name].to(self._mean.device) for name in names}
        return _unit(self._model.get_text_features(**known))

    def _prepared(self, part: str) -> str:
        """A part of a cleaned text; of a SigLIP's the punctuation goes only now, for commas say where parts end."""
        return canonicalize(part) if self._is_siglip else part

    def see(self, views: Tensor) -> Tensor:
        pixels, tower = self._pixels(views), self._tower
        if not _has_class_token(tower):
            return _unit(self._model.get_image_features(**pixels))
        return self._see_tokens(tower.embeddings(**pixels))

    def see_some(self, views: Tensor, share: float, generator: torch.Generator) -> Tensor:
        """As `see`, without a share of the patches (0..0.9), others in each view; an eye without patches sees all."""
        tower, pixels = self._tower, self._pixels(views)
        if share <= 0 or len(pixels) > 1 or not _is_transformer(tower):
            return self.see(views)
        tokens = tower.embeddings(**pixels)
        leading = tokens.shape[1] - (self.size // tower.config.patch_size) ** 2  # CLIP has a class token, SigLIP none
        tokens = keep_some(tokens, share, generator, leading)
        if _has_class_token(tower):
            return self._see_tokens(tokens)
        tokens = tower.encoder(inputs_embeds=tokens).last_hidden_state
        return _unit(tower.head(tower.post_layernorm(tokens)))

    @property
    def _tower(self) -> Any:
        """The eye itself, where the model has one by itself."""
        return getattr(self._model, "vision_model", None)

    def _see_tokens(self, tokens: Tensor) -> Tensor:
        """What a CLIP sees in `tokens` [n,T,C], the class token first."""
        tower = self._tower
        *layers, last = tower.encoder.layers
        tokens = tower.pre_layrnorm(tokens)
        for layer in layers:
            tokens = layer(tokens, attention_mask=None)
        return _unit(self._model.visual_projection(tower.post_layernorm(class_token(last, tokens))))

    def layers(self, views: Tensor) -> tuple[Tensor, ...]:
        """What each layer of the eye makes of `views`: [n,positions,channels] each, from the pixels' side on.

        A transformer's positions are its patches; its class token, which is nowhere, is left out.
        """
        states = self._model.vision_model(**self._pixels(views), output_hidden_states=True).hidden_states
        return tuple(positions(state) for state in states)

    def _pixels(self, views: Tensor) -> dict[str, Tensor]:
        """What the eye is handed: pictures, or, of a SigLIP 2 for any aspect, rows of patches."""
        pixels = (views - self._mean) / self._std
        if self._model.config.model_type != "siglip2":
            return {"pixel_values": pixels}
        side = int(self._model.config.vision_config.patch_size)
        count = self.size // side
        patches = pixels.unfold(2, side, side).unfold(3, side, side)  # [n,3,rows,columns,side,side]
        return {
            "pixel_values": patches.permute(0, 2, 3, 4, 5, 1).flatten(3).flatten(1, 2),
            "pixel_attention_mask": torch.ones(len(views), count**2, dtype=torch.int32, device=views.device),
            "spatial_shapes": torch.tensor([[count, count]] * len(views), device=views.device),
        }


def _is_transformer(tower: object) -> bool:
    """Whether an eye is built as `see_some` takes it apart: a CLIP's, or a SigLIP's with a head."""
    parts = ("embeddings", "encoder", "post_layernorm")
    return all(hasattr(tower, part) for part in parts) and (_has_class_token(tower) or hasattr(tower, "head"))


def _has_class_token(tower: object) -> bool:
    """Whether an eye is a CLIP's transformer."""
    return hasattr(tower, "pre_layrnorm")


def positions(state: Tensor) -> Tensor:
    """A layer's [n,C,h,w] or [n,positions,C], maybe with a class token before its patches, as [n,positions,C]."""
    if state.dim() == 4:
        # Not flatten(2).mT: on the CPU, torch 2.13 then takes a wrong gradient back through a batch norm.
        return state.permute(0, 2, 3, 1).flatten(1, 2)
    patches = state.shape[1] - 1
    return state[:, 1:] if patches > 1 and math.isqrt(patches) ** 2 == patches else state


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
    if config.model_type == "siglip2":  # a number of patches, of any shape: here always a square
        return int(config.vision_config.num_patches**0.5) * int(config.vision_config.patch_size)
    cropped = pixels.get("do_center_crop", "crop_size" in pixels)
    size = pixels.get("crop_size" if cropped else "size", getattr(config.vision_config, "image_size", None))
    if isinstance(size, dict):
        size = size.get("height", size.get("shortest_edge"))
    if not isinstance(size, int):
        raise ModelError("this perceptor's files don't say how large the pictures are that it sees")
    return size


_KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "clip": "CLIPModel",
        "siglip": "SiglipModel",
        "siglip2": "Siglip2Model",
        "vision-text-dual-encoder": "VisionTextDualEncoderModel",
    }
)
"""The models of `transformers`, by what a config.json calls them."""


def is_saved_in(directory: Path) -> bool:
    """Whether a directory has the files that `transformers` saves: a config.json and tensors under its own names."""
    tensors = any((directory / f"{stem}.{kind}").is_file() for stem, kind in _TENSORS) or any(
        directory.glob("*.index.json")
    )
    return tensors and (directory / "config.json").is_file()


_TENSORS: Final = (("model", "safetensors"), ("pytorch_model", "bin"))


def load(name: str, directory: Path, device: torch.device) -> DualEncoder:
    """The dual encoder saved in `directory`. Raises ModelError where the files aren't one, or not all of one.

    Weights come from safetensors, or from a .bin that is read with `weights_only`: nothing is unpickled.
    """
    # Not `import transformers`: that module puts another in its own place while it is imported, and a thread that asks
    # for it meanwhile would be left with the empty one.
    transformers = importlib.import_module("transformers")

    transformers.utils.logging.disable_progress_bar()  # its bar for reading one small file is noise in a notebook
    try:
        called = _read(directory / "config.json").get("model_type", "")
        kind = _KINDS.get(called)
        if kind is None:
            raise ModelError(f"{directory} holds a {called!r}; a perceptor is one of {', '.join(_KINDS)}")
        model, loaded = getattr(transformers, kind).from_pretrained(
            directory, local_files_only=True, dtype=torch.float32, output_loading_info=True
        )
        tokenizer = _tokenizer(transformers, directory)
        pixels, taught = _preprocessing(directory), taught_words(directory)
    except (ImportError, OSError, TypeError, ValueError, KeyError, RuntimeError, pickle.UnpicklingError) as error:
        raise ModelError(f"{directory} holds no CLIP that transformers can load: {error}") from error
    check_nothing_missing(directory, "CLIP", loaded)
    pieces = getattr(model.config, "text_config", model.config).vocab_size
    check_tokenizer(directory, lambda text: tokenizer(text).input_ids, pieces)
    return DualEncoder(name, model.to(device), tokenizer, pixels, _cleaning(called, taught))


def _cleaning(model_type: str, taught: frozenset[str]) -> Callable[[str], str]:
    """How a text is cleaned for a kind of model. taught: the words of an embedded one; empty for all others."""
    if taught:
        return functools.partial(plain_words, taught=taught)
    return str if model_type == "vision-text-dual-encoder" else clean  # of those each was trained in its own way


def _tokenizer(transformers: Any, directory: Path) -> "PreTrainedTokenizerBase":
    """What is saved there, out of tokenizer.json where there is one. Raises what transformers raises, and ValueError.

    A SiglipTokenizer is SentencePiece's in transformers 5: it wants a package and a file that tokenizer.json replaces.
    """
    check_tokenizer_files(directory)
    saved, config = directory / "tokenizer.json", directory / "tokenizer_config.json"
    own = _read(config) if config.exists() else {}
    if saved.exists():
        _read(saved)  # the tokenizers package says of a damaged one no more than a line and a column
    fast = saved.exists() and own.get("tokenizer_class") == "SiglipTokenizer"
    reader = transformers.PreTrainedTokenizerFast if fast else transformers.AutoTokenizer
    return reader.from_pretrained(directory, local_files_only=True)


def _preprocessing(directory: Path) -> dict[str, Any]:
    """What is done to pictures: of preprocessor_config.json, or of transformers 5's processor_config.json, or {}.

    Raises OSError and ValueError.
    """
    own, whole = directory / "preprocessor_config.json", directory / "processor_config.json"
    if own.exists():
        return _read(own)
    pixels = _read(whole).get("image_processor") if whole.exists() else None
    return pixels if isinstance(pixels, dict) else {}


def _read(path: Path) -> dict[str, Any]:
    """A JSON object. Raises OSError, and ValueError where it isn't one, and names the file."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name} is not JSON ({error})") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path.name} is not a JSON object")
    return found
