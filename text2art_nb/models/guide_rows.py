"""The catalogue's CLIPs beside OpenAI's, LAION's and Google's: light ones, robust ones, and a referee.

Where no project names a commit, the row has none, and the first download learns it (`models.provenance`).
"""

from text2art_nb.models.hub_rows import CLIP_B32, CLIP_B32_COMMIT, PICKLE, TENSORS, dual_encoder, hub_file
from text2art_nb.models.weights import UNPINNED, File, Weights, hub_url

TINYCLIP = "wkcn/TinyCLIP-ViT-8M-16-Text-3M-YFCC15M"
PICKSCORE = "yuvalkirstain/PickScore_v1"
OPEN_CLIP = "open_clip_model.safetensors"
OPEN_CLIP_PICKLE = "open_clip_pytorch_model.bin"

_H14 = "laion/CLIP-ViT-H-14-laion2B-s32B-b79K"
_H14_COMMIT = "1c2b8495b28150b8a4922ee1c8edee224c284c0c"


def _open_clip(repository: str, revision: str, size: int, licence: str, note: str) -> Weights:
    """A CLIP in open_clip's layout. Its words are OpenAI's, whose tokenizer.json is known to be complete."""
    tensors = File(
        hub_url(repository, OPEN_CLIP, revision),
        OPEN_CLIP,
        otherwise=hub_file(repository, OPEN_CLIP_PICKLE, revision),
    )
    words = hub_file(CLIP_B32, "tokenizer.json", CLIP_B32_COMMIT)
    files = (hub_file(repository, "open_clip_config.json", revision), words, tensors)
    return Weights(repository, "clip", files, size, licence, repository, revision, note)


def _pickscore() -> Weights:
    """PickScore, which is published without a tokenizer: it is a ViT-H/14 trained on, and reads as that does."""
    tensors = File(hub_url(PICKSCORE, TENSORS, UNPINNED), TENSORS, otherwise=hub_file(PICKSCORE, PICKLE, UNPINNED))
    words = [hub_file(_H14, path, _H14_COMMIT) for path in ("tokenizer.json", "tokenizer_config.json")]
    extra = ("special_tokens_map.json", "preprocessor_config.json")
    optional = [hub_file(_H14, path, _H14_COMMIT, optional=True) for path in extra]
    files = (hub_file(PICKSCORE, "config.json", UNPINNED), *words, *optional, tensors)
    note = "knows which of two pictures people prefer: a referee"
    return Weights(PICKSCORE, "clip", files, 3_940_000_000, "see its card", PICKSCORE, UNPINNED, note)


GUIDE_ROWS = (
    dual_encoder(
        TINYCLIP,
        "a2a8c6eaa2549ad66eb7c31b85022bf58273a26c",
        93_800_000,
        "MIT",
        "for CPUs; what model=light looks with; 41.1 % zero-shot on ImageNet",
    ),
    dual_encoder(
        "wkcn/TinyCLIP-ViT-40M-32-Text-19M-LAION400M",
        UNPINNED,
        337_000_000,  # reckoned from its shape
        "MIT",
        "for CPUs: as fast as the smallest, knows more",
    ),
    dual_encoder(
        "wkcn/TinyCLIP-ViT-39M-16-Text-19M-YFCC15M",
        UNPINNED,
        333_000_000,  # likewise
        "MIT",
        "63.5 % zero-shot on ImageNet with half the work of ViT-B/16",
    ),
    _open_clip(
        "chs20/FARE4-ViT-B-32-laion2B-s34B-b79K",
        UNPINNED,
        605_000_000,
        "see its card; LAION's, of which it is made, is MIT",
        "robust: ViT-B/32, adversarially fine-tuned",
    ),
    _open_clip("chs20/fare2-clip", UNPINNED, 1_710_000_000, "MIT", "robust: ViT-L/14, adversarially fine-tuned"),
    dual_encoder(
        "laion/CLIP-ViT-L-14-DataComp.XL-s13B-b90K",
        UNPINNED,
        1_710_000_000,
        "MIT",
        "ViT-L/14 on DataComp-1B",
    ),
    _pickscore(),
)
