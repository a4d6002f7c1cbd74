"""The notebook in a real browser, as a person uses it: JupyterLab of today, and classic Notebook with Colab's versions.

Every test brings the page to where it needs it, so each can run alone; together they are one tour through one page.
"""

import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, expect

from tests.notebook import browser as at
from tests.notebook import environments
from tests.notebook.browser import Notebook, chromium, cut_off, distinct_pictures, iteration, new_page
from tests.notebook.servers import Frontend, Server, running
from tests.patience import least
from text2art_nb import Artwork, draw
from text2art_nb.imaging.image_io import open_picture

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "text2art.ipynb"
BESIDE = ("text2art_nb", "setup_colab.sh", "requirements.txt", "pyproject.toml", "constraints.txt")
"""What stands beside the notebook where somebody has cloned the repository."""
ENVIRONMENTS: Mapping[Frontend, str] = {"jupyterlab": "jupyter", "classic": "colab"}

FIRST_FRAME = 120_000
"""Milliseconds until the models are loaded and the first iteration is done, on a busy machine."""
STOP_SECONDS = 2.0
GROWN = 30 if os.environ.get("T2A_SCREENSHOTS") else 4
"""Iterations until the panel is photographed: for the documentation there should be something to see."""

pytestmark = [pytest.mark.nightly, pytest.mark.slow]


class Tour:
    """One page with the notebook open in it, and what a person does there."""

    def __init__(self, notebook: Notebook, pictures: Path) -> None:
        self.notebook = notebook
        self.page = notebook.page
        self.pictures = pictures
        self.panel = self.page.locator(at.PANEL)
        self.picture = self.panel.locator(at.PICTURE).first
        self.status = self.panel.locator(at.STATUS).last
        self.panel_cell = notebook.index("studio.panel(")
        self.paint_cell = notebook.index("studio.paint(")
        self.check_cell = notebook.index("studio.errors")
        self.output = notebook.output(self.paint_cell)
        self.live = self.output.locator(at.LIVE)
        self.caption = self.output.locator(at.CAPTION)
        self.have_run_all = False

    # -- the live cell

    def run_all(self) -> None:
        """Run all cells, until the picture begins to grow."""
        self.have_run_all = True
        self.notebook.run_all()
        self._wait_for_growth()

    def paint(self) -> None:
        """Have the paint cell draw, until the picture begins to grow."""
        if not self.have_run_all:
            self.run_all()
        elif not self.live.is_visible():
            self.rest()
            self.notebook.run(self.paint_cell)
            self._wait_for_growth()

    def _wait_for_growth(self) -> None:
        begun = self.live.locator(at.STATUS, has_text="iteration")
        expect(begun.or_(self.page.locator(at.TRACEBACK)).first).to_be_visible(timeout=FIRST_FRAME)
        assert self.notebook.tracebacks() == []
        self.output.locator("img").first.wait_for()

    def stop_cell(self) -> None:
        """Press the paint cell's Stop, and wait for the caption that it leaves."""
        self.live.get_by_role("button", name="Stop").click()
        self.caption.wait_for()

    # -- the panel

    def button(self, name: str) -> Locator:
        """A button of the panel."""
        return self.panel.get_by_role("button", name=name, exact=True)

    def rest(self) -> None:
        """Have nothing drawing, and the fields that the tests turn where they were at first."""
        if not self.have_run_all:
            self.run_all()
        if self.live.is_visible():
            self.stop_cell()
        if self.button("Stop").is_enabled():
            self.stop_panel()
        self.notebook.wait_until_idle()
        at.type_into(self.panel.locator(at.ITERATIONS).locator("input"), "120")
        at.set_slider(self.panel.locator(at.CANDIDATES), 1)

    def draw(self) -> None:
        """Press Draw, and wait for the first frames."""
        self.rest()
        self.button("Draw").click()
        expect(self.button("Stop")).to_be_enabled()
        expect(self.status).to_contain_text(re.compile(r"iteration [2-9]"), timeout=FIRST_FRAME)

    def fold(self, title: str) -> Locator:
        """The head of the panel's fold of that title."""
        return self.panel.locator(at.FOLD).filter(has_text=re.compile(f"^{re.escape(title)}$"))

    def unfold(self, title: str) -> Locator:
        """Open the panel's fold of that title, if it is shut; the fold's head."""
        head = self.fold(title)
        if not self.is_open(head):
            head.click()
        return head

    @staticmethod
    def is_open(head: Locator) -> bool:
        """Whether the fold with that head is open."""
        return bool(head.evaluate("head => head.parentElement.open"))

    def stop_panel(self) -> None:
        """Press the panel's Stop, and wait until it has ended."""
        self.button("Stop").click()
        expect(self.button("Draw")).to_be_enabled()

    def advance(self, status: Locator, by: int) -> None:
        """Wait until a status line tells of `by` iterations more."""
        goal = iteration(status) + by
        self.notebook.until(lambda: iteration(status) >= goal, f"iteration {goal}", seconds=60)

    # -- what is on the disk

    def files(self) -> list[Path]:
        """The pictures that were drawn, the newest last."""
        return sorted(self.pictures.rglob("*.png"), key=lambda path: path.stat().st_mtime_ns)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The browser of all tests here."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def friends_picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PNG that somebody else has drawn."""
    artwork = draw("a red castle in the snow", seed=4711, iterations=3, quality="draft")
    return artwork.save(tmp_path_factory.mktemp("friend") / "castle.png")


@pytest.fixture(scope="module", params=["jupyterlab", "classic"])
def server(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server on a folder that looks like a clone of the repository."""
    frontend: Frontend = request.param
    folder = tmp_path_factory.mktemp(frontend) / "clone"
    folder.mkdir()
    for name in BESIDE:
        (folder / name).symlink_to(ROOT / name)
    shutil.copy(NOTEBOOK, folder)
    environment = environments.get(ENVIRONMENTS[frontend])
    if frontend == "classic":  # the notebook's set-up installs text2art into it
        environment = environments.twin(environment, folder.parent / "colab")
    with running(frontend, environment, folder, {"T2A_DIR": str(folder / "pictures")}) as found:
        yield found


@pytest.fixture(scope="module")
def tour(server: Server, browser: Browser) -> Iterator[Tour]:
    """The notebook, open, with a kernel."""
    page = new_page(browser)
    notebook = at.notebook(page, server, NOTEBOOK.name)
    notebook.open()
    yield Tour(notebook, server.folder / "pictures")
    page.context.close()


@pytest.fixture
def screenshots(server: Server, tmp_path: Path) -> Path:
    """Where the picture for the documentation goes, JupyterLab's in T2A_SCREENSHOTS itself; else it is thrown away."""
    folder = Path(os.environ.get("T2A_SCREENSHOTS") or tmp_path)
    folder = folder if server.frontend == "jupyterlab" else folder / server.frontend
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_run_all_gives_a_picture_that_grows(tour: Tour) -> None:
    tour.run_all()
    status = tour.live.locator(at.STATUS).last
    began = iteration(status)
    assert distinct_pictures(tour.output, "img", seconds=20, enough=5) == 5
    assert iteration(status) > began


def test_what_is_changed_while_it_draws_steers_it(tour: Tour) -> None:
    tour.paint()
    steps = [(at.PROMPT, "a castle at night"), (at.PALETTE, "pico-8"), (at.PROMPT, "a castle at sunset")]
    for field, text in steps:
        at.type_into(tour.panel.locator(field), text)
        name = "Palette" if field == at.PALETTE else "Prompt"
        expect(tour.panel.get_by_text(re.compile(rf"^{name} changed from iteration \d+ on"))).to_be_visible()
    tour.advance(tour.live.locator(at.STATUS).last, 2)
    tour.stop_cell()
    expect(tour.caption).to_contain_text("changed at iteration")
    tour.notebook.wait_until_idle()
    steering = Artwork.open(tour.files()[-1]).settings.steering
    assert [entry.prompts or entry.palette for entry in steering if not entry.stop] == [text for _, text in steps]
    at.type_into(tour.panel.locator(at.PALETTE), "")


def test_stop_ends_the_cell_at_once_and_the_picture_stays(tour: Tour) -> None:
    def wait() -> float:
        tour.paint()
        began = time.monotonic()
        tour.stop_cell()
        return time.monotonic() - began

    assert least(wait, STOP_SECONDS) < STOP_SECONDS
    expect(tour.caption).to_contain_text(re.compile(r"stopped at iteration \d+"))
    expect(tour.live).to_be_hidden()
    assert tour.output.locator("img").first.is_visible()
    assert tour.notebook.tracebacks() == []


def test_interrupt_ends_the_cell_without_a_traceback(tour: Tour) -> None:
    def wait() -> float:
        tour.paint()
        began = time.monotonic()
        tour.notebook.interrupt()
        tour.caption.wait_for()
        return time.monotonic() - began

    assert least(wait, STOP_SECONDS) < STOP_SECONDS
    assert tour.output.locator("img").first.is_visible()
    assert tour.notebook.tracebacks() == []


def test_a_friend_who_opens_the_saved_notebook_sees_the_picture(tour: Tour, browser: Browser) -> None:
    tour.paint()
    tour.advance(tour.live.locator(at.STATUS).last, 4)
    tour.stop_cell()
    tour.notebook.wait_until_idle()
    tour.notebook.save()
    content = json.loads(tour.notebook.path.read_text())
    # Another kernel's name: so it can't start, and so nobody has told the server that the file can be trusted.
    content["metadata"]["kernelspec"] = {"name": "elsewhere", "display_name": "Elsewhere", "language": "none"}
    content["metadata"]["language_info"] = {"name": "none"}
    (tour.notebook.path.parent / "friend.ipynb").write_text(json.dumps(content))
    page = new_page(browser)
    notebook = at.notebook(page, tour.notebook.server, "friend.ipynb")
    notebook.open_without_kernel()
    output = notebook.output(tour.paint_cell)
    expect(output.locator("img").first).to_be_visible()
    assert output.locator("img").first.evaluate("img => img.complete && img.naturalWidth > 100")
    expect(output).to_contain_text("stopped at iteration")
    expect(notebook.output(tour.panel_cell)).to_contain_text("Run this cell to open the control panel")
    page.context.close()


def test_the_saved_notebook_is_small_and_holds_no_widgets(tour: Tour) -> None:
    tour.paint()
    tour.stop_cell()
    tour.notebook.wait_until_idle()
    tour.notebook.save()
    text = tour.notebook.path.read_text()
    assert "widgets" not in json.loads(text)["metadata"]
    assert "image/webp" not in text
    assert len(text) < 200_000


def test_the_panel_draws_and_stops_too(tour: Tour) -> None:
    def wait() -> float:
        tour.draw()
        assert distinct_pictures(tour.panel, at.PICTURE, seconds=20, enough=3) == 3
        began = time.monotonic()
        tour.stop_panel()
        return time.monotonic() - began

    assert least(wait, STOP_SECONDS) < STOP_SECONDS
    assert distinct_pictures(tour.panel, at.PICTURE, seconds=1) == 1
    assert tour.notebook.tracebacks() == []


def test_while_drawing_the_panel_is_whole_at_any_width(tour: Tour, screenshots: Path) -> None:
    tour.rest()
    at.type_into(tour.panel.locator(at.PROMPT), "a lighthouse at night")
    tour.draw()
    tour.advance(tour.status, GROWN)
    at.photograph(tour.panel, screenshots / "panel.png", at.WIDE)
    wide = cut_off(tour.panel)
    with at.window(tour.page, at.NARROW):
        narrow = cut_off(tour.panel)
    assert (wide, narrow) == ([], [])


def test_the_time_machine_goes_back_and_branches(tour: Tour) -> None:
    tour.draw()
    tour.advance(tour.status, 6)
    tour.stop_panel()
    files, last, stopped = len(tour.files()), tour.picture.get_attribute("src"), iteration(tour.status)
    handle = tour.panel.locator(at.TIME).locator(at.HANDLE)
    for _ in range(4):
        handle.press("ArrowLeft")
    expect(tour.picture).not_to_have_attribute("src", last or "")
    at.type_into(tour.panel.locator(at.PROMPT), "a forest in autumn")
    tour.button("Branch from here").click()
    expect(tour.button("Stop")).to_be_enabled()
    tour.advance(tour.status, 2)
    tour.stop_panel()
    assert len(tour.files()) == files + 1
    steering = Artwork.open(tour.files()[-1]).settings.steering
    changed = [(entry.iteration, entry.prompts) for entry in steering if entry.prompts]
    assert changed == [(stopped - 4, "a forest in autumn")]


def test_every_fold_opens_and_shuts_by_key(tour: Tour) -> None:
    tour.rest()
    tour.unfold("More settings")
    titles = [title.strip() for title in tour.panel.locator(at.FOLD).all_inner_texts()]
    assert {"More styles", "More settings", "Gallery", "Remix a friend's picture", "Continue a run"} <= set(titles)
    for title in titles:
        head = tour.fold(title)
        if not head.is_visible():
            continue
        before = tour.is_open(head)
        for key in ("Enter", "Space"):
            head.press(key)
            expect(head).to_be_focused()
        assert tour.is_open(head) == before
        head.press("Enter")
        assert tour.is_open(head) != before
        head.press("Enter")


def test_everything_has_a_name(tour: Tour) -> None:
    tour.rest()
    for title in ("More styles", "More settings", "Gallery", "Continue a run"):
        tour.unfold(title)
    unnamed = tour.panel.evaluate(
        """panel => [...panel.querySelectorAll("button, input, select, textarea, canvas, summary")].filter(each => {
            const labels = [...(each.labels ?? [])].map(label => label.textContent).join("").trim();
            return !labels && !each.getAttribute("aria-label") && !each.textContent.trim();
        }).map(each => each.outerHTML.slice(0, 120))"""
    )
    assert unnamed == []
    assert tour.panel.locator("img:not([alt])").count() == 0
    assert tour.panel.locator('[title="null"], [title=""]').count() == 0


def test_a_page_that_is_opened_again_shows_the_same(tour: Tour) -> None:
    tour.rest()
    at.type_into(tour.panel.locator(at.PROMPT), "a boat at sea")
    tour.draw()
    tour.stop_panel()
    told = iteration(tour.status)
    tour.notebook.save()
    tour.notebook.reopen()
    expect(tour.panel.locator(at.PROMPT)).to_have_value("a boat at sea")
    expect(tour.picture).to_be_visible()
    assert iteration(tour.status) == told
    tour.draw()
    tour.stop_panel()


def test_a_candidate_that_is_clicked_goes_on_alone(tour: Tour) -> None:
    tour.rest()
    at.set_slider(tour.panel.locator(at.CANDIDATES), 4)
    tour.button("Draw").click()
    candidates = tour.panel.locator(at.CANDIDATE)
    expect(candidates).to_have_count(4, timeout=FIRST_FRAME)
    tour.advance(tour.status, 4)
    candidates.nth(1).click()
    expect(candidates.first).to_be_hidden()
    tour.advance(tour.status, 2)
    tour.stop_panel()
    assert any(entry.candidate is not None for entry in Artwork.open(tour.files()[-1]).settings.steering)


@pytest.mark.parametrize("way", ["drop", "choose"])
def test_a_friends_picture_sets_every_field(tour: Tour, friends_picture: Path, way: str) -> None:
    tour.rest()
    at.type_into(tour.panel.locator(at.PROMPT), "something else")
    at.type_into(tour.panel.locator(at.SEED), "1")
    zone = tour.panel.locator(at.REMIX)
    if not zone.is_visible():
        tour.unfold("Remix a friend's picture")
    if way == "drop":
        at.drop(zone, friends_picture)
    else:
        zone.locator("input").set_input_files(friends_picture)
    expect(tour.panel.locator(at.SEED)).to_have_value("4711")
    expect(tour.panel.locator(at.PROMPT)).to_have_value("a red castle in the snow")
    expect(tour.panel.get_by_text(f"All settings were taken from {friends_picture.name}")).to_be_visible()


def test_a_mask_is_painted_with_the_mouse_and_drawn_with(tour: Tour) -> None:
    tour.rest()
    at.type_into(tour.panel.locator(at.PROMPT), "a lake")
    tour.unfold("More settings")
    tour.button("Paint a mask").click()
    canvas = tour.panel.locator(at.MASK)
    at.stroke(canvas, (0.2, 0.5), (0.8, 0.5))
    tour.button("Erase").click()
    at.stroke(canvas, (0.6, 0.3), (0.6, 0.7))
    at.type_into(tour.panel.locator(at.MASK_WORDS), "a red boat")
    tour.button("Use it").click()
    expect(tour.panel.locator(at.PROMPT)).to_have_value("a lake | [mask 1] a red boat")
    tour.draw()
    tour.stop_panel()
    [mask] = Artwork.open(tour.files()[-1]).settings.masks
    light = open_picture(mask).convert("L")
    width, height = light.size
    painted, not_painted = ((0.2, 0.5), (0.4, 0.5), (0.8, 0.5)), ((0.6, 0.5), (0.4, 0.35), (0.4, 0.65), (0.05, 0.5))
    assert [light.getpixel((round(x * width), round(y * height))) for x, y in painted] == [255] * 3
    assert [light.getpixel((round(x * width), round(y * height))) for x, y in not_painted] == [0] * 4
    tour.panel.locator(at.MASKS).get_by_role("button", name="Remove").click()
    at.type_into(tour.panel.locator(at.PROMPT), "a lake")


def test_the_gallery_shows_and_hands_over_what_was_drawn(tour: Tour, tmp_path: Path) -> None:
    tour.rest()
    tour.unfold("Gallery")
    tour.panel.locator(at.THUMB).first.click()
    tour.button("PNG").click()
    link = tour.panel.locator(at.DOWNLOAD).first
    with tour.page.expect_download() as download:
        link.click()
    saved = tmp_path / download.value.suggested_filename
    download.value.save_as(saved)
    assert saved.read_bytes() == tour.files()[-1].read_bytes()


def test_a_wrong_value_gets_one_sentence_under_its_field(tour: Tour) -> None:
    tour.rest()
    field = tour.panel.locator(at.ITERATIONS)
    at.type_into(field.locator("input"), "0")
    expect(field.locator(at.WRONG)).to_contain_text("iterations must be at least 1")
    tour.button("Draw").click()
    expect(tour.button("Draw")).to_be_enabled()
    at.type_into(field.locator("input"), "120")
    expect(field.locator(at.WRONG)).to_be_hidden()
    assert tour.notebook.tracebacks() == []


def test_nothing_went_wrong_behind_the_scenes(tour: Tour) -> None:
    tour.rest()
    tour.notebook.run(tour.check_cell)
    tour.notebook.wait_until_idle()
    assert tour.notebook.tracebacks() == []
    assert tour.notebook.crashes == []
