"""Every setting that pixray documents is accepted with its meaning, or refused with what to do instead.

The names are those of pixray's options and of the variables behind them (its argument parser, its drawers, losses and
filters, as of its last release); where both differ both are here.
"""

import re
from typing import Any

import pytest
from PIL import Image

from text2art_nb.errors import SettingsError
from text2art_nb.settings import ALIASES, Settings
from text2art_nb.settings.unsupported import ELSEWHERE

PICTURE = Image.new("RGB", (8, 8), "red")
URI = Settings(prompts="a", init_image=PICTURE).init_image

# name, value in pixray's spelling, the setting that it becomes, its value there
ACCEPTED: list[tuple[str, Any, str, Any]] = [
    ("prompts", "a castle:2 | fog:-0.5", "prompts", "a castle:2 | fog:-0.5"),
    ("prompt", "a castle", "prompts", "a castle"),
    ("labels", "tabby cat | lynx:2", "labels", ("tabby cat", "lynx:2")),
    ("image_prompts", [PICTURE], "image_prompts", (URI,)),
    ("noise_prompt_seeds", [3, 7], "noise_prompt_seeds", (3, 7)),
    ("drawer", "pixel", "drawer", "pixel"),
    ("quality", "better", "quality", "better"),
    ("aspect", "widescreen", "aspect", "widescreen"),
    ("size", [384, 216], "size", (384, 216)),
    ("iterations", 250, "iterations", 250),
    ("num_cuts", 30, "num_cuts", 30),
    ("cutn", 30, "num_cuts", 30),
    ("batches", 2, "batches", 2),
    ("seed", "123", "seed", 123),
    ("init_image", PICTURE, "init_image", URI),
    ("init_weight", 1, "init_weight", 1.0),
    ("init_weight_dist", 1, "init_weight_dist", 1.0),
    ("init_weight_cos", 1, "init_weight_cos", 1.0),
    ("init_weight_pix", 1, "init_weight", 1.0),
    ("learning_rate", 0.2, "learning_rate", 0.2),
    ("learning_rate_drops", ["50", "75"], "learning_rate_drops", (50.0, 75.0)),
    ("perceptors", "ViT-B/32", "perceptors", ("ViT-B/32",)),
    ("clip_models", "RN50,ViT-B/32", "perceptors", ("RN50", "ViT-B/32")),
    ("vqgan_model", "imagenet_f16_16384", "model", "imagenet_f16_16384"),
    ("overlay_image", PICTURE, "overlay_image", URI),
    ("overlay_alpha", 100, "overlay_alpha", 100),
    ("make_video", False, "make_video", False),
    ("video", False, "make_video", False),
    ("cuda_device", "cuda:0", "device", "cuda:0"),
    ("palette", "red->yellow\\8", "palette", "red->yellow\\8"),
    ("transparent", True, "transparent", True),
    ("transparent_weight", 0.5, "transparent_weight", 0.5),
    ("pixel_size", [40, 50], "pixel_size", (40, 50)),
    ("pixel_scale", 2.5, "pixel_scale", 2.5),
    ("pixel_type", "hex", "pixel_type", "hex"),
    ("strokes", 256, "strokes", 256),
    ("stroke_length", 8, "stroke_length", 8),
    ("min_stroke_width", 0.5, "min_stroke_width", 0.5),
    ("max_stroke_width", 8, "max_stroke_width", 8.0),
    ("fft_decay", 1.5, "fft_decay", 1.5),
    ("fft_sharp", 0.3, "fft_sharp", 0.3),
    ("fft_colors", 1.5, "fft_colors", 1.5),
    ("fft_lrate", 0.3, "learning_rate", 0.3),
    ("filters", "lookup", "filters", ("lookup",)),
    ("filters", "tiler", "filters", ("tile",)),
    ("filters", "wallpaper,mirror", "filters", ("tile", "mirror")),
    ("lookup_beta", 5, "lookup_beta", 5.0),
    ("custom_loss", "saturation:0.5,smoothness:2", "losses", {"saturation": 0.5, "smoothness": 2.0}),
    ("losses", "edge,symmetry,palette", "losses", {"edge": 1.0, "symmetry": 1.0, "palette": 1.0}),
    ("losses", "gaussian", "losses", {"vignette": 1.0}),
    ("losses", "aesthetic", "losses", {"aesthetic": 1.0}),
    ("smoothness_type", "clipped", "smoothness_type", "clipped"),
    ("smoothness_type", "log", "smoothness_type", "log"),
    ("edge_thickness", 5, "edge_thickness", 5.0),
    ("edge_margins", [5, 5, 10, 10], "edge_margins", (5.0, 5.0, 10.0, 10.0)),
    ("edge_color", "white", "edge_color", "white"),
    ("gaussian_color", [255, 0, 10], "vignette_color", "(255+0+10)"),
    ("aesthetic_target", 10, "aesthetic_target", 10.0),
    ("style_file", PICTURE, "style_image", URI),
]

REFUSED = (
    "spot spot_prompts spot_off spot_prompts_off spot_file vector_prompts image_prompt_weight image_prompt_shuffle "
    "image_labels image_label_weight target_images init_noise init_image_alpha scale ezsize cut_power cut_pow "
    "optimiser auto_stop deterministic cudnn_determinism alpha_use_g alpha_gamma animation_dir animation_alpha output "
    "outdir save_every save_intermediates display_every display_clear super_resolution_model vqgan_config "
    "vqgan_checkpoint vdiff_model vdiff_schedule vdiff_skip pixel_edge_check pixel_iso_check allow_paper_color fft_use "
    "fft_wave smoothness_weight saturation_weight symmetry_weight palette_weight gaussian_weight edge_color_weight "
    "global_color_weight edge_input_image edge_mask_image smoothness_gaussian_kernel smoothness_gaussian_std "
    "smoothness_spacing smoothness_edge_order gaussian_std styleloss_content_weight styleloss_ospace styleloss_skip "
    "styleloss_every wallpaper_type wallpaper_edge_match"
).split()

# Where a number of iterations may be a share of them ("10%"), or written out ("10 iterations").
OVERLAY = [("overlay_every", "10 iterations"), ("overlay_offset", "10%"), ("overlay_until", "50%")]


@pytest.mark.parametrize(("name", "value", "field", "ours"), ACCEPTED)
def test_a_setting_of_pixrays_means_here_what_it_means_there(name: str, value: Any, field: str, ours: Any) -> None:
    given = {name: value} if field == "prompts" else {"prompts": "a", name: value}
    assert getattr(Settings(**given), field) == ours


def test_noise_prompts_have_seeds_and_weights() -> None:
    settings = Settings(prompts="a", noise_prompt_seeds=[3, 7], noise_prompt_weights=[0.5, 1])
    assert settings.noise_prompt_weights == (0.5, 1.0)


@pytest.mark.parametrize(("name", "value"), OVERLAY)
def test_when_to_overlay_is_said_as_in_pixray(name: str, value: str) -> None:
    given = {"prompts": "a", "overlay_image": PICTURE, name: value}
    assert getattr(Settings(**given), name) == getattr(Settings(**given).resolved(), name)


@pytest.mark.parametrize("name", REFUSED)
def test_a_setting_of_pixrays_that_is_not_here_is_refused_with_what_to_do_instead(name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(**{"prompts": "a", name: "5"})
    sentence = caught.value.problems[name]
    assert sentence == f"there is no setting {name!r} here; {ELSEWHERE[name]}"
    words = set(re.findall(r"\w+", ELSEWHERE[name]))
    assert words & (set(Settings.model_fields) | {"save", "seed"})


def test_no_name_is_both_here_and_elsewhere() -> None:
    assert not set(ELSEWHERE) & (set(Settings.model_fields) | set(ALIASES))
    assert set(ELSEWHERE) == set(REFUSED)


def test_every_alias_leads_to_a_setting() -> None:
    assert set(ALIASES.values()) <= set(Settings.model_fields)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("smoothnes_type", "smoothness_type"), ("edge_colors", "edge_color"), ("gaussian_colr", "gaussian_color")],
)
def test_a_slip_of_the_pen_is_answered_with_the_nearest_name(name: str, nearest: str) -> None:
    with pytest.raises(SettingsError, match=f"did you mean '{nearest}'"):
        Settings(**{"prompts": "a", name: 1})


@pytest.mark.parametrize(("loss", "sentence"), [("resmem", "'aesthetic' is how well it is liked"), ("detail", "-1")])
def test_a_loss_of_pixrays_that_is_not_here_is_refused_with_another(loss: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        Settings(prompts="a", custom_loss=loss)


@pytest.mark.parametrize(
    ("drawer", "sentence"),
    [
        ("fast_pixel", "the drawer pixel is as fast"),
        ("VDIFF", "the drawer turbo is the diffusion model here"),
        ("vqgan -> super_resolution", "upscale=4 makes any finished picture larger"),
    ],
)
def test_a_drawer_of_pixrays_that_is_not_here_is_refused_with_another(drawer: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        Settings(prompts="a", drawer=drawer)


@pytest.mark.parametrize("colour", ["white];@/etc/passwd;[red", "@/etc/passwd", "red,blue", "red;blue", "red->blue", 5])
@pytest.mark.parametrize("name", ["edge_color", "vignette_color"])
def test_a_colour_is_one_colour_and_never_a_file(name: str, colour: Any) -> None:
    with pytest.raises(SettingsError, match=f"{name} must be"):
        Settings(**{"prompts": "a", name: colour})


def test_a_strangers_recipe_may_name_no_file_in_them() -> None:
    for name in ("style_image", "content_image", "style_file"):
        with pytest.raises(SettingsError, match="only as PNG data URIs"):
            Settings.from_recipe({"prompts": "a", name: "/etc/passwd"})
    with pytest.raises(SettingsError, match="aesthetic_head in a recipe from elsewhere must be a plain name"):
        Settings.from_recipe({"prompts": "a", "aesthetic_head": "/etc"})


def test_a_recipe_from_before_looks_up_without_pulling() -> None:
    recipe = Settings(prompts="a", filters="lookup").to_recipe()
    assert Settings.from_recipe(recipe).lookup_beta == 10
    del recipe["lookup_beta"]
    assert Settings.from_recipe(recipe).lookup_beta == 0
