"""The notebook on a page that behaves as Colab's does, as a person uses it: one tour, Run all first.

Things are found by what they are called. What Colab does otherwise than every other front end stands in
`minicolab/README.md`.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest
from playwright.sync_api import Browser, FrameLocator, Locator, expect

from tests.notebook import browser as at
from tests.notebook import environments
from tests.notebook.browser import chromium
from tests.notebook.environments import ROOT
from tests.notebook.minicolab.page import MiniColab, mini_colab
from text2art_nb import Artwork, draw
from text2art_nb.imaging.image_io import open_picture

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

NOTEBOOK = ROOT / "text2art.ipynb"
BESIDE = ("text2art_nb", "setup_colab.sh", "requirements.txt", "pyproject.toml", "constraints.txt")
SMALL = "size='64x64', num_cuts=2, iterations=6"
"""Pictures that cost next to nothing: the tour is about the page."""
LONG = "3000"
"""Iterations that are there to be stopped."""
MODELS, BYTES = 150, 150_000
"""The most that a saved notebook may hold of widgets."""
FIRST_FRAME = 120_000


class Tour:
    """The page after Run all, and what a person does there."""

    def __init__(self, colab: MiniColab, folder: Path) -> None:
        self.colab = colab
        self.pictures = folder / "pictures"
        colab.add_notebook(NOTEBOOK)
        colab.change(colab.index("studio = Studio("), "studio = Studio()", f"studio = Studio({SMALL})")
        self.panel_cell = colab.index("studio.panel(")
        self.paint_cell = colab.index("studio.paint(")
        self.save_cell = colab.index("studio.save(")
        self.panel: FrameLocator = colab.frame(self.panel_cell)
        self.live: FrameLocator = colab.frame(self.paint_cell)
        colab.run_all()

    def button(self, name: str) -> Locator:
        """A button of the panel."""
        return self.panel.get_by_role("button", name=name, exact=True)

    def field(self, name: str) -> Locator:
        """A line of text of the panel."""
        return self.panel.get_by_role("textbox", name=name, exact=True)

    def slider(self, name: str) -> Locator:
        """A slider of the panel."""
        return self.panel.get_by_role("slider", name=name, exact=True)

    def unfold(self, title: str) -> None:
        """Open the panel's fold of that title, if it is shut."""
        head = self.panel.get_by_text(title, exact=True)
        if not is_open(head):
            head.click()

    def draw(self, prompt: str) -> None:
        """Have the panel draw until somebody stops it; wait for the first frames."""
        at.type_into(self.field("Prompt"), prompt)
        at.type_into(self.field("Iterations"), LONG)
        self.button("Draw").click()
        expect(self.button("Stop")).to_be_enabled()
        self.wait_for_iteration(self.panel, 3)

    def stop(self) -> int:
        """Stop what the panel draws; the iteration at which it ended."""
        self.button("Stop").click()
        expect(self.button("Draw")).to_be_enabled()
        return iteration(self.panel)

    def paint(self) -> None:
        """Have the paint cell draw until somebody stops it; wait for the first frames."""
        at.type_into(self.field("Iterations"), LONG)
        self.colab.begin(self.paint_cell)
        self.wait_for_iteration(self.live, 3)

    def wait_for_iteration(self, frame: FrameLocator, goal: int) -> None:
        """Wait until a frame tells of that iteration or a later one."""
        self.colab.until(lambda: iteration(frame) >= goal, f"iteration {goal}", FIRST_FRAME / 1000)

    def newest(self) -> Artwork:
        """The picture that was drawn last, from its file."""
        return Artwork.open(max(self.pictures.rglob("*.png"), key=lambda path: path.stat().st_mtime_ns))


def iteration(frame: FrameLocator) -> int:
    """The iteration that a frame tells, 0 where it tells none. What is read out to who can't see it comes later."""
    found = re.findall(r"iteration (\d+) of", frame.locator("body").inner_text())
    return max(map(int, found), default=0)


def is_open(head: Locator) -> bool:
    """Whether what belongs to a fold's head can be seen."""
    return bool(
        head.evaluate(
            """head => {
                const opener = head.closest("summary, [aria-expanded]");
                if (opener.tagName === "SUMMARY") return opener.parentElement.open;
                return opener.getAttribute("aria-expanded") === "true";
            }"""
        )
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def whole_tour(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tour]:
    folder = tmp_path_factory.mktemp("colab") / "content"
    folder.mkdir()
    for name in BESIDE:
        (folder / name).symlink_to(ROOT / name)
    environment = environments.twin(environments.colab(), folder.parent / "colab")  # the notebook installs text2art
    with mini_colab(browser, environment, folder, {"T2A_DIR": str(folder / "pictures")}) as colab:
        yield Tour(colab, folder)
    shutil.rmtree(environment.folder)


@pytest.fixture
def tour(whole_tour: Tour) -> Iterator[Tour]:
    """The tour, with nothing drawing. However the test ends, nothing red may be in the browser's console."""
    colab = whole_tour.colab
    if colab.is_running(whole_tour.paint_cell):
        colab.interrupt()
        colab.until(lambda: not colab.is_running(whole_tour.paint_cell), "the end of the cell")
    if whole_tour.button("Stop").is_enabled():
        whole_tour.stop()
    yield whole_tour
    errors, tracebacks = colab.errors, colab.tracebacks()
    colab.forget_errors()
    assert errors == []
    assert tracebacks == []


@pytest.fixture(scope="module")
def friends_picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A PNG that somebody else has drawn."""
    artwork = draw("a red castle in the snow", seed=4711, iterations=2, size="64x64", num_cuts=2)
    return artwork.save(tmp_path_factory.mktemp("friend") / "castle.png")


@pytest.fixture(scope="module")
def shots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shots")


def test_run_all_shows_the_whole_panel_and_a_picture_and_the_notebook_saved_then_is_small_and_valid(
    tour: Tour, shots: Path
) -> None:
    picture = tour.live.get_by_role("img").first
    assert picture.evaluate("img => img.complete && img.naturalWidth > 0")
    expect(tour.live.get_by_text("done, 6 iterations")).to_be_visible()
    for title in ("More settings", "Gallery", "Remix a friend's picture", "Continue a run"):
        expect(tour.panel.get_by_text(title, exact=True)).to_be_visible()
    assert tour.newest().settings.prompts == "an underwater city"
    tour.colab.photograph(shots / "run-all.png")
    saved = tour.colab.saved(NOTEBOOK)
    models = saved.metadata.get("widgets", {}).get("application/vnd.jupyter.widget-state+json", {})
    assert 0 < len(models) <= MODELS
    assert len(json.dumps(models)) <= BYTES
    nbformat.validate(saved)


@pytest.mark.nightly
def test_every_fold_opens_and_shuts_by_mouse_and_by_key(tour: Tour) -> None:
    heads = tour.panel.locator("summary, [aria-expanded]")
    for head in heads.all():  # from the outside to the inside: what is under one that is shut can't be seen
        if is_open(head):
            head.click()
        assert not is_open(head)
    seen = 0
    for head in heads.all():
        if not head.is_visible():
            continue  # a fold in which nothing is to be set just now
        head.click()
        assert is_open(head)
        head.press("Enter")
        assert not is_open(head)
        head.press("Space")
        assert is_open(head)
        seen += 1
    assert seen >= 5
    for head in reversed(heads.all()):
        if head.is_visible():
            head.click()
            assert not is_open(head)


@pytest.mark.nightly
def test_folds_are_reached_with_tab(tour: Tour) -> None:
    tour.field("Prompt").focus()
    reached: set[str] = set()
    for _ in range(80):
        tour.colab.page.keyboard.press("Tab")
        focused = tour.panel.locator(":focus")
        if focused.count():
            reached.add(focused.inner_text().strip())
    assert {"More styles", "More settings", "Gallery", "Continue a run"} <= reached


@pytest.mark.nightly
def test_the_cell_is_steered_paused_and_stopped(tour: Tour) -> None:
    at.type_into(tour.field("Prompt"), "a lighthouse")
    tour.paint()
    at.type_into(tour.field("Prompt"), "a lighthouse at night")
    expect(tour.panel.get_by_text(re.compile(r"^Prompt changed from iteration \d+ on"))).to_be_visible()
    tour.wait_for_iteration(tour.live, iteration(tour.live) + 3)
    tour.live.get_by_role("button", name="Pause").click()
    expect(tour.live.get_by_role("button", name="Resume")).to_be_visible()
    tour.colab.page.wait_for_timeout(300)
    paused = iteration(tour.live)
    tour.colab.page.wait_for_timeout(500)
    assert iteration(tour.live) == paused
    tour.live.get_by_role("button", name="Resume").click()
    tour.wait_for_iteration(tour.live, paused + 2)
    tour.live.get_by_role("button", name="Stop").click()
    expect(tour.live.get_by_text(re.compile(r"stopped at iteration \d+"))).to_be_visible()
    tour.colab.wait(tour.paint_cell)
    steering = tour.newest().settings.steering
    assert [entry.prompts for entry in steering if entry.prompts] == ["a lighthouse at night"]


@pytest.mark.nightly
def test_interrupt_ends_the_cell_and_the_picture_stays(tour: Tour) -> None:
    tour.paint()
    tour.colab.interrupt()
    tour.colab.wait(tour.paint_cell)
    expect(tour.live.get_by_text(re.compile(r"stopped at iteration \d+"))).to_be_visible()
    assert tour.live.get_by_role("img").first.is_visible()


@pytest.mark.nightly
def test_the_panel_draws_and_its_picture_grows(tour: Tour, shots: Path) -> None:
    tour.draw("a lighthouse at night")
    assert at.distinct_pictures(tour.panel.locator("body"), "img", seconds=20, enough=4) >= 4
    tour.colab.photograph(shots / "drawing.png")
    tour.stop()


@pytest.mark.nightly
def test_the_time_machine_goes_back_and_branches(tour: Tour) -> None:
    tour.draw("a lake")
    tour.wait_for_iteration(tour.panel, 8)
    stopped = tour.stop()
    before = len(list(tour.pictures.rglob("*.png")))
    for _ in range(3):
        tour.slider("Time machine").press("ArrowLeft")
    expect(tour.slider("Time machine")).to_have_value(str(stopped - 3))
    at.type_into(tour.field("Prompt"), "a forest in autumn")
    tour.button("Branch from here").click()
    tour.wait_for_iteration(tour.panel, stopped + 2)
    tour.stop()
    assert len(list(tour.pictures.rglob("*.png"))) == before + 1
    steering = tour.newest().settings.steering
    assert [(each.iteration, each.prompts) for each in steering if each.prompts] == [
        (stopped - 3, "a forest in autumn")
    ]


@pytest.mark.nightly
def test_a_png_that_is_dropped_on_remix_sets_every_field(tour: Tour, friends_picture: Path) -> None:
    at.type_into(tour.field("Prompt"), "something else")
    tour.unfold("Remix a friend's picture")
    at.drop(tour.panel.get_by_text("Drop a PNG, JPEG, GIF or MP4"), friends_picture)
    expect(tour.field("Prompt")).to_have_value("a red castle in the snow")
    expect(tour.field("Seed")).to_have_value("4711")
    expect(tour.panel.get_by_text(f"All settings were taken from {friends_picture.name}")).to_be_visible()
    at.type_into(tour.field("Seed"), "")


@pytest.mark.nightly
def test_a_mask_is_painted_and_drawn_with(tour: Tour, shots: Path) -> None:
    at.type_into(tour.field("Prompt"), "a lake")
    tour.unfold("More settings")
    tour.button("Paint a mask").click()
    canvas = tour.panel.locator("canvas")
    at.stroke(canvas, (0.2, 0.5), (0.8, 0.5))
    tour.button("Erase").click()
    at.stroke(canvas, (0.6, 0.3), (0.6, 0.7))
    at.type_into(tour.field("what should be there"), "a red boat")
    tour.colab.photograph(shots / "mask.png")
    tour.button("Use it").click()
    expect(tour.field("Prompt")).to_have_value("a lake | [mask 1] a red boat")
    tour.draw("a lake | [mask 1] a red boat")
    tour.stop()
    [mask] = tour.newest().settings.masks
    light = open_picture(mask).convert("L")
    places = {(0.2, 0.5): 255, (0.4, 0.5): 255, (0.8, 0.5): 255, (0.6, 0.5): 0, (0.4, 0.3): 0, (0.05, 0.5): 0}
    width, height = light.size
    assert {(x, y): light.getpixel((round(x * width), round(y * height))) for x, y in places} == places
    masks = tour.panel.get_by_role("group", name="Masks", exact=True)
    masks.get_by_role("button", name="Remove").click()
    at.type_into(tour.field("Prompt"), "a lake")


@pytest.mark.nightly
def test_the_gallery_shows_what_was_drawn_and_hands_it_over(tour: Tour, tmp_path: Path, shots: Path) -> None:
    tour.unfold("Gallery")
    thumbs = tour.panel.get_by_role("group", name="pictures", exact=True).get_by_role("button")
    thumbs.first.click()
    tour.button("PNG").click()
    with tour.colab.page.expect_download() as download:
        tour.panel.get_by_role("link", name=re.compile(r"^Save .*\.png")).click()
    download.value.save_as(tmp_path / "got.png")
    files = {path.read_bytes() for path in tour.pictures.rglob("*.png")}
    assert (tmp_path / "got.png").read_bytes() in files
    tour.colab.photograph(shots / "gallery.png")


@pytest.mark.nightly
def test_the_self_check_finds_that_every_fold_answers(tour: Tour) -> None:
    """It asks no server for weights here: what it can tell without them is in the block."""
    colab, cell = tour.colab, tour.colab.index("studio.self_check(")
    colab.change(cell, "check = False", "check = True")
    colab.change(cell, "if check:\n", "if check:\n    import os; os.environ['TEXT2ART_OFFLINE'] = '1'\n")
    colab.change(cell, "self_check()", "self_check('pixel'); del os.environ['TEXT2ART_OFFLINE']")
    colab.run(cell)
    said = " ".join(colab.text(cell).split())
    assert "ok page: Colab, Colab's custom widget manager" in said, said
    found = re.search(r"ok folds: all (\d+) open and shut", said)
    assert found, said
    assert int(found[1]) >= 5
    assert "BAD weights ViT-B/32: the weights 'openai/clip-vit-base-patch32' are not on this machine" in said
    assert colab.text(cell).rstrip().endswith("```")


@pytest.mark.nightly
def test_the_save_cell_downloads_and_a_refused_drive_is_one_sentence(tour: Tour, tmp_path: Path) -> None:
    cell = tour.save_cell
    tour.colab.change(cell, 'film = "mp4"', 'film = "none"')
    tour.colab.change(cell, "download = False", "download = True")
    with tour.colab.page.expect_download() as download:
        tour.colab.run(cell)
    download.value.save_as(tmp_path / "got.png")
    assert (tmp_path / "got.png").read_bytes() in {path.read_bytes() for path in tour.pictures.rglob("*.png")}
    tour.colab.change(cell, "download = True", "download = False")
    tour.colab.change(cell, "copy_to_drive = False", "copy_to_drive = True")
    tour.colab.run(cell)
    said = tour.colab.frame(cell).locator("body").inner_text()
    assert "Drive" in said
    assert "Traceback" not in said


@pytest.mark.nightly
def test_no_link_in_an_output_leads_nowhere(tour: Tour) -> None:
    """A frame's own address is another than the notebook's folder: a link that names a file there finds nothing."""
    for index in (tour.panel_cell, tour.paint_cell, tour.save_cell):
        links = tour.colab.frame(index).locator("a[href]")
        addresses = [str(link.evaluate("link => link.getAttribute('href')")) for link in links.all()]
        assert [each for each in addresses if not re.match(r"(https?|blob|data):", each)] == []


@pytest.mark.nightly
def test_a_handler_of_the_studio_raised_nothing(tour: Tour) -> None:
    cell = tour.colab.add("assert not studio.errors, studio.errors")
    tour.colab.run(cell)
