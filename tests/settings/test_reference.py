"""docs/settings.md says what `Settings` does: it is current, complete, and its ranges are those that are enforced."""

import re
from pathlib import Path

import pytest

from text2art_nb.errors import SettingsError
from text2art_nb.settings import STEERABLE, Settings
from text2art_nb.settings.reference import limits, main, page

PAGE = Path(__file__).parents[2] / "docs" / "settings.md"
WRITE = "run: python -m text2art_nb.settings.reference docs/settings.md"


def rows() -> dict[str, list[str]]:
    """The cells of each setting's row in the file, by the setting's name."""
    found: dict[str, list[str]] = {}
    text, _, _ = PAGE.read_text(encoding="utf-8").partition("## What `quality` decides")
    for line in text.splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if cells and cells[0].startswith("`"):
            name = cells[0].split("`")[1]
            assert name not in found, f"{name} is listed twice"
            found[name] = cells
    return found


def test_the_page_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), WRITE


def test_every_setting_has_one_row_with_six_cells() -> None:
    assert set(rows()) == set(Settings.model_fields)
    assert all(len(cells) == 6 and all(cells) for cells in rows().values())


def test_a_pencil_marks_exactly_what_can_be_steered() -> None:
    marked = {name for name, cells in rows().items() if "✎" in cells[0]}
    assert marked == set(STEERABLE) & set(Settings.model_fields)


BOUNDS = [
    (name, bound, limit)
    for name, field in Settings.model_fields.items()
    for bound, limit in limits(field).items()
    if bound != "max_length"
]


@pytest.mark.parametrize(("name", "bound", "limit"), BOUNDS)
def test_a_value_outside_the_listed_range_is_refused(name: str, bound: str, limit: float) -> None:
    outside = {"ge": limit - 1, "gt": limit, "le": limit + 1, "lt": limit}[bound]
    with pytest.raises(SettingsError) as refused:
        Settings(prompts="a cat", **{name: outside})
    assert name in refused.value.problems
    shown = rows()[name][4].replace(",", "").replace("2^63 - 1", str(2**63 - 1))
    assert f"{limit:g}" in shown or str(limit) in shown


def test_the_listed_default_is_what_a_picture_gets() -> None:
    plain = Settings(prompts="a cat")
    for name, cells in rows().items():
        value, shown = getattr(plain, name), cells[3].strip("`").replace(",", "")
        if name == "prompts" or shown == "–":
            assert name == "prompts" or value in (None, (), {}), name
        elif isinstance(value, bool):
            assert shown == ("yes" if value else "no"), name
        elif isinstance(value, tuple):
            assert tuple(float(each) for each in shown.split()) == value, name
        else:
            assert type(value)(shown) == value, name


def test_the_command_writes_the_file_that_it_is_given(tmp_path: Path) -> None:
    main([str(tmp_path / "settings.md")])
    assert (tmp_path / "settings.md").read_text(encoding="utf-8") == page()
