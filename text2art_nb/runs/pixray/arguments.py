"""What pixray is asked for: text2art's settings under pixray's names."""

from pathlib import Path
from typing import Any, Final

from text2art_nb.settings import Settings
from text2art_nb.settings.perception import perceptor_spec

NO_VECTORS: Final = "none"
"""pixray's word for no vector prompts."""

# Ours, and pixray's where the two have one meaning and it was asked for.
_SAME: Final = {
    "learning_rate": "learning_rate",
    "learning_rate_drops": "learning_rate_drops",
    "labels": "labels",
    "noise_prompt_seeds": "noise_prompt_seeds",
    "noise_prompt_weights": "noise_prompt_weights",
    "init_weight": "init_weight_pix",
    "init_weight_spherical": "init_weight",
    "init_weight_dist": "init_weight_dist",
    "init_weight_cos": "init_weight_cos",
    "palette": "palette",
    "transparent": "transparent",
    "transparent_weight": "transparent_weight",
    "overlay_every": "overlay_every",
    "overlay_offset": "overlay_offset",
    "overlay_until": "overlay_until",
    "overlay_alpha": "overlay_alpha",
}
# Those that only some of its drawers have.
_DRAWERS_OWN: Final = {
    "pixel": ("pixel_size", "pixel_scale", "pixel_type"),
    "strokes": ("strokes", "stroke_length", "min_stroke_width", "max_stroke_width"),
    "fft": ("fft_decay", "fft_sharp", "fft_colors"),
    "vqgan": (),
}
# Of losses and filters it aborts over any that it hasn't. Its style wants a file, which `pixray` can name.
_LOSSES: Final = frozenset("smoothness saturation symmetry palette edge aesthetic".split())
_FILTERS: Final = {"lookup": "lookup", "tile": "tiler"}
# What the run itself does, or what means the same to both without being told.
_BESIDE: Final = frozenset(
    "engine pixray prompts quality aspect size iterations candidates seed drawer model perceptors num_cuts batches "
    "text_off init_image overlay_image image_prompts start make_video device allow_urls losses filters upscale "
    "upscaler stroke_kind steering".split()
)


def asked(settings: Settings, candidate: int, folder: Path, given: frozenset[str]) -> dict[str, Any]:
    """What pixray's `add_settings` is to be called with, as JSON types.

    Args:
        settings: resolved.
        candidate: counted from 0; each has a seed of its own.
        folder: the process's own; pictures are written into it, as pixray opens files.
        given: what the user has set; the rest is left to pixray's own defaults.
    """
    found: dict[str, Any] = {
        "prompts": settings.prompts,
        "size": list(settings.picture_size),
        "iterations": settings.iterations,
        "num_cuts": settings.num_cuts,
        "batches": settings.batches,
        "seed": str((settings.seed or 0) + candidate),
        "drawer": _drawer(settings),
        "clip_models": ",".join(perceptor_spec(each)[0] for each in settings.perceptors or ()),
        "vector_prompts": "textoff" if settings.text_off and settings.model != "embedded" else NO_VECTORS,
    }
    own = _DRAWERS_OWN.get(settings.drawer, ())
    for ours, theirs in {**_SAME, **{name: name for name in own}}.items():
        if ours in given:
            found[theirs] = _as_list(getattr(settings, ours))
    if "labels" in found:
        found["labels"] = " | ".join(found["labels"])
    losses = [f"{name}:{weight:g}" for name, weight in settings.losses.items() if name in _LOSSES]
    filters = [_FILTERS[name] for name in settings.filters if name in _FILTERS]
    if losses:
        found["custom_loss"] = ",".join(losses)
    if filters:
        found["filters"] = ",".join(filters)
    found |= _pictures(settings, folder)
    return {**found, **{name: _as_list(value) for name, value in settings.pixray.items()}}


def without_meaning(settings: Settings, given: frozenset[str]) -> list[str]:
    """Those of the settings that were given which pixray hasn't."""
    lost = set(given - _BESIDE - _SAME.keys() - set(_DRAWERS_OWN.get(settings.drawer, ())))
    lost |= {f"loss '{name}'" for name in settings.losses.keys() - _LOSSES}
    lost |= {f"filter '{name}'" for name in set(settings.filters) - _FILTERS.keys()}
    return sorted({*lost, "start"} if settings.start == "proposal" else lost)


def _drawer(settings: Settings) -> str:
    if settings.drawer == "strokes":
        return "line_sketch" if settings.stroke_kind == "line" else "clipdraw"
    return settings.drawer


def _pictures(settings: Settings, folder: Path) -> dict[str, Any]:
    """The pictures, as files."""
    from text2art_nb.imaging.image_io import open_picture
    from text2art_nb.settings.prompts import split_weight

    found: dict[str, Any] = {}
    for name, picture in (("init_image", settings.init_image), ("overlay_image", settings.overlay_image)):
        if picture is not None:
            path = folder / f"{name}.png"
            open_picture(picture).save(path)
            found[name] = str(path)
    for position, entry in enumerate(settings.image_prompts):
        open_picture(split_weight(entry)[0]).save(folder / f"image_prompt_{position}.png")
        found["image_prompts"] = str(folder / "image_prompt_*.png")
    return found


def _as_list(value: Any) -> Any:
    return [_as_list(each) for each in value] if isinstance(value, tuple) else value
