"""What lies on Google Drive, another FUSE or a server is told from what lies on a disk of this machine."""

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from text2art_nb.runtime import filesystems
from text2art_nb.runtime.filesystems import is_remote, local_twin, lock_file, mount_of, mounts, sync

COLAB = """\
overlay / overlay rw,relatime 0 0
proc /proc proc rw,nosuid 0 0
tmpfs /dev/shm tmpfs rw 0 0
/dev/sda1 /kaggle/input ext4 ro 0 0
drive /content/drive fuse.drive rw,nosuid,nodev,relatime,user_id=0,group_id=0,default_permissions,allow_other 0 0
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A table of mounts as Colab's kernel writes it, with Drive mounted."""
    path = tmp_path / "mounts"
    path.write_text(COLAB)
    return path


@pytest.mark.parametrize(
    ("path", "remote"),
    [
        ("/content/drive/MyDrive/text2art", True),
        ("/content/drive", True),
        ("/content/driveway", False),
        ("/content/text2art", False),
        ("/content/drive/../text2art", False),
        ("/dev/shm/x", False),
    ],
)
def test_drive_is_told_from_the_disk_beside_it(table: Path, path: str, remote: bool) -> None:
    assert is_remote(Path(path), table) is remote


@pytest.mark.parametrize(
    ("type", "remote"),
    [
        *((each, True) for each in ("fuse", "fuse.sshfs", "fuse.gcsfuse", "fuse.rclone", "nfs", "nfs4", "cifs", "9p")),
        *((each, False) for each in ("fuseblk", "ext4", "xfs", "btrfs", "zfs", "overlay", "tmpfs", "apfs")),
    ],
)
def test_the_type_says_whether_it_is_a_disk_of_this_machine(tmp_path: Path, type: str, remote: bool) -> None:
    table = tmp_path / "mounts"
    table.write_text(f"/dev/vda / ext4 rw 0 0\nx /data {type} rw 0 0\n")
    assert is_remote(Path("/data/pictures"), table) is remote


def test_a_link_into_drive_lies_on_drive(tmp_path: Path) -> None:
    (tmp_path / "drive").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "drive")
    table = tmp_path / "mounts"
    table.write_text(f"/dev/vda / ext4 rw 0 0\ndrive {tmp_path / 'drive'} fuse.drive rw 0 0\n")
    assert is_remote(tmp_path / "link" / "new" / "folder", table)
    assert not is_remote(tmp_path / "new", table)


def test_of_two_mounts_at_one_point_the_later_counts(tmp_path: Path) -> None:
    table = tmp_path / "mounts"
    table.write_text("a / ext4 rw 0 0\nb /data nfs4 rw 0 0\nc /data ext4 rw 0 0\n")
    assert mount_of(Path("/data/x"), table).type == "ext4"


def test_a_name_with_a_blank_is_read_as_the_kernel_writes_it(tmp_path: Path) -> None:
    table = tmp_path / "mounts"
    table.write_text("a / ext4 rw 0 0\nb /mnt/My\\040Drive fuse.drive rw 0 0\n")
    assert is_remote(Path("/mnt/My Drive/text2art"), table)


def test_a_root_is_local_whatever_it_is_made_of(tmp_path: Path) -> None:
    """Sandboxes and containers without privileges have a root of type 9p or fuse.fuse-overlayfs."""
    table = tmp_path / "mounts"
    table.write_text("none / 9p rw 0 0\n")
    assert not is_remote(Path("/content"), table)


def test_without_a_table_everything_counts_as_local(tmp_path: Path) -> None:
    assert not is_remote(Path("/content/drive"), tmp_path / "none")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has the table")
def test_this_machines_own_table_is_understood() -> None:
    points = {mount.point for mount in mounts()}
    assert Path("/proc") in points
    assert mount_of(Path("/proc/self")).type == "proc"
    said = subprocess.run(["df", "--output=target", tempfile.gettempdir()], capture_output=True, text=True, check=True)
    assert mount_of(Path(tempfile.gettempdir())).point == Path(said.stdout.splitlines()[1])


def test_a_folder_on_drive_has_one_local_twin_of_its_own(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    twin = local_twin(Path("/content/drive/MyDrive/text2art/service"), table)
    assert twin.is_dir()
    assert twin.is_relative_to(tmp_path / "state")
    assert twin == local_twin(Path("/content/drive/MyDrive/../MyDrive/text2art/service"), table)
    assert twin != local_twin(Path("/content/drive/MyDrive/other/service"), table)
    assert twin.stat().st_mode & 0o777 == 0o700


def test_where_the_home_is_a_servers_the_twin_lies_in_the_temporary_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    table = tmp_path / "mounts"
    table.write_text(f"a / ext4 rw 0 0\nserver:/home {tmp_path / 'home'} nfs4 rw 0 0\n")
    assert local_twin(tmp_path / "home" / "art", table).is_relative_to(tmp_path / "temporary")


def test_a_folder_that_somebody_else_has_put_in_its_place_is_not_used(
    table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/content/drive/state")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"text2art-{os.getuid()}").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="somebody else"):
        local_twin(Path("/content/drive/art"), table)


def refuse(number: int) -> object:
    def flock(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    return flock


@pytest.mark.parametrize("number", [errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOLCK])
def test_where_files_can_not_be_locked_the_lock_is_a_local_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    drive = tmp_path / "drive"
    drive.mkdir()
    table = tmp_path / "mounts"
    table.write_text(f"a / ext4 rw 0 0\ndrive {drive} fuse.drive rw 0 0\n")
    assert lock_file(drive / "x.lock", table) == drive / "x.lock", "this one can"
    monkeypatch.setattr("fcntl.flock", refuse(number))
    assert lock_file(drive / "x.lock", table).is_relative_to(tmp_path / "state")
    assert lock_file(tmp_path / "x.lock", table) == tmp_path / "x.lock", "a disk is not asked"
    assert list(drive.iterdir()) == []


@pytest.mark.parametrize(("number", "told"), [(errno.ENOSPC, True), (errno.EIO, True), (errno.EINVAL, False)])
def test_a_file_system_without_syncing_is_no_trouble_but_a_full_disk_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, told: bool
) -> None:
    def fail(_: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(filesystems.os, "fsync", fail)
    with (tmp_path / "x").open("wb") as file:
        if told:
            with pytest.raises(OSError, match=os.strerror(number)):
                sync(file.fileno())
        else:
            sync(file.fileno())
