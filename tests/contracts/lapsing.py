"""Claims that lapse at the worst moment: within the transaction of somebody who claims."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import event


@contextmanager
def lapsing(engine: Engine, table: str) -> Iterator[None]:
    """Have all claims on the table's rows lapse once a statement has changed some of its rows.

    That is right after the statement, in its transaction, as if the time had just come.
    """

    def lapse(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith(f"UPDATE {table} ") and not lapsed:
            lapsed.append(statement)
            due = f"UPDATE {table} SET claimable_at = 0 WHERE claimable_at IS NOT NULL"  # noqa: S608 - our own table
            connection.exec_driver_sql(due)

    lapsed: list[str] = []
    event.listen(engine, "after_cursor_execute", lapse)
    yield
    event.remove(engine, "after_cursor_execute", lapse)
    assert lapsed, f"nothing changed {table}"
