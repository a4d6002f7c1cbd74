"""Brush strokes and pen lines: CLIPDraw (Frans et al. 2021), pixray's clipdraw and line_sketch, without diffvg.

A picture is a pile of strokes, each a chain of cubic curves with a width, a colour and an opacity. It has no pixels of
its own: it is drawn at a size at which CLIP can see it, handed over at any, and saved as SVG.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final

import torch
from torch import Tensor, nn

from text2art_nb.drawers import brush, stroke_init
from text2art_nb.drawers.base import Drawer
from text2art_nb.imaging.metadata import svg
from text2art_nb.imaging.tensors import resize
from text2art_nb.settings import Settings
from text2art_nb.settings.strokes import paper_colours

if TYPE_CHECKING:
    from PIL import Image

_Paint = Callable[[Tensor, Tensor, Tensor, Tensor, tuple[int, int]], Tensor]

_INK: Final = (0.0, 0.0, 0.0, 1.0)
_WANDERING: Final = 0.05  # heights from one point of a stroke to the next, at most, each way (pixray's radius of 0.1)
_OUTSIDE: Final = 0.1  # heights that a point may lie outside of the picture
_POLISHING: Final = 30  # steps towards a picture to start from, once it is covered


class StrokesDrawer(Drawer):
    """Paint. Parameters: `points` [B,N,3L+1,2] and `widths` [B,N], in heights of the picture; `colours` [B,N,4], 0..1,
    the opacity last.

    The learning rate is that of the points, in pixels of a picture that is 224 high; those of the width and the colour
    are a tenth and a hundredth of it (pixray's 1.0, 0.1 and 0.01, on its canvas of 224).
    """

    learning_rate: ClassVar[float] = 1.0
    refining_rate: ClassVar[float] = 0.02
    paper: Tensor

    def __init__(self, settings: Settings, canvas: tuple[int, int], generator: torch.Generator) -> None:
        """settings: resolved; canvas: (width, height). Starts from short strokes anywhere, in any colour."""
        super().__init__()
        self.canvas = canvas
        self._picture = settings.drawn_size
        self._range = ((settings.min_stroke_width or 0) / 100, (settings.max_stroke_width or 0) / 100)
        paper = (0.0, 0.0, 0.0, 0.0) if settings.transparent else paper_colours(settings.paper or "white")[0]
        self.register_buffer("paper", torch.tensor(paper, dtype=torch.float32), persistent=False)
        shape = settings.candidates, settings.strokes or 1
        start = torch.rand(*shape, 1, 2, generator=generator) * torch.tensor([canvas[0] / canvas[1], 1.0])
        steps = torch.rand(*shape, 3 * (settings.stroke_length or 1), 2, generator=generator) * 2 - 1
        self.points = nn.Parameter(torch.cat([start, start + (steps * _WANDERING).cumsum(2)], 2))
        low, high = self._range
        self.widths = nn.Parameter(low + (high - low) * torch.rand(shape, generator=generator))
        self._colour(torch.rand(*shape, 4, generator=generator))

    def _colour(self, any_colours: Tensor) -> None:
        """Make what says the colours [B,N,4] of the strokes."""
        self.colours = nn.Parameter(any_colours)

    def render(self) -> Tensor:
        return self._show(self._strokes, self.canvas)

    @torch.no_grad()
    def finish(self) -> Tensor:
        """The picture at the size that was asked for, drawn anew from the curves."""
        return self._show(self._strokes, self._picture, brush.paint_large)

    def to_svg(self, size: tuple[int, int], candidate: int = 0) -> str:
        """One candidate's picture as an SVG of `size` (width, height), without a recipe."""
        there = self._strokes
        points, widths, colours = (
            part[candidate].detach().double().tolist() for part in (there.points, there.widths, there.colours)
        )
        height = size[1]
        piles = [
            svg.Stroke([(x * height, y * height) for x, y in line], width * height, colour[:3], colour[3])
            for line, width, colour in zip(points, widths, colours, strict=True)
        ]
        return svg.write(svg.Drawing(size, piles, None if len(self.paper) == 4 else self.paper.tolist()))

    @torch.no_grad()
    def start_from(self, image: Tensor) -> None:
        image = resize(image, self.canvas).to(self.points.device).expand(len(self.points), -1, -1, -1)
        self._draw_after(image)
        self.constrain()

    def _draw_after(self, image: Tensor) -> None:
        """Set the parameters after `image` [B,3,H,W], at the size of the canvas."""
        count, curves = self.points.shape[1], self.points.shape[2] // 3
        covered = stroke_init.cover(
            image, count, curves, self._range, lambda some: self._show(some, self.canvas)[:, :3]
        )
        self.points.copy_(covered.points)
        self.widths.copy_(covered.widths)
        self.colours.copy_(covered.colours)
        self._polish(image)

    @torch.enable_grad()
    def _polish(self, image: Tensor) -> None:
        """Some steps towards `image` itself, for which no perceptor is needed."""
        optimizer = self.optimizer()
        for _ in range(_POLISHING):
            self.constrain()
            optimizer.zero_grad()
            (self.render()[:, :3] - image).square().mean((1, 2, 3)).sum().backward()
            optimizer.step()
        optimizer.zero_grad()

    @torch.no_grad()
    def constrain(self) -> None:
        aspect = self.canvas[0] / self.canvas[1]
        self.points[..., 0].clamp_(-_OUTSIDE, aspect + _OUTSIDE)
        self.points[..., 1].clamp_(-_OUTSIDE, 1 + _OUTSIDE)
        self.widths.clamp_(*self._range)
        self._constrain_colours()

    def _constrain_colours(self) -> None:
        self.colours.clamp_(0, 1)

    def param_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        return [*self._pens(learning_rate), {"params": [self.colours], "lr": learning_rate / 100}]

    def _pens(self, learning_rate: float) -> list[dict[str, Any]]:
        """The groups of what is not colour."""
        return [
            {"params": [self.points], "lr": learning_rate / 224},
            {"params": [self.widths], "lr": learning_rate / 2240},
        ]

    @property
    def _strokes(self) -> stroke_init.Strokes:
        return stroke_init.Strokes(self.points, self.widths, self.colours)

    def _show(self, strokes: stroke_init.Strokes, size: tuple[int, int], paint: _Paint = brush.paint) -> Tensor:
        """The pictures [B,3,H,W] of some strokes, or [B,4,H,W] on a clear ground."""
        with torch.autocast(self.points.device.type, enabled=False):
            points, widths = strokes.points * size[1], strokes.widths * size[1]
            picture = paint(points, widths, strokes.colours, self.paper, size)
            return brush.separate(picture) if len(self.paper) == 4 else picture


class LinesDrawer(StrokesDrawer):
    """A drawing in black lines: as paint, but the colour is the pen's and no parameter."""

    refining_rate: ClassVar[float] = 0.02
    ink: Tensor

    def _colour(self, any_colours: Tensor) -> None:
        self.register_buffer("ink", torch.tensor(_INK), persistent=False)

    def _draw_after(self, image: Tensor) -> None:
        points, widths = stroke_init.trace(image, self.points.shape[1], self.points.shape[2] // 3, self._range)
        self.points.copy_(points)
        self.widths.copy_(widths)

    def _constrain_colours(self) -> None:
        """The ink stays as it is."""

    def param_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        return self._pens(learning_rate)

    @property
    def _strokes(self) -> stroke_init.Strokes:
        return stroke_init.Strokes(self.points, self.widths, self.ink.expand(*self.widths.shape, 4))


def picture_of(drawing: svg.Drawing) -> "Image.Image":
    """The picture, RGB or on a clear ground RGBA, of a drawing that was read from an SVG."""
    from PIL import Image

    from text2art_nb.imaging.tensors import to_pixels

    points = torch.tensor([[stroke.points for stroke in drawing.strokes]], dtype=torch.float32)
    widths = torch.tensor([[stroke.width for stroke in drawing.strokes]], dtype=torch.float32)
    colours = torch.tensor([[(*stroke.colour, stroke.opacity) for stroke in drawing.strokes]], dtype=torch.float32)
    paper = torch.tensor(drawing.paper or (0.0, 0.0, 0.0, 0.0), dtype=torch.float32)
    picture = brush.paint_large(points, widths, colours, paper, drawing.size)
    return Image.fromarray(to_pixels(brush.separate(picture) if drawing.paper is None else picture)[0])


def build(settings: Settings, device: torch.device, generator: torch.Generator) -> StrokesDrawer:
    """The drawer that `settings` ask for, on `device`, with its start drawn from `generator` (a CPU generator).

    It draws no larger than a perceptor can make use of: what it hands over is drawn anew, at any size.
    """
    settings = settings.resolved()
    width, height = settings.picture_size
    largest = 144 if settings.model == "embedded" else 256
    scale = min(1.0, largest / min(width, height))
    canvas = max(1, round(width * scale)), max(1, round(height * scale))
    kind = LinesDrawer if settings.stroke_kind == "line" else StrokesDrawer
    return kind(settings, canvas, generator).to(device)
