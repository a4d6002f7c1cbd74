"""pixray's calls: they drive text2art's engine (`Settings(engine="pixray")` has the original itself draw).

>>> from text2art_nb.compat import pixray
>>> pixray.run("an extremely hairy panda bear", "pixel", custom_loss="smoothness:2", outdir="outputs/hair")

Without an outdir, pictures go to outputs/DATE_NUMBER, as pixray's do. Each thread has its own settings (see `calls`).
"""

import datetime
import itertools
from pathlib import Path
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


def _new_folder() -> str:
    """outputs/230412_02: the first of today's that isn't there."""
    today = datetime.date.today().strftime("%y%m%d")
    names = (Path("outputs", f"{today}_{number:02d}") for number in itertools.count())
    return str(next(name for name in names if not name.exists()))


_calls = Calls(Origin("pixray", _new_folder, MappingProxyType({})))

reset_settings = _calls.reset_settings
add_settings = _calls.add_settings
get_settings = _calls.get_settings
apply_settings = _calls.apply_settings
do_init = _calls.do_init
do_run = _calls.do_run
do_video = _calls.do_video
run = _calls.run
