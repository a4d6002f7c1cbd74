"""Where a drawing's files go: the picture, the film, and beside them the run's directory to resume it from."""

import contextlib
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from text2art_nb.artifacts.artwork import SUFFIXES, check_kind, kind_of, kind_of_film
from text2art_nb.artifacts.encoders import put
from text2art_nb.errors import ArtworkError
from text2art_nb.settings import Settings

FOLDER = Path("text2art")
OTHER_FOLDER = Path("text2art-pictures")
CHECKPOINT = "checkpoint.safetensors"
NOTES = "outputs.json"


@dataclass(frozen=True)
class Places:
    """picture: the file; film: the other file, or None; directory: the run's own."""

    picture: Path
    film: Path | None
    directory: Path
    metadata: bool = True

    @property
    def frames(self) -> Path:
        """Where the frames lie."""
        return self.directory / "frames"

    @property
    def growing(self) -> Path:
        """The picture as it stands while it is drawn, for those who watch."""
        return self.directory / "now.jpg"

    def prepare(self) -> None:
        """Make the run's directory, put an earlier run's parts in it aside, and note the files' names there.

        They come back with `abandon`, and are gone for good with `settle`.

        Raises:
            ArtworkError: it cannot be made.
        """
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            if self._before.is_dir():  # of an attempt that came to nothing: what it left is worth less
                self._remove_parts()
            elif any(part.exists() for part in self._parts):
                self._before.mkdir()
                for part in self._parts:
                    if part.exists():
                        os.replace(part, self._before / part.name)
        except OSError as error:
            raise ArtworkError(f"the directory {self.directory} cannot be made: {error.strerror or error}") from error
        try:
            self.note()
        except ArtworkError:
            self.abandon()
            raise

    @property
    def displaced(self) -> str | None:
        """The other picture, if any, whose run lies in the directory: two that differ in their suffix share one."""
        other = _notes(self.directory).picture if os.path.isfile(self.directory / CHECKPOINT) else None
        return None if other == self.picture.name else other

    def note(self) -> None:
        """Write the files' names down, so that `resume` writes to the same ones: beside the run, wherever that lies."""
        names = {"picture": self.picture.name, "film": self.film.name if self.film else None, "metadata": self.metadata}
        put(self.directory / NOTES, json.dumps(names).encode())

    def abandon(self) -> None:
        """Leave nothing of a run that drew nothing: the directory is as it was before `prepare`."""
        with contextlib.suppress(OSError):
            self._remove_parts()
            if self._before.is_dir():
                for part in self._before.iterdir():
                    os.replace(part, self.directory / part.name)
                self._before.rmdir()
            self.directory.rmdir()

    def settle(self) -> None:
        """There is something of the new run: the earlier one's parts are not needed any more."""
        shutil.rmtree(self._before, ignore_errors=True)

    @property
    def _before(self) -> Path:
        return self.directory / ".text2art-before"

    @property
    def _parts(self) -> tuple[Path, ...]:
        """What a run puts into its directory; whatever else is there is none of its business."""
        names = (CHECKPOINT, NOTES, self.growing.name, self.frames.name, "states")
        return tuple(self.directory / name for name in names)

    def _remove_parts(self) -> None:
        for part in self._parts:
            if part.is_dir():
                shutil.rmtree(part)
            else:
                part.unlink(missing_ok=True)


@contextlib.contextmanager
def alone(directory: Path) -> Iterator[None]:
    """While it lasts, no other process that asks the same draws into the run's `directory`, which is made if need be.

    The system lets go of it with the process, however that ends. Where directories can't be locked it does nothing.

    Raises:
        ArtworkError: another process draws there.
    """
    with contextlib.ExitStack() as stack:
        # It can't be locked, as on some network file systems, or not be made: then `prepare` says why.
        with contextlib.suppress(ImportError, OSError):
            import fcntl  # there is none on Windows

            directory.mkdir(parents=True, exist_ok=True)
            handle = os.open(directory, os.O_RDONLY)
            stack.callback(os.close, handle)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ArtworkError(
                    f"{directory} is being drawn into by another process; wait until it has ended, or stop it"
                ) from None
            for left in directory.rglob(".*.safetensors.*.part"):  # by one that was killed while it wrote
                left.unlink()
        yield


def usual_folder() -> Path:
    """Where pictures go that have no name yet: ./text2art, or ./text2art-pictures where that is the program's clone."""
    return OTHER_FOLDER if (FOLDER / "text2art_nb").is_dir() else FOLDER


def places_for(
    settings: Settings, out: str | None, video: str | None, metadata: bool, folder: Path | None = None
) -> Places:
    """Where the picture of resolved `settings` goes.

    Args:
        settings: the prompt and the seed name the file, if `out` does not.
        out, video: what the user asked for, or None. Without `out` no file that is there is ever overwritten.
        metadata: whether the files carry the recipe.
        folder: where pictures go that have no name yet; None: `usual_folder`.

    Raises:
        ArtworkError: a suffix that is no picture's, or a directory that cannot be written to.
    """
    if out is not None:
        picture = Path(os.path.expanduser(out))
        check_kind(picture, settings)
        directory = picture.with_suffix(".run")
    else:
        picture, directory = _reserve(folder or usual_folder(), f"{slug(settings.prompts)}-{settings.seed}")
    return Places(picture, _film(settings, picture, video), directory, metadata)


def _film(settings: Settings, picture: Path, video: str | None) -> Path | None:
    if video is not None:
        film = Path(os.path.expanduser(video))
        kind_of_film(film)
        return film
    moves = picture.suffix.lower() in (".mp4", ".gif")
    return picture.with_suffix(".mp4") if settings.make_video and not moves else None


def _reserve(folder: Path, stem: str) -> tuple[Path, Path]:
    """A name in `folder` that nobody has, taken by making the run's directory; two processes never get the same."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for number in range(1, 100_000):
            name = stem if number == 1 else f"{stem}-{number}"
            if any((folder / f"{name}{suffix}").exists() for suffix in SUFFIXES):
                continue
            with contextlib.suppress(FileExistsError):
                (folder / f"{name}.run").mkdir()
                return folder / f"{name}.png", folder / f"{name}.run"
    except OSError as error:
        raise ArtworkError(f"nothing can be written to {folder.resolve()}: {error.strerror or error}") from error
    raise ArtworkError(f"there are too many pictures named {stem} in {folder.resolve()}; give --out")


def slug(prompts: str) -> str:
    """A file's name out of a prompt line: the first prompt's words with hyphens, at most 48 characters."""
    first = unicodedata.normalize("NFKC", prompts.split("|")[0]).lower()
    words = re.sub(r"[\W_]+", "-", first).strip("-")
    return words[:48].strip("-") or "picture"


def found_places(place: str, out: str | None, video: str | None) -> Places:
    """Where a run that is to go on lies, and where its picture goes.

    Args:
        place: the run's directory, or the picture beside it.
        out, video: what the user asks for now, or None for the same as before.

    Raises:
        ArtworkError: there is no such run.
    """
    given = Path(os.path.expanduser(place))
    directory = given if given.is_dir() else given.with_suffix(".run")
    if not (directory / CHECKPOINT).is_file():
        if not given.exists():
            raise ArtworkError(f"there is no {str(given)!r}")
        raise ArtworkError(f"there is nothing to go on with in {str(directory)!r}: it has no {CHECKPOINT}")
    notes = _notes(directory)
    directory = directory.resolve() if directory.name in ("", ".", "..") else directory
    beside = directory.with_suffix("")
    picture = Path(os.path.expanduser(out)) if out else beside.with_name(notes.picture or beside.name + ".png")
    film = Path(os.path.expanduser(video)) if video else beside.with_name(notes.film) if notes.film else None
    if notes.picture and given.is_file() and _is_anothers(given, notes):
        raise ArtworkError(f"{str(directory)!r} is the run of {notes.picture!r}, not of {given.name!r}")
    kind_of(picture)
    if film is not None:
        kind_of_film(film)
    return Places(picture, film, directory, notes.metadata)


@dataclass(frozen=True)
class _Notes:
    picture: str | None = None
    film: str | None = None
    metadata: bool = True


def _is_anothers(given: Path, notes: _Notes) -> bool:
    """Whether a picture is another one than that of the run, which has its name but for the suffix."""
    noted = Path(notes.picture or "")
    stands_in = noted.suffix == ".svg" and given.suffix == ".png"  # for strokes that are still to come
    return noted.stem == given.stem and given.name not in (notes.picture, notes.film) and not stands_in


def _notes(directory: Path) -> _Notes:
    """What `Places.note` wrote. Only names beside the directory, whatever it says: it may come from elsewhere."""
    try:
        with (directory / NOTES).open("rb") as file:
            read = json.loads(file.read(10_000))
    except (OSError, ValueError, RecursionError):
        return _Notes()
    if not isinstance(read, dict):
        return _Notes()

    def name(key: str) -> str | None:
        value = read.get(key)
        if not isinstance(value, str) or value != os.path.basename(value) or not value.isprintable():
            return None
        return value if Path(value).suffix.lower() in SUFFIXES else None

    return _Notes(name("picture"), name("film"), read.get("metadata") is not False)
