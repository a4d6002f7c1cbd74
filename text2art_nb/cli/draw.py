"""The commands that draw: draw, redraw, resume."""

import argparse
import contextlib
import gc
import json
import os
import sys
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from text2art_nb.artifacts.artwork import Artwork, check_kind
from text2art_nb.artifacts.frame_store import FrameStore
from text2art_nb.artifacts.output_paths import Places, alone, found_places, places_for
from text2art_nb.cli.invocation import command
from text2art_nb.cli.options import given_settings
from text2art_nb.cli.process_clock import Clock
from text2art_nb.cli.prompt_lists import prompt_lines
from text2art_nb.errors import ArtworkError, RunError, Text2ArtError
from text2art_nb.runtime import malloc
from text2art_nb.settings import Settings, Steering
from text2art_nb.settings.dialects import in_words

# Run brings torch with it, which takes seconds: it is imported once settings and names of files are known to be good.
if TYPE_CHECKING:
    from text2art_nb.runs.frame import Frame
    from text2art_nb.runs.run import Run

STOPPED = 130


def draw(options: argparse.Namespace, clock: Clock) -> int:
    """Draw a new picture, or one for each line of a list of prompts."""
    lines = prompt_lines(options.prompt)
    if lines is None:
        return _draw_asked(given_settings(options), options, clock)
    options.prompt = []
    given = given_settings(options)
    if len(lines) == 1:
        return _draw_asked({**given, "prompts": lines[0]}, options, clock)
    if options.out or options.video:
        option = "--out" if options.out else "--video"
        raise Text2ArtError(
            f"{option} names one file, and there are {len(lines)} prompts; --out-dir names their folder"
        )
    for line in lines:  # all of them now, before the first is drawn
        Settings(**{**given, "prompts": line})
    for number, line in enumerate(lines, 1):
        _say(f"picture {number} of {len(lines)}: {line}")
        status = _draw_asked({**given, "prompts": line}, options, clock)
        if status:
            return status
    return 0


def _draw_asked(given: dict[str, Any], options: argparse.Namespace, clock: Clock) -> int:
    """Draw what was asked for, and say how its prompts are understood."""
    settings = Settings(**given)
    line = given.get("prompts", "")
    for sentence in in_words(line):
        _say(sentence)
    resolved = settings.resolved()
    if resolved.prompts != settings.prompts:
        _say(f"the seed chose: {resolved.prompts}")
    return _draw(resolved, options, clock)


def redraw(options: argparse.Namespace, clock: Clock) -> int:
    """Draw a picture again from the recipe in it."""
    return _draw(_settings_in(options.file, options.trust), options, clock)


def _settings_in(file: str, trusted: bool) -> Settings:
    found = Artwork.inspect(file, trusted=trusted)
    return Settings.from_recipe(found["settings"], trusted=trusted)


def _draw(asked: Settings, options: argparse.Namespace, clock: Clock) -> int:
    settings = asked.resolved()
    if options.no_video:
        settings = settings.with_(make_video=False)
    out_dir: str | None = getattr(options, "out_dir", None)
    folder = None if out_dir is None else Path(os.path.expanduser(out_dir))
    places = places_for(settings, options.out, options.video, not options.no_metadata, folder)
    with alone(places.directory):
        if places.displaced:
            _say(f"the run of {places.displaced} in {places.directory} gives way to this one's; the picture stays")
        places.prepare()
        run: Run | None = None
        try:  # an earlier run is put aside, and the import takes seconds
            from text2art_nb.runs import run as runs

            run = runs.Run(settings, directory=places.directory)
            return _go(run, places, options, clock)
        finally:
            if run is None or run.iteration == 0:
                with contextlib.suppress(RunError):  # what went wrong first is what the user is told
                    if run is not None:
                        run.flush()
                places.abandon()


def resume(options: argparse.Namespace, clock: Clock) -> int:
    """Go on with a run that was stopped or killed, or make a finished one longer."""
    try:
        places = found_places(options.place, options.out, options.video)
    except ArtworkError:
        settings = _recipe_left(options.place)
        if settings is None:
            raise
        _say(f"the run of {options.place} is gone, but its recipe is in it: drawing it again from the start")
        if options.iterations:
            settings = _longer(settings, options.iterations)
        return _draw(settings, options, clock)
    with alone(places.directory):
        return _resume(places, options, clock)


def _resume(places: Places, options: argparse.Namespace, clock: Clock) -> int:
    from text2art_nb.runs.run import Run

    run = Run.load(places.directory)
    check_kind(places.picture, run.settings)
    if options.iterations:
        run = Run.load(places.directory, iterations=_total(options.iterations, run.total))
    if options.no_video:
        places = Places(places.picture, None, places.directory, places.metadata)
    if options.no_metadata:
        places = Places(places.picture, places.film, places.directory, False)
    if options.out or options.video:
        places.note()
    return _go(run, places, options, clock)


def _recipe_left(place: str) -> Settings | None:
    """The settings in the picture at `place` if it is one of ours."""
    if not Path(place).is_file():
        return None
    with contextlib.suppress(ArtworkError):
        return _settings_in(place, trusted=False)
    return None


def _longer(settings: Settings, asked: str) -> Settings:
    """A recipe with another total: its steering is kept, but for its end and for totals of its own."""
    total = _total(asked, settings.steered(10**6).iterations or 0)
    kept: list[Steering] = []
    for entry in settings.steering:
        changes = {name: value for name, value in entry.changes.items() if name != "iterations"}
        if changes and not entry.stop:
            kept.append(Steering(iteration=entry.iteration, **changes))
    return settings.with_(iterations=total, steering=kept)


def _total(text: str, now: int) -> int:
    """200 is 200, +50 is fifty more than now."""
    try:
        number = int(text)
    except ValueError:
        raise Text2ArtError(f"--iterations takes a number, such as 200, or +50 for fifty more; got {text!r}") from None
    return now + number if text.strip().startswith("+") else number


def _go(run: "Run", places: Places, options: argparse.Namespace, clock: Clock) -> int:
    """Draw `run` to its end, or until a signal; then write what there is and say where."""
    from text2art_nb.cli.preview_file import Growing
    from text2art_nb.cli.progress import Progress
    from text2art_nb.models import Cancelled
    from text2art_nb.runs.drawing import close_frames, draw_what_can_be, picture_of, stops

    moving = places.film is not None or places.picture.suffix.lower() in (".gif", ".mp4")
    frames = FrameStore(places.frames, after=run.iteration) if moving else None
    growing = Growing(places.growing, clock)
    for notice in (*run.notices, f"watch it grow in {places.growing}"):
        _say(notice)
    with stops(run) as stopped, malloc.unswept():
        try:
            growing.begin(run)
            with Progress(run, clock) as progress:

                def show(frame: "Frame") -> None:
                    if not gc.isenabled():  # all is imported and loaded, and will be needed to the end
                        malloc.keep_what_is_there()
                    if frame.iteration == 1:
                        places.settle()
                    progress.show(frame)
                    growing.show(frame)

                broken = draw_what_can_be(run, frames, show)
        finally:
            trouble = close_frames(frames)
        if run.iteration == 0:
            _say("stopped before the first iteration")
            return STOPPED
        try:
            artwork = picture_of(run, frames)
        except Cancelled:
            _say(f"stopped while weights were fetched, at iteration {run.iteration}")
            return STOPPED
        with warnings.catch_warnings(record=True) as warned:
            picture = artwork.save(places.picture, metadata=places.metadata)
        film = _save_film(artwork, places)
    for what in (trouble, growing.trouble, *(str(each.message) for each in warned)):
        if what:
            _say(what)
    times = {
        "seconds": round(clock.seconds, 2),
        "first_picture_seconds": growing.first_seconds,
        "first_frame_seconds": progress.first_frame_seconds,
    }
    _report(run, artwork, picture, places, options, times, film)
    if broken is not None:
        raise broken
    if stopped.signal is None or run.iteration >= run.total:
        return 0
    how = command("resume", str(places.directory), *_elsewhere(places))
    _say(f"stopped after iteration {run.iteration} of {run.total}; go on with: {how}")
    return STOPPED


def _elsewhere(places: Places) -> Iterator[str]:
    """The options for files that don't lie beside the run, where `resume` would put them by itself."""
    for option, file in (("--out", places.picture), ("--video", places.film)):
        if file is not None and file.parent != places.directory.parent:
            yield from (option, str(file))


def _save_film(artwork: Artwork, places: Places) -> Path | None:
    """Where the film is; None if there is none. The picture is there by now: a film that fails is no reason to fail."""
    if places.film is None:
        return None
    try:
        return artwork.save(places.film, metadata=places.metadata)
    except ArtworkError as error:
        _say(str(error))
        return None


def _report(
    run: "Run",
    artwork: Artwork,
    picture: Path,
    places: Places,
    options: argparse.Namespace,
    times: Mapping[str, float | None],
    film: Path | None,
) -> None:
    """Say where the picture is, and what to know about it."""
    _warn_of_words(artwork.settings)
    if not options.json:
        for path in (picture, film):
            if path is not None:
                print(path)
        return
    result = {
        "file": str(picture),
        "video": str(film) if film else None,
        "seed": artwork.settings.seed,
        "score": artwork.score,
        "iterations": run.iteration,
        **times,
        "directory": str(places.directory),
    }
    print(json.dumps(result, ensure_ascii=False))


def _warn_of_words(settings: Settings) -> None:
    """Words that the embedded models were never taught, and which model knows them."""
    from text2art_nb.models import nearest_word
    from text2art_nb.runs.estimate import Paces
    from text2art_nb.runs.light_offer import light_offer, unknown_in

    words = unknown_in(settings)
    if not words:
        return
    offer = light_offer(settings, Paces())
    model = "full" if offer is None else "light"
    for word in words:
        near = nearest_word(word)
        meant = f" (it knows '{near}')" if near else ""
        _say(f"the embedded model doesn't know '{word}'{meant}; a real CLIP does: --model {model}")
    if offer is not None:
        _say(f"on this machine: {offer.sentence}, with --model light")


def _say(text: str) -> None:
    print(f"text2art: {text}", file=sys.stderr)
