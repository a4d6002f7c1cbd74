"""Jobs survive whatever happens to those who draw them."""

import itertools
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest
import sqlalchemy as sa

from tests.bench.chaos import Letterbox
from tests.serve.service import Service, Workers, free_port, serving, until, wanted
from text2art_nb.artifacts.artwork import Artwork
from text2art_nb.serve import worker
from text2art_nb.serve.cleanup import sweep
from text2art_nb.serve.config import Config, Notices
from text2art_nb.serve.job_service import JobService
from text2art_nb.serve.lease import LeaseLost, acquire_lease
from text2art_nb.serve.notifier import Notifier
from text2art_nb.serve.problems import Problem
from text2art_nb.serve.queue import Queue
from text2art_nb.serve.requests import JobRequest
from text2art_nb.serve.store import CHECKPOINT, Store
from text2art_nb.serve.tables import addresses, engine_for, events, jobs
from text2art_nb.serve.worker_slot import acquire_slot

LONG = {"size": "128x128", "iterations": 400, "num_cuts": 4}


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[Service]:
    """A service without workers: each test starts its own, and kills it."""
    with serving(Config(data=tmp_path / "data", heartbeat=0.5), tmp_path, workers=0) as service:
        yield service


def row(service: Service, id: str) -> Any:
    with service.job_service.engine.connect() as connection:
        return connection.execute(sa.select(jobs).where(jobs.c.id == id)).one()


def test_a_job_whose_worker_is_killed_goes_on_where_it_was_at_another(alone: Service) -> None:
    id = alone.client.post("/api/jobs", json=wanted(settings=LONG)).json()["id"]
    first = alone.workers.start()
    until(
        lambda: list((alone.job_service.config.data / "runs" / id).glob("*/checkpoint.safetensors")),
        "a checkpoint is there",
    )
    until(lambda: row(alone, id).iteration >= 3, "it is under way")
    checkpoint_at = until(lambda: _checkpointed(alone, id), "the checkpoint has some iterations in it")
    second = alone.workers.start()  # it is there already when the first one dies, and has another name
    until(lambda: alone.client.get("/api/health").json()["workers"] == 2, "both are alive")
    alone.workers.kill(first)
    until(lambda: row(alone, id).attempt == 2, "the other one has taken it over")
    began_again = until(lambda: _first_of(alone, id, attempt_events=2), "it goes on")
    assert began_again >= checkpoint_at
    assert row(alone, id).crashes == 1
    alone.client.delete(f"/api/jobs/{id}")
    assert second.is_alive()


def _checkpointed(service: Service, id: str) -> int:
    """How many iterations are in the checkpoint of a job."""
    from text2art_nb.errors import RunError
    from text2art_nb.runs.checkpoint import Checkpoint

    for place in (service.job_service.config.data / "runs" / id).glob("*"):
        try:
            return Checkpoint.peek(place).iteration
        except RunError:
            return 0
    return 0


def _first_of(service: Service, id: str, attempt_events: int) -> int | None:
    """The iteration at which the given attempt at a job began, from its events: an attempt begins without a picture."""
    query = sa.select(events.c.iteration, events.c.kind).where(events.c.job == id).order_by(events.c.number)
    with service.job_service.engine.connect() as connection:
        told = [found.iteration for found in connection.execute(query) if found.kind != "queued"]
    starts = [told[0]] + [now for before, now in itertools.pairwise(told) if now <= before]
    return starts[attempt_events - 1] if len(starts) >= attempt_events else None


def test_a_job_that_kills_three_workers_is_put_aside_and_the_next_one_is_drawn(alone: Service) -> None:
    ids = [alone.client.post("/api/jobs", json=wanted(prompt)).json()["id"] for prompt in ("a poison fish", "a fish")]
    for _ in range(4):
        worker = alone.workers.start("dies_at_poison")
        until(lambda: not worker.is_alive() or row(alone, ids[1]).status == "done", "it dies, or the next one is done")  # noqa: B023
        if worker.is_alive():
            break
        alone.workers.processes.remove(worker)
    poisoned, fish = (alone.ended(id) for id in ids)
    assert (poisoned["status"], fish["status"]) == ("failed", "done")
    assert "put aside" in poisoned["error"]


def test_a_worker_that_is_told_to_end_gives_its_job_back_without_a_mark(alone: Service) -> None:
    id = alone.client.post("/api/jobs", json=wanted(settings=LONG)).json()["id"]
    worker, data = alone.workers.start("ends_when_allowed"), alone.job_service.config.data
    until(lambda: row(alone, id).iteration >= 3, "it is under way")
    os.kill(worker.pid or 0, signal.SIGTERM)  # from systemd to the whole service
    until((data / "ending").exists, "it is ending")
    os.kill(worker.pid or 0, signal.SIGTERM)  # from the web process to its worker
    (data / "may-end").touch()
    worker.join(60)
    assert worker.exitcode == 0
    found = row(alone, id)
    assert (found.status, found.crashes) == ("queued", 0)
    alone.workers.processes.remove(worker)
    alone.workers.start()
    until(lambda: row(alone, id).attempt == 2 and row(alone, id).iteration > found.iteration, "the next one goes on")
    alone.client.delete(f"/api/jobs/{id}")


def test_a_mail_that_fails_is_sent_later_and_nothing_is_drawn_again(tmp_path: Path) -> None:
    letterbox = Letterbox()  # its port is known, but nobody listens yet
    config = Config(data=tmp_path / "data", heartbeat=0.5, notices=Notices(mail=letterbox.url))
    with serving(config, tmp_path) as service:
        job = service.draw(email="ada@example.org")
        assert job["status"] == "done"
        until(
            lambda: "Step mail" in service.workers.said or "NoticeError" in service.workers.said, "the mail has failed"
        )
        with letterbox:
            until(lambda: letterbox.to, "the mail has come")
            until(lambda: row(service, job["id"]).notified, "it is known to have been sent")
        assert letterbox.to == {"ada@example.org": 1}
        assert row(service, job["id"]).attempt == 1
        with service.job_service.engine.connect() as connection:
            assert connection.execute(sa.select(addresses)).all() == []


class Stranger(Letterbox):
    """A mail server that knows nobody."""

    async def handle_RCPT(self, *_: Any) -> str:
        return "550 there is nobody of this name"


class Ear(BaseHTTPRequestHandler):
    """A channel, as Apprise's json:// has it; counts what it is told."""

    told: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.told.append(self.path)
        self.send_response(200)
        self.end_headers()


def test_a_refused_mail_is_given_up_at_once_and_the_channels_are_told(tmp_path: Path) -> None:
    ears = HTTPServer(("127.0.0.1", 0), Ear)
    threading.Thread(target=ears.serve_forever, daemon=True).start()
    with Stranger() as letterbox:
        channels = (f"json://127.0.0.1:{ears.server_port}",)
        config = Config(data=tmp_path / "data", heartbeat=0.5, notices=Notices(mail=letterbox.url, channels=channels))
        with serving(config, tmp_path) as service:
            job = service.draw(email="ada@example.org", public=True)
            until(lambda: _told(service, job["id"]), "all is told")
            assert Ear.told
            assert service.workers.said.count("its mail is given up") == 1
            assert addresses_of(service.job_service) == []
    ears.shutdown()


def addresses_of(job_service: JobService) -> list[str]:
    with job_service.engine.connect() as connection:
        return list(connection.execute(sa.select(addresses.c.address)).scalars())


class Locksmith(Letterbox):
    """A mail server that locks the database for a second once it has said yes to a mail."""

    job_service: JobService

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        connection = self.job_service.engine.connect()
        connection.execute(sa.update(jobs).values(total=jobs.c.total))
        threading.Timer(1.0, connection.close).start()
        return await super().handle_DATA(server, session, envelope)


def test_a_mail_that_was_taken_is_noted_also_where_the_database_is_locked_meanwhile(tmp_path: Path) -> None:
    with Locksmith() as letterbox:
        config = Config(data=tmp_path, notices=Notices(mail=letterbox.url))
        letterbox.job_service = job_service = JobService(config)
        id = job_service.submissions.submit(JobRequest(**wanted(), email="ada@example.org"), "ada").id
        hasty = engine_for(config)
        sa.event.listen(hasty, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout=10"))
        Notifier(config, hasty, job_service.store).mail(id)
        assert addresses_of(job_service) == []
        Notifier(config, hasty, job_service.store).mail(id)
        assert letterbox.to == {"ada@example.org": 1}


class Assassin(Letterbox):
    """A mail server that has every worker killed, by `kill`, when it has read a mail and before it says yes to it."""

    kill: Callable[[], None] = staticmethod(lambda: None)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.kill()
        return await super().handle_DATA(server, session, envelope)


def test_a_worker_killed_before_the_mail_server_has_said_yes_has_sent_its_one_mail(tmp_path: Path) -> None:
    with Assassin() as letterbox:
        config = Config(data=tmp_path / "data", heartbeat=0.5, notices=Notices(mail=letterbox.url))
        with serving(config, tmp_path) as service:
            killed = service.workers.processes[0]
            letterbox.kill = service.workers.end
            job = service.draw(email="ada@example.org")
            until(lambda: letterbox.to, "the mail has come")
            assert killed.exitcode == -signal.SIGKILL
            letterbox.kill = lambda: None
            service.workers.start()  # at the dead one's seat, so that the mail is given to it
            until(lambda: _told(service, job["id"]), "the next worker knows that the mail is sent")
        assert letterbox.to == {"ada@example.org": 1}


def _told(service: Service, id: str) -> bool:
    """Whether the queue is through with telling of a job."""
    query = sa.text("select status from workflow_status where workflow_uuid = :notice")
    with service.job_service.engine.connect() as connection:
        return connection.execute(query, {"notice": f"{id}.notice"}).scalar() == "SUCCESS"


def test_who_was_thought_dead_writes_nothing_more(tmp_path: Path) -> None:
    job_service = JobService(Config(data=tmp_path))
    id = job_service.submissions.submit(JobRequest(**wanted()), "ada").id
    first = acquire_lease(job_service.engine, id, "first")
    second = acquire_lease(job_service.engine, id, "second")
    assert first is not None
    assert second is not None
    with pytest.raises(LeaseLost):
        first.record_progress(1, 4, None)
    second.record_progress(1, 4, None)
    assert job_service.feed.get(id).iteration == 1
    assert not first.is_held()


def test_old_events_and_old_hidden_jobs_are_swept_away(tmp_path: Path) -> None:
    job_service = JobService(Config(data=tmp_path, keep_days=1))
    kept, old = (job_service.submissions.submit(JobRequest(**wanted()), "ada").id for _ in range(2))
    for id in (kept, old):
        job_service.submissions.cancel(id)
        job_service.store.put(id, "picture.png", b"x")
    with job_service.engine.begin() as connection:
        for id, seconds in ((kept, 7200.0), (old, 90_000.0)):
            connection.execute(sa.update(jobs).where(jobs.c.id == id).values(ended=jobs.c.ended - seconds))
    sweep(job_service.config, job_service.engine, job_service.store, Queue(job_service.engine))
    assert [event.kind for event in job_service.feed.events(kept)] == ["cancelled"]
    assert job_service.store.get(kept, "picture.png") == b"x"
    assert job_service.store.get(old, "picture.png") is None
    assert job_service.feed.count_open() == 0


def ended(job_service: JobService, seconds: float) -> str:
    """A job that was cancelled so many seconds ago."""
    id = job_service.submissions.submit(JobRequest(**wanted()), "ada").id
    job_service.submissions.cancel(id)
    with job_service.engine.begin() as connection:
        connection.execute(sa.update(jobs).where(jobs.c.id == id).values(ended=jobs.c.ended - seconds))
    return id


def known(job_service: JobService, id: str) -> list[str]:
    """What the queue knows of a job."""
    query = sa.text("select workflow_uuid from workflow_status where workflow_uuid like :id order by 1")
    with job_service.engine.connect() as connection:
        return list(connection.execute(query, {"id": f"{id}%"}).scalars())


def test_a_mail_that_waits_is_not_swept_away_until_it_is_through(tmp_path: Path) -> None:
    job_service = JobService(Config(data=tmp_path))
    queue = Queue(job_service.engine)
    id = ended(job_service, 7200.0)
    with job_service.engine.begin() as connection:
        queue.enqueue_notice(connection, id)
    sweep(job_service.config, job_service.engine, job_service.store, queue)
    assert f"{id}.notice" in known(job_service, id)
    with job_service.engine.begin() as connection:
        connection.execute(sa.text("update workflow_status set status = 'ERROR'"))
    sweep(job_service.config, job_service.engine, job_service.store, queue)
    assert known(job_service, id) == []


def test_a_job_whose_files_can_not_be_removed_keeps_no_other_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_service = JobService(Config(data=tmp_path, keep_days=1))
    stuck, old = (ended(job_service, 90_000.0) for _ in range(2))
    remove = Store.remove

    def refuse(self: Store, id: str) -> None:
        if id == stuck:
            raise PermissionError("not yours")
        remove(self, id)

    monkeypatch.setattr(Store, "remove", refuse)
    sweep(job_service.config, job_service.engine, job_service.store, Queue(job_service.engine))
    assert job_service.feed.get(stuck).status == "cancelled"
    with pytest.raises(Problem, match="there is no job"):
        job_service.feed.get(old)


def test_files_that_another_worker_removes_at_the_same_time_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(Config(data=tmp_path))
    store.put("a", "picture.png", b"x")
    rm = type(store._fs).rm

    def late(self: Any, *given: Any, **more: Any) -> None:
        rm(self, *given, **more)
        raise FileNotFoundError(given)

    monkeypatch.setattr(type(store._fs), "rm", late)
    store.remove("a")
    assert store.get("a", "picture.png") is None


def test_what_a_run_left_is_swept_away_unless_somebody_goes_on_with_it(tmp_path: Path) -> None:
    job_service = JobService(Config(data=tmp_path, files=f"memory://{tmp_path.name}"))
    waits, cancelled = job_service.submissions.submit(JobRequest(**wanted()), "ada").id, ended(job_service, 7200.0)
    for id in (waits, cancelled):
        folder = tmp_path / "runs" / id / "000001"
        folder.mkdir(parents=True)
        for each in (folder, folder.parent):
            os.utime(each, (1, 1))
        job_service.store.put(id, CHECKPOINT, b"x")
    sweep(job_service.config, job_service.engine, job_service.store, Queue(job_service.engine))
    assert [each.name for each in (tmp_path / "runs").iterdir()] == [waits]
    assert [job_service.store.get(id, CHECKPOINT) for id in (waits, cancelled)] == [b"x", None]


def test_a_worker_has_a_name_that_no_worker_of_another_folder_has(tmp_path: Path) -> None:
    one, other = (acquire_slot(Config(data=tmp_path / name, device="cpu")) for name in ("one", "other"))
    assert one.id != other.id
    one.lock.release()
    assert acquire_slot(Config(data=tmp_path / "one", device="cpu")).id == one.id


def test_a_worker_that_can_not_say_that_it_ends_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    codes: list[int] = []
    monkeypatch.setattr(worker, "LATEST_END_SECONDS", 0.05)
    monkeypatch.setattr(worker.os, "_exit", codes.append)
    monkeypatch.setattr(worker.logging, "shutdown", lambda: None)
    stopping = threading.Event()
    watching = threading.Thread(target=worker.exit_in_time, args=(stopping,))
    watching.start()
    watching.join(0.2)
    assert codes == []
    stopping.set()
    watching.join()
    assert codes == [worker.EXIT_DATABASE]


def test_a_picture_is_drawn_to_the_same_bytes_with_and_without_a_kill(alone: Service, tmp_path: Path) -> None:
    asked = {"size": "64x64", "iterations": 60, "num_cuts": 2, "make_video": False}
    ids = [alone.client.post("/api/jobs", json=wanted(settings=asked)).json()["id"] for _ in range(2)]
    worker = alone.workers.start()
    until(lambda: row(alone, ids[0]).iteration >= 5, "the first one is under way")
    alone.workers.kill(worker)
    alone.workers.start()
    for id in ids:
        assert alone.ended(id)["status"] == "done"
    assert row(alone, ids[0]).attempt == 2
    pictures = [Artwork.open(alone.client.get(f"/api/jobs/{id}/image").content) for id in ids]
    assert pictures[0].image.tobytes() == pictures[1].image.tobytes()
    assert not any((alone.job_service.config.data / "runs").iterdir())


def test_a_worker_says_in_a_sentence_what_it_lacks(tmp_path: Path) -> None:
    config = Config(data=tmp_path / "data", database=f"postgresql://nobody@127.0.0.1:{free_port()}/x")
    workers = Workers(config, tmp_path)
    worker = workers.start()
    worker.join(60)
    assert worker.exitcode not in (0, None)
    shutil.rmtree(tmp_path / "data")
