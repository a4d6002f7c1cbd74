"""Names of weights, where they come from, and the way to a directory that is ready to load."""

from text2art_nb.models.cache import root as cache_root
from text2art_nb.models.catalogue import ALIASES, CATALOGUE, File, Weights, find
from text2art_nb.models.download import Cancelled, Patience, Progress, fetch
from text2art_nb.models.listing import rows
from text2art_nb.models.locate import cancelled_by, locate, telling, without_network
from text2art_nb.models.verify import Verdict, verdicts
from text2art_nb.models.vocabulary import known_words, nearest_word, unknown_words

__all__ = [
    "ALIASES",
    "CATALOGUE",
    "Cancelled",
    "File",
    "Patience",
    "Progress",
    "Verdict",
    "Weights",
    "cache_root",
    "cancelled_by",
    "fetch",
    "find",
    "known_words",
    "locate",
    "nearest_word",
    "rows",
    "telling",
    "unknown_words",
    "verdicts",
    "without_network",
]
