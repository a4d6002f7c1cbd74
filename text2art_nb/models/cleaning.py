"""Clean prompts as a text encoder's training captions were cleaned: what looks the same must give the same tokens.

CLIP and open_clip repaired mojibake and typographic quotes (ftfy), resolved HTML entities and joined whitespace. SigLIP
and SigLIP 2 also dropped ASCII punctuation and capitals (open_clip calls it `canonicalize`, after Google's big_vision).
Without it `it’s`, typed on a phone, is other tokens than `it's`.
"""

import html
import string
from typing import Final

_WITHOUT_PUNCTUATION: Final = str.maketrans("", "", string.punctuation)


def clean(text: str) -> str:
    """`text` as CLIP's captions were cleaned, in lower case (here, because tokenizers know no final sigma)."""
    import ftfy  # here, because the embedded models don't need it

    return " ".join(html.unescape(html.unescape(ftfy.fix_text(text))).split()).lower()


def canonicalize(text: str) -> str:
    """A cleaned text as SigLIP's captions were: underscores as spaces, no other ASCII punctuation, lower case."""
    return " ".join(text.replace("_", " ").translate(_WITHOUT_PUNCTUATION).lower().split())
