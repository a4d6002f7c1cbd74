"""X + CLIP, the whole method: render → views → losses → backward → step → events.

A `Loop` knows tensors only. Threads, files, steering and clocks are the business of `run.Run`, which owns it.

Where it departs from VQGAN+CLIP and pixray:
- The drawer's graph is walked once an iteration: the views' gradients are gathered in the picture first. So views can
  be encoded a few at a time, and the number of cuts costs time, not memory.
- All randomness of an iteration comes from (seed, iteration). No generator has to be saved to resume after a kill, and
  an iteration that was abandoned or tried again sees the same views.
- A step that ends in NaN or in a flat picture is rolled back, and the steps get smaller (see `StepGuard`).
"""

import functools
from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from text2art_nb.drawers import Drawer
from text2art_nb.errors import RunError
from text2art_nb.imaging.tensors import composite, resize
from text2art_nb.optimization import filters, losses, rng
from text2art_nb.optimization.active_drawer import ActiveDrawer
from text2art_nb.optimization.events import events_after
from text2art_nb.optimization.guidance import Guidance, Moment
from text2art_nb.optimization.init_anchor import InitAnchor
from text2art_nb.optimization.input_images import InputImages, on_white, open_image
from text2art_nb.optimization.loop_state import LoopState, Tensors
from text2art_nb.optimization.losses import LossInputs
from text2art_nb.optimization.motion import LoopBlend
from text2art_nb.optimization.output_selection import OutputSelection
from text2art_nb.optimization.step_guard import StepGuard, read_back
from text2art_nb.optimization.step_result import StepResult
from text2art_nb.runtime import malloc
from text2art_nb.runtime.devices import pick_device, pick_precision
from text2art_nb.settings import Settings


class Loop:
    """One run's drawer, image encoders and optimizer. Not thread-safe: its owner uses it on one thread at a time."""

    def __init__(
        self, settings: Settings, resume_state: tuple[Mapping[str, Tensor], Mapping[str, float]] | None = None
    ) -> None:
        """Load the models. Raises ModelError where they can't be loaded.

        settings: resolved; resume_state: what `state` returned. Raises RunError where it belongs to other settings.
        """
        self.settings = settings
        self.device = pick_device(settings.device)
        self.dtype = pick_precision(settings.precision, self.device)
        if self.device.type == "cpu":
            malloc.keep_what_is_freed()
        self.iteration = 0
        self.guidance = Guidance(settings, self.device, self.dtype)
        self.guard = StepGuard()
        self.selection = OutputSelection(settings.keep)
        self.anchor = InitAnchor()
        self.loop_blend = LoopBlend()
        self.inputs = InputImages(settings, self.device)
        if resume_state is not None:
            self._resume(LoopState.from_checkpoint(*resume_state, self.device))
            return
        start = self.inputs.start(settings)
        self.switch_drawer(0, settings.candidates, start)
        if start is None and self.inputs.overlaid_at_start(settings):
            self.reset_to_image(self.inputs.overlaid(self._current_image(), settings))

    def switch_drawer(self, stage: int, candidates: int, start: Tensor | None) -> None:
        """Continue with the drawer of a stage, from an image [1 or B,3,h,w] or its own initial state.

        Its moments, good states and selected outputs begin anew.
        """
        # Built first: where memory runs out, the drawer before continues, and the switch is tried again.
        self.active = ActiveDrawer(
            self.settings, candidates, self.device, self.dtype, stage, began=self.iteration, start=start
        )
        self.guard = StepGuard()
        self.selection.clear()
        self.anchor.forget()
        self.update_settings(self.settings)

    def update_settings(self, settings: Settings) -> None:
        """Apply steerable settings (`settings.STEERABLE`) to the running loop; `choose` is for the candidate."""
        if (settings.palette, settings.filters) != (self.settings.palette, self.settings.filters):
            self.guard.allow_flat()
        self.settings = settings
        self.active.update_settings(settings)
        hard_cells = settings.stages[self.active.stage][0] == "pixel"
        self.filters = filters.build(settings, self.active.palette, hard_cells)
        init = (
            resize(self.inputs.init, self.drawer.canvas)
            if self.inputs.init is not None and settings.init_weight
            else None
        )
        open_picture = functools.partial(open_image, device=self.device)
        inputs = LossInputs(settings, self.guidance.perceptors, self.device, open_picture)
        self.image_losses = losses.build(inputs, init)
        self.guidance.update_settings(settings, self.drawer.canvas)

    @property
    def drawer(self) -> Drawer:
        """The drawer of the present stage."""
        return self.active.drawer

    @property
    def count(self) -> int:
        """How many candidates are being drawn now."""
        return self.active.count

    @property
    def total(self) -> int:
        """How many iterations there will be."""
        return self.settings.iterations or 0

    @property
    def _progress(self) -> float:
        """How much is done, 0 to 1."""
        return min(1.0, self.iteration / max(1, self.total))

    # -- one iteration

    def step(self, abandoned: Callable[[], bool] = lambda: False) -> StepResult | None:
        """Do one iteration; None, with nothing changed, if `abandoned()` came true in the middle of it.

        Raises RunError where the picture is beyond saving.
        """
        moment = Moment(self.iteration + 1, self._progress, abandoned)
        self.anchor.remember(self.active, self.inputs.init)
        image = self.render()
        picture = (
            image if image.shape[1] == 3 else composite(image, _background(self.settings, moment.iteration, image))
        )
        leaf = picture.detach().requires_grad_()
        evaluation = self.evaluate(leaf, moment)
        if evaluation is None or abandoned():
            return None
        scores, loss_terms = evaluation
        loss_terms |= self.backward(picture, leaf.grad)
        self.selection.update_prompts(self.settings.parsed)
        measured = read_back(image, self.active.gradients(), scores, loss_terms)
        problem, notice = self.guard.check_finite(measured), None
        if problem:
            good, notice = self.guard.roll_back(problem)
            self.active.load(good)
        else:
            self.guard.accept(present := self.active.snapshot())
            self.selection.update(present.parameters, scores)
            self.active.step(moment.iteration, self.guard.rate_scale)
        self.iteration = moment.iteration
        shown = image.detach()
        if self.settings.loop_closing:
            shown = self.loop_blend(shown, self.iteration, self.total)
        enlarge = functools.partial(self.filters.enlarged, self.drawer.enlarge, size=self.settings.picture_size)
        if self.iteration < self.total:
            self._apply_events()
        return StepResult(shown, measured.scores, measured.losses, notice, enlarge)

    def render(self) -> Tensor:
        """Render the drawer's images [B,3 or 4,H,W] through the filters."""
        return self.filters(self.active.render(self.iteration))

    def evaluate(self, picture: Tensor, moment: Moment) -> tuple[Tensor, dict[str, Tensor]] | None:
        """Return scores [B] and losses by name, [B] each, of `picture` [B,3,H,W]; None if abandoned.

        `picture.grad` gets the sum of the gradients of all losses and candidates.
        """
        image_losses = self.image_losses(picture)
        if image_losses:
            (torch.stack(list(image_losses.values())).sum() * self.guidance.loss_scale).backward()
        self.guidance.remember_direction_starts(picture.detach())
        seen = picture
        if (
            not self.guidance.has_regions
        ):  # a tile is looked at anywhere in its endless pattern; a region stays in place
            tile_rng = rng.generator(self.settings.seed or 0, moment.iteration, "tile")
            seen = self.filters.looked_at(picture, tile_rng)
        evaluation = self.guidance.evaluate(seen, moment)
        if evaluation is None:
            return None
        distances, scores = evaluation
        return scores, {"prompts": distances, **{name: loss.detach() for name, loss in image_losses.items()}}

    def backward(self, picture: Tensor, gradient: Tensor | None) -> dict[str, Tensor]:
        """Carry the gradient of the picture and of the drawer's own losses to the parameters; returns these losses."""
        own = self.drawer.losses() | self.filters.losses() | self.anchor.losses(self.active)
        roots: list[tuple[Tensor, Tensor | None]] = []
        if gradient is not None:
            roots.append((picture, gradient / self.guidance.loss_scale))
        if own:
            roots.append((torch.stack(list(own.values())).sum(), None))
        self.active.optimizer.zero_grad()
        if roots:
            torch.autograd.backward([root for root, _ in roots], [gradient for _, gradient in roots])
        self.active.clip_gradients()
        return {name: loss.detach() for name, loss in own.items()}

    # -- between two iterations

    def _apply_events(self) -> None:
        """Let the weaker candidates drop out, switch drawers, move the camera and composite the overlay, if due."""
        due = events_after(self.settings, self.iteration, self.total)
        if due.survivors < self.count:
            ranks = self.ranking_scores(self.final_images()[0])
            best = sorted(range(self.count), key=lambda each: (-ranks[each], each))[: due.survivors]
            self.choose(*sorted(best))
        if due.stage > self.active.stage:  # never back: a run may be made longer when a stage is over
            self.switch_drawer(due.stage, self.count, on_white(self.final_images()[0]))
        if due.changes_picture:
            self.reset_to_image(due.apply(self._current_image(), self.inputs.overlay))
        if due.overlays:
            self.guard.allow_flat()  # the overlay may be plain on purpose

    def choose(self, *candidates: int) -> None:
        """Continue with these candidates alone, counted from 0, in this order."""
        chosen = torch.tensor(candidates, device=self.device)
        for part in (self.active, self.selection, self.guidance, self.anchor, self.loop_blend, self.guard):
            part.choose(chosen)

    def reset_to_image(self, image: Tensor) -> None:
        """Continue from another image [B,3 or 4,h,w] with steps of the same size but without their directions."""
        self.active.reset_to_image(image)
        self.selection.clear()
        self.guard.replace_good(self.active.snapshot())

    @torch.no_grad()
    def _current_image(self) -> Tensor:
        """Render [B,3,H,W], or [B,4,H,W] where the drawer can continue from that, without filters or gradients."""
        image = self.active.render(self.iteration)
        return image if self.drawer.takes_opacity else on_white(image)

    @torch.no_grad()
    def ranking_scores(self, canvas: Tensor) -> list[float]:
        """Rank the candidates of `canvas` [B,3 or 4,H,W] by the referee: higher is better."""
        return self.guidance.ranking_scores(canvas, self.iteration, self._progress)

    def most_views(self) -> int:
        """The most views that any encoder sees at once."""
        return self.guidance.most_views()

    # -- results

    @torch.no_grad()
    def finish(self) -> tuple[Tensor, list[float], list[float]]:
        """Return the final images [B,3 or 4,H,W] at the requested size, their scores, and their ranking scores.

        The ranking is the referee's, where there is one or a tournament, else by score.
        """
        canvas, scores = self.final_images()
        judged = self.count > 1 and (self.settings.finalists is not None or self.settings.referee is not None)
        ranks = self.ranking_scores(canvas) if judged else scores.tolist()
        return self.filters.enlarged(self.drawer.enlarge, canvas, self.settings.drawn_size), scores.tolist(), ranks

    @torch.no_grad()
    def final_images(self) -> tuple[Tensor, Tensor]:
        """Return the images [B,3 or 4,H,W] of the canvas that would be handed over now, and their scores [B]."""
        return self.selection.finish(self.active, self._render_final)

    def _render_final(self, parameters: Tensors) -> tuple[Tensor, Tensor]:
        """Return the images and scores of the drawer with other parameters; leaves them in it."""
        self.active.load_parameters(parameters)
        canvas = self.filters(self.active.render_final(self.iteration))
        return canvas, self.guidance.score(on_white(canvas), self._progress)

    @torch.no_grad()
    def svg(self, candidate: int) -> str | None:
        """Return one candidate's picture, the one that `finish` hands over, as an SVG; None where there is none."""
        if self.settings.filters:
            return None
        return self.selection.svg(self.active, self._render_final, self.settings.drawn_size, candidate)

    def close(self) -> None:
        """Release what the run held."""
        if self.device.type == "cpu":
            malloc.give_back()

    # -- state

    def state(self) -> tuple[Tensors, dict[str, float]]:
        """Return copies of all tensors, and the numbers, that it takes to resume to the byte-identical picture."""
        return LoopState(
            current=self.active.snapshot(),
            good=self.guard.good,
            selected=self.selection.selected,
            latents=self.anchor.latents,
            direction_starts=self.guidance.direction_starts,
            first_image=self.loop_blend.first,
            iteration=self.iteration,
            rate_scale=self.guard.rate_scale,
            roll_backs=self.guard.roll_backs,
            good_spread=self.guard.good_spread,
            stage=self.active.stage,
            stage_began=self.active.began,
        ).to_checkpoint()

    def _resume(self, state: LoopState) -> None:
        self.switch_drawer(state.stage, state.candidates, None)
        expected = {name: value.shape for name, value in self.active.parameters().items()}
        if {name: value.shape for name, value in state.current.parameters.items()} != expected:
            other = "another drawer, at another size or by an older text2art"
            raise RunError(f"this checkpoint was made by {other}, so it can't go on here")
        self.active.load(state.current)
        self.active.began, self.iteration = state.stage_began, state.iteration
        self.selection.load(state.selected, self.settings.parsed)
        self.anchor.latents, self.guidance.direction_starts = state.latents, state.direction_starts
        self.loop_blend.first = state.first_image
        self.guard = StepGuard(state.good, state.rate_scale, state.roll_backs, state.good_spread)


def _background(settings: Settings, iteration: int, image: Tensor) -> Tensor:
    """Draw a color [3] to put behind what is transparent: a random one, so that the drawer can't rely on it."""
    return torch.rand(3, generator=rng.generator(settings.seed or 0, iteration, "ground")).to(image.device)
