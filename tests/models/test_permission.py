"""The user's token opens what it may open, goes nowhere else, and where it's lacking they are told what to do."""

from pathlib import Path

import pytest

from tests.models.conftest import Shelf
from tests.models.hub import Hub
from text2art_nb.errors import ModelError
from text2art_nb.models import File, Patience, fetch
from text2art_nb.models.asking import may_hear_token
from text2art_nb.models.weights import HUB, hub_url

NAME = "someone/something"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
FILES = {"config.json": b"{}", "model.safetensors": b"tensors " * 1000}


def of_hub(path: str, mirrors: tuple[str, ...] = ()) -> File:
    return File(hub_url(NAME, path, COMMIT), path, mirrors=mirrors)


@pytest.fixture
def gated(local_hub: Hub) -> Hub:
    """A repository that wants its licence accepted; hf_good has done so, hf_other hasn't."""
    local_hub.tokens |= {"hf_good", "hf_other"}
    local_hub.put(NAME, FILES, COMMIT, gated=True, readers={"hf_good"})
    return local_hub


@pytest.mark.parametrize("where", ["HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "file"])
@pytest.mark.parametrize("path", FILES)
def test_a_token_opens_the_gate_and_only_the_hub_hears_it(
    gated: Hub, patience: Patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, path: str
) -> None:
    if where == "file":
        (tmp_path / "hf-token").write_text("hf_good\n")
    else:
        monkeypatch.setenv(where, " hf_good\n")
    assert fetch(of_hub(path), tmp_path / "here", patience=patience).read_bytes() == FILES[path]
    heard = {(one.host, one.authorization) for one in gated.asked}
    assert ("hub", "Bearer hf_good") in heard
    assert heard <= {("hub", "Bearer hf_good"), ("store", None)}


def test_a_mirror_on_another_host_does_not_hear_the_token(
    gated: Hub, shelf: Shelf, patience: Patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_other")
    heard: list[str | None] = []
    answer = shelf.answer

    def listen(request) -> None:
        heard.append(request.headers.get("Authorization"))
        answer(request)

    monkeypatch.setattr(shelf, "answer", listen)
    shelf.put("/a/model.safetensors", FILES["model.safetensors"])
    file = of_hub("model.safetensors", (f"{shelf.base}/a/model.safetensors",))
    assert fetch(file, tmp_path, patience=patience).read_bytes() == FILES["model.safetensors"]
    assert heard == [None]


def test_who_does_not_want_it_sent_is_obeyed(
    gated: Hub, patience: Patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_good")
    monkeypatch.setenv("HF_HUB_DISABLE_IMPLICIT_TOKEN", "1")
    with pytest.raises(ModelError, match="set HF_TOKEN"):
        fetch(of_hub("config.json"), tmp_path, patience=patience)
    assert {one.authorization for one in gated.asked} == {None}


@pytest.mark.parametrize(
    ("endpoint", "url", "may"),
    [
        (None, f"{HUB}/a/b", True),
        (None, "https://huggingface.co:443/a/b", True),
        (None, "http://huggingface.co/a/b", False),
        (None, "https://huggingface.co.example/a/b", False),
        (None, "https://huggingface.co@evil.example/a/b", False),
        (None, "https://cdn-lfs.huggingface.co/a/b", False),
        ("https://mirror.example/hub", "https://mirror.example/hub/a/b", True),
        ("https://mirror.example", f"{HUB}/a/b", False),
        ("http://mirror.example", "http://mirror.example/a/b", False),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/a/b", True),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8081/a/b", False),
    ],
)
def test_who_may_hear_the_token(endpoint: str | None, url: str, may: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_ENDPOINT", raising=False)
    if endpoint:
        monkeypatch.setenv("HF_ENDPOINT", endpoint)
    assert may_hear_token(url) is may


@pytest.mark.parametrize(
    ("token", "said"),
    [
        (None, f"HTTP 401: accept the licence at {HUB}/{NAME} and set HF_TOKEN"),
        ("hf_other", f"HTTP 403: accept the licence at {HUB}/{NAME} with the account that HF_TOKEN is of"),
        ("hf_expired", "; the hub doesn't know the one that is there now"),
    ],
)
@pytest.mark.parametrize("path", FILES)
def test_a_gate_says_how_to_get_in(
    gated: Hub, patience: Patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str, said: str, path: str
) -> None:
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(ModelError) as caught:
        fetch(of_hub(path), tmp_path / "here", patience=patience)
    assert said in str(caught.value)
    assert "hf_" not in str(caught.value)
    assert list((tmp_path / "here").iterdir()) == []


@pytest.mark.parametrize("token", [None, "hf_other"])
def test_a_private_or_missing_repository_says_what_may_help(
    local_hub: Hub, patience: Patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str | None
) -> None:
    local_hub.tokens.add("hf_other")
    local_hub.put(NAME, FILES, COMMIT, private=True)
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(ModelError, match="HTTP 404" if token else f"HTTP 401: {HUB}/{NAME} isn't there for everybody"):
        fetch(of_hub("config.json"), tmp_path, patience=patience)


def test_a_token_that_nobody_knows_does_not_spoil_what_everybody_may_read(
    local_hub: Hub, patience: Patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_hub.put(NAME, FILES, COMMIT)
    monkeypatch.setenv("HF_TOKEN", "hf_expired")
    for path, body in FILES.items():
        assert fetch(of_hub(path), tmp_path, patience=patience).read_bytes() == body


@pytest.mark.parametrize("wrong", ["two words", "hf_a\nX-Evil: 1", "hf_ü"])
def test_what_cannot_be_a_token_is_refused_before_anybody_hears_it(
    gated: Hub, patience: Patience, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wrong: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", wrong)
    with pytest.raises(ModelError, match="what HF_TOKEN holds is no token") as caught:
        fetch(of_hub("config.json"), tmp_path, patience=patience)
    assert wrong not in str(caught.value)
    assert gated.asked == []


def test_a_commit_that_is_gone_is_said(local_hub: Hub, patience: Patience, tmp_path: Path) -> None:
    local_hub.put(NAME, FILES)
    with pytest.raises(ModelError, match="doesn't have that commit any more"):
        fetch(of_hub("config.json"), tmp_path, patience=patience)
