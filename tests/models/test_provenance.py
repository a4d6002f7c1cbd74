"""What came first is remembered: a branch's commit and every file's digest; another one later is refused."""

import importlib
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.models.hub import Hub
from tests.models.stock import as_stocked, commit_of, stock
from text2art_nb import models
from text2art_nb.errors import ModelError
from text2art_nb.models import Patience, catalogue, find, locate
from text2art_nb.models.provenance import Provenance

X4 = "caidas/swin2SR-classical-sr-x4-64"  # no commit of it is published
FULL = "xvjiarui/taming-vq-f16-n16384"  # of its commit only the beginning is
FILES = {"config.json": b'{"model_type": "swin2sr"}', "pytorch_model.bin": b"tensors " * 1000}
OTHER = {"config.json": b'{"model_type": "swin2sr", "x": 1}', "pytorch_model.bin": b"TENSORS " * 1000}


def memory(where: Path) -> Path:
    return where.with_name(f"{where.name}.lock.json")


def resolved(hub: Hub) -> set[tuple[str, str]]:
    """(method, revision) of all that was asked of repositories."""
    asked = (one for one in hub.asked if "/resolve/" in one.path)
    return {(one.method, one.path.split("/resolve/")[1].split("/")[0]) for one in asked}


def test_an_unpublished_commit_is_learned_once_and_asked_for_ever_after(local_hub: Hub, patience: Patience) -> None:
    first = local_hub.put(X4, FILES)
    where = locate(X4, "upscaler", patience=patience)
    assert resolved(local_hub) == {("HEAD", "main"), ("GET", first)}
    assert len(local_hub.requests("*/resolve/main/*")) == 1
    local_hub.put(X4, OTHER)  # the branch moves on
    shutil.rmtree(where)
    local_hub.asked.clear()
    locate(X4, "upscaler", patience=patience)
    assert resolved(local_hub) == {("GET", first)}
    assert (where / "pytorch_model.bin").read_bytes() == FILES["pytorch_model.bin"]


def test_it_is_told_where_everything_came_from(local_hub: Hub, patience: Patience) -> None:
    commit = local_hub.put(X4, FILES)
    where = locate(X4, "upscaler", patience=patience)
    said = json.loads(memory(where).read_text())
    assert said["commits"] == {X4: commit}
    assert set(said["files"]) == set(FILES)
    for path, entry in said["files"].items():
        assert entry["sha256"] == local_hub.sha256(FILES[path])
        assert entry["url"].endswith(f"/{X4}/resolve/{commit}/{path}")
    assert memory(where).stat().st_size < 4000


def test_a_commit_of_which_the_beginning_is_known_is_found_behind_newer_ones(
    local_hub: Hub, patience: Patience
) -> None:
    right = local_hub.put(FULL, {"config.json": b"{}", "diffusion_pytorch_model.bin": b"right"}, commit_of(FULL))
    local_hub.put(FULL, {"config.json": b"{}", "diffusion_pytorch_model.bin": b"newer"})
    where = locate("full", "vqgan", patience=patience)
    assert (where / "diffusion_pytorch_model.bin").read_bytes() == b"right"
    assert {revision for method, revision in resolved(local_hub) if method == "GET"} == {right}
    assert len(local_hub.requests("/api/models/*/commits/main")) == 1


def test_a_repository_whose_commit_is_another_one_is_not_the_one_that_is_known(
    local_hub: Hub, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_hub.put(FULL, {"config.json": b"{}", "diffusion_pytorch_model.bin": b"x"})
    monkeypatch.setitem(catalogue._ROWS, FULL, replace(find(FULL), fallbacks=()))
    with pytest.raises(ModelError, match="doesn't have the commit 1251cf9 any more"):
        locate("full", "vqgan", patience=patience)


@pytest.mark.parametrize("again", ["all of it", "one file"])
def test_other_bytes_than_the_first_time_are_refused_and_it_is_said_what_to_do(
    local_hub: Hub, patience: Patience, again: str
) -> None:
    commit = local_hub.put(X4, FILES)
    where = locate(X4, "upscaler", patience=patience)
    local_hub.put(X4, OTHER, commit)  # a forger's mirror, or a hub that has lost its mind
    if again == "all of it":
        shutil.rmtree(where)
    else:
        (where / "pytorch_model.bin").unlink()
    with pytest.raises(ModelError, match="as it came the first time: if you trust the new one, delete") as caught:
        locate(X4, "upscaler", patience=patience)
    assert str(memory(where)) in str(caught.value)
    assert not (where / "pytorch_model.bin").exists()
    memory(where).unlink()
    assert (locate(X4, "upscaler", patience=patience) / "pytorch_model.bin").read_bytes() == OTHER["pytorch_model.bin"]


def test_a_file_that_was_changed_on_disk_is_noticed(local_hub: Hub, patience: Patience) -> None:
    local_hub.put(X4, FILES)
    where = locate(X4, "upscaler", patience=patience)
    (where / "pytorch_model.bin").write_bytes(OTHER["pytorch_model.bin"])
    with pytest.raises(ModelError, match="isn't the file that was fetched"):
        locate(X4, "upscaler", download=False)
    (where / "pytorch_model.bin").unlink()
    locate(X4, "upscaler", patience=patience)
    assert (where / "pytorch_model.bin").read_bytes() == FILES["pytorch_model.bin"]


def test_a_copy_of_the_cache_is_looked_into_once(
    local_hub: Hub, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_hub.put(X4, FILES)
    where = locate(X4, "upscaler", patience=patience)
    os.utime(where / "pytorch_model.bin", (1, 1))  # as a copy without its times is
    assert locate(X4, "upscaler", download=False) == where
    monkeypatch.setattr(importlib.import_module("text2art_nb.models.locate"), "digest", None)  # nobody reckons it again
    assert locate(X4, "upscaler", download=False) == where


def test_files_of_ones_own_are_taken_as_they_are(local_hub: Hub, tmp_path: Path) -> None:
    where = tmp_path / "cache" / "upscaler" / X4.replace("/", "--")
    where.mkdir(parents=True)
    for path, body in OTHER.items():
        (where / path).write_bytes(body)
    assert locate(X4, "upscaler", download=False) == where
    assert not memory(where).exists()


@pytest.mark.parametrize(
    "said",
    [
        "",
        "[]",
        "{}",
        '{"version": 2}',
        '{"version": 1, "commits": {"a/b": "main"}, "files": {}}',
        '{"version": 1, "commits": {}, "files": {"a": {"sha256": 1}}}',
        "[" * 100_000,
    ],
)
def test_a_damaged_memory_is_a_plain_error(local_hub: Hub, patience: Patience, said: str) -> None:
    local_hub.put(X4, FILES)
    where = locate(X4, "upscaler", patience=patience)
    memory(where).write_text(said)
    with pytest.raises(ModelError, match="delete it, and what is fetched next is trusted anew"):
        locate(X4, "upscaler", patience=patience)


def test_a_digest_counts_while_the_catalogue_names_the_same_commit(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"a")
    old = Provenance(tmp_path / "x", "someone/something", "a" * 40)
    old.learn_file("a.bin", tmp_path / "a.bin", "0" * 64, "https://huggingface.co/…")
    assert Provenance(tmp_path / "x", "someone/something", "a" * 40).digest_of("a.bin") == "0" * 64
    assert Provenance(tmp_path / "x", "someone/something", "b" * 40).digest_of("a.bin") is None


def test_the_hub_that_names_no_commit_is_not_followed(local_hub: Hub, patience: Patience) -> None:
    local_hub.put(X4, FILES)
    local_hub.fail("*/resolve/main/*", times=None, body=b"a proxy's page")
    with pytest.raises(ModelError, match="doesn't say which commit it has"):
        locate(X4, "upscaler", patience=patience)


def test_a_wrong_digest_of_ours_says_that_the_server_thinks_otherwise(
    local_hub: Hub, patience: Patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What happened with TAESD: the catalogue had another file's digest, and blamed the hub."""
    stock(local_hub, ("taesd",), tmp_path)
    with as_stocked(local_hub), monkeypatch.context() as within:  # undone first, or the stocked row would stay
        row = find("taesd")
        config, tensors = row.files
        within.setitem(catalogue._ROWS, row.name, replace(row, files=(config, replace(tensors, sha256="0" * 64))))
        with pytest.raises(ModelError, match="its server says that this is right"):
            locate("taesd", "taesd", patience=patience)


def test_the_list_tells_the_commit_as_far_as_it_is_known(local_hub: Hub, patience: Patience) -> None:
    said = {row["name"]: row["revision"] for row in models.rows()}
    assert (said[FULL], said[X4], said["embedded"]) == ("1251cf9", "", "")
    assert said["madebyollin/taesd"] == find("taesd").revision
    commit = local_hub.put(X4, FILES)
    locate(X4, "upscaler", patience=patience)
    assert {row["name"]: row["revision"] for row in models.rows()}[X4] == commit


def test_all_bytes_can_be_compared_with_what_is_known(local_hub: Hub, patience: Patience, tmp_path: Path) -> None:
    stock(local_hub, ("taesd",), tmp_path)
    with as_stocked(local_hub):
        where = locate("taesd", "taesd", patience=patience)
        config, tensors = models.verdicts(find("taesd"), where)
        assert config.ok
        assert tensors.ok
        assert (config.published, config.remembered) == (None, config.found)
        assert tensors.published == tensors.remembered == tensors.found
        with (where / tensors.path).open("r+b") as file:
            file.write(b"?")
        assert [each.ok for each in models.verdicts(find("taesd"), where)] == [True, False]
        memory(where).unlink()
        (config, tensors) = models.verdicts(find("taesd"), where)
        assert (config.expected, config.ok, tensors.ok) == (None, True, False)
