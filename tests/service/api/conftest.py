"""The API over a migrated database of either kind, behind a real HTTP server."""

from collections.abc import Iterator

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import Engine

from service.api.app import create_app
from service.api.options import Options
from tests.service.api import deployment


@pytest.fixture
def app(engine: Engine) -> FastAPI:
    """Return the application over a database in which a worker has announced what it offers."""
    deployment.announce(engine)
    return create_app(engine, Options(poll_seconds=0.05))


@pytest.fixture
def client(app: FastAPI) -> Iterator[httpx.Client]:
    """Return a connection to the served application."""
    with deployment.client_of(app) as client:
        yield client
