"""TAESD (Ollin Boer Bohan): the latents of a diffusion model, painted by a decoder of 1.2 million weights.

The tiny decoders of Stable Diffusion 1 and 2, SDXL, SD3 and FLUX.1, as `diffusers.AutoencoderTiny` has them. They know
photographs as a VQGAN does, at a tenth of its cost, and there are no codes: the latents move freely. The embedded one
has their architecture and knows the embedded world alone.
"""

import functools
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from text2art_nb import models
from text2art_nb.drawers.base import Drawer, Frozen, decoded_size
from text2art_nb.errors import ModelError
from text2art_nb.imaging.tensors import clamp_with_gradient, resize
from text2art_nb.models.missing_weights import check_whole
from text2art_nb.settings import Settings
from text2art_nb.settings.presets import weights_for

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny

REACH: Final = 3.0
"""How far from 0 its authors say that the latents of pictures go."""

_START: Final = 0.3  # of a latent's usual spread of 1: soft blotches, and nothing that looks like something


class TAESDDrawer(Drawer):
    """Parameter: `latents` [B,C,H/8,W/8], C = 4 (SD, SDXL) or 16 (SD3, FLUX.1), within ±3.

    They are what the diffusion model itself calls latents, its scaling factor applied.
    """

    learning_rate: ClassVar[float] = 0.1
    refining_rate: ClassVar[float] = 0.003

    def __init__(
        self, model: "AutoencoderTiny", canvas: tuple[int, int], candidates: int, generator: torch.Generator
    ) -> None:
        """model: frozen; canvas: (width, height), multiples of the model's factor. Starts from soft noise."""
        super().__init__()
        self._frozen = Frozen(model)
        self.canvas = canvas
        width, height = (side // factor(model) for side in canvas)
        coarse = (candidates, int(model.config["latent_channels"]), max(2, height // 4), max(2, width // 4))
        noise = torch.randn(coarse, generator=generator) * _START
        self.latents = nn.Parameter(F.interpolate(noise, (height, width), mode="bicubic"))

    @property
    def _model(self) -> "AutoencoderTiny":
        return self._frozen.network  # type: ignore[return-value]

    def render(self) -> Tensor:
        decoded: Tensor = self._model.decode(self.latents / self._scaling).sample
        return clamp_with_gradient(decoded.float() / 2 + 0.5)

    @torch.no_grad()
    def start_from(self, image: Tensor) -> None:
        pictures = resize(image, self.canvas).to(self.latents.device) * 2 - 1
        encoded: Tensor = self._model.encode(pictures).latents.float() * self._scaling
        self.latents.copy_(encoded.clamp(-REACH, REACH).expand_as(self.latents))

    @torch.no_grad()
    def constrain(self) -> None:
        self.latents.clamp_(-REACH, REACH)

    @property
    def _scaling(self) -> float:
        return float(self._model.config["scaling_factor"])  # 1 for all that are published


@functools.lru_cache(maxsize=4)
def load(directory: Path, device: torch.device) -> "AutoencoderTiny":
    """The frozen AutoencoderTiny saved in `directory` (diffusers' layout: config.json and safetensors), in float32.

    One copy a device is shared by all runs. Raises ModelError where the files aren't an AutoencoderTiny.
    """
    from diffusers.models.autoencoders.autoencoder_tiny import AutoencoderTiny

    try:
        model, loaded = AutoencoderTiny.from_pretrained(
            directory,
            local_files_only=True,
            low_cpu_mem_usage=False,
            torch_dtype=torch.float32,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, KeyError, pickle.UnpicklingError) as error:
        raise ModelError(f"{directory} holds no TAESD that diffusers.AutoencoderTiny can load: {error}") from error
    check_whole(directory, "TAESD", loaded)
    return model.eval().requires_grad_(False).to(device)


def factor(model: "AutoencoderTiny") -> int:
    """How many pixels one latent stands for, along each side."""
    return int(2 ** (len(model.config["decoder_block_out_channels"]) - 1))


def build(settings: Settings, device: torch.device, generator: torch.Generator) -> TAESDDrawer:
    """The drawer that `settings` ask for, on `device`, with its start drawn from `generator` (a CPU generator)."""
    name = weights_for("taesd", settings.model)
    model = load(models.locate(name, "taesd"), device)
    canvas = decoded_size(settings.picture_size, factor(model), name == "embedded")
    return TAESDDrawer(model, canvas, settings.candidates, generator).to(device)
