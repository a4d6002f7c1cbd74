"""A tenth of `tests/bench/chaos.py`: kill -9 again and again, and nothing is lost, doubled or told twice."""

from pathlib import Path

import pytest

from tests.bench.chaos import chaos
from text2art_nb.serve.lease import TOO_MANY_CRASHES


@pytest.mark.nightly
@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_jobs_come_through_while_workers_and_the_web_are_killed(tmp_path: Path) -> None:
    report = chaos(tmp_path, None, jobs=20, workers=3, every=2.0, mercy=3)
    assert sum(report.ends.values()) == 20
    assert report.ends["done"] >= 18  # one that is hit three times is put aside, and that is right
    assert report.worker_kills >= 3
    assert set(report.errors) <= {TOO_MANY_CRASHES}
    assert report.overlaps == 0
    assert report.mails == {1: report.ends["done"]}
