"""The networks of a proposal: one reads what a sentence states, one paints it, 64 pixels a side, in a single pass.

The painter is a deterministic neural renderer in the manner of Dosovitskiy et al. 2015: the picture is a function of
what is stated and of a variant `z`, so regression makes it sharp. It works in layers, as picture books are printed:
learnt maps of the place, above them learnt maps of each thing, moved to where it stands, and convolutions that colour
and join them. Because a thing is learnt once for all places, it comes out well in places where training never saw it.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SIZE = 64
"""Side of a proposal in pixels."""
MODEL_TYPE = "text2art-proposal"
"""What config.json says of itself."""
SLOTS = 3
"""So many things at most."""
_SCENE = ("place", "time", "weather", "style")  # what is said of the whole picture, whatever the thing in it is
_CANVAS = 32
_MAP = 16
_REACH = 1.3  # a thing's map covers so much of its height: shadows and mist lie outside of the thing


@dataclass(frozen=True)
class Shape:
    """How large the networks are.

    Attributes:
        attributes: what can be stated -> how many values it has, in the order of the painter's input.
        variants: how many pictures there are of the same statement.
        pieces: size of the tokenizer.
        words, maps, wide: channels of the reader, of the learnt maps, and of the convolutions.
    """

    attributes: dict[str, int]
    variants: int
    pieces: int
    words: int = 128
    maps: int = 24
    wide: int = 64


class Reader(nn.Module):
    """What a sentence states of each attribute: token ids -> logits; value 0 is "says nothing of it"."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        width = shape.words
        self.names = tuple(shape.attributes)
        self.pieces = nn.Embedding(shape.pieces, width)
        self.near = nn.ModuleList(nn.Conv1d(width, width, 3, padding=1) for _ in range(3))
        self.whole = nn.Linear(width, width)
        self.look = nn.Linear(width, len(self.names))
        self.heads = nn.ModuleDict({name: nn.Linear(2 * width, count + 1) for name, count in shape.attributes.items()})

    def forward(self, ids: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """Ids and mask [n,t] -> {attribute: logits [n, values + 1]}."""
        shown = mask[..., None].float()
        states = self.pieces(ids) * shown
        for depth, layer in enumerate(self.near):
            nearby = F.silu(layer(states.mT).mT)
            mean = (nearby * shown).sum(1) / shown.sum(1)
            # What stands first depends on the words between ("left of", "right of"), wherever they are.
            states = (states + nearby + (self.whole(mean)[:, None] if depth == 0 else 0)) * shown
        weights = self.look(states).masked_fill(shown == 0, -torch.inf).softmax(1)
        heard = torch.einsum("nta,ntw->naw", weights, states)
        mean = states.sum(1) / shown.sum(1)
        return {name: self.heads[name](torch.cat([heard[:, k], mean], 1)) for k, name in enumerate(self.names)}


class Tinted(nn.Module):
    """A 3x3 convolution whose channels are scaled and shifted by a vector (FiLM), then SiLU."""

    def __init__(self, inside: int, outside: int, code: int) -> None:
        super().__init__()
        self.layer = nn.Conv2d(inside, outside, 3, padding=1)
        self.tint = nn.Linear(code, 2 * outside)

    def forward(self, maps: Tensor, code: Tensor) -> Tensor:
        """Maps [n,i,h,w] and vectors [n,c] -> [n,o,h,w]."""
        gain, shift = self.tint(code)[:, :, None, None].chunk(2, 1)
        return F.silu(self.layer(maps) * (1 + gain) + shift)


class Painter(nn.Module):
    """Pictures of complete statements.

    Args:
        shape: sizes; its attributes are those of `text2art_nb.training.world`, in their order.
    """

    floats: Tensor
    spots: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        values, variants, maps, wide = shape.attributes, shape.variants, shape.maps, shape.wide
        self._colours = values["colour"]
        self._column = {name: column for column, name in enumerate(values)}
        self._choices = {name: values[name] for name in ("style", "time", "place", "weather")} | {"variant": variants}
        code = 128
        mood = sum(self._choices.values())
        self.mood = nn.Sequential(nn.Linear(mood, code), nn.SiLU(), nn.Linear(code, code), nn.SiLU())
        self.dress = nn.Sequential(
            nn.Linear(mood + values["colour"], code), nn.SiLU(), nn.Linear(code, code), nn.SiLU()
        )
        self.things = nn.Parameter(torch.zeros(values["thing"], variants, maps, _MAP, _MAP))
        self.thing_base = nn.Parameter(torch.randn(values["thing"], 1, maps, _MAP, _MAP) * 0.3)
        self.places = nn.Parameter(torch.randn(values["place"], variants, maps, _MAP, _MAP) * 0.3)
        self.weathers = nn.Parameter(torch.zeros(values["weather"], variants, maps, _MAP, _MAP))
        self.styles = nn.Parameter(torch.randn(values["style"], variants, 8, _CANVAS, _CANVAS) * 0.1)
        self.thing_near = Tinted(maps, wide, code)
        self.thing_far = nn.Conv2d(wide, 4 * (wide // 2 + 1), 3, padding=1)
        self.place_near = Tinted(maps, wide, code)
        self.place_far = nn.Conv2d(wide, 4 * (wide // 2), 3, padding=1)
        self.join = Tinted(wide // 2 + 8, wide, code)
        self.finish = Tinted(wide, wide, code)
        self.ink = nn.Conv2d(wide, 12, 3, padding=1)
        # Not learnt: which things hover, and where things stand: [layout, slot, hovers, variant, (x, y, half height)].
        self.register_buffer("floats", torch.zeros(values["thing"], dtype=torch.long))
        layouts = values["size"] * values["position"] + values["count"] - 1 + values["relation"] - 1
        self.register_buffer("spots", torch.zeros(layouts, SLOTS, 2, variants, 3))
        self._layouts = (values["size"] * values["position"], values["count"] - 1)

    def forward(self, stated: Tensor, variant: Tensor) -> Tensor:
        """Values [n, attributes] (-1 for `thing`: none, for the second thing likewise) and [n] -> [n,3,64,64] in 0..1
        or a little beyond."""
        said = {name: stated[:, column] for name, column in self._column.items()}
        mood = self._one_hot(said, variant)
        look = self.mood(mood)
        canvas = self._ground(said, variant, look)
        for slot in range(SLOTS):
            canvas = self._put(canvas, slot, said, variant, mood)
        canvas = self.join(torch.cat([canvas, self.styles[said["style"], variant]], 1), look)
        canvas = canvas + self.finish(canvas, look)
        return F.pixel_shuffle(self.ink(canvas), 2) + 0.5

    def _one_hot(self, said: dict[str, Tensor], variant: Tensor) -> Tensor:
        chosen = said | {"variant": variant}
        return torch.cat([F.one_hot(chosen[name], count).float() for name, count in self._choices.items()], 1)

    def _ground(self, said: dict[str, Tensor], variant: Tensor, look: Tensor) -> Tensor:
        maps = self.places[said["place"], variant] + self.weathers[said["weather"], variant]
        return F.pixel_shuffle(self.place_far(self.place_near(maps, look)), 2)

    def _layout(self, said: dict[str, Tensor]) -> Tensor:
        singles, counts = self._layouts
        layout = said["size"] * 3 + said["position"]
        layout = torch.where(said["count"] > 0, singles + said["count"] - 1, layout)
        return torch.where(said["relation"] > 0, singles + counts + said["relation"] - 1, layout)

    def _who(self, slot: int, said: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Which thing in which colour a slot holds: of two things, the lower, right or hinder one is the second."""
        under = (said["relation"] >= 2) & (slot == 0)
        right = (said["relation"] == 1) & (slot == 1)
        second = under | right
        thing = torch.where(second, said["thing2"], said["thing"])
        return thing, torch.where(second, said["colour2"], said["colour"])

    def _put(self, canvas: Tensor, slot: int, said: dict[str, Tensor], variant: Tensor, mood: Tensor) -> Tensor:
        thing, colour = self._who(slot, said)
        spot = self.spots[self._layout(said), slot, self.floats[thing.clamp(min=0)], variant]
        rows = ((spot[:, 2] > 0) & (thing >= 0) & (colour >= 0)).nonzero()[:, 0]
        if not len(rows):
            return canvas
        thing, colour, variant, spot = thing[rows], colour[rows], variant[rows], spot[rows]
        dress = torch.cat([mood[rows], F.one_hot(colour, self._colours).float()], 1)
        maps = self.things[thing, variant] + self.thing_base[thing, 0]
        drawn = F.pixel_shuffle(self.thing_far(self.thing_near(maps, self.dress(dress))), 2)
        moved = F.grid_sample(drawn, _window(spot, canvas.shape[-1]), align_corners=False)
        inside = F.grid_sample(torch.ones_like(drawn[:, :1]), _window(spot, canvas.shape[-1]), align_corners=False)
        cover = moved[:, :1].sigmoid() * inside
        below = canvas[rows]
        return canvas.index_copy(0, rows, below + cover * (moved[:, 1:] - below))


def _window(spot: Tensor, side: int) -> Tensor:
    """The sampling grid [m,side,side,2] that puts a thing's map at spots [m,3] (x, y, half height) of the picture."""
    middle = (torch.arange(side, device=spot.device) + 0.5) / side - 0.5
    y, x = torch.meshgrid(middle, middle, indexing="ij")
    where = torch.stack([x, y], -1)[None] - spot[:, None, None, :2]
    return where / (spot[:, None, None, 2:] * _REACH)


class Proposal(nn.Module):
    """The reader, the painter, and what to show of things of which nothing is said.

    Args:
        shape: sizes.
    """

    usual: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.reader = Reader(shape)
        self.painter = Painter(shape)
        # The usual value of every attribute, for every thing and variant; the last row: where there is no thing.
        things, attributes = shape.attributes["thing"], len(shape.attributes)
        self.register_buffer("usual", torch.zeros(things + 1, shape.variants, attributes, dtype=torch.long))

    def stated(self, ids: Tensor, mask: Tensor, weights: Tensor) -> Tensor:
        """What weighted sentences [k,t] state together: [attributes] values, -1 where they say nothing.

        A sentence that says nothing of an attribute leaves it to the others; where they contradict, the weightier
        wins, and of equals the one whose thing is shown, or the first. That thing is the weightiest's that names one:
        of the others that name one only what holds of the whole picture is heard, lest a house get a boat's colour.
        What is read with less than even odds is not read at all: of a word that nobody taught it, the reader has many
        guesses.
        """
        heads = self.reader(ids, mask)
        odds = [logits.softmax(-1) for logits in heads.values()]
        certain = torch.stack([(one.argmax(-1) > 0) & (one.amax(-1) >= 0.5) for one in odds])
        read = torch.where(certain, torch.stack([one.argmax(-1) for one in odds]) - 1, -1).tolist()
        said = dict(zip(heads, read, strict=True))
        weight = weights.tolist()
        naming = [sentence for sentence, thing in enumerate(said["thing"]) if thing >= 0]
        leader = max(naming, key=lambda sentence: weight[sentence], default=0)  # of equals, max takes the first
        order = sorted(range(len(weight)), key=lambda sentence: (-weight[sentence], sentence != leader))
        about = [sentence for sentence in order if sentence == leader or sentence not in naming]
        values = []
        for name, spoken in said.items():
            heard = (spoken[sentence] for sentence in (order if name in _SCENE else about))
            values.append(next((value for value in heard if value >= 0), -1))
        return torch.tensor(values, device=ids.device)

    def complete(self, stated: Tensor, variants: Tensor) -> Tensor:
        """One complete statement [n, attributes] a variant, with the usual values where nothing is stated."""
        at = {name: column for column, name in enumerate(self.shape.attributes)}
        whole = torch.where(stated >= 0, stated, self.usual[stated[at["thing"]], variants])
        second = int(stated[at["thing2"]])
        if second < 0 or stated[at["thing"]] < 0:
            whole[:, [at["relation"], at["thing2"], at["colour2"]]] = torch.tensor([0, -1, -1], device=whole.device)
            return whole
        whole[:, at["relation"]].clamp_(min=1)
        whole[:, at["count"]] = 0
        if stated[at["colour2"]] < 0:
            whole[:, at["colour2"]] = self.usual[second, variants, at["colour"]]
        return whole

    def paint(self, whole: Tensor, variants: Tensor, mirrored: Tensor) -> Tensor:
        """Pictures [n,3,64,64] in 0..1 of complete statements; those that are `mirrored` [n] are painted the other way
        round, with left and right as stated all the same."""
        at = {name: column for column, name in enumerate(self.shape.attributes)}
        turned = whole.clone()
        turned[:, at["position"]] = 2 - whole[:, at["position"]]
        beside = whole[:, at["relation"]] == 1
        for one, other in (("thing", "thing2"), ("colour", "colour2"), ("thing2", "thing"), ("colour2", "colour")):
            turned[:, at[one]] = torch.where(beside, whole[:, at[other]], whole[:, at[one]])
        painted = self.painter(torch.where(mirrored[:, None], turned, whole), variants)
        return torch.where(mirrored[:, None, None, None], painted.flip(-1), painted).clamp(0, 1)
