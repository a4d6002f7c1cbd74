"""The catalogue's repositories on the hub, in its layout: loadable as they are.

The commits and digests are those that several projects have pinned, each on its own; a digest is of the very commit
that its row names. Where only one project names a digest, or none, it stays out: the hub names one with the first
download, which is remembered (`models.provenance`).
"""

from text2art_nb.models.weights import UNPINNED, File, Weights, hub_url

SWIN2SR_BYTES = 48_000_000
MIT_CLIP = "MIT; its card puts deployment out of scope"
CLIP_B32 = "openai/clip-vit-base-patch32"
CLIP_B32_COMMIT = "3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268"
TENSORS = "model.safetensors"
PICKLE = "pytorch_model.bin"
DIFFUSERS = "diffusion_pytorch_model"


def hub_file(
    repository: str,
    path: str,
    revision: str,
    *,
    optional: bool = False,
    size: int | None = None,
    sha256: str | None = None,
) -> File:
    """A file of a repository, kept under its own path."""
    return File(hub_url(repository, path, revision), path, size, sha256, optional=optional)


def dual_encoder(
    repository: str,
    revision: str,
    size: int | None,
    licence: str,
    note: str = "",
    *,
    tensors: File | None = None,
    pickle: File | None = None,
) -> Weights:
    """A CLIP or SigLIP as transformers saves it; older repositories have its tensors only as ``pytorch_model.bin``.

    tensors, pickle: where more is known of those files than their names.
    """
    first = tensors or hub_file(repository, TENSORS, revision)
    either = File(
        first.url,
        first.path,
        first.size,
        first.sha256,
        first.mirrors,
        otherwise=pickle or hub_file(repository, PICKLE, revision),
    )
    needed = [
        hub_file(repository, path, revision) for path in ("config.json", "tokenizer.json", "tokenizer_config.json")
    ]
    extra = ("preprocessor_config.json", "special_tokens_map.json", "vocab.json", "merges.txt")
    optional = [hub_file(repository, path, revision, optional=True) for path in extra]
    return Weights(repository, "clip", (*needed, *optional, either), size, licence, repository, revision, note)


def _openai(
    patch: str, revision: str, pixels: int, size: int, sha256: str | None, tensors: File | None = None
) -> Weights:
    """One of OpenAI's CLIPs. sha256, size: of its ``pytorch_model.bin``; without the digest the size is about."""
    repository = f"openai/clip-vit-{patch}"
    pickle = hub_file(repository, PICKLE, revision, size=size if sha256 else None, sha256=sha256)
    return dual_encoder(
        repository, revision, size, MIT_CLIP, f"by OpenAI, {pixels} pixels", tensors=tensors, pickle=pickle
    )


def _diffusers_model(
    repository: str, revision: str, kind: str, size: int, licence: str, tensors: File, note: str = ""
) -> Weights:
    """A single diffusers model: config.json beside its tensors."""
    files = (hub_file(repository, "config.json", revision), tensors)
    return Weights(repository, kind, files, size, licence, repository, revision, note)


def _taming(name: str, revision: str, size: int, note: str, original: str) -> Weights:
    """A VQGAN of taming-transformers as diffusers has it. original: the row of the file that it was made from."""
    repository = f"xvjiarui/{name}"
    tensors = File(
        hub_url(repository, f"{DIFFUSERS}.safetensors", revision),
        f"{DIFFUSERS}.safetensors",
        otherwise=hub_file(repository, f"{DIFFUSERS}.bin", revision),
    )
    files = (hub_file(repository, "config.json", revision), tensors)
    licence = "code MIT; weights: not stated"
    return Weights(repository, "vqgan", files, size, licence, repository, revision, note, fallbacks=(original,))


def _tiny_autoencoder(name: str, revision: str, of: str, size: int, sha256: str) -> Weights:
    """of: the diffusion model whose latents it decodes."""
    repository = f"madebyollin/{name}"
    tensors = hub_file(repository, f"{DIFFUSERS}.safetensors", revision, size=size, sha256=sha256)
    note = f"tiny decoder of the latents of {of}, 8x"
    return _diffusers_model(repository, revision, "taesd", size, "MIT", tensors, note)


def _turbo(
    repository: str, revision: str, size: int, large: dict[str, tuple[int | None, str]], licence: str, licence_note: str
) -> Weights:
    """A one-step diffusion model in float16: all that `drawers.turbo` loads but its TAESD, the UNet last.

    large: bytes and digest of the files of which they are known, by path; the UNet's is among them.
    """
    folders = ("", "_2") if "xl" in repository else ("",)
    words = ("vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json")
    paths = ["model_index.json", "scheduler/scheduler_config.json", "vae/config.json", "unet/config.json"]
    paths += [f"tokenizer{folder}/{word}" for folder in folders for word in words]
    paths += [f"text_encoder{folder}/config.json" for folder in folders]
    paths += [f"text_encoder{folder}/model.fp16.safetensors" for folder in folders]
    paths += [f"vae/{DIFFUSERS}.fp16.safetensors", f"unet/{DIFFUSERS}.fp16.safetensors"]
    known = {path: large.get(path, (None, None)) for path in paths}
    files = tuple(
        hub_file(repository, path, revision, size=size, sha256=sha256) for path, (size, sha256) in known.items()
    )
    note = "draws in one step, at 512 pixels; float16"
    return Weights(repository, "diffusion", files, size, licence, repository, revision, note, licence_note=licence_note)


def _upscaler(factor: int, revision: str) -> Weights:
    """Swin2SR (Conde et al. 2022) as transformers has it."""
    repository = f"caidas/swin2SR-classical-sr-x{factor}-64"
    tensors = File(hub_url(repository, TENSORS, revision), TENSORS, otherwise=hub_file(repository, PICKLE, revision))
    note = f"enlarges {factor}-fold"
    return _diffusers_model(repository, revision, "upscaler", SWIN2SR_BYTES, "Apache-2.0", tensors, note)


def _amused() -> Weights:
    """The two parts of aMUSEd that a proposal needs."""
    repository, revision = "amused/amused-256", "09b6259bf96dbe6d70a852b70812420fe02df55e"
    paths = [
        f"{part}/{file}" for part in ("transformer", "vqvae") for file in ("config.json", f"{DIFFUSERS}.safetensors")
    ]
    return Weights(
        repository,
        "proposal",
        tuple(hub_file(repository, path, revision) for path in paths),
        2_720_000_000,  # about
        "OpenRAIL++",
        repository,
        revision,
        "803 M parameters; its vqvae gives NaN in float16",
        loadable=False,
    )


def _aesthetic() -> Weights:
    repository, revision = "ttj/sac-logos-ava1-l14-linearMSE", "1e77fa05081323d99725fc40a9bf9f88180490e7"
    files = (hub_file(repository, TENSORS, revision),)
    note = "a head that rates pictures, on ViT-L/14"
    size = 3_712_000  # 927,969 numbers in float32
    return Weights(repository, "aesthetic", files, size, "Apache-2.0", repository, revision, note)


HUB_ROWS = (
    # Only the beginning of its one commit is published.
    _taming("taming-vq-f16-n16384", "1251cf9", 304_000_000, "pixray's default; FID 4.98", "imagenet_f16_16384.ckpt"),
    _taming(
        "taming-vq-f16-n1024",
        "f61ca369a6ac0fc3f45f335395320dee65b5a296",
        289_000_000,
        "FID 7.94",
        "imagenet_f16_1024.ckpt",
    ),
    _openai(
        "base-patch32",
        CLIP_B32_COMMIT,
        224,
        605_247_071,
        "a63082132ba4f97a80bea76823f544493bffa8082296d62d71581a4feff1576f",
        # The conversion to safetensors is a pull request's commit, that the branch doesn't have.
        hub_file(CLIP_B32, TENSORS, "d15b5f29721ca72dac15f8526b284be910de18be"),
    ),
    _openai("base-patch16", "57c216476eefef5ab752ec549e440a49ae4ae5f3", 224, 599_000_000, None),
    _openai(
        "large-patch14",
        "32bd64288804d66eefd0ccbe215aa642df71cc41",
        224,
        1_710_671_599,
        "f1a17cdbe0f36fec524f5cafb1c261ea3bbbc13e346e0f74fc9eb0460dedd0d3",
    ),
    _openai(
        "large-patch14-336",
        "ce19dc912ca5cd21c8a653c79e251e808ccabcd1",
        336,
        1_711_974_081,
        "c6032c2e0caae3dc2d4fba35535fa6307dbb49df59c7e182b1bc4b3329b81801",
    ),
    dual_encoder(
        "laion/CLIP-ViT-B-32-laion2B-s34B-b79K",
        "1a25a446712ba5ee05982a381eed697ef9b435cf",
        605_000_000,
        "MIT",
        "ViT-B/32 on LAION-2B",
    ),
    dual_encoder(
        "laion/CLIP-ViT-L-14-laion2B-s32B-b82K",
        "1627032197142fbe2a7cfec626f4ced3ae60d07a",
        1_710_000_000,
        "MIT",
        "ViT-L/14 on LAION-2B",
    ),
    dual_encoder(
        "laion/CLIP-ViT-H-14-laion2B-s32B-b79K",
        "1c2b8495b28150b8a4922ee1c8edee224c284c0c",
        3_940_000_000,
        "MIT",
        "ViT-H/14 on LAION-2B",
    ),
    dual_encoder(
        "google/siglip2-base-patch16-224",
        "75de2d55ec2d0b4efc50b3e9ad70dba96a7b2fa2",
        1_540_000_000,
        "Apache-2.0",
        "prompts in any language",
        tensors=hub_file(
            "google/siglip2-base-patch16-224",
            TENSORS,
            "75de2d55ec2d0b4efc50b3e9ad70dba96a7b2fa2",
            size=1_500_800_904,
            sha256="612923381c76ec5a9bed335d1c48827e3f2e506ac31b044b63b2031fadee6a0b",
        ),
    ),
    dual_encoder(
        "google/siglip-base-patch16-256-multilingual",
        "8952a4eafcde3cb7ab46b1dd629b33f8784ca9c6",
        1_480_000_000,
        "Apache-2.0",
        "prompts in any language",
    ),
    _tiny_autoencoder(
        "taesd",
        "614f76814bbe30edbe2e627ace1c2234c81a2c0e",
        "SD 1 and 2",
        9_793_292,
        "db169d69145ec4ff064e49d99c95fa05d3eb04ee453de35824a6d0f325513549",
    ),
    _tiny_autoencoder(
        "taesdxl",
        "b20258aaef75ef61e659c1e0f14f251cf0ad153e",
        "SDXL",
        9_793_292,
        "ff4824aca94dd6111e0340fa749347fb74101060d9712cb5ef1ca8f1cf17502f",
    ),
    _tiny_autoencoder(
        "taesd3",
        "d58dcaccd2b36fcb7a6b9e93c1cc507acab5a778",
        "SD3",
        9_848_636,
        "6f79c1397cb9ce1dac363722dbe70147aee0ccca75e28338f8482fe515891399",
    ),
    _tiny_autoencoder(
        "taef1",
        "b1b2d00e9e440cfbf3dedb34266864da86016ceb",
        "FLUX.1",
        9_848_636,
        "47a6c2bff850da04b267cab70fe3553fef57255eb9a8e76852baa0a87850e54d",
    ),
    _turbo(
        "stabilityai/sd-turbo",
        "b261bac6fd2cf515557d5d0707481eafa0485ec2",
        2_580_000_000,
        {
            f"unet/{DIFFUSERS}.fp16.safetensors": (
                1_731_904_736,
                "40ec400881e27d1376c7c95c5bd495f407b33756e80eb6365e301c33a07af6e5",
            ),
            "text_encoder/model.fp16.safetensors": (
                680_820_392,
                "bc1827c465450322616f06dea41596eac7d493f4e95904dcb51f0fc745c4e13f",
            ),
            f"vae/{DIFFUSERS}.fp16.safetensors": (
                167_335_342,
                "3e4c08995484ee61270175e9e7a072b66a6e4eeb5f0c266667fe1f45b90daf9a",
            ),
        },
        "Stability AI Community",
        "it limits commercial use: read it on that page",
    ),
    _turbo(
        "stabilityai/sdxl-turbo",
        "71153311d3dbb46851df1931d3ca6e939de83304",
        6_940_000_000,
        {
            f"unet/{DIFFUSERS}.fp16.safetensors": (
                None,
                "48fa46161a745f48d4054df3fe13804ee255486bca893403b60373c188fd1bdb",
            ),
        },
        "Stability AI, non-commercial",
        "not for commercial use: read it on that page",
    ),
    _upscaler(2, "cee1c923c6a37361c6e5650b65dcf4be821e5d52"),
    _upscaler(4, UNPINNED),
    _amused(),
    _aesthetic(),
)
