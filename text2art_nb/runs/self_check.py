"""Self-check with real models: what `text2art doctor --real` and the notebook's last cell find out.

It fetches what `model="full"` needs, or uses what is there, compares digests, lets the real CLIPs see and read, draws
with each drawer, and says all of it in one block of plain text that can be pasted into an issue.
"""

import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from text2art_nb import models
from text2art_nb.artifacts.output_paths import usual_folder
from text2art_nb.errors import ModelError, SettingsError, Text2ArtError
from text2art_nb.models.listing import in_words
from text2art_nb.runs import surroundings, trial, zero_shot
from text2art_nb.runs.estimate import Paces
from text2art_nb.runs.needed_weights import needed
from text2art_nb.runtime import devices
from text2art_nb.runtime.report import Finding, as_block, as_json
from text2art_nb.settings import Settings

DRAWERS: Final = trial.DRAWERS
Tell = Callable[[str], None]


def chosen_drawers(only: str | None) -> tuple[str, ...]:
    """The drawers named in ``vqgan,pixel``; None: all. Raises SettingsError for one that the check doesn't know."""
    if only is None:
        return DRAWERS
    names = tuple(dict.fromkeys(name.strip() for name in only.split(",") if name.strip()))
    wrong = [name for name in names if name not in DRAWERS]
    if wrong or not names:
        raise SettingsError({"only": f"only takes {', '.join(DRAWERS)}, with commas between; got {only!r}"})
    return names


class SelfCheck:
    """One check. `run` fills `findings`, also where it is interrupted; `block` and `data` say what was found.

    findings: so far, in order; interrupted: whether Ctrl-C ended it.
    """

    def __init__(
        self,
        only: str | None = None,
        device: str = "auto",
        *,
        pictures: Path | None = None,
        tell: Tell = lambda sentence: None,
        beside: Callable[[], Iterable[Finding]] = tuple,
    ) -> None:
        """
        Args:
            only: drawers, with commas between; None: all of `DRAWERS` for which memory suffices.
            device: as in `Settings`.
            pictures: the folder of pictures; None: the command line's.
            tell: hears what is being done.
            beside: findings of whoever shows the check, such as the notebook's page.

        Raises:
            SettingsError: a drawer that the check doesn't know.
            RunError: there is no such device.
        """
        self.drawers = chosen_drawers(only)
        self.findings: list[Finding] = []
        self.interrupted = False
        self._named = only is not None
        self._device = devices.pick_device(device)
        self._quality = surroundings.quality_for(self._device)
        self._pictures = pictures or usual_folder()
        self._tell, self._beside = tell, beside
        self._begun = datetime.now(UTC)
        self._doing = "beginning"
        self._missing: set[str] = set()
        self._drawn: list[str] = []

    @property
    def ok(self) -> bool:
        """Whether all that was looked at is as it should be, and nothing was left out for an interruption."""
        return not self.interrupted and all(each.state != "BAD" for each in self.findings)

    @property
    def verdict(self) -> str:
        """The last line of the block."""
        broken = [each.name for each in self.findings if each.state == "BAD"]
        said = f"broken: {', '.join(broken)}" if broken else "all that was looked at is well"
        return f"interrupted while {self._doing}; {said}" if self.interrupted else said

    @property
    def block(self) -> str:
        """All findings as one fenced block of plain text."""
        return as_block(self._title, self.findings, self.verdict)

    @property
    def data(self) -> dict[str, Any]:
        """The same for JSON."""
        found = as_json(self._title, self.findings, self.verdict)
        return found | {"ok": self.ok, "interrupted": self.interrupted}

    @property
    def _title(self) -> str:
        return f"text2art self-check, {self._begun:%Y-%m-%d %H:%M} UTC"

    def run(self) -> None:
        """Look at everything. Ctrl-C ends it; what was found so far stays."""
        parts: tuple[tuple[str, Callable[[], Iterable[Finding]]], ...] = (
            ("looking at this machine", self._surroundings),
            ("fetching and checking weights", self._weights),
            ("looking through the CLIPs", self._eyes),
            ("drawing", self._drawings),
            ("stopping a run", self._stop),
        )
        try:
            for doing, part in parts:
                self._do(doing)
                self._guard(doing, part)
        except KeyboardInterrupt:
            self.interrupted = True

    def _do(self, doing: str) -> None:
        self._doing = doing
        self._tell(doing)

    def _guard(self, name: str, part: Callable[[], Iterable[Finding]]) -> bool:
        """Keep what `part` finds; what it raises is a finding, too. Whether it raised nothing."""
        began = time.monotonic()
        try:
            for finding in part():
                self.findings.append(finding)
        except Text2ArtError as error:
            self.findings.append(Finding(name, str(error), "BAD", {"error": type(error).__name__}, _since(began)))
        except Exception as error:  # a check that ends in a traceback tells less than one that goes on
            text = f"{type(error).__name__}: {error} (in {_place(error)})"
            self.findings.append(Finding(name, text, "BAD", {"error": type(error).__name__}, _since(began)))
        else:
            return True
        return False

    def _surroundings(self) -> Iterator[Finding]:
        yield surroundings.versions()
        yield surroundings.usual_checks()
        yield surroundings.device(self._device)
        yield from surroundings.folders(self._pictures)
        yield from self._beside()

    # -- weights

    def _weights(self) -> Iterator[Finding]:
        wanted = [pair for drawer in self._drawers_here() for pair in self._needed(drawer)]
        for name, kind in dict.fromkeys(wanted):
            self._do(f"fetching and checking {name}")
            if not self._guard(f"weights {name}", partial(self._weights_of, name, kind)):
                self._missing.add(name)
        return iter(())

    def _drawers_here(self) -> list[str]:
        return [drawer for drawer in self.drawers if not self._why_not(drawer)]

    def _needed(self, drawer: str) -> list[tuple[str, str]]:
        return list(needed(self._settings(drawer)))

    def _settings(self, drawer: str) -> Settings:
        return trial.trial_settings(drawer, str(self._device), self._quality)

    def _weights_of(self, name: str, kind: str) -> Iterator[Finding]:
        began = time.monotonic()
        try:
            where, fetched = models.locate(name, kind, download=False), False
        except ModelError:
            where, fetched = models.locate(name, kind, notice=self._tell), True
        seconds = _since(began)
        row = _row_of(name, where)
        found = list(models.verdicts(row, where))
        size = sum((where / each.path).stat().st_size for each in found)
        pace = f", {size / 1e6 / seconds:.0f} MB/s" if fetched and seconds > 0.5 else ""
        how = f"fetched in {seconds:.1f} s{pace}" if fetched else "was here"
        revision = _commit_of(row, where)
        data = {
            "weights": row.name,
            "fetched": fetched,
            "bytes": size,
            "directory": str(where),
            "revision": revision,
            "files": [asdict(each) | {"ok": each.ok} for each in found],
        }
        ok = all(each.ok for each in found)
        text = f"{row.name}, {in_words(size)}, {how}{revision and f', commit {revision[:12]}'}: {_digests(found)}"
        yield Finding(f"weights {name}", text, "ok" if ok else "BAD", {**data, "fetch_seconds": seconds}, _since(began))

    # -- eyes

    def _eyes(self) -> Iterator[Finding]:
        wanted = [name for drawer in self._drawers_here() for name, kind in self._needed(drawer) if kind == "clip"]
        for name in dict.fromkeys(wanted):
            self._do(f"looking through {name}")
            if name in self._missing:
                yield Finding(f"CLIP {name}", "not looked through: its weights are missing", "--")
            else:
                self._guard(f"CLIP {name}", partial(self._eye, name))

    def _eye(self, name: str) -> Iterator[Finding]:
        from text2art_nb import perceptors

        began = time.monotonic()
        eye = perceptors.load(name, self._device)
        found = zero_shot.zero_shot(eye, self._device, devices.pick_precision("auto", self._device))
        tokens = tuple(getattr(eye, "tokens", lambda text: ())(zero_shot.CAT))
        read = tokens == zero_shot.CAT_TOKENS
        heard = "as CLIP does" if read else f"as {list(tokens)}, which CLIP doesn't"
        text = (
            f"picks {found.right} of {len(found.picked)} captions (guessing: 1; p = {found.p:.4f}); similarity of a "
            f"picture to its caption {found.own:.3f}, to the others {found.others:.3f}, of two captions "
            f"{found.captions:.3f}, of two pictures {found.pictures:.3f}; reads '{zero_shot.CAT}' {heard}"
        )
        text += f". {found.why}" if found.why else ""
        data = asdict(found) | {"right": found.right, "ok": found.ok, "why": found.why, "tokens": tokens}
        yield Finding(f"CLIP {name}", text, "ok" if found.ok and read else "BAD", data, _since(began))

    # -- drawings

    def _why_not(self, drawer: str) -> str:
        """Why there is no drawing with `drawer` here; "" where there is one."""
        if drawer == "turbo" and self._device.type == "cpu" and not self._named:
            return "needs a GPU; --only turbo tries it here all the same"
        takes = Paces().guess(self._settings(drawer)).bytes
        free = surroundings.free_bytes(self._device)
        if free is not None and takes > free:
            return f"needs about {in_words(takes)} of memory, and {in_words(free)} are free"
        return ""

    def _drawings(self) -> Iterator[Finding]:
        for drawer in self.drawers:
            self._do(f"drawing with {drawer}")
            why = self._why_not(drawer)
            lacks = [name for name, _ in self._needed(drawer) if name in self._missing] if not why else []
            if why or lacks:
                why = why or f"{', '.join(lacks)} could not be had"
                yield Finding(f"drawing {drawer}", f"left out: {why}", "--", {"left_out": why})
            elif self._guard(f"drawing {drawer}", partial(self._drawing, drawer)):
                self._drawn.append(drawer)

    def _drawing(self, drawer: str) -> Iterator[Finding]:
        began = time.monotonic()
        found = trial.draw_trial(drawer, str(self._device), self._quality, self._tell)
        first, last = found.drawings[0], found.drawings[-1]
        scores = ", ".join(f"{each.before:.4f} -> {each.after:.4f}" for each in found.drawings)
        notices = "; ".join(dict.fromkeys(notice for each in found.drawings for notice in each.notices))
        text = (
            f"{len(found.drawings)} pictures of {found.size[0]}x{found.size[1]}, {found.iterations} iterations each; "
            f"score {scores} ({found.rose} rose); {last.iteration_seconds:.3g} s an iteration, first frame after "
            f"{first.first_seconds:.1f} s, peak {in_words(found.peak_bytes)}; "
            f"{found.fault or 'no NaN, none of one color'}{f'; said: {notices}' if notices else ''}"
        )
        yield Finding(f"drawing {drawer}", text, "BAD" if found.fault else "ok", found.data, _since(began))

    def _stop(self) -> Iterator[Finding]:
        if not self._drawn:
            yield Finding("Stop", "not tried: nothing was drawn", "--")
            return
        began = time.monotonic()
        found = trial.stop_delay(self._drawn[0], str(self._device), self._quality)
        text = (
            f"ended a run with {self._drawn[0]} after {found.seconds:.2f} s "
            f"(an iteration takes {found.iteration_seconds:.2f} s)"
        )
        yield Finding("Stop", text, "ok" if found.ok else "BAD", asdict(found), _since(began))


def _row_of(name: str, where: Path) -> models.Weights:
    """The row of the catalogue that lies in `where`: the one that `name` means, or one that it falls back to."""
    row = models.find(name)
    rows: Sequence[models.Weights] = (row, *map(models.find, row.fallbacks))
    for each in rows:
        if each.name.replace("/", "--") in str(where):
            return each
    return row


def _commit_of(row: models.Weights, where: Path) -> str:
    """The commit that the files in `where` are of; "" where it isn't known."""
    if where.parent.name == "snapshots":  # huggingface_hub's cache
        return where.name
    found = next((each for each in models.rows() if each["name"] == row.name), None)
    return found["revision"] if found else ""


def _digests(verdicts: Sequence[models.Verdict]) -> str:
    """What the digests of the files were compared with: each that holds tensors or is wrong, the others together."""
    told = [each for each in verdicts if not each.ok or Path(each.path).suffix != ".json"]
    rest = [each for each in verdicts if each not in told]
    parts = [_digest(each) for each in told]
    for source in dict.fromkeys(map(_source, rest)):
        count = sum(_source(each) == source for each in rest)
        parts.append(f"{count} small file{'s' if count > 1 else ''} {source}")
    return "; ".join(parts)


def _digest(verdict: models.Verdict) -> str:
    if not verdict.ok:
        return f"{verdict.path} sha256 {verdict.found} IS NOT {verdict.expected}"
    return f"{verdict.path} sha256 {verdict.found[:16]} {_source(verdict)}"


def _source(verdict: models.Verdict) -> str:
    """What the digest of a file is known from."""
    return "as published" if verdict.published else "as it first came" if verdict.remembered else "(known to nobody)"


def _place(error: BaseException) -> str:
    """Where an error was raised: the last file of it, without its folder, and the line."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(last.filename).name}:{last.lineno}"


def _since(began: float) -> float:
    return time.monotonic() - began
