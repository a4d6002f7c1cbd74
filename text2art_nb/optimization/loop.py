"""X + CLIP, the whole method: draw, look from many sides, measure the distance to the words, pull.

A `Loop` knows tensors only. Threads, files, steering and clocks are the business of `run.Run`, which owns it.

Where it departs from VQGAN+CLIP and pixray:
- The drawer's graph is walked once an iteration: the views' gradients are gathered in the picture first. So views can
  be seen a few at a time, and the number of cuts costs time, not memory.
- All randomness of an iteration comes from (seed, iteration). Nothing has to be saved to go on after a kill, and an
  iteration that was abandoned or tried again sees the same views.
- A step that ends in a picture of NaN, or in a flat one, is taken back, and the steps get smaller.

What happens between two iterations (the camera moves, another drawer takes over …) is said in `between`.
"""

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from text2art_nb import drawers, perceptors
from text2art_nb.drawers import optimizers
from text2art_nb.errors import RunError
from text2art_nb.imaging.image_io import opaque, open_picture
from text2art_nb.imaging.palettes import parse_palette
from text2art_nb.imaging.tensors import over, resize
from text2art_nb.optimization import (
    cutouts,
    events,
    filters,
    motion,
    overlay,
    proposals,
    referee,
    regions,
    rng,
    stages,
    targets,
)
from text2art_nb.optimization import views as perceptor_views
from text2art_nb.optimization.losses import leaves_start, prepare, start_losses, style_losses
from text2art_nb.perceptors import Perceptor
from text2art_nb.runtime import malloc
from text2art_nb.runtime.devices import mixed, pick_device, pick_precision
from text2art_nb.settings import Settings, halving
from text2art_nb.settings import stages as stage_names
from text2art_nb.settings.prompts import Prompt

_FLAT: Final = 2e-3  # standard deviation, in 0..1, under which a picture shows nothing
_RETREATS: Final = 8  # in a row; then the step is small enough that the trouble must lie elsewhere
_AVERAGE: Final = 0.9  # weight of the past in the running average
_HALF_SCALE: Final = 1024.0  # keeps float16's small gradients from vanishing

_RANKING_VIEWS: Final = 9  # of the referee, the straight one among them

State = dict[str, Tensor]
Numbers = dict[str, float]
_View = tuple[int, int | None, str | None]  # size of the eye, its own cuts, region
_Seen = tuple[Tensor, dict[str, Tensor]]  # scores [B], and losses by name, [B] each


@dataclass(frozen=True)
class Look:
    """What one iteration saw: the picture [B,3 or 4,H,W] of the canvas, scores [B], and the losses by name, each [B].

    enlarge: a picture of this canvas at the size that was asked for, as the drawer of this iteration enlarges it.
    """

    canvas: Tensor
    scores: list[float]
    losses: dict[str, list[float]]
    notice: str | None
    enlarge: Callable[[Tensor], Tensor]

    @property
    def totals(self) -> list[float]:
        """The sum of the losses of each candidate."""
        return [sum(values) for values in zip(*self.losses.values(), strict=True)]

    @property
    def best(self) -> int:
        """Index of the candidate with the highest score."""
        return max(range(len(self.scores)), key=self.scores.__getitem__)


@dataclass(frozen=True)
class _Looker:
    """An eye with what it looks for in one region, how the first picture was seen there [B,D], and chance."""

    eye: perceptor_views.Eye
    asked: targets.Targets
    begun: Tensor | None
    chance: torch.Generator


class Loop:
    """One run's drawer, perceptors and optimiser. Not thread-safe: its owner calls it from one thread at a time."""

    def __init__(self, settings: Settings, left: tuple[State, Numbers] | None = None) -> None:
        """settings: resolved. Loads the models; raises ModelError where they can't be.

        left: what `state` returned, to go on from there. Raises RunError where it belongs to other settings.
        """
        self.device = pick_device(settings.device)
        self.dtype = pick_precision(settings.precision, self.device)
        if self.device.type == "cpu":
            malloc.keep_what_is_freed()
        self.iteration = 0
        self.rate_scale = 1.0
        self._retreats = 0
        self._seed = settings.seed or 0
        self._perceptors = [perceptors.load(name, self.device) for name in settings.perceptor_names]
        self._init = self._open(settings.init_image) if settings.init_image else None
        self._overlay = self._open(settings.overlay_image, "RGBA") if settings.overlay_image else None
        self._scale = _HALF_SCALE if self.dtype == torch.float16 else 1.0
        self._begun: State = {}
        self._first: Tensor | None = None
        self._kept_for: list[Prompt] = []
        self.settings = settings
        start = self._start(settings) if left is None else None
        if left is None:
            self._take_up(0, settings.candidates, start)
        else:
            tensors, numbers = left
            self._take_up(int(numbers.get("stage", 0)), _count(tensors), None)
        self.hear(settings)
        if left is not None:
            self.restore(*left)
        elif start is None and self._overlay is not None and overlay.is_due(settings, 0, self.total):
            self._go_on_from(overlay.lay(self._present(), self._overlay, settings.overlay_alpha))

    def _take_up(self, stage: int, candidates: int, start: Tensor | None) -> None:
        """Draw on with the drawer of a stage, from a picture [1 or B,3,h,w], or else as it begins by itself.

        The drawer before is forgotten, and with it its moments, its good states and what was kept of it.
        """
        key = (0,) if stage == 0 else ("stage", stage)
        own = stages.of_stage(self.settings, stage, candidates) if len(self.settings.stages) > 1 else self.settings
        own = own if own.candidates == candidates else own.with_(candidates=candidates, finalists=None)
        drawer = drawers.build(own, self.device, self._generator(*key))
        if start is not None:
            drawer.start_from(start)
        # How a tensor lies in memory decides in which order sums are taken. A checkpoint knows only one way, so it is
        # that one from the start; or a run that is loaded again would end in a picture that differs in its last bits.
        for parameter in drawer.parameters():
            parameter.data = parameter.data.contiguous()
        optimizer = drawer.optimizer()
        # Only now: where memory ran out above, the drawer before draws on, and the change is tried again.
        self.stage, self._stage_began = stage, self.iteration
        self.drawer, self.optimizer = drawer, optimizer
        self._base_rates = [group["lr"] for group in self.optimizer.param_groups]
        self.rate_scale, self._retreats = 1.0, 0
        self._good: tuple[State, State] | None = None
        self._good_spread = 0.0
        self.kept: State = {}
        self._begun = {name: value for name, value in self._begun.items() if not name.startswith("numbers.")}

    def _start(self, settings: Settings) -> Tensor | None:
        """The picture [1 or B,3,h,w] that the first drawer starts from; None: its own noise."""
        start = None
        if settings.start == "proposal":
            start = proposals.of_settings(settings, self.device)
        elif settings.start != "noise":
            start = self._init
        if start is None or self._overlay is None or not overlay.is_due(settings, 0, self.total):
            return start
        return overlay.lay(start, self._overlay, settings.overlay_alpha)

    def hear(self, settings: Settings) -> None:
        """Take over what may change while it draws (`settings.STEERABLE`); `choose` is for the candidate."""
        if (settings.palette, settings.filters) != (self.settings.palette, self.settings.filters):
            self._good_spread = 0.0  # in a single colour the picture is plain on purpose
        self.settings = settings
        self._seed = settings.seed or 0
        self.drawer.hear(settings.parsed)
        palette = torch.tensor(parse_palette(settings.palette), device=self.device) if settings.palette else None
        self.drawer.set_palette(palette)
        self._filter = filters.build(settings, palette, hard_cells=settings.stages[self.stage][0] == "pixel")
        init = resize(self._init, self.drawer.canvas) if self._init is not None and settings.init_weight else None
        self._context = prepare(settings, self._perceptors, self.device, init, self._open)
        self._regions = {
            region: regions.build(region, self.drawer.canvas, settings.masks).to(self.device)
            for region in {prompt.region for prompt in settings.parsed}
            if region is not None
        }
        self._eyes = perceptor_views.eyes(settings.perceptors or (), self._perceptors, self._heard_by)

    @property
    def count(self) -> int:
        """How many candidates are being drawn now."""
        return len(next(self.drawer.parameters()))

    def choose(self, *candidates: int) -> None:
        """Go on with these candidates alone, counted from 0, in this order."""
        chosen = torch.tensor(candidates, device=self.device)

        def alone(tensors: State) -> State:
            return {name: value[chosen] if value.dim() else value for name, value in tensors.items()}

        moments = alone(self._moments())
        for parameter in self.drawer.parameters():
            parameter.data = parameter.data[chosen]
            parameter.grad = None
        self.optimizer = self.drawer.optimizer()
        self._set_moments(moments)
        self.kept, self._begun = alone(self.kept), alone(self._begun)
        self._first = None if self._first is None else self._first[chosen]
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
        self._remember_numbers()
        image = self._draw()
        picture = image if image.shape[1] == 3 else over(image, self._ground(number))
        leaf = picture.detach().requires_grad_()
        seen = self._look(leaf, number, abandoned)
        if seen is None or abandoned():
            return None
        scores, losses = seen
        losses |= self._pull(picture, leaf.grad)
        self._forget_what_was_best()
        spread, total, ranked, named = self._read_back(image, scores, losses)
        trouble = self._trouble(spread, total)
        notice = self._retreat(trouble) if trouble else None
        if not trouble:
            self._keep(scores)
            self._set_rates(number)
            self.optimizer.step()
            self.drawer.constrain()
        self.iteration = number
        shown = self._closing(image.detach(), number)
        enlarge = functools.partial(self._filter.enlarged, self.drawer.enlarge, size=self.settings.picture_size)
        if number < self.total:
            self._between()
        return Look(shown, ranked, named, notice, enlarge)

    # -- between two iterations

    def _between(self) -> None:
        """Do what is due now that so many iterations are done, and more are to come."""
        due = events.due(self.settings, self.iteration, self.total)
        if due.survivors < self.count:
            standing = self.standing(self._finished()[0])
            best = sorted(range(self.count), key=lambda each: (-standing[each], each))[: due.survivors]
            self.choose(*sorted(best))
        if due.stage > self.stage:  # never back: a run may be made longer when a stage is over
            picture = self._opaque(self._finished()[0])
            self._take_up(due.stage, self.count, picture)
            self.hear(self.settings)
        if due.changes_picture:
            self._go_on_from(due.changed(self._present(), self._overlay))
        if due.lays:
            self._good_spread = 0.0  # what is laid over may be plain on purpose

    @torch.no_grad()
    def _present(self) -> Tensor:
        """What the drawer draws now, to be looked at only: [B,3,H,W], or [B,4,H,W] where it can go on from that."""
        present = self._render()
        return present if self.drawer.takes_opacity else self._opaque(present)

    def _go_on_from(self, picture: Tensor) -> None:
        """Draw on from another picture [B,3 or 4,h,w]: as large steps as before, but no longer where the old went."""
        self.drawer.start_from(picture)
        for parameter in self.drawer.parameters():
            parameter.data = parameter.data.contiguous()
        self._set_moments(optimizers.calmed(self._moments()))
        self.kept = {}
        self._good = self._good and (self._parameters(), self._moments())

    def _closing(self, image: Tensor, number: int) -> Tensor:
        """What is shown of `image`: where the film is to return to its start, more and more of its first picture."""
        if not self.settings.loop_closing:
            return image
        if self._first is None:
            self._first = image.clone()
        share = motion.closing(number, self.total)
        if share == 0:
            return image
        first = self._first
        if first.shape[1] != image.shape[1]:
            first, image = self._opaque(first), self._opaque(image)
        return torch.lerp(image, resize(first, (image.shape[-1], image.shape[-2])), share)

    @torch.no_grad()
    def standing(self, canvas: Tensor) -> list[float]:
        """How the referee ranks the pictures of `canvas` [B,3 or 4,H,W]: higher is better."""
        picture = self._opaque(canvas)
        return torch.stack([self._ranked(eye, picture) for eye in self._referees()]).mean(0).tolist()

    def _referees(self) -> list[perceptor_views.Eye]:
        """Who ranks: one perceptor that doesn't guide, or all that do."""
        name = self.settings.referee
        if name is None or name == referee.GUIDES:
            return self._eyes
        return perceptor_views.eyes((name,), [perceptors.load(name, self.device)], self._heard_by)

    def _ranked(self, eye: perceptor_views.Eye, picture: Tensor) -> Tensor:
        """Score [B] of `picture` [B,3,H,W] as one eye sees it from several sides."""
        scores, said = [], eye.heard.at(self._progress)
        for region, asked in said.items():
            part = self._part(picture, region)
            size, strength = (part.shape[-1], part.shape[-2]), eye.perceptor.augmentation
            views = cutouts.draw_views(_RANKING_VIEWS, size, 0, self._generator(self.iteration, "referee"), strength)
            seen = cutouts.Pyramid(part, eye.size).see(views, None)
            vectors = eye.perceptor.see(seen.flatten(0, 1)).float().unflatten(0, seen.shape[:2])
            scores.append(asked.score(vectors).mean(1) * eye.share)
        return perceptor_views.together(scores, [asked.loudness for asked in said.values()])

    def _opaque(self, image: Tensor) -> Tensor:
        """`image` [B,3 or 4,H,W] over white."""
        return over(image, torch.ones(3, device=self.device))

    # -- the gradient

    def _pull(self, picture: Tensor, gradient: Tensor | None) -> dict[str, Tensor]:
        """Bring the gradient to the drawer's parameters, with that of its own losses; returns those, [B] each."""
        own = self.drawer.losses() | self._filter.losses() | self._start_losses()
        roots: list[tuple[Tensor, Tensor | None]] = []
        if gradient is not None:
            roots.append((picture, gradient / self._scale))
        if own:
            roots.append((torch.stack(list(own.values())).sum(), None))
        self.optimizer.zero_grad()
        if roots:
            torch.autograd.backward([root for root, _ in roots], [pull for _, pull in roots])
        if self.drawer.gradient_clip is not None:
            self._clip(self.drawer.gradient_clip)
        return {name: loss.detach() for name, loss in own.items()}

    def _start_losses(self) -> dict[str, Tensor]:
        """How far the drawer's numbers have come from where they began (or from the init image's), where it matters."""
        if not leaves_start(self.settings):
            return {}
        now = self.drawer.numbers()
        start = _under("numbers.", self._begun)
        return start_losses(list(now.values()), [start[name] for name in now], self.settings)

    def _remember_numbers(self) -> None:
        """Keep what the drawer's numbers are to stay near, where it matters, unless that is kept already.

        Before it draws, for a drawer may move its parameters to find them, and a picture hangs on them as they were.
        """
        kept = _under("numbers.", self._begun).keys()
        if leaves_start(self.settings) and kept != self.drawer.numbers().keys():
            self._begun |= {f"numbers.{name}": value for name, value in self._first_numbers().items()}

    def _first_numbers(self) -> State:
        """What the drawer's numbers are to stay near: what they are now, or, from noise, those of the init image."""
        if self._init is None or self.stage > 0 or self.settings.start != "noise":
            return self._numbers()
        present = self._parameters()
        self.drawer.start_from(self._init)
        wanted = self._numbers()
        for parameter in self.drawer.parameters():
            parameter.data = parameter.data.contiguous()
        self._set_parameters(present)
        return wanted

    def _numbers(self) -> State:
        return {name: value.detach().clone() for name, value in self.drawer.numbers().items()}

    def _clip(self, longest: float) -> None:
        """Shorten each candidate's gradient to `longest`, its norm over all parameters."""
        gradients = [parameter.grad for parameter in self.drawer.parameters() if parameter.grad is not None]
        squares = torch.stack([gradient.square().flatten(1).sum(1) for gradient in gradients]).sum(0)
        factor = (longest / squares.sqrt().clamp(min=1e-12)).clamp(max=1)
        for gradient in gradients:
            gradient.mul_(factor.view(-1, *[1] * (gradient.dim() - 1)))

    @torch.no_grad()
    def finish(self) -> tuple[Tensor, list[float], list[float]]:
        """The pictures [B,3 or 4,H,W] to hand over, at the size that was asked for, their scores, and their standing.

        The standing says who comes first: it is the referee's, where there is one or a tournament, else the score.
        """
        canvas, scores = self._finished()
        judged = self.count > 1 and (self.settings.finalists is not None or self.settings.referee is not None)
        standing = self.standing(canvas) if judged else scores.tolist()
        return self._filter.enlarged(self.drawer.enlarge, canvas, self.settings.drawn_size), scores.tolist(), standing

    @torch.no_grad()
    def _finished(self) -> tuple[Tensor, Tensor]:
        """The pictures [B,3 or 4,H,W] of the canvas that would be handed over now, and their scores [B]."""
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
        return canvas, scores

    def _picture_of(self, parameters: State) -> tuple[Tensor, Tensor]:
        """Canvas [B,3 or 4,H,W] and scores [B], over white, of the drawer with other parameters; leaves them in it."""
        self._set_parameters(parameters)
        self.drawer.anneal(self._stage_progress)
        with mixed(self.device, self._drawing_dtype):
            picture = self.drawer.finish().float()
        canvas = self._filter(picture)
        seen = self._opaque(canvas)
        return canvas, torch.stack([self._score(eye, seen) for eye in self._eyes]).mean(0)

    def _score(self, eye: perceptor_views.Eye, picture: Tensor) -> Tensor:
        """How well `picture` [B,3,H,W] fits the prompts of now, [B], as one eye sees it straight."""
        said = eye.heard.at(self._progress)
        scores = [
            asked.score(perceptor_views.straight(eye.perceptor, self._part(picture, region))) * eye.share
            for region, asked in said.items()
        ]
        return perceptor_views.together(scores, [asked.loudness for asked in said.values()])

    @torch.no_grad()
    def svg(self, candidate: int) -> str | None:
        """One candidate's picture, the very one that `finish` hands over, as an SVG; None where there is none."""
        size = self.settings.drawn_size
        svg = None if self.settings.filters else self.drawer.to_svg(size, candidate)
        if svg is None or not self.kept or self.settings.keep == "last":
            return svg
        present = self._parameters()
        kept = {**present, **self.kept}
        try:
            if self.settings.keep == "average" or bool(
                (self._picture_of(kept)[1] > self._picture_of(present)[1])[candidate]
            ):
                self._set_parameters(kept)
                svg = self.drawer.to_svg(size, candidate)
        finally:
            self._set_parameters(present)
        return svg

    def enlarge(self, canvas: Tensor) -> Tensor:
        """A picture of the canvas at the size that was asked for."""
        return self._filter.enlarged(self.drawer.enlarge, canvas, self.settings.picture_size)

    def close(self) -> None:
        """The run is over: let go of what it held."""
        if self.device.type == "cpu":
            malloc.give_back()

    def state(self) -> tuple[State, Numbers]:
        """Copies of all tensors, and the numbers, that it takes to go on from here to the byte-identical picture."""
        tensors = {f"drawer.{name}": value for name, value in self._parameters().items()}
        tensors |= {f"kept.{name}": value.clone() for name, value in self.kept.items()}
        tensors |= {f"begun.{name}": value.clone() for name, value in self._begun.items()}
        tensors |= {f"optimizer.{name}": value for name, value in self._moments().items()}
        if self._good is not None:
            tensors |= {f"good.drawer.{name}": value for name, value in self._good[0].items()}
            tensors |= {f"good.optimizer.{name}": value for name, value in self._good[1].items()}
        if self._first is not None:
            tensors["first"] = self._first.clone()
        numbers: Numbers = {"iteration": self.iteration, "rate_scale": self.rate_scale, "retreats": self._retreats}
        numbers |= {"stage": self.stage, "stage_began": self._stage_began}
        return tensors, numbers | {"good_spread": self._good_spread}

    def restore(self, tensors: State, numbers: Numbers) -> None:
        """Go on from what `state` returned. Raises RunError where it belongs to other settings."""
        tensors = {name: value.to(self.device) for name, value in tensors.items()}
        here = {name: value.shape for name, value in self._parameters().items()}
        if {name: value.shape for name, value in _under("drawer.", tensors).items()} != here:
            other = "another drawer, at another size or by an older text2art"
            raise RunError(f"this checkpoint was made by {other}, so it can't go on here")
        self._set_parameters(_under("drawer.", tensors))
        self._set_moments(_under("optimizer.", tensors))
        self.kept, self._begun = _under("kept.", tensors), _under("begun.", tensors)
        self._kept_for = self.settings.parsed
        good = _under("good.", tensors)
        self._good = (_under("drawer.", good), _under("optimizer.", good)) if good else None
        self.iteration, self._retreats = int(numbers["iteration"]), int(numbers["retreats"])
        self.rate_scale, self._good_spread = float(numbers["rate_scale"]), float(numbers["good_spread"])
        self._stage_began, self._first = int(numbers.get("stage_began", 0)), tensors.get("first")

    # -- drawing and looking

    @property
    def _drawing_dtype(self) -> torch.dtype:
        # Decoders give NaN in float16 (aMUSEd's card and pixray's users say so): bfloat16 or nothing.
        return torch.float32 if self.dtype == torch.float16 else self.dtype

    @property
    def _progress(self) -> float:
        """How much is done, 0 to 1."""
        return min(1.0, self.iteration / max(1, self.total))

    @property
    def _stage_ends(self) -> int:
        """The iteration after which the present drawer is done."""
        return max(self._stage_began + 1, stage_names.ends(self.settings.stages, self.total)[self.stage])

    @property
    def _stage_progress(self) -> float:
        """How much of its iterations the present drawer has done, 0 to 1."""
        return min(1.0, (self.iteration - self._stage_began) / (self._stage_ends - self._stage_began))

    def _render(self) -> Tensor:
        """What the drawer draws now, [B,3 or 4,H,W], before any filter."""
        self.drawer.anneal(self._stage_progress)
        with mixed(self.device, self._drawing_dtype):
            return self.drawer.render().float()

    def _draw(self) -> Tensor:
        return self._filter(self._render())

    def _ground(self, number: int) -> Tensor:
        """The colour [3] that lies behind what is transparent at iteration `number`: any, so that none is relied on."""
        return torch.rand(3, generator=self._generator(number, "ground")).to(self.device)

    def _look(self, leaf: Tensor, number: int, abandoned: Callable[[], bool]) -> _Seen | None:
        """What `leaf` is worth; its `grad` gets the sum of the gradients of all losses and candidates."""
        losses = style_losses(leaf, self.settings, self._context)
        if losses:
            (torch.stack(list(losses.values())).sum() * self._scale).backward()
        self._remember_start(leaf.detach())
        # A tile is looked at anywhere in its endless pattern, its edges in the middle; a region stays where it is.
        tile = None if self._regions else self._generator(number, "tile")
        sights = self._sights(leaf if tile is None else self._filter.looked_at(leaf, tile), number)
        distances, scores = [], []
        for place in range(len(self._eyes)):
            seen = self._see(place, sights, number, abandoned)
            if seen is None:
                return None
            distances.append(seen[0])
            scores.append(seen[1])
        for each in sights.values():
            each.pyramid.backward()
        prompts = torch.stack(distances).sum(0)
        return torch.stack(scores).mean(0), {
            "prompts": prompts,
            **{name: loss.detach() for name, loss in losses.items()},
        }

    def _part(self, picture: Tensor, region: str | None) -> Tensor:
        """What of `picture` [B,3,H,W], of the canvas or larger, lies in a region."""
        if region is None:
            return picture
        size = picture.shape[-1], picture.shape[-2]
        # Strokes hand over a picture that is larger than the canvas on which they are drawn.
        own = self._regions[region] if size == self.drawer.canvas else regions.build(region, size, self.settings.masks)
        return own.cut(picture)

    @torch.no_grad()
    def _remember_start(self, picture: Tensor) -> None:
        """Keep how each eye sees the picture from which a direction leads away, unless that is kept already."""
        for place, eye in enumerate(self._eyes):
            for region in eye.heard.led:
                if (key := _start_key(place, region)) not in self._begun:
                    self._begun[key] = torch.stack(
                        [
                            perceptor_views.glance(eye.perceptor, one, self._generator(0, eye.size))
                            for one in self._part(picture, region).split(1)
                        ]
                    )

    def _sights(self, picture: Tensor, number: int) -> dict[_View, perceptor_views.Sight]:
        """This iteration's views of `picture`, which perceptors of the same size and cuts share."""
        wanted = {(eye.size, eye.cuts, region) for eye in self._eyes for region in eye.heard.regions}
        in_order = sorted(wanted, key=lambda view: (view[0], view[1] or 0, view[2] or ""))
        drawn = [self._sight(picture, number, view) for view in in_order]
        return dict(zip(in_order, perceptor_views.moved(drawn, self.device), strict=True))

    def _sight(self, picture: Tensor, number: int, view: _View) -> perceptor_views.Sight:
        """One view's numbers are drawn on the CPU and stay there."""
        size, own_cuts, region = view
        generator = self._generator(number, size, *(each for each in (own_cuts, region) if each is not None))
        strength = min(eye.perceptor.augmentation for eye in self._eyes if eye.size == size)
        cuts = (own_cuts or self.settings.num_cuts or 1) * (self.settings.batches or 1)
        cuts = halving.cuts(cuts, self.settings.finalists, self.count)
        part = self._part(picture, region)
        each = perceptor_views.views_each(cuts, len(self._eyes[0].heard.regions))
        views = cutouts.draw_views(each + 1, (part.shape[-1], part.shape[-2]), number, generator, strength)
        noise = cutouts.draw_field(size, generator)
        return perceptor_views.Sight(cutouts.Pyramid(part, size), views, noise, len(part))

    def _see(
        self, place: int, sights: Mapping[_View, perceptor_views.Sight], number: int, abandoned: Callable[[], bool]
    ) -> tuple[Tensor, Tensor] | None:
        """Distance and score, [B] each, as the eye at `place` sees all regions; gradients are gathered."""
        eye = self._eyes[place]
        distances, scores, loudness = [], [], []
        for region, asked in eye.heard.at(self._progress).items():
            begun = self._begun.get(_start_key(place, region))
            looker = _Looker(eye, asked, begun, self._generator(number, eye.size, "tokens"))
            seen = self._see_part(looker, sights[eye.size, eye.cuts, region], abandoned)
            if seen is None:
                return None
            distances.append(seen[0])
            scores.append(seen[1] * eye.share)
            loudness.append(asked.loudness)
        return torch.stack(distances).sum(0), perceptor_views.together(scores, loudness)

    def _see_part(
        self, looker: "_Looker", seen_from: perceptor_views.Sight, abandoned: Callable[[], bool]
    ) -> tuple[Tensor, Tensor] | None:
        """Distance and score, [B] each, of one region, a micro-batch at a time."""
        eye, last = looker.eye, len(seen_from.views)
        distances = torch.zeros(seen_from.candidates, device=self.device)
        scores = torch.zeros(seen_from.candidates, device=self.device)
        for candidates, start, stop in seen_from.batches(self.micro_batch(eye.size)):
            if abandoned():
                return None
            views = seen_from.pyramid.see(seen_from.views.part(start, stop), seen_from.noise, candidates)
            with mixed(self.device, self.dtype):
                seen = perceptor_views.see(eye.perceptor, views, self.settings.token_drop, looker.chance, stop == last)
            begun = None if looker.begun is None else looker.begun[candidates]
            distance = looker.asked.distance(seen, begun) * ((stop - start) / last) * eye.share
            (distance.sum() * self._scale).backward()
            distances[candidates] += distance.detach()
            if stop == last:
                scores[candidates] = looker.asked.score(seen[:, -1].detach())
        return distances, scores

    def micro_batch(self, size: int) -> int:
        """How many views of `size` pixels are seen at once: as asked for, or 10 of 224 pixels, more of smaller ones."""
        return self.settings.micro_batch or max(4, math.ceil(10 * (224 / size) ** 2))

    def most_views(self) -> int:
        """The most views that any perceptor sees at once."""
        return max((self.micro_batch(eye.size) for eye in self._eyes), default=1)

    def _heard_by(self, perceptor: Perceptor) -> targets.Heard:
        """The prompts as `perceptor` understands them; writing is off only where it may have seen any."""

        @torch.no_grad()
        def look(picture: str) -> Tensor:
            return perceptor_views.glance(perceptor, self._open(picture), self._generator(0, perceptor.size))

        off = self.settings.text_off and perceptor.augmentation >= 1
        return targets.hear(self.settings.parsed, perceptor, self.device, look, off)

    def _open(self, picture: str, mode: str = "RGB") -> Tensor:
        """A picture of the settings over white as [1,3,H,W] in 0..1, or, in the mode RGBA, as [1,4,H,W]."""
        image = open_picture(picture)
        pixels = np.array(image.convert("RGBA") if mode == "RGBA" else opaque(image))
        return torch.from_numpy(pixels).to(self.device).movedim(-1, 0)[None].float() / 255

    def _generator(self, *key: int | str) -> torch.Generator:
        """A generator for this run's seed and `key`."""
        return rng.generator(self._seed, *key)

    # -- keeping out of trouble

    def _read_back(
        self, image: Tensor, scores: Tensor, losses: dict[str, Tensor]
    ) -> tuple[float, float, list[float], dict[str, list[float]]]:
        """Read all that the CPU has to know of an iteration, with a single device synchronisation.

        Returns the least standard deviation of the pictures, a sum that is finite only where all losses and gradients
        are, the scores, and the losses by name.
        """
        gradients = [p.grad for p in self.drawer.parameters() if p.grad is not None]
        finite = torch.stack([*losses.values()]).sum() + sum(gradient.abs().sum() for gradient in gradients)
        shown = over(image.detach(), torch.zeros(3, device=self.device))
        spread = shown.flatten(1).std(1).min()
        read = torch.cat([torch.stack([spread, finite]), scores, *losses.values()]).tolist()
        count = len(scores)
        rows = [read[start : start + count] for start in range(2, len(read), count)]
        return read[0], read[1], rows[0], dict(zip(losses, rows[1:], strict=True))

    def _trouble(self, spread: float, total: float) -> str | None:
        """What is wrong with this iteration's picture, in words, or None; see `_read_back`."""
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

    def _forget_what_was_best(self) -> None:
        """Where it was the best for words that are no longer asked for."""
        if self.settings.keep == "best" and self._kept_for != self.settings.parsed:
            self.kept, self._kept_for = {}, self.settings.parsed

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
        done, length = number - self._stage_began, self._stage_ends - self._stage_began
        drops = sum(done > percent / 100 * length for percent in self.settings.learning_rate_drops)
        refines = self.stage > 0 or self.settings.start == "proposal"
        own = self.drawer.refining_rate if refines else self.drawer.learning_rate
        asked = own if self.settings.learning_rate is None else self.settings.learning_rate
        slower = self.rate_scale / 10**drops
        factor = slower * (asked / self.drawer.learning_rate)
        for group, rate in zip(self.optimizer.param_groups, self._base_rates, strict=True):
            group["lr"] = max(rate * factor, group.get("least", 0.0) * slower)

    # -- parameters and the optimiser's moments, as flat dictionaries of copies

    def _parameters(self) -> State:
        return {name: value.detach().clone() for name, value in self.drawer.named_parameters()}

    @torch.no_grad()
    def _set_parameters(self, values: State) -> None:
        for name, parameter in self.drawer.named_parameters():
            parameter.copy_(values[name])

    def _moments(self) -> State:
        return optimizers.moments_of(self.optimizer)

    def _set_moments(self, values: State) -> None:
        optimizers.set_moments(self.optimizer, values)


def _start_key(place: int, region: str | None) -> str:
    """Under which name the start of the directions is kept: for the eye at `place`, in a region."""
    return f"{place}.{region or 'whole'}"


def _under(prefix: str, tensors: State) -> State:
    """The tensors whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}


def _count(tensors: State) -> int:
    """How many candidates a state has. Raises RunError where it is no state of a loop."""
    for name, value in tensors.items():
        if name.startswith("drawer.") and value.dim():
            return len(value)
    raise RunError("this checkpoint has no picture in it, so it can't go on here")


def _choose(where: Tensor, new: Tensor, old: Tensor) -> Tensor:
    """`new` for the candidates of `where` [B], `old` for the others."""
    return torch.where(where.view(-1, *[1] * (new.dim() - 1)), new, old)
