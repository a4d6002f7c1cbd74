"""Pictures and runs on disk. No widgets here."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.artifacts.frame_store import FrameStore
from text2art_nb.artifacts.output_paths import CHECKPOINT, Places, found_places, places_for, usual_folder
from text2art_nb.errors import RunError
from text2art_nb.runs.checkpoint import Checkpoint

if TYPE_CHECKING:
    from text2art_nb.settings import Settings

DRIVE: Final = Path("/content/drive/MyDrive")
FRAMES_KEPT: Final = 1000
"""Frames kept of a run for the time machine: all of them, of any run that one would watch."""


@dataclass(frozen=True)
class StoredRun:
    """A run on disk: its directory, what it draws, and how far it is."""

    directory: Path
    prompts: str
    iteration: int
    total: int

    @property
    def finished(self) -> bool:
        """Whether all iterations have been drawn."""
        return self.iteration >= self.total

    @property
    def label(self) -> str:
        """The prompt and the progress, for a list."""
        short = self.prompts if len(self.prompts) <= 48 else self.prompts[:45] + "…"
        return f"{short or self.directory.stem} ({self.iteration} of {self.total})"


class RunLibrary:
    """The studio's folder: PNGs with their recipes in them, and beside each its run."""

    def __init__(self, folder: Path | None = None) -> None:
        """folder: None for `default_folder`."""
        self.folder = folder or default_folder()

    def new_paths(self, settings: "Settings") -> Places:
        """Make the paths of a new picture of resolved `settings`, and note them so that its run can be continued."""
        places = places_for(settings, None, None, True, self.folder)
        places.prepare()
        return places

    def paths_of(self, directory: Path) -> Places:
        """The paths of the run in `directory`."""
        return found_places(str(directory), None, None)

    def frames(self, places: Places, after: int | None) -> FrameStore:
        """The frames of a run. after: the iteration at which it starts; None: only to look at."""
        return FrameStore(places.frames, after=after, limit=FRAMES_KEPT)

    def pictures(self) -> list[Path]:
        """The pictures, newest first."""
        return _newest_first(self.folder, ".png")

    def runs(self) -> list[StoredRun]:
        """The runs that can be continued, newest first, without damaged ones."""
        found = []
        for directory in _newest_first(self.folder, ".run"):
            try:
                checkpoint = Checkpoint.peek(directory / CHECKPOINT)
            except RunError:
                continue
            prompts, iteration, total = checkpoint.settings.prompts, checkpoint.iteration, checkpoint.total
            found.append(StoredRun(directory, prompts, iteration, total))
        return found

    def artwork(self, picture: Path) -> Artwork:
        """A picture of this folder, with the frames of its run where they are still there.

        Raises ArtworkError where it isn't one of ours.
        """
        artwork = Artwork.open(picture, trusted=True)
        frames = picture.with_suffix(".run") / "frames"
        if frames.is_dir():
            artwork.frames = FrameStore(frames, limit=FRAMES_KEPT)
        return artwork

    def strokes(self, picture: Path) -> list[Path]:
        """The picture as an SVG, where it is made of strokes; else nothing."""
        path = picture.with_suffix(".svg")
        return [path] if path.is_file() else []

    def film(self, picture: Path, suffix: str) -> Path:
        """The film (".mp4" or ".gif") of a picture of this folder, made if it isn't there or is older.

        Raises ArtworkError where it can't be made.
        """
        path = picture.with_suffix(suffix)
        if not path.exists() or path.stat().st_mtime < picture.stat().st_mtime:
            self.artwork(picture).save(path)
        return path


def default_folder() -> Path:
    """$T2A_DIR, else a folder on Google Drive where that is mounted, else `usual_folder`."""
    if named := os.environ.get("T2A_DIR"):
        return Path(os.path.expanduser(named))
    # os.path, for pathlib raises where a mount is dead: "Transport endpoint is not connected".
    return DRIVE / "text2art" if os.path.isdir(DRIVE) else usual_folder()


def _newest_first(folder: Path, suffix: str) -> list[Path]:
    """Files in `folder` with that suffix, newest first, then by name. Empty where Drive's connection is dead."""
    aged = []
    for path in list(folder.iterdir()) if os.path.isdir(folder) else []:
        try:
            if path.suffix == suffix and not path.name.startswith("."):
                aged.append((path.stat().st_mtime_ns, path.name, path))
        except OSError:  # gone in the meantime
            continue
    return [path for _, _, path in sorted(aged, reverse=True)]
