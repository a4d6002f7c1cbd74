"""A picture that is laid over the one being drawn, again and again (pixray's overlay)."""

from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from text2art_nb.settings.timeline import read_moment

if TYPE_CHECKING:
    from text2art_nb.settings import Settings


def is_due(settings: "Settings", done: int, total: int) -> bool:
    """Whether it is laid over what `done` of `total` iterations have drawn: every so many, from the offset on.

    As in pixray: where done mod every is the offset, and before `overlay_until`.
    """
    if settings.overlay_image is None:
        return False
    every = max(1, read_moment(settings.overlay_every, "overlay_every").of(total))
    offset = read_moment(settings.overlay_offset, "overlay_offset").of(total)
    until = settings.overlay_until
    last = total if until is None else read_moment(until, "overlay_until").of(total)
    return done % every == offset % every and offset <= done < last


def lay(picture: Tensor, overlay: Tensor, alpha: int | None) -> Tensor:
    """`overlay` [1,4,h,w] over `picture` [B,3 or 4,H,W], both in 0..1, stretched to it.

    alpha: its opacity everywhere, 0..255; None: its own.
    """
    own = overlay[:, 3:] if alpha is None else torch.ones_like(overlay[:, 3:])
    # The colours weighted by their opacity, or what can't be seen would bleed into what can.
    weighted = torch.cat([overlay[:, :3] * own, own], 1)
    weighted = F.interpolate(weighted, picture.shape[-2:], mode="bicubic", antialias=True).clamp(0, 1)
    colours = (weighted[:, :3] / weighted[:, 3:].clamp(min=1e-6)).clamp(0, 1)
    opacity = weighted[:, 3:] if alpha is None else torch.full_like(weighted[:, 3:], alpha / 255)
    if picture.shape[1] == 3:
        return picture + (colours - picture) * opacity
    both = opacity + picture[:, 3:] * (1 - opacity)
    share = torch.where(both > 0, opacity / both.clamp(min=1e-6), 0)
    return torch.cat([picture[:, :3] + (colours - picture[:, :3]) * share, both], 1)
