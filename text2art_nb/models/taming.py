"""The original VQGANs of taming-transformers (Esser et al. 2021): a Lightning `.ckpt` and a `.yaml` beside it.

They are converted to `diffusers.VQModel` once, and what comes out is kept as safetensors beside the original, so that
the next time nothing of it has to be read. Three kinds are known:

- a VQModel (wikiart, coco, imagenet);
- a Net2Net, a transformer over the codes of a VQModel, which is its `first_stage_model` (sflckr, faceshq): the
  transformer is left where it is;
- a GumbelVQ (openimages, f8), whose encoder doesn't look for the nearest code but chooses among all (`GumbelVQ`).

The arithmetic is the same on both sides; what differs is the names, the order of the decoder's blocks (taming counts
them from the finest, diffusers from the coarsest), and that taming's attention is a convolution of 1×1.
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from text2art_nb.errors import ModelError
from text2art_nb.models import cache
from text2art_nb.models.archive import read_tensors

if TYPE_CHECKING:
    from diffusers.models.autoencoders.vq_model import VQModel

CONVERTED = "converted"
PROJECTION = "projection.safetensors"  # a GumbelVQ's choice among the codes; its presence says that it is one
_STAMP = "source.json"
_FIRST_STAGE = "first_stage_model."
_MAX_YAML = 64_000  # bytes; the longest of the originals has three thousand


class GumbelVQ(nn.Module):
    """A VQModel whose encoder chooses among the codes (Gumbel softmax, Ramesh et al. 2021; taming's `GumbelVQ`).

    It has what the vqgan drawer asks of a VQModel: `encode`, `decode`, `quantize.embedding` and `config`.
    """

    def __init__(self, model: "VQModel", projection: nn.Conv2d) -> None:
        """model: all but the choice; projection: 1×1, from what the encoder gives to one number a code."""
        super().__init__()
        self.model = model
        self.projection = projection

    @property
    def config(self) -> Mapping[str, Any]:
        """The VQModel's."""
        return self.model.config

    @property
    def quantize(self) -> Any:
        """The VQModel's: `quantize.embedding.weight` are the codes, [n,C]."""
        return self.model.quantize

    @property
    def decoder(self) -> nn.Module:
        """The VQModel's."""
        decoder: nn.Module = self.model.decoder
        return decoder

    def encode(self, image: Tensor) -> Any:
        """`.latents` [B,C,h,w] of pictures [B,3,H,W] in -1..1: the code that is likeliest at each place."""
        output = self.model.encode(image)
        chosen = self.projection(output.latents).argmax(1)
        output.latents = self.model.quantize.embedding(chosen).movedim(-1, 1)
        return output

    def decode(self, latents: Tensor, force_not_quantize: bool = False) -> Any:
        """`.sample` [B,3,H,W], about -1..1, of latents [B,C,h,w]."""
        return self.model.decode(latents, force_not_quantize=force_not_quantize)


def find(place: Path) -> tuple[Path, Path] | None:
    """The checkpoint and the configuration of an original in `place`, a directory or the checkpoint itself; or None.

    Raises:
        ModelError: there are several, or one without its configuration.
    """
    found = [place] if place.suffix == ".ckpt" and place.is_file() else sorted(place.glob("*.ckpt"))
    if not found:
        return None
    if len(found) > 1:
        raise ModelError(f"{place} holds several checkpoints: give the path of one of them, like {found[0]}")
    (checkpoint,) = found
    beside = [checkpoint.with_suffix(suffix) for suffix in (".yaml", ".yml")] + sorted(checkpoint.parent.glob("*.yaml"))
    for configuration in beside:
        if configuration.is_file():
            return checkpoint, configuration
    raise ModelError(f"{checkpoint} needs its configuration beside it, {checkpoint.with_suffix('.yaml').name}")


def load(place: Path) -> "VQModel | GumbelVQ":
    """The model of an original (see `find`), converted now or before.

    Raises:
        ModelError: it is not there, is not one of the kinds above, or its converted form can't be written.
    """
    originals = find(place)
    if originals is None:
        raise ModelError(f"{place} holds no checkpoint")
    checkpoint, configuration = originals
    where = _place_of(checkpoint)
    if not _is_of(where, checkpoint, configuration):
        try:
            _convert(checkpoint, configuration, where)
        except OSError as error:
            raise ModelError(f"{where} cannot be written ({error.strerror or error})") from error
    return _load_converted(where)


def architecture(configuration: Path) -> dict[str, Any]:
    """The arguments of a `diffusers.VQModel` of the same shape as a configuration of taming-transformers describes.

    Raises:
        ModelError: it can't be read, or describes something else.
    """
    said = _read_yaml(configuration)
    parameters = _at(said, configuration, "model", "params")
    if "first_stage_config" in parameters:
        parameters = _at(parameters, configuration, "first_stage_config", "params")
    shape = _at(parameters, configuration, "ddconfig")
    if shape.get("double_z"):
        raise ModelError(f"{configuration} describes an autoencoder without codes, not a VQGAN")

    def number(table: Mapping[str, Any], name: str, most: int) -> int:
        value = table.get(name)
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise ModelError(f"{configuration} must give {name} as a whole number from 1 to {most}; got {value!r}")
        return value

    def numbers(name: str, most: int) -> list[int]:
        values = shape.get(name)
        if not isinstance(values, list) or len(values) > 16:
            raise ModelError(f"{configuration} must give {name} as a list of numbers; got {values!r}")
        return [number({name: value}, name, most) for value in values]

    width, factors = number(shape, "ch", 1024), numbers("ch_mult", 64)
    if not factors:
        raise ModelError(f"{configuration} must give at least one number for ch_mult")
    side, attended = number(shape, "resolution", 8192), numbers("attn_resolutions", 8192)
    attention = [side // 2**level in attended for level in range(len(factors))]
    return {
        "in_channels": number(shape, "in_channels", 3),
        "out_channels": number(shape, "out_ch", 3),
        "down_block_types": [f"{'Attn' * here}DownEncoderBlock2D" for here in attention],
        "up_block_types": [f"{'Attn' * here}UpDecoderBlock2D" for here in reversed(attention)],
        "block_out_channels": [width * factor for factor in factors],
        "layers_per_block": number(shape, "num_res_blocks", 16),
        "latent_channels": number(shape, "z_channels", 4096),
        "vq_embed_dim": number(parameters, "embed_dim", 4096),
        "num_vq_embeddings": number(parameters, "n_embed", 2**18),
        "sample_size": side,
        "norm_num_groups": 32,
    }


def renamed(levels: int) -> Callable[[str], str | None]:
    """From taming's name of a tensor to that of `diffusers.VQModel` with so many blocks; None for what isn't needed.

    Not needed: the discriminator and its loss, and the transformer of a Net2Net and its condition, which may be a VQGAN
    of its own (`cond_stage_model`).
    """

    def rename(name: str) -> str | None:
        name = name.removeprefix(_FIRST_STAGE)
        if not name.startswith(("encoder.", "decoder.", "quantize.", "quant_conv.", "post_quant_conv.")):
            return None
        name = name.replace("quantize.embed.", "quantize.embedding.")
        name = re.sub(r"\bmid\.block_(\d)\b", lambda m: f"mid_block.resnets.{int(m[1]) - 1}", name)
        name = name.replace("mid.attn_1.", "mid_block.attentions.0.")
        name = re.sub(r"\bdown\.(\d+)\.", r"down_blocks.\1.", name)
        name = re.sub(r"\bup\.(\d+)\.", lambda m: f"up_blocks.{levels - 1 - int(m[1])}.", name)
        name = re.sub(r"(blocks\.\d+)\.block\.", r"\1.resnets.", name)
        name = re.sub(r"(blocks\.\d+)\.attn\.", r"\1.attentions.", name)
        name = re.sub(r"(blocks\.\d+)\.(down|up)sample\.", r"\1.\2samplers.0.", name)
        name = name.replace(".nin_shortcut.", ".conv_shortcut.").replace("coder.norm_out.", "coder.conv_norm_out.")
        if ".attentions." in name:
            for theirs, ours in _ATTENTION.items():
                name = name.replace(f".{theirs}.", f".{ours}.")
        return name

    return rename


_LINEAR = ("weight", "bias")
_ATTENTION = {"norm": "group_norm", "q": "to_q", "k": "to_k", "v": "to_v", "proj_out": "to_out.0"}


def _convert(checkpoint: Path, configuration: Path, where: Path) -> None:
    """Reads an original and writes it to `where`, all at once: two runs that do it together don't meet."""
    from diffusers.models.autoencoders.vq_model import VQModel
    from safetensors.torch import save_file

    shape = architecture(configuration)
    tensors = read_tensors(checkpoint, renamed(len(shape["block_out_channels"])))
    projection = {
        key: tensors.pop(f"quantize.proj.{key}").float() for key in _LINEAR if f"quantize.proj.{key}" in tensors
    }
    try:
        model = VQModel(**shape)
    except ValueError as error:  # widths that its 32 groups don't divide
        raise ModelError(f"{configuration} describes no VQGAN that can be built: {error}") from error
    _fill(model, tensors, checkpoint, configuration)
    where.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=where.parent, prefix=f"{CONVERTED}-") as work:
        made = Path(work) / CONVERTED
        model.save_pretrained(made)
        if projection:
            save_file(projection, made / PROJECTION)
        (made / _STAMP).write_text(json.dumps(_stamp(checkpoint, configuration)))
        if (where / _STAMP).is_file():  # ours, of another version of the original; nothing else is ever deleted
            shutil.rmtree(where, ignore_errors=True)
        try:
            made.rename(where)
        except OSError:
            if not _is_of(where, checkpoint, configuration):  # nobody else has done it meanwhile either
                raise


def _fill(model: "VQModel", tensors: dict[str, Tensor], checkpoint: Path, configuration: Path) -> None:
    here = model.state_dict()
    for name, tensor in tensors.items():
        if name in here and tensor.dim() == 4 and here[name].dim() == 2 and tensor.shape[2:] == (1, 1):
            tensors[name] = tensor.flatten(1)  # attention: a convolution of 1×1 is a matrix
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        told = str(error).split("\n")[1].strip()[:200] if "\n" in str(error) else str(error)
        raise ModelError(f"{checkpoint} doesn't fit its configuration {configuration.name}: {told}") from error


def _load_converted(where: Path) -> "VQModel | GumbelVQ":
    from diffusers.models.autoencoders.vq_model import VQModel
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        model = VQModel.from_pretrained(
            where, local_files_only=True, low_cpu_mem_usage=False, torch_dtype=torch.float32
        )
        if not (where / PROJECTION).is_file():
            return model
        tensors = load_file(where / PROJECTION)
        codes, channels = tensors["weight"].shape[:2]
        projection = nn.Conv2d(channels, codes, 1)
        projection.load_state_dict(tensors)
    except (OSError, ValueError, RuntimeError, KeyError, SafetensorError) as error:
        raise ModelError(f"{where} is damaged: delete it, and it is made anew ({error})") from error
    return GumbelVQ(model, projection)


def _place_of(checkpoint: Path) -> Path:
    """Where the converted form lies: beside the original, or in our cache where nothing can be written there."""
    stem = CONVERTED if len(list(checkpoint.parent.glob("*.ckpt"))) == 1 else f"{checkpoint.stem}-{CONVERTED}"
    if os.access(checkpoint.parent, os.W_OK):
        return checkpoint.parent / stem
    key = hashlib.sha256(str(checkpoint.resolve()).encode()).hexdigest()[:16]
    return cache.root() / "vqgan" / f"{checkpoint.stem}-{key}"


def _is_of(where: Path, checkpoint: Path, configuration: Path) -> bool:
    """Whether `where` holds the converted form of these very files."""
    try:
        return bool(json.loads((where / _STAMP).read_text()) == _stamp(checkpoint, configuration))
    except (OSError, ValueError):  # not there, or not yet whole
        return False


def _stamp(checkpoint: Path, configuration: Path) -> list[list[Any]]:
    return [[path.name, path.stat().st_size, path.stat().st_mtime_ns] for path in (checkpoint, configuration)]


def _read_yaml(path: Path) -> Any:
    """What a configuration says; plain values only, and no references within it, which could blow it up."""
    import yaml  # type: ignore[import-untyped]

    if path.stat().st_size > _MAX_YAML:
        raise ModelError(f"{path} is too long for the configuration of a VQGAN")
    try:
        text = path.read_text(encoding="utf-8")
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise ModelError(f"{path} refers to itself; a configuration of taming-transformers doesn't")
        return yaml.safe_load(text)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ModelError(f"{path} can't be read as YAML: {str(error)[:200]}") from error


def _at(table: Any, path: Path, *keys: str) -> Mapping[str, Any]:
    """What lies under `keys` in a configuration."""
    for key in keys:
        table = table.get(key) if isinstance(table, Mapping) else None
    if not isinstance(table, Mapping):
        raise ModelError(f"{path} is no configuration of taming-transformers: it has no {'.'.join(keys)}")
    return table
