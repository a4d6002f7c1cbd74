"""Draw a job, continuing where a killed worker left it, and put its files into the store."""

import contextlib
import io
import logging
import os
import re
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from text2art_nb.artifacts.frame_store import FrameStore
from text2art_nb.errors import ModelError, RunError, Text2ArtError
from text2art_nb.runs.drawing import close_frames, picture_of
from text2art_nb.runs.run import Run
from text2art_nb.serve import notifier
from text2art_nb.serve.config import Config
from text2art_nb.serve.lease import Lease, LeaseLost, acquire_lease
from text2art_nb.serve.queue import Queue
from text2art_nb.serve.retry import Result, retry
from text2art_nb.serve.store import CHECKPOINT, FILM, FRAME, PICTURE, SVG, Store
from text2art_nb.serve.tables import jobs
from text2art_nb.serve.throttle import Throttle
from text2art_nb.settings import Settings

if TYPE_CHECKING:
    from text2art_nb.artifacts.artwork import Artwork
    from text2art_nb.runs.frame import Frame

FRAME_SIDE: Final = 512
FRAME_SECONDS: Final = 0.25
REMOTE_FRAME_SECONDS: Final = 2.0
"""Interval between frames if the store is a bucket, which accepts about one write a second per name."""
REMOTE_CHECKPOINT_SECONDS: Final = 15.0
PUBLIC_FAILURE: Final = "an internal error stopped this drawing; the operator finds the cause in the service's log"

_PATH = re.compile(r"(?<![\w/:.])(/|[A-Za-z]:\\)\w")

log = logging.getLogger("text2art.serve")


class WorkerBrokenError(Exception):
    """This worker can't draw any job: its disk, its graphics card or the store has failed."""


class JobRunner:
    """Draw jobs, one at a time, for one worker.

    Args:
        worker: its id.
        device: "auto" or as in `Settings`.

    Attributes:
        stopping: set when the worker has to end. The current job then keeps its checkpoint and is queued again, and its
            thread blocks until the process ends.
        idle: set while no job is being drawn.
    """

    def __init__(self, config: Config, engine: sa.Engine, store: Store, queue: Queue, worker: str, device: str) -> None:
        self._config, self._engine, self._store, self._queue = config, engine, store, queue
        self._worker, self._device = worker, device
        self._lease: Lease | None = None
        self._run: Run | None = None
        self.stopping = threading.Event()
        self.idle = threading.Event()
        self.idle.set()

    def draw(self, id: str) -> None:
        """Draw job `id` until it is done or taken away.

        Raises:
            WorkerBrokenError: the worker has to end. The job still belongs to it, so this counts as a crash.
            DBAPIError: the database was unreachable for two minutes.
        """
        if self.stopping.is_set():
            _block_until_exit()
        self.idle.clear()
        try:
            self._lease = acquire_lease(self._engine, id, self._worker)
            if self._lease is not None:
                self._draw(self._lease)
        except LeaseLost:
            log.info("job %s was cancelled or taken over", id)
        finally:
            self._lease = self._run = None
            self._clean_up(id)
            self.idle.set()
        if self.stopping.is_set():
            _block_until_exit()

    def check_lease(self) -> None:
        """Stop the run at once if its job was cancelled or taken over. Call it about once a second."""
        lease, run = self._lease, self._run
        if lease is not None and run is not None and not lease.is_held():
            run.stop()

    def stop(self) -> None:
        """End the current job after its iteration and take no other."""
        self.stopping.set()
        run = self._run
        if run is not None:
            run.stop()

    def release(self) -> None:
        """Queue the current job again, whatever its state; it continues from its last checkpoint."""
        lease = self._lease
        if lease is not None:
            with contextlib.suppress(LeaseLost):
                lease.release()

    def _draw(self, lease: Lease) -> None:
        try:
            run, directory = self._open(lease)
            self._run = run
            frames = self._watch(lease, run, directory)
            if self.stopping.is_set() and run.iteration < run.total:
                self._upload_checkpoint(lease, directory)
                lease.release()
                return
            if not lease.is_held():
                raise LeaseLost(lease.id)
            self._publish(lease, run, picture_of(run, frames), directory)
        except (LeaseLost, sa.exc.DBAPIError, WorkerBrokenError):
            raise
        except Exception as error:
            if _is_disk_error(error) or _is_gpu_broken(self._device):
                raise WorkerBrokenError(f"job {lease.id} can't be drawn here: {error}") from error
            log.exception("job %s failed", lease.id)
            lease.fail(_public_message(error))

    def _open(self, lease: Lease) -> tuple[Run, Path]:
        """Load the run that an earlier attempt left, or make a new one. Return it with its directory.

        Each attempt has its own directory, so that a worker that doesn't know yet that it lost the job writes nowhere.
        """
        attempts = self._runs / lease.id
        directory = attempts / f"{lease.attempt:06d}"
        older = sorted(each for each in attempts.glob("*") if each.name < directory.name) if attempts.is_dir() else []
        if older:
            os.rename(older[-1], directory)
        elif not self._store.local and (data := _retry_store(lambda: self._store.get(lease.id, CHECKPOINT))):
            directory.mkdir(parents=True)
            (directory / CHECKPOINT).write_bytes(data)
        if (directory / CHECKPOINT).exists():
            try:
                return Run.load(directory, device=self._device), directory
            except RunError as error:
                log.warning("job %s restarts from the beginning: %s", lease.id, error)
                shutil.rmtree(directory)
        settings = Settings.from_recipe(lease.recipe, trusted=True)
        return Run(settings.with_(device=self._device), directory), directory

    def _watch(self, lease: Lease, run: Run, directory: Path) -> FrameStore | None:
        """Draw, recording every iteration. Raises LeaseLost."""
        frames = FrameStore(directory / "frames", after=run.iteration) if run.settings.make_video else None
        thumbs = Throttle(FRAME_SECONDS if self._store.local else REMOTE_FRAME_SECONDS)
        uploads = Throttle(REMOTE_CHECKPOINT_SECONDS)
        lease.record_progress(run.iteration, run.total, None)
        try:
            for frame in run:
                if frames is not None:
                    frames.add(frame)
                picture = self._show(lease, frame) if thumbs.is_due() or frame.iteration == frame.total else None
                lease.record_progress(frame.iteration, frame.total, frame.eta, picture)
                if self.stopping.is_set():
                    run.stop()
                if uploads.is_due():
                    self._upload_checkpoint(lease, directory)
        finally:
            trouble = close_frames(frames)
        if trouble:
            log.warning("job %s: %s", lease.id, trouble)
        return frames

    def _show(self, lease: Lease, frame: "Frame") -> str | None:
        """Store a small JPEG of the frame for watchers; return None if the store refuses it."""
        picture = frame.image.convert("RGB")
        picture.thumbnail((FRAME_SIDE, FRAME_SIDE))
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=80)
        try:
            self._store.put(lease.id, FRAME, file.getvalue())
        except Exception as error:  # each kind of bucket has its own errors
            log.warning("job %s: a frame can't be stored: %s", lease.id, error)
            return None
        return FRAME

    def _upload_checkpoint(self, lease: Lease, directory: Path) -> None:
        """Upload the checkpoint to a bucket, for a worker on another machine to continue from."""
        if self._store.local or not (directory / CHECKPOINT).exists():
            return
        try:
            self._store.put_file(lease.id, CHECKPOINT, directory / CHECKPOINT)
        except Exception as error:  # each kind of bucket has its own errors
            log.warning("job %s: its checkpoint can't be uploaded: %s", lease.id, error)

    def _publish(self, lease: Lease, run: Run, artwork: "Artwork", directory: Path) -> None:
        """Store the picture, its film and its strokes, and mark the job as done.

        The job is done even if the film or the strokes can't be made or stored.

        Raises:
            LeaseLost: the job was cancelled or taken over.
            WorkerBrokenError: the store doesn't accept the picture.
        """
        artwork.settings = artwork.settings.with_(device="auto")  # the server's device is private
        self._save_to_store(lease, artwork, directory / PICTURE)
        has_film = artwork.frames is not None and self._publish_optional(lease, artwork, directory / FILM)
        has_svg = not artwork.settings.filters and self._publish_optional(lease, artwork, directory / SVG)
        with self._engine.connect() as connection:
            notify = notifier.has_recipients(connection, self._config, lease.id)
        lease.finish(self._queue, run.seconds, has_film, has_svg, notify)

    def _publish_optional(self, lease: Lease, artwork: "Artwork", path: Path) -> bool:
        """Store a film or strokes. Return False if there are none, or they can't be made or stored."""
        try:
            if path.name == SVG and artwork.svg is None:
                return False
            self._save_to_store(lease, artwork, path)
        except Exception:  # an encoder, the disk or the store failed; the picture itself is stored
            log.exception("job %s is done without its %s", lease.id, path.name)
            return False
        return True

    def _save_to_store(self, lease: Lease, artwork: "Artwork", path: Path) -> None:
        artwork.save(path)
        _retry_store(lambda: self._store.put_file(lease.id, path.name, path))

    @property
    def _runs(self) -> Path:
        return self._config.data / "runs"

    def _clean_up(self, id: str) -> None:
        """Remove the run's files if the job has ended. `cleanup` removes what stays."""
        try:
            with self._engine.connect() as connection:
                status = connection.execute(sa.select(jobs.c.status).where(jobs.c.id == id)).scalar()
        except sa.exc.DBAPIError as error:
            log.warning("job %s: its status can't be read, so its files stay: %s", id, error.orig)
            return
        if status in ("queued", "running"):
            return
        shutil.rmtree(self._runs / id, ignore_errors=True)
        self._discard_remote_checkpoint(id)

    def _discard_remote_checkpoint(self, id: str) -> None:
        if self._store.local:
            return
        try:
            self._store.discard(id, CHECKPOINT)
        except Exception as error:  # each kind of bucket has its own errors
            log.warning("job %s: its checkpoint can't be removed: %s", id, error)


def _retry_store(action: Callable[[], Result]) -> Result:
    """Call the store until it succeeds. Raises WorkerBrokenError after two minutes."""
    try:
        return retry(action, Exception, "the store", backoff=2.0)  # each kind of bucket has its own errors
    except Exception as error:
        raise WorkerBrokenError(f"the store does not answer: {error}") from error


def _is_disk_error(error: BaseException | None) -> bool:
    """Whether an error comes from this machine's files rather than from the job: a full disk, a folder without access.

    A ModelError belongs to the jobs that want those weights. Pillow and transformers raise OSError without errno; the
    system sets it.
    """
    if error is None or isinstance(error, ModelError):
        return False
    return (isinstance(error, OSError) and error.errno is not None) or _is_disk_error(error.__cause__)


def _is_gpu_broken(device: str) -> bool:
    """Whether the graphics card no longer answers this process. After some CUDA errors it never does again."""
    import torch

    if not torch.cuda.is_initialized():
        return False
    try:
        torch.cuda.synchronize(device if device.startswith("cuda") else None)
    except RuntimeError:
        return True
    return False


def _public_message(error: Exception) -> str:
    """Return the message for the visitor: our own sentence, unless it contains a path of this machine."""
    sentence = str(error)
    return PUBLIC_FAILURE if not isinstance(error, Text2ArtError) or _PATH.search(sentence) else sentence


def _block_until_exit() -> None:
    """Keep the job until the process ends: if it returned, the queue would record it as finished."""
    threading.Event().wait()
