"""Whether a database is as it should be, by what it can tell of itself."""

import sqlite3
from contextlib import closing
from typing import LiteralString

import psycopg
from psycopg.sql import SQL
from psycopg.sql import Identifier
from sqlalchemy import make_url


def faults(url: str) -> int:
    """Have SQLite look itself over, read PostgreSQL's tables both ways; return what is wrong."""
    path = make_url(url).database
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(str(path))) as connection:
            said = connection.execute("PRAGMA integrity_check").fetchall()
        return sum(line != ("ok",) for line in said)
    with psycopg.connect(url, autocommit=True) as connection:
        tables = connection.execute(
            "SELECT relname FROM pg_class WHERE relkind = 'r' "
            "AND relnamespace = 'public'::regnamespace"
        ).fetchall()
        return sum(_read(connection, name) != _indexed(connection, name) for (name,) in tables)


def _read(connection: psycopg.Connection, table: str) -> int:
    """Return how many rows the table has, after reading all of every row, checksums and all."""
    connection.execute("RESET enable_seqscan")
    return _counted(connection, "SELECT count(t::text) FROM {} t", table)


def _indexed(connection: psycopg.Connection, table: str) -> int:
    """Return how many rows an index of the table knows."""
    connection.execute("SET enable_seqscan = off")
    return _counted(connection, "SELECT count(*) FROM {}", table)


def _counted(connection: psycopg.Connection, statement: LiteralString, table: str) -> int:
    row = connection.execute(SQL(statement).format(Identifier(table))).fetchone()
    assert row is not None
    return int(row[0])
