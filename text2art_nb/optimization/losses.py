"""The losses of an image besides its prompts, each a module, and their weighted sum.

Each is one number per candidate, [B], so candidates drawn side by side don't affect each other, and each has a finite
gradient on any image, a plain one too. docs/taste.md says what each is good for, and where it differs from pixray's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor, nn

from text2art_nb.errors import ModelError
from text2art_nb.imaging.palettes import parse_palette
from text2art_nb.optimization import aesthetic
from text2art_nb.optimization.feature_losses import (
    AestheticLoss,
    ContentLoss,
    LayeredEncoder,
    StyleLoss,
    has_layers,
)
from text2art_nb.optimization.pixel_losses import (
    EdgeLoss,
    ImageLoss,
    InitLoss,
    PaletteLoss,
    SaturationLoss,
    SymmetryLoss,
    TVLoss,
    VignetteLoss,
)
from text2art_nb.perceptors.base import Perceptor
from text2art_nb.settings import Settings


class SumLoss(nn.Module):
    """Several losses by name, each with a weight; weights: by the same names."""

    def __init__(self, losses: Mapping[str, ImageLoss], weights: Mapping[str, float]) -> None:
        super().__init__()
        self.losses = nn.ModuleDict(losses)
        self.weights = dict(weights)

    def forward(self, image: Tensor) -> dict[str, Tensor]:
        """Return the weighted losses of `image` [B,3,H,W] by name, [B] each: the addends, as frames report them."""
        return {name: self.weights[name] * loss(image) for name, loss in self.losses.items()}


@dataclass(frozen=True)
class LossInputs:
    """What losses are built from.

    perceptors: those that guide, on `device`; open_picture: decodes a data URI as [1,3,h,w] in 0..1, on `device`.
    """

    settings: Settings
    perceptors: Sequence[Perceptor]
    device: torch.device
    open_picture: Callable[[str], Tensor]

    def color(self, name: str) -> Tensor:
        """Return a color [3] in 0..1."""
        return torch.tensor(parse_palette(f"[{name}]")[0], device=self.device)

    def layered_encoders(self) -> list[LayeredEncoder]:
        """Return the encoders whose layers can be read. Raises ModelError where there is none."""
        encoders = [perceptor for perceptor in self.perceptors if has_layers(perceptor)]
        if not encoders:
            wanted = {name for name in ("style", "content") if self.settings.losses.get(name)}
            losses, names = ",".join(sorted(wanted)), ", ".join(perceptor.name for perceptor in self.perceptors)
            raise ModelError(f"the layers of {names} can't be read, which losses='{losses}' needs; try ViT-B/32")
        return encoders


def _palette_loss(inputs: LossInputs) -> PaletteLoss | None:
    palette = inputs.settings.palette
    return PaletteLoss(torch.tensor(parse_palette(palette), device=inputs.device)) if palette else None


def _edge_loss(inputs: LossInputs) -> EdgeLoss:
    settings = inputs.settings
    return EdgeLoss(inputs.color(settings.edge_color), settings.edge_margins or (settings.edge_thickness,) * 4)


def _aesthetic_loss(inputs: LossInputs) -> AestheticLoss:
    settings, perceptors = inputs.settings, inputs.perceptors
    if settings.aesthetic_head is None:
        aesthetic.check_encoders(perceptors)
    head = aesthetic.load(settings.aesthetic_head, inputs.device)
    gray = [torch.full((1, 3, each.size, each.size), 0.5, device=inputs.device) for each in perceptors]
    widths = [each.see(view).shape[-1] for each, view in zip(perceptors, gray, strict=True)]
    encoder = aesthetic.encoder_for(head, settings.aesthetic_head, perceptors, widths)
    return AestheticLoss(head, encoder, settings.aesthetic_target)


def _content_loss(inputs: LossInputs) -> ContentLoss:
    picture = inputs.settings.content_image or inputs.settings.init_image or ""
    return ContentLoss(inputs.layered_encoders(), inputs.open_picture(picture))


BUILDERS: Final[Mapping[str, Callable[[LossInputs], ImageLoss | None]]] = {
    "smoothness": lambda inputs: TVLoss(inputs.settings.smoothness_type),
    "saturation": lambda inputs: SaturationLoss(),
    "symmetry": lambda inputs: SymmetryLoss(inputs.settings.symmetry_axis),
    "palette": _palette_loss,
    "edge": _edge_loss,
    "vignette": lambda inputs: VignetteLoss(
        inputs.color(inputs.settings.vignette_color), inputs.settings.vignette_size
    ),
    "aesthetic": _aesthetic_loss,
    "style": lambda inputs: StyleLoss(
        inputs.layered_encoders(), inputs.open_picture(inputs.settings.style_image or "")
    ),
    "content": _content_loss,
}
"""How each of `settings.LOSSES` is built; None: it does nothing with these settings."""


@torch.no_grad()
def build(inputs: LossInputs, init: Tensor | None = None) -> SumLoss:
    """Build the losses that the settings weigh; "init" is the one of `init_weight`.

    init: the init image [1,3,H,W] at the size of the canvas, if there is one.

    Raises:
        ModelError: a loss needs an encoder, or weights, that aren't there.
    """
    settings = inputs.settings
    losses: dict[str, ImageLoss] = {}
    for name, weight in settings.losses.items():
        loss = BUILDERS[name](inputs) if weight else None
        if loss is not None:
            losses[name] = loss
    if init is not None and settings.init_weight:
        losses["init"] = InitLoss(init)
    return SumLoss(losses, settings.losses | {"init": settings.init_weight})
