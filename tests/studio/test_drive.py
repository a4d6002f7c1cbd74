"""Drive refused, slow, forbidden, full or not there: one plain sentence, and every picture stays where it is."""

import asyncio
import errno
import os
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from text2art_nb.errors import RunError
from text2art_nb.studio import Studio, drive, library
from text2art_nb.studio.drive import copy_to_drive
from text2art_nb.studio.library import default_folder

Mount = Callable[..., None]


class MessageError(Exception):
    """As `google.colab._message.MessageError`."""


class TIMEOUT(Exception):
    """As `pexpect.TIMEOUT`."""


@pytest.fixture
def colab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Mount], Path]:
    """Gives Colab a way of mounting; returns where Drive would be."""
    place = tmp_path / "content" / "drive" / "MyDrive"
    monkeypatch.setattr(drive, "DRIVE", place)
    monkeypatch.setattr(library, "DRIVE", place)

    def make(mount: Mount) -> Path:
        package, module = types.ModuleType("google.colab"), types.ModuleType("google.colab.drive")
        module.mount = mount  # type: ignore[attr-defined]
        package.drive = module  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "google.colab", package)
        monkeypatch.setitem(sys.modules, "google.colab.drive", module)
        return place

    return make


def refusing(error: Exception) -> Mount:
    def mount(*_: object, **__: object) -> None:
        raise error

    return mount


def appears(point: str, **_: object) -> None:
    (Path(point) / "MyDrive").mkdir(parents=True, exist_ok=True)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (MessageError("Error: credential propagation was unsuccessful"), "access to it was not granted"),
        (ValueError("mount failed"), "try again"),
        (ValueError("mount failed: timeout during initial read of root folder; for more …"), "did not answer in time"),
        (TIMEOUT(), "did not answer in time"),
        (ValueError("The domain policy has disabled Drive File Stream: https://…"), "policy of your organization"),
        (ValueError("Mountpoint must not already contain files"), "has files in it"),
        (NotImplementedError("google.colab.drive.mount is not supported in Colab Enterprise."), "has none"),
        (KeyError("TBE_EPHEM_CREDS_ADDR"), "has none"),
        (AssertionError(), "AssertionError"),
        (RuntimeError("something\nnobody\nhas seen"), "something nobody has seen"),
    ],
)
def test_whatever_mounting_raises_is_one_sentence(
    colab: Callable[[Mount], Path], tmp_path: Path, error: Exception, sentence: str
) -> None:
    place = colab(refusing(error))
    picture = tmp_path / "a.png"
    picture.write_bytes(b"picture")
    with pytest.raises(RunError, match=sentence) as found:
        copy_to_drive([picture])
    assert "\n" not in str(found.value)
    assert "stay" in str(found.value)
    assert picture.read_bytes() == b"picture"
    assert not place.exists()


def test_a_mount_that_shows_no_drive_is_not_taken_for_one(colab: Callable[[Mount], Path], tmp_path: Path) -> None:
    place = colab(lambda *_, **__: None)
    with pytest.raises(RunError, match="after mounting"):
        copy_to_drive([tmp_path / "a.png"])
    assert not place.exists(), "a folder of ours would look like Drive, and be gone with the runtime"
    assert default_folder() == Path("text2art")


def test_outside_colab_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "google.colab", None)
    with pytest.raises(RunError, match="on Colab only"):
        copy_to_drive([tmp_path / "a.png"])


def test_granted_the_files_are_copied_whole(colab: Callable[[Mount], Path], tmp_path: Path) -> None:
    place = colab(appears)
    (tmp_path / "a.png").write_bytes(b"picture")
    assert copy_to_drive([tmp_path / "a.png"]) == [place / "text2art" / "a.png"]
    assert [path.name for path in (place / "text2art").iterdir()] == ["a.png"]
    assert copy_to_drive([place / "text2art" / "a.png"]) == [], "it is there already"
    assert default_folder() == place / "text2art"


def test_a_full_drive_takes_no_half_of_a_file(
    colab: Callable[[Mount], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = colab(appears)
    (tmp_path / "a.png").write_bytes(b"picture")

    def full(source: Path, target: Path) -> None:
        target.write_bytes(b"pic")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(drive.shutil, "copyfile", full)
    with pytest.raises(RunError, match=r"No space left on device.*stay in"):
        copy_to_drive([tmp_path / "a.png"])
    assert list((place / "text2art").iterdir()) == []


def test_with_drive_refused_the_cell_still_says_where_the_picture_is(
    studio: Studio, colab: Callable[[Mount], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    colab(refusing(MessageError("Error: credential propagation was unsuccessful")))
    asyncio.run(studio.paint())
    shown: list[Any] = []
    said: list[str] = []
    monkeypatch.setattr("text2art_nb.studio.studio.display", lambda each: shown.append(each.data))
    monkeypatch.setattr("text2art_nb.studio.studio.say", said.append)
    studio.save(film="none", drive=True)
    assert ".png" in shown[0]
    [sentence] = said
    assert "access to it was not granted" in sentence
    assert studio.library.pictures()


def test_a_dead_mount_is_an_empty_folder_and_no_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Colab loses Drive now and then: "Transport endpoint is not connected"."""
    dead = tmp_path / "drive"

    def stat(path: Any, *arguments: Any, **more: Any) -> os.stat_result:
        if str(path).startswith(str(dead)):
            raise OSError(errno.ENOTCONN, os.strerror(errno.ENOTCONN))
        return real(path, *arguments, **more)

    real = os.stat
    monkeypatch.setattr(os, "stat", stat)
    monkeypatch.setattr(library, "DRIVE", dead)
    assert default_folder() == Path("text2art")
    assert library.RunLibrary(dead / "text2art").pictures() == []
    assert library.RunLibrary(dead / "text2art").runs() == []
