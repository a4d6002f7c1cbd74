"""Fetching one file so that it is whole, checked, and never half there.

Bytes go to ``NAME.part`` and move to ``NAME`` in one step once size and digest are right. A connection that breaks is
taken up where it broke (HTTP Range), in this process or a later one; an address that fails for good gives way to the
next.
"""

import os
from pathlib import Path
from threading import Event

from text2art_nb.errors import ModelError
from text2art_nb.models.asking import Refused
from text2art_nb.models.provenance import Provenance
from text2art_nb.models.transfer import Cancelled, Circumstances, Notice, Patience, Progress, Transfer, digest
from text2art_nb.models.weights import File, address

__all__ = ["Absent", "Cancelled", "Notice", "Patience", "Progress", "digest", "fetch", "is_whole"]


class Absent(ModelError):
    """No address has such a file (HTTP 404 or 410 everywhere): another form of it may exist."""


def fetch(
    file: File,
    directory: Path,
    *,
    progress: Progress | None = None,
    notice: Notice | None = None,
    cancel: Event | None = None,
    patience: Patience | None = None,
    provenance: Provenance | None = None,
) -> Path:
    """Brings ``file``, or where there is none the one that serves as well, into ``directory``.

    Args:
        progress: called after each piece, on this thread.
        notice: called with a sentence where a server asks to wait.
        cancel: looked at before each piece, and while waiting.
        provenance: what is remembered of the checkpoint, and remembers this file; None remembers nothing.

    Returns:
        the path of the file. One that is there already, with the right size where that is known, is not fetched again.

    Raises:
        Absent: every address says that there is no such file.
        Cancelled: ``cancel`` was set.
        ModelError: no address gave it whole; each one's reason is in the text. Or the disk is full.
    """
    for choice in file.choices():
        if is_whole(choice, directory):
            return directory / choice.path
    around = Circumstances(
        progress or _silent, notice or _silent, cancel or Event(), patience or Patience(), provenance
    )
    absent: list[Absent] = []
    for choice in file.choices():
        try:
            return _fetch_one(choice, directory, around)
        except Absent as error:
            absent.append(error)
    raise Absent("; ".join(map(str, absent)))


def _fetch_one(file: File, directory: Path, around: Circumstances) -> Path:
    """``fetch`` without the files that serve as well: from the first address that has this one whole."""
    target = directory / file.path
    transfer = Transfer(file, target, around)
    reasons: list[tuple[str, Refused]] = []
    for url in (file.url, *file.mirrors):
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            transfer.run(url)
            return target
        except Refused as refusal:
            reasons.append((url, refusal))
        except OSError as error:  # what the network did is caught where it happened: this is the disk
            raise ModelError(f"{target} cannot be written ({error.strerror or error})") from error
    kind = Absent if all(refusal.absent for _, refusal in reasons) else ModelError
    tried = "; ".join(f"{address(url)}: {refusal}" for url, refusal in reasons)
    raise kind(f"{file.path} could not be fetched ({tried})")


def is_whole(file: File, directory: Path) -> bool:
    """True where the file is there, with its published size. (Its digest was checked when it came.)"""
    target = directory / file.path
    return os.path.isfile(target) and (file.size is None or target.stat().st_size == file.size)


def _silent(*_: object) -> None:
    pass
