"""The small picture-book world that the embedded models are trained on: scenes, their pictures and their captions.

`sample_scenes(rng, n)` -> scenes; `render(scene, size)` -> picture; `caption(scene, rng)` -> (text, what it states).
"""

from text2art_nb.training.world.captions import VOCABULARY, WORD, caption, stated_vector
from text2art_nb.training.world.scene import (
    ATTRIBUTES,
    HELD_OUT,
    NAMES,
    Scene,
    attributes,
    holds,
    is_held_out,
    render,
    render_many,
    sample_scenes,
    vary,
)

__all__ = [
    "ATTRIBUTES",
    "HELD_OUT",
    "NAMES",
    "VOCABULARY",
    "WORD",
    "Scene",
    "attributes",
    "caption",
    "holds",
    "is_held_out",
    "render",
    "render_many",
    "sample_scenes",
    "stated_vector",
    "vary",
]
