"""The control panel: the form, the preview of the prompt, styles, palettes, the picture, and earlier pictures."""

import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from text2art_nb.errors import SettingsError
from text2art_nb.settings import Settings
from text2art_nb.settings.modifiers import MODIFIERS, add_modifier, has_modifier, remove_modifier
from text2art_nb.settings.presets import EMBEDDED_EYES
from text2art_nb.studio import auto_fields, fields, form
from text2art_nb.studio.fields import ComboBox, Field
from text2art_nb.studio.form_values import FormValues
from text2art_nb.studio.incoming import Incoming
from text2art_nb.studio.model_choices import model_choices, offer_for
from text2art_nb.studio.picture_field import PictureField
from text2art_nb.studio.prompt_preview import describe_prompts
from text2art_nb.studio.view import PanelView

if TYPE_CHECKING:
    from text2art_nb.studio.background_run import BackgroundRun
    from text2art_nb.studio.gallery import Gallery
    from text2art_nb.studio.preview_pane import PreviewPane
    from text2art_nb.studio.resume_list import ResumeList
    from text2art_nb.studio.warmup import WarmUp

QUIET_SECONDS: Final = 0.7
"""How long after the last change the run is steered: half a word is no prompt."""
REMIX: Final = "remix"
"""The page's name for the drop zone of pictures to remix."""


class Panel:
    """The form and what follows from it on the page.

    view: the page; values: of the form; preview, gallery, resume_list: its other parts.
    """

    def __init__(
        self,
        view: PanelView,
        warmup: "WarmUp",
        preview: "PreviewPane",
        gallery: "Gallery",
        resume_list: "ResumeList",
        remix: Callable[[str, bytes], None],
        masks: Field,
        changed: Callable[[Settings], None],
    ) -> None:
        """remix: takes (name, data) of a picture file; masks: the field of that setting.

        changed: called after every change that leaves valid settings.
        """
        self.view, self.preview, self.gallery, self.resume_list = view, preview, gallery, resume_list
        self._warmup, self._tell_changed = warmup, changed
        self.values = FormValues(masks)
        self._fields = self.values.fields
        self._remix = Incoming(remix)
        self._changed_at: float | None = None
        for field in self._fields.values():
            field.listen(self._on_change)
        self._listen()
        view.form = form.described(self._fields)
        self.show_remix_note("")
        self.refresh()

    def _listen(self) -> None:
        on_message = self.view.on_message
        on_message("field", lambda content, buffers: self.enter(str(content["name"]), content.get("value")))
        on_message("piece", lambda content, buffers: self.receive(str(content.get("zone")), content, buffers))
        on_message("style", lambda content, buffers: self.toggle_style(str(content.get("word"))))
        on_message("palette", lambda content, buffers: self.toggle_palette(str(content.get("name"))))
        on_message("loss", lambda content, buffers: self.set_loss(str(content.get("name")), content.get("value")))
        self.view.on_click("roll", lambda: self.enter("seed", str(secrets.randbelow(2**31))))

    # -- the settings

    @property
    def settings(self) -> Settings:
        """The settings that the form amounts to. Raises SettingsError."""
        return self.values.settings

    def fill(self, settings: Settings) -> None:
        """Give every field its value in `settings`; settings without a field are kept."""
        self.values.fill(settings)
        self.clear_change()
        self.refresh()

    def set(self, **values: Any) -> None:
        """Change some settings. Raises SettingsError, and changes nothing, where they are invalid."""
        self.values.set(**values)
        self.refresh()

    # -- changes by the user

    @property
    def is_rested(self) -> bool:
        """Whether there was a change, and none since for `QUIET_SECONDS`."""
        return self._changed_at is not None and time.monotonic() - self._changed_at >= QUIET_SECONDS

    def mark_changed(self) -> None:
        """Note that the user has changed something."""
        self._changed_at = time.monotonic()

    def clear_change(self) -> None:
        """Take what was changed as dealt with."""
        self._changed_at = None

    def enter(self, name: str, entered: Any) -> None:
        """Change what a field holds."""
        if name not in self._fields:
            return
        try:
            self._fields[name].enter(entered)
        except SettingsError as error:
            self.show_errors(error)

    def receive(self, zone: str, content: dict[str, Any], buffers: list[Any]) -> None:
        """Take a piece of a file that was dropped on a field or on the remix zone."""
        field = self._fields.get(zone)
        if zone == REMIX:
            self._remix.receive(content, buffers)
        elif isinstance(field, PictureField):
            field.incoming.receive(content, buffers)

    def toggle_style(self, word: str) -> None:
        """Add a style to the prompt, or remove it. A prompt that can't be parsed stays as it is."""
        line = self.values.prompt_line
        try:
            changed = remove_modifier(line, word) if has_modifier(line, word) else add_modifier(line, word)
        except ValueError:
            return  # shown under the prompt already
        self.enter("prompts", changed)

    def toggle_palette(self, name: str) -> None:
        """Choose a palette, or none if it is chosen already."""
        self.enter("palette", "" if self.view.palette == name else name)

    def set_loss(self, name: str, value: Any) -> None:
        """Set the weight of a style loss."""
        if name in self.values.losses:
            self.values.set_loss(name, float(value))
            self._after_change("losses")

    def _on_change(self, field: Field) -> None:
        if field.name == "seed" and field.value is None:
            field.touched = False
        if field.name == "init_image" and field.value:  # a recipe may have said to start from something else
            start = self._fields["start"]
            start.fill("image" if start.touched else None, touched=start.touched)
        self._after_change(field.name)

    def _after_change(self, name: str) -> None:
        self.values.drop_overridden_steering(name)
        self.mark_changed()
        self.refresh()

    # -- what the page shows

    def refresh(self) -> None:
        """Check the form, show errors under their fields, and update what follows from the settings."""
        prompts = self.values.prompt_line
        self._light(prompts)
        try:
            settings = self.values.requested() if not prompts.strip() else self.settings
        except SettingsError as error:
            self.show_errors(error)
            return
        self._follow(settings)
        self.show_errors(SettingsError({}))
        perceptor = self._warmup.perceptor(settings)
        embedded = bool(set(EMBEDDED_EYES) & set(settings.resolved().perceptor_names))
        longest, count = (perceptor.longest, perceptor.count_tokens) if perceptor else (None, None)
        self.view.prompt_preview = describe_prompts(prompts, embedded, longest, count, offer_for(settings))
        self.view.palette = settings.palette or ""
        self._tell_changed(settings)

    def show_errors(self, error: SettingsError) -> None:
        """Show each problem under its field, and one without a field at the Draw button."""
        problems = self.values.labeled(error.problems)
        for name, field in self._fields.items():
            field.set_note(problems.get(name, ""), error=True)
        if not problems and (warning := self.values.warning()):
            name, sentence = warning
            self._fields[name].set_note(sentence)
        self._show()
        others = [sentence for name, sentence in problems.items() if name not in self._fields]
        self.preview.show_message("; ".join(others), error=True)

    def sentence_for(self, error: SettingsError) -> str:
        """All problems in one sentence, in the panel's words."""
        return "; ".join(self.values.labeled(error.problems).values())

    def show_remix_note(self, sentence: str, error: bool = False) -> None:
        """Show a sentence under the drop zone of pictures to remix."""
        self.view.remix = {"note": sentence, "wrong": error}

    def finish(self, background: "BackgroundRun") -> None:
        """Show a run that has ended, and whatever is new on disk."""
        self.preview.show(background)
        if background.artwork is not None:
            self.preview.show_picture(background.artwork.image)
        self.preview.idle()
        self.gallery.refresh()
        self.resume_list.refresh()
        self.refresh()

    def _show(self) -> None:
        self.view.fields = {name: field.shown for name, field in self._fields.items()}
        most = form.MAX_LOSS_WEIGHT
        self.view.losses = {
            name: [value, min(0.0, value), max(most, value)] for name, value in self.values.losses.items()
        }

    def _light(self, line: str) -> None:
        """Light the styles whose words are in the prompt; a prompt that can't be parsed changes nothing."""
        try:
            self.view.lit = [word for words in MODIFIERS.values() for word in words if has_modifier(line, word)]
        except ValueError:
            return

    def _follow(self, settings: Settings) -> None:
        """Update defaults, placeholders and options; hide the fields of other drawers."""
        for name, field in self._fields.items():
            owners = auto_fields.drawers_of(name)
            if owners:
                field.set_visible(any(drawer in owners for drawer, _ in settings.stages))
        resolved = settings.resolved()
        self.values.show_defaults(resolved)
        self._fields["size"].placeholder = fields.size_as_text(resolved.picture_size)
        self._fields["pixel_size"].placeholder = fields.size_as_text(resolved.pixel_size) or "from the shape"
        self._fields["perceptors"].placeholder = ", ".join(resolved.perceptors or ())
        model = self._fields["model"]
        if isinstance(model, ComboBox):
            model.options = model_choices(resolved)
