"""Opens the database, SQLite or PostgreSQL, and brings its schema up to date."""

import sqlite3
from pathlib import Path
from typing import Any

from alembic import command
from sqlalchemy import URL
from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import create_engine
from sqlalchemy import event
from sqlalchemy import make_url
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.pool import QueuePool

from service.store import codec
from service.store import faults
from service.store import liveness
from service.store import schema
from service.store.errors import PasswordFileUnusable
from service.store.errors import SchemaOutdated
from service.store.errors import UnsupportedDatabase
from service.store.transactions import ALONE
from service.store.transactions import BEGIN
from service.store.transactions import TO_WRITE

#: connections kept open once so many were needed: opening one takes longer than most transactions,
#: and PostgreSQL has a hundred for all processes unless told otherwise
POOL_SIZE = 20
POOL_OVERFLOW = 25  # more when needed: the API answers in 40 threads
POOL_TIMEOUT = 15.0  # seconds to wait for one of them
SQLITE_BUSY_TIMEOUT = 20.0  # seconds to wait for another writer
SQLITE_OLDEST = (3, 35)  # the first with RETURNING
MIGRATION_TURN = "120s"  # how long to wait for another `migrate` to finish
MIGRATION_LOCK_TIMEOUT = "2s"  # how long a migration may hold up everybody who wants its table

#: of a PostgreSQL URL's query: a file that holds the password
PASSWORD_FILE = "password_file"  # noqa: S105 - a parameter's name

#: any number, the same for everybody who migrates
_ADVISORY_LOCK = 0x62697466

#: what the drivers are told unless the URL says otherwise
_DEFAULTS: dict[str, dict[str, Any]] = {
    "sqlite": {"timeout": SQLITE_BUSY_TIMEOUT},
    "postgresql": {
        "application_name": "bitfloor",
        "connect_timeout": 10,  # seconds
        "keepalives_idle": 30,  # seconds
        "keepalives_interval": 10,  # seconds
        "keepalives_count": 3,
        "options": "-c statement_timeout=30s -c lock_timeout=10s "
        "-c idle_in_transaction_session_timeout=60s",
    },
}


def open_engine(url: str) -> Engine:
    """Return an engine for the database, after it has answered once.

    Raises UnsupportedDatabase, DatabaseUnreachable or DatabaseBusy.
    """
    try:
        engine = _create(_parse(url))
    except (ArgumentError, ValueError):
        # the text itself may hold a password that nobody can find
        raise UnsupportedDatabase("a database URL of that form") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _prepare_sqlite)
    else:
        liveness.watch(engine)
    event.listen(engine, "begin", _begin)
    with faults.translated(engine.url), engine.connect() as connection:
        connection.execute(select(1))
    return engine


def migrate(engine: Engine) -> None:
    """Bring the schema to this version, whole or not at all; others doing so wait their turn."""
    with faults.translated(engine.url), engine.connect() as connection:
        connection.execution_options(**{BEGIN: TO_WRITE})
        with connection.begin():
            if connection.dialect.name == "postgresql":
                _take_turn(connection)
            if schema.current(connection) != schema.head():
                command.upgrade(schema.alembic_config(connection), "head")


def require_current_schema(engine: Engine) -> None:
    """Raise SchemaOutdated unless the database has exactly the tables of this version."""
    with faults.translated(engine.url), engine.connect() as connection:
        found = schema.current(connection)
    if found != schema.head():
        raise SchemaOutdated(found, schema.head())


def _create(url: URL) -> Engine:
    defaults = _DEFAULTS[url.get_backend_name()]
    return create_engine(
        url,
        # what the URL says goes before
        connect_args={name: defaults[name] for name in defaults if name not in url.query},
        # an error's traceback is logged, and the parameters are what clients sent
        hide_parameters=True,
        # transactions begin where _begin says: what is one statement needs none around it
        isolation_level="AUTOCOMMIT",
        json_deserializer=codec.loads,
        json_serializer=codec.dumps,
        max_overflow=POOL_OVERFLOW,
        pool_size=POOL_SIZE,
        pool_timeout=POOL_TIMEOUT,
        poolclass=QueuePool,
    )


def _parse(url: str) -> URL:
    parsed = make_url(url)
    if parsed.drivername in ("postgres", "postgresql", "postgresql+psycopg"):
        return _with_password(parsed.set(drivername="postgresql+psycopg"))
    if parsed.drivername not in ("sqlite", "sqlite+pysqlite"):
        raise UnsupportedDatabase(f"a {parsed.drivername} database")
    if parsed.database in (None, "", ":memory:"):
        raise UnsupportedDatabase("SQLite without a file, which every connection sees differently")
    if sqlite3.sqlite_version_info < SQLITE_OLDEST:
        raise UnsupportedDatabase(f"SQLite {sqlite3.sqlite_version}, older than 3.35")
    return parsed


def _with_password(url: URL) -> URL:
    """Return the URL with the password in the file that its query names, if it names one.

    As an orchestrator mounts a secret: libpq's own `passfile` must belong to the reader alone.
    """
    path = url.query.get(PASSWORD_FILE)
    if path is None:
        return url
    try:
        password = Path(str(path)).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise PasswordFileUnusable(str(path), str(error)) from error
    return url.difference_update_query([PASSWORD_FILE]).set(password=password)


def _prepare_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    assert isinstance(connection, sqlite3.Connection)  # noqa: S101 - for the type checker
    if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
        connection.execute("PRAGMA journal_mode = WAL")
    # FULL, not NORMAL: a job that was answered with 202 must survive a power cut
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    how = connection.get_execution_options().get(BEGIN)
    if how == ALONE:
        return
    # on SQLite, one that reads and then writes would fail at once, without waiting, when somebody
    # else wrote in between
    ahead = how == TO_WRITE and connection.dialect.name == "sqlite"
    connection.exec_driver_sql("BEGIN IMMEDIATE" if ahead else "BEGIN")


def _take_turn(connection: Connection) -> None:
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(text(f"SET LOCAL lock_timeout = '{MIGRATION_TURN}'"))
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})"))
    connection.execute(text(f"SET LOCAL lock_timeout = '{MIGRATION_LOCK_TIMEOUT}'"))
