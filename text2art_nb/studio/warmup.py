"""Choose models and quality for this machine, and load the models in the background."""

import contextlib
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, Never

from text2art_nb.errors import Text2ArtError
from text2art_nb.models import Progress, locate
from text2art_nb.models.listing import in_words
from text2art_nb.models.vocabulary import known_words
from text2art_nb.perceptors import Perceptor
from text2art_nb.runtime import cards
from text2art_nb.settings import Settings
from text2art_nb.settings.presets import preset_size

# A small picture of one iteration: whatever the first drawing has to import, load and allocate, this one does.
_TRIAL: Final = {"prompts": "a picture", "size": "64x64", "iterations": 1, "num_cuts": 1, "seed": 0}

USUAL_QUALITY: Final = "normal"
TELL_SECONDS: Final = 5.0


class WarmUp:
    """Chooses the real models on a GPU and the embedded ones elsewhere, and loads them on a thread.

    device: where it will draw; model, quality: the recommended settings; why: the reason, in words.
    """

    def __init__(self, requested: str | None = None, quality: str | None = None) -> None:
        """requested, quality: the user's model and quality. With "embedded" and "light" no full model is downloaded."""
        from text2art_nb.runtime.devices import pick_device

        self.device = pick_device()
        self.model, self.quality, self.why = "embedded", quality or USUAL_QUALITY, ""
        self._requested_quality = quality
        if self.device.type != "cuda":
            self.why = "there is no GPU that real models could use, on a CPU they take minutes to hours"
        elif requested not in ("embedded", "light"):
            self._suit_card()
        self.warm: set[str] = set()
        self.start_seconds: float | None = None
        self._error: Exception | None = None
        self._warming: threading.Thread | None = None

    def _suit_card(self) -> None:
        """Take the real models in the quality that suits the card, unless there is no room for them."""
        import torch

        try:
            free, _ = torch.cuda.mem_get_info(self.device)
            name = torch.cuda.get_device_name(self.device)
        except (RuntimeError, AssertionError):  # a driver that tells nothing: drawing will show what it can do
            self.model = "full"
            return
        choice = cards.choose(name, free)
        if choice.quality is None:
            self.why = choice.why
            return
        self.model = "full"
        if self._requested_quality is None:
            self.quality, self.why = choice.quality, choice.why

    def start(self) -> None:
        """Load the models on a thread of its own, so that the first picture starts at once."""
        self._warming = threading.Thread(target=self._try_out, name="text2art-warm-up", daemon=True)
        self._warming.start()

    def join(self) -> None:
        """Wait until the models are loaded, or loading has failed."""
        if self._warming is not None:
            self._warming.join()

    @property
    def is_ready(self) -> bool:
        """Whether loading has ended."""
        return self._warming is None or not self._warming.is_alive()

    def wait(self, tell: Callable[[float], None] | None = None) -> None:
        """Wait as `join` does, calling `tell(seconds so far)` every few seconds.

        Raises the error that loading has met, unless the embedded models can replace the real ones.
        """
        began = time.monotonic()
        while tell is not None and self._warming is not None and self._warming.is_alive():
            self._warming.join(TELL_SECONDS)
            if self._warming.is_alive():
                tell(time.monotonic() - began)
        self.join()
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _try_out(self) -> None:
        from text2art_nb.runs.run import Run

        began = time.monotonic()
        try:
            if self.model == "full":
                self._fetch()
            settings = Settings(**_TRIAL, model=self.model).resolved()
            try:
                list(Run(settings))
            except Text2ArtError as error:
                if self.model == "embedded":
                    raise
                self._stand_in(error)
                settings = Settings(**_TRIAL).resolved()
                list(Run(settings))
            known_words()
            self.warm.update(settings.perceptor_names)
        except Exception as error:  # raised by `wait`
            self._error = error
        self.start_seconds = time.monotonic() - began

    def _fetch(self) -> None:
        """Download the real models; fall back to the usual quality where its weights are unavailable."""
        try:
            _fetch(Settings(prompts="a picture", model="full", quality=self.quality))
        except Text2ArtError as error:
            if self.quality == USUAL_QUALITY:
                self._stand_in(error)
                return
            self.quality, self.why = USUAL_QUALITY, f"the weights for {self.quality} are unavailable: {error}"
            self._fetch()

    def _stand_in(self, error: Text2ArtError) -> None:
        """Fall back to the embedded models."""
        self.model, self.quality = "embedded", self._requested_quality or USUAL_QUALITY
        self.why = f"the real ones are unavailable: {error}"

    def perceptor(self, settings: Settings) -> Perceptor | None:
        """The first image-text encoder of `settings` if it is loaded already, else None."""
        from text2art_nb import perceptors
        from text2art_nb.runtime.devices import pick_device

        names = settings.resolved().perceptor_names
        if not names or names[0] not in self.warm or settings.device != "auto":
            return None
        return perceptors.load(names[0], pick_device())

    @property
    def recommended(self) -> dict[str, str]:
        """The recommended settings that differ from the defaults."""
        if self.model == "embedded":
            return {}
        return {"model": self.model} | ({"quality": self.quality} if self.quality != USUAL_QUALITY else {})

    @property
    def sentence(self) -> str:
        """One line: the device, its memory, the models, and why these."""
        models = "real models (a VQGAN and CLIP)" if self.model == "full" else "the embedded models"
        scale = Settings(prompts="a picture", model=self.model, quality=self.quality).preset.scale
        width, height = preset_size("square", scale)
        quality = f"in {self.quality} quality ({width} × {height} pixels)"
        reason = f": {self.why}" if self.why else ", as you asked" if self._requested_quality else ""
        return f"text2art draws on {self._device()} with {models} {quality}{reason}."

    def _device(self) -> str:
        import torch

        from text2art_nb.runs.doctor import available_memory

        if self.device.type == "cuda":
            free, total = torch.cuda.mem_get_info(self.device)
            return f"a GPU ({torch.cuda.get_device_name(self.device)}, {in_words(free)} of {in_words(total)} free)"
        memory = f", {in_words(available)} of memory free" if (available := available_memory()) else ""
        if self.device.type == "mps":
            return f"an Apple GPU{memory}"
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return f"{cores} CPU core{'s' if cores > 1 else ''}{memory}"


def _fetch(settings: Settings) -> None:
    """Fetch the weights of `settings`, saying how far that is; at once where they are here already."""
    wanted = [("imagenet_f16_16384", "vqgan"), *((name, "clip") for name in settings.resolved().perceptor_names)]
    with _progress() as progress:
        for name, kind in wanted:
            locate(name, kind, progress=progress)


@contextlib.contextmanager
def _progress() -> Iterator[Progress]:
    """A line of text for each file (Colab would save every widget's bar in the notebook; standard error is red)."""
    from tqdm import tqdm

    bars: dict[str, tqdm[Never]] = {}

    def show(name: str, done: int, total: int | None) -> None:
        if name not in bars:
            bars[name] = tqdm(desc=name, total=total, unit="B", unit_scale=True, file=sys.stdout, mininterval=1.0)
        bars[name].update(done - bars[name].n)

    try:
        yield show
    finally:
        for bar in bars.values():
            bar.close()
