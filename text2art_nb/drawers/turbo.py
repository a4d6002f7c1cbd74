"""One-step diffusion whose first noise is optimised: ReNO (Eyring et al. 2024, arXiv 2406.04312), with CLIP as reward.

A one-step model makes a good picture of any noise, and another one of another. So the noise is what is drawn with: it
is moved until the perceptors like the picture best, and held to the length that noise has, without which they would
soon be pleased by something that no longer is a picture. Instead of its length alone, its whole spectrum can be held to
that of noise: `drawers.white_noise`.
"""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from text2art_nb import models
from text2art_nb.drawers import one_step, taesd
from text2art_nb.drawers.base import Drawer, Frozen
from text2art_nb.drawers.one_step import OneStepModel
from text2art_nb.drawers.white_noise import white_projection
from text2art_nb.imaging.tensors import clamp_with_gradient, resize
from text2art_nb.settings import Settings
from text2art_nb.settings.drawing import NoisePrior
from text2art_nb.settings.presets import native_size, weights_for
from text2art_nb.settings.prompts import Prompt

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny

PRIOR_WEIGHT: Final = 0.01
"""ReNO's weight of the norm prior."""

_SEARCH_STEPS: Final = 20
_SEARCH_RATE: Final = 0.05


class TurboDrawer(Drawer):
    """Parameter: `noise` [B,C,H/8,W/8] in float32, of spread 1.

    ReNO's optimiser: SGD with Nesterov's momentum 0.9, rate 5, gradients no longer than 0.1.
    """

    learning_rate: ClassVar[float] = 5.0
    refining_rate: ClassVar[float] = 5.0
    gradient_clip: ClassVar[float | None] = 0.1

    def __init__(
        self,
        model: OneStepModel,
        tiny: "AutoencoderTiny",
        canvas: tuple[int, int],
        candidates: int,
        generator: torch.Generator,
        noise_prior: NoisePrior = "norm",
    ) -> None:
        """tiny: the decoder of each iteration; canvas: (width, height), multiples of the model's grain.

        noise_prior: what keeps the noise one: "norm" adds ReNO's loss, "white" projects after each step.

        It hears nothing yet, and draws whatever comes: see `hear`.
        """
        super().__init__()
        self._model = model
        self._tiny = Frozen(tiny)
        self._noise_prior = noise_prior
        self.canvas = canvas
        width, height = (side // model.factor for side in canvas)
        self.noise = nn.Parameter(torch.randn(candidates, model.channels, height, width, generator=generator))
        self._prompts: tuple[Prompt, ...] = ()
        self._progress = 0.0
        self._heard = model.readers.hear(())
        self._words = self._heard.at(0.0)

    def hear(self, prompts: Sequence[Prompt]) -> None:
        if tuple(prompts) != self._prompts:
            self._prompts = tuple(prompts)
            self._heard = self._model.readers.hear(prompts)
            self._words = self._heard.at(self._progress)

    def anneal(self, progress: float) -> None:
        if progress != self._progress and any(prompt.schedule for prompt in self._prompts):
            self._words = self._heard.at(progress)
        self._progress = progress

    def render(self) -> Tensor:
        with self._as_it_is():
            return clamp_with_gradient(self._decode_quickly(self._latents()))

    @torch.no_grad()
    def finish(self) -> Tensor:
        with self._as_it_is():
            return self._model.decode(self._latents())

    def losses(self) -> dict[str, Tensor]:
        if self._noise_prior == "white":
            return {}
        return {"norm": PRIOR_WEIGHT * norm_prior(self.noise)}

    @torch.no_grad()
    def constrain(self) -> None:
        if self._noise_prior == "white":
            self.noise.copy_(white_projection(self.noise))

    def start_from(self, image: Tensor) -> None:
        """Noise out of which the model, told the same words, makes something near `image`.

        There need be none: a model that was told "a cat" won't draw a house. It begins where the picture would be, were
        it noised to the very end, and searches along the sphere on which noise lies; the nearest one found is taken.
        """
        picture = resize(image, self.canvas).to(self.noise.device) * 2 - 1
        with torch.no_grad(), self._as_it_is():
            wanted = self._coder.encode(picture).latents.float().expand_as(self.noise)
            self.noise.copy_(on_the_sphere(self.noise + wanted / self._model.step.sigma))
        self._search(wanted)

    def _search(self, wanted: Tensor) -> None:
        """Move the noise, on its sphere, to where the model's latents are nearest to `wanted`."""
        nearest, least = self.noise.detach().clone(), torch.full((len(self.noise),), math.inf, device=wanted.device)
        adam = torch.optim.Adam([self.noise], lr=_SEARCH_RATE)
        for _ in range(_SEARCH_STEPS + 1):
            with self._as_it_is():
                distances = (self._latents() - wanted).square().flatten(1).sum(1)
            adam.zero_grad()
            distances.sum().backward()
            with torch.no_grad():
                better = (distances < least).view(-1, 1, 1, 1)
                nearest = torch.where(better, self.noise, nearest)
                least = least.minimum(distances)
                adam.step()
                self.noise.copy_(on_the_sphere(self.noise))
        with torch.no_grad():
            self.noise.copy_(nearest)
        self.noise.grad = None

    def optimizer(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.param_groups(self.learning_rate), momentum=0.9, nesterov=True)

    @property
    def _coder(self) -> "AutoencoderTiny":
        return self._tiny.network  # type: ignore[return-value]

    def _latents(self) -> Tensor:
        return self._model.latents(self.noise, self._words)

    def _decode_quickly(self, latents: Tensor) -> Tensor:
        """Pictures [B,3,H,W], about 0..1, of TAESD, which is computed again in the backward pass."""

        def decode(latents: Tensor) -> Tensor:
            decoded: Tensor = self._coder.decode(latents).sample
            return decoded

        picture: Tensor = checkpoint(decode, latents, use_reentrant=False, preserve_rng_state=False)
        return picture / 2 + 0.5

    def _as_it_is(self) -> torch.autocast:
        """The model's own number formats: the loop's are for networks that have none of their own."""
        return torch.autocast(self.noise.device.type, enabled=False)


def norm_prior(noise: Tensor) -> Tensor:
    """How unlikely the length r of noise [B,…] of d numbers is, [B]: r²/2 - (d-1)·log r, less its least value.

    That is the negative logarithm of the chi distribution's density (Samuel et al. 2023, used by ReNO); 0 at its peak,
    r² = d-1, where ReNO's own number is some thousands below it. The gradient is the same.
    """
    most_likely = noise[0].numel() - 1
    square = noise.flatten(1).square().sum(1)
    ratio = square / most_likely
    return most_likely / 2 * (ratio - 1 - ratio.clamp(min=1e-12).log())


def on_the_sphere(noise: Tensor) -> Tensor:
    """`noise` [B,…] at the length that noise of so many numbers is most likely to have."""
    length = noise.flatten(1).norm(dim=1).view(-1, *[1] * (noise.dim() - 1))
    return noise * ((noise[0].numel() - 1) ** 0.5 / length)


def build(settings: Settings, device: torch.device, generator: torch.Generator) -> TurboDrawer:
    """The drawer that `settings` ask for, on `device`, with its start drawn from `generator` (a CPU generator).

    A GPU computes the UNet in float16 unless `precision` says otherwise. TAESD is the catalogue's, or the directory
    taesd/ beside the unet/ of a directory of your own.
    """
    name = weights_for("turbo", settings.weights)
    directory = models.locate(name, "diffusion")
    half = device.type != "cpu" and settings.precision in ("auto", "float16")
    wide = torch.bfloat16 if settings.precision == "bfloat16" else torch.float32
    model = one_step.load(directory, device, torch.float16 if half else wide)
    own = directory / "taesd"
    tiny = taesd.load(own if own.is_dir() else models.locate("taesdxl" if model.is_xl else "taesd", "taesd"), device)
    canvas = native_size(settings.picture_size, model.side, model.grain)
    drawer = TurboDrawer(model, tiny, canvas, settings.candidates, generator, settings.noise_prior).to(device)
    drawer.hear(settings.parsed)
    return drawer
