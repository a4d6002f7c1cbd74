"""Frames are kept without making the drawing wait, and become a film that plays everywhere."""

import os
import re
import subprocess
import sys
import threading
import time
from functools import cached_property
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.artifacts.encoders import ffmpeg_program, write_mp4
from text2art_nb.artifacts.frame_store import FrameStore, encoded, evenly, film_size, fit, fps_for, is_kept
from text2art_nb.errors import ArtworkError
from text2art_nb.settings import Settings


class Still:
    """A frame whose picture is one colour, made when it is asked for."""

    def __init__(self, iteration: int, size: tuple[int, int] = (16, 12)) -> None:
        self.iteration = iteration
        self.size = size

    @property
    def image(self) -> Image.Image:
        return Image.new("RGB", self.size, (self.iteration % 256, 100, 50))


class Slow(Still):
    """A frame whose picture can't be written until `may` is set."""

    may = threading.Event()

    @property
    def image(self) -> Image.Image:
        picture = super().image
        picture.convert = self._when_it_may  # type: ignore[method-assign]
        return picture

    def _when_it_may(self, mode: str) -> Image.Image:
        self.may.wait(120)
        return super().image


class Watched(Still):
    """A frame that knows which thread made its picture."""

    made_by: threading.Thread | None = None

    @cached_property
    def image(self) -> Image.Image:  # type: ignore[override]
        self.made_by = threading.current_thread()
        return Image.new("RGB", self.size)


class Impossible(Still):
    """A frame without a picture."""

    @property
    def image(self) -> Image.Image:
        raise OSError(28, "No space left on device")


def add_all(store: FrameStore, iterations: range) -> None:
    for iteration in iterations:
        store.add(Still(iteration))
        store.flush()


def test_all_frames_of_a_short_run_come_back_in_order(tmp_path: Path) -> None:
    with FrameStore(tmp_path, after=0) as store:
        add_all(store, range(1, 21))
    assert store.iterations == list(range(1, 21))
    reds = [np.asarray(image)[0, 0, 0] for image in store.images()]
    assert all(abs(int(red) - i) <= 3 for i, red in enumerate(reds, 1))


def test_a_long_run_keeps_few_frames_evenly_spread_with_its_first_and_last(tmp_path: Path) -> None:
    with FrameStore(tmp_path, after=0, limit=30) as store:
        add_all(store, range(1, 1000))
    kept = store.iterations
    assert kept[0] == 1
    assert kept[-1] == 999
    assert len(kept) <= 32
    assert set(np.diff(kept[1:-1])) == {64}
    assert len(os.listdir(tmp_path)) == len(kept)


def test_no_length_of_run_keeps_more_than_the_limit() -> None:
    for last in (1, 299, 300, 301, 601, 36_000):
        kept = sum(is_kept(i, last) for i in range(1, last + 1))
        assert min(last, 150) <= kept <= 301


def test_an_interrupted_run_keeps_what_an_uninterrupted_one_keeps(tmp_path: Path) -> None:
    whole, parts = FrameStore(tmp_path / "whole", after=0, limit=10), FrameStore(tmp_path / "parts", after=0, limit=10)
    with whole:
        add_all(whole, range(1, 58))
    with parts:
        add_all(parts, range(1, 24))
    with FrameStore(tmp_path / "parts", after=20, limit=10) as rest:
        add_all(rest, range(21, 58))
    assert sorted(os.listdir(whole.directory)) == sorted(os.listdir(rest.directory))
    assert whole.iterations == rest.iterations
    assert [i.tobytes() for i in whole.images()] == [i.tobytes() for i in rest.images()]


def test_a_new_run_in_an_old_directory_does_not_show_the_old_frames(tmp_path: Path) -> None:
    with FrameStore(tmp_path, after=0) as store:
        add_all(store, range(1, 9))
    assert len(FrameStore(tmp_path)) == 8
    assert len(FrameStore(tmp_path, after=0)) == 0


def test_a_disk_that_is_slow_does_not_make_the_drawing_wait_and_the_last_frame_is_kept(tmp_path: Path) -> None:
    Slow.may.clear()
    store = FrameStore(tmp_path, after=0)
    began = time.perf_counter()
    for iteration in range(1, 101):
        store.add(Slow(iteration))
    assert time.perf_counter() - began < 60
    Slow.may.set()
    store.close()
    assert store.iterations[-1] == 100
    assert len(store) < 20


def test_a_picture_is_made_by_the_thread_that_draws_or_torch_would_compute_on_two(tmp_path: Path) -> None:
    frame = Watched(1)
    with FrameStore(tmp_path, after=0) as store:
        store.add(frame)
    assert frame.made_by is threading.current_thread()
    assert store.iterations == [1]


def test_a_full_disk_is_reported_at_the_end_and_what_was_written_stays(tmp_path: Path) -> None:
    store = FrameStore(tmp_path, after=0)
    add_all(store, range(1, 4))
    store.add(Impossible(4))
    store.flush()
    store.add(Still(5))
    with pytest.raises(ArtworkError, match="No space left"):
        store.close()
    assert store.iterations == [1, 2, 3]


def test_a_torn_file_is_left_out(tmp_path: Path) -> None:
    with FrameStore(tmp_path, after=0) as store:
        add_all(store, range(1, 5))
    whole = (tmp_path / "00000003.jpg").read_bytes()
    (tmp_path / "00000003.jpg").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "00000004.part").write_bytes(b"half")
    assert len(list(FrameStore(tmp_path).images())) == 3


def test_a_killed_process_leaves_readable_frames(tmp_path: Path) -> None:
    program = (
        "import sys; from text2art_nb.artifacts.frame_store import FrameStore; from tests.artifacts.test_frame_store "
        "import Still\n"
        "store = FrameStore(sys.argv[1], after=0)\n"
        "for i in range(1, 10**9):\n"
        "    store.add(Still(i, (256, 256))); store.flush()\n"
    )
    process = subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], cwd=Path(__file__).parents[2])
    deadline = time.monotonic() + 30
    while len(os.listdir(tmp_path)) < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    store = FrameStore(tmp_path)
    assert len(list(store.images())) == len(store) >= 4


def test_frames_without_a_directory_go_away_with_their_store() -> None:
    store = FrameStore(after=0)
    add_all(store, range(1, 3))
    store.close()
    directory = store.directory
    assert len(list(store.images())) == 2
    del store
    assert not directory.exists()


@pytest.mark.parametrize(
    ("size", "pixel_art", "film"),
    [
        ((288, 288), False, (288, 288)),
        ((40, 40), True, (280, 280)),
        ((40, 45), True, (280, 316)),
        ((64, 64), False, (256, 256)),
        ((97, 61), False, (408, 256)),
        ((301, 299), False, (302, 300)),
        ((4000, 3000), False, (1920, 1440)),
        ((8192, 16), False, (1920, 4)),
    ],
)
def test_a_film_is_even_and_neither_tiny_nor_huge(
    size: tuple[int, int], pixel_art: bool, film: tuple[int, int]
) -> None:
    found = film_size(*size, pixel_art=pixel_art)
    assert all(side % 2 == 0 for side in found)
    assert np.allclose(found, film, atol=2)


def test_pixel_art_is_enlarged_with_hard_edges() -> None:
    checkers = Image.fromarray((np.indices((8, 8)).sum(0) % 2 * 255).astype(np.uint8)).convert("RGB")
    assert set(np.unique(np.asarray(fit(checkers, (256, 256), pixel_art=True)))) == {0, 255}
    assert len(np.unique(np.asarray(fit(checkers, (256, 256), pixel_art=False)))) > 2


def test_a_picture_of_another_shape_is_not_stretched() -> None:
    framed = np.asarray(fit(Image.new("RGB", (64, 32), "white"), (256, 256), pixel_art=False))
    assert framed[128, 128].tolist() == [255, 255, 255]
    assert framed[10, 128].tolist() == [0, 0, 0]


def test_a_film_takes_some_seconds_whatever_the_number_of_frames() -> None:
    assert [fps_for(n) for n in (0, 60, 120, 240, 300)] == [10, 10, 15, 30, 30]


def test_frames_are_picked_evenly() -> None:
    frames = [Image.new("L", (n, 1)) for n in range(1, 101)]
    picked = [image.width for image in evenly(frames, 100, 10)]
    assert picked == [1, 11, 21, 31, 41, 51, 61, 71, 81, 91]


class Fixed:
    """A frame with this picture."""

    def __init__(self, iteration: int, image: Image.Image) -> None:
        self.iteration = iteration
        self.image = image


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Artwork:
    """A picture that came out of 20 others."""
    store = FrameStore(tmp_path_factory.mktemp("frames"), after=0)
    rng = np.random.default_rng(3)
    first, last = (rng.integers(0, 256, (8, 8, 3)) for _ in range(2))
    for i in range(1, 21):
        mixed = Image.fromarray((first + (last - first) * i / 20).astype(np.uint8)).resize((320, 256))
        store.add(Fixed(i, mixed))
        store.flush()
    store.close()
    settings = Settings(prompts="a castle", seed=1).resolved()
    return Artwork(mixed, settings, frames=store)


def probe(path: Path) -> str:
    return subprocess.run([ffmpeg_program(), "-i", str(path)], capture_output=True, text=True, check=False).stderr


def test_an_mp4_plays_in_browsers_and_starts_before_it_is_loaded(drawn: Artwork, tmp_path: Path) -> None:
    path = drawn.save(tmp_path / "castle.mp4")
    said = probe(path)
    assert "h264" in said
    assert "yuv420p(tv, bt709" in said
    assert "320x256" in said
    data = path.read_bytes()
    assert data.index(b"moov") < data.index(b"mdat")
    assert len(data) < 1_000_000


def test_an_mp4_ends_with_the_picture_held(drawn: Artwork, tmp_path: Path) -> None:
    path = drawn.save(tmp_path / "castle.mp4")
    assert "Duration: 00:00:03.50" in probe(path)  # 20 frames at 10 a second, then 1.5 s
    last = np.asarray(Artwork.open(path).image, dtype=float)
    assert np.abs(last - np.asarray(drawn.image)).mean() < 5


def test_a_gif_holds_the_frames_in_one_palette_and_loops(drawn: Artwork, tmp_path: Path) -> None:
    path = drawn.save(tmp_path / "castle.gif")
    with Image.open(path) as gif:
        assert gif.info["loop"] == 0
        assert 15 <= gif.n_frames <= 21  # equal neighbours are merged
        gif.seek(gif.n_frames - 1)
        assert gif.info["duration"] >= 1500
    assert path.stat().st_size < 2_000_000
    last = np.asarray(Artwork.open(path).image, dtype=float)
    assert np.abs(last - np.asarray(drawn.image)).mean() < 10


@pytest.fixture(scope="module")
def long(tmp_path_factory: pytest.TempPathFactory) -> Artwork:
    """A picture that came out of 1000 others, all of them kept, as the notebook's time machine does."""
    directory = tmp_path_factory.mktemp("long")
    picture = encoded(Image.new("RGB", (16, 16), "teal"))
    for i in range(1, 1001):
        (directory / f"{i:08d}.jpg").write_bytes(picture)
    store = FrameStore(directory, limit=1000)
    return Artwork(Image.new("RGB", (16, 16)), Settings(prompts="a castle", seed=1).resolved(), frames=store)


def test_a_film_of_very_many_frames_is_no_longer_than_others(long: Artwork, tmp_path: Path) -> None:
    found = re.search(r"Duration: 00:00:(\d\d)", probe(long.save(tmp_path / "long.mp4")))
    assert found is not None
    assert int(found[1]) <= 12


def test_frames_that_another_limit_kept_stay_where_none_is_added(long: Artwork) -> None:
    assert long.frames is not None
    FrameStore(long.frames.directory, after=1000).close()
    assert len(long.frames) == 1000


def test_a_picture_without_frames_still_makes_a_film(tmp_path: Path) -> None:
    settings = Settings(prompts="a castle", seed=1).resolved()
    path = Artwork(Image.new("RGB", (33, 17), "red"), settings).save(tmp_path / "still.mp4")
    assert "Duration: 00:00:01.50" in probe(path)


def test_ffmpegs_own_words_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = tmp_path / "ffmpeg"
    fake.write_text("#!/bin/sh\necho 'Unknown encoder libx264' >&2\nexit 1\n")
    fake.chmod(0o755)
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(fake))
    with pytest.raises(ArtworkError, match="Unknown encoder libx264"):
        write_mp4(tmp_path / "a.mp4", Image.new("RGB", (640, 640)), None, pixel_art=False, recipe=None)
    assert not (tmp_path / "a.mp4").exists()
