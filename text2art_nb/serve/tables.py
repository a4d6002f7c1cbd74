"""The service's tables, beside DBOS's in the same database, and the engine for both: SQLite or Postgres."""

import logging
import secrets
import sqlite3
from importlib import import_module
from pathlib import Path
from types import ModuleType

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import CreateIndex, CreateTable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from text2art_nb.errors import Text2ArtError
from text2art_nb.runtime.filesystems import mount_of
from text2art_nb.serve.config import Config

SCHEMA_LOCK = 7_250_713
"""Postgres advisory lock while tables are created; any otherwise unused number."""
OLD_SQLITE = (3, 42)
"""Older versions lack unixepoch('subsec'), which DBOS needs. Debian 12 and Colab have older ones."""

log = logging.getLogger("text2art.serve")

metadata = sa.MetaData()

jobs = sa.Table(
    "jobs",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("status", sa.String(10), nullable=False),
    sa.Column("visitor", sa.String(64), nullable=False),
    sa.Column("prompt", sa.Text, nullable=False),
    sa.Column("public", sa.Boolean, nullable=False),
    sa.Column("request", sa.JSON, nullable=False),  # the JobRequest, without the e-mail address
    sa.Column("recipe", sa.JSON, nullable=False),  # the settings, resolved
    sa.Column("work", sa.Float, nullable=False),  # number of views; drawing time is proportional
    sa.Column("priority", sa.Integer, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
    sa.Column("started", sa.Float),
    sa.Column("ended", sa.Float),
    sa.Column("attempt", sa.Integer, nullable=False, default=0),  # fencing token of the lease
    sa.Column("crashes", sa.Integer, nullable=False, default=0),  # workers that crashed while drawing it
    sa.Column("worker", sa.String(128)),
    sa.Column("iteration", sa.Integer, nullable=False, default=0),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("eta", sa.Float),  # remaining seconds, as estimated by its worker
    sa.Column("events", sa.Integer, nullable=False, default=0),  # number of the last event
    sa.Column("error", sa.Text),
    sa.Column("seconds", sa.Float),  # spent drawing
    sa.Column("has_video", sa.Boolean, nullable=False, default=False),
    sa.Column("has_svg", sa.Boolean, nullable=False, default=False),
    sa.Column("notified", sa.Float),
    sa.Column("key", sa.String(255)),  # Idempotency-Key
    sa.Column("digest", sa.String(64), nullable=False),  # of the request
    sa.Index("jobs_queue", "status", "priority", "created"),
    sa.Index("jobs_visitor", "visitor", "status"),
    sa.Index("jobs_gallery", "public", "status", "created"),
    sa.Index("jobs_ended", "status", "ended"),
    sa.Index("jobs_key", "visitor", "key", unique=True),
)

events = sa.Table(
    "job_events",
    metadata,
    sa.Column("job", sa.String(64), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("kind", sa.String(10), nullable=False),
    sa.Column("iteration", sa.Integer, nullable=False),
    sa.Column("total", sa.Integer, nullable=False),
    sa.Column("picture", sa.String(100)),
)

addresses = sa.Table(
    "addresses",  # separate from everything that is shown
    metadata,
    sa.Column("job", sa.String(64), primary_key=True),
    sa.Column("address", sa.String(254), nullable=False),
)

likes = sa.Table(
    "likes",
    metadata,
    sa.Column("job", sa.String(64), primary_key=True),
    sa.Column("visitor", sa.String(64), primary_key=True),
)

workers = sa.Table(
    "workers",
    metadata,
    sa.Column("id", sa.String(128), primary_key=True),
    sa.Column("device", sa.String(40), nullable=False),
    sa.Column("started", sa.Float, nullable=False),
    sa.Column("beat", sa.Float, nullable=False),
    sa.Column("reaped", sa.Float),  # when another worker last requeued its jobs
)

gate = sa.Table(
    "gate",  # one row: updating it locks submissions until the transaction ends
    metadata,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("passed", sa.BigInteger, nullable=False),  # jobs submitted in total
    sa.Column("salt", sa.String(64), nullable=False),  # secret of the visitors' HMACs
)


class now(FunctionElement[float]):
    """Seconds since 1970 by the database's clock, the only one that all machines share."""

    type = sa.Float()
    inherit_cache = True


@compiles(now, "sqlite")
def _now_sqlite(element: now, compiler: SQLCompiler, **options: object) -> str:
    return "((julianday('now') - 2440587.5) * 86400.0)"


@compiles(now, "postgresql")
def _now_postgres(element: now, compiler: SQLCompiler, **options: object) -> str:
    return "CAST(extract(epoch from clock_timestamp()) AS double precision)"


def engine_for(config: Config) -> sa.Engine:
    """Create the engine of `config`'s database without connecting.

    Raises:
        Text2ArtError: SQLite is too old and pysqlite3 isn't installed, or the database is neither SQLite nor Postgres.
    """
    url = sa.make_url(config.database_url)
    if url.get_backend_name() == "postgresql":
        return sa.create_engine(url, pool_pre_ping=True, pool_size=10, max_overflow=20)
    if url.get_backend_name() != "sqlite":
        name = url.get_backend_name()
        raise Text2ArtError(
            f"the database must be SQLite or Postgres, like postgresql://user@host/text2art; got {name}"
        )
    config.data.mkdir(parents=True, exist_ok=True)
    _warn_of_remote(url.database)
    engine = sa.create_engine(url, module=sqlite(), pool_size=10, max_overflow=20)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _warn_of_remote(database: str | None) -> None:
    """Log a warning if a SQLite file lies where its locks may not hold."""
    if database and (mount := mount_of(Path(database))).is_remote:
        log.warning(
            "the database %s lies on a %s file system, where SQLite gets damaged: use a folder on a local disk",
            database,
            mount.type,
        )


def sqlite() -> ModuleType:
    """Return the SQLite module. A process must use only one: two copies lose each other's locks on a file."""
    if sqlite3.sqlite_version_info >= OLD_SQLITE:
        return sqlite3
    try:
        return import_module("pysqlite3.dbapi2")
    except ImportError:
        found = f"this Python's SQLite is {sqlite3.sqlite_version} and 3.42 is needed"
        raise Text2ArtError(f"{found}: pip install pysqlite3, or give a Postgres database") from None


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    """Use immediate transactions, as DBOS does, so that writers take turns; and WAL, so that readers don't wait."""
    connection.isolation_level = "IMMEDIATE"
    for pragma in ("busy_timeout=30000", "journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def make_tables(engine: sa.Engine) -> None:
    """Create missing tables. Safe in several processes at once."""
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(SCHEMA_LOCK)))
        for table in metadata.sorted_tables:
            connection.execute(CreateTable(table, if_not_exists=True))
            for index in sorted(table.indexes, key=lambda each: str(each.name)):
                connection.execute(CreateIndex(index, if_not_exists=True))
        values = (sa.literal(1), sa.literal(0), sa.literal(secrets.token_hex(32)))
        missing = sa.select(*values).where(~sa.exists().where(gate.c.id == 1))
        connection.execute(sa.insert(gate).from_select(["id", "passed", "salt"], missing))


def lock_submissions(connection: sa.Connection) -> None:
    """Wait for the exclusive right to submit, held until the transaction ends."""
    connection.execute(sa.update(gate).where(gate.c.id == 1).values(passed=gate.c.passed + 1))
