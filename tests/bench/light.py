"""What a picture with model="light" takes on a CPU, by drawer: python -m tests.bench.light.

TinyCLIP ViT-8M/16 and TAESD at full size with random weights: the arithmetic is that of the real ones, the picture
isn't. Prints CPU-seconds and wall seconds of one 256-pixel picture, the CPU-seconds of an iteration (the median), and
the mean scores of the first three frames and of the last three: random eyes are pleased in the same way as trained
ones, so it has to rise.
"""

import argparse
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from tests import tiny_models
from text2art_nb.models import find
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings
from text2art_nb.settings.presets import LIGHT_EYES

DRAWERS = ("vqgan", "taesd", "pixel", "fft", "strokes")
KNOWN, UNKNOWN = "a red castle in the snow", "a zeppelin over Vienna"
"""A prompt that the proposals know, and one that they don't."""


def save_tinyclip(directory: Path, seed: int = 0) -> Path:
    """A CLIPModel of the shape of TinyCLIP-ViT-8M-16-Text-3M-YFCC15M: 23,450,881 random weights."""
    from transformers import CLIPConfig, CLIPModel

    torch.manual_seed(seed)
    layers = {"hidden_size": 256, "intermediate_size": 1024, "num_attention_heads": 4, "hidden_act": "quick_gelu"}
    config = CLIPConfig(
        text_config={**layers, "num_hidden_layers": 3, "vocab_size": 49408, "bos_token_id": 0, "eos_token_id": 1},
        vision_config={**layers, "num_hidden_layers": 10, "image_size": 224, "patch_size": 16},
        projection_dim=512,
    )
    CLIPModel(config).save_pretrained(directory)
    tiny_models.save_tokenizer(directory)
    pixels = {"crop_size": {"height": 224, "width": 224}}
    (directory / "preprocessor_config.json").write_text(json.dumps(pixels))
    return directory


def save_taesd(directory: Path, seed: int = 0) -> Path:
    """An AutoencoderTiny of TAESD's own size, with random weights."""
    from diffusers import AutoencoderTiny

    torch.manual_seed(seed)
    AutoencoderTiny().save_pretrained(directory)
    return directory


def in_cache(cache: Path) -> None:
    """Put both where text2art looks for what it has fetched, so that model="light" finds them."""
    save_tinyclip(cache / "clip" / find("tinyclip").name.replace("/", "--"))
    save_taesd(cache / "taesd" / find("taesd").name.replace("/", "--"))
    os.environ["TEXT2ART_CACHE"] = str(cache)
    os.environ["TEXT2ART_OFFLINE"] = "1"


def measure(drawer: str, prompt: str, **changes: Any) -> dict[str, Any]:
    """One picture's figures."""
    settings = Settings(
        **{"prompts": prompt, "drawer": drawer, "model": "light", "size": (256, 256), "seed": 1, **changes}
    ).resolved()
    assert settings.perceptor_names == LIGHT_EYES
    cpu, wall = time.process_time(), time.monotonic()
    scores, clock = [], []
    for frame in Run(settings):
        scores.append(frame.score)
        clock.append(time.process_time())
    return {
        "drawer": drawer,
        "start": settings.start,
        "iterations": settings.iterations,
        "views": settings.num_cuts,
        "token_drop": settings.token_drop,
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "each": round(statistics.median(after - before for before, after in itertools.pairwise(clock)), 3),
        "seconds": round(time.monotonic() - wall, 1),
        "first": round(sum(scores[:3]) / 3, 4),
        "last": round(sum(scores[-3:]) / 3, 4),
    }


def figures(drawers: list[str], **changes: Any) -> Iterator[dict[str, Any]]:
    """The figures of each drawer, from noise for a prompt with an unknown word, then from a proposal."""
    for prompt in (UNKNOWN, KNOWN):
        for drawer in drawers:
            yield measure(drawer, prompt, **changes)


def main() -> int:
    """Print a line of JSON for each picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--drawers", default=",".join(DRAWERS))
    parser.add_argument("--quality", default="normal")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    options = parser.parse_args()
    changes = dict(each.split("=", 1) for each in options.set)
    with tempfile.TemporaryDirectory() as cache:
        in_cache(Path(cache))
        for row in figures(options.drawers.split(","), quality=options.quality, **changes):
            print(json.dumps(row), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
