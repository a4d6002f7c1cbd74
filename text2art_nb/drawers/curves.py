"""Chains of cubic Bézier curves: where they run, and the straight pieces that stand for them when they are drawn."""

from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

MOST_PIECES: Final = 64
"""How many straight pieces a curve may have."""


@dataclass(frozen=True)
class Pieces:
    """Straight pieces of many curves, one after the other.

    starts, ends: [S,2], x and y in pixels. stroke: [S], whose piece it is, counted through all candidates, ascending.
    """

    starts: Tensor
    ends: Tensor
    stroke: Tensor


def beziers(points: Tensor) -> Tensor:
    """The cubic curves [B,N,L,4,2] of chains of L curves, [B,N,3L+1,2]: a curve begins where the one before ends."""
    return points.unfold(2, 4, 3).transpose(-1, -2)


@dataclass(frozen=True)
class Division:
    """How curves are cut into straight pieces, each [S], whole numbers.

    curve: which curve a piece is of, counted through all candidates; number: which of that one's pieces it is; of: how
    many it has; stroke: as in `Pieces`.
    """

    curve: Tensor
    number: Tensor
    of: Tensor
    stroke: Tensor


@torch.no_grad()
def divide(points: Tensor, flatness: float) -> Division:
    """Cut chains of curves [B,N,3L+1,2], in pixels, into more pieces where they bend.

    flatness: how far, in pixels, a piece may be from the curve that it stands for.

    How many a curve gets follows from the greatest length of its second derivative (Sederberg, "Computer Aided
    Geometric Design", 10.6: a chord over 1/n of it is nowhere further away than an eighth of that over n²).
    """
    chains = beziers(points)
    curves = chains.flatten(0, 2)
    bends = (curves[:, :2] - 2 * curves[:, 1:3] + curves[:, 2:]).square().sum(-1).amax(1).sqrt() * 6
    wanted = (bends.nan_to_num(0, 0, 0) / (8 * flatness)).sqrt().ceil().clamp(1, MOST_PIECES).long()
    curve = torch.arange(len(curves), device=points.device).repeat_interleave(wanted)
    first = (wanted.cumsum(0) - wanted)[curve]
    number = torch.arange(len(curve), device=points.device) - first
    return Division(curve, number, wanted[curve], curve // chains.shape[2])


def cut(points: Tensor, division: Division) -> Pieces:
    """The pieces of chains of curves [B,N,3L+1,2]; differentiable."""
    own = beziers(points).flatten(0, 2)[division.curve]
    share = division.of.to(points)
    return Pieces(at(own, division.number / share), at(own, (division.number + 1) / share), division.stroke)


def flatten(points: Tensor, flatness: float) -> Pieces:
    """Chains of curves [B,N,3L+1,2], in pixels, as straight pieces; see `divide`. Differentiable."""
    return cut(points, divide(points, flatness))


def at(curves: Tensor, t: Tensor) -> Tensor:
    """The points [...,2] of cubic curves [...,4,2] at `t` [...], 0 to 1."""
    s = 1 - t
    weights = torch.stack([s**3, 3 * s * s * t, 3 * s * t * t, t**3], -1)
    return (weights[..., None] * curves).sum(-2)


def smooth(line: Tensor) -> Tensor:
    """The chain of curves [...,3n+1,2] through the points [...,n+1,2], without kinks.

    It leaves a point along the line between its neighbours (Catmull and Rom 1974), but no further than a third of the
    way to the next one, so that it doesn't overshoot where points are unevenly spaced.
    """
    before = torch.cat([line[..., :1, :], line[..., :-1, :]], -2)
    after = torch.cat([line[..., 1:, :], line[..., -1:, :]], -2)
    lean = F.normalize(after - before, dim=-1, eps=1e-9)
    a, b = line[..., :-1, :], line[..., 1:, :]
    third = (b - a).square().sum(-1, keepdim=True).sqrt() / 3
    inner = torch.stack([a, a + lean[..., :-1, :] * third, b - lean[..., 1:, :] * third], -2).flatten(-3, -2)
    return torch.cat([inner, line[..., -1:, :]], -2)
