"""`Run`: a picture being drawn, as an iterator of frames that anybody may stop, pause, steer, keep and go on with."""

import queue
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from text2art_nb.checkpoint import NAME, Checkpoint, Writer
from text2art_nb.errors import RunError, SettingsError
from text2art_nb.settings import Settings, Steering

if TYPE_CHECKING:
    from PIL import Image

    from text2art_nb.artwork import Artwork
    from text2art_nb.frame import Frame
    from text2art_nb.loop import Look, Loop

CHECKPOINT_SECONDS: Final = 5.0
_HEARD: Final = ("prompts", "learning_rate", "palette", "losses", "iterations", "micro_batch")


class Run:
    """Draws what `settings` ask for, one iteration each time that it is asked for the next frame.

    `for frame in Run(Settings(prompts="a castle")): …`. Models are loaded at the first frame. Any number of runs live
    in one process, on any threads, and each gives the picture that it would give alone. `stop`, `pause`, `resume` and
    `steer` may be called from any thread and take effect at the next iteration.

    directory: where it keeps itself, every few seconds and at its end, so that `Run.load(directory)` goes on after a
    kill; None: nowhere.
    """

    def __init__(self, settings: Settings, directory: Path | str | None = None) -> None:
        """Raises SettingsError where the settings don't fit together; models are not touched yet."""
        self._begin(Checkpoint(settings.resolved()), directory)

    def _begin(self, start: Checkpoint, directory: Path | str | None) -> None:
        self.settings = start.settings
        self.directory = None if directory is None else Path(directory)
        self.notices: list[str] = []
        self._start: Checkpoint = start
        self._loop: Loop | None = None
        self._replay = list(start.settings.steering)
        self._steering: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self._going = threading.Event()
        self._going.set()
        self._stopped = threading.Event()
        self._turn = threading.RLock()
        self._writer = Writer(self.directory / NAME) if self.directory else None
        self._seconds = start.seconds
        self._pace: float | None = None
        self._saved_at = -CHECKPOINT_SECONDS
        self._done = False

    # -- what anybody may ask or say, from any thread

    @property
    def iteration(self) -> int:
        """How many iterations are done."""
        return self._loop.iteration if self._loop else int(self._start.numbers.get("iteration", 0))

    @property
    def total(self) -> int:
        """How many iterations there will be."""
        return self._loop.total if self._loop else self._heard(self.settings, self.iteration).iterations or 0

    @property
    def seconds(self) -> float:
        """Time spent drawing, without pauses and without what watchers did between frames."""
        return self._seconds

    @property
    def paused(self) -> bool:
        """Whether it waits for `resume`."""
        return not self._going.is_set()

    @property
    def stopped(self) -> bool:
        """Whether somebody stopped it."""
        return self._stopped.is_set()

    def stop(self) -> None:
        """End before the next iteration, also in the middle of a long one; everything drawn so far is kept."""
        self._stopped.set()
        self._going.set()

    def pause(self) -> None:
        """Wait before the next iteration until `resume` or `stop`."""
        self._going.clear()

    def resume(self) -> None:
        """Go on after `pause`."""
        self._going.set()

    def steer(self, **changes: Any) -> None:
        """Change prompts, learning_rate, palette, losses, iterations (the new total) or micro_batch while it draws.

        What was changed is recorded in `settings.steering`, so that drawing them again gives the same picture. A
        finished run goes on if its new total is higher. Raises SettingsError, naming the field, for anything else.
        """
        self._check(changes)
        self._steering.put(changes)

    # -- drawing

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> "Frame":
        """The next frame; StopIteration at the end or after `stop`. Raises RunError or ModelError."""
        self._going.wait()
        with self._turn:
            loop = self._prepare()
            self._steer_now(loop)
            if self._over(loop):
                self._end(loop)
                raise StopIteration
            began = time.monotonic()
            look = self._step(loop)
            if look is None:
                self._end(loop)
                raise StopIteration
            frame = self._frame(loop, look, time.monotonic() - began)
            self._keep(loop)
            return frame

    @property
    def artwork(self) -> "Artwork":
        """The picture as it stands, with the settings that draw it again from nothing."""
        from text2art_nb.artwork import Artwork

        with self._turn:
            pictures, scores = self._finished()
            best = max(range(len(scores)), key=scores.__getitem__)
            return Artwork(image=pictures[best], settings=self._recipe(), score=scores[best])

    @property
    def candidates(self) -> "list[tuple[Image.Image, float]]":
        """Every candidate's picture as it stands and its score, the best first."""
        pictures, scores = self._finished()
        order = sorted(range(len(scores)), key=lambda k: -scores[k])
        return [(pictures[k], scores[k]) for k in order]

    def _finished(self) -> "tuple[list[Image.Image], list[float]]":
        from PIL import Image

        from text2art_nb.frame import to_pixels

        with self._turn:
            pictures, scores = self._prepare().finish()
        return [Image.fromarray(pixels) for pixels in to_pixels(pictures)], scores

    # -- keeping and going on

    def save(self, path: Path | str) -> None:
        """Write a checkpoint to the file `path`; `Run.load(path)` goes on from here to the byte-identical picture."""
        with self._turn:
            self._checkpoint().write(Path(path))

    @classmethod
    def load(cls, path: Path | str, iterations: int | None = None) -> "Run":
        """The run saved at `path`, a checkpoint file or the directory that a run kept itself in.

        iterations: a new total, to go on with a finished run. A run that was stopped goes on where it was.
        Raises RunError where there is none, or a damaged one.
        """
        path = Path(path)
        start = Checkpoint.read(path)
        done = int(start.numbers.get("iteration", 0))
        steering = tuple(entry for entry in start.settings.steering if not (entry.stop and entry.iteration > done))
        run = cls.__new__(cls)
        settings = start.settings.with_(steering=steering)
        directory = path if path.is_dir() else None
        run._begin(Checkpoint(settings, start.tensors, start.numbers, start.seconds), directory)
        run._replay = [entry for entry in steering if entry.iteration > done]
        if iterations is not None:
            run.steer(iterations=iterations)
        return run

    def flush(self) -> None:
        """Wait until what is to be kept is written. Raises RunError if it can't be."""
        if self._writer:
            self._writer.flush()

    def _prepare(self) -> "Loop":
        """The loop, made at the first call: this is where models are loaded."""
        if self._loop is None:
            from text2art_nb.loop import Loop

            start = self._start
            if self._writer and not start.tensors:
                self._writer.put(start)  # a kill while the models load loses nothing that was asked for
            done = int(start.numbers.get("iteration", 0))
            loop = Loop(self._heard(start.settings, done))
            if start.tensors:
                loop.restore(dict(start.tensors), dict(start.numbers))
            self._loop = loop
        return self._loop

    def _heard(self, settings: Settings, done: int) -> Settings:
        """The settings as the steering up to iteration `done` has left them."""
        for entry in settings.steering:
            if entry.iteration <= done and (changes := _changes(entry)):
                settings = settings.with_(**changes)
        return settings

    def _steer_now(self, loop: "Loop") -> None:
        """Take over what is to change at the coming iteration: what a recipe replays, and what was just asked for."""
        coming = loop.iteration + 1
        due = [entry for entry in self._replay if entry.iteration <= coming]
        self._replay = [entry for entry in self._replay if entry.iteration > coming]
        while not self._steering.empty():
            due.append(self._record(coming, **self._steering.get()))
        changes: dict[str, Any] = {}
        for entry in due:
            changes |= _changes(entry)
            if entry.stop:
                self._done = True
        if changes:
            loop.hear(loop.settings.with_(**changes))

    def _record(self, iteration: int, **changes: Any) -> Steering:
        entry = Steering(iteration=iteration, **changes)
        self.settings = self.settings.with_(steering=(*self.settings.steering, entry))
        return entry

    def _check(self, changes: dict[str, Any]) -> None:
        unknown = [name for name in changes if name not in _HEARD]
        if unknown:
            raise SettingsError({unknown[0]: f"{unknown[0]} can't be changed while it draws; {', '.join(_HEARD)} can"})
        self.settings.with_(**{name: value for name, value in changes.items() if value is not None})
        Steering(iteration=1, **changes)

    def _over(self, loop: "Loop") -> bool:
        return self._done or self._stopped.is_set() or loop.iteration >= loop.total

    def _step(self, loop: "Loop") -> "Look | None":
        """One iteration, again with half the views at once each time that memory runs out."""
        from text2art_nb import devices

        while True:
            try:
                return loop.step(self._stopped.is_set)
            except (RuntimeError, MemoryError) as error:
                if not devices.is_out_of_memory(error):
                    raise
                smaller = loop.most_views() // 2
                if smaller < 1:
                    size = "x".join(map(str, loop.settings.picture_size))
                    raise RunError(f"memory doesn't suffice for {size} pixels; try a smaller size") from error
            devices.free_memory(loop.device)
            loop.hear(loop.settings.with_(micro_batch=smaller))
            self._record(loop.iteration + 1, micro_batch=smaller)
            self.notices.append(f"memory ran out: now {smaller} views are seen at once")

    def _frame(self, loop: "Loop", look: "Look", took: float) -> "Frame":
        from text2art_nb.frame import Frame

        self._seconds += took
        self._pace = took if self._pace is None else self._pace * 0.8 + took * 0.2
        if look.notice:
            self.notices.append(look.notice)
        best = look.best
        return Frame(
            iteration=loop.iteration,
            total=loop.total,
            loss=look.totals[best],
            losses={name: values[best] for name, values in look.losses.items()},
            score=look.scores[best],
            scores=look.scores,
            seconds=self._seconds,
            eta=self._pace * (loop.total - loop.iteration),
            notice=look.notice,
            _canvas=look.canvas,
            _enlarge=loop.enlarge,
        )

    def _checkpoint(self) -> Checkpoint:
        if self._loop is None:
            return self._start
        tensors, numbers = self._loop.state()
        return Checkpoint(self.settings, tensors, numbers, self._seconds)

    def _keep(self, loop: "Loop") -> None:
        """Have the run written every few seconds."""
        if self._writer and time.monotonic() - self._saved_at >= CHECKPOINT_SECONDS:
            self._saved_at = time.monotonic()
            self._writer.put(self._checkpoint())

    def _end(self, loop: "Loop") -> None:
        """Record where it was stopped, and write it down, before the iterator ends."""
        if loop.iteration < loop.total and not self._done:
            self._record(loop.iteration + 1, stop=True)
            self._done = True
        if self._writer:
            self._writer.put(self._checkpoint())
            self.flush()

    def _recipe(self) -> Settings:
        """The settings that draw the present picture again: one from the middle of a run is one that was stopped."""
        if self._loop is None or self._loop.iteration >= self._loop.total or self._done:
            return self.settings
        stop = Steering(iteration=self._loop.iteration + 1, stop=True)
        return self.settings.with_(steering=(*self.settings.steering, stop))


def _changes(entry: Steering) -> dict[str, Any]:
    """What an entry of the steering changes in the settings."""
    return {name: value for name, value in entry.changes.items() if name != "stop"}
