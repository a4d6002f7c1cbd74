"""A busy hub is waited for as long as it asks, which is said and can be stopped; wrong bytes are never kept."""

import threading
import time
from pathlib import Path

import pytest

from tests.models.hub import Hub
from text2art_nb.errors import ModelError
from text2art_nb.models import Cancelled, File, Patience, fetch, find, locate
from text2art_nb.models.weights import hub_url

NAME = "someone/something"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
BODY = b"tensors " * 10_000
PATH = "model.safetensors"
FILE = File(hub_url(NAME, PATH, COMMIT), PATH)


@pytest.fixture
def hub(local_hub: Hub) -> Hub:
    local_hub.put(NAME, {PATH: BODY, "config.json": b"{}"}, COMMIT)
    return local_hub


@pytest.mark.parametrize("form", ["seconds", "date", "limit"])
@pytest.mark.parametrize("where", [f"/{NAME}/resolve/*", f"/{NAME}/*"], ids=["hub", "store"])
def test_a_busy_server_is_asked_again_when_it_said(
    hub: Hub, tmp_path: Path, form: str, where: str, patience: Patience
) -> None:
    hub.busy(where, after=1, form=form)
    if "resolve" not in where:
        hub.faults[-1].host = "store"
    said: list[str] = []
    began = time.monotonic()
    assert fetch(FILE, tmp_path, patience=patience, notice=said.append).read_bytes() == BODY
    assert time.monotonic() - began > (0.9 if form != "date" else 0)  # a date has whole seconds
    if form != "date":
        assert said[0].startswith("127.0.0.1 asks for a pause of 1 s (HTTP 429): waiting")
    assert len(hub.requests(where)) == 2 or "resolve" not in where


def test_the_user_is_told_of_a_pause_without_asking(
    local_hub: Hub, patience: Patience, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "caidas/swin2SR-classical-sr-x2-64"
    local_hub.put(name, {"config.json": b"{}", PATH: BODY}, find(name).revision)
    local_hub.busy("*/config.json", after=1)
    locate(name, "upscaler", patience=patience)
    assert "text2art: 127.0.0.1 asks for a pause of 1 s (HTTP 429): waiting; with a token" in capsys.readouterr().err


def test_a_pause_that_is_too_long_is_refused_at_once(hub: Hub, tmp_path: Path, patience: Patience) -> None:
    hub.busy(f"/{NAME}/*", after=4000)
    began = time.monotonic()
    with pytest.raises(ModelError, match=r"HTTP 429: 127\.0\.0\.1 wants to be asked again in 4000 s, not before"):
        fetch(FILE, tmp_path, patience=patience)
    assert time.monotonic() - began < 60
    assert len(hub.asked) == 1


def test_who_is_always_busy_is_given_up(hub: Hub, tmp_path: Path, patience: Patience) -> None:
    hub.busy(f"/{NAME}/*", after=0, times=None)
    with pytest.raises(ModelError, match="HTTP 429"):
        fetch(FILE, tmp_path, patience=patience)
    assert len(hub.asked) == patience.attempts


def test_waiting_can_be_stopped(hub: Hub, tmp_path: Path) -> None:
    hub.busy(f"/{NAME}/*", after=200)
    cancel = threading.Event()
    began = time.monotonic()
    with pytest.raises(Cancelled):
        fetch(FILE, tmp_path, cancel=cancel, notice=lambda _: cancel.set())
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("after", ["soon", "-5", "1e9", "Mon, 99 Foo 2020 00:00:00 GMT", "9" * 400])
def test_a_pause_that_makes_no_sense_is_an_ordinary_failure(
    hub: Hub, tmp_path: Path, patience: Patience, after: str
) -> None:
    hub.fail(f"/{NAME}/*", status=503, headers={"Retry-After": after})
    assert fetch(FILE, tmp_path, patience=patience).read_bytes() == BODY


def test_a_date_that_is_past_means_now(hub: Hub, tmp_path: Path, patience: Patience) -> None:
    hub.busy(f"/{NAME}/*", after=-1000, form="date")
    assert fetch(FILE, tmp_path, patience=patience).read_bytes() == BODY


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_failing_server_is_asked_again(hub: Hub, tmp_path: Path, patience: Patience, status: int) -> None:
    hub.fail(f"/{NAME}/*", times=2, status=status)
    assert fetch(FILE, tmp_path, patience=patience).read_bytes() == BODY


def test_three_cuts_are_resumed_and_nothing_is_fetched_twice(hub: Hub, tmp_path: Path, patience: Patience) -> None:
    hub.fail(f"/{NAME}/*", times=3, host="store", cut=20_000)
    assert fetch(FILE, tmp_path, patience=patience).read_bytes() == BODY
    ranges = [one.range for one in hub.asked if one.host == "store"]
    assert ranges == [None, "bytes=20000-", "bytes=40000-", "bytes=60000-"]


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ({"host": "store", "body": BODY[:-1] + b"?"}, "its sha256 there is"),
        ({"host": "store", "body": BODY[:-9]}, "its sha256 there is"),
        ({"host": "hub", "body": b"<!doctype html><title>Sign in</title>", "kind": "text/html"}, "a web page"),
        ({"host": "store", "body": b"<html>Proxy</html>", "kind": "text/html"}, "a web page"),
    ],
    ids=["wrong bytes", "too few", "the hub's page", "a proxy's page"],
)
def test_wrong_bytes_are_not_kept(
    hub: Hub, tmp_path: Path, patience: Patience, fault: dict[str, object], said: str
) -> None:
    hub.fail(f"/{NAME}/*", times=None, **fault)
    with pytest.raises(ModelError, match=said):
        fetch(FILE, tmp_path, patience=patience)
    assert list(tmp_path.glob("model*")) == []


def test_a_mirror_of_the_same_bytes_stands_in(hub: Hub, tmp_path: Path, patience: Patience) -> None:
    hub.put("other/copy", {PATH: BODY}, COMMIT)
    hub.fail(f"/{NAME}/*", times=None, status=403)
    file = File(FILE.url, PATH, mirrors=(hub_url("other/copy", PATH, COMMIT),))
    assert fetch(file, tmp_path, patience=patience).read_bytes() == BODY
