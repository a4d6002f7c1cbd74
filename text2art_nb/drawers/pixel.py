"""A grid of coloured cells: pixel art, and the simplest drawer there is."""

from typing import Any, ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from text2art_nb.drawers.base import Drawer
from text2art_nb.drawers.cells import CellMap
from text2art_nb.drawers.optimizers import JointAdam
from text2art_nb.imaging import quantize
from text2art_nb.imaging.palettes import parse_palette
from text2art_nb.imaging.tensors import clamp_with_gradient, resize
from text2art_nb.settings import Settings


class PixelDrawer(Drawer):
    """One colour a cell; cells are rectangles, bricks, hexagons, triangles, diamonds or stitches.

    The cells are a sum of five grids [B,3,rows,columns], each half as fine as the one before. All are pulled together,
    so a coarse grid's gradient, the sum over many cells, leads: large shapes come first and neighbouring cells agree.
    pixray pulls each cell alone, with Adam, and gets confetti where the perceptor is small.

    With a palette (`set_palette`) cells are drawn towards its colours, more and more (`anneal`), the gradient passing
    straight through; `finish` gives exactly its colours, and hard edges. `transparent` cells have an opacity, too,
    which comes to be all or nothing in the same way.
    """

    learning_rate: ClassVar[float] = 0.03
    refining_rate: ClassVar[float] = 0.0004
    _LEVELS: ClassVar[int] = 5
    _DECAY: ClassVar[float] = 0.5
    _FRAYED: ClassVar[float] = 0.5  # what an edge of the opaque part costs, a cell of it being 1
    _LEAST: ClassVar[float] = 1e-3  # the weight of a colour that cannot be seen, where it meets others

    def __init__(
        self,
        grid: tuple[int, int],
        canvas: tuple[int, int],
        candidates: int,
        generator: torch.Generator,
        *,
        shape: str = "rect",
        transparent: bool = False,
        transparent_weight: float = 0.0,
        least_opacity_rate: float = 0.0,
    ) -> None:
        """Starts from grey and a little noise, another for each candidate; opaque.

        grid: (columns, rows); canvas: (width, height); shape: one of `cells.SHAPES`.
        transparent: whether cells have an opacity; transparent_weight: how strongly it is pulled to nothing;
        least_opacity_rate: the learning rate under which the opacity's never is, however small the colours' is.
        """
        super().__init__()
        self.canvas = canvas
        self.takes_opacity = transparent
        self.transparent_weight = transparent_weight
        columns, rows = grid
        self._least_opacity_rate = least_opacity_rate
        sides = [(max(1, round(rows / 2**k)), max(1, round(columns / 2**k))) for k in range(self._LEVELS)]
        self.levels = nn.ParameterList(
            [torch.randn(candidates, 3, *side, generator=generator) * 0.02 for side in sides]
        )
        self.opacity = nn.ParameterList([torch.zeros(candidates, 1, *side) for side in sides if transparent])
        # Rectangles are what nearest-neighbour enlargement draws, several times faster.
        self._map = None if shape == "rect" else CellMap(shape, grid, canvas)
        self._palette: Tensor | None = None
        self._hardness = 0.0

    @property
    def cells(self) -> Tensor:
        """The colours of the cells, [B,3,rows,columns], not yet clamped to 0..1; [B,4,…] with their opacity."""
        colours = self._summed(self.levels) + 0.5
        return torch.cat([colours, self._summed(self.opacity) + 1], 1) if self.opacity else colours

    def _summed(self, levels: nn.ParameterList) -> Tensor:
        """Grids [B,C,…], each half as fine as the one before, as one."""
        finest = levels[0]
        coarser = [
            F.interpolate(level, finest.shape[-2:], mode="bilinear") * self._DECAY**k
            for k, level in enumerate(list(levels)[1:], 1)
        ]
        return torch.stack([finest, *coarser]).sum(0)

    def set_palette(self, palette: Tensor | None) -> None:
        """Enforce these colours [K,3], 0..1, from now on; None: any colour."""
        self._palette = palette

    def anneal(self, progress: float) -> None:
        self._hardness = quantize.hardness(progress)

    def render(self) -> Tensor:
        cells = clamp_with_gradient(self.cells)
        if self._hardness and (self.opacity or self._palette is not None):
            cells = quantize.towards(cells, self._settled(cells), self._hardness)
        return self._paint(cells)

    @torch.no_grad()
    def finish(self) -> Tensor:
        """As `render`, with all cells opaque or not there; with a palette in exactly its colours, with hard edges."""
        cells = self._settled(self.cells.clamp(0, 1))
        return self._paint(cells) if self._palette is None or self._map is None else self._map.paint_plain(cells)

    def losses(self) -> dict[str, Tensor]:
        """How much of the picture is not transparent, where it may be, and how frayed its edge is."""
        if not self.opacity or not self.transparent_weight:
            return {}
        opacity = clamp_with_gradient(self.cells[:, 3])
        edge = F.pad(opacity.diff(dim=1).abs(), (0, 0, 0, 1)) + F.pad(opacity.diff(dim=2).abs(), (0, 1))
        return {"transparent": self.transparent_weight * (opacity + self._FRAYED * edge).mean((1, 2))}

    @torch.no_grad()
    def _settled(self, cells: Tensor) -> Tensor:
        """The cells in the palette's colours, where there is one, and opaque or not there, where they may be either."""
        colours = cells[:, :3] if self._palette is None else quantize.nearest(cells[:, :3], self._palette)
        return torch.cat([colours, (cells[:, 3:] > 0.5).to(colours)], 1)

    def _paint(self, cells: Tensor) -> Tensor:
        if self._map is None:
            return self._enlarged(cells)
        if cells.shape[1] == 3:
            return self._map.paint(cells)
        # Where cells meet, each colour counts as much as it can be seen.
        seen = cells[:, 3:] + self._LEAST
        painted = self._map.paint(torch.cat([cells[:, :3] * seen, cells[:, 3:]], 1))
        return torch.cat([painted[:, :3] / (painted[:, 3:] + self._LEAST), painted[:, 3:]], 1).clamp(0, 1)

    def _enlarged(self, cells: Tensor) -> Tensor:
        width, height = self.canvas
        return F.interpolate(cells, (height, width), mode="nearest-exact")

    @torch.no_grad()
    def start_from(self, image: Tensor) -> None:
        rows, columns = self.levels[0].shape[-2:]
        for level in (*self.levels, *self.opacity):
            level.zero_()
        cells = resize(image, (columns, rows))
        if self._map is not None:
            means, area = self._map.average(resize(image, self.canvas).to(self.levels[0].device))
            cells = torch.where(area > 0, means, cells.to(means))
        self.levels[0].copy_((cells[:, :3] - 0.5).expand_as(self.levels[0]))
        if self.opacity and cells.shape[1] == 4:
            self.opacity[0].copy_((cells[:, 3:] - 1).expand_as(self.opacity[0]))

    @torch.no_grad()
    def constrain(self) -> None:
        cells = self.cells
        back = cells.clamp(0, 1) - cells
        self.levels[0].add_(back[:, :3])
        if self.opacity:
            self.opacity[0].add_(back[:, 3:])

    def param_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        groups: list[dict[str, Any]] = [{"params": list(self.levels), "lr": learning_rate}]
        if self.opacity:
            groups.append({"params": list(self.opacity), "lr": learning_rate, "least": self._least_opacity_rate})
        return groups

    def optimizer(self) -> torch.optim.Optimizer:
        return JointAdam(self.param_groups(self.learning_rate))

    def enlarge(self, image: Tensor, size: tuple[int, int]) -> Tensor:
        width, height = size
        return F.interpolate(image, (height, width), mode="nearest-exact")


def build(settings: Settings, device: torch.device, generator: torch.Generator) -> PixelDrawer:
    """The drawer that `settings` ask for, on `device`, with its start drawn from `generator` (a CPU generator)."""
    refines = settings.start == "proposal"
    settings = settings.resolved()
    drawer = PixelDrawer(
        settings.pixel_size or settings.picture_size,
        settings.picture_size,
        settings.candidates,
        generator,
        shape=settings.pixel_type,
        transparent=settings.transparent,
        transparent_weight=settings.transparent_weight,
        # A proposal's colours are nearly right, and are changed carefully; but it is opaque, and has as far to go.
        least_opacity_rate=PixelDrawer.learning_rate if refines else 0.0,
    ).to(device)
    if settings.palette:
        drawer.set_palette(torch.tensor(parse_palette(settings.palette), device=device))
    return drawer
