"""Which weights a run needs, and which of the catalogue it would have to fetch first."""

from collections.abc import Iterator

from text2art_nb.errors import ModelError
from text2art_nb.models import Weights, find, locate
from text2art_nb.models.embedded import EYES
from text2art_nb.optimization import referee as referees
from text2art_nb.optimization import stages
from text2art_nb.settings import Settings


def to_fetch(settings: Settings) -> list[Weights]:
    """The weights of the catalogue that drawing `settings` needs and that aren't on this machine; asks no server."""
    found = []
    for name, kind in dict.fromkeys(needed(settings.resolved())):
        try:
            locate(name, kind, download=False)
        except ModelError:
            try:
                weights = find(name)
            except ModelError:  # a path of the user's own that isn't there: drawing will say so
                continue
            if weights.kind == kind and weights.loadable:
                found.append(weights)
    return found


def needed(settings: Settings) -> Iterator[tuple[str, str]]:
    """(name, kind) of all weights of resolved `settings` that aren't in the package."""
    for stage in range(len(settings.stages)):
        yield from stages.weights(settings, stage)
    referee = referees.outsider(settings)
    for eye in (*settings.perceptor_names, *((referee,) if referee else ())):
        if eye not in EYES:
            yield eye, "clip"
    if settings.losses.get("aesthetic"):
        from text2art_nb.optimization import aesthetic

        yield settings.aesthetic_head or aesthetic.DEFAULT, "aesthetic"
    if settings.upscale > 1 and settings.upscaler == "swin2sr":
        yield f"swin2sr-x{settings.upscale}", "upscaler"
