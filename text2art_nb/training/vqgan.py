"""The embedded VQGAN: a `diffusers.VQModel` that halves once, trained on windows of rendered pictures.

The codebook follows its codes as a moving average (van den Oord et al. 2017, appendix A.1) after a k-means start, and
codes that nobody uses are moved to where the latents are. A small patch discriminator (hinge loss) sharpens the end.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from text2art_nb.training.arithmetic import fast_arithmetic
from text2art_nb.training.data import Pool
from text2art_nb.training.loop import Average, Resumable, Stateful, set_parameters, stage_of
from text2art_nb.training.views import Pixels, to_tensor, whole

if TYPE_CHECKING:
    from diffusers import VQModel


@dataclass(frozen=True)
class Stage:
    """A stretch of the training: until step `until`, with batches of `batch` windows of `size` pixels.

    Attributes:
        rates: learning rate at its beginning and its end.
        feature: weight of the guide's features in the loss; adversary: weight of the discriminator.
        bypass: share of the windows that are decoded without the codebook. 1: there is none yet; the stage after such
            a one begins with k-means. What the codes don't carry the decoder never learns to use, nor the encoder to
            send, so a codebook that starts early keeps the latents in the few dimensions that they had then.
    """

    until: int
    batch: int = 8
    size: int = 64
    rates: tuple[float, float] = (1e-3, 1e-3)
    feature: float = 0.0
    adversary: float = 0.0
    bypass: float = 0.0


@dataclass(frozen=True)
class VqganPlan:
    """The whole recipe of a VQGAN training."""

    channels: tuple[int, ...] = (16, 48)
    latent: int = 4
    codes: int = 1024
    groups: int = 8
    seed: int = 4
    warm_up: int = 100
    commit: float = 0.05
    restart_until: float = 0.85
    stages: tuple[Stage, ...] = (
        Stage(until=1200, rates=(2e-3, 2e-3), bypass=1.0),
        Stage(until=1800, rates=(1.6e-3, 1.6e-3), bypass=0.3),
        Stage(until=2200, rates=(1.6e-3, 1.1e-3)),
        Stage(until=2900, rates=(1.1e-3, 2e-5), feature=0.1),
    )

    @property
    def steps(self) -> int:
        """Steps altogether."""
        return self.stages[-1].until

    def stage(self, step: int) -> tuple[Stage, float]:
        """The stage that a step belongs to, and the step's learning rate."""
        return stage_of(self.stages, step, self.warm_up)


VQGAN_PLAN = VqganPlan()


def build(plan: VqganPlan) -> "VQModel":
    """The untrained VQModel of a plan."""
    from diffusers import VQModel

    depth = len(plan.channels)
    return VQModel(
        down_block_types=("DownEncoderBlock2D",) * depth,
        up_block_types=("UpDecoderBlock2D",) * depth,
        block_out_channels=plan.channels,
        layers_per_block=1,
        norm_num_groups=plan.groups,
        latent_channels=plan.latent,
        vq_embed_dim=plan.latent,
        num_vq_embeddings=plan.codes,
        mid_block_add_attention=False,  # every code sees its neighbourhood only: clean at any size and shape
        sample_size=128,
    )


def windows(pictures: Pixels, size: int, rng: np.random.Generator) -> Pixels:
    """A random square window of each picture [n,S,S,3], resized to [n,size,size,3].

    Some show the scene at the scale at which it is drawn (128 pixels a side), some all of it, some any part.
    """
    side = pictures.shape[1]
    out = np.empty((len(pictures), size, size, 3), np.uint8)
    for index, picture in enumerate(pictures):
        drawn, kind = side * size / 128 * np.exp(rng.uniform(-0.1, 0.1)), rng.random()
        wide = drawn if kind < 0.4 else side if kind < 0.65 else side * np.exp(rng.uniform(-1.1, 0))
        wide = int(np.clip(wide, 32, side))
        left, top = (int(rng.integers(0, side - wide + 1)) for _ in range(2))
        window = picture[top : top + wide, left : left + wide]
        if rng.random() < 0.5:
            window = window[:, ::-1]
        shrink = cv2.INTER_AREA if wide > size else cv2.INTER_LINEAR
        out[index] = cv2.resize(np.ascontiguousarray(window), (size, size), interpolation=shrink)
    return out


def _slopes(image: Tensor) -> tuple[Tensor, Tensor]:
    return image[..., 1:, :] - image[..., :-1, :], image[..., 1:] - image[..., :-1]


def _colours(image: Tensor) -> Tensor:
    return image - image.mean(1, keepdim=True)


def picture_loss(made: Tensor, wanted: Tensor) -> Tensor:
    """Mean absolute and squared difference, that of the slopes at three scales and of the colours; both [n,3,S,S].

    Without a loss of their own, colours are what a small codebook gives up first: shapes came out in orange and blue.
    """
    total = F.l1_loss(made, wanted) + 2 * F.mse_loss(made, wanted)
    for scale in range(3):
        if scale:
            made, wanted = F.avg_pool2d(made, 2), F.avg_pool2d(wanted, 2)
            ours, theirs = _colours(made), _colours(wanted)
            total = total + 2 * F.l1_loss(ours, theirs) + 8 * F.mse_loss(ours, theirs)
        for a, b in zip(_slopes(made), _slopes(wanted), strict=True):
            total = total + 0.5 * F.l1_loss(a, b)
    return total


class Patches(nn.Module):
    """The discriminator: is each 16-pixel patch of [n,3,S,S] (in -1..1) rendered or decoded? -> [n,1,S/4,S/4]."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 24, 4, 2, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(24, 48, 4, 2, 1),
            nn.GroupNorm(8, 48),
            nn.LeakyReLU(0.2),
            nn.Conv2d(48, 1, 3, 1, 1),
        )

    def forward(self, image: Tensor) -> Tensor:
        """See the class."""
        return cast(Tensor, self.layers(image))


class Features(nn.Module):
    """The guide's early features, as a measure of likeness that cares for edges and textures; frozen."""

    def __init__(self, directory: Path) -> None:
        super().__init__()
        from transformers import VisionTextDualEncoderModel

        dual = VisionTextDualEncoderModel.from_pretrained(directory, dtype=torch.float32, local_files_only=True)
        self.stem = dual.vision_model.embedder
        self.stages = nn.ModuleList(dual.vision_model.encoder.stages[:2])
        self.eval().requires_grad_(False)

    def forward(self, made: Tensor, wanted: Tensor) -> Tensor:
        """The distance between pictures in -1..1: mean squared difference of unit feature vectors, three layers."""
        mixed = torch.cat([made, wanted]) * 2  # -1..1 with the guide's mean and spread (0.5, 0.25) is -2..2
        total = made.new_zeros(())
        layer = self.stem(mixed)
        for stage in (None, *self.stages):
            layer = stage(layer) if stage is not None else layer
            ours, theirs = F.normalize(layer.float(), dim=1).chunk(2)
            total = total + (ours - theirs.detach()).square().sum(1).mean()
        return total


@contextmanager
def fast_norms() -> Iterator[None]:
    """Let GroupNorm work on ordinary memory inside: its channels-last backward is eleven times slower on CPUs."""
    plain = nn.GroupNorm.forward

    def forward(self: nn.GroupNorm, x: Tensor) -> Tensor:
        if x.dim() != 4:
            return plain(self, x)
        return plain(self, x.contiguous()).contiguous(memory_format=torch.channels_last)

    nn.GroupNorm.forward = forward  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        nn.GroupNorm.forward = plain  # type: ignore[method-assign]


class Codebook:
    """Keeps a VQModel's codebook where the latents are.

    Args:
        weight: the embedding [codes, d], changed in place.
    """

    def __init__(self, weight: Tensor, decay: float = 0.98) -> None:
        self.weight, self.decay = weight, decay
        self.used = torch.ones(len(weight))
        self.sums = weight.detach().clone()

    def state_dict(self) -> dict[str, Tensor]:
        """How much each code is used, and the sums of its latents; the codes themselves are the model's."""
        return {"used": self.used, "sums": self.sums}

    def load_state_dict(self, state_dict: dict[str, Tensor], /) -> None:
        """The inverse of `state_dict`."""
        self.used.copy_(state_dict["used"])
        self.sums.copy_(state_dict["sums"])

    @torch.no_grad()
    def start(self, latents: Tensor, generator: torch.Generator, rounds: int = 8) -> None:
        """K-means on latents [n,d], n >= codes."""
        chosen = torch.randperm(len(latents), generator=generator)[: len(self.weight)]
        self.weight.copy_(latents[chosen])
        for _ in range(rounds):
            self._settle(latents, 0.0)
            self._revive(latents, generator, 0.5)

    @torch.no_grad()
    def follow(self, latents: Tensor, generator: torch.Generator, revive: bool) -> tuple[Tensor, float]:
        """Move codes towards the latents [n,d] that chose them; returns the chosen codes [n,d] and the share alive."""
        chosen = self._settle(latents, self.decay)
        codes = self.weight[chosen]
        alive = self.used > 0.03 * self.used.mean()
        if revive:
            self._revive(latents, generator, 0.03 * float(self.used.mean()))
        return codes, float(alive.float().mean())

    def _settle(self, latents: Tensor, decay: float) -> Tensor:
        # Not cdist: of a few dimensions it is many times slower.
        distances = torch.addmm(self.weight.square().sum(1), latents, self.weight.T, alpha=-2)
        chosen = distances.argmin(1)
        counts = torch.bincount(chosen, minlength=len(self.weight)).float()
        sums = torch.zeros_like(self.weight).index_add_(0, chosen, latents)
        self.used.mul_(decay).add_(counts, alpha=1 - decay)
        self.sums.mul_(decay).add_(sums, alpha=1 - decay)
        moved = self.used > 1e-4
        self.weight[moved] = self.sums[moved] / self.used[moved, None]
        return chosen

    def _revive(self, latents: Tensor, generator: torch.Generator, below: float) -> None:
        dead = (self.used < below).nonzero()[:, 0]
        if len(dead):
            chosen = torch.randint(len(latents), (len(dead),), generator=generator)
            self.weight[dead] = latents[chosen]
            self.used[dead] = self.used.mean()
            self.sums[dead] = self.weight[dead] * self.used[dead, None]


class VqganTrainer(Resumable[VqganPlan]):
    """Trains a VQModel on a pool of rendered pictures.

    Args:
        plan: the recipe.
        pool: rendered pictures, 160 pixels a side or so.
        test: held-out pictures.
        eye: directory of a trained guide, for the stages with a `feature` weight; None: that weight is ignored.
    """

    def __init__(self, plan: VqganPlan, pool: Pool, test: Pool, eye: Path | None = None) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.pool, self.test = plan, pool, test
        self.step, self.total = 0, plan.steps
        self.model = build(plan).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.model.quantize.embedding.weight.requires_grad_(False)
        self.book = Codebook(self.model.quantize.embedding.weight)
        self.patches = Patches().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.features = Features(eye) if eye else None
        trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(trained, lr=1e-3, betas=(0.9, 0.98), weight_decay=1e-3, fused=True)
        self.critic = torch.optim.AdamW(self.patches.parameters(), lr=5e-4, betas=(0.5, 0.9), fused=True)
        self.average = Average(self.model, 0.995)

    def batch(self, stage: Stage, step: int) -> Tensor:
        """The windows of a step, [n,3,S,S] in -1..1."""
        rng = np.random.default_rng([self.plan.seed, step])
        chosen = np.sort(rng.choice(len(self.pool.pictures), stage.batch, replace=False))
        return to_tensor(windows(self.pool.pictures[chosen], stage.size, rng)) * 2 - 1

    def advance(self) -> dict[str, float]:
        """Train on one batch."""
        stage, rate = self.plan.stage(self.step)
        generator = torch.Generator().manual_seed(self.plan.seed * 1_000_003 + self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        if self.step and self.plan.stage(self.step - 1)[0].bypass == 1 != stage.bypass:
            self._start_codebook(stage, generator)
        wanted = self.batch(stage, self.step)
        with fast_norms(), fast_arithmetic():
            latents = self.model.encode(wanted).latents.float()
            codes, losses = self._quantize(latents, stage, generator)
            made = self.model.decode(codes, force_not_quantize=True).sample.float()
            loss = losses["commit"] * self.plan.commit + self._likeness(made, wanted, stage, losses)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_([p for g in self.optimizer.param_groups for p in g["params"]], 2.0)
        self.optimizer.step()
        if stage.adversary:
            losses["critic"] = self._criticise(made.detach(), wanted)
        self.average.update(self.model, self.step)
        self.step += 1
        return {name: float(value.detach()) for name, value in losses.items()}

    def _likeness(self, made: Tensor, wanted: Tensor, stage: Stage, losses: dict[str, Tensor]) -> Tensor:
        loss = losses["picture"] = picture_loss(made, wanted)
        if stage.feature and self.features is not None:
            losses["feature"] = self.features(made, wanted)
            loss = loss + stage.feature * losses["feature"]
        if stage.adversary:
            losses["fooled"] = -self.patches(made).float().mean()
            loss = loss + stage.adversary * losses["fooled"]
        return loss

    def _criticise(self, made: Tensor, wanted: Tensor) -> Tensor:
        with fast_norms(), fast_arithmetic():
            real, fake = self.patches(wanted).float(), self.patches(made).float()
        loss = F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        self.critic.zero_grad(set_to_none=True)
        loss.backward()
        self.critic.step()
        return loss

    def _quantize(self, latents: Tensor, stage: Stage, generator: torch.Generator) -> tuple[Tensor, dict[str, Tensor]]:
        if stage.bypass == 1:
            # A mild pull towards the origin, so that k-means finds latents of a sensible size.
            return latents, {"commit": latents.square().mean() * 0.02}
        flat = latents.permute(0, 2, 3, 1).reshape(-1, latents.shape[1])
        revive = self.step < self.plan.restart_until * self.plan.steps
        chosen, alive = self.book.follow(flat.detach(), generator, revive)
        codes = chosen.view(latents.permute(0, 2, 3, 1).shape).permute(0, 3, 1, 2)
        commit = F.mse_loss(latents, codes)
        coded = torch.rand(len(latents), 1, 1, 1, generator=generator) >= stage.bypass
        used = latents + coded * (codes - latents).detach()
        return used, {"commit": commit, "alive": torch.tensor(alive)}

    @torch.no_grad()
    def _start_codebook(self, stage: Stage, generator: torch.Generator) -> None:
        found = []
        for extra in range(40):
            latents = self.model.encode(self.batch(stage, 10_000_000 + extra)).latents
            found.append(latents.permute(0, 2, 3, 1).flatten(0, 2))
        self.book.start(torch.cat(found), generator)

    @torch.no_grad()
    def measure(self, count: int = 24) -> dict[str, float]:
        """PSNR in dB on whole held-out pictures at 64 and at 128 pixels, of the averaged weights."""
        model = self.exported()
        at_64, codes = self._psnr(model, 64, 2 * count)
        at_128, _ = self._psnr(model, 128, count)
        return {"psnr_64": at_64, "psnr_128": at_128, "codes_used": float(codes)}

    def _psnr(self, model: "VQModel", side: int, count: int) -> tuple[float, int]:
        """PSNR at `side` pixels, and how many codes the pictures use."""
        wanted = to_tensor(whole(self.test.pictures[:count], side)) * 2 - 1
        coded = self.plan.stage(self.step)[0].bypass < 1
        latents = torch.cat([model.encode(part).latents for part in wanted.split(8)])
        used = model.quantize(latents)[2][2].unique()
        made = torch.cat([model.decode(part, force_not_quantize=not coded).sample for part in latents.split(8)])
        errors = ((made.clamp(-1, 1) - wanted) / 2).square().mean((1, 2, 3))
        return float((-10 * errors.log10()).mean()), len(used)

    def exported(self) -> "VQModel":
        """A model with the averaged weights, for use."""
        model = build(self.plan)
        set_parameters(model, {name: tensor.contiguous() for name, tensor in self.average.tensors.items()})
        return model.eval().requires_grad_(False)

    def learning(self) -> dict[str, Stateful]:
        """See `loop.Resumable`."""
        return {
            "model": self.model,
            "optimizer": self.optimizer,
            "patches": self.patches,
            "critic": self.critic,
            "book": self.book,
        }


def export(trainer: VqganTrainer, directory: Path) -> None:
    """Write an ordinary `diffusers.VQModel` directory, weights in float16."""
    directory.mkdir(parents=True, exist_ok=True)
    trainer.exported().half().save_pretrained(directory)


def smaller(plan: VqganPlan, steps: int) -> VqganPlan:
    """A tiny plan for tests."""
    stages = (
        Stage(until=steps // 3, batch=4, bypass=1.0),
        Stage(until=steps * 2 // 3, batch=4, bypass=0.5),
        Stage(until=steps, batch=4, adversary=0.05),
    )
    return replace(plan, channels=(8, 8, 8, 16), latent=8, codes=32, groups=4, warm_up=2, stages=stages)


def describe(plan: VqganPlan) -> str:
    """The stages of a plan as JSON lines, for the model card."""
    return "\n".join(json.dumps(vars(stage)) for stage in plan.stages)
