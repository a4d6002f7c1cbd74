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
from text2art_nb.serve import job_runner
from text2art_nb.serve.config import Config
from text2art_nb.serve.job_runner import BROKEN, Drawing, OutOfOrderError
from text2art_nb.serve.jobs import Desk, Job
from text2art_nb.serve.lease import take
from text2art_nb.serve.queue import Queue
from text2art_nb.serve.requests import JobRequest
from text2art_nb.serve.store import CHECKPOINT, FILM, FRAME, PICTURE, Store
from text2art_nb.serve.tables import jobs
from text2art_nb.settings import Settings


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(Config(data=tmp_path / "data"))
    yield found
    found.close()


def drawing(desk: Desk, store: Store | None = None) -> Drawing:
    """What a worker draws with, on this thread."""
    return Drawing(desk.config, desk.engine, store or desk.store, Queue(desk.engine), "worker", "cpu")


def hand_in(desk: Desk, **settings: Any) -> str:
    return desk.submit(JobRequest(**wanted(settings=settings)), "ada").id


class Stubborn(Store):
    """A store that refuses what `refuses` says."""

    refuses: Callable[[str], bool] = staticmethod(lambda name: False)

    def put(self, id: str, name: str, data: bytes) -> None:
        if self.refuses(name):
            raise OSError(errno.ENOSPC, "no space is left")
        super().put(id, name, data)


def drawn(desk: Desk, refuses: Callable[[str], bool]) -> Job:
    """A job after it was drawn with a store that refuses something."""
    store = Stubborn(desk.config)
    store.refuses = refuses
    id = hand_in(desk)
    drawing(desk, store).draw(id)
    return desk.get(id)


def test_a_picture_is_done_without_the_frames_and_the_film_that_the_store_refuses(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_runner, "PATIENCE_SECONDS", 0.0)
    job = drawn(desk, lambda name: name in (FRAME, FILM))
    assert (job.status, job.has_video) == ("done", False)
    assert desk.store.get(job.id, PICTURE) is not None


def test_a_store_that_is_away_for_a_moment_gets_the_picture_later(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job_runner, "RETRY_SECONDS", 0.01)
    tries: list[str] = []

    def twice(name: str) -> bool:
        tries.append(name)
        return name == PICTURE and tries.count(PICTURE) <= 2

    assert drawn(desk, twice).status == "done"


def test_a_picture_says_nothing_of_the_device_that_drew_it(desk: Desk) -> None:
    job = drawn(desk, lambda name: False)
    assert Artwork.open(desk.store.get(job.id, PICTURE) or b"").settings.device == "auto"


def test_a_full_disk_ends_the_worker_and_not_the_job(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(self: Checkpoint, path: Path) -> None:
        raise OSError(errno.ENOSPC, "no space is left", str(path))

    monkeypatch.setattr(Checkpoint, "write", write)
    id = hand_in(desk)
    with pytest.raises(OutOfOrderError):
        drawing(desk).draw(id)
    assert desk.get(id).status == "running", "whoever takes it up finds that its worker is gone"


def test_a_card_that_answers_no_more_ends_the_worker_and_not_the_job(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Any:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(Drawing, "_watch", broken)
    monkeypatch.setattr("torch.cuda.is_initialized", lambda: True)
    monkeypatch.setattr("torch.cuda.synchronize", broken)
    id = hand_in(desk)
    with pytest.raises(OutOfOrderError):
        drawing(desk).draw(id)
    assert desk.get(id).status == "running"


def test_a_failed_job_tells_no_path_of_the_server(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> Any:
        raise RunError("the weights at /root/secret/weights.bin are damaged")

    monkeypatch.setattr(Drawing, "_watch", broken)
    id = hand_in(desk)
    drawing(desk).draw(id)
    assert desk.get(id).error == BROKEN


def test_a_job_goes_on_where_its_new_worker_draws(desk: Desk) -> None:
    id = hand_in(desk)
    with desk.engine.connect() as connection:
        recipe = connection.execute(sa.select(jobs.c.recipe)).scalar_one()
    left = Settings.from_recipe(recipe, trusted=True).with_(device="cuda:1")
    Checkpoint(left).write(desk.config.data / "runs" / id / "000001" / NAME)
    take(desk.engine, id, "dead")
    hold = take(desk.engine, id, "worker")
    assert hold is not None
    run, _ = drawing(desk)._open(hold)
    assert run.settings.device == "cpu"


def test_a_bucket_keeps_no_checkpoint_of_a_job_that_is_done(tmp_path: Path) -> None:
    desk = Desk(Config(data=tmp_path / "data", files=f"memory://{tmp_path.name}"))
    id = hand_in(desk)
    drawing(desk).draw(id)
    assert desk.get(id).status == "done"
    assert desk.store.get(id, PICTURE) is not None
    assert desk.store.get(id, CHECKPOINT) is None
