"""What an API client gets: a job that is drawn while it watches, its files, and plain answers."""

import io
import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.serve.service import Service, draw_alone, until, wanted
from text2art_nb.artifacts.artwork import Artwork

Said = tuple[int, str, dict[str, Any]]


@pytest.fixture(scope="module")
def drawn(service: Service) -> dict[str, Any]:
    """A job that is done."""
    return service.draw(prompt="a castle", public=True)


def watched(service: Service, id: str, after: int = 0, most: int = 10_000) -> list[Said]:
    """The events of a job as a browser hears them: (id, event, data), at most so many."""
    said: list[Said] = []
    with service.client.stream("GET", f"/api/jobs/{id}/events", headers={"Last-Event-ID": str(after)}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        fields: dict[str, str] = {}
        for line in answer.iter_lines():
            if line:
                name, _, value = line.partition(": ")
                fields[name] = value
            elif "data" in fields:
                said.append((int(fields["id"]), fields["event"], json.loads(fields["data"])))
                fields = {}
                if len(said) >= most:
                    break
    return said


def test_a_job_is_accepted_at_once_and_says_where_it_is(service: Service) -> None:
    answer = service.client.post("/api/jobs", json=wanted())
    job = answer.json()
    assert answer.status_code == 202
    assert answer.headers["location"] == f"/api/jobs/{job['id']}"
    assert job["status"] in ("queued", "running")
    assert job.keys() >= {"id", "status", "position", "eta"}
    service.ended(job["id"])


def test_its_picture_is_a_png_that_draws_itself_again(service: Service, drawn: dict[str, Any]) -> None:
    answer = service.client.get(f"/api/jobs/{drawn['id']}/image")
    assert answer.headers["content-type"] == "image/png"
    artwork = Artwork.open(answer.content)
    assert artwork.image.size == (48, 48)
    assert artwork.settings.prompts == "a castle #pixelart"
    assert artwork.settings.seed == 7


def test_its_film_can_be_played_from_the_middle(service: Service, drawn: dict[str, Any]) -> None:
    answer = service.client.get(f"/api/jobs/{drawn['id']}/video", headers={"Range": "bytes=4-7"})
    assert (answer.status_code, answer.content) == (206, b"ftyp")


def test_strokes_are_had_as_svg_and_pixels_are_not(service: Service, drawn: dict[str, Any]) -> None:
    strokes = {"size": "32x32", "iterations": 3, "num_cuts": 1, "strokes": 4}
    job = service.ended(service.client.post("/api/jobs", json=wanted(type="painting", settings=strokes)).json()["id"])
    assert b"<svg" in service.client.get(f"/api/jobs/{job['id']}/svg").content
    refused = service.client.get(f"/api/jobs/{drawn['id']}/svg")
    assert (refused.status_code, refused.headers["content-type"]) == (404, "application/problem+json")


def test_whoever_watches_sees_it_queued_drawn_and_done(service: Service) -> None:
    id = service.client.post("/api/jobs", json=wanted()).json()["id"]
    said = watched(service, id)
    kinds = [kind for _, kind, _ in said]
    assert kinds[0] == "queued"
    assert "frame" in kinds
    assert kinds[-1] == "done"
    assert said[-1][2]["job"]["iteration"] == 4
    frame = service.client.get(f"/api/jobs/{id}/frame")
    assert Image.open(io.BytesIO(frame.content)).format == "JPEG"


@given(cuts=st.lists(st.integers(1, 6), max_size=5))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_watcher_cut_off_anywhere_misses_nothing_and_sees_nothing_twice(
    service: Service, drawn: dict[str, Any], cuts: list[int]
) -> None:
    whole = [(number, kind) for number, kind, _ in watched(service, drawn["id"])]
    said: list[tuple[int, str]] = []
    for most in [*cuts, 10_000]:
        after = said[-1][0] if said else 0
        said += [(number, kind) for number, kind, _ in watched(service, drawn["id"], after, most)]
    assert said == whole
    assert [number for number, _ in said] == list(range(1, len(said) + 1))


def test_the_same_idempotency_key_gives_the_same_job(service: Service) -> None:
    answers = [service.client.post("/api/jobs", json=wanted(), headers={"Idempotency-Key": "one"}) for _ in range(2)]
    assert answers[0].json()["id"] == answers[1].json()["id"]
    assert answers[1].status_code == 202
    service.ended(answers[0].json()["id"])


def test_settings_stand_at_the_top_or_inside(service: Service) -> None:
    asked = {"prompts": "a fish", "drawer": "pixel", "size": "48x48", "iterations": 2, "num_cuts": 1, "seed": 3}
    job = service.ended(service.client.post("/api/jobs", json=asked).json()["id"])
    assert Artwork.open(service.client.get(f"/api/jobs/{job['id']}/image").content).settings.prompts == "a fish"


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"settings": {"iteratoins": 3}}, "iteratoins", "did you mean 'iterations'?"),
        ({"settings": {"iterations": 10_000}}, "iterations", "at most 1000"),
        ({"settings": {"drawer": "vqgam"}}, "drawer", "did you mean 'vqgan'?"),
        ({"prompt": ""}, "prompts", "say what to draw"),
        ({"type": "statue"}, "type", "'image', 'painting' or 'pixel art'"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence_beside_its_field(
    service: Service, change: dict[str, Any], field: str, sentence: str
) -> None:
    answer = service.client.post("/api/jobs", json=wanted(**change))
    assert (answer.status_code, answer.headers["content-type"]) == (422, "application/problem+json")
    assert sentence in answer.json()["fields"][field]


def test_a_cancelled_job_is_over_within_an_iteration_and_frees_its_worker(service: Service) -> None:
    long = {"size": "256x256", "iterations": 1000, "num_cuts": 4}
    id = service.client.post("/api/jobs", json=wanted(settings=long)).json()["id"]
    until(lambda: service.client.get(f"/api/jobs/{id}").json()["iteration"] >= 2, "it is being drawn")
    answer = service.client.delete(f"/api/jobs/{id}")
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert watched(service, id)[-1][1] == "cancelled"
    assert service.draw()["status"] == "done"
    assert service.client.get(f"/api/jobs/{id}").json()["iteration"] < 1000
    assert service.client.get(f"/api/jobs/{id}/image").status_code == 404


def test_a_job_that_fails_says_why(service: Service) -> None:
    huge = {"size": "48x48", "iterations": 3, "palette": "pico-8", "transparent": True, "pixel_size": "1x1"}
    job = service.draw(settings=huge)
    assert job["status"] in ("done", "failed")
    assert (job["error"] is None) == (job["status"] == "done")


def test_the_gallery_has_what_may_be_seen_and_each_visitor_likes_once(service: Service, drawn: dict[str, Any]) -> None:
    hidden = service.draw(public=False)["id"]
    hanging = service.client.get("/api/gallery").json()
    assert drawn["id"] in [each["id"] for each in hanging]
    assert hidden not in [each["id"] for each in hanging]
    likes = [service.client.post(f"/api/jobs/{drawn['id']}/like").json()["likes"] for _ in range(3)]
    assert likes == [1, 0, 1]
    assert service.client.post(f"/api/jobs/{hidden}/like").status_code == 404


def test_health_and_metrics_count_workers_and_jobs(service: Service, drawn: dict[str, Any]) -> None:
    health = service.client.get("/api/health").json()
    assert (health["status"], health["workers"]) == ("ok", 1)
    lines = service.client.get("/api/metrics").text.splitlines()
    done = next(line for line in lines if line.startswith('text2art_jobs{status="done"}'))
    assert int(done.split()[-1]) >= 1
    assert "text2art_workers 1" in lines


def test_swagger_comes_from_here_alone(service: Service) -> None:
    page = service.client.get("/docs").text
    assert "http://" not in page.replace(service.url, "")
    assert "https://" not in page
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert service.client.get(f"/docs/files/{name}").status_code == 200


def test_importing_text2art_loads_nothing_of_the_service() -> None:
    heavy = ("dbos", "fastapi", "sqlalchemy", "uvicorn", "limits", "gradio", "apprise", "text2art_nb.serve")
    code = f"import sys, text2art_nb; print([each for each in {heavy!r} if each in sys.modules])"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


@pytest.mark.parametrize("many", [6, pytest.param(20, marks=pytest.mark.nightly)])
def test_two_and_then_many_at_once_each_get_the_picture_of_their_own_prompt(
    service: Service, tmp_path: Path, many: int
) -> None:
    """Byte for byte what the same settings draw alone, in another process; two workers draw for the many."""
    colours, things = ("red", "blue", "green", "yellow", "pink"), ("castle", "fish", "boat", "tree")
    prompts = [f"a {colour} {thing}" for thing in things for colour in colours][:many]

    def all_at_once(some: list[str]) -> dict[str, bytes]:
        with ThreadPoolExecutor(len(some)) as users:
            jobs = list(users.map(lambda prompt: service.draw(prompt=prompt), some))
        assert {job["status"] for job in jobs} == {"done"}
        return {
            prompt: service.client.get(f"/api/jobs/{job['id']}/image").content
            for prompt, job in zip(some, jobs, strict=True)
        }

    pictures = all_at_once(["the moon", "a house"])
    second = service.workers.start()
    pictures |= all_at_once(prompts)
    service.workers.kill(second)
    draw_alone(tmp_path, list(pictures))
    assert len(set(pictures.values())) == 2 + many
    assert {prompt: (tmp_path / f"{prompt}.png").read_bytes() for prompt in pictures} == pictures
