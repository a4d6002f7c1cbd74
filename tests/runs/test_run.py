"""A run can be watched, stopped, paused, steered, kept and gone on with; trouble costs a step, not the picture."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from text2art_nb import perceptors
from text2art_nb.drawers.pixel import PixelDrawer
from text2art_nb.errors import RunError, SettingsError
from text2art_nb.imaging.image_io import opaque, picture_to_uri
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

Tiny = Callable[..., Settings]

DRAWERS = ["vqgan", "pixel", "strokes", "fft"]
"""Those that need no weights, or have tiny ones in the tests; strokes are told to be few."""


def drawn(settings: Settings) -> bytes:
    run = Run(settings)
    for _ in run:
        pass
    return run.artwork.image.tobytes()


@pytest.mark.parametrize("drawer", DRAWERS)
def test_every_iteration_is_a_frame_that_can_be_looked_at(tiny: Tiny, drawer: str) -> None:
    frames = list(Run(tiny(drawer=drawer, strokes=12)))
    assert [frame.iteration for frame in frames] == [1, 2, 3, 4, 5, 6]
    assert all(frame.total == 6 and frame.image.size == (48, 32) and -1 <= frame.score <= 1 for frame in frames)
    assert frames[-1].eta == 0
    assert frames[0].image.tobytes() != frames[-1].image.tobytes()


@pytest.mark.parametrize("drawer", DRAWERS)
def test_the_loss_falls(tiny: Tiny, drawer: str) -> None:
    frames = list(Run(tiny(drawer=drawer, strokes=12, iterations=40, prompts="a cat")))
    assert sum(frame.loss for frame in frames[-5:]) < sum(frame.loss for frame in frames[:5])


def test_the_same_settings_draw_the_same_picture_and_another_seed_another(tiny: Tiny) -> None:
    assert drawn(tiny()) == drawn(tiny()) != drawn(tiny(seed=8))


def test_a_run_without_a_seed_records_the_one_that_it_drew_with(tiny: Tiny) -> None:
    run = Run(tiny(seed=None))
    list(run)
    assert drawn(run.artwork.settings) == run.artwork.image.tobytes()


def test_stop_ends_the_run_and_keeps_the_picture(tiny: Tiny) -> None:
    run = Run(tiny(iterations=1000))
    for frame in run:
        if frame.iteration == 3:
            run.stop()
    assert run.iteration == 3
    assert drawn(run.artwork.settings) == run.artwork.image.tobytes()


def test_stop_works_in_the_middle_of_a_long_iteration(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tiny(num_cuts=400, micro_batch=1, iterations=3))
    next(run)
    before = run.artwork.image.tobytes()
    timer = threading.Timer(0.05, run.stop)
    timer.start()
    assert list(run) == []
    assert run.iteration == 1
    assert run.artwork.image.tobytes() == before


def test_a_paused_run_waits_and_goes_on(tiny: Tiny) -> None:
    run = Run(tiny())
    next(run)
    run.pause()
    threading.Timer(0.2, run.resume).start()
    began = time.monotonic()
    assert next(run).iteration == 2
    assert time.monotonic() - began >= 0.15


def test_stop_ends_a_pause(tiny: Tiny) -> None:
    run = Run(tiny())
    next(run)
    run.pause()
    threading.Timer(0.05, run.stop).start()
    assert list(run) == []


def steered(settings: Settings) -> Run:
    run = Run(settings)
    for frame in run:
        if frame.iteration == 2:
            run.steer(prompts="a dog:2", learning_rate=0.03)
        if frame.iteration == 4:
            run.steer(losses={"smoothness": 3.0}, palette="[red,blue]")
        if frame.iteration == 5:
            run.steer(iterations=9)
    return run


def test_a_steered_run_is_drawn_again_from_its_recipe(tiny: Tiny) -> None:
    run = steered(tiny(filters=("lookup",)))
    assert run.iteration == 9
    assert [entry.iteration for entry in run.settings.steering] == [3, 5, 6]
    assert drawn(run.artwork.settings) == run.artwork.image.tobytes() != drawn(tiny(filters=("lookup",)))


def test_a_picture_from_the_middle_is_drawn_again_from_its_recipe(tiny: Tiny) -> None:
    run = Run(tiny())
    next(run), next(run)
    assert drawn(run.artwork.settings) == run.artwork.image.tobytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"drawer": "pixel"}, "drawer can't be changed while it draws"),
        ({"candidate": 1}, "candidate must be less than 1"),
        ({"learning_rate": -1}, "learning_rate"),
        ({"prompts": ""}, "prompt"),
    ],
)
def test_steering_what_can_not_be_steered_says_so_at_once(tiny: Tiny, changes: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        Run(tiny()).steer(**changes)


@pytest.mark.parametrize("candidates", [1, 3])
@pytest.mark.parametrize("drawer", DRAWERS)
def test_a_saved_run_goes_on_to_the_byte_identical_picture(
    tiny: Tiny, tmp_path: Path, drawer: str, candidates: int
) -> None:
    run = Run(tiny(drawer=drawer, strokes=12, candidates=candidates, keep="average"))
    next(run), next(run)
    run.save(tmp_path / "half.safetensors")
    loaded = Run.load(tmp_path / "half.safetensors")
    assert [frame.iteration for frame in loaded] == [3, 4, 5, 6]
    list(run)
    assert loaded.artwork.image.tobytes() == run.artwork.image.tobytes()


def test_a_stopped_run_goes_on_as_if_nothing_had_happened(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(), directory=tmp_path)
    next(run)
    run.stop()
    list(run)
    loaded = Run.load(tmp_path)
    list(loaded)
    assert loaded.artwork.image.tobytes() == drawn(tiny())


def test_a_finished_run_goes_on_with_more_iterations_and_its_recipe_says_so(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(), directory=tmp_path)
    list(run)
    more = Run.load(tmp_path, iterations=10)
    assert [frame.iteration for frame in more] == [7, 8, 9, 10]
    assert drawn(more.artwork.settings) == more.artwork.image.tobytes()


def test_a_run_that_ended_right_after_a_choice_goes_on_with_what_was_chosen(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(candidates=3), directory=tmp_path)
    next(run)
    run.steer(candidate=2)
    run.stop()
    assert list(run) == []
    assert [frame.candidates for frame in Run.load(tmp_path)] == [1] * 5


def test_a_killed_redraw_of_a_stopped_picture_ends_where_that_was_stopped(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(iterations=20))
    for frame in run:
        if frame.iteration == 6:
            run.stop()
    again = Run(run.settings)
    for _ in range(3):
        next(again)
    again.save(tmp_path / "killed.safetensors")
    resumed = Run.load(tmp_path / "killed.safetensors")
    assert len(list(resumed)) == 3
    assert resumed.artwork.image.tobytes() == run.artwork.image.tobytes()
    assert len(list(Run.load(tmp_path / "killed.safetensors", iterations=10))) == 7


def test_a_total_that_was_lowered_below_what_is_there_is_reached(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(), directory=tmp_path)
    for frame in run:
        if frame.iteration == 4:
            run.steer(iterations=2)
    loaded = Run.load(tmp_path)
    assert (loaded.iteration, loaded.total) == (4, 4)
    assert list(loaded) == []


def test_what_is_steered_may_be_text_as_in_a_form_or_left_out(tiny: Tiny) -> None:
    run = Run(tiny(candidates=3))
    next(run)
    run.steer(candidate="1", palette=None)
    assert next(run).candidates == 1


def test_a_damaged_checkpoint_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    Run(tiny()).save(tmp_path / "run.safetensors")
    whole = (tmp_path / "run.safetensors").read_bytes()
    (tmp_path / "run.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(RunError, match="damaged"):
        Run.load(tmp_path / "run.safetensors")


def test_there_is_nothing_to_go_on_with_where_nothing_was_drawn(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no run to go on with"):
        Run.load(tmp_path)


def test_candidates_are_drawn_side_by_side_and_the_best_is_the_picture(tiny: Tiny) -> None:
    run = Run(tiny(candidates=3))
    frames = list(run)
    assert frames[-1].pixels.shape == (3, 32, 48, 3)
    assert frames[-1].score == max(frames[-1].scores)
    ranked = run.candidates
    assert [score for _, score in ranked] == sorted((score for _, score in ranked), reverse=True)
    assert run.artwork.image.tobytes() == ranked[0][0].tobytes()


def test_keeping_the_best_never_scores_worse_than_the_last(tiny: Tiny) -> None:
    scores = {}
    for keep in ("best", "last"):
        run = Run(tiny(keep=keep, iterations=12, learning_rate=1.0, candidates=2))
        list(run)
        scores[keep] = run.artwork.score
    assert scores["best"] >= scores["last"]


def test_a_nan_costs_a_step_and_not_the_picture(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    run = Run(tiny(drawer="pixel"))
    next(run), next(run)
    loop = run._prepare()
    with torch.no_grad():
        next(iter(loop.drawer.parameters())).fill_(float("nan"))
    frame = next(run)
    assert "went back" in (frame.notice or "")
    assert run.notices == [frame.notice]
    assert all(torch.isfinite(frame._canvas).all() for frame in run)
    assert loop.guard.rate_scale == 0.5


def test_a_picture_that_goes_flat_is_taken_back(tiny: Tiny) -> None:
    run = Run(tiny(drawer="pixel"))
    next(run)
    with torch.no_grad():
        run._prepare().drawer.start_from(torch.full((1, 3, 4, 4), 0.25))
    assert "flat" in (next(run).notice or "")
    assert next(run).image.getextrema() != ((64, 64),) * 3


def test_a_model_that_gives_only_nan_ends_in_one_clear_error(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PixelDrawer, "render", lambda self: self.levels[0].mul(float("nan")))
    with pytest.raises(RunError, match="precision='float32'"):
        list(Run(tiny(drawer="pixel")))


@pytest.fixture
def hungry(tiny_clip: Path) -> Iterator[list[int]]:
    """Makes the tiny CLIP run out of memory where it sees more than 3 views at once; lists what it was shown."""
    eye = perceptors.load(str(tiny_clip), torch.device("cpu"))
    see, shown = eye.see, []

    def hungrily(views: Tensor) -> Tensor:
        if len(views) > 3:
            raise torch.OutOfMemoryError("CUDA out of memory")
        shown.append(len(views))
        return see(views)

    eye.see = hungrily  # type: ignore[method-assign]
    yield shown
    eye.see = see  # type: ignore[method-assign]


def test_out_of_memory_halves_the_views_seen_at_once_and_says_so(tiny: Tiny, hungry: list[int]) -> None:
    run = Run(tiny(num_cuts=9, micro_batch=8))
    assert len(list(run)) == 6
    assert run.notices == [
        "memory ran out: now 4 views are seen at once",
        "memory ran out: now 2 views are seen at once",
    ]
    assert max(hungry) <= 3
    assert drawn(run.artwork.settings) == run.artwork.image.tobytes()


def test_micro_batches_do_not_change_the_gradient(tiny: Tiny) -> None:
    gradients = []
    for micro_batch in (1, 3, 100):
        run = Run(tiny(micro_batch=micro_batch, candidates=2, num_cuts=7, drawer="pixel"))
        next(run)
        parameter = next(iter(run._prepare().drawer.parameters()))
        assert parameter.grad is not None
        gradients.append(parameter.grad.clone())
    torch.testing.assert_close(gradients[0], gradients[2])
    torch.testing.assert_close(gradients[1], gradients[2])


def test_an_init_image_is_where_it_starts(tiny: Tiny) -> None:
    from PIL import Image

    red = Image.new("RGB", (48, 32), (250, 10, 10))
    frame = next(Run(tiny(drawer="pixel", init_image=red)))
    assert frame.image.getpixel((20, 20)) == (250, 10, 10)


def test_an_image_prompt_pulls_towards_the_picture(tiny: Tiny) -> None:
    from PIL import Image

    picture = Image.effect_mandelbrot((48, 32), (-2, -1, 1, 1), 20).convert("RGB")
    frames = list(Run(tiny(prompts="", image_prompts=[picture], iterations=30)))
    assert frames[-1].score > frames[0].score


@pytest.mark.parametrize("drawer", ["vqgan", "pixel"])
def test_half_precision_scores_like_full_precision(tiny: Tiny, drawer: str) -> None:
    scores = {}
    for precision in ("float32", "bfloat16"):
        scores[precision] = next(Run(tiny(drawer=drawer, precision=precision))).score
    assert scores["bfloat16"] == pytest.approx(scores["float32"], abs=0.02)
    assert scores["bfloat16"] != scores["float32"]


def test_a_device_that_is_not_there_is_said_plainly(tiny: Tiny) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(RunError, match="no device 'cuda'"):
        next(Run(tiny(device="cuda")))


def test_a_prompt_of_weight_zero_is_no_trouble(tiny: Tiny) -> None:
    assert len(list(Run(tiny(prompts="a cat:0")))) == 6


def test_symmetry_and_mirror_make_symmetric_pictures(tiny: Tiny) -> None:
    run = Run(tiny(filters=("mirror",), size=(32, 32)))
    list(run)
    picture = run.artwork.image
    from PIL import ImageOps

    assert ImageOps.mirror(picture).tobytes() == picture.tobytes()


def test_the_lookup_filter_leaves_only_the_palettes_colours(tiny: Tiny) -> None:
    run = Run(tiny(drawer="pixel", filters=("lookup",), palette="[black,#ff0000,white]"))
    list(run)
    colours = {colour for _, colour in run.artwork.image.getcolors() or []}
    assert colours <= {(0, 0, 0), (255, 0, 0), (255, 255, 255)}
    assert len(colours) > 1


@pytest.mark.parametrize("setting", ["init_image", "image_prompts"])
def test_what_is_transparent_in_a_given_picture_is_white_and_not_what_lies_hidden_there(
    tiny: Tiny, setting: str
) -> None:
    hidden = Image.new("RGBA", (48, 32), (0, 0, 0, 0))
    hidden.paste((200, 30, 90, 255), (0, 0, 20, 32))
    shown = Image.new("RGB", (48, 32), "white")
    shown.paste((200, 30, 90), (0, 0, 20, 32))
    pictures = [drawn(tiny(iterations=2, **{setting: picture_to_uri(each)})) for each in (hidden, shown)]
    assert pictures[0] == pictures[1]


def test_a_given_picture_that_is_opaque_everywhere_loses_nothing() -> None:
    plain = Image.frombytes("RGB", (256, 3), bytes(range(256)) * 9)
    solid = plain.convert("RGBA")
    assert opaque(solid).tobytes() == plain.tobytes()


def test_filters_work_in_full_precision_wherever_the_drawer_draws_in_half(tiny: Tiny) -> None:
    run = Run(tiny(drawer="fft -> vqgan", filters="tile", precision="bfloat16", iterations=4))
    assert len(list(run)) == 4
    assert run.artwork.image.size == (48, 32)
