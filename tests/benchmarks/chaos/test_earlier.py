"""Databases of earlier releases, and what their workers write into those of today."""

from collections.abc import Iterator

import pytest
from alembic import command
from sqlalchemy import Engine

from benchmarks.chaos import earlier
from benchmarks.chaos.crew import until
from benchmarks.chaos.earlier import Heart
from benchmarks.chaos.earlier import Tables
from service.store import jobs
from service.store import leases
from service.store import schema
from service.store import session
from service.store import trials
from service.store.errors import SchemaOutdated
from tests.contracts.samples import LONG
from tests.contracts.samples import claim
from tests.contracts.samples import enqueue
from tests.contracts.samples import trial


@pytest.fixture
def blank(blank_url: str) -> Iterator[Engine]:
    engine = session.open_engine(blank_url)
    yield engine
    engine.dispose()


class TestRevisions:
    def test_are_those_before_todays_the_last_one_first(self) -> None:
        found = earlier.revisions()
        assert found[-1] == earlier.OLDEST
        assert schema.head() not in found
        assert len({*found}) == len(found) >= 4

    @pytest.mark.parametrize("revision", earlier.revisions())
    def test_a_database_at_each_is_older_than_this_release(
        self, blank: Engine, revision: str
    ) -> None:
        earlier.migrate(blank, revision)
        with pytest.raises(SchemaOutdated):
            session.require_current_schema(blank)


class TestTables:
    def test_a_job_is_carried_to_an_earlier_schema_and_back_as_it_was(self, blank: Engine) -> None:
        session.migrate(blank)
        job = enqueue(blank)
        trials.record(blank, claim(blank), trial(0), seconds=1, lease_seconds=LONG)
        kept, front = jobs.get(blank, job.id), trials.front(blank, job.id)
        rows = Tables(blank).rows(job.id)
        with blank.begin() as connection:
            command.downgrade(schema.alembic_config(connection), "base")
        earlier.migrate(blank, earlier.revisions()[0])
        Tables(blank).add(rows)
        session.migrate(blank)
        assert jobs.get(blank, job.id) == kept
        assert trials.history(blank, job.id) == (trial(0),)
        assert trials.front(blank, job.id) == front


class TestHeart:
    def test_renews_while_the_lease_holds_and_misses_once_it_is_lost(self, engine: Engine) -> None:
        job = enqueue(engine)
        lease = claim(engine)
        tables = Tables(engine)
        own = tables.rows(job.id)["jobs"][0]["id"]
        with Heart(tables, own, lease=3.0).beating() as heart:
            until("the lease is renewed twice", lambda: heart.beats >= 2, patience=30)
            assert heart.missed == 0
            leases.release(engine, lease)
            until("the loss is met with", lambda: heart.missed >= 1, patience=30)
