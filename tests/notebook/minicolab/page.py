"""A test's hand on the mini Colab: cells, what they put out, what went wrong in any frame, the saved notebook."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import nbformat
from playwright.sync_api import Browser, ConsoleMessage, FrameLocator, Page, Route, ViewportSize

from tests.notebook import servers
from tests.notebook.browser import WIDE, window
from tests.notebook.environments import Environment
from tests.notebook.minicolab import manager
from tests.notebook.minicolab.serving import served
from tests.notebook.servers import Server

HERE: Final = Path(__file__).parent
GOOGLE: Final = HERE / "kernel"
"""Goes on PYTHONPATH: the `google.colab` that asks the page."""

Theme = Literal["light", "dark"]

_MANAGER: Final = re.compile(r"https://ssl\.gstatic\.com/colaboratory-static/widgets/.*/manager\.min\.js")
_ANYWIDGET: Final = re.compile(r"https://cdn\.jsdelivr\.net/npm/anywidget@[^/]+/dist/index\.js")
_ICONS: Final = re.compile(r"https://cdn\.jsdelivr\.net/npm/font-awesome@4\.7\.0/((?:css|fonts)/[\w.-]+)")


class MiniColab:
    """A Colab page with a kernel. Make it with `mini_colab`.

    crashes: what the browser's console would show in red, of the page and of every frame, as it was said.
    """

    def __init__(self, page: Page, server: Server, kernel: str, world: "World") -> None:
        self.page = page
        self.server = server
        self.kernel = kernel
        self._world = world
        self.crashes: list[str] = []
        page.on("pageerror", lambda error: self.crashes.append(error.stack or str(error)))
        page.on("console", self._hear)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.crashes.append(f"{message.text} ({message.location.get('url', '')})")

    @property
    def errors(self) -> list[str]:
        """All that went wrong in the browser: what frames told, with the cell's number, and the console's red lines."""
        log: list[str] = self.page.evaluate("colab.log")
        return log + self.crashes

    def forget_errors(self) -> None:
        """Begin anew with what goes wrong; cells that ended with an error are as if they had not run."""
        self.page.evaluate(
            """() => {
                colab.log.length = 0;
                for (const cell of colab.cells) if (cell.failed) Object.assign(cell, { outputs: [], failed: false });
            }"""
        )
        self.crashes.clear()

    # -- cells

    def add(self, code: str) -> int:
        """Add a code cell; its number, counted from 0."""
        return int(self.page.evaluate("code => colab.add(code)", code))

    def add_notebook(self, path: Path) -> list[int]:
        """Add the code cells of a notebook; their numbers."""
        cells = nbformat.read(path, as_version=4).cells
        return [self.add(cell.source) for cell in cells if cell.cell_type == "code"]

    def change(self, index: int, old: str, new: str) -> None:
        """Fill in a cell's form: have `new` in its code where `old` was."""
        code = str(self.page.evaluate("index => colab.cells[index].code", index))
        assert code.count(old) == 1, f"{old!r} is not once in:\n{code}"
        self.page.evaluate("([index, code]) => { colab.cells[index].code = code; }", [index, code.replace(old, new)])

    def index(self, source: str) -> int:
        """Which cell has `source` in it."""
        codes: list[str] = self.page.evaluate("colab.cells.map(cell => cell.code)")
        [found] = [number for number, code in enumerate(codes) if source in code]
        return found

    def begin(self, index: int) -> None:
        """Start to run a cell, without waiting for its end."""
        self.page.evaluate("index => void colab.run(index)", index)

    def run(self, index: int, seconds: float = 120) -> None:
        """Run a cell to its end, which must not be an error."""
        self.begin(index)
        self.wait(index, seconds)

    def begin_all(self) -> None:
        """Runtime → Run all, without waiting for the end."""
        self.page.evaluate("() => void colab.runAll()")

    def run_all(self, seconds: float = 300) -> None:
        """Run every cell to its end; none may end in an error."""
        self.begin_all()
        count = int(self.page.evaluate("colab.cells.length"))
        for index in range(count):
            self.wait(index, seconds)

    def wait(self, index: int, seconds: float = 120) -> None:
        """Wait until a cell that was told to run has ended, and see that it was no error."""
        ran = "index => { const cell = colab.cells[index]; return cell.frame && !cell.running; }"
        self.until(
            lambda: bool(self.page.evaluate(ran, index)) or bool(self.tracebacks()), f"the end of cell {index}", seconds
        )
        assert self.tracebacks() == [], "\n".join(self.tracebacks())

    def is_running(self, index: int) -> bool:
        """Whether a cell has begun and not ended."""
        return bool(self.page.evaluate("index => colab.cells[index].running", index))

    def interrupt(self) -> None:
        """Runtime → Interrupt execution."""
        self.server.ask(f"api/kernels/{self.kernel}/interrupt", "POST", {})

    def allow_drive(self, yes: bool) -> None:
        """What the user answers when asked for access to Drive, from now on. At first they refuse."""
        self.page.evaluate("yes => colab.allowDrive(yes)", yes)

    # -- what they put out

    def frame(self, index: int) -> FrameLocator:
        """What a cell shows."""
        return self.page.frame_locator(f"iframe[name=cell-{index}]")

    def outputs(self, index: int) -> list[dict[str, Any]]:
        """A cell's outputs, as Jupyter's messages have them."""
        found: list[dict[str, Any]] = self.page.evaluate("index => colab.cells[index].outputs", index)
        return found

    def text(self, index: int) -> str:
        """What a cell has printed, and the plain text of what it displays."""
        told = [each.get("text") or each.get("data", {}).get("text/plain", "") for each in self.outputs(index)]
        return "\n".join(told)

    def tracebacks(self) -> list[str]:
        """What cells ended with that is an error."""
        found: list[str] = self.page.evaluate(
            """colab.cells.flatMap(cell => cell.outputs.filter(each => each.output_type === "error")
               .map(each => `cell ${cell.index}: ${each.ename}: ${each.evalue}`))"""
        )
        return found

    def saved(self, notebook: Path) -> nbformat.NotebookNode:
        """The notebook as Colab saves it now: `notebook`'s text and metadata, the outputs, every widget's state."""
        content = json.loads(notebook.read_text(encoding="utf-8"))
        state = self.page.evaluate("colab.saved()")
        code = [cell for cell in content["cells"] if cell["cell_type"] == "code"]
        for cell, ran in zip(code, state["cells"], strict=False):
            cell.update(ran)
        if state["widgets"]:
            content["metadata"]["widgets"] = {"application/vnd.jupyter.widget-state+json": state["widgets"]}
        return nbformat.from_dict(content)

    # -- the page

    @contextmanager
    def another(self, theme: Theme = "light", blocked: Sequence[str] = ()) -> Iterator["MiniColab"]:
        """Another page without cells, of the same kernel. See `World.page`."""
        with self._world.page(theme, blocked) as page:
            yield MiniColab(page, self.server, self.kernel, self._world)

    def until(self, come: Callable[[], bool], what: str, seconds: float = 30) -> None:
        """Wait until `come` says so."""
        end = time.monotonic() + seconds
        while not come():
            assert time.monotonic() < end, f"waited {seconds} s for {what}; the browser says: {self.errors}"
            self.page.wait_for_timeout(50)

    def photograph(self, path: Path, size: ViewportSize = WIDE) -> None:
        """Take a picture of the whole page, as wide as `size`. Frames out of sight don't grow: all are in sight."""
        with window(self.page, {"width": size["width"], "height": 4000}):
            before = -1
            while before != (before := int(self.page.evaluate("document.getElementById('notebook').offsetHeight"))):
                self.page.wait_for_timeout(300)
            path.parent.mkdir(parents=True, exist_ok=True)
            self.page.locator("#notebook").screenshot(path=path)


@contextmanager
def mini_colab(
    browser: Browser, environment: Environment, folder: Path, variables: Mapping[str, str]
) -> Iterator[MiniColab]:
    """A mini Colab whose kernel runs in `folder`, in the environment, with the environment `variables` besides.

    Skips the test where the widget manager can't be made.
    """
    bundle = manager.built()
    with served(HERE / "page") as pages, served(HERE / "frames") as frames:
        origin = f"http://127.0.0.1:{pages}"
        options = [f"--NotebookApp.allow_origin={origin}", "--NotebookApp.iopub_data_rate_limit=1e10"]
        own = {"PYTHONPATH": str(GOOGLE), "COLAB_RELEASE_TAG": "release-colab-external_mini"}
        with servers.running("classic", environment, folder, {**own, **variables}, options) as server:
            kernel = str(server.ask("api/kernels", "POST", {"name": "python3"})["id"])
            address = f"{origin}/notebook.html?kernel={kernel}&server={server.url}&frames=http://localhost:{frames}/"
            world = World(browser, environment, bundle, address)
            with world.page() as page:
                yield MiniColab(page, server, kernel, world)


@dataclass(frozen=True)
class World:
    """What is around a page: the browser, and the hosts that Colab's frames load from."""

    browser: Browser
    environment: Environment
    bundle: Path
    address: str

    @contextmanager
    def page(self, theme: Theme = "light", blocked: Sequence[str] = ()) -> Iterator[Page]:
        """A page with no cells.

        blocked: hosts that the user's network doesn't let through, of ssl.gstatic.com and cdn.jsdelivr.net.
        """
        context = self.browser.new_context(viewport=WIDE, device_scale_factor=1, color_scheme=theme)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.route(re.compile("^https?://"), lambda route: self._answer(route, blocked))
        page.goto(f"{self.address}&theme={theme}")
        page.wait_for_function("window.colab")
        page.evaluate("() => colab.ready")
        try:
            yield page
        finally:
            context.close()

    def _answer(self, route: Route, blocked: Sequence[str]) -> None:
        """Nothing outside this machine is reached; what Colab's frames load from there lies here."""
        url = route.request.url
        host = urlsplit(url).hostname
        headers = {"Access-Control-Allow-Origin": "*"}
        if host in ("127.0.0.1", "localhost"):
            route.fallback()
        elif host in blocked:
            route.abort("connectionfailed")
        elif _MANAGER.fullmatch(url):
            route.fulfill(path=self.bundle / "manager.js", content_type="text/javascript", headers=headers)
        elif _ANYWIDGET.fullmatch(url):
            found = next(self.environment.folder.glob("lib/python*/site-packages/anywidget/nbextension/index.js"))
            route.fulfill(path=found, content_type="text/javascript", headers=headers)
        elif icon := _ICONS.match(url):
            route.fulfill(path=manager.packages(self.bundle) / "font-awesome" / icon[1], headers=headers)
        else:
            route.abort("connectionfailed")
