"""An error that a notebook shows as one sentence, without a traceback."""

from text2art_nb.errors import Text2ArtError


class CheckError(Text2ArtError):
    """Raised by a cell that has failed. IPython shows the sentence alone."""

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows in place of a traceback."""
        return [f"text2art: {self}"]
