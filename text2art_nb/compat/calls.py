"""clipit's and pixray's calls. There they share one set of globals; here each thread, and each task, has its own.

What `add_settings` collects is kept by context (`contextvars`). What a picture needs from then on, the run, its frames
and where it is saved, is in the object that `apply_settings` returns, and nowhere else: so any number of them can be
drawn in turn or at once.
"""

import warnings
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from text2art_nb.compat.names import Origin, translated
from text2art_nb.errors import RunError, SettingsError
from text2art_nb.settings import Settings, coercion

if TYPE_CHECKING:
    from PIL import Image

    from text2art_nb.artifacts.artwork import Artwork
    from text2art_nb.artifacts.frame_store import FrameStore
    from text2art_nb.runs.frame import Frame
    from text2art_nb.runs.run import Run

NOTHING: Mapping[str, Any] = MappingProxyType({})


@dataclass(frozen=True)
class _Outlet:
    """Where a picture goes while and after it is drawn: its file, its film (or None), and how often it is shown."""

    picture: Path
    film: Path | None
    every: int


class Applied:
    """What is to be drawn. Its attributes are the settings: `settings.iterations`, `settings.size`, `settings.prompts`.

    run, artwork: None before `do_init` and before the end of `do_run`.
    """

    def __init__(self, wanted: Settings, outlet: _Outlet) -> None:
        """wanted: resolved."""
        self.wanted = wanted
        self.outlet = outlet
        self.run: Run | None = None
        self.frames: FrameStore | None = None
        self.artwork: Artwork | None = None
        self._shown = False

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self.wanted, name)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.wanted!r}, output={str(self.outlet.picture)!r})"


class Calls:
    """The functions of one of the originals."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._given: ContextVar[Mapping[str, Any]] = ContextVar(f"text2art_{origin.name}", default=NOTHING)

    def reset_settings(self) -> None:
        """Forget what was added, in this thread or task."""
        self._given.set(NOTHING)

    def add_settings(self, **settings: Any) -> None:
        """Set some settings, beside what was added before; None takes one back. They are checked when applied."""
        kept = {**self._given.get(), **settings}
        self._given.set(MappingProxyType({name: value for name, value in kept.items() if value is not None}))

    def get_settings(self) -> dict[str, Any]:
        """A copy of what was added."""
        return dict(self._given.get())

    def apply_settings(self) -> Applied:
        """What was added, checked, for `do_init` and `do_run`.

        Raises:
            SettingsError: one sentence for each setting that is unknown (it names the nearest) or can't be used.
        """
        return self._applied(self._given.get())

    def do_init(self, settings: Applied) -> None:
        """Begin a run of `settings`; a second call begins it anew.

        Raises:
            SettingsError: they don't fit together.
        """
        from text2art_nb.artifacts.frame_store import FrameStore
        from text2art_nb.runs.run import Run

        settings.run = Run(settings.wanted)
        settings.frames = FrameStore(after=0) if settings.outlet.film is not None else None
        settings.artwork = None

    def do_run(self, settings: Applied, return_display: bool = False) -> bool:
        """Draw to the end, or to Ctrl-C, which keeps what is there; save the picture, and the film if there is one.

        Args:
            settings: as `do_init` took them.
            return_display: come back after every `display_every` iterations, to be called again.

        Returns:
            Whether it is done.

        Raises:
            RunError: `do_init` wasn't called, or the drawing can't go on.
            ModelError: weights are missing.
            ArtworkError: the files can't be written.
        """
        from text2art_nb.runs.drawing import stops

        run = settings.run
        if run is None:
            raise RunError(f"{self._origin.name}.do_init(settings) comes before do_run(settings)")
        with stops(run):
            for frame in run:
                if settings.frames is not None:
                    settings.frames.add(frame)
                due = frame.iteration % settings.outlet.every == 0
                if due:
                    _show(settings, frame)
                if due and return_display and frame.iteration < frame.total:
                    return False
        _finish(settings)
        return True

    def do_video(self, settings: Applied) -> None:
        """Save the film; `do_run` has done so where make_video is on.

        Raises:
            RunError: no frames were kept, for make_video was off.
        """
        if settings.artwork is None or settings.frames is None:
            raise RunError("there is no film: add_settings(make_video=True) keeps the frames for one")
        settings.artwork.save(settings.outlet.picture.with_suffix(".mp4"))

    def run(self, prompts: Any = None, drawer: str = "vqgan", **settings: Any) -> "Artwork":
        """All of it in one call; what was added before is forgotten, as in the original.

        Returns:
            The picture, which has also been saved.

        Raises:
            What the other calls raise.
        """
        self.reset_settings()
        self.add_settings(prompts=prompts, drawer=drawer, **settings)
        applied = self.apply_settings()
        self.do_init(applied)
        self.do_run(applied)
        assert applied.artwork is not None
        return applied.artwork

    def _applied(self, given: Mapping[str, Any]) -> Applied:
        rest = dict(given)
        output, folder = rest.pop("output", "output.png"), rest.pop("outdir", None)
        every = rest.pop("display_every", 20)
        wanted = Settings(**translated(rest, self._origin)).resolved()
        try:
            place = Path(coercion.name(output, "output", "a file's name, like output.png"))
            within = Path(self._origin.folder() if folder is None else coercion.text(folder, "outdir", "a folder"))
            often = max(1, int(coercion.number(every, "display_every")))
        except ValueError as error:
            raise SettingsError(str(error)) from None
        picture = (within / place.name if within.parts else place).with_suffix(".png")
        return Applied(wanted, _Outlet(picture, picture.with_suffix(".mp4") if wanted.make_video else None, often))


def _finish(settings: Applied) -> None:
    """Save what was drawn."""
    from text2art_nb.models import Cancelled
    from text2art_nb.runs.drawing import close_frames, picture_of

    assert settings.run is not None
    if trouble := close_frames(settings.frames):
        warnings.warn(trouble, stacklevel=3)
    try:
        settings.artwork = picture_of(settings.run, settings.frames)
    except Cancelled:  # Ctrl-C while weights were fetched
        raise KeyboardInterrupt from None
    for place in (settings.outlet.picture, settings.outlet.film):
        if place is not None:
            place.parent.mkdir(parents=True, exist_ok=True)
            settings.artwork.save(place)
    print(f"text2art: {settings.outlet.picture}, score {settings.artwork.score or 0:.3f}")


def _show(settings: Applied, frame: "Frame") -> None:
    """The picture as it stands: in the notebook's cell, in place of the one before; elsewhere a line of text."""
    line = f"iteration {frame.iteration} of {frame.total}, score {frame.score:.3f}"
    if not _in_notebook():
        print(line)
        return
    _show_picture(frame.image, f"text2art-{id(settings)}", settings._shown)
    settings._shown = True


def _show_picture(image: "Image.Image", display_id: str, again: bool) -> None:
    from text2art_nb.studio.images import jpeg
    from text2art_nb.studio.output import show_jpeg

    show_jpeg(jpeg(image), display_id, update=again)


def _in_notebook() -> bool:
    from IPython.core.getipython import get_ipython

    return getattr(get_ipython(), "kernel", None) is not None
