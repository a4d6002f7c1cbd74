"""A studio without a kernel: what a click begins is drawn to its end before the click returns."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from text2art_nb.settings import Settings
from text2art_nb.studio import Studio
from text2art_nb.studio.warmup import WarmUp

Tiny = Callable[..., Settings]


@pytest.fixture
def studio(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Studio]:
    """A studio whose panel draws a small picture with the tiny models; at its end no handler may have failed."""
    monkeypatch.setenv("TEXT2ART_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(WarmUp, "start", lambda self: None)
    settings = tiny()
    studio = Studio(tmp_path / "pictures", **{name: getattr(settings, name) for name in settings.model_fields_set})
    studio.panel()
    yield studio
    assert studio.errors == []
