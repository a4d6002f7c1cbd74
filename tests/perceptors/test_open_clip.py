"""CLIPs in open_clip's layout see and read as open_clip's own code does, and what can't be read is refused."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from tests import tiny_models
from text2art_nb import perceptors
from text2art_nb.errors import ModelError

CPU = torch.device("cpu")
FIXTURE = Path(__file__).parent.parent / "fixtures" / "open_clip"
TOLERANCE = 2e-6
TEXTS = ("cat", "winter", "some fog")
CHANGES: dict[str, dict[str, Any]] = {
    "gelu": {},
    "quick_gelu": {"quick_gelu": True},
    "narrow_heads": {"vision_cfg": {"head_width": 6}},
    "more_text_heads": {"text_cfg": {"heads": 4}},
}
Save = Callable[..., Path]


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Writes the fixture with a changed config. tensors: their file's name; prefix: what stands before their names."""

    def write(change: dict[str, Any], tensors: str = "open_clip_model.safetensors", prefix: str = "") -> Path:
        config = json.loads((FIXTURE / "open_clip_config.json").read_text())
        for key, value in change.items():
            model = config["model_cfg"]
            model[key] = {**model[key], **value} if isinstance(value, dict) and key in model else value
        (tmp_path / "open_clip_config.json").write_text(json.dumps(config))
        tiny_models.save_tokenizer(tmp_path)
        numbers = {prefix + name: value for name, value in load_file(FIXTURE / "open_clip_model.safetensors").items()}
        if tensors.endswith(".safetensors"):
            save_file(numbers, tmp_path / tensors)
        else:
            torch.save({"epoch": 3, "state_dict": numbers} if prefix else numbers, tmp_path / tensors)
        return tmp_path

    return write


def outputs() -> dict[str, Tensor]:
    return load_file(FIXTURE / "outputs.safetensors")


def check(name: str, variant: str) -> None:
    eye, wanted = perceptors.load(name, CPU), outputs()
    assert (eye.size, eye.longest) == (32, 20)
    with torch.no_grad():
        torch.testing.assert_close(eye.see(wanted["views"].float()), wanted[f"{variant}.image"], atol=TOLERANCE, rtol=0)
    torch.testing.assert_close(eye.read(TEXTS), wanted[f"{variant}.text"], atol=TOLERANCE, rtol=0)


@pytest.mark.parametrize("variant", CHANGES)
def test_it_sees_and_reads_as_open_clip_does(save: Save, variant: str) -> None:
    check(str(save(CHANGES[variant])), variant)


@pytest.mark.parametrize("variant", [name for name in CHANGES if name != "gelu"])
def test_the_config_makes_a_difference_that_a_wrong_guess_would_show(variant: str) -> None:
    found = outputs()
    part = "text" if variant == "more_text_heads" else "image"
    assert (found[f"{variant}.{part}"] - found[f"gelu.{part}"]).abs().max() > 100 * TOLERANCE


@pytest.mark.parametrize(
    ("tensors", "prefix"),
    [
        ("open_clip_pytorch_model.bin", ""),
        ("open_clip_pytorch_model.safetensors", ""),
        ("laion.pt", ""),
        ("epoch_32.pt", "module."),
    ],
)
def test_older_files_and_checkpoints_of_training_are_read_with_the_config(
    save: Save, tensors: str, prefix: str
) -> None:
    place = save({"quick_gelu": True}, tensors, prefix)
    check(str(place / tensors) if tensors.endswith(".pt") else str(place), "quick_gelu")


def test_a_pt_file_of_somebody_else_is_refused_without_its_config(save: Save) -> None:
    place = save({}, "laion.pt")
    (place / "open_clip_config.json").unlink()
    with pytest.raises(ModelError, match=r"put the open_clip_config\.json of its model beside it"):
        perceptors.load(str(place / "laion.pt"), CPU)


@pytest.mark.parametrize("dropped", [0.0, 0.5])
def test_patches_can_be_left_out(save: Save, dropped: float) -> None:
    eye = perceptors.load(str(save({})), CPU)
    views = torch.rand(3, 3, 32, 32, requires_grad=True)
    seen = eye.see_some(views, dropped, torch.Generator().manual_seed(1))  # type: ignore[attr-defined]
    torch.testing.assert_close(seen.norm(dim=1), torch.ones(3))
    assert torch.equal(seen, eye.see(views)) == (dropped == 0)
    (gradient,) = torch.autograd.grad(seen.sum(), views)
    assert gradient.abs().sum() > 0


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"vision_cfg": {"timm_model_name": "convnext_base"}}, r"vision_cfg\.timm_model_name = \"convnext_base\""),
        ({"vision_cfg": {"ls_init_value": 1e-4}}, r"vision_cfg\.ls_init_value = 0\.0001"),
        ({"vision_cfg": {"pool_type": "avg"}}, r"vision_cfg\.pool_type = \"avg\""),
        ({"vision_cfg": {"qk_norm": True}}, r"vision_cfg\.qk_norm = true"),
        ({"vision_cfg": {"norm_kwargs": {"eps": 1e-6}}}, r"vision_cfg\.norm_kwargs"),
        ({"text_cfg": {"hf_model_name": "roberta-base"}}, r"text_cfg\.hf_model_name = \"roberta-base\""),
        ({"text_cfg": {"no_causal_mask": True}}, r"text_cfg\.no_causal_mask = true"),
        ({"text_cfg": {"something_new": 3}}, r"text_cfg\.something_new = 3"),
        ({"multimodal_cfg": {"layers": 2}}, "CoCa"),
        ({"vision_cfg": {"head_width": 25}}, "0 attention heads don't divide 24 channels"),
        ({"text_cfg": {"heads": 3}}, "3 attention heads don't divide 16 channels"),
        ({"vision_cfg": {"head_width": 0}}, "a whole number above 0"),
        ({"vision_cfg": {"image_size": 48}}, "sees pictures of 32 pixels, but its config says 48"),
        ({"vision_cfg": {"image_size": [32, 48]}}, "isn't square"),
        ({"quick_gelu": "yes"}, "must be true or false"),
        ({"text_cfg": None}, "no config of open_clip"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(save: Save, change: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        perceptors.load(str(save(change)), CPU)


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"model_cfg": 3}', '{"model_cfg": {}}'])
def test_a_damaged_config_is_refused(save: Save, text: str) -> None:
    place = save({})
    (place / "open_clip_config.json").write_text(text)
    with pytest.raises(ModelError, match="no config of open_clip"):
        perceptors.load(str(place), CPU)


def test_missing_and_superfluous_tensors_are_refused(save: Save) -> None:
    place = save({})
    file = place / "open_clip_model.safetensors"
    tensors = load_file(file)
    save_file({**tensors, "visual.transformer.resblocks.0.ls_1.gamma": torch.ones(24)}, file)
    with pytest.raises(ModelError, match=r"ls_1\.gamma has no place in it"):
        perceptors.load(str(place), CPU)
    perceptors.load.cache_clear()
    save_file({name: value for name, value in tensors.items() if name != "visual.ln_post.bias"}, file)
    with pytest.raises(ModelError, match=r"visual\.ln_post\.bias is missing"):
        perceptors.load(str(place), CPU)


def test_a_folder_without_tensors_or_without_words_is_refused(save: Save) -> None:
    place = save({})
    (place / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match=r"needs CLIP's tokenizer\.json"):
        perceptors.load(str(place), CPU)
    (place / "open_clip_model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"no open_clip_model\.safetensors"):
        perceptors.load(str(place), CPU)


def test_a_repository_with_both_layouts_is_read_as_transformers_saved_it(save: Save) -> None:
    place = save({})
    tiny_models.save_clip(place, size=48)
    assert perceptors.load(str(place), CPU).size == 48


def test_a_config_of_something_else_beside_open_clips_files_does_not_stand_in_the_way(save: Save) -> None:
    place = save({})
    shutil.copy(place / "tokenizer_config.json", place / "config.json")
    check(str(place), "gelu")
