"""Databases without room: a SQLite file that may not grow, and a server that refuses to write."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy import event
from sqlalchemy import text


@contextmanager
def full(engine: Engine) -> Iterator[None]:
    """Leave no room in the database: for no page more, or for no row written."""
    if engine.dialect.name == "postgresql":
        with _refusing(engine):
            yield
        return
    with engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()

    def limit(connection: sqlite3.Connection, *_: object) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    event.listen(engine, "checkout", limit)
    try:
        yield
    finally:
        event.remove(engine, "checkout", limit)
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")


@contextmanager
def _refusing(engine: Engine) -> Iterator[None]:
    """Have the server say of every write to two tables what it says when its disk is full."""
    raising = (
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION "
        "'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$"
    )
    tables = ("jobs", "tokens")
    with engine.begin() as connection:
        connection.execute(text(raising))
        for table in tables:
            connection.execute(
                text(
                    f"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON {table} "
                    "FOR EACH STATEMENT EXECUTE FUNCTION refuse()"
                )
            )
    try:
        yield
    finally:
        with engine.begin() as connection:
            connection.execute(text("DROP FUNCTION refuse() CASCADE"))
