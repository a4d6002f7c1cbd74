"""From an empty cache to the first frame: what a new user's machine does, on a hub that answers as the real one."""

from pathlib import Path

import pytest

from tests.models.hub import Hub
from tests.models.stock import as_stocked, commit_of, stock
from text2art_nb.models import find, locate
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

pytestmark = pytest.mark.usefixtures("nothing_loaded")

SMALL = {"prompts": "a lighthouse", "size": (48, 32), "iterations": 1, "num_cuts": 2, "seed": 3, "device": "cpu"}

# family: what draws with it, and the rows that it fetches
FAMILIES = {
    "full": ({"model": "full"}, ("full", "ViT-B/32", "ViT-B/16")),
    "turbo": (
        {"drawer": "turbo", "model": "sd-turbo", "perceptors": ("embedded",), "size": (64, 64)},
        ("sd-turbo", "taesd"),
    ),
    "taesd": ({"drawer": "taesd", "model": "taesd", "perceptors": ("embedded",)}, ("taesd",)),
    "siglip2": ({"model": "embedded", "perceptors": ("siglip2",)}, ("siglip2",)),
    "robust": ({"model": "embedded", "perceptors": "robust"}, ("robust-ViT-B/32", "robust-ViT-L/14", "ViT-B/32")),
    "light": ({"model": "light", "drawer": "taesd"}, ("tinyclip", "taesd")),
    "pickscore": ({"model": "embedded", "perceptors": "pickscore"}, ("pickscore", "ViT-H/14")),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_an_empty_cache_becomes_a_first_frame_and_the_next_asks_nobody(
    family: str, local_hub: Hub, tmp_path: Path
) -> None:
    how, names = FAMILIES[family]
    stock(local_hub, (family,), tmp_path / "stock")
    with as_stocked(local_hub):
        settings = Settings(**{**SMALL, **how})
        (first,) = Run(settings)
        picture = first.image.tobytes()
        asked = local_hub.requests("*/resolve/*")
        for name in names:
            row = find(name)
            assert any(one.path.startswith(f"/{row.repository}/resolve/{commit_of(name)}/") for one in asked), name
        branches = [one for one in asked if "/resolve/main/" in one.path]
        assert {one.method for one in branches} <= {"HEAD"}  # a branch is only ever asked for its commit
        before = len(local_hub.asked)
        (again,) = Run(settings)
        assert again.image.tobytes() == picture
        assert len(local_hub.asked) == before


def test_nobody_is_told_of_an_error_that_is_none(
    local_hub: Hub, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The default's repository has its tensors as .bin alone: diffusers would look for others, and complain."""
    stock(local_hub, ("full",), tmp_path / "stock")
    capfd.readouterr()
    with as_stocked(local_hub):
        list(Run(Settings(**{**SMALL, "model": "full"})))
    said = "".join(capfd.readouterr())
    assert "fetching xvjiarui/taming-vq-f16-n16384" in said
    assert "An error occurred" not in said
    assert "unsafe" not in said


@pytest.mark.parametrize("family", ["full", "turbo"])
def test_what_huggingface_hubs_client_fetched_is_used_as_it_is(family: str, local_hub: Hub, tmp_path: Path) -> None:
    """Its own client, unpatched, follows the branch into its own cache from the same hub; ours then asks nobody."""
    import huggingface_hub

    stock(local_hub, (family,), tmp_path / "stock")
    _, names = FAMILIES[family]
    for name in names:
        huggingface_hub.snapshot_download(find(name).repository, cache_dir=tmp_path / "hf", endpoint=local_hub.endpoint)
    with as_stocked(local_hub):
        before = len(local_hub.asked)
        found = [locate(name, find(name).kind) for name in names]
        assert all(str(tmp_path / "hf") in str(each) for each in found)
        assert [each.name for each in found] == [commit_of(name) for name in names]
        assert len(local_hub.asked) == before
