"""The image encoders that guide a run: the views each sees, their distance to the prompts, and their scores."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from text2art_nb import perceptors
from text2art_nb.optimization import cutouts, referee, regions, rng, targets
from text2art_nb.optimization import views as perceptor_views
from text2art_nb.optimization.input_images import on_white, open_image
from text2art_nb.optimization.loop_state import Tensors, select_candidates
from text2art_nb.optimization.views import PerceptorView, ViewBatch
from text2art_nb.perceptors import Perceptor
from text2art_nb.runtime.devices import mixed
from text2art_nb.settings import Settings, halving

_RANKING_VIEWS: Final = 9  # of the referee, the straight one among them
_HALF_SCALE: Final = 1024.0  # keeps float16's small gradients from vanishing

_ViewKey = tuple[int, int | None, str | None]  # size of the encoder, its own cuts, region
Evaluation = tuple[Tensor, Tensor]  # distances [B] and scores [B]


@dataclass(frozen=True)
class Moment:
    """One iteration, for what guides it.

    iteration: from 1; progress: how much was done before it, 0..1; abandoned: whether the iteration is to be given up.
    """

    iteration: int
    progress: float
    abandoned: Callable[[], bool] = lambda: False


class Guidance:
    """A run's image encoders with the prompts as each embeds them.

    encoders: those that guide; loss_scale: by which losses are multiplied before their backward pass, and gradients
    have to be divided; direction_starts: embeddings [B,D] of the initial picture, by encoder and region.
    """

    def __init__(self, settings: Settings, device: torch.device, dtype: torch.dtype) -> None:
        """Load the encoders. Raises ModelError where they can't be loaded. `update_settings` has to follow."""
        self.device = device
        self.perceptors = [perceptors.load(name, device) for name in settings.perceptor_names]
        self.encoders: list[PerceptorView] = []
        self.direction_starts: Tensors = {}
        self.loss_scale = _HALF_SCALE if dtype == torch.float16 else 1.0
        self._dtype = dtype

    def update_settings(self, settings: Settings, canvas: tuple[int, int]) -> None:
        """Embed the prompts and cut out their regions, for a canvas of (width, height) pixels."""
        self._settings, self._canvas = settings, canvas
        self._regions = {
            region: regions.build(region, canvas, settings.masks).to(self.device)
            for region in {prompt.region for prompt in settings.parsed}
            if region is not None
        }
        specs = settings.perceptors or ()
        self.encoders = perceptor_views.perceptor_views(specs, self.perceptors, self._encode_prompts)

    def choose(self, candidates: Tensor) -> None:
        """Continue with some candidates, by their indices [b]."""
        self.direction_starts = select_candidates(self.direction_starts, candidates)

    @property
    def has_regions(self) -> bool:
        """Whether any prompt counts in a region only."""
        return bool(self._regions)

    def micro_batch(self, size: int) -> int:
        """How many views of `size` pixels are encoded at once: by default 10 of 224 pixels, more of smaller ones."""
        return self._settings.micro_batch or max(4, math.ceil(10 * (224 / size) ** 2))

    def most_views(self) -> int:
        """The most views that any encoder sees at once."""
        return max((self.micro_batch(encoder.size) for encoder in self.encoders), default=1)

    def _encode_prompts(self, perceptor: Perceptor) -> targets.EncodedPrompts:
        """Embed the prompts; written words are pushed away only where the encoder may have seen any."""

        @torch.no_grad()
        def encode_image(picture: str) -> Tensor:
            image = open_image(picture, self.device)
            return perceptor_views.encode_from_all_sides(perceptor, image, self._generator(0, perceptor.size))

        text_off = self._settings.text_off and perceptor.augmentation >= 1
        return targets.encode_prompts(self._settings.parsed, perceptor, self.device, encode_image, text_off)

    def _generator(self, *key: int | str) -> torch.Generator:
        return rng.generator(self._settings.seed or 0, *key)

    def _crop(self, picture: Tensor, region: str | None) -> Tensor:
        """Cut a region out of `picture` [B,3,H,W], of the canvas or larger."""
        if region is None:
            return picture
        size = picture.shape[-1], picture.shape[-2]
        # Strokes hand over a picture that is larger than the canvas on which they are drawn.
        own = self._regions[region] if size == self._canvas else regions.build(region, size, self._settings.masks)
        return own.cut(picture)

    # -- the loss of an iteration

    def evaluate(self, picture: Tensor, moment: Moment) -> Evaluation | None:
        """Return distances and scores, [B] each, of `picture` [B,3,H,W]; None if the iteration was abandoned.

        The gradient of the distances, times `loss_scale`, is carried to `picture`.
        """
        batches = self.draw_views(picture, moment.iteration)
        distances, scores = [], []
        for index in range(len(self.encoders)):
            evaluation = self._evaluate_encoder(index, batches, moment)
            if evaluation is None:
                return None
            distances.append(evaluation[0])
            scores.append(evaluation[1])
        for batch in batches.values():
            batch.pyramid.backward()
        return torch.stack(distances).sum(0), torch.stack(scores).mean(0)

    @torch.no_grad()
    def remember_direction_starts(self, picture: Tensor) -> None:
        """Keep, once, how each encoder sees the picture from which a direction leads away."""
        for index, encoder in enumerate(self.encoders):
            for region in encoder.prompts.directed:
                if (key := _start_key(index, region)) not in self.direction_starts:
                    self.direction_starts[key] = torch.stack(
                        [
                            perceptor_views.encode_from_all_sides(
                                encoder.perceptor, candidate, self._generator(0, encoder.size)
                            )
                            for candidate in self._crop(picture, region).split(1)
                        ]
                    )

    def draw_views(self, picture: Tensor, iteration: int) -> dict[_ViewKey, ViewBatch]:
        """Draw an iteration's views of `picture`, which encoders of the same size and cuts share."""
        wanted = {
            (encoder.size, encoder.cuts, region) for encoder in self.encoders for region in encoder.prompts.regions
        }
        keys = sorted(wanted, key=lambda key: (key[0], key[1] or 0, key[2] or ""))
        drawn = [self._draw_batch(picture, iteration, key) for key in keys]
        return dict(zip(keys, perceptor_views.to_device(drawn, self.device), strict=True))

    def _draw_batch(self, picture: Tensor, iteration: int, key: _ViewKey) -> ViewBatch:
        """Draw the views of one size, on the CPU."""
        size, own_cuts, region = key
        generator = self._generator(iteration, size, *(each for each in (own_cuts, region) if each is not None))
        strength = min(encoder.perceptor.augmentation for encoder in self.encoders if encoder.size == size)
        settings = self._settings
        cuts = (own_cuts or settings.num_cuts or 1) * (settings.batches or 1)
        cuts = halving.cuts(cuts, settings.finalists, len(picture))
        part = self._crop(picture, region)
        count = perceptor_views.views_per_region(cuts, len(self.encoders[0].prompts.regions))
        views = cutouts.draw_views(count + 1, (part.shape[-1], part.shape[-2]), iteration, generator, strength)
        noise = cutouts.draw_field(size, generator)
        return ViewBatch(cutouts.Pyramid(part, size), views, noise, len(part))

    def _evaluate_encoder(self, index: int, batches: Mapping[_ViewKey, ViewBatch], moment: Moment) -> Evaluation | None:
        """Evaluate all regions by one encoder; gradients gather in the batches."""
        encoder = self.encoders[index]
        distances, scores, weights = [], [], []
        for region, prompts in encoder.prompts.at(moment.progress).items():
            batch = batches[encoder.size, encoder.cuts, region]
            initial = self.direction_starts.get(_start_key(index, region))
            evaluation = self._evaluate_region(encoder, prompts, initial, batch, moment)
            if evaluation is None:
                return None
            distances.append(evaluation[0])
            scores.append(evaluation[1] * encoder.share)
            weights.append(prompts.total_weight)
        return torch.stack(distances).sum(0), perceptor_views.weighted_mean(scores, weights)

    def _evaluate_region(
        self,
        encoder: PerceptorView,
        prompts: targets.Targets,
        initial: Tensor | None,
        batch: ViewBatch,
        moment: Moment,
    ) -> Evaluation | None:
        """Evaluate one region, a micro-batch at a time; initial: the embedding [B,D] of the initial picture."""
        dropped = self._generator(moment.iteration, encoder.size, "tokens")
        last = len(batch.views)
        distances = torch.zeros(batch.candidates, device=self.device)
        scores = torch.zeros(batch.candidates, device=self.device)
        for candidates, start, stop in batch.micro_batches(self.micro_batch(encoder.size)):
            if moment.abandoned():
                return None
            views = batch.pyramid.see(batch.views.part(start, stop), batch.noise, candidates)
            with mixed(self.device, self._dtype):
                encoded = perceptor_views.encode_views(
                    encoder.perceptor, views, self._settings.token_drop, dropped, stop == last
                )
            own_initial = None if initial is None else initial[candidates]
            distance = prompts.distance(encoded, own_initial) * ((stop - start) / last) * encoder.share
            (distance.sum() * self.loss_scale).backward()
            distances[candidates] += distance.detach()
            if stop == last:
                scores[candidates] = prompts.score(encoded[:, -1].detach())
        return distances, scores

    # -- scores of finished pictures

    def score(self, picture: Tensor, progress: float) -> Tensor:
        """Return how well `picture` [B,3,H,W] fits the prompts, [B], by all encoders, each in one straight view."""
        return torch.stack([self.score_by(encoder, picture, progress) for encoder in self.encoders]).mean(0)

    def score_by(self, encoder: PerceptorView, picture: Tensor, progress: float) -> Tensor:
        """As `score`, by one encoder."""
        prompts = encoder.prompts.at(progress)
        scores = [
            each.score(perceptor_views.encode_straight(encoder.perceptor, self._crop(picture, region))) * encoder.share
            for region, each in prompts.items()
        ]
        return perceptor_views.weighted_mean(scores, [each.total_weight for each in prompts.values()])

    def ranking_scores(self, canvas: Tensor, iteration: int, progress: float) -> list[float]:
        """Rank the candidates of `canvas` [B,3 or 4,H,W] by the referee, in several views: higher is better."""
        picture = on_white(canvas)
        ranked = [self._ranking_score_by(each, picture, iteration, progress) for each in self._referees()]
        return torch.stack(ranked).mean(0).tolist()

    def _referees(self) -> list[PerceptorView]:
        """Return the encoders that rank: one that doesn't guide, or all that do."""
        name = self._settings.referee
        if name is None or name == referee.GUIDES:
            return self.encoders
        return perceptor_views.perceptor_views((name,), [perceptors.load(name, self.device)], self._encode_prompts)

    def _ranking_score_by(self, encoder: PerceptorView, picture: Tensor, iteration: int, progress: float) -> Tensor:
        scores, prompts = [], encoder.prompts.at(progress)
        for region, each in prompts.items():
            part = self._crop(picture, region)
            size, strength = (part.shape[-1], part.shape[-2]), encoder.perceptor.augmentation
            views = cutouts.draw_views(_RANKING_VIEWS, size, 0, self._generator(iteration, "referee"), strength)
            seen = cutouts.Pyramid(part, encoder.size).see(views, None)
            encoded = encoder.perceptor.see(seen.flatten(0, 1)).float().unflatten(0, seen.shape[:2])
            scores.append(each.score(encoded).mean(1) * encoder.share)
        return perceptor_views.weighted_mean(scores, [each.total_weight for each in prompts.values()])


def _start_key(index: int, region: str | None) -> str:
    """Return the key of `direction_starts` for the encoder at `index`, in a region."""
    return f"{index}.{region or 'whole'}"
