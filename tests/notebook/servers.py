"""JupyterLab and classic Notebook servers of the tests' own: each on its own folder, without a token, on loopback."""

import json
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.notebook.environments import Environment

Frontend = Literal["jupyterlab", "classic"]

START_SECONDS = 60
END_SECONDS = 8

# What pulls a page apart under a test: cells that leave the document when they scroll out of sight, and pop-ups.
LAB_SETTINGS: Mapping[str, Mapping[str, object]] = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}


class ServerError(Exception):
    """A notebook server that did not start; its last words are in the message."""


@dataclass(frozen=True)
class Server:
    """A server that runs."""

    frontend: Frontend
    url: str
    """Where it is, with a slash at its end."""
    folder: Path
    """What it shows: its notebooks' paths are relative to this."""
    log: Path

    def ask(self, path: str, method: str = "GET", body: object = None) -> Any:
        """What its REST interface answers, as JSON types; None where it answers nothing."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=60) as response:
            answer = response.read()
        return json.loads(answer) if answer else None

    def start_kernel(self, notebook: str) -> str:
        """Start the kernel that the page of `notebook` will find there, and wait until it lives; its id.

        A page that has to start its own may be told to run all cells before it has one, and silently does nothing.
        """
        kernel = {"name": "python3"}
        session = self.ask("api/sessions", "POST", {"path": notebook, "name": "", "type": "notebook", "kernel": kernel})
        return str(session["kernel"]["id"])

    def end_kernels(self) -> None:
        """End every kernel, as closing a notebook does."""
        for session in self.ask("api/sessions"):
            self.ask(f"api/sessions/{session['id']}", "DELETE")


@contextmanager
def running(
    frontend: Frontend,
    environment: Environment,
    folder: Path,
    variables: Mapping[str, str],
    options: Sequence[str] = (),
) -> Iterator[Server]:
    """A server on `folder`, run by the environment's Python; its kernels have the environment `variables` besides.

    What it keeps for itself (settings, what it trusts, what runs) stays in a folder beside `folder`. options: more of
    the server's own, for its command line.

    Raises:
        ServerError: it did not start.
    """
    state = folder.parent / f"{folder.name}.jupyter"
    _write_settings(state)
    log = state / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*_command(frontend, environment.python, folder), *options],
            cwd=folder,
            env={**environment.env, **_places(environment, state), **variables},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield Server(frontend, _wait(process, state, log), folder, log)
    finally:
        _end(process)


def _command(frontend: Frontend, python: Path, folder: Path) -> list[str]:
    common = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={_free_port()}"]
    if frontend == "classic":
        app = "NotebookApp"
        special = [f"--NotebookApp.notebook_dir={folder}", "--NotebookApp.token="]
    else:
        app = "ServerApp"
        # The page's `jupyterapp` is how the tests ask JupyterLab what it is doing.
        special = [
            f"--ServerApp.root_dir={folder}",
            "--IdentityProvider.token=",
            "--LabApp.expose_app_in_browser=True",
            "--LabApp.extension_manager=readonly",
        ]
    module = "notebook" if frontend == "classic" else "jupyterlab"
    return [
        *(str(python), "-m", module, *common, *special),
        *(f"--{app}.password=", f"--{app}.disable_check_xsrf=True", f"--{app}.open_browser=False"),
    ]


def _places(environment: Environment, state: Path) -> dict[str, str]:
    """Where Jupyter keeps what it keeps, and finds its kernels: nothing is the user's own."""
    return {
        "JUPYTER_PATH": str(environment.folder / "share" / "jupyter"),
        "JUPYTER_CONFIG_DIR": str(state / "config"),
        "JUPYTER_DATA_DIR": str(state / "data"),
        "JUPYTER_RUNTIME_DIR": str(state / "runtime"),
        "JUPYTERLAB_SETTINGS_DIR": str(state / "settings"),
        "JUPYTERLAB_WORKSPACES_DIR": str(state / "workspaces"),
    }


def _write_settings(state: Path) -> None:
    for name, values in LAB_SETTINGS.items():
        path = state / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    (state / "runtime").mkdir(parents=True, exist_ok=True)


def _free_port() -> int:
    """A port that is free now; should somebody take it first, the server looks for another and says which."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: "subprocess.Popen[bytes]", state: Path, log: Path) -> str:
    """The server's address, when it answers there."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and process.poll() is None:
        for said in (state / "runtime").glob(f"*server-{process.pid}.json"):
            url = _address(said)
            if url and _answers(url):
                return url
        time.sleep(0.1)
    words = log.read_text(errors="replace")[-2000:]
    raise ServerError(f"the notebook server did not start within {START_SECONDS} s; it said:\n{words}")


def _address(said: Path) -> str | None:
    """What the server wrote down about itself, or None while it is still writing."""
    try:
        return str(json.loads(said.read_text())["url"])
    except json.JSONDecodeError:
        return None


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}api/status", timeout=5):
            return True
    except (urllib.error.URLError, TimeoutError, ConnectionError):
        return False


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End the server and what it started: politely, as it then ends its kernels, then by force."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
