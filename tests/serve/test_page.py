"""What the page makes of its form, and of what comes back from a browser; the page itself is in test_browser."""

import re
from typing import Any

import pytest

pytest.importorskip("dbos", reason="the extra [serve] is not installed")

from pydantic import ValidationError

from text2art_nb.serve import page
from text2art_nb.serve.page import Form
from text2art_nb.serve.problems import Problem
from text2art_nb.serve.requests import JobRequest

EMPTY = Form("a cat", [], [], "image", "normal", "square", False, "", None, "", "", "", "")


def test_a_form_with_nothing_but_a_prompt_asks_for_nothing_else() -> None:
    assert page._request(EMPTY).to_settings().prompts == "a cat"
    assert page._request(EMPTY).settings == {}


def test_every_field_of_the_form_arrives() -> None:
    form = Form(
        *("a cat", ["Artstation"], ["watercolor"], "pixel art", "draft", "portrait", True, " ada@example.org ", None),
        *("7", " 12", "2", "palette=pico-8\nsize = 48x48"),
    )
    request = page._request(form)
    settings = request.to_settings()
    assert (request.email, request.public) == ("ada@example.org", True)
    assert settings.prompts == "a cat Artstation watercolor #pixelart"
    assert (settings.drawer, settings.seed, settings.iterations, settings.candidates) == ("pixel", 7, 12, 2)
    assert settings.size == (48, 48)


@pytest.mark.parametrize(
    "asked",
    [
        {"prompt": "a cat", "type": "painting", "quality": "best", "aspect": "widescreen", "public": True},
        {"prompt": "a cat", "keywords": ["Trending", "watercolor"], "settings": {"seed": 5, "iterations": 9}},
        {"prompt": "a cat", "settings": {"palette": "pico-8", "num_cuts": 4, "size": [48, 48], "candidates": 3}},
    ],
)
def test_draw_this_again_asks_for_the_same(asked: dict[str, Any]) -> None:
    again = page._request(page._form_for(asked))
    same = {"seed": 1, **asked.get("settings", {})}
    assert (
        again.model_copy(update={"settings": {"seed": 1, **again.settings}}).to_settings()
        == JobRequest(**{**asked, "settings": same}).to_settings()
    )


def test_a_style_that_has_no_pill_goes_into_the_prompt() -> None:
    assert page._form_for({"prompt": "a cat:2", "keywords": ["steampunk"]}).prompt == "a cat steampunk:2"


@pytest.mark.parametrize(
    "asked", [None, 3, "x", [], {"prompt": 5}, {"type": "film"}, {"settings": {"seed": "x" * 99}}, {"settings": 1}]
)
def test_a_browser_that_sends_nonsense_gets_a_form_all_the_same(asked: object) -> None:
    form = page._form_for(asked)
    assert form.seed == ""
    assert form.type == "image"


def test_a_line_that_is_no_setting_is_shown_with_what_would_be_right() -> None:
    with pytest.raises(Problem, match="name=value"):
        page._request(EMPTY._replace(others="make it nice"))


@pytest.mark.parametrize("seed", ["-1", "1.5", "seven", "1e3", "٣"])
def test_a_seed_that_is_no_whole_number_is_refused(seed: str) -> None:
    with pytest.raises(Problem, match="seed must be a whole number, or empty"):
        page._request(EMPTY._replace(seed=seed))


def test_a_form_of_a_wrong_kind_is_refused() -> None:
    with pytest.raises(ValidationError):
        page._request(EMPTY._replace(type="<script>"))


def test_the_script_puts_nothing_into_the_page_but_text() -> None:
    script = (page.HERE / "page.js").read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|Function\(", script)


def test_the_page_has_no_component_that_takes_or_fetches_a_file() -> None:
    """A file that a visitor names would be fetched by Gradio, from wherever."""
    pytest.importorskip("gradio", reason="the extra [ui] is not installed")
    from text2art_nb.serve.config import Config

    blocks = page.page(None, Config())  # type: ignore[arg-type]  # no handler is called
    kinds = {type(each).__name__ for each in blocks.blocks.values()}
    assert kinds <= {
        "Row",
        "Column",
        "Form",
        "Accordion",
        "HTML",
        "Textbox",
        "CheckboxGroup",
        "Radio",
        "Checkbox",
        "Number",
        "Button",
    }
