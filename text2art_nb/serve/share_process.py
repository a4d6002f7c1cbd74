"""The process that `text2art_nb.serve.share.Share` starts.

Reads what it needs, with its secrets, as one line of JSON from standard input, reports as lines of JSON on
standard output, and ends when its input does: so it never outlives the notebook.
"""

import json
import os
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from text2art_nb.errors import RunError
from text2art_nb.serve.config import Config
from text2art_nb.serve.tunnels import Way, open_tunnel

if TYPE_CHECKING:
    from text2art_nb.serve.archive import Archive

TELL_SECONDS: Final = 1.0


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


def _own_output() -> IO[str]:
    """Standard output for us alone: what others print, and the processes that they start, goes to standard error."""
    sys.stdout.flush()
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return ours


if __name__ == "__main__":
    sys.exit(main(told=_own_output()))
