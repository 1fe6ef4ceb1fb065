"""Claims that lapse: when a test says so, or at the worst moment, while somebody claims."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import event
from sqlalchemy import update

from service.store.models import JobRow

PAST = 1.0  # seconds since the epoch: any time that is over


def lapse(engine: Engine, job_id: str) -> None:
    """Let the job's lease lapse, or its delay end: the store's clock is the database's."""
    with engine.begin() as connection:
        connection.execute(update(JobRow).where(JobRow.id == job_id).values(claimable_at=PAST))


@contextmanager
def lapsing(engine: Engine, table: str) -> Iterator[None]:
    """Have all claims on the table's rows lapse once a statement has changed some of its rows.

    That is right after the statement, in its transaction, as if the time had just come.
    """

    def end_all(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(f"UPDATE {table} ") and not lapsed:
            lapsed.append(statement)
            due = f"UPDATE {table} SET claimable_at = 0 WHERE claimable_at IS NOT NULL"  # noqa: S608 - our own table
            connection.exec_driver_sql(due)

    lapsed: list[str] = []
    event.listen(engine, "after_cursor_execute", end_all)
    yield
    event.remove(engine, "after_cursor_execute", end_all)
    assert lapsed, f"nothing changed {table}"
