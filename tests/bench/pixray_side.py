"""pixray's side of `against_pixray`: runs under pixray's own Python, draws what the order says, prints one JSON line.

The order, JSON on the standard input: pixray, root, eyes, vqgan, threads as `text2art_nb.runs.pixray.child` takes them;
settings: pixray's; prompts: to be drawn one after the other; folder: where the pictures go; full: whether to draw with
the real architectures and random weights; watched: whether pixray shall save and film as it does by itself.
"""

import contextlib
import json
import resource
import sys
import time
from pathlib import Path
from typing import Any


def main() -> None:
    """See the module's first lines."""
    order = json.load(sys.stdin)
    sys.path.append(order["root"])
    with contextlib.redirect_stdout(sys.stderr):
        from text2art_nb.runs.pixray import child

        pixray = child.load(order["pixray"])
        import torch

        torch.set_num_threads(order["threads"])
        full_size(pixray) if order.get("full") else child.hand_over(pixray, order)
        loaded, checkins = time.process_time(), timed(pixray, "checkin")
        runs = [draw(child, pixray, order, prompt, number) for number, prompt in enumerate(order["prompts"])]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    films = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(
        json.dumps(
            {
                "runs": runs,
                "loaded": loaded,
                "peak_mb": peak,
                "checkins": checkins,
                "film": films.ru_utime + films.ru_stime,
            }
        )
    )


def draw(child: Any, pixray: Any, order: dict[str, Any], prompt: str, number: int) -> dict[str, Any]:
    """CPU-seconds at the end of each iteration, and before the first one; the picture is saved."""
    from PIL import Image

    began = time.process_time()
    pixray.reset_settings()
    pixray.add_settings(**order["settings"], prompts=prompt, display_every=1, skip_args=True)
    asked = pixray.apply_settings()
    ear = child.Ear(pixray)
    pixray.do_init(asked)
    prepared, wall, steps = time.process_time(), time.monotonic(), []
    while not pixray.do_run(asked, return_display=True):
        steps.append(round(time.process_time() - prepared, 4))
    ended = time.process_time() - prepared
    place = Path(order["folder"], f"{number:02d}.png")
    Image.fromarray(child._pixels(ear.picture)).convert("RGB").save(place)
    return {
        "prepared": prepared - began,
        "steps": steps,
        "cpu": ended,
        "wall": time.monotonic() - wall,
        "picture": str(place),
    }


def timed(pixray: Any, name: str) -> list[float]:
    """Fills with the CPU-seconds of every call of one of pixray's functions."""
    found: list[float] = []
    function = getattr(pixray, name)

    def measured(*given: Any, **named: Any) -> Any:
        began = time.process_time()
        try:
            return function(*given, **named)
        finally:
            found.append(round(time.process_time() - began, 4))

    setattr(pixray, name, measured)
    return found


def full_size(pixray: Any) -> None:
    """Random weights in the architectures of imagenet_f16_16384 and ViT-B/32, in pixray's own classes."""
    import torch
    from clip.model import CLIP
    from slip import CLIP_Base
    from taming.models.vqgan import VQModel

    device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")
    channels = {"z_channels": 256, "in_channels": 3, "out_ch": 3, "ch": 128, "ch_mult": [1, 1, 2, 2, 4]}
    shape = {"double_z": False, "resolution": 256, "num_res_blocks": 2, "attn_resolutions": [16], "dropout": 0.0}
    loss = {"target": "taming.modules.losses.vqperceptual.DummyLoss"}
    model = VQModel(ddconfig={**channels, **shape}, lossconfig=loss, n_embed=16384, embed_dim=256)
    model = model.eval().requires_grad_(False).to(device)
    for name, patch in (("ViT-B/32", 32), ("ViT-B/16", 16)):
        clip = CLIP(512, 224, 12, 768, patch, 77, 49408, 512, 8, 12).float().eval().requires_grad_(False).to(device)
        pixray.perceptors[name] = CLIP_Base(clip, None, device)

    class Painter(pixray.class_table["vqgan"]):  # type: ignore[misc]
        def load_model(self, settings: Any, device: Any) -> None:
            self.model, self.gumbel, self.device = model, False, device
            codes = model.quantize.embedding.weight
            self.n_toks, self.e_dim = codes.shape
            self.z_min, self.z_max = (bound[None, :, None, None] for bound in (codes.amin(0), codes.amax(0)))

    pixray.class_table["vqgan"] = Painter


if __name__ == "__main__":
    main()
