"""A perceptor that hears: `perceptors="hearing"` and `prompts="sound:bark.wav | a dog:0.5"`.

An example of a package that adds a perceptor. It has the shape of AudioCLIP (Guzhov et al. 2021), three towers into one
space, for pictures, words and sounds; its weights are random, so that it is small and needs no download.

Sounds are looked for by their plain names in the folder `$TEXT2ART_SOUNDS`: a prompt may come from a stranger, and no
word of a stranger's should open any file that it names.
"""

import os
import re
import wave
from collections.abc import Sequence
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from text2art_nb.errors import ModelError

WIDTH = 16
LONGEST_SOUND = 10  # seconds


class Hearing:
    """See `text2art_nb.perceptors.base.Perceptor`, whose contract this keeps without inheriting from anything."""

    name = "hearing"
    size = 32
    augmentation = 1.0
    longest = 64

    def __init__(self, device: torch.device) -> None:
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            eye = nn.Sequential(
                nn.Conv2d(3, 16, 4, stride=4), nn.Tanh(), nn.Conv2d(16, 32, 4, stride=4), nn.Tanh(), nn.Flatten(),
                nn.Linear(128, WIDTH),
            )  # fmt: skip
            ear = nn.Sequential(
                nn.Conv1d(129, 32, 5, stride=2), nn.GELU(), nn.AdaptiveAvgPool1d(4), nn.Flatten(), nn.Linear(128, WIDTH)
            )
            words = nn.EmbeddingBag(256, WIDTH, mode="mean")
        self._eye, self._ear, self._words = (part.eval().requires_grad_(False).to(device) for part in (eye, ear, words))
        self._device = device

    def count_tokens(self, text: str) -> int:
        """A sound is one token, however long it is; words are as many as they have bytes."""
        return 1 if text.startswith("sound:") else len(text.encode())

    @torch.no_grad()
    def read(self, texts: Sequence[str]) -> Tensor:
        vectors = [self._hear(text[6:]) if text.startswith("sound:") else self._read(text) for text in texts]
        return F.normalize(torch.stack(vectors), dim=1)

    def see(self, views: Tensor) -> Tensor:
        return F.normalize(self._eye(views * 2 - 1), dim=1)

    def _read(self, text: str) -> Tensor:
        return self._words(torch.tensor([list(text.encode()[: self.longest])], device=self._device))[0]

    def _hear(self, name: str) -> Tensor:
        """What the sound called `name` means: its spectrum over time, through the ear."""
        sound = torch.stft(_samples(name), 256, 128, window=torch.hann_window(256), return_complex=True)
        spectrum = (sound.abs() + 1e-3).log()  # [129 pitches, times]
        spectrum = (spectrum - spectrum.mean()) / (spectrum.std() + 1e-6)
        return self._ear(spectrum[None].to(self._device))[0]


def load(device: torch.device) -> Hearing:
    """What the entry point names."""
    return Hearing(device)


def _samples(name: str) -> Tensor:
    """The samples of a WAV file, -1..1, its channels mixed."""
    if not re.fullmatch(r"[\w-]+\.wav", name):
        raise ModelError(f"a sound must be the plain name of a WAV file, like sound:bark.wav; got sound:{name}")
    path = Path(os.environ.get("TEXT2ART_SOUNDS", ".")) / name
    try:
        with wave.open(str(path), "rb") as file:
            if file.getsampwidth() != 2:
                raise ModelError(f"{path} must have samples of 16 bits")
            frames = file.readframes(min(file.getnframes(), file.getframerate() * LONGEST_SOUND))
            channels = file.getnchannels()
    except (OSError, EOFError, wave.Error) as error:
        raise ModelError(f"{path} is no WAV file that can be read: {error}") from error
    samples = torch.frombuffer(bytearray(frames), dtype=torch.int16).float() / 32768
    return F.pad(samples.view(-1, channels).mean(1), (0, max(0, 4096 - len(samples) // channels)))
