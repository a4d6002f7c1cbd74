"""The user's images as tensors, and the image that a run starts from."""

import numpy as np
import torch
from torch import Tensor

from text2art_nb.imaging.image_io import opaque, open_picture
from text2art_nb.imaging.tensors import composite
from text2art_nb.optimization import overlay, proposals
from text2art_nb.settings import Settings


def open_image(picture: str, device: torch.device, mode: str = "RGB") -> Tensor:
    """Decode an image of the settings over white as [1,3,H,W] in 0..1 or, in the mode RGBA, as [1,4,H,W]."""
    image = open_picture(picture)
    pixels = np.array(image.convert("RGBA") if mode == "RGBA" else opaque(image))
    return torch.from_numpy(pixels).to(device).movedim(-1, 0)[None].float() / 255


def on_white(image: Tensor) -> Tensor:
    """Composite `image` [B,3 or 4,H,W] on white: [B,3,H,W]."""
    return composite(image, torch.ones(3, device=image.device))


class InputImages:
    """A run's init image [1,3,h,w] and overlay [1,4,h,w], decoded once; None where there is none."""

    def __init__(self, settings: Settings, device: torch.device) -> None:
        self._device = device
        self.init = open_image(settings.init_image, device) if settings.init_image else None
        self.overlay = open_image(settings.overlay_image, device, "RGBA") if settings.overlay_image else None

    def start(self, settings: Settings) -> Tensor | None:
        """Return the image [1 or B,3,h,w] that the first drawer starts from; None: its own noise."""
        start = None
        if settings.start == "proposal":
            start = proposals.of_settings(settings, self._device)
        elif settings.start != "noise":
            start = self.init
        if start is not None and self.overlaid_at_start(settings):
            start = self.overlaid(start, settings)
        return start

    def overlaid_at_start(self, settings: Settings) -> bool:
        """Tell whether the overlay is composited before the first iteration."""
        return overlay.is_due(settings, 0, settings.iterations or 0)

    def overlaid(self, image: Tensor, settings: Settings) -> Tensor:
        """Composite the overlay, if there is one, on `image` [B,3 or 4,H,W]."""
        return image if self.overlay is None else overlay.lay(image, self.overlay, settings.overlay_alpha)
