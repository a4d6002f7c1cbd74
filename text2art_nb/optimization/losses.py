"""Style losses: what a picture is pulled towards besides its prompts.

Each is one number a candidate, [B], so that candidates drawn side by side never pull on each other, and each has a
finite gradient on any picture, a plain one too. Names follow pixray's losses where it has them; docs/taste.md says
what each is good for, and where it differs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from text2art_nb.errors import ModelError
from text2art_nb.imaging.palettes import parse_palette
from text2art_nb.imaging.tensors import resize
from text2art_nb.optimization import aesthetic
from text2art_nb.optimization.filters import nearest_colours
from text2art_nb.optimization.targets import spherical_distance
from text2art_nb.perceptors.base import Perceptor
from text2art_nb.runtime.devices import constant
from text2art_nb.settings import Settings

_CLIPPED: Final = 0.5  # pixray's: a step larger than this is an edge, and may stay
_AESTHETIC: Final = 0.02  # pixray's scale of a squared difference of ratings
_STYLE_DEPTHS: Final = (0.2, 0.4, 0.6, 0.8)  # of an eye's layers, 0 the first and 1 the last
_CONTENT_DEPTH: Final = 0.8


# -- of the pixels alone


def smoothness(image: Tensor, kind: str = "default") -> Tensor:
    """How much neighbouring pixels differ, [B]: less noise.

    kind: "default": ten times the mean squared step; "linear": the mean length of a step (pixray's default);
    "clipped": the same, where a step counts 0.5 at most, so that edges may stay; "log": log(1+length).
    """
    across = image[..., 1:] - image[..., :-1]
    down = image[..., 1:, :] - image[..., :-1, :]
    if kind == "default":
        return (across.square().mean((1, 2, 3)) + down.square().mean((1, 2, 3))) * 10
    squares = across[..., 1:, :].square().sum(1) + down[..., 1:].square().sum(1)
    length = (squares + 1e-8).sqrt()
    if kind == "clipped":
        length = length.clamp(max=_CLIPPED)
    elif kind == "log":
        length = length.log1p()
    return length.mean((1, 2))


def saturation(image: Tensor) -> Tensor:
    """How far the colours are from vivid, [B]: 0.4 minus the colourfulness of Hasler and Süsstrunk (2003)."""
    red, green, blue = image.unbind(1)
    red_green, yellow_blue = (red - green).flatten(1), ((red + green) / 2 - blue).flatten(1)
    spread = (red_green.var(1) + yellow_blue.var(1) + 1e-8).sqrt()
    mean = (red_green.mean(1).square() + yellow_blue.mean(1).square() + 1e-8).sqrt()
    return 0.4 - (spread + 0.3 * mean)


def symmetry(image: Tensor, axis: str = "left-right") -> Tensor:
    """Mean squared difference between the picture and its mirror image, [B]. axis: left-right, top-bottom, both."""
    sides = {"left-right": (-1,), "top-bottom": (-2,), "both": (-1, -2)}[axis]
    return torch.stack([(image - image.flip(side)).square().mean((1, 2, 3)) for side in sides]).mean(0)


def palette_distance(image: Tensor, palette: Tensor) -> Tensor:
    """Mean squared distance of each pixel to the nearest colour of `palette` [K,3], [B]."""
    return (image - nearest_colours(image, palette)).square().sum(1).mean((1, 2))


def edge(image: Tensor, colour: Tensor, margins: Sequence[float]) -> Tensor:
    """Mean squared difference of the border's pixels to `colour` [3], [B].

    margins: how thick the border is left, right, above and below, in percent of the width or height.
    """
    height, width = image.shape[-2:]
    left, right, above, below = (
        round(percent / 100 * side) for percent, side in zip(margins, (width, width, height, height), strict=True)
    )
    border = torch.ones(height, width, device=image.device, dtype=image.dtype)
    border[above : height - below, left : width - right] = 0
    return _weighted(image, colour, border / border.sum().clamp(min=1))


def vignette(image: Tensor, colour: Tensor, size: float) -> Tensor:
    """Mean squared difference to `colour` [3], weighted from 0 in the middle to 1 far out, [B].

    size: the standard deviation of the Gaussian that is left out, in percent of the width and the height.
    """
    bells = []
    for side in image.shape[-2:]:
        places = (torch.arange(side, device=image.device, dtype=image.dtype) + 0.5) / side - 0.5
        bells.append((-(places * 100 / size).square() / 2).exp())
    outside = 1 - torch.outer(*bells)
    return _weighted(image, colour, outside / outside.numel())


def _weighted(image: Tensor, colour: Tensor, weights: Tensor) -> Tensor:
    """Squared difference to `colour` [3], summed with weights [H,W] over the pixels, mean over the channels, [B]."""
    return ((image - colour.view(1, 3, 1, 1)).square().mean(1) * weights).sum((1, 2))


def init_loss(image: Tensor, init: Tensor, weight: float) -> Tensor:
    """Weighted mean squared difference to the init image ([1,3,H,W] at the canvas' size), [B]."""
    return weight * (image - init).square().mean((1, 2, 3))


# -- of what an eye sees in it


@dataclass(frozen=True)
class Manner:
    """The manner of a picture as some layers of an eye know it, each layer's channels in the picture's own measure.

    means, spreads: [C] of each layer; grams: [C,C], which channels go together (Gatys, Ecker and Bethge, 2016).
    """

    means: tuple[Tensor, ...]
    spreads: tuple[Tensor, ...]
    grams: tuple[Tensor, ...]

    @staticmethod
    def of(layers: Sequence[Tensor]) -> "Manner":
        """layers: [n,positions,C] each, of one picture's views."""
        means = tuple(layer.mean((0, 1)) for layer in layers)
        deviations = [(layer - mean).square().mean((0, 1)).sqrt() for layer, mean in zip(layers, means, strict=True)]
        # A channel that hardly moves in the style picture must not outweigh all others.
        spreads = tuple(deviation + deviation.mean() * 0.1 + 1e-3 for deviation in deviations)
        measured = zip(layers, means, spreads, strict=True)
        return Manner(means, spreads, tuple(_gram((layer - mean) / spread) for layer, mean, spread in measured))

    def distance(self, layers: Sequence[Tensor]) -> Tensor:
        """How far another picture's layers are from this manner: one number, 0 for the same picture."""
        found = []
        for layer, mean, spread, gram in zip(layers, self.means, self.spreads, self.grams, strict=True):
            difference = _gram((layer - mean) / spread) - gram
            found.append(difference.square().sum() / gram.square().sum().clamp(min=1e-6))
        return torch.stack(found).mean().log1p()


def _gram(layer: Tensor) -> Tensor:
    flat = layer.flatten(0, 1)
    return flat.T @ flat / len(flat)


def close_views(image: Tensor, size: int) -> Tensor:
    """The whole of one picture [1,3,H,W] and its four quarters, each squeezed to an eye's square: [5,3,size,size]."""
    height, width = image.shape[-2:]
    up, down = slice(0, (height + 1) // 2), slice(height // 2, height)
    left, right = slice(0, (width + 1) // 2), slice(width // 2, width)
    parts = [image[..., rows, columns] for rows in (up, down) for columns in (left, right)]
    return torch.cat([resize(part, (size, size)) for part in (image, *parts)])


@dataclass(frozen=True)
class Context:
    """What the losses of a run need besides the picture, made once.

    palette: [K,3] or None; init: [1,3,H,W] at the canvas' size, where something is to stay close to it;
    rater and its eye for `aesthetic`; manners and contents, one for each of `eyes` whose layers can be read.
    """

    palette: Tensor | None = None
    init: Tensor | None = None
    rater: aesthetic.Head | None = None
    rating_eye: Perceptor | None = None
    eyes: tuple[Perceptor, ...] = ()
    manners: tuple[Manner, ...] = ()
    contents: tuple[Tensor, ...] = ()


@torch.no_grad()
def prepare(
    settings: Settings,
    perceptors: Sequence[Perceptor],
    device: torch.device,
    init: Tensor | None,
    open_picture: Callable[[str], Tensor],
) -> Context:
    """What the losses that `settings` ask for need.

    Args:
        perceptors: that look at the picture, on `device`.
        init: the init image [1,3,H,W] at the canvas' size, if there is one.
        open_picture: makes [1,3,h,w] in 0..1, on `device`, of a PNG data URI.

    Raises:
        ModelError: a loss needs an eye, or weights, that aren't there.
    """
    wanted = {name for name, weight in settings.losses.items() if weight}
    palette = None
    if settings.palette and "palette" in wanted:
        palette = torch.tensor(parse_palette(settings.palette), device=device)
    rater = rating_eye = None
    if "aesthetic" in wanted:
        rater, rating_eye = _rater(settings, perceptors, device)
    eyes = _deep_eyes(perceptors, wanted) if wanted & {"style", "content"} else ()
    manners, contents = [], []
    if "style" in wanted and settings.style_image:
        picture = open_picture(settings.style_image)
        manners = [Manner.of(_style_layers(eye, close_views(picture, eye.size))) for eye in eyes]
    if "content" in wanted:
        picture = open_picture(settings.content_image or settings.init_image or "")
        contents = [_content(eye, resize(picture, (eye.size, eye.size))) for eye in eyes]
    return Context(palette, init, rater, rating_eye, eyes, tuple(manners), tuple(contents))


def _rater(
    settings: Settings, perceptors: Sequence[Perceptor], device: torch.device
) -> tuple[aesthetic.Head, Perceptor]:
    if settings.aesthetic_head is None:
        aesthetic.check_eyes(perceptors)
    head = aesthetic.load(settings.aesthetic_head, device)
    widths = [eye.see(torch.full((1, 3, eye.size, eye.size), 0.5, device=device)).shape[-1] for eye in perceptors]
    return head, aesthetic.eye_for(head, settings.aesthetic_head, perceptors, widths)


def _deep_eyes(perceptors: Sequence[Perceptor], wanted: set[str]) -> tuple[Perceptor, ...]:
    eyes = tuple(eye for eye in perceptors if hasattr(eye, "layers"))
    if not eyes:
        asked, names = ",".join(sorted(wanted & {"style", "content"})), ", ".join(eye.name for eye in perceptors)
        raise ModelError(f"the layers of {names} can't be read, which losses='{asked}' needs; try ViT-B/32")
    return eyes


def _layers(eye: Perceptor, views: Tensor) -> tuple[Tensor, ...]:
    layers: tuple[Tensor, ...] = eye.layers(views)  # type: ignore[attr-defined]
    return layers


def _style_layers(eye: Perceptor, views: Tensor) -> list[Tensor]:
    layers = _layers(eye, views)
    chosen = sorted({round(depth * (len(layers) - 1)) for depth in _STYLE_DEPTHS})
    return [layers[index].float() for index in chosen]


def _content(eye: Perceptor, view: Tensor) -> Tensor:
    """What lies where in one view [1,3,size,size]: a unit vector for each position, [positions,C]."""
    layers = _layers(eye, view)
    return F.normalize(layers[round(_CONTENT_DEPTH * (len(layers) - 1))][0].float(), dim=-1, eps=1e-6)


def _one_by_one(look: Callable[[Tensor], Tensor], image: Tensor) -> Tensor:
    """`look` at each candidate alone, [B]; for more than one, with the memory of one alone."""
    if len(image) == 1:
        return look(image)[None]
    each = [checkpoint(look, image[index : index + 1], use_reentrant=False) for index in range(len(image))]
    return torch.stack(each)


def _aesthetic(image: Tensor, settings: Settings, context: Context) -> Tensor:
    eye, rater = context.rating_eye, context.rater
    assert eye is not None
    assert rater is not None

    def look(picture: Tensor) -> Tensor:
        rating = rater.rate(eye.see(resize(picture, (eye.size, eye.size))).float())[0]
        return _AESTHETIC * (rating - settings.aesthetic_target).square()

    return _one_by_one(look, image)


def _style(image: Tensor, settings: Settings, context: Context) -> Tensor:
    def look(picture: Tensor) -> Tensor:
        pairs = zip(context.eyes, context.manners, strict=True)
        found = [manner.distance(_style_layers(eye, close_views(picture, eye.size))) for eye, manner in pairs]
        return torch.stack(found).mean()

    return _one_by_one(look, image)


def _kept_content(image: Tensor, settings: Settings, context: Context) -> Tensor:
    def look(picture: Tensor) -> Tensor:
        pairs = zip(context.eyes, context.contents, strict=True)
        found = [(1 - (_content(eye, resize(picture, (eye.size,) * 2)) * kept).sum(-1)).mean() for eye, kept in pairs]
        return torch.stack(found).mean()

    return _one_by_one(look, image)


# -- all of them, by name


def _colour(name: str, image: Tensor) -> Tensor:
    return constant(tuple(parse_palette(f"[{name}]")[0]), image.device, image.dtype)


def _edge(image: Tensor, settings: Settings, context: Context) -> Tensor:
    margins = settings.edge_margins or (settings.edge_thickness,) * 4
    return edge(image, _colour(settings.edge_color, image), margins)


def _vignette(image: Tensor, settings: Settings, context: Context) -> Tensor:
    return vignette(image, _colour(settings.vignette_color, image), settings.vignette_size)


def _palette(image: Tensor, settings: Settings, context: Context) -> Tensor:
    return image.new_zeros(len(image)) if context.palette is None else palette_distance(image, context.palette)


Loss = Callable[[Tensor, Settings, Context], Tensor]
STYLE_LOSSES: Final[Mapping[str, Loss]] = {
    "smoothness": lambda image, settings, context: smoothness(image, settings.smoothness_type),
    "saturation": lambda image, settings, context: saturation(image),
    "symmetry": lambda image, settings, context: symmetry(image, settings.symmetry_axis),
    "palette": _palette,
    "edge": _edge,
    "vignette": _vignette,
    "aesthetic": _aesthetic,
    "style": _style,
    "content": _kept_content,
}


def style_losses(image: Tensor, settings: Settings, context: Context) -> dict[str, Tensor]:
    """The weighted losses of `image` [B,3,H,W] by name, each [B]; "init" is the one that `init_weight` asks for."""
    losses = {
        name: weight * STYLE_LOSSES[name](image, settings, context)
        for name, weight in settings.losses.items()
        if weight and (name != "palette" or context.palette is not None)
    }
    if context.init is not None and settings.init_weight:
        losses["init"] = init_loss(image, context.init, settings.init_weight)
    return losses


# -- of the drawer's own numbers


def leaves_start(settings: Settings) -> bool:
    """Whether it matters how far the drawer's numbers have come from those that they started from."""
    return bool(settings.init_weight_spherical or settings.init_weight_dist or settings.init_weight_cos)


def start_losses(now: Sequence[Tensor], start: Sequence[Tensor], settings: Settings) -> dict[str, Tensor]:
    """How far the drawer's numbers have come from those that they started from, weighted, by name, each [B].

    now, start: its `numbers`, [B,…] each. The three measures are pixray's and VQGAN-CLIP's of their latents: half the
    squared angle (spherical), half the mean squared difference (dist), one minus the cosine (cos), of all numbers of a
    candidate taken as one vector.
    """
    weights = {
        "init_spherical": settings.init_weight_spherical,
        "init_dist": settings.init_weight_dist,
        "init_cos": settings.init_weight_cos,
    }
    here, there = (torch.cat([value.flatten(1) for value in values], 1).float() for values in (now, start))
    measures: dict[str, Callable[[], Tensor]] = {
        "init_spherical": lambda: spherical_distance(F.normalize(here, eps=1e-6), F.normalize(there, eps=1e-6)),
        "init_dist": lambda: (here - there).square().mean(1) / 2,
        "init_cos": lambda: 1 - F.cosine_similarity(here, there, dim=1, eps=1e-6),
    }
    return {name: weight * measures[name]() for name, weight in weights.items() if weight}
