"""What weights there are, where they come from, and which are on this machine: for the command line and the doctor."""

from pathlib import Path
from typing import TypedDict

from text2art_nb.errors import ModelError
from text2art_nb.models import cache, embedded
from text2art_nb.models.catalogue import ALIASES, CATALOGUE, Weights
from text2art_nb.models.provenance import Provenance
from text2art_nb.models.weights import beginning, is_commit

IN_PACKAGE = "in this package"
"""The source of what is never fetched."""


class Row(TypedDict):
    """One checkpoint. ``size``: bytes to fetch, None if unknown; ``on_disk``: bytes here; ``ready``: all is here;
    ``revision``: the hub's commit that it is of, as far as it is known, "" where there is none."""

    name: str
    aliases: list[str]
    kind: str
    source: str
    revision: str
    size: int | None
    licence: str
    note: str
    loadable: bool
    ready: bool
    on_disk: int
    directory: str


def rows() -> list[Row]:
    """The embedded models, then the catalogue in its order. Looks at the disk, at no server."""
    return [_embedded_row(kind) for kind in embedded.KINDS] + [_row(weights) for weights in CATALOGUE.values()]


def in_words(size: int | None) -> str:
    """A size in bytes as people say it: ``605 MB``."""
    if size is None:
        return "?"
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= factor:
            return f"{size / factor:.3g} {unit}"
    return f"{size} B"


def _row(weights: Weights) -> Row:
    where = cache.directory(weights)
    source = f"https://huggingface.co/{weights.repository}" if weights.repository else weights.files[-1].url
    return Row(
        name=weights.name,
        aliases=[alias for alias, name in ALIASES.items() if name == weights.name],
        kind=weights.kind,
        source=source,
        revision=_revision(weights, where),
        size=weights.size,
        licence=weights.licence,
        note=weights.note,
        loadable=weights.loadable,
        ready=not cache.lacking(weights, where),
        on_disk=cache.bytes_on_disk(where),
        directory=str(where),
    )


def _revision(weights: Weights, where: Path) -> str:
    """The catalogue's commit, or the one that was learned; its beginning, or "", where it wasn't yet."""
    if is_commit(weights.revision) or not weights.repository:
        return weights.revision
    known = beginning(weights.revision)
    try:
        return Provenance(where, weights.repository, weights.revision).commit_of(weights.repository) or known
    except ModelError:  # whoever uses the weights is told of it
        return known


def _embedded_row(kind: str) -> Row:
    where = embedded.WEIGHTS / kind
    size = cache.bytes_on_disk(where)
    # What looks at pictures is a CLIP like the others, by the name that perceptors= takes.
    eye = next((name for name, folder in embedded.EYES.items() if folder == kind), None)
    return Row(
        name=eye or "embedded",
        aliases=[],
        kind="clip" if eye else kind,
        source=IN_PACKAGE,
        revision="",
        size=size,
        licence="MIT",
        note="trained from nothing on pictures that the package draws itself",
        loadable=True,
        ready=(where / "config.json").is_file(),
        on_disk=size,
        directory=str(where),
    )
