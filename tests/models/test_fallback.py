"""Where a repository is gone, the same weights come from somewhere else."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from tests.models import taming_reference
from tests.models.hub import Hub
from tests.models.stock import as_stocked, commit_of, stock
from text2art_nb.errors import ModelError
from text2art_nb.models import Patience, catalogue, find, locate
from text2art_nb.models.weights import hub_url, repository_of
from text2art_nb.runs.run import Run
from text2art_nb.settings import Settings

pytestmark = pytest.mark.usefixtures("nothing_loaded")

ORIGINAL = "imagenet_f16_16384.ckpt"
SOMNAI = "Somnai/pytti-vqgan-checkpoints"


def put_original(hub: Hub, work: Path, repository: str) -> None:
    """The original and its configuration, where one of the row's addresses has them."""
    work.mkdir()
    taming_reference.save(work, name="original")
    config, tensors = find(ORIGINAL).files
    files: dict[str, bytes] = {}
    commit = None
    for file, suffix in ((config, ".yaml"), (tensors, ".ckpt")):
        url = next(url for url in (file.url, *file.mirrors) if repository_of(url) == repository)
        revision, _, path = url.split("/resolve/")[1].partition("/")
        commit = revision if len(revision) == 40 else None
        files[path] = (work / f"original{suffix}").read_bytes()
    hub.put(repository, files, commit)


@pytest.mark.parametrize("repository", [SOMNAI, "boris/vqgan_f16_16384"])
def test_the_default_is_drawn_with_its_original_where_its_repository_is_gone(
    local_hub: Hub, tmp_path: Path, repository: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stock(local_hub, ("full",), tmp_path / "stock")
    del local_hub.repositories[find("full").repository]
    put_original(local_hub, tmp_path / "original", repository)
    with as_stocked(local_hub):
        settings = Settings(
            prompts="a tree", model="full", size=(48, 32), iterations=1, num_cuts=2, seed=1, device="cpu"
        )
        (frame,) = Run(settings)
        assert frame.image.size == (48, 32)
        said = capsys.readouterr().err
        assert "can't be had: config.json could not be fetched" in said
        assert f"; fetching {ORIGINAL} (980 MB)" in said
        before = len(local_hub.asked)
        assert locate("full", "vqgan", download=False).name == ORIGINAL
        (again,) = Run(settings)
        assert again.image.tobytes() == frame.image.tobytes()
        assert len(local_hub.asked) == before


def test_where_neither_can_be_had_both_reasons_are_told(
    local_hub: Hub, patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = find(ORIGINAL)
    here = tuple(replace(file, url=hub_url("nobody/nothing", file.path, "0" * 40), mirrors=()) for file in row.files)
    monkeypatch.setitem(catalogue._ROWS, ORIGINAL, replace(row, files=here))
    with pytest.raises(ModelError) as caught:
        locate("full", "vqgan", patience=patience)
    assert "xvjiarui/taming-vq-f16-n16384 can't be had" in str(caught.value)
    assert f"{ORIGINAL} can't be had" in str(caught.value)
    assert "Missing: config.json" in str(caught.value)


def test_openais_archive_comes_from_the_copy_with_the_same_digest(
    local_hub: Hub, patience: Patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = find("RN50")
    words, archive = row.files
    body = b"an archive " * 1000
    here = replace(archive, url="http://127.0.0.1:9/RN50.pt", size=len(body), sha256=local_hub.sha256(body))
    monkeypatch.setitem(catalogue._ROWS, row.name, replace(row, files=(words, here)))
    path = here.mirrors[0].split("/resolve/")[1].partition("/")[2]
    commit = local_hub.put("pxlpshr/pytti-models", {path: body})
    local_hub.put("openai/clip-vit-base-patch32", {"tokenizer.json": b"{}"}, commit_of("ViT-B/32"))
    where = locate("RN50", "clip", patience=patience)
    assert (where / "RN50.pt").read_bytes() == body
    assert local_hub.requests(f"/pxlpshr/pytti-models/resolve/{commit}/{path}", "GET")
    shutil.rmtree(where)
    local_hub.put("pxlpshr/pytti-models", {path: b"another archive"})
    assert (locate("RN50", "clip", patience=patience) / "RN50.pt").read_bytes() == body
