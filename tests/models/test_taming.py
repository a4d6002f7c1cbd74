"""The originals of taming-transformers load as what they are, and nothing that they carry is run."""

import pickle
import shutil
import time
from pathlib import Path

import pytest
import torch

from tests.models import taming_reference as reference
from text2art_nb import models
from text2art_nb.drawers import vqgan
from text2art_nb.errors import ModelError
from text2art_nb.models import archive, taming
from text2art_nb.runs.run import Run

CPU = torch.device("cpu")
KINDS = {
    "VQModel": {},
    "with attention elsewhere": {"attends": (32, 16)},
    "GumbelVQ": {"gumbel": True},
    "Net2Net": {"net2net": True},
    "Net2Net of a GumbelVQ": {"net2net": True, "gumbel": True},
}


@pytest.mark.parametrize("kind", KINDS)
def test_it_paints_and_reads_as_the_original_does(tmp_path: Path, kind: str) -> None:
    original = reference.save(tmp_path, **KINDS[kind])
    for model in (vqgan.load(tmp_path, CPU), taming.load(tmp_path)):  # converted, and from what was kept
        image, codes = torch.rand(2, 3, 24, 32) * 2 - 1, torch.randn(1, 16, 3, 5)
        with torch.no_grad():
            latents = model.encode(image).latents
            painted = model.decode(codes, force_not_quantize=True).sample
        torch.testing.assert_close(latents, original.latents(image), atol=1e-4, rtol=1e-4)
        torch.testing.assert_close(painted, original.decode(codes), atol=1e-4, rtol=1e-4)
        assert vqgan.factor(model) == 4
        assert model.quantize.embedding.weight.shape == (40, 16)


@pytest.mark.parametrize("kind", ["VQModel", "GumbelVQ"])
def test_a_run_draws_with_it(tmp_path: Path, tiny, kind: str) -> None:
    reference.save(tmp_path / "mine", **KINDS[kind])
    run = Run(tiny(model=str(tmp_path / "mine"), iterations=15, num_cuts=2))
    first, *_, last = [frame.image.tobytes() for frame in run]
    assert first != last  # far enough from where it started that other codes are nearer
    assert run.notices == []


def test_the_second_time_the_original_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference.save(tmp_path)
    first = taming.load(tmp_path)
    monkeypatch.setattr(archive, "_Machine", None)
    again = taming.load(tmp_path)
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), again.parameters(), strict=True))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["converted", "model.ckpt", "model.yaml"]


def test_another_original_in_its_place_is_converted_anew(tmp_path: Path) -> None:
    reference.save(tmp_path)
    assert isinstance(taming.load(tmp_path), torch.nn.Module)
    time.sleep(0.01)  # so that its time differs
    reference.save(tmp_path, gumbel=True)
    assert isinstance(taming.load(tmp_path), taming.GumbelVQ)


def test_a_damaged_copy_says_how_to_mend_it(tmp_path: Path) -> None:
    reference.save(tmp_path)
    taming.load(tmp_path)
    (tmp_path / "converted" / "diffusion_pytorch_model.safetensors").write_bytes(b"?")
    with pytest.raises(ModelError, match="delete it"):
        taming.load(tmp_path)


def test_a_directory_of_the_users_own_is_never_deleted(tmp_path: Path) -> None:
    reference.save(tmp_path)
    (tmp_path / "converted").mkdir()
    (tmp_path / "converted" / "thesis.txt").write_text("mine")
    with pytest.raises(ModelError, match="cannot be written"):
        taming.load(tmp_path)
    assert (tmp_path / "converted" / "thesis.txt").read_text() == "mine"


def test_where_nothing_can_be_written_our_cache_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reference.save(tmp_path / "mine")
    monkeypatch.setenv("TEXT2ART_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(taming.os, "access", lambda *_: False)
    taming.load(tmp_path / "mine")
    assert sorted(path.name for path in (tmp_path / "mine").iterdir()) == ["model.ckpt", "model.yaml"]
    assert len(list((tmp_path / "cache" / "vqgan").iterdir())) == 1


def test_a_checkpoint_alone_can_be_named(tmp_path: Path) -> None:
    for name in ("one", "two"):
        reference.save(tmp_path, name=name)
    place = models.locate(str(tmp_path / "two.ckpt"), "vqgan")
    assert vqgan.factor(vqgan.load(place, CPU)) == 4
    assert (tmp_path / "two-converted").is_dir()
    with pytest.raises(ModelError, match="several checkpoints"):
        models.locate(str(tmp_path), "vqgan")


def test_a_checkpoint_without_its_configuration_says_what_is_missing(tmp_path: Path) -> None:
    reference.save(tmp_path)
    (tmp_path / "model.yaml").unlink()
    with pytest.raises(ModelError, match=r"model\.yaml"):
        models.locate(str(tmp_path), "vqgan")


@pytest.mark.parametrize("attends", [(8, 16), ()], ids=["too little in it", "too much in it"])
def test_a_checkpoint_of_another_shape_is_refused(tmp_path: Path, attends: tuple[int, ...]) -> None:
    reference.save(tmp_path)
    reference.save(tmp_path / "other", attends=attends)
    shutil.copy(tmp_path / "other" / "model.yaml", tmp_path / "model.yaml")
    with pytest.raises(ModelError, match=r"doesn't fit its configuration model\.yaml"):
        taming.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("model: [", "can't be read as YAML"),
        ("model: !!python/object/apply:os.system ['true']", "can't be read as YAML"),
        ("a: &a [1]\nb: *a", "refers to itself"),
        ("- 1", "it has no model.params"),
        ("model: {params: {ddconfig: {double_z: true}}}", "without codes"),
        ("model: {params: {ddconfig: {ch: 10000000}}}", "ch as a whole number from 1 to 1024"),
        ("model: {params: {ddconfig: {ch: 32, ch_mult: 3}}}", "ch_mult as a list"),
        ("#" * 70_000, "too long"),
        ("model: {params: {ddconfig: {ch: 32, ch_mult: []}}}", "at least one number"),
    ],
)
def test_a_configuration_that_is_none_is_a_plain_error(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "model.yaml"
    path.write_text(text)
    with pytest.raises(ModelError, match=said):
        taming.architecture(path)


def test_a_configuration_whose_widths_fit_nothing_is_a_plain_error(tmp_path: Path) -> None:
    reference.save(tmp_path)
    path = tmp_path / "model.yaml"
    path.write_text(path.read_text().replace("ch: 32", "ch: 20"))
    with pytest.raises(ModelError, match="no VQGAN that can be built"):
        taming.load(tmp_path)


class Exploit:
    """What a hostile checkpoint holds: unpickled, it would leave its mark."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("old", [False, True], ids=["zip", "before PyTorch 1.6"])
def test_a_checkpoint_that_is_a_program_is_not_run(tmp_path: Path, old: bool) -> None:
    mark = tmp_path / "executed"
    saved = {"state_dict": {"quant_conv.weight": torch.rand(2)}, "callbacks": Exploit(mark)}
    torch.save(saved, tmp_path / "a.ckpt", _use_new_zipfile_serialization=not old)
    read = archive.read_tensors(tmp_path / "a.ckpt")
    assert list(read) == ["quant_conv.weight"]
    assert torch.equal(read["quant_conv.weight"], saved["state_dict"]["quant_conv.weight"])  # type: ignore[index]
    assert not mark.exists()


def test_an_old_checkpoint_of_tensors_is_read(tmp_path: Path) -> None:
    weight = torch.rand(2, 3)
    saved = {"state_dict": {"a.weight": weight, "loss.b": weight}}
    torch.save(saved, tmp_path / "a.ckpt", _use_new_zipfile_serialization=False)
    read = archive.read_tensors(tmp_path / "a.ckpt", lambda name: name if name.startswith("a.") else None)
    assert list(read) == ["a.weight"]
    assert torch.equal(read["a.weight"], weight)


def test_views_and_number_formats_are_kept(tmp_path: Path) -> None:
    saved = {"t": torch.rand(4, 3).T, "h": torch.rand(2).half(), "empty": torch.zeros(0, 2), "i": torch.arange(3)}
    saved["part"] = saved["t"][1:, ::2]
    torch.save(saved, tmp_path / "a.pt")
    read = archive.read_tensors(tmp_path / "a.pt")
    assert read.keys() == saved.keys()
    assert all(torch.equal(read[name], tensor) and read[name].dtype == tensor.dtype for name, tensor in saved.items())


@pytest.mark.parametrize("cut", [10, 1000, -30])
def test_a_torn_file_is_a_plain_error(tmp_path: Path, cut: int) -> None:
    torch.save({"a": torch.rand(100)}, tmp_path / "a.pt")
    (tmp_path / "a.pt").write_bytes((tmp_path / "a.pt").read_bytes()[:cut])
    with pytest.raises(ModelError, match="can be read"):
        archive.read_tensors(tmp_path / "a.pt")


def test_a_file_of_something_else_is_a_plain_error(tmp_path: Path) -> None:
    (tmp_path / "a.pt").write_bytes(pickle.dumps([1, 2]))
    with pytest.raises(ModelError):
        archive.read_tensors(tmp_path / "a.pt")
    torch.save([1, 2], tmp_path / "b.pt")
    with pytest.raises(ModelError, match="none of the weights"):
        archive.read_tensors(tmp_path / "b.pt")
