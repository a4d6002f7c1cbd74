"""How much memory one iteration of the turbo drawer takes, counted without weights, without a GPU and without waiting:

    python -m tests.bench.turbo_memory [--picture docs/drawers/turbo.svg]

SD-Turbo's and SDXL-Turbo's UNets and TAESD are built at full size on fake tensors, which know their shapes and nothing
else; every tensor that lives is counted, forwards and backwards. What an allocator rounds up, a kernel's workspace
(cuDNN, attention), and CUDA itself (about 0.5 GB) come on top.
"""

import argparse
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch._subclasses import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from tests.bench import turbo_figure
from text2art_nb.drawers.one_step import OneStepModel, Step
from text2art_nb.drawers.text_encoders import Words
from text2art_nb.drawers.turbo import TurboDrawer

STEP = Step(sigma=14.6146, spread=14.6146, timestep=999.0, predicts="epsilon")
# Of their config.json: stabilityai/sd-turbo is Stable Diffusion 2.1's UNet, stabilityai/sdxl-turbo is SDXL's.
SD_TURBO: dict[str, Any] = {
    "sample_size": 64,
    "cross_attention_dim": 1024,
    "attention_head_dim": [5, 10, 20, 20],
    "use_linear_projection": True,
}
SDXL_TURBO: dict[str, Any] = {
    "sample_size": 64,
    "cross_attention_dim": 2048,
    "attention_head_dim": [5, 10, 20],
    "use_linear_projection": True,
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": [1, 2, 10],
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
VAE: dict[str, Any] = {
    "down_block_types": ("DownEncoderBlock2D",) * 4,
    "up_block_types": ("UpDecoderBlock2D",) * 4,
    "block_out_channels": (128, 256, 512, 512),
    "layers_per_block": 2,
}


class Counted(TorchDispatchMode):
    """Counts the bytes of all storages that live, and the most that ever lived together."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._seen: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._count(tensor.untyped_storage())
        return result

    def _count(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key not in self._seen:
            self._seen.add(key)
            self.now += size
            self.peak = max(self.peak, self.now)
            weakref.finalize(storage, self._forget, key, size)

    def _forget(self, key: int, size: int) -> None:
        self._seen.discard(key)
        self.now -= size


class Silent:
    """Text encoders that say something of the right shape: the real ones work on the CPU."""

    def __init__(self, words: Words) -> None:
        self.words = words

    def hear(self, prompts: object) -> "Silent":
        return self

    def at(self, progress: float) -> Words:
        return self.words


def build(
    config: dict[str, Any], dtype: torch.dtype, checkpointed: bool, candidates: int, side: int = 512
) -> TurboDrawer:
    """The drawer at side x side pixels with full-size random (here: fake) weights."""
    from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel

    usual = torch.get_default_dtype()
    torch.set_default_dtype(dtype)  # fake tensors can't be brought to another format in place
    unet = UNet2DConditionModel(**config).eval().requires_grad_(False)
    torch.set_default_dtype(usual)
    vae = AutoencoderKL(**VAE).eval().requires_grad_(False)
    xl = "addition_embed_type" in config
    words = Words(torch.zeros(1, 77, config["cross_attention_dim"]), torch.zeros(1, 1280) if xl else None)
    model = OneStepModel(unet, vae, Silent(words), STEP)  # type: ignore[arg-type]
    if not checkpointed:
        unet.disable_gradient_checkpointing()
    return TurboDrawer(model, AutoencoderTiny().requires_grad_(False), (side, side), candidates, torch.Generator())


def measured(
    config: dict[str, Any], dtype: torch.dtype, *, checkpointed: bool = True, candidates: int = 1
) -> dict[str, float]:
    """GB: of the weights, and at the peak of drawing, of an iteration's both passes, and of the last picture."""
    counted = Counted()
    with FakeTensorMode(), counted:
        drawer = build(config, dtype, checkpointed, candidates)
        found = {"weights": counted.now}

        def peak(work: Callable[[], None]) -> int:
            counted.peak = counted.now
            work()
            return counted.peak

        def iterate() -> None:
            image = drawer.render()
            found["kept between"] = counted.now
            image.backward(torch.ones_like(image))

        def finish() -> None:
            drawer.finish()

        found["iteration"] = peak(iterate)
        found["last picture"] = peak(finish)
    return {name: size / 1e9 for name, size in found.items()}


def parameters(config: dict[str, Any]) -> int:
    """Of the UNet."""
    from diffusers import UNet2DConditionModel

    with torch.device("meta"):
        return sum(parameter.numel() for parameter in UNet2DConditionModel(**config).parameters())


def work(config: dict[str, Any]) -> dict[str, float]:
    """TFLOP of one picture of 512x512 pixels, and of an iteration: that, computed again, and its gradient."""
    found = {}
    with FakeTensorMode():
        drawer = build(config, torch.float16, True, 1)
        with FlopCounterMode(display=False) as picture, torch.no_grad():
            drawer.render()
        with FlopCounterMode(display=False) as iteration:
            drawer.render().sum().backward()
        found = {"picture": picture.get_total_flops(), "iteration": iteration.get_total_flops()}
    return {name: count / 1e12 for name, count in found.items()}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--picture", type=Path, help="where to draw what was counted, as an SVG")
    asked = parser.parse_args()
    counted: dict[str, dict[str, float]] = {}
    for name, config in (("sd-turbo", SD_TURBO), ("sdxl-turbo", SDXL_TURBO)):
        print(f"{name}: {parameters(config) / 1e6:.0f} M parameters")
        flops = ", ".join(f"{key} {count:.2f}" for key, count in work(config).items())
        print(f"  TFLOP: {flops}")
        for dtype in (torch.float16, torch.float32):
            for checkpointed, candidates in ((True, 1), (False, 1), (True, 4)):
                found = measured(config, dtype, checkpointed=checkpointed, candidates=candidates)
                counted.setdefault(name, found)  # the first is float16, one candidate, checkpointed
                sizes = ", ".join(f"{key} {size:.2f}" for key, size in found.items())
                print(f"  {str(dtype)[6:]}, candidates {candidates}, checkpointed {checkpointed}: {sizes} GB")
    if asked.picture:
        turbo_figure.draw(asked.picture, counted)


if __name__ == "__main__":
    main()
