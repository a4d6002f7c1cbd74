"""The doctor finds what is broken, says how to mend it, and calls nothing broken that works."""

from pathlib import Path

import pytest

from text2art_nb.models import embedded
from text2art_nb.runs import doctor
from text2art_nb.runs.doctor import Check
from text2art_nb.runtime.bootstrap import Requirement


def test_a_report_covers_what_drawing_needs() -> None:
    names = [check.name for check in doctor.report()]
    for name in ("python", "torch", "transformers", "device", "memory", "disk", "embedded models", "ffmpeg", "sqlite"):
        assert name in names


def test_this_machine_can_draw() -> None:
    """CI's own machine is well; the embedded models have a test of their own."""
    assert [check for check in doctor.report() if not check.ok and check.name != "embedded models"] == []


def test_what_is_broken_is_marked_and_mended() -> None:
    said = doctor.text([Check("python", "3.13"), Check("torch", "missing", False, "install it")])
    assert said.splitlines() == [
        "ok   python  3.13",
        "BAD  torch   missing",
        "             -> install it",
        "",
        "broken: torch",
    ]


def test_the_exit_status_tells_too(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(doctor, "report", lambda: [Check("python", "3.13")])
    assert doctor.main() == 0
    assert "all is well" in capsys.readouterr().out
    monkeypatch.setattr(doctor, "report", lambda: [Check("python", "3.9", False, "newer")])
    assert doctor.main() == 1


@pytest.mark.parametrize(("have", "ok"), [({"torch": "2.13.0+cpu"}, True), ({"torch": "2.10.0"}, False), ({}, False)])
def test_a_package_too_old_or_missing_is_found(have: dict[str, str], ok: bool) -> None:
    [check] = doctor.package_checks([Requirement("torch", "2.11")], have)
    assert check.ok is ok
    assert ok or "torch>=2.11" in check.mend


def test_embedded_models_that_are_missing_or_changed_are_found(tmp_path: Path) -> None:
    [check] = doctor.embedded_checks(tmp_path)
    assert not check.ok
    assert "clip, clip2, vqgan missing" in check.found
    for kind in ("clip", "clip2", "vqgan"):
        (tmp_path / kind).mkdir()
        (tmp_path / kind / "config.json").write_text("{}")
    embedded.write_sums(tmp_path)
    assert doctor.embedded_checks(tmp_path)[0].ok
    (tmp_path / "clip" / "config.json").write_text("{ }")
    [check] = doctor.embedded_checks(tmp_path)
    assert not check.ok
    assert "clip/config.json differs" in check.found


def test_a_cache_that_cannot_be_written_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXT2ART_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(doctor.os, "access", lambda *_: False)
    [check] = doctor._disk()
    assert not check.ok
    assert "TEXT2ART_CACHE" in check.mend


def test_a_cache_that_cannot_be_reached_does_not_end_the_doctor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Too long a name is refused to everybody, also to root, who may enter every folder.
    monkeypatch.setenv("TEXT2ART_CACHE", str(tmp_path / ("x" * 300) / "cache"))
    assert [check.name for check in (*doctor._disk(), *doctor._fetched())] == ["disk", "fetched models"]


def test_a_user_without_a_home_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXT2ART_CACHE", "~nobody-of-this-name/cache")
    [check] = (*doctor._disk(), *doctor._fetched())
    assert not check.ok
    assert "there is no folder for weights" in check.found
    assert "TEXT2ART_CACHE" in check.mend


def test_a_broken_ffmpeg_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/nowhere/ffmpeg")
    [check] = doctor._ffmpeg()
    assert not check.ok
    assert "imageio-ffmpeg" in check.mend


def test_weights_that_were_fetched_are_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXT2ART_CACHE", str(tmp_path))
    part = tmp_path / "taesd" / "madebyollin--taesd" / "diffusion_pytorch_model.safetensors.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"begun")
    [check] = doctor._fetched()
    assert check.name == "taesd madebyollin/taesd"
    assert "not whole" in check.mend


def test_memory_is_read_where_linux_tells_it(tmp_path: Path) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\nMemAvailable:   2048 kB\n")
    assert doctor.available_memory(tmp_path / "meminfo") == 2048 * 1024
    assert (doctor.available_memory(tmp_path / "nothing") or 0) > 1e8
