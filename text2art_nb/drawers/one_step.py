"""A one-step diffusion model, frozen: from noise and words to the latents of a picture in one evaluation of a UNet.

SD-Turbo and SDXL-Turbo (Sauer et al. 2023, "Adversarial Diffusion Distillation") in the hub's layout: unet/, vae/,
text_encoder/, tokenizer/ (SDXL: text_encoder_2/, tokenizer_2/), scheduler/.
"""

import functools
import importlib
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import Tensor

from text2art_nb.drawers.text_encoders import Reader, Readers, Words
from text2art_nb.errors import ModelError
from text2art_nb.models.missing_weights import check_nothing_missing, check_tokenizer, check_tokenizer_files

if TYPE_CHECKING:
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

Loaded = TypeVar("Loaded")


@dataclass(frozen=True)
class Step:
    """The arithmetic of the one step, at the far end of the noise schedule.

    With one step the Euler ancestral sampler of these models goes from its largest sigma straight to 0, where the fresh
    noise that it would add has the weight 0. So it is plain arithmetic: nothing random is left in it, and there is no
    generator that would have to be seeded anew in each iteration.

    sigma: how much noise there is, in units of the latents' spread; spread: of the first sample, in the same units;
    timestep: what the UNet is told; predicts: what it answers, "epsilon" or "v_prediction".
    """

    sigma: float
    spread: float
    timestep: float
    predicts: str

    def before(self, noise: Tensor) -> Tensor:
        """What the UNet is shown, for noise of spread 1."""
        return noise * (self.spread / (self.sigma**2 + 1) ** 0.5)

    def after(self, noise: Tensor, answer: Tensor) -> Tensor:
        """The latents, from the noise and the UNet's answer."""
        sample = noise * self.spread
        if self.predicts == "epsilon":
            return sample - answer * self.sigma
        square = self.sigma**2 + 1
        return sample / square - answer * (self.sigma / square**0.5)


class OneStepModel:
    """The UNet, the full VAE, the text encoders and the step of one checkpoint, all frozen."""

    def __init__(self, unet: "UNet2DConditionModel", vae: "AutoencoderKL", readers: Readers, step: Step) -> None:
        """unet: in the format that it is to compute in; vae: in float32 (SDXL's gives NaN in float16)."""
        self.unet = unet
        self.vae = vae
        self.readers = readers
        self.step = step
        # A block keeps its input alone, and computes again what the backward pass needs: 512 pixels fit 15 GB that way.
        unet.enable_gradient_checkpointing()

    @property
    def is_xl(self) -> bool:
        """Whether it wants to know the picture's size and the text as a whole, as SDXL does."""
        return bool(self.unet.config["addition_embed_type"] == "text_time")

    @property
    def factor(self) -> int:
        """How many pixels one latent stands for, along each side."""
        return int(2 ** (len(self.vae.config["block_out_channels"]) - 1))

    @property
    def grain(self) -> int:
        """Sides of pictures are multiples of so many pixels."""
        return int(self.factor * 2 ** (len(self.unet.config["block_out_channels"]) - 1))

    @property
    def side(self) -> int:
        """The side in pixels of the square pictures that it was trained on."""
        return int(self.unet.config["sample_size"]) * self.factor

    @property
    def channels(self) -> int:
        """Of its latents."""
        return int(self.unet.config["in_channels"])

    def latents(self, noise: Tensor, words: Words) -> Tensor:
        """The latents [B,C,h,w] of the pictures, float32, scaled as TAESD wants them; differentiable in the noise.

        noise: [B,C,h,w] float32, of spread 1; words: one text for all.
        """
        first, last = scaled_gradients(self.unet.dtype)
        words = words.to(noise.device, self.unet.dtype)
        count, (height, width) = len(noise), noise.shape[-2:]
        extra: dict[str, Any] = {}
        if words.whole is not None and self.is_xl:
            pixels = [height * self.factor, width * self.factor]
            sizes = torch.tensor([[*pixels, 0, 0, *pixels]], device=noise.device, dtype=self.unet.dtype)
            extra = {"text_embeds": words.whole.expand(count, -1), "time_ids": sizes.expand(count, -1)}
        answer = self.unet(
            self.step.before(first(noise)).to(self.unet.dtype),
            self.step.timestep,
            encoder_hidden_states=words.tokens.expand(count, -1, -1),
            added_cond_kwargs=extra,
        ).sample
        return self.step.after(noise, last(answer.float()))

    @torch.no_grad()
    def decode(self, latents: Tensor) -> Tensor:
        """Pictures [B,3,H,W] in 0..1 by the full VAE, one at a time: it takes more memory than all else."""
        pictures = [self.vae.decode(each / self.vae.config["scaling_factor"]).sample for each in latents.split(1)]
        return (torch.cat(pictures) / 2 + 0.5).clamp(0, 1)


# -- small gradients in half precision


def scaled_gradients(dtype: torch.dtype) -> tuple[Callable[[Tensor], Tensor], Callable[[Tensor], Tensor]]:
    """(first, last): functions for what goes into a float16 network and what comes out of it; no change to either.

    float16 ends at 6e-8, and the gradient of one pixel among a quarter of a million is not far from there. On its way
    back each candidate's is enlarged to a largest element of 1 behind the network, and reduced again before it.
    """
    if dtype != torch.float16:
        return (lambda value: value), (lambda value: value)
    scales: list[Tensor] = []

    def first(value: Tensor) -> Tensor:
        lowered: Tensor = _Lower.apply(value, scales)
        return lowered

    def last(value: Tensor) -> Tensor:
        raised: Tensor = _Raise.apply(value, scales)
        return raised

    return first, last


class _Raise(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, scales: list[Tensor]) -> Tensor:
        ctx.scales = scales
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        scale = gradient.flatten(1).abs().amax(1).clamp(min=1e-30).view(-1, *[1] * (gradient.dim() - 1))
        ctx.scales.append(scale)
        return gradient / scale, None


class _Lower(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, value: Tensor, scales: list[Tensor]) -> Tensor:
        ctx.scales = scales
        return value.view_as(value)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (gradient,) = gradients
        return gradient * ctx.scales.pop(), None


# -- loading


@functools.lru_cache(maxsize=1)
def load(directory: Path, device: torch.device, dtype: torch.dtype) -> OneStepModel:
    """The model saved in `directory`, its UNet in `dtype`; one copy is shared by all runs.

    Of each part the float16 file is taken if there is one: half the bytes to fetch and to read. Only safetensors are
    read. Raises ModelError where the files aren't such a model, or not all of one.
    """
    diffusers = importlib.import_module("diffusers")
    transformers = importlib.import_module("transformers")

    transformers.utils.logging.disable_progress_bar()  # as in perceptors.dual_encoder
    reader = functools.partial(_reader, transformers, directory)

    def part(kind: type[Any], folder: str, precision: torch.dtype) -> Any:
        place = directory / folder
        model, loaded = kind.from_pretrained(place, variant=_variant(place), **_SAFELY, torch_dtype=precision)
        check_nothing_missing(place, kind.__name__, loaded)
        return model.eval().requires_grad_(False).to(device)

    try:
        scheduler = diffusers.EulerAncestralDiscreteScheduler.from_pretrained(
            directory / "scheduler", local_files_only=True
        )
        step = one_step(scheduler)
        if (directory / "text_encoder_2").is_dir():
            readers = Readers([reader("", -2, "CLIPTextModel"), reader("_2", -2, "CLIPTextModelWithProjection")])
        else:
            readers = Readers([reader("", -1, "CLIPTextModel")])
        unet = part(diffusers.UNet2DConditionModel, "unet", dtype)
        vae = part(diffusers.AutoencoderKL, "vae", torch.float32)
    except (OSError, ValueError, RuntimeError, KeyError, pickle.UnpicklingError) as error:
        raise ModelError(f"{directory} holds no one-step diffusion model that can be loaded: {error}") from error
    return OneStepModel(unet, vae, readers, step)


_SAFELY: dict[str, Any] = {"local_files_only": True, "use_safetensors": True, "output_loading_info": True}


def one_step(scheduler: Any) -> Step:
    """The step that a `diffusers` Euler scheduler takes, set to one step. Raises ModelError if it can't."""
    predicts = str(scheduler.config["prediction_type"])
    if predicts not in ("epsilon", "v_prediction"):
        raise ModelError(f"this model predicts a {predicts!r}; epsilon and v_prediction can be drawn with")
    # The one step is the last of the schedule, where these models were trained. Any other spacing starts elsewhere.
    scheduler.register_to_config(timestep_spacing="trailing")
    scheduler.set_timesteps(1)
    return Step(
        sigma=float(scheduler.sigmas[0]),
        spread=float(scheduler.init_noise_sigma),
        timestep=float(scheduler.timesteps[0]),
        predicts=predicts,
    )


def _reader(transformers: Any, directory: Path, suffix: str, layer: int, kind: str) -> Reader:
    place = directory / f"text_encoder{suffix}"
    encoder, loaded = getattr(transformers, kind).from_pretrained(
        place, variant=_variant(place), **_SAFELY, dtype=torch.float32
    )
    check_nothing_missing(place, kind, loaded)
    words = directory / f"tokenizer{suffix}"
    check_tokenizer_files(words)
    tokenizer = transformers.AutoTokenizer.from_pretrained(words, local_files_only=True)
    check_tokenizer(words, lambda text: tokenizer(text).input_ids, encoder.config.vocab_size)
    return Reader(encoder.eval().requires_grad_(False), tokenizer, layer)


def _variant(place: Path) -> str | None:
    return "fp16" if any(place.glob("*.fp16.safetensors")) else None
