"""How long a picture will take and how much memory, said before it is drawn, by what others took on this machine.

`Paces` is the book of what was measured. The same settings again: the same pace. Other sizes or views of the same
kind (drawer, models, device): an iteration is taken to cost so much by itself, so much for each view and so much for
each pixel, and the three are fitted to what was measured, held near what is usual where little was. Nothing of the
kind: what is usual, and the `Estimate` says that it is no more than that.

Neither torch nor anything of Jupyter is imported here.
"""

import contextlib
import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from text2art_nb import models
from text2art_nb.artifacts.encoders import put
from text2art_nb.errors import ArtworkError
from text2art_nb.models.embedded import EYES
from text2art_nb.runs import costs as cost_tables
from text2art_nb.runtime import filesystems, machine
from text2art_nb.runtime.machine import PeakMemory
from text2art_nb.settings import Settings, halving
from text2art_nb.settings.perception import perceptor_spec

if TYPE_CHECKING:
    import numpy as np

__all__ = ["Estimate", "Measured", "Paces", "PeakMemory", "about", "in_words"]

Measured = Literal["this", "like", "none"]

MOST_ENTRIES: Final = 200
_MOST_BYTES: Final = 1_000_000  # of a file that is worth reading
_LOCK_SECONDS: Final = 5.0
# How far a run strays from what it should take: on a processor that others use too, on a card, and in memory. What is
# dear on a machine may stray from what is usual by 100 %. Trusting runs more than that lets one busy moment change what
# a pixel seems to cost.
_PACE_STRAYS: Final = 0.15
_CARD_STRAYS: Final = 0.07
_MEMORY_STRAYS: Final = 0.05


@dataclass(frozen=True)
class Estimate:
    """What drawing will take.

    Attributes:
        seconds: for all iterations.
        start_seconds: before the first one, for the models.
        bytes: the most memory at a time: of this process, or of the GPU that computes.
        measured: "this" if these very settings were drawn here, "like" if others of the kind were, "none" if neither.
    """

    seconds: float
    start_seconds: float
    bytes: int
    measured: Measured

    def __str__(self) -> str:
        return in_words(self)


def in_words(estimate: Estimate) -> str:
    """The estimate as a person would say it: "about 20 s and 1.1 GB, as measured here"."""
    seconds, memory = estimate.seconds + estimate.start_seconds, estimate.bytes / 1e9
    if estimate.measured == "none":
        rough = f"{memory:.0f}" if memory >= 1 else f"{memory:.1g}"
        return f"perhaps {_roughly(seconds)} and {rough} GB: nothing like it has been drawn here yet"
    source = "as measured here" if estimate.measured == "this" else "judging by other runs here"
    return f"about {about(seconds)} and {memory:.{1 if memory < 10 else 0}f} GB, {source}"


def about(seconds: float) -> str:
    """A time in words, to two digits or so: more would be a lie."""
    if seconds < 1.5:
        return "a second"
    if seconds < 20:
        return f"{seconds:.0f} s"
    if seconds < 90:
        return f"{round(seconds / 5) * 5} s"
    if seconds < 10 * 60:
        return f"{round(seconds / 30) / 2:g} min"
    if seconds < 90 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{round(seconds / 1800) / 2:g} h"


_MARKS: Final = (
    (3, "a few seconds"),
    (10, "10 s"),
    (20, "20 s"),
    (30, "half a minute"),
    (60, "a minute"),
    (120, "2 minutes"),
    (300, "5 minutes"),
    (600, "10 minutes"),
    (1200, "20 minutes"),
    (1800, "half an hour"),
    (3600, "an hour"),
)


def _roughly(seconds: float) -> str:
    """A time as one says it who doesn't know."""
    if seconds > 1.5 * 3600:
        return f"{seconds / 3600:.0f} hours"
    return min(_MARKS, key=lambda mark: abs(math.log(mark[0] / max(seconds, 1.0))))[1]


# --- what there is to do --------------------------------------------


@dataclass(frozen=True)
class _Work:
    """What decides the cost of an iteration of some settings.

    device: where it computes; kind: with what; key: everything that matters, for telling the same from the like;
    views: of all candidates; megapixels: likewise; heaviest: the eye that needs most memory for what it sees at a time;
    at_once: its views that are in memory together.
    """

    device: str
    kind: str
    key: str
    views: int
    megapixels: float
    heaviest: str
    at_once: int

    @property
    def for_time(self) -> list[float]:
        return [1.0, self.views, self.megapixels]

    @property
    def for_memory(self) -> list[float]:
        return [1.0, self.at_once, self.megapixels]


def _work(settings: Settings, device: str) -> _Work:
    """settings: resolved; device: theirs, "auto" replaced."""
    width, height = settings.picture_size
    total = settings.iterations or 1
    pictures = (
        sum(length * count for length, count in halving.spans(settings.candidates, settings.finalists, total)) / total
    )
    extra = cost_tables.style_views(settings)
    views = round(
        halving.views(
            settings.candidates, settings.finalists, (settings.num_cuts or 1) * (settings.batches or 1), total
        )
        / total
        + extra * pictures
    )  # of an iteration, in the mean
    heaviest, together = _heaviest(settings, views)
    kind = [settings.drawer, settings.model, *_unweighted(settings), settings.precision]
    kind += [settings.engine] if settings.engine != "text2art" else []
    # Whatever changes what an iteration does, beside its views and pixels; words and seeds don't.
    starts = settings.init_weight_spherical, settings.init_weight_dist, settings.init_weight_cos
    rest = [sorted(settings.losses), settings.filters, settings.keep, settings.init_weight > 0, settings.micro_batch]
    rest += [any(starts), settings.strokes, settings.stroke_length, settings.token_drop]
    return _Work(
        device=device,
        kind=json.dumps(kind),
        key=json.dumps([width, height, views, settings.candidates, settings.finalists, *rest]),
        views=views,
        megapixels=width * height * pictures / 1e6,
        heaviest=heaviest,
        at_once=max(together, extra),
    )


def _heaviest(settings: Settings, views: int) -> tuple[str, int]:
    """The eye that needs most memory for the views that it sees at a time, and how many those are."""
    found = [(eye, min(views, settings.micro_batch or _views_together(eye))) for eye in settings.perceptor_names]
    return max(found, key=lambda each: each[1] * cost_tables.of_eye(each[0]).megabytes_each)


def _unweighted(settings: Settings) -> list[str]:
    """The perceptors with their own cuts, where they have any."""
    specs = [perceptor_spec(each) for each in settings.perceptors or ()]
    return [name if cuts is None else f"{name}:{cuts}" for name, _, cuts in specs]


def _views_together(eye: str) -> int:
    """How many views a perceptor sees at once if nobody says (`Loop.micro_batch`)."""
    return max(4, math.ceil(10 * (224 / cost_tables.side(eye)) ** 2))


# --- what is usual --------------------------------------------------

_PROCESS_MB: Final = 400.0
# Not measured: a plain card against one thread, and what an iteration costs it at least.
_CARD: Final = 40.0
_CARD_ITERATION: Final = 0.04


def _usual_time(work: _Work, settings: Settings) -> list[float]:
    """Seconds for an iteration by itself, for a view and for a megapixel, of one thread, or of a card."""
    base, view, megapixel = cost_tables.time(settings)
    if work.device == "cpu":
        return [base, view, megapixel]
    return [_CARD_ITERATION + base / _CARD, view / _CARD, megapixel / _CARD]


def _usual_memory(work: _Work, settings: Settings) -> list[float]:
    """Bytes by themselves, for a view in memory and for a megapixel."""
    base, view, megapixel = cost_tables.memory(settings, work.heaviest)
    return [base + (0.0 if _is_cuda(work.device) else _PROCESS_MB * 1e6), view, megapixel]


_IMPORTS_SECONDS: Final = 5.0


def _usual_loading(settings: Settings) -> float:
    """Seconds for models that are on the disk."""
    return 5.0 * sum(name not in EYES for name in (settings.model, *settings.perceptor_names))


# --- the book -------------------------------------------------------


class _Entry(BaseModel):
    """What was measured of some settings: running means. `weight` is how many iterations stand behind them."""

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    machine: str
    device: str
    kind: str
    key: str
    views: int = Field(ge=1)
    megapixels: float = Field(gt=0)
    at_once: int = Field(ge=1)
    usual: float = Field(gt=0, description="Seconds that an iteration should have taken by what is usual.")
    pace: float = Field(gt=0, description="Seconds that an iteration took.")
    weight: float = Field(gt=0)
    bytes: float = Field(ge=0, description="The most memory at a time; 0: not known.")
    first_start: float | None = Field(default=None, ge=0, description="Of a process's first run.")
    next_start: float | None = Field(default=None, ge=0, description="Of a later run, with the models there.")

    def matches(self, work: _Work) -> bool:
        """Whether it is of these very settings, as far as cost goes."""
        return self.is_kin(work) and self.key == work.key

    def is_kin(self, work: _Work) -> bool:
        """Whether it is of the same kind."""
        return (self.device, self.kind) == (work.device, work.kind)


class _Book(BaseModel):
    """The file. The oldest entries come first."""

    text2art_paces: Literal[1] = 1
    entries: tuple[_Entry, ...] = ()


class Paces:
    """What drawing took on this machine, in a JSON file; from that, what the next picture will take.

    Any number of processes may use the same file. One that is damaged, or of something else, counts as empty and is
    replaced by the next `note`.
    """

    def __init__(self, path: Path | str | None = None, name: str | None = None) -> None:
        """path: None for ``paces.json`` in text2art's cache; name: the machine's, None to look at it."""
        self.path = models.cache_root() / "paces.json" if path is None else Path(path)
        self.machine = machine.describe() if name is None else name
        self._loaded: set[tuple[str, str]] = set()

    def note(self, settings: Settings, iterations: int, seconds: float, peak_bytes: int, start_seconds: float) -> None:
        """Write down what a run took.

        Args:
            settings: what was drawn.
            iterations: how many were drawn in `seconds`, without the time for the models.
            peak_bytes: the most memory at a time; 0 if that isn't known.
            start_seconds: from asking for the picture to the first iteration.

        Nothing happens where nothing was drawn, and where the file can't be written: an estimate is not worth an error.
        """
        if iterations < 1 or not seconds > 0:
            return
        settings = settings.resolved()
        work = self._work(settings)
        first, again = not self._loaded, (work.device, work.kind) in self._loaded
        self._loaded.add((work.device, work.kind))
        new = _Entry(
            machine=self.machine,
            device=work.device,
            kind=work.kind,
            key=work.key,
            views=work.views,
            megapixels=work.megapixels,
            at_once=work.at_once,
            usual=_dot(work.for_time, _usual_time(work, settings)),
            pace=seconds / iterations,
            weight=iterations,
            bytes=max(0, peak_bytes),
            first_start=start_seconds if first else None,
            next_start=start_seconds if again else None,
        )
        with contextlib.suppress(OSError, ArtworkError):
            self._write(new, work)

    def guess(self, settings: Settings) -> Estimate:
        """What drawing `settings` will take."""
        settings = settings.resolved()
        work = self._work(settings)
        entries = [entry for entry in self._read() if entry.machine == self.machine]
        kin = [entry for entry in entries if entry.is_kin(work)]
        same = [entry for entry in kin if entry.matches(work)]
        if same:
            pace = same[-1].pace
        else:
            usual = [part * _slowness(entries, work.device) for part in _usual_time(work, settings)]
            strays = _PACE_STRAYS if work.device == "cpu" else _CARD_STRAYS
            rows = [[1.0, entry.views, entry.megapixels] for entry in kin]
            pace = _dot(work.for_time, _fit(rows, [entry.pace for entry in kin], usual, strays))
        return Estimate(
            seconds=pace * (settings.iterations or 0),
            start_seconds=self._start(kin, work, settings, pace),
            bytes=round(_memory(kin, work, settings)),
            measured="this" if same else "like" if kin else "none",
        )

    def _work(self, settings: Settings) -> _Work:
        return _work(settings, machine.pick_device(settings.device))

    def _start(self, kin: Sequence[_Entry], work: _Work, settings: Settings, pace: float) -> float:
        """Seconds before the first iteration, which depend on what this process has imported and loaded already."""
        if not self._loaded:
            first = [entry.first_start for entry in kin if entry.first_start is not None]
            return first[-1] if first else _IMPORTS_SECONDS + _usual_loading(settings)
        if (work.device, work.kind) not in self._loaded:
            return pace + _usual_loading(settings)
        # With the models there, what is left is about an iteration: of another size, if this is another size.
        later = [entry.next_start / entry.pace for entry in kin if entry.next_start is not None]
        return pace * (later[-1] if later else 1.0)

    def _read(self) -> tuple[_Entry, ...]:
        """The entries, the oldest first."""
        try:
            with self.path.open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
            return _Book.model_validate_json(data).entries if len(data) <= _MOST_BYTES else ()
        except (OSError, ValidationError):  # none yet, damaged, or something else: then nothing is known
            return ()

    def _write(self, new: _Entry, work: _Work) -> None:
        """Add an entry, or merge it into the one of the same settings. Raises OSError or ArtworkError."""
        import filelock

        self.path.parent.mkdir(parents=True, exist_ok=True)
        place = filesystems.lock_file(self.path.with_name(f"{self.path.name}.lock"))
        lock = filelock.FileLock(place, is_singleton=False)
        with lock.acquire(_LOCK_SECONDS):  # filelock.Timeout is an OSError
            entries = list(self._read())
            old = [entry for entry in entries if entry.machine == self.machine and entry.matches(work)]
            kept = [entry for entry in entries if entry not in old]
            merged = _merge(old[-1], new) if old else new
            book = _Book(entries=tuple([*kept, merged][-MOST_ENTRIES:]))
            put(self.path, book.model_dump_json(indent=1).encode() + b"\n")


def _merge(old: _Entry, new: _Entry) -> _Entry:
    """The mean of both: what is old counts half, so that the newest leads, unless it was only a few iterations."""
    past = old.weight / 2
    share = new.weight / (past + new.weight)

    def mean(before: float | None, now: float | None) -> float | None:
        return before if now is None else now if before is None else before + (now - before) * share

    return new.model_copy(
        update={
            "pace": mean(old.pace, new.pace),
            "weight": past + new.weight,
            # The least is what was needed: the rest was in the process anyway. More is believed bit by bit.
            "bytes": old.bytes + (new.bytes - old.bytes) / 4 if 0 < old.bytes < new.bytes else new.bytes or old.bytes,
            "first_start": mean(old.first_start, new.first_start),
            "next_start": mean(old.next_start, new.next_start),
        }
    )


def _memory(entries: Sequence[_Entry], work: _Work, settings: Settings) -> float:
    """Bytes: those of the same settings, else fitted to the `entries` of the kind, as far as they know theirs.

    A process that holds more than that already will not hold less while it draws.
    """
    known = [entry for entry in entries if entry.bytes]
    same = [entry for entry in known if entry.matches(work)]
    if same:
        needed = same[-1].bytes
    else:
        rows = [[1.0, entry.at_once, entry.megapixels] for entry in known]
        usual = _usual_memory(work, settings)
        needed = _dot(work.for_memory, _fit(rows, [entry.bytes for entry in known], usual, _MEMORY_STRAYS))
    return needed if _is_cuda(work.device) else max(needed, machine.held_bytes())


def _is_cuda(device: str) -> bool:
    return device.partition(":")[0] == "cuda"


def _slowness(entries: Sequence[_Entry], device: str) -> float:
    """How many times slower this device is than what is usual: by other kinds of runs, else by its threads."""
    ratios = [math.log(entry.pace / entry.usual) for entry in entries if entry.device == device]
    if ratios:
        return math.exp(sum(ratios) / len(ratios))
    return 1 / math.sqrt(machine.threads()) if device == "cpu" else 1.0


def _dot(features: Sequence[float], costs: Sequence[float]) -> float:
    return sum(feature * cost for feature, cost in zip(features, costs, strict=True))


def _fit(
    rows: Sequence[Sequence[float]], values: Sequence[float], usual: Sequence[float], strays: float
) -> list[float]:
    """The non-negative costs that give `values` for `rows` of features: least squares of the relative errors.

    Costs are measured in what is usual on a machine of this one's overall speed, and held near that the more, the more
    the values stray (0.1: by 10 %). So one row only says how fast the machine is, and each further one says more about
    what is dear on it.
    """
    if not rows:
        return list(usual)
    import numpy as np

    features, right, centre = np.array(rows), np.array(values), np.array(usual)
    centre = centre * np.exp(np.log(right / (features @ centre)).mean())
    matrix = np.vstack([features * centre / right[:, None], strays * np.eye(len(centre))])
    wanted = np.append(np.ones(len(right)), strays * np.ones(len(centre)))
    return [float(cost) for cost in _non_negative(matrix, wanted) * centre]


def _non_negative(matrix: "np.ndarray[Any, Any]", wanted: "np.ndarray[Any, Any]") -> "np.ndarray[Any, Any]":
    """The x ≥ 0 with the least |matrix·x − wanted|², by trying which of the few numbers are zero."""
    import numpy as np

    count = matrix.shape[1]
    best, least = np.zeros(count), float("inf")
    for size in range(count, 0, -1):
        for chosen in itertools.combinations(range(count), size):
            x = np.zeros(count)
            x[list(chosen)] = np.linalg.lstsq(matrix[:, chosen], wanted, rcond=None)[0]
            error = float(np.square(matrix @ x - wanted).sum())
            if (x >= 0).all() and error < least:
                best, least = x, error
    return best
