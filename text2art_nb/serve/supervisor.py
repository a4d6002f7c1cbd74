"""Start worker processes, restart them after a crash, and stop them with this process."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Final

from text2art_nb.serve.config import Config

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
END_SECONDS: Final = 40.0
"""Slightly longer than a worker waits for its iteration."""


class Supervisor:
    """Keep `count` workers of `config` running from `start` to `stop`."""

    def __init__(self, config: Config, count: int = 1) -> None:
        self._config, self._count = config, count
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Start the workers; return at once."""
        for number in range(self._count):
            thread = threading.Thread(
                target=self._supervise, args=(number,), name=f"text2art-supervisor-{number}", daemon=True
            )
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        """Stop each worker after its iteration. The next `start` continues their jobs."""
        self._stopping.set()
        for process in list(self._processes.values()):
            process.terminate()
        for thread in self._threads:
            thread.join(END_SECONDS)
        for process in list(self._processes.values()):
            process.kill()

    @property
    def processes(self) -> list[int]:
        """The ids of the running processes."""
        return [process.pid for process in list(self._processes.values()) if process.poll() is None]

    def _supervise(self, number: int) -> None:
        wait = FIRST_WAIT
        while not self._stopping.is_set():
            began = time.monotonic()
            process = self._processes[number] = start_worker(self._config)
            if self._stopping.is_set():
                process.terminate()
            process.wait()
            # Back off, or a worker that crashes at once would be restarted in a tight loop.
            wait = FIRST_WAIT if time.monotonic() - began > LONGEST_WAIT else min(wait * 2, LONGEST_WAIT)
            self._stopping.wait(wait)


def environment() -> dict[str, str]:
    """Return the environment with this process's import path, which a notebook may have changed."""
    here = str(Path(__file__).resolve().parents[2])
    return {**os.environ, "PYTHONPATH": os.pathsep.join([here, *filter(None, sys.path)])}


def start_worker(config: Config) -> "subprocess.Popen[bytes]":
    """Start a worker process that ends with this one. It reads its configuration, with secrets, from a pipe."""
    command = [sys.executable, "-m", "text2art_nb", "worker", "--config", "-", "--parent", str(os.getpid())]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(config.model_dump_json().encode())
    process.stdin.close()
    return process
