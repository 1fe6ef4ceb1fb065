"""One writer at a time on SQLite within this process, in line.

Left to itself, SQLite has each of many writers sleep and look again, ever more seldom: with forty
of them some wait for seconds while the database is idle.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from weakref import WeakKeyDictionary

from sqlalchemy import Engine

from service.store import faults
from service.store.errors import DatabaseBusy

WAIT = 20.0  # seconds, as long as for a writer of another process

_LOCKS: WeakKeyDictionary[Engine, threading.Lock] = WeakKeyDictionary()
_MAKING = threading.Lock()


@contextmanager
def taken(engine: Engine, *, wait: float = WAIT) -> Iterator[None]:
    """Hold this process's turn to write; PostgreSQL needs none. Raises DatabaseBusy."""
    if engine.dialect.name != "sqlite":
        yield
        return
    lock = _lock_of(engine)
    if not lock.acquire(timeout=wait):
        raise DatabaseBusy(faults.shown(engine.url), "too many are waiting to write")
    try:
        yield
    finally:
        lock.release()


def _lock_of(engine: Engine) -> threading.Lock:
    with _MAKING:
        return _LOCKS.setdefault(engine, threading.Lock())
