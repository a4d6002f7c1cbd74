"""A grid of coloured cells: pixel art, and the simplest drawer there is."""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from text2art_nb.drawers.base import Drawer, clamp_with_gradient, resize
from text2art_nb.optimisers import JointAdam
from text2art_nb.settings import Settings


class PixelDrawer(Drawer):
    """One colour a cell, enlarged by nearest neighbour.

    The cells are a sum of five grids [B,3,rows,columns], each half as fine as the one before. All are pulled together,
    so a coarse grid's gradient, the sum over many cells, leads: large shapes come first and neighbouring cells agree.
    pixray pulls each cell alone, with Adam, and gets confetti where the perceptor is small.
    """

    learning_rate: ClassVar[float] = 0.03
    refining_rate: ClassVar[float] = 0.0004
    _LEVELS: ClassVar[int] = 5
    _DECAY: ClassVar[float] = 0.5

    def __init__(
        self, grid: tuple[int, int], canvas: tuple[int, int], candidates: int, generator: torch.Generator
    ) -> None:
        """grid: (columns, rows); canvas: (width, height). Starts from grey and a little noise, another a candidate."""
        super().__init__()
        self.canvas = canvas
        columns, rows = grid
        sides = [(max(1, round(rows / 2**k)), max(1, round(columns / 2**k))) for k in range(self._LEVELS)]
        self.levels = nn.ParameterList(
            [torch.randn(candidates, 3, *side, generator=generator) * 0.02 for side in sides]
        )

    @property
    def cells(self) -> Tensor:
        """The colours of the cells, [B,3,rows,columns], not yet clamped to 0..1."""
        rows, columns = self.levels[0].shape[-2:]
        coarser = [
            F.interpolate(level, (rows, columns), mode="bilinear") * self._DECAY**k
            for k, level in enumerate(list(self.levels)[1:], 1)
        ]
        return torch.stack([self.levels[0], *coarser]).sum(0) + 0.5

    def render(self) -> Tensor:
        width, height = self.canvas
        return F.interpolate(clamp_with_gradient(self.cells), (height, width), mode="nearest-exact")

    @torch.no_grad()
    def start_from(self, image: Tensor) -> None:
        rows, columns = self.levels[0].shape[-2:]
        for level in self.levels:
            level.zero_()
        self.levels[0].copy_((resize(image, (columns, rows)) - 0.5).expand_as(self.levels[0]))

    @torch.no_grad()
    def constrain(self) -> None:
        cells = self.cells
        self.levels[0].add_(cells.clamp(0, 1) - cells)

    def optimizer(self) -> torch.optim.Optimizer:
        return JointAdam(self.param_groups(self.learning_rate))

    def enlarge(self, image: Tensor, size: tuple[int, int]) -> Tensor:
        width, height = size
        return F.interpolate(image, (height, width), mode="nearest-exact")


def build(settings: Settings, device: torch.device, generator: torch.Generator) -> PixelDrawer:
    """The drawer that `settings` ask for, on `device`, with its start drawn from `generator` (a CPU generator)."""
    settings = settings.resolved()
    grid = settings.pixel_size or settings.picture_size
    return PixelDrawer(grid, settings.picture_size, settings.candidates, generator).to(device)
