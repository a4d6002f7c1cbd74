"""From the name of some weights to the directory of a checkpoint that is ready to load, fetched if need be."""

import contextlib
import os
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from pathlib import Path
from threading import Event
from typing import Any

from text2art_nb.errors import ModelError
from text2art_nb.models import cache, embedded
from text2art_nb.models.catalogue import Weights, find, is_known
from text2art_nb.models.download import Absent, Cancelled, Notice, Patience, Progress, digest, fetch
from text2art_nb.models.provenance import Provenance
from text2art_nb.models.weights import beginning, is_commit
from text2art_nb.runtime import filesystems


def locate(
    name: str,
    kind: str,
    *,
    download: bool = True,
    progress: Progress | None = None,
    cancel: Event | None = None,
    patience: Patience | None = None,
    notice: Notice | None = None,
) -> Path:
    """The directory of a checkpoint that is all there.

    Args:
        name: "embedded", and of perceptors "embedded-2", "embedded-3" and "judge"; the path of a directory with a
            ``config.json`` or with one of the authors' own files (a ``.ckpt`` with its ``.yaml``, a ``.pt``, an
            ``open_clip_config.json``), or of such a file; or a name or alias of the catalogue, which is looked for in
            text2art's cache, in the Hugging Face hub's, and then fetched.
        kind: what it is to be used as: clip, vqgan, judge, taesd, …
        download: False asks no server. ``TEXT2ART_OFFLINE=1`` and ``HF_HUB_OFFLINE=1`` say so for all.
        progress, cancel, patience: see ``download.fetch``; without cancel, what it is `cancelled_by`.
        notice: called with what is about to be fetched and its licence, before the first byte, and where a server asks
            to wait; None: whoever is `telling`, or else it is printed on stderr.

    Raises:
        ModelError: no such name; weights of another kind, or in a format that can't be loaded yet; or they are not here
            and can't be fetched, and then it says which files are missing, where they are, and where to put them.
        Cancelled: ``cancel`` was set.
    """
    if kind == "clip" and name in embedded.EYES:
        return embedded.directory(embedded.EYES[name])
    if name == "embedded":
        return embedded.directory(kind)
    path = _path(name)
    if (path / _INDEX.get(kind, "config.json")).is_file() or _is_original(path, kind):
        return path
    if path.is_absolute() or name.startswith(".") or (path.is_dir() and not (is_known(name) and _is_bare(path))):
        own = f" and no {_ORIGINALS[kind]} file" if kind in _ORIGINALS else ""
        raise ModelError(f"{path} is not a directory of weights: it has no {_INDEX.get(kind, 'config.json')}{own}")
    weights = find(name)
    _check_use(weights, name, kind)
    if here := _on_this_machine(weights):
        return here
    where = cache.directory(weights)
    if not download or is_offline():
        raise ModelError(_advice(weights, where, "and this is an offline run"))
    return _fetched(weights, progress, cancel or _CANCELLED_BY.get(), patience, notice or _TELLS.get() or _say)


def _on_this_machine(weights: Weights) -> Path | None:
    """Where all of a checkpoint is: in text2art's cache or the hub's, as it is or as what it falls back to."""
    for each in (weights, *map(find, weights.fallbacks)):
        where = cache.directory(each)
        if not cache.lacking(each, where):
            _check_unchanged(each, where)
            return where
        if elsewhere := _in_hub_cache(each):
            return elsewhere
    return None


def _fetched(
    weights: Weights, progress: Progress | None, cancel: Event | None, patience: Patience | None, notice: Notice
) -> Path:
    """The directory of a checkpoint that has just been fetched, or of what it falls back to where it can't be had."""
    troubles: list[str] = []
    for each in (weights, *map(find, weights.fallbacks)):
        where = cache.directory(each)
        notice(announcement(each) if not troubles else f"{troubles[-1]}; {announcement(each)}")
        try:
            _download(each, where, progress, cancel, patience, notice)
            return where
        except Cancelled:
            raise
        except ModelError as error:
            troubles.append(f"{each.name} can't be had: {error}" if weights.fallbacks else str(error))
    raise ModelError(_advice(weights, cache.directory(weights), f"and {'; '.join(troubles)}"))


def _path(name: str) -> Path:
    try:
        return Path(name).expanduser()
    except RuntimeError as error:
        raise ModelError(f"'{name}' is no path of weights here: {error}") from error


def _is_bare(directory: Path) -> bool:
    """Whether a directory has no tensors of its own: then it only happens to be called like some weights."""
    return not any(path.suffix in _TENSORS for path in directory.glob("*"))


_TENSORS = (".safetensors", ".bin", ".ckpt", ".pt", ".pth")
_INDEX = {"diffusion": "model_index.json"}  # what says that a directory is a checkpoint, where it has several models
_ORIGINALS = {"vqgan": ".ckpt", "clip": ".pt"}  # what the authors of taming-transformers and of CLIP saved
_OPEN_CLIP = "open_clip_config.json"  # beside the tensors of a CLIP that open_clip saved


def _is_original(path: Path, kind: str) -> bool:
    """Whether a path is, or holds, a file in the authors' own format."""
    suffix = _ORIGINALS.get(kind)
    if suffix == ".ckpt":
        from text2art_nb.models import taming  # here, because it loads torch

        return taming.find(path) is not None
    if suffix is None:
        return False
    if kind == "clip" and (path / _OPEN_CLIP).is_file():
        return True
    return path.suffix == suffix if path.is_file() else any(path.glob(f"*{suffix}"))


def announcement(weights: Weights) -> str:
    """What a user must be told before anything is fetched: what, how much, from where, and under which licence."""
    size = "" if weights.size is None else f" ({weights.size / 1e6:,.0f} MB)"
    where = weights.page or weights.files[-1].url
    note = f"; {weights.licence_note}" if weights.licence_note else ""
    return f"fetching {weights.name}{size} from {where}; licence: {weights.licence}{note}"


def _say(sentence: str) -> None:
    print(f"text2art: {sentence}", file=sys.stderr, flush=True)


_ASKS_NOBODY: ContextVar[bool] = ContextVar("text2art_asks_nobody", default=False)
_TELLS: ContextVar[Notice | None] = ContextVar("text2art_tells", default=None)
_CANCELLED_BY: ContextVar[Event | None] = ContextVar("text2art_cancelled_by", default=None)


@contextmanager
def _holding(variable: ContextVar[Any], value: Any) -> Iterator[None]:
    token = variable.set(value)
    try:
        yield
    finally:
        variable.reset(token)


def without_network() -> AbstractContextManager[None]:
    """While it lasts, no server is asked for weights, on this thread."""
    return _holding(_ASKS_NOBODY, True)


def telling(notice: Notice) -> AbstractContextManager[None]:
    """While it lasts, `notice` hears what is fetched on this thread and under which licence, before the first byte."""
    return _holding(_TELLS, notice)


def cancelled_by(event: Event) -> AbstractContextManager[None]:
    """While it lasts, `event` ends what is being fetched on this thread: whoever sets it needn't wait for gigabytes."""
    return _holding(_CANCELLED_BY, event)


def is_offline() -> bool:
    """True where the environment, or `without_network`, says that no server is to be asked."""
    if _ASKS_NOBODY.get():
        return True
    words = (os.environ.get(name, "") for name in ("TEXT2ART_OFFLINE", "HF_HUB_OFFLINE"))
    return any(word.lower() in ("1", "true", "yes", "on") for word in words)


def _check_use(weights: Weights, name: str, kind: str) -> None:
    if weights.kind != kind:
        raise ModelError(f"'{name}' is a {weights.kind}, not a {kind}")
    if not weights.loadable:
        ready = {"clip": "ViT-B/32", "vqgan": "imagenet_f16_16384"}.get(kind)
        hint = f"; '{ready}' can" if ready else ""
        raise ModelError(f"'{name}' is known, but its format ({weights.files[-1].path}) can't be loaded yet{hint}")


def _in_hub_cache(weights: Weights) -> Path | None:
    """Where huggingface_hub has fetched the same commit before, for some other program."""
    if not weights.repository:
        return None
    from huggingface_hub import try_to_load_from_cache

    index = next(file.path for file in weights.files if not file.optional)
    known = _provenance(weights, cache.directory(weights)).commit_of(weights.repository) or beginning(weights.revision)
    found = try_to_load_from_cache(weights.repository, index, revision=known if is_commit(known) else None)
    if not isinstance(found, str):
        return None
    snapshot = Path(found).parents[index.count("/")]
    if not snapshot.name.startswith(known):
        return None
    return None if cache.lacking(weights, snapshot) else snapshot


def _check_unchanged(weights: Weights, where: Path) -> None:
    """Raises ModelError where a fetched file has other bytes than it came with. Looks only into those written since."""
    provenance = _provenance(weights, where)
    for path, fetched in list(provenance.touched(where)):
        if digest(where / path) != fetched.sha256:
            raise ModelError(
                f"{where / path} isn't the file that was fetched (from {fetched.url}, sha256 {fetched.sha256}): delete "
                f"it to fetch it again, or delete {provenance.path} if the new one is yours"
            )
        with contextlib.suppress(OSError):  # a cache that can't be written: it is looked into the next time again
            provenance.learn_file(path, where / path, fetched.sha256, fetched.url)


def _provenance(weights: Weights, where: Path) -> Provenance:
    return Provenance(where, weights.repository, weights.revision)


def _download(
    weights: Weights,
    where: Path,
    progress: Progress | None,
    cancel: Event | None,
    patience: Patience | None,
    notice: Notice,
) -> None:
    """Fetches what is lacking, the tensors last: once they are there, the rest is too. One run at a time does it."""
    try:
        where.mkdir(parents=True, exist_ok=True)
        with _turn(filesystems.lock_file(where / ".lock"), cancel):
            provenance = _provenance(weights, where)
            for file in weights.files:
                try:
                    fetch(
                        file,
                        where,
                        progress=progress,
                        notice=notice,
                        cancel=cancel,
                        patience=patience,
                        provenance=provenance,
                    )
                except Absent:
                    if not file.optional:
                        raise
    except OSError as error:
        raise ModelError(f"{where} cannot be written ({error.strerror or error})") from error


def _turn(path: Path, cancel: Event | None) -> AbstractContextManager[object]:
    """The lock of a checkpoint's directory, waited for until it's free or the waiting is cancelled."""
    import filelock  # here, so that the doctor can say that it's missing

    lock = filelock.FileLock(path, is_singleton=False)
    while True:
        try:
            return lock.acquire(timeout=0.2)  # whose end releases it: a lock that is entered too is held twice
        except filelock.Timeout:
            if cancel and cancel.is_set():
                raise Cancelled("waiting for another run's download was stopped") from None


def _advice(weights: Weights, where: Path, why: str) -> str:
    """What is missing, why, and how to mend it by hand."""
    missing = cache.lacking(weights, where)
    names = ", ".join(" or ".join(choice.path for choice in file.choices()) for file in missing)
    source = f"https://huggingface.co/{weights.repository}" if weights.repository else missing[0].url
    return (
        f"the weights '{weights.name}' are not on this machine, {why}. Missing: {names}; they are at {source}, "
        f"and belong into {where} (or give the path of a directory that holds them instead of the name)"
    )
