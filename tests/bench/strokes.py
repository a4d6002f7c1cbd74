"""Do strokes keep up with CLIP? An iteration of each, there and back, in turn, in CPU-seconds.

    python -m tests.bench.strokes [--strokes 256] [--size 224] [--views 30] [--rounds 3]

Strokes: `render` and its gradient on all parameters, the strokes of a picture that they cover. CLIP: ViT-B/32 at full
size with random weights, `views` pictures of 224 pixels and the gradient on them, as a run has it. Prints one JSON
line; the bound is a ratio of 1.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from text2art_nb import drawers
from text2art_nb.settings import Settings

CPU = torch.device("cpu")


def scene(size: int) -> Tensor:
    """A soft picture of many colours, [1,3,size,size]."""
    coarse = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    return F.interpolate(coarse, (size, size), mode="bicubic").clamp(0, 1)


def strokes(count: int, size: int, covering: bool) -> Callable[[], None]:
    """An iteration of the drawer; covering: with the strokes of a picture, else with those that chance has drawn."""
    settings = Settings(prompts="a castle", drawer="strokes", strokes=count, size=(size, size), model="full", seed=1)
    drawer = drawers.build(settings, CPU, torch.Generator().manual_seed(1))
    if covering:
        drawer.start_from(scene(size))
    assert drawer.canvas == (size, size)
    pull = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(2))

    def once() -> None:
        drawer.zero_grad()
        drawer.render().backward(pull)

    return once


def clip(views: int) -> Callable[[], None]:
    """An iteration of ViT-B/32, whose shape is what an empty config means."""
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    torch.manual_seed(0)
    model = CLIPVisionModelWithProjection(CLIPVisionConfig(projection_dim=512)).eval().requires_grad_(False)
    seen = torch.rand(views, 3, 224, 224).requires_grad_()

    def once() -> None:
        seen.grad = None
        model(pixel_values=seen).image_embeds.sum().backward()

    return once


def seconds(once: Callable[[], None], times: int = 1) -> float:
    """CPU-seconds, of all threads, that it takes on the average."""
    began = time.process_time()
    for _ in range(times):
        once()
    return (time.process_time() - began) / times


def main() -> None:
    """See the module's first lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--strokes", type=int, default=256)
    parser.add_argument("--size", type=int, default=224)
    parser.add_argument("--views", type=int, default=30)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    chance = strokes(asked.strokes, asked.size, covering=False)
    covering = strokes(asked.strokes, asked.size, covering=True)
    eye = clip(asked.views)
    for once in (chance, covering, eye):
        once()
    rounds = [(seconds(chance, 10), seconds(covering, 10), seconds(eye)) for _ in range(asked.rounds)]
    medians = [statistics.median(each) for each in zip(*rounds, strict=True)]
    print(
        json.dumps(
            {
                "strokes": asked.strokes,
                "size": asked.size,
                "views": asked.views,
                "ratio": round(statistics.median(max(a, b) / c for a, b, c in rounds), 4),
                "milliseconds": {
                    "strokes by chance": round(medians[0] * 1000, 1),
                    "strokes that cover a picture": round(medians[1] * 1000, 1),
                    "ViT-B/32": round(medians[2] * 1000, 1),
                },
            }
        )
    )


if __name__ == "__main__":
    main()
