"""What is due between two iterations, as a part of the first: a round of a tournament ends, the next drawer of a chain
takes over, the camera moves, a picture is laid over.

It depends on the settings and the iteration alone, so that a run which goes on after a kill does the same. The loop
does it.
"""

from dataclasses import dataclass

from torch import Tensor

from text2art_nb.optimization import motion, overlay
from text2art_nb.settings import Settings, halving, stages, timeline
from text2art_nb.settings.timeline import Camera


@dataclass(frozen=True)
class Due:
    """What there is to do.

    survivors: how many candidates draw on; stage: whose drawer draws, counted from 0; camera: its step, None where it
    stands still; alpha: how opaque the picture to be laid over is (None: its own opacity); lays: whether it is laid.
    """

    survivors: int
    stage: int
    camera: Camera | None
    lays: bool
    alpha: int | None

    @property
    def changes_picture(self) -> bool:
        """Whether the drawer has to go on from another picture."""
        return self.camera is not None or self.lays

    def changed(self, picture: Tensor, laid: Tensor | None) -> Tensor:
        """`picture` [B,3 or 4,H,W] as the camera now shows it, with `laid` [1,4,h,w], if there is one, over it."""
        seen = picture if self.camera is None else motion.warp(picture, self.camera)
        return overlay.lay(seen, laid, self.alpha) if self.lays and laid is not None else seen


def due(settings: Settings, done: int, total: int) -> Due:
    """What is due once `done` of `total` iterations of `settings` are done, and more are to come."""
    camera = None
    if settings.motion and done % settings.motion_every == 0:
        step = timeline.camera_at(timeline.read_motion(settings.motion), done, total)
        camera = None if step.still else step
    return Due(
        survivors=halving.survivors(settings.candidates, settings.finalists, done, total),
        stage=stages.stage_after(settings.stages, done, total),
        camera=camera,
        lays=overlay.is_due(settings, done, total),
        alpha=settings.overlay_alpha,
    )
