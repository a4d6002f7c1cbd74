"""What the tests know of an environment is what is installed in it, and nothing of the folder that they run in."""

from pathlib import Path

import pytest

from tests.notebook import environments


def test_the_egg_info_of_a_clone_is_no_installed_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "something_nb.egg-info"
    info.mkdir()
    (info / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: something-nb\nVersion: 1.0\n")
    monkeypatch.chdir(tmp_path)
    assert "something-nb" not in environments.versions(environments.jupyter())
