"""A run on disk: one safetensors file, tensors and a JSON text, replaced as a whole or not at all."""

import contextlib
import json
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from text2art_nb.errors import RunError, SettingsError
from text2art_nb.runtime import filesystems
from text2art_nb.settings import Settings

if TYPE_CHECKING:
    from torch import Tensor

NAME: Final = "checkpoint.safetensors"
_KEY: Final = "text2art"


@dataclass(frozen=True)
class Checkpoint:
    """Where a run stood.

    settings: resolved, with the steering that happened; tensors and numbers: what `Loop.state` gave, empty before the
    first iteration; seconds: spent drawing.
    """

    settings: Settings
    tensors: "Mapping[str, Tensor]" = field(default_factory=dict)
    numbers: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0

    def write(self, path: Path) -> None:
        """Write to `path` so that a kill at any moment leaves the old file or the new one, never half of either."""
        from safetensors.torch import save

        text = {"settings": self.settings.to_recipe(), "numbers": dict(self.numbers), "seconds": self.seconds}
        tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in self.tensors.items()}
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.{os.getpid()}.part")
        try:
            with part.open("wb") as file:
                file.write(save(tensors, {_KEY: json.dumps(text)}))
                file.flush()
                filesystems.sync(file.fileno())
            os.replace(part, path)
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)  # on a full disk it has what room there was
            raise
        # Some file systems (Drive's) can't sync a directory; the file itself is safe.
        with contextlib.suppress(OSError):
            _sync(path.parent)

    @classmethod
    def read(cls, path: Path) -> "Checkpoint":
        """Read what `write` wrote; `path` is the file or its directory. Raises RunError where it isn't one."""
        return cls._read(path, whole=True)

    @classmethod
    def peek(cls, path: Path) -> "Checkpoint":
        """As `read`, but without the tensors: quick, for lists."""
        return cls._read(path, whole=False)

    @classmethod
    def _read(cls, path: Path, whole: bool) -> "Checkpoint":
        from safetensors import SafetensorError, safe_open

        path = path / NAME if path.is_dir() else path
        if not path.exists():
            raise RunError(f"there is no run to go on with at {path}")
        try:
            with safe_open(path, framework="pt") as file:
                text = json.loads((file.metadata() or {})[_KEY])
                names = list(file.keys()) if whole else []
                tensors = {name: file.get_tensor(name) for name in names}
            settings = Settings.from_recipe(text["settings"], trusted=True)
            numbers = {str(name): float(value) for name, value in text["numbers"].items()}
            return cls(settings, tensors, numbers, float(text["seconds"]))
        except SettingsError as error:
            raise RunError(f"{path} asks for something that can't be drawn: {error}") from error
        except (SafetensorError, OSError, KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise RunError(f"{path} is not a checkpoint of text2art, or a damaged one") from error

    @property
    def total(self) -> int:
        """How many iterations there will be: never fewer than there are, also where a lower total was asked for."""
        return max(self.iteration, self.settings.steered(self.iteration + 1).iterations or 0)

    @property
    def iteration(self) -> int:
        """How many iterations were done."""
        return int(self.numbers.get("iteration", 0))


def _sync(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class Writer:
    """Writes checkpoints on a thread of its own, so that the loop never waits for the disk.

    Of those that wait for one path only the newest counts.
    """

    def __init__(self) -> None:
        self._turn = threading.Condition()
        self._waiting: dict[Path, Checkpoint] = {}
        self._busy = False
        self._error: tuple[Path, Exception] | None = None

    def put(self, path: Path, checkpoint: Checkpoint) -> None:
        """Have `checkpoint` written to `path` soon. Raises RunError if an earlier one could not be.

        This one is tried all the same: what was in the way may have passed, and it may be the last.
        """
        failed = self._failure()
        with self._turn:
            self._waiting[path] = checkpoint
            if not self._busy:
                self._busy = True
                threading.Thread(target=self._work, name="text2art-checkpoint").start()
        if failed is not None:
            raise failed

    def flush(self) -> None:
        """Wait until everything is written. Raises RunError if it could not be."""
        with self._turn:
            self._turn.wait_for(lambda: not self._busy)
        failed = self._failure()
        if failed is not None:
            raise failed

    def _work(self) -> None:
        while True:
            with self._turn:
                if not self._waiting:
                    self._busy = False
                    self._turn.notify_all()
                    return
                path = next(iter(self._waiting))
                checkpoint = self._waiting.pop(path)
            try:
                checkpoint.write(path)
            except Exception as error:  # raised where somebody can act on it: at the next put or flush
                self._error = path, error

    def _failure(self) -> RunError | None:
        """What went wrong, once."""
        failed, self._error = self._error, None
        if failed is None:
            return None
        path, error = failed
        reason = getattr(error, "strerror", None) or error
        sentence = RunError(f"the run can't be saved to {path}: {reason}")
        sentence.__cause__ = error
        return sentence
