"""X + CLIP, the whole method: draw, look from many sides, measure the distance to the words, pull.

A `Loop` knows tensors only. Threads, files, steering and clocks are the business of `run.Run`, which owns it.

Where it departs from VQGAN+CLIP and pixray:
- The drawer's graph is walked once an iteration: the views' gradients are gathered in the picture first. So views can
  be seen a few at a time, and the number of cuts costs time, not memory.
- All randomness of an iteration comes from (seed, iteration). Nothing has to be saved to go on after a kill, and an
  iteration that was abandoned or tried again sees the same views.
- A step that ends in a picture of NaN, or in a flat one, is taken back, and the steps get smaller.
"""

import hashlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from text2art_nb import cutouts, drawers, filters, objectives, perceptors, proposals
from text2art_nb.devices import mixed, pick_device, pick_precision
from text2art_nb.drawers.base import resize
from text2art_nb.errors import RunError
from text2art_nb.palettes import parse_palette
from text2art_nb.perceptors import Perceptor
from text2art_nb.pictures import open_picture
from text2art_nb.settings import Settings

_FLAT: Final = 2e-3  # standard deviation, in 0..1, under which a picture shows nothing
_RETREATS: Final = 8  # in a row; then the step is small enough that the trouble must lie elsewhere
_AVERAGE: Final = 0.9  # weight of the past in the running average
_HALF_SCALE: Final = 1024.0  # keeps float16's small gradients from vanishing

State = dict[str, Tensor]
_Seen = tuple[Tensor, dict[str, Tensor]]  # scores [B], and losses by name, [B] each


@dataclass(frozen=True)
class Look:
    """What one iteration saw: the picture [B,3,H,W] of the canvas, scores [B], and the losses by name, each [B]."""

    canvas: Tensor
    scores: list[float]
    losses: dict[str, list[float]]
    notice: str | None

    @property
    def totals(self) -> list[float]:
        """The sum of the losses of each candidate."""
        return [sum(values) for values in zip(*self.losses.values(), strict=True)]

    @property
    def best(self) -> int:
        """Index of the candidate with the highest score."""
        return max(range(len(self.scores)), key=self.scores.__getitem__)


@dataclass(frozen=True)
class _Sight:
    """One iteration's views of the picture for eyes of one size."""

    pyramid: cutouts.Pyramid
    views: cutouts.Views
    noise: Tensor
    candidates: int

    def batches(self, most: int) -> Iterator[tuple[slice, int, int]]:
        """(candidates, first view, last view + 1) of micro-batches of at most `most` views."""
        together = min(self.candidates, most)
        each = max(1, most // together)
        for first in range(0, self.candidates, together):
            for start in range(0, len(self.views), each):
                yield slice(first, first + together), start, min(start + each, len(self.views))


class Loop:
    """One run's drawer, perceptors and optimiser. Not thread-safe: its owner calls it from one thread at a time."""

    def __init__(self, settings: Settings) -> None:
        """settings: resolved. Loads the models; raises ModelError where they can't be."""
        self.device = pick_device(settings.device)
        self.dtype = pick_precision(settings.precision, self.device)
        self.iteration = 0
        self.rate_scale = 1.0
        self._retreats = 0
        self._seed = settings.seed or 0
        self._perceptors = [perceptors.load(name, self.device) for name in settings.perceptors or ()]
        self.drawer = drawers.build(settings, self.device, self._generator(0))
        self._init = self._open(settings.init_image) if settings.init_image else None
        if settings.start == "proposal":
            self.drawer.start_from(self._propose(settings))
        elif settings.start != "noise" and self._init is not None:
            self.drawer.start_from(self._init)
        # How a tensor lies in memory decides in which order sums are taken. A checkpoint knows only one way, so it is
        # that one from the start; or a run that is loaded again would end in a picture that differs in its last bits.
        for parameter in self.drawer.parameters():
            parameter.data = parameter.data.contiguous()
        self.optimizer = self.drawer.optimizer()
        self._base_rates = [group["lr"] for group in self.optimizer.param_groups]
        self._scale = _HALF_SCALE if self.dtype == torch.float16 else 1.0
        self._good: tuple[State, State] | None = None
        self._good_spread = 0.0
        self.kept: State = {}
        self.hear(settings)

    def hear(self, settings: Settings) -> None:
        """Take over what may change while it draws (`settings.STEERABLE`); `choose` is for the candidate."""
        self.settings = settings
        self._seed = settings.seed or 0
        palette = torch.tensor(parse_palette(settings.palette), device=self.device) if settings.palette else None
        self._palette = palette
        self._filter = filters.build(settings.filters, palette)
        self._targets = [
            objectives.read_targets(settings.parsed, perceptor, self.device, self._looker(perceptor))
            for perceptor in self._perceptors
        ]

    def choose(self, candidate: int) -> None:
        """Go on with one candidate alone, counted from 0."""

        def alone(tensors: State) -> State:
            return {
                name: value[candidate : candidate + 1].clone() if value.dim() else value
                for name, value in tensors.items()
            }

        moments = alone(self._moments())
        for parameter in self.drawer.parameters():
            parameter.data = parameter.data[candidate : candidate + 1].clone()
            parameter.grad = None
        self.optimizer = self.drawer.optimizer()
        self._set_moments(moments)
        self.kept = alone(self.kept)
        self._good = self._good and (alone(self._good[0]), alone(self._good[1]))

    @property
    def total(self) -> int:
        """How many iterations there will be."""
        return self.settings.iterations or 0

    def step(self, abandoned: Callable[[], bool] = lambda: False) -> Look | None:
        """One iteration; None, with nothing changed, if `abandoned()` came true in the middle of it.

        Raises RunError where the picture is beyond saving.
        """
        number = self.iteration + 1
        image = self._draw()
        leaf = image.detach().requires_grad_()
        seen = self._look(leaf, number, abandoned)
        if seen is None or abandoned():
            return None
        scores, losses = seen
        self.optimizer.zero_grad()
        if leaf.grad is not None:
            image.backward(leaf.grad / self._scale)
        trouble = self._trouble(leaf, losses)
        notice = self._retreat(trouble) if trouble else None
        if not trouble:
            self._keep(scores)
            self._set_rates(number)
            self.optimizer.step()
            self.drawer.constrain()
        self.iteration = number
        return Look(leaf.detach(), scores.tolist(), {name: loss.tolist() for name, loss in losses.items()}, notice)

    @torch.no_grad()
    def finish(self) -> tuple[Tensor, list[float]]:
        """The pictures [B,3,H,W] to hand over, at the size that was asked for, and their scores."""
        present = self._parameters()
        try:
            canvas, scores = self._picture_of(present)
            if self.kept and self.settings.keep == "average":
                canvas, scores = self._picture_of({**present, **self.kept})
            elif self.kept and self.settings.keep == "best":  # the last step's picture may be better than all before
                kept, kept_scores = self._picture_of({**present, **self.kept})
                canvas = _choose(kept_scores > scores, kept, canvas)
                scores = scores.maximum(kept_scores)
        finally:
            self._set_parameters(present)
        return self.enlarge(canvas), scores.tolist()

    def _picture_of(self, parameters: State) -> tuple[Tensor, Tensor]:
        """Canvas [B,3,H,W] and scores [B] of the drawer with other parameters; leaves them in it."""
        self._set_parameters(parameters)
        with mixed(self.device, self._drawing_dtype):
            canvas = self._filter(self.drawer.finish().float())
        straight = cutouts.straight_view()
        scores = [
            targets.score(eye.see(cutouts.Pyramid(canvas, eye.size).see(straight, None)[:, 0]))
            for eye, targets in zip(self._perceptors, self._targets, strict=True)
        ]
        return canvas, torch.stack(scores).mean(0)

    def enlarge(self, canvas: Tensor) -> Tensor:
        """A picture of the canvas at the size that was asked for."""
        return self.drawer.enlarge(canvas, self.settings.picture_size)

    def state(self) -> tuple[State, dict[str, float]]:
        """Copies of all tensors, and the numbers, that it takes to go on from here to the byte-identical picture."""
        tensors = {f"drawer.{name}": value for name, value in self._parameters().items()}
        tensors |= {f"kept.{name}": value.clone() for name, value in self.kept.items()}
        tensors |= {f"optimizer.{name}": value for name, value in self._moments().items()}
        if self._good is not None:
            tensors |= {f"good.drawer.{name}": value for name, value in self._good[0].items()}
            tensors |= {f"good.optimizer.{name}": value for name, value in self._good[1].items()}
        numbers = {"iteration": self.iteration, "rate_scale": self.rate_scale, "retreats": self._retreats}
        return tensors, numbers | {"good_spread": self._good_spread}

    def restore(self, tensors: State, numbers: dict[str, float]) -> None:
        """Go on from what `state` returned. Raises RunError where it belongs to other settings."""
        tensors = {name: value.to(self.device) for name, value in tensors.items()}
        here = {name: value.shape for name, value in self._parameters().items()}
        if {name: value.shape for name, value in _under("drawer.", tensors).items()} != here:
            raise RunError("this checkpoint was made by another drawer or at another size, so it can't go on here")
        self._set_parameters(_under("drawer.", tensors))
        self._set_moments(_under("optimizer.", tensors))
        self.kept = _under("kept.", tensors)
        good = _under("good.", tensors)
        self._good = (_under("drawer.", good), _under("optimizer.", good)) if good else None
        self.iteration, self._retreats = int(numbers["iteration"]), int(numbers["retreats"])
        self.rate_scale, self._good_spread = float(numbers["rate_scale"]), float(numbers["good_spread"])

    # -- drawing and looking

    @property
    def _drawing_dtype(self) -> torch.dtype:
        # Decoders give NaN in float16 (aMUSEd's card and pixray's users say so): bfloat16 or nothing.
        return torch.float32 if self.dtype == torch.float16 else self.dtype

    def _draw(self) -> Tensor:
        with mixed(self.device, self._drawing_dtype):
            image = self.drawer.render()
        return self._filter(image.float())

    def _look(self, leaf: Tensor, number: int, abandoned: Callable[[], bool]) -> _Seen | None:
        """What `leaf` is worth; its `grad` gets the sum of the gradients of all losses and candidates."""
        losses = objectives.style_losses(leaf, self.settings.losses, self._palette)
        if self._init is not None and self.settings.init_weight:
            init = resize(self._init, self.drawer.canvas)
            losses["init"] = objectives.init_loss(leaf, init, self.settings.init_weight)
        if losses:
            (torch.stack(list(losses.values())).sum() * self._scale).backward()
        sights = {size: self._sight(leaf, size, number) for size in sorted({eye.size for eye in self._perceptors})}
        distances, scores = [], []
        for perceptor, targets in zip(self._perceptors, self._targets, strict=True):
            seen = self._see(perceptor, targets, sights[perceptor.size], abandoned)
            if seen is None:
                return None
            distances.append(seen[0])
            scores.append(seen[1])
        for sight in sights.values():
            sight.pyramid.backward()
        prompts = torch.stack(distances).sum(0)
        return torch.stack(scores).mean(0), {
            "prompts": prompts,
            **{name: loss.detach() for name, loss in losses.items()},
        }

    def _sight(self, picture: Tensor, size: int, number: int) -> _Sight:
        """This iteration's views of `picture`, for every perceptor whose eye has `size` pixels."""
        generator = self._generator(number, size)
        strength = min(eye.augmentation for eye in self._perceptors if eye.size == size)
        cuts = (self.settings.num_cuts or 1) * (self.settings.batches or 1)
        views = cutouts.draw_views(cuts + 1, self.drawer.canvas, number, generator, strength)
        noise = cutouts.draw_field(size, generator).to(self.device)
        return _Sight(cutouts.Pyramid(picture, size), views, noise, len(picture))

    def _see(
        self, perceptor: Perceptor, targets: objectives.Targets, sight: _Sight, abandoned: Callable[[], bool]
    ) -> tuple[Tensor, Tensor] | None:
        """Distance and score, [B] each, as one perceptor sees it, a micro-batch at a time; gradients are gathered."""
        distances = torch.zeros(sight.candidates, device=self.device)
        scores = torch.zeros(sight.candidates, device=self.device)
        for candidates, start, stop in sight.batches(self.micro_batch(perceptor.size)):
            if abandoned():
                return None
            views = sight.pyramid.see(sight.views.part(start, stop), sight.noise, candidates)
            with mixed(self.device, self.dtype):
                seen = perceptor.see(views.flatten(0, 1))
            seen = seen.float().unflatten(0, views.shape[:2])
            distance = targets.distance(seen) * ((stop - start) / len(sight.views))
            (distance.sum() * self._scale).backward()
            distances[candidates] += distance.detach()
            if stop == len(sight.views):
                scores[candidates] = targets.score(seen[:, -1].detach())
        return distances, scores

    def micro_batch(self, size: int) -> int:
        """How many views of `size` pixels are seen at once: as asked for, or 16 of 224 pixels, more of smaller ones."""
        return self.settings.micro_batch or max(4, round(16 * (224 / size) ** 2))

    def most_views(self) -> int:
        """The most views that any perceptor sees at once."""
        return max((self.micro_batch(eye.size) for eye in self._perceptors), default=1)

    def _looker(self, perceptor: Perceptor) -> Callable[[str], Tensor]:
        """How `perceptor` sees an image prompt: the mean of the whole picture and the views that a run would take."""

        @torch.no_grad()
        def look(picture: str) -> Tensor:
            image = self._open(picture)
            generator = self._generator(0, perceptor.size)
            views = cutouts.draw_views(16, (image.shape[-1], image.shape[-2]), 0, generator, 0.0)
            seen = perceptor.see(cutouts.Pyramid(image, perceptor.size).see(views, None)[0])
            return F.normalize(seen.mean(0), dim=0)

        return look

    def _propose(self, settings: Settings) -> Tensor:
        """A picture [B,3,h,w] of the prompts' words for each candidate, by a small model that knows the same world."""
        texts = [(prompt.text, prompt.weight) for prompt in settings.parsed if prompt.image is None]
        proposer = proposals.load("embedded", self.device)
        return proposer.propose(texts, settings.candidates, self._generator(0, 0))

    def _open(self, picture: str) -> Tensor:
        """A picture of the settings as [1,3,H,W] in 0..1."""
        pixels = np.array(open_picture(picture).convert("RGB"))
        return torch.from_numpy(pixels).to(self.device).movedim(-1, 0)[None].float() / 255

    def _generator(self, *key: int) -> torch.Generator:
        """A generator for this run's seed and `key`, always on the CPU, so that all devices draw the same numbers."""
        digest = hashlib.sha256(repr((self._seed, *key)).encode()).digest()
        return torch.Generator().manual_seed(int.from_bytes(digest[:8], "big") >> 1)

    # -- keeping out of trouble

    def _trouble(self, leaf: Tensor, losses: dict[str, Tensor]) -> str | None:
        """What is wrong with this iteration's picture, in words, or None; one look at the device for all questions."""
        gradients = [p.grad for p in self.drawer.parameters() if p.grad is not None]
        finite = torch.stack([*losses.values()]).sum() + sum(gradient.abs().sum() for gradient in gradients)
        spread, total = torch.stack([leaf.detach().flatten(1).std(1).min(), finite]).tolist()
        if not math.isfinite(total + spread):
            return "the picture turned into numbers that are none"
        if spread < _FLAT <= self._good_spread:
            return "the picture went flat"
        self._good_spread = spread
        return None

    def _keep(self, scores: Tensor) -> None:
        """Remember this state as good, and what the last picture shall be made of."""
        present = self._parameters()
        self._good = (present, self._moments())
        self._retreats = 0
        if self.settings.keep == "best":
            best = self.kept.get("score", torch.full_like(scores, -math.inf))
            better = scores > best
            chosen = {name: _choose(better, value, self.kept.get(name, value)) for name, value in present.items()}
            self.kept = {**chosen, "score": scores.maximum(best)}
        elif self.settings.keep == "average":
            mean = {name: self.kept.get(name, value).lerp(value, 1 - _AVERAGE) for name, value in present.items()}
            self.kept = mean

    def _retreat(self, trouble: str) -> str:
        """Go back to the last good state, with half the step; returns what to tell the user."""
        self._retreats += 1
        if self._good is None or self._retreats > _RETREATS:
            raise RunError(f"{trouble}, and smaller steps don't help; try precision='float32' or another learning_rate")
        self._set_parameters(self._good[0])
        self._set_moments(self._good[1])
        self.rate_scale /= 2
        return f"{trouble}: went back to the last good one, with {self.rate_scale:g} of the step"

    def _set_rates(self, number: int) -> None:
        """The learning rates of iteration `number`: a tenth after each of the drops (percent of all iterations)."""
        drops = sum(number > percent / 100 * self.total for percent in self.settings.learning_rate_drops)
        own = self.drawer.refining_rate if self.settings.start == "proposal" else self.drawer.learning_rate
        asked = own if self.settings.learning_rate is None else self.settings.learning_rate
        factor = self.rate_scale / 10**drops * (asked / self.drawer.learning_rate)
        for group, rate in zip(self.optimizer.param_groups, self._base_rates, strict=True):
            group["lr"] = rate * factor

    # -- parameters and the optimiser's moments, as flat dictionaries of copies

    def _parameters(self) -> State:
        return {name: value.detach().clone() for name, value in self.drawer.named_parameters()}

    @torch.no_grad()
    def _set_parameters(self, values: State) -> None:
        for name, parameter in self.drawer.named_parameters():
            parameter.copy_(values[name])

    def _moments(self) -> State:
        state = self.optimizer.state_dict()["state"]
        return {f"{index}.{key}": value.clone() for index, moments in state.items() for key, value in moments.items()}

    def _set_moments(self, values: State) -> None:
        state: dict[int, State] = {}
        for name, value in values.items():
            index, key = name.split(".", 1)
            state.setdefault(int(index), {})[key] = value.clone()
        groups = self.optimizer.state_dict()["param_groups"]
        self.optimizer.load_state_dict({"state": state, "param_groups": groups})


def _under(prefix: str, tensors: State) -> State:
    """The tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _choose(where: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """`new` for the candidates of `where` [B], `old` for the others."""
    return torch.where(where.view(-1, *[1] * (new.dim() - 1)), new, old)
