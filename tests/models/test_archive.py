"""The tensors of PyTorch's files of every age are read as they are, and no file takes more than its own size."""

import pickle
import struct
from pathlib import Path

import pytest
import torch
from torch import Tensor

from tests.fixtures.originals.reading import unpack
from tests.models import taming_reference
from tests.perceptors import openai_reference
from text2art_nb.errors import ModelError
from text2art_nb.models import archive, taming

OLD = {"_use_new_zipfile_serialization": False}


def mixed() -> dict[str, Tensor]:
    """Tensors of several formats, among them views, a shared storage, and one without numbers."""
    whole = torch.arange(24.0).view(4, 6)
    formats = {
        "h": torch.rand(3).half(),
        "b": torch.rand(2).bfloat16(),
        "i": torch.arange(3),
        "t": torch.tensor([True]),
    }
    return {"whole": whole, "part": whole[1:3, ::2], "turned": whole.T, "none": torch.zeros(0, 2), **formats}


@pytest.mark.parametrize("old", [False, True], ids=["zip", "before PyTorch 1.6"])
def test_tensors_are_read_as_torch_reads_them(tmp_path: Path, old: bool) -> None:
    torch.save(mixed(), tmp_path / "a.pt", _use_new_zipfile_serialization=not old)
    read, saved = archive.read_tensors(tmp_path / "a.pt"), mixed()
    wanted = torch.load(tmp_path / "a.pt", weights_only=True)
    assert read.keys() == saved.keys()
    assert all(torch.equal(read[name], wanted[name]) and read[name].dtype == saved[name].dtype for name in saved)


@pytest.mark.parametrize("name", ["taming-vqmodel", "taming-gumbelvq", "taming-net2net"])
def test_an_old_checkpoint_with_lightnings_callbacks_is_read(tmp_path: Path, name: str) -> None:
    """Lightning 1.0.8's file, saved again as PyTorch 1.5 would have: torch itself refuses it with weights_only."""
    place = unpack(name, tmp_path)
    new = archive.read_tensors(place / "last.ckpt")
    callbacks = {
        taming_reference.ModelCheckpoint: {"best": torch.tensor(0.5)},
        "kept": taming_reference.ModelCheckpoint(),
    }
    torch.save({"callbacks": callbacks, "state_dict": new}, place / "last.ckpt", **OLD)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(place / "last.ckpt", weights_only=True)
    old = archive.read_tensors(place / "last.ckpt")
    assert old.keys() == new.keys()
    assert all(torch.equal(old[key], new[key]) for key in new)
    assert isinstance(taming.load(place), torch.nn.Module)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("kind", ["tiny RN", "tiny ViT"])
def test_an_archive_of_openais_holds_what_torchscript_finds_in_it(tmp_path: Path, kind: str) -> None:
    openai_reference.save(tmp_path, kind)
    (path,) = tmp_path.glob("*.pt")
    theirs = torch.jit.load(path, map_location="cpu").state_dict()
    ours = archive.read_tensors(path)
    assert theirs.keys() <= ours.keys()
    for name, tensor in theirs.items():
        assert torch.equal(ours[name], tensor), name
        assert ours[name].dtype == tensor.dtype


@pytest.mark.parametrize("name", ["openai-RN", "openai-ViT"])
def test_reading_openais_own_archives_warns_of_nothing(
    tmp_path: Path, recwarn: pytest.WarningsRecorder, name: str
) -> None:
    tensors = archive.read_tensors(unpack(name, tmp_path) / f"{name.removeprefix('openai-')}.pt")
    assert tensors["visual.conv1.weight"].dtype == torch.float16
    assert [str(warning.message) for warning in recwarn] == []


def test_a_tensor_that_repeats_a_small_storage_without_end_is_refused(tmp_path: Path) -> None:
    for old in (False, True):
        torch.save(
            {"a": torch.zeros(1).expand(1 << 20, 1 << 20)}, tmp_path / "a.pt", _use_new_zipfile_serialization=not old
        )
        with pytest.raises(ModelError, match="larger than itself"):
            archive.read_tensors(tmp_path / "a.pt")


def test_many_names_of_one_storage_are_refused(tmp_path: Path) -> None:
    shared = torch.rand(1000)
    torch.save({f"t{i}": shared for i in range(2000)}, tmp_path / "a.pt")
    with pytest.raises(ModelError, match="larger than itself"):
        archive.read_tensors(tmp_path / "a.pt")


@pytest.mark.parametrize("cut", [3, 60, 300, -1, -4000])
def test_a_torn_old_file_is_a_plain_error(tmp_path: Path, cut: int) -> None:
    torch.save({"a": torch.rand(3000), "b": torch.rand(10)}, tmp_path / "a.pt", **OLD)
    whole = (tmp_path / "a.pt").read_bytes()
    (tmp_path / "a.pt").write_bytes(whole[:cut])
    with pytest.raises(ModelError, match="can be read"):
        archive.read_tensors(tmp_path / "a.pt")


def test_a_storage_that_claims_more_than_the_file_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.rand(4)}, tmp_path / "a.pt", **OLD)
    whole = (tmp_path / "a.pt").read_bytes()
    assert whole[-24:-16] == struct.pack("<q", 4)
    (tmp_path / "a.pt").write_bytes(whole[:-24] + struct.pack("<q", 1 << 60) + whole[-16:])
    with pytest.raises(ModelError, match="ends before its tensors do"):
        archive.read_tensors(tmp_path / "a.pt")


def test_an_old_file_whose_pickles_never_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "MAX_PICKLE", 20_000)
    torch.save({"a": torch.rand(4), "note": "x" * 30_000}, tmp_path / "a.pt", **OLD)
    with pytest.raises(ModelError, match="too much besides its tensors"):
        archive.read_tensors(tmp_path / "a.pt")


def test_a_whole_module_of_an_old_file_is_not_made(tmp_path: Path) -> None:
    torch.save(torch.nn.Linear(2, 2), tmp_path / "a.pt", **OLD)
    with pytest.raises(ModelError):
        archive.read_tensors(tmp_path / "a.pt")


def test_no_message_carries_the_colours_of_a_terminal(tmp_path: Path) -> None:
    """torch's own advice on files that it won't unpickle is bold."""
    error = ModelError("\x1b[1mdo those steps\x1b[0m only if \x1b]8;;http://x\x07you trust it\x1b]8;;\x07")
    assert str(error) == "do those steps only if you trust it"
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
