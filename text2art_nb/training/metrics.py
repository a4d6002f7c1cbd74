"""What the model cards say, measured: naming of things, retrieval, both on rendered pictures never trained on.

Retrieval alone once hid a CLIP that knew places and colours and no things; hence the line-up, where only the
thing differs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from text2art_nb.training import world
from text2art_nb.training.dual_encoder import MEAN, SIZE, STD
from text2art_nb.training.views import Pixels, to_tensor
from text2art_nb.training.world.captions import PLACE_WORDS, THING_WORDS

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, VisionTextDualEncoderModel

    Eye: TypeAlias = tuple[VisionTextDualEncoderModel, PreTrainedTokenizerFast]


def see(model: "VisionTextDualEncoderModel", pictures: Pixels | Tensor) -> Tensor:
    """Unit embeddings [n,256] of pictures: bytes [n,64,64,3], or [n,3,64,64] in 0..1 (then differentiable)."""
    views = pictures if isinstance(pictures, Tensor) else to_tensor(pictures)
    parts = [model.get_image_features(pixel_values=(part - MEAN) / STD).pooler_output for part in views.split(128)]
    return F.normalize(torch.cat(parts).float(), dim=-1)


@torch.no_grad()
def read(model: "VisionTextDualEncoderModel", tokenizer: "PreTrainedTokenizerFast", texts: list[str]) -> Tensor:
    """Unit embeddings [n,256] of texts."""
    tokens = tokenizer(texts, padding=True, truncation=True, return_tensors="pt")
    features = model.get_text_features(input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"])
    return F.normalize(features.pooler_output.float(), dim=-1)


@torch.no_grad()
def alike(eyes: "Sequence[Eye]", pictures: Pixels, texts: list[str]) -> Tensor:
    """Cosines [n,m] of pictures to texts: the mean over several dual encoders, as they guide together."""
    return torch.stack([see(model, pictures) @ read(model, tokenizer, texts).T for model, tokenizer in eyes]).mean(0)


@dataclass(frozen=True)
class LineUp:
    """Pictures [rows*things,64,64,3] where within a row only the thing differs, and the row's captions.

    `captions[row][thing]` says the row's colour and place, and the thing.
    """

    pictures: Pixels
    captions: list[list[str]]


@dataclass(frozen=True)
class Album:
    """Pictures [n,64,64,3] with a caption each, and which caption is true of which picture [n,n]."""

    pictures: Pixels
    captions: list[str]
    true: NDArray[np.bool_]


@dataclass(frozen=True)
class Swaps:
    """Pictures [n,64,64,3] of two things, what they show, and the same words with the two things exchanged."""

    pictures: Pixels
    captions: list[str]
    swapped: list[str]


@dataclass(frozen=True)
class Exam:
    """Everything that a dual encoder is examined on."""

    line_up: LineUp
    seen_before: Album
    held_out: Album
    swaps: Swaps


def plain_caption(scene: world.Scene) -> str:
    """The plainest words for a scene's colour, thing and place: "a red castle in a meadow"."""
    thing = THING_WORDS[world.ATTRIBUTES["thing"][scene.thing]][0].split("/")[0]
    phrase = PLACE_WORDS[world.ATTRIBUTES["place"][scene.place]][0][0]
    return f"a {world.ATTRIBUTES['colour'][scene.colour]} {thing} {phrase}"


def make_line_up(rows: int, seed: int) -> LineUp:
    """One large thing by day on each row's ground and in the row's colour, every thing there is."""
    rng = np.random.default_rng(seed)
    scenes, captions = [], []
    for _ in range(rows):
        colour, place = (int(rng.integers(len(world.ATTRIBUTES[name]))) for name in ("colour", "place"))
        row = [
            world.Scene(thing=thing, colour=colour, place=place, variant=int(rng.integers(2**62)))
            for thing in range(len(world.ATTRIBUTES["thing"]))
        ]
        scenes.extend(row)
        captions.append([plain_caption(scene) for scene in row])
    return LineUp(world.render_many(scenes, SIZE), captions)


def make_album(count: int, seed: int, held_out: bool) -> Album:
    """Random scenes with a caption each that leaves parts out."""
    rng = np.random.default_rng(seed)
    scenes = world.sample_scenes(rng, count, held_out=held_out)
    texts, parts = zip(*(world.caption(scene, rng) for scene in scenes), strict=True)
    stated = np.stack([world.stated_vector(part) for part in parts])
    attributes = np.stack([world.attributes(scene) for scene in scenes])
    return Album(world.render_many(scenes, SIZE), list(texts), world.holds(stated, attributes).T)


def make_swaps(count: int, seed: int) -> Swaps:
    """Random scenes of two things with the plainest words: "a red boat left of a blue house"."""
    scenes = world.sample_scenes(np.random.default_rng(seed), count, relations=1.0, counts=0.0)
    relations, colours = world.ATTRIBUTES["relation"], world.ATTRIBUTES["colour"]

    def said(thing: int, colour: int) -> str:
        return f"a {colours[colour]} {THING_WORDS[world.ATTRIBUTES['thing'][thing]][0].split('/')[0]}"

    pairs = [
        (said(scene.thing, scene.colour), relations[scene.relation], said(scene.thing2, scene.colour2))
        for scene in scenes
    ]
    own = [f"{one} {relation} {other}" for one, relation, other in pairs]
    swapped = [f"{other} {relation} {one}" for one, relation, other in pairs]
    return Swaps(world.render_many(scenes, SIZE), own, swapped)


def make_exam(rows: int = 6, count: int = 256) -> Exam:
    """The exam of the learning curve and of the cards; its scenes' seeds are used nowhere else."""
    return Exam(
        make_line_up(rows, 9001),
        make_album(count, 9002, False),
        make_album(count, 9003, True),
        make_swaps(count, 9004),
    )


def name_things(eyes: "Sequence[Eye]", line_up: LineUp) -> Tensor:
    """[rows, things] bool: whether the picture's own caption is the nearest of its row's captions."""
    things = len(line_up.captions[0])
    rows = np.split(line_up.pictures, len(line_up.captions))
    nearest = [alike(eyes, row, captions).argmax(1) for row, captions in zip(rows, line_up.captions, strict=True)]
    return torch.stack(nearest) == torch.arange(things)


def name_things_attacked(
    model: "VisionTextDualEncoderModel",
    tokenizer: "PreTrainedTokenizerFast",
    line_up: LineUp,
    radius: float = 0.03,
    steps: int = 5,
) -> float:
    """Accuracy of `name_things` after projected gradient ascent within `radius` of every value."""
    things = len(line_up.captions[0])
    right = []
    for row, captions in enumerate(line_up.captions):
        texts = read(model, tokenizer, captions)
        clean = to_tensor(line_up.pictures[row * things : (row + 1) * things])
        change = torch.zeros_like(clean)
        for _ in range(steps):
            change.requires_grad_(True)
            loss = F.cross_entropy(30 * see(model, (clean + change).clamp(0, 1)) @ texts.T, torch.arange(things))
            (slope,) = torch.autograd.grad(loss, change)
            change = (change.detach() + radius / 2 * slope.sign()).clamp(-radius, radius)
        with torch.no_grad():
            nearest = (see(model, (clean + change).clamp(0, 1)) @ texts.T).argmax(1)
        right.append((nearest == torch.arange(things)).float().mean())
    return float(torch.stack(right).mean())


def retrieve(eyes: "Sequence[Eye]", album: Album, among: int) -> float:
    """R@1 from picture to caption among so many, in blocks; other captions true of the picture are left out."""
    cosines = alike(eyes, album.pictures, album.captions)
    right = []
    among = min(among, len(album.captions))
    for start in range(0, len(album.captions) - among + 1, among):
        block = slice(start, start + among)
        others = torch.from_numpy(album.true[block, block]) & ~torch.eye(among, dtype=torch.bool)
        nearest = cosines[block, block].masked_fill(others, -2).argmax(1)
        right.append((nearest == torch.arange(among)).float().mean())
    return float(torch.stack(right).mean())


def tell_swaps(eyes: "Sequence[Eye]", swaps: Swaps) -> float:
    """How often a picture of two things is nearer to its caption than to the one with the two exchanged."""
    own, other = (alike(eyes, swaps.pictures, texts).diagonal() for texts in (swaps.captions, swaps.swapped))
    return float((own > other).float().mean())


def quick(eyes: "Sequence[Eye]", exam: Exam) -> dict[str, float]:
    """The figures of the learning curve."""
    return {
        "things": float(name_things(eyes, exam.line_up).float().mean()),
        "held_out_64": retrieve(eyes, exam.held_out, 64),
        "held_out_256": retrieve(eyes, exam.held_out, 256),
        "swaps": tell_swaps(eyes, exam.swaps),
    }


def full(model: "VisionTextDualEncoderModel", tokenizer: "PreTrainedTokenizerFast", exam: Exam) -> dict[str, float]:
    """The figures of the card."""
    eyes = [(model, tokenizer)]
    return quick(eyes, exam) | {
        "things_attacked_0.03": name_things_attacked(model, tokenizer, exam.line_up),
        "seen_64": retrieve(eyes, exam.seen_before, 64),
        "seen_256": retrieve(eyes, exam.seen_before, 256),
    }
