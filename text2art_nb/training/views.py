"""How training pictures are roughed up: the views that a drawing run makes of its picture, and worse.

Geometry and blur are done picture by picture on bytes (OpenCV), colour and noise on the whole batch (torch).
"""

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Roughness:
    """How far views depart from the picture.

    Attributes:
        smallest: share of the picture's area that the smallest crop keeps.
        widest: how much larger than the picture the widest view is, along a side (the rest is padding).
        tilt: degrees of rotation either way.
        skew: how far corners wander, as a share of the side.
        blurred: how many of the views are drawn small and enlarged.
        colour: how far brightness, contrast and saturation stray from 1.
        noise: the strongest noise's standard deviation, of 0..1.
    """

    smallest: float = 0.4
    widest: float = 1.25
    tilt: float = 9.0
    skew: float = 0.06
    blurred: float = 0.3
    colour: float = 0.15
    noise: float = 0.1


GUIDE = Roughness()
GENTLE = Roughness(smallest=0.7, widest=1.1, tilt=4.0, skew=0.03, blurred=0.1, colour=0.1, noise=0.03)
JUDGE = Roughness(smallest=0.55, widest=1.15, tilt=5.0, skew=0.0, blurred=0.35, colour=0.08, noise=0.06)


def _corners(rng: np.random.Generator, side: int, rough: Roughness) -> NDArray[np.float32]:
    area = rng.uniform(rough.smallest, 1.0)
    zoom = np.sqrt(area) if rng.random() < 0.75 else rng.uniform(1.0, rough.widest)
    stretch = np.exp(rng.uniform(-0.12, 0.12))
    half = side * zoom / 2 * np.array([stretch, 1 / stretch])
    slack = np.maximum(side / 2 - half, 0)
    centre = side / 2 + rng.uniform(-1, 1, 2) * np.where(slack > 0, slack, np.maximum(half - side / 2, 0) * 0.8)
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    angle = np.deg2rad(rng.uniform(-rough.tilt, rough.tilt)) * (rng.random() < 0.6)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    corners: NDArray[np.float32] = (square @ turn.T + centre).astype(np.float32)
    if rough.skew and rng.random() < 0.5:
        corners += rng.uniform(-rough.skew, rough.skew, (4, 2)).astype(np.float32) * side
    return corners


def crop(picture: Pixels, size: int, rng: np.random.Generator, rough: Roughness) -> Pixels:
    """One random view [size,size,3] of a square picture [S,S,3]."""
    side = picture.shape[0]
    target = np.array([[0, 0], [size, 0], [size, size], [0, size]], np.float32)
    matrix = cv2.getPerspectiveTransform(_corners(rng, side, rough), target)
    padding = (cv2.BORDER_REFLECT_101, cv2.BORDER_REPLICATE, cv2.BORDER_CONSTANT)[rng.choice(3, p=(0.5, 0.25, 0.25))]
    grey = int(rng.integers(0, 256))
    view = cv2.warpPerspective(
        picture, matrix, (size, size), flags=cv2.INTER_LINEAR, borderMode=padding, borderValue=(grey, grey, grey)
    )
    if rng.random() < rough.blurred:
        small = int(rng.integers(size * 2 // 5, size))
        enlarge = cv2.INTER_LINEAR if rng.random() < 0.7 else cv2.INTER_NEAREST
        view = cv2.resize(view, (small, small), interpolation=cv2.INTER_AREA)
        view = cv2.resize(view, (size, size), interpolation=enlarge)
    return np.asarray(view, np.uint8)


def crops(pictures: Pixels, size: int, rng: np.random.Generator, rough: Roughness) -> Pixels:
    """One random view each of pictures [n,S,S,3] -> [n,size,size,3]."""
    return np.stack([crop(picture, size, rng, rough) for picture in pictures])


def whole(pictures: Pixels, size: int) -> Pixels:
    """The pictures [n,S,S,3], unharmed, resized to [n,size,size,3]."""
    return np.stack([cv2.resize(picture, (size, size), interpolation=cv2.INTER_AREA) for picture in pictures])


def to_tensor(pictures: Pixels) -> Tensor:
    """Bytes [n,S,S,3] -> float32 [n,3,S,S] in 0..1, channels last in memory."""
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float().div_(255)


def tint(views: Tensor, generator: torch.Generator, rough: Roughness) -> Tensor:
    """Stray brightness, contrast, saturation and noise for views [n,3,S,S] in 0..1, another for each."""
    count = len(views)

    def stray() -> Tensor:
        return 1 + (torch.rand(count, 1, 1, 1, generator=generator) * 2 - 1) * rough.colour

    views = views * stray()
    mean = views.mean((1, 2, 3), keepdim=True)
    views = (views - mean) * stray() + mean
    grey = views.mean(1, keepdim=True)
    views = (views - grey) * stray() + grey
    # Squared, so that most views are nearly clean and a few are very noisy.
    strength = torch.rand(count, 1, 1, 1, generator=generator).square() * rough.noise
    return (views + torch.randn(views.shape, generator=generator) * strength).clamp(0, 1)
