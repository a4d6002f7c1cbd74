"""The real architectures, at full size and in the hub's layout, with random weights: what is downloaded will load."""

import pickle
from pathlib import Path

import pytest
import torch

from tests import tiny_models
from tests.full_models import save_taming, save_vit_b32
from text2art_nb import perceptors
from text2art_nb.drawers import vqgan
from text2art_nb.errors import ModelError
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def vit_b32(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_vit_b32(tmp_path_factory.mktemp("hub") / "clip-vit-base-patch32")


@pytest.fixture(scope="module")
def taming(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_taming(tmp_path_factory.mktemp("hub") / "taming-vq-f16-n16384")


@pytest.mark.nightly
def test_the_architectures_have_the_sizes_that_are_published(vit_b32: Path, taming: Path) -> None:
    from diffusers.models.autoencoders.vq_model import VQModel

    model = VQModel.from_pretrained(taming)
    assert sum(parameter.numel() for parameter in model.parameters()) == pytest.approx(76.07e6, rel=0.001)
    assert vqgan.factor(vqgan.load(taming, CPU)) == 16
    eye = perceptors.load(str(vit_b32), CPU)
    assert (eye.size, eye.longest) == (224, 77)


@pytest.mark.nightly
@pytest.mark.slow
def test_two_iterations_with_full_size_models(vit_b32: Path, taming: Path) -> None:
    run = Run(
        Settings(
            prompts="an underwater city",
            model=str(taming),
            perceptors=(str(vit_b32),),
            size=(96, 64),
            iterations=2,
            num_cuts=2,
            seed=1,
            device="cpu",
        )
    )
    first, second = list(run)
    assert first.image.size == second.image.size == (96, 64)
    assert first.image.tobytes() != run.artwork.image.tobytes()
    assert run.notices == []


class Exploit:
    """What a hostile .bin holds: unpickled, it would leave its mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


def test_a_bin_that_is_a_program_is_refused_and_not_run(tmp_path: Path) -> None:
    directory = tiny_models.save_vqgan(tmp_path / "vqgan")
    (directory / "diffusion_pytorch_model.safetensors").unlink()
    mark = tmp_path / "executed"
    with (directory / "diffusion_pytorch_model.bin").open("wb") as file:
        pickle.dump({"weights": Exploit(mark)}, file)
    with pytest.raises(ModelError, match="holds no VQGAN"):
        vqgan.load(directory, CPU)
    assert not mark.exists()


def test_a_perceptor_s_bin_that_is_a_program_is_refused_and_not_run(tmp_path: Path) -> None:
    directory = tiny_models.save_clip(tmp_path / "clip")
    (directory / "model.safetensors").unlink()
    mark = tmp_path / "executed"
    torch.save({"weights": Exploit(mark)}, directory / "pytorch_model.bin")
    with pytest.raises(ModelError, match="holds no CLIP"):
        perceptors.load(str(directory), CPU)
    assert not mark.exists()
