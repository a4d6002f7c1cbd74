"""A perceptor may look at a part of the patches: the same eye, less work, and the chosen ones by chance alone."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.perceptors import families, openai_reference
from text2art_nb import perceptors
from text2art_nb.errors import SettingsError
from text2art_nb.perceptors.patch_dropout import keep_some
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

CPU = torch.device("cpu")
Eye = Callable[[str], perceptors.SeesSome]


@pytest.fixture(scope="module")
def eye(tiny_clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Eye:
    def make(kind: str) -> perceptors.SeesSome:
        place = tiny_clip if kind == "clip" else tmp_path_factory.mktemp("eyes") / kind.replace(" ", "-")
        if kind.startswith("siglip"):
            families.save_siglip(place, kind)
        elif kind != "clip":
            openai_reference.save(place, kind)
        return perceptors.load(str(place), CPU)  # type: ignore[return-value]

    return make


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_class_token_stays_and_each_view_keeps_other_patches() -> None:
    tokens = torch.arange(101.0).expand(4, 101)[..., None].expand(-1, -1, 2)
    kept = keep_some(tokens, 0.75, chance(), leading=1)
    assert kept.shape == (4, 26, 2)
    assert (kept[:, 0] == 0).all()
    assert (kept[:, 1:, 0].diff(dim=1) > 0).all()  # each once, and in their order
    assert not torch.equal(kept[0], kept[1])
    assert keep_some(tokens, 0.999, chance(), leading=1).shape[1] == 2


@pytest.mark.parametrize("kind", ["clip", "siglip", "tiny ViT"])
def test_without_patches_left_out_it_sees_the_same(eye: Eye, kind: str) -> None:
    looking = eye(kind)
    views = torch.rand(3, 3, looking.size, looking.size)
    torch.testing.assert_close(looking.see_some(views, 0.0, chance()), looking.see(views))
    nearly_none = looking.see_some(views, 0.01, chance())  # rounds to none, but goes the other way
    torch.testing.assert_close(nearly_none, looking.see(views), atol=1e-5, rtol=0)


@pytest.mark.parametrize("kind", ["clip", "siglip", "tiny ViT"])
def test_what_is_left_out_is_drawn_from_the_generator_and_the_gradient_flows(eye: Eye, kind: str) -> None:
    looking = eye(kind)
    views = torch.rand(2, 3, looking.size, looking.size, requires_grad=True)
    seen = looking.see_some(views, 0.5, chance())
    torch.testing.assert_close(seen.norm(dim=1), torch.ones(2))
    assert torch.equal(seen, looking.see_some(views, 0.5, chance()))
    assert not torch.equal(seen, looking.see_some(views, 0.5, chance(1)))
    seen[:, 0].sum().backward()
    assert views.grad is not None
    untouched = (views.grad == 0).all(1).float().mean()  # the pixels of the patches that were left out
    assert 0.45 < untouched < 0.55


def test_an_eye_without_patches_sees_all(eye: Eye) -> None:
    looking = eye("tiny RN")
    views = torch.rand(1, 3, looking.size, looking.size)
    torch.testing.assert_close(looking.see_some(views, 0.5, chance()), looking.see(views))


def test_a_run_with_patches_left_out_is_another_one_and_repeats_itself(tiny: Callable[..., Settings]) -> None:
    def draw(**changes: object) -> bytes:
        *_, last = Run(tiny(drawer="pixel", iterations=3, **changes))
        return last.image.tobytes()

    assert draw(token_drop=0.5) == draw(token_drop=0.5)
    assert draw(token_drop=0.5) != draw()


@pytest.mark.parametrize("share", [-0.1, 0.95, "much"])
def test_a_share_out_of_its_range_is_refused(share: object) -> None:
    with pytest.raises(SettingsError, match="token_drop"):
        Settings(prompts="a cat", token_drop=share)
