"""Does a tournament beat a single run that looks as often?

    nice -n 10 python -m tests.bench.tournament --prompts 6 --seeds 2

Draws each prompt three times with the embedded models, from noise, with the same number of views in all: a single run
(which has more iterations, then), a tournament whose referee is the judge, and one whose referee is the guide itself.
What the judge says of the second is biased, for it has chosen the winner; so the thing classifier, which never guides
and never ranks, says what it sees, too. Of the third the judge's word isn't biased. Prints one JSON line a prompt and
seed, and one of the means in the end, with the difference from the single run and its standard error.
"""

import argparse
import json
import math
import statistics
import time
from typing import Any

import torch
from PIL import Image

from tests.bench.prompts import PROMPTS
from tests.bench.recognisable import TEXTS, judge, look
from tests.bench.things import views
from text2art_nb import models
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings, halving
from text2art_nb.training import classifier, world

KINDS = ("single", "judge", "guides")


def asked(text: str, seed: int, kind: str, options: argparse.Namespace) -> Settings:
    """The settings of one run; the single one gets the iterations that the tournament's views are worth."""
    given: dict[str, Any] = {
        "prompts": text,
        "seed": seed,
        "drawer": options.drawer,
        "start": "noise",
        "size": (144, 144),
        "iterations": options.iterations,
        "num_cuts": options.cuts,
        "make_video": False,
    }
    many = Settings(
        **given, candidates=options.candidates, finalists=options.finalists, referee=None if kind == "single" else kind
    )
    if kind != "single":
        return many
    views = halving.views(
        many.resolved().candidates,
        many.resolved().finalists,
        (many.resolved().num_cuts or 1) * (many.resolved().batches or 1),
        options.iterations,
    )
    return Settings(**{**given, "iterations": round(views / (options.cuts + 1))})


def drawn(text: str, seed: int, kind: str, options: argparse.Namespace) -> dict[str, float]:
    """What the judge says of one run's picture: similarity to its prompt, and whether it is the first of the 64."""
    settings = asked(text, seed, kind, options)
    began = time.monotonic()
    run = Run(settings)
    for _ in run:
        pass
    picture = run.artwork.image
    similar = look(judge(), [picture])[0]
    return {
        "thing": thing_seen(picture, text),
        "similarity": float(similar[TEXTS.index(text)]),
        "right": float(int(similar.argmax()) == TEXTS.index(text)),
        "views": halving.views(
            run.settings.candidates,
            run.settings.finalists,
            (run.settings.num_cuts or 1) * (run.settings.batches or 1),
            run.total,
        ),
        "seconds": time.monotonic() - began,
    }


@torch.no_grad()
def thing_seen(picture: Image.Image, text: str) -> float:
    """How likely the thing classifier finds it that a picture shows the thing that its prompt asks for, 0 to 1."""
    asked_for = PROMPTS[TEXTS.index(text)].shows["thing"]
    model = classifier.load(models.locate("embedded", "classifier"))
    logits = classifier.name_things(model, views([picture.convert("RGB")], classifier.SIZE))[0]
    return float(logits.softmax(0)[world.ATTRIBUTES["thing"].index(asked_for)])


def against(rows: list[dict[str, dict[str, float]]], kind: str, figure: str) -> dict[str, float]:
    """How a kind of tournament does against the single runs: won (of 1), mean difference and its standard error."""
    gains = [row[kind][figure] - row["single"][figure] for row in rows]
    error = statistics.stdev(gains) / len(gains) ** 0.5 if len(gains) > 1 else math.nan
    won = sum(gain > 0 for gain in gains) / len(gains)
    return {"won": round(won, 3), "gain": round(statistics.mean(gains), 4), "error": round(error, 4)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=6)
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--drawer", default="pixel")
    parser.add_argument("--candidates", type=int, default=16)
    parser.add_argument("--finalists", type=int, default=4)
    parser.add_argument("--iterations", type=int, default=60)
    parser.add_argument("--cuts", type=int, default=12)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows: list[dict[str, dict[str, float]]] = []
    for asked_for in PROMPTS[:: len(PROMPTS) // options.prompts][: options.prompts]:
        for seed in range(options.seeds):
            rows.append({kind: drawn(asked_for.text, seed, kind, options) for kind in KINDS})
            print(json.dumps({"prompt": asked_for.text, "seed": seed, **rows[-1]}), flush=True)
    means = {
        kind: {name: round(statistics.mean(row[kind][name] for row in rows), 4) for name in rows[0][kind]}
        for kind in KINDS
    }
    wins = {kind: {name: against(rows, kind, name) for name in ("similarity", "thing")} for kind in KINDS[1:]}
    print(json.dumps({"runs": len(rows), "means": means, "against the single run": wins}))


if __name__ == "__main__":
    main()
