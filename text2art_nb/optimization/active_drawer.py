"""The drawer of the present stage with its optimizer: what renders, steps, and is copied, restored and switched."""

import torch
from torch import Tensor

from text2art_nb import drawers
from text2art_nb.drawers import optimizers
from text2art_nb.imaging.palettes import parse_palette
from text2art_nb.optimization import rng, stages
from text2art_nb.optimization.loop_state import Snapshot, Tensors, select_candidates
from text2art_nb.runtime.devices import mixed
from text2art_nb.settings import Settings
from text2art_nb.settings import stages as stage_names


class ActiveDrawer:
    """A drawer and its optimizer, for one stage of a chain of drawers.

    stage: index of the stage; began: how many iterations were done when it began.
    """

    def __init__(
        self,
        settings: Settings,
        candidates: int,
        device: torch.device,
        dtype: torch.dtype,
        stage: int = 0,
        began: int = 0,
        start: Tensor | None = None,
    ) -> None:
        """Build the drawer. start: the image [1 or B,3,h,w] from which it starts; None: its own initial state."""
        self.settings = settings
        self.stage, self.began = stage, began
        self.device = device
        # Decoders give NaN in float16 (aMUSEd's card and pixray's users say so): bfloat16 or nothing.
        self._dtype = torch.float32 if dtype == torch.float16 else dtype
        own = stages.of_stage(settings, stage, candidates) if len(settings.stages) > 1 else settings
        own = own if own.candidates == candidates else own.with_(candidates=candidates, finalists=None)
        key = (0,) if stage == 0 else ("stage", stage)
        self.drawer = drawers.build(own, device, rng.generator(settings.seed or 0, *key))
        if start is not None:
            self.drawer.start_from(start)
        self._make_contiguous()
        self.optimizer = self.drawer.optimizer()
        self._base_rates = [group["lr"] for group in self.optimizer.param_groups]

    def _make_contiguous(self) -> None:
        # The memory layout decides the order of sums. A checkpoint knows one layout only, so it is that one from the
        # start; otherwise a resumed run would end in a picture that differs in its last bits.
        for parameter in self.drawer.parameters():
            parameter.data = parameter.data.contiguous()

    def reset_to_image(self, image: Tensor) -> None:
        """Continue from another image [B,3 or 4,h,w] with steps of the same size but without their directions."""
        self.drawer.start_from(image)
        self._make_contiguous()
        self.load_moments(optimizers.calmed(self.moments()))

    def update_settings(self, settings: Settings) -> None:
        """Hand the drawer its prompts and palette."""
        self.settings = settings
        self.drawer.hear(settings.parsed)
        self.drawer.set_palette(self.palette)

    @property
    def palette(self) -> Tensor | None:
        """The colors [K,3], 0..1, that the settings ask for."""
        palette = self.settings.palette
        return torch.tensor(parse_palette(palette), device=self.device) if palette else None

    @property
    def count(self) -> int:
        """How many candidates are being drawn now."""
        return len(next(self.drawer.parameters()))

    def choose(self, candidates: Tensor) -> None:
        """Continue with some candidates, by their indices [b]."""
        moments = select_candidates(self.moments(), candidates)
        for parameter in self.drawer.parameters():
            parameter.data = parameter.data[candidates]
            parameter.grad = None
        self.optimizer = self.drawer.optimizer()
        self.load_moments(moments)

    # -- render and step

    def _end(self) -> int:
        """The iteration after which the stage is over."""
        total = self.settings.iterations or 0
        return max(self.began + 1, stage_names.ends(self.settings.stages, total)[self.stage])

    def _anneal(self, iteration: int) -> None:
        self.drawer.anneal(min(1.0, (iteration - self.began) / (self._end() - self.began)))

    def render(self, iteration: int) -> Tensor:
        """Render [B,3 or 4,H,W], before any filter, once `iteration` iterations are done."""
        self._anneal(iteration)
        with mixed(self.device, self._dtype):
            return self.drawer.render().float()

    def render_final(self, iteration: int) -> Tensor:
        """As `render`, by the drawer's better decoder, where it has one."""
        self._anneal(iteration)
        with mixed(self.device, self._dtype):
            return self.drawer.finish().float()

    def step(self, iteration: int, rate_scale: float) -> None:
        """Step along the gradients and bring the parameters back into their range."""
        self._set_learning_rates(iteration, rate_scale)
        self.optimizer.step()
        self.drawer.constrain()

    def _set_learning_rates(self, iteration: int, rate_scale: float) -> None:
        """Set the rates of an iteration: a tenth after each of the drops (percent of all iterations)."""
        done, length = iteration - self.began, self._end() - self.began
        drops = sum(done > percent / 100 * length for percent in self.settings.learning_rate_drops)
        refines = self.stage > 0 or self.settings.start == "proposal"
        own = self.drawer.refining_rate if refines else self.drawer.learning_rate
        requested = own if self.settings.learning_rate is None else self.settings.learning_rate
        slower = rate_scale / 10**drops
        factor = slower * (requested / self.drawer.learning_rate)
        for group, rate in zip(self.optimizer.param_groups, self._base_rates, strict=True):
            group["lr"] = max(rate * factor, group.get("least", 0.0) * slower)

    def gradients(self) -> list[Tensor]:
        """The gradients of the parameters that have one."""
        return [parameter.grad for parameter in self.drawer.parameters() if parameter.grad is not None]

    def clip_gradients(self) -> None:
        """Shorten each candidate's gradient to the drawer's `gradient_clip`, its norm over all parameters."""
        if self.drawer.gradient_clip is None:
            return
        gradients = self.gradients()
        squares = torch.stack([gradient.square().flatten(1).sum(1) for gradient in gradients]).sum(0)
        factor = (self.drawer.gradient_clip / squares.sqrt().clamp(min=1e-12)).clamp(max=1)
        for gradient in gradients:
            gradient.mul_(factor.view(-1, *[1] * (gradient.dim() - 1)))

    # -- copies

    def parameters(self) -> Tensors:
        """Copy the parameters."""
        return {name: value.detach().clone() for name, value in self.drawer.named_parameters()}

    @torch.no_grad()
    def load_parameters(self, values: Tensors) -> None:
        """Set the parameters to copies of `values`; names that the drawer doesn't have are ignored."""
        for name, parameter in self.drawer.named_parameters():
            parameter.copy_(values[name])

    def latents(self) -> Tensors:
        """Copy what the drawer draws from: its parameters, or what it makes of them."""
        return {name: value.detach().clone() for name, value in self.drawer.numbers().items()}

    def latents_of(self, image: Tensor) -> Tensors:
        """Return the latents with which the drawer would draw `image` [1,3,h,w]; its parameters stay as they are."""
        present = self.parameters()
        self.drawer.start_from(image)
        latents = self.latents()
        self._make_contiguous()
        self.load_parameters(present)
        return latents

    def moments(self) -> Tensors:
        """Copy the optimizer's moments."""
        return optimizers.moments_of(self.optimizer)

    def load_moments(self, values: Tensors) -> None:
        """Set the optimizer's moments to copies of `values`, and to nothing else."""
        optimizers.set_moments(self.optimizer, values)

    def snapshot(self) -> Snapshot:
        """Copy the parameters and the moments."""
        return Snapshot(self.parameters(), self.moments())

    def load(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot."""
        self.load_parameters(snapshot.parameters)
        self.load_moments(snapshot.moments)
