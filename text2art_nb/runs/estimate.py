"""Estimates the time and memory of a picture before it is drawn, by what runs took on this machine.

The same settings again: the measured pace. Other sizes or views of a kind of work (drawer, models, device): the costs
of an iteration, a view and a megapixel, fitted to the measured runs. Another kind: the usual costs at this machine's
speed, and the `Estimate` says so. Imports neither torch nor Jupyter.
"""

import contextlib
import itertools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from text2art_nb import models
from text2art_nb.artifacts.encoders import put
from text2art_nb.errors import ArtworkError
from text2art_nb.models.embedded import EYES
from text2art_nb.runs import costs
from text2art_nb.runtime import filesystems, formatting, machine
from text2art_nb.settings import Settings, halving
from text2art_nb.settings.perception import perceptor_spec

MOST_ENTRIES: Final = 200
_MOST_BYTES: Final = 1_000_000  # of a file that is worth reading
_LOCK_SECONDS: Final = 5.0
# Relative noise of a measured pace on a CPU, which others use too, on a GPU, and of memory; that of usual costs is 1.
_CPU_NOISE: Final = 0.15
_GPU_NOISE: Final = 0.07
_MEMORY_NOISE: Final = 0.05
_PROCESS_BYTES: Final = 400e6
_IMPORT_SECONDS: Final = 5.0
_LOAD_SECONDS: Final = 5.0  # of one model that is on the disk


@dataclass(frozen=True)
class Estimate:
    """Cost of a picture. `str` puts it in words: "about 20 s and 1.1 GB, as measured here".

    seconds: for all iterations; start_seconds: before the first one, for the models.
    bytes: peak memory of the process, or of the GPU that computes.
    measured: "this" if these settings were drawn here, "like" if others of the kind were, "none" if neither.
    """

    seconds: float
    start_seconds: float
    bytes: int
    measured: Literal["this", "like", "none"]

    def __str__(self) -> str:
        seconds, memory = self.seconds + self.start_seconds, self.bytes / 1e9
        if self.measured == "none":
            rough = f"{memory:.0f}" if memory >= 1 else f"{memory:.1g}"
            return f"perhaps {formatting.roughly(seconds)} and {rough} GB: nothing like it has been drawn here yet"
        source = "as measured here" if self.measured == "this" else "judging by other runs here"
        return f"about {formatting.about(seconds)} and {memory:.{1 if memory < 10 else 0}f} GB, {source}"


class _Work(BaseModel):
    """Work of one iteration: its kind, a key of everything that changes its cost, and what the cost grows with.

    views, megapixels: of all candidates, averaged over the iterations; at_once: views in memory together.
    """

    model_config = ConfigDict(frozen=True, allow_inf_nan=False)

    device: str
    kind: str
    key: str
    views: int = Field(ge=1)
    megapixels: float = Field(gt=0)
    at_once: int = Field(ge=1)

    @property
    def of_time(self) -> list[float]:
        """Features that the costs of time are for."""
        return [1.0, self.views, self.megapixels]

    @property
    def of_memory(self) -> list[float]:
        """Features that the costs of memory are for."""
        return [1.0, self.at_once, self.megapixels]

    def is_kin(self, other: "_Work") -> bool:
        """Whether both are of the same kind."""
        return (self.device, self.kind) == (other.device, other.kind)


class _Entry(_Work):
    """Measurements of some settings: running means over `weight` iterations."""

    machine: str
    usual: float = Field(gt=0, description="Seconds of an iteration by the usual costs.")
    pace: float = Field(gt=0, description="Seconds of an iteration.")
    weight: float = Field(gt=0)
    bytes: float = Field(ge=0, description="Peak memory; 0: unknown.")
    first_start: float | None = Field(default=None, ge=0, description="Of a process's first run.")
    next_start: float | None = Field(default=None, ge=0, description="Of a later run, with the models loaded.")

    def merged(self, new: "_Entry") -> "_Entry":
        """Average with a newer run; the old iterations count half, so the newest leads unless it was short."""
        past, share = self.weight / 2, new.weight / (self.weight / 2 + new.weight)

        def mean(before: float | None, now: float | None) -> float | None:
            return before if now is None else now if before is None else before + (now - before) * share

        means = {name: mean(getattr(self, name), getattr(new, name)) for name in ("pace", "first_start", "next_start")}
        # The least memory sufficed, the rest was in the process anyway: more is believed bit by bit.
        grown = self.bytes + (new.bytes - self.bytes) / 4 if 0 < self.bytes < new.bytes else new.bytes or self.bytes
        return new.model_copy(update=means | {"weight": past + new.weight, "bytes": grown})


class _Book(BaseModel):
    """The file; the oldest entries come first."""

    text2art_paces: Literal[1] = 1
    entries: tuple[_Entry, ...] = ()


class Paces:
    """Measured paces of the runs on this machine, in a JSON file that any number of processes may use.

    A damaged file counts as empty; the next `note` replaces it.
    """

    def __init__(self, path: Path | str | None = None, name: str | None = None) -> None:
        """path: None for ``paces.json`` in text2art's cache; name: the machine's, None to look it up."""
        self.path = models.cache_root() / "paces.json" if path is None else Path(path)
        self.machine = machine.describe() if name is None else name
        self._loaded: set[tuple[str, str]] = set()

    def note(self, settings: Settings, iterations: int, seconds: float, peak_bytes: int, start_seconds: float) -> None:
        """Record a run of `settings`. Ignores one without iterations, and a file that can't be written.

        seconds: for the `iterations`, without loading the models; peak_bytes: 0 if unknown.
        start_seconds: from the request to the first iteration.
        """
        if iterations < 1 or not seconds > 0:
            return
        settings = settings.resolved()
        work = _work(settings)
        first, again = not self._loaded, (work.device, work.kind) in self._loaded
        self._loaded.add((work.device, work.kind))
        new = _Entry(
            **work.model_dump(),
            machine=self.machine,
            usual=_dot(work.of_time, costs.time(settings, work.device)),
            pace=seconds / iterations,
            weight=iterations,
            bytes=max(0, peak_bytes),
            first_start=start_seconds if first else None,
            next_start=start_seconds if again else None,
        )
        with contextlib.suppress(OSError, ArtworkError):
            self._write(new)

    def guess(self, settings: Settings) -> Estimate:
        """Estimate the cost of drawing `settings`."""
        settings = settings.resolved()
        work = _work(settings)
        entries = [entry for entry in self._read() if entry.machine == self.machine]
        kin = [entry for entry in entries if entry.is_kin(work)]
        same = [entry for entry in kin if entry.key == work.key]
        if same:
            pace = same[-1].pace
        else:
            usual = [cost * _slowness(entries, work.device) for cost in costs.time(settings, work.device)]
            rows, noise = [entry.of_time for entry in kin], _CPU_NOISE if work.device == "cpu" else _GPU_NOISE
            pace = _dot(work.of_time, _fit(rows, [entry.pace for entry in kin], usual, noise))
        return Estimate(
            seconds=pace * (settings.iterations or 0),
            start_seconds=self._start(kin, work, settings, pace),
            bytes=round(_memory([entry for entry in kin if entry.bytes], work, settings)),
            measured="this" if same else "like" if kin else "none",
        )

    def _start(self, kin: Sequence[_Entry], work: _Work, settings: Settings, pace: float) -> float:
        """Seconds before the first iteration; what this process has imported and loaded isn't waited for again."""
        loading = _LOAD_SECONDS * sum(name not in EYES for name in (settings.model, *settings.perceptor_names))
        if not self._loaded:
            first = [entry.first_start for entry in kin if entry.first_start is not None]
            return first[-1] if first else _IMPORT_SECONDS + loading
        if (work.device, work.kind) not in self._loaded:
            return pace + loading
        # With the models loaded it takes about an iteration, of whatever size.
        later = [entry.next_start / entry.pace for entry in kin if entry.next_start is not None]
        return pace * (later[-1] if later else 1.0)

    def _read(self) -> tuple[_Entry, ...]:
        try:
            with self.path.open("rb") as file:
                data = file.read(_MOST_BYTES + 1)
            return _Book.model_validate_json(data).entries if len(data) <= _MOST_BYTES else ()
        except (OSError, ValidationError):
            return ()

    def _write(self, new: _Entry) -> None:
        """Add an entry, or merge it into that of the same settings. Raises OSError or ArtworkError."""
        import filelock

        self.path.parent.mkdir(parents=True, exist_ok=True)
        place = filesystems.lock_file(self.path.with_name(f"{self.path.name}.lock"))
        with filelock.FileLock(place, is_singleton=False).acquire(_LOCK_SECONDS):  # filelock.Timeout is an OSError
            entries, same = self._read(), (new.machine, new.device, new.kind, new.key)
            old = [each for each in entries if (each.machine, each.device, each.kind, each.key) == same]
            kept = [each for each in entries if each not in old]
            book = _Book(entries=(*kept, old[-1].merged(new) if old else new)[-MOST_ENTRIES:])
            put(self.path, book.model_dump_json(indent=1).encode() + b"\n")


def _work(settings: Settings) -> _Work:
    """settings: resolved."""
    width, height = settings.picture_size
    candidates, finalists, total = settings.candidates, settings.finalists, settings.iterations or 1
    pictures = sum(length * count for length, count in halving.spans(candidates, finalists, total)) / total
    cutouts = halving.views(candidates, finalists, (settings.num_cuts or 1) * (settings.batches or 1), total) / total
    views = round(cutouts + costs.style_views(settings) * pictures)
    specs = [perceptor_spec(each) for each in settings.perceptors or ()]
    kind = [settings.drawer, settings.model, *(name if cuts is None else f"{name}:{cuts}" for name, _, cuts in specs)]
    kind += [settings.precision, *([settings.engine] if settings.engine != "text2art" else [])]
    # Whatever changes an iteration beside its views and pixels; words and seeds don't.
    anchors = settings.init_weight_spherical, settings.init_weight_dist, settings.init_weight_cos
    rest = [sorted(settings.losses), settings.filters, settings.keep, settings.init_weight > 0, settings.micro_batch]
    rest += [any(anchors), settings.strokes, settings.stroke_length, settings.token_drop]
    return _Work(
        device=machine.pick_device(settings.device),
        kind=json.dumps(kind),
        key=json.dumps([width, height, views, candidates, finalists, *rest]),
        views=views,
        megapixels=width * height * pictures / 1e6,
        at_once=costs.memory(settings, views)[1],
    )


def _memory(known: Sequence[_Entry], work: _Work, settings: Settings) -> float:
    """Bytes: of the same settings, else fitted to the `known` of the kind; never less than the process holds now."""
    process = 0.0 if work.device.startswith("cuda") else _PROCESS_BYTES
    (fixed, *each), _ = costs.memory(settings, work.views)
    fitted = _fit(
        [entry.of_memory for entry in known], [entry.bytes for entry in known], [fixed + process, *each], _MEMORY_NOISE
    )
    same = [entry.bytes for entry in known if entry.key == work.key]
    return max(same[-1] if same else _dot(work.of_memory, fitted), machine.held_bytes() if process else 0)


def _slowness(entries: Sequence[_Entry], device: str) -> float:
    """How many times slower a device is than usual: by runs of any kind, else by the number of threads."""
    ratios = [math.log(entry.pace / entry.usual) for entry in entries if entry.device == device]
    if ratios:
        return math.exp(sum(ratios) / len(ratios))
    return 1 / math.sqrt(machine.threads()) if device == "cpu" else 1.0


def _dot(features: Sequence[float], each: Sequence[float]) -> float:
    return sum(feature * cost for feature, cost in zip(features, each, strict=True))


def _fit(
    rows: Sequence[Sequence[float]], values: Sequence[float], usual: Sequence[float], noise: float
) -> Sequence[float]:
    """Fit non-negative costs of features to measured `values`: ridge regression of the relative errors.

    The ridge pulls towards the usual costs at this machine's mean speed, the stronger the greater the relative `noise`:
    one run tells how fast the machine is, and each further one more about what is slow on it.
    """
    if not rows:
        return usual
    import numpy as np

    features, right, prior = np.array(rows), np.array(values), np.array(usual)
    prior *= np.exp(np.log(right / (features @ prior)).mean())
    matrix = np.vstack([features * prior / right[:, None], noise * np.eye(len(prior))])
    wanted = np.append(np.ones(len(right)), noise * np.ones(len(prior)))
    solutions = []
    for positive in list(itertools.product((False, True), repeat=len(prior)))[1:]:  # least squares with the others 0
        solution = np.zeros(len(prior))
        solution[list(positive)] = np.linalg.lstsq(matrix[:, positive], wanted, rcond=None)[0]
        solutions.append(solution)
    feasible = [solution for solution in solutions if (solution >= 0).all()]
    best = min(feasible, key=lambda solution: float(np.square(matrix @ solution - wanted).sum()))
    return [float(cost) for cost in best * prior]
