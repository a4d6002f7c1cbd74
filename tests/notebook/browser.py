"""What a person does with the notebook in a real browser: JupyterLab and classic Notebook behind the same few words.

Whatever a page is recognised by (the studio's class names, each front end's own) stands at the top, once.
"""

import base64
import json
import os
import re
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect, sync_playwright

from tests.notebook.servers import Server

PANEL: Final = ".t2a-panel"
PICTURE: Final = ".t2a-columns .t2a-picture img"
STATUS: Final = ".t2a-status"
PROMPT: Final = ".t2a-prompt textarea"
PALETTE: Final = ".t2a-palette-field input"
SEED: Final = ".t2a-seed input"
ITERATIONS: Final = ".t2a-iterations-field"
CANDIDATES: Final = ".t2a-candidates-field"
CANDIDATE: Final = ".t2a-candidate"
TIME: Final = ".t2a-time"
THUMB: Final = ".t2a-thumb"
MASKS: Final = ".t2a-masks-field"
MASK: Final = ".t2a-mask canvas"
MASK_WORDS: Final = ".t2a-mask-words input"
REMIX: Final = ".t2a-drop:has-text('text2art')"
NOTE: Final = ".t2a-note"
WRONG: Final = ".t2a-error"
DOWNLOAD: Final = "a[download]"

LIVE: Final = ".t2a-live"
CAPTION: Final = ".t2a-caption"

HANDLE: Final = "input[type=range]"
READOUT: Final = ".t2a-readout"
FOLD: Final = "summary"

TRACEBACK: Final = '[data-mime-type*="vnd.jupyter.error"], .output_error'
WIDE: Final[ViewportSize] = {"width": 1280, "height": 900}
NARROW: Final[ViewportSize] = {"width": 390, "height": 844}

CHROMIUM: Final = Path("/usr/bin/chromium")
FLAGS: Final = (
    "--no-sandbox --disable-dev-shm-usage --disable-gpu --disable-quic --no-first-run "
    "--disable-background-networking --disable-component-update --disable-sync"
).split()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium. Without one the tests are skipped, but fail on CI, where nobody would notice."""
    if not CHROMIUM.exists():
        words = f"there is no {CHROMIUM}; on Debian or Ubuntu: sudo apt-get install chromium"
        pytest.fail(words) if os.environ.get("CI") else pytest.skip(words)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def new_page(browser: Browser) -> Page:
    """A page of a browser that has been nowhere yet."""
    page = browser.new_context(viewport=WIDE, device_scale_factor=1).new_page()
    page.set_default_timeout(20_000)
    return page


class Notebook(ABC):
    """A notebook that is open in a page."""

    cells: str
    """Where its cells are, markdown's too."""
    outputs: str
    """Where a cell's outputs are."""
    running: str
    """What marks a cell that runs, or waits for its turn."""

    def __init__(self, page: Page, server: Server, name: str) -> None:
        self.page = page
        self.server = server
        self.path = server.folder / name
        self.crashes: list[str] = []
        """What nobody caught in the page's own scripts, and what they wrote on the console as an error."""
        page.on("pageerror", lambda error: self.crashes.append(error.stack or str(error)))
        page.on("console", lambda told: self.crashes.append(told.text) if told.type == "error" else None)

    @property
    @abstractmethod
    def address(self) -> str:
        """Where the notebook is shown."""

    def open(self) -> None:
        """Open it with a kernel that is ready to run."""
        self.server.start_kernel(self.path.name)
        self.page.goto(self.address)
        self._wait_for_kernel()
        self.until(self.connected, "the page's connection to the kernel")

    def reopen(self) -> None:
        """Close the page, and open it again while its kernel lives."""
        self.page.goto("about:blank")
        self.page.goto(self.address)
        self._wait_for_kernel()

    @abstractmethod
    def open_without_kernel(self) -> None:
        """Open it where its kernel isn't installed, and decline to choose another."""

    @abstractmethod
    def _wait_for_kernel(self) -> None:
        """Wait until the page knows its kernel."""

    @abstractmethod
    def run_all(self) -> None:
        """Run → Run all cells."""

    @abstractmethod
    def run(self, index: int) -> None:
        """Run the cell at `index`, counted from 0."""

    @abstractmethod
    def interrupt(self) -> None:
        """Kernel → Interrupt."""

    @abstractmethod
    def save(self) -> None:
        """File → Save."""

    def cell(self, index: int) -> Locator:
        """The cell at `index`, counted from 0."""
        return self.page.locator(self.cells).nth(index)

    def output(self, index: int) -> Locator:
        """All that the cell at `index` has put out."""
        return self.cell(index).locator(self.outputs)

    def index(self, source: str) -> int:
        """Which cell has `source` in it."""
        cells = json.loads(self.path.read_text())["cells"]
        found = [k for k, cell in enumerate(cells) if cell["cell_type"] == "code" and source in "".join(cell["source"])]
        assert len(found) == 1, f"{len(found)} cells of {self.path.name} have {source!r} in them"
        return found[0]

    def connected(self) -> bool:
        """Whether the kernel is idle, and somebody is listening to it."""
        kernels = self.server.ask("api/kernels")
        return any(each["connections"] >= 1 and each["execution_state"] == "idle" for each in kernels)

    def wait_until_idle(self) -> None:
        """Wait until no cell is running. (The kernel calls itself idle after each click, also while a cell runs.)"""
        expect(self.page.locator(self.running)).to_have_count(0, timeout=60_000)

    def tracebacks(self) -> list[str]:
        """What the page shows of errors."""
        return self.page.locator(TRACEBACK).all_inner_texts()

    def until(self, come: Callable[[], bool], what: str, seconds: float = 30) -> None:
        """Wait until `come` says so."""
        end = time.monotonic() + seconds
        while not come():
            assert time.monotonic() < end, f"waited {seconds} s for {what}"
            self.page.wait_for_timeout(50)


class Lab(Notebook):
    """A notebook in JupyterLab."""

    cells = ".jp-Notebook .jp-Cell"
    outputs = ".jp-Cell-outputWrapper"
    running = ".jp-InputPrompt:text('[*]')"

    @property
    def address(self) -> str:
        return f"{self.server.url}lab/tree/{self.path.name}?reset"

    def open_without_kernel(self) -> None:
        self.page.goto(self.address)
        dialog = self.page.locator(".jp-Dialog")
        dialog.get_by_role("button", name="No Kernel").click()
        dialog.wait_for(state="detached")
        self._hide_side_bar()

    def _wait_for_kernel(self) -> None:
        self.page.locator(".jp-Toolbar-kernelName", has_text="Python").wait_for()
        self.page.wait_for_function(
            """() => {
                const session = jupyterapp.shell.currentWidget?.sessionContext;
                return session?.isReady && session.session?.kernel?.connectionStatus === "connected";
            }"""
        )
        self._hide_side_bar()

    def _hide_side_bar(self) -> None:
        self._command("application:toggle-left-area")
        self.page.locator("#jp-left-stack").wait_for(state="hidden")

    def run_all(self) -> None:
        self._command("runmenu:run-all", wait=False)

    def run(self, index: int) -> None:
        self.page.evaluate("k => { jupyterapp.shell.currentWidget.content.activeCellIndex = k; }", index)
        self._command("notebook:run-cell", wait=False)

    def interrupt(self) -> None:
        self._command("kernelmenu:interrupt")

    def save(self) -> None:
        self._command("docmanager:save")

    def _command(self, name: str, wait: bool = True) -> None:
        """What the menu item does. Those that run cells end with the cells."""
        end = "await done" if wait else "undefined"
        self.page.evaluate(f"async name => {{ const done = jupyterapp.commands.execute(name); {end}; }}", name)


class Classic(Notebook):
    """A notebook in classic Notebook, the nearest relative of Colab."""

    cells = "#notebook .cell"
    outputs = ".output_wrapper"
    running = ".input_prompt:text('[*]')"

    @property
    def address(self) -> str:
        return f"{self.server.url}notebooks/{self.path.name}"

    def open_without_kernel(self) -> None:
        self.page.goto(self.address)
        dialog = self.page.locator(".modal-dialog:visible")
        dialog.get_by_role("button", name="Continue Without Kernel").click()
        dialog.wait_for(state="hidden")

    def _wait_for_kernel(self) -> None:
        # Before the kernel has said who it is, and the widgets' extension is there, outputs get lost.
        self.page.wait_for_function(
            """() => {
                const notebook = globalThis.Jupyter?.notebook;
                const kernel = notebook?._fully_loaded && notebook.kernel;
                return kernel && kernel.is_connected() && kernel.info_reply?.implementation && kernel.widget_manager;
            }"""
        )

    def run_all(self) -> None:
        self.page.evaluate("Jupyter.notebook.execute_all_cells()")

    def run(self, index: int) -> None:
        self.page.evaluate("k => Jupyter.notebook.execute_cells([k])", index)

    def interrupt(self) -> None:
        self.page.evaluate("Jupyter.notebook.kernel.interrupt()")

    def save(self) -> None:
        self.page.evaluate("async () => { await Jupyter.notebook.save_notebook(); }")


def notebook(page: Page, server: Server, name: str) -> Notebook:
    """The notebook `name` in the server's folder, not yet open."""
    return Classic(page, server, name) if server.frontend == "classic" else Lab(page, server, name)


# -- what is the same in every front end


def distinct_pictures(root: Locator, picture: str, seconds: float, enough: int = 1000) -> int:
    """How many different pictures the img `picture` in `root` shows within `seconds`, counted as far as `enough`."""
    return int(
        root.evaluate(
            """async (root, [picture, seconds, enough]) => {
                const seen = new Set();
                const end = performance.now() + seconds * 1000;
                while (performance.now() < end && seen.size < enough) {
                    for (const img of root.querySelectorAll(picture)) seen.add(img.src);
                    await new Promise(done => setTimeout(done, 30));
                }
                return seen.size;
            }""",
            [picture, seconds, enough],
        )
    )


def iteration(status: Locator) -> int:
    """The iteration that a status line tells, 0 where it tells none."""
    found = re.search(r"iteration\s+(\d+)", " ".join(status.all_inner_texts()))
    return int(found[1]) if found else 0


def type_into(field: Locator, text: str) -> None:
    """Type `text` in place of what a field has, and leave the field."""
    field.fill(text)
    field.blur()


def set_slider(field: Locator, value: int) -> None:
    """Write `value` into the number beside a slider."""
    readout = field.locator(READOUT)
    readout.fill(str(value))
    readout.press("Enter")


def stroke(canvas: Locator, start: tuple[float, float], end: tuple[float, float]) -> None:
    """Drag the mouse over `canvas` with the button down; places are shares of its width and height."""
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box is not None, "the canvas isn't visible"
    (x0, y0), (x1, y1) = ((box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in (start, end))
    mouse = canvas.page.mouse
    mouse.move(x0, y0)
    mouse.down()
    mouse.move(x1, y1, steps=8)
    mouse.up()


def drop(zone: Locator, file: Path, kind: str = "image/png") -> None:
    """Drag `file` from the desktop onto `zone` and let it go."""
    data = base64.b64encode(file.read_bytes()).decode()
    dragged = zone.evaluate_handle(
        """(zone, [data, name, type]) => {
            const bytes = Uint8Array.from(atob(data), each => each.charCodeAt(0));
            const dragged = new DataTransfer();
            dragged.items.add(new File([bytes], name, {type}));
            return dragged;
        }""",
        [data, file.name, kind],
    )
    for event in ("dragenter", "dragover", "drop"):
        zone.dispatch_event(event, {"dataTransfer": dragged})


def cut_off(panel: Locator) -> list[str]:
    """What inside `panel` is visible and reaches beyond its right edge by more than a pixel."""
    found = panel.evaluate(
        """panel => {
            const edge = panel.getBoundingClientRect().right + 1;
            const beyond = [...panel.querySelectorAll("*")].filter(each => {
                const box = each.getBoundingClientRect();
                return box.width > 0 && box.height > 0 && box.right > edge && each.checkVisibility();
            });
            const by = each => Math.round(each.getBoundingClientRect().right - edge + 1);
            return beyond.map(each => `${each.tagName}.${each.className} ${by(each)} px: ${each.textContent}`);
        }"""
    )
    return [str(each) for each in found]


@contextmanager
def window(page: Page, size: ViewportSize) -> Iterator[None]:
    """The window has another size."""
    page.set_viewport_size(size)
    try:
        yield
    finally:
        page.set_viewport_size(WIDE)


def photograph(thing: Locator, path: Path, size: ViewportSize = WIDE) -> None:
    """Take a picture of `thing` in a window as wide as `size`, and high enough to show all of it."""
    with window(thing.page, size):
        box = thing.bounding_box()
        assert box is not None, f"{path.stem} isn't visible"
        with window(thing.page, {"width": size["width"], "height": int(box["height"]) + 400}):
            thing.screenshot(path=path)
