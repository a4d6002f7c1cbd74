"""Prompts as an image-text encoder embeds them, and the distance of views to them at any moment of a run.

Every distance is one number per candidate, so candidates drawn side by side don't affect each other.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor

from text2art_nb.perceptors.base import Perceptor
from text2art_nb.settings.prompts import Prompt

TEXT_OFF: Final = 0.1
"""Weight with which written words are pushed away (pixray's weight of its vector "textoff")."""
# The seven of CLIP's eighty templates that its authors found to work best together (openai/CLIP, notebooks, MIT).
_TEMPLATES: Final = (
    "itap of a {}.",
    "a bad photo of the {}.",
    "a origami {}.",
    "a photo of the large {}.",
    "a {} in a video game.",
    "art of the {}.",
    "a photo of the small {}.",
)
# The same pictures with and without words in them: the difference of their embeddings is writing.
_WITH_TEXT: Final = (
    "a photo with words written on it",
    "a painting with text on it",
    "a drawing with a caption",
    "a picture with letters all over it",
    "an illustration with a watermark",
    "a sign with writing on it",
)
_WITHOUT_TEXT: Final = (
    "a photo",
    "a painting",
    "a drawing",
    "a picture",
    "an illustration",
    "a blank sign",
)
_MIN_STEP: Final = 0.05  # a step shorter than this has no direction yet


def spherical_distance(a: Tensor, b: Tensor) -> Tensor:
    """Half the squared angle between unit vectors, 2·arcsin²(|a-b|/2), over the last axis (Crowson's VQGAN+CLIP)."""
    # At a = b the norm has no gradient and arcsin an infinite one; the clamp keeps both finite.
    chord = (a - b).square().sum(-1).clamp(min=1e-12).sqrt() / 2
    return 2 * chord.clamp(max=1 - 1e-6).arcsin().square()


def slerp(a: Tensor, b: Tensor, share: float) -> Tensor:
    """Interpolate between unit vectors along the great circle (Shoemake 1985); share: 0..1 of the way from a to b."""
    angle = (a * b).sum(-1, keepdim=True).clamp(-1, 1).arccos()
    # Parallel or opposite vectors span no circle. Decided on the device, so that nothing waits for a read-back.
    straight = (angle.min() < 1e-4) | (angle.max() > torch.pi - 1e-4)
    arc = a * ((1 - share) * angle).sin() + b * (share * angle).sin()
    return F.normalize(torch.where(straight, torch.lerp(a, b, share), arc), dim=-1)


class _StopBelow(torch.autograd.Function):
    """Pass a distance through, without a gradient where it is below its stop."""

    @staticmethod
    def forward(ctx: Any, distance: Tensor, stop: Tensor) -> Tensor:
        ctx.save_for_backward(distance, stop)
        return distance.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        distance, stop = ctx.saved_tensors
        return gradients[0] * (distance > stop), None


@dataclass(frozen=True)
class Targets:
    """The prompts of one region at one moment, as one encoder embeds them.

    vectors: [P,D], unit vectors; weights, stops: [P].
    votes: [P], the weights of the prompts that count in the score; None: all of them.
    directions: [P,D], unit vectors in which to move away from the initial picture, zero for other prompts; None: no
    prompt is a direction.
    total_weight: the sum of the absolute votes.
    """

    vectors: Tensor
    weights: Tensor
    stops: Tensor
    votes: Tensor | None = None
    directions: Tensor | None = None
    total_weight: float = 1.0

    def distance(self, encoded: Tensor, initial: Tensor | None = None) -> Tensor:
        """Return the weighted distance [B] of encoded views [B,n,D] to the prompts: mean over views, sum over prompts.

        |w| · max(sign(w)·d, stop): a negative weight pushes away; below the stop there is no gradient (VQGAN+CLIP,
        pixray). d is the spherical distance. For a direction it is 1 - cos(encoded - initial, to - from), as in
        StyleGAN-NADA (Gal et al. 2021), where initial [B,D] is the embedding of the initial picture.
        """
        distances = spherical_distance(encoded[..., None, :], self.vectors)
        if self.directions is not None:
            assert initial is not None  # `Guidance` keeps it wherever there are directions
            directed = self.directions.square().sum(-1) > 0
            distances = torch.where(directed, 1 - _cosine(encoded - initial[:, None], self.directions), distances)
        clamped: Tensor = _StopBelow.apply(distances * self.weights.sign(), self.stops)
        return (clamped * self.weights.abs()).mean(1).sum(-1)

    def score(self, encoded: Tensor) -> Tensor:
        """Return the weighted cosine similarity [B], -1..1, of one vector per candidate [B,D] to the prompts."""
        votes = self.weights if self.votes is None else self.votes
        return (encoded @ self.vectors.T) @ votes / votes.abs().sum().clamp(min=1e-8)


def _cosine(steps: Tensor, directions: Tensor) -> Tensor:
    """Return cosines [B,n,P] of steps [B,n,D] and unit directions [P,D]; the gradient is finite at a step of zero."""
    length = (steps.square().sum(-1, keepdim=True) + _MIN_STEP**2).sqrt()
    return (steps / length) @ directions.T


@dataclass(frozen=True)
class PromptEmbedding:
    """One prompt as an encoder embeds it.

    texts: [K,D], one for each keyframe of the prompt; origin: [D], the text that a direction leads away from; votes:
    whether it counts in the score.
    """

    prompt: Prompt
    texts: Tensor
    origin: Tensor | None = None
    votes: bool = True

    def at(self, progress: float) -> Tensor:
        """Return its vector [D] when `progress` (0..1) of the iterations is done."""
        if len(self.texts) == 1:
            return self.texts[0]
        keys = self.prompt.keys
        following = sum(key <= progress for key in keys)
        if following in (0, len(keys)):
            return self.texts[min(following, len(keys) - 1)]
        before, after = keys[following - 1 : following + 1]
        return slerp(self.texts[following - 1], self.texts[following], (progress - before) / (after - before))

    def direction(self, progress: float) -> Tensor:
        """Return its direction [D], a unit vector; zero where the prompt isn't a direction."""
        if self.origin is None:
            return torch.zeros_like(self.texts[0])
        return F.normalize(self.at(progress) - self.origin, dim=-1)


class EncodedPrompts:
    """All prompts of a run as one encoder embeds them, by region.

    regions: those that any prompt names (None: the whole picture); directed: those in which a prompt is a direction.
    """

    def __init__(self, embeddings: Sequence[PromptEmbedding]) -> None:
        names = {embedding.prompt.region for embedding in embeddings}
        self.directed = tuple({each.prompt.region: None for each in embeddings if each.origin is not None})
        self.regions: tuple[str | None, ...] = tuple(sorted(names, key=lambda name: name or ""))
        self._embeddings = {
            region: [each for each in embeddings if each.prompt.region == region] for region in self.regions
        }
        self._weighted = {region: _weighted_targets(embeddings) for region, embeddings in self._embeddings.items()}
        moving = any(len(embedding.texts) > 1 for embedding in embeddings)
        self._constant = None if moving else dict(self._targets_at(0.0))

    def at(self, progress: float) -> dict[str | None, Targets]:
        """Return the targets by region (None: the whole picture) when `progress` (0..1) of the iterations is done."""
        return dict(self._targets_at(progress)) if self._constant is None else self._constant

    def _targets_at(self, progress: float) -> Iterator[tuple[str | None, Targets]]:
        for region, embeddings in self._embeddings.items():
            directed = any(each.origin is not None for each in embeddings)
            yield (
                region,
                replace(
                    self._weighted[region],
                    vectors=torch.stack([each.at(progress) for each in embeddings]),
                    directions=torch.stack([each.direction(progress) for each in embeddings]) if directed else None,
                ),
            )


def _weighted_targets(embeddings: Sequence[PromptEmbedding]) -> Targets:
    """Return a region's targets with all that stays the same throughout a run, uploaded once."""
    vectors = torch.stack([embedding.texts[0] for embedding in embeddings])
    weights = [embedding.prompt.weight for embedding in embeddings]
    votes = [weight if embedding.votes else 0.0 for weight, embedding in zip(weights, embeddings, strict=True)]
    return Targets(
        vectors,
        torch.tensor(weights, device=vectors.device),
        torch.tensor([embedding.prompt.stop for embedding in embeddings], device=vectors.device),
        torch.tensor(votes, device=vectors.device),
        total_weight=sum(map(abs, votes)),
    )


def encode_prompts(
    prompts: Sequence[Prompt],
    perceptor: Perceptor,
    device: torch.device,
    encode_image: Callable[[str], Tensor],
    text_off: bool = False,
) -> EncodedPrompts:
    """Embed `prompts` with `perceptor`.

    Args:
        prompts: at least one.
        perceptor: the encoder whose text tower reads them.
        device: of the vectors.
        encode_image: embeds an image prompt (a data URI) as a unit vector [D].
        text_off: whether written words are pushed away, from each region.
    """
    plain = [prompt.text for prompt in prompts if _is_plain(prompt)]
    plain_embeddings = iter(perceptor.read(plain) if plain else ())
    embeddings = []
    for prompt in prompts:
        first = next(plain_embeddings) if _is_plain(prompt) else _first_embedding(prompt, perceptor, encode_image)
        embeddings.append(_embed(prompt, first.to(device), perceptor))
    if text_off:
        writing = _writing_direction(perceptor).to(device)[None]
        regions = {prompt.region for prompt in prompts}
        away = [Prompt("writing", -TEXT_OFF / len(regions), region=region) for region in sorted(regions, key=str)]
        embeddings += [PromptEmbedding(prompt, writing, votes=False) for prompt in away]
    return EncodedPrompts(embeddings)


def _is_plain(prompt: Prompt) -> bool:
    """Tell whether a prompt is text alone; such prompts are encoded in one batch."""
    return prompt.image is None and prompt.noise is None and not prompt.label


def _first_embedding(prompt: Prompt, perceptor: Perceptor, encode_image: Callable[[str], Tensor]) -> Tensor:
    """Embed an image, noise, or a label as a unit vector [D]."""
    if prompt.image is not None:
        return encode_image(prompt.image)
    if prompt.noise is not None:
        width = perceptor.read(["a picture"]).shape[-1]
        return F.normalize(torch.randn(width, generator=torch.Generator().manual_seed(prompt.noise)), dim=-1)
    return F.normalize(perceptor.read([each.format(prompt.text) for each in _TEMPLATES]).mean(0), dim=-1)


def _embed(prompt: Prompt, first: Tensor, perceptor: Perceptor) -> PromptEmbedding:
    """Embed a prompt with its keyframes and origin; first: the vector [D] of its first keyframe."""
    texts = first[None]
    if prompt.schedule:
        texts = torch.cat([texts, perceptor.read(prompt.schedule).to(first)])
    origin = perceptor.read([prompt.origin])[0].to(first) if prompt.origin else None
    return PromptEmbedding(prompt, texts, origin, votes=prompt.noise is None)


def _writing_direction(perceptor: Perceptor) -> Tensor:
    """Return the unit vector [D] that leads to pictures with more writing in them."""
    return F.normalize(perceptor.read(_WITH_TEXT).mean(0) - perceptor.read(_WITHOUT_TEXT).mean(0), dim=-1)
