"""What is known of some weights: their files, the addresses of each, its size and digest, and the commit it is of.

An address on the hub names a commit. Where nobody has published which one a repository's files are of, the address has
`UNPINNED` in its place, and the first download asks the hub for it (`models.provenance`).
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass

HUB = "https://huggingface.co"
UNPINNED = "{commit}"
"""Stands in an address for a commit that the first download learns."""

_ON_THE_HUB = re.compile(rf"{re.escape(HUB)}/(?P<repository>[^/]+/[^/]+)/resolve/(?P<commit>[^/]+)/(?P<path>[^?]+)")


@dataclass(frozen=True, slots=True)
class File:
    """One file of a checkpoint.

    Attributes:
        url: where its authors have it.
        path: its name in the checkpoint's directory.
        size: bytes, None where not published.
        sha256: hex digest, None where not published.
        mirrors: other addresses of the same bytes, tried in turn after ``url``.
        optional: nice to have; a repository without it is complete.
        otherwise: the file that serves as well where this one doesn't exist (old repositories' ``pytorch_model.bin``).
    """

    url: str
    path: str
    size: int | None = None
    sha256: str | None = None
    mirrors: tuple[str, ...] = ()
    optional: bool = False
    otherwise: "File | None" = None

    def choices(self) -> Iterator["File"]:
        """This file, then those that serve as well."""
        yield self
        if self.otherwise:
            yield from self.otherwise.choices()


@dataclass(frozen=True, slots=True)
class Weights:
    """A checkpoint that text2art knows by name.

    Attributes:
        name: its name here; a repository's name for those in the hub's layout.
        kind: what it is for: clip, vqgan, taesd, diffusion, proposal, aesthetic, upscaler.
        files: what its directory holds.
        size: bytes to fetch, about; None where not published.
        repository: the hub's, "" where it lies elsewhere.
        revision: the repository's commit, 40 hex digits; fewer where only its beginning is published; `UNPINNED` where
            nothing is; "" without a repository.
        note: what a user should know before fetching it.
        licence_note: what a user must know of the licence before fetching it.
        loadable: False for what text2art can't use yet.
        fallbacks: names of rows that are the same weights in another form, used where this one can't be had.
    """

    name: str
    kind: str
    files: tuple[File, ...]
    size: int | None
    licence: str
    repository: str = ""
    revision: str = ""
    note: str = ""
    loadable: bool = True
    licence_note: str = ""
    fallbacks: tuple[str, ...] = ()

    @property
    def page(self) -> str:
        """Its page on the hub, where its licence is to be read; "" where it lies elsewhere."""
        return f"{HUB}/{self.repository}" if self.repository else ""

    @property
    def mirrors(self) -> tuple[str, ...]:
        """Every address besides the authors' that some of its files are known at."""
        return tuple(mirror for file in self.files for mirror in file.mirrors)


def beginning(revision: str) -> str:
    """What is published of a commit: all of it, its beginning, or ""."""
    return revision if re.fullmatch(r"[0-9a-f]+", revision) else ""


def is_commit(revision: str) -> bool:
    """Whether a revision is a whole commit, 40 hex digits."""
    return re.fullmatch(r"[0-9a-f]{40}", revision) is not None


def hub_url(repository: str, path: str, revision: str) -> str:
    """The address of a repository's file; with `UNPINNED` in it unless the revision is a whole commit."""
    return f"{HUB}/{repository}/resolve/{revision if is_commit(revision) else UNPINNED}/{path}"


def repository_of(url: str) -> str | None:
    """The hub's repository that an address of the catalogue is of; None for one elsewhere."""
    found = _ON_THE_HUB.match(url)
    return found["repository"] if found else None


def endpoint() -> str:
    """Where the hub is asked: ``$HF_ENDPOINT`` if that is set, as huggingface_hub does."""
    return os.environ.get("HF_ENDPOINT", "").rstrip("/") or HUB


def address(url: str) -> str:
    """Where to ask for ``url``: for one on the hub at `endpoint`."""
    return endpoint() + url.removeprefix(HUB) if url.startswith(f"{HUB}/") else url
