"""Things, not only colours: sixteen things asked for in the same colour, place and style, told apart by two others.

    python -m tests.bench.things --drawer vqgan --start proposal --sheet docs/sheet-things.jpg

The judge picks one of the sixteen prompts, the thing classifier one of the sixteen things; neither ever guides. Then
pairs: "a red boat left of a blue house" against the two swapped. Prints one JSON line.
"""

import argparse
import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from tests.bench.recognisable import judge, sheet
from text2art_nb import models
from text2art_nb.perceptors.dual_encoder import DualEncoder
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings
from text2art_nb.training import classifier, world
from text2art_nb.training.views import to_tensor

_NAMES = "castle house boat car tree mushroom fish cat rabbit owl dragon knight robot crown guitar cake"
THINGS = tuple(_NAMES.split())
ASKED = tuple(f"a red {thing} in a meadow" for thing in THINGS)
PAIRS = (
    ("red boat", "left of", "blue house"),
    ("yellow cat", "left of", "purple car"),
    ("blue owl", "on", "red mushroom"),
    ("green frog", "on", "yellow crown"),
    ("white rabbit", "left of", "orange pumpkin"),
    ("red car", "in front of", "blue castle"),
    ("pink pig", "right of", "green tree"),
    ("purple dragon", "above", "white house"),
)


def said(pair: tuple[str, str, str], swapped: bool = False) -> str:
    """A pair as a sentence."""
    one, relation, other = pair
    return f"a {other} {relation} a {one}" if swapped else f"a {one} {relation} a {other}"


Task = tuple[str, str, str, int, Path]


def draw(task: Task) -> Image.Image:
    """The final picture of one prompt; kept in a folder, drawn only once."""
    torch.set_num_threads(1)
    text, drawer, start, seed, folder = task
    path = folder / f"{drawer}-{start}-{seed}-{text.replace(' ', '-')}.png"
    if not path.exists():
        run = Run(Settings(prompts=text, drawer=drawer, start=start, seed=seed))
        for _ in run:
            pass
        run.artwork.image.save(path)
    return Image.open(path).convert("RGB")


def views(pictures: list[Image.Image], side: int) -> Tensor:
    """Pictures [n,3,side,side] in 0..1."""
    small = [np.asarray(picture.resize((side, side), Image.Resampling.BOX)) for picture in pictures]
    return to_tensor(np.stack(small))


@torch.no_grad()
def judged(eye: DualEncoder, pictures: list[Image.Image], texts: list[str]) -> Tensor:
    """Cosines [n, texts]."""
    return eye.see(views(pictures, eye.size)) @ eye.read(texts).T


@torch.no_grad()
def named(pictures: list[Image.Image]) -> Tensor:
    """Logits [n, 16] of the classifier for the sixteen things."""
    model = classifier.load(models.locate("embedded", "classifier"))
    chosen = [world.ATTRIBUTES["thing"].index(thing) for thing in THINGS]
    return classifier.name_things(model, views(pictures, classifier.SIZE))[:, chosen]


def rendered() -> list[Image.Image]:
    """What both must know: four renders of each of the sixteen prompts, seeds that no training used."""
    colour, place = world.ATTRIBUTES["colour"].index("red"), world.ATTRIBUTES["place"].index("meadow")
    scenes = [
        world.Scene(world.ATTRIBUTES["thing"].index(thing), colour, place=place, variant=770_001 + 17 * k)
        for k in range(4)
        for thing in THINGS
    ]
    return [Image.fromarray(picture) for picture in world.render_many(scenes, 128)]


def swaps_right(eye: DualEncoder, pictures: list[Image.Image]) -> list[bool]:
    """Whether each pair's picture is nearer to its own sentence than to the one with the two swapped."""
    own = [float(judged(eye, [picture], [said(pair)])) for picture, pair in zip(pictures, PAIRS, strict=True)]
    other = [float(judged(eye, [picture], [said(pair, True)])) for picture, pair in zip(pictures, PAIRS, strict=True)]
    return [a > b for a, b in zip(own, other, strict=True)]


def main() -> None:
    """See the module's first lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--drawer", default="vqgan")
    parser.add_argument("--start", default="proposal", choices=("proposal", "noise"))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--keep", type=Path, help="where pictures are kept; those already there are not drawn again")
    asked = parser.parse_args()
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="text2art-things-"))
    folder.mkdir(parents=True, exist_ok=True)
    texts = [*ASKED, *map(said, PAIRS)]
    tasks = [(text, asked.drawer, asked.start, seed, folder) for seed in range(asked.seeds) for text in texts]
    with ProcessPoolExecutor(asked.processes) as pool:
        drawn = list(pool.map(draw, tasks))
    rows = [drawn[k : k + len(texts)] for k in range(0, len(drawn), len(texts))]
    things = [picture for row in rows for picture in row[: len(ASKED)]]
    eye, own = judge(), torch.arange(len(ASKED))
    right = judged(eye, things, list(ASKED)).argmax(1) == own.repeat(asked.seeds)
    classified = named(things).argmax(1) == own.repeat(asked.seeds)
    swaps = [ok for row in rows for ok in swaps_right(eye, row[len(ASKED) :])]
    knows = judged(eye, rendered(), list(ASKED)).argmax(1) == own.repeat(4)
    names = named(rendered()).argmax(1) == own.repeat(4)
    if asked.sheet:
        marks = [*right[: len(ASKED)].tolist(), *swaps[: len(PAIRS)]]
        sheet(rows[0], marks, captions=texts).save(asked.sheet, quality=90)
    figures = {
        "drawer": asked.drawer,
        "start": asked.start,
        "pictures": len(things),
        "judge_right": round(right.float().mean().item(), 3),
        "classifier_right": round(classified.float().mean().item(), 3),
        "swaps_right": round(sum(swaps) / len(swaps), 3),
        "judge_right_on_renders": round(knows.float().mean().item(), 3),
        "classifier_right_on_renders": round(names.float().mean().item(), 3),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
