"""Whether a pooled connection to PostgreSQL is still there, found out without a round trip.

A server that ends a connection, or ends itself, says so, and a connection at rest is sent nothing
else: where nothing waits to be read, all is as it was.
"""

import select

import psycopg
from sqlalchemy import Engine
from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.pool import ConnectionPoolEntry
from sqlalchemy.pool import PoolProxiedConnection


def watch(engine: Engine) -> None:
    """Replace connections that have ended before they are lent, and with them all older ones."""

    def look(
        connection: DBAPIConnection, _entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection
    ) -> None:
        assert isinstance(connection, psycopg.Connection)  # noqa: S101 - for the type checker
        if has_word(connection) and not _answers(connection):
            raise InvalidatePoolError

    event.listen(engine, "checkout", look)


def has_word(connection: psycopg.Connection) -> bool:
    """Tell whether the server has sent something that nobody has read, were it only an end."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _answers(connection: psycopg.Connection) -> bool:
    try:
        connection.execute("")
    except psycopg.Error:
        return False
    return True
