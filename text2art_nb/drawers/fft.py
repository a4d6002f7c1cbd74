"""A picture made of waves: the spectrum is what is drawn, so large shapes and fine detail grow at once.

After lucid's decorrelated Fourier image (Olah et al. 2017, "Feature Visualization") and aphantasia, whose setting names
and meanings pixray took over. Where it departs: the picture is not squeezed through a sigmoid but clamped, so that
every picture has its spectrum and pure white can still be pulled back; and it is not normalised to a fixed contrast.
"""

from typing import ClassVar, Final

import torch
from torch import Tensor, nn

from text2art_nb.drawers.base import Drawer
from text2art_nb.imaging.tensors import clamp_with_gradient, resize
from text2art_nb.settings import Settings

# The square root of the covariance of colours in ImageNet (lucid): columns are brightness, warm against cold, and green
# against magenta, each as red, green, blue.
_COLOURS: Final = ((0.26, 0.09, 0.02), (0.27, 0.00, -0.05), (0.27, -0.09, 0.03))
_SPREAD: Final = 1 / 3  # how far the pixels of a standard normal spectrum stray from grey, root mean square
_START: Final = 0.06  # of that, for the first picture


class FFTDrawer(Drawer):
    """Parameter: `spectrum` [B,3,H,W//2+1,2], the real and imaginary parts of each wave of each decorrelated colour.

    A wave's share in the picture falls with its frequency as frequency^-decay, as in photographs; so a step of the same
    size moves large shapes far and fine ones a little. A spectrum of standard normal numbers is a picture whose pixels
    stray from grey by about a third, whatever its size and decay; with that, pixray's rate of 0.3 suits.
    """

    learning_rate: ClassVar[float] = 0.3
    refining_rate: ClassVar[float] = 0.01
    scale: Tensor
    colours: Tensor
    to_waves: Tensor

    def __init__(
        self,
        canvas: tuple[int, int],
        candidates: int,
        generator: torch.Generator,
        decay: float = 1.5,
        colours: float = 1.5,
        sharp: float = 0.0,
    ) -> None:
        """Starts from grey and a little soft noise, another a candidate.

        canvas: (width, height), odd or even; decay: 0 (white noise) … 3 (fog); colours: saturation (1: a photograph);
        sharp: how strongly differences between neighbouring pixels are rewarded.
        """
        super().__init__()
        self.canvas = canvas
        self._sharp = sharp
        width, height = canvas
        mix = torch.tensor(_COLOURS) / torch.tensor([colours, 1.0, 1.0])
        mix = mix / mix.norm(dim=0).max()
        self.register_buffer("scale", _shares(width, height, decay), persistent=False)
        self.register_buffer("colours", mix, persistent=False)
        self.register_buffer("to_waves", torch.linalg.inv(mix), persistent=False)
        noise = torch.randn(candidates, 3, height, width // 2 + 1, 2, generator=generator)
        self.spectrum = nn.Parameter(noise * _START)

    def render(self) -> Tensor:
        return clamp_with_gradient(self._picture())

    @torch.no_grad()
    def start_from(self, image: Tensor) -> None:
        self._set(resize(image.to(self.spectrum.device), self.canvas))

    @torch.no_grad()
    def constrain(self) -> None:
        """Brings every pixel back to 0..1, and the spectrum with them."""
        self._set(self._picture().clamp(0, 1))

    def losses(self) -> dict[str, Tensor]:
        """Less than nothing for a sharp picture (aphantasia's `sharp`): the mean difference of neighbours, [B]."""
        if not self._sharp:
            return {}
        image = self.render()
        across = (image[..., 1:] - image[..., :-1]).abs().mean((1, 2, 3))
        down = (image[..., 1:, :] - image[..., :-1, :]).abs().mean((1, 2, 3))
        return {"sharp": -self._sharp * (across + down)}

    def _picture(self) -> Tensor:
        """The picture [B,3,H,W] of the spectrum, not yet clamped."""
        width, height = self.canvas
        # Never in half precision: sixteen bits a pixel don't survive a sum of so many waves.
        with torch.autocast(self.spectrum.device.type, enabled=False):
            waves = torch.fft.irfft2(torch.view_as_complex(self.spectrum) * self.scale, (height, width), norm="ortho")
            return torch.einsum("rc,bchw->brhw", self.colours, waves) + 0.5

    def _set(self, image: Tensor) -> None:
        """Take over the spectrum of `image` [1 or B,3,H,W] at the canvas' size."""
        waves = torch.einsum("cr,brhw->bchw", self.to_waves, image - 0.5)
        spectrum = torch.view_as_real(torch.fft.rfft2(waves, norm="ortho") / self.scale)
        self.spectrum.copy_(spectrum.expand_as(self.spectrum))


def _shares(width: int, height: int, decay: float) -> Tensor:
    """Each wave's share [H,W//2+1] in the picture, whose mean square over the whole spectrum is the spread's."""
    across, down = torch.fft.fftfreq(width), torch.fft.fftfreq(height)
    frequency = (down[:, None].square() + across.square()).sqrt().clamp(min=1 / max(width, height))
    shares: Tensor = frequency.pow(-decay)
    return (shares * _SPREAD / shares.square().mean().sqrt())[:, : width // 2 + 1]


def build(settings: Settings, device: torch.device, generator: torch.Generator) -> FFTDrawer:
    """The drawer that `settings` ask for, on `device`, with its start drawn from `generator` (a CPU generator)."""
    asked = settings.resolved()
    return FFTDrawer(
        asked.picture_size,
        asked.candidates,
        generator,
        decay=asked.fft_decay or 0.0,
        colours=asked.fft_colors,
        sharp=asked.fft_sharp or 0.0,
    ).to(device)
