"""The settings of the next picture: given by cells, and by the panel once there is one."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from text2art_nb.settings import Settings
from text2art_nb.settings.base import renamed

if TYPE_CHECKING:
    from text2art_nb.studio.panel import Panel

PLACEHOLDER: Final = "a picture"
"""The prompt of settings that are only checked or previewed."""


class RequestedSettings:
    """The settings of the next picture.

    panel: holds them once it exists; None before.
    """

    def __init__(self, given: Mapping[str, Any], recommended: Mapping[str, str]) -> None:
        """given: by the user, under any of their names; recommended: for this machine. Raises SettingsError."""
        self.panel: Panel | None = None
        self._recommended = dict(recommended)
        self._given: dict[str, Any] = {**recommended, **renamed(given, Settings.aliases)}
        if self._given:
            _check(self._given)

    @property
    def given(self) -> dict[str, Any]:
        """The settings given by cells before the panel existed, by name."""
        return dict(self._given)

    @property
    def settings(self) -> Settings:
        """The settings to draw with. Raises SettingsError."""
        return self.panel.settings if self.panel is not None else Settings(**self._given)

    @property
    def with_placeholder(self) -> Settings:
        """The settings, with a placeholder where the prompt is still missing. Raises SettingsError."""
        return (
            self.panel.values.requested()
            if self.panel is not None
            else Settings(**{"prompts": PLACEHOLDER, **self._given})
        )

    @property
    def prompt_line(self) -> str:
        """The prompt as it was typed or given; "" for none."""
        if self.panel is not None:
            return self.panel.values.prompt_line
        return self.with_placeholder.prompts if "prompts" in self._given else ""

    @property
    def masks(self) -> list[str]:
        """The masks, as data URIs."""
        return self.panel.values.masks if self.panel is not None else list(self.with_placeholder.masks)

    def set(self, **settings: Any) -> None:
        """Change some settings. Raises SettingsError, and changes nothing, where they are invalid."""
        if self.panel is not None:
            self.panel.set(**settings)
            return
        settings = renamed(settings, Settings.aliases)
        _check({**self._given, **settings})
        self._given |= settings

    def recommend(self, recommended: Mapping[str, str]) -> None:
        """Replace earlier recommendations, where the user has not set something else."""
        for name, before in self._recommended.items():
            if self._given.get(name) == before and recommended.get(name) != before:
                self._given.pop(name)
                self._given |= {name: recommended[name]} if name in recommended else {}
        self._recommended = dict(recommended)


def _check(settings: Mapping[str, Any]) -> None:
    """Raise SettingsError unless the settings are valid with some prompt."""
    Settings(**{"prompts": PLACEHOLDER, **settings})
