"""Start a service from a program such as a notebook: web process, worker and tunnel as processes, with a link to them.

`python -m text2art_nb.serve.share_process` is the process that `Share` starts. It ends when its standard input does, so
it never outlives the notebook, however that ends.
"""

import json
import logging
import secrets
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from text2art_nb.errors import RunError
from text2art_nb.runtime import filesystems
from text2art_nb.serve.config import Config
from text2art_nb.serve.extras import REQUIRED, missing_modules
from text2art_nb.serve.supervisor import environment
from text2art_nb.serve.tunnels import TunnelKind

START_SECONDS: Final = 240.0
"""A slow machine takes a minute: importing gradio alone is twelve CPU-seconds."""
END_SECONDS: Final = 60.0

log = logging.getLogger("text2art.serve")


@dataclass(frozen=True)
class ShareStatus:
    """The state of a service.

    Attributes:
        link: the owner's link, with the password in it; None until it is known.
        waiting: number of queued and running jobs.
        job: id of the running job.
        trouble: one sentence, if the service has ended.
    """

    link: str | None = None
    waiting: int = 0
    job: str | None = None
    iteration: int = 0
    total: int = 0
    prompt: str = ""
    trouble: str | None = None


class Share:
    """A service that runs beside this program until `stop` or the end of this program.

    Args:
        data: folder of the database and the pictures. If it is on a FUSE or network file system, such as Google Drive
            in Colab, the database and current runs stay on a local disk; only finished pictures and a copy of the
            database go to `data`.
        tunnel: how to make it public; None: reachable from this machine only (on Colab also from the user's browser).
        open: whether everyone with a public link may draw. Otherwise the link in `status` has a password.
        notices, more: further fields of `Config`.
    """

    def __init__(self, data: Path, tunnel: TunnelKind | None = None, *, open: bool = False, **more: Any) -> None:
        self.password = None if open or tunnel is None else secrets.token_urlsafe(18)
        keys = (self.password,) if self.password else ()
        self._archive: Path | None = None
        if filesystems.is_remote(data):
            self._archive = data.absolute()
            more.setdefault("files", str(self._archive / "files"))
            data = _local_folder(data)
        self._config = Config(data=data, port=free_port(), keys=keys, proxies=0 if tunnel is None else 1, **more)
        self._tunnel = tunnel
        self._process: subprocess.Popen[str] | None = None
        self._changed = threading.Condition()
        self._status = ShareStatus()

    @property
    def url(self) -> str:
        """The address on this machine."""
        return f"http://127.0.0.1:{self._config.port}"

    @property
    def status(self) -> ShareStatus:
        """The last reported state."""
        return self._status

    @property
    def is_running(self) -> bool:
        """Whether the process is alive."""
        return self._process is not None and self._process.poll() is None

    def start(self, seconds: float = START_SECONDS) -> str:
        """Start the service, wait until it accepts jobs, and return the link. Raises RunError with the reason."""
        missing = missing_modules(REQUIRED)
        if missing:
            raise RunError(f"sharing needs {', '.join(missing)}: pip install {' '.join(missing)}")
        self._config.data.mkdir(parents=True, exist_ok=True)
        errors_at = self._config.data / "share.log"
        with errors_at.open("w", encoding="utf-8") as errors:
            command = [sys.executable, "-P", "-m", "text2art_nb.serve.share_process"]
            # A session of its own: interrupting a cell signals the kernel's whole process group. The end of standard
            # input still ends it with this program, together with its worker and its tunnel.
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment(),
                start_new_session=True,
            )
        assert self._process.stdin is not None
        archive = None if self._archive is None else str(self._archive)
        given = {"config": self._config.model_dump(mode="json"), "tunnel": self._tunnel, "archive": archive}
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        threading.Thread(target=self._listen, name="text2art-share", daemon=True).start()
        with self._changed:
            self._changed.wait_for(lambda: self._status.link or self._status.trouble, seconds)
        standing = self._status
        if standing.link is None:
            self.stop()
            last = " ".join(errors_at.read_text(encoding="utf-8", errors="replace").split()[-60:])
            raise RunError(
                f"the service did not start: {standing.trouble or 'it took too long'}; it said: {last or '-'}"
            )
        return standing.link

    def stop(self) -> None:
        """Stop the service. A service started in the same folder later continues the running picture."""
        process = self._process
        if process is None:
            return
        if process.stdin is not None and not process.stdin.closed:
            process.stdin.close()
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def ask(self, path: str) -> bytes | None:
        """Fetch a path, such as /api/jobs/…/frame, from this machine; None if it can't be had."""
        headers = {"X-API-Key": self.password} if self.password else {}
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=headers), timeout=10) as answer:
                data: bytes = answer.read()
                return data
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return None

    def _listen(self) -> None:
        """Read the process's reports until it ends."""
        process = self._process
        assert process is not None
        assert process.stdout is not None
        for line in process.stdout:
            if (report := _parse_line(line)) is not None:
                self._update(report)
            else:
                log.warning("the service printed: %s", line.rstrip())
        code = process.wait()
        trouble = self._status.trouble or (f"it ended with code {code}" if code else "it was stopped")
        with self._changed:
            self._status = replace(self._status, job=None, waiting=0, trouble=trouble)
            self._changed.notify_all()

    def _update(self, report: dict[str, Any]) -> None:
        if (base := report.pop("url", None)) is not None:
            report["link"] = f"{base}/?key={self.password}" if self.password else f"{base}/"
        with self._changed:
            self._status = replace(self._status, **report)
            self._changed.notify_all()


def _local_folder(data: Path) -> Path:
    """Return the local folder for a service whose own one is remote. Raises RunError if there is none."""
    try:
        return filesystems.local_twin(data)
    except OSError as error:
        raise RunError(f"sharing needs a folder on a local disk for its database: {error}") from error


def _parse_line(line: str) -> dict[str, Any] | None:
    """Parse a report; None for anything else that was printed."""
    try:
        report = json.loads(line)
    except ValueError:
        return None
    return report if isinstance(report, dict) else None


def free_port() -> int:
    """Return an unused port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
