"""A folder that looks like an installed pixray, with the stand-in in pixray's place; or the real one at PIXRAY_HOME."""

import os
import shutil
import sys
from pathlib import Path

import pytest

REAL = os.environ.get("PIXRAY_HOME")


@pytest.fixture
def standin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """PIXRAY_HOME is the folder of the stand-in."""
    home = tmp_path / "pixray-home"
    python = home / "venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    (home / "pixray" / "vectors").mkdir(parents=True)
    shutil.copy(Path(__file__).with_name("standin.py"), home / "pixray" / "pixray.py")
    monkeypatch.setenv("PIXRAY_HOME", str(home))
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    return home
