"""The tokenizer of the embedded CLIPs: a byte-level BPE trained on the world's own captions.

Byte level means that every string can be read: a word with a typo or a word never seen becomes a few known pieces
instead of an `<unk>`, which is how `casttle` still comes out near `castle`.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast

LENGTH = 40
"""Tokens at most, the start and the end included."""
PAD, START, UNKNOWN, END = "<pad>", "<start>", "<unk>", "<end>"


def train_tokenizer(captions: Iterable[str], size: int = 1536) -> "PreTrainedTokenizerFast":
    """A byte-level BPE tokenizer of at most `size` pieces, lower-casing, trained on `captions`."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    special = [PAD, START, UNKNOWN, END]
    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase(), normalizers.Strip()])
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(captions, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{START} $A {END}", special_tokens=[(START, special.index(START)), (END, special.index(END))]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token=PAD,
        bos_token=START,
        unk_token=UNKNOWN,
        eos_token=END,
        model_max_length=LENGTH,
        model_input_names=["input_ids", "attention_mask"],
    )


def save_words(words: Iterable[str], directory: Path) -> None:
    """Write `vocabulary.json`: the words that the model was taught, sorted."""
    text = json.dumps(sorted(set(words)), ensure_ascii=False, indent=0)
    (directory / "vocabulary.json").write_text(text + "\n", encoding="utf-8")
