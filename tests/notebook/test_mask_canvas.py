"""The canvas for masks in a real browser, without a notebook around it: what is painted is what Python is told."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.notebook.browser import chromium, new_page, stroke
from text2art_nb.imaging.image_io import open_picture, picture_to_uri
from text2art_nb.studio.view import MaskView

# What anywidget hands to a widget's script, as far as this one uses it.
PAGE = """
<style>%(css)s</style>
<div id="here" style="width: 516px"></div>
<script type="module">
  import widget from "data:text/javascript;base64,%(script)s";
  let mask = { open: true, width: 512, height: 256, painted: "", words: "", number: null, note: "" };
  const heard = { "change:mask": [], "msg:custom": [] };
  window.sent = [];
  window.tell = changes => { mask = { ...mask, ...changes }; heard["change:mask"].forEach(each => each()); };
  window.show = async address => {
    const data = new DataView(await (await fetch(address)).arrayBuffer());
    heard["msg:custom"].forEach(each => each({ show: "under" }, [data]));
  };
  const model = {
    get: name => ({ mask })[name],
    on: (event, handler) => heard[event].push(handler),
    send: content => {
      if (content.do !== "painted") return;
      window.sent.push(content);
      window.tell({ painted: content.painted });
    },
  };
  widget.render({ model, el: document.querySelector("#here") });
</script>
"""


@pytest.fixture(scope="module")
def browser_page() -> Iterator[Page]:
    with chromium() as browser:
        yield new_page(browser)


@pytest.fixture
def page(browser_page: Page) -> Page:
    """A page with an empty canvas of 512 by 256 pixels."""
    script = base64.b64encode(MaskView._esm.encode()).decode()
    browser_page.set_content(PAGE % {"css": MaskView._css, "script": script})
    browser_page.locator("canvas").wait_for()
    return browser_page


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def told(page: Page) -> str:
    """The last mask that Python was told."""
    sent: list[dict[str, Any]] = page.evaluate("window.sent")
    return str(sent[-1]["painted"])


def light(mask: str, *places: tuple[float, float]) -> list[Any]:
    """How bright a mask is at some places, given as shares of its width and height."""
    picture = open_picture(mask).convert("L")
    assert picture.size == (512, 256)
    return [picture.getpixel((round(x * 512), round(y * 256))) for x, y in places]


def test_a_stroke_comes_as_white_on_black_where_it_was_painted(page: Page) -> None:
    canvas = page.locator("canvas")
    stroke(canvas, (0.2, 0.5), (0.8, 0.5))
    mask = told(page)
    assert light(mask, (0.2, 0.5), (0.5, 0.5), (0.8, 0.5)) == [255, 255, 255]
    assert light(mask, (0.1, 0.5), (0.5, 0.3), (0.5, 0.7), (0.9, 0.5)) == [0, 0, 0, 0]
    picture = open_picture(mask)
    assert picture.mode == "RGB"
    assert picture.getcolors(256) is not None  # greys alone
    press(page, "Erase")
    stroke(canvas, (0.5, 0.2), (0.5, 0.8))
    assert light(told(page), (0.3, 0.5), (0.5, 0.5), (0.7, 0.5)) == [255, 0, 255]


def test_a_broad_brush_paints_broadly(page: Page) -> None:
    page.locator("input[type=range]").fill("40")
    stroke(page.locator("canvas"), (0.5, 0.5), (0.5, 0.5))
    assert light(told(page), (0.5, 0.5), (0.5, 0.34), (0.5, 0.2)) == [255, 255, 0]


def test_strokes_are_undone_turned_inside_out_and_cleared(page: Page) -> None:
    canvas = page.locator("canvas")
    stroke(canvas, (0.2, 0.5), (0.3, 0.5))
    first = told(page)
    stroke(canvas, (0.7, 0.5), (0.8, 0.5))
    press(page, "Undo")
    assert told(page) == first
    press(page, "Invert")
    assert light(told(page), (0.25, 0.5), (0.75, 0.5)) == [0, 255]
    press(page, "Clear")
    assert told(page) == ""


def test_what_python_says_is_painted_is_shown_and_can_be_painted_on(page: Page) -> None:
    stroke(page.locator("canvas"), (0.2, 0.5), (0.3, 0.5))
    mask = told(page)
    page.evaluate("window.tell({ painted: '' })")
    stroke(page.locator("canvas"), (0.8, 0.5), (0.8, 0.5))
    assert light(told(page), (0.25, 0.5), (0.8, 0.5)) == [0, 255]
    page.evaluate("mask => window.tell({ painted: mask })", mask)
    shown = "() => document.querySelector('canvas').getContext('2d').getImageData(128, 128, 1, 1).data[3] === 255"
    page.wait_for_function(shown)
    stroke(page.locator("canvas"), (0.5, 0.2), (0.5, 0.2))
    assert light(told(page), (0.25, 0.5), (0.5, 0.2), (0.8, 0.5)) == [255, 255, 0]


def test_the_picture_lies_under_it_in_the_same_shape(page: Page) -> None:
    page.evaluate("address => window.show(address)", picture_to_uri(Image.new("RGB", (8, 8), "red")))
    expect(page.locator(".t2a-mask-sheet img")).to_be_visible()
    boxes = [page.locator(each).bounding_box() for each in (".t2a-mask-sheet img", ".t2a-mask-sheet canvas")]
    assert boxes[0] == boxes[1]
    assert boxes[0] is not None
    assert boxes[0]["width"] / boxes[0]["height"] == pytest.approx(2, abs=0.02)
    expect(page.locator("canvas")).to_have_attribute("aria-label", "paint where the prompt should apply")
