"""What does the studio cost? The same run drawn blind and in the notebook, in turn, in CPU-seconds of a real kernel.

    python -m tests.bench.studio [--rounds 3] [--colab]

In the notebook: `await studio.paint()` with the panel shown, so that two views and the files are looked after. Prints
one JSON line with the median ratio (the bound is 1.15), the seconds from the cell to its first frame (bound: 2), and to
the end of the default picture with its film (bound: 20).
"""

import argparse
import json
import statistics
import tempfile
from pathlib import Path
from typing import Any

from tests.notebook import environments
from tests.notebook.kernel import Kernel

PREPARE = """
import os, time, torch
torch.set_num_threads(len(os.sched_getaffinity(0)))  # the tests' kernels have one thread each
from text2art_nb import Run, Settings, Studio
studio = Studio(); studio.hello()
asked = dict(prompts="a castle", seed=1)
studio.panel(**asked)
for _ in Run(Settings(**{**asked, "iterations": 3})): pass
"""
BLIND = """
began = time.process_time()
for _ in Run(Settings(**asked)): pass
blind = time.process_time() - began
"""
WATCHED = """
began, shown = time.process_time(), time.monotonic()
await studio.paint()
watched, seconds = time.process_time() - began, time.monotonic() - shown
"""


def main() -> None:
    """See the module's first lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--colab", action="store_true", help="with Colab's pins")
    asked = parser.parse_args()
    environment = environments.get("colab" if asked.colab else "jupyter")
    pairs: list[tuple[float, float]] = []
    first: list[Any] = []
    whole: list[Any] = []
    with tempfile.TemporaryDirectory() as folder, Kernel(environment, Path(folder)) as kernel:
        kernel.run(PREPARE, 120)
        for _ in range(asked.rounds):
            kernel.run(BLIND, 300)
            kernel.run(WATCHED, 300)
            pairs.append((kernel.value("blind"), kernel.value("watched")))
            first.append(kernel.value("studio.session.background.first_frame_seconds"))
            whole.append(kernel.value("seconds"))
    ratios = [watched / blind for blind, watched in pairs]
    print(
        json.dumps(
            {
                "environment": environment.name,
                "ratio": round(statistics.median(ratios), 3),
                "ratios": [round(ratio, 3) for ratio in ratios],
                "cpu_seconds": [[round(seconds, 2) for seconds in pair] for pair in pairs],
                "first_frame_seconds": [round(seconds, 2) for seconds in first],
                "seconds": [round(seconds, 2) for seconds in whole],
            }
        )
    )


if __name__ == "__main__":
    main()
