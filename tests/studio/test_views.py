"""The views: what a cell shows besides the panel, and the scripts and sheets that go to the browser."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image

from text2art_nb.studio import Studio, export, live_view
from text2art_nb.studio.output import HINT
from text2art_nb.studio.service import ServiceView
from text2art_nb.studio.view import PAGE, CellView, MaskView, PanelView


def press(view: CellView, label: str) -> None:
    """Click a view's button; a disabled one can't be."""
    [name] = [name for name, said, _, disabled in view.buttons if said == label and not disabled]
    view._handle_custom_msg({"do": name}, [])


def plainly(action: Callable[[], None]) -> Callable[..., None]:
    """A guard that keeps nothing back."""
    return lambda *_: action()


@pytest.mark.parametrize("kind", [PanelView, CellView, MaskView])
def test_a_views_script_is_one_module_without_addresses(kind: Any) -> None:
    script = str(kind._esm)
    assert script.count("export default") == 1
    assert not re.search(r"^\s*import\b", script, re.MULTILINE)
    assert "http://" not in script
    assert "https://" not in script.replace("^https?:", "")
    functions = re.findall(r"^(?:async )?function (\w+)", script, re.MULTILINE)
    assert len(functions) == len(set(functions)), "two scripts of one page have a function of the same name"


def test_every_script_is_short_and_belongs_to_a_view() -> None:
    said = "".join(str(kind._esm) + str(kind._css) for kind in (PanelView, CellView, MaskView))
    for path in PAGE.iterdir():
        text = path.read_text(encoding="utf-8")
        assert text in said, path.name
        assert text.count("\n") < 400


def test_where_no_panel_comes_a_plain_text_says_what_to_do() -> None:
    assert "studio.paint(" in HINT
    assert "Run this cell to open the control panel" in HINT
    assert ".t2a-again { display: none !important; }" in str(PanelView._css)


class FakeShare:
    """A service that draws, as far as its view asks."""

    password = "secret"

    def __init__(self) -> None:
        self.stopped = False
        self.status = SimpleNamespace(job="1", prompt="<b>fog</b>", iteration=3, total=9, waiting=1, trouble=None)

    def ask(self, path: str) -> bytes:
        return path.encode()

    def stop(self) -> None:
        self.stopped = True


def test_a_shared_cell_shows_the_link_the_queue_and_the_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    share: Any = FakeShare()
    view = ServiceView(share, "https://example.test/?key=1", plainly).view
    sent: list[Any] = []
    monkeypatch.setattr(view, "send", lambda content, buffers=None: sent.append((content["show"], bytes(buffers[0]))))
    press(view, "Look")
    assert view.link == "https://example.test/?key=1"
    assert "password" in view.note
    assert view.progress["status"] == "Drawing “<b>fog</b>”: iteration 3 of 9; no one is waiting."
    assert sent == [("picture", b"/api/jobs/1/frame")]
    view._handle_custom_msg({"do": "hello"}, [])  # a page that is opened again
    assert sent[1:] == sent[:1]
    press(view, "Stop sharing")
    assert share.stopped
    assert all(disabled for *_, disabled in view.buttons)


def test_where_links_lead_nowhere_a_button_hands_the_file_over(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asyncio.run(studio.paint())
    made: list[CellView] = []
    shown: list[Any] = []
    real = export.buttons_for

    def noted(*given: Any) -> CellView:
        made.append(real(*given))
        return made[-1]

    monkeypatch.setattr(export, "buttons_for", noted)
    monkeypatch.setattr("text2art_nb.studio.studio.display", shown.append)
    studio.save(film="none")
    assert made == []
    monkeypatch.setenv("VSCODE_PID", "1")
    studio.save(film="none")
    assert "href" not in shown[-1].data
    [view] = made
    [picture] = studio.library.pictures()
    sent: list[Any] = []
    monkeypatch.setattr(view, "send", lambda content, buffers=None: sent.append((content["name"], bytes(buffers[0]))))
    press(view, f"Download {picture.name}")
    assert sent == [(picture.name, picture.read_bytes())]
    assert str(picture) in view.note


def test_a_live_cells_pause_says_what_it_does_next(studio: Studio) -> None:
    background = studio.controller.create(studio.settings)
    cell = live_view.LiveCell(background.run, Image.new("RGB", (8, 8)), plainly)
    press(cell.view, "Pause")
    assert background.run.paused
    press(cell.view, "Resume")
    assert not background.run.paused
    press(cell.view, "Stop")
    assert background.run.stopped


def test_a_live_cells_view_goes_to_the_next_cell_and_stops_only_what_that_draws(studio: Studio) -> None:
    first, second = (studio.controller.create(studio.settings) for _ in range(2))
    start = Image.new("RGB", (8, 8))
    cell = live_view.LiveCell(first.run, start, plainly)
    cell.leave()
    assert all(disabled for *_, disabled in cell.view.buttons)
    next_cell = live_view.LiveCell(second.run, start, plainly, cell.view)
    assert next_cell.view is cell.view
    press(next_cell.view, "Stop")
    assert second.run.stopped
    assert not first.run.stopped


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.4, "about a second"),
        (7.2, "about 7 s"),
        (43, "about 45 s"),
        (89, "about 1.5 min"),
        (594, "about 10 min"),
        (779, "about 13 min"),
        (3 * 3600 + 100, "about 3 h"),
    ],
)
def test_a_time_is_said_as_a_person_would(seconds: float, words: str) -> None:
    frame: Any = SimpleNamespace(iteration=12, total=120, score=0.31, eta=seconds)
    assert live_view.status_line(frame) == f"iteration 12 of 120 · score 0.310 · {words} left"
