"""Pools of rendered pictures: made once by parallel processes, kept on disk, mapped into memory.

A pool is a function of its plan and of the world as it is programmed now; its folder's name has both.
"""

import functools
import hashlib
import os
import shutil
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import astuple, dataclass, replace
from pathlib import Path

import numpy as np
from filelock import FileLock
from numpy.lib.format import open_memmap
from numpy.typing import NDArray

from text2art_nb.errors import RunError
from text2art_nb.training import world
from text2art_nb.training.views import Pixels

CHUNK = 250

# In a group, scenes differ in one attribute only: mostly in the thing, or the eye would live on colours and places.
VARIED = {"thing": 0.6, "colour": 0.12, "place": 0.1, "style": 0.1, "time": 0.08}


@functools.cache
def fingerprint() -> str:
    """Eight digits of the programs that draw and describe the world: what another one has made is of no use to it."""
    programs = sorted(Path(world.__file__).parent.rglob("*.py"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in (*programs, Path(__file__)))).hexdigest()[:8]


def make_once(place: Path, make: Callable[[Path], None]) -> None:
    """Lets `make` fill the folder `place`, unless it is there; a second training that wants it waits for the first.

    It is filled under another name, so that a kill, or a full disk, leaves no half of it.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(place.with_name(f"{place.name}.lock"), is_singleton=False):
        if place.exists():
            return
        torn = place.with_name(f"{place.name}.torn")
        if torn.exists():
            shutil.rmtree(torn)
        torn.mkdir()
        try:
            make(torn)
        except BaseException:
            shutil.rmtree(torn)
            raise
        os.replace(torn, place)


@dataclass(frozen=True)
class PoolPlan:
    """What is in a pool.

    Attributes:
        count: number of pictures, a multiple of `group`.
        size: side in pixels.
        seed: of the scenes.
        group: so many neighbours differ in one attribute only; 1: all are independent.
        held_out: only combinations that are never trained on.
        relations: share of the scenes that have two things.
    """

    count: int
    size: int
    seed: int
    group: int = 1
    held_out: bool = False
    relations: float = 0.17

    @property
    def name(self) -> str:
        """Name of the pool's folder."""
        kind = "held-out" if self.held_out else "train"
        return f"{kind}-{self.count}x{self.size}-{self.group}-{self.relations}-{self.seed}-{fingerprint()}"


@dataclass(frozen=True)
class Pool:
    """Rendered pictures [n,S,S,3] with their scenes and the scenes' attributes [n,A] (-1: none)."""

    plan: PoolPlan
    pictures: Pixels
    scenes: list[world.Scene]
    attributes: NDArray[np.int16]


def scenes_of(plan: PoolPlan) -> list[world.Scene]:
    """The scenes of a plan."""
    rng = np.random.default_rng(plan.seed)
    first = world.sample_scenes(rng, plan.count // plan.group, held_out=plan.held_out, relations=plan.relations)
    if plan.group == 1:
        return list(first)
    return [scene for seed_scene in first for scene in _group(seed_scene, plan.group, rng)]


def _group(scene: world.Scene, size: int, rng: np.random.Generator) -> list[world.Scene]:
    names, odds = list(VARIED), np.array(list(VARIED.values()))
    varied = names[rng.choice(len(names), p=odds / odds.sum())]
    if world.attributes(scene)[world.NAMES.index(varied)] < 0:
        varied = "thing"
    group = [scene]
    if scene.relation and rng.random() < 0.5:
        group.extend(world.vary(scene, "relation", rng, 1))
    group.extend(world.vary(scene, varied, rng, size - len(group)))
    group.extend(world.vary(scene, "thing", rng, size - len(group)))
    # Half of the groups differ in all the free choices too, lest the eye compare brush strokes.
    if rng.random() < 0.5:
        group = [replace(member, variant=int(rng.integers(2**62))) for member in group]
    return group


def _render_chunk(task: tuple[str, list[world.Scene], int, int]) -> int:
    path, scenes, start, size = task
    pictures = np.load(path, mmap_mode="r+")
    for index, scene in enumerate(scenes):
        pictures[start + index] = world.render(scene, size)
    return len(scenes)


def load_pool(plan: PoolPlan, folder: Path, processes: int = 1) -> Pool:
    """The pool of a plan, rendered first unless it lies in `folder` already.

    Raises RunError where the disk has no room for it.
    """
    place = folder / plan.name
    make_once(place, lambda fresh: _make_pool(plan, fresh, processes))
    rows = np.load(place / "scenes.npy")
    scenes = [world.Scene(*row) for row in rows.tolist()]
    pictures = np.load(place / "pictures.npy", mmap_mode="r")
    attributes = np.stack([world.attributes(scene) for scene in scenes]).astype(np.int16)
    return Pool(plan, pictures, scenes, attributes)


def _make_pool(plan: PoolPlan, place: Path, processes: int) -> None:
    scenes = scenes_of(plan)
    path = place / "pictures.npy"
    try:
        np.save(place / "scenes.npy", np.array([astuple(scene) for scene in scenes], np.int64))
        open_memmap(path, mode="w+", dtype=np.uint8, shape=(plan.count, plan.size, plan.size, 3)).flush()
        if hasattr(os, "posix_fallocate"):  # or the processes that draw are killed when the disk is full
            with open(path, "r+b") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
    except OSError as error:
        size = plan.count * plan.size**2 * 3 / 1e9
        raise RunError(
            f"the pictures to train on need {size:.1f} GB in {place.parent}, which cannot be had ({error}): "
            "make room, or name a folder on another disk (--work)"
        ) from error
    tasks = [(str(path), scenes[start : start + CHUNK], start, plan.size) for start in range(0, plan.count, CHUNK)]
    if processes > 1:
        with ProcessPoolExecutor(processes) as workers:
            list(workers.map(_render_chunk, tasks))
    else:
        for task in tasks:
            _render_chunk(task)


def misspell(text: str, rng: np.random.Generator) -> str:
    """The caption as people type: now and then another case, a swapped, lost or doubled letter, a full stop."""
    if rng.random() < 0.12:
        words = text.split(" ")
        long = [i for i, word in enumerate(words) if len(word) >= 5 and word.isalpha()]
        if long:
            at = long[rng.integers(len(long))]
            letter, word = int(rng.integers(1, len(words[at]) - 1)), words[at]
            kind = rng.integers(3)
            middle = (word[letter + 1] + word[letter], word[letter + 1], word[letter] * 2 + word[letter + 1])[kind]
            words[at] = word[:letter] + middle + word[letter + 2 :]
            text = " ".join(words)
    ending = rng.random()
    return text + ("." if ending < 0.06 else "!" if ending < 0.08 else "")
