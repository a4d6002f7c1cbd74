"""text2art against the real pixray, on this machine, in one call: both draw the same work in turn.

    python -m tests.bench.against_pixray --pixray .pixray [--prompts 12] [--parts quality,work,growth,start]

--pixray is the folder that `./setup_colab.sh --with-pixray` made. Prints a table for each part and one JSON line. Times
are CPU-seconds of all threads, without imports and the loading of models unless a row says so: wall times are worth
little on a machine that others use.

quality   pixray's loop and defaults (draft) on the embedded models, handed to it through its own tables; the judge,
          which guides neither, scores both. What ours takes to the score where pixray ends, and where ours ends.
work      full-size random weights (taming f16-16384, ViT-B/32), 256 x 256, 30 cuts, float32, two threads.
watching  what frames that are shown, and a film, cost over drawing blind.
growth    time and memory by the number of cuts and of candidates; --plot FILE.svg draws it.
start     importing, and the first frame from nothing.
gpu       the quality "normal" on a card, where there is one.
"""

import argparse
import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.bench.growth_plot import plot
from tests.bench.prompts import PROMPTS

ROOT: Final = Path(__file__).parent.parent.parent
BLIND: Final = {"make_video": False, "save_intermediates": False, "save_every": 100_000, "vector_prompts": "none"}
"""What has pixray draw without saving on the way: kinder to it than its defaults."""
CPU_ONLY: Final = {"OMP_WAIT_POLICY": "PASSIVE", "TEXT2ART_OFFLINE": "1"}


class Sides:
    """Both engines, each piece of work in a process of its own."""

    def __init__(self, pixray: Path, folder: Path, threads: int) -> None:
        self._pixray, self._folder, self._threads = pixray, folder, threads

    def theirs(self, settings: dict[str, Any], prompts: list[str], **order: Any) -> dict[str, Any]:
        """pixray draws `prompts`."""
        import imageio_ffmpeg

        from text2art_nb import models

        embedded = {"eyes": {"embedded": str(models.locate("embedded", "clip"))}}
        handed = {"vqgan": str(models.locate("embedded", "vqgan"))} | embedded
        own = {"pixray": str(self._pixray / "pixray"), "root": str(ROOT), "settings": settings} | handed
        command = [str(self._pixray / "venv" / "bin" / "python"), "-P", str(ROOT / "tests/bench/pixray_side.py")]
        folder = self._new("pixray")
        (folder / "vectors").symlink_to(self._pixray / "pixray" / "vectors")
        (folder / "bin").mkdir()
        (folder / "bin" / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
        quiet = {"TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD": "1", "PYTHONWARNINGS": "ignore", "MPLBACKEND": "Agg"}
        quiet["PATH"] = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return self._ask(command, {**own, **order, "prompts": prompts}, folder, quiet)

    def ours(self, settings: dict[str, Any], prompts: list[str], **order: Any) -> dict[str, Any]:
        """text2art draws `prompts`."""
        command = [sys.executable, "-m", "tests.bench.our_side"]
        return self._ask(command, {"settings": settings, **order, "prompts": prompts}, self._new("text2art"), {})

    def _new(self, name: str) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=self._folder))

    def _ask(self, command: list[str], order: dict[str, Any], folder: Path, more: dict[str, str]) -> dict[str, Any]:
        order = {"folder": str(folder), "threads": self._threads, **order}
        where = folder if "pixray_side" in command[-1] else ROOT
        environment = {**os.environ, **CPU_ONLY, "OMP_NUM_THREADS": str(order["threads"]), **more}
        with (folder / "log").open("w", encoding="utf-8") as log:
            ran = subprocess.run(
                command,
                input=json.dumps(order),
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=where,
                env=environment,
            )
        if ran.returncode:
            said = (folder / "log").read_text(encoding="utf-8", errors="replace")[-2000:]
            raise SystemExit(f"{' '.join(command)} failed; it said in the end:\n{said}")
        found: dict[str, Any] = json.loads(ran.stdout.strip().splitlines()[-1])
        return found


# --- 1: seconds to the same quality ---------------------------------


def quality(sides: Sides, asked: argparse.Namespace) -> dict[str, Any]:
    """Both draw the prompts; the judge says when ours is as good as pixray's end."""
    prompts = [each.text for each in PROMPTS][:: max(1, len(PROMPTS) // asked.prompts)][: asked.prompts]
    found = {}
    for drawer, theirs in (("vqgan", "vqgan"), ("pixel", "fast_pixel")):
        row = _quality(sides, prompts, drawer, theirs, asked)
        found[drawer] = row
        show(
            f"quality, {drawer}: {len(prompts)} prompts",
            ["prompt", "pixray", "CPU-s", "ours reaches it in", "of pixray's", "ours ends at", "after CPU-s"],
            row["rows"],
        )
        print(f"median share {row['median_share']}; higher in the end {row['higher']} of {len(prompts)}\n", flush=True)
    return found


def _quality(sides: Sides, prompts: list[str], drawer: str, theirs: str, asked: argparse.Namespace) -> dict[str, Any]:
    from PIL import Image

    from tests.bench.our_side import judged

    own = {**BLIND, "drawer": theirs, "quality": "draft", "aspect": "square", "clip_models": "embedded", "seed": "1"}
    drawn = sides.theirs({**own, "iterations": asked.iterations}, prompts)["runs"]
    wanted = [judged(Image.open(run["picture"]), text) for run, text in zip(drawn, prompts, strict=True)]
    settings = {"drawer": drawer, "size": "144x144", "quality": "draft", "seed": 1} | _given(asked.set)
    pace = sides.ours({**settings, "iterations": 20}, prompts[:1], warm=True)["runs"][0]["cpu"] / 20
    budget = statistics.median(run["cpu"] for run in drawn)
    settings["iterations"] = max(20, min(asked.most, int(budget / pace * 0.9)))
    ours = sides.ours(settings, prompts, judged=True, warm=True)["runs"]
    rows, shares, higher, pictures = [], [], 0, []
    for text, their, score, our in zip(prompts, drawn, wanted, ours, strict=True):
        spent = next((cpu for cpu, mine in zip(our["steps"], our["scores"], strict=True) if mine >= score), None)
        within = [(cpu, mine) for cpu, mine in zip(our["steps"], our["scores"], strict=True) if cpu <= their["cpu"]]
        used, end = within[-1]  # the last frame in the time that pixray took
        higher += end > score
        shares.append(float("inf") if spent is None else spent / their["cpu"])
        reached = ["never", ""] if spent is None else [f"{spent:.2f}", f"{shares[-1]:.3f}"]
        rows.append([text, f"{score:.3f}", f"{their['cpu']:.1f}", *reached, f"{end:.3f}", f"{used:.1f}"])
        pictures.append((their["picture"], our["picture"]))
    if asked.sheet:
        _sheet(prompts, pictures, asked.sheet.with_stem(f"{asked.sheet.stem}-{drawer}"))
    median = statistics.median(shares)
    return {"median_share": round(median, 4), "higher": higher, "iterations": settings["iterations"], "rows": rows}


def _given(pairs: list[str]) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in pairs)


def _sheet(prompts: list[str], pictures: list[tuple[str, str]], path: Path) -> None:
    """Contact sheet: pixray's above, ours beneath, at equal time."""
    from PIL import Image

    from tests.bench.recognisable import sheet

    flat = [Image.open(each).convert("RGB") for place in (0, 1) for each in [pair[place] for pair in pictures]]
    captions = [f"{who}: {text}" for who in ("pixray", "text2art") for text in prompts]
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet(flat, [True] * len(flat), columns=len(prompts), side=144, captions=captions).save(path, quality=88)


# --- 2: the same work -----------------------------------------------


def work(sides: Sides, asked: argparse.Namespace) -> dict[str, Any]:
    """An iteration at full size, in rounds; the floor is 1.03 TFLOP, at the pace of this machine's matrix products."""
    from tests.bench.watching import full_size

    own = {**BLIND, "drawer": "vqgan", "size": [256, 256], "num_cuts": 30, "batches": 1, "seed": "1"}
    own |= {"clip_models": "ViT-B/32", "iterations": 3}
    rows, found = [], {}
    with tempfile.TemporaryDirectory() as directory:
        settings = json.loads(full_size(Path(directory)).model_dump_json(exclude_unset=True))
        settings = {**settings, "iterations": 3, "num_cuts": 29}  # and the straight view: 30, as pixray's
        sorts: dict[str, Callable[[], dict[str, Any]]] = {
            "pixray": lambda: sides.theirs(own, ["a castle"], full=True),
            "ours": lambda: sides.ours(settings, ["a castle"], profile=asked.profile),
            "ours, token_drop 0.5": lambda: sides.ours({**settings, "token_drop": 0.5}, ["a castle"]),
        }
        paces: dict[str, list[float]] = {name: [] for name in sorts}
        for _ in range(asked.rounds):
            for name, draw in sorts.items():
                told = draw()
                steps = told["runs"][0]["steps"]
                paces[name] += [after - before for before, after in itertools.pairwise(steps)]
                found[name] = {"cpu": round(statistics.median(paces[name]), 2), "peak_mb": round(told["peak_mb"])}
                found["profile"] = told.get("profile") or found.get("profile", [])
    base = found["pixray"]
    for name in sorts:
        one = found[name]
        shares = f"{one['cpu'] / base['cpu']:.2f}", f"{one['peak_mb'] / base['peak_mb']:.2f}"
        rows.append([name, f"{one['cpu']:.1f}", shares[0], str(one["peak_mb"]), shares[1]])
    floor = 1.03e12 / flops_a_second(asked.threads)
    rows.append(["floor: 1.03 TFLOP as matrix products", f"{floor:.1f}", f"{floor / base['cpu']:.2f}", "", ""])
    show("work: an iteration", ["", "CPU-s", "of pixray's", "peak MB", "of pixray's"], rows)
    for operation, share in found.get("profile", []):
        print(f"  {share:6.1%}  {operation}")
    return {**found, "floor_cpu": round(floor, 2)}


def flops_a_second(threads: int) -> float:
    """Floating point operations a CPU-second that this machine's matrix products reach in float32."""
    import time

    import torch

    torch.set_num_threads(threads)
    one = torch.randn(1536, 1536)
    one @ one
    best = 0.0
    for _ in range(4):
        began = time.process_time()
        for _ in range(4):
            one @ one
        best = max(best, 4 * 2 * 1536**3 / (time.process_time() - began))
    return best


# --- 3: watching ----------------------------------------------------


def watching(sides: Sides, asked: argparse.Namespace) -> dict[str, Any]:
    """The same work blind and watched, both engines."""
    from tests.bench import watching as bench
    from text2art_nb.settings import Settings

    own = {"drawer": "vqgan", "size": [288, 288], "num_cuts": 12, "batches": 1, "clip_models": "embedded", "seed": "1"}
    own |= {"iterations": 30}
    blind = sides.theirs({**own, **BLIND}, ["a castle"])["runs"][0]["cpu"]
    told = sides.theirs({**own, "vector_prompts": "none"} | {"make_video": False}, ["a castle"])
    filmed = told["runs"][0]["cpu"] + told["film"]
    each = statistics.median(told["checkins"])
    settings = Settings(prompts="a castle", iterations=30, seed=1)
    bench.draw(settings, watched=False)
    pairs = [(bench.draw(settings, watched=False), bench.draw(settings, watched=True)) for _ in range(asked.rounds)]
    alone, watched = pairs[0]
    ratio = statistics.median(live.cpu / still.cpu for still, live in pairs)
    show(
        "watching: embedded models, 288 x 288",
        ["", "blind CPU-s", "watched and filmed", "ratio"],
        [
            ["pixray (saves every 10th, films)", f"{blind:.1f}", f"{filmed:.1f}", f"{filmed / blind:.2f}"],
            ["ours (10 a second, films)", f"{alone.cpu:.1f}", f"{watched.cpu:.1f}", f"{ratio:.2f}"],
        ],
    )
    print(f"a checkin of pixray's took {each:.2f} CPU-s\n", flush=True)
    return {"pixray": round(filmed / blind, 3), "ours": round(ratio, 3), "checkin": each}


# --- 4: growth ------------------------------------------------------


def growth(sides: Sides, asked: argparse.Namespace) -> dict[str, Any]:
    """Time and memory as the cuts, and the candidates, become more."""
    cuts, candidates = (8, 16, 32, 64), (1, 2, 4, 8)
    settings = {"size": "288x288", "iterations": 5, "seed": 1, "start": "noise"}
    own = {**BLIND, "drawer": "vqgan", "size": [288, 288], "batches": 1, "clip_models": "embedded", "seed": "1"}
    found = {
        "cuts": [_pace(sides.ours({**settings, "num_cuts": n}, ["a castle"])) for n in cuts],
        "pixray_cuts": [_pace(sides.theirs({**own, "num_cuts": n, "iterations": 5}, ["a castle"])) for n in cuts],
        "candidates": [
            _pace(sides.ours({**settings, "num_cuts": 12, "candidates": n}, ["a castle"])) for n in candidates
        ],
    }
    rows = [["ours", "cuts", n, *_cells(one)] for n, one in zip(cuts, found["cuts"], strict=True)]
    rows += [["pixray", "cuts", n, *_cells(one)] for n, one in zip(cuts, found["pixray_cuts"], strict=True)]
    rows += [["ours", "candidates", n, *_cells(one)] for n, one in zip(candidates, found["candidates"], strict=True)]
    show("growth: embedded models, 288 x 288", ["", "of", "number", "CPU-s an iteration", "peak MB"], rows)
    first, last = found["candidates"][0][0], found["candidates"][-1][0]
    slope = (last - first) / (candidates[-1] - 1) / first
    print(f"a candidate more costs {slope:.2f} of the first\n", flush=True)
    if asked.plot:
        plot(asked.plot, dict(zip(("cuts", "candidates"), (cuts, candidates), strict=True)), found)
    return {**found, "candidate_slope": round(slope, 3)}


def _pace(told: dict[str, Any]) -> tuple[float, float]:
    """CPU-seconds an iteration, without the first, and peak megabytes."""
    steps = told["runs"][0]["steps"]
    each = [after - before for before, after in itertools.pairwise(steps)]
    return round(statistics.median(each), 4), round(told["peak_mb"])


def _cells(one: tuple[float, float]) -> list[str]:
    return [f"{one[0]:.3f}", f"{one[1]:.0f}"]


# --- 5: start -------------------------------------------------------


def start(sides: Sides, asked: argparse.Namespace) -> dict[str, Any]:
    """Importing, and the first frame from nothing: everything is counted here."""
    imported = cpu_of([sys.executable, "-c", "import text2art_nb"], 6) - cpu_of([sys.executable, "-c", "pass"], 6)
    code = "from text2art_nb import Run, Settings; next(Run(Settings(prompts='a castle', seed=1)))"
    first = cpu_of([sys.executable, "-c", code])
    seen = seconds_until([sys.executable, "-c", f"{code}; print('seen', flush=True)"], "seen")
    own = {**BLIND, "drawer": "vqgan", "size": [288, 288], "num_cuts": 12, "batches": 1, "clip_models": "embedded"}
    told = sides.theirs({**own, "seed": "1", "iterations": 1}, ["a castle"])
    theirs = told["loaded"] + told["runs"][0]["prepared"] + told["runs"][0]["steps"][0]
    show(
        "start, imports and all",
        ["", "CPU-s"],
        [
            ["import text2art_nb", f"{imported:.2f}"],
            ["ours, first frame and ending", f"{first:.1f}"],
            ["ours, seconds on the clock until the first frame", f"{seen:.1f}"],
            ["pixray, first iteration", f"{theirs:.1f}"],
        ],
    )
    found = {"import": imported, "first_frame": first, "first_frame_seconds": seen, "pixray_first": theirs}
    return {name: round(value, 3) for name, value in found.items()}


def seconds_until(command: list[str], said: str, times: int = 5) -> float:
    """From the start of a command until it prints a line, in the median."""
    found = []
    for _ in range(times):
        began = time.monotonic()
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline().strip() == said
            found.append(time.monotonic() - began)
    return statistics.median(found)


def cpu_of(command: list[str], times: int = 2) -> float:
    """CPU-seconds of a command, the least of some times."""
    import resource

    found = []
    for _ in range(times):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, check=True, cwd=ROOT)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        found.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return min(found)


# --- 6: on a card ---------------------------------------------------


def gpu(sides: Sides, asked: argparse.Namespace) -> dict[str, Any]:
    """Iterations a second at "normal" (384 x 208, ViT-B/32 and ViT-B/16, 30 cuts), random weights."""
    import torch

    if not torch.cuda.is_available():
        print("gpu: no GPU here\n", flush=True)
        return {"gpu": None}
    from tests.bench import on_a_card

    own = {**BLIND, "drawer": "vqgan", "size": [384, 208], "num_cuts": 30, "batches": 1, "seed": "1"}
    own |= {"clip_models": "ViT-B/32,ViT-B/16", "iterations": 60}
    their = sides.theirs(own, ["a castle"], full=True)["runs"][0]
    found = on_a_card.measure(asked.threads) | {"pixray": round(60 / their["wall"], 2)}
    found["ratio"] = round(found["ours"] / found["pixray"], 2)
    show("gpu: normal", ["", ""], [[name, str(value)] for name, value in found.items()])
    return found


# --- the table ------------------------------------------------------


def show(title: str, head: list[str], rows: list[list[Any]]) -> None:
    """A table in Markdown."""
    print(f"{title}\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
    print("\n".join(f"| {' | '.join(map(str, row))} |" for row in rows) + "\n", flush=True)


PARTS: Final[dict[str, Callable[[Sides, argparse.Namespace], dict[str, Any]]]] = {
    "quality": quality,
    "work": work,
    "watching": watching,
    "growth": growth,
    "start": start,
    "gpu": gpu,
}


def main() -> None:
    """See the module's first lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--pixray", type=Path, required=True)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--prompts", type=int, default=12)
    parser.add_argument("--iterations", type=int, default=200, help="of pixray's, for quality")
    parser.add_argument("--most", type=int, default=400, help="iterations of ours, for quality, at most")
    parser.add_argument("--rounds", type=int, default=3, help="of work and watching; the median counts")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE", help="settings of ours, for quality")
    asked = parser.parse_args()
    unknown = set(asked.parts.split(",")) - PARTS.keys()
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}; there are {', '.join(PARTS)}")
    found: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="text2art-against-") as folder:
        sides = Sides(asked.pixray.resolve(), Path(folder), asked.threads)
        for name in asked.parts.split(","):
            found[name] = PARTS[name](sides, asked)
    print(json.dumps(found))


if __name__ == "__main__":
    main()
