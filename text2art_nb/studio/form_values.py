"""The panel's fields, and the settings that they amount to."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from text2art_nb.errors import SettingsError
from text2art_nb.settings import LOSSES, Settings, Steering
from text2art_nb.studio import form
from text2art_nb.studio.fields import Field
from text2art_nb.studio.mask import names_mask
from text2art_nb.studio.picture_field import PictureField

PLACEHOLDER: Final = "a picture"
"""The prompt where none has been typed yet."""
MANY_ITERATIONS: Final = 5_000
"""More iterations than any picture needs: the panel says so, and draws them all the same."""

# Only names that can't be plain words, and no assignments such as micro_batch=4.
_OTHER_SETTING: Final = re.compile(r"(\ban? )?(?<![\w'\"=-])([a-z]+(?:_[a-z]+)+)\b(?![\w=(.'\"])")


class FormValues:
    """The values of all fields, of the style losses, and of the settings that have no field."""

    def __init__(self, masks: Field) -> None:
        """masks: the field of that setting, which opens the mask painter."""
        self.fields = form.all_fields(masks)
        self._losses = dict.fromkeys(LOSSES, 0.0)
        self._without_field: dict[str, Any] = {}

    @property
    def settings(self) -> Settings:
        """The settings that the fields amount to. Raises SettingsError."""
        return Settings(**self._given())

    def requested(self) -> Settings:
        """The settings, with a placeholder where only the prompt is missing or invalid. Raises SettingsError."""
        try:
            return self.settings
        except SettingsError as error:
            if set(error.problems) != {"prompts"}:
                raise
            return Settings(**{**self._given(), "prompts": PLACEHOLDER})

    @property
    def prompt_line(self) -> str:
        """The prompt as typed."""
        return str(self.fields["prompts"].entered)

    @property
    def masks(self) -> list[str]:
        """The masks, as data URIs."""
        return list(self.fields["masks"].value)

    def _given(self) -> dict[str, Any]:
        touched = {name: field.value for name, field in self.fields.items() if field.touched}
        return {**self._without_field, **touched}

    def fill(self, settings: Settings) -> None:
        """Give every field its value in `settings`; settings without a field are kept."""
        given = {name: getattr(settings, name) for name in settings.model_fields_set}
        for name, field in self.fields.items():
            field.fill(given.get(name, Settings.model_fields[name].default), touched=name in given)
        self._without_field = {name: value for name, value in given.items() if name not in self.fields}
        self._losses_from(settings)

    def set(self, **values: Any) -> None:
        """Change some settings. Raises SettingsError, and changes nothing, where they are invalid."""
        settings = self.requested().with_(**values)
        for name in settings.model_fields_set & self.fields.keys():
            self.fields[name].fill(getattr(settings, name), touched=True)
        self._without_field |= {
            name: getattr(settings, name) for name in settings.model_fields_set - self.fields.keys()
        }
        self._losses_from(settings)

    def show_defaults(self, resolved: Settings) -> None:
        """Show what the quality, the shape and the drawer mean for fields that were left alone."""
        for name in ("iterations", "num_cuts", "batches"):
            if not self.fields[name].touched:
                self.fields[name].fill(getattr(resolved, name), touched=False)
        if "losses" not in self._without_field:
            self._losses_from(resolved)

    # -- style losses, steering

    @property
    def losses(self) -> dict[str, float]:
        """The weight of every style loss; 0 is off."""
        return dict(self._losses)

    def set_loss(self, name: str, weight: float) -> None:
        """Set the weight of a style loss."""
        self._losses[name] = weight
        self._without_field["losses"] = {each: value for each, value in self._losses.items() if value}

    def _losses_from(self, settings: Settings) -> None:
        self._losses = {name: settings.losses.get(name, 0.0) for name in LOSSES}

    def drop_overridden_steering(self, name: str) -> None:
        """Forget a recipe's steering where it would undo the user's change of the setting `name`."""
        if _overrides(name, self._without_field.get("steering", ())):
            del self._without_field["steering"]

    # -- in the panel's words

    def labels(self, names: Iterable[str]) -> str:
        """The labels of some settings, as a list in words."""
        return ", ".join(sorted(self._label(name) for name in names))

    def _label(self, name: str) -> str:
        if name == "losses":
            return form.LOSSES_LABEL
        return self.fields[name].label if name in self.fields else name.replace("_", " ").capitalize()

    def labeled(self, problems: Mapping[str, str]) -> dict[str, str]:
        """Sentences about settings, with the panel's labels in place of the settings' names."""
        return {name: self._labeled(name, sentence) for name, sentence in problems.items()}

    def _labeled(self, name: str, sentence: str) -> str:
        def label(found: re.Match[str]) -> str:
            article, other = found[1] or "", found[2]
            field = self.fields.get(other)
            if field is None:
                return found[0]
            if found.start() == 0:
                return field.label
            return f"a picture in “{field.label}”" if isinstance(field, PictureField) else f"{article}“{field.label}”"

        if name and re.match(rf"{re.escape(name)}\b(?!=)", sentence):
            return self._label(name) + _OTHER_SETTING.sub(label, sentence[len(name) :])
        return _OTHER_SETTING.sub(label, sentence)

    def warning(self) -> tuple[str, str] | None:
        """A field's name and a sentence about a valid value that the user may not mean; None for none."""
        iterations = self.fields["iterations"]
        value = iterations.value if iterations.touched else None
        if not isinstance(value, int) or value <= MANY_ITERATIONS:
            return None
        return "iterations", f"{value:,} iterations take very long; most pictures need 50 to 500."


def _overrides(name: str, steering: Sequence[Steering]) -> bool:
    """Whether `steering` would undo or contradict a new value of the setting `name`.

    It changes that setting, too; or it ends earlier, picks one of other candidates, or has prompts for other masks.
    """
    steered = {each for entry in steering for each in entry.changes}
    others = {"iterations": "stop", "candidates": "candidate", "finalists": "candidate"}
    lines = (entry.prompts or "" for entry in steering)
    return name in steered or others.get(name) in steered or (name == "masks" and any(map(names_mask, lines)))
