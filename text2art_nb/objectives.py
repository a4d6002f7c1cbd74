"""What a picture is pulled towards: the prompts, as the perceptors see them, and style losses on the picture itself.

Every loss is one number a candidate, so that candidates drawn side by side never pull on each other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from text2art_nb.perceptors.base import Perceptor
from text2art_nb.prompts import Prompt


def spherical_distance(a: Tensor, b: Tensor) -> Tensor:
    """Half the squared angle between unit vectors, 2·arcsin²(|a-b|/2), over the last axis (Crowson's VQGAN+CLIP)."""
    # At a = b the norm has no gradient and arcsin an infinite one; the clamp keeps both finite.
    chord = (a - b).square().sum(-1).clamp(min=1e-12).sqrt() / 2
    return 2 * chord.clamp(max=1 - 1e-6).arcsin().square()


class _StopBelow(torch.autograd.Function):
    """The distance itself, without a gradient where it is already below its stop."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, distance: Tensor, stop: Tensor) -> Tensor:
        ctx.save_for_backward(distance, stop)  # type: ignore[attr-defined]
        return distance.clone()

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, *gradients: Tensor) -> tuple[Tensor, None]:
        distance, stop = ctx.saved_tensors  # type: ignore[attr-defined]
        return gradients[0] * (distance > stop), None


@dataclass(frozen=True)
class Targets:
    """The prompts as one perceptor understands them: vectors [P,D], weights [P] and stops [P]."""

    vectors: Tensor
    weights: Tensor
    stops: Tensor

    def distance(self, seen: Tensor) -> Tensor:
        """Weighted distance [B] of views [B,n,D] to the prompts: mean over views, sum over prompts.

        |w| · max(sign(w)·d, stop): a negative weight pushes away; below the stop nothing pulls (VQGAN+CLIP, pixray).
        """
        distances = spherical_distance(seen[..., None, :], self.vectors) * self.weights.sign()
        held: Tensor = _StopBelow.apply(distances, self.stops)
        return (held * self.weights.abs()).mean(1).sum(-1)

    def score(self, seen: Tensor) -> Tensor:
        """Cosine similarity [B], -1..1, of one vector a candidate [B,D] to the prompts, weighted."""
        return (seen @ self.vectors.T) @ self.weights / self.weights.abs().sum().clamp(min=1e-8)


def read_targets(
    prompts: Sequence[Prompt], perceptor: Perceptor, device: torch.device, look: Callable[[str], Tensor]
) -> Targets:
    """`prompts` in the space of `perceptor`. look: turns an image prompt (a data URI) into its unit vector [D]."""
    texts = [prompt.text for prompt in prompts if prompt.image is None]
    read = iter(perceptor.read(texts) if texts else ())
    vectors = [next(read) if prompt.image is None else look(prompt.image) for prompt in prompts]
    return Targets(
        torch.stack(vectors).to(device),
        torch.tensor([prompt.weight for prompt in prompts], device=device),
        torch.tensor([prompt.stop for prompt in prompts], device=device),
    )


def smoothness(image: Tensor) -> Tensor:
    """Mean squared difference of neighbouring pixels, [B]: less noise."""
    across = (image[..., 1:] - image[..., :-1]).square().mean((1, 2, 3))
    down = (image[..., 1:, :] - image[..., :-1, :]).square().mean((1, 2, 3))
    return (across + down) * 10


def saturation(image: Tensor) -> Tensor:
    """How far the colours are from vivid, [B]: 0.4 minus the colourfulness of Hasler and Süsstrunk (2003)."""
    red, green, blue = image.unbind(1)
    red_green, yellow_blue = (red - green).flatten(1), ((red + green) / 2 - blue).flatten(1)
    spread = (red_green.var(1) + yellow_blue.var(1) + 1e-8).sqrt()
    mean = (red_green.mean(1).square() + yellow_blue.mean(1).square() + 1e-8).sqrt()
    return 0.4 - (spread + 0.3 * mean)


def symmetry(image: Tensor) -> Tensor:
    """Mean squared difference between the picture and its mirror image, [B]."""
    return (image - image.flip(-1)).square().mean((1, 2, 3))


def palette_distance(image: Tensor, palette: Tensor) -> Tensor:
    """Mean squared distance of each pixel to the nearest colour of `palette` [K,3], [B]."""
    pixels = image.movedim(1, -1).flatten(1, 2)
    with torch.no_grad():
        nearest = palette[torch.cdist(pixels, palette.expand(len(pixels), -1, -1)).argmin(-1)]
    return (pixels - nearest).square().sum(-1).mean(1)


STYLE_LOSSES: Final[Mapping[str, Callable[[Tensor], Tensor]]] = {
    "smoothness": smoothness,
    "saturation": saturation,
    "symmetry": symmetry,
}


def style_losses(image: Tensor, weights: Mapping[str, float], palette: Tensor | None) -> dict[str, Tensor]:
    """The weighted style losses of `image` [B,3,H,W] by name, each [B]. palette: [K,3] for the loss of that name."""
    losses = {name: weight * STYLE_LOSSES[name](image) for name, weight in weights.items() if name in STYLE_LOSSES}
    if "palette" in weights and palette is not None:
        losses["palette"] = weights["palette"] * palette_distance(image, palette)
    return losses


def init_loss(image: Tensor, init: Tensor, weight: float) -> Tensor:
    """Weighted mean squared difference to the init image ([1,3,H,W] at the canvas' size), [B]."""
    return weight * (image - init).square().mean((1, 2, 3))
