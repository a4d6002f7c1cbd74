"""clipit's calls, as in "Create art from text prompt": they drive text2art's engine.

>>> from text2art_nb.compat import clipit
>>> clipit.reset_settings()
>>> clipit.add_settings(prompts="underwater city", quality="normal", aspect="widescreen")
>>> settings = clipit.apply_settings()
>>> clipit.do_init(settings)
>>> clipit.do_run(settings)

The picture is `output.png` in the folder where it runs, the film of make_video `output.mp4`. Each thread has its own
settings (see `calls`).
"""

from types import MappingProxyType

from text2art_nb.compat.calls import Applied, Calls
from text2art_nb.compat.names import Origin

__all__ = [
    "Applied",
    "add_settings",
    "apply_settings",
    "do_init",
    "do_run",
    "do_video",
    "get_settings",
    "reset_settings",
    "run",
]

# clipit's own rows, for real models; the embedded ones have rows of their own.
_ROWS = MappingProxyType(
    {
        "draft": {"iterations": 200, "num_cuts": 40, "perceptors": "ViT-B/32"},
        "normal": {"iterations": 350, "num_cuts": 40, "perceptors": "ViT-B/32,ViT-B/16"},
        "better": {"iterations": 500, "num_cuts": 40, "perceptors": "RN50,ViT-B/32,ViT-B/16"},
        "best": {"iterations": 500, "num_cuts": 40, "perceptors": "RN50x4,ViT-B/32,ViT-B/16"},
    }
)
_calls = Calls(Origin("clipit", lambda: "", _ROWS))

reset_settings = _calls.reset_settings
add_settings = _calls.add_settings
get_settings = _calls.get_settings
apply_settings = _calls.apply_settings
do_init = _calls.do_init
do_run = _calls.do_run
do_video = _calls.do_video
run = _calls.run
