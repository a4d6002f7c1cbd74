"""Training of the dual encoders: three guides (plain, then adversarially) and the judge (another eye, mostly plain).

Adversarial training is "free" (Shafahi et al. 2019): every batch is replayed, and the gradient on the picture that a
replay's backward pass yields anyway becomes the next replay's attack. Eyes trained so have gradients in the shapes of
things (Tsipras et al. 2019, Santurkar et al. 2019), which is what makes pictures drawn under them legible.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from text2art_nb.training import dual_encoder, metrics, world
from text2art_nb.training.arithmetic import fast_arithmetic
from text2art_nb.training.data import Pool, misspell
from text2art_nb.training.dual_encoder import SIZE, Pupil, matching_loss, naming_loss
from text2art_nb.training.loop import Average, Resumable, Stateful, set_parameters, stage_of
from text2art_nb.training.tokenizer import LENGTH, save_words
from text2art_nb.training.views import GENTLE, GUIDE, JUDGE, Roughness, crops, tint, to_tensor

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, VisionTextDualEncoderModel


@dataclass(frozen=True)
class Stage:
    """A stretch of the training: until step `until`.

    Attributes:
        rates: learning rate at its beginning and its end.
        attack: radius of the adversary (the largest change of any value 0..1); 0: none.
        replays: how often each batch is used.
        gentle: with mild views, which teach things sooner.
    """

    until: int
    rates: tuple[float, float]
    attack: float = 0.0
    replays: int = 1
    gentle: bool = False


@dataclass(frozen=True)
class ClipPlan:
    """The whole recipe of a dual encoder's training.

    Attributes:
        build: makes the untrained model from the tokenizer's size.
        batch: pictures a step.
        naming: weight of the heads' loss.
        resting: steps at the beginning in which the reader, taken over from another model, isn't trained.
    """

    build: Callable[[int], "VisionTextDualEncoderModel"]
    seed: int
    stages: tuple[Stage, ...]
    rough: Roughness
    batch: int = 128
    naming: float = 0.5
    warm_up: int = 80
    resting: int = 0

    @property
    def steps(self) -> int:
        """Steps altogether."""
        return self.stages[-1].until

    def stage(self, step: int) -> tuple[Stage, float]:
        """The stage that a step belongs to, and the step's learning rate."""
        return stage_of(self.stages, step, self.warm_up)


# The third guide, which was the first to be taught: eye and reader together.
GUIDE_PLAN = ClipPlan(
    build=dual_encoder.guide,
    seed=1,
    rough=GUIDE,
    stages=(
        Stage(until=1100, rates=(1.5e-3, 1.5e-3), gentle=True),
        Stage(until=1500, rates=(1.5e-3, 1.3e-3)),
        Stage(until=1800, rates=(1.2e-3, 1.1e-3), attack=0.03, replays=2),
        Stage(until=2800, rates=(1.1e-3, 1e-5), attack=0.07, replays=2),
        Stage(until=3100, rates=(1.2e-3, 1.1e-3)),
        Stage(until=3400, rates=(1.1e-3, 1e-3), attack=0.04, replays=2),
        Stage(until=4400, rates=(1e-3, 1e-5), attack=0.08, replays=2),
    ),
)
# Lightly attacked, too: what a plain judge said of a picture changed by hundredths with changes that nobody sees.
JUDGE_PLAN = ClipPlan(
    build=dual_encoder.judge,
    seed=2,
    rough=JUDGE,
    stages=(
        Stage(until=1000, rates=(1.5e-3, 1.5e-3), gentle=True),
        Stage(until=1800, rates=(1.5e-3, 1.1e-3)),
        Stage(until=2000, rates=(1.1e-3, 1e-3), attack=0.01, replays=2),
        Stage(until=2600, rates=(1e-3, 1e-5), attack=0.02, replays=2),
        Stage(until=4000, rates=(1.2e-3, 1e-3)),
        Stage(until=4200, rates=(1e-3, 1e-3), attack=0.01, replays=2),
        Stage(until=4900, rates=(1e-3, 1e-5), attack=0.02, replays=2),
    ),
)
# The second guide: an eye of the same build, with its own pictures, which learns to see what the third guide's reader
# reads, sooner than one that has to wait for a reader (Zhai et al. 2022), and then goes on with it on its own.
SECOND_PLAN = replace(
    GUIDE_PLAN,
    seed=5,
    resting=900,
    stages=(
        Stage(until=900, rates=(1.5e-3, 1.5e-3), gentle=True),
        Stage(until=1500, rates=(1.5e-3, 1.3e-3)),
        Stage(until=2000, rates=(1.2e-3, 1.1e-3), attack=0.03, replays=2),
        Stage(until=3200, rates=(1.1e-3, 1e-5), attack=0.07, replays=2),
    ),
)
# The first guide, in its turn to the reader that the second has taught on: the last to be taught, and the best.
FIRST_PLAN = replace(
    SECOND_PLAN,
    seed=6,
    resting=700,
    stages=(
        Stage(until=800, rates=(1.5e-3, 1.5e-3), gentle=True),
        Stage(until=1200, rates=(1.5e-3, 1.3e-3)),
        Stage(until=1600, rates=(1.2e-3, 1.1e-3), attack=0.03, replays=2),
        Stage(until=3200, rates=(1.1e-3, 1e-5), attack=0.07, replays=2),
    ),
)

PREPROCESSOR = {
    "image_processor_type": "CLIPImageProcessor",
    "do_resize": True,
    "size": {"height": SIZE, "width": SIZE},
    "do_center_crop": False,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [dual_encoder.MEAN] * 3,
    "image_std": [dual_encoder.STD] * 3,
    # text2art's own: how far the views may stray while drawing. The eye knows whole scenes and little of their parts.
    "text2art_augmentation": 0.2,
}

IMPORTANT = {"thing": 1.5, "colour": 0.5, "thing2": 0.5}


@dataclass(frozen=True)
class Batch:
    """One step's pictures and captions.

    Attributes:
        views: [n,3,S,S] in 0..1.
        ids, mask: [m,t], the pictures' captions, then captions in which two things of a picture have changed places.
        labels: [n,A], what is shown; stated: [m,A]; true: [n,m], picture by caption.
    """

    views: Tensor
    ids: Tensor
    mask: Tensor
    labels: Tensor
    stated: Tensor
    true: Tensor


class ClipTrainer(Resumable[ClipPlan]):
    """Trains a dual encoder on a pool of groups of pictures.

    Args:
        plan: the recipe.
        pool: grouped training pictures.
        test: held-out pictures for the learning curve.
        tokenizer: of the captions.
        reader: another dual encoder's, as `reader_of` gives it, to begin with; None: from nothing.
    """

    def __init__(
        self,
        plan: ClipPlan,
        pool: Pool,
        test: metrics.Exam,
        tokenizer: "PreTrainedTokenizerFast",
        reader: dict[str, Tensor] | None = None,
    ) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.pool, self.test, self.tokenizer = plan, pool, test, tokenizer
        self.step, self.total = 0, plan.steps
        classes = {name: len(values) for name, values in world.ATTRIBUTES.items()}
        pupil = Pupil(plan.build(len(tokenizer)), classes)
        if reader is not None:
            set_parameters(pupil.dual, pupil.dual.state_dict() | reader)
        self.pupil = pupil.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        heavy = [p for p in pupil.parameters() if p.dim() > 1]
        light = [p for p in pupil.parameters() if p.dim() <= 1]
        groups = [{"params": heavy, "weight_decay": 0.03}, {"params": light, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.97), fused=True)
        self.average = Average(self.pupil.dual, 0.995)

    def batch(self, step: int) -> Batch:
        """The batch of a step."""
        rng = np.random.default_rng([self.plan.seed, step])
        group = self.pool.plan.group
        chosen = np.sort(rng.choice(len(self.pool.pictures) // group, self.plan.batch // group, replace=False))
        rows = (chosen[:, None] * group + np.arange(group)).ravel()
        rough = GENTLE if self.plan.stage(step)[0].gentle else self.plan.rough
        views = to_tensor(crops(self.pool.pictures[rows], SIZE, rng, rough))
        told = [world.caption(self.pool.scenes[row], rng) for row in rows]
        texts, stated = zip(*told, *self._contrary(rows, rng), strict=True)
        tokens = self.tokenizer(
            [misspell(text, rng) for text in texts],
            padding=True,
            truncation=True,
            max_length=LENGTH,
            return_tensors="pt",
        )
        said = np.stack([world.stated_vector(part) for part in stated])
        labels = self.pool.attributes[rows]
        return Batch(
            views=tint(views, torch.Generator().manual_seed(self.plan.seed * 1_000_003 + step), rough),
            ids=tokens["input_ids"],
            mask=tokens["attention_mask"],
            labels=torch.from_numpy(labels.astype(np.int64)),
            stated=torch.from_numpy(said.astype(np.int64)),
            true=torch.from_numpy(world.holds(said, labels).T.copy()),
        )

    def _contrary(self, rows: NDArray[np.int64], rng: np.random.Generator) -> Iterator[tuple[str, dict[str, int]]]:
        """A caption each in which the two things of a picture have changed places, where there are two."""
        for scene in (self.pool.scenes[row] for row in rows):
            for swapped in world.vary(scene, "relation", rng, 1) if scene.relation else ():
                yield world.caption(swapped, rng)

    def advance(self) -> dict[str, float]:
        """Train on one batch, replayed under attack where the stage says so."""
        stage, rate = self.plan.stage(self.step)
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        for part in (self.pupil.dual.text_model, self.pupil.dual.text_projection):
            part.requires_grad_(self.step >= self.plan.resting)
        batch = self.batch(self.step)
        self.pupil.train()
        change = torch.zeros_like(batch.views)
        if stage.attack:
            generator = torch.Generator().manual_seed(self.plan.seed * 2_000_003 + self.step)
            change = (torch.rand(change.shape, generator=generator) * 2 - 1) * stage.attack
        for replay in range(stage.replays):
            views = (batch.views + change).clamp(0, 1).requires_grad_(stage.attack > 0)
            losses = self._learn(batch, views, replay)
            if views.grad is not None:
                change = (change + stage.attack * views.grad.sign()).clamp(-stage.attack, stage.attack)
        self.average.update(self.pupil.dual, self.step)
        self.step += 1
        return losses

    def _learn(self, batch: Batch, views: Tensor, replay: int) -> dict[str, float]:
        with fast_arithmetic():
            seen, features = self.pupil.see(views)
            if replay == 0:
                read, meaning = self.pupil.read(batch.ids, batch.mask)
                self._read = read.detach()
            else:
                read, meaning = self._read, None
        scale = self.pupil.scale()
        losses = {"match": matching_loss(seen, read, scale, batch.true)}
        losses["name_seen"] = naming_loss(self.pupil.seen, features, batch.labels, IMPORTANT)
        if meaning is not None:
            losses["name_read"] = naming_loss(self.pupil.stated, meaning, batch.stated, IMPORTANT)
        loss = losses["match"] + self.plan.naming * sum(v for k, v in losses.items() if k != "match")
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.pupil.parameters(), 3.0)
        self.optimizer.step()
        with torch.no_grad():
            also_true = batch.true & ~torch.eye(*batch.true.shape, dtype=torch.bool)
            own = (seen @ read.T).masked_fill(also_true, -1)
            right = (own.argmax(1) == torch.arange(len(seen))).float().mean()
            thing = batch.labels[:, list(world.ATTRIBUTES).index("thing")]
            named = (self.pupil.seen["thing"](features).argmax(1) == thing).float().mean()
        figures = {name: float(value.detach()) for name, value in losses.items()}
        return figures | {"right": float(right), "thing": float(named), "scale": float(scale.detach())}

    def measure(self) -> dict[str, float]:
        """Held-out figures of the averaged weights."""
        return metrics.quick([(self.exported(), self.tokenizer)], self.test)

    def exported(self) -> "VisionTextDualEncoderModel":
        """A dual encoder with the averaged weights, for use."""
        model = self.plan.build(len(self.tokenizer))
        set_parameters(model, {name: tensor.contiguous() for name, tensor in self.average.tensors.items()})
        return model.eval().requires_grad_(False)

    def learning(self) -> dict[str, Stateful]:
        """See `loop.Resumable`."""
        return {"pupil": self.pupil, "optimizer": self.optimizer}


def reader_of(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The reader's part of a dual encoder's weights, and the scale of what both embed."""
    return {name: tensor for name, tensor in tensors.items() if name.startswith(("text_", "logit_scale"))}


def export(trainer: ClipTrainer, directory: Path) -> None:
    """Write an ordinary dual-encoder directory: float16 weights, tokenizer, preprocessor, vocabulary."""
    directory.mkdir(parents=True, exist_ok=True)
    trainer.exported().half().save_pretrained(directory)
    config = json.loads((directory / "config.json").read_text())
    # Stored in half the space, but to be computed with in float32 unless somebody asks for less.
    config["dtype"] = "float32"
    (directory / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    trainer.tokenizer.save_pretrained(directory)
    (directory / "preprocessor_config.json").write_text(json.dumps(PREPROCESSOR, indent=2) + "\n")
    save_words(world.VOCABULARY, directory)


def smaller(plan: ClipPlan, steps: int) -> ClipPlan:
    """A short plan for tests: half of it plain, half of it under attack."""
    stages = (Stage(until=steps // 2, rates=(1e-3, 1e-3)), Stage(steps, (1e-3, 1e-3), attack=0.03, replays=2))
    return replace(plan, stages=stages, batch=16, warm_up=2)
