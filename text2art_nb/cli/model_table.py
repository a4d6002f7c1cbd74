"""The table of weights that ``text2art models`` prints."""

from collections.abc import Iterator

from text2art_nb.models import cache
from text2art_nb.models.listing import Row, in_words, rows
from text2art_nb.settings.presets import FULL_MODELS, FULL_PRESETS, LIGHT_MODELS, LIGHT_PRESETS, PERCEPTOR_PRESETS


def text() -> str:
    """The rows as a table, and what its marks mean."""
    head = ("", "name", "kind", "size", "on disk", "licence", "where from; also called; note")
    body = [_cells(row) for row in rows()]
    widths = [max(len(line[column]) for line in (head, *body)) for column in range(6)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(line[:6], widths, strict=True)), line[6]]).rstrip()
        for line in (head, *body)
    ]
    legend = f"* on this machine; - known, not loadable yet; others are fetched into {cache.root()} when first used"
    return "\n".join([*lines, "", legend, *_presets()])


def _presets() -> Iterator[str]:
    """What the names mean that stand for several weights, or for others in each drawer."""
    for model, weights in (("light", LIGHT_MODELS), ("full", FULL_MODELS)):
        named = ", ".join(f"{drawer}: {name}" for drawer, name in weights.items())
        eyes = ", ".join((LIGHT_PRESETS if model == "light" else FULL_PRESETS)["normal"].perceptors)
        yield f"model={model} is {named}; it looks with {eyes}"
    for name, qualities in PERCEPTOR_PRESETS.items():
        yield f"perceptors={name} is {', '.join(qualities['normal'])}"


def _cells(row: Row) -> tuple[str, ...]:
    mark = "*" if row["ready"] else "" if row["loadable"] else "-"
    also = "; ".join(part for part in (row["source"], ", ".join(row["aliases"]), row["note"]) if part)
    here = in_words(row["on_disk"]) if row["on_disk"] else ""
    return mark, row["name"], row["kind"], in_words(row["size"]), here, row["licence"], also
