"""The output of `studio.share`: the link, the queue, the picture being drawn, and a button to stop."""

import importlib
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from text2art_nb.errors import RunError
from text2art_nb.runtime import bootstrap
from text2art_nb.studio.output import note, show_widget
from text2art_nb.studio.view import CellView

if TYPE_CHECKING:
    from text2art_nb.serve.share import Share, ShareStatus

LOOK_SECONDS: Final = 1.0
AGAIN: Final = "Run this cell to share again"
_EXTRAS: Final = ("serve", "ui", "notices")


def bring_what_is_lacking(root: Path = bootstrap.ROOT) -> None:
    """Install what the service needs and this Python lacks, as setting up does: what is here stays as it is.

    root: the folder that text2art was set up from. Nothing happens where there is none, for a package that was
    installed by pip has its extras. Raises RunError where it can't be done.
    """
    from text2art_nb.serve import extras

    missing = extras.missing_modules(extras.RECOMMENDED)
    if not missing or not (root / "requirements.txt").is_file():
        return
    note(f"Sharing needs {', '.join(missing)}: installing them takes a minute or two.")
    prefix = Path(sys.prefix)
    try:
        if bootstrap.is_our_venv(root, prefix):
            bootstrap.install_in_venv(root, _EXTRAS, prefix)
        else:
            bootstrap.install_in_place(root, _EXTRAS, take_over=False)
    except bootstrap.SetupError as error:
        raise RunError(str(error)) from error
    importlib.invalidate_caches()


class ServiceView:
    """The widget of one service. Call `show` on the main thread.

    It follows the service from a thread of its own. Colab shows what a thread changes only when the next cell runs;
    *Look* shows it at once everywhere.
    """

    def __init__(self, share: "Share", link: str, guarded: Callable[[Callable[[], None]], Callable[..., None]]) -> None:
        """guarded: wraps an event handler so that its errors are reported (`ErrorLog.guarded`)."""
        self._share = share
        self._over = threading.Event()
        self._picture = b""
        secret = " The password is in the link: whoever has it can draw here." if share.password else ""
        self.view = CellView(guarded, title="Shared", link=link, note=f"The API is at /docs.{secret}")
        self.view.on_click("look", self.look)
        self.view.on_click("end", self.stop)
        self.view.on_click("hello", self._send)
        self._show_buttons(over=False)

    def _show_buttons(self, over: bool) -> None:
        self.view.buttons = [
            ["look", "Look", "show the present state", over],
            ["end", "Stop sharing", "stop the service; its pictures stay", over],
        ]

    def show(self) -> None:
        """Put it into the cell's output, and follow the service."""
        show_widget(self.view, AGAIN)
        self.look()
        threading.Thread(target=self._follow, name="text2art-service-view", daemon=True).start()

    def look(self) -> None:
        """Show the service's present state."""
        standing = self._share.status
        self.view.progress = {"status": _sentence(standing), "share": None}
        frame = self._share.ask(f"/api/jobs/{standing.job}/frame") if standing.job else None
        if frame is not None:
            self._picture = frame
            self._send()

    def _send(self) -> None:
        if self._picture:
            self.view.show("picture", self._picture, kind="image/jpeg")

    def stop(self) -> None:
        """Stop the service."""
        self._over.set()
        self._show_buttons(over=True)
        self._share.stop()
        self.view.progress = {"status": "The service was stopped; its pictures stay.", "share": None}

    def _follow(self) -> None:
        before: ShareStatus | None = None
        while not self._over.wait(LOOK_SECONDS):
            standing = self._share.status
            if standing != before:
                self.look()
                before = standing
            if standing.trouble is not None:
                return


def link_for(link: str, share: "Share") -> str:
    """The link that the owner's browser can open: on Colab it goes through the proxy, loopback is another machine."""
    if not link.startswith(share.url):
        return link
    try:
        from google.colab import output
    except ImportError:
        return link
    port = int(share.url.rpartition(":")[2])
    return str(output.eval_js(f"google.colab.kernel.proxyPort({port})") or link)


def _sentence(standing: "ShareStatus") -> str:
    if standing.trouble is not None:
        return f"The service has ended: {standing.trouble}."
    others = standing.waiting - (standing.job is not None)
    queue = "no one is waiting" if others <= 0 else f"{others} more {'is' if others == 1 else 'are'} waiting"
    if standing.job is None:
        return f"Ready; {queue}."
    return f"Drawing “{standing.prompt}”: iteration {standing.iteration} of {standing.total}; {queue}."
