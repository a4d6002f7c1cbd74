"""A bridge to Firestore, for clients written for the article's collections.

A document in `queue` becomes a job with the document's id. It stays there while it waits and is deleted when the
drawing begins, as those clients expect. The job's state is mirrored to `generated_images`. Firestore is not the queue:
jobs are in our own, so nothing is lost when a process dies, and a document that is taken twice, even by two bridges,
becomes one job.

Clients can read all of `queue`, so an e-mail address in it is moved to a private collection at once. Your security
rules should deny everyone that collection, and restrict who may write to `queue`.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from pydantic import ValidationError

from text2art_nb.errors import Text2ArtError
from text2art_nb.serve.extras import install_hint
from text2art_nb.serve.job_service import JobService
from text2art_nb.serve.jobs import ENDS, Job
from text2art_nb.serve.problems import Problem
from text2art_nb.serve.requests import JobRequest

if TYPE_CHECKING:
    from google.cloud.firestore import Client, DocumentSnapshot, FieldFilter
    from google.cloud.firestore_v1.watch import DocumentChange, Watch

QUEUE: Final = "queue"
RESULTS: Final = "generated_images"
PRIVATE: Final = "private_addresses"

LOOK_SECONDS: Final = 1.0
WATCH_SECONDS: Final = 10.0
"""Minimum interval between two attempts to restart an ended watch."""
MAX_OPEN: Final = 10_000
"""Most jobs mirrored at a time; further documents wait."""


def connect(project: str) -> "Client":
    """Connect to a Google project's Firestore, or to $FIRESTORE_EMULATOR_HOST. Raises Text2ArtError."""
    try:
        from google.cloud import firestore
    except ImportError:
        raise Text2ArtError(f"the Firestore bridge needs google-cloud-firestore: {install_hint('firestore')}") from None
    try:
        return firestore.Client(project=project)
    except Exception as error:  # google.auth has many, for missing, expired or foreign credentials
        raise Text2ArtError(f"Firestore of the project {project!r} is not available: {error}") from error


class Bridge:
    """Submit the documents of `queue` as jobs, and mirror the jobs' state to `generated_images`."""

    def __init__(self, service: JobService, client: "Client") -> None:
        self._service, self._client = service, client
        self._waiting: dict[str, float] = {}
        """Documents to submit, by id: when each was created."""
        self._open: set[str] = set()
        """Documents whose address is not hidden yet."""
        self._mirrored: dict[str, dict[str, object] | None] = {}
        """The mirrored state of each open job; None: unknown."""
        self._news, self._lock, self._over = threading.Event(), threading.Lock(), threading.Event()
        self._watch: Watch | None = None
        self._watched = float("-inf")
        self._thread = threading.Thread(target=self._run, name="text2art-firestore", daemon=True)

    def start(self) -> None:
        """Start, beginning with what an earlier bridge left open."""
        for status in ("queued", "running"):
            for found in self._client.collection(RESULTS).where(filter=_equal("status", status)).stream():
                self._mirrored[found.id] = None
        self._watch_queue()
        self._thread.start()

    def stop(self) -> None:
        """Stop; the next bridge continues with what is open."""
        self._over.set()
        self._news.set()
        if self._watch is not None:
            self._watch.unsubscribe()
        if self._thread.is_alive():
            self._thread.join(10)

    def _watch_queue(self) -> None:
        """Subscribe to the queue: all of its documents, then every new one."""
        self._watch = self._client.collection(QUEUE).on_snapshot(self._on_snapshot)
        self._watched = time.monotonic()

    def _on_snapshot(self, documents: object, changes: "Sequence[DocumentChange]", _: object) -> None:
        """Record new documents. This is Firestore's own thread, which must not wait."""
        new = {change.document.id: _created(change.document) for change in changes if change.type.name == "ADDED"}
        with self._lock:
            self._waiting |= new
            self._open |= new.keys()
        self._news.set()

    def _run(self) -> None:
        while not self._over.is_set():
            self._news.wait(LOOK_SECONDS)
            self._news.clear()
            self._poll()

    def _poll(self) -> None:
        """Do one round of all pending work."""
        watch = self._watch
        if watch is not None and not watch.is_active and time.monotonic() - self._watched > WATCH_SECONDS:
            with _logged_errors("the queue"):
                logging.getLogger("text2art").warning("the watch on Firestore ended; starting it again")
                self._watch_queue()
        for id in self._entries_with_address():
            with _logged_errors(id):
                self._hide_entry_address(id)
        for id in self._next_entries():
            with _logged_errors(id):
                if not self._submit_entry(id):
                    break
        for id in list(self._mirrored):
            with _logged_errors(id):
                self._mirror(id)

    def _entries_with_address(self) -> list[str]:
        """Documents whose address is not hidden yet, whether or not there is room for them."""
        with self._lock:
            return list(self._open)

    def _hide_entry_address(self, id: str) -> None:
        entry = self._client.collection(QUEUE).document(id).get().to_dict()
        if entry is not None and entry.get("email") is not None:
            self._hide_address(id, entry)
        with self._lock:
            self._open.discard(id)

    def _next_entries(self) -> list[str]:
        """Documents that there is room for, oldest first."""
        with self._lock:
            come = sorted(self._waiting, key=lambda id: (self._waiting[id], id))
        return come[: max(0, MAX_OPEN - len(self._mirrored))]

    def _submit_entry(self, id: str) -> bool:
        """Submit a document if it still exists. Return False if the queue is full: it waits, and all behind it."""
        entry = self._client.collection(QUEUE).document(id).get().to_dict()
        if entry is not None:
            address = self._hide_address(id, entry)
            try:
                job = self._service.submissions.submit(_request(entry, address), f"firestore {id}", id=id)
                self._mirrored.setdefault(job.id, None)
            except Problem as problem:
                if problem.status == 429:
                    return False
                self._refuse(id, entry, problem.detail)
            except ValidationError as error:
                self._refuse(id, entry, "; ".join(each["msg"] for each in error.errors()))
        with self._lock:
            self._waiting.pop(id, None)
        return True

    def _hide_address(self, id: str, entry: dict[str, object]) -> str | None:
        """Move the address to the private collection and return it, even if it was moved before."""
        private = self._client.collection(PRIVATE).document(id)
        address = entry.get("email")
        if address is None:
            known = private.get().to_dict()
            return None if known is None else known.get("email")
        address = address if isinstance(address, str) and address else None
        if address is not None:
            private.set({"email": address})
        self._client.collection(QUEUE).document(id).update({"email": None})
        return address

    def _refuse(self, id: str, entry: dict[str, object], sentence: str) -> None:
        prompt = str(entry.get("prompt", ""))[:2000]
        self._client.collection(RESULTS).document(id).set({"prompt": prompt, "status": "failed", "error": sentence})
        self._forget(id)

    def _mirror(self, id: str) -> None:
        """Write a job's state if it has changed."""
        try:
            job = self._service.feed.get(id)
        except Problem as problem:  # removed since
            shown: dict[str, object] = {"status": "failed", "error": problem.detail, "position": None, "eta": None}
            self._client.collection(RESULTS).document(id).set(shown, merge=True)
            self._forget(id)
            return
        shown = _shown(job, self._service.config.url or "")
        if shown != self._mirrored.get(id):
            self._client.collection(RESULTS).document(id).set(shown, merge=True)
            self._mirrored[id] = shown
        if job.status != "queued":
            self._client.collection(QUEUE).document(id).delete()
        if job.status in ENDS:
            self._forget(id)

    def _forget(self, id: str) -> None:
        """Delete a finished document and its address."""
        self._client.collection(QUEUE).document(id).delete()
        self._client.collection(PRIVATE).document(id).delete()
        self._mirrored.pop(id, None)


def _request(entry: dict[str, object], address: str | None) -> JobRequest:
    """Read a document as a request. Further fields, which clients use themselves, are ignored."""
    fields = {name: entry[name] for name in JobRequest.model_fields if entry.get(name) is not None and name != "email"}
    return JobRequest.model_validate({**fields, "email": address})


def _shown(job: Job, url: str) -> dict[str, object]:
    """The public fields of a job."""
    shown: dict[str, object] = {
        "prompt": job.prompt,
        "status": job.status,
        "position": job.position,
        "eta": None if job.eta is None else round(job.eta),
        "iteration": job.iteration,
        "total": job.total,
        "public": job.public,
        "created": job.created,
        "error": job.error,
    }
    if job.status == "done":
        there = {"image": True, "video": job.has_video, "svg": job.has_svg}
        shown |= {name: f"{url}/api/jobs/{job.id}/{name}" for name, has in there.items() if has}
    return shown


def _created(document: "DocumentSnapshot") -> float:
    """Creation time of a document, in seconds since 1970."""
    return float(document.create_time.timestamp()) if document.create_time is not None else time.time()


def _equal(field: str, value: str) -> "FieldFilter":
    from google.cloud.firestore import FieldFilter

    return FieldFilter(field, "==", value)


@contextlib.contextmanager
def _logged_errors(id: str) -> Iterator[None]:
    """Log the error of one document; it is retried in the next round, and the others continue."""
    try:
        yield
    except Exception:  # the network, quotas, security rules
        logging.getLogger("text2art").exception("the Firestore bridge failed on %s; trying again", id)
