"""The self-check with real models: from an empty cache on a local hub to one block that can be pasted into an issue."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.models.hub import Hub
from tests.models.stock import as_stocked, stock
from text2art_nb.__main__ import main
from text2art_nb.errors import SettingsError
from text2art_nb.models import find
from text2art_nb.runs import self_check, surroundings, trial
from text2art_nb.runs.self_check import SelfCheck, chosen_drawers
from text2art_nb.runtime.report import Finding
from text2art_nb.settings.presets import FULL_PRESETS

pytestmark = pytest.mark.usefixtures("nothing_loaded")


@pytest.fixture
def stocked(local_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """A hub with small checkpoints of all that `full` needs, and much free memory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(surroundings, "free_bytes", lambda device: 64_000_000_000)
    stock(local_hub, ("full", "turbo"), tmp_path / "stock")
    return local_hub


def check_on(hub: Hub, only: str | None = None, **how: Any) -> SelfCheck:
    check = SelfCheck(only, "cpu", **how)
    with as_stocked(hub):
        check.run()
    return check


def by_name(check: SelfCheck) -> dict[str, Finding]:
    return {each.name: each for each in check.findings}


def test_from_an_empty_cache_everything_is_looked_at(stocked: Hub) -> None:
    check = check_on(stocked)
    found = by_name(check)
    broken = {name for name, each in found.items() if each.state == "BAD"}
    assert broken - {"doctor"} == {"CLIP ViT-B/32", "CLIP ViT-B/16"}
    assert "python" in [each["name"] for each in found["doctor"].data["checks"]]
    assert found["device"].data["device"] == "cpu"
    assert found["device"].data["dtype"] == "float32"
    assert found["versions"].data["packages"]["torch"].startswith("2.")
    for name in ("imagenet_f16_16384", "ViT-B/32", "ViT-B/16", "taesd"):
        weights = found[f"weights {name}"].data
        assert weights["fetched"]
        assert re.fullmatch("[0-9a-f]{40}", weights["revision"])
        assert all(len(file["found"]) == 64 and file["ok"] for file in weights["files"])
    for name in ("vqgan", "pixel", "taesd"):
        drawn = found[f"drawing {name}"].data
        assert len(drawn["drawings"]) == 3
        assert drawn["peak_bytes"] > 50_000_000
        assert all(each["finite"] and not each["flat"] and each["iteration_seconds"] > 0 for each in drawn["drawings"])
        assert all(each["before"] != each["after"] for each in drawn["drawings"])
    assert found["drawing turbo"].state == "--"
    assert 0 <= found["Stop"].data["seconds"] < 60
    assert not any(one.path.startswith(f"/{find('sd-turbo').repository}/") for one in stocked.asked), (
        "2.6 GB for nothing"
    )
    assert not check.ok


def test_random_weights_cannot_pass_and_the_block_says_why(stocked: Hub) -> None:
    block = check_on(stocked, "pixel").block
    assert "these weights are random" in " ".join(block.split())
    assert block.splitlines()[-2].endswith("CLIP ViT-B/32, CLIP ViT-B/16")


def test_the_block_is_one_block_of_plain_text(stocked: Hub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    block = check_on(stocked, "pixel").block
    lines = block.splitlines()
    assert lines[0] == "```text"
    assert lines[-1] == "```"
    assert block.count("```") == 2
    assert str(tmp_path) not in block
    assert max(len(line) for line in lines if " " in line.strip()) <= 110


def test_the_second_time_nobody_is_asked(stocked: Hub) -> None:
    check_on(stocked, "pixel")
    before = len(stocked.asked)
    found = by_name(check_on(stocked, "pixel"))
    assert len(stocked.asked) == before
    assert "was here" in found["weights ViT-B/32"].text


def test_turbo_draws_where_it_is_named(stocked: Hub) -> None:
    found = by_name(check_on(stocked, "turbo"))
    assert found["drawing turbo"].state == "ok", found["drawing turbo"].text
    assert found["drawing turbo"].data["iterations"] == 2
    assert "drawing vqgan" not in found
    assert "weights imagenet_f16_16384" not in found


def test_where_memory_is_short_nothing_is_fetched_for_it(stocked: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surroundings, "free_bytes", lambda device: 3_000_000_000)
    found = by_name(check_on(stocked, "turbo,pixel"))
    assert "3 GB are free" in found["drawing turbo"].text
    assert "weights sd-turbo" not in found
    assert found["drawing pixel"].state == "ok"


def test_weights_that_cannot_be_had_leave_the_rest(stocked: Hub) -> None:
    stocked.repositories.pop(find("taesd").repository)
    found = by_name(check_on(stocked, "taesd,pixel"))
    assert found["weights taesd"].state == "BAD"
    assert "Missing: " in found["weights taesd"].text
    assert found["drawing taesd"].state == "--"
    assert "taesd could not be had" in found["drawing taesd"].text
    assert found["drawing pixel"].state == "ok"


def test_weights_that_give_no_numbers_are_found_by_eye_and_drawing(stocked: Hub) -> None:
    repository = stocked.repositories[find("ViT-B/16").repository]
    held = repository.commits[repository.newest]["pytorch_model.bin"]
    assert isinstance(held, Path)
    tensors = torch.load(held, weights_only=True)
    tensors["visual_projection.weight"].fill_(float("nan"))
    torch.save(tensors, held)
    check = check_on(stocked, "pixel")
    found = by_name(check)
    assert "numbers that are none (NaN)" in found["CLIP ViT-B/16"].text
    assert "NaN" not in found["CLIP ViT-B/32"].text
    assert found["drawing pixel"].state == "BAD"
    assert "numbers that are none" in found["drawing pixel"].text
    json.loads(json.dumps(check.data, allow_nan=False))


def test_a_file_that_was_changed_since_is_found(stocked: Hub, tmp_path: Path) -> None:
    check_on(stocked, "pixel")
    [tensors] = (tmp_path / "cache" / "clip").glob("*patch16/pytorch_model.bin")
    tensors.write_bytes(tensors.read_bytes()[:-1] + b"?")
    found = by_name(check_on(stocked, "pixel"))
    assert found["weights ViT-B/16"].state == "BAD"
    assert "isn't the file that was fetched" in found["weights ViT-B/16"].text


def test_a_fault_of_ours_is_a_finding_with_its_place(stocked: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("on purpose")

    monkeypatch.setattr(trial, "draw_trial", broken)
    check = check_on(stocked, "pixel")
    found = by_name(check)
    assert "ZeroDivisionError: on purpose (in test_self_check.py:" in found["drawing pixel"].text
    assert found["Stop"].state == "--"


def test_numbers_that_are_none_are_told() -> None:
    usual = {"prompt": "a", "before": 0.1, "after": 0.2, "first_seconds": 1.0, "iteration_seconds": 0.1}

    def drawing(**changes: Any) -> trial.Drawing:
        return trial.Drawing(**{**usual, "finite": True, "flat": False, **changes})

    def fault(*drawings: trial.Drawing, iterations: int = 40) -> str:
        return trial.Trial("vqgan", (144, 144), iterations, drawings, 1).fault

    assert fault(drawing()) == ""
    assert fault(drawing(), drawing(finite=False)) == "numbers that are none"
    assert fault(drawing(flat=True)) == "a picture of one color"
    assert fault(drawing(after=0.05), drawing(after=0.1)) == "no score rose"
    assert fault(drawing(after=0.05), drawing()) == ""
    assert fault(drawing(after=0.05), iterations=4) == "", "four iterations needn't help"


@pytest.mark.parametrize(
    ("card", "free", "quality"),
    [
        ("Tesla T4", 15e9, "normal"),
        ("NVIDIA L4", 22e9, "better"),
        ("NVIDIA A100-SXM4-40GB", 39e9, "best"),
        ("?", 3e9, "draft"),
    ],
)
def test_a_card_is_checked_with_the_models_that_the_notebook_takes_there(
    card: str, free: float, quality: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (int(free), int(free)))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: card)
    assert surroundings.quality_for(torch.device("cuda")) == quality
    assert surroundings.quality_for(torch.device("cpu")) == "normal"


@pytest.mark.parametrize("drawer", trial.DRAWERS)
@pytest.mark.parametrize("quality", FULL_PRESETS)
def test_trials_look_with_the_clips_of_their_quality(drawer: str, quality: str) -> None:
    for device in ("cpu", "cuda"):
        settings = trial.trial_settings(drawer, device, quality)
        assert settings.perceptor_names == FULL_PRESETS[quality].perceptors
        assert settings.batches == 1
        assert settings.device == device


def test_stop_is_heard_within_an_iteration(stocked: Hub) -> None:
    with as_stocked(stocked):
        found = trial.stop_delay("pixel", "cpu", "normal")
    assert found.ok
    assert found.seconds > 0


def test_ctrl_c_leaves_a_block_of_what_was_found_so_far(stocked: Hub) -> None:
    """A real signal, while a drawing goes on."""

    def interrupt() -> None:
        until = time.monotonic() + 120
        while "with pixel" not in said["doing"] and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    said = {"doing": ""}
    check = SelfCheck("pixel", "cpu", tell=lambda sentence: said.update(doing=sentence))
    watcher = threading.Thread(target=interrupt)
    watcher.start()
    with as_stocked(stocked):
        check.run()
    watcher.join()
    assert check.interrupted
    assert not check.ok
    assert "CLIP ViT-B/32" in by_name(check)
    assert check.block.splitlines()[-2].startswith("interrupted while drawing with pixel; broken: ")


def test_the_command_line_prints_json_for_programs(stocked: Hub, capsys: pytest.CaptureFixture[str]) -> None:
    with as_stocked(stocked):
        assert main(["doctor", "--real", "--only", "pixel", "--device", "cpu", "--json"]) == 1
    said = json.loads(capsys.readouterr().out)
    assert said["ok"] is False
    assert {each["name"] for each in said["findings"]} >= {
        "versions",
        "device",
        "CLIP ViT-B/32",
        "drawing pixel",
        "Stop",
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--real", "--only", "strokes"], "only takes vqgan, pixel, taesd, turbo, with commas between; got 'strokes'"),
        (["--real", "--device", "cuda:99"], "this machine has no device 'cuda:99'"),
        (["--only", "vqgan"], "--only is for the check with real models"),
    ],
)
def test_what_makes_no_sense_is_refused(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", *words]) == 2
    assert said in capsys.readouterr().err


def test_where_torch_does_not_load_the_usual_report_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "text2art_nb.runs.self_check", None)
    assert main(["doctor", "--real", "--only", "pixel"]) == 1
    said = capsys.readouterr()
    assert "real models can't be tried out" in said.err
    assert "ok   python" in said.out


def test_the_usual_report_is_there_for_programs_too(capsys: pytest.CaptureFixture[str]) -> None:
    main(["doctor", "--json"])
    said = json.loads(capsys.readouterr().out)
    assert "python" in [check["name"] for check in said["checks"]]


@pytest.mark.parametrize(("only", "drawers"), [(None, self_check.DRAWERS), (" pixel, vqgan,pixel", ("pixel", "vqgan"))])
def test_drawers_are_named_with_commas(only: str | None, drawers: tuple[str, ...]) -> None:
    assert chosen_drawers(only) == drawers


@pytest.mark.parametrize("only", ["", ",", "VQGAN", "fft"])
def test_others_are_refused(only: str) -> None:
    with pytest.raises(SettingsError, match="only takes"):
        chosen_drawers(only)


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_random_weights_of_full_architecture_from_an_empty_cache(tmp_path: Path) -> None:
    """As a person would call it, on a hub with weights as large as the real ones (1.6 GB)."""
    command = [
        sys.executable,
        "-m",
        "tests.models.hub",
        "--stock",
        "full,taesd",
        "--real-size",
        "run",
        "doctor",
        "--real",
    ]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert done.returncode == 1, done.stderr
    said = json.loads(done.stdout)
    found = {each["name"]: each for each in said["findings"]}
    broken = {name for name, each in found.items() if each["state"] == "BAD"}
    assert broken - {"doctor"} == {"CLIP ViT-B/32", "CLIP ViT-B/16"}, said["verdict"]
    for name in ("CLIP ViT-B/32", "CLIP ViT-B/16"):
        assert found[name]["data"]["untrained"]
        assert found[name]["data"]["right"] < 6
        assert "these weights are random" in found[name]["text"]
    assert sum(each["data"]["bytes"] for name, each in found.items() if name.startswith("weights ")) > 1_400_000_000
    for name in ("vqgan", "pixel", "taesd"):
        assert found[f"drawing {name}"]["state"] == "ok", found[f"drawing {name}"]["text"]
        assert found[f"drawing {name}"]["data"]["peak_bytes"] > 1_000_000_000
