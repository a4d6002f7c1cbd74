"""Pixray's settings that have no counterpart here, each with what to do instead."""

from collections.abc import Mapping
from types import MappingProxyType

_WEIGHT = "put the weight behind the loss' name, like losses='{}:2'"
_ANIMATION = "motion moves the camera while it draws, and init_image starts from a frame"
_GRID = "the grid always suits its pixel_type; pixel_size says how many columns and rows it has"
_FILES = "a picture is saved where you say so, with .save('picture.png') or --out picture.png"
_FRAMES = "every frame is kept where make_video is on, and the panel shows each"
_VDIFF = "there is no drawer vdiff; the drawer turbo is the diffusion model here"
_STYLE = "losses='style:1' compares with style_image in the layers of the perceptors"

ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        # what it draws from
        "spot": "write the region before the prompt, like prompts='[centre] a red boat'",
        "spot_prompts": "write the region before the prompt, like prompts='[centre] a red boat'",
        "spot_off": "write the region before the prompt, like prompts='[left] fog | [right] fog'",
        "spot_prompts_off": "write the region before the prompt, like prompts='[left] fog | [right] fog'",
        "spot_file": "give the picture in masks, and prompts='[mask 1] a red boat'",
        "vector_prompts": "text_off pushes written words away, which is what pixray's vector 'textoff' does",
        "image_prompt_weight": "put the weight behind the picture, like image_prompts='picture.png:0.5'",
        "image_prompt_shuffle": "image_prompts are seen from many sides once, and their mean is what pulls",
        "image_labels": "give the pictures as image_prompts, or what they show as labels",
        "image_label_weight": "put the weight behind the picture, like image_prompts='picture.png:0.5'",
        "target_images": "give the pictures as image_prompts",
        "init_noise": "start='noise' starts from the drawer's own noise",
        "init_image_alpha": "init_image is taken as it is; overlay_image with overlay_alpha lays one over a picture",
        # how it looks and moves
        "scale": "give the size, like size='384x216'; the quality normal is pixray's scale 2",
        "ezsize": "give the size, like size='384x216', or a quality; normal is pixray's scale 2",
        "cut_power": "num_cuts says how many views there are; their sizes are pixray's usual ones",
        "cut_pow": "num_cuts says how many views there are; their sizes are pixray's usual ones",
        "optimiser": "each drawer has the optimiser that suits it; learning_rate is the size of its steps",
        "auto_stop": "iterations says when it ends; keep='best' hands over the best picture on the way",
        "deterministic": "the same seed always draws the same picture",
        "cudnn_determinism": "the same seed always draws the same picture",
        "alpha_use_g": "transparent has no mask of its own; losses='vignette:1' pulls the edges to one colour",
        "alpha_gamma": "transparent has no mask of its own; losses='vignette:1' pulls the edges to one colour",
        "animation_dir": _ANIMATION,
        "animation_alpha": _ANIMATION,
        # what comes out
        "output": _FILES,
        "outdir": _FILES,
        "save_every": _FRAMES,
        "save_intermediates": _FRAMES,
        "display_every": _FRAMES,
        "display_clear": _FRAMES,
        "super_resolution_model": "upscale makes the picture larger, and upscaler says how",
        # the drawers
        "vqgan_config": "give model a weights name, like model='wikiart_16384', or a directory",
        "vqgan_checkpoint": "give model a weights name, like model='wikiart_16384', or a directory",
        "vdiff_model": _VDIFF,
        "vdiff_schedule": _VDIFF,
        "vdiff_skip": _VDIFF,
        "pixel_edge_check": _GRID,
        "pixel_iso_check": _GRID,
        "allow_paper_color": "paper is the colour of the paper, and stays",
        "fft_use": "the drawer fft always draws in waves; fft_decay says how coarse ones weigh against fine ones",
        "fft_wave": "the drawer fft has no wavelets; fft_decay says how coarse waves weigh against fine ones",
        # losses and filters
        "smoothness_weight": _WEIGHT.format("smoothness"),
        "saturation_weight": _WEIGHT.format("saturation"),
        "symmetry_weight": _WEIGHT.format("symmetry"),
        "palette_weight": _WEIGHT.format("palette"),
        "gaussian_weight": _WEIGHT.format("vignette"),
        "edge_color_weight": _WEIGHT.format("edge"),
        "global_color_weight": "losses='vignette:1' wants a colour everywhere, the more the farther outwards",
        "edge_input_image": "init_image with init_weight keeps to a picture; the loss edge wants edge_color alone",
        "edge_mask_image": "edge_margins says how thick the border is; a prompt can have a picture of masks",
        "smoothness_gaussian_kernel": "smoothness_type says how the loss smoothness counts a step",
        "smoothness_gaussian_std": "smoothness_type says how the loss smoothness counts a step",
        "smoothness_spacing": "smoothness_type says how the loss smoothness counts a step",
        "smoothness_edge_order": "smoothness_type says how the loss smoothness counts a step",
        "gaussian_std": "give vignette_size in percent of the picture: pixray's 40 pixels of 144 are 28",
        "styleloss_content_weight": "losses='style:1,content:0.5' weighs manner against the things of content_image",
        "styleloss_ospace": _STYLE,
        "styleloss_skip": _STYLE,
        "styleloss_every": _STYLE,
        "wallpaper_type": "name the kind in filters: tile, tile-brick (pixray's shift), tile-across or tile-down",
        "wallpaper_edge_match": "filters='tile' makes the edges meet exactly, without a loss",
    }
)
"""What to do instead, by the name that pixray has for it (the option's or the variable's)."""

OTHER_PROGRAMS: Mapping[str, str] = MappingProxyType(
    {
        "steps": "iterations says how many steps it draws",
        "num_inference_steps": "iterations says how many steps it draws",
        "max_iterations": "iterations says how many steps it draws",
        "negative_prompt": "write what is to be avoided with a negative weight, like prompts='a castle | fog:-0.5'",
        "negative": "write what is to be avoided with a negative weight, like prompts='a castle | fog:-0.5'",
        "num_images": "candidates draws several pictures side by side and keeps the best",
        "num_images_per_prompt": "candidates draws several pictures side by side and keeps the best",
        "n_batches": "candidates draws several pictures side by side and keeps the best",
        "n_samples": "candidates draws several pictures side by side and keeps the best",
        "batch_size": "candidates draws several pictures side by side; micro_batch is how many views are seen at once",
        "width": "give both sides at once, like size='384x216'",
        "height": "give both sides at once, like size='384x216'",
        "width_height": "give both sides at once, like size='384x216'",
        "text_prompts": "give the prompts, like prompts='a castle | fog:-0.5'",
        "guidance_scale": "the prompts are the only guide; their weights say how strongly each pulls",
        "cfg_scale": "the prompts are the only guide; their weights say how strongly each pulls",
        "clip_guidance_scale": "the prompts are the only guide; their weights say how strongly each pulls",
        "tv_scale": _WEIGHT.format("smoothness"),
        "sat_scale": _WEIGHT.format("saturation"),
        "denoising_strength": "init_weight says how closely it stays with the init_image",
        "strength": "init_weight says how closely it stays with the init_image",
        "init_scale": "init_weight says how closely it stays with the init_image",
        "skip_steps": "start='image' draws on from the init_image, and init_weight says how closely it stays with it",
        "sampler": "there is no sampler: every step follows the gradient; learning_rate is its size",
        "sampler_name": "there is no sampler: every step follows the gradient; learning_rate is its size",
        "scheduler": "there is no scheduler: learning_rate is the size of a step, learning_rate_drops when it falls",
        "style": "write the style into the prompt, like 'a castle, watercolor'; style_image takes that of a picture",
        "clip_model": "perceptors names the CLIPs that look, like perceptors='ViT-B/32'",
        "checkpoint": "model names the drawer's weights",
    }
)
"""What to give instead, by the setting's name in A1111, Disco Diffusion, diffusers or Midjourney."""

DRAWERS_ELSEWHERE: Mapping[str, str] = MappingProxyType(
    {
        "fast_pixel": "there is no drawer fast_pixel; the drawer pixel is as fast",
        "vdiff": _VDIFF,
        "super_resolution": "there is no drawer super_resolution; upscale=4 makes any finished picture larger",
    }
)
"""What to do instead, by pixray's name of a drawer."""
