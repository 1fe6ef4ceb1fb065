"""One transaction, to read or to write, that either commits whole or leaves nothing behind."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from service.store import faults
from service.store import turns

#: name of the execution option that says how SQLite begins
SQLITE_BEGIN = "bitfloor_sqlite_begin"


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Open a transaction that sees one state of the database and waits for no writer."""
    with faults.translated(engine.url), Session(engine) as session, session.begin():
        yield session


@contextmanager
def glancing(engine: Engine) -> Iterator[Connection]:
    """Open a connection to read with one statement, which sees one state of the database by itself.

    That spares PostgreSQL two round trips, and both the session's bookkeeping.
    """
    alone = engine
    if engine.dialect.name == "postgresql":
        alone = engine.execution_options(isolation_level="AUTOCOMMIT")
    with faults.translated(engine.url), alone.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """Open a transaction that commits when the block ends and rolls back when it raises."""
    with (
        faults.translated(engine.url),
        turns.taken(engine),
        Session(engine, expire_on_commit=False) as session,
        session.begin(),
    ):
        # a deferred transaction that reads and then writes fails at once, without waiting, when
        # somebody else wrote in between
        session.connection(execution_options={SQLITE_BEGIN: "BEGIN IMMEDIATE"})
        yield session
