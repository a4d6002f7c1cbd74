"""A generator of the user's own: saved in either way, drawn with, started from a picture, edited, and refused."""

import io
import json
import pickle
import zipfile
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from tests import tiny_models
from text2art_nb import drawers, perceptors
from text2art_nb.drawers import generator_file
from text2art_nb.drawers.generator import GeneratorDrawer
from text2art_nb.drawers.generator_file import LatentSpec
from text2art_nb.errors import ModelError, SettingsError
from text2art_nb.imaging.tensors import to_pixels
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

Tiny = Callable[..., Settings]
CPU = torch.device("cpu")
BLUE_ON_WHITE = (-1.5, -1.5, 1.5, 1.5, 1.5, 1.5, 0.0, 0.0)


class Disc(nn.Module):
    """Paints a disc on a ground, 48 by 48, -1..1: the latent is the colours of both, and where the disc is."""

    def forward(self, latent: Tensor) -> Tensor:
        steps = torch.linspace(-1, 1, 48)
        across = (steps[None, None, :] - 0.5 * torch.tanh(latent[:, 6, None, None])).square()
        down = (steps[None, :, None] - 0.5 * torch.tanh(latent[:, 7, None, None])).square()
        inside = torch.sigmoid((0.4 - across - down) * 20)[:, None]
        disc, ground = torch.tanh(latent[:, :3, None, None]), torch.tanh(latent[:, 3:6, None, None])
        return disc * inside + ground * (1 - inside)


class NoGradient(nn.Module):
    def forward(self, latent: Tensor) -> Tensor:
        return latent.detach().view(-1, 1, 2, 4)


class Noisy(nn.Module):
    def forward(self, latent: Tensor) -> Tensor:
        return latent.view(-1, 1, 2, 4) + torch.randn(1, 3, 2, 4)


class Flat(nn.Module):
    def forward(self, latent: Tensor) -> Tensor:
        return latent


def ask(path: Path, **changes: Any) -> Settings:
    settings = {"prompts": "a cat", "drawer": "generator", "model": str(path), "perceptors": "embedded"}
    return Settings(**{**settings, "size": (48, 36), "seed": 1, "device": "cpu", **changes})


def build(settings: Settings, seed: int = 0) -> GeneratorDrawer:
    built = drawers.build(settings, CPU, torch.Generator().manual_seed(seed))
    assert isinstance(built, GeneratorDrawer)
    return built


@pytest.fixture(scope="module", params=["disc.pt", "disc.pt2"])
def disc(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generator as TorchScript, and exported."""
    return tiny_models.save_generator(tmp_path_factory.mktemp("disc") / request.param, module=Disc())


def test_it_draws_what_the_module_draws(disc: Path) -> None:
    built = build(ask(disc, latent_shape=8, candidates=3, size=(48, 48)))
    expected = (Disc()(built.latent) / 2 + 0.5).clamp(0, 1)
    torch.testing.assert_close(built.render(), expected)


def test_a_wide_picture_is_cut_out_and_not_squeezed(disc: Path) -> None:
    built = build(ask(disc, latent_shape=8, size=(96, 48)))
    expected = (Disc()(built.latent) / 2 + 0.5).clamp(0, 1)[..., 12:36, :]
    torch.testing.assert_close(built.render(), expected)


def test_an_exported_file_says_its_latent_s_shape_itself(tiny_generator: Path) -> None:
    assert build(ask(tiny_generator)).latent.shape == (1, 8)


def test_torchscript_needs_to_be_told_the_shape(tmp_path: Path) -> None:
    path = tiny_models.save_generator(tmp_path / "g.pt")
    with pytest.raises(SettingsError, match="latent_shape is not in the generator's file"):
        build(ask(path))


def test_one_saved_for_a_single_latent_draws_candidates_too(tmp_path: Path) -> None:
    path = tiny_models.save_generator(tmp_path / "one.pt2", batches=False)
    built = build(ask(path, candidates=3, size=(32, 24)))
    expected = (tiny_models.TinyGenerator()(built.latent) / 2 + 0.5).clamp(0, 1)
    torch.testing.assert_close(built.render(), expected)


def test_pictures_from_0_to_1_are_taken_as_they_are(disc: Path) -> None:
    built = build(ask(disc, latent_shape=8, image_range="0..1", size=(48, 48)))
    torch.testing.assert_close(built.render(), Disc()(built.latent).clamp(0, 1))


def test_the_latent_is_kept_within_its_range(disc: Path) -> None:
    built = build(ask(disc, latent_shape=8, latent_range=0.5))
    with torch.no_grad():
        built.latent.mul_(100)
    built.constrain()
    assert built.latent.abs().max() == 0.5


def test_a_latent_that_is_given_is_where_the_first_candidate_starts(disc: Path) -> None:
    built = build(ask(disc, latent_shape=8, latent=torch.tensor([BLUE_ON_WHITE]), candidates=2))
    torch.testing.assert_close(built.latent[0].detach(), torch.tensor(BLUE_ON_WHITE))
    assert 0 < (built.latent[1] - built.latent[0]).abs().max() < 0.5


def test_a_latent_of_another_size_is_refused_with_the_right_one(disc: Path) -> None:
    with pytest.raises(SettingsError, match="latent must have 8, as the generator's latent has; got 3"):
        build(ask(disc, latent_shape=8, latent="1,2,3"))


def test_it_starts_from_a_picture_by_finding_its_latent(disc: Path) -> None:
    picture = (Disc()(torch.tensor([BLUE_ON_WHITE])) / 2 + 0.5).clamp(0, 1)
    built = build(ask(disc, latent_shape=8, size=(48, 48), candidates=2))
    built.start_from(picture)
    assert (built.render()[0] - picture[0]).square().mean() < 1e-3
    assert not torch.equal(built.latent[0], built.latent[1])


def test_what_is_found_for_a_picture_does_not_depend_on_the_other_candidates(tiny_generator: Path) -> None:
    picture = torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(0))
    found = []
    for candidates in (1, 4):
        built = build(ask(tiny_generator, candidates=candidates, latent_steps=5))
        built.start_from(picture)
        found.append(built.latent[0].detach())
    assert torch.equal(found[0], found[1])


def test_one_that_goes_on_alone_can_start_from_a_picture_again(tiny_generator: Path) -> None:
    built = build(ask(tiny_generator, candidates=3, latent_steps=5))
    built.latent.data = built.latent.data[2:].clone()
    picture = torch.rand(1, 3, 24, 32, generator=torch.Generator().manual_seed(0))
    before = (built.render() - picture).square().mean()
    built.start_from(picture)
    assert (built.render() - picture).square().mean() < before


def test_looking_for_a_latent_ends_after_the_steps_that_were_asked_for(disc: Path) -> None:
    built = build(ask(disc, latent_shape=8, latent_steps=0))
    before = built.latent.detach().clone()
    built.start_from(torch.rand(1, 3, 36, 48))
    assert torch.equal(built.latent.detach(), before)


def test_the_latent_is_held_near_the_one_that_was_given(disc: Path) -> None:
    built = build(ask(disc, latent_shape=8, latent=BLUE_ON_WHITE, latent_weight=2.0))
    assert built.losses()["latent"].item() == 0
    with torch.no_grad():
        built.latent.add_(0.5)
    assert built.losses()["latent"].item() == pytest.approx(0.5)
    assert build(ask(disc, latent_shape=8, latent=BLUE_ON_WHITE)).losses() == {}


@torch.no_grad()
def along(first: Image.Image | Tensor, last: Tensor, origin: str, goal: str) -> float:
    """How far the embedded CLIP sees `last` from `first` in the direction from `origin` to `goal`: a cosine."""
    eye = perceptors.load("embedded", CPU)
    pictures = torch.stack([nn.functional.interpolate(p[None], (eye.size, eye.size))[0] for p in (first, last)])
    seen, words = eye.see(pictures), eye.read([origin, goal])
    return float(nn.functional.cosine_similarity(seen[1] - seen[0], words[1] - words[0], 0))


@pytest.mark.parametrize("start", ["latent", "picture"])
def test_an_edit_goes_along_its_direction_and_keeps_the_rest(disc: Path, start: str) -> None:
    picture = (Disc()(torch.tensor([BLUE_ON_WHITE])) / 2 + 0.5).clamp(0, 1)
    begin: dict[str, Any] = {"latent": BLUE_ON_WHITE, "latent_weight": 0.1}
    if start == "picture":
        begin = {"init_image": Image.fromarray(to_pixels(picture)[0]), "init_weight": 1.0}
    edit = "a blue apple -> a red apple"
    settings = ask(disc, latent_shape=8, size=(48, 48), prompts=edit, iterations=24, num_cuts=4, **begin)
    run = Run(settings)
    for _ in run:
        pass
    last = torch.tensor(list(run.artwork.image.convert("RGB").tobytes())).view(48, 48, 3).movedim(-1, 0) / 255
    middle, corner = (slice(20, 28), slice(20, 28)), (slice(0, 3), slice(0, 3))
    redder = last[:1, *middle].mean() - picture[0, :1, *middle].mean()
    assert along(picture[0], last, "a blue apple", "a red apple") > 0.2
    assert redder > 0.1
    assert (last[:, *corner] - picture[0][:, *corner]).abs().mean() < redder


def test_a_run_that_was_killed_ends_in_the_very_same_picture(tiny: Tiny, tmp_path: Path) -> None:
    picture = Image.new("RGB", (32, 24), (200, 40, 90))
    given = {"init_image": picture, "latent": [0.1] * 8, "latent_weight": 1.0, "latent_steps": 5}
    whole = Run(tiny(drawer="generator", candidates=3, iterations=5, **given))
    for frame in whole:
        if frame.iteration == 2:
            whole.steer(candidate=1)
        if frame.iteration == 3:
            whole.save(tmp_path / "half")
    again = Run.load(tmp_path / "half")
    for _ in again:
        pass
    assert again.artwork.image.tobytes() == whole.artwork.image.tobytes()


# --- what is refused, in a sentence


@pytest.mark.parametrize(
    ("module", "sentence"),
    [
        (NoGradient(), "no gradient reaches"),
        (Noisy(), "another picture each time"),
        (Flat(), r"must give pictures \[1,3,H,W\] for latents \[1,8\]; it gives 1x8"),
    ],
)
def test_a_module_that_will_not_do_is_refused(tmp_path: Path, module: nn.Module, sentence: str) -> None:
    path = tiny_models.save_generator(tmp_path / "g.pt", module=module)
    with pytest.raises(ModelError, match=sentence):
        build(ask(path, latent_shape=8))


def test_a_latent_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    path = tiny_models.save_generator(tmp_path / "g.pt")
    with pytest.raises(ModelError, match="can't draw a latent of 2x3"):
        build(ask(path, latent_shape="2x3"))


def test_without_a_model_it_says_what_is_needed() -> None:
    with pytest.raises(SettingsError, match="needs a model: the path of your TorchScript") as caught:
        Settings(prompts="a cat", drawer="generator")
    assert list(caught.value.problems) == ["model"]


def test_a_file_that_is_not_there_is_refused() -> None:
    with pytest.raises(ModelError, match="neither a file nor an installed one"):
        build(ask(Path("nowhere.pt2")))


class Exploit:
    """Unpickled, it would leave its mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


def test_a_checkpoint_of_weights_alone_is_refused_and_not_unpickled(tmp_path: Path) -> None:
    torch.save({"weights": Exploit(tmp_path / "mark")}, tmp_path / "g.pt")
    with pytest.raises(ModelError, match="holds weights without a program"):
        build(ask(tmp_path / "g.pt", latent_shape=8))
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("where", ["sample inputs", "weights"])
def test_a_pickle_inside_an_exported_program_is_refused_and_not_run(tmp_path: Path, where: str) -> None:
    whole, poisoned = tiny_models.save_generator(tmp_path / "g.pt2"), tmp_path / "poisoned.pt2"
    evil = io.BytesIO()
    torch.save({"": Exploit(tmp_path / "mark")}, evil)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(poisoned, "w") as target:
        for name in source.namelist():
            content = source.read(name)
            if where == "sample inputs" and name.endswith("sample_inputs/model.pt"):
                content = evil.getvalue()
            if where == "weights" and name.endswith("model_weights_config.json"):
                listed = json.loads(content)
                next(iter(listed["config"].values()))["use_pickle"] = True
                content = json.dumps(listed).encode()
            if where == "weights" and name.endswith("weights/weight_0"):
                content = evil.getvalue()
            target.writestr(name, content)
    with pytest.raises(ModelError, match="carries"):
        build(ask(poisoned))
    assert not (tmp_path / "mark").exists()


def test_any_other_pickle_is_refused(tmp_path: Path) -> None:
    (tmp_path / "g.pkl").write_bytes(pickle.dumps(Exploit(tmp_path / "mark")))
    with pytest.raises(ModelError, match="it is neither of them"):
        build(ask(tmp_path / "g.pkl", latent_shape=8))
    assert not (tmp_path / "mark").exists()


@pytest.mark.parametrize("drawer", ["generator", " Generator ", "vqgan -> generator:0.5", "generator → pixel"])
@pytest.mark.parametrize("model", ["not-there-yet.pt2", "folder/not-there-yet.pt", "/tmp/x.pt2", "~/x.pt", "a,b.pt"])
def test_a_stranger_s_recipe_may_not_name_a_generator_s_file(drawer: str, model: str) -> None:
    with pytest.raises(SettingsError, match="from elsewhere") as caught:
        Settings.from_recipe({"prompts": "a cat", "drawer": drawer, "model": model})
    assert "model" in caught.value.problems


# --- those that a package offers


def offer(device: torch.device) -> tuple[nn.Module, LatentSpec]:
    return tiny_models.TinyGenerator().to(device), LatentSpec((8,), reach=1.5)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a package with the entry point `tiny-gan` were installed."""
    entry = EntryPoint("tiny-gan", f"{__name__}:offer", generator_file.GROUP)

    def entry_points(group: str, **wanted: str) -> list[EntryPoint]:
        return [entry] if group == generator_file.GROUP and wanted.get("name", entry.name) == entry.name else []

    monkeypatch.setattr("text2art_nb.drawers.generator_file.entry_points", entry_points)
    monkeypatch.setattr("text2art_nb.settings.untrusted.entry_points", entry_points)


@pytest.mark.usefixtures("installed")
def test_a_package_s_generator_brings_its_own_latent() -> None:
    built = build(ask(Path("tiny-gan")))
    with torch.no_grad():
        built.latent.fill_(9)
    built.constrain()
    assert built.latent.tolist() == [[1.5] * 8]


@pytest.mark.usefixtures("installed")
def test_a_stranger_s_recipe_may_name_a_package_s_generator() -> None:
    recipe = {"prompts": "a cat", "drawer": "generator", "model": "tiny-gan", "seed": 1}
    assert Settings.from_recipe(recipe).model == "tiny-gan"


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize("drawer", ["generator -> pixel", "generator → pixel"])
def test_a_stranger_s_chain_may_begin_with_a_package_s_generator_and_with_no_other(drawer: str) -> None:
    recipe = {"prompts": "a cat", "drawer": drawer, "model": "tiny-gan -> embedded", "seed": 1}
    assert Settings.from_recipe(recipe).model == "tiny-gan -> embedded"
    with pytest.raises(SettingsError, match="only an installed generator"):
        Settings.from_recipe(recipe | {"model": "embedded -> tiny-gan"})


@pytest.mark.usefixtures("installed")
def test_a_name_that_is_nearly_right_is_corrected() -> None:
    with pytest.raises(ModelError, match="did you mean 'tiny-gan'"):
        build(ask(Path("tiny-gam")))
