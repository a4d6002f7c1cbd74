"""Differentiable views of a picture: what the perceptor is shown instead of the picture itself.

Many views, each with another crop, perspective, colour and noise, keep a run from finding patterns that please a CLIP
and nobody else. Ranges follow pixray's cutouts: 60 % zooms (a crop of 25-95 % of the area), the rest wide views of the
whole picture, mild perspective, hue and saturation, then noise of 0-0.1. Where it departs: pixray pools the same
picture once for every cut and warps it with kornia; here each level of detail is pooled once and one homography a
view, perspective and crop together, is sampled in a single call. The last view is always the whole picture as it is:
its similarity is the score.
"""

from dataclasses import dataclass, replace
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

# NTSC's colour space, in which a turn of the last two axes is a change of hue.
_YIQ: Final = ((0.299, 0.587, 0.114), (0.595716, -0.274453, -0.321263), (0.211456, -0.522591, 0.311135))


@dataclass(frozen=True)
class Views:
    """How `n` views are taken: drawn once an iteration on the CPU, before any picture is touched.

    homographies: [n,3,3], from a view's coordinates (-1..1) to the picture's (-1..1);
    colours: [n,3,3], a matrix on each pixel's red, green, blue;
    noise: [n], its strength; noise_at: [n,2], where in the shared noise field the view's noise begins;
    zooms: the first `zooms` views look closely and get the finer level of detail; reflect: how the outside is filled.
    """

    homographies: Tensor
    colours: Tensor
    noise: Tensor
    noise_at: Tensor
    zooms: int
    reflect: bool

    def __len__(self) -> int:
        return len(self.homographies)

    @property
    def on_device(self) -> tuple[Tensor, Tensor, Tensor]:
        """What is computed with where the picture is: homographies, colours, noise."""
        return self.homographies, self.colours, self.noise

    def moved(self, homographies: Tensor, colours: Tensor, noise: Tensor) -> "Views":
        """The same views with `on_device` on another device."""
        return replace(self, homographies=homographies, colours=colours, noise=noise)

    def part(self, start: int, stop: int) -> "Views":
        """Views start … stop-1 of these."""
        cut = slice(start, stop)
        zooms = max(0, min(stop, self.zooms) - start)
        return Views(
            self.homographies[cut], self.colours[cut], self.noise[cut], self.noise_at[cut], zooms, self.reflect
        )


def draw_views(
    n: int, size: tuple[int, int], iteration: int, generator: torch.Generator, strength: float = 1.0
) -> Views:
    """Choose `n` views (at least 1) of a picture of `size` (width, height).

    strength: 0 … 1, how far the views may stray: 1 is pixray's range, made for CLIPs that have seen the whole internet;
    a small eye that knows nothing but its own world wants less. The outside is reflected on even iterations and the
    border's colour on odd ones, as in pixray. The last view is the straight one.
    """
    zooms = int(0.6 * (n - 1) + 0.5)
    crops = torch.cat([_zoom(zooms, size, strength, generator), _wide(n - 1 - zooms, size, generator)])
    warped = crops @ _perspective(n - 1, strength, generator)
    straight = torch.eye(3)[None]
    noise = torch.rand(n, generator=generator) * 0.1 * strength
    noise[-1] = 0
    return Views(
        homographies=torch.cat([warped, straight]),
        colours=torch.cat([_colours(n - 1, strength, generator), straight]),
        noise=noise,
        noise_at=torch.rand(n, 2, generator=generator),
        zooms=zooms,
        reflect=iteration % 2 == 0,
    )


def straight_view() -> Views:
    """The whole picture as it is, and nothing else."""
    one = torch.eye(3)[None]
    return Views(one, one, torch.zeros(1), torch.zeros(1, 2), zooms=0, reflect=False)


class Pyramid:
    """A picture [B,3,H,W] at the two levels of detail that views of `size` pixels need, each pooled once.

    Views are looked at a few at a time: each batch adds its gradient to the levels, and `backward` carries the sum to
    the picture. So the graph of the pooling is walked once, and the memory of one batch is free before the next.
    """

    def __init__(self, image: Tensor, size: int) -> None:
        self.size = size
        self._pooled = (_shrink(image, size * 3 // 2), _shrink(image, size))
        self._levels = [level.detach().requires_grad_(level.requires_grad) for level in self._pooled]

    def see(self, views: Views, field: Tensor | None, candidates: slice = slice(None)) -> Tensor:
        """The views of some candidates as pictures [b,n,3,size,size].

        field: noise [3,s,s] shared by the iteration's views, s ≥ 2·size, or None for none: each view takes a window of
        it, so that the noise costs no memory and doesn't depend on how the views are split into batches.
        """
        near, wide = (level[candidates] for level in self._levels)
        groups = ((near, views.part(0, views.zooms)), (wide, views.part(views.zooms, len(views))))
        seen = torch.cat([self._resample(level, group) for level, group in groups if len(group)], dim=1)
        seen = torch.einsum("ncd,bndhw->bnchw", views.colours.to(seen), seen)
        if field is not None:
            seen = seen + _noise(field, views, self.size).to(seen)
        return seen.clamp(0, 1)

    def backward(self) -> None:
        """Carry the gradient that the levels have gathered to the picture's `grad`."""
        graded = [(pooled, level.grad) for pooled, level in zip(self._pooled, self._levels, strict=True)]
        live = [(pooled, gradient) for pooled, gradient in graded if gradient is not None]
        torch.autograd.backward([pooled for pooled, _ in live], [gradient for _, gradient in live])

    def _resample(self, level: Tensor, views: Views) -> Tensor:
        """[b,n,3,size,size]: the n views stacked into one tall grid, so that no picture is copied for its views."""
        grid = _grid(views.homographies.to(level), self.size)
        tall = grid.flatten(0, 1).expand(len(level), -1, -1, -1)
        padding = "reflection" if views.reflect else "border"
        out = F.grid_sample(level, tall, mode="bilinear", padding_mode=padding, align_corners=False)
        return out.view(len(level), 3, len(views), self.size, self.size).movedim(2, 1)


def _shrink(image: Tensor, side: int) -> Tensor:
    """`image` pooled, (average + maximum)/2 as in pixray, so that its shorter side has at most `side` pixels."""
    height, width = image.shape[-2:]
    scale = side / min(width, height)
    if scale >= 1:
        return image
    target = (round(height * scale), round(width * scale))
    return (F.adaptive_avg_pool2d(image, target) + F.adaptive_max_pool2d(image, target)) / 2


def _grid(homographies: Tensor, size: int) -> Tensor:
    """Where each pixel of each view lies in the picture: [n,size,size,2] in -1..1 (beyond it: outside)."""
    steps = (torch.arange(size, device=homographies.device, dtype=homographies.dtype) * 2 + 1) / size - 1
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    points = torch.stack([x, y, torch.ones_like(x)], dim=-1).view(1, -1, 3)
    mapped = points @ homographies.mT
    return (mapped[..., :2] / mapped[..., 2:].clamp(min=0.1)).view(-1, size, size, 2)


def _uniform(n: int, low: float, high: float, generator: torch.Generator) -> Tensor:
    return torch.rand(n, generator=generator) * (high - low) + low


def _affine(half: Tensor, centre: Tensor) -> Tensor:
    """[n,3,3] that map the view's square onto rectangles: half sizes [n,2], centres [n,2], in the picture's -1..1."""
    matrices = torch.zeros(len(half), 3, 3)
    matrices[:, 0, 0], matrices[:, 1, 1] = half.unbind(1)
    matrices[:, :2, 2] = centre
    matrices[:, 2, 2] = 1
    return matrices


def _zoom(n: int, size: tuple[int, int], strength: float, generator: torch.Generator) -> Tensor:
    """Crops of 25-95 % of the picture's square (at strength 1; larger below), of aspect 0.85-1.2, anywhere inside it,
    undistorted on any aspect."""
    width, height = size
    shorter = min(width, height)
    side = _uniform(n, 0.95 - 0.7 * strength, 0.95, generator).sqrt() * shorter
    stretch = torch.exp(_uniform(n, -0.1625, 0.1823, generator) / 2)  # ln 0.85, ln 1.2
    half = torch.stack([side * stretch / width, side / stretch / height], dim=1).clamp(max=1)
    centre = (torch.rand(n, 2, generator=generator) * 2 - 1) * (1 - half)
    return _affine(half, centre)


def _wide(n: int, size: tuple[int, int], generator: torch.Generator) -> Tensor:
    """The whole picture and a little more: undistorted, its longer side filling the view."""
    width, height = size
    longer = max(width, height)
    zoom = _uniform(n, 0.95, 1.25, generator)
    half = torch.stack([zoom * longer / width, zoom * longer / height], dim=1)
    centre = (torch.rand(n, 2, generator=generator) * 2 - 1) * 0.1
    return _affine(half, centre)


def _perspective(n: int, strength: float, generator: torch.Generator) -> Tensor:
    """Mild perspective for 70 % of `n` views, nothing for the rest: [n,3,3]."""
    matrices = torch.eye(3).repeat(n, 1, 1)
    tilt = (torch.rand(n, 2, generator=generator) - 0.5) * 0.35 * strength
    matrices[:, 2, :2] = tilt * (torch.rand(n, 1, generator=generator) < 0.7)
    return matrices


def _colours(n: int, strength: float, generator: torch.Generator) -> Tensor:
    """Hue turned by up to ±0.1 of the circle and saturation changed by up to ±10 %, for 80 % of the views: [n,3,3]."""
    chosen = torch.rand(n, generator=generator) < 0.8
    angle = _uniform(n, -0.1, 0.1, generator) * 2 * torch.pi * strength * chosen
    saturation = 1 + _uniform(n, -0.1, 0.1, generator) * strength * chosen
    turn = torch.zeros(n, 3, 3)
    turn[:, 0, 0] = 1
    turn[:, 1, 1] = turn[:, 2, 2] = saturation * angle.cos()
    turn[:, 1, 2], turn[:, 2, 1] = -saturation * angle.sin(), saturation * angle.sin()
    to_yiq = torch.tensor(_YIQ)
    return torch.linalg.inv(to_yiq) @ turn @ to_yiq


def draw_field(size: int, generator: torch.Generator) -> Tensor:
    """The noise field of one iteration for views of `size` pixels: [3,2·size,2·size], standard normal."""
    return torch.randn(3, 2 * size, 2 * size, generator=generator)


def _noise(field: Tensor, views: Views, size: int) -> Tensor:
    """Each view's window of the noise field, times its strength: [n,3,size,size]."""
    room = field.shape[-1] - size
    corners = [(int(y * room), int(x * room)) for y, x in views.noise_at.tolist()]
    windows = torch.stack([field[:, y : y + size, x : x + size] for y, x in corners])
    return windows * views.noise.view(-1, 1, 1, 1).to(field)
