"""The settings of what happens to the picture between iterations: the camera, and pictures laid over it."""

from text2art_nb.settings.checked import Checked


class MotionSettings(Checked):
    """See the module."""
