"""What the database has to carry, call by call, without any drawing: CPU time here and at Postgres, and bytes on disk.

python -m tests.bench.serving              # SQLite
python -m tests.bench.serving --postgres   # a real Postgres
"""

import argparse
import contextlib
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import sqlalchemy as sa

from tests.serve.service import postgres, wanted
from text2art_nb.serve.config import Config, Limits
from text2art_nb.serve.job_service import JobService
from text2art_nb.serve.lease import acquire_lease
from text2art_nb.serve.requests import JobRequest

ROOM = Limits(per_minute=100_000, at_once=100_000, waiting=100_000)


def server_seconds() -> float:
    """CPU seconds that all processes of Postgres have taken."""
    total = 0.0
    for process in psutil.process_iter(["name"]):
        with contextlib.suppress(psutil.Error):
            if process.info["name"] == "postgres":
                total += sum(process.cpu_times()[:2])
    return total


def measured(count: int, call: Callable[[int], object]) -> dict[str, float]:
    """Milliseconds of CPU a call, here and at the server."""
    here, there = time.process_time(), server_seconds()
    for number in range(count):
        call(number)
    here, there = time.process_time() - here, server_seconds() - there
    return {"ms": round(here / count * 1000, 2), "server_ms": round(there / count * 1000, 2)}


def main() -> None:
    """Run it and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--count", type=int, default=300)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="text2art-bench-") as folder, contextlib.ExitStack() as stack:
        database = stack.enter_context(postgres(Path(folder) / "pg")) if options.postgres else None
        job_service = JobService(Config(data=Path(folder) / "data", database=database, limits=ROOM))
        request, count = JobRequest(**wanted()), options.count
        job_service.submissions.submit(request, "warm-up")
        found = {"submit": measured(count, lambda number: job_service.submissions.submit(request, f"visitor {number}"))}
        with job_service.engine.connect() as connection:
            ids = connection.execute(sa.text("SELECT id FROM jobs ORDER BY created")).scalars().all()
        found["get, in a queue of these"] = measured(count, lambda number: job_service.feed.get(ids[-1]))
        lease = acquire_lease(job_service.engine, ids[0], "bench")
        assert lease is not None
        found["note an iteration"] = measured(count, lambda number: lease.record_progress(number, count, 1.0))
        snapshot = job_service.feed.snapshot(ids[0])
        found["look at a watched job"] = measured(count, lambda number: job_service.feed.snapshot(ids[0], snapshot))
        found["gallery"] = measured(count // 10, lambda number: job_service.gallery.page(1, "visitor"))
        with job_service.engine.connect() as connection:
            if options.postgres:
                size = connection.execute(sa.text("SELECT pg_database_size(current_database())")).scalar_one()
            else:
                pages = sa.text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
                size = connection.execute(pages).scalar_one()
        job_service.close()
    print(json.dumps({**found, "database bytes": size}, indent=1))


if __name__ == "__main__":
    main()
