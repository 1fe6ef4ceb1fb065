"""Copies the embedded database while it is in use, and puts a copy back in one step.

A file appears under its name whole or not at all, and what a restored copy replaces is kept.
"""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from service.store import faults
from service.store import schema
from service.store import session
from service.store.errors import BackupFailed
from service.store.errors import BackupUnusable
from service.store.errors import DatabaseInUse
from service.store.errors import DatabaseUnreachable
from service.store.errors import NotEmbedded
from service.store.errors import UnsupportedDatabase

#: what SQLite keeps beside a database in use
_BESIDE = ("-wal", "-shm", "-journal")


@dataclass(frozen=True, slots=True, kw_only=True)
class Backup:
    """What a file holds."""

    path: Path
    #: the schema's version
    revision: str
    jobs: int
    trials: int
    #: size of the file
    bytes: int


def file_of(database_url: str) -> Path:
    """Return the file behind the URL; raise NotEmbedded where a server is."""
    try:
        url = make_url(database_url)
    except (ArgumentError, ValueError):
        # the text itself may hold a password
        raise UnsupportedDatabase("a database URL of that form") from None
    if url.get_backend_name() != "sqlite" or not url.database:
        raise NotEmbedded(faults.shown(url))
    return Path(url.database)


def require_file(database_url: str) -> None:
    """Raise DatabaseUnreachable if the URL names a file that does not exist."""
    try:
        path = file_of(database_url)
    except NotEmbedded:
        return
    if not path.exists():
        raise DatabaseUnreachable(faults.shown(make_url(database_url)), "there is no such file")


def back_up(database: Path, target: Path, *, replace: bool = False) -> Backup:
    """Copy the database as one transaction sees it; whoever works on it goes on meanwhile.

    Raises BackupFailed, also where the target exists and is not to be replaced, and BackupUnusable
    where the database itself is damaged or none of ours.
    """
    if target.exists() and not replace:
        raise BackupFailed(target, "it exists; choose another name, or say --replace")
    if target.exists() and database.exists() and target.samefile(database):
        raise BackupFailed(target, "it is the database itself")
    inspect(database)
    with _written_whole(target) as part:
        _copy(database, part)
        found = inspect(part, thorough=True)
    return Backup(
        path=target,
        revision=found.revision,
        jobs=found.jobs,
        trials=found.trials,
        bytes=target.stat().st_size,
    )


def restore(backup: Path, database: Path) -> Path | None:
    """Put the copy in the database's place, with the tables of this version.

    Returns where the database that was there is now, None if there was none. Raises
    BackupUnusable, DatabaseInUse or BackupFailed; then nothing has changed.
    """
    inspect(backup, thorough=True)
    kept = None
    with _written_whole(database) as part:
        _copy(backup, part)
        engine = session.open_engine(f"sqlite:///{part}")
        session.migrate(engine)
        engine.dispose()
        _single_file(part)
        if database.exists():
            _require_unused(database)
            kept = _aside(database)
            database.rename(kept)
    return kept


def inspect(path: Path, *, thorough: bool = False) -> Backup:
    """Return what the file holds; raise BackupUnusable unless this version could use it.

    `thorough` reads every page and index.
    """
    try:
        with closing(_opened(path)) as connection:
            if thorough:
                _require_intact(path, connection)
            revision = _revision(connection)
            jobs, trials = (
                connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608 - our own two names
                for table in ("jobs", "trials")
            )
    except sqlite3.Error as error:
        raise BackupUnusable(path, str(error)) from error
    if revision not in schema.known():
        raise BackupUnusable(path, f"its schema, {revision}, is not known to this version")
    return Backup(path=path, revision=revision, jobs=jobs, trials=trials, bytes=path.stat().st_size)


def _opened(path: Path) -> sqlite3.Connection:
    # by URI, since a plain name would make an empty database of a missing one
    return sqlite3.connect(f"{path.resolve().as_uri()}?mode=rw", uri=True, timeout=20)


def _require_intact(path: Path, connection: sqlite3.Connection) -> None:
    said = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if said != "ok":
        raise BackupUnusable(path, f"it is damaged: {' '.join(said.split())}")


def _revision(connection: sqlite3.Connection) -> str:
    statement = f"SELECT version_num FROM {schema.VERSION_TABLE}"  # noqa: S608 - our own name
    found = connection.execute(statement).fetchone()
    return str(found[0]) if found else "nothing"


def _copy(source: Path, target: Path) -> None:
    # all pages in one step: in several, every write of another process starts the copy over
    with closing(_opened(source)) as opened, closing(sqlite3.connect(target)) as copied:
        opened.backup(copied, pages=-1)
    _single_file(target)


def _single_file(path: Path) -> None:
    """Fold the log into the file, so that the file alone is the database."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")


def _require_unused(database: Path) -> None:
    """Raise DatabaseInUse if any connection is open: leaving the log's mode needs to be alone."""
    try:
        with closing(sqlite3.connect(database, timeout=0)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            raise DatabaseInUse(database) from error
        raise BackupFailed(database, str(error)) from error
    except sqlite3.DatabaseError:
        # damaged beyond reading, which is what a backup is for
        return


def _aside(database: Path) -> Path:
    """Return a name beside the database that is not taken."""
    names = (database.with_name(f"{database.name}.before-{number}") for number in count(1))
    return next(name for name in names if not name.exists())


@contextmanager
def _written_whole(target: Path) -> Iterator[Path]:
    """Yield a name beside the target for the block to write; it becomes the target in the end."""
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        # nobody else may read it: who submitted what, and the digests of tokens
        os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        if target.exists():
            part.chmod(target.stat().st_mode)
        yield part
        with part.open("rb+") as written:
            os.fsync(written.fileno())
        part.replace(target)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise BackupFailed(target, error.strerror or str(error), full=full) from error
    except sqlite3.Error as error:
        full = error.sqlite_errorcode == sqlite3.SQLITE_FULL
        raise BackupFailed(target, str(error), full=full) from error
    finally:
        for name in ("", *_BESIDE):
            with suppress(OSError):
                part.with_name(part.name + name).unlink()
