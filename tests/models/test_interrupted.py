"""Ctrl-C, whenever it comes, leaves what has come in a state that the next try goes on from, and no half file."""

import importlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.models.hub import Hub
from text2art_nb.models import Patience, locate, taming

X4 = "caidas/swin2SR-classical-sr-x4-64"
FILES = {"config.json": b'{"model_type": "swin2sr"}', "pytorch_model.bin": os.urandom(600_000)}
CALL = f"from text2art_nb.models import locate; locate({X4!r}, 'upscaler')"


def place(tmp_path: Path) -> Path:
    return tmp_path / "cache" / "upscaler" / X4.replace("/", "--")


def is_clean(where: Path) -> bool:
    """Whether all that is there is whole, or a part with its note."""
    for path in where.rglob("*"):
        name = path.name.removesuffix(".json").removesuffix(".part")
        if path.suffix in (".part", ".json") and path.name not in FILES:
            continue
        if path.is_file() and name != ".lock" and path.read_bytes() != FILES[path.name]:
            return False
    return True


# When Ctrl-C comes: what the hub does, and how one sees that the process is there.
MOMENTS: dict[str, tuple[Callable[[Hub], None], Callable[[Hub, Path], bool]]] = {
    "asking for the commit": (
        lambda hub: hub.fail("*/resolve/main/*", stall=600),
        lambda hub, _: bool(hub.asked),
    ),
    "waiting for the first byte": (
        lambda hub: hub.fail("*", host="store", stall=600),
        lambda hub, _: any(one.host == "store" for one in hub.asked),
    ),
    "in the middle": (
        lambda hub: hub.fail("*", host="store", cut=300_000, pause=600),
        lambda _, where: (
            (where / "pytorch_model.bin.part").exists() and (where / "pytorch_model.bin.part").stat().st_size > 0
        ),
    ),
    "in a pause that the hub asked for": (
        lambda hub: hub.busy("*/pytorch_model.bin", after=200),
        lambda hub, _: bool(hub.requests("*/pytorch_model.bin", "GET")),
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize(
    "moment",
    ["in the middle", *(pytest.param(each, marks=pytest.mark.nightly) for each in MOMENTS if each != "in the middle")],
)
def test_a_real_ctrl_c_is_survived(moment: str, local_hub: Hub, tmp_path: Path, patience: Patience) -> None:
    local_hub.put(X4, FILES)
    spoil, is_there = MOMENTS[moment]
    spoil(local_hub)
    where = place(tmp_path)
    process = subprocess.Popen([sys.executable, "-c", CALL], stderr=subprocess.PIPE, text=True)
    try:
        until = time.monotonic() + 60
        while not is_there(local_hub, where) and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.3)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
    finally:
        process.kill()
    assert time.monotonic() - began < 100
    assert "KeyboardInterrupt" in said
    assert is_clean(where)
    local_hub.faults.clear()
    had = (where / "pytorch_model.bin.part").stat().st_size if (where / "pytorch_model.bin.part").exists() else 0
    assert (had > 0) == (moment == "in the middle")
    assert (locate(X4, "upscaler", patience=patience) / "pytorch_model.bin").read_bytes() == FILES["pytorch_model.bin"]
    last = [one for one in local_hub.asked if one.host == "store"][-1]
    assert last.range == (f"bytes={had}-" if had else None)


def interrupted(*_: object) -> None:
    raise KeyboardInterrupt


def test_one_while_the_digest_is_reckoned_keeps_all_the_bytes(
    local_hub: Hub, patience: Patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_hub.put(X4, FILES)
    transfer = importlib.import_module("text2art_nb.models.transfer")
    digest = transfer.digest
    with monkeypatch.context() as patch:
        patch.setattr(transfer, "digest", lambda path: interrupted() if "bin" in path.name else digest(path))
        with pytest.raises(KeyboardInterrupt):
            locate(X4, "upscaler", patience=patience)
    assert is_clean(place(tmp_path))
    stored = len([one for one in local_hub.asked if one.host == "store"])
    where = locate(X4, "upscaler", patience=patience)
    assert (where / "pytorch_model.bin").read_bytes() == FILES["pytorch_model.bin"]
    assert len([one for one in local_hub.asked if one.host == "store"]) == stored  # not a byte is fetched again
    assert not list(where.glob("*.part*"))


@pytest.mark.parametrize("call", ["replace", "fdopen"])
def test_one_while_it_is_remembered_leaves_the_old_memory_or_the_new_one(
    local_hub: Hub, patience: Patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    local_hub.put(X4, FILES)
    with monkeypatch.context() as patch:
        patch.setattr(os, call, lambda *_, **__: interrupted())
        with pytest.raises(KeyboardInterrupt):
            locate(X4, "upscaler", patience=patience)
    where = locate(X4, "upscaler", patience=patience)
    assert {path.name for path in where.iterdir()} == {".lock", *FILES}
    assert [path.name for path in where.parent.iterdir() if path.name.startswith(".")] == []


def test_the_lock_is_free_as_soon_as_its_holder_is_interrupted(tmp_path: Path) -> None:
    """Even while somebody keeps it: a notebook keeps the traceback of a Ctrl-C, and all that its frames hold."""
    turn = importlib.import_module("text2art_nb.models.locate")._turn(tmp_path / ".lock", None)
    held = []
    with pytest.raises(KeyboardInterrupt), turn as lock:
        interrupted(held.append((lock, lock.is_locked)))
    [(lock, was_locked)] = held
    assert was_locked
    assert not lock.is_locked


def test_one_while_an_original_is_converted_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from diffusers import VQModel

    from tests.models import taming_reference

    taming_reference.save(tmp_path)
    before = sorted(path.name for path in tmp_path.rglob("*"))
    save = VQModel.save_pretrained

    def halfway(model: VQModel, directory: Path) -> None:
        save(model, directory)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(VQModel, "save_pretrained", halfway)
        with pytest.raises(KeyboardInterrupt):
            taming.load(tmp_path)
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
    assert taming.load(tmp_path)
