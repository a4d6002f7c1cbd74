"""Where a picture's strokes go: a painter's first hour, and a draughtsman's.

`cover` paints as Hertzmann's painterly rendering does (1998): from a broad brush to a fine one, each where the picture
is still furthest from what it shall be, along what is there to be seen. `trace` draws the outlines.
"""

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from text2art_nb.drawers.curves import smooth
from text2art_nb.imaging.tensors import resize

# The share of the strokes of each brush, the broadest first, which washes the whole paper.
_SHARES: Final = (0.15, 0.25, 0.3, 0.3)
_OVERLAP: Final = 0.7  # from one row of the wash to the next, in widths of its brush
_LENGTH: Final = 4.0  # of a stroke, in widths of the brush
_STRAYING: Final = 0.25  # a stroke ends where the picture's colour differs by so much from its own
_SHORTER: Final = 128  # pixels of the shorter side of the sketch that outlines are looked for in
_PER_CURVE: Final = 7  # pixels of it that one curve follows at most


@dataclass(frozen=True)
class Strokes:
    """points [B,n,3L+1,2] and widths [B,n] in heights of the picture; colours [B,n,4], the opacity last."""

    points: Tensor
    widths: Tensor
    colours: Tensor

    def and_then(self, later: "Strokes") -> "Strokes":
        """These, and others over them."""
        return Strokes(
            torch.cat([self.points, later.points], 1),
            torch.cat([self.widths, later.widths], 1),
            torch.cat([self.colours, later.colours], 1),
        )


def cover(
    image: Tensor, strokes: int, curves: int, widths: tuple[float, float], show: Callable[[Strokes], Tensor]
) -> Strokes:
    """Strokes that paint `image` [B,3,h,w].

    Args:
        image: at the size that `show` has.
        strokes: how many; curves: of how many curves each.
        widths: of the finest brush and the broadest.
        show: the picture [B,3,h,w] of some strokes.
    """
    finest, broadest = widths
    counts = [round(share * strokes) for share in _SHARES[1:]]
    done = _wash(image, strokes - sum(counts), curves, broadest)
    for k, count in enumerate(counts, 1):
        width = broadest * (finest / broadest) ** (k / len(counts))
        if count:
            done = done.and_then(_touch(image, show(done), count, curves, width))
    return done


def _wash(image: Tensor, strokes: int, curves: int, width: float) -> Strokes:
    """Broad horizontal strokes that leave little of the paper free."""
    aspect = image.shape[3] / image.shape[2]
    rows = min(strokes, math.ceil(1 / (_OVERLAP * width)))
    numbers = torch.arange(strokes, device=image.device)
    row = numbers * rows // strokes
    of_row = torch.bincount(row, minlength=rows)
    number = numbers - (of_row.cumsum(0) - of_row)[row]
    length = aspect / of_row[row]
    middle = torch.stack([(number + 0.5) * length, (row + 0.5) / rows], 1)
    t = torch.linspace(-0.55, 0.55, 3 * curves + 1, device=image.device)
    line = torch.stack([t * length[:, None], torch.zeros(strokes, len(t), device=image.device)], 2)
    points = (middle[:, None] + line).expand(len(image), -1, -1, -1)
    colours = _look(_blurred(image, width), points).mean(2)
    return _strokes(points, max(width, 1.1 / rows) if strokes > rows else width, colours)


def _touch(image: Tensor, present: Tensor, strokes: int, curves: int, width: float) -> Strokes:
    """Strokes of one brush where `present` is furthest from `image`, along its shapes, as far as its colour goes."""
    seeds = _worst((image - present).square().sum(1), strokes, width)
    colours = _look(_blurred(image, width / 2), seeds[:, :, None])[:, :, 0]
    along = _along(image, width / 2)
    half = 3 * curves // 2 + 1
    step = _LENGTH * width / (2 * half)
    ways = [_walk(image, along, seeds, colours, sign * step, half) for sign in (-1.0, 1.0)]
    path = torch.cat([ways[0].flip(2), seeds[:, :, None], ways[1]], 2)
    return _strokes(_resampled(path, 3 * curves + 1), width, colours)


def _strokes(points: Tensor, width: float, colours: Tensor) -> Strokes:
    opaque = torch.cat([colours, torch.full_like(colours[..., :1], 0.95)], 2)
    return Strokes(points, torch.full_like(colours[..., 0], width), opaque)


def _worst(error: Tensor, count: int, width: float) -> Tensor:
    """The `count` places [B,count,2] where the error [B,h,w], seen through a brush of `width`, is the greatest."""
    error = _blurred(error[:, None], width / 2)[:, 0]
    height, across = error.shape[1:]
    x = (torch.arange(across, device=error.device) + 0.5) / height
    y = (torch.arange(height, device=error.device) + 0.5) / height
    rest = error.flatten(1).clone()
    places = []
    for _ in range(count):
        worst = rest.argmax(1)
        place = torch.stack([x[worst % across], y[worst // across]], 1)
        apart = (y[None, :, None] - place[:, 1, None, None]) ** 2 + (x[None, None] - place[:, 0, None, None]) ** 2
        rest *= 1 - torch.exp(-apart / width**2).flatten(1)
        places.append(place)
    return torch.stack(places, 1)


def _walk(image: Tensor, along: Tensor, seeds: Tensor, colours: Tensor, step: float, count: int) -> Tensor:
    """`count` points [B,n,count,2] from the seeds along the shapes; it stays where the next one's colour is another."""
    at, way = seeds, _look(along, seeds[:, :, None])[:, :, 0] * step
    points = []
    for _ in range(count):
        ahead = at + way
        same = (_look(image, ahead[:, :, None])[:, :, 0] - colours).abs().amax(2, keepdim=True) < _STRAYING
        at = torch.where(same, ahead, at)
        turn = _look(along, at[:, :, None])[:, :, 0] * abs(step)
        way = torch.where((turn * way).sum(2, keepdim=True) < 0, -turn, turn)
        points.append(at)
    return torch.stack(points, 2)


def _along(image: Tensor, scale: float) -> Tensor:
    """Unit vectors [B,2,h,w] along the edges: across the greatest change, by the structure tensor (Förstner 1987)."""
    smoothed = F.pad(_blurred(image, scale), (1, 1, 1, 1), mode="replicate")
    gx = (smoothed[..., 1:-1, 2:] - smoothed[..., 1:-1, :-2]) / 2
    gy = (smoothed[..., 2:, 1:-1] - smoothed[..., :-2, 1:-1]) / 2
    products = torch.stack([(gx * gx).sum(1), (gx * gy).sum(1), (gy * gy).sum(1)], 1)
    xx, xy, yy = _blurred(products, scale * 2).unbind(1)
    angle = 0.5 * torch.atan2(2 * xy, xx - yy) + math.pi / 2
    return torch.stack([angle.cos(), angle.sin()], 1)


def _blurred(image: Tensor, scale: float) -> Tensor:
    """`image` [B,C,h,w] through a round brush of `scale` heights: three boxes, nearly a Gaussian."""
    side = max(1, round(scale * image.shape[2] / 2)) * 2 + 1
    side = min(side, 2 * min(image.shape[2:]) - 1)
    for _ in range(2):
        image = F.avg_pool2d(F.pad(image, [side // 2] * 4, mode="replicate"), side, 1)
    return image


def _look(image: Tensor, points: Tensor) -> Tensor:
    """What `image` [B,C,h,w] is at points [B,n,m,2], in heights: [B,n,m,C]."""
    aspect = image.shape[3] / image.shape[2]
    grid = points / points.new_tensor([aspect, 1]) * 2 - 1
    return F.grid_sample(image, grid, padding_mode="border", align_corners=False).movedim(1, -1)


def _resampled(path: Tensor, count: int) -> Tensor:
    """`count` points at even distances along each polyline [...,n,2]: [...,count,2]."""
    lengths = (path[..., 1:, :] - path[..., :-1, :]).square().sum(-1).sqrt()
    so_far = F.pad(lengths.cumsum(-1), (1, 0))
    wanted = so_far[..., -1:] * torch.linspace(0, 1, count, device=path.device)
    after = torch.searchsorted(so_far.contiguous(), wanted.contiguous()).clamp(1, path.shape[-2] - 1)
    low, high = so_far.gather(-1, after - 1), so_far.gather(-1, after)
    share = ((wanted - low) / (high - low).clamp(min=1e-9)).clamp(0, 1)[..., None]
    index = after[..., None].expand(*after.shape, 2)
    return path.gather(-2, index - 1).lerp(path.gather(-2, index), share)


def trace(image: Tensor, strokes: int, curves: int, widths: tuple[float, float]) -> tuple[Tensor, Tensor]:
    """Points [B,strokes,3·curves+1,2] and widths [B,strokes] of lines along the outlines of `image` [B,3,h,w].

    The clearest outline is drawn first, as far as a stroke reaches, then the clearest of the rest.
    """
    shorter = min(image.shape[2:])
    side = [round(edge * min(1, _SHORTER / shorter)) for edge in image.shape[2:]]
    sketch = resize(image, (side[1], side[0]))
    edges, along = _edges(sketch), _along(sketch, 0.015)
    points, thick = [], []
    for b in range(len(image)):
        outlines = Outlines(edges[b].cpu(), along[b].cpu(), longest=_PER_CURVE * curves)
        found = outlines.lines(strokes)
        points.append(torch.stack([_corners(line, curves + 1) for line, _ in found]) / side[0])
        thick.append([widths[0] + (widths[1] - widths[0]) * clearness for _, clearness in found])
    return smooth(torch.stack(points)).to(image.device), torch.tensor(thick, device=image.device)


def _edges(sketch: Tensor) -> Tensor:
    """How much of an edge there is, [B,h,w], 0..1. A thin dark line is one edge, not two: it is blurred together."""
    smoothed = F.pad(_blurred(sketch, 0.01), (1, 1, 1, 1), mode="replicate")
    gx = smoothed[..., 1:-1, 2:] - smoothed[..., 1:-1, :-2]
    gy = smoothed[..., 2:, 1:-1] - smoothed[..., :-2, 1:-1]
    strength = _blurred((gx.square() + gy.square()).sum(1, keepdim=True), 0.02)[:, 0].sqrt()
    return strength / strength.amax((1, 2), keepdim=True).clamp(min=1e-6)


def _corners(line: Tensor, count: int) -> Tensor:
    """`count` points of the polyline [n,2] that say most about it: always the one that the others are furthest from."""
    line = _resampled(line, max(len(line), count))
    kept = [0, len(line) - 1]
    while len(kept) < count:
        straight = torch.cat(
            [
                line[a] + (line[b] - line[a]) * (torch.arange(b - a) / (b - a))[:, None]
                for a, b in itertools.pairwise(kept)
            ]
        )
        off = (line[:-1] - straight).square().sum(1) + 1e-6
        off[kept[:-1]] = -1.0
        # Of a line that is straight already, the longest part is halved.
        gap = max(itertools.pairwise(kept), key=lambda ends: ends[1] - ends[0])
        worst = int(off.argmax()) if float(off.max()) > 0.3 else sum(gap) // 2
        kept = sorted({*kept, worst})
    return line[kept]


class Outlines:
    """Follows the edges of one picture, the clearest first; what has been drawn isn't drawn again."""

    _FAINT: Final = 0.15  # of the clearest edge: no outline any more
    _DOT: Final = 6  # points of a line that is worth drawing
    _APART: Final = 3  # pixels beside a line in which there is no other

    def __init__(self, edges: Tensor, along: Tensor, longest: int) -> None:
        """edges: how clear, [h,w], 0..1; along: their directions, [2,h,w]; longest: pixels of a line."""
        self._free = edges.clone()
        self._edges, self._along = edges.tolist(), along.tolist()
        self._height, self._width = edges.shape
        self._longest = longest

    def lines(self, count: int) -> list[tuple[Tensor, float]]:
        """Polylines [n,2] in pixels, n at least 2, each with how clear it is, 0..1. Dots come last."""
        found: list[tuple[Tensor, float]] = []
        dots: list[tuple[Tensor, float]] = []
        while len(found) < count and len(dots) < 2 * count:
            line = self._next()
            (found if len(line[0]) >= self._DOT else dots).append(line)
        return [*found, *dots][:count]

    def _next(self) -> tuple[Tensor, float]:
        y, x = divmod(int(self._free.argmax()), self._width)
        there = self._follow(x, y, 1.0, self._longest)
        back = self._follow(x, y, -1.0, self._longest - len(there))
        path = [*reversed(back), (float(x), float(y)), *there]
        clear = sum(self._edges[round(py)][round(px)] for px, py in path) / len(path)
        for px, py in path:
            left, top = max(0, round(px) - self._APART), max(0, round(py) - self._APART)
            self._free[top : round(py) + self._APART + 1, left : round(px) + self._APART + 1] = 0
        path = path if len(path) > 1 else [*path, (x + 1.0, y + 0.0)]
        return torch.tensor(path, dtype=torch.float32) + 0.5, clear

    def _follow(self, x: float, y: float, sign: float, most: int) -> list[tuple[float, float]]:
        """Points, a pixel apart, from (x, y) along the edge until it fades, is drawn already, or comes round."""
        start, path, way = (x, y), [], (0.0, 0.0)
        for number in range(most):
            dx, dy = (axis[round(y)][round(x)] for axis in self._along)
            turned = sign if number == 0 else math.copysign(1.0, dx * way[0] + dy * way[1])
            way = dx * turned, dy * turned
            x, y = self._ridge(x + way[0], y + way[1], way)
            if not self._inside(x, y) or float(self._free[round(y), round(x)]) < self._FAINT:
                break
            path.append((x, y))
            if number > 8 and math.dist(start, (x, y)) < 1.2:
                break
        return path

    def _inside(self, x: float, y: float) -> bool:
        return 0 <= round(x) < self._width and 0 <= round(y) < self._height

    def _ridge(self, x: float, y: float, way: tuple[float, float]) -> tuple[float, float]:
        """The point beside (x, y), across the way, where the edge is clearest."""
        beside = [(x - way[1] * aside, y + way[0] * aside) for aside in (0.0, -0.5, 0.5)]
        inside = [(px, py) for px, py in beside if self._inside(px, py)]
        return max(inside, key=lambda at: self._edges[round(at[1])][round(at[0])], default=(x, y))
