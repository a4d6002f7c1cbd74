"""What the tests cost, in CPU-seconds of this process and of those that it has waited for.

python -m pytest -p tests.bench.cpu_seconds tests/cli

Wall time says little on a machine that does other things meanwhile. A process that is still there at the end of a test,
such as a worker of the service, counts where it is waited for.
"""

import os
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

LONGEST = 40
"""How many of the tests are listed."""


def spent() -> float:
    """CPU-seconds of this process, its threads and its children so far."""
    return sum(os.times()[:4])


class Meter:
    """Adds up what each phase of each test costs."""

    def __init__(self) -> None:
        self.begun = spent()
        self.collected = self.begun
        self.tests: Counter[tuple[str, str]] = Counter()

    def pytest_collection_finish(self) -> None:
        """Collecting has ended."""
        self.collected = spent()

    def _measure(self, item: pytest.Item, phase: str) -> Iterator[None]:
        before = spent()
        yield
        self.tests[item.nodeid, phase] += spent() - before  # type: ignore[assignment]

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        """A test's fixtures are made."""
        yield from self._measure(item, "setup")

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Iterator[None]:
        """A test runs."""
        yield from self._measure(item, "call")

    @pytest.hookimpl(hookwrapper=True, tryfirst=True)
    def pytest_runtest_teardown(self, item: pytest.Item) -> Iterator[None]:
        """A test's fixtures are cleared away."""
        yield from self._measure(item, "teardown")

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the sums, then the files and the phases that cost most."""
        write = terminalreporter.write_line
        files: Counter[str] = Counter()
        for (name, _), seconds in self.tests.items():
            files[name.partition("::")[0]] += seconds  # type: ignore[assignment]
        terminalreporter.section("CPU-seconds")
        write(f"{self.collected - self.begun:8.2f} collecting")
        write(f"{sum(files.values()):8.2f} {len(self.tests) // 3} tests")
        for file, seconds in files.most_common():
            write(f"{seconds:8.2f} {file}")
        for (name, phase), seconds in self.tests.most_common(LONGEST):
            write(f"{seconds:8.2f} {phase:8} {name}")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to measure."""
    config.pluginmanager.register(Meter())
