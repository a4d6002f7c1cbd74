"""VQGAN (Esser et al. 2021, "Taming transformers"): a grid of codes that a frozen decoder paints.

The latents move freely; what is decoded is the nearest code of each, and the gradient passes straight through, as in
Crowson's VQGAN+CLIP (Crowson et al. 2022) and in pixray. The embedded VQGAN, whose codes are very fine, is decoded
between them: a proposal's latents as they are, what grows out of noise or of another picture as a pyramid of them.
"""

import functools
import pickle
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from text2art_nb import models
from text2art_nb.drawers.base import Drawer, Frozen, decoded_size
from text2art_nb.drawers.fused_ops import shorten
from text2art_nb.errors import ModelError
from text2art_nb.imaging.tensors import clamp_with_gradient, resize
from text2art_nb.models import taming
from text2art_nb.models.missing_weights import check_whole
from text2art_nb.settings import Settings
from text2art_nb.settings.presets import weights_for

if TYPE_CHECKING:
    from diffusers.models.autoencoders.vq_model import VQModel

    VQGAN: TypeAlias = VQModel | taming.GumbelVQ

_LEVELS: Final = 4  # of the pyramid, each half as fine as the one before
_AT_ONCE: Final = 1024  # latents whose nearest codes are looked for


class VQGANDrawer(Drawer):
    """Parameters: `latents` [B,C,h,w], one for each code of the picture, h = H/f and w = W/f.

    Learning rate of pixray's vqgan drawer (Adam, 0.2, a tenth of it after 75 % of the iterations).
    """

    learning_rate: ClassVar[float] = 0.2
    refining_rate: ClassVar[float] = 0.01
    codebook: Tensor
    lowest: Tensor
    highest: Tensor

    def __init__(self, model: "VQGAN", canvas: tuple[int, int], candidates: int, generator: torch.Generator) -> None:
        """model: frozen; canvas: (width, height), multiples of the model's factor. Starts from codes of soft noise."""
        super().__init__()
        self._frozen = Frozen(model)
        self.canvas = canvas
        codebook = model.quantize.embedding.weight.detach().float()
        self.register_buffer("codebook", codebook, persistent=False)
        self.register_buffer("lowest", codebook.amin(0)[None, :, None, None], persistent=False)
        self.register_buffer("highest", codebook.amax(0)[None, :, None, None], persistent=False)
        start = self._encode(_soft_noise(candidates, canvas, generator).to(codebook.device))
        self.latents = nn.Parameter(start)

    @property
    def _model(self) -> "VQGAN":
        return self._frozen.network  # type: ignore[return-value]

    def render(self) -> Tensor:
        decoded = _decode(self._model, self._painted(self.latents))
        return clamp_with_gradient(decoded.float() / 2 + 0.5)

    @torch.no_grad()
    def start_from(self, image: Tensor) -> None:
        encoded = self._encode(resize(image, self.canvas).to(self.latents.device))
        self.latents.copy_(encoded.expand_as(self.latents))

    @torch.no_grad()
    def constrain(self) -> None:
        self.latents.copy_(self.latents.maximum(self.lowest).minimum(self.highest))

    @torch.no_grad()
    def _encode(self, image: Tensor) -> Tensor:
        """Latents [B,C,h,w] of a picture [B,3,H,W] in 0..1, within the range of the codes.

        Codes are sought before: held to that range first, up to a third of the latents would find another one.
        """
        latents: Tensor = self._model.encode(image * 2 - 1).latents
        return self._beginning(latents.float()).maximum(self.lowest).minimum(self.highest)

    def _beginning(self, latents: Tensor) -> Tensor:
        """What is drawn from where a picture's latents are given: the nearest codes, as pixray."""
        return self._nearest(latents)

    def _painted(self, latents: Tensor) -> Tensor:
        """What the decoder paints: each latent's nearest code, with the latents' own gradient (straight-through)."""
        return latents + (self._nearest(latents) - latents).detach()

    def _nearest(self, latents: Tensor) -> Tensor:
        """The nearest code of each latent [B,C,h,w], without a gradient."""
        # In half precision neighbouring codes would be taken for each other.
        with torch.no_grad(), torch.autocast(latents.device.type, enabled=False):
            flat = latents.movedim(1, -1).flatten(0, 2)
            lengths, across = self.codebook.square().sum(1), self.codebook.T
            # A part at a time: the distances of all latents to all codes are more than a processor keeps at hand.
            nearest = [torch.addmm(lengths, part, across, alpha=-2).argmin(1) for part in flat.split(_AT_ONCE)]
            found = self.codebook[torch.cat(nearest)]
            return found.view(*latents.shape[:1], *latents.shape[2:], -1).movedim(-1, 1)


class BetweenCodesDrawer(VQGANDrawer):
    """Paints the latents as they are, also between the codes.

    A picture that is there already only loses by codes as fine as the embedded VQGAN's (0.9 dB, seen as a weave in
    every sky), and a small step that reaches no other code changes nothing, until many have added up to a jump.
    """

    refining_rate: ClassVar[float] = 0.012

    def _beginning(self, latents: Tensor) -> Tensor:
        return latents

    def _painted(self, latents: Tensor) -> Tensor:
        return latents


class PyramidDrawer(BetweenCodesDrawer):
    """Paints the sum of `latents` and of coarser ones, `coarser` [B,C,h/2^k,w/2^k], as a Laplacian pyramid is summed.

    For finding a picture, in noise or in another picture, with codes so fine that each is little more than a colour: a
    thing moves as a whole, and its edges after it, where the fine latents alone would each go their own way.
    """

    learning_rate: ClassVar[float] = 0.1

    def __init__(self, model: "VQGAN", canvas: tuple[int, int], candidates: int, generator: torch.Generator) -> None:
        super().__init__(model, canvas, candidates, generator)
        sides = [[max(1, side >> level) for side in self.latents.shape[-2:]] for level in range(1, _LEVELS)]
        self.coarser = nn.ParameterList(self.latents.new_zeros(*self.latents.shape[:2], *side) for side in sides)

    @torch.no_grad()
    def start_from(self, image: Tensor) -> None:
        super().start_from(image)
        for level in self.coarser:
            level.zero_()

    def numbers(self) -> dict[str, Tensor]:
        return {"latents": self._painted(self.latents)}

    @torch.no_grad()
    def constrain(self) -> None:
        # The sum is what has a range; where it would leave it, the finest latents, which alone can, give way.
        coarse = self._painted(torch.zeros_like(self.latents))
        self.latents.copy_((self.latents + coarse).maximum(self.lowest).minimum(self.highest) - coarse)

    def _painted(self, latents: Tensor) -> Tensor:
        size = latents.shape[-2:]
        return latents + sum(F.interpolate(level, size, mode="bilinear") for level in self.coarser)


def _soft_noise(candidates: int, canvas: tuple[int, int], generator: torch.Generator) -> Tensor:
    """Pictures [B,3,H,W] of blurred grey-ish noise: a start without a subject, and not the same twice."""
    width, height = canvas
    coarse = torch.randn(candidates, 3, max(2, height // 16), max(2, width // 16), generator=generator)
    return resize((0.6 + 0.05 * coarse).clamp(0, 1), canvas)


@functools.lru_cache(maxsize=4)
def load(directory: Path, device: torch.device) -> "VQGAN":
    """The frozen VQGAN saved in `directory`; one copy a device is shared by all runs.

    In diffusers' layout (config.json, and safetensors or a tensors-only .bin), or one of taming-transformers' originals
    (a .ckpt, or the directory of one, with its .yaml), which is converted the first time.

    Raises ModelError where the files aren't a VQGAN, or not all of one.
    """
    if not (directory / "config.json").is_file() and taming.find(directory) is not None:
        return _frozen(taming.load(directory), device)
    from diffusers.models.autoencoders.vq_model import VQModel

    try:
        model, loaded = VQModel.from_pretrained(
            directory,
            local_files_only=True,
            # Else diffusers tells of an error before it takes the .bin, which is all that the usual one has.
            use_safetensors=None if any(directory.glob("*.safetensors")) else False,
            low_cpu_mem_usage=False,
            torch_dtype=torch.float32,
            output_loading_info=True,
        )
    except (OSError, ValueError, RuntimeError, KeyError, pickle.UnpicklingError) as error:
        raise ModelError(f"{directory} holds no VQGAN that diffusers.VQModel can load: {error}") from error
    check_whole(directory, "VQGAN", loaded)
    return _frozen(model, device)


def _frozen(model: "VQGAN", device: torch.device) -> "VQGAN":
    """`model` as it is drawn with: on its device, never to be trained, and quicker."""
    shorten(model.get_submodule("decoder"))
    return model.eval().requires_grad_(False).to(device)


def _decode(model: "VQGAN", codes: Tensor) -> Tensor:
    """The picture [B,3,H,W], about -1..1, of codes [B,C,h,w].

    As `VQModel.decode`, which also makes a loss on the CPU and waits for its copy.
    """
    network = model.model if isinstance(model, taming.GumbelVQ) else model
    spatial = codes if network.config["norm_type"] == "spatial" else None
    picture: Tensor = network.decoder(network.post_quant_conv(codes), spatial)
    return picture


def factor(model: "VQGAN") -> int:
    """How many pixels one code stands for, along each side."""
    return int(2 ** (len(model.config["block_out_channels"]) - 1))


def build(settings: Settings, device: torch.device, generator: torch.Generator) -> VQGANDrawer:
    """The drawer that `settings` ask for, on `device`, with its start drawn from `generator` (a CPU generator)."""
    name = weights_for("vqgan", settings.model)
    model = load(models.locate(name, "vqgan"), device)
    canvas = decoded_size(settings.picture_size, factor(model), name == "embedded")
    kind = VQGANDrawer
    if name == "embedded":
        kind = BetweenCodesDrawer if settings.start == "proposal" else PyramidDrawer
    return kind(model, canvas, settings.candidates, generator).to(device)
