"""A grid of coloured cells: pixel art, and the simplest drawer there is."""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from text2art_nb.drawers.base import Drawer, resize
from text2art_nb.settings import Settings


class PixelDrawer(Drawer):
    """One colour a cell, `cells` [B,3,rows,columns] in 0..1, enlarged by nearest neighbour.

    Learning rate of pixray's pixel drawer (Adam, 0.03, colours in 0..1).
    """

    learning_rate: ClassVar[float] = 0.03

    def __init__(
        self, grid: tuple[int, int], canvas: tuple[int, int], candidates: int, generator: torch.Generator
    ) -> None:
        """grid: (columns, rows); canvas: (width, height). Starts from soft grey noise, another for each candidate."""
        super().__init__()
        self.canvas = canvas
        columns, rows = grid
        coarse = torch.randn(candidates, 3, max(2, rows // 8), max(2, columns // 8), generator=generator)
        fine = torch.randn(candidates, 3, rows, columns, generator=generator)
        noise = F.interpolate(coarse, (rows, columns), mode="bicubic") * 0.1 + fine * 0.02
        self.cells = nn.Parameter((0.5 + noise).clamp(0, 1))

    def render(self) -> Tensor:
        width, height = self.canvas
        return F.interpolate(self.cells, (height, width), mode="nearest-exact")

    @torch.no_grad()
    def start_from(self, image: Tensor) -> None:
        rows, columns = self.cells.shape[-2:]
        self.cells.copy_(resize(image, (columns, rows)).expand_as(self.cells))

    @torch.no_grad()
    def constrain(self) -> None:
        self.cells.clamp_(0, 1)

    def enlarge(self, image: Tensor, size: tuple[int, int]) -> Tensor:
        width, height = size
        return F.interpolate(image, (height, width), mode="nearest-exact")


def build(settings: Settings, device: torch.device, generator: torch.Generator) -> PixelDrawer:
    """The drawer that `settings` ask for, on `device`, with its start drawn from `generator` (a CPU generator)."""
    settings = settings.resolved()
    grid = settings.pixel_size or settings.picture_size
    return PixelDrawer(grid, settings.picture_size, settings.candidates, generator).to(device)
