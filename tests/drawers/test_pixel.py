"""What somebody gets who draws pixel art: cells of six shapes, a palette's colours alone, opacity, a sprite."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from text2art_nb import drawers
from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.drawers.cells import SHAPES, CellMap, cells_at, centres, coverage
from text2art_nb.drawers.pixel import PixelDrawer
from text2art_nb.errors import ArtworkError, SettingsError
from text2art_nb.imaging import quantize
from text2art_nb.imaging.palettes import PALETTES, parse_palette
from text2art_nb.optimization.loop import Loop
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings
from text2art_nb.settings.presets import grid_size

Tiny = Callable[..., Settings]
ODD_SIZES = [((9, 9), (50, 37)), ((5, 8), (64, 64)), ((1, 1), (16, 16)), ((16, 17), (16, 17))]
PICO = torch.tensor(PALETTES["pico-8"])


def build(settings: Settings) -> PixelDrawer:
    """The drawer of settings, its start from seed 0."""
    built = drawers.build(settings, torch.device("cpu"), torch.Generator().manual_seed(0))
    assert isinstance(built, PixelDrawer)
    return built


def colours_of(picture: torch.Tensor) -> set[tuple[int, ...]]:
    """The colours [C,H,W] as whole numbers."""
    return {tuple(each) for each in picture.mul(255).round().int().flatten(1).T.tolist()}


# ---- cells ----


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("grid", "canvas"), ODD_SIZES)
def test_the_cells_cover_every_pixel_exactly_once(shape: str, grid: tuple[int, int], canvas: tuple[int, int]) -> None:
    shares = coverage(shape, grid, canvas)
    assert shares.members.min() >= 0
    assert shares.members.max() < grid[0] * grid[1]
    assert shares.weights.min() > 0
    assert (np.add.reduceat(shares.weights, shares.starts[:-1]) == 1).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_cells_own_place_lies_in_it(shape: str) -> None:
    grid = (9, 8)
    numbers = cells_at(shape, grid, *centres(shape, grid)).reshape(8, 9)
    inside = numbers[1:-1, 1:-1]
    assert (inside == np.arange(72).reshape(8, 9)[1:-1, 1:-1]).all()


@pytest.mark.parametrize("shape", SHAPES)
def test_all_inner_cells_are_equally_large(shape: str) -> None:
    _, area = CellMap(shape, (9, 10), (180, 200)).average(torch.zeros(1, 3, 200, 180))
    inner = area[2:-2, 2:-2]
    assert inner.mean().item() == pytest.approx(400, rel=0.02)
    assert (inner - inner.mean()).abs().max() < 8


def test_rectangles_by_the_map_are_those_of_the_fast_path() -> None:
    cells = torch.rand(2, 3, 6, 8, generator=torch.Generator().manual_seed(1))
    slow = CellMap("rect", (8, 6), (80, 60)).paint(cells)
    assert torch.equal(slow, F.interpolate(cells, (60, 80), mode="nearest-exact"))


def test_the_gradient_of_a_map_is_the_true_one() -> None:
    cells = torch.rand(1, 2, 4, 5, dtype=torch.double, requires_grad=True)
    assert torch.autograd.gradcheck(CellMap("hex", (5, 4), (13, 11)).paint, (cells,))


@pytest.mark.parametrize("shape", SHAPES)
def test_inside_a_cell_is_its_plain_colour_and_only_edges_are_mixed(tiny: Tiny, shape: str) -> None:
    built = build(tiny(drawer="pixel", pixel_type=shape, size=(120, 120), pixel_size=(5, 5)))
    with torch.no_grad():
        built.levels[0].copy_(torch.rand_like(built.levels[0]) - 0.5)
    known = colours_of(built.cells.detach().clamp(0, 1)[0])
    seen = colours_of(built.render().detach()[0])
    assert len(known & seen) >= 18
    assert (len(seen - known) > 0) == (shape not in ("rect", "rectshift"))  # whose edges lie between pixels here


@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_starts_from_a_picture(tiny: Tiny, shape: str) -> None:
    built = build(tiny(drawer="pixel", pixel_type=shape, size=(120, 90), pixel_size=(30, 24)))
    ramp = torch.linspace(0, 1, 120).expand(1, 3, 90, 120)
    built.start_from(ramp)
    assert (built.render() - ramp).abs().mean() < 0.02


@pytest.mark.parametrize(
    ("shape", "size", "given", "grid"),
    [
        ("rect", (288, 288), None, (40, 40)),
        ("rectshift", (288, 288), None, (41, 41)),
        ("hex", (288, 288), None, (41, 57)),
        ("tri", (288, 288), None, (57, 40)),
        ("diamond", (288, 288), None, (41, 81)),
        ("knit", (288, 288), None, (40, 40)),
        ("diamond", (384, 216), None, (81, 91)),
        ("hex", (288, 288), (20, 20), (21, 21)),
        ("tri", (288, 288), (20, 21), (21, 22)),
        ("hex", (20, 20), (20, 20), (19, 19)),
        ("tri", (21, 21), (40, 40), (21, 20)),
    ],
)
def test_the_grid_of_a_shape_is_pixrays_and_never_finer_than_the_picture(
    shape: str, size: tuple[int, int], given: tuple[int, int] | None, grid: tuple[int, int]
) -> None:
    assert grid_size(size, given, None, shape) == grid
    assert grid_size(size, grid, 1.0, shape) == grid


def test_an_unknown_shape_names_the_nearest(tiny: Tiny) -> None:
    with pytest.raises(SettingsError, match="unknown pixel_type 'hexx'; did you mean 'hex'"):
        tiny(pixel_type="hexx")


# ---- the palette ----


@pytest.mark.parametrize("shape", SHAPES)
def test_the_last_picture_has_the_palettes_colours_and_no_others(tiny: Tiny, shape: str) -> None:
    run = Run(tiny(drawer="pixel", pixel_type=shape, palette="pico-8", pixel_size=(12, 8), iterations=2))
    *_, frame = run
    known = {tuple(round(part * 255) for part in colour) for colour in PALETTES["pico-8"]}
    seen = {colour for _, colour in run.artwork.image.getcolors(9999)}
    assert seen <= known
    assert frame.iteration == 2


def test_colours_harden_from_free_to_the_palettes_as_the_run_goes_on(tiny: Tiny) -> None:
    built = build(tiny(drawer="pixel", palette="pico-8"))
    with torch.no_grad():
        built.levels[0].copy_(torch.rand_like(built.levels[0]) - 0.5)
    exact = built.finish()
    distances = []
    for progress in (0.0, 0.3, 0.5, 1.0):
        built.anneal(progress)
        distances.append((built.render() - exact).abs().mean().item())
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 0.06 * distances[0]


def test_the_gradient_goes_straight_through_the_palette(tiny: Tiny) -> None:
    built = build(tiny(drawer="pixel", palette="pico-8"))
    gradients = []
    for progress in (0.0, 1.0):
        built.zero_grad()
        built.anneal(progress)
        built.render().sum().backward()
        gradients.append(built.levels[0].grad)
    assert torch.equal(*gradients)


def test_a_cell_gets_the_colour_that_looks_most_like_it() -> None:
    sky = torch.tensor([0.3, 0.6, 0.95]).view(1, 3, 1, 1)
    assert quantize.nearest(sky, PICO).flatten().tolist() == pytest.approx([0x29 / 255, 0xAD / 255, 1.0])
    assert torch.equal(quantize.nearest(PICO.T[None, :, None], PICO), PICO.T[None, :, None])


def test_neighbouring_colours_are_told_apart_where_the_perceptors_look_in_half_precision() -> None:
    greys = (torch.arange(256) / 255).view(-1, 1).repeat(1, 3)
    with torch.autocast("cpu", torch.bfloat16):
        found = quantize.nearest(greys.T[None, :, None], greys)
    assert torch.equal(found, greys.T[None, :, None])


def test_a_palette_that_is_steered_is_the_one_that_counts(tiny: Tiny) -> None:
    run = Run(tiny(drawer="pixel", palette="pico-8", iterations=4))
    for frame in run:
        if frame.iteration == 2:
            run.steer(palette="gameboy")
    seen = {colour for _, colour in run.artwork.image.getcolors(9999)}
    assert seen <= {tuple(round(part * 255) for part in colour) for colour in PALETTES["gameboy"]}


def test_a_palette_that_is_taken_away_leaves_all_colours(tiny: Tiny) -> None:
    run = Run(tiny(drawer="pixel", palette="gameboy", iterations=3))
    for frame in run:
        if frame.iteration == 1:
            run.steer(palette="")
    assert len(run.artwork.image.getcolors(9999)) > 16


@pytest.mark.parametrize("palette", ["[red]", "[black,white]"])
def test_a_palette_in_which_all_cells_get_one_colour_does_not_end_the_run(tiny: Tiny, palette: str) -> None:
    run = Run(tiny(drawer="pixel", start="noise", palette=palette, iterations=14, learning_rate=1e-6))
    assert len(list(run)) == 14
    assert len(run.artwork.image.getcolors(9999)) <= 2


def test_a_run_with_a_palette_goes_on_to_the_same_bytes_after_a_kill(tiny: Tiny, tmp_path: Path) -> None:
    settings = tiny(drawer="pixel", pixel_type="hex", palette="pico-8", transparent=True, pixel_size=(12, 8))
    whole = Run(settings)
    frames = list(whole)
    begun = Run(settings)
    for _ in range(3):
        next(begun)
    begun.save(tmp_path / "begun.t2a")
    rest = Run.load(tmp_path / "begun.t2a")
    assert len(list(rest)) == len(frames) - 3
    assert rest.artwork.image.tobytes() == whole.artwork.image.tobytes()


# ---- transparency ----


def test_transparent_pixel_art_starts_opaque_and_has_an_opacity(tiny: Tiny) -> None:
    picture = build(tiny(drawer="pixel", transparent=True, candidates=2)).render()
    assert picture.shape == (2, 4, 32, 48)
    assert picture[:, 3].mean() > 0.9


def test_transparent_weight_pulls_towards_nothing(tiny: Tiny) -> None:
    built = build(tiny(drawer="pixel", transparent=True, transparent_weight=3.0, candidates=2))
    loss = built.losses()["transparent"]
    assert loss.shape == (2,)
    loss.sum().backward()
    assert all((level.grad > 0).all() for level in built.opacity)
    assert all(level.grad is None or not level.grad.any() for level in built.levels)


def test_without_transparent_there_is_no_opacity_and_no_loss_of_it(tiny: Tiny) -> None:
    built = build(tiny(drawer="pixel", transparent_weight=3.0))
    assert built.render().shape[1] == 3
    assert built.losses() == {}


def test_an_invisible_cell_does_not_bleed_into_its_neighbours_edge(tiny: Tiny) -> None:
    built = build(tiny(drawer="pixel", transparent=True, pixel_type="hex", size=(60, 60), pixel_size=(5, 5)))
    with torch.no_grad():
        for level in built.levels:
            level.zero_()
        built.levels[0][:] = 0.5  # white …
        built.levels[0][:, :, 2, 2] = -0.5  # … but for one cell, black and invisible
        built.opacity[0][:, :, 2, 2] = -1
    picture = built.render().detach()
    assert picture[:, 3].min() == 0
    assert picture[:, :3][:, :, picture[0, 3] > 0.05].min() > 0.95


def test_a_transparent_drawing_is_saved_with_its_opacity(tiny: Tiny, tmp_path: Path) -> None:
    run = Run(tiny(drawer="pixel", transparent=True, iterations=3, learning_rate=0.5))
    list(run)
    path = run.artwork.save(tmp_path / "ghost.png")
    with Image.open(path) as saved:
        assert saved.mode == "RGBA"
        assert saved.getchannel("A").getextrema()[0] < 255


@pytest.mark.parametrize(("asked", "rates"), [(None, (0.0004, 0.03)), (0.01, (0.01, 0.03)), (0.1, (0.1, 0.1))])
def test_the_opacity_of_a_proposal_changes_as_fast_at_any_learning_rate(
    tiny: Tiny, asked: float | None, rates: tuple[float, float]
) -> None:
    settings = tiny(drawer="pixel", transparent=True, start="proposal", learning_rate=asked, iterations=1)
    loop = Loop(settings.resolved())
    loop.step()
    assert [group["lr"] for group in loop.active.optimizer.param_groups] == pytest.approx(
        [rate / 10 for rate in rates]  # the only step is after the drop at 75%
    )


# ---- the file ----


def drawn(tiny: Tiny, **changes: object) -> Artwork:
    """A finished picture in PICO-8's colours."""
    run = Run(tiny(drawer="pixel", palette="pico-8", pixel_size=(12, 8), iterations=2, **changes))
    list(run)
    return run.artwork


def test_a_png_with_a_palette_is_indexed_with_exactly_its_colours(tiny: Tiny, tmp_path: Path) -> None:
    artwork = drawn(tiny)
    path = artwork.save(tmp_path / "art.png")
    with Image.open(path) as saved:
        assert saved.mode == "P"
        table = saved.getpalette()
        assert saved.convert("RGB").tobytes() == artwork.image.tobytes()
    assert [part / 255 for part in table] == pytest.approx([part for colour in PALETTES["pico-8"] for part in colour])
    assert b"PLTE" in path.read_bytes()


def test_an_indexed_png_is_small_and_always_the_same(tiny: Tiny, tmp_path: Path) -> None:
    artwork = drawn(tiny, size=(480, 320))
    bare = artwork.save(tmp_path / "bare.png", metadata=False)
    assert bare.stat().st_size < 3000
    one = artwork.save(tmp_path / "one.png").read_bytes()
    assert artwork.save(tmp_path / "two.png").read_bytes() == one


def test_an_indexed_png_is_opened_with_its_recipe_and_saved_as_the_very_same_file(tiny: Tiny, tmp_path: Path) -> None:
    artwork = drawn(tiny)
    path = artwork.save(tmp_path / "art.png")
    back = Artwork.open(path, trusted=True)
    assert back.settings == artwork.settings
    assert back.image.tobytes() == artwork.image.tobytes()
    assert back.save(tmp_path / "again.png").read_bytes() == path.read_bytes()


def test_transparent_pixel_art_in_a_palette_is_indexed_with_one_clear_colour(tiny: Tiny, tmp_path: Path) -> None:
    artwork = drawn(tiny)
    image = artwork.image.convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size).point(lambda value: 255 * (value > 90)))
    path = Artwork(image, artwork.settings).save(tmp_path / "ghost.png")
    with Image.open(path) as saved:
        assert (saved.mode, saved.info["transparency"]) == ("P", 16)
    back = Artwork.open(path, trusted=True)
    assert back.image.getchannel("A").tobytes() == image.getchannel("A").tobytes()
    assert back.save(tmp_path / "again.png").read_bytes() == path.read_bytes()


def test_a_picture_with_other_colours_than_its_palettes_keeps_them(tmp_path: Path) -> None:
    settings = Settings(prompts="a castle", palette="pico-8", seed=1).resolved()
    image = Image.new("RGB", (32, 32), (1, 2, 3))
    assert Artwork.open(Artwork(image, settings).save(tmp_path / "plain.png")).image.getpixel((0, 0)) == (1, 2, 3)


def test_a_sprite_has_one_pixel_for_each_cell(tiny: Tiny, tmp_path: Path) -> None:
    artwork = drawn(tiny, size=(125, 83))
    sprite = artwork.sprite
    assert sprite.size == (12, 8)
    enlarged = torch.tensor(np.asarray(sprite)).movedim(-1, 0)[None].float()
    again = F.interpolate(enlarged, (83, 125), mode="nearest-exact").byte()[0].movedim(0, -1)
    assert np.array_equal(again.numpy(), np.asarray(artwork.image))
    path = artwork.save(tmp_path / "art.sprite.png")
    with Image.open(path) as saved:
        assert (saved.mode, saved.size) == ("P", (12, 8))
    assert Artwork.open(path, trusted=True).sprite.tobytes() == sprite.tobytes()


@pytest.mark.parametrize("shape", SHAPES)
def test_a_sprite_has_the_colour_of_every_cell_that_is_seen(shape: str) -> None:
    from text2art_nb.artifacts import sprites

    grid = (9, 8)
    cells = torch.randint(0, 256, (1, 3, 8, 9), generator=torch.Generator().manual_seed(2)).float()
    there = CellMap(shape, grid, (90, 96))
    picture = there.paint_plain(cells)[0].byte().movedim(0, -1).numpy()
    found = np.asarray(sprites.sprite(Image.fromarray(picture), grid, shape))
    _, area = there.average(torch.zeros(1, 3, 96, 90))
    same = (found == cells[0].byte().movedim(0, -1).numpy()).all(-1)
    assert same[1:-1, 1:-1].all()
    assert same[area.numpy() > 60].all()


def test_only_pixel_art_has_a_sprite(tmp_path: Path) -> None:
    settings = Settings(prompts="a castle", seed=1).resolved()
    with pytest.raises(ArtworkError, match="only pixel art has a sprite; this was drawn by vqgan"):
        Artwork(Image.new("RGB", (32, 32)), settings).save(tmp_path / "art.sprite.png")


def test_a_palette_of_many_shades_counts_each_once_in_the_file(tmp_path: Path) -> None:
    colours = parse_palette("#030303\\256")
    settings = Settings(prompts="a castle", drawer="pixel", palette="#030303\\256", seed=1).resolved()
    path = Artwork(Image.new("RGB", (32, 32), (2, 2, 2)), settings).save(tmp_path / "grey.png")
    with Image.open(path) as saved:
        assert len(saved.getpalette()) == 3 * len({round(red * 255) for red, _, _ in colours}) == 12
