"""What fifty watchers of one job cost: CPU time of the web process, of the worker, and the worker's CPU an iteration.

python -m tests.bench.watchers --watchers 50 --seconds 20
"""

import argparse
import contextlib
import json
import tempfile
import threading
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests.serve.service import Processes, free_port, until, wanted
from text2art_nb.serve.config import Config


def cpu(process: psutil.Process) -> float:
    """CPU seconds that a process has taken."""
    return float(sum(process.cpu_times()[:2]))


def watch(url: str, over: threading.Event, heard: list[int]) -> None:
    """Watch until told not to."""
    with contextlib.suppress(httpx.HTTPError), httpx.stream("GET", url, timeout=60) as answer:
        for _ in answer.iter_lines():
            heard[0] += 1
            if over.is_set():
                return


def main() -> None:
    """Run it and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--watchers", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=20.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="text2art-bench-") as folder:
        config = Config(data=Path(folder) / "data", port=free_port())
        with Processes(config, Path(folder)) as processes:
            processes.start_web()
            worker = psutil.Process(processes.start().pid)
            url = f"http://127.0.0.1:{config.port}/api/jobs"
            asked = wanted(type="image", settings={"size": "288x288", "iterations": 1000, "num_cuts": 12})
            id = httpx.post(url, json=asked).json()["id"]
            web = psutil.Process(processes.web_pid)

            def job() -> dict[str, Any]:
                found: dict[str, Any] = httpx.get(f"{url}/{id}", timeout=60).json()
                return found

            until(lambda: job()["iteration"] >= 5, "it is under way", 600)
            found = {}
            for watchers in (0, options.watchers):
                over, heard = threading.Event(), [0]
                for _ in range(watchers):
                    threading.Thread(target=watch, args=(f"{url}/{id}/events", over, heard), daemon=True).start()
                over.wait(2.0)
                before = cpu(web), cpu(worker), job()["iteration"]
                over.wait(options.seconds)
                after = cpu(web), cpu(worker), job()["iteration"]
                over.set()
                steps = max(1, after[2] - before[2])
                found[f"{watchers} watchers"] = {
                    "web, CPU seconds a second": round((after[0] - before[0]) / options.seconds, 4),
                    "worker, CPU seconds an iteration": round((after[1] - before[1]) / steps, 4),
                    "iterations a second": round(steps / options.seconds, 2),
                    "lines heard": heard[0],
                }
            httpx.delete(f"{url}/{id}")
            found["memory, MB"] = {
                "web": round(web.memory_info().rss / 1e6),
                "worker": round(worker.memory_info().rss / 1e6),
            }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
