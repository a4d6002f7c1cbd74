"""Compare settings, in terms of what a running run can be steered to."""

from typing import Any, Final

from text2art_nb.settings import STEERABLE, Settings
from text2art_nb.settings.perception import missing_mask

# None means "the drawer's own" and "what fits": a run that has begun with another value keeps that.
_KEPT: Final = ("learning_rate", "micro_batch")
_NEVER: Final = ("steering", "make_video", "allow_urls")


def differences(before: Settings, after: Settings) -> tuple[dict[str, Any], list[str]]:
    """Split the differences into changes that a run can be steered to, and names of settings that it can't change.

    Both settings are resolved. Prompts for a mask that the run doesn't have can't be changed either.
    """
    changes: dict[str, Any] = {}
    later = []
    for name in Settings.model_fields:
        new = getattr(after, name)
        if name in _NEVER or new == getattr(before, name) or (new is None and name in _KEPT):
            continue
        if name in STEERABLE and not (name == "prompts" and missing_mask(new, len(before.masks))):
            changes[name] = "" if new is None else new  # only a palette can be taken away
        else:
            later.append(name)
    return changes, later
