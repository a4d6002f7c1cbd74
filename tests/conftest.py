"""What the tests share: small random models in the hub's layout, settings that draw with them, and who runs what."""

from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

from tests import tiny_models
from text2art_nb.settings import Settings

ROOT = Path(__file__).parent
_PATIENT = {"deadline": None, "suppress_health_check": [hypothesis.HealthCheck.too_slow]}
hypothesis.settings.register_profile("quick", max_examples=20, **_PATIENT)
hypothesis.settings.register_profile("nightly", max_examples=200, **_PATIENT)
hypothesis.settings.load_profile("quick")  # --hypothesis-profile=nightly comes after this

_LONG = ("notebook", "serve", "studio")
"""Folders whose tests wait for other processes most of the time: they begin first, so that none is left at the end."""
_ALONE = ("drawers/test_contract_runs.py", "settings/test_settings_fuzz.py", "optimization/test_losses.py")
"""Files that are long and whose tests share nothing: every test goes to whatever process is free."""

_SHARED = {"serve": "service"}
"""Folders whose tests share what is long to start: a service and its workers, and one process that those come from."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Say to --dist=loadgroup which tests belong to one process: those of a file, or of a folder."""
    for item in items:
        file = item.path.relative_to(ROOT).as_posix()
        if file not in _ALONE and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(_SHARED.get(item.path.parent.name, file)))
    items.sort(key=lambda item: item.path.relative_to(ROOT).parts[0] not in _LONG)


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a CLIP of random weights whose eye sees 32 pixels."""
    return tiny_models.save_clip(tmp_path_factory.mktemp("tiny") / "clip")


@pytest.fixture(scope="session")
def tiny_vqgan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a VQGAN of random weights."""
    return tiny_models.save_vqgan(tmp_path_factory.mktemp("tiny") / "vqgan")


@pytest.fixture(scope="session")
def tiny_taesd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a TAESD of random weights."""
    return tiny_models.save_taesd(tmp_path_factory.mktemp("tiny") / "taesd")


@pytest.fixture(scope="session")
def tiny_generator(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of an exported generator of random weights, whose latent is eight numbers."""
    return tiny_models.save_generator(tmp_path_factory.mktemp("tiny") / "generator.pt2")


@pytest.fixture(scope="session")
def tiny_turbo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a one-step diffusion model of random weights, which draws at 64 pixels."""
    return tiny_models.save_sd_turbo(tmp_path_factory.mktemp("tiny") / "sd-turbo")


# The fixture with a drawer's own weights; the VQGAN's for those that are not here.
_WEIGHTS = {"taesd": "tiny_taesd", "generator": "tiny_generator", "turbo": "tiny_turbo"}


@pytest.fixture(scope="session")
def tiny(request: pytest.FixtureRequest, tiny_clip: Path, tiny_vqgan: Path) -> Callable[..., Settings]:
    """Makes settings that draw a small picture with the tiny models in some hundredths of a second."""

    def make(**changes: object) -> Settings:
        weights = _WEIGHTS.get(str(changes.get("drawer")))
        values: dict[str, object] = {
            "prompts": "a cat on a roof | fog:-0.3",
            "model": str(request.getfixturevalue(weights) if weights else tiny_vqgan),
            "perceptors": (str(tiny_clip),),
            "size": (48, 32),
            "iterations": 6,
            "num_cuts": 4,
            "seed": 7,
            "device": "cpu",
        }
        return Settings(**{**values, **changes})

    return make
