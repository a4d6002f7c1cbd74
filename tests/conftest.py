"""What the tests share: small random models in the hub's layout, and settings that draw with them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests import tiny_models
from text2art_nb.settings import Settings


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a CLIP of random weights whose eye sees 32 pixels."""
    return tiny_models.save_clip(tmp_path_factory.mktemp("tiny") / "clip")


@pytest.fixture(scope="session")
def tiny_vqgan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of a VQGAN of random weights."""
    return tiny_models.save_vqgan(tmp_path_factory.mktemp("tiny") / "vqgan")


@pytest.fixture(scope="session")
def tiny(tiny_clip: Path, tiny_vqgan: Path) -> Callable[..., Settings]:
    """Makes settings that draw a small picture with the tiny models in some hundredths of a second."""

    def make(**changes: object) -> Settings:
        values: dict[str, object] = {
            "prompts": "a cat on a roof | fog:-0.3",
            "model": str(tiny_vqgan),
            "perceptors": (str(tiny_clip),),
            "size": (48, 32),
            "iterations": 6,
            "num_cuts": 4,
            "seed": 7,
            "device": "cpu",
        }
        return Settings(**{**values, **changes})

    return make
