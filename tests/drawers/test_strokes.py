"""Strokes are painted as an SVG renderer would, have a true gradient, and cover a picture so that it is recognised."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from text2art_nb import drawers
from text2art_nb.drawers import brush, stroke_init
from text2art_nb.drawers.strokes import LinesDrawer, StrokesDrawer
from text2art_nb.errors import SettingsError
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

Tiny = Callable[..., Settings]
CPU = torch.device("cpu")
WHITE = torch.ones(3)


def build(settings: Settings, seed: int = 0) -> StrokesDrawer:
    built = drawers.build(settings, CPU, torch.Generator().manual_seed(seed))
    assert isinstance(built, StrokesDrawer)
    return built


def line(*points: tuple[float, float], dtype: torch.dtype = torch.float32) -> Tensor:
    """One candidate's one stroke through the control points, [1,1,n,2]."""
    return torch.tensor([[points]], dtype=dtype)


def psnr(one: Tensor, other: Tensor) -> float:
    return float(-10 * torch.log10((one - other).square().mean()))


def scribble(strokes: int, curves: int, candidates: int = 1, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Points in 0..1, widths and colours, all in double precision."""
    chance = torch.Generator().manual_seed(seed)
    points = torch.rand(candidates, strokes, 3 * curves + 1, 2, generator=chance, dtype=torch.double)
    widths = torch.rand(candidates, strokes, generator=chance, dtype=torch.double) * 0.15 + 0.02
    return points, widths, torch.rand(candidates, strokes, 4, generator=chance, dtype=torch.double)


def flat_scene() -> Tensor:
    """A red disc and a dark pillar before a blue sky and a green meadow, [1,3,96,96]."""
    y, x = torch.meshgrid(torch.arange(96.0), torch.arange(96.0), indexing="ij")
    scene = torch.tensor([0.4, 0.7, 1.0])[:, None, None].repeat(1, 96, 96)
    scene[:, 60:] = torch.tensor([0.3, 0.7, 0.2])[:, None, None]
    scene[:, ((x - 34) ** 2 + (y - 40) ** 2) < 20**2] = torch.tensor([0.9, 0.1, 0.1])[:, None]
    scene[:, 20:80, 66:78] = torch.tensor([0.2, 0.15, 0.3])[:, None, None]
    return scene[None]


# -- the brush


def test_a_straight_stroke_covers_what_its_width_says_and_its_colour_is_laid_over_the_paper() -> None:
    points, red = line((4, 8), (10, 8), (20, 8), (28, 8)), torch.tensor([[[1.0, 0.0, 0.0, 0.5]]])
    picture = brush.paint(points, torch.tensor([[4.0]]), red, WHITE, (32, 16))
    column = picture[0, 1, :, 16]
    assert column.tolist() == [1.0] * 6 + [0.5] * 4 + [1.0] * 6
    assert picture[0, 0].min() == 1


def test_a_thin_stroke_is_as_faint_as_it_is_thin() -> None:
    points, ink = line((0, 8.5), (10, 8.5), (20, 8.5), (32, 8.5)), torch.tensor([[[0.0, 0.0, 0.0, 1.0]]])
    picture = brush.paint(points, torch.tensor([[0.25]]), ink, WHITE, (32, 16))
    torch.testing.assert_close(picture[0, 0, 8, 16], torch.tensor(0.75))


def test_its_ends_are_round() -> None:
    dot = line((16, 16), (16, 16), (16, 16), (16, 16))
    picture = brush.paint(dot, torch.tensor([[20.0]]), torch.tensor([[[0.0, 0.0, 0.0, 1.0]]]), WHITE, (32, 32))
    assert (1 - picture[0, 0]).sum().item() == pytest.approx(torch.pi * 100, rel=0.01)


def test_later_strokes_lie_over_earlier_ones_and_a_stroke_over_itself_is_no_darker() -> None:
    across, down = ((2, 16), (10, 16), (20, 16), (30, 16)), ((16, 2), (16, 30), (16, 30), (16, 2))
    points = torch.tensor([[across, down]], dtype=torch.float32)
    colours = torch.tensor([[[1.0, 0.0, 0.0, 1.0], [0.0, 0.0, 1.0, 0.5]]])
    picture = brush.paint(points, torch.tensor([[6.0, 6.0]]), colours, WHITE, (32, 32))
    torch.testing.assert_close(picture[0, :, 16, 16], torch.tensor([0.5, 0.0, 0.5]))
    torch.testing.assert_close(picture[0, :, 8, 16], torch.tensor([0.5, 0.5, 1.0]))


@pytest.mark.parametrize(("ground", "thickness"), [((1.0, 1.0, 1.0), 1.0), ((0.0, 0.0, 0.0, 0.0), 0.03)])
def test_the_gradient_is_that_of_the_picture(ground: tuple[float, ...], thickness: float) -> None:
    points, widths, colours = scribble(4, 2, candidates=2)
    given = (points * 20, widths * 20 * thickness, colours)
    paper = torch.tensor(ground, dtype=torch.double)
    assert torch.autograd.gradcheck(
        lambda p, w, c: brush.paint(p, w, c, paper, (21, 18)),
        [part.requires_grad_() for part in given],
        eps=1e-7,
        atol=1e-4,
        fast_mode=True,
    )


def test_a_picture_is_as_if_it_were_painted_pixel_by_pixel_with_all_strokes() -> None:
    points, widths, colours = (part.float() for part in scribble(12, 1, candidates=2, seed=3))
    painted = brush.paint_large(points * 40, widths * 40, colours, WHITE, (50, 40))
    t = torch.linspace(0, 1, 2001)[:, None]
    weights = torch.cat([(1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3], 1)
    pixels = torch.stack(torch.meshgrid(torch.arange(50) + 0.5, torch.arange(40) + 0.5, indexing="xy"), -1).view(-1, 2)
    for b in range(2):
        picture = torch.ones(40 * 50, 3)
        for n in range(12):
            distance = torch.cdist(pixels, weights @ (points[b, n] * 40)).amin(1)
            cover = ((widths[b, n] * 40 / 2 + 0.5 - distance).clamp(0, 1) * colours[b, n, 3])[:, None]
            picture = picture * (1 - cover) + colours[b, n, :3] * cover
        assert psnr(painted[b], picture.T.view(3, 40, 50)) > 50


def test_candidates_do_not_touch_each_other() -> None:
    points, widths, colours = (part.float() for part in scribble(8, 1, candidates=3))
    together = brush.paint(points * 40, widths * 40, colours, WHITE, (40, 40))
    alone = brush.paint(points[1:2] * 40, widths[1:2] * 40, colours[1:2], WHITE, (40, 40))
    assert torch.equal(together[1:2], alone)


def test_a_large_picture_is_painted_in_strips_without_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    given = [part.float() * scale for part, scale in zip(scribble(20, 2), (100, 100, 1), strict=True)]
    whole = brush.paint_large(*given, WHITE, (100, 90))
    monkeypatch.setattr(brush, "_PIXELS_AT_ONCE", 100 * 16)
    assert torch.equal(brush.paint_large(*given, WHITE, (100, 90)), whole)


def test_strokes_outside_of_the_picture_leave_the_paper_as_it_is() -> None:
    far = line((-50, -50), (-40, -50), (-40, -40), (-30, -30)).requires_grad_()
    picture = brush.paint(far, torch.tensor([[5.0]]), torch.zeros(1, 1, 4), WHITE, (20, 20))
    picture.sum().backward()
    assert torch.equal(picture, torch.ones(1, 3, 20, 20))
    assert far.grad is not None
    assert not far.grad.any()


# -- the drawer


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({}, (1024, 4)),
        ({"model": "embedded"}, (256, 4)),
        ({"strokes": 10, "stroke_length": 3}, (10, 10)),
        ({"stroke_kind": "line"}, (24, 25)),
    ],
)
def test_there_are_as_many_strokes_as_asked_for(
    tiny: Tiny, changes: dict[str, object], counts: tuple[int, int]
) -> None:
    built = build(tiny(drawer="strokes", **changes))
    assert built.points.shape[1:3] == counts


@pytest.mark.parametrize(("name", "kind"), [("clipdraw", "paint"), ("line_sketch", "line"), ("Line_Sketch", "line")])
def test_pixrays_names_of_its_drawers_are_understood(tiny: Tiny, name: str, kind: str) -> None:
    settings = tiny(drawer=name)
    assert (settings.drawer, settings.stroke_kind) == ("strokes", kind)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"strokes": 0}, "strokes must be at least 1"),
        ({"strokes": 5000}, "strokes must be at most 4096"),
        ({"stroke_kind": "pain"}, "did you mean 'paint'"),
        ({"min_stroke_width": 5, "max_stroke_width": 2}, "min_stroke_width must be at most max_stroke_width, 2; got 5"),
        ({"paper": "wite"}, "paper cannot be read"),
        ({"paper": "red,blue"}, "paper must be one colour"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(tiny: Tiny, changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        tiny(drawer="strokes", **changes)


def test_a_width_that_is_given_alone_moves_the_other_one_out_of_its_way(tiny: Tiny) -> None:
    settings = tiny(drawer="strokes", max_stroke_width=0.5).resolved()
    assert (settings.min_stroke_width, settings.max_stroke_width) == (0.5, 0.5)


def test_widths_are_percent_of_the_height(tiny: Tiny) -> None:
    built = build(tiny(drawer="strokes", min_stroke_width=3, max_stroke_width=6))
    assert 0.03 <= built.widths.min() <= built.widths.max() <= 0.06
    with torch.no_grad():
        built.widths.fill_(1.0)
    built.constrain()
    assert built.widths.detach().max() == pytest.approx(0.06)


def test_the_paper_is_the_one_asked_for(tiny: Tiny) -> None:
    built = build(tiny(drawer="strokes", strokes=1, max_stroke_width=0.5, paper="navy"))
    corner = built.render()[0].detach().flatten(1).median(1).values
    torch.testing.assert_close(corner, torch.tensor([0, 0, 128 / 255]))


def test_on_a_clear_ground_only_strokes_are_opaque(tiny: Tiny) -> None:
    built = build(tiny(drawer="strokes", strokes=3, transparent=True))
    picture = built.render()
    assert picture.shape[1] == 4
    assert picture[:, 3].min() == 0 < picture[:, 3].max()


def test_what_is_handed_over_is_drawn_anew_not_enlarged(tiny: Tiny) -> None:
    built = build(tiny(drawer="strokes", stroke_kind="line", model="embedded", size=(640, 576)))
    assert built.canvas == (160, 144)
    picture = built.finish()
    assert picture.shape == (1, 3, 576, 640)
    small = F.interpolate(picture, (144, 160), mode="area")
    assert psnr(small, built.render().detach()) > 30
    assert ((picture[:, 0] > 0.05) & (picture[:, 0] < 0.9)).float().mean() < 0.05  # edges are a pixel wide


def test_the_start_covers_a_picture_so_that_it_is_recognisable(tiny: Tiny) -> None:
    built = build(tiny(drawer="strokes", strokes=120, size=(96, 96)))
    built.start_from(flat_scene())
    assert psnr(built.render().detach(), flat_scene()) > 18


def test_a_picture_can_be_covered_by_thin_strokes_too(tiny: Tiny) -> None:
    built = build(tiny(drawer="strokes", strokes=200, max_stroke_width=5, size=(96, 96)))
    built.start_from(flat_scene())
    assert psnr(built.render().detach(), flat_scene()) > 15


def test_each_candidate_covers_a_picture_of_its_own(tiny: Tiny) -> None:
    built = build(tiny(drawer="strokes", strokes=60, candidates=2, size=(96, 96)))
    both = torch.cat([flat_scene(), flat_scene().flip(-1)])
    built.start_from(both)
    first, second = built.render().detach()
    assert psnr(first, both[0]) > psnr(first, both[1]) + 3
    assert psnr(second, both[1]) > psnr(second, both[0]) + 3


def test_lines_lie_on_the_outlines_of_a_picture() -> None:
    points, widths = stroke_init.trace(flat_scene(), 6, 8, (0.01, 0.02))
    assert points.shape == (1, 6, 25, 2)
    assert 0.01 <= widths.min() <= widths.max() <= 0.02
    ink = 1 - brush.paint_large(
        points * 96, torch.full((1, 6), 4.0), torch.tensor([0.0, 0, 0, 1]).expand(1, 6, 4), WHITE, (96, 96)
    )
    on_outline = [ink[0, 0, 40, 14], ink[0, 0, 20, 34], ink[0, 0, 50, 66], ink[0, 0, 50, 78]]
    assert sum(float(pixel) > 0.5 for pixel in on_outline) >= 3
    assert ink[0, 0, 5:15].max() == 0  # nothing is drawn into the empty sky


def test_a_line_drawing_stays_black_on_cream(tiny: Tiny) -> None:
    built = build(tiny(drawer="line_sketch", size=(64, 64)))
    assert isinstance(built, LinesDrawer)
    assert [name for name, _ in built.named_parameters()] == ["points", "widths"]
    picture = built.finish()
    assert picture.amin() == pytest.approx(0, abs=1e-6)
    torch.testing.assert_close(picture.amax((2, 3))[0], torch.tensor([0xF2, 0xEE, 0xCB]) / 255)


def test_an_empty_picture_can_be_started_from(tiny: Tiny) -> None:
    for name in ("clipdraw", "line_sketch"):
        built = build(tiny(drawer=name, strokes=8))
        built.start_from(torch.full((1, 3, 20, 30), 0.5))
        assert built.render().isfinite().all()


@pytest.mark.parametrize("name", ["clipdraw", "line_sketch"])
def test_a_run_that_is_loaded_again_ends_in_the_same_bytes(tiny: Tiny, name: str, tmp_path: Path) -> None:
    settings = tiny(drawer=name, strokes=12, candidates=2, seed=5, keep="average")
    whole = Run(settings)
    list(whole)
    half = Run(settings)
    for frame in half:
        if frame.iteration == 3:
            half.save(tmp_path / "half.run")
            break
    rest = Run.load(tmp_path / "half.run")
    list(rest)
    assert rest.artwork.image.tobytes() == whole.artwork.image.tobytes()
    assert rest.artwork.svg == whole.artwork.svg


def test_the_loss_falls(tiny: Tiny) -> None:
    frames = list(Run(tiny(drawer="strokes", strokes=60, iterations=30, prompts="a cat")))
    assert sum(frame.loss for frame in frames[-5:]) < sum(frame.loss for frame in frames[:5])
