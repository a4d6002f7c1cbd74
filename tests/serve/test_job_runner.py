"""Trouble around a job is not the job's: it is drawn all the same, or the worker ends and another one draws it."""

import errno
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

pytest.importorskip("dbos", reason="the extra [serve] is not installed")

from tests.serve.service import wanted
from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.errors import RunError
from text2art_nb.runs.checkpoint import NAME, Checkpoint
from text2art_nb.serve import retry
from text2art_nb.serve.config import Config
from text2art_nb.serve.job_runner import PUBLIC_FAILURE, JobRunner, WorkerBrokenError
from text2art_nb.serve.job_service import JobService
from text2art_nb.serve.jobs import Job
from text2art_nb.serve.lease import acquire_lease
from text2art_nb.serve.queue import Queue
from text2art_nb.serve.requests import JobRequest
from text2art_nb.serve.store import CHECKPOINT, FILM, FRAME, PICTURE, Store
from text2art_nb.serve.tables import jobs
from text2art_nb.settings import Settings


@pytest.fixture
def job_service(tmp_path: Path) -> Iterator[JobService]:
    found = JobService(Config(data=tmp_path / "data"))
    yield found
    found.close()


def drawing(job_service: JobService, store: Store | None = None) -> JobRunner:
    """What a worker draws with, on this thread."""
    return JobRunner(
        job_service.config, job_service.engine, store or job_service.store, Queue(job_service.engine), "worker", "cpu"
    )


def hand_in(job_service: JobService, **settings: Any) -> str:
    return job_service.submissions.submit(JobRequest(**wanted(settings=settings)), "ada").id


class Stubborn(Store):
    """A store that refuses what `refuses` says."""

    refuses: Callable[[str], bool] = staticmethod(lambda name: False)

    def put(self, id: str, name: str, data: bytes) -> None:
        if self.refuses(name):
            raise OSError(errno.ENOSPC, "no space is left")
        super().put(id, name, data)


def drawn(job_service: JobService, refuses: Callable[[str], bool]) -> Job:
    """A job after it was drawn with a store that refuses something."""
    store = Stubborn(job_service.config)
    store.refuses = refuses
    id = hand_in(job_service)
    drawing(job_service, store).draw(id)
    return job_service.feed.get(id)


def test_a_picture_is_done_without_the_frames_and_the_film_that_the_store_refuses(
    job_service: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "RETRY_FOR_SECONDS", 0.0)
    job = drawn(job_service, lambda name: name in (FRAME, FILM))
    assert (job.status, job.has_video) == ("done", False)
    assert job_service.store.get(job.id, PICTURE) is not None


def test_a_store_that_is_away_for_a_moment_gets_the_picture_later(
    job_service: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "FIRST_DELAY_SECONDS", 0.01)
    tries: list[str] = []

    def twice(name: str) -> bool:
        tries.append(name)
        return name == PICTURE and tries.count(PICTURE) <= 2

    assert drawn(job_service, twice).status == "done"


def test_a_picture_says_nothing_of_the_device_that_drew_it(job_service: JobService) -> None:
    job = drawn(job_service, lambda name: False)
    assert Artwork.open(job_service.store.get(job.id, PICTURE) or b"").settings.device == "auto"


def test_a_full_disk_ends_the_worker_and_not_the_job(job_service: JobService, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(self: Checkpoint, path: Path) -> None:
        raise OSError(errno.ENOSPC, "no space is left", str(path))

    monkeypatch.setattr(Checkpoint, "write", write)
    id = hand_in(job_service)
    with pytest.raises(WorkerBrokenError):
        drawing(job_service).draw(id)
    assert job_service.feed.get(id).status == "running", "whoever takes it up finds that its worker is gone"


def test_a_card_that_answers_no_more_ends_the_worker_and_not_the_job(
    job_service: JobService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Any:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(JobRunner, "_watch", broken)
    monkeypatch.setattr("torch.cuda.is_initialized", lambda: True)
    monkeypatch.setattr("torch.cuda.synchronize", broken)
    id = hand_in(job_service)
    with pytest.raises(WorkerBrokenError):
        drawing(job_service).draw(id)
    assert job_service.feed.get(id).status == "running"


def test_a_failed_job_tells_no_path_of_the_server(job_service: JobService, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Any:
        raise RunError("the weights at /root/secret/weights.bin are damaged")

    monkeypatch.setattr(JobRunner, "_watch", broken)
    id = hand_in(job_service)
    drawing(job_service).draw(id)
    assert job_service.feed.get(id).error == PUBLIC_FAILURE


def test_a_job_goes_on_where_its_new_worker_draws(job_service: JobService) -> None:
    id = hand_in(job_service)
    with job_service.engine.connect() as connection:
        recipe = connection.execute(sa.select(jobs.c.recipe)).scalar_one()
    left = Settings.from_recipe(recipe, trusted=True).with_(device="cuda:1")
    Checkpoint(left).write(job_service.config.data / "runs" / id / "000001" / NAME)
    acquire_lease(job_service.engine, id, "dead")
    lease = acquire_lease(job_service.engine, id, "worker")
    assert lease is not None
    run, _ = drawing(job_service)._open(lease)
    assert run.settings.device == "cpu"


def test_a_bucket_keeps_no_checkpoint_of_a_job_that_is_done(tmp_path: Path) -> None:
    job_service = JobService(Config(data=tmp_path / "data", files=f"memory://{tmp_path.name}"))
    id = hand_in(job_service)
    drawing(job_service).draw(id)
    assert job_service.feed.get(id).status == "done"
    assert job_service.store.get(id, PICTURE) is not None
    assert job_service.store.get(id, CHECKPOINT) is None
