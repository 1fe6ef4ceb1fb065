"""Looks at the database of a deployment: does it answer, is it ours, safe and worked on."""

import sqlite3
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import select
from sqlalchemy import text

from service import findings
from service.findings import Finding
from service.store import backups
from service.store import catalog
from service.store import faults
from service.store import schema
from service.store import session
from service.store import tokens
from service.store import totals
from service.store.clock import db_now
from service.store.errors import SchemaOutdated
from service.store.errors import StoreError
from service.store.values import JobState

SLOW = 0.05  # seconds for one question and its answer
SKEW = 2.0  # seconds that two clocks may be apart
WAITED = 60.0  # seconds a due job may have waited while nobody works
SPARE = 10  # connections: fewer left, and the next worker may not get one

#: settings without which PostgreSQL may forget what it has confirmed
_DURABLE = ("fsync", "full_page_writes", "synchronous_commit")


def look(database_url: str, *, clock: Callable[[], float]) -> Iterator[Finding]:
    """Yield what is found, one thing after another; the rest is left out once it cannot be told.

    `clock` is this machine's, in seconds since 1970; it is held against the database's.
    """
    try:
        # looked at first: SQLite would make what is missing
        backups.require_file(database_url)
        engine = session.open_engine(database_url)
    except StoreError as error:
        yield findings.failure("database", str(error), remedy="start it, or correct --database-url")
        return
    try:
        with faults.translated(engine.url):
            yield from _looked_at(engine, clock)
    except StoreError as error:
        yield findings.failure("database", str(error), remedy="look at the database's own log")
    finally:
        engine.dispose()


def _looked_at(engine: Engine, clock: Callable[[], float]) -> Iterator[Finding]:
    with engine.connect() as connection:
        yield _answers(connection)
        if engine.dialect.name == "sqlite":
            yield from _file(connection, Path(engine.url.database or ""))
        else:
            yield _durable(connection)
            yield _connections(connection)
        yield _clock(connection, clock)
    try:
        session.require_current_schema(engine)
    except SchemaOutdated as error:
        yield findings.failure("schema", str(error), remedy="run `bitfloor migrate`")
        return
    yield findings.ok("schema", schema.head())
    yield _queue(engine)
    yield _offers(engine)
    yield _tokens(engine)


def _answers(connection: Connection) -> Finding:
    seconds = findings.timed(lambda: connection.execute(select(1)).all(), times=5)
    if connection.dialect.name == "sqlite":
        version = f"SQLite {sqlite3.sqlite_version}"
    else:
        version = f"PostgreSQL {connection.scalar(text('SHOW server_version'))}"
    facts = f"{version} at {faults.shown(connection.engine.url)}, {seconds * 1e3:.1f} ms an answer"
    if seconds > SLOW:
        remedy = "run the API and the workers nearer to it: every trial waits for it"
        return findings.warning("database", facts, remedy=remedy)
    return findings.ok("database", facts)


def _file(connection: Connection, path: Path) -> Iterator[Finding]:
    said = str(connection.execute(text("PRAGMA quick_check(1)")).scalar_one())
    size = path.stat().st_size / 2**20
    if said == "ok":
        yield findings.ok("file", f"{path}, {size:.1f} MiB, intact")
    else:
        remedy = "stop bitfloor, and put a copy back with `bitfloor restore`"
        yield findings.failure(
            "file", f"{path} is damaged: {' '.join(said.split())}", remedy=remedy
        )
    mounts = Path("/proc/self/mounts")
    lines = mounts.read_text(encoding="utf-8").splitlines() if mounts.exists() else []
    kind = findings.kind_of_file_system(path, lines)
    if kind in findings.REMOTE:
        remedy = "move it to a disk of this machine, or use PostgreSQL"
        yield findings.failure("file system", f"{kind}: SQLite can lose data on it", remedy=remedy)
    yield findings.disk("disk of the database", path.parent)


def _durable(connection: Connection) -> Finding:
    said = {name: connection.scalar(text(f"SHOW {name}")) for name in _DURABLE}
    facts = ", ".join(f"{name} {value}" for name, value in said.items())
    if "off" in said.values():
        remedy = "turn it on in postgresql.conf: a confirmed job may be lost with the power"
        return findings.warning("durability", facts, remedy=remedy)
    return findings.ok("durability", facts)


def _connections(connection: Connection) -> Finding:
    most = int(str(connection.scalar(text("SHOW max_connections"))))
    used = connection.scalar(
        text("SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'")
    )
    facts = f"{used} of {most} in use"
    if most - int(used or 0) < SPARE:
        remedy = "raise max_connections, or put a pooler before it"
        return findings.warning("connections", facts, remedy=remedy)
    return findings.ok("connections", facts)


def _clock(connection: Connection, clock: Callable[[], float]) -> Finding:
    before = clock()
    theirs = connection.scalar(select(db_now())) or 0.0
    here = (before + clock()) / 2
    apart = abs(theirs - here)
    facts = f"{apart:.1f} s from the database's"
    if apart > SKEW:
        remedy = "set it by NTP; leases go by the database's clock, but logs will not match"
        return findings.warning("clock", facts, remedy=remedy)
    return findings.ok("clock", facts)


def _queue(engine: Engine) -> Finding:
    now = totals.read(engine)
    running = now.jobs.get(JobState.RUNNING, 0)
    facts = f"{now.due} due, {running} running, {now.lapsed} left by a worker that has gone"
    if now.lapsed or (now.oldest_due_seconds > WAITED and not running):
        facts += f", the oldest has waited for {now.oldest_due_seconds:.0f} s"
        return findings.warning("queue", facts, remedy="start a worker, or look at its log")
    return findings.ok("queue", facts)


def _offers(engine: Engine) -> Finding:
    names = catalog.names(engine)
    models, datasets = (len(names.get(kind, ())) for kind in ("model", "dataset"))
    facts = f"{models} models and {datasets} datasets announced"
    if not models:
        remedy = "start a worker on this database: no request can name a model before"
        return findings.warning("offers", facts, remedy=remedy)
    return findings.ok("offers", facts)


def _tokens(engine: Engine) -> Finding:
    if tokens.exist(engine):
        return findings.ok("tokens", "there are some that can be used")
    return findings.ok("tokens", "none: the API can be opened to this machine alone")
