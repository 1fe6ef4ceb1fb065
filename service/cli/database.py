"""Opens the database that a command works on: the one that is named, or the one `up` keeps."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from service.cli.errors import FileUnusable
from service.store import session


def embedded_url(data_dir: Path) -> str:
    """Return the URL of the database that `up` keeps under the folder."""
    return f"sqlite:///{data_dir.resolve() / 'bitfloor.db'}"


def make_folder(data_dir: Path) -> None:
    """Make the folder that `up` keeps everything under, if need be."""
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileUnusable(data_dir, error.strerror or str(error)) from error


@contextmanager
def opened(database_url: str) -> Iterator[Engine]:
    """Open the database, and close its connections in the end."""
    engine = session.open_engine(database_url)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def administered(database_url: str | None, data_dir: Path) -> Iterator[Engine]:
    """Open the database with the tables of this version.

    The one under the folder is made if need be: whoever listens on more than loopback needs a
    token before the first start.
    """
    if database_url is None:
        make_folder(data_dir)
    with opened(database_url or embedded_url(data_dir)) as engine:
        if database_url is None:
            session.migrate(engine)
        session.require_current_schema(engine)
        yield engine
