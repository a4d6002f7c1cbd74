"""List the weights to choose from, and those that have to be downloaded first."""

from text2art_nb.models import ALIASES, CATALOGUE, Weights
from text2art_nb.models.listing import in_words
from text2art_nb.runs.estimate import Paces
from text2art_nb.runs.light_offer import light_offer
from text2art_nb.runs.needed_weights import to_fetch
from text2art_nb.settings import Settings
from text2art_nb.settings.presets import DRAWER_KINDS, FULL_MODELS, PERCEPTOR_PRESETS, WITHOUT_LIGHT

__all__ = ["model_choices", "names_of", "notice_of", "offer_for", "to_fetch"]


def model_choices(settings: Settings) -> list[str]:
    """Names that `model` may take for the drawers of `settings`, the usual one first; a path of one's own may, too."""
    several = any(name in FULL_MODELS or name == "pixel" for name in settings.drawer_names)
    found = ["embedded", "full"] if several else []
    if not set(settings.drawer_names) & set(WITHOUT_LIGHT):
        found = ["embedded", "light", "full"]
    for drawer in settings.drawer_names:
        found += names_of(DRAWER_KINDS.get(drawer, ""))
        if drawer == "generator":
            from text2art_nb.drawers import generator_file

            found += generator_file.names()
    return list(dict.fromkeys(found))


def offer_for(settings: Settings) -> str:
    """Say how to draw words that the embedded models don't know; "" where there is no offer."""
    offer = light_offer(settings, Paces())
    return offer.sentence if offer else ""


def names_of(kind: str) -> list[str]:
    """The loadable weights of a kind, each by the name that people know; of CLIPs the presets of several, too."""
    several = list(PERCEPTOR_PRESETS) if kind == "clip" else []
    return several + [_known_as(each) for each in CATALOGUE.values() if each.kind == kind and each.loadable]


def _known_as(weights: Weights) -> str:
    """The first of its names that isn't a repository's or a file's."""
    aliases = (alias for alias, name in ALIASES.items() if name == weights.name and alias not in ("full", "light"))
    return next(aliases, weights.name)


def notice_of(weights: list[Weights]) -> str:
    """Say what is downloaded first, and under which license; "" for nothing."""
    if not weights:
        return ""
    return f"Draw downloads first: {', '.join(map(_in_words, weights))}"


def _in_words(weights: Weights) -> str:
    note = f"; {weights.licence_note}" if weights.licence_note else ""
    return f"{_known_as(weights)} ({in_words(weights.size)}, licence: {weights.licence}{note})"
