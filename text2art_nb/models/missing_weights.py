"""Whether a checkpoint has all the weights of its model: diffusers and transformers fill gaps with random numbers, and
go on."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from text2art_nb.errors import ModelError


def check_whole(directory: Path, kind: str, loaded: Mapping[str, Collection[str]]) -> None:
    """Raises ModelError where weights are missing, or there are some that the model doesn't have.

    kind: what it should be, like "VQGAN"; loaded: what the library says with ``output_loading_info=True``.
    """
    check_nothing_missing(directory, kind, loaded)
    _refuse(directory, kind, loaded["unexpected_keys"], "has no place in it")


def check_nothing_missing(directory: Path, kind: str, loaded: Mapping[str, Collection[str]]) -> None:
    """As `check_whole`, for a model whose files may hold more than it: old ones have buffers that are computed now."""
    _refuse(directory, kind, loaded["missing_keys"], "is missing")


def _refuse(directory: Path, kind: str, keys: Collection[str], wrong: str) -> None:
    names = sorted(keys)
    if names:
        others = f", and {len(names) - 1} more" if len(names) > 1 else ""
        raise ModelError(f"{directory} holds no {kind} as its config.json says: {names[0]} {wrong}{others}")


_TOKENIZERS: Final = (
    ("tokenizer.json",),
    ("vocab.json", "merges.txt"),
    ("vocab.txt",),
    ("spiece.model",),
    ("sentencepiece.bpe.model",),
    ("tokenizer.model",),
)
"""The files that make a tokenizer, any of these sets: byte-level BPE, WordPiece, SentencePiece."""


def check_tokenizer_files(directory: Path) -> None:
    """Raises ModelError where `directory` has no tokenizer: transformers makes an empty one, and goes on.

    That one reads every text as the same tokens, and every prompt draws the same.
    """
    if any(all((directory / name).is_file() for name in names) for names in _TOKENIZERS):
        return
    given = sorted(name for names in _TOKENIZERS for name in names if (directory / name).is_file())
    half = f" ({given[0]} alone is half of one)" if given else ""
    raise ModelError(
        f"{directory} has no tokenizer{half}: put tokenizer.json, or vocab.json and merges.txt, there; "
        "where its repository has none, the model's card names the one that it was trained with"
    )


def check_tokenizer(name: str | Path, read: Callable[[str], Sequence[int]], pieces: int) -> None:
    """Raises ModelError where a tokenizer can't tell words apart, or has more pieces than its model has vectors.

    name: of the weights or of their directory; read: the token ids of a text; pieces: how many tokens the model knows.
    """
    samples = [tuple(read(text)) for text in ("a dog", "a fox", "red", "blue")]
    if len({*samples}) < len(samples):
        raise ModelError(f"the tokenizer of {name} reads different words alike: it has no vocabulary or damaged")
    highest = max(max(ids) for ids in samples)
    if highest >= pieces:
        raise ModelError(f"the tokenizer of {name} is of another model: token {highest} of {pieces}")
