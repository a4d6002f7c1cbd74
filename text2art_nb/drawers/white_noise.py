"""The projection of a latent onto what white noise looks like in the Fourier domain.

The Fourier coefficients of white Gaussian noise of variance 1 are independent, and each has variance 1 (under the
unitary transform). So in any block of many frequencies the l1 and l2 norms of their magnitudes are nearly certain.
Noise that has been optimized can betray itself by other norms: too much power in some band, or in few coefficients.

After Hwang and Sung, "Gradient Preconditioning for Efficient and Reliable Reward-Guided Generation" (ICML 2026, arXiv
2602.08646), who project gradients so. Blocks, and the support of the projection, are this module's own.
"""

import math
from typing import Final, NamedTuple

import torch
from torch import Tensor

BLOCK: Final = 64
"""Frequencies in a block, about: their l1 norm strays by 7 % in white noise, and a latent of 64 x 64 has 33 blocks."""


@torch.no_grad()
def white_projection(noise: Tensor) -> Tensor:
    """The nearest noise [B,C,h,w] to `noise` whose spectrum has the l1 and l2 norms of white noise, block by block.

    A block is a ring of frequencies of one channel of one candidate. Phases stay; magnitudes m become max(0, a·m + b),
    with a and b in closed form. O(N log N).
    """
    height, width = noise.shape[-2:]
    spectrum = torch.fft.rfft2(noise.float(), norm="ortho").flatten(-2)
    rings = _rings(height, width, noise.device)
    inside = rings.counted > 0  # [blocks,size]; what fills the last ring up isn't
    magnitude = spectrum.abs()
    changed = _with_norms(torch.where(inside, magnitude[..., rings.places], -1.0), rings)
    wanted = torch.zeros_like(magnitude)
    wanted[..., rings.places[inside]] = changed[..., inside]
    phase = torch.where(magnitude > 0, spectrum / magnitude.clamp(min=1e-30), torch.ones_like(spectrum))
    projected = phase * wanted
    single = rings.twins == torch.arange(len(rings.twins), device=noise.device)
    projected = torch.where(single, projected, projected[..., rings.twins].conj())
    projected = projected.unflatten(-1, (height, width // 2 + 1))
    return torch.fft.irfft2(projected, s=(height, width), norm="ortho").to(noise.dtype)


class _Rings(NamedTuple):
    """The frequencies of a half spectrum [h,w//2+1], flattened, in rings from the middle outwards.

    Attributes:
        places: of each frequency, [blocks,size].
        counted: how often it stands in the whole spectrum, [blocks,size]; 0 for what fills the last ring up.
        expected: the mean of its magnitude in white noise, [blocks,size].
        twins: for each place itself if it is in a ring, else its mirror image, which is, [h·(w//2+1)].
    """

    places: Tensor
    counted: Tensor
    expected: Tensor
    twins: Tensor


def _with_norms(magnitudes: Tensor, rings: _Rings) -> Tensor:
    """The nearest non-negative numbers to `magnitudes` [...,blocks,size] with the norms of white noise in each block.

    Where all of a block are alike only the l1 norm can be had.
    """
    counted = rings.counted
    l1, l2 = (counted * rings.expected).sum(-1, keepdim=True), counted.sum(-1, keepdim=True)  # the latter squared
    falling, order = magnitudes.sort(dim=-1, descending=True)
    weight = counted.expand_as(magnitudes).gather(-1, order).double()
    # If the k largest stay above 0, they are a·m + b with the mean and the variance that the norms ask of them.
    total, first, second = (
        part.cumsum(-1) for part in (weight, weight * falling.double(), weight * falling.double().square())
    )
    mean, wanted_mean = first / total, l1 / total
    variance, wanted_variance = second / total - mean.square(), l2 / total - wanted_mean.square()
    stretch = (wanted_variance.clamp(min=0) / variance.clamp(min=1e-12)).sqrt()
    least = wanted_mean + stretch * (falling - mean)
    possible = (wanted_variance >= 0) & (weight > 0)
    fits = possible & (least >= 0)
    places = torch.arange(magnitudes.shape[-1], device=magnitudes.device).expand_as(least)
    smallest = torch.where(possible, places, places.shape[-1] - 1).amin(-1, keepdim=True)
    last = torch.where(fits, places, -1).amax(-1, keepdim=True).maximum(smallest)
    goal, scale, middle = (part.gather(-1, last) for part in (wanted_mean, stretch, mean))
    changed = torch.where(places <= last, (goal + scale * (falling - middle)).clamp(min=0), 0.0)
    return torch.empty_like(magnitudes).scatter_(-1, order, changed.to(magnitudes.dtype))


def _rings(height: int, width: int, device: torch.device) -> _Rings:
    """The rings of frequencies of pictures of height x width."""
    rows, columns = torch.arange(height), torch.arange(width // 2 + 1)
    mirrored = (-rows) % height
    edge = (columns == 0) | (2 * columns == width)  # columns that hold both of each pair of mirror images
    own = (rows == mirrored)[:, None] & edge  # its own mirror image: real, so half normal; others are Rayleigh
    kept = ~edge | (rows <= mirrored)[:, None]
    place = rows[:, None] * len(columns) + columns
    twins = torch.where(kept, place, mirrored[:, None] * len(columns) + columns).flatten()
    radius = (torch.fft.fftfreq(height)[:, None].square() + torch.fft.rfftfreq(width).square()).flatten()
    order = radius.argsort(stable=True)
    order = order[kept.flatten()[order]]
    blocks = max(1, len(order) // BLOCK)
    filling = order.new_zeros(-len(order) % blocks)
    places = torch.cat([order, filling]).view(blocks, -1)
    counted = torch.where(own, 1.0, 2.0).flatten()[places]
    if len(filling):
        counted[-1, -len(filling) :] = 0
    expected = torch.where(own, math.sqrt(2 / math.pi), math.sqrt(math.pi) / 2).flatten()[places]
    return _Rings(places.to(device), counted.to(device), expected.to(device), twins.to(device))
