"""One prompt by all drawers that can run here, in one picture."""

import os
import signal
import time
from collections.abc import Callable
from importlib import import_module
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from text2art_nb import Comparison, compare, drawers, models
from text2art_nb.__main__ import main
from text2art_nb.errors import ArtworkError, ModelError, SettingsError
from text2art_nb.runs.frame import Frame
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

Tiny = Callable[..., Settings]


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No weights lie in any cache."""
    for name in ("TEXT2ART_CACHE", "HF_HOME", "HF_HUB_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / name))
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def pair(tiny: Tiny) -> Comparison:
    """What two drawers made of a prompt."""
    return compare(tiny(iterations=2, seed=None), ["pixel", "vqgan -> pixel"])


def test_every_drawer_gives_an_artwork_that_draws_itself_again(pair: Comparison) -> None:
    assert list(pair.artworks) == ["pixel", "vqgan -> pixel"]
    for artwork in pair.artworks.values():
        run = Run(artwork.settings)
        list(run)
        assert run.artwork.image.tobytes() == artwork.image.tobytes()
    assert len({artwork.settings.seed for artwork in pair.artworks.values()}) == 1


def test_what_lacks_its_weights_is_left_out_and_no_server_is_asked(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a server was asked")

    monkeypatch.setattr(import_module("text2art_nb.models.locate"), "fetch", refuse)
    found = compare(tiny(iterations=1))
    assert {"pixel", "vqgan", "strokes", "fft"} <= set(found.artworks)
    assert set(found.artworks) | set(found.left_out) == set(drawers.names())
    assert "no generator" in found.left_out["generator"]
    assert all(why in str(found) for why in found.left_out.values())


def test_no_network_means_no_network_only_while_it_lasts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEXT2ART_OFFLINE", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    from text2art_nb.models.locate import is_offline

    with models.without_network():
        assert is_offline()
    assert not is_offline()


def test_the_contact_sheet_shows_them_side_by_side(pair: Comparison) -> None:
    width, height = pair.image.size
    assert width > 2 * 256
    assert height < 2 * 256
    left, right = (pair.image.crop((x, 60, x + 256, 60 + 200)) for x in (16, 288))
    assert left.tobytes() != right.tobytes()
    assert all(len(tile.getcolors(60_000) or []) > 10 for tile in (left, right))


def test_a_notebook_shows_the_sheet(pair: Comparison) -> None:
    shown = Image.open(BytesIO(pair._repr_png_()))
    assert shown.size == pair.image.size
    assert shown.convert("RGB").tobytes() == pair.image.tobytes()


def test_a_sheet_is_a_still_picture(pair: Comparison, tmp_path: Path) -> None:
    with pytest.raises(ArtworkError, match="contact sheet is saved as"):
        pair.save(tmp_path / "sheet.mp4")


def test_an_unknown_drawer_is_an_error_and_not_left_out(tiny: Tiny) -> None:
    with pytest.raises(SettingsError, match="did you mean 'pixel'"):
        compare(tiny(), ["pixle"])


def test_where_nobody_can_draw_it_says_why(tiny: Tiny) -> None:
    with pytest.raises(ModelError, match="no drawer can draw here: generator: there is no generator"):
        compare(tiny(), "generator")


def test_the_command_line_compares(tiny_clip: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    words = ["compare", "a", "cat", "--drawers", "pixel", "--iterations", "1", "--size", "32x32"]
    assert main([*words, "--set", f"perceptors={tiny_clip}", "--set", "start=noise", "--out", "sheet.png"]) == 0
    said = capsys.readouterr()
    assert said.out == "sheet.png\n"
    assert "pixel: score" in said.err
    assert Image.open(tmp_path / "sheet.png").size[0] == 288


def interrupt(_: object = None) -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.2)  # until it's heard


def test_ctrl_c_ends_with_the_drawers_that_are_done(tiny: Tiny) -> None:
    def watch(frame: Frame) -> None:
        seen.append(frame.iteration)
        if len(seen) == 3:
            interrupt()

    seen: list[int] = []
    assert list(compare(tiny(iterations=2), ["pixel", "vqgan -> pixel"], watch=watch).artworks) == ["pixel"]


def test_ctrl_c_before_the_first_is_done_is_no_fault_of_the_drawers(tiny: Tiny) -> None:
    with pytest.raises(KeyboardInterrupt):
        compare(tiny(iterations=2), "pixel", watch=interrupt)


def test_a_sheet_that_cannot_be_written_is_known_before_it_is_drawn(capsys: pytest.CaptureFixture[str]) -> None:
    Path("folder").write_text("a file")
    assert main(["compare", "a", "cat", "--out", "folder/sheet.png"]) == 2
    assert "the sheet cannot be written to folder: " in capsys.readouterr().err


def test_a_sheet_may_lie_at_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tiny_clip: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    words = ["compare", "a cat", "--drawers=pixel", "--iterations=1", "--size=32x32", f"--set=perceptors={tiny_clip}"]
    assert main([*words, "--set=start=noise", "--out=~/sheet.png"]) == 0
    assert (tmp_path / "home" / "sheet.png").exists()
    assert not Path("~").exists()
