"""A name becomes a directory that is ready to load, or one sentence that says what is missing and where to put it."""

import hashlib
import json
import os
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from text2art_nb import models
from text2art_nb.cli import model_table
from text2art_nb.errors import ModelError
from text2art_nb.models import Patience, catalogue, embedded, find, locate
from text2art_nb.models.catalogue import ORIGINAL_ROWS

CLIP = "openai/clip-vit-base-patch32"
NEEDED = ("config.json", "tokenizer.json", "tokenizer_config.json")
TENSORS = b"tensors " * 1000
COMMIT = find(CLIP).revision
PICKLE = f"/{CLIP}/resolve/{COMMIT}/pytorch_model.bin"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of our own, an empty cache of the hub's, and no server that anybody knows."""
    import huggingface_hub.constants

    monkeypatch.setenv("TEXT2ART_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    monkeypatch.delenv("TEXT2ART_OFFLINE", raising=False)
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    return tmp_path / "cache"


@pytest.fixture(autouse=True)
def other_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The catalogue's CLIP with the size and digest of our own tensors; all that checks them is as it is."""
    row = find(CLIP)
    *small, tensors = row.files
    assert tensors.otherwise is not None
    mine = replace(tensors.otherwise, size=len(TENSORS), sha256=hashlib.sha256(TENSORS).hexdigest())
    files = (*small, replace(tensors, otherwise=mine))
    monkeypatch.setitem(catalogue._ROWS, CLIP, replace(row, files=files))


@pytest.fixture
def hub(shelf, monkeypatch: pytest.MonkeyPatch):
    """The hub, with one CLIP in an older repository's layout: tensors only as .bin, few of the optional files."""
    monkeypatch.setenv("HF_ENDPOINT", shelf.base)
    for name in NEEDED:
        shelf.put(f"/{CLIP}/resolve/{COMMIT}/{name}", b"{}")
    shelf.put(f"/{CLIP}/resolve/{COMMIT}/vocab.json", b"{}")
    shelf.put(PICKLE, TENSORS)
    return shelf


def fill(directory: Path, *names: str) -> Path:
    directory.mkdir(parents=True)
    for name in names:
        (directory / name).write_bytes(b"{}")
    return directory


def test_a_short_name_is_fetched_into_the_cache(hub, patience: Patience, cache: Path) -> None:
    where = locate("ViT-B/32", "clip", patience=patience)
    assert where == cache / "clip" / "openai--clip-vit-base-patch32"
    names = {path.name for path in where.iterdir()} - {".lock"}
    assert names == {*NEEDED, "vocab.json", "pytorch_model.bin"}
    assert (where / "pytorch_model.bin").read_bytes() == TENSORS


def test_what_is_there_is_found_without_asking_anybody(hub, patience: Patience) -> None:
    locate("ViT-B/32", "clip", patience=patience)
    before = {path: len(one.asked) for path, one in hub.files.items()}
    assert locate(CLIP, "clip", download=False) == locate("vit-b-32", "clip", patience=patience)
    assert {path: len(one.asked) for path, one in hub.files.items()} == before


def test_an_interrupted_download_is_not_taken_for_a_checkpoint(hub, patience: Patience) -> None:
    tensors = hub.files[PICKLE]
    tensors.cuts = [100] + [0] * 10
    with pytest.raises(ModelError):
        locate("ViT-B/32", "clip", patience=patience)
    tensors.cuts = []
    where = locate("ViT-B/32", "clip", patience=patience)
    assert (where / "pytorch_model.bin").read_bytes() == TENSORS
    assert tensors.asked[-1] == "bytes=100-"


def test_eight_runs_at_once_fetch_it_once(hub, patience: Patience) -> None:
    found: list[Path] = []
    threads = [
        threading.Thread(target=lambda: found.append(locate("ViT-B/32", "clip", patience=patience))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len(hub.files[PICKLE].asked) == 1


def test_what_another_program_has_fetched_from_the_hub_is_used(tmp_path: Path) -> None:
    repository = tmp_path / "hub" / "models--openai--clip-vit-base-patch32"
    snapshot = fill(repository / "snapshots" / COMMIT, *NEEDED)
    (snapshot / "pytorch_model.bin").write_bytes(TENSORS)
    fill(repository / "refs")
    (repository / "refs" / "main").write_text(COMMIT)
    assert locate("ViT-B/32", "clip", download=False) == snapshot
    (snapshot / "config.json").unlink()
    with pytest.raises(ModelError):
        locate("ViT-B/32", "clip", download=False)


@pytest.mark.parametrize("how", ["no network", "TEXT2ART_OFFLINE", "HF_HUB_OFFLINE", "download=False"])
def test_offline_says_which_file_is_missing_and_where_to_put_it(
    how: str, cache: Path, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how.isupper():
        monkeypatch.setenv(how, "1")
    where = fill(cache / "clip" / "openai--clip-vit-base-patch32", *NEEDED)
    with pytest.raises(ModelError) as caught:
        locate("ViT-B/32", "clip", download=how != "download=False", patience=patience)
    said = str(caught.value)
    assert "Missing: model.safetensors or pytorch_model.bin;" in said
    assert "https://huggingface.co/openai/clip-vit-base-patch32" in said
    assert str(where) in said
    (where / "pytorch_model.bin").write_bytes(TENSORS)  # what it asks for helps
    assert locate("ViT-B/32", "clip", patience=patience) == where


def test_offline_asks_no_server(hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEXT2ART_OFFLINE", "1")
    with pytest.raises(ModelError):
        locate("ViT-B/32", "clip")
    assert all(not one.asked for one in hub.files.values())


def test_a_directory_of_ones_own_is_taken_as_it_is(tmp_path: Path) -> None:
    mine = fill(tmp_path / "mine", "config.json")
    assert locate(str(mine), "vqgan") == mine


def test_a_directory_without_a_model_is_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no config\.json"):
        locate(str(tmp_path), "vqgan")


def test_the_embedded_models_lie_in_the_package() -> None:
    if not (embedded.WEIGHTS / "clip").is_dir():
        pytest.skip("no embedded weights in this checkout")
    assert (locate("embedded", "clip") / "config.json").is_file()


@pytest.mark.parametrize(
    ("name", "folder"), [("embedded", "clip"), ("embedded-2", "clip2"), ("embedded-3", "clip3"), ("judge", "judge")]
)
def test_each_eye_of_the_package_has_a_name(name: str, folder: str) -> None:
    assert locate(name, "clip") == embedded.WEIGHTS / folder


def test_a_missing_embedded_model_says_how_to_mend_it(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="reinstall"):
        embedded.directory("vqgan", tmp_path)
    with pytest.raises(ModelError, match="there are clip, clip2, clip3, vqgan, taesd, judge"):
        embedded.directory("diffusion", tmp_path)


def test_an_unknown_name_gets_the_nearest_one() -> None:
    with pytest.raises(ModelError, match=r"'ViT-B/33'; did you mean 'ViT-B/32'"):
        locate("ViT-B/33", "clip")


def test_weights_of_another_kind_are_refused() -> None:
    with pytest.raises(ModelError, match="'ViT-B/32' is a clip, not a vqgan"):
        locate("ViT-B/32", "vqgan")


def test_weights_that_are_of_no_use_yet_say_so() -> None:
    (row,) = [row for row in ORIGINAL_ROWS if not row.loadable]
    with pytest.raises(ModelError, match="can't be loaded yet"):
        locate(row.name, row.kind)


@pytest.mark.parametrize("name", ["RN50", "wikiart_1024"])
def test_an_original_that_is_there_with_all_it_needs_is_found(name: str, cache: Path) -> None:
    row = find(name)
    where = fill(cache / row.kind / row.name, *(file.path for file in row.files))
    for file in row.files:
        if file.size is not None:
            os.truncate(where / file.path, file.size)  # a file with a hole
    assert locate(name, row.kind, download=False) == where
    (where / row.files[0].path).unlink()
    with pytest.raises(ModelError, match=f"Missing: {row.files[0].path};"):
        locate(name, row.kind, download=False)


def test_a_file_in_its_authors_format_is_taken_as_it_is(tmp_path: Path) -> None:
    mine = fill(tmp_path / "mine", "RN50.pt") / "RN50.pt"
    assert locate(str(mine), "clip") == mine
    assert locate(str(mine.parent), "clip") == mine.parent


def test_the_sums_of_the_embedded_models_notice_every_change(tmp_path: Path) -> None:
    fill(tmp_path / "clip", "config.json", "model.safetensors")
    assert embedded.differences(tmp_path) == [f"{tmp_path / 'SHA256SUMS'} is missing"]
    listing = embedded.write_sums(tmp_path)
    assert f"{hashlib.sha256(b'{}').hexdigest()}  clip/config.json" in listing.read_text()
    assert embedded.differences(tmp_path) == []
    (tmp_path / "clip" / "model.safetensors").write_bytes(b"other")
    (tmp_path / "clip" / "config.json").unlink()
    (tmp_path / "clip" / "vocabulary.json").write_text("[]")
    assert embedded.differences(tmp_path) == [
        "clip/config.json is missing",
        "clip/model.safetensors differs",
        "clip/vocabulary.json is not in SHA256SUMS",
    ]


def test_the_shipped_models_are_those_of_the_sums() -> None:
    if not embedded.WEIGHTS.is_dir():
        pytest.skip("no embedded weights in this checkout")
    assert embedded.differences() == [], "after new weights: python -m text2art_nb.models.write_sums"


def test_the_list_tells_what_is_here(hub, patience: Patience) -> None:
    assert not {row["name"]: row["ready"] for row in models.rows()}[CLIP]
    locate("ViT-B/32", "clip", patience=patience)
    row = next(row for row in models.rows() if row["name"] == CLIP)
    assert row["ready"]
    assert row["on_disk"] == len(TENSORS) + 4 * len(b"{}")
    assert "ViT-B/32" in row["aliases"]
    assert any(line.startswith("*") and CLIP in line for line in model_table.text().splitlines())
    json.dumps(models.rows())


def test_the_list_has_the_embedded_clips_by_the_names_that_perceptors_takes() -> None:
    clips = {row["name"] for row in models.rows() if row["kind"] == "clip" and row["source"] == "in this package"}
    assert clips == {"embedded", "embedded-2", "embedded-3", "judge"}


def test_a_folder_that_happens_to_be_called_like_some_weights_does_not_hide_them(
    hub, patience: Patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "ViT-B-32", "notes.txt")
    assert locate("ViT-B-32", "clip", patience=patience) == locate(CLIP, "clip", download=False)
    with pytest.raises(ModelError, match="is not a directory of weights"):
        locate("./ViT-B-32", "clip", patience=patience)


def test_a_folder_of_weights_that_lacks_its_config_is_told_so_even_if_it_is_called_like_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fill(tmp_path / "ViT-B-32", "model.safetensors")
    with pytest.raises(ModelError, match="is not a directory of weights"):
        locate("ViT-B-32", "clip", download=False)


def test_a_home_that_nobody_has_is_a_plain_error() -> None:
    with pytest.raises(ModelError, match="'~nobody-at-all/clip' is no path of weights here"):
        locate("~nobody-at-all/clip", "clip", download=False)
