"""Write to a cell's output: widgets with a fallback text, pictures, sentences."""

import base64
import contextlib
import html
import re
from typing import Any, Final

import ipywidgets as widgets
from IPython.display import HTML, display

HINT_SECONDS: Final = 8
"""How long a page has to show the panel before it is told what to do without one."""
HINT: Final = (
    '<div class="t2a-again"><style>@keyframes t2a-late {{ from {{ max-height: 0; visibility: hidden }} '
    "to {{ max-height: 200px; visibility: visible }} }} .t2a-again {{ overflow: hidden; max-height: 0; "
    "visibility: hidden; animation: t2a-late .1s {seconds}s forwards }}</style>"
    "<em>Run this cell to open the control panel.</em> If it doesn't open although the cell has run, this page can't "
    "load it (a blocker, or a network without cdn.jsdelivr.net and www.gstatic.com): drawing still works, with "
    '<code>await studio.paint("an underwater city")</code> in a new cell.</div>'
)


def show_hint() -> None:
    """A plain text beside the panel: what to do where the panel doesn't show.

    Beside, not in its place: a page that has a kernel, but not the one that made the panel, shows an error there, and
    would hide the text. The panel's own style sheet hides it at once; where no panel comes, its own shows it after some
    seconds; where a page lets no style sheet in, it is there at once.
    """
    display(HTML(HINT.format(seconds=HINT_SECONDS)))


def show_widget(box: widgets.Widget, otherwise: str, display_id: str | None = None) -> None:
    """Display a widget; `otherwise` stands in its place where there is no kernel.

    As a raw bundle: ipywidgets 7 ignores the display_id of a widget, and leaves a useless repr in the notebook's file.
    """
    view = {"version_major": 2, "version_minor": 0, "model_id": box.model_id}
    bundle = {
        "application/vnd.jupyter.widget-view+json": view,
        "text/html": f"<em>{html.escape(otherwise)}</em>",
        "text/plain": otherwise or " ",
    }
    _show(bundle, display_id, update=False)


def replace_by_html(text: str, display_id: str) -> None:
    """Put HTML in the place of what was displayed under `display_id`."""
    plain = html.unescape(re.sub(r"<[^>]+>", " ", text.replace("<br>", "\n"))).strip()
    _show({"text/html": text, "text/plain": plain}, display_id, update=True)


def show_jpeg(data: bytes, display_id: str, *, update: bool) -> None:
    """Display a picture, or put it in the place of what was displayed under `display_id`."""
    bundle = {"image/jpeg": base64.b64encode(data).decode("ascii"), "text/plain": "the picture"}
    _show(bundle, display_id, update=update)


def say(sentence: str) -> None:
    """Show a sentence about what is wrong."""
    display(HTML(f'<div class="t2a-error" style="color:#c0392b">{html.escape(sentence)}</div>'))


def note(sentence: str) -> None:
    """Show a sentence about what is happening."""
    display(HTML(f'<div class="t2a-notice">{html.escape(sentence)}</div>'))


def allow_custom_widgets() -> None:
    """Colab shows widgets that are not ipywidgets' own (the drop zones) only after this call."""
    with contextlib.suppress(ImportError, AttributeError):
        from google.colab import output

        output.enable_custom_widget_manager()


def _show(bundle: dict[str, Any], display_id: str | None, *, update: bool) -> None:
    if update:
        display(bundle, raw=True, display_id=display_id, update=True)
    elif display_id is not None:
        display(bundle, raw=True, display_id=display_id)
    else:
        display(bundle, raw=True)
