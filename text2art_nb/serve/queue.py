"""The durable queue: DBOS, told in our words. Nothing else here knows DBOS but `worker`, which runs it."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import sqlalchemy as sa
from dbos import DBOS, DBOSClient

APPLICATION: Final = "text2art"
VERSION: Final = "text2art-1"
"""Pinned: by default it is a hash of the code, and no job would be taken over after an edit."""
DRAWING, NOTICES = "gpu", "notices"
DRAW, NOTIFY = "draw", "notify"
OPEN: Final = ("ENQUEUED", "DELAYED", "PENDING")
"""What DBOS says of a workflow that has not ended."""
POLL_SECONDS: Final = 0.5
MOST: Final = 2**31 - 1
"""The largest priority; the lowest number comes first."""


class Queue:
    """Puts jobs into the queue and takes them out again; runs none."""

    def __init__(self, engine: sa.Engine) -> None:
        """Raises what SQLAlchemy raises if the database can't be reached."""
        self._client = DBOSClient(system_database_engine=engine, application_name=APPLICATION)

    def put(self, connection: sa.Connection, id: str, priority: int) -> None:
        """Have job `id` drawn once the transaction of `connection` is committed."""
        self._put(connection, DRAW, DRAWING, id, id, priority)

    def put_notice(self, connection: sa.Connection, id: str) -> None:
        """Have those told who want to know that job `id` is done, once the transaction is committed."""
        self._put(connection, NOTIFY, NOTICES, f"{id}.notice", id, 1)

    def _put(self, connection: sa.Connection, workflow: str, queue: str, name: str, id: str, priority: int) -> None:
        options: Any = {
            "workflow_name": workflow,
            "queue_name": queue,
            "workflow_id": name,
            "app_version": VERSION,
            "priority": max(1, min(priority, MOST)),
        }
        self._client.enqueue_in_transaction(connection, options, id)

    def cancel(self, id: str) -> None:
        """Take a job out of the queue; one that is drawn isn't given to anybody else any more."""
        self._client.cancel_workflow(id)

    def abandoned(self, worker: str) -> list[tuple[str, str]]:
        """(workflow, queue) of all that `worker` had taken and not finished."""
        found = self._client.list_workflows(
            status="PENDING", executor_id=worker, load_input=False, load_output=False, queues_only=False
        )
        return [(each.workflow_id, each.queue_name or DRAWING) for each in found]

    def give_back(self, workflows: Iterable[tuple[str, str]]) -> None:
        """Queue again what was taken, as (workflow, queue)."""
        for workflow, queue in workflows:
            self._client.resume_workflow(workflow, queue_name=queue)

    def forget(self, ids: Sequence[str]) -> list[str]:
        """Drop what the queue knows of jobs that have ended, but of those that somebody is still to be told of.

        Returns those that it dropped.
        """
        notices = [f"{id}.notice" for id in ids]
        open_ = self._client.list_workflows(
            workflow_ids=notices, status=list(OPEN), load_input=False, load_output=False
        )
        untold = {each.workflow_id for each in open_}
        dropped = [id for id in ids if f"{id}.notice" not in untold]
        if dropped:
            self._client.delete_workflows([name for id in dropped for name in (id, f"{id}.notice")])
        return dropped

    def close(self) -> None:
        """Let go of the database."""
        self._client.destroy()


def make_queue(engine: sa.Engine) -> None:
    """Make DBOS's own tables where they aren't there; any number of processes may do so at once.

    DBOS opens a SQLite file with Python's own SQLite. Two copies of that library in one process would lose each
    other's locks, so ours is closed first, and nothing is done if the tables are there: workers bring them up to date.
    """
    sqlite = engine.dialect.name == "sqlite"
    if sqlite:
        there = sa.inspect(engine).has_table("dbos_migrations")
        engine.dispose()
        if there:
            return
    DBOS.migrate(engine.url.render_as_string(hide_password=False))
