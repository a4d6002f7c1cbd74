"""Filters do to every picture what their names say, and let the gradient through."""

from collections.abc import Callable

import pytest
import torch
from PIL import Image
from torch import Tensor

from text2art_nb.artifacts import upscale
from text2art_nb.drawers.base import Drawer
from text2art_nb.imaging.tensors import resize
from text2art_nb.optimization import filters
from text2art_nb.optimization.loop import Loop
from text2art_nb.settings import Settings
from text2art_nb.settings.style import FILTERS

SIZES = [(32, 32), (31, 33), (48, 20), (17, 5)]


def noise(width: int, height: int, count: int = 1) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(0))


def built(names: str, palette: Tensor | None = None, **given: object) -> filters.Filters:
    return filters.build(Settings(prompts="a", filters=names, **given), palette)


def smooth(image: Tensor, size: tuple[int, int]) -> Tensor:
    """How a drawer without whims enlarges."""
    return Drawer.enlarge(None, image, size)  # type: ignore[arg-type]


def steps(image: Tensor) -> Tensor:
    """The size of each step from a column to the next, and at last of the one from the last to the first."""
    return (image.roll(-1, -1) - image).abs().amax((0, 1, 2))


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("size", SIZES)
def test_a_filter_keeps_size_and_range_and_lets_the_gradient_through(name: str, size: tuple[int, int]) -> None:
    image = noise(*size, count=2).requires_grad_()
    filtered = built(name)(image)
    assert filtered.shape == image.shape
    assert filtered.min() >= -1e-6
    assert filtered.max() <= 1 + 1e-6
    filtered.sum().backward()
    assert image.grad is not None
    assert torch.isfinite(image.grad).all()
    assert image.grad.abs().sum() > 0


@pytest.mark.parametrize("name", FILTERS)
def test_what_is_opaque_goes_where_its_colours_go(name: str) -> None:
    red, blue = torch.tensor([[1.0, 0, 0], [0, 0, 1.0]]).view(2, 1, 3, 1, 1)
    opacity = (noise(30, 24)[:, :1] > 0.5).float()
    image = torch.cat([red * opacity + blue * (1 - opacity), opacity], 1)
    filtered = built(name, torch.tensor([[1.0, 0, 0], [0, 0, 1.0]]))(image)
    shown = filtered.movedim(1, -1)[filtered[:, 3] > 0.05]
    torch.testing.assert_close(shown[:, :3], torch.tensor([1.0, 0, 0]).expand(len(shown), 3), atol=1e-4, rtol=0)
    if name != "lookup":
        torch.testing.assert_close(filtered[:, 3:], built(name)(opacity.expand(-1, 3, -1, -1))[:, :1])


@pytest.mark.parametrize("name", FILTERS)
def test_candidates_do_not_influence_each_other(name: str) -> None:
    both = noise(24, 16, count=2)
    assert torch.equal(built(name)(both)[1:], built(name)(both[1:]))


# -- tiles


def as_sheet(name: str, image: Tensor) -> Tensor:
    """Three by three tiles, the rows of bricks shifted."""
    shift = image.shape[-1] // 2 if name == "tile-brick" else 0
    return torch.cat([image.repeat(1, 1, 1, 3).roll(row * shift, -1) for row in (-1, 0, 1)], -2)


@pytest.mark.parametrize("name", ["tile", "tile-brick"])
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [(64, 64), (61, 48), (144, 100)])
def test_the_steps_across_a_tiles_edges_are_no_larger_than_those_inside(
    name: str, seed: int, size: tuple[int, int]
) -> None:
    """Of a soft picture whose own edges have nothing to do with each other."""
    cells = torch.rand(1, 3, 5, 5, generator=torch.Generator().manual_seed(seed))
    width, height = size
    image = torch.nn.functional.interpolate(cells, (height, width), mode="bicubic").clamp(0, 1)
    sheet = as_sheet(name, built(name)(image))
    across = (sheet[..., 1:] - sheet[..., :-1]).abs()
    down = (sheet[..., 1:, :] - sheet[..., :-1, :]).abs()
    assert across[..., width - 1].max() <= across[..., width : 2 * width - 1].max() + 1e-6
    assert down[..., height - 1, :].max() <= down[..., height : 2 * height - 1, :].max() + 1e-6
    for differences, edge in ((across, width - 1), (down.mT, height - 1)):
        beside = torch.stack([differences[..., edge + side] for side in (-2, -1, 1, 2)]).mean()
        assert differences[..., edge].mean() < 1.25 * beside


@pytest.mark.parametrize("size", SIZES)
def test_what_is_endless_and_plain_stays_plain(size: tuple[int, int]) -> None:
    plain = torch.full((1, 3, size[1], size[0]), 0.3)
    for name in ("tile", "tile-brick", "tile-across", "tile-down"):
        torch.testing.assert_close(built(name)(plain), plain)


def test_a_tile_may_repeat_in_one_direction_alone() -> None:
    ramp = torch.linspace(0, 1, 60).expand(1, 3, 60, 60)
    assert steps(built("tile-across")(ramp))[-1] < 0.1 < steps(built("tile-down")(ramp))[-1]
    assert steps(built("tile-down")(ramp.mT).mT)[-1] < 0.1 < steps(built("tile-across")(ramp.mT).mT)[-1]


def test_the_borders_of_what_was_drawn_count_for_next_to_nothing() -> None:
    """Drawers are at their worst there: a frame of one pixel leaves hardly a trace."""
    framed = torch.full((1, 3, 60, 60), 0.5)
    framed[..., 0] = framed[..., -1] = framed[..., 0, :] = framed[..., -1, :] = 0
    assert (built("tile")(framed) - 0.5).abs().max() < 0.06


def test_the_middle_is_what_was_drawn_a_little_larger() -> None:
    image = torch.zeros(1, 3, 60, 60)
    image[..., 25:35, 25:35] = 1
    middle = built("tile")(image)[0, 0]
    assert middle[24:36, 24:36].min() > 0.85
    assert middle.sum().item() == pytest.approx(12 * 12, rel=0.02)


def test_the_step_across_a_tiles_edge_is_no_larger_than_those_inside_at_any_size() -> None:
    ramp = torch.linspace(0, 1, 40).expand(1, 3, 40, 40)
    tile = built("tile")
    for size in ((40, 40), (80, 80), (96, 50), (333, 333)):
        inside_and_across = steps(tile.enlarged(smooth, tile(ramp), size))
        assert inside_and_across[-1] <= inside_and_across[:-1].max() + 1e-6


def test_enlarged_with_its_neighbours_a_tile_has_no_seam() -> None:
    """The seam of an enlarged tile is as the same place in an enlarged sheet of tiles."""
    tile, image = built("tile"), noise(24, 16)
    sheet = smooth(tile(image).repeat(1, 1, 3, 3), (24 * 9, 16 * 9))
    torch.testing.assert_close(tile.enlarged(smooth, tile(image), (72, 48)), sheet[..., 48:96, 72:144])


def test_what_is_looked_at_is_some_window_of_the_endless_pattern() -> None:
    image = noise(12, 8)
    window = built("tile").looked_at(image, torch.Generator().manual_seed(3))
    shifts = [(y, x) for y in range(8) for x in range(12) if torch.equal(image.roll((y, x), (-2, -1)), window)]
    assert len(shifts) == 1
    assert shifts != [(0, 0)]


def test_a_window_of_bricks_is_cut_from_shifted_rows() -> None:
    image = noise(12, 8)
    shifted = torch.cat([image, image.roll(6, -1)], -2)
    window = built("tile-brick").looked_at(image, torch.Generator().manual_seed(3))
    found = [
        (y, x) for y in range(8) for x in range(12) if torch.equal(shifted.roll(-x, -1)[..., y : y + 8, :], window)
    ]
    assert len(found) == 1


def test_without_a_tile_the_picture_itself_is_looked_at() -> None:
    image = noise(12, 8)
    assert built("mirror,lookup").looked_at(image, torch.Generator()) is image


def test_a_mosaic_keeps_its_hard_cells() -> None:
    image = noise(12, 8)
    tile = filters.build(Settings(prompts="a", filters="tile"), None, hard_cells=True)
    assert torch.equal(tile(image), image)


def test_a_drawn_tile_has_edges_that_meet(tiny: Callable[..., Settings]) -> None:
    loop = Loop(tiny(filters="tile", size=(96, 64), iterations=2).resolved())
    for _ in range(2):
        loop.step()
    picture = loop.finish()[0]
    assert picture.shape[-2:] == (64, 96)
    assert steps(picture)[-1] <= steps(picture)[:-1].max()
    assert steps(picture.mT)[-1] <= steps(picture.mT)[:-1].max()


def test_the_same_tile_is_drawn_again_from_a_checkpoint(tiny: Callable[..., Settings]) -> None:
    settings = tiny(filters="tile,lookup", init_weight_dist=1, init_weight_cos=1, iterations=4).resolved()
    straight, broken = Loop(settings), Loop(settings)
    for _ in range(2):
        broken.step()
    mended = Loop(settings, broken.state())
    for _ in range(4):
        straight.step()
    for _ in range(2):
        mended.step()
    assert torch.equal(straight.finish()[0], mended.finish()[0])


# -- symmetries


@pytest.mark.parametrize("size", SIZES)
def test_mirrors_are_symmetric(size: tuple[int, int]) -> None:
    image = noise(*size)
    assert torch.equal(filters.mirror(image), filters.mirror(image).flip(-1))
    assert torch.equal(filters.mirror_vertical(image), filters.mirror_vertical(image).flip(-2))


@pytest.mark.parametrize("size", SIZES)
def test_rotate2_looks_the_same_upside_down(size: tuple[int, int]) -> None:
    turned = filters.rotate2(noise(*size))
    torch.testing.assert_close(turned, turned.rot90(2, (-2, -1)))


@pytest.mark.parametrize("side", [32, 33])
def test_rotate4_looks_the_same_after_a_quarter_turn(side: int) -> None:
    turned = filters.rotate4(noise(side, side))
    torch.testing.assert_close(turned, turned.rot90(1, (-2, -1)))


def test_a_rotation_leaves_a_plain_picture_plain() -> None:
    plain = torch.full((1, 3, 20, 32), 0.7)
    for rotate in (filters.rotate2, filters.rotate4):
        torch.testing.assert_close(rotate(plain), plain)


def test_a_rotation_shows_its_wedge_as_it_was_drawn() -> None:
    image = noise(64, 64)
    torch.testing.assert_close(filters.rotate4(image)[..., :8, 32], image[..., :8, 32], atol=1e-3, rtol=0)


@pytest.mark.parametrize("size", [(32, 32), (33, 33)])
def test_a_kaleidoscope_has_eight_mirrors(size: tuple[int, int]) -> None:
    seen = filters.kaleidoscope(noise(*size))
    for other in (seen.flip(-1), seen.flip(-2), seen.mT, seen.rot90(1, (-2, -1))):
        assert torch.equal(seen, other)


@pytest.mark.parametrize("size", SIZES)
def test_a_kaleidoscope_of_any_shape_is_mirrored_both_ways(size: tuple[int, int]) -> None:
    seen = filters.kaleidoscope(noise(*size))
    assert torch.equal(seen, seen.flip(-1))
    assert torch.equal(seen, seen.flip(-2))


# -- lookup


def test_a_lookup_leaves_only_the_palettes_colours() -> None:
    palette = torch.tensor([[1.0, 0, 0], [0, 0, 1.0], [0.5, 0.5, 0.5]])
    looked_up = built("lookup", palette)(noise(16, 16))
    colours = {tuple(colour) for colour in looked_up.movedim(1, -1).flatten(0, 2).round(decimals=4).tolist()}
    assert colours <= {tuple(colour) for colour in palette.tolist()}
    assert len(colours) == 3


def colours_in(image: torch.Tensor) -> set[tuple[float, ...]]:
    """The colours of an image [1,3,H,W]."""
    return {tuple(colour) for colour in image.movedim(1, -1).flatten(0, 2).round(decimals=4).tolist()}


@pytest.mark.parametrize("names", ["lookup", "lookup,mirror", "tile,lookup"])
def test_a_picture_that_is_enlarged_after_a_lookup_has_the_palettes_colours_alone(names: str) -> None:
    palette = torch.tensor([[1.0, 0, 0], [0, 0, 1.0], [0.5, 0.5, 0.5]])
    filtered = filters.build(Settings(prompts="a", filters=names), palette)
    larger = filtered.enlarged(resize, filtered(noise(16, 16)), (40, 24))
    assert larger.shape == (1, 3, 24, 40)
    assert colours_in(larger) <= colours_in(palette.T[None, :, None])


def test_a_looked_up_picture_is_upscaled_in_the_palette_that_was_steered_to() -> None:
    settings = Settings(
        prompts="a", filters="lookup", palette="[black,white]", steering=[{"iteration": 9, "palette": "[red,blue]"}]
    )
    picture = Image.effect_noise((16, 16), 80).convert("RGB").quantize(2).convert("RGB")
    larger = upscale.enlarge(picture, 2, "lanczos", made_by=filters.of_finished(settings))
    assert larger.size == (32, 32)
    assert {colour for _, colour in larger.getcolors() or []} <= {(255, 0, 0), (0, 0, 255)}


def test_a_lookup_without_a_palette_takes_fifteen_usual_colours() -> None:
    assert len(set(filters.USUAL_COLOURS)) == 15
    looked_up = built("lookup")(noise(64, 64))
    assert 10 < len(looked_up.movedim(1, -1).flatten(0, 2).round(decimals=4).unique(dim=0)) <= 15


def test_a_lookup_pulls_what_it_is_given_to_the_palette_as_pixrays_does() -> None:
    palette = torch.tensor([[0.0, 0, 0], [1.0, 1, 1]])
    stage = built("lookup", palette)
    grey = torch.full((2, 3, 4, 4), 0.4).requires_grad_()
    stage(grey)
    loss = stage.losses()["lookup"]
    assert loss.tolist() == pytest.approx([10 * 0.4**2] * 2)
    loss.sum().backward()
    assert grey.grad is not None
    assert (grey.grad > 0).all()


def test_a_lookup_need_not_pull() -> None:
    stage = built("lookup", lookup_beta=0)
    stage(noise(8, 8))
    assert stage.losses() == {}


def test_a_large_picture_is_looked_up_a_part_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    image, palette = noise(20, 20, count=2), torch.rand(7, 3)
    whole = filters.nearest_colours(image, palette)
    monkeypatch.setattr(filters, "_CHUNK", 64)
    assert torch.equal(filters.nearest_colours(image, palette), whole)


def test_filters_work_one_after_the_other() -> None:
    image, palette = noise(16, 16), torch.tensor([[0.0, 0, 0], [1.0, 1, 1]])
    assert torch.equal(built("mirror,lookup", palette)(image), built("lookup", palette)(filters.mirror(image)))


def test_every_filter_that_can_be_asked_for_is_there() -> None:
    assert all(len(built(name)._stages) == 1 for name in FILTERS)
