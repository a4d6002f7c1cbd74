"""The panel's page alone, with the state that Python sends: whole at every width, light and dark, for everybody."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from ipywidgets import DOMWidget
from playwright.sync_api import Browser, Page

from tests.notebook.browser import chromium, cut_off, new_page
from tests.notebook.minicolab import manager
from tests.studio.test_panel import panel_of, press, say, type_into
from text2art_nb.studio import Studio
from text2art_nb.studio.view import PanelView

WIDTHS = (390, 768, 1280, 1920)
RULES = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")
THEMES = {"light": ("", "#fff", "#111"), "dark": ("theme=dark", "#1d1c24", "#eee")}
"""What Colab's frames say of themselves, and the colours that they have."""

# What anywidget hands to a widget's script, as far as this one uses it.
PAGE = """<!doctype html><html lang="en" %(theme)s><meta charset="utf-8"><title>panel</title>
<style>body { margin: 8px; background: %(paper)s; color: %(ink)s } %(css)s</style>
<main><h1 class="t2a-unseen">The panel</h1><div id="here"></div></main>
<script type="module">
  import widget from "data:text/javascript;base64,%(script)s";
  const state = %(state)s;
  const heard = {};
  window.sent = [];
  window.change = changes => {
    Object.assign(state, changes);
    for (const name of Object.keys(changes)) (heard[`change:${name}`] ?? []).forEach(each => each());
  };
  window.show = async (what, address) => {
    const data = new DataView(await (await fetch(address)).arrayBuffer());
    const content = { show: what, kind: "image/jpeg", names: state.gallery.names };
    heard["msg:custom"].forEach(each => each(content, Array(4).fill(data)));
  };
  const model = {
    get: name => state[name],
    on: (event, handler) => (heard[event] ??= []).push(handler),
    send: content => window.sent.push(content),
  };
  widget.render({ model, el: document.querySelector("#here") });
  window.ready = true;
</script>"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


def state_of(studio: Studio) -> dict[str, Any]:
    """What the page is told of a panel that has everything to show at once."""
    type_into(studio, "prompts", "an underwater city | fog:-0.5 | a zeppelin")
    press(studio, "Draw")
    press(studio, "Paint a mask")
    say(studio, "see", name=panel_of(studio).gallery.shown["names"][0])
    type_into(studio, "drawer", {"then": "pixel"})
    type_into(studio, "micro_batch", "0")
    view = panel_of(studio).view
    view.candidates = [{"number": k, "among": 4, "label": f"{k + 1} · 0.31{k}"} for k in range(4)]
    told = {
        "message": "Palette: used from the next Draw on.",
        "notice": "Draw downloads first: sd-turbo",
        "notices": ["a notice"],
    }
    view.progress = {**view.progress, **told}
    state: dict[str, Any] = view.get_state(sorted(set(view.keys) - set(DOMWidget().keys)))
    return {name: value for name, value in state.items() if not name.startswith("_")}


def opened(page: Page, state: dict[str, Any], theme: str) -> None:
    """Show the panel with every fold open and every picture there."""
    attribute, paper, ink = THEMES[theme]
    script = base64.b64encode(str(PanelView._esm).encode()).decode()
    told = json.dumps(state).replace("</", "<\\/")
    css = str(PanelView._css)
    page.set_content(
        PAGE % {"theme": attribute, "paper": paper, "ink": ink, "css": css, "script": script, "state": told}
    )
    page.wait_for_function("window.ready")
    for what in ("picture", "candidates", "under", "thumbs", "chosen"):
        page.evaluate("([what, address]) => show(what, address)", [what, state["still"]])
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true; })")


@pytest.mark.parametrize("theme", ["light", pytest.param("dark", marks=pytest.mark.nightly)])
def test_it_is_for_everybody_and_nothing_is_cut(studio: Studio, browser: Browser, theme: str) -> None:
    axe = (manager.packages(manager.built()) / "axe-core" / "axe.min.js").read_text(encoding="utf-8")
    page = new_page(browser)
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("pageerror", lambda error: told.append(str(error)))
    opened(page, state_of(studio), theme)
    assert page.locator(".t2a-root").get_attribute("data-theme") == theme
    page.add_script_tag(content=axe)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900})
        assert cut_off(page.locator(".t2a-panel")) == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    found = page.evaluate("rules => axe.run('.t2a-panel', { runOnly: rules })", list(RULES))
    assert [(each["id"], [node["html"][:200] for node in each["nodes"]]) for each in found["violations"]] == []
    assert {"color-contrast", "button-name", "label", "target-size"} <= {each["id"] for each in found["passes"]}
    assert told == []
    page.context.close()


@pytest.mark.nightly
def test_what_is_typed_is_not_overwritten_by_an_answer_that_comes_late(studio: Studio, browser: Browser) -> None:
    page = new_page(browser)
    state = state_of(studio)
    opened(page, state, "light")
    prompt = page.get_by_label("Prompt", exact=True)

    def answer(value: str) -> None:
        fields = {**state["fields"], "prompts": {**state["fields"]["prompts"], "value": value}}
        page.evaluate("fields => change({ fields })", fields)

    prompt.fill("a cat")
    page.wait_for_function("sent.some(each => each.value === 'a cat')")
    prompt.fill("a cat on a roof")
    answer("a cat")
    assert prompt.input_value() == "a cat on a roof"
    page.wait_for_function("sent.some(each => each.value === 'a cat on a roof')")
    answer("a cat on a roof")
    answer("a cat on a roof, watercolor")  # a style was pressed
    assert prompt.input_value() == "a cat on a roof, watercolor"
    page.context.close()


@pytest.mark.nightly
def test_a_click_on_draw_comes_after_what_was_typed_last(studio: Studio, browser: Browser) -> None:
    page = new_page(browser)
    opened(page, state_of(studio), "light")
    page.get_by_label("Prompt", exact=True).fill("a red boat")
    page.get_by_role("button", name="Draw", exact=True).click()
    said = [each for each in page.evaluate("sent") if each["do"] in ("field", "draw")]
    assert said == [{"do": "field", "name": "prompts", "value": "a red boat"}, {"do": "draw"}]
    page.context.close()


@pytest.mark.nightly
def test_keys_pressed_in_a_field_are_not_the_notebooks(studio: Studio, browser: Browser) -> None:
    page = new_page(browser)
    opened(page, state_of(studio), "light")
    page.evaluate("document.addEventListener('keydown', () => { window.heard = true; })")
    page.get_by_role("slider", name="Candidates", exact=True).press("ArrowRight")
    assert page.evaluate("window.heard") is None
    assert page.evaluate("sent").pop() == {"do": "field", "name": "candidates", "value": 2}
    page.context.close()


@pytest.mark.nightly
def test_an_error_under_a_fold_opens_it(studio: Studio, browser: Browser) -> None:
    page = new_page(browser)
    state = state_of(studio)
    opened(page, {**state, "fields": {**state["fields"], "micro_batch": {"value": ""}}}, "light")
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = false; })")
    field = page.get_by_label("Views at once", exact=True)
    assert not field.is_visible()
    page.evaluate("fields => change({ fields })", state["fields"])
    assert field.is_visible()
    assert field.get_attribute("aria-invalid") == "true"
    page.context.close()
