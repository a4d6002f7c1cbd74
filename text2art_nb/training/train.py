"""`python -m text2art_nb.training.train [NAME]`: the embedded checkpoints, all of them or the one that is named.

Renders its pictures first, keeps them and the checkpoints in a working folder (`--work`), exports to `--out`. What is
installed stays as it is. Killed at any moment, `--resume` goes on from the last minute.
"""

import argparse
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from text2art_nb.errors import RunError, Text2ArtError
from text2art_nb.models.embedded import WEIGHTS, write_sums
from text2art_nb.training.data import Pool, PoolPlan, fingerprint, load_pool, make_once, misspell

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedTokenizerFast

    from text2art_nb.training.loop import Trainer

WORK = Path(tempfile.gettempdir()) / "t2a-train"
TRAINING = PoolPlan(count=96_000, size=96, seed=41, group=4, relations=0.3)
NAMING = PoolPlan(count=24_000, size=80, seed=15)
SECONDING = replace(TRAINING, seed=47)  # each sees other drawings of every thing
FIRSTING = replace(SECONDING, seed=53)
JUDGING = replace(TRAINING, seed=44)
DETAILED = PoolPlan(count=8_000, size=160, seed=12)
DETAILED_TEST = PoolPlan(count=64, size=160, seed=13, held_out=True)


@dataclass(frozen=True)
class Job:
    """What the command line asked for."""

    work: Path
    out: Path
    minutes: float | None
    resume: bool
    processes: int

    def pool(self, plan: PoolPlan) -> Pool:
        """A pool, rendered if it isn't there."""
        return load_pool(plan, self.work / "pools", self.processes)


def make_tokenizer(work: Path, seed: int = 21) -> "PreTrainedTokenizerFast":
    """The tokenizer, trained once on 40,000 captions and kept in the working folder."""
    from transformers import AutoTokenizer

    from text2art_nb.training import world
    from text2art_nb.training.tokenizer import train_tokenizer

    def make(directory: Path) -> None:
        rng = np.random.default_rng(seed)
        captions = [misspell(world.caption(scene, rng)[0], rng) for scene in world.sample_scenes(rng, 40_000)]
        train_tokenizer(captions).save_pretrained(directory)

    place = work / f"tokenizer-{fingerprint()}"
    make_once(place, make)
    tokenizer: PreTrainedTokenizerFast = AutoTokenizer.from_pretrained(place, local_files_only=True)
    return tokenizer


def publish(write: Callable[[Path], None], directory: Path) -> None:
    """Let `write` fill a fresh folder, then move its files one by one over those of `directory`."""
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory.parent, prefix=".new-") as fresh:
        write(Path(fresh))
        for file in sorted(Path(fresh).iterdir(), key=lambda file: file.suffix == ".safetensors"):
            file.chmod(0o644)
            os.replace(file, directory / file.name)
    write_sums(directory.parent)


def _train(trainer: "Trainer", folder: Path, job: Job, export_only: bool, measure_every: float = 300) -> float:
    """Train, or take the last checkpoint as it is; the seconds of training so far."""
    from text2art_nb.training.loop import load_state, run

    if not export_only:
        return run(trainer, folder, minutes=job.minutes, resume=job.resume, measure_every=measure_every)
    state = load_state(folder / "checkpoint.pt")
    trainer.load_state_dict(state["trainer"])
    return float(state["seconds"])


# A guide's reader begins as another's, which was taught before it.
READS_AS = {"clip2": "clip3", "clip": "clip2"}


def train_dual(name: str, job: Job, export_only: bool) -> None:
    """Train and export a guide or the `judge`.

    `clip3` is first, then `clip2`, then `clip`: the later ones read with what the reader before them, in `--out`, has
    learnt.
    """
    from text2art_nb.training import card, clip, metrics

    plan, pool = {
        "clip": (clip.FIRST_PLAN, FIRSTING),
        "clip2": (clip.SECOND_PLAN, SECONDING),
        "clip3": (clip.GUIDE_PLAN, TRAINING),
        "judge": (clip.JUDGE_PLAN, JUDGING),
    }[name]
    if name in READS_AS:
        tokenizer, reader = _reader(_forerunner(job, READS_AS[name]))
    else:
        tokenizer, reader = make_tokenizer(job.work), None
    trainer = clip.ClipTrainer(plan, job.pool(pool), metrics.make_exam(), tokenizer, reader)
    folder = job.work / name
    seconds = _train(trainer, folder, job, export_only)

    def write(directory: Path) -> None:
        clip.export(trainer, directory)
        card.write_dual(directory, name, trainer, seconds, folder / "curve.jsonl")

    publish(write, job.out / name)


def train_vqgan(job: Job, export_only: bool) -> None:
    """Train and export the VQGAN; its feature loss looks through the guide in `--out`."""
    from text2art_nb.training import card, vqgan

    folder = job.work / "vqgan"
    if not (folder / "checkpoint.pt").exists():
        _keep_eye(_forerunner(job, "clip"), folder / "eye")
    # A training that was begun without an eye, as once it could be, goes on without.
    eye = folder / "eye" if (folder / "eye").exists() else None
    trainer = vqgan.VqganTrainer(vqgan.VQGAN_PLAN, job.pool(DETAILED), job.pool(DETAILED_TEST), eye)
    seconds = _train(trainer, folder, job, export_only)

    def write(directory: Path) -> None:
        vqgan.export(trainer, directory)
        card.write_vqgan(directory, trainer, seconds, folder / "curve.jsonl")

    publish(write, job.out / "vqgan")


def train_taesd(job: Job, export_only: bool) -> None:
    """Train and export the tiny autoencoder."""
    from text2art_nb.training import card, tiny

    folder = job.work / "taesd"
    trainer = tiny.TinyTrainer(tiny.TINY_PLAN, job.pool(DETAILED), job.pool(DETAILED_TEST))
    seconds = _train(trainer, folder, job, export_only)

    def write(directory: Path) -> None:
        tiny.export(trainer, directory)
        card.write_tiny(directory, trainer, seconds, folder / "curve.jsonl")

    publish(write, job.out / "taesd")


def train_classifier(job: Job, export_only: bool) -> None:
    """Train and export the thing classifier."""
    from text2art_nb.training import card, classifier

    trainer = classifier.ClassifierTrainer(classifier.CLASSIFIER_PLAN, job.pool(NAMING))
    folder = job.work / "classifier"
    seconds = _train(trainer, folder, job, export_only)

    def write(directory: Path) -> None:
        classifier.export(trainer, directory)
        card.write_classifier(directory, trainer, seconds, folder / "curve.jsonl")

    publish(write, job.out / "classifier")


def train_proposal(job: Job, export_only: bool) -> None:
    """Train and export the proposal. It needs the guide's tokenizer from `--out`, and the judge for the curve."""
    from transformers import AutoTokenizer, VisionTextDualEncoderModel

    from text2art_nb.perceptors.dual_encoder import flatten_pooling
    from text2art_nb.training import card, proposal

    guide, judge = _forerunner(job, "clip"), _forerunner(job, "judge")
    model = VisionTextDualEncoderModel.from_pretrained(judge, local_files_only=True)
    eye = flatten_pooling(model).eval().requires_grad_(False)
    looks = (eye, AutoTokenizer.from_pretrained(judge, local_files_only=True))
    tokenizer = AutoTokenizer.from_pretrained(guide, local_files_only=True)
    trainer = proposal.ProposalTrainer(proposal.PROPOSAL_PLAN, tokenizer, looks)
    folder = job.work / "proposal"
    seconds = _train(trainer, folder, job, export_only)

    def write(directory: Path) -> None:
        proposal.export(trainer, directory, guide)
        card.write_proposal(directory, trainer, seconds, folder / "curve.jsonl")

    publish(write, job.out / "proposal")


def _reader(directory: Path) -> "tuple[PreTrainedTokenizerFast, dict[str, Tensor]]":
    """The tokenizer and the reader, in float32, of the dual encoder in a directory."""
    from safetensors.torch import load_file
    from transformers import AutoTokenizer

    from text2art_nb.training import clip

    reader = clip.reader_of(load_file(directory / "model.safetensors"))
    return AutoTokenizer.from_pretrained(directory, local_files_only=True), {
        name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in reader.items()
    }


def _forerunner(job: Job, name: str) -> Path:
    """The checkpoint in `--out` that a training needs. Raises RunError where there is none."""
    directory = job.out / name
    if not (directory / "config.json").is_file():
        raise RunError(
            f"it needs the {name}, and {directory} has none: train {name} first, or copy the one that is installed "
            f"there from {WEIGHTS / name}"
        )
    return directory


def _keep_eye(guide: Path, kept: Path) -> None:
    """A copy of the guide that stays as it is for the whole training, so that resuming changes nothing."""
    for older in (kept, torn := kept.with_suffix(".torn")):
        if older.exists():
            shutil.rmtree(older)
    shutil.copytree(guide, torn)
    os.replace(torn, kept)


JOBS: dict[str, Callable[[Job, bool], None]] = {
    "clip3": partial(train_dual, "clip3"),
    "clip2": partial(train_dual, "clip2"),
    "clip": partial(train_dual, "clip"),
    "vqgan": train_vqgan,
    "taesd": train_taesd,
    "judge": partial(train_dual, "judge"),
    "classifier": train_classifier,
    "proposal": train_proposal,
}


def _check_forerunners(job: Job, what: str) -> None:
    """Nothing of an older training is given up for one that can't begin."""
    try:
        for name in NEEDS.get(what, ()):
            _forerunner(job, name)
    except RunError as error:
        raise SystemExit(f"{what}: {error}") from error


NEEDS = {"clip2": ("clip3",), "clip": ("clip2",), "vqgan": ("clip",), "proposal": ("clip", "judge")}
"""Which models must be there for the training of each."""


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m text2art_nb.training.train", description=__doc__)
    parser.add_argument("what", choices=(*JOBS, "all"), nargs="?", default="all")
    parser.add_argument(
        "--minutes", type=float, help="stop after so long (default: to the end); --resume goes on later"
    )
    parser.add_argument("--out", type=Path, help="where the models are exported to (default: weights in --work)")
    parser.add_argument(
        "--work",
        type=Path,
        default=WORK,
        help="where pictures to train on (12 GB for all), states and learning curves are kept",
    )
    parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint in --work")
    parser.add_argument("--threads", type=int, default=1, help="threads of torch; processes that render")
    parser.add_argument("--export-only", action="store_true", help="export the last checkpoint as it is")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """See the module."""
    options = parse(arguments)
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    import cv2
    import torch

    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    job = Job(options.work, options.out or options.work / "weights", options.minutes, options.resume, options.threads)
    asked = tuple(JOBS) if options.what == "all" else (options.what,)
    if not (options.resume or options.export_only):
        _check_forerunners(job, asked[0])
        for what in asked:  # all of them now: killed in the second one, --resume must not find the third's of last year
            (job.work / what / "checkpoint.pt").unlink(missing_ok=True)
    for what in asked:
        try:
            JOBS[what](job, options.export_only)
        except Text2ArtError as error:
            raise SystemExit(f"{what}: {error}") from error


if __name__ == "__main__":
    main()
