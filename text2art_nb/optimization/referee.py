"""Many cheap starts, halved until the finalists, which are drawn to their end (successive halving, Jamieson and
Talwalkar 2016; ranking many pictures by CLIP is what DALL·E did, Ramesh et al. 2021, but after it had spent the time).

While there are twice as many pictures as finalists, each is looked at half as often: a round costs what the final costs
an iteration, so that a tournament costs little more than its finalists alone.
"""

from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Final

from text2art_nb.settings.presets import EMBEDDED_EYES

if TYPE_CHECKING:
    from text2art_nb.settings import Settings


GUIDES: Final = "guides"
"""A referee that is no other than the perceptors that guide, where there is nobody else."""
PREFERRED: Final = "yuvalkirstain/PickScore_v1"
"""The catalogue's perceptor that ranks where it is on this machine."""


def outsider(settings: "Settings") -> str | None:
    """The perceptor that ranks the candidates of `settings` and is named for that alone; None where the guides do."""
    return settings.referee if settings.candidates > 1 and settings.referee != GUIDES else None


def fetch_referee(settings: "Settings") -> None:
    """Have the weights of who ranks here. Raises ModelError where they can't be had, or nobody is called so."""
    from text2art_nb import models

    name = outsider(settings)
    if name is not None and not entry_points(group="text2art.perceptors", name=name):
        models.locate(name, "clip")


def usual_referee(settings: "Settings") -> str:
    """The perceptor that doesn't guide and ranks: the embedded judge for the embedded eyes; else PickScore or the first
    CLIP of the catalogue that is on this machine and guides nobody; else `GUIDES`. Asks no server."""
    from text2art_nb import models
    from text2art_nb.errors import ModelError

    guides = settings.perceptor_names
    if guides and set(guides) <= set(EMBEDDED_EYES):
        return "judge"
    # PickScore first: people's preferences are what it was trained on.
    for name in dict.fromkeys((PREFERRED, *models.CATALOGUE)):
        weights = models.CATALOGUE[name]
        if weights.kind == "clip" and weights.loadable and name not in map(_full_name, guides):
            try:
                models.locate(name, "clip", download=False)
            except ModelError:
                continue
            return name
    return GUIDES


def _full_name(name: str) -> str:
    """The catalogue's name of a perceptor; one that isn't in it keeps its own."""
    from text2art_nb import models
    from text2art_nb.errors import ModelError

    try:
        return models.find(name).name
    except ModelError:
        return name
