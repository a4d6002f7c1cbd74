"""What a notebook's cell raises for people who don't read tracebacks."""

from text2art_nb.errors import Text2ArtError


class CheckError(Text2ArtError):
    """A cell's work has not been done. IPython shows the sentence alone; the cell counts as failed."""

    def _render_traceback_(self) -> list[str]:
        """What IPython shows in place of a traceback."""
        return [f"text2art: {self}"]
