"""The durable queue, on DBOS. Only this module and `worker` know DBOS."""

from collections.abc import Iterable, Sequence
from typing import Final

import sqlalchemy as sa
from dbos import DBOS, DBOSClient, EnqueueOptions

APPLICATION: Final = "text2art"
VERSION: Final = "text2art-1"
"""Pinned: by default it is a hash of the code, and an update would orphan all queued jobs."""
DRAWING, NOTICES = "gpu", "notices"
DRAW, NOTIFY = "draw", "notify"
OPEN: Final = ("ENQUEUED", "DELAYED", "PENDING")
"""DBOS states of a workflow that has not ended."""
POLL_SECONDS: Final = 0.5
MAX_PRIORITY: Final = 2**31 - 1
"""The last place in the queue. The lowest number comes first."""


class Queue:
    """Add and remove jobs. `worker` runs them."""

    def __init__(self, engine: sa.Engine) -> None:
        """Connect to the database. Raises SQLAlchemy's errors if it can't be reached."""
        self._client = DBOSClient(system_database_engine=engine, application_name=APPLICATION)

    def enqueue(self, connection: sa.Connection, id: str, priority: int) -> None:
        """Queue job `id` as part of the transaction of `connection`."""
        self._enqueue(connection, DRAW, DRAWING, id, id, priority)

    def enqueue_notice(self, connection: sa.Connection, id: str) -> None:
        """Queue the notices of finished job `id` as part of the transaction of `connection`."""
        self._enqueue(connection, NOTIFY, NOTICES, f"{id}.notice", id, 1)

    def _enqueue(self, connection: sa.Connection, workflow: str, queue: str, name: str, id: str, priority: int) -> None:
        options: EnqueueOptions = {
            "workflow_name": workflow,
            "queue_name": queue,
            "workflow_id": name,
            "app_version": VERSION,
            "priority": max(1, min(priority, MAX_PRIORITY)),
        }
        self._client.enqueue_in_transaction(connection, options, id)

    def cancel(self, id: str) -> None:
        """Remove a job from the queue. A job that is being drawn is not given to another worker."""
        self._client.cancel_workflow(id)

    def abandoned(self, worker: str) -> list[tuple[str, str]]:
        """List (workflow, queue) of everything that `worker` took and did not finish."""
        found = self._client.list_workflows(
            status="PENDING", executor_id=worker, load_input=False, load_output=False, queues_only=False
        )
        return [(each.workflow_id, each.queue_name or DRAWING) for each in found]

    def requeue(self, workflows: Iterable[tuple[str, str]]) -> None:
        """Queue workflows again, given as (workflow, queue)."""
        for workflow, queue in workflows:
            self._client.resume_workflow(workflow, queue_name=queue)

    def forget(self, ids: Sequence[str]) -> list[str]:
        """Delete the queue's records of ended jobs, except those with a pending notice.

        Returns:
            The ids whose records were deleted.
        """
        notices = [f"{id}.notice" for id in ids]
        open_ = self._client.list_workflows(
            workflow_ids=notices, status=list(OPEN), load_input=False, load_output=False
        )
        pending = {each.workflow_id for each in open_}
        dropped = [id for id in ids if f"{id}.notice" not in pending]
        if dropped:
            self._client.delete_workflows([name for id in dropped for name in (id, f"{id}.notice")])
        return dropped

    def close(self) -> None:
        """Disconnect from the database."""
        self._client.destroy()


def make_queue(engine: sa.Engine) -> None:
    """Create DBOS's own tables if they don't exist. Safe in several processes at once.

    DBOS opens a SQLite file with Python's own SQLite. Two copies of that library in one process lose each other's
    locks, so our connections are closed first. Existing tables are left alone: workers migrate them.
    """
    sqlite = engine.dialect.name == "sqlite"
    if sqlite:
        exists = sa.inspect(engine).has_table("dbos_migrations")
        engine.dispose()
        if exists:
            return
    DBOS.migrate(engine.url.render_as_string(hide_password=False))
