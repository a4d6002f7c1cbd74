"""One pixray at work, in a process and an environment of its own: what it is told, and the frames that come back."""

import contextlib
import json
import os
import queue
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from text2art_nb.errors import RunError
from text2art_nb.runs.pixray.install import home

HOW: Final = "./setup_colab.sh --with-pixray"
LOG: Final = "pixray.log"
_CHILD: Final = Path(__file__).with_name("child.py")
_ROOT: Final = Path(__file__).parents[3]
_LOOK_SECONDS: Final = 0.05
_PATIENCE_SECONDS: Final = 5.0
# What pixray opens by a path that is relative to where it runs.
_BESIDE: Final = ("vectors", "inputs", "models", "taming-transformers", "SLIP", "v-diffusion-pytorch")


@dataclass(frozen=True)
class Shot:
    """What pixray has after an iteration, counted from 1: the picture, uint8 in rows, columns and 3 or 4 channels.

    end: there are no more iterations, and this is the picture to hand over.
    """

    iteration: int
    loss: float
    score: float
    pixels: bytes
    shape: tuple[int, int, int]
    end: bool


def is_here() -> bool:
    """Whether pixray is installed: where `install` puts it, or at PIXRAY_HOME."""
    place = home()
    return (place / "pixray" / "pixray.py").is_file() and (place / "venv" / "bin" / "python").exists()


class Process:
    """A pixray that draws.

    folder: its own; its log is there. It runs in another one, a temporary one: pixray wants links where it runs, which
    not every folder can have (Google Drive's can't). Raises RunError where pixray isn't installed, or can't be started.
    """

    def __init__(self, order: Mapping[str, Any], folder: Path, environment: Mapping[str, str]) -> None:
        if not is_here():
            raise RunError(f"pixray isn't installed on this machine; {HOW} installs it")
        place = home()
        self.log = folder / LOG
        self._shots: queue.Queue[Shot | None] = queue.Queue(maxsize=1)
        self._trouble = ""
        reading, writing = os.pipe()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._place = _linked(place / "pixray")
            with self.log.open("wb") as log:
                self._process = subprocess.Popen(
                    [str(place / "venv" / "bin" / "python"), "-P", str(_CHILD), str(writing)],
                    cwd=self._place.name,
                    stdin=subprocess.PIPE,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    pass_fds=[writing],
                    start_new_session=True,  # Ctrl-C is for the run, which stops it in its own time
                    env={**os.environ, **_ENVIRONMENT, **environment},
                )
        except OSError as error:
            os.close(reading)
            raise RunError(f"pixray can't be started: {error.strerror or error}; {HOW} installs it anew") from error
        finally:
            os.close(writing)
        self._reader = threading.Thread(target=self._read, args=(os.fdopen(reading, "rb"),), daemon=True)
        self._reader.start()
        self._tell({**order, "pixray": str(place / "pixray"), "root": str(_ROOT)})

    def _tell(self, order: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # it has died already; `next` says of what
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()

    def next(self, abandoned: Callable[[], bool]) -> Shot | None:
        """What it has after its next iteration; None if `abandoned()` comes true first. RunError where it failed."""
        while not abandoned():
            with contextlib.suppress(queue.Empty):
                shot = self._shots.get(timeout=_LOOK_SECONDS)
                if shot is None:
                    raise RunError(self._why())
                return shot
        return None

    def close(self) -> None:
        """End it, at once; nothing that it has handed over is lost."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(_PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        while self._reader.is_alive():  # it may wait to hand over a frame that nobody wants any more
            with contextlib.suppress(queue.Empty):
                self._shots.get(timeout=_LOOK_SECONDS)
        self._place.cleanup()

    def _read(self, frames: IO[bytes]) -> None:
        """Take in frames as they come, one ahead of whoever asks, and a None in the end."""
        with frames:
            while line := frames.readline():
                head = json.loads(line)
                if "error" in head:
                    self._trouble = head["error"] or self._last_words()
                    break
                pixels = frames.read(head["bytes"])
                if len(pixels) < head["bytes"]:
                    break
                numbers = {name: head[name] for name in ("iteration", "loss", "score", "end")}
                self._shots.put(Shot(pixels=pixels, shape=tuple(head["shape"]), **numbers))
        self._shots.put(None)

    def _why(self) -> str:
        """One sentence: what went wrong, and where there is more."""
        status = self._process.wait()
        what = self._trouble.rstrip(".")
        if not what and status < 0:
            what = f"it was killed ({signal.Signals(-status).name}), perhaps for want of memory"
        what = what or f"it ended with status {status}: {self._last_words()}"
        return f"pixray failed: {what}; its log is {self.log}"

    def _last_words(self) -> str:
        lines = [line.strip() for line in self.log.read_text(encoding="utf-8", errors="replace").splitlines()]
        return next((line for line in reversed(lines) if line), "it said nothing")[:300]


def _linked(sources: Path) -> "tempfile.TemporaryDirectory[str]":
    """A new folder for pixray to run in, with links to what it opens there. Raises OSError."""
    place = tempfile.TemporaryDirectory(prefix="text2art-pixray-", ignore_cleanup_errors=True)
    for name in _BESIDE:
        if (sources / name).is_dir():
            Path(place.name, name).symlink_to(sources / name)
    return place


# torch.load took any pickle in pixray's time; no window may open; what it prints is to be in the log at once.
_ENVIRONMENT: Final[Mapping[str, str]] = {
    "TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1",
    "MPLBACKEND": "Agg",
    "PYTHONUNBUFFERED": "1",
    "PYTHONWARNINGS": "ignore",
}
