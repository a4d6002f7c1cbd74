"""Proposals: a whole small picture of a sentence in a moment, from which a drawing can start."""

import functools
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from text2art_nb import models
from text2art_nb.errors import ModelError
from text2art_nb.models.plain_words import plain_words, taught_words
from text2art_nb.optimization import rng
from text2art_nb.optimization.proposals.network import MODEL_TYPE, SIZE, Proposal, Shape
from text2art_nb.settings.prompts import as_sentences

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from text2art_nb.settings import Settings

__all__ = ["SIZE", "Proposer", "load", "of_settings"]


class Proposer:
    """A frozen proposal with its tokenizer, shared by all runs on a device.

    Args:
        model: the networks.
        tokenizer: of the sentences, padding to the longest.
        device: where the pictures are painted.
        taught: the words that the tokenizer was trained on, with those that have hyphens or a hash in them.
    """

    def __init__(
        self, model: Proposal, tokenizer: "Tokenizer", device: torch.device, taught: frozenset[str] = frozenset()
    ) -> None:
        self._tokenizer, self._device, self._taught = tokenizer, device, taught
        self._model = model.eval().requires_grad_(False).to(device)

    @property
    def variants(self) -> int:
        """How many proposals of the same sentence differ in more than being mirrored."""
        return self._model.shape.variants

    @torch.no_grad()
    def propose(self, prompts: Sequence[tuple[str, float]], count: int, generator: torch.Generator) -> Tensor:
        """Pictures [count,3,64,64] in 0..1 of weighted prompts.

        What one prompt leaves open another may state; where they contradict, the weightier wins. Of a prompt about
        another thing than the one that is painted only place, hour, weather and style are taken. Prompts of weight 0
        and below say what is not to be seen, and are passed over.

        Args:
            prompts: texts with their weights.
            count: how many candidates. The first `variants` are all different, mirrored or not; then they repeat.
            generator: on the CPU; draws the order of the variants, and which are mirrored.
        """
        order = torch.cat(
            [torch.randperm(self.variants, generator=generator) for _ in range(-(-count // self.variants))]
        )
        mirrored = torch.rand(len(order), generator=generator) < 0.5
        variants, mirrored = order[:count].to(self._device), mirrored[:count].to(self._device)
        whole = self._model.complete(self._stated([pair for pair in prompts if pair[1] > 0]), variants)
        return self._model.paint(whole, variants, mirrored)

    def describe(self, prompts: Sequence[tuple[str, float]]) -> dict[str, int]:
        """What the prompts are taken to state: {attribute: index of its value}, without those left open."""
        values = self._stated([pair for pair in prompts if pair[1] > 0]).tolist()
        return {name: value for name, value in zip(self._model.shape.attributes, values, strict=True) if value >= 0}

    @torch.no_grad()
    def _stated(self, prompts: Sequence[tuple[str, float]]) -> Tensor:
        read = self._tokenizer.encode_batch([plain_words(text, self._taught) for text, _ in prompts] or [""])
        ids = torch.tensor([one.ids for one in read], device=self._device)
        mask = torch.tensor([one.attention_mask for one in read], device=self._device)
        weights = torch.tensor([weight for _, weight in prompts] or [1.0], device=self._device)
        return self._model.stated(ids, mask, weights)


def of_settings(settings: "Settings", device: torch.device) -> Tensor:
    """What a run of `settings` starts from: a picture [candidates,3,64,64] in 0..1 of its prompts' words for each."""
    painted = rng.generator(settings.seed or 0, 0, 0)
    return load("embedded", device).propose(as_sentences(settings.parsed), settings.candidates, painted)


@functools.lru_cache(maxsize=4)
def load(name: str, device: torch.device) -> Proposer:
    """The proposer called `name` ("embedded", or a directory), on `device`. Nothing is unpickled.

    Raises ModelError where its files are missing, or aren't those of a proposal.
    """
    # Not `models.locate` for a directory: where config.json is missing, that takes a path for a catalogue name.
    directory = models.locate(name, "proposal") if name == "embedded" else Path(os.path.expanduser(name))
    try:
        return _read(directory, device)
    except (OSError, ValueError, KeyError, TypeError, RuntimeError) as error:
        raise ModelError(f"{directory} holds no proposal that text2art can load: {error}") from error


def _read(directory: Path, device: torch.device) -> Proposer:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    config: dict[str, Any] = json.loads((directory / "config.json").read_text(encoding="utf-8"))
    if config.get("model_type") != MODEL_TYPE:
        raise ValueError(f"config.json is that of a {config.get('model_type')!r}")
    model = Proposal(Shape(**config["shape"]))
    try:
        tensors = load_file(directory / "model.safetensors")
    except SafetensorError as error:
        raise ValueError(f"model.safetensors: {error}") from error
    lacking = [name for name in model.load_state_dict(tensors, strict=False).missing_keys if not name.endswith("_base")]
    if lacking:
        raise ValueError(f"model.safetensors lacks {lacking[0]}")
    with torch.no_grad():
        model.painter.thing_base.zero_()
    # Its tokenizer is the embedded CLIP's, which keeps the list of the words.
    taught = taught_words(models.locate("embedded", "clip"))
    return Proposer(model, _read_tokenizer(directory / "tokenizer.json"), device, taught)


def _read_tokenizer(path: Path) -> "Tokenizer":
    from tokenizers import Tokenizer

    if not path.is_file():
        raise FileNotFoundError(f"{path.name} is missing")
    try:
        tokenizer: Tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more precise
        raise ValueError(f"{path.name}: {error}") from error
    tokenizer.enable_padding()  # with token 0, which the mask hides
    tokenizer.enable_truncation(40)
    return tokenizer
