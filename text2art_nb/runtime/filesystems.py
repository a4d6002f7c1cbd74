"""Which file system a folder lies on, and where to put what must not lie on a network's or FUSE's.

Google Drive in Colab is a FUSE mount. SQLite's write-ahead log needs memory that processes share, and its locks need
`flock` or `fcntl`; a FUSE or network file system may give neither, and a database on it gets damaged.
"""

import contextlib
import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

MOUNTS: Final = Path("/proc/mounts")

# Types that end in these are a FUSE program's or a server's. `fuseblk` is a local disk (NTFS), and so is not one.
_REMOTE: Final = re.compile(
    r"fuse|fuse\..+|nfs\d?|cifs|smb\w*|9p|afs|ceph|glusterfs|lustre|beegfs|gpfs|ncpfs|coda|drvfs|vboxsf|prl_fs|vmhgfs|davfs"
)
_ESCAPE: Final = re.compile(r"\\([0-7]{3})")
# How a file system says that it can't do what was asked, as opposed to having failed at it.
_UNSUPPORTED: Final = frozenset({errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK})


class Mount(NamedTuple):
    """point: the directory; type: the file system's, such as "ext4" or "fuse.drive"."""

    point: Path
    type: str

    @property
    def is_remote(self) -> bool:
        """Whether files here are a FUSE program's or another machine's. The root never counts: nothing is nearer."""
        return self.point != Path("/") and _REMOTE.fullmatch(self.type) is not None


def mounts(table: Path = MOUNTS) -> list[Mount]:
    """All mounts, in the order in which they were made; none where the system has no such table (it isn't Linux)."""
    try:
        lines = table.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return []
    return [Mount(Path(_unescaped(fields[1])), fields[2]) for line in lines if len(fields := line.split(" ")) > 2]


def mount_of(path: Path, table: Path = MOUNTS) -> Mount:
    """The mount that `path` lies on, or would lie on. Where the system has no table: a root of unknown type."""
    place = Path(os.path.realpath(path))  # also where a part isn't there, or a mount is dead
    found = Mount(Path("/"), "")
    for mount in mounts(table):
        # A later mount hides an earlier one at the same point.
        if place.is_relative_to(mount.point) and len(mount.point.parts) >= len(found.point.parts):
            found = mount
    return found


def is_remote(path: Path, table: Path = MOUNTS) -> bool:
    """Whether `path` lies on a FUSE or network file system, such as Google Drive in Colab."""
    return mount_of(path, table).is_remote


def local_twin(folder: Path, table: Path = MOUNTS) -> Path:
    """A folder of this user's on a local disk, always the same one for `folder`; it is made.

    It lies in $XDG_STATE_HOME (default ~/.local/state), or in the temporary folder where that is remote, too.

    Raises:
        OSError: there is no local disk that can be written to.
    """
    place = os.path.realpath(folder)
    name = f"{Path(place).name}-{hashlib.sha256(os.fsencode(place)).hexdigest()[:16]}"
    trouble: OSError | None = None
    for base in _local_bases():
        if is_remote(base, table):
            continue
        try:
            base.mkdir(parents=True, exist_ok=True, mode=0o700)
            _check_own(base)
            (base / name).mkdir(exist_ok=True, mode=0o700)
        except OSError as error:
            trouble = error
            continue
        return base / name
    raise trouble or OSError(errno.EROFS, "every folder of this user's lies on a network or FUSE file system")


def lock_file(path: Path, table: Path = MOUNTS) -> Path:
    """`path` where files can be locked there; else a file on a local disk, which keeps this machine's programs apart.

    Raises:
        OSError: its folder isn't there, or there is no local disk either.
    """
    if not is_remote(path, table) or _can_lock(path.parent):
        return path
    return local_twin(path.parent, table) / path.name


def sync(handle: int) -> None:
    """As `os.fsync`, but a file system that has no such thing is none the worse for it.

    Raises:
        OSError: the disk is full or broken.
    """
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise


def _local_bases() -> Iterator[Path]:
    with contextlib.suppress(RuntimeError):  # the system knows of no home
        yield Path(os.environ.get("XDG_STATE_HOME") or "~/.local/state").expanduser() / "text2art"
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    yield Path(tempfile.gettempdir()) / f"text2art-{user}"


def _check_own(folder: Path) -> None:
    """Raises OSError if a folder is somebody else's: in the temporary folder anybody may have made it first."""
    found = folder.lstat()
    if hasattr(os, "getuid") and (found.st_uid != os.getuid() or folder.is_symlink()):
        raise OSError(errno.EPERM, "it belongs to somebody else", str(folder))


def _can_lock(folder: Path) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows, which has no table of mounts either
        return True
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise
        return False
    return True


def _unescaped(text: str) -> str:
    """The kernel writes blanks, tabs, ends of lines and backslashes of a path as three octal digits."""
    return _ESCAPE.sub(lambda found: chr(int(found[1], 8)), text)
