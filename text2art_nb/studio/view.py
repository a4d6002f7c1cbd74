"""`View`: a part of the page, and its ear. What it shows are traits, so that a second page shows the same.

Every view is one anywidget with plain HTML in it: no other widget's look or version is needed. The scripts lie in
`page/`, each in a readable file, and go to the browser joined. The page changes no trait: what a user does there comes
as a message with a name, in the order in which it was done.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import anywidget
import traitlets

from text2art_nb.studio.kernel import handle_on_main_thread

PAGE: Final = Path(__file__).with_name("page")

Guarded = Callable[..., Callable[..., None]]
Handler = Callable[[dict[str, Any], list[Any]], None]


def script(*names: str) -> str:
    """The scripts of those names as one module; the last one exports `render`."""
    return "\n".join((PAGE / f"{name}.js").read_text(encoding="utf-8") for name in names)


def sheet(*names: str) -> str:
    """The style sheets of those names as one."""
    return "\n".join((PAGE / f"{name}.css").read_text(encoding="utf-8") for name in names)


class View(anywidget.AnyWidget):
    """Hears what the page says: ``{"do": name, …}``, with bytes beside it where there are any."""

    def __init__(self, guarded: Guarded, **shown: Any) -> None:
        """guarded: wraps an event handler so that its errors are reported (`ErrorLog.guarded`)."""
        super().__init__(**shown)
        self._guarded = guarded
        self._handlers: dict[str, Handler] = {}
        self.on_msg(self._hear)
        handle_on_main_thread(self)

    def on_message(self, name: str, handler: Handler) -> None:
        """Call `handler(content, buffers)` for every message `name` of the page. Several handlers are all called."""
        before = self._handlers.get(name)

        def both(content: dict[str, Any], buffers: list[Any]) -> None:
            if before is not None:
                before(content, buffers)
            handler(content, buffers)

        self._handlers[name] = handler if before is None else both

    def clear_handlers(self) -> None:
        """Ignore the page from now on."""
        self._handlers.clear()

    def on_click(self, name: str, action: Callable[[], None]) -> None:
        """Call `action()` for every message `name` of the page."""
        self.on_message(name, lambda content, buffers: action())

    def show(self, what: str, *pictures: bytes, **more: Any) -> None:
        """Send bytes that are too large for the notebook's file. A reopened page asks for them with "hello"."""
        self.send({"show": what, **more}, buffers=list(pictures))

    def _hear(self, _: object, content: Any, buffers: list[Any]) -> None:
        handler = self._handlers.get(str(content.get("do"))) if isinstance(content, dict) else None
        if handler is not None:
            self._guarded(lambda: handler(content, buffers))()


class PanelView(View):
    """The whole panel.

    head: the sentence at the top; form: what never changes, the fields and where they stand; fields: what they show;
    prompt_preview: how the prompt is understood, as HTML; lit: the styles in the prompt; palette: the chosen one;
    losses: the sliders of the style losses; progress, time, candidates: see `preview_pane`; mask: see `mask`; gallery,
    runs, remix: see `gallery`, `resume_list`, `panel`; still: a small copy of the previewed picture, a data URI.
    """

    _esm = script("elements", "progress", "drop", "mask", "controls", "form", "preview", "library", "check", "panel")
    _css = sheet("look", "panel", "mask")
    head = traitlets.Unicode("").tag(sync=True)
    form = traitlets.Dict({}).tag(sync=True)
    fields = traitlets.Dict({}).tag(sync=True)
    prompt_preview = traitlets.Unicode("").tag(sync=True)
    lit: "traitlets.List[str]" = traitlets.List([]).tag(sync=True)
    palette = traitlets.Unicode("").tag(sync=True)
    losses = traitlets.Dict({}).tag(sync=True)
    progress = traitlets.Dict({}).tag(sync=True)
    time = traitlets.Dict({}).tag(sync=True)
    candidates: "traitlets.List[Any]" = traitlets.List([]).tag(sync=True)
    mask = traitlets.Dict({}).tag(sync=True)
    gallery = traitlets.Dict({}).tag(sync=True)
    runs = traitlets.Dict({}).tag(sync=True)
    remix = traitlets.Dict({}).tag(sync=True)
    still = traitlets.Unicode("").tag(sync=True)


class CellView(View):
    """The controls in a cell beside a picture: a title, a link, buttons, and the progress.

    title, link, note: a line each, "" for none; buttons: (name, label, tooltip, disabled); progress: as the panel's.
    """

    _esm = script("elements", "progress", "cell")
    _css = sheet("look")
    title = traitlets.Unicode("").tag(sync=True)
    link = traitlets.Unicode("").tag(sync=True)
    note = traitlets.Unicode("").tag(sync=True)
    buttons: "traitlets.List[Any]" = traitlets.List([]).tag(sync=True)
    progress = traitlets.Dict({}).tag(sync=True)


class MaskView(View):
    """The canvas for masks alone, in a cell. mask: see `mask`."""

    _esm = script("elements", "mask", "mask_cell")
    _css = sheet("look", "mask")
    mask = traitlets.Dict({}).tag(sync=True)
