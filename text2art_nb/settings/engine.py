"""The settings of the engine: whether text2art draws itself or has the original pixray do it, in its own process.

What pixray is asked for is told in text2art's own settings, as far as both have them; what is pixray's alone goes into
`pixray`, by pixray's names.
"""

import difflib
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from text2art_nb.errors import SettingsError
from text2art_nb.settings import coercion
from text2art_nb.settings.base import Checked

Engine = Literal["text2art", "pixray"]

PIXRAY_NAMES: Final = tuple(
    """
    prompts spot_prompts spot_prompts_off spot_file labels vector_prompts image_prompts image_prompt_weight
    image_prompt_shuffle image_labels image_label_weight iterations save_every save_intermediates display_every
    display_clear overlay_every overlay_offset overlay_until overlay_image overlay_alpha quality aspect ezsize scale
    size init_image init_image_alpha init_noise target_images animation_dir animation_alpha init_weight
    init_weight_dist init_weight_cos init_weight_pix perceptors clip_models noise_prompt_seeds noise_prompt_weights
    learning_rate learning_rate_drops auto_stop num_cuts batches cut_pow seed optimiser make_video cudnn_determinism
    cuda_device palette transparent transparent_weight alpha_use_g alpha_gamma output outdir drawer filters
    custom_loss vqgan_model vqgan_config vqgan_checkpoint vdiff_model vdiff_schedule vdiff_skip pixel_size
    pixel_scale pixel_type pixel_edge_check pixel_iso_check strokes stroke_length min_stroke_width max_stroke_width
    allow_paper_color fft_use fft_decay fft_wave fft_sharp fft_colors fft_lrate lookup_beta wallpaper_type
    wallpaper_edge_match palette_weight saturation_weight symmetry_weight smoothness_type smoothness_weight
    smoothness_spacing smoothness_edge_order smoothness_gaussian_kernel smoothness_gaussian_std edge_color
    edge_color_weight edge_thickness edge_margins edge_input_image edge_mask_image global_color_weight
    gaussian_color gaussian_std gaussian_weight aesthetic_target style_file styleloss_content_weight
    styleloss_ospace styleloss_skip styleloss_every
    """.split()
)
"""Every setting that pixray's last release has, by the name that its `add_settings` takes."""

OPTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "prompt": "prompts",
        "spot": "spot_prompts",
        "spot_off": "spot_prompts_off",
        "losses": "custom_loss",
        "video": "make_video",
        "deterministic": "cudnn_determinism",
        "cut_power": "cut_pow",
        "init_weight_spherical": "init_weight",
    }
)
"""pixray's options on the command line (and one name of ours) that are called otherwise in its `add_settings`."""

OURS: Final = ("prompts", "quality", "aspect", "size", "iterations", "seed")
"""What is lifted out of `pixray`, where it is not given beside it: the run itself has to know these."""

PATHS: Final = frozenset(
    "spot_file image_prompts image_labels overlay_image init_image target_images animation_dir output outdir palette "
    "vector_prompts vqgan_model vqgan_config vqgan_checkpoint vdiff_model clip_models edge_input_image edge_mask_image "
    "style_file".split()
)
"""Those of pixray's settings that name files, or addresses, or weights that it would unpickle."""

_DRAWERS: Final = ("vqgan", "pixel", "strokes", "fft")
_MOST: Final = 64


class EngineSettings(Checked):
    """See the module."""

    engine: Engine = Field(
        default="text2art", description="Who draws: text2art, or the original pixray in a process of its own."
    )
    pixray: dict[str, Any] = Field(
        default={}, description="What only pixray has, by its own names, like {'init_noise': 'snow'}."
    )

    @field_validator("engine", mode="before")
    @classmethod
    def _engine(cls, value: Any) -> str:
        return coercion.choice(value, get_args(Engine), "engine")

    @model_validator(mode="before")
    @classmethod
    def _lifted(cls, given: Any) -> Any:
        """What the run has to know is taken out of `pixray`."""
        if not isinstance(given, dict) or given.get("pixray") is None:
            return given
        try:
            inside = _read(given["pixray"])
        except ValueError as error:
            raise SettingsError({"pixray": str(error)}) from None
        lifted = {name: value for name, value in inside.items() if name in OURS and value is not None}
        rest = {name: value for name, value in inside.items() if name not in OURS}
        return {**lifted, **{name: value for name, value in given.items() if name != "pixray"}, "pixray": rest}

    @field_validator("pixray", mode="before")
    @classmethod
    def _pixray(cls, value: Any) -> dict[str, Any]:
        return {name: _plain(name, each) for name, each in _read(value).items()}

    @model_validator(mode="after")
    def _can_be_drawn(self) -> Self:
        if self.engine == "text2art":
            if self.pixray:
                raise SettingsError({"pixray": "pixray's own settings need engine='pixray'"})
            return self
        drawer = str(getattr(self, "drawer", "vqgan"))
        if "drawer" not in self.pixray and drawer not in _DRAWERS:
            known = f"it draws with {', '.join(_DRAWERS)}, and pixray={{'drawer': …}} names others of its own"
            raise SettingsError({"drawer": f"pixray has no drawer {coercion.shown(drawer)}; {known}"})
        return self


def _read(value: Any) -> dict[str, Any]:
    """pixray's settings, under the names of its `add_settings`, from a mapping or from JSON. Raises ValueError."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else {}
        except ValueError:
            value = None
        right = isinstance(value, dict)
    else:
        value = {} if value is None else value
        right = isinstance(value, Mapping)
    if not right or not all(isinstance(name, str) for name in value):
        raise ValueError('pixray must be its settings by name, like {"init_noise": "snow"}')
    if len(value) > _MOST:
        raise ValueError(f"pixray may have at most {_MOST} settings; got {len(value)}")
    found = {OPTIONS.get(name, name): each for name, each in value.items()}
    for name in found:
        if name not in PIXRAY_NAMES:
            nearest = difflib.get_close_matches(name[:100], [*PIXRAY_NAMES, *OPTIONS], 1)
            meant = f"did you mean '{nearest[0]}'?" if nearest else "its documentation lists what it has"
            raise ValueError(f"pixray has no setting {coercion.shown(name)}; {meant}")
    return found


def _plain(name: str, value: Any) -> Any:
    """A number, a text, true, false, None, or a tuple of these: what can be kept in a recipe."""
    if isinstance(value, list | tuple):
        return tuple(_plain(name, each) for each in value)
    value = coercion.plain_number(value)
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return coercion.number(value, name)
    return coercion.text(value, name, "a number, a text, true or false, or a list of these")
