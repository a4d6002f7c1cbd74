"""The article's collections: what a client of them sees, with Google's own client and an emulator on loopback."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("dbos", reason="the extra [serve] is not installed")
pytest.importorskip("google.cloud.firestore", reason="the extra [firestore] is not installed")

from google.cloud import firestore

from tests.serve.service import TINY, free_port, until
from text2art_nb.serve.config import Config, Limits, Notices
from text2art_nb.serve.firestore import PRIVATE, QUEUE, RESULTS, Bridge
from text2art_nb.serve.job_service import JobService

PACKAGE = "@firestore-emulator/server@0.3.15"

# Its own start() listens on every address of the machine.
SERVE = """
const {FirestoreServer} = require("@firestore-emulator/server");
const {ServerCredentials} = require("@grpc/grpc-js");
const firestore = new FirestoreServer();
firestore.server.bindAsync("127.0.0.1:" + process.argv[2], ServerCredentials.createInsecure(), (error) => {
  if (error) throw error;
  console.log("ready");
});
process.stdin.on("close", () => process.exit(0)).resume();
"""


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of an emulator; installed once for all runs on this machine."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("the Firestore emulator needs node and npm; on Debian: apt-get install npm")
    folder = Path(os.environ.get("T2A_EMULATOR") or Path.home() / ".cache" / "text2art-tests" / "firestore-0.3.15")
    if not (folder / "node_modules" / "@firestore-emulator").is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        install = ["npm", "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", PACKAGE]
        done = subprocess.run(install, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"npm could not install {PACKAGE}: {done.stderr[-300:]}")
    (folder / "serve.js").write_text(SERVE)
    address = f"127.0.0.1:{free_port()}"
    command = ["node", "serve.js", address.rpartition(":")[2]]
    with subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield address
        process.kill()


@pytest.fixture
def client(emulator: str, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> firestore.Client:
    """A client of a project of this test's own."""
    monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", emulator)
    return firestore.Client(project=f"p{abs(hash(request.node.name)) % 10**9}")


@pytest.fixture
def job_service(tmp_path: Path) -> Iterator[JobService]:
    """A service without workers that sends mail."""
    mail = Notices(mail="mailto://127.0.0.1:9?from=art@example.org&mode=insecure")
    found = JobService(
        Config(data=tmp_path / "data", notices=mail, url="https://art.example.org", limits=Limits(waiting=3))
    )
    yield found
    found.close()


@pytest.fixture
def bridge(job_service: JobService, client: firestore.Client) -> Iterator[Bridge]:
    found = Bridge(job_service, client)
    found.start()
    yield found
    found.stop()


def entry(**changes: Any) -> dict[str, Any]:
    return {"prompt": "a castle", "type": "pixel art", "settings": TINY, "timestamp": time.time(), **changes}


def result(
    client: firestore.Client, id: str, true: Callable[[dict[str, Any]], bool] = lambda _: True
) -> dict[str, Any]:
    """What `generated_images` says of a job, once it is so."""

    def found() -> dict[str, Any] | None:
        shown = client.collection(RESULTS).document(id).get().to_dict()
        return shown if shown is not None and true(shown) else None

    shown: dict[str, Any] = until(found, f"{id} is in {RESULTS} as it should be", 60)
    return shown


def test_an_entry_becomes_a_job_of_its_name_and_says_its_place(
    bridge: Bridge, client: firestore.Client, job_service: JobService
) -> None:
    _, document = client.collection(QUEUE).add(entry())
    shown = result(client, document.id)
    assert (shown["status"], shown["position"], shown["prompt"]) == ("queued", 1, "a castle")
    assert job_service.feed.get(document.id).total == TINY["iterations"]
    assert document.get().exists, "it waits, so it is still in the queue"


def test_no_address_stays_where_clients_read(bridge: Bridge, client: firestore.Client, job_service: JobService) -> None:
    _, document = client.collection(QUEUE).add(entry(email="ada@example.org"))
    result(client, document.id)
    public = [each.to_dict() for name in (QUEUE, RESULTS) for each in client.collection(name).stream()]
    assert public
    assert "ada@example.org" not in json.dumps(public, default=str)
    assert client.collection(PRIVATE).document(document.id).get().to_dict() == {"email": "ada@example.org"}
    with job_service.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT address FROM addresses").scalars().all() == ["ada@example.org"]


def test_what_can_not_be_drawn_is_said_and_leaves_the_queue(bridge: Bridge, client: firestore.Client) -> None:
    _, document = client.collection(QUEUE).add(entry(settings={"iteratons": 3}, email="ada@example.org"))
    shown = result(client, document.id)
    assert shown["status"] == "failed"
    assert "iterations" in shown["error"]
    until(lambda: not document.get().exists, "the entry is gone", 30)
    until(lambda: not client.collection(PRIVATE).document(document.id).get().exists, "the address is gone", 30)


def test_a_cancelled_job_is_shown_so_and_vanishes_from_the_queue(
    bridge: Bridge, client: firestore.Client, job_service: JobService
) -> None:
    _, document = client.collection(QUEUE).add(entry())
    result(client, document.id)
    job_service.submissions.cancel(document.id)
    assert result(client, document.id, lambda shown: shown["status"] == "cancelled")["position"] is None
    until(lambda: not document.get().exists, "the entry is gone", 30)


def test_two_bridges_and_a_restart_make_one_job_of_an_entry(
    bridge: Bridge, client: firestore.Client, job_service: JobService
) -> None:
    second = Bridge(job_service, client)
    second.start()
    _, document = client.collection(QUEUE).add(entry())
    result(client, document.id)
    second.stop()
    third = Bridge(job_service, client)
    third.start()
    bridge.stop()
    job_service.submissions.cancel(document.id)
    result(client, document.id, lambda shown: shown["status"] == "cancelled")
    third.stop()
    with job_service.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM jobs").scalar_one() == 1


def test_an_entry_that_waits_for_room_shows_no_address(
    bridge: Bridge, client: firestore.Client, job_service: JobService
) -> None:
    for number in range(5):
        client.collection(QUEUE).add(entry(prompt=f"castle {number}", email="ada@example.org"))

    def shown() -> list[str]:
        return [each.id for each in client.collection(QUEUE).stream() if (each.to_dict() or {}).get("email")]

    until(lambda: job_service.feed.count_open() == 3 and not shown(), "no address is to be seen", 60)


def test_an_entry_that_is_no_json_is_refused(bridge: Bridge, client: firestore.Client) -> None:
    _, document = client.collection(QUEUE).add(entry(settings={**TINY, "size": firestore.GeoPoint(1, 2)}))
    assert "settings" in result(client, document.id)["error"]
    until(lambda: not document.get().exists, "the entry is gone", 30)


def test_a_watch_that_ended_is_begun_anew(
    bridge: Bridge, client: firestore.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("text2art_nb.serve.firestore.WATCH_SECONDS", 0.0)
    bridge._watch.close()
    _, document = client.collection(QUEUE).add(entry())
    assert result(client, document.id)["status"] == "queued"


def test_an_entry_that_finds_the_queue_full_waits_for_its_turn(
    bridge: Bridge, client: firestore.Client, job_service: JobService
) -> None:
    documents = [client.collection(QUEUE).add(entry(prompt=f"castle {number}"))[1] for number in range(4)]
    until(lambda: job_service.feed.count_open() == 3, "three are in the queue", 60)
    with job_service.engine.connect() as connection:
        taken = connection.exec_driver_sql("SELECT id FROM jobs").scalars().all()
    [late] = [each for each in documents if each.id not in taken]
    assert late.id == documents[-1].id, "who came first is taken first"
    assert late.get().exists
    job_service.submissions.cancel(taken[0])
    assert result(client, late.id)["status"] == "queued"
