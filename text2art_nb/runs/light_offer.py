"""The offer of model="light" where the embedded models don't know a word: what to fetch, and how long it takes.

Made on a CPU only: where there is a GPU, model="full" is the better answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from text2art_nb.errors import SettingsError
from text2art_nb.models import unknown_words
from text2art_nb.runs.estimate import Estimate, Paces
from text2art_nb.runs.needed_weights import to_fetch
from text2art_nb.runtime import machine
from text2art_nb.runtime.formatting import about
from text2art_nb.settings import Settings
from text2art_nb.settings.presets import EMBEDDED_EYES


@dataclass(frozen=True)
class LightOffer:
    """A drawing with a real vocabulary on this machine.

    Attributes:
        settings: those to draw with.
        words: of the prompt, that the embedded models don't know.
        megabytes: to fetch first; 0 where all is here.
        estimate: of the time and memory.
    """

    settings: Settings
    words: tuple[str, ...]
    megabytes: int
    estimate: Estimate

    @property
    def sentence(self) -> str:
        """The offer in words, like "fetch 94 MB and draw a zeppelin: about 2 min"."""
        first = f"fetch {self.megabytes} MB and draw" if self.megabytes else "draw"
        return f"{first} {_listed(self.words)}: about {about(self.estimate.seconds + self.estimate.start_seconds)}"


def light_offer(settings: Settings, paces: Paces) -> LightOffer | None:
    """What model="light" could draw here of what the embedded models that `settings` ask for don't know.

    None where they know every word, where a real CLIP looks already, where there is a GPU, and where a drawer has no
    light weights. Asks no server.
    """
    words = unknown_in(settings)
    if not words or machine.pick_device(settings.device) != "cpu":
        return None
    try:
        light = _as_light(settings)
    except SettingsError:
        return None
    megabytes = round(sum(weights.size or 0 for weights in to_fetch(light)) / 1e6)
    return LightOffer(light, tuple(words), megabytes, paces.guess(light))


def unknown_in(settings: Settings) -> list[str]:
    """The words of the prompts that the embedded models don't know; none where only other perceptors look."""
    if not set(EMBEDDED_EYES) & set(settings.resolved().perceptor_names):
        return []
    return unknown_words(" ".join(text for prompt in settings.parsed for text in prompt.texts))


def _as_light(settings: Settings) -> Settings:
    """`settings` with model="light", to which is left what the embedded models decided. Raises SettingsError."""
    decided = {"iterations": settings.preset.iterations, "num_cuts": settings.preset.num_cuts, "start": "proposal"}
    left = {name: None for name, value in decided.items() if getattr(settings, name) == value}
    return settings.with_(model="light", perceptors=None, steering=(), **left)


def _listed(words: Sequence[str], most: int = 3) -> str:
    """The first few words as a person lists them: 'zeppelin', 'Vienna' and 2 more."""
    named = [f"'{word}'" for word in words[:most]]
    rest = [f"{len(words) - most} more"] if len(words) > most else []
    *front, last = [*named, *rest]
    return f"{', '.join(front)} and {last}" if front else last
