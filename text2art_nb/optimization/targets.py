"""What the prompts pull a picture towards, as a perceptor understands them, at any moment of a run.

Every distance is one number a candidate, so that candidates drawn side by side never pull on each other.
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
"""How strongly written words are pushed away (pixray's weight of its vector "textoff")."""
# The seven of CLIP's eighty phrases that its authors found to work best together (openai/CLIP, notebooks, MIT).
_PHRASES: Final = (
    "itap of a {}.",
    "a bad photo of the {}.",
    "a origami {}.",
    "a photo of the large {}.",
    "a {} in a video game.",
    "art of the {}.",
    "a photo of the small {}.",
)
# The same pictures with words in them and without: what is left of the difference is writing.
_WRITTEN: Final = (
    "a photo with words written on it",
    "a painting with text on it",
    "a drawing with a caption",
    "a picture with letters all over it",
    "an illustration with a watermark",
    "a sign with writing on it",
)
_UNWRITTEN: Final = (
    "a photo",
    "a painting",
    "a drawing",
    "a picture",
    "an illustration",
    "a blank sign",
)
_NEAR: Final = 0.05  # a picture that has come no further than this has no direction yet


def spherical_distance(a: Tensor, b: Tensor) -> Tensor:
    """Half the squared angle between unit vectors, 2·arcsin²(|a-b|/2), over the last axis (Crowson's VQGAN+CLIP)."""
    # At a = b the norm has no gradient and arcsin an infinite one; the clamp keeps both finite.
    chord = (a - b).square().sum(-1).clamp(min=1e-12).sqrt() / 2
    return 2 * chord.clamp(max=1 - 1e-6).arcsin().square()


def between(a: Tensor, b: Tensor, share: float) -> Tensor:
    """The unit vector a `share` (0..1) of the way from one unit vector to another, along the great circle."""
    angle = (a * b).sum(-1, keepdim=True).clamp(-1, 1).arccos()
    # The circle is no one's, or not needed. Chosen where the vectors are, so that nobody waits for the answer.
    straight = (angle.min() < 1e-4) | (angle.max() > torch.pi - 1e-4)
    arc = a * ((1 - share) * angle).sin() + b * (share * angle).sin()
    return F.normalize(torch.where(straight, torch.lerp(a, b, share), arc), dim=-1)


class _StopBelow(torch.autograd.Function):
    """The distance itself, without a gradient where it is already below its stop."""

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
    """The prompts of one region at one moment, in a perceptor's space.

    vectors: [P,D], what a picture should look like; weights, stops: [P].
    votes: [P], the weights of those that count in the score; None: all of them.
    directions: [P,D], unit vectors in which to go from the first picture, zero for prompts that are none; None: no
    prompt is one.
    loudness: the sum of the absolute votes.
    """

    vectors: Tensor
    weights: Tensor
    stops: Tensor
    votes: Tensor | None = None
    directions: Tensor | None = None
    loudness: float = 1.0

    def distance(self, seen: Tensor, begun: Tensor | None = None) -> Tensor:
        """Weighted distance [B] of views [B,n,D] to the prompts: mean over views, sum over prompts.

        |w| · max(sign(w)·d, stop): a negative weight pushes away; below the stop nothing pulls (VQGAN+CLIP, pixray). d
        is the spherical distance; for a direction it is 1 - cos(seen - begun, to - from), as in StyleGAN-NADA (Gal et
        al. 2021), where begun [B,D] is how the first picture was seen.
        """
        distances = spherical_distance(seen[..., None, :], self.vectors)
        if self.directions is not None:
            assert begun is not None  # whoever has directions has seen where they begin
            led = self.directions.square().sum(-1) > 0
            distances = torch.where(led, 1 - _cosine(seen - begun[:, None], self.directions), distances)
        held: Tensor = _StopBelow.apply(distances * self.weights.sign(), self.stops)
        return (held * self.weights.abs()).mean(1).sum(-1)

    def score(self, seen: Tensor) -> Tensor:
        """Cosine similarity [B], -1..1, of one vector a candidate [B,D] to the prompts, weighted."""
        votes = self.weights if self.votes is None else self.votes
        return (seen @ self.vectors.T) @ votes / votes.abs().sum().clamp(min=1e-8)


def _cosine(steps: Tensor, directions: Tensor) -> Tensor:
    """Cosines [B,n,P] of steps [B,n,D] and unit directions [P,D]; a step of nearly nothing has a finite gradient."""
    length = (steps.square().sum(-1, keepdim=True) + _NEAR**2).sqrt()
    return (steps / length) @ directions.T


@dataclass(frozen=True)
class _Voice:
    """One prompt in a perceptor's space: its texts [K,D], when each is reached, and where it comes from [D]."""

    prompt: Prompt
    texts: Tensor
    origin: Tensor | None = None
    votes: bool = True

    def at(self, progress: float) -> Tensor:
        """What it asks for [D] when `progress` (0..1) of the iterations is done."""
        if len(self.texts) == 1:
            return self.texts[0]
        keys = self.prompt.keys
        following = sum(key <= progress for key in keys)
        if following in (0, len(keys)):
            return self.texts[min(following, len(keys) - 1)]
        before, after = keys[following - 1 : following + 1]
        return between(self.texts[following - 1], self.texts[following], (progress - before) / (after - before))

    def direction(self, progress: float) -> Tensor:
        """In which direction it leads [D]; zero where it doesn't lead but stand."""
        if self.origin is None:
            return torch.zeros_like(self.texts[0])
        return F.normalize(self.at(progress) - self.origin, dim=-1)


class Heard:
    """All prompts of a run as one perceptor understands them, by the region where they count."""

    def __init__(self, voices: Sequence[_Voice]) -> None:
        names = {voice.prompt.region for voice in voices}
        self.led = tuple({voice.prompt.region: None for voice in voices if voice.origin is not None})
        self.regions: tuple[str | None, ...] = tuple(sorted(names, key=lambda name: name or ""))
        self._voices = {region: [each for each in voices if each.prompt.region == region] for region in self.regions}
        self._weighed = {region: _weigh(voices) for region, voices in self._voices.items()}
        moving = any(len(voice.texts) > 1 for voice in voices)
        self._still = None if moving else dict(self._said(0.0))

    def at(self, progress: float) -> dict[str | None, Targets]:
        """The targets by region (None: the whole picture) when `progress` (0..1) of the iterations is done."""
        return dict(self._said(progress)) if self._still is None else self._still

    def _said(self, progress: float) -> Iterator[tuple[str | None, Targets]]:
        for region, voices in self._voices.items():
            led = any(voice.origin is not None for voice in voices)
            yield (
                region,
                replace(
                    self._weighed[region],
                    vectors=torch.stack([voice.at(progress) for voice in voices]),
                    directions=torch.stack([voice.direction(progress) for voice in voices]) if led else None,
                ),
            )


def _weigh(voices: Sequence[_Voice]) -> Targets:
    """What of a region's targets stays the same all the way, on its device once and for all."""
    vectors = torch.stack([voice.texts[0] for voice in voices])
    weights = [voice.prompt.weight for voice in voices]
    votes = [weight if voice.votes else 0.0 for weight, voice in zip(weights, voices, strict=True)]
    return Targets(
        vectors,
        torch.tensor(weights, device=vectors.device),
        torch.tensor([voice.prompt.stop for voice in voices], device=vectors.device),
        torch.tensor(votes, device=vectors.device),
        loudness=sum(map(abs, votes)),
    )


def hear(
    prompts: Sequence[Prompt],
    perceptor: Perceptor,
    device: torch.device,
    look: Callable[[str], Tensor],
    text_off: bool = False,
) -> Heard:
    """`prompts` in the space of `perceptor`.

    Args:
        prompts: at least one.
        perceptor: reads them.
        device: where the vectors shall be.
        look: turns an image prompt (a data URI) into its unit vector [D].
        text_off: whether writing is pushed away, from each region.
    """
    plain = [prompt.text for prompt in prompts if _is_plain(prompt)]
    read = iter(perceptor.read(plain) if plain else ())
    voices = []
    for prompt in prompts:
        first = next(read) if _is_plain(prompt) else _first(prompt, perceptor, look)
        voices.append(_voice(prompt, first.to(device), perceptor))
    if text_off:
        writing = _writing(perceptor).to(device)[None]
        regions = {prompt.region for prompt in prompts}
        away = [Prompt("writing", -TEXT_OFF / len(regions), region=region) for region in sorted(regions, key=str)]
        voices += [_Voice(prompt, writing, votes=False) for prompt in away]
    return Heard(voices)


def _is_plain(prompt: Prompt) -> bool:
    """Whether it has nothing but its words: all of them are read together."""
    return prompt.image is None and prompt.noise is None and not prompt.label


def _first(prompt: Prompt, perceptor: Perceptor, look: Callable[[str], Tensor]) -> Tensor:
    """The unit vector [D] of an image, of noise, or of a label."""
    if prompt.image is not None:
        return look(prompt.image)
    if prompt.noise is not None:
        width = perceptor.read(["a picture"]).shape[-1]
        return F.normalize(torch.randn(width, generator=torch.Generator().manual_seed(prompt.noise)), dim=-1)
    return F.normalize(perceptor.read([each.format(prompt.text) for each in _PHRASES]).mean(0), dim=-1)


def _voice(prompt: Prompt, first: Tensor, perceptor: Perceptor) -> _Voice:
    """first: the vector [D] of what it asks for first."""
    texts = first[None]
    if prompt.schedule:
        texts = torch.cat([texts, perceptor.read(prompt.schedule).to(first)])
    origin = perceptor.read([prompt.origin])[0].to(first) if prompt.origin else None
    return _Voice(prompt, texts, origin, votes=prompt.noise is None)


def _writing(perceptor: Perceptor) -> Tensor:
    """The direction [D] in which pictures have more writing in them, as `perceptor` sees it."""
    return F.normalize(perceptor.read(_WRITTEN).mean(0) - perceptor.read(_UNWRITTEN).mean(0), dim=-1)
