"""The states of a run on its way, on disk, so that one can go back to any of its frames and take another road."""

import re
from pathlib import Path
from typing import Final

from text2art_nb.artifacts.frame_store import stride_for
from text2art_nb.errors import RunError
from text2art_nb.runs.checkpoint import Checkpoint, Writer

LIMIT: Final = 24
"""States kept of a run, at most: what lies between two of them is drawn again."""
MAX_BYTES: Final = 512 * 2**20
"""What all states of a run may take on the disk; larger ones are kept more rarely."""

_NAME = re.compile(r"(\d{8})\.safetensors")


class States:
    """A run's states after every so many iterations, each a checkpoint file of its own in `directory`."""

    def __init__(self, directory: Path, after: int) -> None:
        """after: the iteration at which the run starts; later states, of an earlier attempt, are removed."""
        self._directory = directory
        for iteration in self._on_disk():
            if iteration > after:
                self._path(iteration).unlink(missing_ok=True)

    def is_due(self, iteration: int, total: int) -> bool:
        """Whether the state after `iteration` of `total` iterations is one to keep."""
        return iteration % stride_for(max(iteration, total), LIMIT) == 0

    def put(self, writer: Writer, checkpoint: Checkpoint, total: int) -> None:
        """Have `checkpoint` kept soon, and those removed that are no longer needed. Raises RunError as the writer."""
        size = sum(tensor.nbytes for tensor in checkpoint.tensors.values())
        stride = stride_for(max(checkpoint.iteration, total), max(1, min(LIMIT, MAX_BYTES // max(1, size))))
        if checkpoint.iteration % stride == 0:
            writer.put(self._path(checkpoint.iteration), checkpoint)
        for iteration in self._on_disk():
            if iteration % stride:
                self._path(iteration).unlink(missing_ok=True)

    def nearest(self, iteration: int) -> Checkpoint | None:
        """The last state that was kept up to `iteration`; None: only the start is left, or what is there is damaged."""
        for kept in reversed(self._on_disk()):
            if kept <= iteration:
                try:
                    return Checkpoint.read(self._path(kept))
                except RunError:  # a file that another program has damaged: the one before it does as well
                    continue
        return None

    def _path(self, iteration: int) -> Path:
        return self._directory / f"{iteration:08d}.safetensors"

    def _on_disk(self) -> list[int]:
        if not self._directory.is_dir():
            return []
        return sorted(int(found[1]) for path in self._directory.iterdir() if (found := _NAME.fullmatch(path.name)))
