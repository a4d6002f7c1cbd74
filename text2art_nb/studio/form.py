"""The panel's fields: their labels, hints and order."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, get_args

from text2art_nb import drawers
from text2art_nb.imaging.palettes import PALETTES, Colour
from text2art_nb.settings import FILTERS, LOSSES, Aspect, Keep, Precision, Quality, Settings, Start
from text2art_nb.settings.modifiers import MODIFIERS
from text2art_nb.settings.presets import EMBEDDED_EYES
from text2art_nb.studio import auto_fields, fields
from text2art_nb.studio.fields import Choice, ComboBox, Field, MultiSelect, Number, Prompt, Slider
from text2art_nb.studio.kind_field import KindField
from text2art_nb.studio.model_choices import names_of
from text2art_nb.studio.picture_field import PictureField

# What the site called image and pixel art; another package's drawer goes by its own name.
KINDS: Final = {"vqgan": "Image", "pixel": "Pixel art", "strokes": "Strokes", "fft": "Waves", "taesd": "TAESD"}
WITH_DOWNLOAD: Final = {"turbo": "Turbo", "generator": "Your own generator"}
WITHOUT_FIELD: Final = frozenset({"losses", "allow_urls", "make_video", "steering", "pixray"})
"""Settings without a field: they have sliders of their own, are internal, recorded, or another program's."""

VISIBLE_ROWS: Final = (
    ("drawer",),
    ("quality", "size"),
    ("aspect",),
    ("iterations", "seed"),
    ("candidates", "start"),
    ("init_image", "init_weight"),
    ("palette",),
)
"""The rows below the prompt."""
MORE_ROWS: Final = (
    ("image_prompts",),
    ("masks",),
    ("learning_rate", "learning_rate_drops"),
    ("num_cuts", "batches"),
    ("losses",),
    ("style_image", "content_image"),
    ("filters", "keep"),
    ("pixel_size", "pixel_scale"),
    ("model", "perceptors"),
    ("device", "precision", "micro_batch"),
)
"""The rows under *More settings*. `losses` are the sliders of the style losses."""
MAX_LOSS_WEIGHT: Final = 5.0
"""The upper end of a style loss's slider; a larger weight from elsewhere moves it."""
LOSSES_LABEL: Final = "Style losses"


def all_fields(masks: Field) -> dict[str, Field]:
    """Make every field, by the name of its setting. masks: the field of that setting, with the mask painter."""
    found = {field.name: field for field in (*_fields_in_sight(), *_more_fields(), masks)}
    for field in auto_fields.other_fields(found.keys() | WITHOUT_FIELD):
        found[field.name] = field
    for name, field in found.items():
        field.fill(Settings.model_fields[name].default, touched=False)
    return found


def described(found: Mapping[str, Field]) -> dict[str, Any]:
    """Describe the form for the page: fields, rows, sections, styles, palettes and style losses."""
    placed = {"prompts"}.union(*VISIBLE_ROWS, *MORE_ROWS)
    rooms: dict[str, list[str]] = {title: [] for title in auto_fields.SECTIONS}
    for name in found.keys() - placed:
        rooms[auto_fields.section_of(name)].append(name)
    order = list(Settings.model_fields)
    return {
        "fields": {name: field.described for name, field in found.items()},
        "rows": [list(row) for row in VISIBLE_ROWS],
        "more": [list(row) for row in MORE_ROWS],
        "sections": [[title, sorted(names, key=order.index)] for title, names in rooms.items() if names],
        "styles": [[group, list(words)] for group, words in MODIFIERS.items()],
        "palettes": {name: _stripes(colours) for name, colours in PALETTES.items()},
        "losses": list(LOSSES),
        "losses_label": LOSSES_LABEL,
    }


def _kinds() -> dict[str, str]:
    """Map the panel's labels to drawers: the default first, other packages' drawers last."""
    ours = KINDS | WITH_DOWNLOAD
    there = drawers.names()
    names = [*(name for name in ours if name in there), *(name for name in there if name not in ours)]
    return {ours.get(name, name): name for name in names}


def _fields_in_sight() -> Iterator[Field]:
    hint = "say what to draw; | separates, :2 weighs, :-0.5 pushes away"
    yield Prompt("prompts", "Prompt", hint, placeholder="an underwater city")
    yield KindField(_kinds())
    yield Choice("quality", "Quality", _named(get_args(Quality)), "steps, views, size at once")
    yield Choice(
        "aspect", "Shape", _named(get_args(Aspect)), "retain: as the picture it starts from", all_in_sight=True
    )
    yield fields.text("size", "Size", "such as 384x216", to_shown=fields.size_as_text, to_setting=fields.text_or_none)
    yield Number("iterations", "Iterations", "steps")
    yield fields.text("seed", "Seed", "same seed, same picture", "a new one", to_setting=fields.whole_or_text)
    yield Slider("candidates", "Candidates", 1, 16, 1, "side by side")
    starts = {"best": None, **_named(get_args(Start))}
    yield Choice("start", "First picture", starts, "what the run starts from", all_in_sight=True)
    yield PictureField("init_image", "Start from", "a picture to begin with", many=False)
    yield Slider("init_weight", "Stay close to it", 0.0, 10.0, 0.1, "0: free")
    hint = "a name, or colours like red->gold\\8"
    yield fields.text("palette", "Palette", hint, "none", to_setting=fields.text_or_none)


def _more_fields() -> Iterator[Field]:
    yield PictureField("image_prompts", "Look like these", "pictures as prompts", many=True)
    yield PictureField("style_image", "Style picture", "for the loss style", many=False)
    yield PictureField("content_image", "Content picture", "for the loss content", many=False)
    number = {"to_setting": fields.number_or_none}
    yield fields.text("learning_rate", "Learning rate", "the size of a step", "the drawer's own", **number)
    yield fields.text("learning_rate_drops", "Slow down at", "in percent of the steps")
    yield Slider("num_cuts", "Cuts", 1, 64, 1, "views a step")
    yield Slider("batches", "Batches", 1, 8, 1, "times those views")
    yield MultiSelect("filters", "Filters", FILTERS, "lookup holds the palette; mirror")
    size = {"to_shown": fields.size_as_text, "to_setting": fields.text_or_none}
    yield fields.text("pixel_size", "Pixel grid", "such as 40x40", "from the shape", **size)
    yield fields.text("pixel_scale", "Coarser grid", "divides the grid", "1", **number)
    yield Choice("keep", "Which picture to keep", _named(get_args(Keep)), "last, best, or an average")
    usual = Settings.model_fields["model"].default
    yield ComboBox(
        "model", "Model", ["embedded", "full"], "full: real weights; or a path of your own", to_setting=_or(usual)
    )
    eyes = [*EMBEDDED_EYES, *names_of("clip")]
    yield ComboBox("perceptors", "Perceptors", eyes, "the CLIP models that judge", to_setting=fields.text_or_none)
    usual = Settings.model_fields["device"].default
    yield fields.text("device", "Device", "or cpu, cuda, mps", str(usual), to_setting=_or(usual))
    yield Choice("precision", "Arithmetic", _named(get_args(Precision)), "auto is best")
    yield fields.text("micro_batch", "Views at once", "fewer: less memory", "what fits", **number)


def _or(usual: Any) -> fields.Convert:
    """Convert an empty text to the default."""
    return lambda text: text.strip() or usual


def _named(words: tuple[str, ...]) -> dict[str, str]:
    return {word: word for word in words}


def _stripes(colours: tuple[Colour, ...]) -> list[str]:
    """At most sixteen colors of a palette, for CSS."""
    shown = colours[:: max(1, len(colours) // 16)]
    return ["#" + "".join(f"{round(part * 255):02x}" for part in colour) for colour in shown]
