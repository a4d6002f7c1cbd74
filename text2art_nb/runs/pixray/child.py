"""The other side of `compat.process`: runs in pixray's environment, drives pixray by its own calls, hands out frames.

Called as ``python -P child.py FD``: the order is one line of JSON on the standard input, frames go to the file
descriptor FD, and whatever pixray prints goes to the log that standard output and error lead to. A frame is one line of
JSON and then the pixels of its picture. When the standard input ends, its parent has gone, and so does this. Called as
``child.py check FOLDER`` it imports the pixray in FOLDER and prints its drawers.

Nothing of pixray is changed: two of its functions are listened to, and it is handed models through its own tables.
"""

import importlib.util
import json
import os
import sys
import threading
import traceback
from typing import Any, BinaryIO


def main() -> int:
    """Draw what the order says; the exit status is 1 where pixray failed, and the reason has been told."""
    if sys.argv[1] == "check":
        print("drawers: " + ", ".join(sorted(load(sys.argv[2]).class_table)))
        return 0
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with os.fdopen(int(sys.argv[1]), "wb") as out:
        try:
            draw(order, out)
        except BrokenPipeError:
            return 1
        except SystemExit:  # pixray refuses some settings by a line in the log, and leaves
            _write(out, {"error": ""})
            return 1
        except BaseException as error:
            traceback.print_exc()
            _write(out, {"error": " ".join(f"{type(error).__name__}: {error}".split())[:500]})
            return 1
    return 0


def _end_with_parent() -> None:
    sys.stdin.read()
    os._exit(1)


def draw(order: dict[str, Any], out: BinaryIO) -> None:
    """Have pixray draw, and write a frame after each of its iterations, and one for the picture in the end."""
    pixray = load(order["pixray"])
    if order["threads"]:
        import torch

        torch.set_num_threads(order["threads"])
    hand_over(pixray, order)
    settings = _known(pixray, order["settings"])
    pixray.reset_settings()
    pixray.add_settings(**settings, skip_args=True)
    asked = pixray.apply_settings()
    ear = Ear(pixray)
    pixray.do_init(asked)
    iteration, ended = 0, False
    while not ended:
        ended = pixray.do_run(asked, return_display=True)
        iteration += not ended
        numbers = {"iteration": iteration, "loss": ear.loss, "score": score(pixray, asked, ear.picture), "end": ended}
        pixels = _pixels(ear.picture)
        _write(out, {**numbers, "shape": pixels.shape}, pixels.tobytes())


def load(folder: str) -> Any:
    """pixray, from where its sources lie."""
    declare_operators()
    sys.argv = ["pixray"]  # pixray reads its command line even when it is called
    sys.path.insert(0, folder)
    return importlib.import_module("pixray")


def declare_operators() -> None:
    """Let torchvision be imported where it was built for another torch than the one that is here.

    A machine without a card may find torchvision's CUDA build alone. Its compiled operators don't load beside a torch
    for the CPU; pixray uses none of them, but the import wants to hear their names.
    """
    found = importlib.util.find_spec("torchvision")
    for folder in (found.submodule_search_locations or []) if found else []:
        import torch

        try:
            torch.ops.load_library(os.path.join(folder, "_C.so"))
        except OSError:
            for name in ("nms", "qnms"):
                torch.library.define(f"torchvision::{name}", "(Tensor dets, Tensor scores, float iou) -> Tensor")


class Ear:
    """What pixray has drawn last, a tensor [1,3 or 4,H,W] in 0..1, and what it thought of it."""

    def __init__(self, pixray: Any) -> None:
        """Listens to the two functions of pixray through which both pass."""
        self.picture: Any = None
        self.loss = 0.0
        draw_it, look_at_it = pixray.do_synth_and_filter, pixray.ascend_txt

        def drawn(*given: Any, **named: Any) -> Any:
            result = draw_it(*given, **named)
            self.picture = result[0].detach()
            return result

        def looked_at(*given: Any, **named: Any) -> Any:
            losses = look_at_it(*given, **named)
            self.loss = float(sum(losses))
            return losses

        pixray.do_synth_and_filter, pixray.ascend_txt = drawn, looked_at


def _known(pixray: Any, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings for the drawers that are here: without diffvg, pixel art is the fast_pixel drawer's."""
    if settings["drawer"] == "pixel" and "pixel" not in pixray.class_table:
        settings = {**settings, "drawer": "fast_pixel"}
    if settings["drawer"] not in pixray.class_table:
        here = ", ".join(sorted(pixray.class_table))
        raise ValueError(f"the drawer {settings['drawer']} isn't installed with pixray; {here} are")
    return settings


def score(pixray: Any, asked: Any, picture: Any) -> float:
    """Cosine similarity, -1..1, of the whole picture to the prompts, weighted, as pixray's perceptors see it."""
    found = [
        _score(pixray.perceptors[name], pixray.pmsTable[name][: len(asked.prompts)], picture)
        for name in asked.clip_models
        if asked.prompts
    ]
    return sum(found) / len(found) if found else 0.0


def _score(perceptor: Any, prompts: list[Any], picture: Any) -> float:
    import torch
    from torch.nn.functional import interpolate, normalize

    side = perceptor.input_resolution
    with torch.no_grad():
        whole = interpolate(picture[:, :3].float(), (side, side), mode="bilinear", antialias=True)
        seen = normalize(perceptor.encode_image(whole).float(), dim=-1)
        words = normalize(torch.cat([each.embed for each in prompts]).float(), dim=-1)
        weights = torch.stack([each.weight for each in prompts]).float()
        return float((seen @ words.T)[0] @ weights / weights.abs().sum().clamp(min=1e-8))


def _pixels(picture: Any) -> Any:
    """uint8 [H,W,3 or 4]."""
    return picture[0].float().clamp(0, 1).mul(255).round().byte().movedim(0, -1).cpu().contiguous().numpy()


def _write(out: BinaryIO, head: dict[str, Any], body: bytes = b"") -> None:
    out.write(json.dumps({**head, "bytes": len(body)}).encode() + b"\n" + body)
    out.flush()


# --- models that text2art has ---------------------------------------


def hand_over(pixray: Any, order: dict[str, Any]) -> None:
    """Put text2art's models into pixray's own tables, so that it fetches none: CLIPs by name, and a VQGAN."""
    if not order["eyes"] and order["vqgan"] is None:
        return
    import torch

    sys.path.append(order["root"])
    there = torch.cuda.is_available()
    device = torch.device(order["settings"].get("cuda_device", "cuda:0") if there else "cpu")
    for name, place in order["eyes"].items():
        pixray.perceptors[name] = eye(place, device)
    if order["vqgan"] is not None:
        pixray.class_table["vqgan"] = painter(pixray.class_table["vqgan"], order["vqgan"])


def eye(place: str, device: Any) -> Any:
    """A CLIP of text2art's as pixray calls one: it stretches what it is shown to 0..1, as pixray's own do."""
    adjust_range = importlib.import_module("slip").adjust_range
    from text2art_nb import perceptors

    clip = perceptors.load(place, device)

    class Eye:
        input_resolution = clip.size
        output_dim = clip.read(["a"]).shape[-1]

        def encode_image(self, views: Any) -> Any:
            return clip.see(adjust_range(views, [0.0, 1.0]))

        def encode_text(self, texts: Any) -> Any:
            return clip.read([texts] if isinstance(texts, str) else texts).clone()

    return Eye()


def painter(drawer: Any, place: str) -> Any:
    """pixray's own VQGAN drawer, with weights that text2art loads."""

    class Painter(drawer):  # type: ignore[misc]
        def load_model(self, settings: Any, device: Any) -> None:
            from pathlib import Path

            from text2art_nb.drawers import vqgan

            self.model = Network(vqgan.load(Path(place), device))
            self.gumbel, self.device = False, device
            codes = self.model.quantize.embedding.weight
            self.n_toks, self.e_dim = codes.shape
            self.z_min, self.z_max = (bound[None, :, None, None] for bound in (codes.amin(0), codes.amax(0)))

    return Painter


class Network:
    """A VQGAN of diffusers' kind, as taming-transformers calls one."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self.quantize = model.quantize
        self.decoder = self
        self.num_resolutions = len(model.config["block_out_channels"])

    def encode(self, picture: Any) -> tuple[Any]:
        """The codes [B,C,h,w] of a picture [B,3,H,W] in -1..1, alone in a tuple."""
        codes: Any = self._model.quantize(self._model.encode(picture).latents)[0]
        return (codes.detach(),)

    def decode(self, codes: Any) -> Any:
        """The picture [B,3,H,W] in -1..1 of codes."""
        return self._model.decode(codes, force_not_quantize=True).sample


if __name__ == "__main__":
    sys.exit(main())
