"""The errors that a user may meet: each is one plain sentence that says what was wrong and what would be right."""

import re
from collections.abc import Mapping
from typing import Final

_TERMINAL: Final = re.compile(
    r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])"
)  # escape sequences


class Text2ArtError(Exception):
    """Whatever text2art itself complains about; catch this one to catch them all."""


class SettingsError(Text2ArtError, ValueError):
    """A setting that cannot be used.

    Args:
        problems: one sentence, or a mapping from the name of a field to the sentence about it. A bare sentence (no
            field to blame) is kept under the key "".

    ``str(error)`` joins the sentences with "; "; ``error.problems`` keeps them apart, for a panel or an API that shows
    each beside its field.
    """

    problems: dict[str, str]

    def __init__(self, problems: Mapping[str, str] | str) -> None:
        self.problems = {"": problems} if isinstance(problems, str) else dict(problems)
        super().__init__("; ".join(self.problems.values()))

    def __reduce__(self) -> tuple[type["SettingsError"], tuple[dict[str, str]]]:
        """Pickles and copies with its problems, so that it survives the way out of a worker process."""
        return type(self), (self.problems,)


class ModelError(Text2ArtError):
    """Weights that are missing, damaged, or of a kind that cannot be used here.

    Its sentence often quotes a library's; what such a one colours for a terminal is plain text here.
    """

    def __init__(self, sentence: str = "") -> None:
        super().__init__(_TERMINAL.sub("", sentence))


class ArtworkError(Text2ArtError, ValueError):
    """A file that is not a text2art picture, or whose metadata is not to be trusted."""


class RunError(Text2ArtError):
    """A run that cannot start, go on, or be read back from its directory."""
