"""What weights there are: where each comes from, how large it is, its digest where one is published, its licence.

Rows come from the projects' own pages and from what others published about the files. No address is asked before
somebody wants the weights.
"""

import difflib
from collections.abc import Mapping
from types import MappingProxyType

from text2art_nb.errors import ModelError
from text2art_nb.models.guide_rows import GUIDE_ROWS, TINYCLIP
from text2art_nb.models.hub_rows import HUB_ROWS
from text2art_nb.models.original_rows import ORIGINAL_ROWS
from text2art_nb.models.weights import HUB, File, Weights, address, hub_url

__all__ = [
    "ALIASES",
    "CATALOGUE",
    "GUIDE_ROWS",
    "HUB",
    "HUB_ROWS",
    "ORIGINAL_ROWS",
    "File",
    "Weights",
    "address",
    "find",
    "hub_url",
    "is_known",
]

_ROWS = {row.name: row for row in (*HUB_ROWS, *GUIDE_ROWS, *ORIGINAL_ROWS)}
CATALOGUE: Mapping[str, Weights] = MappingProxyType(_ROWS)

# The names that pixray, clipit and OpenAI's clip use, and those of other copies that people know.
ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "full": "xvjiarui/taming-vq-f16-n16384",
        "imagenet_f16_16384": "xvjiarui/taming-vq-f16-n16384",
        "imagenet_f16_1024": "xvjiarui/taming-vq-f16-n1024",
        "openimages_f16_8192": "openimages_f16_8192.ckpt",
        "wikiart_16384": "wikiart_16384.ckpt",
        "wikiart_1024": "wikiart_1024.ckpt",
        "coco": "coco.ckpt",
        "faceshq": "faceshq.ckpt",
        "sflckr": "sflckr.ckpt",
        "sflickr": "sflckr.ckpt",
        "gumbel_f8": "openimages_f16_8192.ckpt",
        "ViT-B/32": "openai/clip-vit-base-patch32",
        "ViT-B/16": "openai/clip-vit-base-patch16",
        "ViT-L/14": "openai/clip-vit-large-patch14",
        "ViT-L/14@336px": "openai/clip-vit-large-patch14-336",
        "RN50": "RN50.pt",
        "RN101": "RN101.pt",
        "RN50x4": "RN50x4.pt",
        "RN50x16": "RN50x16.pt",
        "taesd": "madebyollin/taesd",
        "taesdxl": "madebyollin/taesdxl",
        "taesd3": "madebyollin/taesd3",
        "taef1": "madebyollin/taef1",
        "sd-turbo": "stabilityai/sd-turbo",
        "sdxl-turbo": "stabilityai/sdxl-turbo",
        "swin2sr-x2": "caidas/swin2SR-classical-sr-x2-64",
        "swin2sr-x4": "caidas/swin2SR-classical-sr-x4-64",
        "ViT-L/14@336": "openai/clip-vit-large-patch14-336",
        "laion-ViT-B/32": "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
        "laion-ViT-L/14": "laion/CLIP-ViT-L-14-laion2B-s32B-b82K",
        "laion-ViT-H/14": "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
        "ViT-H/14": "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
        "siglip2": "google/siglip2-base-patch16-224",
        "siglip-multilingual": "google/siglip-base-patch16-256-multilingual",
        "tinyclip": TINYCLIP,
        "TinyCLIP-8M/16": TINYCLIP,
        "light": TINYCLIP,
        "TinyCLIP-40M/32": "wkcn/TinyCLIP-ViT-40M-32-Text-19M-LAION400M",
        "TinyCLIP-39M/16": "wkcn/TinyCLIP-ViT-39M-16-Text-19M-YFCC15M",
        "robust-ViT-B/32": "chs20/FARE4-ViT-B-32-laion2B-s34B-b79K",
        "robust-ViT-L/14": "chs20/fare2-clip",
        "datacomp-ViT-L/14": "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K",
        "pickscore": "yuvalkirstain/PickScore_v1",
    }
)


def find(name: str) -> Weights:
    """The row called ``name``, which may be an alias; capitals, and "-" for "/", don't matter.

    Raises:
        ModelError: nothing is called that; the sentence names what is nearest.
    """
    target = _known().get(_plain(name))
    if target is None:
        names = {known.lower(): known for known in (*CATALOGUE, *ALIASES)}
        near = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
        hint = f"; did you mean '{names[near[0]]}'?" if near else "; `python -m text2art_nb models` lists all"
        raise ModelError(f"there are no weights called '{name}'{hint}")
    return CATALOGUE[target]


def is_known(name: str) -> bool:
    """Whether `find` finds a row of that name."""
    return _plain(name) in _known()


def _known() -> dict[str, str]:
    """The rows by all their names, plainly written."""
    return {_plain(row): row for row in CATALOGUE} | {_plain(alias): target for alias, target in ALIASES.items()}


def _plain(name: str) -> str:
    return name.lower().replace("/", "-")
