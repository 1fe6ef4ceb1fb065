"""Rows in bulk: by one statement on SQLite, by COPY on PostgreSQL."""

import sqlite3
from collections.abc import Iterable
from itertools import tee
from typing import Any

import psycopg
from psycopg.sql import SQL
from psycopg.sql import Identifier
from sqlalchemy import Engine
from sqlalchemy import Table

from service.store.transactions import ALONE
from service.store.transactions import BEGIN

Row = dict[str, Any]


def insert(engine: Engine, table: Table, *, rows: Iterable[Row]) -> None:
    """Insert the rows, all of the same columns; what they do not say is the column's default."""
    ahead, rows = tee(rows)
    names = list(next(ahead))
    del ahead  # else every row would be kept for it
    connection = engine.raw_connection()
    driver = connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        _insert_sqlite(driver, table.name, names=names, rows=rows)
    else:
        assert isinstance(driver, psycopg.Connection)
        _copy(driver, table.name, names=names, rows=rows)
    connection.close()


def _insert_sqlite(
    driver: sqlite3.Connection, table: str, *, names: list[str], rows: Iterable[Row]
) -> None:
    marks = ", ".join(f":{name}" for name in names)
    statement = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})"  # noqa: S608 - our own tables' names
    # what refers to what is right by itself, and looking it up takes half of the time
    driver.execute("PRAGMA foreign_keys = OFF")
    driver.execute("BEGIN")
    driver.executemany(statement, map(_without_dashes, rows))
    driver.execute("COMMIT")
    driver.execute("PRAGMA foreign_keys = ON")


def _copy(driver: psycopg.Connection, table: str, *, names: list[str], rows: Iterable[Row]) -> None:
    columns = SQL(", ").join(map(Identifier, names))
    statement = SQL("COPY {} ({}) FROM STDIN").format(Identifier(table), columns)
    with driver.transaction(), driver.cursor() as cursor:
        cursor.execute("SET LOCAL statement_timeout = 0")
        # as above: leaves out what looks up foreign keys
        cursor.execute("SET LOCAL session_replication_role = replica")
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row([row[name] for name in names])


def _without_dashes(row: Row) -> Row:
    # SQLAlchemy keeps UUIDs so where the database has no type for them
    name = "id" if "id" in row else "job_id"
    return {**row, name: row[name].replace("-", "")}


def look_at(engine: Engine) -> None:
    """Have PostgreSQL count what is there, as its autovacuum would within minutes."""
    if engine.dialect.name != "postgresql":
        return
    with engine.connect().execution_options(**{BEGIN: ALONE}) as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
