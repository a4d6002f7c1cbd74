"""The words that a diffusion model is conditioned on, read by its own text encoders.

One encoder (Stable Diffusion) or two (SDXL), as `transformers` saves CLIP's text half. They stay on the CPU in float32:
they read once a prompt, and the accelerator's memory is for what works in every iteration.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from text2art_nb.models.cleaning import clean
from text2art_nb.settings.prompts import Prompt

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Words:
    """What the model is told: one vector a token [1,L,D], and of SDXL one for the whole [1,P]."""

    tokens: Tensor
    whole: Tensor | None = None

    def to(self, device: torch.device, dtype: torch.dtype) -> "Words":
        """The same on another device and in another format."""
        whole = None if self.whole is None else self.whole.to(device, dtype)
        return Words(self.tokens.to(device, dtype), whole)


class Reader:
    """One text encoder with its tokenizer.

    layer: which hidden layer the model was trained on: -1 is the last, normalised (Stable Diffusion), -2 the one before
    it (SDXL's two).
    """

    def __init__(self, encoder: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", layer: int) -> None:
        self._encoder = encoder
        self._tokenizer = tokenizer
        self._layer = layer

    @torch.no_grad()
    def read(self, text: str) -> tuple[Tensor, Tensor | None]:
        """Vectors of the tokens [k,L,D], k ≥ 1 pieces of L tokens, and of the whole text [1,P] if there is such a head.

        A text of more tokens than the encoder takes is read in pieces, as most programs do since AUTOMATIC1111's; the
        model attends to all of them. The whole is the first piece's.
        """
        pieces = torch.tensor([self._framed(piece) for piece in self._pieces(text)])
        found = self._encoder(pieces, output_hidden_states=self._layer != -1)
        tokens = found.last_hidden_state if self._layer == -1 else found.hidden_states[self._layer]
        whole = getattr(found, "text_embeds", None)
        return tokens, None if whole is None else whole[:1]

    @property
    def _longest(self) -> int:
        """Tokens of one piece, its start and its end with them."""
        return int(self._encoder.config.max_position_embeddings)

    def _pieces(self, text: str) -> list[list[int]]:
        tokens: list[int] = self._tokenizer(clean(text), add_special_tokens=False, verbose=False).input_ids
        room = self._longest - 2
        return [tokens[start : start + room] for start in range(0, max(1, len(tokens)), room)]

    def _framed(self, piece: list[int]) -> list[int]:
        tokenizer = self._tokenizer
        framed = [tokenizer.bos_token_id, *piece, tokenizer.eos_token_id]
        return framed + [tokenizer.pad_token_id] * (self._longest - len(framed))


class Readers:
    """All text encoders of one model, as one."""

    def __init__(self, readers: Sequence[Reader]) -> None:
        self._readers = tuple(readers)
        self.nothing = self._read("")

    def hear(self, prompts: Sequence[Prompt]) -> "Heard":
        """`prompts`, read.

        Only what is positive and in words: a one-step model has no guidance that could push away, so negative prompts
        and pictures are the perceptors' business alone.
        """
        asked = [prompt for prompt in prompts if prompt.weight > 0 and prompt.text and prompt.noise is None]
        texts = {text for prompt in asked for text in (prompt.text, *prompt.schedule)}
        return Heard(asked, {text: self._read(text) for text in sorted(texts)}, self.nothing)

    def _read(self, text: str) -> "_Text":
        read = [reader.read(text) for reader in self._readers]
        pieces = max(len(tokens) for tokens, _ in read)
        side_by_side = [torch.cat([tokens, *[tokens[-1:]] * (pieces - len(tokens))]) for tokens, _ in read]
        return torch.cat(side_by_side, -1), read[-1][1]


_Text = tuple[Tensor, Tensor | None]  # [k,L,D], the encoders' vectors side by side, and the last one's whole [1,P]


@dataclass(frozen=True)
class Heard:
    """Prompts that have been read: positive ones, their texts by the words, and the empty text."""

    prompts: Sequence[Prompt]
    texts: Mapping[str, _Text]
    nothing: _Text

    def at(self, progress: float) -> Words:
        """What the model is told when `progress` (0..1) of the iterations is done.

        The mean of the prompts by their weights, token by token ("blend" elsewhere); shorter ones are filled up with
        the empty text. Where no prompt pulls with words, the empty text.
        """
        total = sum(prompt.weight for prompt in self.prompts)
        shares = [
            (self.texts[text], prompt.weight / total * share)
            for prompt in self.prompts
            for text, share in _said(prompt, progress)
        ] or [(self.nothing, 1.0)]
        longest = max(len(tokens) for (tokens, _), _ in shares)
        tokens = torch.stack([self._filled(tokens, longest) * share for (tokens, _), share in shares]).sum(0)
        wholes = [whole * share for (_, whole), share in shares if whole is not None]
        return Words(tokens.flatten(0, 1)[None], torch.stack(wholes).sum(0) if wholes else None)

    def _filled(self, tokens: Tensor, pieces: int) -> Tensor:
        return torch.cat([tokens, *[self.nothing[0]] * (pieces - len(tokens))])


def _said(prompt: Prompt, progress: float) -> list[tuple[str, float]]:
    """The texts of a prompt's schedule that count at `progress`, and how much each, adding up to 1."""
    texts, keys = (prompt.text, *prompt.schedule), prompt.keys
    following = sum(key <= progress for key in keys)
    if len(texts) == 1 or following in (0, len(keys)):
        return [(texts[min(following, len(texts) - 1)], 1.0)]
    before, after = keys[following - 1 : following + 1]
    share = (progress - before) / (after - before)
    return [(texts[following - 1], 1 - share), (texts[following], share)]
