"""text2art's side of `against_pixray`: draws what the order says in a process of its own, prints one JSON line.

The order, JSON on the standard input: settings: text2art's; prompts: to be drawn one after the other; folder: where the
pictures go; judged: whether the judge looks at every frame, off the clock; threads; profile: whether to add where the
time of an iteration goes.
"""

import json
import resource
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from text2art_nb import perceptors
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings


def main() -> None:
    """See the module's first lines."""
    order = json.load(sys.stdin)
    torch.set_num_threads(order["threads"])
    settings = order["settings"]
    if order.get("warm"):
        list(Run(Settings(**{**settings, "prompts": "a picture", "iterations": 1})))
    loaded = time.process_time()
    runs = [draw(order, prompt, number) for number, prompt in enumerate(order["prompts"])]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    profile = where_time_goes(settings, order["prompts"][0]) if order.get("profile") else []
    print(json.dumps({"runs": runs, "loaded": loaded, "peak_mb": peak, "profile": profile}))


def draw(order: dict[str, Any], prompt: str, number: int) -> dict[str, Any]:
    """CPU-seconds at the end of each iteration, the judge's score of its frame, and the picture, saved."""
    run = Run(Settings(**{**order["settings"], "prompts": prompt}))
    spent, wall, steps, scores = 0.0, 0.0, [], []
    while True:
        began, started = time.process_time(), time.monotonic()
        frame = next(run, None)
        spent, wall = spent + time.process_time() - began, wall + time.monotonic() - started
        if frame is None:
            break
        steps.append(round(spent, 4))
        if order.get("judged"):
            scores.append(round(judged(frame.image, prompt), 4))
    place = Path(order["folder"], f"{number:02d}.png")
    run.artwork.image.convert("RGB").save(place)
    return {"steps": steps, "scores": scores, "cpu": spent, "wall": wall, "picture": str(place)}


@torch.no_grad()
def judged(picture: Any, prompt: str) -> float:
    """The judge's cosine similarity, -1..1, of a picture to its prompt."""
    eye = perceptors.load("judge", torch.device("cpu"))
    small = np.asarray(picture.convert("RGB").resize((eye.size, eye.size), Image.Resampling.BOX))
    view = torch.from_numpy(small.copy()).movedim(-1, 0)[None].float() / 255
    return float((eye.see(view) @ eye.read([prompt]).T)[0, 0])


def where_time_goes(settings: dict[str, Any], prompt: str) -> list[tuple[str, float]]:
    """Operations and their share of an iteration's CPU time, the dearest first."""
    from torch.profiler import ProfilerActivity, profile

    run = Run(Settings(**{**settings, "prompts": prompt}))
    next(run)
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        next(run)
    entries = sorted(seen.key_averages(), key=lambda each: -each.self_cpu_time_total)
    total = sum(each.self_cpu_time_total for each in entries)
    return [(each.key, round(each.self_cpu_time_total / total, 3)) for each in entries[:14]]


if __name__ == "__main__":
    main()
