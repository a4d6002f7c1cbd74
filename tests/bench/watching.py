"""What do live frames and a video cost? The same run drawn blind and watched, in turn, in CPU-seconds and by the clock.

    python -m tests.bench.watching [--full] [--rounds 3]

Watched: every frame of at most ten a second becomes a JPEG, as the panel shows it, and every one goes to the video's
store. --full takes ViT-B/32 and the taming VQGAN at full size with random weights instead of the embedded models.
Prints one JSON line with the median ratios; the bounds are 1.15 (embedded) and 1.05 (full size). By the clock as well,
because threads that sleep where they should compute cost no CPU-seconds.
"""

import argparse
import io
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from text2art_nb.artifacts.frame_store import FrameStore
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings


class Cost(NamedTuple):
    """CPU-seconds of all threads, and seconds by the clock."""

    cpu: float
    clock: float


def draw(settings: Settings, watched: bool) -> Cost:
    """What one run costs without its first iteration (which loads the models)."""
    run = Run(settings)
    next(run)
    cpu, clock = time.process_time(), time.monotonic()
    if watched:
        watch(run)
    else:
        for _ in run:
            pass
    return Cost(time.process_time() - cpu, time.monotonic() - clock)


def watch(run: Run) -> None:
    """Draw, and do with the frames what the panel does."""
    shown = 0.0
    with tempfile.TemporaryDirectory() as directory, FrameStore(directory) as store:
        for frame in run:
            store.add(frame)
            if time.monotonic() - shown >= 0.1:
                shown = time.monotonic()
                frame.image.save(io.BytesIO(), "JPEG", quality=85)


def ratios(costs: list[tuple[float, float]]) -> list[float]:
    """Watched to blind."""
    return [round(watched / blind, 3) for blind, watched in costs]


def full_size(directory: Path) -> Settings:
    """The real architectures with random weights, as `tests/models/test_real_formats.py` makes them."""
    from tests.full_models import save_taming, save_vit_b32

    model, eye = save_taming(directory / "vqgan"), save_vit_b32(directory / "clip")
    return Settings(
        prompts="a castle",
        model=str(model),
        perceptors=(str(eye),),
        size=(256, 256),
        num_cuts=30,
        iterations=4,
        seed=1,
        device="cpu",
    )


def main() -> None:
    """See the module's first lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        settings = full_size(Path(directory)) if asked.full else Settings(prompts="a castle", iterations=60, seed=1)
        draw(settings, watched=False)
        pairs = [(draw(settings, watched=False), draw(settings, watched=True)) for _ in range(asked.rounds)]
    cpu = [(blind.cpu, watched.cpu) for blind, watched in pairs]
    clock = [(blind.clock, watched.clock) for blind, watched in pairs]
    figures = {
        "models": "full" if asked.full else "embedded",
        "ratio": round(statistics.median(ratios(cpu)), 3),
        "ratios": ratios(cpu),
        "clock_ratio": round(statistics.median(ratios(clock)), 3),
        "clock_ratios": ratios(clock),
        "cpu_seconds": [[round(seconds, 2) for seconds in pair] for pair in cpu],
        "seconds": [[round(seconds, 2) for seconds in pair] for pair in clock],
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
