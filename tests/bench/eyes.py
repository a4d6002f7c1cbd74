"""What the guides know, each by itself and together, and the judge: on albums that no training and no plan saw.

    python -m tests.bench.eyes --albums 8

The cards' R@1 is of one album of 256 pictures, which is good to .03; this takes several. Prints one JSON line a name.
"""

import argparse
import json

import numpy as np
import torch

from text2art_nb import models
from text2art_nb.perceptors.dual_encoder import flatten_pooling
from text2art_nb.settings.presets import EMBEDDED_EYES
from text2art_nb.training import metrics

WHO = {**{name: (name,) for name in EMBEDDED_EYES}, "all guides": EMBEDDED_EYES, "judge": ("judge",)}


def load(name: str) -> "metrics.Eye":
    """A dual encoder of the package by its perceptor's name."""
    from transformers import AutoTokenizer, VisionTextDualEncoderModel

    place = models.locate(name, "clip")
    model = VisionTextDualEncoderModel.from_pretrained(place, dtype=torch.float32)
    return flatten_pooling(model).eval().requires_grad_(False), AutoTokenizer.from_pretrained(place)


def main() -> None:
    """See the module's first lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--albums", type=int, default=8)
    asked = parser.parse_args()
    exam = metrics.make_exam()
    albums = [metrics.make_album(256, 60_000 + k, True) for k in range(asked.albums)]
    for name, eyes in WHO.items():
        looking = [load(each) for each in eyes]
        found = [metrics.retrieve(looking, album, 256) for album in albums]
        several = {"albums": len(found), "held_out_256_mean": np.mean(found), "spread": np.std(found)}
        figures = metrics.quick(looking, exam) | several
        print(json.dumps({"eyes": name} | {key: round(float(value), 3) for key, value in figures.items()}), flush=True)


if __name__ == "__main__":
    main()
