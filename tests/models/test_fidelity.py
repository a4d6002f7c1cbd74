"""What the original projects computed with their own checkpoints, text2art computes with the same files.

`tests/fixtures/originals/README.md` says who wrote them; docs/fidelity.md has the errors, which
`python -m tests.models.test_fidelity` prints.
"""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import Tensor

from tests.fixtures.originals.reading import unpack
from text2art_nb import perceptors
from text2art_nb.drawers import one_step, taesd, vqgan
from text2art_nb.settings.prompts import Prompt

CPU = torch.device("cpu")
Errors = dict[str, float]

TAMING = ("taming-vqmodel", "taming-gumbelvq", "taming-net2net")
DIFFUSERS = ("diffusers-vqmodel", "diffusers-vqmodel-2023")
CLIPS = (
    "openai-ViT",
    "openai-RN",
    "transformers-clip-eos-2",
    "transformers-clip-eos-49407",
    "open_clip-gelu",
    "siglip2",
)


def error(ours: Tensor, theirs: Tensor) -> float:
    """The largest difference, as a share of the largest number."""
    assert ours.shape == theirs.shape
    return float((ours - theirs).abs().max() / theirs.abs().max())


@torch.no_grad()
def vqgan_errors(place: Path) -> Errors:
    """Of encoding, of the codes that are chosen (the share that differs), and of decoding."""
    expected = load_file(place / "expected.safetensors")
    model = vqgan.load(place, CPU)
    encoded = model.encode(expected["picture"] * 2 - 1).latents
    errors = {"decode": error(model.decode(expected["latents"], force_not_quantize=True).sample, expected["decoded"])}
    if "reconstruction" in expected:
        drawer = vqgan.VQGANDrawer(model, (24, 16), 1, torch.Generator())
        drawer.start_from(expected["picture"])
        quantized = drawer.numbers()["latents"]
        errors["codes"] = float((quantized - expected["quantized"]).abs().amax(1).gt(1e-5).float().mean())
        errors["reconstruct"] = error(drawer.render(), (expected["reconstruction"] / 2 + 0.5).clamp(0, 1))
    if not hasattr(model, "projection"):  # a GumbelVQ has no latents before its codes
        errors["encode"] = error(encoded, expected["prequantized"])
    return errors


@torch.no_grad()
def clip_errors(place: Path) -> Errors:
    """Of what it sees and of what it reads."""
    expected = load_file(place / "expected.safetensors")
    prompts = json.loads((place / "prompts.json").read_text(encoding="utf-8"))
    eye = perceptors.load(str(place), CPU)
    seen, read = eye.see(expected["pictures"]), eye.read(prompts)
    assert (seen[0] - seen[1]).abs().max() > 1e-3
    return {
        "see": error(seen, F.normalize(expected["seen"], dim=-1)),
        "read": error(read, F.normalize(expected["read"], dim=-1)),
    }


@torch.no_grad()
def taesd_errors(place: Path) -> Errors:
    """Of encoding and of decoding; taesd.py's pictures are 0..1."""
    expected = load_file(place / "expected.safetensors")
    model = taesd.load(place, CPU)
    return {
        "encode": error(model.encode(expected["picture"] * 2 - 1).latents, expected["encoded"]),
        "decode": error(model.decode(expected["latents"]).sample / 2 + 0.5, expected["decoded"]),
    }


@torch.no_grad()
def one_step_errors(place: Path) -> Errors:
    """Of the latents and of the picture of one step."""
    expected = load_file(place / "expected.safetensors")
    model = one_step.load(place, CPU, torch.float32)
    words = model.readers.hear([Prompt("a lighthouse at dusk")]).at(0.0)
    latents = model.latents(expected["noise"], words)
    return {
        "latents": error(latents, expected["latents"]),
        "picture": error(model.decode(latents)[..., ::2, ::2], expected["picture"]),
    }


FAMILIES: dict[str, Callable[[Path], Errors]] = {
    **dict.fromkeys((*TAMING, *DIFFUSERS), vqgan_errors),
    **dict.fromkeys(CLIPS, clip_errors),
    **dict.fromkeys(("taesd-4", "taesd-16"), taesd_errors),
    **dict.fromkeys(("sd-one-step", "sdxl-one-step"), one_step_errors),
}
MOST = {"codes": 0.0}
"""The largest errors that are allowed; of all others 2e-5, which is float32's rounding through some dozen layers."""


@pytest.mark.parametrize("name", FAMILIES)
def test_it_computes_what_the_original_computed(tmp_path: Path, name: str) -> None:
    errors = FAMILIES[name](unpack(name, tmp_path / name))
    assert errors
    assert {part: value for part, value in errors.items() if value > MOST.get(part, 2e-5)} == {}


def main() -> None:
    """Print the table of docs/fidelity.md."""
    import tempfile

    print("| checkpoint | errors |\n| --- | --- |")
    for name, errors_of in FAMILIES.items():
        with tempfile.TemporaryDirectory() as folder:
            errors = errors_of(unpack(name, Path(folder, name)))
        print(f"| {name} | {', '.join(f'{part} {value:.0e}' for part, value in errors.items())} |", flush=True)


if __name__ == "__main__":
    main()
