"""A bridge to Firestore, for clients that were written for the article's collections.

An entry in `queue` becomes a job whose name is the document's; while it waits it stays there, and it vanishes when the
drawing begins, as those clients expect. How the job stands is mirrored into `generated_images`. Firestore is no queue
of ours: jobs are in our own, so that nothing is lost when a process dies, and an entry that is taken twice, also by two
bridges, is one job all the same.

Clients read `queue` whole, so an address in it is seen by all: it is moved into a private collection at once. Let your
security rules deny that one to everybody, and give `queue` only what may be written by whom.
"""

import contextlib
import logging
import threading
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

from pydantic import ValidationError

from text2art_nb.errors import Text2ArtError
from text2art_nb.serve.extras import how_to_add
from text2art_nb.serve.jobs import ENDS, Desk, Job
from text2art_nb.serve.problems import Problem
from text2art_nb.serve.requests import JobRequest

if TYPE_CHECKING:
    from google.cloud.firestore import Client

QUEUE: Final = "queue"
RESULTS: Final = "generated_images"
PRIVATE: Final = "private_addresses"

LOOK_SECONDS: Final = 1.0
WATCH_SECONDS: Final = 10.0
"""A watch that has ended is begun anew at most so often."""
MOST_OPEN: Final = 10_000
"""Most jobs that are mirrored at a time; later ones are taken when some of these have ended."""


def connect(project: str) -> "Client":
    """Firestore of a Google project, or the emulator at $FIRESTORE_EMULATOR_HOST. Raises Text2ArtError."""
    try:
        from google.cloud import firestore
    except ImportError:
        raise Text2ArtError(f"the Firestore bridge needs google-cloud-firestore: {how_to_add('firestore')}") from None
    try:
        return firestore.Client(project=project)
    except Exception as error:  # google.auth has many, for credentials that are missing, old, or for somebody else
        raise Text2ArtError(f"Firestore of the project {project!r} can't be had: {error}") from error


class Bridge:
    """Carries entries of `queue` to the desk, and what becomes of them to `generated_images`."""

    def __init__(self, desk: Desk, client: "Client") -> None:
        self._desk, self._client = desk, client
        self._waiting: dict[str, float] = {}
        """Entries that are to be taken, by their documents' names: when each came."""
        self._open: set[str] = set()
        """Those whose address is still to be hidden."""
        self._mirrored: dict[str, dict[str, Any] | None] = {}
        """What `generated_images` has of each open job; None: not known."""
        self._news, self._lock, self._over = threading.Event(), threading.Lock(), threading.Event()
        self._watch: Any = None
        self._watched = float("-inf")
        self._thread = threading.Thread(target=self._run, name="text2art-firestore", daemon=True)

    def start(self) -> None:
        """Begin, with what an earlier bridge left open."""
        for status in ("queued", "running"):
            for found in self._client.collection(RESULTS).where(filter=_equal("status", status)).stream():
                self._mirrored[found.id] = None
        self._watch_queue()
        self._thread.start()

    def stop(self) -> None:
        """End; what is open goes on when the next one starts."""
        self._over.set()
        self._news.set()
        if self._watch is not None:
            self._watch.unsubscribe()
        if self._thread.is_alive():
            self._thread.join(10)

    def _watch_queue(self) -> None:
        """Have Firestore say what is in the queue, all of it once more, and what comes."""
        self._watch = self._client.collection(QUEUE).on_snapshot(self._hear)
        self._watched = time.monotonic()

    def _hear(self, documents: Any, changes: Any, _: Any) -> None:
        """Firestore's own thread says what is new in the queue; it isn't kept waiting."""
        new = {change.document.id: _created(change.document) for change in changes if change.type.name == "ADDED"}
        with self._lock:
            self._waiting |= new
            self._open |= new.keys()
        self._news.set()

    def _run(self) -> None:
        while not self._over.is_set():
            self._news.wait(LOOK_SECONDS)
            self._news.clear()
            self._round()

    def _round(self) -> None:
        """Look once at all that there is to do."""
        if not self._watch.is_active and time.monotonic() - self._watched > WATCH_SECONDS:
            with _kept("the queue"):
                logging.getLogger("text2art").warning("Firestore no longer says what is new; it is asked to again")
                self._watch_queue()
        for id in self._exposed():
            with _kept(id):
                self._hide(id)
        for id in self._next():
            with _kept(id):
                if not self._take(id):
                    break
        for id in list(self._mirrored):
            with _kept(id):
                self._mirror(id)

    def _exposed(self) -> list[str]:
        """Entries whose address is still to be hidden, whether or not there is room for them."""
        with self._lock:
            return list(self._open)

    def _hide(self, id: str) -> None:
        entry = self._client.collection(QUEUE).document(id).get().to_dict()
        if entry is not None and entry.get("email") is not None:
            self._hide_address(id, entry)
        with self._lock:
            self._open.discard(id)

    def _next(self) -> list[str]:
        """Entries that there is room for, as they came."""
        with self._lock:
            come = sorted(self._waiting, key=lambda id: (self._waiting[id], id))
        return come[: max(0, MOST_OPEN - len(self._mirrored))]

    def _take(self, id: str) -> bool:
        """Make a job of an entry, if it still is there; False if the queue is full: it waits, and all behind it."""
        entry = self._client.collection(QUEUE).document(id).get().to_dict()
        if entry is not None:
            address = self._hide_address(id, entry)
            try:
                job = self._desk.submit(_request(entry, address), f"firestore {id}", id=id)
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

    def _hide_address(self, id: str, entry: dict[str, Any]) -> str | None:
        """Move the address to where nobody sees it; the address, also if that was done before."""
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

    def _refuse(self, id: str, entry: dict[str, Any], sentence: str) -> None:
        prompt = str(entry.get("prompt", ""))[:2000]
        self._client.collection(RESULTS).document(id).set({"prompt": prompt, "status": "failed", "error": sentence})
        self._forget(id)

    def _mirror(self, id: str) -> None:
        """Write down how a job stands, if that has changed."""
        try:
            job = self._desk.get(id)
        except Problem as problem:  # removed since
            shown: dict[str, Any] = {"status": "failed", "error": problem.detail, "position": None, "eta": None}
            self._client.collection(RESULTS).document(id).set(shown, merge=True)
            self._forget(id)
            return
        shown = _shown(job, self._desk.config.url or "")
        if shown != self._mirrored.get(id):
            self._client.collection(RESULTS).document(id).set(shown, merge=True)
            self._mirrored[id] = shown
        if job.status != "queued":
            self._client.collection(QUEUE).document(id).delete()
        if job.status in ENDS:
            self._forget(id)

    def _forget(self, id: str) -> None:
        """Nothing more is to be done about it; its address is not needed any more."""
        self._client.collection(QUEUE).document(id).delete()
        self._client.collection(PRIVATE).document(id).delete()
        self._mirrored.pop(id, None)


def _request(entry: dict[str, Any], address: str | None) -> JobRequest:
    """What an entry asks for. Other fields, which clients keep for themselves, are not looked at."""
    asked = {name: entry[name] for name in JobRequest.model_fields if entry.get(name) is not None and name != "email"}
    return JobRequest(**asked, email=address)


def _shown(job: Job, url: str) -> dict[str, Any]:
    """What of a job anybody may see."""
    shown: dict[str, Any] = {
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


def _created(document: Any) -> float:
    """When a document was made, in seconds since 1970."""
    return float(document.create_time.timestamp()) if document.create_time is not None else time.time()


def _equal(field: str, value: str) -> Any:
    from google.cloud.firestore import FieldFilter

    return FieldFilter(field, "==", value)


@contextlib.contextmanager
def _kept(id: str) -> Iterator[None]:
    """What goes wrong with one document is logged, and tried again in the next round; the others go on."""
    try:
        yield
    except Exception:  # the network, quotas, rules: all that Firestore may answer
        logging.getLogger("text2art").exception("the Firestore bridge could not carry %s; it tries again", id)
