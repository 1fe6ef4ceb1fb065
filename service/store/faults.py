"""What the drivers raise, told as the store's errors, never with the password."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL
from sqlalchemy.exc import DatabaseError
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import InterfaceError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from service.store import schema
from service.store.errors import DatabaseBusy
from service.store.errors import DatabaseFull
from service.store.errors import DatabaseUnreachable
from service.store.errors import SchemaOutdated
from service.store.errors import StoreError

_BUSY_SQLITE = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_BUSY_POSTGRESQL = frozenset(
    {
        "40001",  # serialization_failure
        "40P01",  # deadlock_detected
        "55P03",  # lock_not_available: lock_timeout
        "57014",  # query_canceled: statement_timeout
        "53300",  # too_many_connections
    }
)
#: no room for pages or the log; none for the index to the log, which is beside it
_FULL_SQLITE = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_SHMSIZE})
_FULL_POSTGRESQL = "53100"  # disk_full
#: idle_in_transaction_session_timeout, idle_session_timeout: of whoever stood still for too long
_HUNG_UP_POSTGRESQL = frozenset({"25P03", "57P05"})
_OUTDATED_POSTGRESQL = frozenset({"42P01", "42703"})  # undefined table, undefined column
_OUTDATED_SQLITE = ("no such table", "no such column", "table jobs has no column")


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Raise what the drivers mean; an error that says nothing about the database passes."""
    try:
        yield
    except PoolTimeout as error:
        raise DatabaseBusy(shown(url), "every connection is in use") from error
    except DBAPIError as error:
        meaning = _meaning(error, url)
        if meaning is None:
            raise
        raise meaning from error


def shown(url: URL) -> str:
    """Return the URL with *** for its password, and none in its query."""
    return url.difference_update_query(["password"]).render_as_string(hide_password=True)


def _meaning(error: DBAPIError, url: URL) -> StoreError | None:
    why = _reason(error, url)
    if _is_outdated(error):
        return SchemaOutdated(None, schema.head())
    if _is_full(error):
        return DatabaseFull(shown(url), why)
    if _is_busy(error):
        return DatabaseBusy(shown(url), why)
    gone = getattr(error.orig, "sqlstate", None) in _HUNG_UP_POSTGRESQL
    connecting = error.statement is None
    # the bare class is SQLite's word for a damaged file
    damaged = type(error) is DatabaseError
    if gone or connecting or damaged or isinstance(error, OperationalError | InterfaceError):
        return DatabaseUnreachable(shown(url), why)
    return None


def _is_outdated(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.OperationalError):
        return str(error.orig).startswith(_OUTDATED_SQLITE)
    return (
        isinstance(error, ProgrammingError)
        and getattr(error.orig, "sqlstate", None) in _OUTDATED_POSTGRESQL
    )


def _is_full(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", 0) in _FULL_SQLITE
    return getattr(error.orig, "sqlstate", None) == _FULL_POSTGRESQL


def _is_busy(error: DBAPIError) -> bool:
    if isinstance(error.orig, sqlite3.Error):
        # the low byte is the primary code, the others tell it apart further
        return (getattr(error.orig, "sqlite_errorcode", 0) & 0xFF) in _BUSY_SQLITE
    return getattr(error.orig, "sqlstate", None) in _BUSY_POSTGRESQL


def _reason(error: DBAPIError, url: URL) -> str:
    lines = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
    for secret in (url.password, url.query.get("password")):
        if secret:
            lines[0] = lines[0].replace(str(secret), "***")
    return lines[0]
