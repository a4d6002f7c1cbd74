"""pixray draws in a process of its own, and is watched, stopped, filmed and kept as any other run.

Against a stand-in that speaks its calls. The last tests are against the real one, where PIXRAY_HOME says where it is.
"""

import errno
import os
import subprocess
import threading
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from tests.runs.pixray.conftest import REAL
from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.errors import RunError, SettingsError
from text2art_nb.runs.drawing import draw
from text2art_nb.runs.frame import Frame
from text2art_nb.runs.pixray import arguments as pixrays
from text2art_nb.runs.pixray import child
from text2art_nb.runs.pixray.process import is_here
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

# Named by pixray's own names, so that no model is handed to it.
OWN = {"clip_models": "ViT-B/32", "vqgan_model": "imagenet_f16_16384"}


def asked(**changes: Any) -> Settings:
    """seed 0, 1, 2: the stand-in's red, green, blue."""
    own = {**OWN, **changes.pop("pixray", {})}
    values = {"prompts": "something red", "engine": "pixray", "size": (40, 24), "iterations": 4, "seed": 0, **changes}
    return Settings(**values, pixray=own)


def test_its_frames_are_frames_like_any_other_and_make_a_picture_a_film_and_a_recipe(
    standin: Path, tmp_path: Path
) -> None:
    frames: list[Frame] = []
    artwork = draw(asked(), out=tmp_path / "a.png", video=tmp_path / "a.mp4", watch=frames.append)
    assert [(frame.iteration, frame.total) for frame in frames] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [round(frame.loss, 2) for frame in frames] == [1.0, 0.75, 0.5, 0.25]
    assert [frame.image.size for frame in frames] == [(40, 24)] * 4
    assert [frame.image.getpixel((0, 0)) for frame in frames] == [(0, 0, 0), (64, 0, 0), (128, 0, 0), (191, 0, 0)]
    assert artwork.image.getpixel((0, 0)) == (255, 0, 0)  # what it drew with its last step
    for name in ("a.png", "a.mp4"):
        settings = Artwork.open(tmp_path / name, trusted=True).settings
        assert (settings.engine, settings.pixray, settings.prompts) == ("pixray", OWN, "something red")


def test_candidates_are_processes_side_by_side_and_one_can_go_on_alone(standin: Path) -> None:
    run = Run(asked(candidates=2, iterations=6))
    next(run)
    frame = next(run)
    assert [frame.picture(k).getpixel((0, 0)) for k in range(2)] == [(42, 0, 0), (0, 42, 0)]
    assert frame.best == 0
    run.steer(candidate=1)
    assert {frame.candidates for frame in run} == {1}
    assert run.artwork.image.getpixel((0, 0)) == (0, 255, 0)


def children(run: Run) -> list[subprocess.Popen[bytes]]:
    loop: Any = run._loop
    return [process._process for process in loop._processes]


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="the environment of a process is read in /proc")
def test_its_helpers_sleep_while_they_wait_too(standin: Path) -> None:
    run = Run(asked(pixray={"init_noise": "slow"}))
    next(run)
    [process] = children(run)
    told = dict(line.split("=", 1) for line in Path(f"/proc/{process.pid}/environ").read_text().split("\0") if line)
    run.stop()
    list(run)
    names = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")
    assert {name: told[name] for name in names if name in told} == {
        name: os.environ[name] for name in names if name in os.environ
    }
    assert told.keys() & set(names)


def test_stopping_does_not_wait_for_a_long_iteration_and_leaves_nothing_but_the_picture(
    standin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run = Run(asked(pixray={"init_noise": "slow"}))
    next(run)
    [process] = children(run)
    assert list(tmp_path.glob("text2art-pixray-*"))
    threading.Timer(0.3, run.stop).start()
    began = time.monotonic()
    assert list(run) == []
    assert time.monotonic() - began < 45  # the iteration takes a minute
    assert run.artwork.image.size == (40, 24)
    assert process.poll() is not None
    assert not list(tmp_path.glob("text2art-pixray-*"))


def test_its_score_is_the_cosine_of_the_whole_picture_and_the_words() -> None:
    eye = SimpleNamespace(input_resolution=4, encode_image=lambda views: views.mean((2, 3)))
    words = [torch.tensor([[1.0, 0.0, 0.0]]), torch.tensor([[0.0, 1.0, 0.0]]), torch.tensor([[0.0, 0.0, 1.0]])]
    prompts = [
        SimpleNamespace(embed=each, weight=torch.tensor(weight))
        for each, weight in zip(words, (3.0, -1.0, 9.0), strict=True)
    ]
    pixray = SimpleNamespace(perceptors={"eye": eye}, pmsTable={"eye": prompts})
    asked = SimpleNamespace(clip_models=["eye"], prompts=["a", "b"])  # the third is pixray's own vector
    red, green = (torch.zeros(1, 3, 8, 8) for _ in range(2))
    red[:, 0] = green[:, 1] = 1
    assert child.score(pixray, asked, red) == pytest.approx(0.75)
    assert child.score(pixray, asked, green) == pytest.approx(-0.25)


def test_a_run_that_was_stopped_between_two_frames_leaves_no_process(standin: Path) -> None:
    run = Run(asked())
    next(run)
    [process] = children(run)
    run.stop()
    assert list(run) == []
    assert process.poll() is not None


@pytest.mark.parametrize(
    ("noise", "sentence"),
    [
        ("tired", "pixray failed: RuntimeError: the paint has run out of the tube; its log is "),
        ("killed", r"pixray failed: it was killed \(SIGKILL\), perhaps for want of memory; its log is "),
        ("sulk", "pixray failed: init noise not understood, aborting ->  sulk; its log is "),
    ],
)
def test_its_end_is_one_sentence_with_the_place_of_its_log(
    standin: Path, tmp_path: Path, noise: str, sentence: str
) -> None:
    run = Run(asked(pixray={"init_noise": noise}), directory=tmp_path / "run")
    with pytest.raises(RunError, match=sentence) as caught:
        list(run)
    log = Path(str(caught.value).partition("its log is ")[2])
    assert log == tmp_path / "run" / "pixray-0" / "pixray.log"
    assert "Using seed" in log.read_text() or noise == "sulk"


def test_a_folder_that_can_have_no_links_is_drawn_in_and_holds_the_log_alone(
    standin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Google Drive's, in Colab."""
    link = Path.symlink_to

    def not_on_drive(self: Path, target: Path) -> None:
        if self.is_relative_to(tmp_path / "drive"):
            raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
        link(self, target)

    monkeypatch.setattr(Path, "symlink_to", not_on_drive)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    assert len(list(Run(asked(), directory=tmp_path / "drive"))) == 4
    assert [path.name for path in (tmp_path / "drive" / "pixray-0").iterdir()] == ["pixray.log"]
    assert not list(tmp_path.glob("text2art-pixray-*"))


def test_it_runs_where_what_it_opens_beside_itself_is(standin: Path, tmp_path: Path) -> None:
    run = Run(asked(), directory=tmp_path / "run")
    next(run)
    loop: Any = run._loop
    beside = Path(loop._processes[0]._place.name)
    assert os.readlink(f"/proc/{children(run)[0].pid}/cwd") == str(beside)
    assert (beside / "vectors").resolve() == standin / "pixray" / "vectors"
    run.stop()
    list(run)
    assert (standin / "pixray" / "vectors").is_dir()


def test_where_nothing_can_be_written_it_is_one_sentence(
    standin: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Path, target: Path) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "symlink_to", full)
    with pytest.raises(RunError, match="pixray can't be started: No space left on device"):
        next(Run(asked()))


def test_where_it_is_not_installed_one_sentence_says_how(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PIXRAY_HOME", str(tmp_path))
    assert not is_here()
    with pytest.raises(RunError, match=r"isn't installed on this machine; \./setup_colab\.sh --with-pixray installs"):
        next(Run(asked()))


def test_losses_and_filters_that_it_has_not_are_left_out_and_said(tmp_path: Path) -> None:
    settings = asked(losses="gaussian:1,edge:0.5", filters=["tile", "tile-brick"]).resolved()
    given = frozenset({"losses", "filters"})
    told = pixrays.asked(settings, 0, tmp_path, given)
    assert (told["custom_loss"], told["filters"]) == ("edge:0.5", "tiler")
    assert pixrays.without_meaning(settings, given) == ["filter 'tile-brick'", "loss 'vignette'"]


def test_it_cannot_be_steered_and_says_so(standin: Path) -> None:
    with pytest.raises(SettingsError, match="prompts can't be changed while pixray draws; candidate can"):
        Run(asked()).steer(prompts="something blue")


@pytest.mark.parametrize(
    ("given", "field", "sentence"),
    [
        ({"pixray": {"init_nois": "snow"}}, "pixray", "has no setting 'init_nois'; did you mean 'init_noise'"),
        ({"pixray": [1]}, "pixray", "pixray must be its settings by name"),
        ({"pixray": np.zeros(3)}, "pixray", "pixray must be its settings by name"),
        ({"drawer": "turbo"}, "drawer", "pixray has no drawer 'turbo'; it draws with vqgan, pixel, strokes, fft"),
        ({"engine": "pixry"}, "engine", "did you mean 'pixray'"),
        ({"engine": "text2art", "pixray": {"init_noise": "snow"}}, "pixray", "need engine='pixray'"),
    ],
)
def test_what_it_cannot_be_asked_for_is_refused_in_a_sentence(given: Any, field: str, sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings(**{"prompts": "a", "engine": "pixray", **given})
    assert sentence in caught.value.problems[field]


def test_what_the_run_must_know_may_stand_among_its_settings() -> None:
    settings = Settings(engine="pixray", pixray='{"prompts": "a fish", "iterations": 7, "cut_power": 2}')
    assert (settings.prompts, settings.iterations, settings.pixray) == ("a fish", 7, {"cut_pow": 2})
    assert Settings.from_recipe(settings.to_recipe(), trusted=True) == settings


def test_a_strangers_recipe_may_have_it_read_no_file() -> None:
    for name in ("init_image", "vqgan_checkpoint", "spot_file", "outdir", "clip_models"):
        recipe = Settings(prompts="a", engine="pixray", pixray={name: "/etc/passwd"}).to_recipe()
        with pytest.raises(SettingsError, match=f"may not name files or weights; got {name}"):
            Settings.from_recipe(recipe)


@pytest.mark.skipif(REAL is None, reason="PIXRAY_HOME says where the real pixray is")
@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_the_real_one_draws_with_the_embedded_models(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIXRAY_HOME", os.environ["PIXRAY_HOME"])
    for drawer in ("vqgan", "pixel"):
        run = Run(
            Settings(
                prompts="a red castle",
                engine="pixray",
                drawer=drawer,
                size=(64, 48),
                iterations=12,
                num_cuts=8,
                seed=3,
                candidates=2 if drawer == "vqgan" else 1,
            )
        )
        frames = list(run)
        assert len(frames) == 12
        assert frames[-1].loss < frames[0].loss
        assert run.artwork.image.size == (64, 48)


@pytest.mark.skipif(REAL is None, reason="PIXRAY_HOME says where the real pixray is")
@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_what_the_real_one_refuses_is_one_sentence() -> None:
    with pytest.raises(RunError, match="pixray failed: ValueError: the drawer clipdraw isn't installed with pixray"):
        list(Run(Settings(prompts="a", engine="pixray", drawer="strokes", size=(64, 48), iterations=2)))
