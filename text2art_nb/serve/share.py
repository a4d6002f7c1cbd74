"""A service started by a program, such as a notebook: the application and its worker as processes, and a link to it.

`python -m text2art_nb.serve.share_process` is the process that `Share` starts. It reads what it needs, with its
secrets, as a
line of JSON from its standard input, tells what happens as lines of JSON on its standard output, and ends when its
input does: so it never outlives the notebook, however that ends.
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
from text2art_nb.serve.extras import NEEDED, lacking
from text2art_nb.serve.supervisor import environment
from text2art_nb.serve.tunnels import Way

START_SECONDS: Final = 240.0
"""A slow machine takes a minute: importing gradio is twelve seconds of computing."""
END_SECONDS: Final = 60.0

log = logging.getLogger("text2art.serve")


@dataclass(frozen=True)
class Standing:
    """How a service stands. link: for the owner, with the password in it; None: not there yet.

    waiting: jobs that wait or are drawn; job: the one that is drawn now; trouble: a sentence, if it has ended.
    """

    link: str | None = None
    waiting: int = 0
    job: str | None = None
    iteration: int = 0
    total: int = 0
    prompt: str = ""
    trouble: str | None = None


class Share:
    """A service that runs beside this program, until `stop` or this program's end.

    Args:
        data: the folder for its database and pictures. Where that lies on a FUSE or network file system, such as Google
            Drive in Colab, the database and the runs that are under way lie on a local disk, and only finished pictures
            and a copy of the database in `data`.
        way: the tunnel that makes it public; None: only this machine reaches it (on Colab, its user's browser too).
        open: whether anybody who has a public link may draw. Else the link that `standing` tells has a password.
        notices, more: what `Config` has beside.
    """

    def __init__(self, data: Path, way: Way | None = None, *, open: bool = False, **more: Any) -> None:
        self.password = None if open or way is None else secrets.token_urlsafe(18)
        keys = (self.password,) if self.password else ()
        self._archive: Path | None = None
        if filesystems.is_remote(data):
            self._archive = data.absolute()
            more.setdefault("files", str(self._archive / "files"))
            data = _local(data)
        self._config = Config(data=data, port=free_port(), keys=keys, proxies=0 if way is None else 1, **more)
        self._way = way
        self._process: subprocess.Popen[str] | None = None
        self._changed = threading.Condition()
        self._standing = Standing()

    @property
    def url(self) -> str:
        """Where it is on this machine."""
        return f"http://127.0.0.1:{self._config.port}"

    @property
    def standing(self) -> Standing:
        """How it stands, as it last said."""
        return self._standing

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self, seconds: float = START_SECONDS) -> str:
        """Start it and wait until jobs are taken; returns the link. Raises RunError if it did not start, and why."""
        missing = lacking(NEEDED)
        if missing:
            raise RunError(f"sharing needs {', '.join(missing)}: pip install {' '.join(missing)}")
        self._config.data.mkdir(parents=True, exist_ok=True)
        errors_at = self._config.data / "share.log"
        with errors_at.open("w", encoding="utf-8") as errors:
            words = [sys.executable, "-P", "-m", "text2art_nb.serve.share_process"]
            # In a session of its own: interrupting a cell is a signal for all of the kernel's group. Its standard input
            # ends it with the program all the same, and with it its worker and its tunnel.
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=environment(),
                start_new_session=True,
            )
        assert self._process.stdin is not None
        archive = None if self._archive is None else str(self._archive)
        given = {"config": self._config.model_dump(mode="json"), "way": self._way, "archive": archive}
        self._process.stdin.write(json.dumps(given) + "\n")
        self._process.stdin.flush()
        threading.Thread(target=self._listen, name="text2art-share", daemon=True).start()
        with self._changed:
            self._changed.wait_for(lambda: self._standing.link or self._standing.trouble, seconds)
        standing = self._standing
        if standing.link is None:
            self.stop()
            last = " ".join(errors_at.read_text(encoding="utf-8", errors="replace").split()[-60:])
            raise RunError(
                f"the service did not start: {standing.trouble or 'it took too long'}; it said: {last or '-'}"
            )
        return standing.link

    def stop(self) -> None:
        """End it. A picture that is being drawn goes on when a service starts in the same folder again."""
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
        """What the service answers on this machine, such as /api/jobs/…/frame; None if it has nothing to answer."""
        headers = {"X-API-Key": self.password} if self.password else {}
        try:
            with urllib.request.urlopen(urllib.request.Request(self.url + path, headers=headers), timeout=10) as answer:
                data: bytes = answer.read()
                return data
        except (urllib.error.URLError, TimeoutError, ConnectionError):
            return None

    def _listen(self) -> None:
        """Keep up with what the process tells, to its end."""
        process = self._process
        assert process is not None
        assert process.stdout is not None
        for line in process.stdout:
            if (told := _told(line)) is not None:
                self._note(told)
            else:
                log.warning("the service said what isn't for us: %s", line.rstrip())
        code = process.wait()
        trouble = self._standing.trouble or (f"it ended with code {code}" if code else "it was stopped")
        with self._changed:
            self._standing = replace(self._standing, job=None, waiting=0, trouble=trouble)
            self._changed.notify_all()

    def _note(self, told: dict[str, Any]) -> None:
        if (base := told.pop("url", None)) is not None:
            told["link"] = f"{base}/?key={self.password}" if self.password else f"{base}/"
        with self._changed:
            self._standing = replace(self._standing, **told)
            self._changed.notify_all()


def _local(data: Path) -> Path:
    """The local disk's folder for a service whose own one is remote. Raises RunError where there is none."""
    try:
        return filesystems.local_twin(data)
    except OSError as error:
        raise RunError(f"sharing needs a folder on a local disk for its database: {error}") from error


def _told(line: str) -> dict[str, Any] | None:
    """What a line tells, or None: whatever is loaded into the process may print."""
    try:
        told = json.loads(line)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def free_port() -> int:
    """A port of this machine that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
