"""The store keeps its contract on both databases."""

from collections import Counter

import pytest

from tests.contracts.store import StoreContract


def test_no_part_of_the_contract_hides_a_test_of_another() -> None:
    named = Counter(
        name for part in StoreContract.__bases__ for name in vars(part) if name.startswith("test_")
    )
    assert [name for name, parts in named.items() if parts > 1] == []


class TestOnSqlite(StoreContract):
    @pytest.fixture
    def database_url(self, sqlite_url: str) -> str:
        return sqlite_url


class TestOnPostgresql(StoreContract):
    @pytest.fixture
    def database_url(self, postgres_url: str) -> str:
        return postgres_url
