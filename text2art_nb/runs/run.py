"""`Run`: a picture being drawn, as an iterator of frames that anybody may stop, pause, steer, keep and go on with."""

import queue
import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from text2art_nb import models
from text2art_nb.errors import ModelError, RunError, SettingsError
from text2art_nb.optimization import referee, stages
from text2art_nb.runs.checkpoint import NAME, Checkpoint, Writer
from text2art_nb.runs.pace import Pace
from text2art_nb.runs.snapshots import States
from text2art_nb.runtime import malloc, openmp
from text2art_nb.settings import MAX_STEERING, MAX_THREADS, STEERABLE, Settings, Steering, halving
from text2art_nb.settings.prompts import pick

if TYPE_CHECKING:
    from PIL import Image

    from text2art_nb.artifacts.artwork import Artwork
    from text2art_nb.optimization.loop import Loop
    from text2art_nb.optimization.step_result import StepResult
    from text2art_nb.runs.frame import Frame

CHECKPOINT_SECONDS: Final = 5.0
_ROOM: Final = 20  # in a recipe for what nobody asks: its stop, a choice among the others, each halving of the views


class Run:
    """Draws what `settings` ask for, one iteration each time that it is asked for the next frame.

    `for frame in Run(Settings(prompts="a castle")): …`. Models are loaded at the first frame. Any number of runs live
    in one process, on any threads, and each gives the picture that it would give alone. `stop`, `pause`, `resume` and
    `steer` may be called from any thread and take effect at the next iteration.

    directory: where it keeps itself, every few seconds and at its end, so that `Run.load(directory)` goes on after a
    kill, and its states on the way, so that `branch` can go back to them; None: nowhere.
    """

    def __init__(self, settings: Settings, directory: Path | str | None = None) -> None:
        """Raises SettingsError where the settings don't fit together; models are not touched yet."""
        settings = settings.resolved()
        notices = []
        if settings.upscale > 1:
            from text2art_nb.artifacts import upscale

            choice = upscale.choose(settings)  # written down, so that drawing it again elsewhere does the same
            settings = settings.with_(upscaler=choice.how)
            notices += [choice.notice] if choice.notice else []
        if settings.finalists is not None and settings.referee is None:
            settings = settings.with_(referee=referee.usual_referee(settings))
            if settings.referee == referee.GUIDES:
                notices.append("no CLIP is here that doesn't guide: those that do choose the finalists themselves")
        self._begin(Checkpoint(settings), directory)
        self.notices += notices

    def _begin(self, start: Checkpoint, directory: Path | str | None, first: int = 1) -> None:
        """first: the iteration whose frame is the first to be handed out; those before it are caught up with."""
        self.settings = start.settings
        self.directory = None if directory is None else Path(directory)
        self.notices: list[str] = []
        self._start: Checkpoint = start
        self._loop: Loop | None = None
        self._first = first
        self._replay = [entry for entry in start.settings.steering if entry.iteration > start.iteration]
        self._steering: queue.SimpleQueue[tuple[dict[str, Any], int]] = queue.SimpleQueue()  # and of how many
        self._going = threading.Event()
        self._going.set()
        self._stopped = threading.Event()
        self._turn = threading.RLock()
        self._writer = Writer() if self.directory else None
        self._states = States(self.directory / "states", after=start.iteration) if self.directory else None
        self._seconds = start.seconds
        self._pace = Pace()
        self._saved_at = -CHECKPOINT_SECONDS
        self._done = False

    # -- what anybody may ask or say, from any thread

    @property
    def iteration(self) -> int:
        """How many iterations are done."""
        return self._loop.iteration if self._loop else self._start.iteration

    @property
    def total(self) -> int:
        """How many iterations there will be."""
        return self._loop.total if self._loop else self._start.total

    @property
    def count(self) -> int:
        """How many candidates are being drawn now; a round of a tournament, or a choice, leaves fewer."""
        return self._loop.count if self._loop else _candidates(self.settings, self.iteration)

    @property
    def present(self) -> Settings:
        """What is asked for now: the settings as the steering so far has left them."""
        return self.settings.steered(self.iteration)

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
        """Change any of `settings.STEERABLE` while it draws: prompts, learning_rate, palette, losses, …

        iterations is the new total: a finished run goes on if it is higher. candidate, counted from 0 among the `count`
        of now, goes on alone. What was changed is recorded in `settings.steering`, so that drawing them again gives the
        same picture. What turns out only then not to be possible, for want of a model or because a round has ended in
        the meantime, is left as it was, and `notices` says so. Raises SettingsError, naming the field, for anything
        else.
        """
        count = self.count
        asked = _checked(changes, self.present, count)
        _check_room(self.settings, self._steering.qsize())
        self._steering.put((asked, count))

    # -- drawing

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> "Frame":
        """The next frame; StopIteration at the end or after `stop`. Raises RunError or ModelError."""
        while True:
            self._going.wait()
            with self._turn, nullcontext() if self._loop else malloc.unswept():
                try:
                    self._prepare()
                except models.Cancelled:  # by `stop`: there is nothing of it yet, or nothing new
                    raise StopIteration from None
                with self._own_threads():
                    frame = self._draw()
                if frame is None:
                    raise StopIteration
                if frame.iteration >= self._first:
                    return frame

    def _draw(self) -> "Frame | None":
        """Draw one iteration; None at the end or after `stop`."""
        loop = self._prepare()
        self._steer_now(loop)
        if self._over(loop):
            self._end(loop)
            return None
        began = time.monotonic()
        look = self._step(loop)
        if look is None:
            self._end(loop)
            return None
        frame = self._frame(loop, look, time.monotonic() - began)
        self._keep(loop)
        return frame

    def _own_threads(self) -> AbstractContextManager[None]:
        """Compute with the number of threads that the run began with: another one adds up in another order."""
        return openmp.computing_with(self.settings.threads)

    def sketch(self) -> "Image.Image | None":
        """The proposal that the picture will grow out of, at its size: there in a moment, before any eye is loaded.

        None where a run begins with something else, or has begun.
        """
        settings = self.present
        if settings.start != "proposal" or settings.engine != "text2art" or self.iteration:
            return None
        from PIL import Image

        with malloc.unswept():
            from text2art_nb.imaging.tensors import resize, to_pixels
            from text2art_nb.optimization import proposals
            from text2art_nb.runtime.devices import pick_device

        with self._own_threads():
            proposed = proposals.of_settings(settings, pick_device(settings.device))[:1]
        return Image.fromarray(to_pixels(resize(proposed, settings.picture_size))[0])

    @property
    def artwork(self) -> "Artwork":
        """The picture as it stands, with the settings that draw it again from nothing.

        Its `others` are the other candidates, each with settings that go on with it alone in the end.
        """
        from text2art_nb.artifacts.artwork import Artwork

        with self._turn:
            pictures, scores, order = self._finished()  # makes the loop, and with it the last of the settings
            recipe, after = self._recipe(), self.iteration + 1
            others = []
            for k in order[1:]:
                chosen = (*recipe.steering, Steering(iteration=after, candidate=k))
                others.append(Artwork(self._enlarged(pictures[k]), recipe.with_(steering=chosen), scores[k]))
            best = order[0]
            svg = self._prepare().svg(best)
            return Artwork(self._enlarged(pictures[best]), recipe, scores[best], others=tuple(others), svg=svg)

    def _enlarged(self, picture: "Image.Image") -> "Image.Image | Callable[[], Image.Image]":
        """`picture` as large as it was asked to be in the end; made when somebody looks, for it may take a while."""
        settings = self.settings
        if settings.upscale == 1:
            return picture

        def enlarge() -> "Image.Image":
            from text2art_nb.artifacts import upscale
            from text2art_nb.optimization import filters
            from text2art_nb.runtime import devices

            made_by = filters.of_finished(settings)
            try:
                with self._own_threads():
                    return upscale.enlarge(picture, settings.upscale, settings.upscaler, settings.device, made_by)
            except (RuntimeError, MemoryError) as error:
                if not devices.is_out_of_memory(error):
                    raise
            self.notices.append("memory ran out while the picture was enlarged: it is enlarged by Lanczos")
            return upscale.enlarge(picture, settings.upscale, "lanczos", settings.device, made_by)

        return enlarge

    @property
    def candidates(self) -> "list[tuple[Image.Image, float]]":
        """Every candidate's picture as it stands and its score; the best first: in a tournament the referee's best."""
        pictures, scores, order = self._finished()
        return [(pictures[k], scores[k]) for k in order]

    def _finished(self) -> "tuple[list[Image.Image], list[float], list[int]]":
        """Pictures, scores, and the candidates from the best to the worst."""
        from PIL import Image

        from text2art_nb.imaging.tensors import to_pixels

        with self._turn:
            loop = self._prepare()
            with self._own_threads():
                pictures, scores, standing = loop.finish()
        order = sorted(range(len(scores)), key=lambda k: -standing[k])
        return [Image.fromarray(pixels) for pixels in to_pixels(pictures)], scores, order

    # -- keeping and going on

    def save(self, path: Path | str) -> None:
        """Write a checkpoint to the file `path`; `Run.load(path)` goes on from here to the byte-identical picture."""
        with self._turn:
            self._checkpoint().write(Path(path))

    @classmethod
    def load(cls, path: Path | str, iterations: int | None = None, device: str | None = None) -> "Run":
        """The run saved at `path`, a checkpoint file or the directory that a run kept itself in.

        iterations: a new total, to go on with a finished run. A run that was stopped goes on where it was.
        device: where to draw from now on, as in `Settings`; None: where it was drawn.
        Raises RunError where there is none, or a damaged one.
        """
        path = Path(path)
        start = Checkpoint.read(path)

        def holds(entry: Steering) -> bool:
            """Not the stop that ended it here. A later one is its recipe's: there it ends, or is to be longer."""
            return not entry.stop or (entry.iteration > start.iteration + 1 and iterations is None)

        steering = [entry for entry in start.settings.steering if holds(entry)]
        run = cls.__new__(cls)
        settings = start.settings.with_(steering=steering, device=device or start.settings.device)
        run._begin(replace(start, settings=settings), path if path.is_dir() else None)
        if iterations is not None:
            run.steer(iterations=iterations)
        return run

    def branch(self, iteration: int, directory: Path | str | None = None, **changes: Any) -> "Run":
        """A new run that goes on from what the frame of `iteration` showed, with other settings from there on.

        It shares this one's way up to there, and its recipe has all of it. Between two states that were kept the few
        iterations are drawn again, without frames; a run without a directory is drawn again from its start.

        Args:
            iteration: 1 to this run's present one.
            directory: where the new run keeps itself.
            changes: any of `settings.STEERABLE`.

        Raises:
            SettingsError: a change that can't be made.
            RunError: there is no such iteration.
        """
        if not 1 <= iteration <= self.iteration:
            raise RunError(f"iteration must be 1 to {self.iteration}, the last that was drawn; got {iteration}")
        self.flush()
        steering = [each for each in self.settings.steering if each.iteration <= iteration and not each.stop]
        shared = self.settings.with_(steering=steering)
        if changes:
            changes = _checked(changes, shared.steered(iteration), _candidates(shared, iteration - 1))
            _check_room(shared)
            shared = shared.with_(steering=(*steering, Steering(iteration=iteration, **changes)))
        start = self._states.nearest(iteration - 1) if self._states else None
        run = type(self).__new__(type(self))
        run._begin(replace(start or Checkpoint(shared), settings=shared), directory, first=iteration)
        return run

    def flush(self) -> None:
        """Wait until what is to be kept is written. Raises RunError if it can't be."""
        if self._writer:
            self._writer.flush()

    def _prepare(self) -> "Loop":
        """The loop, made at the first call: this is where models are loaded."""
        if self._loop is None:
            start = self._start
            if self._writer and not start.tensors:
                self._writer.put(self._path, start)  # a kill while the models load loses nothing that was asked for
            self._keep_threads()
            with models.cancelled_by(self._stopped), self._own_threads():
                self._loop = self._build_loop(start)
        return self._loop

    def _keep_threads(self) -> None:
        """Have the run keep the number of threads that this thread computes with, where it has none yet."""
        if self.settings.threads is not None or self.settings.engine == "pixray":
            return
        from text2art_nb.runtime.devices import pick_device

        if pick_device(self.settings.device).type == "cpu":
            number = min(openmp.own_number(), MAX_THREADS)
            # Not `with_`, which checks every picture again.
            self.settings = self.settings.model_copy(update={"threads": number})

    def _build_loop(self, start: Checkpoint) -> "Loop":
        settings = start.settings.steered(start.iteration)
        if settings.upscale > 1:
            from text2art_nb.artifacts import upscale

            upscale.fetch(settings)  # what can't be had should be known now, not when all is drawn
        if settings.engine == "pixray":
            from text2art_nb.runs.pixray.engine import PixrayLoop

            return PixrayLoop(settings, self.directory)
        referee.fetch_referee(settings)
        stages.fetch_later(settings, int(start.numbers.get("stage", 0)))
        from text2art_nb.optimization.loop import Loop

        return Loop(settings, (dict(start.tensors), dict(start.numbers)) if start.tensors else None)

    @property
    def _path(self) -> Path:
        """Where the checkpoint goes; only a run that has a directory asks."""
        assert self.directory is not None
        return self.directory / NAME

    def _steer_now(self, loop: "Loop") -> None:
        """Take over what is to change at the coming iteration: what a recipe replays, and what was just asked for."""
        coming = loop.iteration + 1
        due = [entry for entry in self._replay if entry.iteration <= coming]
        self._replay = [entry for entry in self._replay if entry.iteration > coming]
        self._carry_out(loop, due)
        while not self._steering.empty():
            asked, count = self._steering.get()
            if "candidate" in asked and loop.count != count:  # the numbers are others' by now
                self.notices.append(f"candidate {asked['candidate']} was one of {count}, and {loop.count} are left")
            else:
                self._try_out(loop, Steering(iteration=coming, **asked))

    def _try_out(self, loop: "Loop", asked: Steering) -> None:
        """Take over what was asked for and record it; where that can't be done, say so and leave all as it was."""
        before = loop.settings
        try:
            recorded = self.settings.with_(steering=(*self.settings.steering, asked))
            self._carry_out(loop, [asked])
        except (ModelError, RunError, SettingsError) as error:
            loop.update_settings(before)
            self.notices.append(f"{', '.join(asked.changes)} can't be changed like that, and stays as it was: {error}")
        else:
            self.settings = recorded

    def _carry_out(self, loop: "Loop", entries: list[Steering]) -> None:
        changes: dict[str, Any] = {}
        for entry in entries:
            changes |= entry.new_settings
        if changes:
            loop.update_settings(loop.settings.with_(**changes))
        for entry in entries:  # last, for a choice can't be taken back
            # In a checkpoint that was written right after the choice there is but one left already.
            if entry.candidate is not None and entry.candidate < loop.count:
                loop.choose(entry.candidate)
            if entry.stop:
                self._done = True

    def _record(self, iteration: int, **changes: Any) -> None:
        entry = Steering(iteration=iteration, **changes)
        self.settings = self.settings.with_(steering=(*self.settings.steering, entry))

    def _over(self, loop: "Loop") -> bool:
        return self._done or self._stopped.is_set() or loop.iteration >= loop.total

    def _step(self, loop: "Loop") -> "StepResult | None":
        """One iteration, again with half the views at once each time that memory runs out."""
        from text2art_nb.runtime import devices

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
            loop.update_settings(loop.settings.with_(micro_batch=smaller))
            self._record(loop.iteration + 1, micro_batch=smaller)
            self.notices.append(f"memory ran out: now {smaller} views are seen at once")

    def _frame(self, loop: "Loop", look: "StepResult", took: float) -> "Frame":
        from text2art_nb.runs.frame import Frame

        self._seconds += took
        self._pace.add(loop.settings, loop.iteration, len(look.scores), took)
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
            eta=self._pace.eta(loop.settings, loop.iteration, loop.count),
            notice=look.notice,
            _canvas=look.canvas,
            _enlarge=look.enlarge,
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
            self._writer.put(self._path, self._checkpoint())
        if self._writer and self._states and self._states.is_due(loop.iteration, loop.total):
            self._states.put(self._writer, self._checkpoint(), loop.total)

    def _end(self, loop: "Loop") -> None:
        """Record where it was stopped, and write it down, before the iterator ends."""
        if loop.iteration < loop.total and not self._done:
            self._record(loop.iteration + 1, stop=True)
            self._done = True
        loop.close()
        if self._writer:
            self._writer.put(self._path, self._checkpoint())
            self.flush()

    def _recipe(self) -> Settings:
        """The settings that draw the present picture again: one from the middle of a run is one that was stopped."""
        if self._loop is None or self._loop.iteration >= self._loop.total or self._done:
            return self.settings
        stop = Steering(iteration=self._loop.iteration + 1, stop=True)
        return self.settings.with_(steering=(*self.settings.steering, stop))


def _candidates(settings: Settings, iteration: int) -> int:
    """How many candidates are drawn once `iteration` iterations are done."""
    present = settings.steered(iteration)
    return halving.left(present.candidates, present.finalists, iteration, present.iterations or 0)


def _checked(changes: dict[str, Any], present: Settings, candidates: int) -> dict[str, Any]:
    """Changes in their proper types. Raises SettingsError, naming the field, for what can't be changed now."""
    # pixray draws in a process of its own, which can only be ended.
    steerable, who = (("candidate",), "pixray") if present.engine == "pixray" else (STEERABLE, "it")
    for name in changes:
        if name not in steerable:
            raise SettingsError({name: f"{name} can't be changed while {who} draws; {', '.join(steerable)} can"})
    if isinstance(line := changes.get("prompts"), str) and "{" in line:
        changes = {**changes, "prompts": pick(line, present.seed or 0)}
    entry = Steering(iteration=1, **changes)
    if entry.candidate is not None and entry.candidate >= candidates:
        there = f"candidate must be less than {candidates}, the number of candidates"
        raise SettingsError({"candidate": f"{there}; got {entry.candidate}"})
    present.with_(**entry.new_settings)
    return entry.changes


def _check_room(settings: Settings, waiting: int = 0) -> None:
    """Raises SettingsError where a recipe has no place for one more change besides those that wait."""
    most = MAX_STEERING - _ROOM
    if len(settings.steering) + waiting >= most:
        raise SettingsError({"steering": f"a picture can be steered {most} times on its way; draw on from this one"})
