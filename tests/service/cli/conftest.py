"""The command line in this process, against a real API over a real SQLite file."""

from collections.abc import Callable
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import structlog
from sqlalchemy import Engine

from service.api.app import create_app
from service.cli.main import main
from tests.conftest import opened
from tests.service.api import deployment


@dataclass(frozen=True)
class Ended:
    """What a command left behind."""

    status: int
    out: str
    err: str


Bitfloor = Callable[..., Ended]


@pytest.fixture(autouse=True)
def _servers_log_apart() -> Iterator[None]:
    """Keep the log of a server in this process off the streams that a command writes to."""
    before = structlog.get_config()
    structlog.configure(logger_factory=structlog.ReturnLoggerFactory())
    yield
    structlog.configure(**before)


@pytest.fixture
def store(sqlite_url: str) -> Iterator[Engine]:
    """Return a migrated database in which a worker has announced what it offers."""
    with opened(sqlite_url) as engine:
        deployment.announce(engine)
        yield engine


@pytest.fixture
def server(store: Engine) -> Iterator[str]:
    """Return the address of the API over the store."""
    with deployment.served(create_app(store)) as address:
        yield address


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str]) -> Bitfloor:
    """Return a function that runs a command line here."""

    def ended(*arguments: str) -> Ended:
        status = main(arguments)
        written = capfd.readouterr()
        return Ended(status, written.out, written.err)

    return ended


@pytest.fixture
def bitfloor(run: Bitfloor, server: str) -> Bitfloor:
    """Return a function that runs a command against the server."""

    def ended(command: str, *arguments: str) -> Ended:
        return run(command, "--server", server, *arguments)

    return ended
