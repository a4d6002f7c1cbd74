"""One service with one worker for all tests that do it no harm: a worker costs some seconds to start."""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("dbos", reason="the extra [serve] is not installed")

from tests.serve.service import Service, serving
from text2art_nb.serve.config import Config, Limits


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """The service, open to all, with room for whatever the tests send."""
    folder: Path = tmp_path_factory.mktemp("service")
    room = Limits(per_minute=100_000, reads_per_minute=1_000_000, at_once=10_000, waiting=10_000, upload=300_000)
    with serving(Config(data=folder / "data", heartbeat=0.5, limits=room), folder) as found:
        yield found
