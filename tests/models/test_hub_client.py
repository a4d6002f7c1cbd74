"""The hub on this machine is as the real one: huggingface_hub's own client gets from it what it gets from there."""

from pathlib import Path

import huggingface_hub
import pytest
from huggingface_hub import errors

from tests.models.hub import Hub
from tests.models.hub_files import blob_id
from text2art_nb.models.download import digest

NAME = "someone/something"
FILES = {"config.json": b'{"a": 1}', "folder/model.safetensors": b"tensors " * 5000, "merges.txt": b"a b\n"}
COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.fixture
def client(local_hub: Hub, tmp_path: Path):
    """A function that downloads one file with huggingface_hub, into a cache of its own."""
    local_hub.put(NAME, FILES, COMMIT)

    def download(path: str = "config.json", **how: object) -> Path:
        asked = {"repo_id": NAME, "filename": path, "cache_dir": tmp_path / "theirs", "endpoint": local_hub.endpoint}
        return Path(huggingface_hub.hf_hub_download(**{**asked, **how}))

    return download


@pytest.mark.parametrize("path", FILES)
def test_it_gets_every_file_at_its_commit(client, path: str) -> None:
    found = client(path)
    assert found.read_bytes() == FILES[path]
    assert f"/snapshots/{COMMIT}/{path}" in str(found)


def test_it_names_files_as_the_hub_does(client, local_hub: Hub) -> None:
    """Small ones by what git calls them, large ones by their sha256: its cache is made of those names."""
    assert client("config.json").resolve().name == blob_id(FILES["config.json"])
    large = client("folder/model.safetensors").resolve()
    assert large.name == digest(large)
    assert local_hub.requests("/api/resolve-cache/*")
    assert [one.authorization for one in local_hub.asked if one.host == "store"] == [None]


def test_it_reads_what_is_said_of_a_file(local_hub: Hub) -> None:
    local_hub.put(NAME, FILES, COMMIT)
    for path, body in FILES.items():
        url = huggingface_hub.hf_hub_url(NAME, path, endpoint=local_hub.endpoint)
        said = huggingface_hub.get_hf_file_metadata(url)
        assert (said.commit_hash, said.size) == (COMMIT, len(body))
        assert said.xet_file_data is None


def test_it_gets_a_whole_snapshot_and_knows_the_files(client, local_hub: Hub, tmp_path: Path) -> None:
    place = huggingface_hub.snapshot_download(NAME, cache_dir=tmp_path / "whole", endpoint=local_hub.endpoint)
    assert {path.relative_to(place).as_posix() for path in Path(place).rglob("*") if path.is_file()} == set(FILES)
    api = huggingface_hub.HfApi(endpoint=local_hub.endpoint)
    assert set(api.list_repo_files(NAME)) == set(FILES)
    assert [commit.commit_id for commit in api.list_repo_commits(NAME)] == [COMMIT]
    assert api.model_info(NAME).sha == COMMIT


def test_it_goes_on_where_a_connection_broke(client, local_hub: Hub) -> None:
    local_hub.fail(f"/{NAME}/*", host="store", cut=10_000)
    assert client("folder/model.safetensors").read_bytes() == FILES["folder/model.safetensors"]
    # From the start: what came is less than a piece of its own, which alone it keeps.
    assert [one.range for one in local_hub.asked if one.host == "store"] == [None, None]


@pytest.mark.parametrize(
    ("how", "error"),
    [
        ({"filename": "none.json"}, errors.RemoteEntryNotFoundError),
        ({"revision": "f" * 40}, errors.RevisionNotFoundError),
        ({"repo_id": "someone/nothing"}, errors.RepositoryNotFoundError),
    ],
)
def test_it_is_told_what_does_not_exist(client, how: dict[str, str], error: type[Exception]) -> None:
    with pytest.raises(error):
        client(**how)


def test_it_meets_a_gate(client, local_hub: Hub) -> None:
    local_hub.put(NAME, FILES, COMMIT, gated=True, readers={"hf_good"})
    local_hub.tokens |= {"hf_good", "hf_other"}
    for token, status in ((False, 401), ("hf_other", 403)):
        with pytest.raises(errors.GatedRepoError) as caught:
            client(token=token)
        assert caught.value.response.status_code == status
    assert client(token="hf_good").read_bytes() == FILES["config.json"]
    assert client("folder/model.safetensors", token="hf_good")
    assert all(one.authorization is None for one in local_hub.asked if one.host == "store")


def test_a_private_repository_looks_like_none(client, local_hub: Hub) -> None:
    local_hub.put(NAME, FILES, COMMIT, private=True, readers={"hf_good"})
    local_hub.tokens |= {"hf_good", "hf_other"}
    for token in (False, "hf_other"):
        with pytest.raises(errors.RepositoryNotFoundError):
            client(token=token)
    assert client(token="hf_good").read_bytes() == FILES["config.json"]


def test_an_unknown_token_is_refused_even_for_what_everybody_may_read(client) -> None:
    with pytest.raises(errors.HfHubHTTPError, match="401"):
        client(token="hf_wrong")


def test_it_waits_for_a_busy_hub(client, local_hub: Hub) -> None:
    local_hub.busy("/api/resolve-cache/*", after=1, form="limit")
    url = huggingface_hub.hf_hub_url(NAME, "config.json", endpoint=local_hub.endpoint)
    said = huggingface_hub.get_hf_file_metadata(url, retry_on_errors=True)
    assert said.commit_hash == COMMIT
    assert len(local_hub.requests("/api/resolve-cache/*")) == 2
