"""A file is fetched whole and checked, or not at all; what has come is never fetched twice."""

import hashlib
import random
import shutil
import threading
from pathlib import Path

import pytest

from text2art_nb.errors import ModelError
from text2art_nb.models import Cancelled, File, Patience, fetch
from text2art_nb.models.download import Absent

BODY = random.Random(0).randbytes(1_000_003)


def test_a_file_arrives_whole_and_nothing_else_is_left(shelf, patience, tmp_path: Path) -> None:
    shelf.put("/a.bin", BODY)
    path = fetch(shelf.file("/a.bin", BODY), tmp_path, patience=patience)
    assert path.read_bytes() == BODY
    assert [one.name for one in tmp_path.iterdir()] == ["a.bin"]


def test_a_file_that_is_there_is_not_asked_for(shelf, patience, tmp_path: Path) -> None:
    here = shelf.put("/a.bin", BODY)
    (tmp_path / "a.bin").write_bytes(BODY)
    fetch(shelf.file("/a.bin", BODY), tmp_path, patience=patience)
    assert here.asked == []


@pytest.mark.parametrize("checked", [True, False], ids=["published digest", "only the server's tag"])
def test_a_broken_connection_goes_on_from_where_it_broke(shelf, patience, tmp_path: Path, checked: bool) -> None:
    here = shelf.put("/a.bin", BODY, cuts=[300_000, 200_000])
    path = fetch(shelf.file("/a.bin", BODY, checked=checked), tmp_path, patience=patience)
    assert path.read_bytes() == BODY
    assert here.asked == [None, "bytes=300000-", "bytes=500000-"]
    assert here.sent == len(BODY)


def test_a_later_process_goes_on_from_where_an_earlier_one_was_stopped(shelf, patience, tmp_path: Path) -> None:
    here = shelf.put("/a.bin", BODY)
    file, cancel = shelf.file("/a.bin", BODY), threading.Event()
    with pytest.raises(Cancelled):
        fetch(file, tmp_path, cancel=cancel, progress=lambda *_: cancel.set(), patience=patience)
    had = (tmp_path / "a.bin.part").stat().st_size
    assert 0 < had < len(BODY)
    assert fetch(file, tmp_path, patience=patience).read_bytes() == BODY
    assert here.asked[-1] == f"bytes={had}-"


def test_a_server_without_ranges_sends_it_all_again(shelf, patience, tmp_path: Path) -> None:
    shelf.put("/a.bin", BODY, cuts=[300_000], ranges=False)
    assert fetch(shelf.file("/a.bin", BODY), tmp_path, patience=patience).read_bytes() == BODY


def test_halves_of_two_versions_are_never_joined(shelf, patience, tmp_path: Path) -> None:
    file = shelf.file("/a.bin", BODY, checked=False)
    shelf.put("/a.bin", b"old" * 200_000, cuts=[300_000, 0, 0, 0], tag='"old"')
    with pytest.raises(ModelError):
        fetch(file, tmp_path, patience=patience)
    shelf.put("/a.bin", BODY, tag='"new"')
    assert fetch(file, tmp_path, patience=patience).read_bytes() == BODY


def test_a_part_that_cannot_be_told_apart_is_fetched_afresh(shelf, patience, tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").write_bytes(b"of who knows what")
    here = shelf.put("/a.bin", BODY, tag=None)
    assert fetch(shelf.file("/a.bin", BODY, checked=False), tmp_path, patience=patience).read_bytes() == BODY
    assert here.asked == [None]


def test_a_part_longer_than_the_file_is_thrown_away(shelf, patience, tmp_path: Path) -> None:
    (tmp_path / "a.bin.part").write_bytes(BODY + b"more")
    shelf.put("/a.bin", BODY)
    assert fetch(shelf.file("/a.bin", BODY), tmp_path, patience=patience).read_bytes() == BODY


@pytest.mark.parametrize(
    "bad",
    [{"status": 404}, {"status": 403}, {"status": 500}, {"body": BODY[:-1] + b"?"}, {"body": BODY[:5]}],
    ids=["gone", "forbidden", "failing", "corrupt", "shorter"],
)
def test_a_bad_address_gives_way_to_the_next(shelf, patience, tmp_path: Path, bad: dict[str, object]) -> None:
    shelf.put("/a.bin", **bad)
    shelf.put("/mirror/a.bin", BODY)
    file = shelf.file("/a.bin", BODY, mirrors=("/mirror/a.bin",))
    assert fetch(file, tmp_path, patience=patience).read_bytes() == BODY


def test_a_good_mirror_is_not_blamed_for_a_corrupt_start(shelf, patience, tmp_path: Path) -> None:
    """The first address sends wrong bytes and breaks off; the second goes on from them, and deserves a fresh start."""
    shelf.put("/a.bin", b"?" * len(BODY), cuts=[400_000, 0, 0, 0])
    mirror = shelf.put("/mirror/a.bin", BODY)
    file = shelf.file("/a.bin", BODY, mirrors=("/mirror/a.bin",))
    assert fetch(file, tmp_path, patience=patience).read_bytes() == BODY
    assert mirror.asked == ["bytes=400000-", None]


def test_the_digest_that_the_hub_names_is_checked_where_none_is_published(shelf, patience, tmp_path: Path) -> None:
    shelf.put("/store", BODY[:-1] + b"?")
    digest = hashlib.sha256(BODY).hexdigest()
    shelf.put("/a.bin", moved_to=f"{shelf.base}/store", linked_sha256=digest)
    file = shelf.file("/a.bin", BODY, checked=False)
    with pytest.raises(ModelError, match="sha256"):
        fetch(file, tmp_path, patience=patience)
    assert list(tmp_path.iterdir()) == []
    shelf.put("/store", BODY)
    assert fetch(file, tmp_path, patience=patience).read_bytes() == BODY


@pytest.mark.parametrize(
    ("name", "body", "kind", "reason"),
    [
        ("a.bin", BODY, "text/html; charset=utf-8", "a web page"),
        ("a.safetensors", b"\n<!DOCTYPE html><title>Sign in</title>", None, "a web page"),
        ("a.yaml", b"<html>", "text/plain", "a web page"),
        ("a.json", b'{"model_type": ', None, "not JSON"),
    ],
)
def test_a_page_in_a_files_place_is_not_taken_for_it_where_no_digest_is_known(
    shelf, patience, tmp_path: Path, name: str, body: bytes, kind: str | None, reason: str
) -> None:
    shelf.put(f"/{name}", body, kind=kind)
    with pytest.raises(ModelError, match=reason):
        fetch(shelf.file(f"/{name}", body, checked=False), tmp_path, patience=patience)
    assert list(tmp_path.iterdir()) == []


def test_a_digest_counts_for_more_than_what_a_server_calls_its_file(shelf, patience, tmp_path: Path) -> None:
    shelf.put("/a.bin", BODY, kind="text/html")
    assert fetch(shelf.file("/a.bin", BODY), tmp_path, patience=patience).read_bytes() == BODY


def test_a_busy_server_is_asked_again(shelf, patience, tmp_path: Path) -> None:
    here = shelf.put("/a.bin", BODY, busy=2)
    fetch(shelf.file("/a.bin", BODY), tmp_path, patience=patience)
    assert len(here.asked) == 3


def test_slow_but_steady_is_not_given_up(shelf, patience, tmp_path: Path) -> None:
    """More breaks than attempts are allowed, but each brought something."""
    shelf.put("/a.bin", BODY, cuts=[50_000] * 20)
    assert fetch(shelf.file("/a.bin", BODY), tmp_path, patience=patience).read_bytes() == BODY


def test_nothing_lands_when_every_address_fails_and_each_reason_is_told(shelf, patience, tmp_path: Path) -> None:
    shelf.put("/a.bin", status=403)
    shelf.put("/mirror/a.bin", b"?" * len(BODY))
    file = shelf.file("/a.bin", BODY, mirrors=("/mirror/a.bin",))
    with pytest.raises(ModelError) as caught:
        fetch(file, tmp_path, patience=patience)
    assert "HTTP 403" in str(caught.value)
    assert "sha256" in str(caught.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("last", ["good", "gone"])
def test_after_one_that_fails_and_one_that_is_corrupt_comes_a_third(shelf, patience, tmp_path: Path, last: str) -> None:
    """The first breaks off for good, the second sends the rest of something else; then all is well, or one error."""
    shelf.put("/a.bin", BODY, cuts=[400_000, 0, 0, 0])
    second = shelf.put("/second/a.bin", b"?" * len(BODY))
    third = shelf.put("/third/a.bin", BODY, status=200 if last == "good" else 410)
    file = shelf.file("/a.bin", BODY, mirrors=("/second/a.bin", "/third/a.bin"))
    if last == "good":
        assert fetch(file, tmp_path, patience=patience).read_bytes() == BODY
        assert [one.name for one in tmp_path.iterdir()] == ["a.bin"]
        assert third.sent == len(BODY)
    else:
        with pytest.raises(ModelError) as caught:
            fetch(file, tmp_path, patience=patience)
        said = str(caught.value)
        assert [said.count(reason) for reason in ("the connection ended", "its sha256 there is", "HTTP 410")] == [
            1,
            1,
            1,
        ]
        assert said.count("a.bin could not be fetched") == 1
        assert list(tmp_path.iterdir()) == []
    assert second.sent >= len(BODY)  # it was given a fresh start before it was given up


def test_a_server_that_is_not_there_is_a_plain_error(tmp_path: Path, patience: Patience) -> None:
    with pytest.raises(ModelError, match=r"a\.bin could not be fetched .*no connection"):
        fetch(File("http://127.0.0.1:9/a.bin", "a.bin"), tmp_path, patience=patience)


def test_the_file_that_serves_as_well_is_taken_where_the_first_does_not_exist(shelf, patience, tmp_path: Path) -> None:
    shelf.put("/model.bin", BODY)
    file = File(f"{shelf.base}/model.safetensors", "model.safetensors", otherwise=shelf.file("/model.bin", BODY))
    assert fetch(file, tmp_path, patience=patience) == tmp_path / "model.bin"
    with pytest.raises(Absent):
        fetch(File(f"{shelf.base}/none", "none"), tmp_path, patience=patience)


def test_a_failing_first_choice_is_not_replaced_in_silence(shelf, patience, tmp_path: Path) -> None:
    """Only its absence makes a file give way: a server in trouble may have it tomorrow."""
    shelf.put("/model.safetensors", status=500)
    shelf.put("/model.bin", BODY)
    file = File(f"{shelf.base}/model.safetensors", "model.safetensors", otherwise=shelf.file("/model.bin", BODY))
    with pytest.raises(ModelError, match="HTTP 500"):
        fetch(file, tmp_path, patience=patience)


def test_progress_counts_up_to_the_whole(shelf, patience, tmp_path: Path) -> None:
    shelf.put("/a.bin", BODY, cuts=[300_000])
    seen: list[tuple[str, int, int | None]] = []
    fetch(shelf.file("/a.bin", BODY), tmp_path, progress=lambda *step: seen.append(step), patience=patience)
    counts = [done for _, done, _ in seen]
    assert counts == sorted(counts)
    assert seen[-1] == ("a.bin", len(BODY), len(BODY))


def test_cancelling_ends_the_wait_for_a_busy_server(shelf, tmp_path: Path) -> None:
    shelf.put("/a.bin", BODY, busy=1000)
    cancel = threading.Event()
    threading.Timer(0.1, cancel.set).start()
    with pytest.raises(Cancelled):
        fetch(shelf.file("/a.bin", BODY), tmp_path, cancel=cancel, patience=Patience(1000, 5, (60.0,)))


def test_a_full_disk_is_told_beforehand(shelf, patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf.put("/a.bin", BODY)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(10**9, 10**9, 10_000))
    with pytest.raises(ModelError, match=r"needs 1 MB more"):
        fetch(shelf.file("/a.bin", BODY), tmp_path, patience=patience)


def test_a_place_that_cannot_be_written_is_a_plain_error(shelf, patience, tmp_path: Path) -> None:
    shelf.put("/a.bin", BODY)
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ModelError, match="cannot be written"):
        fetch(shelf.file("/a.bin", BODY), tmp_path / "file", patience=patience)


def test_a_mirror_of_the_whole_hub_is_asked_instead_of_it(
    shelf, patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf.put("/someone/something/resolve/main/a.bin", BODY)
    monkeypatch.setenv("HF_ENDPOINT", shelf.base)
    file = File("https://huggingface.co/someone/something/resolve/main/a.bin", "a.bin", len(BODY))
    assert fetch(file, tmp_path, patience=patience).read_bytes() == BODY
