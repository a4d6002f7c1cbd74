"""The control panel: every setting a field, the prompt and its reading, pills, swatches, the stage, what was drawn."""

import html
import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, get_args

import ipywidgets as widgets

from text2art_nb import drawers
from text2art_nb.errors import SettingsError
from text2art_nb.presets import EMBEDDED_EYES
from text2art_nb.settings import FILTERS, LOSSES, Aspect, Keep, Precision, Quality, Settings, Start, Steering
from text2art_nb.studio import fields, more
from text2art_nb.studio.fetching import model_choices, names_of, offer_for
from text2art_nb.studio.fields import Field, Several, labelled
from text2art_nb.studio.kind_field import KindField
from text2art_nb.studio.look import style
from text2art_nb.studio.mask import names_mask
from text2art_nb.studio.picture_field import PictureField, RemixZone
from text2art_nb.studio.pills import Pills
from text2art_nb.studio.reading import reading
from text2art_nb.studio.swatches import Swatches

if TYPE_CHECKING:
    from text2art_nb.studio.gallery import Gallery
    from text2art_nb.studio.goon import GoOn
    from text2art_nb.studio.readiness import Readiness
    from text2art_nb.studio.stage import Stage

Guarded = Callable[..., Callable[..., None]]

AGAIN: Final = "Run this cell to open the control panel"
# What the site called image and pixel art; another package's drawer goes by its own name.
KINDS: Final = {"vqgan": "Image", "pixel": "Pixel art", "strokes": "Strokes", "fft": "Waves", "taesd": "TAESD"}
WITH_DOWNLOAD: Final = {"turbo": "Turbo", "generator": "Your own generator"}
ELSEWHERE: Final = frozenset({"losses", "allow_urls", "make_video", "steering", "pixray"})
"""Settings that have no field: sliders of their own, the program's business, what steering recorded, another's own."""
QUIET_SECONDS: Final = 0.7
"""How long the panel must rest before what was changed steers the run: half a word is no prompt."""


class Panel:
    """The fields and what they say together.

    masks: the field of that setting; changed: called after every change that the user makes and that leaves valid
    settings.
    """

    def __init__(
        self,
        readiness: "Readiness",
        stage: "Stage",
        gallery: "Gallery",
        go_on: "GoOn",
        guarded: Guarded,
        remix: Callable[[str, bytes], None],
        masks: Field,
        changed: Callable[[Settings], None],
    ) -> None:
        self.stage, self.gallery, self.go_on = stage, gallery, go_on
        self._readiness, self._guarded, self._tell_changed = readiness, guarded, changed
        self._kept: dict[str, Any] = {}
        self._masks = masks
        self._moving = False
        self.changed_at: float | None = None
        self.remix = RemixZone(lambda name, data: guarded(lambda: remix(name, data))())
        self._reading = widgets.HTML()
        self._pills = Pills(self._edit_prompt)
        self._swatches = Swatches(self._choose_palette)
        self._losses = _loss_sliders()
        self._fields = {field.name: field for field in self._all_fields()}
        known = self._fields.keys() | ELSEWHERE
        self._others = {field.name: field for field in more.other_fields(known, guarded)}
        self._fields |= self._others
        for field in self._fields.values():
            field.listen(lambda each: guarded(lambda: self._on_change(each))())
        for slider in self._losses.values():
            slider.observe(guarded(self._on_loss), "value")
        for name, field in self._fields.items():
            field.fill(Settings.model_fields[name].default, touched=False)
        self.box = self._laid_out()
        self.refresh()

    # -- the fields

    def _all_fields(self) -> Iterator[Field]:
        yield self._prompt_field()
        yield KindField({(KINDS | WITH_DOWNLOAD).get(name, name): name for name in drawers.names()})
        yield fields.dropdown("quality", "Quality", _named(get_args(Quality)), "steps, views, size at once")
        yield fields.choice("aspect", "Shape", _named(get_args(Aspect)), "retain: as the picture it starts from")
        yield fields.text(
            "size", "Size", "such as 384x216", to_widget=fields.size_as_text, to_setting=fields.text_or_none
        )
        yield fields.number("iterations", "Iterations", "steps")
        yield fields.text("seed", "Seed", "same seed, same picture", "a new one", to_setting=_seed)
        yield fields.slider("candidates", "Candidates", 1, 16, 1, "side by side")
        starts = {"best": None, **_named(get_args(Start))}
        yield fields.choice("start", "First picture", starts, "what it grows out of")
        yield PictureField("init_image", "Start from", "a picture to begin with", self._guarded, many=False)
        yield fields.slider("init_weight", "Stay close to it", 0.0, 10.0, 0.1, "0: as it likes")
        yield fields.text(
            "palette", "Palette", "a name, or colours like red->gold\\8", "none", to_setting=fields.text_or_none
        )
        yield from self._more_fields()

    def _more_fields(self) -> Iterator[Field]:
        yield PictureField("image_prompts", "Look like these", "pictures as prompts", self._guarded, many=True)
        yield PictureField("style_image", "Manner of", "for the taste style", self._guarded, many=False)
        yield PictureField("content_image", "Things of", "for the taste content", self._guarded, many=False)
        yield self._masks
        yield fields.text(
            "learning_rate", "Learning rate", "the size of a step", "the drawer's own", to_setting=fields.number_or_none
        )
        yield fields.text("learning_rate_drops", "Slow down at", "in percent of the steps")
        yield fields.slider("num_cuts", "Cuts", 1, 64, 1, "views a step")
        yield fields.slider("batches", "Batches", 1, 8, 1, "times those views")
        yield Several("filters", "Filters", FILTERS, "lookup holds the palette; mirror")
        yield fields.text(
            "pixel_size",
            "Pixel grid",
            "such as 40x40",
            "from the shape",
            to_widget=fields.size_as_text,
            to_setting=fields.text_or_none,
        )
        yield fields.text("pixel_scale", "Coarser grid", "divides the grid", "1", to_setting=fields.number_or_none)
        yield fields.dropdown("keep", "Hand over", _named(get_args(Keep)), "which picture")
        yield fields.named("model", "Model", ["embedded", "full"], "full: real weights; or a path of your own")
        yield fields.named(
            "perceptors",
            "Perceptors",
            [*EMBEDDED_EYES, *names_of("clip")],
            "whose CLIP looks",
            to_setting=fields.text_or_none,
        )
        yield fields.text("device", "Device", "or cpu, cuda, mps")
        yield fields.dropdown("precision", "Arithmetic", _named(get_args(Precision)), "auto is best")
        yield fields.text(
            "micro_batch", "Views at once", "fewer: less memory", "what fits", to_setting=fields.number_or_none
        )

    def _prompt_field(self) -> Field:
        area = widgets.Textarea(placeholder="an underwater city", layout=widgets.Layout(width="100%"))
        field = Field("prompts", area, "Prompt", "say what to draw; | separates, :2 weighs, :-0.5 pushes away")
        field.box.add_class("t2a-prompt")
        return field

    def _laid_out(self) -> widgets.VBox:
        box = {name: field.box for name, field in self._fields.items()}
        dice = widgets.Button(description="Roll", tooltip="another seed")
        dice.add_class("t2a-small")
        dice.on_click(self._guarded(self._roll))
        box["seed"].add_class("t2a-seed")
        label, seed, note = box["seed"].children
        box["seed"].children = (label, widgets.HBox([seed, dice]), note)
        box["palette"].children = (*box["palette"].children, self._swatches.box)
        ask = widgets.VBox([box["prompts"], self._reading, self._pills.box, _fold({"More styles": self._pills.more})])
        rest = widgets.VBox(
            [
                _row(box["drawer"], box["quality"]),
                box["aspect"],
                _row(box["size"], box["iterations"]),
                _row(box["seed"], box["candidates"]),
                box["start"],
                _row(box["init_image"], box["init_weight"]),
                box["palette"],
                _fold({"More settings": self._more(box)}),
            ]
        )
        columns = widgets.Box([ask, self.stage.box, rest])
        for part, name in ((columns, "columns"), (ask, "ask"), (self.stage.box, "stage"), (rest, "rest")):
            part.add_class(f"t2a-{name}")
        shelves = _fold(
            {"Gallery": self.gallery.box, "Remix a friend's picture": self.remix.box, "Go on": self.go_on.box}
        )
        shelves.selected_index = 1
        self._head = widgets.HTML()
        panel = widgets.VBox([widgets.HTML(style()), self._head, columns, shelves])
        panel.add_class("t2a-panel")
        return panel

    def _more(self, box: dict[str, widgets.VBox]) -> widgets.VBox:
        return widgets.VBox(
            [
                box["image_prompts"],
                box["masks"],
                _row(box["learning_rate"], box["learning_rate_drops"]),
                _row(box["num_cuts"], box["batches"]),
                widgets.HTML(labelled("Taste", "style losses by weight; 0 is off")),
                _row(*self._losses.values()),
                _row(box["style_image"], box["content_image"]),
                _row(box["filters"], box["keep"]),
                _row(box["pixel_size"], box["pixel_scale"]),
                _row(box["model"], box["perceptors"]),
                _row(box["device"], box["precision"], box["micro_batch"]),
                _fold(self._rooms(box)),
            ]
        )

    def _rooms(self, box: dict[str, widgets.VBox]) -> dict[str, widgets.Widget]:
        """The settings without a place of their own, by the room that they come from."""
        rooms: dict[str, list[widgets.Widget]] = {title: [] for title in more.ROOMS}
        for name in self._others:
            rooms[more.room_of(name)].append(box[name])
        return {title: _row(*boxes) for title, boxes in rooms.items() if boxes}

    # -- what they say

    def field(self, name: str) -> Field:
        """The field of the setting `name`."""
        return self._fields[name]

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

    def refresh(self) -> None:
        """Check everything, say what is wrong where it is wrong, and show what follows from the rest."""
        prompts = self._fields["prompts"].widget.value
        self._pills.follow(prompts)
        try:
            settings = self.asked() if not prompts.strip() else self.settings
        except SettingsError as error:
            self.complain(error)
            return
        self.complain(SettingsError({}))
        self._show_resolved(settings)
        perceptor = self._readiness.perceptor(settings)
        embedded = bool(set(EMBEDDED_EYES) & set(settings.resolved().perceptor_names))
        longest, count = (perceptor.longest, perceptor.count_tokens) if perceptor else (None, None)
        self._reading.value = reading(prompts, embedded, longest, count, offer_for(settings))
        self._swatches.follow(settings.palette)
        self._tell_changed(settings)

    def complain(self, error: SettingsError) -> None:
        """Show each problem under its field; one without a field at the Draw button."""
        for name, field in self._fields.items():
            field.say(error.problems.get(name, ""), error=True)
        others = [sentence for name, sentence in error.problems.items() if name not in self._fields]
        self.stage.tell("; ".join(others), error=True)

    def introduce(self, sentence: str) -> None:
        """The line at the top."""
        self._head.value = f'<div class="t2a-head">text2art<small>{html.escape(sentence)}</small></div>'

    def _show_resolved(self, settings: Settings) -> None:
        """Fields that nobody has touched show what quality, shape and drawer mean for them; others' are hidden."""
        for name, field in self._fields.items():
            owners = more.drawers_of(name)
            if owners:
                field.show(any(stage in owners for stage, _ in settings.stages))
        resolved = settings.resolved()
        for name in ("iterations", "num_cuts", "batches"):
            if not self._fields[name].touched:
                self._fields[name].fill(getattr(resolved, name), touched=False)
        self._fields["size"].widget.placeholder = fields.size_as_text(resolved.picture_size)
        self._fields["pixel_size"].widget.placeholder = fields.size_as_text(resolved.pixel_size) or "from the shape"
        self._fields["perceptors"].widget.placeholder = ", ".join(resolved.perceptors or ())
        self._fields["model"].widget.options = model_choices(resolved)
        if "losses" not in self._kept:
            self._losses_from(resolved)

    # -- what happens

    def _on_change(self, field: Field) -> None:
        if field.name == "seed" and field.value is None:
            field.touched = False
        self._after_change(field.name)

    def _on_loss(self) -> None:
        if self._moving:
            return
        self._kept["losses"] = {name: slider.value for name, slider in self._losses.items() if slider.value}
        self._after_change("losses")

    def _after_change(self, name: str) -> None:
        """A friend's picture may be steered on its way; what the user sets by hand, that steering shall not undo."""
        if _overrides(name, self._kept.get("steering", ())):
            del self._kept["steering"]
        self.changed_at = time.monotonic()
        self.refresh()

    def _losses_from(self, settings: Settings) -> None:
        self._moving = True
        try:
            for name, slider in self._losses.items():
                value = settings.losses.get(name, 0.0)
                slider.min, slider.max = min(slider.min, value), max(slider.max, value)
                slider.value = value
        finally:
            self._moving = False

    def _edit_prompt(self, edit: Callable[[str], str]) -> None:
        area = self._fields["prompts"].widget
        try:
            area.value = edit(area.value)
        except ValueError:  # the line can't be read, which stands under it already
            self._pills.follow(area.value)

    def _choose_palette(self, name: str) -> None:
        self._fields["palette"].widget.value = name

    def _roll(self) -> None:
        self._fields["seed"].widget.value = str(secrets.randbelow(2**31))


def _overrides(name: str, steering: Sequence[Steering]) -> bool:
    """Whether a new value of the setting `name` and `steering` don't go together.

    It changes that, too; or it ends earlier, goes on with one of other candidates, or has prompts for other masks.
    """
    steered = {each for entry in steering for each in entry.changes}
    others = {"iterations": "stop", "candidates": "candidate", "finalists": "candidate"}
    lines = (entry.prompts or "" for entry in steering)
    return name in steered or others.get(name) in steered or (name == "masks" and any(map(names_mask, lines)))


def _named(words: tuple[str, ...]) -> dict[str, str]:
    return {word: word for word in words}


def _seed(value: str) -> int | str | None:
    """A whole number from a line of text; None for an empty one; else the text, for `Settings` to complain about."""
    value = value.strip()
    return int(value) if value.isascii() and value.lstrip("-").isdigit() else value or None


def _row(*boxes: widgets.Widget) -> widgets.Box:
    row = widgets.Box(list(boxes))
    row.add_class("t2a-row")
    return row


def _fold(contents: dict[str, widgets.Widget]) -> widgets.Accordion:
    """Things under folds, all shut. Titles one by one: ipywidgets 7 takes them no other way."""
    fold = widgets.Accordion(children=list(contents.values()))
    for index, title in enumerate(contents):
        fold.set_title(index, title)
    fold.selected_index = None
    return fold


def _loss_sliders() -> dict[str, widgets.FloatSlider]:
    plain = {"layout": widgets.Layout(width="100%"), "style": widgets.FloatSlider().style}
    bounds = {"min": 0.0, "max": 5.0, "step": 0.1, "continuous_update": False}
    return {name: widgets.FloatSlider(description=name, **bounds, **plain) for name in LOSSES}
