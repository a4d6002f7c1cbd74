"""Style losses measure what their names say: one number a candidate, with a finite gradient on any picture."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor

from text2art_nb import perceptors
from text2art_nb.errors import ModelError, SettingsError
from text2art_nb.imaging.image_io import open_picture
from text2art_nb.optimization import aesthetic
from text2art_nb.optimization.init_anchor import latent_losses
from text2art_nb.optimization.losses import BUILDERS, LossInputs, SumLoss, build
from text2art_nb.optimization.pixel_losses import (
    EdgeLoss,
    PaletteLoss,
    SaturationLoss,
    SymmetryLoss,
    TVLoss,
    VignetteLoss,
)
from text2art_nb.perceptors import Perceptor
from text2art_nb.runs.run import Run
from text2art_nb.settings import LOSSES, Settings

CPU = torch.device("cpu")
WHITE = torch.ones(3)
PICTURE = Image.linear_gradient("L").convert("RGB").resize((40, 30))
OF_PIXELS = ["smoothness", "saturation", "symmetry", "palette", "edge", "vignette"]


def noise(count: int = 1, width: int = 20, height: int = 16) -> Tensor:
    return torch.rand(count, 3, height, width, generator=torch.Generator().manual_seed(0))


def opened(uri: str) -> Tensor:
    image = open_picture(uri)
    return torch.tensor(list(image.tobytes())).view(1, image.height, image.width, 3).movedim(-1, 1) / 255


def asked(losses: str, **given: object) -> Settings:
    return Settings(prompts="a", losses=losses, palette="[red,blue]", **given)


def head_file(directory: Path, width: int = 16) -> str:
    """An aesthetic head of random weights in the format of the real one, five linear layers."""
    generator, sides = torch.Generator().manual_seed(0), (width, 12, 10, 8, 6, 1)
    tensors: dict[str, Tensor] = {}
    for layer, wide, narrow in zip((0, 2, 4, 6, 7), sides, sides[1:], strict=False):
        tensors[f"layers.{layer}.weight"] = torch.randn(narrow, wide, generator=generator)
        tensors[f"layers.{layer}.bias"] = torch.randn(narrow, generator=generator)
    directory.mkdir(exist_ok=True)
    save_file(tensors, directory / "model.safetensors")
    return str(directory)


@pytest.fixture(scope="module", params=["vit", "resnet"])
def eye(request: pytest.FixtureRequest, tiny_clip: Path) -> Perceptor:
    """A small ViT and the embedded ResNet."""
    return perceptors.load("embedded" if request.param == "resnet" else str(tiny_clip), CPU)


@pytest.fixture(scope="module")
def vit(tiny_clip: Path) -> Perceptor:
    return perceptors.load(str(tiny_clip), CPU)


def built(settings: Settings, *encoders: Perceptor, init: Tensor | None = None) -> SumLoss:
    return build(LossInputs(settings, encoders, CPU, opened), init)


# -- what all have in common


def one(tmp_path: Path, name: str, vit: Perceptor, weight: float = 2) -> SumLoss:
    """A single loss, with all that it needs."""
    head = head_file(tmp_path / "h")
    return built(asked(f"{name}:{weight}", style_image=PICTURE, content_image=PICTURE, aesthetic_head=head), vit)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_one_number_a_candidate_and_the_others_do_not_matter(
    tmp_path: Path, vit: Perceptor, name: str
) -> None:
    losses, three = one(tmp_path, name, vit), noise(3)
    together = losses(three)[name]
    assert together.shape == (3,)
    torch.testing.assert_close(together[1:2], losses(three[1:2])[name])


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("plain", [0.0, 0.5, 1.0, None])
def test_a_loss_has_a_finite_gradient_on_a_plain_picture_too(
    tmp_path: Path, vit: Perceptor, name: str, plain: float | None, count: int
) -> None:
    losses = one(tmp_path, name, vit)
    image = (noise(count) if plain is None else torch.full((count, 3, 16, 20), plain)).requires_grad_()
    losses(image)[name].sum().backward()
    assert image.grad is not None
    assert torch.isfinite(image.grad).all()
    assert plain is not None or all(candidate.abs().sum() > 0 for candidate in image.grad)


@pytest.mark.parametrize("name", LOSSES)
def test_a_weight_multiplies_and_zero_costs_nothing(tmp_path: Path, vit: Perceptor, name: str) -> None:
    twice, once, none = (one(tmp_path, name, vit, weight)(noise()) for weight in (2, 1, 0))
    torch.testing.assert_close(twice[name], 2 * once[name])
    assert none == {}


@pytest.mark.parametrize("name", OF_PIXELS)
@pytest.mark.parametrize("size", [(2, 40), (40, 2), (17, 31)])
def test_a_loss_of_pixels_takes_any_shape(name: str, size: tuple[int, int]) -> None:
    assert torch.isfinite(built(asked(name))(noise(1, *size))[name]).all()


def test_every_loss_that_can_be_asked_for_is_there() -> None:
    assert tuple(BUILDERS) == LOSSES


def test_an_unknown_loss_is_named_with_the_nearest() -> None:
    with pytest.raises(SettingsError, match="unknown loss 'vignete'; did you mean 'vignette'"):
        asked("vignete:2")


# -- of pixels


@pytest.mark.parametrize("kind", ["default", "linear", "clipped", "log"])
def test_smoothness_is_larger_for_noise_than_for_a_gradient(kind: str) -> None:
    ramp = torch.linspace(0, 1, 16).expand(1, 3, 16, 16)
    assert TVLoss(kind)(noise()) > 3 * TVLoss(kind)(ramp) > 0


def test_smoothness_counts_a_step_as_its_type_says() -> None:
    """One step of 1 in each of three channels, in one of 15 columns."""
    image = torch.zeros(1, 3, 16, 16)
    image[..., 8:] = 1
    length = 3**0.5
    for kind, step in (("linear", length), ("clipped", 0.5), ("log", torch.tensor(1 + length).log().item())):
        assert TVLoss(kind)(image).item() == pytest.approx(step / 15, rel=5e-3)
    assert TVLoss()(image).item() == pytest.approx(10 / 15)


def test_saturation_is_lower_for_vivid_pictures() -> None:
    grey = torch.full((1, 3, 4, 4), 0.5)
    vivid = torch.eye(3).repeat(2, 2)[:4, :4].expand(3, 4, 4)[None] * torch.tensor([1.0, 0, 0]).view(1, 3, 1, 1)
    assert SaturationLoss()(vivid) < SaturationLoss()(grey)


@pytest.mark.parametrize(("axis", "side"), [("left-right", -1), ("top-bottom", -2)])
def test_symmetry_is_zero_for_a_mirror_image_on_its_axis(axis: str, side: int) -> None:
    half = torch.rand(1, 3, 8, 8)
    assert SymmetryLoss(axis)(torch.cat([half, half.flip(side)], side)).item() == 0
    assert SymmetryLoss(axis)(torch.cat([half, half], side)).item() > 0
    assert SymmetryLoss("both")(torch.cat([half, half.flip(side)], side)).item() > 0


def test_palette_distance_is_zero_for_its_own_colours() -> None:
    palette = torch.tensor([[1.0, 0, 0], [0, 0, 1.0]])
    red = palette[0].view(1, 3, 1, 1).expand(1, 3, 4, 4)
    grey = torch.full((1, 3, 4, 4), 0.5)
    assert PaletteLoss(palette)(torch.cat([red, grey])).tolist() == pytest.approx([0.0, 0.75])


def test_a_palette_loss_without_a_palette_does_nothing() -> None:
    settings = Settings(prompts="a", losses="palette")
    assert built(settings)(noise()) == {}


def test_edge_wants_its_colour_along_the_border_alone() -> None:
    framed = torch.zeros(1, 3, 40, 20)
    framed[..., :4, :] = framed[..., -4:, :] = 1
    framed[..., :2] = framed[..., -2:] = 1
    assert EdgeLoss(WHITE, (10, 10, 10, 10))(framed).item() == 0
    assert EdgeLoss(WHITE, (10, 10, 10, 10))(1 - framed).item() == pytest.approx(1)


def test_edge_takes_each_side_by_itself() -> None:
    image = torch.zeros(1, 3, 40, 20)
    image[..., :5] = 1
    assert EdgeLoss(WHITE, (25, 0, 0, 0))(image).item() == 0
    assert EdgeLoss(WHITE, (0, 25, 0, 0))(image).item() == pytest.approx(1)
    assert EdgeLoss(WHITE, (0, 0, 0, 0))(image).item() == 0


def test_edge_reads_its_colour_and_thickness_from_the_settings() -> None:
    image = torch.zeros(1, 3, 20, 20)
    image[:, 0] = 1
    thick = asked("edge", edge_color="#ff0000", edge_thickness=20)
    assert built(thick)(image)["edge"].item() == 0
    assert built(thick)(1 - image)["edge"].item() == pytest.approx(1)
    assert built(asked("edge", edge_margins="0,0,50,50"))(image)["edge"].item() == pytest.approx(2 / 3)


def test_a_vignette_pulls_the_edges_and_leaves_the_middle() -> None:
    image = torch.zeros(1, 3, 41, 41).requires_grad_()
    VignetteLoss(WHITE, 28)(image).sum().backward()
    assert image.grad is not None
    pull = -image.grad[0, 0]
    assert pull[20, 20].item() == pytest.approx(0, abs=1e-9)
    assert 0 < pull[20, 10] < pull[20, 0] < pull[0, 0]
    assert VignetteLoss(WHITE, 28)(torch.ones(1, 3, 9, 9)).item() == 0


# -- of what an eye sees


def test_style_is_zero_for_the_style_picture_and_grows_with_the_difference(eye: Perceptor) -> None:
    settings = asked("style", style_image=PICTURE)
    losses_of = built(settings, eye)
    same = opened(settings.style_image or "")
    near = (same + 0.02 * noise(1, 40, 30)).clamp(0, 1)
    losses = [losses_of(each)["style"].item() for each in (same, near, noise(1, 40, 30))]
    assert losses[0] == pytest.approx(0, abs=1e-6)
    assert losses[0] < losses[1] < losses[2]


def test_style_does_not_mind_where_things_are_and_content_does(eye: Perceptor) -> None:
    settings = asked("style,content", style_image=PICTURE, content_image=PICTURE)
    losses, picture = built(settings, eye), opened(settings.style_image or "")
    turned = losses(picture.flip(-2))
    straight = losses(picture)
    assert straight["content"].item() == pytest.approx(0, abs=1e-6)
    assert turned["content"] > 1e-4
    other = losses(noise(1, 40, 30))
    assert turned["style"] < other["style"]


@pytest.mark.parametrize("name", ["style", "content"])
def test_the_gradient_is_what_a_small_step_along_it_brings(eye: Perceptor, name: str) -> None:
    settings = asked(name, style_image=PICTURE, content_image=PICTURE)
    losses, image = built(settings, eye), (0.4 + 0.2 * noise(1, 64, 64)).requires_grad_()

    def loss(picture: Tensor) -> Tensor:
        value: Tensor = losses(picture)[name].sum()
        return value

    (gradient,) = torch.autograd.grad(loss(image), image)
    step = 0.1 * gradient / gradient.norm()
    with torch.no_grad():
        found = (loss(image + step) - loss(image - step)).item() / 0.2
    assert found == pytest.approx(gradient.norm().item(), rel=0.05)


def test_content_keeps_to_the_init_image_where_no_other_is_named(vit: Perceptor) -> None:
    settings = asked("content", init_image=PICTURE)
    picture = opened(settings.init_image or "")
    assert built(settings, vit)(picture)["content"].item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("style", "the loss style needs a style_image, whose manner it takes over"),
        ("content", r"the loss content needs a content_image \(or an init_image\) to keep"),
    ],
)
def test_what_a_loss_lacks_is_said(name: str, sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        asked(name)


def test_an_eye_whose_layers_are_closed_is_refused() -> None:
    class Closed:
        name = "ears"

    with pytest.raises(ModelError, match="the layers of ears can't be read, which losses='style' needs"):
        built(asked("style", style_image=PICTURE), Closed())  # type: ignore[arg-type]


# -- aesthetic


def test_the_head_is_its_five_layers_one_after_the_other(tmp_path: Path) -> None:
    from safetensors.torch import load_file

    directory = head_file(tmp_path / "head")
    tensors, seen = load_file(Path(directory) / "model.safetensors"), torch.nn.functional.normalize(torch.rand(5, 16))
    expected = seen
    for layer in (0, 2, 4, 6, 7):
        expected = torch.nn.functional.linear(
            expected, tensors[f"layers.{layer}.weight"], tensors[f"layers.{layer}.bias"]
        )
    torch.testing.assert_close(aesthetic.load(directory, CPU).rate(seen), expected[:, 0], atol=1e-4, rtol=1e-4)


def test_aesthetic_is_pixrays_squared_difference_of_ratings(tmp_path: Path, vit: Perceptor) -> None:
    settings = asked("aesthetic", aesthetic_head=head_file(tmp_path / "head"), aesthetic_target=7)
    image = torch.rand(1, 3, 32, 32)
    rating = aesthetic.load(settings.aesthetic_head, CPU).rate(vit.see(image)).item()
    loss = built(settings, vit)(image)["aesthetic"].item()
    assert loss == pytest.approx(0.02 * (rating - 7) ** 2, rel=1e-3)


def test_without_vit_l_14_the_usual_head_is_refused_before_it_is_fetched(vit: Perceptor) -> None:
    with pytest.raises(ModelError, match="the loss aesthetic rates what ViT-L/14 sees, and here looks"):
        built(asked("aesthetic"), vit)


def test_a_head_for_another_eye_is_refused(tmp_path: Path, vit: Perceptor) -> None:
    with pytest.raises(ModelError, match="rates vectors of 24 numbers"):
        built(asked("aesthetic", aesthetic_head=head_file(tmp_path / "head", 24)), vit)


@pytest.mark.parametrize(
    "tensors",
    [
        {"layers.0.weight": torch.ones(4, 16), "layers.0.bias": torch.ones(4)},
        {"layers.0.weight": torch.ones(1, 16)},
        {"layers.0.weight": torch.ones(4, 16), "layers.0.bias": torch.ones(4), "layers.2.weight": torch.ones(1, 5)},
        {"something": torch.ones(3)},
    ],
)
def test_what_is_no_head_is_refused(tmp_path: Path, tensors: dict[str, Tensor]) -> None:
    save_file(tensors, tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="is not an aesthetic head"):
        aesthetic.load(str(tmp_path), CPU)


def test_a_damaged_head_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"\x09\0\0\0\0\0\0\0not json")
    with pytest.raises(ModelError, match="cannot be read as the weights of an aesthetic head"):
        aesthetic.load(str(tmp_path), CPU)


# -- staying close to the start


def test_staying_close_is_measured_in_four_ways() -> None:
    start = {"a": torch.tensor([[3.0, 0.0]]), "b": torch.tensor([[[4.0]]])}
    now = {"a": torch.tensor([[0.0, 3.0]]), "b": torch.tensor([[[4.0]]])}
    settings = Settings(prompts="a", init_weight_spherical=1, init_weight_dist=2, init_weight_cos=3)
    losses = latent_losses(now, start, settings)
    angle = torch.tensor(16 / 25).arccos().item()
    assert losses["init_spherical"].item() == pytest.approx(angle**2 / 2, rel=1e-4)
    assert losses["init_dist"].item() == pytest.approx(2 * 18 / 3 / 2)
    assert losses["init_cos"].item() == pytest.approx(3 * (1 - 16 / 25), rel=1e-4)
    picture = built(Settings(prompts="a", init_weight=4), init=noise() + 0.5)(noise())
    assert picture["init"].item() == pytest.approx(4 * 0.25)


@pytest.mark.parametrize("start", [torch.ones(2, 6), torch.zeros(2, 6)])
def test_at_the_start_nothing_pulls_and_gradients_are_finite(start: Tensor) -> None:
    now = start.clone().requires_grad_()
    settings = Settings(prompts="a", init_weight_spherical=1, init_weight_dist=1, init_weight_cos=1)
    torch.stack(list(latent_losses({"a": now}, {"a": start}, settings).values())).sum().backward()
    assert now.grad is not None
    assert torch.isfinite(now.grad).all()


@pytest.mark.parametrize("weight", ["init_weight", "init_weight_spherical", "init_weight_dist", "init_weight_cos"])
@pytest.mark.parametrize("start", ["image", "noise"])
def test_an_init_weight_keeps_a_run_closer_to_the_init_image(
    tiny: Callable[..., Settings], weight: str, start: str
) -> None:
    """Without a prompt that matters, in the pixel drawer, whose numbers are the picture's colours."""
    given = {"drawer": "pixel", "pixel_size": (8, 8), "init_image": PICTURE, "start": start, "iterations": 8}
    uri = Settings(prompts="a", init_image=PICTURE).init_image or ""
    wanted = torch.nn.functional.interpolate(opened(uri), (32, 48), mode="area")

    def away(**more: object) -> float:
        run = Run(tiny(**given, **more, learning_rate=0.1))
        for _ in run:
            pass
        drawn = torch.tensor(list(run.artwork.image.convert("RGB").tobytes())).view(1, 32, 48, 3).movedim(-1, 1) / 255
        return (drawn - wanted).square().mean().item()

    assert away(**{weight: 500}) < away()
