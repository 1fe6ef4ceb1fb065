"""Writers on SQLite stand in line within a process, and none waits for ever."""

import threading
import time
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy import event

from service.store import session
from service.store import turns
from service.store.errors import DatabaseBusy
from service.store.transactions import writing
from tests.contracts.samples import enqueue


class TestTaken:
    def test_a_second_writer_does_not_reach_sqlite_before_the_first_is_done(
        self, sqlite_url: str
    ) -> None:
        engine = session.open_engine(sqlite_url)
        begun: list[Any] = []
        event.listen(engine, "begin", begun.append)
        with writing(engine):
            second = threading.Thread(target=enqueue, args=(engine,))
            second.start()
            time.sleep(0.2)
            waiting = len(begun)
        second.join()
        assert (waiting, len(begun)) == (1, 2)
        engine.dispose()

    def test_who_waits_too_long_is_told(self, sqlite_url: str) -> None:
        engine = session.open_engine(sqlite_url)
        with (
            turns.taken(engine),
            pytest.raises(DatabaseBusy, match="too many are waiting to write"),
            turns.taken(engine, wait=0.01),
        ):
            pytest.fail("two writers at once")
        engine.dispose()

    def test_a_writer_that_fails_lets_the_next_one_in(self, engine: Engine) -> None:
        with pytest.raises(LookupError), writing(engine):
            raise LookupError
        assert enqueue(engine).attempt == 0

    def test_postgresql_has_many_at_once(self, postgres_url: str) -> None:
        engine = session.open_engine(postgres_url)
        with turns.taken(engine), turns.taken(engine, wait=0.01):
            pass
        engine.dispose()
