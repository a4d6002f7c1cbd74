"""A run, its checkpoints, the book of paces, downloads and a service's locks in a folder like Google Drive's.

Such a file system knows no `flock` and no `fsync` of its own. What it can do, here as there: rename, and make folders.
"""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from text2art_nb.artifacts.output_paths import alone
from text2art_nb.errors import ModelError, RunError
from text2art_nb.models import locate
from text2art_nb.models.catalogue import File
from text2art_nb.runs.estimate import Paces
from text2art_nb.runs.run import Run
from text2art_nb.runtime import filesystems
from text2art_nb.settings import Settings

Tiny = Callable[..., Settings]


@pytest.fixture
def drive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder on which the system refuses to lock, to sync and to link."""
    folder = tmp_path / "drive"
    folder.mkdir()
    table = tmp_path / "mounts"
    table.write_text(f"/dev/vda / ext4 rw 0 0\ndrive {folder} fuse.drive rw 0 0\n")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    functions = (filesystems.mount_of, filesystems.is_remote, filesystems.local_twin, filesystems.lock_file)
    for function in functions:
        monkeypatch.setattr(function, "__defaults__", (table,))
    import fcntl

    def refuse(real: Callable[..., Any]) -> Callable[..., Any]:
        def ask(handle: Any, *arguments: Any) -> Any:
            number = handle if isinstance(handle, int) else handle.fileno()
            if Path(os.readlink(f"/proc/self/fd/{number}")).is_relative_to(folder):
                raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
            return real(handle, *arguments)

        return ask

    def no_link(source: Any, *_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM), str(source))

    monkeypatch.setattr(fcntl, "flock", refuse(fcntl.flock))
    monkeypatch.setattr(os, "fsync", refuse(os.fsync))
    monkeypatch.setattr(os, "link", no_link)
    monkeypatch.setattr(os, "symlink", no_link)
    return folder


def test_a_run_is_kept_and_goes_on_to_the_same_picture(tiny: Tiny, tmp_path: Path, drive: Path) -> None:
    whole = Run(tiny(iterations=6))
    list(whole)
    run = Run(tiny(iterations=6), directory=drive / "a.run")
    for frame in run:
        if frame.iteration == 3:
            run.stop()
    later = Run.load(drive / "a.run")
    assert later.iteration == 3
    with alone(drive / "a.run"):
        list(later)
    assert later.artwork.image.tobytes() == whole.artwork.image.tobytes()


def test_a_full_drive_is_still_said(tiny: Tiny, drive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RunError, match="No space left on device"):
        list(Run(tiny(iterations=2), directory=drive / "a.run"))


def test_what_runs_took_is_noted(tiny: Tiny, drive: Path) -> None:
    settings = tiny(iterations=4).resolved()
    Paces(drive / "cache" / "paces.json").note(settings, 4, 2.0, 10**9, 0.5)
    assert Paces(drive / "cache" / "paces.json").guess(settings).measured == "this"
    assert [path.name for path in (drive / "cache").iterdir()] == ["paces.json"]


def test_a_download_into_it_takes_its_turn(drive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a lock that works, waiting for a turn would never end, or be an error that nobody understands."""
    asked = []

    def fetch(file: File, *_: object, **__: object) -> None:
        asked.append(file.path)
        raise ModelError("no network here")

    monkeypatch.setenv("TEXT2ART_CACHE", str(drive / "cache"))
    monkeypatch.setenv("HF_HUB_CACHE", str(drive / "hub"))
    monkeypatch.setattr(sys.modules["text2art_nb.models.locate"], "fetch", fetch)
    with pytest.raises(ModelError, match="no network here"):
        locate("taesd", "taesd")
    assert asked
    assert not list(drive.rglob("*.lock"))


def test_a_service_takes_seats_there(drive: Path) -> None:
    pytest.importorskip("dbos", reason="the extra [serve] is not installed")
    from text2art_nb.serve.config import Config
    from text2art_nb.serve.worker_slot import acquire_slot

    config = Config(data=drive / "data", database=f"sqlite:///{drive.parent}/db.sqlite", device="cpu")
    first, second = acquire_slot(config), acquire_slot(config)
    assert [seat.id.rpartition(":")[2] for seat in (first, second)] == ["0", "1"]
    first.lock.release()
    assert acquire_slot(config).id == first.id
    assert not list(drive.rglob("*.lock"))


def test_a_database_there_is_warned_of(drive: Path, caplog: pytest.LogCaptureFixture) -> None:
    pytest.importorskip("dbos", reason="the extra [serve] is not installed")
    from text2art_nb.serve import tables
    from text2art_nb.serve.config import Config

    tables.engine_for(Config(data=drive / "data")).dispose()
    assert "fuse.drive file system" in caplog.text
    caplog.clear()
    tables.engine_for(Config(data=drive.parent / "data")).dispose()
    assert caplog.text == ""
