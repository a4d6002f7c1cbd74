"""The mini Colab has the faults of Colab's own widget manager, which hide widgets that are right everywhere else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.notebook import environments
from tests.notebook.browser import chromium
from tests.notebook.minicolab.page import MiniColab, mini_colab

pytestmark = [pytest.mark.nightly, pytest.mark.slow, pytest.mark.timeout(900)]

HEAD = """
import ipywidgets as widgets
from google.colab import output
output.enable_custom_widget_manager()
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def page(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniColab]:
    folder = tmp_path_factory.mktemp("colab") / "content"
    folder.mkdir()
    with mini_colab(browser, environments.colab(), folder, {}) as found:
        yield found


@pytest.fixture
def colab(page: MiniColab) -> MiniColab:
    """The page, on which nothing has gone wrong yet."""
    page.forget_errors()
    return page


def test_a_button_is_shown_and_heard(colab: MiniColab) -> None:
    tell = "button.on_click(lambda button: setattr(button, 'description', 'Gone'))"
    cell = colab.add(f"{HEAD}button = widgets.Button(description='Go')\n{tell}\nbutton")
    colab.run(cell)
    colab.frame(cell).get_by_role("button", name="Go", exact=True).click()
    expect(colab.frame(cell).get_by_role("button", name="Gone")).to_be_visible()
    assert colab.errors == []


def test_an_accordion_of_ipywidgets_7_does_not_appear(colab: MiniColab) -> None:
    cell = colab.add(f"{HEAD}fold = widgets.Accordion([widgets.HTML('inside')])\nfold.set_title(0, 'Title')\nfold")
    colab.run(cell)
    colab.until(lambda: bool(colab.errors), "an error")
    assert any("reading '0'" in each for each in colab.errors), colab.errors
    expect(colab.frame(cell).get_by_text("Title")).to_have_count(0)


def test_an_accordion_that_is_told_its_titles_the_new_way_stands_open(colab: MiniColab) -> None:
    code = """
import traitlets
class Fold(widgets.Accordion):
    titles = traitlets.List(["Title"]).tag(sync=True)
Fold([widgets.HTML("inside")], selected_index=None)
"""
    cell = colab.add(HEAD + code)
    colab.run(cell)
    expect(colab.frame(cell).get_by_text("Title")).to_be_visible()
    expect(colab.frame(cell).get_by_text("inside")).to_be_visible()  # nothing in its style sheet hides p-mod-hidden


def test_a_slider_with_one_value_is_an_error(colab: MiniColab) -> None:
    cell = colab.add(f"{HEAD}widgets.IntSlider(value=1, min=1, max=1)")
    colab.run(cell)
    colab.until(lambda: bool(colab.errors), "an error")
    assert any("'min' and 'max' cannot be equal" in each for each in colab.errors), colab.errors


def test_the_kernel_finds_colabs_package(colab: MiniColab) -> None:
    cell = colab.add("import sys; print('google.colab.output' in sys.modules, sys.modules['google.colab'].__file__)")
    colab.run(cell)
    assert colab.text(cell).startswith("True")
    assert "minicolab" in colab.text(cell)


def test_javascript_answers_the_cell_that_asks(colab: MiniColab) -> None:
    cell = colab.add("from google.colab import output\nprint(output.eval_js('new Promise(done => done(6 * 7))'))")
    colab.run(cell)
    assert colab.text(cell).strip() == "42"
    wrong = colab.add("output.eval_js('missing + 1')")
    colab.begin(wrong)
    colab.until(lambda: not colab.is_running(wrong), "the end")
    assert any("MessageError: ReferenceError: missing is not defined" in each for each in colab.tracebacks())


def test_a_file_is_handed_over_whole(colab: MiniColab, tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000  # three parts
    code = "from google.colab import files\nopen('big.bin', 'wb').write(bytes(range(256)) * 10_000)\n"
    cell = colab.add(code + "files.download('big.bin')")
    with colab.page.expect_download() as download:
        colab.begin(cell)
    download.value.save_as(tmp_path / "got.bin")
    assert download.value.suggested_filename == "big.bin"
    assert (tmp_path / "got.bin").read_bytes() == content
    assert colab.errors == []
