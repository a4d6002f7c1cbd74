"""Choose the drawer, or a chain of two like ``vqgan:30 -> pixel:70``."""

from collections.abc import Mapping
from typing import Any, Final

from text2art_nb.errors import SettingsError
from text2art_nb.settings.stages import read_stages
from text2art_nb.studio.fields import Field

EVEN: Final = 50
"""The second drawer's default share of the iterations, in percent; a chain with this share doesn't state it."""
BOUNDS: Final = (5, 95)
"""The bounds of that share."""


class KindField(Field):
    """The setting `drawer`: one kind, or two that draw one after the other.

    A chain of more, as a recipe may have, stands among the kinds as one more of them.

    first, then: drawers' names, `then` "" for none; share: the second one's, in percent.
    """

    kind = "kind"

    def __init__(self, kinds: Mapping[str, str]) -> None:
        """kinds: what the panel calls them, and the drawers' names."""
        super().__init__("drawer", "Kind", "what draws first, and what continues from there")
        self._names = {name: label for label, name in kinds.items()}
        self._firsts = dict(self._names)
        self._given: tuple[str, tuple[str, str, int]] | None = None
        self.first, self.then, self.share = next(iter(self._names)), "", EVEN

    @property
    def _state(self) -> tuple[str, str, int]:
        return self.first, self.then, self.share

    def enter(self, entered: Any) -> None:
        """A drawer's name alone, or any of first, then and share."""
        given = entered if isinstance(entered, dict) else {"first": entered}
        first, then = given.get("first", self.first), given.get("then", self.then)
        if first not in self._firsts or then not in ("", *self._names):
            raise SettingsError({self.name: f"there is no kind {first!r} or {then!r}"})
        share = min(max(round(float(given.get("share", self.share))), BOUNDS[0]), BOUNDS[1])
        self.first, self.then, self.share = first, then, share
        self._changed()

    @property
    def value(self) -> str:
        if self._given is not None and self._given[1] == self._state:
            return self._given[0]  # as it was written, for there are many ways to write the same chain
        if not self.then:
            return self.first
        if self.share == EVEN or "->" in self.first:
            return f"{self.first} -> {self.then}"
        return f"{self.first}:{100 - self.share} -> {self.then}:{self.share}"

    def fill(self, value: Any, touched: bool) -> None:
        stages = read_stages(value, str)
        pair = len(stages) == 2 and all(name in self._names for name, _ in stages)
        first = stages[0][0] if pair else value
        self._firsts.setdefault(first, first)
        self.first = first
        self.then = stages[1][0] if pair else ""
        self.share = round(100 * stages[1][1]) if pair else EVEN
        self._given = value, self._state
        self.touched = touched

    @property
    def shown(self) -> dict[str, Any]:
        shared = bool(self.then) and "->" not in self.first
        value = {"first": self.first, "then": self.then, "share": self.share, "shared": shared}
        firsts = [[name, label] for name, label in self._firsts.items()]
        return {**super().shown, "value": value, "firsts": firsts, "bounds": list(BOUNDS)}

    @property
    def described(self) -> dict[str, Any]:
        return {
            **super().described,
            "thens": [["", "nothing else"], *([name, each] for name, each in self._names.items())],
        }
