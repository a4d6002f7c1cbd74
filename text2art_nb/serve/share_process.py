"""The process that `text2art_nb.serve.share.Share` starts.

It reads its configuration, with secrets, as one line of JSON from standard input, reports as lines of JSON on standard
output, and ends when its input does, so it never outlives the notebook.
"""

import json
import os
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from text2art_nb.errors import RunError
from text2art_nb.serve.config import Config
from text2art_nb.serve.tunnels import TunnelKind, open_tunnel

if TYPE_CHECKING:
    import uvicorn
    from fastapi import FastAPI

    from text2art_nb.serve.archive import Archive
    from text2art_nb.serve.job_service import JobService

REPORT_SECONDS: Final = 1.0


def main(stdin: IO[str] = sys.stdin, stdout: IO[str] = sys.stdout) -> int:
    """Serve until `stdin` ends. Its first line is the configuration; each change is reported as a line on `stdout`."""
    import uvicorn

    from text2art_nb.serve.app import create_app
    from text2art_nb.serve.archive import Archive

    start = json.loads(stdin.readline())
    config = Config(**start["config"])
    archive = Archive(config, Path(start["archive"]) if start["archive"] else None)
    archive.restore()
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
    reporter = threading.Thread(target=_report, args=(app, server, start["tunnel"], stdout, over, archive), daemon=True)
    reporter.start()
    threading.Thread(target=_exit_with_input, args=(stdin, server), daemon=True).start()
    server.run()
    over.set()
    reporter.join(REPORT_SECONDS * 2)
    archive.back_up()
    return 0


def _exit_with_input(stdin: IO[str], server: "uvicorn.Server") -> None:
    stdin.read()
    server.should_exit = True


def _report(
    app: "FastAPI",
    server: "uvicorn.Server",
    tunnel: TunnelKind | None,
    stdout: IO[str],
    over: threading.Event,
    archive: "Archive",
) -> None:
    """Report the service's address once it is up, then its status whenever it changes. Keep its archive current."""

    def report(**values: object) -> None:
        stdout.write(json.dumps(values) + "\n")
        stdout.flush()

    while not server.started:
        if over.wait(0.05):
            return
    process = None
    try:
        if tunnel is None:
            report(url=f"http://127.0.0.1:{app.state.config.port}")
        else:
            url, process = open_tunnel(tunnel, app.state.config.port)
            report(url=url)
    except RunError as error:
        report(trouble=str(error))
        server.should_exit = True
        return
    before: dict[str, object] = {}
    while not over.wait(REPORT_SECONDS):
        if (status := _status(app.state.service)) != before:
            report(**status)
            before = status
        archive.back_up_if_changed((status["waiting"], status["job"]))
    if process is not None:
        process.terminate()


def _status(service: "JobService") -> dict[str, object]:
    """Read the fields of `ShareStatus` that the database knows."""
    import sqlalchemy as sa

    from text2art_nb.serve.tables import jobs

    running = sa.select(jobs.c.id, jobs.c.iteration, jobs.c.total, jobs.c.prompt).where(jobs.c.status == "running")
    with service.engine.connect() as connection:
        row = connection.execute(running.order_by(jobs.c.created)).first()
    waiting = service.feed.count_open()
    if row is None:
        return {"waiting": waiting, "job": None}
    return {"waiting": waiting, "job": row.id, "iteration": row.iteration, "total": row.total, "prompt": row.prompt}


def _reserve_stdout() -> IO[str]:
    """Keep standard output for our reports; what others and child processes print goes to standard error."""
    sys.stdout.flush()
    ours = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return ours


if __name__ == "__main__":
    sys.exit(main(stdout=_reserve_stdout()))
