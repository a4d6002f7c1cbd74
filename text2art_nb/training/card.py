"""The model cards: README.md beside the weights, written from figures that the training program measured itself."""

import json
import math
import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from text2art_nb.training import metrics
from text2art_nb.training.loop import read_curve

if TYPE_CHECKING:
    from text2art_nb.training.classifier import ClassifierTrainer
    from text2art_nb.training.clip import ClipTrainer
    from text2art_nb.training.proposal import ProposalTrainer
    from text2art_nb.training.tiny import TinyTrainer
    from text2art_nb.training.vqgan import VqganTrainer

TITLES = {
    "clip": "text2art's embedded CLIP (the first guide)",
    "clip2": "text2art's second embedded CLIP (the second guide)",
    "clip3": "text2art's third embedded CLIP (the third guide)",
    "judge": "text2art's embedded judge",
}
_GUIDES = """Drawing follows the mean of the gradients of all three guides, which were trained apart: what only one of
them likes pulls a third as much. That is why it was trained under attack, too."""
PURPOSES = {
    "clip": _GUIDES + " Where one guide is asked for, it is this one, which knows most.",
    "clip2": _GUIDES,
    "clip3": _GUIDES + " It is the first to be taught: the other two begin with what its reader has learnt.",
    "judge": "It judges drawn pictures; nothing is ever optimised against it. Its eye, its seed and its augmentations "
    "are others than the guides'.",
}
_FLATTEN = """In transformers 5 a ResNet's pooled features keep two axes of length 1; after loading, call
`text2art_nb.perceptors.dual_encoder.flatten_pooling(model)`, which adds no weights."""


TRIED_TITLE = "What was tried for the models of November 2026"
TRIED = {
    "clip": """After 573 plain steps to the reader that the second guide had taught on, this eye named .855 of the
things and was at .711 of 256, after 1086 at .973 and .809. The third guide, which began together with its reader, was
at .691 after the 2800 steps of its first round. A forerunner, with the same recipe, began with a reader that had come
to .777, and ended at .986, .731, .832 and .941.""",
    "clip2": """After 812 steps to a reader that could read already, this eye named .919 of the things and was at .738
of 256; the third guide, which began together with its reader, was at .691 after the 2800 steps of its first round. A
forerunner, with the same recipe, began with a reader that had come to .727, and ended at .983, .709, .777 and .926. Its
pool has 24,000 groups of four; those before had 4,000 of eight, and later 12,000 of four.""",
    "clip3": """With the full roughness of views from the start, an eye had learnt no things after 320 steps; hence the
gentle ones. Its forerunner was taught in four trainings, in a world that grew between them, four hours in all: .967 of
the things, .690 under attack, .727 of the exam's 256, .715 of the exchanges. The first round of this recipe, which ends
at step 2800 with hardly any rate left, brought .942, .490, .691 and .785; the second round, from the full rate on again
(Loshchilov and Hutter 2017), the rest. Plain gradient ascent on pixels under a plainly trained eye gave checkerboards
in the place of things; under the attacked one, patches of their colours with some of their outlines.""",
    "judge": """A LeViT eye (a narrow convolutional stem, attention on 4 x 4 tokens) named no more things than chance
after 740 steps; this RegNet named a tenth of them after 585. Trained plainly alone, its forerunner named none of the
things right under attack (within 0.03 of every value), and what it said of a drawn picture went up or down by 0.02 with
changes that nobody sees; hence the mild attack. The first round of this recipe, which ends at step 2600 with hardly any
rate left, brought .866 of the things and .688 of the exam's 256; the second round, from the full rate on again, the
rest.""",
    "vqgan": """Its first forerunner halved three times (2048 codes of 32 numbers, 22.9 dB at 128 pixels, soft), the
second twice (4096 codes of 4 numbers, 27.1 dB; 23.5 at 64 pixels, where its curve had become flat: twelve bits for 48
values). K-means alone, without any network, over 1024 blocks of 2 x 2 pixels gives 29.2 dB at 64 pixels: what limits a
network of this size is how long it learns and its GroupNorms, which keep no absolute brightness. With a codebook from
step 300 on, the first one's latents stayed in the three dimensions that they had then, and pictures came out in orange
and blue; hence the long start without codes here. In the curve, PSNR up to step 1200 is without codes.""",
    "proposal": """The guide's text vector as the painter's only input: a probe on 16,000 captions read colours (0.94)
and things (0.92) from it, but positions, relations and second things at 0.18 to 0.57; hence a reader of its own.
A picture book's layers as a prior (maps of places, maps of things moved to their spots) made 6,800 pictures enough for
the judge to name 0.41 of the things. The first round of this recipe, which ends at step 5500 with hardly any rate left,
brought 24.15 dB; the second round, from nearly the full rate on again, the rest. Drawing goes on from a proposal with
small steps only: with the `vqgan` drawer's usual rate of 0.2 the picture fell apart, with 0.04 and 40 iterations it
stayed and the judge's cosine rose.""",
}


def write_dual(directory: Path, name: str, trainer: "ClipTrainer", seconds: float, curve: Path) -> None:
    """The card of a guide (`clip`, `clip2`, `clip3`) or the `judge`, with figures measured now."""
    points = read_curve(curve)
    model, exam = trainer.exported(), trainer.test
    figures = metrics.full(model, trainer.tokenizer, exam)
    _save(directory, figures)
    columns = {
        "step": "step",
        "seconds": "s",
        "match": "loss",
        "things": "things",
        "held_out_256": "held out, of 256",
        "swaps": "swaps",
    }
    sections = {
        "What it is": _what(name, trainer),
        "Figures": _dual_figures(figures, exam.line_up),
        "Training": _training(trainer.step, trainer.plan.batch, trainer.pool.plan.name, seconds, points)
        + " Softmax contrastive loss that leaves out pairs that happen to be true, and heads naming every attribute, "
        f"dropped afterwards.\n\n{stages(trainer.plan.stages)}",
        "Learning curve": table(points, columns),
        TRIED_TITLE: TRIED[name],
        "Failures": _failures(metrics.name_things([(model, trainer.tokenizer)], exam.line_up).float().mean(0).tolist()),
    }
    write(directory, TITLES[name], sections, "transformers")


def write_vqgan(directory: Path, trainer: "VqganTrainer", seconds: float, curve: Path) -> None:
    """The card of the VQGAN, with figures measured now."""
    points = read_curve(curve)
    figures = trainer.measure(len(trainer.test.pictures))
    _save(directory, figures)
    plan, model = trainer.plan, trainer.exported()
    size, decoder = (sum(p.numel() for p in module.parameters()) / 1e6 for module in (model, model.decoder))
    side = 2 ** (len(plan.channels) - 1)
    rows = [
        ("PSNR, whole held-out pictures at 64 pixels", f"{figures['psnr_64']:.2f} dB"),
        ("PSNR, whole held-out pictures at 128 pixels", f"{figures['psnr_128']:.2f} dB"),
        ("codes that these pictures use", f"{figures['codes_used']:.0f} of {plan.codes}"),
    ]
    columns = {"step": "step", "seconds": "s", "picture": "loss", "psnr_64": "PSNR, 64", "psnr_128": "PSNR, 128"}
    sections = {
        "What it is": f"A `diffusers.VQModel` with {size:.2f} M parameters (decoder {decoder:.2f} M), one of "
        f"{plan.codes} codes for every\n{side} x {side} pixels, pictures in -1..1. Trained from nothing by\n"
        "`python -m text2art_nb.training.train vqgan` on pictures that `text2art_nb/training/world` renders.",
        "Figures": _figures(rows),
        "Training": _training(trainer.step, plan.stages[0].batch, trainer.pool.plan.name, seconds, points)
        + " Random windows of the pictures; absolute, squared and slope differences at three scales"
        + (", then the guide's early features" if trainer.features else "")
        + f".\n\n{stages(plan.stages)}",
        "Learning curve": table(points, columns),
        TRIED_TITLE: TRIED["vqgan"],
        "Failures": "Fine strokes (stars, pencil hatching, faces of small things) come back a little soft: a code has "
        f"{math.log2(plan.codes):.0f} bits for {3 * side * side} values.",
    }
    write(directory, "text2art's embedded VQGAN", sections, "diffusers")


def write_tiny(directory: Path, trainer: "TinyTrainer", seconds: float, curve: Path) -> None:
    """The card of the tiny autoencoder, with figures measured now."""
    points = read_curve(curve)
    figures = trainer.measure(len(trainer.test.pictures))
    _save(directory, figures)
    plan, model = trainer.plan, trainer.exported()
    size, decoder = (sum(p.numel() for p in module.parameters()) / 1e6 for module in (model, model.decoder))
    rows = [
        ("PSNR, whole held-out pictures at 64 pixels", f"{figures['psnr_64']:.2f} dB"),
        ("PSNR, whole held-out pictures at 128 pixels", f"{figures['psnr_128']:.2f} dB"),
        ("spread of the latents of the latter, where 1 is meant", f"{figures['spread']:.2f}"),
        ("the farthest of them from 0, where 3 is meant", f"{figures['reach']:.2f}"),
    ]
    columns = {"step": "step", "seconds": "s", "picture": "loss", "psnr_64": "PSNR, 64", "psnr_128": "PSNR, 128"}
    sections = {
        "What it is": f"A `diffusers.AutoencoderTiny` with {size:.2f} M parameters (decoder {decoder:.2f} M), "
        f"{plan.latent} numbers for every\n8 x 8 pixels, pictures in -1..1: TAESD's architecture, narrower. Trained "
        "from nothing by\n`python -m text2art_nb.training.train taesd` on pictures that `text2art_nb/training/world` "
        "renders; it has nothing of\nTAESD's weights, and no diffusion model speaks its latents.",
        "Figures": _figures(rows),
        "Training": _training(trainer.step, plan.batch, trainer.pool.plan.name, seconds, points)
        + " Random windows of the pictures; absolute, squared and slope differences at three scales; noise of 0.1 on "
        f"the latents.\n\n{stages((plan,))}",
        "Learning curve": table(points, columns),
    }
    write(directory, "text2art's embedded TAESD", sections, "diffusers")


def write_classifier(directory: Path, trainer: "ClassifierTrainer", seconds: float, curve: Path) -> None:
    """The card of the thing classifier, with figures measured now."""
    points = read_curve(curve)
    named = trainer.named().float()
    figures = {"things": float(named.mean())}
    _save(directory, figures)
    size = sum(p.numel() for p in trainer.model.parameters()) / 1e6
    what = f"names the thing, 1 of {named.shape[1]}; colour, place, style the same ({named.numel()} pictures)"
    sections = {
        "What it is": f"A `transformers.ResNetForImageClassification` with {size:.2f} M parameters that names the "
        "thing of a 64 x 64 picture.\nThe benches ask it beside the judge; it never guides and never judges in a run. "
        "Trained from nothing by\n`python -m text2art_nb.training.train classifier` on pictures of its own.",
        "Figures": _figures([(what, f"{figures['things']:.3f}")]),
        "Training": _training(trainer.step, trainer.plan.batch, trainer.pool.plan.name, seconds, points)
        + " Cross-entropy on the thing (of two, the first).",
        "Learning curve": table(points, {"step": "step", "seconds": "s", "loss": "loss", "things": "things"}),
        "Failures": _failures(named.mean(0).tolist()),
    }
    write(directory, "text2art's embedded thing classifier", sections, "transformers")


def write_proposal(directory: Path, trainer: "ProposalTrainer", seconds: float, curve: Path) -> None:
    """The card of the proposal, with figures measured now."""
    points = read_curve(curve)
    model = trainer.exported()
    named = trainer.named(model, 6).float()
    figures = trainer.measure(256) | {"judged": float(named.mean()), "judged_renders": trainer.named_renders(6)}
    _save(directory, figures)
    reader, painter = (sum(p.numel() for p in part.parameters()) / 1e6 for part in (model.reader, model.painter))
    things = named.shape[1]
    rows = [
        (
            f"the judge names the thing of a proposal, 1 of {things}, in the same words ({named.numel()} sentences)",
            "judged",
        ),
        ("the same for the pictures that the painter was to learn, rendered", "judged_renders"),
        ("PSNR to rendered pictures of pairs (thing and place, or style) held out of training, dB", "psnr"),
        ("everything read right in a sentence with a held-out pair", "read_right"),
        ("of these: the thing", "read_thing"),
        ("the colour", "read_colour"),
    ]
    sections = {
        "What it is": f"`text2art_nb.optimization.proposals.network.Proposal`: a reader ({reader:.2f} M parameters, "
        f"convolutions "
        "over the guide's\nBPE tokens) that says what a sentence states, and a painter "
        f"({painter:.2f} M, mostly learnt maps) that paints it, 64 x 64 pixels, in one pass.\n"
        "The painter is a deterministic neural renderer: learnt maps of places and of things, put where the things "
        "stand,\ncoloured and joined by convolutions. Trained from nothing by "
        "`python -m text2art_nb.training.train proposal` on pictures\nand captions that `text2art_nb/training/world` "
        "makes. It knows that little world and nothing else.\nWhat a sentence leaves open has a usual value for each "
        "thing: a natural colour and place, by day, in the style of the picture book, large.",
        "Figures": _figures([(what, f"{figures[key]:.3f}") for what, key in rows]),
        "Training": f"{trainer.step} steps of {trainer.plan.batch} fresh pictures (mostly of one large thing) and "
        f"{trainer.plan.sentences} fresh sentences, {_spent(seconds, points)}. Pictures: absolute, squared and slope "
        f"differences at three scales; sentences: cross-entropy of what they state.\n\n{stages(trainer.plan.stages)}",
        "Learning curve": table(
            points,
            {
                "step": "step",
                "seconds": "s",
                "picture": "loss",
                "psnr": "PSNR",
                "judged": "judged",
                "read_right": "read right",
            },
        ),
        TRIED_TITLE: TRIED["proposal"],
        "Failures": _failures(named.mean(0).tolist())
        + " Two or three things in a picture are small and soft. Fine textures (oil strokes, hatching) are blurred. "
        "Each thing has four shapes (and their mirror images), however often it is proposed.",
    }
    write(directory, "text2art's embedded proposal", sections, "text2art")


def _save(directory: Path, figures: Mapping[str, float]) -> None:
    (directory / "figures.json").write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def _what(name: str, trainer: "ClipTrainer") -> str:
    dual, resting = trainer.pupil.dual, trainer.plan.resting
    size = sum(p.numel() for p in dual.parameters()) / 1e6
    text = (
        f"A `transformers.VisionTextDualEncoderModel` with {size:.2f} M parameters ({type(dual.vision_model).__name__} "
        f"eye for 64 x 64 pixels,\nBERT reader, byte-level BPE), trained from nothing by "
        f"`python -m text2art_nb.training.train {name}` on pictures and captions"
        "\nthat `text2art_nb/training/world` makes. It knows that little world and nothing else; "
        "`vocabulary.json` has every word it was taught.\n" + PURPOSES[name]
    )
    if resting:
        text += f"\nIts reader began as another guide's and rested for {resting} steps, while the eye learnt to see."
    return text + ("" if name == "judge" else "\n\n" + _FLATTEN)


def _dual_figures(figures: Mapping[str, float], line_up: metrics.LineUp) -> str:
    things = len(line_up.captions[0])
    count = things * len(line_up.captions)
    rows = [
        (f"names the thing, 1 of {things}; colour, place, style the same ({count} pictures)", "things"),
        ("the same under attack (5 steps, every value within 0.03)", "things_attacked_0.03"),
        ("R@1 picture to caption among 64, pairs seen in training", "seen_64"),
        ("R@1 among 256, pairs seen in training", "seen_256"),
        ("R@1 among 64, pairs of thing and place or style held out", "held_out_64"),
        ("R@1 among 256, held out", "held_out_256"),
        ("two things: nearer to its caption than to the one with the two exchanged", "swaps"),
    ]
    return (
        _figures([(what, f"{figures[key]:.3f}") for what, key in rows])
        + "\n\nMeasured by `text2art_nb.training.metrics` on rendered pictures whose seeds training never used. "
        "Captions leave parts out at random;\nother captions that are true of the picture don't count as wrong."
    )


def _failures(named: Sequence[float]) -> str:
    from text2art_nb.training.world import ATTRIBUTES

    worst = sorted(zip(named, ATTRIBUTES["thing"], strict=True))[:12]
    return "Named least often in the line-up: " + ", ".join(f"{word} ({share:.2f})" for share, word in worst) + "."


def _training(step: int, batch: int, pool: str, seconds: float, points: Sequence[Mapping[str, Any]]) -> str:
    return (
        f"{step} steps of {batch} pictures (pool `{pool}`: count x pixels, group, share of two things, seed, world), "
        f"{_spent(seconds, points)}."
    )


def _spent(seconds: float, points: Sequence[Mapping[str, Any]]) -> str:
    """How long a training took, and with how many threads, which may have changed at each resumption."""
    by_step = {point["step"]: point for point in reversed(points)}  # the first of each: exporting again adds another
    counts = sorted({point["threads"] for point in by_step.values() if "threads" in point})
    threads = " and ".join(map(str, counts)) + (" thread" if counts == [1] else " threads")
    return f"{seconds / 60:.0f} minutes{f' of {threads}' if counts else ''} on\n{machine()}"


def machine() -> str:
    """This machine in a few words."""
    name = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        models = [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if "model name" in line]
        name = models[0] if models else name
    return f"{os.cpu_count()} cores of {name}"


def table(points: Sequence[Mapping[str, Any]], columns: Mapping[str, str], rows: int = 12) -> str:
    """A learning curve as a Markdown table of at most `rows` points, evenly spread, the last one included.

    Args:
        points: the curve.
        columns: key in the points -> heading.
    """
    known = [point for point in points if all(key in point for key in columns)]
    if len(known) > rows:
        known = [known[round(i * (len(known) - 1) / (rows - 1))] for i in range(rows)]
    lines = [_row(columns.values()), "|" + " --- |" * len(columns)]
    for point in known:
        lines.append(
            _row(f"{point[key]:.0f}" if key in ("step", "seconds") else f"{point[key]:.3f}" for key in columns)
        )
    return "\n".join(lines)


def stages(plan: Sequence[Any]) -> str:
    """The stages of a recipe as a Markdown table."""
    names = list(vars(plan[0]))
    lines = [_row("until step" if name == "until" else name for name in names), "|" + " --- |" * len(names)]
    for stage in plan:
        values = [vars(stage)[name] for name in names]
        lines.append(_row(" to ".join(f"{v:g}" for v in x) if isinstance(x, tuple) else f"{x:g}" for x in values))
    return "\n".join(lines)


def _figures(rows: Sequence[tuple[str, str]]) -> str:
    return "\n".join([_row(("figure", "value")), "| --- | --- |", *map(_row, rows)])


def _row(cells: Any) -> str:
    return "| " + " | ".join(cells) + " |"


def write(directory: Path, title: str, sections: Mapping[str, str], library: str) -> None:
    """Write README.md with the hub's front matter, a title and sections in order."""
    parts = [f"---\nlicense: mit\nlibrary_name: {library}\n---\n", f"# {title}\n"]
    parts += [f"## {heading}\n\n{text.strip()}\n" for heading, text in sections.items()]
    (directory / "README.md").write_text("\n".join(parts), encoding="utf-8")
