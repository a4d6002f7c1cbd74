"""What the studio offers first on each kind of machine, and what its one line says of that."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from text2art_nb.errors import ModelError
from text2art_nb.settings import Settings
from text2art_nb.studio import Studio, warmup
from text2art_nb.studio.check import CheckError
from text2art_nb.studio.warmup import WarmUp

Machine = Callable[..., None]
GB = 1_000_000_000


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Makes this machine look like another one, on which nothing is loaded."""

    def make(device: str, name: str = "", free: float = 0.0) -> None:
        monkeypatch.setattr("text2art_nb.runtime.devices.pick_device", lambda *_: torch.device(device))
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda *_: name)
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda *_: (int(free * GB), int(free * GB)))
        monkeypatch.setattr(WarmUp, "start", lambda self: None)

    return make


@pytest.mark.parametrize(
    ("device", "name", "free", "model", "quality", "size"),
    [
        ("cuda", "Tesla T4", 15.6, "full", "normal", 288),
        ("cuda", "NVIDIA L4", 23.4, "full", "better", 432),
        ("cuda", "NVIDIA A100-SXM4-40GB", 42.0, "full", "best", 576),
        ("cuda", "NVIDIA H200", 149.0, "full", "supreme", 720),
        ("cuda", "NVIDIA GeForce MX150", 2.0, "embedded", "normal", 288),
        ("mps", "", 0.0, "embedded", "normal", 288),
        ("cpu", "", 0.0, "embedded", "normal", 288),
    ],
)
def test_the_machine_decides_model_and_quality_and_the_line_says_so(
    machine: Machine,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    device: str,
    name: str,
    free: float,
    model: str,
    quality: str,
    size: int,
) -> None:
    machine(device, name, free)
    studio = Studio(tmp_path, prompt="a castle")
    assert (studio.settings.model, studio.settings.quality) == (model, quality)
    assert studio.settings.resolved().picture_size == (size, size)
    studio.hello()
    [line] = capsys.readouterr().out.splitlines()
    assert name in line
    assert f"in {quality} quality ({size} × {size} pixels)" in line


def test_the_panel_begins_with_the_cards_quality(machine: Machine, tmp_path: Path) -> None:
    machine("cuda", "NVIDIA L4", 23.4)
    studio = Studio(tmp_path)
    studio.panel(prompt="a castle")
    assert (studio.settings.model, studio.settings.quality) == ("full", "better")


@pytest.mark.parametrize("given", [{"quality": "draft"}, {"quality": "normal"}, {"quality": "supreme"}])
def test_what_the_user_sets_goes_before_the_card(
    machine: Machine, tmp_path: Path, capsys: pytest.CaptureFixture[str], given: dict[str, str]
) -> None:
    machine("cuda", "NVIDIA A100-SXM4-40GB", 42.0)
    studio = Studio(tmp_path, prompt="a castle", **given)
    assert studio.settings.quality == given["quality"]
    studio.hello()
    said = capsys.readouterr().out
    assert f"in {given['quality']} quality" in said
    assert "as you asked" in said


def test_a_size_or_number_of_steps_of_the_users_own_stays(machine: Machine, tmp_path: Path) -> None:
    machine("cuda", "NVIDIA A100-SXM4-40GB", 42.0)
    settings = Studio(tmp_path, prompt="a castle", size="128x96", iterations=7).settings.resolved()
    assert (settings.picture_size, settings.iterations) == ((128, 96), 7)


def test_the_embedded_models_are_not_made_dearer_by_a_card(machine: Machine, tmp_path: Path) -> None:
    machine("cuda", "NVIDIA H200", 149.0)
    settings = Studio(tmp_path, prompt="a castle", model="embedded").settings
    assert (settings.model, settings.quality) == ("embedded", "normal")


def fetching(monkeypatch: pytest.MonkeyPatch, *there: str) -> None:
    """Has the weights of some qualities be there, and a warm-up that only fetches."""

    def fetch(settings: Settings) -> None:
        if settings.quality not in there:
            raise ModelError(f"no server has what {settings.quality} needs")

    monkeypatch.setattr(warmup, "_fetch", fetch)
    monkeypatch.setattr(WarmUp, "start", lambda self: self._fetch())


@pytest.mark.parametrize(
    ("there", "model", "quality"),
    [(("best", "normal"), "full", "best"), (("normal",), "full", "normal"), ((), "embedded", "normal")],
)
def test_what_can_not_be_fetched_costs_no_more_than_it_must(
    machine: Machine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    there: tuple[str, ...],
    model: str,
    quality: str,
) -> None:
    machine("cuda", "NVIDIA A100-SXM4-40GB", 42.0)
    fetching(monkeypatch, *there)
    studio = Studio(tmp_path, prompt="a castle")
    studio.hello()
    assert (studio.settings.model, studio.settings.quality) == (model, quality)
    assert f"in {quality} quality" in capsys.readouterr().out


def test_what_the_user_set_meanwhile_stays_when_weights_can_not_be_fetched(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("cuda", "NVIDIA A100-SXM4-40GB", 42.0)
    fetching(monkeypatch)
    studio = Studio(tmp_path, prompt="a castle")
    studio.set(quality="draft")
    studio.hello()
    assert (studio.settings.model, studio.settings.quality) == ("embedded", "draft")


def test_a_card_whose_driver_tells_nothing_draws_as_a_t4_does(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine("cuda")

    def fail(*_: Any) -> None:
        raise RuntimeError("CUDA error: unknown error")

    monkeypatch.setattr(torch.cuda, "mem_get_info", fail)
    settings = Studio(tmp_path, prompt="a castle").settings
    assert (settings.model, settings.quality) == ("full", "normal")


def test_while_models_load_it_says_so_now_and_then(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import threading
    import time

    machine("cpu")
    monkeypatch.setattr(warmup, "TELL_SECONDS", 0.05)

    def start(self: WarmUp) -> None:
        self._warming = threading.Thread(target=time.sleep, args=(0.3,))
        self._warming.start()

    monkeypatch.setattr(WarmUp, "start", start)
    Studio(tmp_path).hello()
    first, *others, last = capsys.readouterr().out.splitlines()
    assert first == "Loading the models …"
    assert len(others) >= 2
    assert all("still loading" in each for each in others)
    assert last.startswith("text2art draws on")


def test_the_check_is_one_sentence_where_no_picture_was_drawn(machine: Machine, tmp_path: Path) -> None:
    machine("cpu")
    studio = Studio(tmp_path)
    with pytest.raises(CheckError, match="no picture has been drawn yet") as found:
        studio.check()
    assert found.value._render_traceback_() == [f"text2art: {found.value}"]
    studio.errors.append(ZeroDivisionError("broken"))
    with pytest.raises(CheckError, match="broken"):
        studio.check()
