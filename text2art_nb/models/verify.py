"""Whether the files of a checkpoint are those that were published, or that came first: reads all their bytes."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from text2art_nb.models.download import digest
from text2art_nb.models.provenance import Provenance
from text2art_nb.models.weights import Weights


@dataclass(frozen=True, slots=True)
class Verdict:
    """One file that is there.

    Attributes:
        path: its name in the checkpoint's directory.
        found: its sha256.
        published: the catalogue's, None where nobody has published one.
        remembered: the one that it came with, None where it was put there by hand.
    """

    path: str
    found: str
    published: str | None
    remembered: str | None

    @property
    def expected(self) -> str | None:
        """What it should be; None where nothing is known of it."""
        return self.published or self.remembered

    @property
    def ok(self) -> bool:
        """False if it is another file than the one that is known."""
        return self.expected in (None, self.found)


def verdicts(weights: Weights, where: Path) -> Iterator[Verdict]:
    """One for each file of the checkpoint that is in the directory ``where``, in the catalogue's order.

    Raises:
        ModelError: what is remembered of it can't be read.
        OSError: a file can't be.
    """
    provenance = Provenance(where, weights.repository, weights.revision)
    for file in weights.files:
        for choice in file.choices():
            if (where / choice.path).is_file():
                found = digest(where / choice.path)
                yield Verdict(choice.path, found, choice.sha256, provenance.digest_of(choice.path))
