"""A database without room says so, changes nothing, and goes on once there is some."""

import pytest
from sqlalchemy import Engine

from service.store import jobs
from service.store import leases
from service.store import tokens
from service.store.access import Scope
from service.store.errors import DatabaseFull
from service.store.values import JobState
from tests.contracts.samples import LONG
from tests.contracts.samples import enqueue
from tests.service.fullness import full


def fill(engine: Engine) -> int:
    """Submit until that is refused; return how many were accepted."""
    for accepted in range(1000):
        try:
            enqueue(engine)
        except DatabaseFull:
            return accepted
    raise AssertionError("there is no end to it")


class TestFull:
    def test_what_was_refused_left_nothing_and_what_was_accepted_is_there(
        self, engine: Engine
    ) -> None:
        before = enqueue(engine)
        with full(engine):
            accepted = fill(engine)
            with pytest.raises(DatabaseFull, match=r"is full: .*; free some room on it"):
                enqueue(engine)
            assert len(jobs.page(engine, limit=500).items) == 1 + accepted
            assert jobs.get(engine, before.id).state is JobState.QUEUED
        enqueue(engine)
        assert leases.claim(engine, lease_seconds=LONG) is not None
        assert len(jobs.page(engine, limit=500).items) == 2 + accepted

    def test_who_asks_is_known_even_where_that_cannot_be_noted(self, engine: Engine) -> None:
        scopes = frozenset({Scope.READ})
        secret = tokens.create(engine, tenant="one", name="mine", scopes=scopes)[1]
        with full(engine):
            fill(engine)
            found = tokens.principal(engine, secret)
        assert found is not None
        assert found.tenant == "one"
