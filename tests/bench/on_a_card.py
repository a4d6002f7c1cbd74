"""text2art's side of `against_pixray`'s part gpu: pace, share of the card's peak, memory, and numerics by precision."""

import tempfile
import time
from pathlib import Path
from typing import Any, Final

import torch

from text2art_nb.run import Run
from text2art_nb.settings import Settings

ITERATIONS: Final = 60
TERAFLOPS: Final = 2.9
"""An iteration at 384 x 208 with 30 cuts each for ViT-B/32 and ViT-B/16, forward and back: counted by
`torch.utils.flop_counter` where this runs; this is what it is taken for where that fails."""


def measure(threads: int) -> dict[str, Any]:
    """Iterations a second, the share of the bf16 peak of this card's matrix products, GB, and how scores differ."""
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as directory:
        settings = _settings(Path(directory))
        found: dict[str, Any] = {}
        scores = {}
        for precision in ("float32", "bfloat16", "float16"):
            pace, score = _draw(settings.with_(precision=precision))
            found[f"ours, {precision}"], scores[precision] = round(pace, 2), score
        found["ours"] = max(found[f"ours, {each}"] for each in scores)
        work = _flops(settings)
    found["memory_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 2)
    found["teraflops_an_iteration"] = round(work / 1e12, 2)
    found["share_of_bf16_peak"] = round(work * found["ours"] / _peak(), 3)
    for precision in ("bfloat16", "float16"):
        found[f"score off, {precision}"] = round(abs(scores[precision] / scores["float32"] - 1), 5)
    return found


def _settings(directory: Path) -> Settings:
    from tests.full_models import save_taming, save_vit_b32

    model = save_taming(directory / "vqgan")
    eyes = [str(save_vit_b32(directory / "b32"))]
    eyes.append(str(save_vit_b32(directory / "b16", patch=16)))
    common = {"model": str(model), "perceptors": tuple(eyes), "size": (384, 208), "num_cuts": 30}
    return Settings(prompts="a castle", iterations=ITERATIONS, seed=1, device="cuda", **common)


def _draw(settings: Settings) -> tuple[float, float]:
    """Iterations a second after ten to warm up, and the first frame's score."""
    run = Run(settings)
    first = next(run)
    for _ in range(9):
        next(run)
    torch.cuda.synchronize()
    began, before = time.monotonic(), run.iteration
    for _ in run:
        pass
    torch.cuda.synchronize()
    return (run.iteration - before) / (time.monotonic() - began), first.score


def _flops(settings: Settings) -> float:
    """Floating point operations of an iteration."""
    from torch.utils.flop_counter import FlopCounterMode

    run = Run(settings.with_(precision="float32"))
    next(run)
    with FlopCounterMode(display=False) as counter:
        next(run)
    return float(counter.get_total_flops() or TERAFLOPS * 1e12)


def _peak() -> float:
    """Floating point operations a second that this card's matrix products reach in bfloat16."""
    one = torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16)
    for _ in range(5):
        one @ one
    torch.cuda.synchronize()
    began = time.monotonic()
    for _ in range(20):
        one @ one
    torch.cuda.synchronize()
    return 20 * 2 * 8192**3 / (time.monotonic() - began)
