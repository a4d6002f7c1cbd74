"""Run handlers of widget events, and keep and show what they raise."""

import logging
from collections.abc import Callable

from text2art_nb.errors import Text2ArtError

ShowError = Callable[[Exception], None]


class ErrorLog:
    """Collects unexpected errors and shows every error to the user.

    errors: what handlers raised that was not the user's mistake. Each is also in the log "text2art".
    """

    def __init__(self) -> None:
        self.errors: list[Exception] = []
        self._show: ShowError | None = None

    def show_with(self, show: ShowError) -> None:
        """Have `show(error)` called for every reported error."""
        self._show = show

    def guarded(self, action: Callable[[], None]) -> Callable[..., None]:
        """Return `action` as an event handler that reports what it raises."""

        def handle(*_: object) -> None:
            try:
                action()
            except Exception as error:
                self.report(error)

        return handle

    def report(self, error: Exception) -> None:
        """Show an error; keep and log it unless it is one of text2art's own."""
        if not isinstance(error, Text2ArtError):
            self.errors.append(error)
            logging.getLogger("text2art").error("a handler of the studio failed", exc_info=error)
        if self._show is not None:
            self._show(error)


def sentence_for(error: Exception) -> str:
    """Describe an error in one sentence."""
    if isinstance(error, Text2ArtError):
        return str(error)
    return f"something went wrong inside text2art ({type(error).__name__}: {error}); studio.errors has the details"
