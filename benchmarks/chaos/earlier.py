"""A database as an earlier release left it, and a worker of that release that goes on in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event
from threading import Thread
from typing import Any
from uuid import UUID

from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import MetaData
from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import literal
from sqlalchemy import null
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.exc import DBAPIError

from service.store import schema
from service.store.clock import db_now
from service.store.transactions import BEGIN
from service.store.transactions import TO_WRITE

#: what belongs to a job, in the order in which the rows refer to one another
TABLES = ("jobs", "labels", "trials", "front")
#: the schema before it knew no verdicts, and so no trials that ended early, as those of today do
OLDEST = "2026_11_23_verdicts"
Row = dict[str, Any]
#: of one job, by table
Rows = dict[str, list[Row]]


def revisions() -> tuple[str, ...]:
    """Return the schemas of earlier releases, from the last one back to the oldest."""
    scripts = ScriptDirectory.from_config(schema.alembic_config())
    found = [script.revision for script in scripts.walk_revisions()]
    return tuple(found[1 : found.index(OLDEST) + 1])


def migrate(engine: Engine, revision: str) -> None:
    """Make the tables of that schema in an empty database."""
    with engine.begin() as connection:
        command.upgrade(schema.alembic_config(connection), revision)


def owner(row: Row) -> str:
    """Return the id of the row's job in the one form that the store knows."""
    return str(UUID(str(row.get("job_id") or row["id"])))


class Tables:
    """The tables as they were when this was made, whatever becomes of them since."""

    def __init__(self, engine: Engine) -> None:
        metadata = MetaData()
        metadata.reflect(engine, only=TABLES)
        self._tables = metadata.tables
        self._engine = engine

    def rows(self, job: str) -> Rows:
        """Return all rows of a job, table by table."""
        with self._engine.connect() as connection:
            found = {
                name: [dict(row) for row in connection.execute(select(table)).mappings()]
                for name, table in self._tables.items()
            }
        return {name: [row for row in rows if owner(row) == job] for name, rows in found.items()}

    def add(self, rows: Rows) -> None:
        """Insert the rows of a job, less what the tables have no columns for."""
        with self._writing() as connection:
            for name in TABLES:
                self._insert(connection, name, rows=rows[name])

    def renew(self, job: object, *, lease: float) -> int:
        """Extend a lease as the release did; return how many rows that changed."""
        jobs = self._tables["jobs"]
        mine = (jobs.c.id == job, jobs.c.state == "running", jobs.c.claimable_at > db_now())
        with self._writing() as connection:
            renewed = update(jobs).where(*mine).values(claimable_at=db_now() + literal(lease))
            return connection.execute(renewed).rowcount

    def record(self, rows: Rows) -> None:
        """Record a trial as the release did: add the last of the rows, count it, note the front."""
        jobs, front = self._tables["jobs"], self._tables["front"]
        job = rows["jobs"][0]
        counted = {name: job[name] for name in ("trials", "images_evaluated", "best_number")}
        with self._writing() as connection:
            connection.execute(update(jobs).where(jobs.c.id == job["id"]).values(counted))
            last = max(rows["trials"], key=lambda row: int(row["number"]))
            connection.execute(delete(front).where(front.c.job_id == job["id"]))
            self._insert(connection, "trials", rows=[last])
            self._insert(connection, "front", rows=rows["front"])

    def _insert(self, connection: Connection, name: str, *, rows: list[Row]) -> None:
        table = self._tables[name]
        for row in rows:
            # None would be written as the JSON of it
            own = {c.name: null() if row[c.name] is None else row[c.name] for c in table.columns}
            connection.execute(insert(table).values(own))

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with self._engine.connect() as connection:
            connection.execution_options(**{BEGIN: TO_WRITE})
            with connection.begin():
                yield connection


class Heart:
    """Renews the lease of a job, as a worker of the earlier release would, until it is stopped."""

    def __init__(self, tables: Tables, job: object, *, lease: float) -> None:
        self._tables, self._job, self._lease = tables, job, lease
        self._stop = Event()
        self._thread = Thread(target=self._beat, daemon=True)
        #: renewals that went through, and those that found the lease lost or met with an error
        self.beats = self.missed = 0

    @contextmanager
    def beating(self) -> Iterator["Heart"]:
        """Renew during the block."""
        self._thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            self._thread.join()

    def _beat(self) -> None:
        while not self._stop.wait(self._lease / 30):
            try:
                renewed = self._tables.renew(self._job, lease=self._lease)
            except DBAPIError:
                renewed = 0
            self.beats += renewed
            self.missed += not renewed
