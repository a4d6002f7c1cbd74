"""What the hub on this machine is stocked with: small checkpoints of random weights, each in the layout of its own
repository and at the commit that the catalogue names; and the catalogue with their digests in place of the real ones.
"""

import argparse
import contextlib
import dataclasses
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from tests import full_models, tiny_models
from tests.models.hub import Hub
from tests.models.hub_files import read
from text2art_nb.models import catalogue
from text2art_nb.models.weights import File, Weights, beginning, is_commit, repository_of

SAFETENSORS, PICKLE = "model.safetensors", "pytorch_model.bin"
Maker = Callable[[Path], Path]
FIXTURE = Path(__file__).parent.parent / "fixtures" / "open_clip"


def commit_of(name: str) -> str:
    """The commit that a row's repository is put at: the catalogue's, completed where only its beginning is known."""
    row = catalogue.find(name)
    if is_commit(row.revision):
        return row.revision
    return (beginning(row.revision) + hashlib.sha1(row.name.encode()).hexdigest())[:40]


def put(hub: Hub, name: str, directory: Path) -> str:
    """A directory as a row's repository, at its commit."""
    row = catalogue.find(name)
    return hub.put(row.repository, directory, commit_of(name))


def _with_pickle(directory: Path) -> Path:
    """A CLIP as OpenAI's repositories have them: its tensors as ``pytorch_model.bin``."""
    import torch
    from safetensors.torch import load_file

    tensors = directory / SAFETENSORS
    torch.save(load_file(tensors), directory / PICKLE)
    tensors.unlink()
    return directory


def _clip_b32(hub: Hub, work: Path, make: Maker) -> None:
    """The branch has the pickle; the conversion to safetensors is on a commit of its own."""
    made = make(work / "clip-vit-base-patch32")
    row = catalogue.find("ViT-B/32")
    converted = row.files[-1].url.split("/resolve/")[1].split("/")[0]
    hub.put(row.repository, {SAFETENSORS: (made / SAFETENSORS).read_bytes()}, converted)
    put(hub, "ViT-B/32", _with_pickle(made))


def _full(hub: Hub, work: Path, real: bool) -> None:
    """What `model="full"` fetches at its usual quality."""
    _clip_b32(hub, work, full_models.save_vit_b32 if real else tiny_models.save_clip)
    b16 = work / "clip-vit-base-patch16"
    put(hub, "ViT-B/16", _with_pickle(full_models.save_vit_b32(b16, 16) if real else tiny_models.save_clip(b16)))
    put(hub, "full", _vqgan(work / "taming-vq-f16-n16384", real))


def _vqgan(directory: Path, real: bool) -> Path:
    """config.json and a ``.bin`` that holds tensors only."""
    if real:
        return full_models.save_taming(directory)
    import torch
    from safetensors.torch import load_file

    tensors = tiny_models.save_vqgan(directory) / "diffusion_pytorch_model.safetensors"
    torch.save(load_file(tensors), tensors.with_suffix(".bin"))
    tensors.unlink()
    return directory


def _taesd(hub: Hub, work: Path, real: bool) -> None:
    put(hub, "taesd", full_models.save_taesd(work / "taesd") if real else tiny_models.save_taesd(work / "taesd"))


def _turbo(hub: Hub, work: Path, _: bool) -> None:
    made = tiny_models.save_sd_turbo(work / "sd-turbo", half=True)
    shutil.rmtree(made / "taesd")  # the hub's repository has none: it is one of its own
    put(hub, "sd-turbo", made)
    _taesd(hub, work, False)


def _siglip2(hub: Hub, work: Path, _: bool) -> None:
    from tests.perceptors.families import save_siglip

    # The repository's config.json is SigLIP's: its pictures have a fixed size.
    put(hub, "siglip2", save_siglip(work / "siglip2", "siglip"))


def _robust(hub: Hub, work: Path, _: bool) -> None:
    """In open_clip's layout, one as safetensors and one as ``.bin``; the words are another repository's."""
    import torch
    from safetensors.torch import load_file

    tensors, config = (FIXTURE / name for name in ("open_clip_model.safetensors", "open_clip_config.json"))
    for name in ("robust-ViT-B/32", "robust-ViT-L/14"):
        directory = work / name.replace("/", "-")
        directory.mkdir(parents=True)
        shutil.copy(config, directory)
        if name == "robust-ViT-B/32":
            shutil.copy(tensors, directory)
        else:
            torch.save(load_file(tensors), directory / "open_clip_pytorch_model.bin")
        put(hub, name, directory)
    _words(hub, "ViT-B/32", work / "words")


def _words(hub: Hub, name: str, directory: Path) -> None:
    """A tokenizer as a row's repository, which some other row reads with."""
    tiny_models.save_tokenizer(directory)
    put(hub, name, directory)


def _light(hub: Hub, work: Path, _: bool) -> None:
    put(hub, "tinyclip", tiny_models.save_clip(work / "tinyclip"))
    _taesd(hub, work, False)


def _pickscore(hub: Hub, work: Path, _: bool) -> None:
    """Without a tokenizer, as it is published."""
    made = tiny_models.save_clip(work / "pickscore")
    for file in made.iterdir():
        if file.name not in ("config.json", SAFETENSORS):
            file.unlink()
    put(hub, "pickscore", made)
    _words(hub, "ViT-H/14", work / "words")


# A family of weights, by the name that the command line gives it. A new one adds its line.
STOCK: dict[str, Callable[[Hub, Path, bool], None]] = {
    "full": _full,
    "turbo": _turbo,
    "taesd": _taesd,
    "siglip2": _siglip2,
    "robust": _robust,
    "light": _light,
    "pickscore": _pickscore,
}


def stock(hub: Hub, families: Sequence[str], work: Path, real: bool = False) -> None:
    """Puts families of checkpoints on a hub. work: where their files lie meanwhile; real: at full size, where known."""
    for family in families:
        STOCK[family](hub, work / family, real)


@contextlib.contextmanager
def as_stocked(hub: Hub) -> Iterator[None]:
    """While it lasts, the catalogue's sizes and digests are those of the files on the hub.

    Where the catalogue has none it still has none, and all of the code that checks them is as it is.
    """
    rows = catalogue._ROWS
    before = dict(rows)
    rows.update({name: _adapted(row, hub) for name, row in before.items()})
    try:
        yield
    finally:
        rows.update(before)


def _adapted(row: Weights, hub: Hub) -> Weights:
    return dataclasses.replace(row, files=tuple(_adapted_file(file, hub) for file in row.files))


def _adapted_file(file: File, hub: Hub) -> File:
    otherwise = _adapted_file(file.otherwise, hub) if file.otherwise else None
    held = next((held for url in (file.url, *file.mirrors) if (held := _held(url, hub)) is not None), None)
    if held is None:
        return dataclasses.replace(file, otherwise=otherwise)
    body = read(held)
    return dataclasses.replace(
        file,
        size=len(body) if file.size is not None else None,
        sha256=hub.sha256(held) if file.sha256 else None,
        otherwise=otherwise,
    )


def _held(url: str, hub: Hub) -> bytes | Path | None:
    repository = hub.repositories.get(repository_of(url) or "")
    if repository is None:
        return None
    commit, _, path = url.split("/resolve/")[1].partition("/")
    return repository.commits.get(commit if is_commit(commit) else repository.newest, {}).get(path)


def main(arguments: Sequence[str] | None = None) -> int:
    """``python -m tests.models.hub``: serves, or runs one command of text2art on what it serves."""
    parser = argparse.ArgumentParser(prog="python -m tests.models.hub", description="a Hugging Face hub on loopback")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--stock", default="full", help=f"families, with commas: {', '.join(STOCK)}")
    parser.add_argument("--real-size", action="store_true", help="full architectures, where they are known")
    parser.add_argument("--cache", type=Path, help="of `run`; an empty one if it isn't given")
    parser.add_argument("run", nargs=argparse.REMAINDER, help="run ARGUMENTS: a command of text2art, on this hub")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as work, Hub(options.port) as hub:
        stock(hub, options.stock.split(","), Path(work), options.real_size)
        if options.run:
            return _run(hub, options.run[options.run[0] == "run" :], options.cache or Path(work) / "cache")
        print(f"export HF_ENDPOINT={hub.endpoint}", flush=True)
        print("# digests differ from the real ones': `run` runs a command with those of this hub", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(3600)
    return 0


def _run(hub: Hub, command: Sequence[str], cache: Path) -> int:
    import huggingface_hub.constants

    from text2art_nb.__main__ import main as text2art

    os.environ.update(HF_ENDPOINT=hub.endpoint, TEXT2ART_CACHE=str(cache / "text2art"))
    huggingface_hub.constants.HF_HUB_CACHE = str(cache / "hub")
    with as_stocked(hub):
        status = text2art(list(command))
    print(f"the hub was asked {len(hub.asked)} times", file=sys.stderr)
    return status
