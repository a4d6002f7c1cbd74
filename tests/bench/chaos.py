"""Chaos: short jobs, several workers, and kill -9 for a random one every few seconds; the web process dies, too.

    python -m tests.bench.chaos --jobs 200 --workers 3 --every 4            # SQLite
    python -m tests.bench.chaos --jobs 200 --workers 3 --every 4 --postgres # a real Postgres

Every job must end, none may be lost or drawn by two at once, and each sends one mail, to a real SMTP server.
"""

import argparse
import contextlib
import json
import random
import re
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import httpx
from aiosmtpd.controller import Controller

from tests.serve.service import ENDS, Processes, free_port, until, wanted
from text2art_nb.serve.config import Config, Limits, Notices


@dataclass(frozen=True)
class Report:
    """What became of it.

    ends, errors: jobs by status, and why some failed: one that is hit three times is put aside, as it should be.
    attempts: how many times a worker began a job; overlaps: iterations that a worker began after another had begun the
    same job again; resumed: attempts that began after the first iteration; mails: by how many a job sent.
    """

    jobs: int
    ends: dict[str, int]
    errors: list[str]
    worker_kills: int
    web_kills: int
    attempts: int
    resumed: int
    overlaps: int
    mails: dict[int, int]
    broken_streams: int
    seconds: float


class Letterbox:
    """A mail server that counts what comes for whom."""

    def __init__(self) -> None:
        self.to: Counter[str] = Counter()
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port())

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """aiosmtpd calls it with each mail."""
        self.to.update(envelope.rcpt_tos)
        return "250 OK"

    @property
    def url(self) -> str:
        """It, as Apprise names it."""
        return f"mailto://127.0.0.1:{self._controller.port}?from=art@example.org&mode=insecure"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._controller.stop()


@dataclass(frozen=True)
class Pace:
    """When it is time to kill: `every` so many seconds, and not before `mercy` more jobs have ended."""

    every: float
    mercy: int
    ended: list[str]

    def waits(self, over: threading.Event, chance: random.Random) -> bool:
        """Wait for that moment; False if it is all over."""
        before = len(self.ended)
        if over.wait(self.every * chance.uniform(0.5, 1.5)):
            return False
        while len(self.ended) < before + self.mercy:
            if over.wait(0.2):
                return False
        return True


class Client:
    """Clients that don't give up: they send again with the same key, and watch on from the last event that they saw."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.broken = 0

    def send(self, number: int, iterations: int) -> str:
        """Send job `number`; its id."""
        asked = wanted(f"a castle number {number}", email=f"job{number}@example.org")
        asked["settings"] |= {"iterations": iterations, "seed": number}
        headers = {"Idempotency-Key": f"job-{number}"}

        def answer() -> str | None:
            with contextlib.suppress(httpx.HTTPError):
                sent = httpx.post(f"{self._url}/api/jobs", json=asked, headers=headers, timeout=30)
                return str(sent.json()["id"]) if sent.status_code == 202 else None
            return None

        return str(until(answer, f"job {number} is accepted", 600))

    def watch(self, id: str, ended: list[str]) -> list[int]:
        """Watch a job to its end, through whatever breaks, and add it to `ended`; the numbers of the events."""
        seen: list[int] = []
        end = ""
        while end not in ENDS:
            headers = {"Last-Event-ID": str(seen[-1] if seen else 0)}
            try:
                with httpx.stream("GET", f"{self._url}/api/jobs/{id}/events", headers=headers, timeout=60) as answer:
                    for line in answer.iter_lines():
                        if line.startswith("data: "):
                            event = json.loads(line[6:])
                            end = event["kind"]
                            # One that waits may hear its first event again, with a new place in the queue.
                            if not seen or event["number"] != seen[-1] or end != "queued":
                                seen.append(event["number"])
            except httpx.HTTPError:
                self.broken += 1
                time.sleep(0.5)
        ended.append(id)
        return seen


def chaos(
    folder: Path,
    database: str | None,
    *,
    jobs: int,
    workers: int,
    every: float,
    mercy: int = 0,
    iterations: int = 8,
    seed: int = 1,
) -> Report:
    """Run it; every job has ended when it returns.

    Args:
        folder: for its files.
        database: a Postgres URL, or None for SQLite in the folder.
        jobs, workers: how many of each.
        every: seconds between two kills, more or less.
        mercy: so many jobs at least have to end between two kills, however slow the machine is: a job that is hit three
            times is put aside, as it should be.
        iterations: of each job.
        seed: of the chance that picks whom to kill.
    """
    began = time.monotonic()
    with Letterbox() as letterbox:
        config = Config(
            data=folder / "data",
            database=database,
            port=free_port(),
            heartbeat=3.0,
            notices=Notices(mail=letterbox.url),
            limits=Limits(per_minute=100_000, reads_per_minute=1_000_000, at_once=10_000, waiting=10_000),
        )
        with Processes(config, folder) as processes:
            processes.start_web()
            for _ in range(workers):
                processes.start("witnesses")
            client = Client(f"http://127.0.0.1:{config.port}")
            ended: list[str] = []
            pace = Pace(every, mercy, ended)
            with ThreadPoolExecutor(16) as pool, _killing(processes, pace, seed) as kills:
                ids = list(pool.map(lambda number: client.send(number, iterations), range(jobs)))
                streams = list(pool.map(lambda id: client.watch(id, ended), ids))
            found = [_job(config.port, id) for id in ids]
            ends = Counter(str(job["status"]) for job in found)
            until(lambda: len(letterbox.to) == ends["done"], "every job that is done has sent its mail", 600)
            time.sleep(3 * config.heartbeat)  # a second mail would come now
        assert len(set(ids)) == jobs
        broken = [numbers for numbers in streams if numbers != list(range(1, len(numbers) + 1))]
        assert not broken, f"a watcher missed something, or saw it twice: {broken[0]}"
        witnessed = (folder / "data" / "witnesses").read_text().splitlines()
        attempts, resumed, overlaps = _judge(witnessed)
        mails = dict(Counter(letterbox.to.values()))
    return Report(
        jobs=jobs,
        ends=dict(ends),
        errors=sorted({job["error"] for job in found if job["error"]}),
        worker_kills=kills["worker"],
        web_kills=kills["web"],
        attempts=attempts,
        resumed=resumed,
        overlaps=overlaps,
        mails=mails,
        broken_streams=client.broken,
        seconds=round(time.monotonic() - began, 1),
    )


@contextlib.contextmanager
def _killing(processes: Processes, pace: Pace, seed: int) -> Iterator[Counter[str]]:
    """While it lasts, a random worker is killed every few seconds and another one started; now and then the web."""
    chance, kills = random.Random(seed), Counter[str]()
    over = threading.Event()

    def kill() -> None:
        while pace.waits(over, chance):
            if chance.random() < 0.15:
                processes.kill_web()
                processes.start_web()
                kills["web"] += 1
            else:
                processes.kill(chance.choice(processes.processes))
                processes.start("witnesses")
                kills["worker"] += 1

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield kills
    finally:
        over.set()
        thread.join()


def _job(port: int, id: str) -> dict[str, Any]:
    job: dict[str, Any] = until(lambda: httpx.get(f"http://127.0.0.1:{port}/api/jobs/{id}").json(), "it is there")
    return job


def _judge(lines: list[str]) -> tuple[int, int, int]:
    """(attempts, those that went on where another had been, iterations of an attempt after the next one had begun)."""
    newest: dict[str, int] = {}
    attempts = resumed = overlaps = 0
    for line in lines:
        found = re.fullmatch(r"(\S+) (\d+) (\d+)", line)
        assert found, line
        id, attempt, iteration = found[1], int(found[2]), int(found[3])
        if attempt > newest.get(id, 0):
            newest[id] = attempt
            attempts += 1
            resumed += iteration > 1
        overlaps += attempt < newest[id]
    return attempts, resumed, overlaps


def main() -> None:
    """Run it as the command line says, and print the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--every", type=float, default=4.0)
    parser.add_argument("--mercy", type=int, default=0, help="jobs that have to end between two kills")
    parser.add_argument("--iterations", type=int, default=8)
    parser.add_argument("--postgres", action="store_true")
    options = parser.parse_args()
    from tests.serve.service import postgres

    with tempfile.TemporaryDirectory(prefix="text2art-chaos-") as folder, contextlib.ExitStack() as stack:
        database = stack.enter_context(postgres(Path(folder) / "pg")) if options.postgres else None
        amount = {"jobs": options.jobs, "workers": options.workers, "iterations": options.iterations}
        report = chaos(Path(folder), database, every=options.every, mercy=options.mercy, **amount)
    print(json.dumps(asdict(report), indent=1))


if __name__ == "__main__":
    main()
