"""The self-check in a notebook: it also asks the page whether the panel's folds answer, and hears Interrupt."""

import importlib.util
import os
import signal
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from text2art_nb.runtime.report import Finding
from text2art_nb.studio.view import PanelView

PAGE_SECONDS: Final = 10.0
"""How long a page has to answer."""
LEAST_PIXELS: Final = 4.0
"""So much higher an open fold is than a shut one, at the least."""
_MOST_FOLDS: Final = 50  # of what a page says, which is not to be trusted


class PageCheck:
    """Asks the page that shows a panel what it is and whether its folds answer."""

    def __init__(self, view: PanelView | None) -> None:
        """view: the panel; None where none is shown."""
        self._view = view
        self._said: dict[str, Any] | None = None
        self._seconds = 0.0
        if view is not None:
            view.on_message("checked", self._hear)

    def _hear(self, content: dict[str, Any], buffers: list[Any]) -> None:
        self._said = content

    async def ask(self, pump: Callable[[], None], pause: Callable[[], Awaitable[None]]) -> None:
        """Ask, and wait for the answer. pump: handles the messages that wait; pause: lets others handle them."""
        if self._view is None:
            return
        began = time.monotonic()
        self._view.show("check")
        while self._said is None and time.monotonic() - began < PAGE_SECONDS:
            pump()
            await pause()
        self._seconds = time.monotonic() - began

    def findings(self) -> Iterator[Finding]:
        """The widget manager and the folds, as far as the page told of them."""
        colab = is_colab()
        manager = "Colab's custom widget manager" if colab else "the front end's own widget manager"
        if self._view is None:
            yield Finding("page", f"{manager}; not asked: no panel is shown (run the cell with the panel first)", "--")
            return
        if self._said is None:
            text = f"{manager}; the panel's page did not answer within {PAGE_SECONDS:.0f} s: is the panel on it?"
            yield Finding("page", text, "BAD", {"colab": colab})
            return
        told = {name: str(self._said.get(name, ""))[:300] for name in ("page", "manager", "browser")}
        text = f"{told['page']}, {manager} ({told['manager'] or 'without a name'}), {told['browser']}"
        yield Finding("page", text, data={**told, "colab": colab}, seconds=self._seconds)
        yield folds_finding(self._said.get("folds"))


def folds_finding(said: object) -> Finding:
    """Which folds open and shut. said: what the page told, [title, height when open, height when shut] of each."""
    if not isinstance(said, list) or not all(map(_is_fold, said)) or not said:
        return Finding("folds", "the page told of none", "BAD")
    folds = {str(title)[:60]: (float(open), float(shut)) for title, open, shut in said[:_MOST_FOLDS]}
    data = {"folds": {title: {"open": open, "shut": shut} for title, (open, shut) in folds.items()}}
    if not any(open for open, _ in folds.values()):
        return Finding("folds", "not tried: the panel isn't in sight on its page", "--", data)
    dead = [title for title, (open, shut) in folds.items() if open - shut < LEAST_PIXELS]
    if dead:
        return Finding("folds", f"{len(dead)} of {len(folds)} don't open: {', '.join(dead)}", "BAD", data)
    return Finding("folds", f"all {len(folds)} open and shut: {', '.join(folds)}", data=data)


def _is_fold(said: object) -> bool:
    return isinstance(said, list) and len(said) == 3 and all(isinstance(height, int | float) for height in said[1:])


def is_colab() -> bool:
    """Whether this is Colab's kernel."""
    try:
        return "COLAB_RELEASE_TAG" in os.environ or importlib.util.find_spec("google.colab") is not None
    except ModuleNotFoundError:  # there is no package google
        return False


def tell(sentence: str) -> None:
    """Print what is being done."""
    print(f"{sentence} …", flush=True)


@contextmanager
def interruptible() -> Iterator[None]:
    """While it lasts, Interrupt raises KeyboardInterrupt at once, on the main thread.

    In an async cell ipykernel would only cancel the cell at its next `await`.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler if before is None else before)
