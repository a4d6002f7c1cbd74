"""What happens between two iterations, as part of the first: a tournament's round ends, the next drawer of a chain
takes over, the camera moves, the overlay is composited.

Events depend on the settings and the iteration alone, so that a run that resumes after a kill does the same.
"""

from dataclasses import dataclass

from torch import Tensor

from text2art_nb.optimization import motion, overlay
from text2art_nb.settings import Settings, halving, stages, timeline
from text2art_nb.settings.timeline import Camera


@dataclass(frozen=True)
class IterationEvents:
    """The events after one iteration.

    survivors: how many candidates continue; stage: index of the stage whose drawer continues; camera: its step, None
    where it stands still; overlays: whether the overlay is composited; alpha: the overlay's opacity, 0..255, None: its
    own.
    """

    survivors: int
    stage: int
    camera: Camera | None
    overlays: bool
    alpha: int | None

    @property
    def changes_picture(self) -> bool:
        """Whether the drawer has to continue from another picture."""
        return self.camera is not None or self.overlays

    def apply(self, picture: Tensor, overlaid: Tensor | None) -> Tensor:
        """Move the camera over `picture` [B,3 or 4,H,W], then composite `overlaid` [1,4,h,w], if there is one."""
        moved = picture if self.camera is None else motion.warp(picture, self.camera)
        return overlay.lay(moved, overlaid, self.alpha) if self.overlays and overlaid is not None else moved


def events_after(settings: Settings, done: int, total: int) -> IterationEvents:
    """Return the events once `done` of `total` iterations of `settings` are done, and more are to come."""
    camera = None
    if settings.motion and done % settings.motion_every == 0:
        step = timeline.camera_at(timeline.read_motion(settings.motion), done, total)
        camera = None if step.still else step
    return IterationEvents(
        survivors=halving.survivors(settings.candidates, settings.finalists, done, total),
        stage=stages.stage_after(settings.stages, done, total),
        camera=camera,
        overlays=overlay.is_due(settings, done, total),
        alpha=settings.overlay_alpha,
    )
