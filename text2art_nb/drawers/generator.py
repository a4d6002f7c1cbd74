"""A generator that the user brings: any G(latent) -> picture, whose latent is pulled along CLIP's gradient.

What BigSleep does with BigGAN and StyleCLIP (Patashnik et al. 2021) with StyleGAN, for every module that TorchScript or
`torch.export` can save, and for those that a package offers under the entry points `text2art.generators`.
"""

import math
from dataclasses import replace
from typing import Any, ClassVar, Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from text2art_nb.drawers.base import Drawer, Frozen
from text2art_nb.drawers.generator_file import LatentSpec, load
from text2art_nb.errors import ModelError, SettingsError
from text2art_nb.imaging.tensors import clamp_with_gradient, resize
from text2art_nb.settings import Settings

_USUAL_REACH: Final = 2.0  # at which the learning rates are what they say; others get steps in proportion
# In parts of the latent's reach, for what is a large number for one generator is a small one for another.
_SPREAD: Final = 0.35  # of the latents drawn by chance: inside what a generator saw in training, and still varied
_STRAY: Final = 0.025  # how far the other candidates start from a latent that was given, or found
_NEAR: Final = 0.025  # the step with which the latent of a picture is looked for, at first

_COMPARED: Final = 256  # the longer side at which pictures are compared meanwhile
# What a program of somebody else's raises when a latent doesn't suit it.
_TROUBLE: Final = (RuntimeError, AssertionError, ValueError, TypeError, IndexError, AttributeError)


class GeneratorDrawer(Drawer):
    """Parameter: `latent` [B,*shape], each number within ±reach.

    canvas: the generator's own size, cut at the edges to the shape of the picture that was asked for.
    """

    learning_rate: ClassVar[float] = 0.05
    refining_rate: ClassVar[float] = 0.02
    home: Tensor | None

    def __init__(
        self,
        module: nn.Module,
        spec: LatentSpec,
        size: tuple[int, int],
        start: Tensor,
        strays: Tensor,
        steps: int = 200,
        home: Tensor | None = None,
        weight: float = 0.0,
    ) -> None:
        """Starts from `start`.

        Args:
            module: frozen, float32; from latents [B,*shape] to pictures [B,1 or 3,H,W].
            spec: the latent's range, and the pictures'.
            size: (width, height), whose shape the picture gets.
            start: latents [B,*shape] on the module's device.
            strays: [B,*shape], what each candidate adds to the latent that is found for a picture.
            steps: how many `start_from` takes to come near a picture.
            home: the latent [1,*shape] that it is held near; weight: how strongly.

        Raises:
            ModelError: the module doesn't do what it should with such a latent.
        """
        super().__init__()
        self._frozen, self._spec = Frozen(module), spec
        self._strays, self._weight, self._steps = strays, weight, steps
        self.latent = nn.Parameter(start.clamp(-spec.reach, spec.reach))
        self.register_buffer("home", home, persistent=False)
        self._whole = self._try_out()
        self._together = len(start) == 1 or self._takes_several()
        self.canvas = _largest(self._whole, size)

    def render(self) -> Tensor:
        return clamp_with_gradient(self._picture(self.latent))

    def start_from(self, image: Tensor) -> None:
        """Looks for the latent whose picture comes nearest, by gradient descent, from the first one that it has.

        `steps` of Adam on the squared difference at 256 pixels and coarser; the nearest of all of them is taken. For
        one picture one latent is found, whatever the number of candidates, and the others start close by.
        """
        target = resize(image.to(self.latent.device), self.canvas)
        found = self._nearest(self.latent.detach()[: len(image)], target)
        with torch.no_grad():
            self.latent.copy_(found if len(image) == len(self.latent) else found + self._strays[: len(self.latent)])
            self.constrain()

    @torch.no_grad()
    def constrain(self) -> None:
        self.latent.clamp_(-self._spec.reach, self._spec.reach)

    def param_groups(self, learning_rate: float) -> list[dict[str, Any]]:
        return [{"params": [self.latent], "lr": learning_rate * self._spec.reach / _USUAL_REACH}]

    def losses(self) -> dict[str, Tensor]:
        """How far the latents have gone from the one that was given, mean squared, [B] (as StyleCLIP's)."""
        if not self._weight or self.home is None:
            return {}
        return {"latent": self._weight * (self.latent - self.home).square().flatten(1).mean(1)}

    def _nearest(self, start: Tensor, target: Tensor) -> Tensor:
        """The best latents [n,*shape] on the way from `start` to the pictures `target` [n,3,H,W]."""
        latent = start.clone().requires_grad_()
        optimizer = torch.optim.Adam([latent])
        best, least = start.clone(), torch.full((len(start),), math.inf, device=start.device)
        for step in range(self._steps + 1):
            far = _difference(self._picture(latent), target)
            with torch.no_grad():
                better = (far < least).view(-1, *[1] * (latent.dim() - 1))
                best, least = torch.where(better, latent, best), far.minimum(least)
            optimizer.param_groups[0]["lr"] = _NEAR * self._spec.reach * (1 - 0.9 * step / max(1, self._steps))
            (latent.grad,) = torch.autograd.grad(far.sum(), latent)
            optimizer.step()
            with torch.no_grad():
                latent.clamp_(-self._spec.reach, self._spec.reach)
        return best.detach()

    def _picture(self, latent: Tensor) -> Tensor:
        """Pictures [B,3,H,W] of the canvas, about 0..1, not yet clamped."""
        picks = [latent] if self._together else list(latent.split(1))
        whole = torch.cat([self._run(pick) for pick in picks])
        width, height = self.canvas
        left, top = (self._whole[0] - width) // 2, (self._whole[1] - height) // 2
        cut = whole[..., top : top + height, left : left + width].expand(-1, 3, -1, -1)
        return (cut - self._spec.low) / (self._spec.high - self._spec.low)

    def _run(self, latent: Tensor) -> Tensor:
        # Nobody knows whether a stranger's network can do with sixteen bits.
        with torch.autocast(latent.device.type, enabled=False):
            picture: Tensor = self._frozen.network(latent)
        return picture

    def _try_out(self) -> tuple[int, int]:
        """(width, height) of the module's own pictures. Raises ModelError where it makes none, or no gradient."""
        one = self.latent[:1]
        shape = "x".join(map(str, one.shape[1:]))
        try:
            picture, again = self._run(one), self._run(one)
        except _TROUBLE as error:
            why = str(error).strip().splitlines()
            raise ModelError(f"the generator can't draw a latent of {shape}: {why[-1] if why else error!r}") from error
        if not isinstance(picture, Tensor) or picture.dim() != 4 or picture.shape[:2] not in ((1, 1), (1, 3)):
            got = "x".join(map(str, picture.shape)) if isinstance(picture, Tensor) else type(picture).__name__
            raise ModelError(f"the generator must give pictures [1,3,H,W] for latents [1,{shape}]; it gives {got}")
        if not picture.requires_grad:
            raise ModelError("no gradient reaches the generator's latent: save it without torch.no_grad()")
        if not torch.equal(picture, again):
            wish = "save it without random noise (StyleGAN: noise_mode='const')"
            raise ModelError(f"the generator draws another picture each time from the same latent: {wish}")
        return picture.shape[-1], picture.shape[-2]

    def _takes_several(self) -> bool:
        """Whether it draws two latents at once: many are saved for exactly one."""
        try:
            return len(self._run(self.latent[:2])) == 2
        except _TROUBLE:
            return False


def _largest(whole: tuple[int, int], shape: tuple[int, int]) -> tuple[int, int]:
    """The largest (width, height) inside `whole` that has the shape of `shape`."""
    scale = min(whole[0] / shape[0], whole[1] / shape[1])
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def _difference(picture: Tensor, target: Tensor) -> Tensor:
    """Mean squared difference [B] of [B,3,H,W] at 256 pixels, and at each half down to 8: large shapes count most."""
    height, width = picture.shape[-2:]
    scale = min(1.0, _COMPARED / max(height, width))
    difference = F.adaptive_avg_pool2d(picture - target, (max(1, round(height * scale)), max(1, round(width * scale))))
    total = difference.square().mean((1, 2, 3))
    while min(difference.shape[-2:]) >= 16:
        difference = F.avg_pool2d(difference, 2)
        total = total + difference.square().mean((1, 2, 3))
    return total


def build(settings: Settings, device: torch.device, generator: torch.Generator) -> GeneratorDrawer:
    """The drawer that `settings` ask for, on `device`, with its start drawn from `generator` (a CPU generator).

    Raises SettingsError where the latent's shape isn't known, or a latent of another size is given.
    """
    module, spec = load(settings.model, device)
    spec = _as_asked(spec, settings)
    shape = spec.shape or ()
    # The first candidate's numbers don't depend on how many others there are: it may be drawn again alone.
    noise = torch.cat([torch.randn(1, *shape, generator=generator) for _ in range(settings.candidates)])
    strays = torch.cat([torch.zeros(1, *shape), noise[1:] * _STRAY * spec.reach])
    given = None
    if settings.latent is not None:
        if len(settings.latent) != math.prod(shape):
            wanted = f"{math.prod(shape):,}, as the generator's latent has"
            raise SettingsError({"latent": f"latent must have {wanted}; got {len(settings.latent):,} numbers"})
        given = torch.tensor(settings.latent).view(1, *shape)
    start = noise * _SPREAD * spec.reach if given is None else given + strays
    return GeneratorDrawer(
        module,
        spec,
        settings.picture_size,
        start.to(device),
        strays.to(device),
        settings.latent_steps,
        None if given is None else given.to(device),
        settings.latent_weight,
    )


def _as_asked(spec: LatentSpec, settings: Settings) -> LatentSpec:
    """The file's or package's word on the latent, where the settings have none of their own."""
    shape = settings.latent_shape or spec.shape
    if shape is None:
        missing = "latent_shape is not in the generator's file; say it, like 512 or 4x8x8"
        raise SettingsError({"latent_shape": missing})
    spec = replace(spec, shape=shape, reach=settings.latent_range or spec.reach)
    if settings.image_range is None:
        return spec
    return replace(spec, low=-1.0 if settings.image_range == "-1..1" else 0.0, high=1.0)
