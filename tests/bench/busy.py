"""What does a picture take while other programs compute? The default picture, beside busy processes.

    python -m tests.bench.busy [--rounds 3] [--where cli notebook] [--loads 0 1 2] [--iterations N] [--spinning]

In each round three ways in turn: a thread for every core, asleep while it waits (what text2art sets); one thread alone;
with --spinning a thread for every core that spins (libgomp's own default, which takes minutes beside a busy process). A
busy process is a loop that is pinned to a core of its own. On the command line the time is that of the whole program,
in the notebook that of the cell `await studio.paint()` in a real kernel whose models are loaded. Prints one Markdown
table: the median seconds of each way, and the median of each round's own ratio to one thread. The bar is 1.4 beside any
number of busy processes.
"""

import argparse
import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.notebook import environments
from tests.notebook.kernel import Kernel

CORES: Final = sorted(os.sched_getaffinity(0))
WAYS: Final = {
    "asleep": {"OMP_NUM_THREADS": str(len(CORES))},
    "one thread": {"OMP_NUM_THREADS": "1"},
    # What libgomp takes where nothing is said; said aloud, it keeps text2art from saying otherwise.
    "spinning": {"OMP_NUM_THREADS": str(len(CORES)), "GOMP_SPINCOUNT": "300000"},
}
PROMPT: Final = "an underwater city"
LIMIT: Final = 600.0
PREPARE: Final = """
import time
from text2art_nb import Studio
studio = Studio(); studio.hello()
studio.panel(**{asked})
"""
PAINT: Final = """
began = time.monotonic()
await studio.paint()
seconds = time.monotonic() - began
"""


@contextlib.contextmanager
def busy(count: int) -> Iterator[None]:
    """`count` processes that compute all the while, each pinned to a core of its own."""
    loop = "import os, sys\nos.sched_setaffinity(0, {int(sys.argv[1])})\nwhile True: pass"
    processes = [subprocess.Popen([sys.executable, "-c", loop, str(core)]) for core in CORES[:count]]
    try:
        time.sleep(0.5 * bool(count))
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def by_command(way: str, folder: Path, asked: dict[str, Any]) -> float:
    """Seconds of the whole command."""
    given = [f"--{name}={value}" for name, value in asked.items() if name != "prompt"]
    words = [sys.executable, "-m", "text2art_nb", "draw", PROMPT, *given, "--out", str(folder / "a.png")]
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    began = time.monotonic()
    subprocess.run(words, env={**variables, **WAYS[way]}, cwd=folder, check=True, capture_output=True, timeout=LIMIT)
    return time.monotonic() - began


def in_notebook(kernel: Kernel) -> float:
    """Seconds of the cell."""
    kernel.run(PAINT, LIMIT)
    return float(kernel.value("seconds"))


def measure(
    where: str, ways: list[str], loads: list[int], rounds: int, asked: dict[str, Any]
) -> dict[tuple[int, str], list[float]]:
    """Seconds by load and way, one entry a round."""
    found: dict[tuple[int, str], list[float]] = {(load, way): [] for load in loads for way in ways}
    with contextlib.ExitStack() as stack:
        folders = {way: Path(stack.enter_context(tempfile.TemporaryDirectory())) for way in ways}
        kernels = {}
        if where == "notebook":
            environment = environments.get("jupyter")
            for way in ways:
                kernels[way] = stack.enter_context(Kernel(environment, folders[way], **WAYS[way]))
                kernels[way].run(PREPARE.format(asked=asked), LIMIT)
        for _ in range(rounds):
            for load in loads:
                for way in ways:
                    with busy(load):
                        taken = in_notebook(kernels[way]) if kernels else by_command(way, folders[way], asked)
                    found[load, way].append(taken)
                    print(f"{where}, {load} busy, {way}: {taken:.1f} s", file=sys.stderr, flush=True)
    return found


def rows(where: str, found: dict[tuple[int, str], list[float]], ways: list[str]) -> Iterator[str]:
    """The lines of the table."""
    for load in sorted({load for load, _ in found}):
        alone = found[load, "one thread"]
        cells = []
        for way in ways:
            ratio = statistics.median(a / b for a, b in zip(found[load, way], alone, strict=True))
            cells.append(f"{statistics.median(found[load, way]):.1f} s" + f" ({ratio:.2f})" * (way != "one thread"))
        yield f"| {where}, {load} busy | {' | '.join(cells)} |"


def main() -> None:
    """See the module's first lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--where", nargs="+", choices=["cli", "notebook"], default=["cli", "notebook"])
    parser.add_argument("--loads", nargs="+", type=int, choices=range(len(CORES) + 1), default=range(len(CORES) + 1))
    parser.add_argument("--iterations", type=int, help="of a shorter picture than the default one")
    parser.add_argument("--spinning", action="store_true")
    asked = parser.parse_args()
    ways = [way for way in WAYS if way != "spinning" or asked.spinning]
    picture = {"prompt": PROMPT, "seed": 1, **({"iterations": asked.iterations} if asked.iterations else {})}
    lines = []
    for where in asked.where:
        lines += rows(where, measure(where, ways, list(asked.loads), asked.rounds, picture), ways)
    print("| default picture | " + " | ".join(ways) + " |")
    print("| --- |" + " ---: |" * len(ways))
    print(*lines, sep="\n")


if __name__ == "__main__":
    main()
