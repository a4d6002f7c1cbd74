"""`studio.share`: from a cell to a service with a link, in a real kernel of both environments, and its end."""

import json
import re
import subprocess
import sys
import sysconfig
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("dbos", reason="the extra [serve] is not installed")

from tests.notebook import environments
from tests.notebook.conftest import PARAMETERS
from tests.notebook.environments import Environment
from tests.notebook.kernel import Button, Kernel
from tests.serve.service import PATIENCE, until, wanted
from text2art_nb.cli import serve
from text2art_nb.errors import RunError, SettingsError, Text2ArtError
from text2art_nb.serve import extras
from text2art_nb.serve.share import Share
from text2art_nb.serve.tunnels import open_tunnel, tunnel_for

pytestmark = [
    pytest.mark.timeout(900),  # the first test may have to make the simulated Colab
    pytest.mark.xdist_group("share"),  # it has services of its own
]


@pytest.fixture(scope="module", params=PARAMETERS)
def environment(request: pytest.FixtureRequest) -> Environment:
    """Current Jupyter, then the simulated Colab."""
    return environments.get(request.param)


@pytest.fixture(scope="module")
def kernel(environment: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    """A kernel with a studio in it. Where its environment lacks what serving needs, it is found in this one."""
    with Kernel(environment, tmp_path_factory.mktemp("share"), T2A_TUNNEL="") as found:
        found.run(f"import sys; sys.path.append({sysconfig.get_path('purelib')!r})")
        found.run("from text2art_nb import Studio; studio = Studio()", PATIENCE)
        yield found


def ask(url: str, body: Any = None, **headers: str) -> tuple[int, bytes]:
    """The status and the body that `url` answers with."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


def test_a_cell_shares_and_a_job_is_drawn_through_its_api(kernel: Kernel) -> None:
    cell = kernel.run("studio.share(public=False)", PATIENCE)
    assert cell.tracebacks == []
    url = kernel.value("studio._share.url")
    status, body = ask(f"{url}/api/jobs", wanted())
    assert status == 202, body
    id = json.loads(body)["id"]
    until(lambda: json.loads(ask(f"{url}/api/jobs/{id}")[1])["status"] == "done", "the job is done")
    assert ask(f"{url}/api/jobs/{id}/image")[1].startswith(b"\x89PNG")
    assert f"{url}/" in shown(kernel), "the link is in the cell"
    assert "?key=" not in shown(kernel), "only this machine reaches it"


def test_stop_ends_the_service_and_says_so(kernel: Kernel) -> None:
    url = kernel.value("studio._share.url")
    [view] = [comm for comm, state in kernel.states().items() if state.get("title") == "Shared"]
    [stop] = [name for name, label, *_ in kernel.states()[view]["buttons"] if label == "Stop sharing"]
    kernel.click(Button(view, stop))
    until(lambda: "was stopped" in shown(kernel), "the cell says so")
    assert not answers(url)


def shown(kernel: Kernel) -> str:
    """What all widgets have in them now."""
    kernel.listen(0.2)
    return json.dumps(list(kernel.states().values()))


def answers(url: str) -> bool:
    try:
        return ask(f"{url}/api/health")[0] == 200
    except (urllib.error.URLError, ConnectionError):
        return False


def test_a_service_ends_with_the_program_that_started_it_however_that_ends(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from text2art_nb.serve.share import Share\n"
        f"share = Share(Path({str(tmp_path)!r})); print(share.start({PATIENCE}), flush=True); os.kill(os.getpid(), 9)"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE).stdout
    url = said.strip().rstrip("/")
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+", url), said
    until(lambda: not answers(url), "the service is gone")


def test_interrupting_a_cell_leaves_the_service_alone(tmp_path: Path) -> None:
    program = (
        "import os, signal, sys, time; from pathlib import Path; from text2art_nb.serve.share import Share\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"  # who started the tests may ignore it
        f"share = Share(Path({str(tmp_path)!r})); print(share.start({PATIENCE}), flush=True)\n"
        "try:\n    os.killpg(0, signal.SIGINT); time.sleep(60)\n"
        "except KeyboardInterrupt:\n    print('interrupted', flush=True)\n"
        "time.sleep(3); print(share.is_running and share.ask('/api/health') is not None, flush=True); share.stop()"
    )
    words = [sys.executable, "-c", program]
    said = subprocess.run(words, capture_output=True, text=True, timeout=PATIENCE, start_new_session=True)
    assert said.stdout.split()[1:] == ["interrupted", "True"], said.stderr


def test_what_others_print_into_the_service_is_no_news_and_no_harm(tmp_path: Path) -> None:
    shared = Share(tmp_path)
    words = ["sh", "-c", 'echo Killing tunnel; echo 7; echo \'{"waiting": 2, "prompt": "a cat"}\'; exit 3']
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as shared._process:
        shared._listen()
    assert (shared.status.prompt, shared.status.trouble) == ("a cat", "it ended with code 3")


def test_only_the_service_itself_writes_to_its_standard_output() -> None:
    program = (
        "import os; from text2art_nb.serve.share_process import _reserve_stdout; told = _reserve_stdout()\n"
        "print('Killing tunnel', flush=True); os.system('echo noise'); told.write('news'); told.flush()"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE)
    assert said.stdout == "news", said.stderr


def test_a_public_link_has_a_password_in_it_that_opens_and_nothing_else_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tunnel is a stand-in, since there is no network: a program that says an address as cloudflared does."""
    fake = tmp_path / "bin" / "cloudflared"
    fake.parent.mkdir()
    fake.write_text("#!/bin/sh\necho '|  https://some-words.trycloudflare.com  |' >&2\nexec sleep 600\n")
    fake.chmod(0o755)
    monkeypatch.setenv("PATH", str(fake.parent), prepend=":")
    shared = Share(tmp_path / "data", "cloudflared")
    link = shared.start()
    try:
        assert re.fullmatch(r"https://some-words\.trycloudflare\.com/\?key=[\w-]{20,}", link)
        key = link.partition("key=")[2]
        assert ask(f"{shared.url}/api/jobs", wanted())[0] == 401
        assert ask(f"{shared.url}/api/jobs", wanted(), **{"X-API-Key": "x" * 24})[0] == 401
        assert ask(f"{shared.url}/api/gallery", **{"X-API-Key": key})[0] == 200
        assert key not in (tmp_path / "data" / "share.log").read_text()
    finally:
        shared.stop()
    assert not shared.is_running


def test_a_service_that_can_not_start_says_why(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(RunError, match="the service did not start"):
        Share(tmp_path, database="sqlite:////nowhere/at/all.sqlite").start()
    assert time.monotonic() - began < PATIENCE


@pytest.mark.parametrize(
    ("public", "variables", "way"),
    [
        (False, {"NGROK_AUTHTOKEN": "x"}, None),
        (True, {}, "gradio"),
        (True, {"NGROK_AUTHTOKEN": "x"}, "ngrok"),
        (True, {"T2A_TUNNEL": "cloudflared"}, "cloudflared"),
        ("gradio", {"NGROK_AUTHTOKEN": "x"}, "gradio"),
    ],
)
def test_the_tunnel_is_the_one_that_is_named_or_configured(
    monkeypatch: pytest.MonkeyPatch, public: bool | str, variables: dict[str, str], way: str | None
) -> None:
    for name in ("NGROK_AUTHTOKEN", "T2A_TUNNEL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert tunnel_for(public) == way


def test_an_unknown_tunnel_names_those_there_are() -> None:
    with pytest.raises(SettingsError, match="gradio, cloudflared, ngrok"):
        tunnel_for("localtunnel")


def test_a_tunnel_whose_program_is_missing_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(RunError, match="no program cloudflared"):
        open_tunnel("cloudflared", 1)


def test_sharing_without_the_extra_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(extras, "find_spec", lambda name: None if name == "dbos" else object())
    with pytest.raises(RunError, match="pip install dbos"):
        Share(tmp_path).start()


def test_what_serving_lacks_is_added_without_a_copy_in_the_folders_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extras, "missing_modules", lambda modules: ["dbos"])
    with pytest.raises(Text2ArtError, match=r"serving needs dbos: .*pip install -c constraints.txt -e '\.\[serve\]'"):
        serve._check_installed()
