"""Training of the proposal: what a sentence states, and the picture of it, each learnt from fresh rendered scenes.

The teacher is as predictable as can be, so that plain regression gives sharp pictures: every free choice of the
renderer is made once for each of the few variants (`SEEDS`), and what a sentence leaves open has a usual value for
each thing (`NATURAL_PLACES`, the thing's natural colours, by day, in the style of the picture book, large).
"""

import json
import shutil
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from text2art_nb.optimization.proposals.network import MODEL_TYPE, SIZE, SLOTS, Proposal, Shape
from text2art_nb.training import metrics, world
from text2art_nb.training.data import misspell
from text2art_nb.training.loop import Average, Resumable, Stateful, set_parameters, stage_of
from text2art_nb.training.tokenizer import LENGTH
from text2art_nb.training.views import to_tensor
from text2art_nb.training.vqgan import picture_loss
from text2art_nb.training.world.captions import PLACE_WORDS, STYLE_WORDS, TIME_WORDS, WEATHER_WORDS
from text2art_nb.training.world.places import PLACES
from text2art_nb.training.world.scene import RELATIONS, layout
from text2art_nb.training.world.things import THINGS

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerFast, VisionTextDualEncoderModel

SEEDS = (483, 131, 200, 650)
"""The renderer's free choices, once for each variant: seeds with which things face the same way (mirroring is
left to the proposer), hardly tilt, differ in their accents, and are named best by the guide, of fourteen such."""

NATURAL_PLACES: dict[str, str] = {
    "castle": "meadow mountains",
    "house": "meadow flowers snow",
    "lighthouse": "beach mountains",
    "windmill": "flowers meadow",
    "pagoda": "forest mountains meadow",
    "temple": "mountains meadow",
    "tent": "forest meadow",
    "city": "beach city",
    "village": "mountains meadow snow",
    "bridge": "mountains meadow",
    "igloo": "snow",
    "pyramid": "desert",
    "tower": "city meadow",
    "well": "meadow forest",
    "boat": "sea beach",
    "ship": "sea",
    "rocket": "space moon",
    "ufo": "space moon",
    "car": "city meadow",
    "train": "meadow mountains",
    "balloon": "clouds meadow",
    "airplane": "clouds mountains",
    "submarine": "underwater",
    "bicycle": "city meadow",
    "tree": "meadow",
    "pine": "snow mountains",
    "palm": "beach",
    "cactus": "desert",
    "mushroom": "forest meadow",
    "flower": "meadow",
    "pumpkin": "meadow graveyard",
    "fish": "underwater",
    "shark": "underwater",
    "whale": "sea underwater",
    "jellyfish": "underwater",
    "octopus": "underwater",
    "turtle": "underwater beach",
    "crab": "beach",
    "seahorse": "underwater",
    "cat": "room meadow",
    "dog": "meadow beach",
    "rabbit": "meadow flowers",
    "horse": "meadow beach",
    "elephant": "desert meadow",
    "giraffe": "meadow desert",
    "owl": "forest",
    "bird": "clouds meadow",
    "penguin": "snow",
    "butterfly": "flowers meadow",
    "snail": "meadow flowers",
    "frog": "meadow",
    "dinosaur": "volcano meadow",
    "dragon": "mountains volcano",
    "pig": "meadow",
    "knight": "meadow mountains",
    "wizard": "cave forest",
    "robot": "city room",
    "astronaut": "moon space",
    "ghost": "graveyard",
    "snowman": "snow",
    "princess": "meadow flowers",
    "skull": "cave graveyard",
    "crown": "room cave",
    "sword": "cave meadow",
    "heart": "clouds meadow",
    "star": "space clouds",
    "apple": "meadow room",
    "cup": "room",
    "book": "room",
    "umbrella": "beach meadow",
    "guitar": "room meadow",
    "key": "room cave",
    "lantern": "cave forest",
    "clock": "room meadow",
    "gift": "room snow",
    "cake": "room",
    "lion": "desert meadow",
    "bear": "room forest",
    "fox": "forest meadow",
    "duck": "sea meadow",
    "bee": "flowers meadow",
    "mermaid": "underwater beach",
    "bus": "city",
    "helicopter": "clouds city",
    "chest": "beach cave",
    "icecream": "beach city",
}

_CONSONANTS, _VOWELS = "bcdfghjklmnprstvwz", "aeiou"


@dataclass(frozen=True)
class Stage:
    """A stretch of the training: until step `until`, learning rates at its beginning and its end."""

    until: int
    rates: tuple[float, float]


@dataclass(frozen=True)
class ProposalPlan:
    """The whole recipe.

    Attributes:
        batch: pictures a step; sentences: sentences a step.
        maps_rate: how many times faster the learnt maps learn than the convolutions: each is seen seldom.
    """

    stages: tuple[Stage, ...]
    seed: int = 4
    batch: int = 16
    sentences: int = 48
    words: int = 128
    maps: int = 24
    wide: int = 48
    maps_rate: float = 4.0
    warm_up: int = 50

    @property
    def steps(self) -> int:
        """Steps altogether."""
        return self.stages[-1].until

    def rate(self, step: int) -> float:
        """The learning rate of a step."""
        return stage_of(self.stages, step, self.warm_up)[1]


PROPOSAL_PLAN = ProposalPlan(
    stages=(
        Stage(until=3000, rates=(2e-3, 1.4e-3)),
        Stage(until=5500, rates=(1.4e-3, 3e-5)),
        Stage(until=7500, rates=(1.5e-3, 3e-5)),
    )
)


def values(scene: world.Scene) -> tuple[int, ...]:
    """A scene as the painter's input: the value of every attribute."""
    return tuple(getattr(scene, name) for name in world.NAMES)


def usual_scene(thing: int, variant: int) -> world.Scene:
    """What a sentence that names nothing but the thing is to show."""
    names, colours = world.ATTRIBUTES["place"], world.ATTRIBUTES["colour"]
    places = [names.index(name) for name in NATURAL_PLACES[THINGS[thing].name].split()]
    # The pairs that no training picture shows are left to those who ask for them.
    known = [place for place in places if (THINGS[thing].name, names[place]) not in world.HELD_OUT] or places
    natural = THINGS[thing].natural
    return world.Scene(
        thing=thing,
        colour=colours.index(natural[variant % len(natural)]),
        place=known[variant % len(known)],
        variant=SEEDS[variant],
    )


def usual() -> Tensor:
    """The buffer `Proposal.usual`."""
    variants = range(len(SEEDS))
    rows = [[values(usual_scene(thing, variant)) for variant in variants] for thing in range(len(THINGS))]
    nothing = replace(usual_scene(0, 0), place=world.ATTRIBUTES["place"].index("meadow"))
    return torch.tensor([*rows, [(-1, *values(nothing)[1:])] * len(SEEDS)])


def spots() -> Tensor:
    """The buffer `Painter.spots`: where the renderer puts things, for every layout and variant."""
    single = [world.Scene(0, 0, size=size, position=place) for size in range(3) for place in range(3)]
    several = [world.Scene(0, 0, count=count) for count in (1, 2)]
    related = [world.Scene(0, 0, relation=relation) for relation in range(1, len(RELATIONS))]
    layouts = [*single, *several, *related]
    table = torch.zeros(len(layouts), SLOTS, 2, len(SEEDS), 3)
    standing, hovering = (next(i for i, t in enumerate(THINGS) if t.floats == floats) for floats in (False, True))
    for variant, seed in enumerate(SEEDS):
        chance = np.random.default_rng(seed).random(96).tolist()[40:48]
        for row, scene in enumerate(layouts):
            for floats, thing in enumerate((standing, hovering)):
                for slot, (*_, x, y, scale) in enumerate(layout(replace(scene, thing=thing, thing2=thing), chance)):
                    table[row, slot, floats, variant] = torch.tensor([x, y, scale])
    return table


def build(plan: ProposalPlan, pieces: int) -> Proposal:
    """The untrained networks of a plan, with the tables that aren't learnt."""
    attributes = {name: len(choices) for name, choices in world.ATTRIBUTES.items()}
    model = Proposal(Shape(attributes, len(SEEDS), pieces, plan.words, plan.maps, plan.wide))
    model.usual.copy_(usual())
    model.painter.spots.copy_(spots())
    model.painter.floats.copy_(torch.tensor([int(thing.floats) for thing in THINGS]))
    return model


def lesson(rng: np.random.Generator, count: int, *, held_out: bool = False) -> tuple[list[world.Scene], list[int]]:
    """Scenes for the painter and their variants: mostly one large thing, in the plain style, as sentences ask for."""
    scenes: list[world.Scene] = []
    variants: list[int] = []
    while len(scenes) < count:
        variant = int(rng.integers(len(SEEDS)))
        scene = _lesson(rng, variant)
        if world.is_held_out(scene) == held_out:
            scenes.append(scene)
            variants.append(variant)
    return scenes, variants


def _lesson(rng: np.random.Generator, variant: int) -> world.Scene:
    def pick(name: str) -> int:
        return int(rng.integers(len(world.ATTRIBUTES[name])))

    scene = usual_scene(pick("thing"), variant)
    changes: dict[str, int] = {}
    if rng.random() < 0.6:
        changes["colour"] = pick("colour")
    if rng.random() < 0.6:
        changes["place"] = pick("place")
    if rng.random() < 0.45:
        changes["time"] = pick("time")
    if rng.random() < 0.6:
        changes["style"] = pick("style")
    if PLACES[changes.get("place", scene.place)].outdoors and rng.random() < 0.12:
        changes["weather"] = pick("weather")
    kind = rng.random()
    if kind < 0.06:
        changes |= {"size": pick("size"), "position": pick("position")}
    elif kind < 0.1:
        changes["count"] = 1 + int(rng.integers(2))
    elif kind < 0.22:
        second = (scene.thing + 1 + int(rng.integers(len(THINGS) - 1))) % len(THINGS)
        colour = usual_scene(second, variant).colour if rng.random() < 0.4 else pick("colour")
        changes |= {"relation": 1 + int(rng.integers(len(RELATIONS) - 1)), "thing2": second, "colour2": colour}
    return replace(scene, **changes)


def sentences(rng: np.random.Generator, count: int, *, held_out: bool = False) -> tuple[list[str], Tensor]:
    """Sentences as people type them and what each states [count, attributes], -1 where it says nothing."""
    texts, stated = [], []
    for scene in world.sample_scenes(rng, count, held_out=held_out, relations=0.2, counts=0.1):
        text, said = _thingless(rng) if rng.random() < 0.08 and not held_out else world.caption(scene, rng)
        texts.append(misspell(text, rng))
        stated.append(world.stated_vector(said))
    return texts, torch.from_numpy(np.stack(stated).astype(np.int64))


def _thingless(rng: np.random.Generator) -> tuple[str, dict[str, int]]:
    """A sentence without any thing of the world: only place, hour, weather, style, or a word that means nothing."""
    said: dict[str, int] = {}
    parts = []
    if rng.random() < 0.4:
        syllables = ["".join(rng.choice(list(letters)) for letters in (_CONSONANTS, _VOWELS)) for _ in range(3)]
        parts.append("a " + "".join(syllables)[: int(rng.integers(3, 7))])
    tables = {"place": 0.7, "time": 0.4, "weather": 0.3, "style": 0.4}
    for name, share in tables.items():
        value = int(rng.integers(len(world.ATTRIBUTES[name])))
        phrases = _phrases(name, world.ATTRIBUTES[name][value])
        if phrases and (rng.random() < share):
            said[name] = value
            parts.append(phrases[int(rng.integers(len(phrases)))])
    return " ".join(parts) or "a picture", said


def _phrases(name: str, value: str) -> tuple[str, ...]:
    if name == "place":
        return PLACE_WORDS[value][0]
    if name == "style":
        return STYLE_WORDS[value][1] + STYLE_WORDS[value][2]
    return (TIME_WORDS if name == "time" else WEATHER_WORDS)[value]


class ProposalTrainer(Resumable[ProposalPlan]):
    """Trains reader and painter side by side; they share no weights and no loss.

    Args:
        plan: the recipe.
        tokenizer: of the sentences.
        judge: a dual encoder that looks at the learning curve's pictures, and its tokenizer; never trained against.
        rows: of the learning curve's line-up.
    """

    def __init__(
        self,
        plan: ProposalPlan,
        tokenizer: "PreTrainedTokenizerFast",
        judge: "tuple[VisionTextDualEncoderModel, PreTrainedTokenizerFast] | None" = None,
        rows: int = 2,
    ) -> None:
        torch.manual_seed(plan.seed)
        self.plan, self.tokenizer, self.judge, self.rows = plan, tokenizer, judge, rows
        self.step, self.total = 0, plan.steps
        self.model = build(plan, len(tokenizer))
        named = list(self.model.named_parameters())
        maps = [tensor for _, tensor in named if tensor.dim() == 5]
        others = [tensor for _, tensor in named if tensor.dim() != 5]
        self.optimizer = torch.optim.AdamW(
            [{"params": maps, "scale": plan.maps_rate}, {"params": others, "scale": 1.0}],
            lr=1e-3,
            betas=(0.9, 0.98),
            weight_decay=1e-4,
            fused=True,
        )
        self.average = Average(self.model, 0.99)

    def advance(self) -> dict[str, float]:
        """Train on one batch of pictures and one of sentences."""
        rng = np.random.default_rng([self.plan.seed, self.step])
        for group in self.optimizer.param_groups:
            group["lr"] = self.plan.rate(self.step) * group["scale"]
        losses = self._paint(rng) | self._read(rng)
        self.optimizer.zero_grad(set_to_none=True)
        sum(losses.values(), torch.zeros(())).backward()
        nn.utils.clip_grad_norm_(self.model.painter.parameters(), 2.0)
        nn.utils.clip_grad_norm_(self.model.reader.parameters(), 2.0)
        self.optimizer.step()
        self.average.update(self.model, self.step)
        self.step += 1
        return {name: float(value.detach()) for name, value in losses.items()}

    def _paint(self, rng: np.random.Generator) -> dict[str, Tensor]:
        scenes, variants = lesson(rng, self.plan.batch)
        wanted = to_tensor(world.render_many(scenes, SIZE))
        made = self.model.painter(torch.tensor([values(scene) for scene in scenes]), torch.tensor(variants))
        return {"picture": picture_loss(made * 2 - 1, wanted * 2 - 1)}

    def _read(self, rng: np.random.Generator) -> dict[str, Tensor]:
        texts, stated = sentences(rng, self.plan.sentences)
        logits = self.model.reader(*self._tokens(texts))
        return {"read": sum_losses(logits, stated)}

    def _tokens(self, texts: list[str]) -> tuple[Tensor, Tensor]:
        tokens = self.tokenizer(texts, padding=True, truncation=True, max_length=LENGTH, return_tensors="pt")
        return tokens["input_ids"], tokens["attention_mask"]

    @torch.no_grad()
    def measure(self, pictures: int = 96) -> dict[str, float]:
        """Held-out figures of the averaged weights: PSNR of pairs never painted in training, how often all of a
        sentence is read right, and how often the judge names the thing of a proposal for a plain sentence."""
        model = self.exported()
        rng = np.random.default_rng(9101)
        scenes, variants = lesson(rng, pictures, held_out=True)
        made = model.painter(torch.tensor([values(scene) for scene in scenes]), torch.tensor(variants)).clamp(0, 1)
        errors = (made - to_tensor(world.render_many(scenes, SIZE))).square().mean((1, 2, 3))
        figures = {"psnr": float((-10 * errors.log10()).mean())}
        texts, stated = sentences(rng, 4 * pictures, held_out=True)
        right = torch.stack([head.argmax(1) for head in model.reader(*self._tokens(texts)).values()], 1) == stated + 1
        figures |= {"read_right": float(right.all(1).float().mean())}
        figures |= {
            f"read_{name}": float(right[:, world.NAMES.index(name)].float().mean()) for name in ("thing", "colour")
        }
        if self.judge is not None:
            figures["judged"] = float(self.named(model, self.rows).float().mean())
        return figures

    @torch.no_grad()
    def named(self, model: Proposal, rows: int) -> Tensor:
        """[rows, things] bool: whether the judge names the thing of a proposal, of all things in the same words."""
        assert self.judge is not None
        captions = line_up_captions(rows)
        texts = [caption for row in captions for caption in row]
        pictures = torch.cat([self.propose(model, text, 0) for text in texts])
        found = (pictures * 255).round().byte().permute(0, 2, 3, 1).numpy()
        return metrics.name_things([self.judge], metrics.LineUp(found, captions))

    def named_renders(self, rows: int) -> float:
        """The share that the judge names of the rendered pictures that proposals are to look like."""
        assert self.judge is not None
        captions, scenes = line_up_captions(rows), line_up_scenes(rows)
        pictures = world.render_many([scene for row in scenes for scene in row], SIZE)
        return float(metrics.name_things([self.judge], metrics.LineUp(pictures, captions)).float().mean())

    def propose(self, model: Proposal, text: str, variant: int) -> Tensor:
        """The picture [1,3,64,64] that a sentence gives."""
        ids, mask = self._tokens([text])
        variants = torch.tensor([variant])
        whole = model.complete(model.stated(ids, mask, torch.ones(1)), variants)
        return model.paint(whole, variants, torch.zeros(1, dtype=torch.bool))

    def exported(self) -> Proposal:
        """The networks with the averaged weights, for use."""
        model = build(self.plan, len(self.tokenizer))
        set_parameters(model, {name: tensor.contiguous() for name, tensor in self.average.tensors.items()})
        with torch.no_grad():  # one map a thing and variant is what use needs; two of them only learn faster
            model.painter.things.add_(model.painter.thing_base)
            model.painter.thing_base.zero_()
        return model.eval().requires_grad_(False)

    def learning(self) -> dict[str, Stateful]:
        """See `loop.Resumable`."""
        return {"model": self.model, "optimizer": self.optimizer}


def sum_losses(logits: dict[str, Tensor], stated: Tensor) -> Tensor:
    """Cross-entropy of what sentences [n, attributes] state, summed over the attributes."""
    losses = [F.cross_entropy(head, stated[:, column] + 1) for column, head in enumerate(logits.values())]
    return torch.stack(losses).sum()


def line_up_scenes(rows: int, seed: int = 9102) -> list[list[world.Scene]]:
    """Scenes of the first variant, every thing there is in each row's colour and place."""
    rng = np.random.default_rng(seed)
    grounds = [[int(rng.integers(len(world.ATTRIBUTES[name]))) for name in ("colour", "place")] for _ in range(rows)]
    return [
        [world.Scene(thing, colour, place=place, variant=SEEDS[0]) for thing in range(len(THINGS))]
        for colour, place in grounds
    ]


def line_up_captions(rows: int) -> list[list[str]]:
    """Plain sentences for them."""
    return [[metrics.plain_caption(scene) for scene in row] for row in line_up_scenes(rows)]


def export(trainer: ProposalTrainer, directory: Path, guide: Path) -> None:
    """Write the networks in float16, their shape, and the tokenizer of the guide in `guide`."""
    from safetensors.torch import save_file

    directory.mkdir(parents=True, exist_ok=True)
    model = trainer.exported()
    tensors = {name: t.half() if t.is_floating_point() else t for name, t in model.state_dict().items()}
    del tensors["painter.thing_base"]  # zero by now
    save_file({name: t.contiguous() for name, t in tensors.items()}, directory / "model.safetensors")
    config = {"model_type": MODEL_TYPE, "shape": asdict(model.shape)}
    (directory / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf-8")
    shutil.copyfile(guide / "tokenizer.json", directory / "tokenizer.json")


def smaller(plan: ProposalPlan, steps: int) -> ProposalPlan:
    """A tiny plan for tests."""
    return replace(
        plan, stages=(Stage(steps, (1e-3, 1e-3)),), batch=4, sentences=8, words=16, maps=4, wide=8, warm_up=2
    )
