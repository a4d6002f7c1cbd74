"""What weights there are: where each comes from, how large it is, its digest where one is published, its licence.

Rows come from the projects' own pages and from what others published about the files (pytti-core for the digests and
the copies of VQGAN originals). No address is asked before somebody wants the weights.
"""

import difflib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from text2art_nb.errors import ModelError

HUB = "https://huggingface.co"
SOMNAI = f"{HUB}/Somnai/pytti-vqgan-checkpoints/resolve/debc22c8f285c7734980c464ff992d335dde6e9a"
HEIBOX = "https://heibox.uni-heidelberg.de/d"
PIXRAY = "https://github.com/pixray/pixray/releases/download/v1.7.1"
OPENAI = "https://openaipublic.azureedge.net/clip/models"


@dataclass(frozen=True, slots=True)
class File:
    """One file of a checkpoint.

    Attributes:
        url: where its authors have it.
        path: its name in the checkpoint's directory.
        size: bytes, None where not published.
        sha256: hex digest, None where not published.
        mirrors: other addresses of the same bytes, tried in turn after ``url``.
        optional: nice to have; a repository without it is complete.
        otherwise: the file that serves as well where this one doesn't exist (old repositories' ``pytorch_model.bin``).
    """

    url: str
    path: str
    size: int | None = None
    sha256: str | None = None
    mirrors: tuple[str, ...] = ()
    optional: bool = False
    otherwise: "File | None" = None

    def choices(self) -> Iterator["File"]:
        """This file, then those that serve as well."""
        yield self
        if self.otherwise:
            yield from self.otherwise.choices()


@dataclass(frozen=True, slots=True)
class Weights:
    """A checkpoint that text2art knows by name.

    Attributes:
        name: its name here; a repository's name for those in the hub's layout.
        kind: what it is for: clip, vqgan, taesd, diffusion, proposal, aesthetic, upscaler.
        files: what its directory holds.
        size: bytes to fetch, about; None where not published.
        repository, revision: the hub's repository and its commit or branch, "" where it lies elsewhere.
        licence: of the weights, in a few words.
        note: what a user should know before fetching it.
        licence_note: what a user must know of the licence before fetching it.
        loadable: False for what text2art can't use yet.
    """

    name: str
    kind: str
    files: tuple[File, ...]
    size: int | None
    licence: str
    repository: str = ""
    revision: str = ""
    note: str = ""
    loadable: bool = True
    licence_note: str = ""

    @property
    def page(self) -> str:
        """Its page on the hub, where its licence is to be read; "" where it lies elsewhere."""
        return f"{HUB}/{self.repository}" if self.repository else ""

    @property
    def mirrors(self) -> tuple[str, ...]:
        """Every address besides the authors' that some of its files are known at."""
        return tuple(mirror for file in self.files for mirror in file.mirrors)


def hub_url(repository: str, path: str, revision: str = "main") -> str:
    """The address of a repository's file."""
    return f"{HUB}/{repository}/resolve/{revision}/{path}"


def address(url: str) -> str:
    """Where to ask for ``url``: for one on the hub at ``$HF_ENDPOINT`` if that is set, as huggingface_hub does."""
    endpoint = os.environ.get("HF_ENDPOINT", "").rstrip("/")
    return endpoint + url.removeprefix(HUB) if endpoint and url.startswith(f"{HUB}/") else url


# --- repositories in the hub's layout: loadable as they are ---------------------------------------------


def _hub_file(repository: str, path: str, *, optional: bool = False, sha256: str | None = None) -> File:
    return File(hub_url(repository, path), path, sha256=sha256, optional=optional)


def _dual_encoder(repository: str, size: int | None, licence: str, note: str = "", mirror: str = "") -> Weights:
    """A CLIP or SigLIP as transformers saves it; older repositories have its tensors only as ``pytorch_model.bin``."""
    tensors = File(
        hub_url(repository, "model.safetensors"),
        "model.safetensors",
        mirrors=(mirror,) if mirror else (),
        otherwise=_hub_file(repository, "pytorch_model.bin"),
    )
    needed = [_hub_file(repository, path) for path in ("config.json", "tokenizer.json", "tokenizer_config.json")]
    extra = ("preprocessor_config.json", "special_tokens_map.json", "vocab.json", "merges.txt")
    optional = [_hub_file(repository, path, optional=True) for path in extra]
    return Weights(repository, "clip", (*needed, *optional, tensors), size, licence, repository, "main", note)


def _diffusers_model(repository: str, kind: str, size: int, licence: str, tensors: File, note: str = "") -> Weights:
    """A single diffusers model: config.json beside its tensors."""
    files = (_hub_file(repository, "config.json"), tensors)
    return Weights(repository, kind, files, size, licence, repository, "main", note)


def _taming(repository: str, size: int, note: str) -> Weights:
    path = "diffusion_pytorch_model"
    tensors = File(
        hub_url(repository, f"{path}.safetensors"),
        f"{path}.safetensors",
        otherwise=_hub_file(repository, f"{path}.bin"),
    )
    return _diffusers_model(repository, "vqgan", size, "code MIT; weights: not stated", tensors, note)


def _tiny_autoencoder(repository: str, of: str, sha256: str | None = None) -> Weights:
    """of: the diffusion model. The exact size is known where the digest is; the others have a few more channels."""
    path = "diffusion_pytorch_model.safetensors"
    tensors = File(hub_url(repository, path), path, 9_793_292 if sha256 else None, sha256)
    size = 9_793_292 if sha256 else 9_850_000
    return _diffusers_model(repository, "taesd", size, "MIT", tensors, f"tiny decoder of the latents of {of}, 8x")


def _turbo(repository: str, size: int, sha256: str, licence: str, licence_note: str, encoders: int = 1) -> Weights:
    """A one-step diffusion model in float16: all that `drawers.turbo` loads but its TAESD, the UNet last."""
    folders = ("", "_2")[:encoders]
    words = ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")
    small = ["model_index.json", "scheduler/scheduler_config.json", "vae/config.json", "unet/config.json"]
    small += [f"tokenizer{folder}/{word}" for folder in folders for word in words]
    small += [f"text_encoder{folder}/config.json" for folder in folders]
    large = [f"text_encoder{folder}/model.fp16.safetensors" for folder in folders]
    large += ["vae/diffusion_pytorch_model.fp16.safetensors"]
    unet = _hub_file(repository, "unet/diffusion_pytorch_model.fp16.safetensors", sha256=sha256)
    files = (*(_hub_file(repository, path) for path in (*small, *large)), unet)
    note = "draws in one step, at 512 pixels; float16"
    return Weights(repository, "diffusion", files, size, licence, repository, "main", note, licence_note=licence_note)


def _upscaler(factor: int) -> Weights:
    """Swin2SR (Conde et al. 2022) as transformers has it."""
    repository = f"caidas/swin2SR-classical-sr-x{factor}-64"
    tensors = File(
        hub_url(repository, "model.safetensors"),
        "model.safetensors",
        otherwise=_hub_file(repository, "pytorch_model.bin"),
    )
    files = (_hub_file(repository, "config.json"), tensors)
    note = f"enlarges {factor}-fold"
    return Weights(repository, "upscaler", files, SWIN2SR_BYTES, "Apache-2.0", repository, "main", note)


# TEMPORARY until the rows move (merge with t-hub).
_GUIDES = (_dual_encoder("wkcn/TinyCLIP-ViT-8M-16-Text-3M-YFCC15M", 93_800_000, "MIT", "for CPUs"),)
SWIN2SR_BYTES = 48_000_000
MIT_CLIP = "MIT; its card puts deployment out of scope"
HUB_ROWS = (
    _taming("xvjiarui/taming-vq-f16-n16384", 304_000_000, "pixray's default; FID 4.98"),
    _taming("xvjiarui/taming-vq-f16-n1024", 289_000_000, "FID 7.94"),
    _dual_encoder(
        "openai/clip-vit-base-patch32",
        605_000_000,
        MIT_CLIP,
        "by OpenAI, 224 pixels",
        hub_url("openai/clip-vit-base-patch32", "model.safetensors", "d15b5f29721ca72dac15f8526b284be910de18be"),
    ),
    _dual_encoder("openai/clip-vit-base-patch16", 599_000_000, MIT_CLIP, "by OpenAI, 224 pixels"),
    _dual_encoder("openai/clip-vit-large-patch14", 1_710_000_000, MIT_CLIP, "by OpenAI, 224 pixels"),
    _dual_encoder("openai/clip-vit-large-patch14-336", 1_710_000_000, MIT_CLIP, "by OpenAI, 336 pixels"),
    _dual_encoder("laion/CLIP-ViT-B-32-laion2B-s34B-b79K", 605_000_000, "MIT", "ViT-B/32 on LAION-2B"),
    _dual_encoder("laion/CLIP-ViT-L-14-laion2B-s32B-b82K", 1_710_000_000, "MIT", "ViT-L/14 on LAION-2B"),
    _dual_encoder("laion/CLIP-ViT-H-14-laion2B-s32B-b79K", 3_940_000_000, "MIT", "ViT-H/14 on LAION-2B"),
    _dual_encoder("google/siglip2-base-patch16-224", 1_540_000_000, "Apache-2.0", "prompts in any language"),
    _dual_encoder(
        "google/siglip-base-patch16-256-multilingual", 1_480_000_000, "Apache-2.0", "prompts in any language"
    ),
    *_GUIDES,
    _tiny_autoencoder(
        "madebyollin/taesd", "SD 1 and 2", "d7956d561b1efbd861ad9b03fd8f01510f9e87eddc07bdfd20837009433f6ee5"
    ),
    _tiny_autoencoder(
        "madebyollin/taesdxl", "SDXL", "0070e0bf1b85d84c836ebb0dc0d8a69200de91aa1a2a726efdb5153e810a27e6"
    ),
    _tiny_autoencoder("madebyollin/taesd3", "SD3"),
    _tiny_autoencoder("madebyollin/taef1", "FLUX.1"),
    _turbo(
        "stabilityai/sd-turbo",
        2_580_000_000,
        "40ec400881e27d1376c7c95c5bd495f407b33756e80eb6365e301c33a07af6e5",
        "Stability AI Community",
        "it limits commercial use: read it on that page",
    ),
    _turbo(
        "stabilityai/sdxl-turbo",
        6_940_000_000,
        "48fa46161a745f48d4054df3fe13804ee255486bca893403b60373c188fd1bdb",
        "Stability AI, non-commercial",
        "not for commercial use: read it on that page",
        encoders=2,
    ),
    _upscaler(2),
    _upscaler(4),
    Weights(
        "amused/amused-256",
        "proposal",
        (
            _hub_file("amused/amused-256", "transformer/config.json"),
            _hub_file("amused/amused-256", "transformer/diffusion_pytorch_model.safetensors"),
            _hub_file("amused/amused-256", "vqvae/config.json"),
            _hub_file("amused/amused-256", "vqvae/diffusion_pytorch_model.safetensors"),
        ),
        2_720_000_000,  # of the two parts that are needed, about
        "OpenRAIL++",
        "amused/amused-256",
        "main",
        "803 M parameters; its vqvae gives NaN in float16",
        loadable=False,
    ),
    Weights(
        "ttj/sac-logos-ava1-l14-linearMSE",
        "aesthetic",
        (_hub_file("ttj/sac-logos-ava1-l14-linearMSE", "model.safetensors"),),
        3_200,  # 769 numbers
        "Apache-2.0",
        "ttj/sac-logos-ava1-l14-linearMSE",
        "main",
        "a head that rates pictures, on ViT-L/14",
    ),
)


# --- originals in their authors' own formats: `models.taming` and `perceptors.openai_clip` read them ----


def _taming_original(
    name: str,
    urls: tuple[str, str],
    size: int,
    sha256: str | None,
    note: str,
    mirrors: tuple[str, str] | None = None,
    config_sha256: str | None = None,
    exact: bool = True,
) -> Weights:
    """A checkpoint of taming-transformers. ``urls``, ``mirrors``: of the tensors, of the configuration.

    ``exact``: whether the size is the file's very own, by which it is checked.
    """
    copies = mirrors or ("", "")
    tensors = File(urls[0], f"{name}.ckpt", size if exact else None, sha256, (copies[0],) if copies[0] else ())
    config = File(urls[1], f"{name}.yaml", None, config_sha256, (copies[1],) if copies[1] else ())
    licence = "code MIT; weights: not stated"
    return Weights(f"{name}.ckpt", "vqgan", (config, tensors), size, licence, note=note)


def _heibox(share: str, config: str = "model.yaml", folder: str = "ckpts") -> tuple[str, str]:
    files = f"{HEIBOX}/{share}/files/?p="
    return f"{files}%2F{folder}%2Flast.ckpt&dl=1", f"{files}%2Fconfigs%2F{config}&dl=1"


def _somnai(name: str) -> tuple[str, str]:
    return f"{SOMNAI}/{name}/{name}.ckpt", f"{SOMNAI}/{name}/{name}.yaml"


def _openai_original(name: str, file: str, pixels: int, size: int, sha256: str) -> Weights:
    words = _hub_file("openai/clip-vit-base-patch32", "tokenizer.json")  # all of OpenAI's read the same
    files = (words, File(f"{OPENAI}/{sha256}/{file}", file, size, sha256))
    return Weights(file, "clip", files, size, MIT_CLIP, note=f"{name} by OpenAI, {pixels} pixels")


ORIGINAL_ROWS = (
    _taming_original(
        "imagenet_f16_16384",
        _heibox("a7530b09fed84f80a887"),
        980_092_370,
        "845a68805098cb666420d5db93df53f3a3b6dd443e6dd85c05759c5b998cd663",
        "the original of xvjiarui/taming-vq-f16-n16384",
        _somnai("imagenet"),
        "00e2c6189926f1d89ecfef73e9598db77981c1982f0555fbade963ffd16143c7",
    ),
    _taming_original(
        "imagenet_f16_1024",
        _heibox("8088892a516d4e3baf92"),
        958_000_000,
        None,
        "the original of xvjiarui/taming-vq-f16-n1024",
        exact=False,
    ),
    _taming_original(
        "openimages_f16_8192",
        _heibox("2e5662443a6b4307b470"),
        376_581_823,
        "5cd6c74810ab97e00e942c25403f73afc081e8b19987b31ec0d9ff5b68e7ab14",
        "Gumbel, really f8; FID 1.49",
        _somnai("openimages"),
        "91110bab325067b37f85d1e75895a837d59c292bae4f3097f80c518714d5caff",
    ),
    _taming_original(
        "wikiart_16384",
        (f"{PIXRAY}/vqgan_wikiart_16384.ckpt", f"{PIXRAY}/vqgan_wikiart_16384.yaml"),
        1_005_327_541,
        "bd08bb46301f98be1712bb2be9f8868cea30b53137cd985d4d6e8da8b3e02c36",
        "paintings",
        (_somnai("wikiart")[0], ""),
    ),
    _taming_original(
        "wikiart_1024",
        (f"{PIXRAY}/vqgan_wikiart_1024.ckpt", f"{PIXRAY}/vqgan_wikiart_1024.yaml"),
        958_000_000,
        None,
        "paintings",
        exact=False,
    ),
    _taming_original(
        "coco",
        ("https://dl.nmkd.de/ai/clip/coco/coco.ckpt", "https://dl.nmkd.de/ai/clip/coco/coco.yaml"),
        296_030_214,
        "106cc20fde571df14afc4349d62218d8213cf47177c682ecaa78a8c28b12f9de",
        "first stage only",
        _somnai("coco"),
        "17d0c2d9fda59eccade2a6070d833804b759dc817da42c2268be8cf1eb047676",
    ),
    _taming_original(
        "sflckr",
        _heibox("73487ab6e5314cb5adba", "2020-11-09T13-31-51-project.yaml", "checkpoints"),
        4_263_525_412,
        "8a8adea3da8dab412675772831370dd948e0aa97bb11a9488a2f328b58dbc929",
        "landscapes; a Net2Net, only whose first stage draws",
        _somnai("sflickr"),
        "c27f012996f3f1f02580f063be47fd60bdd8528efb04d7318b2cbe8a86505b1b",
    ),
    _taming_original(
        "faceshq",
        (
            "https://app.koofr.net/content/links/a04deec9-0c59-4673-8b37-3d696fe63a5d/files/get/last.ckpt"
            "?path=%2F2020-11-13T21-41-45_faceshq_transformer%2Fcheckpoints%2Flast.ckpt",
            "https://raw.githubusercontent.com/CompVis/taming-transformers/master/configs/faceshq_transformer.yaml",
        ),
        3_960_000_000,  # not published: sflckr's, less the second VQGAN that it holds
        None,
        "faces; a Net2Net, only whose first stage draws",
        ("", "https://drive.google.com/uc?export=download&id=1fHwGx_hnBtC8nsq7hesJvs-Klv-P0gzT"),
        exact=False,
    ),
    _openai_original(
        "RN50", "RN50.pt", 224, 255_827_503, "afeb0e10f9e5a86da6080e35cf09123aca3b358a0c3e3b6c78a7b63bc04b6762"
    ),
    _openai_original(
        "RN101", "RN101.pt", 224, 291_791_292, "8fa8567bab74a42d41c5915025a8e4538c3bdbe8804a470a72f30b0d94fab599"
    ),
    _openai_original(
        "RN50x4", "RN50x4.pt", 288, 421_854_225, "7e526bd135e493cef0776de27d5f42653e6b4c8bf9e0f653bb11773263205fdd"
    ),
    _openai_original(
        "RN50x16", "RN50x16.pt", 384, 661_125_706, "52378b407f34354e150460fe41077663dd5b39c54cd0bfd2b27167a4a06ec9aa"
    ),
    _openai_original(
        "ViT-B/32", "ViT-B-32.pt", 224, 353_976_522, "40d365715913c9da98579312b702a82c18be219cc2a73407c4526f58eba950af"
    ),
    _openai_original(
        "ViT-B/16", "ViT-B-16.pt", 224, 350_837_078, "5806e77cd80f8b59890b7e101eabd078d9fb84e6937f9e85e4ecb61988df416f"
    ),
    _openai_original(
        "ViT-L/14", "ViT-L-14.pt", 224, 932_768_134, "b8cca3fd41ae0c99ba7e8951adf17d267cdb84cd88be6f7c2e0eca1737a03836"
    ),
    _openai_original(
        "ViT-L/14@336px",
        "ViT-L-14-336px.pt",
        336,
        934_088_680,
        "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02",
    ),
    Weights(
        "RealESRGAN_x4plus.pth",
        "upscaler",
        (
            File(
                "https://github.com/xinntao/Real-ESRGAN/releases/download/v0.1.0/RealESRGAN_x4plus.pth",
                "RealESRGAN_x4plus.pth",
                67_040_989,
                "4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1",
            ),
        ),
        67_040_989,
        "BSD-3",
        note="enlarges fourfold",
        loadable=False,
    ),
)

CATALOGUE: Mapping[str, Weights] = MappingProxyType({row.name: row for row in (*HUB_ROWS, *ORIGINAL_ROWS)})

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
        "tinyclip": "wkcn/TinyCLIP-ViT-8M-16-Text-3M-YFCC15M",
        "light": "wkcn/TinyCLIP-ViT-8M-16-Text-3M-YFCC15M",
        "siglip2": "google/siglip2-base-patch16-224",
        "siglip-multilingual": "google/siglip-base-patch16-256-multilingual",
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
