"""Is what was asked for in the picture? Draws the 64 prompts and asks the judge, which never guides.

    python -m tests.bench.recognisable --drawer vqgan --seeds 3 --sheet docs/sheet-vqgan.jpg

Prints one JSON line: how often the judge picks the right prompt of the 64 (and, as a check on the judge itself, how
often for rendered pictures of the same prompts), in how many runs its own score rose from first to last frame, once as
it sees the whole picture and once as the mean over 32 views of the kind that it was trained on, and how much fine
detail the last one has of the first's (by spectrum; the median).
"""

import argparse
import json
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw
from torch import Tensor

from tests.bench.prompts import PROMPTS
from text2art_nb import models
from text2art_nb.perceptors import dual_encoder
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings
from text2art_nb.training import world
from text2art_nb.training.views import JUDGE, crops, tint, to_tensor

CPU = torch.device("cpu")
TEXTS = [asked.text for asked in PROMPTS]


def judge() -> dual_encoder.DualEncoder:
    """The second CLIP: another seed, another architecture, other augmentations, never optimised against."""
    return dual_encoder.load("judge", models.locate("embedded", "judge"), CPU)


@torch.no_grad()
def look(eye: dual_encoder.DualEncoder, pictures: list[Image.Image]) -> Tensor:
    """Cosine similarities [n,64] of pictures to the prompts."""
    views = [np.asarray(p.convert("RGB").resize((eye.size, eye.size), Image.Resampling.BOX)) for p in pictures]
    stacked = torch.from_numpy(np.stack(views)).movedim(-1, 1).float() / 255
    return eye.see(stacked) @ eye.read(TEXTS).T


@torch.no_grad()
def look_around(eye: dual_encoder.DualEncoder, picture: Image.Image, text: str, views: int = 32) -> float:
    """Mean cosine similarity to one text of so many views, the same for every picture.

    The eye isn't trained against an adversary: what it says of one view changes by some hundredths with changes that
    nobody sees. The mean over views, which is what a run follows, too, changes half as much.
    """
    seen = np.stack([np.asarray(picture.resize((128, 128), Image.Resampling.BOX))] * views)
    rough = to_tensor(crops(seen, eye.size, np.random.default_rng(5), JUDGE))
    return float((eye.see(tint(rough, torch.Generator().manual_seed(5), JUDGE)) @ eye.read([text]).T).mean())


def detail(picture: Image.Image) -> float:
    """Contrast of what is finer than four pixels, of 144 along a side: root of the spectrum's mean power there."""
    grey = np.asarray(picture.convert("L").resize((144, 144), Image.Resampling.BOX), np.float32) / 255
    fine = np.hypot(*np.meshgrid(np.fft.fftfreq(144), np.fft.fftfreq(144))) > 0.25
    return float(np.sqrt(np.mean(np.abs(np.fft.fft2(grey, norm="ortho"))[fine] ** 2)))


Task = tuple[int, int, str, dict[str, str], Path]


def draw(task: Task) -> tuple[Image.Image, Image.Image]:
    """First frame's and final picture of one prompt (by number) with one seed; kept in a folder, drawn only once."""
    torch.set_num_threads(1)
    number, seed, drawer, settings, folder = task
    paths = [folder / f"{drawer}-{number:02d}-{seed}-{when}.png" for when in ("first", "last")]
    if not paths[1].exists():
        run = Run(Settings(prompts=TEXTS[number], drawer=drawer, seed=seed, **settings))
        next(run).image.save(paths[0])
        for _ in run:
            pass
        run.artwork.image.save(paths[1])
    first, last = (Image.open(path).convert("RGB") for path in paths)
    return first, last


def sheet(
    pictures: list[Image.Image], right: list[bool], columns: int = 8, side: int = 192, captions: list[str] = TEXTS
) -> Image.Image:
    """A contact sheet with the prompts underneath; a dot where the judge took the picture for another prompt."""
    rows = -(-len(pictures) // columns)
    out = Image.new("RGB", (columns * (side + 8), rows * (side + 26)), "white")
    pen = ImageDraw.Draw(out)
    for k, picture in enumerate(pictures):
        x, y = k % columns * (side + 8) + 4, k // columns * (side + 26) + 4
        out.paste(picture.resize((side, side), Image.Resampling.LANCZOS), (x, y))
        pen.text((x, y + side + 4), ("" if right[k] else "· ") + captions[k][:34], fill="black")
    return out


def main() -> None:
    """See the module's first lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--drawer", default="vqgan")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--prompts", type=int, default=len(PROMPTS))
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--keep", type=Path, help="where pictures are kept; those already there are not drawn again")
    parser.add_argument("--set", nargs="*", default=[], metavar="NAME=VALUE")
    asked = parser.parse_args()
    settings = dict(pair.split("=", 1) for pair in asked.set)
    folder = asked.keep or Path(tempfile.mkdtemp(prefix="text2art-judged-"))
    folder.mkdir(parents=True, exist_ok=True)
    tasks = [(k, seed, asked.drawer, settings, folder) for seed in range(asked.seeds) for k in range(asked.prompts)]
    with ProcessPoolExecutor(asked.processes) as pool:
        drawn = list(pool.map(draw, tasks))
    eye = judge()
    before, after = look(eye, [first for first, _ in drawn]), look(eye, [last for _, last in drawn])
    wanted = torch.tensor([task[0] for task in tasks])
    right = (after.argmax(1) == wanted).tolist()
    rose = after.gather(1, wanted[:, None]) > before.gather(1, wanted[:, None])
    renders = [Image.fromarray(world.render(a.scene(v), 128)) for v in range(8) for a in PROMPTS]
    knows = look(eye, renders).argmax(1) == torch.arange(len(PROMPTS)).repeat(8)
    held = [r for r, task in zip(right, tasks, strict=True) if PROMPTS[task[0]].held_out]
    wrong = [f"{TEXTS[t[0]]} -> {TEXTS[int(a.argmax())]}" for t, r, a in zip(tasks, right, after, strict=True) if not r]
    if asked.sheet:
        asked.sheet.parent.mkdir(parents=True, exist_ok=True)
        last = [picture for _, picture in drawn][: asked.prompts]
        sheet(last, right[: asked.prompts]).save(asked.sheet, quality=90)
    print("\n".join(wrong))
    around = [[look_around(eye, p, TEXTS[t[0]]) for p in both] for both, t in zip(drawn, tasks, strict=True)]
    details = [detail(last) / detail(first) for first, last in drawn]
    figures = {
        "drawer": asked.drawer,
        "settings": settings,
        "pictures": len(tasks),
        "judge_right": round(sum(right) / len(right), 3),
        "judge_right_held_out": round(sum(held) / max(1, len(held)), 3),
        "judge_right_on_renders": round(knows.float().mean().item(), 3),
        "judge_score_rose": round(rose.float().mean().item(), 3),
        "judge_score_rose_from_32_views": round(float(np.mean([last > first for first, last in around])), 3),
        "gained_from_32_views": round(float(np.mean([last - first for first, last in around])), 4),
        "gained": round((after - before).gather(1, wanted[:, None]).mean().item(), 4),
        "detail_of_first": round(float(np.median(details)), 3),
        "judge_cosine_mean": round(after.gather(1, wanted[:, None]).mean().item(), 3),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
