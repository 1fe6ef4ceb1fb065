"""A connection that the server ended is not lent again, and one that is there is not asked."""

from collections.abc import Iterator
from datetime import datetime
from typing import cast

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy import text

from service.store import jobs
from service.store import session
from tests.contracts.samples import enqueue


@pytest.fixture
def engine(postgres_url: str) -> Iterator[Engine]:
    engine = session.open_engine(postgres_url)
    yield engine
    engine.dispose()


def backend(engine: Engine) -> int:
    with engine.connect() as connection:
        number: int = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    return number


def end(url: str, number: int) -> None:
    """End the server's side of a connection, as a restart does."""
    with psycopg.connect(url) as other:
        # waits, at most so many milliseconds, until it is gone
        done = other.execute("SELECT pg_terminate_backend(%s, 10000)", (number,)).fetchone()
    assert done == (True,)


def last_asked(url: str, number: int) -> datetime:
    """Return when the server was last sent a statement over the connection."""
    asked = "SELECT query_start FROM pg_stat_activity WHERE pid = %s"
    with psycopg.connect(url) as other:
        found = other.execute(asked, (number,)).fetchone()
    assert found is not None
    return cast(datetime, found[0])


class TestWatch:
    def test_one_that_ended_is_replaced_before_it_is_lent(
        self, engine: Engine, postgres_url: str
    ) -> None:
        before = backend(engine)
        end(postgres_url, before)
        assert backend(engine) != before

    def test_every_other_that_ended_is_too(self, engine: Engine, postgres_url: str) -> None:
        with engine.connect() as one, engine.connect() as other:
            numbers = [
                each.execute(text("SELECT pg_backend_pid()")).scalar_one() for each in (one, other)
            ]
        for number in numbers:
            end(postgres_url, number)
        job = enqueue(engine)
        assert jobs.get(engine, job.id) == job

    def test_one_that_was_told_something_is_kept(self, engine: Engine, postgres_url: str) -> None:
        with engine.connect() as connection:
            connection.execute(text("LISTEN word"))
            connection.commit()
        before = backend(engine)
        with psycopg.connect(postgres_url, autocommit=True) as other:
            other.execute("NOTIFY word")
        assert backend(engine) == before

    def test_one_that_is_there_is_not_asked(self, engine: Engine, postgres_url: str) -> None:
        number = backend(engine)
        before = last_asked(postgres_url, number)
        with engine.connect():
            assert last_asked(postgres_url, number) == before
