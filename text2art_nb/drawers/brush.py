"""Paints strokes, the later over the earlier, as an SVG renderer does, fast, and differentiably.

A stroke covers a pixel by as much as its edge, a circle pulled along the curve, leaves of it: 1 inside, falling to 0
over one pixel. diffvg (Li et al. 2020) samples edges for that; here the distance to the curve tells it, in closed form.

Only what is near counts. The canvas is cut into tiles of 8×8 pixels, and a *layer* is one stroke on one tile. The
layers are laid out in memory by their depth on the tile, deepest tiles first: so that all tiles' first strokes are one
slice, all second strokes the next, and painting is a handful of operations on whole slices, whatever the picture shows.
The way back walks the same slices from the top; the geometry's gradient is worked out at the edges alone, the only
pixels that have one.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor

from text2art_nb.drawers.curves import Division, Pieces, cut, divide, flatten
from text2art_nb.runtime.devices import upload

TILE: Final = 8
_AREA: Final = TILE * TILE
_REACH: Final = TILE * 0.7072  # from a tile's middle to its corner
_FLAT_ENOUGH: Final = 0.3  # pixels that a curve's stand-in may be off: too little to be seen
_FLAT: Final = 0.1  # where the picture is to be looked at closely
_PIXELS_AT_ONCE: Final = 2**20  # of a large picture that is only to be seen: bounds the memory


def paint(points: Tensor, widths: Tensor, colours: Tensor, paper: Tensor, size: tuple[int, int]) -> Tensor:
    """The pictures [B,C,H,W] of strokes, differentiable.

    Args:
        points: [B,N,3L+1,2], each stroke a chain of L cubic curves; x and y in pixels.
        widths: [B,N], in pixels.
        colours: [B,N,4], red, green, blue and opacity, 0..1.
        paper: [3] what they are painted on: then C is 3. [4] for a clear ground: then C is 4, and the colours come
            multiplied by the opacity (see `separate`).
        size: (width, height).
    """
    width, height = size
    rows = -(-height // TILE)
    return _paint(points, widths, colours, paper, size, (0, rows), _FLAT_ENOUGH)[..., :height, :width]


@torch.no_grad()
def paint_large(points: Tensor, widths: Tensor, colours: Tensor, paper: Tensor, size: tuple[int, int]) -> Tensor:
    """As `paint`, a strip and a candidate at a time: a picture of any size in little memory, without gradients."""
    width, height = size
    rows = -(-height // TILE)
    each = max(1, _PIXELS_AT_ONCE // (width * TILE))
    pictures = []
    for b in range(len(points)):
        one = points[b : b + 1], widths[b : b + 1], colours[b : b + 1]
        strips = [_paint(*one, paper, size, (row, min(row + each, rows)), _FLAT) for row in range(0, rows, each)]
        pictures.append(torch.cat(strips, 2)[..., :height, :width])
    return torch.cat(pictures)


def separate(picture: Tensor) -> Tensor:
    """[B,4,H,W] with the colours no longer multiplied by the opacity; clear pixels are black."""
    opacity = picture[:, 3:]
    return torch.cat([(picture[:, :3] / opacity.clamp(min=1e-4)).clamp(0, 1), opacity], 1)


def _paint(
    points: Tensor,
    widths: Tensor,
    colours: Tensor,
    paper: Tensor,
    size: tuple[int, int],
    rows: tuple[int, int],
    flatness: float,
) -> Tensor:
    """The strip [B,C,h,w] of whole tiles from one row of tiles to before another."""
    pieces, plan = _laid_out(points, widths, flatness, -(-size[0] // TILE), rows)
    halves = widths.flatten() / 2
    shade = colours.flatten(0, 1)
    if len(paper) == 4:
        shade = torch.cat([shade[:, :3], torch.ones_like(shade[:, :1]), shade[:, 3:]], 1)
    picture: Tensor = _Brush.apply(pieces.starts, pieces.ends, halves, shade, paper, plan)
    return picture


# -- which stroke is on which tile


def _laid_out(
    points: Tensor, widths: Tensor, flatness: float, columns: int, band: tuple[int, int]
) -> "tuple[Pieces, _Plan]":
    """The pieces of the strokes, differentiable, and who paints where.

    How many pieces and layers there are depends on the points, so it is worked out on the CPU: a card would have to be
    waited for at every step of it, instead of once.
    """
    device, strokes, candidates = points.device, points.shape[1], len(points)
    if device.type == "cpu":
        pieces = flatten(points, flatness)
        return pieces, _plan(pieces, widths.detach().flatten() / 2, strokes, candidates, columns, band)
    known = torch.cat([points.detach().flatten(), widths.detach().flatten()]).cpu()
    near, halves = known[: points.numel()].view(points.shape), known[points.numel() :] / 2
    division = divide(near, flatness)
    plan = _plan(cut(near, division), halves, strokes, candidates, columns, band)
    own = division.curve, division.number, division.of, division.stroke
    curve, number, of, stroke, *planned = upload([*own, *plan.indices], device)
    return cut(points, Division(curve, number, of, stroke)), plan.with_indices(planned)


@dataclass(frozen=True)
class _Plan:
    """Who paints where.

    candidates, rows, columns: of the grid of tiles. tiles: [T], those with strokes, the deepest first. corners: [Y,2],
    each layer's tile's upper left pixel. stroke: [Y], whose layer it is. first, count: [Y], its pieces in `piece`.
    further: the layers with a second piece, a third one, …. slices: how many tiles have a first layer, a second one, …;
    the layers lie in this order. thin: whether any of the strokes is thinner than a pixel.
    """

    candidates: int
    rows: int
    columns: int
    tiles: Tensor
    corners: Tensor
    stroke: Tensor
    piece: Tensor
    first: Tensor
    count: Tensor
    further: list[Tensor]
    slices: list[int]
    thin: bool

    @property
    def indices(self) -> list[Tensor]:
        """All its tensors, whole numbers."""
        return [self.tiles, self.corners, self.stroke, self.piece, self.first, self.count, *self.further]

    def with_indices(self, indices: list[Tensor]) -> "_Plan":
        """The same plan with its `indices` on another device."""
        tiles, corners, stroke, piece, first, count, *further = indices
        return replace(
            self,
            tiles=tiles,
            corners=corners,
            stroke=stroke,
            piece=piece,
            first=first,
            count=count,
            further=further,
        )


@torch.no_grad()
def _plan(pieces: Pieces, halves: Tensor, strokes: int, candidates: int, columns: int, band: tuple[int, int]) -> _Plan:
    """band: the first row of tiles, and the one after the last."""
    top, rows = band[0], band[1] - band[0]
    piece, column, row = _near(pieces, halves, columns, band)
    candidate = pieces.stroke[piece] // strokes
    tile = (candidate * rows + row - top) * columns + column
    # One number says tile and stroke, so that sorting brings each layer's pieces, and each tile's layers, together.
    key, order = (tile * strokes + pieces.stroke[piece] % strokes).sort(stable=True)
    layer, count = key.unique_consecutive(return_counts=True)
    first = count.cumsum(0) - count
    its_tile, number, depths = (layer // strokes).unique_consecutive(return_inverse=True, return_counts=True)
    depth = torch.arange(len(layer), device=key.device) - (depths.cumsum(0) - depths)[number]
    deepest_first = depths.argsort(descending=True, stable=True)
    place = torch.empty_like(deepest_first)
    place[deepest_first] = torch.arange(len(place), device=key.device)
    slices = torch.bincount(depth)
    arranged = ((slices.cumsum(0) - slices)[depth] + place[number]).argsort()
    tile_of_layer = (layer // strokes)[arranged]
    x, y = tile_of_layer % columns, tile_of_layer // columns % rows + top
    stroke = (tile_of_layer // (rows * columns)) * strokes + layer[arranged] % strokes
    counts = count[arranged]
    most = int(counts.max()) if len(counts) else 0
    return _Plan(
        candidates,
        rows,
        columns,
        tiles=its_tile[deepest_first],
        corners=torch.stack([x, y], 1) * TILE,
        stroke=stroke,
        piece=piece[order],
        first=first[arranged],
        count=counts,
        further=[(counts > k).nonzero()[:, 0] for k in range(1, most)],
        slices=slices.tolist(),
        thin=bool((halves[stroke] < 0.5).any()),
    )


def _near(pieces: Pieces, halves: Tensor, columns: int, band: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
    """Every (piece, column, row) of a tile that the piece, as thick as its stroke, may reach: three [R]."""
    reach = (halves[pieces.stroke] + 0.5)[:, None]
    low = ((pieces.starts.minimum(pieces.ends) - reach) / TILE).nan_to_num(0).floor()
    high = ((pieces.starts.maximum(pieces.ends) + reach) / TILE).nan_to_num(0).floor()
    least = low.new_tensor([0, band[0]])
    beyond = low.new_tensor([columns, band[1]])
    low, high = low.maximum(least).minimum(beyond).long(), high.clamp(min=-1).minimum(beyond - 1).long()
    across, down = (high - low + 1).clamp(min=0).unbind(1)
    counts = across * down
    piece = torch.arange(len(counts), device=counts.device).repeat_interleave(counts)
    number = torch.arange(len(piece), device=counts.device) - (counts.cumsum(0) - counts)[piece]
    column = low[piece, 0] + number % across[piece]
    row = low[piece, 1] + number // across[piece]
    middle = (torch.stack([column, row], 1) + 0.5) * TILE
    start, along = pieces.starts[piece], (pieces.ends - pieces.starts)[piece]
    t = ((middle - start) * along).sum(1) / along.square().sum(1).clamp(min=1e-12)
    apart = (middle - start - t.clamp(0, 1)[:, None] * along).square().sum(1).sqrt()
    close = ~(apart > reach[piece, 0] + _REACH)  # what is no number stays, to be seen in the picture
    return piece[close], column[close], row[close]


# -- painting


class _Brush(torch.autograd.Function):
    """Pieces' starts and ends [S,2], half widths [N], shades [N,C+1] (the opacity last), paper [C]: [B,C,h,w]."""

    @staticmethod
    def forward(
        ctx: Any, starts: Tensor, ends: Tensor, halves: Tensor, shades: Tensor, paper: Tensor, plan: _Plan
    ) -> Tensor:
        learning = any(ctx.needs_input_grad)
        distance, nearest = _distances(starts, ends, plan)
        cover = _coverage(distance, halves[plan.stroke], plan.thin)
        shade = shades[plan.stroke]
        opacity = cover * shade[:, -1:]
        colour = shade[:, :-1, None]
        canvas = paper.view(1, -1, 1).repeat(len(plan.tiles), 1, _AREA)
        before = canvas.new_empty(len(opacity), len(paper), _AREA) if learning else None
        at = 0
        for n in plan.slices:
            if before is not None:
                before[at : at + n] = canvas[:n]
            canvas[:n].lerp_(colour[at : at + n], opacity[at : at + n, None])
            at += n
        if learning:
            ctx.plan = plan
            ctx.save_for_backward(starts, ends, halves, shade, distance, nearest, cover, before)
        picture = paper.view(1, -1, 1).repeat(plan.candidates * plan.rows * plan.columns, 1, _AREA)
        picture[plan.tiles] = canvas
        return _together(picture, plan)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        plan: _Plan = ctx.plan
        starts, ends, halves, shade, distance, nearest, cover, before = ctx.saved_tensors
        pull = _apart(gradients[0], plan)[plan.tiles]
        opacity = cover * shade[:, -1:]
        on_opacity, on_colour = torch.empty_like(opacity), torch.empty_like(shade[:, :-1])
        at = len(opacity)
        for n in reversed(plan.slices):
            at -= n
            here = slice(at, at + n)
            on_opacity[here] = ((shade[here, :-1, None] - before[here]) * pull[:n]).sum(1)
            on_colour[here] = torch.bmm(pull[:n], opacity[here, :, None])[..., 0]
            pull[:n] *= (1 - opacity[here])[:, None]
        on_shade = torch.cat([on_colour, (on_opacity * cover).sum(1, keepdim=True)], 1)
        shades = torch.zeros(len(halves), shade.shape[1], dtype=shade.dtype, device=shade.device)
        shades.index_add_(0, plan.stroke, on_shade)
        on_cover = on_opacity * shade[:, -1:]
        return *_pull_edges(starts, ends, halves, distance, nearest, on_cover, plan), shades, None, None


def _distances(starts: Tensor, ends: Tensor, plan: _Plan) -> tuple[Tensor, Tensor]:
    """Of each pixel of each layer to the stroke's middle line, [Y,64], and which piece of it is the nearest."""
    nearest = plan.piece[plan.first]
    square = _squares(starts, ends, nearest, plan.corners)
    nearest = nearest[:, None].repeat(1, _AREA)
    for k, more in enumerate(plan.further, 1):
        piece = plan.piece[plan.first[more] + k]
        other, present = _squares(starts, ends, piece, plan.corners[more]), square[more]
        nearer = other < present
        square[more] = torch.where(nearer, other, present)
        nearest[more] = torch.where(nearer, piece[:, None], nearest[more])
    return square.sqrt_(), nearest


def _squares(starts: Tensor, ends: Tensor, piece: Tensor, corners: Tensor) -> Tensor:
    """Squared distances [n,64] of the pixels of tiles, by their corners [n,2], to one piece each [n]."""
    start, along = starts[piece], (ends - starts)[piece]
    scale = along.square().sum(1).clamp(min=1e-12)
    steps = torch.arange(TILE, device=piece.device) + 0.5
    dx = (corners[:, :1] - start[:, :1]) + steps
    dy = (corners[:, 1:] - start[:, 1:]) + steps
    x, y = along[:, :1], along[:, 1:]
    t = (dy * (y / scale[:, None]))[:, :, None] + (dx * (x / scale[:, None]))[:, None, :]
    t.clamp_(0, 1)
    ex = torch.addcmul(dx[:, None, :], t, x[:, :, None], value=-1)
    ey = torch.addcmul(dy[:, :, None], t, y[:, :, None], value=-1)
    return ex.square_().addcmul_(ey, ey).flatten(1)


def _coverage(distance: Tensor, halves: Tensor, thin: bool) -> Tensor:
    """How much of a pixel [Y,64] lies in a stroke, as a band with straight edges covers it that lies along a row."""
    half = halves[:, None]
    cover = (half + 0.5 - distance).clamp_(0, 1)
    if thin:  # both edges may be in the same pixel
        cover -= (0.5 - half - distance).clamp_(min=0)
    return cover


def _pull_edges(
    starts: Tensor, ends: Tensor, halves: Tensor, distance: Tensor, nearest: Tensor, on_cover: Tensor, plan: _Plan
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients on starts, ends [S,2] and half widths [N].

    The nearest point of a piece moves with its ends; that it may slide along makes no difference to the distance.
    """
    edge = halves[plan.stroke][:, None] - distance
    outer = (edge > -0.5) & (edge < 0.5)
    inner = distance < 0.5 - halves[plan.stroke][:, None]
    layer, pixel = _pulled((outer | inner) & (on_cover != 0))
    gradient, outer, inner = on_cover[layer, pixel], outer[layer, pixel], inner[layer, pixel]
    on_halves = torch.zeros_like(halves).index_add_(0, plan.stroke[layer], gradient * (outer.to(gradient) + inner))
    piece = nearest[layer, pixel]
    start, along = starts[piece], (ends - starts)[piece]
    offset = plan.corners[layer] + torch.stack([pixel % TILE, pixel // TILE], 1) + 0.5 - start
    t = ((offset * along).sum(1) / along.square().sum(1).clamp(min=1e-12)).clamp(0, 1)[:, None]
    away = offset - t * along
    away = away / away.square().sum(1, keepdim=True).sqrt().clamp(min=1e-6)
    moved = away * (gradient * (outer.to(gradient) - inner.to(gradient)))[:, None]
    on_starts = torch.zeros_like(starts).index_add_(0, piece, moved * (1 - t))
    return on_starts, torch.zeros_like(ends).index_add_(0, piece, moved * t), on_halves


def _pulled(where: Tensor) -> tuple[Tensor, Tensor]:
    """Layer and pixel of what has a gradient; on a card of all, for it would have to be asked how many there are.

    What is not `where` [Y,64] gets no gradient all the same: it is at no edge, or nothing pulls there.
    """
    if where.device.type == "cpu":
        layer, pixel = where.nonzero(as_tuple=True)
        return layer, pixel
    place = torch.arange(where.numel(), device=where.device)
    return place // _AREA, place % _AREA


def _together(tiles: Tensor, plan: _Plan) -> Tensor:
    """Tiles [·,C,64] as pictures [B,C,h,w]."""
    grid = tiles.view(plan.candidates, plan.rows, plan.columns, -1, TILE, TILE)
    return grid.permute(0, 3, 1, 4, 2, 5).reshape(plan.candidates, -1, plan.rows * TILE, plan.columns * TILE)


def _apart(picture: Tensor, plan: _Plan) -> Tensor:
    """Pictures as tiles: what `_together` undoes."""
    across, down = plan.columns * TILE - picture.shape[3], plan.rows * TILE - picture.shape[2]
    grid = F.pad(picture, (0, across, 0, down)).unflatten(2, (plan.rows, TILE)).unflatten(4, (plan.columns, TILE))
    return grid.permute(0, 2, 4, 1, 3, 5).reshape(-1, picture.shape[1], _AREA)
