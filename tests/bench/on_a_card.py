"""One command for one card, under ten minutes: pace, share of the peak, memory, numerics, turbo, the first frame.

    python -m tests.bench.on_a_card [--dry]

Draws `full`'s normal quality (384 x 208, 30 cuts each for ViT-B/32 and ViT-B/16) with random weights of the real
architectures, beside a loop written plainly as pixray has it (`plain_pace`; the original itself is measured by
`against_pixray --parts gpu`), and prints one table in Markdown. --dry does the same on the CPU with tiny models: its
figures mean nothing, it shows that the command works. `measure` is text2art's side of `against_pixray`'s part gpu.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import torch
import torch.nn.functional as F
from torch import Tensor

from tests import tiny_models
from tests.bench import turbo_memory
from text2art_nb import perceptors
from text2art_nb.drawers import vqgan
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

ITERATIONS: Final = 60
REHEARSAL: Final = 10
TERAFLOPS: Final = 2.9
"""An iteration at 384 x 208 with 30 cuts each for ViT-B/32 and ViT-B/16, forward and back: counted by
`torch.utils.flop_counter` where this runs; this is what it is taken for where that fails."""
PRECISIONS: Final = ("float32", "bfloat16", "float16")
FIRST_FRAME: Final = """
import sys
from text2art_nb import Run, Settings
next(Run(Settings.from_recipe(__import__("json").load(sys.stdin), trusted=True)))
"""


def measure(threads: int) -> dict[str, Any]:
    """Iterations a second, the share of the bf16 peak of this card's matrix products, GB, and how scores differ."""
    torch.set_num_threads(threads)
    with tempfile.TemporaryDirectory() as directory:
        return ours(_settings(Path(directory)))


def ours(settings: Settings) -> dict[str, Any]:
    """See `measure`."""
    found: dict[str, Any] = {}
    scores = {}
    for precision in PRECISIONS:
        pace, score = _draw(settings.with_(precision=precision))
        found[f"ours, {precision}"], scores[precision] = round(pace, 2), score
    found["ours"] = max(found[f"ours, {each}"] for each in scores)
    work = _flops(settings)
    if settings.device == "cuda":
        found["memory_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 2)
    found["teraflops_an_iteration"] = round(work / 1e12, 4)
    found["share_of_bf16_peak"] = round(work * found["ours"] / _peak(settings.device), 3)
    for precision in PRECISIONS[1:]:
        found[f"score off, {precision}"] = round(abs(scores[precision] / scores["float32"] - 1), 5)
    return found


def _settings(directory: Path) -> Settings:
    from tests.full_models import save_taming, save_vit_b32

    model = save_taming(directory / "vqgan")
    eyes = [str(save_vit_b32(directory / "b32"))]
    eyes.append(str(save_vit_b32(directory / "b16", patch=16)))
    common = {"model": str(model), "perceptors": tuple(eyes), "size": (384, 208), "num_cuts": 30}
    return Settings(prompts="a castle", iterations=ITERATIONS, seed=1, device="cuda", **common)


def _dry_settings(directory: Path) -> Settings:
    model = tiny_models.save_vqgan(directory / "vqgan")
    eyes = tuple(str(tiny_models.save_clip(directory / f"clip-{seed}", seed=seed)) for seed in range(2))
    common = {"model": str(model), "perceptors": eyes, "size": (48, 32), "num_cuts": 4}
    return Settings(prompts="a castle", iterations=REHEARSAL + 2, seed=1, device="cpu", **common)


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def _draw(settings: Settings) -> tuple[float, float]:
    """Iterations a second after some to warm up, and the first frame's score."""
    run = Run(settings)
    first = next(run)
    for _ in range(REHEARSAL - 1):
        next(run)
    _wait(settings.device)
    began, before = time.monotonic(), run.iteration
    for _ in run:
        pass
    _wait(settings.device)
    return (run.iteration - before) / (time.monotonic() - began), first.score


def _flops(settings: Settings) -> float:
    """Floating point operations of an iteration."""
    from torch.utils.flop_counter import FlopCounterMode

    run = Run(settings.with_(precision="float32"))
    next(run)
    with FlopCounterMode(display=False) as counter:
        next(run)
    return float(counter.get_total_flops() or TERAFLOPS * 1e12)


def _peak(device: str) -> float:
    """Floating point operations a second that this device's matrix products reach in bfloat16."""
    side = 8192 if device == "cuda" else 256
    one = torch.randn(side, side, device=device, dtype=torch.bfloat16)
    for _ in range(5):
        one @ one
    _wait(device)
    began = time.monotonic()
    for _ in range(20):
        one @ one
    _wait(device)
    return 20 * 2 * side**3 / (time.monotonic() - began)


# --- the method, written plainly -------------------------------------


def plain_pace(settings: Settings) -> float:
    """Iterations a second of pixray's loop with the same networks in float32.

    Every cut is pooled from the whole picture and warped for itself, and all cuts are seen at once.
    """
    device = torch.device(settings.device)
    generator = torch.Generator().manual_seed(1)
    width, height = settings.picture_size
    painter = vqgan.VQGANDrawer(vqgan.load(Path(settings.model), device), (width, height), 1, generator).to(device)
    eyes = [perceptors.load(name, device) for name in settings.perceptor_names]
    words = [eye.read([settings.prompts])[0] for eye in eyes]
    optimizer = torch.optim.Adam([painter.latents], lr=0.2)

    def iterate() -> None:
        picture = painter.render()
        cuts = torch.cat([_cut(picture, eyes[0].size, generator) for _ in range(settings.num_cuts or 1)])
        seen = zip(eyes, words, strict=True)
        loss = torch.stack([(eye.see(cuts) - word).norm(dim=-1).div(2).arcsin().square().mean() for eye, word in seen])
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
        painter.constrain()
        loss.tolist()

    for _ in range(REHEARSAL):
        iterate()
    _wait(settings.device)
    began, count = time.monotonic(), (settings.iterations or REHEARSAL + 1) - REHEARSAL
    for _ in range(count):
        iterate()
    _wait(settings.device)
    return count / (time.monotonic() - began)


def _cut(picture: Tensor, size: int, generator: torch.Generator) -> Tensor:
    """One view [1,3,size,size]: pooled, turned and zoomed a little, with noise."""
    pooled = (F.adaptive_avg_pool2d(picture, size) + F.adaptive_max_pool2d(picture, size)) / 2
    turn = torch.eye(2, 3) + (torch.rand(2, 3, generator=generator) - 0.5) * 0.4
    places = F.affine_grid(turn[None].to(picture), [1, 3, size, size], align_corners=False)
    warped = F.grid_sample(pooled, places, padding_mode="reflection", align_corners=False)
    return warped + 0.05 * torch.randn(warped.shape, generator=generator).to(picture)


# --- turbo, and the first frame --------------------------------------


def turbo_pace(device: str, dry: bool) -> float:
    """Seconds an iteration of SD-Turbo's architecture with random weights, 512 x 512, without eyes."""
    from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel

    from text2art_nb.drawers.one_step import OneStepModel
    from text2art_nb.drawers.text_encoders import Words
    from text2art_nb.drawers.turbo import TurboDrawer

    narrow = {"block_out_channels": (32,) * 4, "attention_head_dim": 4, "cross_attention_dim": 32} if dry else {}
    slim = {"block_out_channels": (32,) * 4} if dry else {}
    config = turbo_memory.SD_TURBO | narrow
    dtype = torch.float32 if dry else torch.float16
    unet = UNet2DConditionModel(**config).eval().requires_grad_(False).to(device, dtype)
    vae = AutoencoderKL(**(turbo_memory.VAE | slim)).eval().requires_grad_(False).to(device)
    words = turbo_memory.Silent(Words(torch.zeros(1, 77, config["cross_attention_dim"], device=device), None))
    model = OneStepModel(unet, vae, words, turbo_memory.STEP)  # type: ignore[arg-type]
    side = 128 if dry else 512
    tiny = AutoencoderTiny().eval().requires_grad_(False).to(device)
    drawer = TurboDrawer(model, tiny, (side, side), 1, torch.Generator()).to(device)
    optimizer = drawer.optimizer()

    def iterate() -> None:
        optimizer.zero_grad()
        drawer.render().float().mean().backward()
        optimizer.step()

    iterate()
    _wait(device)
    began, count = time.monotonic(), 2 if dry else 20
    for _ in range(count):
        iterate()
    _wait(device)
    return (time.monotonic() - began) / count


def first_frame(settings: Settings) -> float:
    """Seconds from a new process to its first frame, with all weights on the disk."""
    import json

    began = time.monotonic()
    recipe = json.dumps(settings.to_recipe())
    subprocess.run([sys.executable, "-c", FIRST_FRAME], input=recipe, text=True, check=True, timeout=240)
    return time.monotonic() - began


def main() -> None:
    """See the module's first lines."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--dry", action="store_true", help="on the CPU, with tiny models")
    dry = parser.parse_args().dry
    if not dry and not torch.cuda.is_available():
        raise SystemExit("there is no CUDA card here; --dry shows that the command works")
    device = "cpu" if dry else "cuda"
    with tempfile.TemporaryDirectory() as directory:
        settings = (_dry_settings if dry else _settings)(Path(directory))
        found = ours(settings)
        found["pixray's loop, written plainly, float32"] = round(plain_pace(settings), 2)
        found["ours / that"] = round(found["ours"] / found["pixray's loop, written plainly, float32"], 2)
        found["seconds to the first frame"] = round(first_frame(settings), 1)
    found["turbo 512, seconds an iteration"] = round(turbo_pace(device, dry), 3)
    name = "dry, on the CPU: the figures mean nothing" if dry else torch.cuda.get_device_name()
    print(f"| {name} | |\n| --- | ---: |")
    for what, value in found.items():
        print(f"| {what.replace('_', ' ')} | {value} |")


if __name__ == "__main__":
    main()
