"""A service started by a program, such as a notebook: the application and its worker as processes, and a link to it.

`python -m text2art_nb.serve.share` is the process that `Share` starts. It reads what it needs, with its secrets, as a
line of JSON from its standard input, tells what happens as lines of JSON on its standard output, and ends when its
input does: so it never outlives the notebook, however that ends.
"""

import json
import logging
import os
import secrets
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final, Literal, get_args

from text2art_nb.errors import RunError, SettingsError
from text2art_nb.runtime import filesystems
from text2art_nb.serve.beside import environment
from text2art_nb.serve.config import Config

if TYPE_CHECKING:
    from text2art_nb.serve.archive import Archive

Way = Literal["gradio", "cloudflared", "ngrok"]

NEEDED: Final = ("dbos", "fastapi", "uvicorn", "limits", "sqlalchemy")
WANTED: Final = (*NEEDED, "gradio", "apprise")
"""With these there is a web page, too, and mail."""

START_SECONDS: Final = 240.0
"""A slow machine takes a minute: importing gradio is twelve seconds of computing."""
END_SECONDS: Final = 60.0
TELL_SECONDS: Final = 1.0

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


def how_to_add(extra: str) -> str:
    """What to type for an extra of this package: with -e, or a copy that grows old takes the folder's place."""
    return f"{sys.executable} -m pip install -c constraints.txt -e '.[{extra}]' in text2art's folder"


def lacking(modules: Sequence[str]) -> list[str]:
    """Those that this Python doesn't have."""
    return [name for name in modules if find_spec(name) is None]


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
            words = [sys.executable, "-P", "-m", "text2art_nb.serve.share"]
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


def way_for(public: bool | str) -> Way | None:
    """The tunnel for what `studio.share(public=…)` was given: True takes the one that is configured, else Gradio's.

    ngrok counts as configured where $NGROK_AUTHTOKEN is set, cloudflared where $T2A_TUNNEL says so.

    Raises:
        SettingsError: there is no such way.
    """
    if public is False:
        return None
    if public is True:
        public = os.environ.get("T2A_TUNNEL") or ("ngrok" if os.environ.get("NGROK_AUTHTOKEN") else "gradio")
    for way in get_args(Way):
        if public == way:
            return way  # type: ignore[no-any-return]
    raise SettingsError({"public": f"public must be True, False, {', '.join(get_args(Way))}; got {public!r}"})


def free_port() -> int:
    """A port of this machine that nobody has now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# -- the process


def main(given: IO[str] = sys.stdin, told: IO[str] = sys.stdout) -> int:
    """Serve until `given` ends. Its first line says what; `told` gets a line for whatever changes."""
    import uvicorn

    from text2art_nb.serve.app import create_app
    from text2art_nb.serve.archive import Archive

    asked = json.loads(given.readline())
    config = Config(**asked["config"])
    archive = Archive(config, Path(asked["archive"]) if asked["archive"] else None)
    archive.bring_back()
    app = create_app(config, workers=1)
    settings = uvicorn.Config(
        app,
        host="127.0.0.1",
        port=config.port,
        log_level="warning",
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(settings)
    over = threading.Event()
    telling = threading.Thread(target=_tell, args=(app, server, asked["way"], told, over, archive), daemon=True)
    telling.start()
    threading.Thread(target=_end_with, args=(given, server), daemon=True).start()
    server.run()
    over.set()
    telling.join(TELL_SECONDS * 2)
    archive.put_away()
    return 0


def _end_with(given: IO[str], server: Any) -> None:
    given.read()
    server.should_exit = True


def _tell(app: Any, server: Any, way: Way | None, told: IO[str], over: threading.Event, archive: "Archive") -> None:
    """Say where the service is once it is there, and then how it stands whenever that changes; keep up its archive."""

    def say(**words: Any) -> None:
        told.write(json.dumps(words) + "\n")
        told.flush()

    while not server.started:
        if over.wait(0.05):
            return
    tunnel = None
    try:
        if way is None:
            say(url=f"http://127.0.0.1:{app.state.config.port}")
        else:
            url, tunnel = open_tunnel(way, app.state.config.port)
            say(url=url)
    except RunError as error:
        say(trouble=str(error))
        server.should_exit = True
        return
    before: dict[str, Any] = {}
    while not over.wait(TELL_SECONDS):
        if (now := _standing(app.state.desk)) != before:
            say(**now)
            before = now
        archive.keep_up((now["waiting"], now["job"]))
    if tunnel is not None:
        tunnel.terminate()


def _standing(desk: Any) -> dict[str, Any]:
    """What of `Standing` the desk knows."""
    import sqlalchemy as sa

    from text2art_nb.serve.tables import jobs

    drawn = sa.select(jobs.c.id, jobs.c.iteration, jobs.c.total, jobs.c.prompt).where(jobs.c.status == "running")
    with desk.engine.connect() as connection:
        row = connection.execute(drawn.order_by(jobs.c.created)).first()
    waiting = desk.waiting()
    if row is None:
        return {"waiting": waiting, "job": None}
    return {"waiting": waiting, "job": row.id, "iteration": row.iteration, "total": row.total, "prompt": row.prompt}


def open_tunnel(way: Way, port: int) -> tuple[str, "subprocess.Popen[str] | None"]:
    """A public address for a port of this machine, and the process that keeps it open, where that is ours to end.

    Raises:
        RunError: it could not be had, and what would help.
    """
    makers = {"gradio": _by_gradio, "cloudflared": _by_cloudflared, "ngrok": _by_ngrok}
    url, process = makers[way](port)
    return url.rstrip("/"), process


def _by_gradio(port: int) -> tuple[str, None]:
    try:
        from gradio.networking import setup_tunnel

        return setup_tunnel("127.0.0.1", port, secrets.token_urlsafe(32), None, None), None
    except ImportError:
        raise RunError(f"a Gradio link needs gradio: {how_to_add('ui')}") from None
    except Exception as error:  # whatever the network, the download of frpc, or the share server had to say
        raise RunError(f"Gradio gave no link ({error}); cloudflared or ngrok may, or public=False") from error


def _by_ngrok(port: int) -> tuple[str, None]:
    try:
        from pyngrok import ngrok
    except ImportError:
        raise RunError("an ngrok link needs pyngrok, and its token in $NGROK_AUTHTOKEN: pip install pyngrok") from None
    try:
        return str(ngrok.connect(str(port), bind_tls=True).public_url), None
    except Exception as error:
        raise RunError(f"ngrok gave no link ({error}); its token goes into $NGROK_AUTHTOKEN") from error


def _by_cloudflared(port: int) -> tuple[str, "subprocess.Popen[str]"]:
    command = ["cloudflared", "tunnel", "--no-autoupdate", "--url", f"http://127.0.0.1:{port}"]
    try:
        process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    except FileNotFoundError:
        raise RunError("there is no program cloudflared in $PATH; get it from Cloudflare, or use another way") from None
    found: list[str] = []
    come = threading.Event()

    def read() -> None:
        assert process.stderr is not None
        for line in process.stderr:  # to its end: a pipe that nobody empties would stop the tunnel
            words = [word for word in line.split() if word.startswith("https://") and ".trycloudflare.com" in word]
            if words and not found:
                found.append(words[0])
                come.set()
        come.set()

    threading.Thread(target=read, daemon=True).start()
    come.wait(60)
    if not found:
        process.terminate()
        raise RunError("cloudflared gave no link within a minute; is the network there?")
    return found[0], process


def _own_output() -> IO[str]:
    """Standard output for us alone: what others print, and the processes that they start, goes to standard error."""
    sys.stdout.flush()
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return ours


if __name__ == "__main__":
    sys.exit(main(told=_own_output()))
