"""One transaction, to read or to write, that either commits whole or leaves nothing behind."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from service.store import faults
from service.store import turns

#: name of the execution option that says how a transaction begins, unless as one that reads
BEGIN = "bitfloor_begin"
#: one that writes
TO_WRITE = "to write"
#: none at all: each statement is one by itself
ALONE = "alone"


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """Open a transaction that sees one state of the database and waits for no writer."""
    with faults.translated(engine.url), Session(engine) as session, session.begin():
        yield session


@contextmanager
def glancing(engine: Engine) -> Iterator[Connection]:
    """Open a connection to read with one statement, which sees one state of the database by itself.

    That spares a round trip to begin and one to end, and the session's bookkeeping.
    """
    with faults.translated(engine.url), engine.connect() as connection:
        yield connection.execution_options(**{BEGIN: ALONE})


@contextmanager
def writing(engine: Engine) -> Iterator[Session]:
    """Open a transaction that commits when the block ends and rolls back when it raises."""
    with (
        faults.translated(engine.url),
        turns.taken(engine),
        Session(engine, expire_on_commit=False) as session,
        session.begin(),
    ):
        session.connection(execution_options={BEGIN: TO_WRITE})
        yield session
