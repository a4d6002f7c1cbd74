"""Which weights there are for a kind, and which of those that are asked for would have to be fetched first."""

from collections.abc import Iterator

from text2art_nb import chain, tournament
from text2art_nb.errors import ModelError
from text2art_nb.models import ALIASES, CATALOGUE, Weights, find, locate
from text2art_nb.models.embedded import EYES
from text2art_nb.models.listing import in_words
from text2art_nb.presets import DRAWER_KINDS, FULL_MODELS
from text2art_nb.settings import Settings


def model_choices(settings: Settings) -> list[str]:
    """Names that `model` may take for the drawers of `settings`, the usual one first; a path of one's own may, too."""
    found = (
        ["embedded", "full"] if any(name in FULL_MODELS or name == "pixel" for name in settings.drawer_names) else []
    )
    for drawer in settings.drawer_names:
        found += names_of(DRAWER_KINDS.get(drawer, ""))
        if drawer == "generator":
            from text2art_nb import generators

            found += generators.names()
    return list(dict.fromkeys(found))


def names_of(kind: str) -> list[str]:
    """The weights of a kind that can be loaded, each by the name that people know."""
    return [_known_as(each) for each in CATALOGUE.values() if each.kind == kind and each.loadable]


def _known_as(weights: Weights) -> str:
    """The first of its names that isn't a repository's or a file's."""
    aliases = (alias for alias, name in ALIASES.items() if name == weights.name and alias != "full")
    return next(aliases, weights.name)


def to_fetch(settings: Settings) -> list[Weights]:
    """The weights of the catalogue that drawing `settings` needs and that aren't on this machine; asks no server."""
    found = []
    for name, kind in dict.fromkeys(_wanted(settings.resolved())):
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


def notice_of(weights: list[Weights]) -> str:
    """What is fetched first, and under which licence; "" for nothing."""
    if not weights:
        return ""
    return f"Draw fetches first: {', '.join(map(_in_words, weights))}"


def _in_words(weights: Weights) -> str:
    note = f"; {weights.licence_note}" if weights.licence_note else ""
    return f"{_known_as(weights)} ({in_words(weights.size)}, licence: {weights.licence}{note})"


def _wanted(settings: Settings) -> Iterator[tuple[str, str]]:
    """(name, kind) of all weights of resolved `settings` that aren't in the package."""
    for stage in range(len(settings.stages)):
        yield from chain.weights(settings, stage)
    referee = tournament.outsider(settings)
    for eye in (*settings.perceptor_names, *((referee,) if referee else ())):
        if eye not in EYES:
            yield eye, "clip"
    if settings.losses.get("aesthetic"):
        from text2art_nb import aesthetic

        yield settings.aesthetic_head or aesthetic.USUAL, "aesthetic"
    if settings.upscale > 1 and settings.upscaler == "swin2sr":
        yield f"swin2sr-x{settings.upscale}", "upscaler"
