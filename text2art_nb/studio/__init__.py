"""The notebook's studio: a control panel, a picture that grows, and what was drawn before."""

from text2art_nb.studio.studio import Studio

__all__ = ["Studio"]
