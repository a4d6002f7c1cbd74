"""Keep the drawer's latents near those it started from, or near those of the init image."""

import torch
import torch.nn.functional as F
from torch import Tensor

from text2art_nb.optimization.active_drawer import ActiveDrawer
from text2art_nb.optimization.loop_state import Tensors, select_candidates
from text2art_nb.optimization.targets import spherical_distance
from text2art_nb.settings import Settings


class InitAnchor:
    """The latents to stay near, and the losses that measure how far the drawer's have moved away.

    The three measures are those of pixray and VQGAN-CLIP, with all latents of a candidate as one vector: half the
    squared angle (spherical), half the mean squared difference (dist), and one minus the cosine (cos).
    """

    def __init__(self) -> None:
        self.latents: Tensors = {}

    def remember(self, active: ActiveDrawer, init: Tensor | None) -> None:
        """Keep the latents of the init image [1,3,h,w] or else the present ones, once, if the settings need them.

        To be called before the drawer renders: finding latents may move its parameters.
        """
        settings = active.settings
        if not _weights(settings) or self.latents.keys() == active.drawer.numbers().keys():
            return
        starts_elsewhere = active.stage == 0 and settings.start == "noise"
        self.latents = active.latents() if init is None or not starts_elsewhere else active.latents_of(init)

    def forget(self) -> None:
        """Keep other latents next time, as for another drawer."""
        self.latents = {}

    def choose(self, candidates: Tensor) -> None:
        """Continue with some candidates, by their indices [b]."""
        self.latents = select_candidates(self.latents, candidates)

    def losses(self, active: ActiveDrawer) -> dict[str, Tensor]:
        """Return the weighted losses by name, [B] each, differentiable."""
        if not _weights(active.settings):
            return {}
        now = active.drawer.numbers()
        return latent_losses(now, {name: self.latents[name] for name in now}, active.settings)


def latent_losses(now: Tensors, initial: Tensors, settings: Settings) -> dict[str, Tensor]:
    """Measure how far latents [B,…] have moved from the initial ones: weighted losses by name, [B] each."""
    here, there = (torch.cat([value.flatten(1) for value in values.values()], 1).float() for values in (now, initial))
    measures = {
        "init_spherical": lambda: spherical_distance(F.normalize(here, eps=1e-6), F.normalize(there, eps=1e-6)),
        "init_dist": lambda: (here - there).square().mean(1) / 2,
        "init_cos": lambda: 1 - F.cosine_similarity(here, there, dim=1, eps=1e-6),
    }
    return {name: weight * measures[name]() for name, weight in _weights(settings).items()}


def _weights(settings: Settings) -> dict[str, float]:
    """Return the weights of the measures that are wanted."""
    weights = {
        "init_spherical": settings.init_weight_spherical,
        "init_dist": settings.init_weight_dist,
        "init_cos": settings.init_weight_cos,
    }
    return {name: weight for name, weight in weights.items() if weight}
