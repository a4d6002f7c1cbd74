"""Nobody gets more than a share: so many jobs a minute, so many in hand, so many in the queue."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.serve.service import wanted
from text2art_nb.serve.config import Config, Limits
from text2art_nb.serve.job_service import JobService
from text2art_nb.serve.problems import Problem
from text2art_nb.serve.requests import JobRequest


def job_service(folder: Path, **limits: int) -> JobService:
    return JobService(Config(data=folder, limits=Limits(**limits)))


def refusal(job_service: JobService, visitor: str) -> Problem:
    with pytest.raises(Problem) as caught:
        job_service.submissions.submit(JobRequest(**wanted()), visitor)
    return caught.value


def test_a_visitor_sends_so_many_a_minute(tmp_path: Path) -> None:
    it = job_service(tmp_path, per_minute=2)
    for _ in range(2):
        it.submissions.submit(JobRequest(**wanted()), "ada")
    problem = refusal(it, "ada")
    assert (problem.status, problem.kind) == (429, "too-often")
    assert 1 <= (problem.retry_after or 0) <= 60
    assert it.submissions.submit(JobRequest(**wanted()), "bob").status == "queued"


def test_a_visitor_has_so_many_in_hand_until_one_is_cancelled(tmp_path: Path) -> None:
    it = job_service(tmp_path, at_once=1)
    job = it.submissions.submit(JobRequest(**wanted()), "ada")
    problem = refusal(it, "ada")
    assert (problem.kind, problem.headers.keys()) == ("too-many-jobs", {"Retry-After"})
    it.submissions.cancel(job.id)
    assert it.submissions.submit(JobRequest(**wanted()), "ada").status == "queued"


def test_thirty_at_the_same_moment_fill_the_queue_exactly(tmp_path: Path) -> None:
    it = job_service(tmp_path, waiting=5, at_once=2)

    def send(number: int) -> bool:
        try:
            it.submissions.submit(JobRequest(**wanted()), f"visitor {number % 10}")
        except Problem:
            return False
        return True

    with ThreadPoolExecutor(30) as pool:
        accepted = sum(pool.map(send, range(30)))
    assert (accepted, it.feed.count_open()) == (5, 5)
    assert refusal(it, "somebody else").kind == "queue-full"


def test_who_has_much_waiting_waits_behind_who_has_little(tmp_path: Path) -> None:
    it = job_service(tmp_path)
    many = [it.submissions.submit(JobRequest(**wanted()), "ada") for _ in range(3)]
    one = it.submissions.submit(JobRequest(**wanted()), "bob")
    assert it.feed.get(one.id).position == 2
    assert [it.feed.get(job.id).position for job in many] == [1, 3, 4]


def test_of_a_visitor_only_a_mark_is_kept(tmp_path: Path) -> None:
    it = job_service(tmp_path)
    it.submissions.submit(JobRequest(**wanted(email="ada@example.org")), "address 192.0.2.7")
    it.close()
    kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert b"192.0.2.7" not in kept
    assert b"ada@example.org" not in kept  # nobody sends mail here, so nobody needs it
