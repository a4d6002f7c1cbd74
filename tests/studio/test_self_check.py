"""The notebook's self-check: one block in the cell; what the page tells of its folds is in it; Interrupt ends it."""

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.models.conftest import local_hub, nothing_loaded
from tests.models.hub import Hub
from tests.models.stock import as_stocked, stock
from text2art_nb.runs import self_check as real
from text2art_nb.runs import surroundings
from text2art_nb.runs.self_check import SelfCheck
from text2art_nb.studio import Studio
from text2art_nb.studio import self_check as page_check
from text2art_nb.studio.self_check import folds_finding

__all__ = ["local_hub", "nothing_loaded"]

# What a test loads by a catalogue name from the local hub would be found by the tests that come after it.
pytestmark = pytest.mark.usefixtures("nothing_loaded")

ANSWER = {
    "do": "checked",
    "page": "JupyterLab or Notebook 7",
    "manager": "KernelWidgetManager",
    "browser": "Mozilla/5.0 Chrome",
    "folds": [["Gallery", 120, 32], ["Go on", 80.5, 32]],
}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that looks at the machine and at the page only."""
    for part in ("_weights", "_eyes", "_drawings", "_stop"):
        monkeypatch.setattr(SelfCheck, part, lambda self: ())


@pytest.fixture
def answers(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], None]:
    """Has the panel's page answer as it is told to."""
    assert studio.controller.panel is not None
    view = studio.controller.panel.view
    send = view.send

    def answer_with(content: dict[str, Any]) -> None:
        def answer(said: Any, buffers: Any = None) -> None:
            send(said, buffers)
            if said.get("show") == "check":
                view._handle_custom_msg(content, [])

        monkeypatch.setattr(view, "send", answer)

    return answer_with


def block_of(studio: Studio, capsys: pytest.CaptureFixture[str], only: str | None = None) -> str:
    capsys.readouterr()
    asyncio.run(studio.self_check(only))
    said = capsys.readouterr().out
    assert said.count("```text\n") == 1
    assert said.endswith("\n```\n")
    return " ".join(said[said.index("```text") :].split())


@pytest.mark.usefixtures("quick")
def test_the_block_tells_of_the_page_and_its_folds(
    studio: Studio, answers: Callable[[dict[str, Any]], None], capsys: pytest.CaptureFixture[str]
) -> None:
    answers(ANSWER)
    block = block_of(studio, capsys)
    assert "ok page: JupyterLab or Notebook 7, the front end's own widget manager (KernelWidgetManager)" in block
    assert "ok folds: all 2 open and shut: Gallery, Go on" in block
    assert "ok folder of pictures: " in block


@pytest.mark.usefixtures("quick")
def test_a_page_that_does_not_answer_is_broken(
    studio: Studio, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(page_check, "PAGE_SECONDS", 0.1)
    assert "BAD page: " in block_of(studio, capsys)


@pytest.mark.usefixtures("quick")
def test_without_a_panel_there_is_nothing_to_ask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("text2art_nb.studio.warmup.WarmUp.start", lambda self: None)
    assert "-- page: " in block_of(Studio(tmp_path), capsys)


@pytest.mark.usefixtures("quick")
def test_colab_is_told_apart(
    studio: Studio, answers: Callable[[dict[str, Any]], None], monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.setenv("COLAB_RELEASE_TAG", "release-colab_20261125")
    answers({**ANSWER, "page": "Colab"})
    block = block_of(studio, capsys)
    assert "page: Colab, Colab's custom widget manager" in block
    assert "Colab release-colab_20261125" in block


@pytest.mark.parametrize(
    ("said", "state", "text"),
    [
        ([["A", 100, 30], ["B", 30, 30]], "BAD", "1 of 2 don't open: B"),
        ([["A", 0, 0]], "--", "isn't in sight"),
        ([], "BAD", "told of none"),
        (None, "BAD", "told of none"),
        ([["A", "x", 3]], "BAD", "told of none"),
        ([["A", 1]], "BAD", "told of none"),
        ("ABC", "BAD", "told of none"),
    ],
)
def test_what_a_page_tells_is_looked_at_with_care(said: object, state: str, text: str) -> None:
    found = folds_finding(said)
    assert found.state == state
    assert text in found.text


def test_a_wrong_name_is_one_sentence(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr("text2art_nb.studio.studio.say", said.append)
    asyncio.run(studio.self_check("oil"))
    assert said == ["only takes vqgan, pixel, taesd, turbo, with commas between; got 'oil'"]


@pytest.mark.usefixtures("quick")
def test_interrupt_ends_it_with_what_was_found(
    studio: Studio,
    answers: Callable[[dict[str, Any]], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Also under a handler such as ipykernel's for async cells, which raises nothing."""
    answers(ANSWER)
    monkeypatch.setattr(SelfCheck, "_weights", lambda self: os.kill(os.getpid(), signal.SIGINT) or ())
    before = signal.signal(signal.SIGINT, lambda number, frame: None)
    try:
        block = block_of(studio, capsys)
        assert signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert "ok folds: " in block
    assert "interrupted while fetching and checking weights" in block


def test_it_draws_with_real_models_from_the_notebook_too(
    studio: Studio,
    answers: Callable[[dict[str, Any]], None],
    local_hub: Hub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answers(ANSWER)
    monkeypatch.setattr(surroundings, "free_bytes", lambda device: 64_000_000_000)
    real_device = real.devices.pick_device
    monkeypatch.setattr(real.devices, "pick_device", lambda name="auto": real_device("cpu"))
    stock(local_hub, ("full",), tmp_path / "stock")
    with as_stocked(local_hub):
        block = block_of(studio, capsys, "pixel")
    assert "ok drawing pixel: 3 pictures" in block
    assert "these weights are random" in block
