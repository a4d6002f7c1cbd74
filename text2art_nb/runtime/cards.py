"""Which quality suits a graphics card: the one place where cards are known by name.

Two things decide. Time: a card gets the dearest quality that it ends in about the time in which a T4 ends `normal` (a
tenth more at most), by the work of a quality (`costs.time`) and the peak speed of the card, which no card reaches,
but all miss alike. Memory: a quality is taken only where what it needs is free.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

QUALITIES: Final = ("draft", "normal", "better", "best", "supreme")
"""From the cheapest to the dearest."""


@dataclass(frozen=True)
class Card:
    """A kind of card.

    Attributes:
        pattern: what its name has in it, as the driver tells it.
        teraflops: peak of dense half-precision arithmetic (float16 or bfloat16 in, no sparsity), from NVIDIA's data
            sheets.
        quality: what suits it.
    """

    pattern: str
    teraflops: int
    quality: str


# The work of a picture with the real models, `normal` being 1: better 2.0, best 2.9, supreme 5.3. Where cards of one
# name differ, the speed is the slowest one's.
CARDS: Final = (
    Card(r"\bB[23]00\b|\bGB[23]00\b", 2250, "supreme"),
    Card(r"\bG?H[12]00\b", 756, "supreme"),
    Card(r"\bRTX PRO 6000\b", 500, "supreme"),
    Card(r"\bL40S\b", 362, "supreme"),
    Card(r"\bA100\b", 312, "best"),
    Card(r"\bL40\b", 181, "best"),
    Card(r"\bA40\b", 150, "better"),
    Card(r"\bV100\b", 125, "better"),
    Card(r"\bA10\b", 125, "better"),
    Card(r"\bL4\b", 121, "better"),
    Card(r"\bT4\b", 65, "normal"),
)

# Bytes at a time with the real models, of a square picture. For `normal` a process that drew on a CPU was measured at
# 5.3 GB at its peak, everything in it, 1.3 times what `estimate` reckons; so are the others, rounded up to a GB.
# Published figures agree: VQGAN-CLIP names 4.8 GB for 300 x 300 pixels and 8.5 GB for 480 x 480.
NEEDS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "draft": 4_000_000_000,
        "normal": 6_000_000_000,
        "better": 9_000_000_000,
        "best": 15_000_000_000,
        "supreme": 19_000_000_000,
    }
)


@dataclass(frozen=True)
class Choice:
    """What a card draws with. quality: None where it has no room for the real models; why: in a few words."""

    quality: str | None
    why: str


def choose(name: str, free: int) -> Choice:
    """The quality for a card.

    Args:
        name: as the driver tells it, such as "Tesla T4". One that isn't in the table counts as a T4.
        free: bytes of its memory that nobody has.
    """
    card = next((card for card in CARDS if re.search(card.pattern, name)), None)
    wanted = card.quality if card is not None else "normal"
    for quality in reversed(QUALITIES[: QUALITIES.index(wanted) + 1]):
        if NEEDS[quality] <= free:
            if quality != wanted:
                return Choice(quality, f"{wanted} needs {NEEDS[wanted] / 1e9:.0f} GB of its memory")
            return Choice(quality, "which suits this card" if card is not None else "which suits most cards")
    return Choice(None, f"real models need {NEEDS['draft'] / 1e9:.0f} GB of the card's memory")
