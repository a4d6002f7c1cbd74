"""Several drawers in one run: ``vqgan -> pixel``, where each starts from the last picture of the one before.

A share says how much of the iterations a drawer gets: ``vqgan:30 -> pixel:70``. This room knows words, numbers and the
names of weights only; the loop changes the drawers.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from text2art_nb.settings.presets import DRAWER_KINDS, weights_for
from text2art_nb.settings.stages import model_of

if TYPE_CHECKING:
    from text2art_nb.settings import Settings


def of_stage(settings: "Settings", stage: int, candidates: int) -> "Settings":
    """The settings of one stage's drawer, for so many candidates: as if it drew alone."""
    name, _ = settings.stages[stage]
    model = model_of(settings.model, stage)
    upscaler = settings.upscaler if name == "strokes" else "auto"  # "vector" would be refused to a drawer of pixels
    own = settings.with_(drawer=name, model=model, candidates=candidates, finalists=None, upscaler=upscaler)
    own = own.with_(model=own.weights)
    # A later drawer is handed a picture that is to get better, which is how a drawer takes a proposal. It does so also
    # where no words are left that a proposal would need: they may be steered, and the drawer has to stay the same one.
    return own.model_copy(update={"start": "proposal"}) if stage > 0 else own


def weights(settings: "Settings", stage: int) -> Iterator[tuple[str, str]]:
    """(name, kind) of the weights of one stage's drawer that aren't in the package. settings: resolved."""
    drawer, _ = settings.stages[stage]
    name = weights_for(drawer, of_stage(settings, stage, 1).model if len(settings.stages) > 1 else settings.model)
    if drawer in DRAWER_KINDS and name != "embedded":
        yield name, DRAWER_KINDS[drawer]
    if drawer == "turbo":
        own = Path(os.path.expanduser(name))  # that of somebody's own may have its decoder beside it
        if not (own / "taesd").is_dir():
            yield ("taesdxl" if "xl" in name or (own / "text_encoder_2").is_dir() else "taesd"), "taesd"


def fetch_later(settings: "Settings", stage: int) -> None:
    """Have the weights of the drawers that come after `stage`. Raises ModelError where they can't be had."""
    from text2art_nb import models

    for later in range(stage + 1, len(settings.stages)):
        for name, kind in weights(settings, later):
            models.locate(name, kind)
