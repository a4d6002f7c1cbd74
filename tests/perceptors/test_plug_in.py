"""A package that somebody else has installed adds a perceptor; here one that hears, so that a prompt is a sound."""

import math
import shutil
import tomllib
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor

from text2art_nb import perceptors
from text2art_nb.errors import ModelError
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

PACKAGE = Path(__file__).parent / "hearing"
CPU = torch.device("cpu")


def install(site: Path) -> None:
    """What pip leaves of the package in a directory of packages: its module, and what it says of itself."""
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text())["project"]
    shutil.copy(PACKAGE / "text2art_hearing.py", site)
    about = site / f"text2art_hearing-{project['version']}.dist-info"
    about.mkdir()
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    groups = project["entry-points"].items()
    lines = [
        f"[{group}]\n" + "".join(f"{name} = {what}\n" for name, what in points.items()) for group, points in groups
    ]
    (about / "entry_points.txt").write_text("\n".join(lines))


def record(path: Path, samples: Tensor) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes((samples * 30_000).to(torch.int16).numpy().tobytes())


@pytest.fixture
def hearing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The package is installed, and two sounds are there: a whistle that rises, and barks."""
    (tmp_path / "site").mkdir()
    (tmp_path / "sounds").mkdir()
    install(tmp_path / "site")
    time = torch.arange(16_000) / 16_000
    record(tmp_path / "sounds" / "whistle.wav", 0.5 * torch.sin(2 * math.pi * (800 * time + 900 * time**2)))
    noise = torch.randn(16_000, generator=torch.Generator().manual_seed(0)).clamp(-3, 3) / 3
    record(tmp_path / "sounds" / "bark.wav", noise * (torch.sin(2 * math.pi * 3 * time) > 0.6))
    monkeypatch.syspath_prepend(tmp_path / "site")
    monkeypatch.setenv("TEXT2ART_SOUNDS", str(tmp_path / "sounds"))
    perceptors.load.cache_clear()
    yield
    perceptors.load.cache_clear()


def draw(prompts: str) -> Tensor:
    """The picture of a run that hears nothing but `prompts`: [1,3,32,32]."""
    run = Run(
        Settings(
            prompts=prompts,
            perceptors=("hearing",),
            drawer="pixel",
            size=(32, 32),
            pixel_size=(16, 16),
            iterations=25,
            num_cuts=4,
            seed=3,
            start="noise",
            device="cpu",
            text_off=False,
        )
    )
    *_, last = run
    pixels = torch.frombuffer(bytearray(last.image.convert("RGB").tobytes()), dtype=torch.uint8)
    return pixels.view(1, 32, 32, 3).movedim(-1, 1).float() / 255


@pytest.mark.usefixtures("hearing")
def test_a_run_is_guided_by_a_sound() -> None:
    bark, whistle = draw("sound:bark.wav"), draw("sound:whistle.wav:2")
    ear = perceptors.load("hearing", CPU)
    sounds = ear.read(["sound:bark.wav", "sound:whistle.wav"])
    fits = torch.cat([ear.see(bark), ear.see(whistle)]) @ sounds.T  # [picture, sound]
    assert fits[0, 0] > fits[1, 0] + 0.1
    assert fits[1, 1] > fits[0, 1] + 0.1


@pytest.mark.usefixtures("hearing")
def test_sounds_and_words_go_together() -> None:
    both = draw("sound:bark.wav | a dog:0.5")
    assert not torch.equal(both, draw("sound:bark.wav"))


@pytest.mark.usefixtures("hearing")
@pytest.mark.parametrize(
    ("prompt", "said"), [("sound:meow.wav", "no WAV file"), ("sound:../../etc/passwd", "plain name")]
)
def test_a_sound_that_is_not_there_is_one_plain_error(prompt: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        perceptors.load("hearing", CPU).read([prompt])


def test_without_the_package_its_name_is_unknown() -> None:
    perceptors.load.cache_clear()
    with pytest.raises(ModelError, match="'hearing'"):
        perceptors.load("hearing", CPU)
