"""The camera moves while it draws, and a film can lead back to its start."""

import io
import itertools
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from text2art_nb.artifacts.encoders import encode_gif
from text2art_nb.artifacts.frame_store import FrameStore
from text2art_nb.errors import SettingsError
from text2art_nb.optimization import motion
from text2art_nb.runs.drawing import draw
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings, timeline
from text2art_nb.settings.timeline import Camera

Tiny = Callable[..., Settings]


def finish(run: Run) -> bytes:
    for _ in run:
        pass
    return run.artwork.image.tobytes()


@pytest.mark.parametrize(
    ("iteration", "camera"),
    [
        (0, Camera(1.02, (3, 0), 0)),
        (25, Camera(1.02, (3, 0), 1)),
        (50, Camera(1.02, (3, 0), 2)),
        (90, Camera(1.02, (3, 0), 2)),
    ],
)
def test_between_two_keys_the_camera_changes_evenly_and_after_the_last_it_goes_on(
    iteration: int, camera: Camera
) -> None:
    keys = timeline.read_motion("0: zoom 1.02, pan 3 0; 50%: rotate 2")
    assert timeline.camera_at(keys, iteration, 100) == camera


@pytest.mark.parametrize(
    ("text", "iteration", "camera"),
    [
        ("zoom 1.1", 0, Camera(zoom=1.1)),
        ("10: zoom 1.1; 20: zoom 1.2", 15, Camera(zoom=1.15)),
        ("10i: pan 2, -4", 5, Camera(pan=(1, -2))),
        ("0: rotate 4; 100 iterations: rotate 0", 100, Camera()),
        ("50%: ZOOM 2; 0: zoom 1", 100, Camera(zoom=1.5)),
    ],
)
def test_a_timeline_may_be_written_in_many_ways(text: str, iteration: int, camera: Camera) -> None:
    found = timeline.camera_at(timeline.read_motion(text), iteration, 400)
    assert (found.zoom, *found.pan, found.rotate) == pytest.approx((camera.zoom, *camera.pan, camera.rotate))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("0: zom 1.1", "did you mean 'zoom'"),
        ("0: pan 3", "pan in motion takes two numbers from -100 to 100"),
        ("0: zoom 0", "zoom in motion takes one number from 0.5 to 2"),
        ("soon: zoom 1.1", "a moment of motion must be a number of iterations or a percentage"),
        ("120%: zoom 1.1", "a moment of motion"),
        ("0: zoom 1.1, zoom 1.2", "twice"),
        (";", "1 to 64 keys"),
    ],
)
def test_a_timeline_that_makes_no_sense_gets_one_sentence(tiny: Tiny, text: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        tiny(motion=text)


def spot(row: int, column: int, size: tuple[int, int] = (60, 100)) -> torch.Tensor:
    """A black picture [1,3,60,100] with one soft white spot."""
    y, x = torch.meshgrid(torch.arange(size[0]), torch.arange(size[1]), indexing="ij")
    return torch.exp(-((y - row) ** 2 + (x - column) ** 2) / 8).expand(1, 3, -1, -1).clone()


@pytest.mark.parametrize(
    ("camera", "row", "column"),
    [
        (Camera(pan=(10, 0)), 20, 80),
        (Camera(pan=(0, 10)), 26, 70),
        (Camera(zoom=1.5), 14.75, 80.25),
        (Camera(rotate=90), 9, 39),  # a spot on the right of the middle turns against the clock, to the top
    ],
)
def test_the_picture_goes_where_the_camera_sends_it(camera: Camera, row: float, column: float) -> None:
    moved = motion.warp(spot(20, 70), camera)[0, 0]
    found = divmod(int(moved.argmax()), 100)
    assert found == (pytest.approx(row, abs=1), pytest.approx(column, abs=1))


def test_a_still_camera_leaves_the_picture_as_it_is() -> None:
    picture = torch.rand(2, 3, 33, 47)
    torch.testing.assert_close(motion.warp(picture, Camera()), picture, atol=1e-5, rtol=0)


@pytest.mark.parametrize("drawer", ["vqgan", "pixel"])
def test_the_drawer_goes_on_from_the_picture_that_the_camera_moved(tiny: Tiny, drawer: str) -> None:
    still, moved = (
        Run(tiny(drawer=drawer, motion=text, motion_every=2, learning_rate=1e-9)) for text in (None, "pan 30 0")
    )
    for run in (still, moved):
        next(run), next(run)
    expected, found = still._prepare().drawer, moved._prepare().drawer
    before = expected.render().detach()
    expected.start_from(motion.warp(before, Camera(pan=(30, 0))))
    torch.testing.assert_close(found.render(), expected.render(), atol=1e-3, rtol=0)
    assert (found.render() - before).abs().mean() > 0.01


def test_between_two_camera_steps_the_drawing_goes_on(tiny: Tiny) -> None:
    frames = list(Run(tiny(drawer="pixel", motion="zoom 1.05", motion_every=5, iterations=40, prompts="a cat")))
    assert sum(frame.loss for frame in frames[-5:]) < sum(frame.loss for frame in frames[:5])


@pytest.mark.parametrize("keep", ["last", "best"])
def test_a_moving_run_goes_on_after_a_kill_to_the_byte_identical_picture(tiny: Tiny, tmp_path: Path, keep: str) -> None:
    run = Run(tiny(motion="zoom 1.1, rotate 3", motion_every=2, loop_closing=True, keep=keep, candidates=2))
    for _ in range(4):
        next(run)
    run.save(tmp_path / "killed.safetensors")
    loaded = Run.load(tmp_path / "killed.safetensors")
    ours, theirs = list(run), list(loaded)
    assert [frame.image.tobytes() for frame in ours] == [frame.image.tobytes() for frame in theirs]
    assert loaded.artwork.image.tobytes() == run.artwork.image.tobytes()


def test_a_moving_run_is_drawn_again_from_its_recipe(tiny: Tiny) -> None:
    run = Run(tiny(motion="0: zoom 1.05; 100%: rotate 5", motion_every=1))
    picture = finish(run)
    assert finish(Run(run.artwork.settings)) == picture


def distance(one: Image.Image, other: Image.Image) -> float:
    return float(np.abs(np.asarray(one, dtype=float) - np.asarray(other, dtype=float)).mean())


def test_a_closed_film_ends_where_it_began(tiny: Tiny) -> None:
    settings = {"drawer": "pixel", "iterations": 20, "motion": "zoom 1.1", "motion_every": 2, "learning_rate": 0.1}
    opened, closed = (list(Run(tiny(loop_closing=each, **settings))) for each in (False, True))
    assert distance(opened[0].image, opened[-1].image) > 20
    assert distance(closed[0].image, closed[-1].image) == 0
    steps = [distance(a.image, b.image) for a, b in itertools.pairwise(closed[14:])]
    assert max(steps) < distance(opened[0].image, opened[-1].image) / 2


def test_a_closed_film_leaves_the_picture_itself_alone(tiny: Tiny) -> None:
    assert finish(Run(tiny(loop_closing=True))) == finish(Run(tiny()))


def test_a_closed_gif_shows_nothing_but_its_circle(tiny: Tiny, tmp_path: Path) -> None:
    draw(tiny(drawer="pixel", loop_closing=True, iterations=8), out=tmp_path / "film.gif")
    with Image.open(tmp_path / "film.gif") as film:
        durations, pictures = [], []
        for number in range(film.n_frames):
            film.seek(number)
            durations.append(film.info["duration"])
            pictures.append(film.convert("RGB"))
    assert max(durations) < 500
    assert distance(pictures[0], pictures[-1]) < 3


class Noise:
    """A frame that compresses badly."""

    def __init__(self, iteration: int) -> None:
        self.iteration = iteration

    @property
    def image(self) -> Image.Image:
        rng = np.random.default_rng(self.iteration)
        return Image.fromarray(rng.integers(0, 256, (640, 640, 3), dtype=np.uint8))


def test_a_gif_of_500_large_frames_stays_below_15_megabytes(tmp_path: Path) -> None:
    with FrameStore(tmp_path, after=0) as frames:
        for iteration in range(1, 501):
            if iteration in (1, 500) or iteration % 8 == 0:  # what the store would drop anyway isn't made
                frames.add(Noise(iteration))
                frames.flush()
    data = encode_gif(Noise(501).image, FrameStore(tmp_path), pixel_art=False, recipe=None)
    with Image.open(io.BytesIO(data)) as film:
        assert 24 <= film.n_frames <= 60
        assert max(film.size) <= 512
    assert len(data) < 15_000_000


def test_what_is_transparent_stays_so_where_the_camera_moves(tiny: Tiny) -> None:
    run = Run(tiny(drawer="pixel", transparent=True, motion="zoom 1.1", motion_every=1, learning_rate=1e-9))
    next(run)
    with torch.no_grad():
        opacity = run._prepare().drawer.opacity[0]
        opacity[..., : opacity.shape[-1] // 2] = -1
    next(run), next(run)
    shown = np.asarray(run.artwork.image.getchannel("A"))
    assert shown[:, :20].max() == 0
    assert shown[:, 28:].min() == 255


def test_a_colour_that_can_not_be_seen_does_not_bleed_where_the_camera_moves() -> None:
    picture = torch.ones(1, 4, 16, 16)
    picture[..., :8] = 0  # black, and invisible
    moved = motion.warp(picture, Camera(zoom=1.1))
    assert moved[:, :3, :, 9:].min() > 0.98
    assert moved[:, :3][:, :, moved[0, 3] > 0.1].min() > 0.9
