"""What attacks are sent to: one database where it does not matter which."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from tests.conftest import opened


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Engine]:
    """Return an engine on a migrated SQLite database without rows."""
    with opened(sqlite_url) as engine:
        yield engine
