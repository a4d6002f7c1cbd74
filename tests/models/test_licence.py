"""What is about to be fetched, and under which licence, is said before the first byte."""

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from text2art_nb.errors import ModelError
from text2art_nb.models import Patience, catalogue, find, locate
from text2art_nb.models.locate import announcement


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    import huggingface_hub.constants

    monkeypatch.setenv("TEXT2ART_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TEXT2ART_OFFLINE", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "cache"


@pytest.fixture
def hub(shelf, monkeypatch: pytest.MonkeyPatch):
    """The hub, with all of SD-Turbo's files; its UNet is not the published one."""
    monkeypatch.setenv("HF_ENDPOINT", shelf.base)
    row = find("sd-turbo")
    *others, unet = row.files
    mine = hashlib.sha256(b"{}").hexdigest()
    files = (*(replace(file, size=None, sha256=file.sha256 and mine) for file in others), unet)
    monkeypatch.setitem(catalogue._ROWS, row.name, replace(row, files=files))
    for file in files:
        shelf.put(urlsplit(file.url).path, b"{}")
    return shelf


def asked(hub) -> int:
    return sum(len(file.asked) for file in hub.files.values())


def test_the_licence_is_said_before_anything_is_asked_for(hub, patience: Patience) -> None:
    said: list[tuple[str, int]] = []

    def notice(sentence: str) -> None:
        said.append((sentence, asked(hub)))

    with pytest.raises(ModelError, match="2 bytes there instead of 1731904736"):
        locate("sd-turbo", "diffusion", patience=patience, notice=notice)
    assert asked(hub) > 10
    [(sentence, before)] = said
    assert before == 0
    assert "licence: Stability AI Community; it limits commercial use" in sentence
    assert "https://huggingface.co/stabilityai/sd-turbo" in sentence
    assert "2,580 MB" in sentence


def test_nobody_has_to_ask_for_it(hub, patience: Patience, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ModelError):
        locate("sd-turbo", "diffusion", patience=patience)
    written = capsys.readouterr()
    assert "licence: Stability AI Community" in written.err
    assert written.out == ""


def test_nothing_is_said_where_nothing_is_fetched(hub, cache: Path) -> None:
    where = cache / "diffusion" / "stabilityai--sd-turbo"
    for file in find("sd-turbo").files:
        (where / file.path).parent.mkdir(parents=True, exist_ok=True)
        (where / file.path).write_bytes(b"{}")
        if file.size is not None:
            os.truncate(where / file.path, file.size)  # a file with a hole
    said: list[str] = []
    assert locate("sd-turbo", "diffusion", notice=said.append) == where
    assert said == []
    assert asked(hub) == 0


@pytest.mark.parametrize(("name", "encoders"), [("sd-turbo", 1), ("sdxl-turbo", 2)])
def test_a_turbo_model_is_fetched_with_all_that_its_drawer_loads(name: str, encoders: int) -> None:
    folders = {file.path.rpartition("/")[0] for file in find(name).files}
    words = {f"{part}{suffix}" for part in ("text_encoder", "tokenizer") for suffix in ("", "_2")[:encoders]}
    assert folders == {"", "scheduler", "unet", "vae", *words}
    assert find(name).loadable


@pytest.mark.parametrize("name", ["sdxl-turbo", "swin2sr-x2", "taesd", "ViT-B/32", "wikiart_16384"])
def test_every_announcement_names_the_licence_and_a_place(name: str) -> None:
    row = find(name)
    sentence = announcement(row)
    assert row.licence in sentence
    assert "https://" in sentence
