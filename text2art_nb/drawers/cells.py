"""Which cell lies under which pixel: the six cell shapes of pixel art as one mechanism.

A shape is a function from a place on the grid to the cell there. Sixteen places a pixel say how much of the pixel each
cell covers; that is all that drawing needs: every pixel is a weighted sum of a few cells, and a cell's gradient is a
weighted sum of its pixels. The shapes, and how their rows lie, are those of pixray's pixel drawer; but here they cover
the whole canvas, without a gap at its edges.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

_FINE: Final = 4  # places a pixel, each way
_BAND: Final = 2**22  # places looked at together
_SAG: Final = 0.75  # how much lower the middle of a stitch hangs than its arms, in cells

Places = np.ndarray
"""Coordinates on the grid, of any shape: 0 to the number of columns (or rows), a cell being 1 x 1."""

Grid = tuple[int, int]
"""(columns, rows)."""


def rect(across: Places, down: Places) -> tuple[Places, Places]:
    """(column, row) of each place: plain rectangles."""
    return np.floor(across), np.floor(down)


def rectshift(across: Places, down: Places) -> tuple[Places, Places]:
    """Bricks: every other row, the first one too, is shifted by half a cell, and has a cell less."""
    row = np.floor(down)
    return np.floor(across - _shift(row)), row


def hexagon(across: Places, down: Places) -> tuple[Places, Places]:
    """Hexagons on their points, a third taller than a row, in shifted rows."""
    # Stretched so that neighbouring centres are equally far from each other, the nearest centre is the hexagon's.
    return _nearest_centre(across, down, lambda x, y: 3 * x**2 + 2.25 * y**2)


def diamond(across: Places, down: Places) -> tuple[Places, Places]:
    """Diamonds, two rows tall, in shifted rows."""
    return _nearest_centre(across, down, lambda x, y: 2 * np.abs(x) + np.abs(y))


def triangle(across: Places, down: Places) -> tuple[Places, Places]:
    """Triangles, two columns wide, by turns on their base and on their point."""
    row = np.floor(down)
    left = np.floor(across - 0.5)
    upright = (left + row) % 2 == 0
    below_the_top = down - row
    edge = np.where(upright, below_the_top, 1 - below_the_top)
    return left + (across - 0.5 - left >= edge), row


def knit(across: Places, down: Places) -> tuple[Places, Places]:
    """Stitches: a V in each cell, which hangs into the one below."""
    column = np.floor(across)
    middle = 1 - np.abs(2 * (across - column) - 1)
    return column, np.floor(down - _SAG * (middle - 0.5))


SHAPES: Final[dict[str, Callable[[Places, Places], tuple[Places, Places]]]] = {
    "rect": rect,
    "rectshift": rectshift,
    "hex": hexagon,
    "tri": triangle,
    "diamond": diamond,
    "knit": knit,
}
_SHIFTED: Final = ("rectshift", "hex", "diamond")


def _shift(row: Places) -> Places:
    """How far to the right the cells of a row lie, where rows are shifted."""
    return np.where(row % 2 == 0, 0.5, 0.0)


def _nearest_centre(
    across: Places, down: Places, distance: Callable[[Places, Places], Places]
) -> tuple[Places, Places]:
    """(column, row) of the nearest centre of shifted rows; rows are as far from each other as columns, 1."""
    nearest = np.full(across.shape, np.inf)
    column, row = np.zeros(across.shape), np.zeros(across.shape)
    for step in (-1, 0, 1):
        there = np.floor(down) + step
        candidate = np.floor(across - _shift(there))
        length = distance(across - candidate - 0.5 - _shift(there), down - there - 0.5)
        closer = length < nearest
        nearest = np.where(closer, length, nearest)
        column, row = np.where(closer, candidate, column), np.where(closer, there, row)
    return column, row


def cells_at(shape: str, grid: Grid, across: Places, down: Places) -> np.ndarray:
    """Numbers of the cells (row x columns + column, int64) at these places; outside of the grid the nearest cell's."""
    columns, rows = grid
    column, row = SHAPES[shape](across, down)
    row = row.clip(0, rows - 1)
    last = columns - 1 - (row % 2 == 0) if shape in _SHIFTED and columns > 1 else columns - 1
    return (row * columns + column.clip(0, last)).astype(np.int64)


def centres(shape: str, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """A place well inside each cell, as (across, down), each [rows,columns]; inside of the grid."""
    columns, rows = grid
    row, column = np.indices((rows, columns)).astype(float)
    across, down = column + 0.5, row + 0.5
    if shape in _SHIFTED:
        across = across + _shift(row)
    elif shape == "tri":
        down = row + np.where((column + row) % 2 == 0, 2 / 3, 1 / 3)
    elif shape == "knit":
        down = down + _SAG / 2
    return across.clip(0, columns - 1e-6), down.clip(0, rows - 1e-6)


@dataclass(frozen=True)
class Shares:
    """What each thing consists of: thing k of `members[starts[k]:starts[k + 1]]`, by the `weights` at these places."""

    members: np.ndarray
    weights: np.ndarray
    starts: np.ndarray


def coverage(shape: str, grid: Grid, canvas: tuple[int, int]) -> Shares:
    """The cells of every pixel of a canvas (width, height), row by row, and how much of it each covers (in sum, 1)."""
    width, height = canvas
    step = max(1, _BAND // (width * _FINE**2))
    bands = [_band(shape, grid, canvas, range(top, min(height, top + step))) for top in range(0, height, step)]
    members, counts, sizes = (np.concatenate(parts) for parts in zip(*bands, strict=True))
    return Shares(members, counts.astype(np.float32) / _FINE**2, np.concatenate([[0], np.cumsum(sizes)]))


def _band(shape: str, grid: Grid, canvas: tuple[int, int], lines: range) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of some rows of pixels: the cells, at how many of the sixteen places each is, and how many a pixel has."""
    corners = _at(shape, grid, canvas, np.arange(canvas[0] + 1)[None], np.arange(lines.start, lines.stop + 1)[:, None])
    one = corners[:-1, :-1]
    edge = ((one != corners[1:, :-1]) | (one != corners[:-1, 1:]) | (one != corners[1:, 1:])).ravel()
    # Where all corners of a pixel lie in one cell, so do its places; the others are looked at closely.
    fine = (np.arange(_FINE) + 0.5) / _FINE
    row, column = np.divmod(np.flatnonzero(edge), canvas[0])
    places = _at(
        shape, grid, canvas, (column[:, None, None] + fine), (row[:, None, None] + lines.start + fine[:, None])
    ).reshape(-1, _FINE**2)
    places.sort(axis=1)
    first = np.ones(places.shape, dtype=bool)
    first[:, 1:] = places[:, 1:] != places[:, :-1]
    starts = np.flatnonzero(first)
    sizes = np.ones(len(edge), dtype=np.int64)
    sizes[edge] = first.sum(axis=1)
    mixed = np.repeat(edge, sizes)
    members, counts = np.empty(len(mixed), dtype=np.int64), np.full(len(mixed), _FINE**2)
    members[~mixed], members[mixed] = one.ravel()[~edge], places.ravel()[starts]
    counts[mixed] = np.diff(starts, append=places.size)
    return members, counts, sizes


def _at(shape: str, grid: Grid, canvas: tuple[int, int], x: Places, y: Places) -> np.ndarray:
    """The cells at places that are given in pixels; x and y are brought to one shape."""
    across, down = np.broadcast_arrays(x * grid[0] / canvas[0], y * grid[1] / canvas[1])
    return cells_at(shape, grid, across, down)


def turned(shares: Shares, things: int) -> Shares:
    """The same shares seen from the members: which pixels a cell lies in, for each of so many cells."""
    owners = np.repeat(np.arange(len(shares.starts) - 1), np.diff(shares.starts))
    order = np.argsort(shares.members, kind="stable")
    starts = np.searchsorted(shares.members[order], np.arange(things + 1))
    return Shares(owners[order], shares.weights[order], starts)


class _Gather(torch.autograd.Function):
    """Weighted sums of the rows of a table; its gradient is the same the other way round, so no order is left open."""

    @staticmethod
    def forward(ctx: Any, table: Tensor, forth: tuple[Tensor, ...], back: tuple[Tensor, ...]) -> Tensor:
        ctx.back = back
        return _sums(table, forth)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        return _sums(gradients[0].contiguous(), ctx.back), None, None


def _sums(table: Tensor, shares: tuple[Tensor, ...]) -> Tensor:
    members, weights, starts = shares
    sums: Tensor = F.embedding_bag(
        members, table, starts, mode="sum", per_sample_weights=weights.to(table.dtype), include_last_offset=True
    )
    return sums


class CellMap(nn.Module):
    """The map from the cells of a grid (columns, rows) to the pixels of a canvas (width, height); has no parameters."""

    members: Tensor
    weights: Tensor
    starts: Tensor
    pixels: Tensor
    pixel_weights: Tensor
    pixel_starts: Tensor
    plain: Tensor

    def __init__(self, shape: str, grid: Grid, canvas: tuple[int, int]) -> None:
        """shape: one of `SHAPES`."""
        super().__init__()
        self.grid, self.canvas = grid, canvas
        forth = coverage(shape, grid, canvas)
        back = turned(forth, grid[0] * grid[1])
        held = {"members": forth.members, "weights": forth.weights, "starts": forth.starts}
        held |= {"pixels": back.members, "pixel_weights": back.weights, "pixel_starts": back.starts}
        held["plain"] = _in_the_middle(shape, grid, canvas)
        for name, values in held.items():
            self.register_buffer(name, torch.from_numpy(np.ascontiguousarray(values)), persistent=False)

    @property
    def _forth(self) -> tuple[Tensor, ...]:
        return self.members, self.weights, self.starts

    @property
    def _back(self) -> tuple[Tensor, ...]:
        return self.pixels, self.pixel_weights, self.pixel_starts

    def paint(self, cells: Tensor) -> Tensor:
        """The cells [B,C,rows,columns] with smooth edges, as a picture [B,C,H,W]; differentiable."""
        table = cells.flatten(2).flatten(0, 1).T.contiguous()
        return self._picture(_Gather.apply(table, self._forth, self._back), len(cells))

    def paint_plain(self, cells: Tensor) -> Tensor:
        """The same with hard edges: every pixel [B,C,H,W] has exactly the colour of the cell in its middle."""
        width, height = self.canvas
        return cells.flatten(2)[:, :, self.plain].unflatten(2, (height, width))

    def average(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """What each cell covers of a picture [B,C,H,W]: its mean [B,C,rows,columns], and of how many pixels [rows,…].

        The mean of a cell that covers nothing is 0.
        """
        columns, rows = self.grid
        ones = torch.ones(image.shape[-1] * image.shape[-2], 1, device=image.device)
        area = _sums(ones, self._back).T
        sums = _sums(image.flatten(2).flatten(0, 1).T.contiguous(), self._back).T
        means = (sums / area.clamp(min=1e-6)).view(*image.shape[:2], rows, columns)
        return means, area.view(rows, columns)

    def _picture(self, flat: Tensor, candidates: int) -> Tensor:
        width, height = self.canvas
        return flat.T.reshape(candidates, -1, height, width)


def _in_the_middle(shape: str, grid: Grid, canvas: tuple[int, int]) -> np.ndarray:
    """The cell in the middle of every pixel, row by row."""
    width, height = canvas
    return _at(shape, grid, canvas, np.arange(width)[None] + 0.5, np.arange(height)[:, None] + 0.5).ravel()
