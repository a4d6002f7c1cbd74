"""What clipit's and pixray's settings are here: translated, accepted without a meaning, or refused in a sentence."""

import difflib
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from text2art_nb.errors import SettingsError
from text2art_nb.settings import ALIASES, Settings, coercion
from text2art_nb.settings.base import renamed
from text2art_nb.settings.engine import OPTIONS, PIXRAY_NAMES
from text2art_nb.settings.presets import preset_size

CLIPIT_NAMES: Final = (
    "use_pixeldraw",
    "use_clipdraw",
    "do_mono",
    "target_palette",
    "enforce_palette_annealing",
    "enforce_smoothness",
    "enforce_smoothness_type",
    "enforce_saturation",
    "target_image_weight",
    "target_weight_pix",
)
"""What clipit has and pixray no longer."""

WITHOUT_MEANING: Final[Mapping[str, str]] = MappingProxyType(
    {
        "optimiser": "each drawer has its own",
        "cut_pow": "the views have pixray's usual sizes",
        "cudnn_determinism": "the same seed always draws the same picture",
        "save_every": "the picture is saved when it is done or stopped",
        "save_intermediates": "make_video keeps the frames",
        "display_clear": "the picture that is shown is replaced",
        "auto_stop": "iterations says when it ends",
        "init_noise": "each drawer begins in its own way",
        "init_image_alpha": "an init image is taken as it is",
        "image_prompt_shuffle": "pictures are seen from many sides anyhow",
        "vqgan_config": "a checkpoint is found with its configuration beside it",
        "enforce_palette_annealing": "a palette holds from the start",
        "target_image_weight": "there is one weight for each picture",
        "pixel_edge_check": "the grid always suits its cells",
        "pixel_iso_check": "the grid always suits its cells",
        "allow_paper_color": "the paper stays",
        "fft_use": "it always draws in waves",
        "skip_args": "no command line is read",
    }
)
"""Settings that change nothing any more, and why."""

_SCALES: Final[Mapping[str, int]] = MappingProxyType({"small": 1, "medium": 2, "large": 4})
_CLIPS: Final = "clip"
# vqgan_model keeps its name: with weights chosen by it, a row of an original's for real models isn't taken.
_SAME_MEANING: Final = MappingProxyType({name: ours for name, ours in ALIASES.items() if name != "vqgan_model"})


@dataclass(frozen=True)
class Origin:
    """Whose calls these are: its name, where its pictures go, and its own rows of quality for real models."""

    name: str
    folder: Callable[[], str]
    rows: Mapping[str, Mapping[str, Any]]


def translated(given: Mapping[str, Any], origin: Origin) -> dict[str, Any]:
    """The settings, for `Settings`, that an original's ones mean; what has no meaning any more warns, once for all.

    Raises SettingsError where a name is unknown, or a value can't be had here.
    """
    found = {OPTIONS.get(name, name): value for name, value in given.items() if value is not None}
    _check_names(found)
    lost = [name for name in found if name in WITHOUT_MEANING]
    if lost:
        reasons = "; ".join(f"{name} ({WITHOUT_MEANING[name]})" for name in lost)
        warnings.warn(f"these settings of {origin.name}'s change nothing here: {reasons}", stacklevel=4)
    found = {name: value for name, value in found.items() if name not in WITHOUT_MEANING}
    for step in (_drawer, _looks, _words, _taste, _device):
        step(found)
    # Under one name each, so that what the user gave takes the place of a row's.
    found = {"aspect": "widescreen", "make_video": False, **renamed(found, _SAME_MEANING)}
    if "model" not in found and "vqgan_model" not in found:
        found["model"] = _usual_model()
    if found.get("model") == "full":
        found = {**origin.rows.get(str(found.get("quality", "normal")), {}), **found}
    _size(found)
    _growing_losses(found)
    return found


def _check_names(found: Mapping[str, Any]) -> None:
    known = {*PIXRAY_NAMES, *CLIPIT_NAMES, *WITHOUT_MEANING, *Settings.model_fields, *ALIASES, *OPTIONS}
    problems = {}
    for name in found:
        if name not in known:
            nearest = difflib.get_close_matches(name[:100], sorted(known), 1)
            meant = f"did you mean '{nearest[0]}'?" if nearest else "`text2art draw --help` lists what there is"
            problems[name] = f"unknown setting {coercion.shown(name)}; {meant}"
    if problems:
        raise SettingsError(problems)


def _drawer(found: dict[str, Any]) -> None:
    """The drawer, and clipit's two switches for it."""
    for switch, name in (("use_pixeldraw", "pixel"), ("use_clipdraw", "clipdraw")):
        if found.pop(switch, False):
            found["drawer"] = name
    if found.get("drawer") == "fast_pixel":
        found["drawer"] = "pixel"


def _looks(found: dict[str, Any]) -> None:
    """Who looks, and with whose weights it is drawn."""
    kind = found.get("perceptors")
    if kind == _CLIPS:
        del found["perceptors"]
    elif kind in ("slip", "mixed"):
        raise SettingsError({"perceptors": "SLIP isn't here; clip_models names who looks, like 'ViT-B/32,ViT-B/16'"})
    if "vqgan_checkpoint" in found:
        found["model"] = found.pop("vqgan_checkpoint")
        found.pop("vqgan_model", None)


def _words(found: dict[str, Any]) -> None:
    """What is asked for in another way here."""
    if "vector_prompts" in found:
        vectors = str(found.pop("vector_prompts")).strip().lower()
        if vectors not in ("textoff", "none", "0", "", "false"):
            raise SettingsError(
                {"vector_prompts": "of pixray's vectors only 'textoff' is here, or 'none' for no vector"}
            )
        found["text_off"] = vectors == "textoff"
    if "init_weight" in found:
        found["init_weight_spherical"] = found.pop("init_weight")


def _taste(found: dict[str, Any]) -> None:
    """clipit's own names for palettes and smoothness."""
    if "target_palette" in found:
        found["palette"] = found.pop("target_palette")
    if found.pop("do_mono", False):
        found.setdefault("palette", "black->white\\16")
    if "enforce_smoothness_type" in found:
        found["smoothness_type"] = found.pop("enforce_smoothness_type")


def _device(found: dict[str, Any]) -> None:
    """The originals took a card's name on a machine without one, and computed on the processor."""
    card = found.pop("cuda_device", None)
    if card is not None and _has_card():
        found["device"] = card


def _size(found: dict[str, Any]) -> None:
    """The size that a scale, or a size by name, makes of the aspect."""
    scale, name = found.pop("scale", None), found.pop("ezsize", None)
    if name is not None and scale is None:
        if name not in _SCALES:
            raise SettingsError({"ezsize": f"ezsize must be one of {', '.join(_SCALES)}; got {coercion.shown(name)}"})
        scale = _SCALES[name]
    if scale is None or found.get("size") is not None or found["aspect"] not in ("square", "portrait", "widescreen"):
        return
    try:
        factor = coercion.number(scale, "scale")
    except ValueError as error:
        raise SettingsError({"scale": str(error)}) from None
    width, height = preset_size(found["aspect"], 1)
    found["size"] = (int(width * factor), int(height * factor))


def _growing_losses(found: dict[str, Any]) -> None:
    """clipit's losses, which grew there, by one in so many iterations, as what they were in the mean; 0 was none."""
    given = {name: found.pop(f"enforce_{name}", 0) for name in ("smoothness", "saturation")}
    try:
        slow = {name: coercion.number(value, f"enforce_{name}") for name, value in given.items()}
    except ValueError as error:
        raise SettingsError(str(error)) from None
    slow = {name: slowness for name, slowness in slow.items() if slowness}
    if slow and "losses" not in found:
        settings = Settings(**found)
        iterations = settings.iterations or settings.preset.iterations
        found["losses"] = {name: round(iterations / 2 / slowness, 4) for name, slowness in slow.items()}


def _usual_model() -> str:
    """Real models on a card, which the originals took for granted; the embedded ones elsewhere."""
    return "full" if _has_card() else "embedded"


def _has_card() -> bool:
    import torch

    return torch.cuda.is_available()
