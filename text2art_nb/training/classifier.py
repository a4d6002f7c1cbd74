"""The thing classifier: which thing of the world a picture shows. A second opinion for the benches, beside the judge.

A dual encoder that is blind to things may still agree with another one (shared/embedded.md saw it): a judge that was
never taught a word has other weaknesses. Nothing is ever drawn under it. It is a plain
`transformers.ResNetForImageClassification`, narrower and shallower than the guide's eye, taught on pictures of its own.
A ConvNeXt (another architecture than both CLIPs' eyes) had learnt no thing after 110 steps of 1.8 s; this one is quick.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from text2art_nb.training import world
from text2art_nb.training.arithmetic import fast_arithmetic
from text2art_nb.training.data import Pool
from text2art_nb.training.dual_encoder import MEAN, SIZE, STD
from text2art_nb.training.loop import Average, Resumable, Stateful, set_parameters
from text2art_nb.training.metrics import LineUp, make_line_up
from text2art_nb.training.views import JUDGE, Roughness, crops, tint, to_tensor

if TYPE_CHECKING:
    from transformers import ResNetForImageClassification


BLURRED = replace(JUDGE, blurred=0.45, noise=0.04)  # what is drawn is softer than what is rendered


@dataclass(frozen=True)
class ClassifierPlan:
    """The whole recipe: `steps` batches of pictures, the learning rate rising for `warm_up` steps, then falling."""

    steps: int = 1500
    batch: int = 64
    rate: float = 4e-3
    warm_up: int = 100
    seed: int = 6
    rough: Roughness = BLURRED

    def rate_at(self, step: int) -> float:
        """The learning rate of a step: half a cosine."""
        falling = 0.5 + 0.5 * float(np.cos(np.pi * min(1.0, step / self.steps)))
        return self.rate * min(1.0, (step + 1) / self.warm_up) * max(falling, 0.01)


CLASSIFIER_PLAN = ClassifierPlan()


def build() -> "ResNetForImageClassification":
    """The untrained classifier, one class a thing; 64 x 64 pixels."""
    from transformers import ResNetConfig, ResNetForImageClassification

    things = world.ATTRIBUTES["thing"]
    config = ResNetConfig(
        embedding_size=24,
        hidden_sizes=[24, 56, 112, 224],
        depths=[1, 1, 1, 1],
        layer_type="basic",
        hidden_act="relu",
        id2label=dict(enumerate(things)),
        label2id={name: index for index, name in enumerate(things)},
    )
    return ResNetForImageClassification(config)


def name_things(model: "ResNetForImageClassification", pictures: Tensor) -> Tensor:
    """Logits [n, things] of pictures [n,3,64,64] in 0..1."""
    parts = [model(pixel_values=(part - MEAN) / STD).logits for part in pictures.split(128)]
    return torch.cat(parts).float()


class ClassifierTrainer(Resumable[ClassifierPlan]):
    """Trains the classifier on a pool, whatever places, styles and colours its pictures have; see `loop.Trainer`."""

    def __init__(self, plan: ClassifierPlan, pool: Pool, test: LineUp | None = None) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.pool = plan, pool
        self.test = make_line_up(6, 9005) if test is None else test
        self.step, self.total = 0, plan.steps
        self.model = build().to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.optimizer = torch.optim.AdamW(
            self.model.parameters(), lr=plan.rate, betas=(0.9, 0.98), weight_decay=0.05, fused=True
        )
        self.average = Average(self.model, 0.99)

    def advance(self) -> dict[str, float]:
        """Train on one batch."""
        rng = np.random.default_rng([self.plan.seed, self.step])
        rows = np.sort(rng.choice(len(self.pool.pictures), self.plan.batch, replace=False))
        views = to_tensor(crops(self.pool.pictures[rows], SIZE, rng, self.plan.rough))
        generator = torch.Generator().manual_seed(self.plan.seed * 1_000_003 + self.step)
        wanted = torch.from_numpy(self.pool.attributes[rows, world.NAMES.index("thing")].astype(np.int64))
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.rate_at(self.step)
        self.model.train()
        with fast_arithmetic():
            logits = name_things(self.model, tint(views, generator, self.plan.rough))
        loss = F.cross_entropy(logits, wanted, label_smoothing=0.05)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 2.0)
        self.optimizer.step()
        self.average.update(self.model, self.step)
        self.step += 1
        return {"loss": float(loss.detach()), "right": float((logits.argmax(1) == wanted).float().mean())}

    @torch.no_grad()
    def measure(self) -> dict[str, float]:
        """The share of a line-up (only the thing differs within a row) that the averaged weights name."""
        return {"things": float(self.named().float().mean())}

    @torch.no_grad()
    def named(self) -> Tensor:
        """[rows, things] bool: which pictures of the line-up are named."""
        things = len(world.ATTRIBUTES["thing"])
        found = name_things(self.exported(), to_tensor(self.test.pictures)).argmax(1)
        return found.view(-1, things) == torch.arange(things)

    def exported(self) -> "ResNetForImageClassification":
        """A classifier with the averaged weights, for use."""
        model = build()
        set_parameters(model, {name: tensor.contiguous() for name, tensor in self.average.tensors.items()})
        return model.eval().requires_grad_(False)

    def learning(self) -> dict[str, Stateful]:
        """See `loop.Resumable`."""
        return {"model": self.model, "optimizer": self.optimizer}


def export(trainer: ClassifierTrainer, directory: Path) -> None:
    """Write an ordinary `transformers` directory, weights in float16 (to be computed with in float32)."""
    directory.mkdir(parents=True, exist_ok=True)
    trainer.exported().half().save_pretrained(directory)
    config = json.loads((directory / "config.json").read_text())
    config["dtype"] = "float32"
    (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def load(directory: Path) -> "ResNetForImageClassification":
    """The classifier that lies in `directory`, frozen, in float32."""
    from transformers import ResNetForImageClassification

    model = ResNetForImageClassification.from_pretrained(directory, local_files_only=True, dtype=torch.float32)
    return model.eval().requires_grad_(False)
