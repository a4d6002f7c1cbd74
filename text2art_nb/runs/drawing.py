"""`draw`: from a sentence to a picture in one call."""

import contextlib
import os
import queue
import signal
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from text2art_nb import models
from text2art_nb.artifacts.artwork import Artwork, check_kind, kind_of_film
from text2art_nb.artifacts.frame_store import FrameStore
from text2art_nb.errors import ArtworkError, RunError
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

if TYPE_CHECKING:
    from text2art_nb.runs.frame import Frame

Watcher = Callable[["Frame"], None]
Place = str | os.PathLike[str]


def draw(
    prompts: str | list[str] | Settings = "",
    *,
    out: Place | None = None,
    video: Place | None = None,
    directory: Place | None = None,
    watch: Watcher | None = None,
    metadata: bool = True,
    **settings: Any,
) -> Artwork:
    """Draw a picture, to its end or until Ctrl-C, which keeps what is there.

    Before the first iteration that is nothing, and no file is written.

    Args:
        prompts: what to draw: ``"an underwater city | fog:0.5"``; or whole settings, such as those of another artwork.
        out: a file for the picture (.png, .jpg, .gif, .mp4, of strokes .svg), or None.
        video: a file for the film of its iterations (.mp4, .gif), or None.
        directory: where to keep checkpoints and frames, so that `Run.load` can go on after a kill; None: nowhere.
        watch: called with every `Frame` on this thread; what it raises ends the drawing.
        metadata: whether the files carry their recipe.
        settings: any of the fields of `Settings`: ``size="384x216", iterations=200, seed=7``; they change given ones.
            A whole number for `keep`, as in ``candidates=16, keep=4``, is the number of `finalists`.

    Returns:
        The picture, with its settings and frames.

    Raises:
        SettingsError: a setting cannot be used.
        ModelError: weights are missing.
        RunError: the drawing cannot begin. What ends it later, such as a full disk, is a warning: the picture is there.
        ArtworkError: a file cannot be written.
    """
    if video is not None:
        kind_of_film(Path(video))
    wanted = _wanted(prompts, settings)
    if out is not None:
        check_kind(Path(out), wanted)
    folder = None if directory is None else Path(directory)
    run = Run(wanted, directory=folder)
    frames = FrameStore(folder and folder / "frames", after=0) if wanted.make_video or video is not None else None
    with stops(run):
        try:
            broken = draw_what_can_be(run, frames, watch)
        finally:
            trouble = close_frames(frames)
    for what in (broken, trouble):
        if what:
            warnings.warn(str(what), stacklevel=2)
    try:
        artwork = picture_of(run, frames)
    except models.Cancelled:  # Ctrl-C while weights were fetched
        raise KeyboardInterrupt from None
    for place in (out, video):
        if place is not None and run.iteration > 0:
            artwork.save(place, metadata=metadata)
    return artwork


def _wanted(prompts: str | list[str] | Settings, given: dict[str, Any]) -> Settings:
    """The settings that `draw` is asked for. Raises SettingsError."""
    if isinstance(given.get("keep"), int):
        given = {**given, "finalists": given["keep"]}
        del given["keep"]
    return settings_of(prompts, given)


def settings_of(prompts: str | list[str] | Settings, given: dict[str, Any]) -> Settings:
    """What to draw, in words or as whole settings, with other settings, also by their other names. SettingsError."""
    if isinstance(prompts, Settings):
        return prompts.with_(**given)
    return Settings(**given, **({"prompts": prompts} if prompts else {}))


def keep_drawing(run: Run, frames: FrameStore | None, watch: Watcher | None) -> None:
    """Draw until `run` ends or is stopped; every frame goes to `frames` and to `watch`."""
    for frame in run:
        if frames is not None:
            frames.add(frame)
        if watch is not None:
            watch(frame)


def draw_what_can_be(run: Run, frames: FrameStore | None, watch: Watcher | None) -> RunError | None:
    """As `keep_drawing`; returns what ended it too early. Raises it where there is no picture that it could cost."""
    try:
        keep_drawing(run, frames, watch)
    except RunError as error:
        if run.iteration == 0:
            raise
        return error
    return None


def close_frames(frames: FrameStore | None) -> str | None:
    """Close the frames, if there are any; says what went wrong with them, which is no reason to lose the picture."""
    try:
        if frames is not None:
            frames.close()
    except ArtworkError as error:
        return str(error)
    return None


def picture_of(run: Run, frames: FrameStore | None) -> Artwork:
    """The run's picture at this moment, with its frames."""
    artwork = run.artwork
    if frames is not None:
        artwork.frames = frames
    return artwork


class Stopped:
    """Which signal, if any, has asked a run to stop."""

    signal: int | None = None


@contextlib.contextmanager
def stops(run: Run) -> Iterator[Stopped]:
    """While it lasts, Ctrl-C and SIGTERM stop `run` after the iteration at hand; a second one raises KeyboardInterrupt.

    Only the main thread hears signals; elsewhere it does nothing.
    """
    stopped = Stopped()
    if threading.current_thread() is not threading.main_thread():
        yield stopped
        return
    # A handler runs in the middle of anything, also while the main thread holds a lock that run.stop() wants. Putting
    # into a SimpleQueue is safe there, so another thread does the stopping.
    asked: queue.SimpleQueue[bool] = queue.SimpleQueue()

    def stop_if_asked() -> None:
        if asked.get():
            run.stop()

    def hear(number: int, _: FrameType | None) -> None:
        if stopped.signal is not None:
            raise KeyboardInterrupt
        stopped.signal = number
        asked.put(True)

    thread = threading.Thread(target=stop_if_asked, name="text2art-signals", daemon=True)
    thread.start()
    before = {number: signal.signal(number, hear) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        asked.put(False)
        thread.join()
