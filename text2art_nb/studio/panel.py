"""The control panel: every setting a field, the prompt and its reading, styles, palettes, the stage, what was drawn."""

import secrets
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from text2art_nb.errors import SettingsError
from text2art_nb.settings import LOSSES, Settings, Steering
from text2art_nb.settings.modifiers import MODIFIERS, add_modifier, has_modifier, remove_modifier
from text2art_nb.settings.presets import EMBEDDED_EYES
from text2art_nb.studio import auto_fields, fields, form
from text2art_nb.studio.fields import Field, Named
from text2art_nb.studio.incoming import Incoming
from text2art_nb.studio.mask import names_mask
from text2art_nb.studio.model_choices import model_choices, offer_for
from text2art_nb.studio.picture_field import PictureField
from text2art_nb.studio.prompt_preview import reading
from text2art_nb.studio.view import PanelView

if TYPE_CHECKING:
    from text2art_nb.studio.gallery import Gallery
    from text2art_nb.studio.resume_list import GoOn
    from text2art_nb.studio.stage import Stage
    from text2art_nb.studio.warmup import Readiness

QUIET_SECONDS: Final = 0.7
"""How long the panel must rest before what was changed steers the run: half a word is no prompt."""
REMIX: Final = "remix"
"""What the page calls the place where a friend's picture is dropped."""


class Panel:
    """The fields and what they say together.

    view: what shows all of it; masks: the field of that setting; remix: takes (name, data) of a friend's file; changed:
    called after every change that the user makes and that leaves valid settings.
    """

    def __init__(
        self,
        view: PanelView,
        readiness: "Readiness",
        stage: "Stage",
        gallery: "Gallery",
        go_on: "GoOn",
        remix: Callable[[str, bytes], None],
        masks: Field,
        changed: Callable[[Settings], None],
    ) -> None:
        self.view, self.stage, self.gallery, self.go_on = view, stage, gallery, go_on
        self._readiness, self._tell_changed = readiness, changed
        self._kept: dict[str, Any] = {}
        self._losses = dict.fromkeys(LOSSES, 0.0)
        self._fields = form.all_fields(masks)
        self._remix = Incoming(remix)
        self.changed_at: float | None = None
        for field in self._fields.values():
            field.listen(self._on_change)
        self._listen()
        view.form = form.described(self._fields)
        self.say_remix("")
        self.refresh()

    def _listen(self) -> None:
        hear = self.view.hear
        hear("field", lambda content, buffers: self.enter(str(content["name"]), content.get("value")))
        hear("piece", lambda content, buffers: self.receive(str(content.get("zone")), content, buffers))
        hear("style", lambda content, buffers: self.press_style(str(content.get("word"))))
        hear("palette", lambda content, buffers: self.press_palette(str(content.get("name"))))
        hear("loss", lambda content, buffers: self.set_loss(str(content.get("name")), content.get("value")))
        self.view.press("roll", lambda: self.enter("seed", str(secrets.randbelow(2**31))))

    # -- the fields

    def field(self, name: str) -> Field:
        """The field of the setting `name`."""
        return self._fields[name]

    @property
    def fields(self) -> dict[str, Field]:
        """All of them, by their settings' names."""
        return dict(self._fields)

    @property
    def losses(self) -> dict[str, float]:
        """The tastes by their weights, 0 for one that is off."""
        return dict(self._losses)

    @property
    def settings(self) -> Settings:
        """What the fields ask for. Raises SettingsError, which `complain` shows under the fields."""
        given = {name: field.value for name, field in self._fields.items() if field.touched}
        return Settings(**{**self._kept, **given})

    def fill(self, settings: Settings) -> None:
        """Every field takes its value from `settings`; what has no field is kept and drawn with all the same."""
        given = {name: getattr(settings, name) for name in settings.model_fields_set}
        for name, field in self._fields.items():
            field.fill(given.get(name, Settings.model_fields[name].default), touched=name in given)
        self._kept = {name: value for name, value in given.items() if name not in self._fields}
        self._losses_from(settings)
        self.changed_at = None
        self.refresh()

    def set(self, **values: Any) -> None:
        """Change some fields. Raises SettingsError, and changes nothing, where they can't be."""
        settings = self.asked().with_(**values)
        for name in settings.model_fields_set & self._fields.keys():
            self._fields[name].fill(getattr(settings, name), touched=True)
        self._kept |= {name: getattr(settings, name) for name in settings.model_fields_set - self._fields.keys()}
        self._losses_from(settings)
        self.refresh()

    def asked(self) -> Settings:
        """What is asked for, with a prompt that stands in for one that is still to be written."""
        try:
            return self.settings
        except SettingsError as error:
            if set(error.problems) != {"prompts"}:
                raise
            given = {name: field.value for name, field in self._fields.items() if field.touched and name != "prompts"}
            return Settings(**{**self._kept, **given, "prompts": "a picture"})

    @property
    def is_rested(self) -> bool:
        """Whether something was changed, and the hand has rested since."""
        return self.changed_at is not None and time.monotonic() - self.changed_at >= QUIET_SECONDS

    # -- what the page shows

    def refresh(self) -> None:
        """Check everything, say what is wrong where it is wrong, and show what follows from the rest."""
        prompts = self._fields["prompts"].entered
        self._light(prompts)
        try:
            settings = self.asked() if not prompts.strip() else self.settings
        except SettingsError as error:
            self.complain(error)
            return
        self._follow(settings)
        self.complain(SettingsError({}))
        perceptor = self._readiness.perceptor(settings)
        embedded = bool(set(EMBEDDED_EYES) & set(settings.resolved().perceptor_names))
        longest, count = (perceptor.longest, perceptor.count_tokens) if perceptor else (None, None)
        self.view.reading = reading(prompts, embedded, longest, count, offer_for(settings))
        self.view.palette = settings.palette or ""
        self._tell_changed(settings)

    def complain(self, error: SettingsError) -> None:
        """Show each problem under its field; one without a field at the Draw button."""
        for name, field in self._fields.items():
            field.say(error.problems.get(name, ""), error=True)
        self._show()
        others = [sentence for name, sentence in error.problems.items() if name not in self._fields]
        self.stage.tell("; ".join(others), error=True)

    def say_remix(self, sentence: str, error: bool = False) -> None:
        """Show a sentence under the place where a friend's picture is dropped."""
        self.view.remix = {"note": sentence, "wrong": error}

    def introduce(self, sentence: str) -> None:
        """The line at the top."""
        self.view.head = sentence

    def _show(self) -> None:
        """Have the page show what the fields say."""
        self.view.fields = {name: field.shown for name, field in self._fields.items()}
        most = form.MOST_TASTE
        self.view.losses = {name: [value, min(0.0, value), max(most, value)] for name, value in self._losses.items()}

    def _light(self, line: str) -> None:
        """Light the styles whose words are in the prompt line; one that can't be read changes nothing."""
        try:
            self.view.lit = [word for words in MODIFIERS.values() for word in words if has_modifier(line, word)]
        except ValueError:
            return

    def _follow(self, settings: Settings) -> None:
        """Fields that nobody has touched show what quality, shape and drawer mean for them; others' are hidden."""
        for name, field in self._fields.items():
            owners = auto_fields.drawers_of(name)
            if owners:
                field.show(any(stage in owners for stage, _ in settings.stages))
        resolved = settings.resolved()
        for name in ("iterations", "num_cuts", "batches"):
            if not self._fields[name].touched:
                self._fields[name].fill(getattr(resolved, name), touched=False)
        self._fields["size"].placeholder = fields.size_as_text(resolved.picture_size)
        self._fields["pixel_size"].placeholder = fields.size_as_text(resolved.pixel_size) or "from the shape"
        self._fields["perceptors"].placeholder = ", ".join(resolved.perceptors or ())
        model = self._fields["model"]
        if isinstance(model, Named):
            model.options = model_choices(resolved)
        if "losses" not in self._kept:
            self._losses_from(resolved)

    # -- what the user does

    def enter(self, name: str, entered: Any) -> None:
        """What stands in a field is changed."""
        if name not in self._fields:
            return
        try:
            self._fields[name].enter(entered)
        except SettingsError as error:
            self.complain(error)

    def receive(self, zone: str, content: dict[str, Any], buffers: list[Any]) -> None:
        """A piece of a file that was dropped on a field, or to be remixed."""
        field = self._fields.get(zone)
        if zone == REMIX:
            self._remix.receive(content, buffers)
        elif isinstance(field, PictureField):
            field.incoming.receive(content, buffers)

    def press_style(self, word: str) -> None:
        """A style is put into the prompt, or taken out again; a line that can't be read stays as it is."""
        line = self._fields["prompts"].entered
        try:
            changed = remove_modifier(line, word) if has_modifier(line, word) else add_modifier(line, word)
        except ValueError:
            return  # it stands under the prompt already
        self.enter("prompts", changed)

    def press_palette(self, name: str) -> None:
        """A palette is taken, or let go of."""
        self.enter("palette", "" if self.view.palette == name else name)

    def set_loss(self, name: str, value: Any) -> None:
        """A taste gets another weight."""
        if name not in self._losses:
            return
        self._losses[name] = float(value)
        self._kept["losses"] = {each: weight for each, weight in self._losses.items() if weight}
        self._after_change("losses")

    def _on_change(self, field: Field) -> None:
        if field.name == "seed" and field.value is None:
            field.touched = False
        if field.name == "init_image" and field.value:  # a recipe may have said that it grows out of something else
            start = self._fields["start"]
            start.fill("image" if start.touched else None, touched=start.touched)
        self._after_change(field.name)

    def _after_change(self, name: str) -> None:
        """A friend's picture may be steered on its way; what the user sets by hand, that steering shall not undo."""
        if _overrides(name, self._kept.get("steering", ())):
            del self._kept["steering"]
        self.changed_at = time.monotonic()
        self.refresh()

    def _losses_from(self, settings: Settings) -> None:
        self._losses = {name: settings.losses.get(name, 0.0) for name in LOSSES}


def _overrides(name: str, steering: Sequence[Steering]) -> bool:
    """Whether a new value of the setting `name` and `steering` don't go together.

    It changes that, too; or it ends earlier, goes on with one of other candidates, or has prompts for other masks.
    """
    steered = {each for entry in steering for each in entry.changes}
    others = {"iterations": "stop", "candidates": "candidate", "finalists": "candidate"}
    lines = (entry.prompts or "" for entry in steering)
    return name in steered or others.get(name) in steered or (name == "masks" and any(map(names_mask, lines)))
