"""The OpenAPI says all that the API does, and no request, however odd, makes it break."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.serve.service import Service, serving, wanted
from text2art_nb.serve.config import Config, Limits

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
# Without the stream, which goes on for as long as a job does.
OPERATIONS = [
    ("/api/jobs", "POST"),
    ("/api/jobs/{id}", "GET"),
    ("/api/jobs/{id}", "DELETE"),
    ("/api/jobs/{id}/image", "GET"),
    ("/api/jobs/{id}/frame", "GET"),
    ("/api/jobs/{id}/like", "POST"),
    ("/api/gallery", "GET"),
    ("/api/health", "GET"),
    ("/api/metrics", "GET"),
]


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """A service that draws nothing of what it is sent."""
    folder = tmp_path_factory.mktemp("idle")
    limits = Limits(per_minute=100_000, reads_per_minute=1_000_000, at_once=20, waiting=1000)
    with serving(Config(data=folder / "data", limits=limits), folder, workers=0) as service:
        yield service


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_one_that_was_promised(idle: Service, path: str, method: str, mode: GenerationMode) -> None:
    operation = schemathesis.openapi.from_dict(idle.app.openapi())[path][method]
    if mode is GenerationMode.NEGATIVE and not list(operation.iter_parameters()) and not operation.body:
        return  # there is nothing in such a request that could be wrong

    @given(case=operation.as_strategy(mode))
    @settings(max_examples=15, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    def check(case: Any) -> None:
        case.call_and_validate(base_url=idle.url, checks=CHECKS)

    check()


def test_openapi_has_every_path_with_its_problems(idle: Service) -> None:
    said = idle.client.get("/openapi.json").json()
    assert {(path, method.upper()) for path, methods in said["paths"].items() for method in methods} >= set(OPERATIONS)
    for what in ("events", "image", "video", "svg", "frame"):
        assert "404" in said["paths"][f"/api/jobs/{{id}}/{what}"]["get"]["responses"]
    problem = said["paths"]["/api/jobs"]["post"]["responses"]["429"]["content"]
    assert list(problem) == ["application/problem+json"]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE"])
def test_a_method_that_a_path_lacks_is_refused_with_those_that_it_has(idle: Service, method: str) -> None:
    answer = idle.client.request(method, "/api/jobs")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert idle.client.request("PUT", "/api/jobs/x").headers["allow"] == "DELETE, GET"


def test_a_full_queue_says_when_to_come_again(idle: Service) -> None:
    answers = [idle.client.post("/api/jobs", json=wanted()) for _ in range(21)]
    assert (answers[-1].status_code, answers[-1].json()["type"]) == (429, "urn:text2art:too-many-jobs")
    assert int(answers[-1].headers["retry-after"]) >= 1
