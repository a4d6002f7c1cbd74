"""The embedded TAESD: a `diffusers.AutoencoderTiny` of half the published ones' width, trained on rendered pictures.

The published ones learnt from the autoencoders of diffusion models, whose latents have a spread of 1 and stay within
±3. Here there is no teacher: two terms of the loss hold the latents to that, and noise on them keeps the decoder from
leaning on their last digits, which no gradient of a perceptor respects.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor, nn

from text2art_nb.training.arithmetic import fast_arithmetic
from text2art_nb.training.data import Pool
from text2art_nb.training.loop import Average, Resumable, Stateful, set_parameters
from text2art_nb.training.views import to_tensor, whole
from text2art_nb.training.vqgan import picture_loss, windows

if TYPE_CHECKING:
    from diffusers import AutoencoderTiny

NOISE: Final = 0.1
"""Spread of the noise that the latents get while the decoder learns."""
_REACH: Final = 2.5  # latents that go farther from 0 are called back
_CALL: Final = 1.0


@dataclass(frozen=True)
class TinyPlan:
    """The whole recipe of an AutoencoderTiny's training.

    Attributes:
        width: channels of every layer; blocks: residual blocks of the encoder's four sizes, the largest first, and in
            reverse of the decoder's.
        latent: channels of the latents, each of which stands for 8 x 8 pixels.
        rate: the highest learning rate; it falls to a hundredth along a cosine.
    """

    width: int = 32
    blocks: tuple[int, ...] = (1, 2, 2, 2)
    latent: int = 16
    seed: int = 6
    steps: int = 8000
    batch: int = 12
    size: int = 64
    rate: float = 2e-3
    warm_up: int = 100

    def rate_at(self, step: int) -> float:
        """The learning rate of a step."""
        falling = 0.505 + 0.495 * float(np.cos(np.pi * min(1.0, step / self.steps)))
        return self.rate * falling * min(1.0, (step + 1) / self.warm_up)


TINY_PLAN = TinyPlan()


def build(plan: TinyPlan) -> "AutoencoderTiny":
    """The untrained AutoencoderTiny of a plan."""
    from diffusers import AutoencoderTiny

    return AutoencoderTiny(
        encoder_block_out_channels=(plan.width,) * len(plan.blocks),
        decoder_block_out_channels=(plan.width,) * len(plan.blocks),
        num_encoder_blocks=plan.blocks,
        num_decoder_blocks=plan.blocks[::-1],
        latent_channels=plan.latent,
    )


class TinyTrainer(Resumable[TinyPlan]):
    """Trains an AutoencoderTiny on a pool of rendered pictures; `test`: held-out ones for the learning curve."""

    def __init__(self, plan: TinyPlan, pool: Pool, test: Pool) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.pool, self.test = plan, pool, test
        self.step, self.total = 0, plan.steps
        self.model = build(plan).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(self.model.parameters(), lr=plan.rate, betas=(0.9, 0.98), weight_decay=1e-3)
        self.average = Average(self.model, 0.995)

    def batch(self, step: int) -> Tensor:
        """The windows of a step, [n,3,S,S] in -1..1."""
        rng = np.random.default_rng([self.plan.seed, step])
        chosen = np.sort(rng.choice(len(self.pool.pictures), self.plan.batch, replace=False))
        return to_tensor(windows(self.pool.pictures[chosen], self.plan.size, rng)) * 2 - 1

    def advance(self) -> dict[str, float]:
        """Train on one batch."""
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.rate_at(self.step)
        wanted = self.batch(self.step)
        generator = torch.Generator().manual_seed(self.plan.seed * 1_000_003 + self.step)
        with fast_arithmetic():
            latents = self.model.encode(wanted).latents.float()
            noise = torch.randn(latents.shape, generator=generator) * NOISE
            made = self.model.decode(latents + noise).sample.float()
        losses = {"picture": picture_loss(made, wanted)}
        losses["off_spread"] = (latents.std((0, 2, 3)) - 1).square().mean() + latents.mean((0, 2, 3)).square().mean()
        losses["too_far"] = (latents.abs() - _REACH).relu().square().mean()
        loss = losses["picture"] + _CALL * (losses["off_spread"] + losses["too_far"])
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), 2.0)
        self.optimizer.step()
        self.average.update(self.model, self.step)
        self.step += 1
        return {name: float(value.detach()) for name, value in losses.items()}

    @torch.no_grad()
    def measure(self, count: int = 24) -> dict[str, float]:
        """PSNR in dB on whole held-out pictures at 64 and at 128 pixels, and the latents' spread and reach."""
        model = self.exported()
        figures, latents = {}, torch.zeros(0)
        for side in (64, 128):
            wanted = to_tensor(whole(self.test.pictures[:count], side)) * 2 - 1
            latents = model.encode(wanted).latents
            errors = ((model.decode(latents).sample.clamp(-1, 1) - wanted) / 2).square().mean((1, 2, 3))
            figures[f"psnr_{side}"] = float((-10 * errors.log10()).mean())
        return figures | {"spread": float(latents.std()), "reach": float(latents.abs().max())}

    def exported(self) -> "AutoencoderTiny":
        """A model with the averaged weights, for use."""
        model = build(self.plan)
        set_parameters(model, {name: tensor.contiguous() for name, tensor in self.average.tensors.items()})
        return model.eval().requires_grad_(False)

    def learning(self) -> dict[str, Stateful]:
        """See `loop.Resumable`."""
        return {"model": self.model, "optimizer": self.optimizer}


def export(trainer: TinyTrainer, directory: Path) -> None:
    """Write an ordinary `diffusers.AutoencoderTiny` directory, weights in float16."""
    directory.mkdir(parents=True, exist_ok=True)
    trainer.exported().half().save_pretrained(directory)
    config = json.loads((directory / "config.json").read_text())
    del config["block_out_channels"]  # diffusers writes it, and warns whoever loads it
    (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def smaller(plan: TinyPlan, steps: int) -> TinyPlan:
    """A tiny plan for tests."""
    return replace(plan, width=8, blocks=(1, 1, 1, 1), steps=steps, batch=4, size=32, warm_up=2)
