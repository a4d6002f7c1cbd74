"""A service whose folder is on Google Drive: its database is on a local disk, its pictures are on Drive."""

import json
import os
import shutil
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("dbos", reason="the extra [serve] is not installed")

from tests.serve.service import PATIENCE, until, wanted
from text2art_nb.runtime import filesystems
from text2art_nb.serve.archive import NAME, Archive
from text2art_nb.serve.config import Config
from text2art_nb.serve.share import Share
from text2art_nb.serve.tables import sqlite

pytestmark = pytest.mark.timeout(900)


@pytest.fixture
def drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that the table of mounts calls Drive; and a local disk of the test's own."""
    folder = tmp_path / "drive"
    folder.mkdir()
    table = tmp_path / "mounts"
    table.write_text(f"/dev/vda / ext4 rw 0 0\ndrive {folder} fuse.drive rw 0 0\n")
    monkeypatch.setattr(filesystems.is_remote, "__defaults__", (table,))
    monkeypatch.setattr(filesystems.local_twin, "__defaults__", (table,))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return folder


@pytest.fixture
def fuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder on a real FUSE mount."""
    program = shutil.which("bindfs")
    if program is None or not os.access("/dev/fuse", os.W_OK):
        pytest.skip("a real FUSE mount needs bindfs and /dev/fuse")
    folder, source = tmp_path / "fuse", tmp_path / "source"
    folder.mkdir()
    source.mkdir()
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    if subprocess.run([program, str(source), str(folder)], capture_output=True).returncode:
        pytest.skip("this machine does not let its programs mount")
    yield folder
    subprocess.run(["fusermount", "-uz", str(folder)], check=True)


def ask(share: Share, path: str, body: Any = None) -> bytes:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(share.url + path, data, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        found: bytes = answer.read()
        return found


def status(share: Share, id: str) -> str:
    return str(json.loads(ask(share, f"/api/jobs/{id}"))["status"])


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.rglob("*") if path.is_file()}


def test_on_a_real_fuse_mount_the_pictures_are_there_and_the_database_works_elsewhere(
    fuse: Path, tmp_path: Path
) -> None:
    data = fuse / "service"
    share = Share(data)
    share.start(PATIENCE)
    try:
        id = json.loads(ask(share, "/api/jobs", wanted()))["id"]
        until(lambda: status(share, id) == "done", "the job is done")
        opened = _opened(share)
        assert [path for path in opened if path.name == NAME and path.is_relative_to(tmp_path / "state")]
        assert not [path for path in opened if path.is_relative_to(fuse)], "nothing is kept open on the mount"
    finally:
        share.stop()
    assert (data / "files" / id / "picture.png").read_bytes().startswith(b"\x89PNG")
    assert not {each for each in names(fuse) if each.endswith(("-wal", "-shm", ".lock"))}
    shutil.rmtree(tmp_path / "state")  # another machine: only what is on the mount is left

    later = Share(data)
    later.start(PATIENCE)
    try:
        assert status(later, id) == "done"
        assert ask(later, f"/api/jobs/{id}/image").startswith(b"\x89PNG")
    finally:
        later.stop()


def _opened(share: Share) -> list[Path]:
    """The files that the service and its worker have open now."""
    assert share._process is not None
    found = []
    for process in (share._process.pid, *_children(share._process.pid)):
        for handle in Path(f"/proc/{process}/fd").iterdir():
            found.append(Path(os.readlink(handle)))
    return found


def _children(process: int) -> list[int]:
    return [int(each) for path in Path(f"/proc/{process}/task").glob("*/children") for each in path.read_text().split()]


def test_only_a_remote_folder_is_split_up(drive: Path, tmp_path: Path) -> None:
    local, split = Share(tmp_path / "service"), Share(drive / "service")
    assert local._config.data == tmp_path / "service"
    assert local._config.files is None
    assert split._config.data.is_relative_to(tmp_path / "state")
    assert split._config.files_url == str(drive / "service" / "files")
    assert Share(drive / "service")._config.data == split._config.data, "the next one goes on with it"


def test_without_a_local_disk_it_says_so(drive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from text2art_nb.errors import RunError

    monkeypatch.setenv("XDG_STATE_HOME", str(drive))
    monkeypatch.setattr(tempfile, "tempdir", str(drive))
    with pytest.raises(RunError, match="local disk"):
        Share(drive / "service")


def rows(database: Path) -> list[tuple[int]]:
    connection = sqlite().connect(str(database))
    try:
        found: list[tuple[int]] = connection.execute("SELECT x FROM things ORDER BY x").fetchall()
        return found
    finally:
        connection.close()


def make(database: Path, journal: str = "WAL") -> Any:  # of the module that the service takes
    database.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite().connect(str(database), isolation_level=None)
    connection.execute(f"PRAGMA journal_mode={journal}")
    connection.execute("CREATE TABLE things (x INTEGER)")
    connection.execute("INSERT INTO things VALUES (1), (2)")
    return connection


def test_what_is_copied_is_whole_while_others_write(tmp_path: Path) -> None:
    archive = Archive(Config(data=tmp_path / "local"), tmp_path / "drive")
    writer = make(tmp_path / "local" / NAME)  # what it has written is in its log, and it stays open
    archive.back_up()
    assert names(tmp_path / "drive") == {NAME}
    assert rows(tmp_path / "drive" / NAME) == [(1,), (2,)]
    writer.execute("INSERT INTO things VALUES (3)")
    archive.back_up()
    assert rows(tmp_path / "drive" / NAME) == [(1,), (2,), (3,)]
    writer.close()


def test_a_database_that_worked_on_drive_is_taken_over_with_its_log(tmp_path: Path) -> None:
    writer = make(tmp_path / "live" / NAME)
    shutil.copytree(tmp_path / "live", tmp_path / "drive")  # as a runtime that was taken away leaves it
    writer.close()
    assert (tmp_path / "drive" / f"{NAME}-wal").stat().st_size
    archive = Archive(Config(data=tmp_path / "local"), tmp_path / "drive")
    archive.restore()
    assert rows(tmp_path / "local" / NAME) == [(1,), (2,)]
    assert names(tmp_path / "local") == {NAME}
    archive.back_up()
    assert names(tmp_path / "drive") == {NAME}


def test_a_database_that_is_there_is_never_replaced_by_its_copy(tmp_path: Path) -> None:
    make(tmp_path / "local" / NAME, "DELETE").close()
    other = make(tmp_path / "drive" / NAME, "DELETE")
    other.execute("DELETE FROM things")
    other.close()
    Archive(Config(data=tmp_path / "local"), tmp_path / "drive").restore()
    assert rows(tmp_path / "local" / NAME) == [(1,), (2,)]


@pytest.mark.parametrize("content", [b"not a database " * 500, b"SQLite format 3\0" + bytes(4000)])
def test_a_damaged_copy_is_said_and_put_aside(tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "drive").mkdir()
    (tmp_path / "drive" / NAME).write_bytes(content)
    archive = Archive(Config(data=tmp_path / "local"), tmp_path / "drive")
    archive.restore()
    assert "can't be taken over" in caplog.text
    assert names(tmp_path / "local") == set()
    make(tmp_path / "local" / NAME).close()
    archive.back_up()
    assert rows(tmp_path / "drive" / NAME) == [(1,), (2,)]
    assert (tmp_path / "drive" / f"{NAME}.damaged").read_bytes() == content


def test_a_drive_that_is_full_or_gone_is_said_and_the_service_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    make(tmp_path / "local" / NAME).close()
    (tmp_path / "drive").write_text("not a folder any more")
    Archive(Config(data=tmp_path / "local"), tmp_path / "drive").back_up()
    assert "could not be copied" in caplog.text


def test_it_is_copied_when_something_has_changed_and_not_more_than_once_a_minute(tmp_path: Path) -> None:
    make(tmp_path / "local" / NAME).close()
    archive = Archive(Config(data=tmp_path / "local"), tmp_path / "drive")
    archive.back_up_if_changed((0, None))
    assert rows(tmp_path / "drive" / NAME) == [(1,), (2,)]
    (tmp_path / "drive" / NAME).unlink()
    archive.back_up_if_changed((0, None))
    archive.back_up_if_changed((1, None))
    assert not (tmp_path / "drive" / NAME).exists()


def test_without_a_folder_nothing_is_copied(tmp_path: Path) -> None:
    make(tmp_path / "local" / NAME).close()
    archive = Archive(Config(data=tmp_path / "local"), None)
    archive.restore()
    archive.back_up_if_changed(1)
    archive.back_up()
    assert names(tmp_path) == {NAME}
