"""Every script in examples/ runs as it stands, and leaves the pictures that it promises."""

import runpy
from pathlib import Path

import pytest
from PIL import Image

from text2art_nb import Artwork

EXAMPLES = Path(__file__).parents[1] / "examples"

PICTURES = {
    "draw.py": ["city.png", "city.gif"],
    "steer.py": ["storm.png", "sunset.png", "night.png"],
    "pixel_art.py": ["fish.png", "fish-sprite.png", "castle.png"],
    "tournament.py": ["boat.svg", "boat.png", "boat-2.png"],
    "resume.py": ["owl.png"],
}
PLAIN = {"storm.png", "fish-sprite.png"}
"""Pictures that are saved by Pillow, and so have no recipe."""


def test_every_script_is_run_here_and_listed() -> None:
    scripts = {path.name for path in EXAMPLES.glob("*.py")}
    assert scripts == set(PICTURES)
    listed = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert all(f"[{name}]({name})" in listed for name in scripts)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("script", sorted(PICTURES))
def test_it_runs(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(EXAMPLES / script), run_name="__main__")
    assert "the same picture: False" not in capsys.readouterr().out
    for name in PICTURES[script]:
        if name in PLAIN:
            with Image.open(tmp_path / name) as picture:
                picture.load()
        else:
            assert Artwork.open(tmp_path / name).settings.seed is not None
