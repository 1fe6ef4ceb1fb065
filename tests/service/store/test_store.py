"""The store keeps its contract on both databases."""

import pytest

from tests.contracts.store import StoreContract


class TestOnSqlite(StoreContract):
    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        return sqlite_url


class TestOnPostgresql(StoreContract):
    @pytest.fixture
    def database_url(self, postgres_url: str) -> str:
        return postgres_url
