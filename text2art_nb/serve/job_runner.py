"""What a worker does with a job: draw it, from where a killed worker left it, and put its files into the store."""

import contextlib
import io
import logging
import os
import re
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeVar

import sqlalchemy as sa

from text2art_nb.artifacts.frame_store import FrameStore
from text2art_nb.errors import ModelError, RunError, Text2ArtError
from text2art_nb.runs.drawing import close_frames, picture_of
from text2art_nb.runs.run import Run
from text2art_nb.serve import notifier
from text2art_nb.serve.config import Config
from text2art_nb.serve.lease import PATIENCE_SECONDS, RETRY_SECONDS, Gone, Hold, take
from text2art_nb.serve.queue import Queue
from text2art_nb.serve.store import CHECKPOINT, FILM, FRAME, PICTURE, SVG, Store
from text2art_nb.serve.tables import jobs
from text2art_nb.settings import Settings

if TYPE_CHECKING:
    from text2art_nb.artifacts.artwork import Artwork
    from text2art_nb.runs.frame import Frame

FRAME_SIDE: Final = 512
FRAME_SECONDS: Final = 0.25
FAR_SECONDS: Final = 2.0
"""Between two frames where the store is a bucket, which takes about one write a second of one name."""
FAR_CHECKPOINT_SECONDS: Final = 15.0
BROKEN: Final = "something broke here while it was drawn; whoever runs this service finds what in its log"

_PATH = re.compile(r"(?<![\w/:.])(/|[A-Za-z]:\\)\w")

log = logging.getLogger("text2art.serve")
Result = TypeVar("Result")


class OutOfOrderError(Exception):
    """The worker can't draw here, whichever job it is given: its disk, its graphics card, or the store is at fault."""


class Drawing:
    """Draws jobs, one at a time, for one worker.

    worker: its id; device: where it draws, "auto" or as in `Settings`. `stopping` is set when the worker has to end:
    the job at hand then keeps its checkpoint and is given back, and its thread waits for the end of the process.
    """

    def __init__(self, config: Config, engine: sa.Engine, store: Store, queue: Queue, worker: str, device: str) -> None:
        self._config, self._engine, self._store, self._queue = config, engine, store, queue
        self._worker, self._device = worker, device
        self._hold: Hold | None = None
        self._run: Run | None = None
        self.stopping = threading.Event()
        self.idle = threading.Event()
        self.idle.set()

    def draw(self, id: str) -> None:
        """Draw job `id` to its end; returns, too, when it is taken away.

        Raises:
            OutOfOrderError: the worker has to end; the job is still its own, so that this counts as a crash.
            DBAPIError: the database was away for long.
        """
        if self.stopping.is_set():
            _wait_for_the_end()
        self.idle.clear()
        try:
            self._hold = take(self._engine, id, self._worker)
            if self._hold is not None:
                self._draw(self._hold)
        except Gone:
            log.info("job %s is no longer ours", id)
        finally:
            self._hold = self._run = None
            self._tidy(id)
            self.idle.set()
        if self.stopping.is_set():
            _wait_for_the_end()

    def look_up(self) -> None:
        """Stop at once what has been cancelled or taken over; to be called every second or so."""
        hold, run = self._hold, self._run
        if hold is not None and run is not None and not hold.is_mine():
            run.stop()

    def stop(self) -> None:
        """End the job at hand after its iteration, and take no other."""
        self.stopping.set()
        run = self._run
        if run is not None:
            run.stop()

    def let_go(self) -> None:
        """Give the job at hand back, wherever it stands: it goes on from its last checkpoint."""
        hold = self._hold
        if hold is not None:
            with contextlib.suppress(Gone):
                hold.give_back()

    def _draw(self, hold: Hold) -> None:
        try:
            run, directory = self._open(hold)
            self._run = run
            frames = self._watch(hold, run, directory)
            if self.stopping.is_set() and run.iteration < run.total:
                self._keep_far(hold, directory)
                hold.give_back()
                return
            if not hold.is_mine():
                raise Gone(hold.id)
            self._hand_over(hold, run, picture_of(run, frames), directory)
        except (Gone, sa.exc.DBAPIError, OutOfOrderError):
            raise
        except Exception as error:
            if _is_of_the_disk(error) or _is_card_broken(self._device):
                raise OutOfOrderError(f"job {hold.id} can't be drawn here: {error}") from error
            log.exception("job %s failed", hold.id)
            hold.fail(_public(error))

    def _open(self, hold: Hold) -> tuple[Run, Path]:
        """The run: the one that an earlier attempt left, if there is one that can be read; and where it keeps itself.

        Each attempt has a directory of its own, so that a worker that is late in noticing that it is out writes
        nowhere.
        """
        place = self._runs / hold.id
        directory = place / f"{hold.attempt:06d}"
        older = sorted(each for each in place.glob("*") if each.name < directory.name) if place.is_dir() else []
        if older:
            os.rename(older[-1], directory)
        elif not self._store.local and (data := _patiently(lambda: self._store.get(hold.id, CHECKPOINT))):
            directory.mkdir(parents=True)
            (directory / CHECKPOINT).write_bytes(data)
        if (directory / CHECKPOINT).exists():
            try:
                return Run.load(directory, device=self._device), directory
            except RunError as error:
                log.warning("job %s is drawn anew: %s", hold.id, error)
                shutil.rmtree(directory)
        settings = Settings.from_recipe(hold.recipe, trusted=True)
        return Run(settings.with_(device=self._device), directory), directory

    def _watch(self, hold: Hold, run: Run, directory: Path) -> FrameStore | None:
        """Draw, telling how far it is at every iteration. Raises Gone."""
        frames = FrameStore(directory / "frames", after=run.iteration) if run.settings.make_video else None
        thumbs = Pacer(FRAME_SECONDS if self._store.local else FAR_SECONDS)
        far = Pacer(FAR_CHECKPOINT_SECONDS)
        hold.note(run.iteration, run.total, None)
        try:
            for frame in run:
                if frames is not None:
                    frames.add(frame)
                picture = self._show(hold, frame) if thumbs.is_due() or frame.iteration == frame.total else None
                hold.note(frame.iteration, frame.total, frame.eta, picture)
                if self.stopping.is_set():
                    run.stop()
                if far.is_due():
                    self._keep_far(hold, directory)
        finally:
            trouble = close_frames(frames)
        if trouble:
            log.warning("job %s: %s", hold.id, trouble)
        return frames

    def _show(self, hold: Hold, frame: "Frame") -> str | None:
        """Put a small JPEG of the frame where watchers find it; None if the store doesn't take it."""
        picture = frame.image.convert("RGB")
        picture.thumbnail((FRAME_SIDE, FRAME_SIDE))
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=80)
        try:
            self._store.put(hold.id, FRAME, file.getvalue())
        except Exception as error:  # each kind of bucket has errors of its own
            log.warning("job %s: a frame can't be shown: %s", hold.id, error)
            return None
        return FRAME

    def _keep_far(self, hold: Hold, directory: Path) -> None:
        """Where the store is a bucket: put the checkpoint there, for a worker on another machine to go on with."""
        if self._store.local or not (directory / CHECKPOINT).exists():
            return
        try:
            self._store.put_file(hold.id, CHECKPOINT, directory / CHECKPOINT)
        except Exception as error:  # each kind of bucket has errors of its own
            log.warning("job %s: its checkpoint can't be kept in the store: %s", hold.id, error)

    def _hand_over(self, hold: Hold, run: Run, artwork: "Artwork", directory: Path) -> None:
        """Put the picture, its film and its strokes into the store, and say that it is done.

        Without a film or strokes that can't be made or kept it is done all the same.

        Raises:
            Gone: it is no longer ours.
            OutOfOrderError: the store doesn't take the picture.
        """
        artwork.settings = artwork.settings.with_(device="auto")  # where we draw is nothing to a visitor
        self._hand_in(hold, artwork, directory / PICTURE)
        has_film = artwork.frames is not None and self._add(hold, artwork, directory / FILM)
        has_svg = not artwork.settings.filters and self._add(hold, artwork, directory / SVG)
        with self._engine.connect() as connection:
            notify = notifier.wanted(connection, self._config, hold.id)
        hold.finish(self._queue, run.seconds, has_film, has_svg, notify)

    def _add(self, hold: Hold, artwork: "Artwork", path: Path) -> bool:
        """Hand in a film or strokes; False where there are none, or where they can't be made or kept."""
        try:
            if path.name == SVG and artwork.svg is None:
                return False
            self._hand_in(hold, artwork, path)
        except Exception:  # encoders, the disk, the store: the picture itself is there
            log.exception("job %s is done without its %s", hold.id, path.name)
            return False
        return True

    def _hand_in(self, hold: Hold, artwork: "Artwork", path: Path) -> None:
        artwork.save(path)
        _patiently(lambda: self._store.put_file(hold.id, path.name, path))

    @property
    def _runs(self) -> Path:
        return self._config.data / "runs"

    def _tidy(self, id: str) -> None:
        """Remove the run's own files, unless somebody else goes on with them; what stays here is swept away later."""
        try:
            with self._engine.connect() as connection:
                status = connection.execute(sa.select(jobs.c.status).where(jobs.c.id == id)).scalar()
        except sa.exc.DBAPIError as error:
            log.warning("job %s: nobody can say whether its run is over: %s", id, error.orig)
            return
        if status in ("queued", "running"):
            return
        shutil.rmtree(self._runs / id, ignore_errors=True)
        self._discard_far(id)

    def _discard_far(self, id: str) -> None:
        if self._store.local:
            return
        try:
            self._store.discard(id, CHECKPOINT)
        except Exception as error:  # each kind of bucket has errors of its own
            log.warning("job %s: its checkpoint can't be removed: %s", id, error)


class Pacer:
    """Says when something is due that is done at most every `seconds`; the first time it is."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._last = float("-inf")

    def is_due(self) -> bool:
        """Whether it is to be done now."""
        if time.monotonic() - self._last < self._seconds:
            return False
        self._last = time.monotonic()
        return True


def _patiently(do: Callable[[], Result]) -> Result:
    """Do something with the store, again and again while it is full or can't be reached.

    Raises:
        OutOfOrderError: it was so for two minutes.
    """
    end = time.monotonic() + PATIENCE_SECONDS
    wait = RETRY_SECONDS
    while True:
        try:
            return do()
        except Exception as error:  # each kind of bucket has errors of its own
            if time.monotonic() + wait > end:
                raise OutOfOrderError(f"the store does not answer: {error}") from error
            log.warning("the store does not answer, and is asked again: %s", error)
        time.sleep(wait)
        wait *= 2


def _is_of_the_disk(error: BaseException | None) -> bool:
    """Whether it comes from this machine's files, not from the job: the disk is full, a folder is not ours.

    Weights that can't be had are a trouble of the jobs that want them, and what has no number isn't the system's word:
    Pillow and transformers have errors of this kind, too.
    """
    if error is None or isinstance(error, ModelError):
        return False
    return (isinstance(error, OSError) and error.errno is not None) or _is_of_the_disk(error.__cause__)


def _is_card_broken(device: str) -> bool:
    """Whether the graphics card answers this process no more; after some errors of a job it never does again."""
    import torch

    if not torch.cuda.is_initialized():
        return False
    try:
        torch.cuda.synchronize(device if device.startswith("cuda") else None)
    except RuntimeError:
        return True
    return False


def _public(error: Exception) -> str:
    """What the visitor is told of it: our own sentences, if no path of this machine is in them."""
    sentence = str(error)
    return BROKEN if not isinstance(error, Text2ArtError) or _PATH.search(sentence) else sentence


def _wait_for_the_end() -> None:
    """Hold on to the job until the process ends: were it to return, the queue would take the job for finished."""
    threading.Event().wait()
