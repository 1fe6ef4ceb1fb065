"""Migrations go up, down and up again, agree with the models, and may be run by many at once."""

from argparse import Namespace
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine
from sqlalchemy import Table
from sqlalchemy import inspect
from sqlalchemy import text

from search.trial import Verdict
from service.store import deliveries
from service.store import jobs
from service.store import schema
from service.store import session
from service.store import trials
from service.store.errors import DatabaseBusy
from service.store.tables import METADATA
from tests.contracts.claimers import migrate
from tests.contracts.samples import LONG
from tests.contracts.samples import claim
from tests.contracts.samples import enqueue
from tests.contracts.samples import trial

OURS = {
    "jobs",
    "labels",
    "trials",
    "front",
    "catalog",
    "tokens",
    "sessions",
    "quotas",
    "deliveries",
    "starts",
}


@pytest.fixture
def blank(blank_url: str) -> Iterator[Engine]:
    engine = session.open_engine(blank_url)
    yield engine
    engine.dispose()


def tables(engine: Engine) -> set[str]:
    return set(inspect(engine).get_table_names())


def downgrade(engine: Engine) -> None:
    with engine.begin() as connection:
        command.downgrade(schema.alembic_config(connection), "base")


class TestMigrate:
    def test_up_down_and_up_again_leaves_a_database_that_works(self, blank: Engine) -> None:
        session.migrate(blank)
        assert tables(blank) == OURS | {schema.VERSION_TABLE}
        downgrade(blank)
        assert tables(blank) == {schema.VERSION_TABLE}
        session.migrate(blank)
        job = enqueue(blank, labels={"team": "vision"})
        assert jobs.get(blank, job.id) == job

    def test_migrating_again_keeps_every_row(self, engine: Engine) -> None:
        job = enqueue(engine)
        session.migrate(engine)
        assert jobs.get(engine, job.id) == job

    def test_many_processes_may_migrate_at_once(self, blank_url: str) -> None:
        with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as processes:
            list(processes.map(migrate, [blank_url] * 8))
        engine = session.open_engine(blank_url)
        session.require_current_schema(engine)
        engine.dispose()

    def test_a_migration_that_fails_leaves_nothing_behind(self, blank: Engine) -> None:
        with blank.begin() as connection:
            connection.execute(text("CREATE TABLE front (mine INTEGER)"))
        with pytest.raises(Exception, match="front"):
            session.migrate(blank)
        assert tables(blank) == {"front"}

    def test_other_tools_keep_their_own_version_table(self, blank: Engine) -> None:
        with blank.begin() as connection:
            connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
            connection.execute(text("INSERT INTO alembic_version VALUES ('theirs')"))
        session.migrate(blank)
        with blank.connect() as connection:
            theirs = connection.execute(text("SELECT version_num FROM alembic_version"))
            assert theirs.scalar_one() == "theirs"

    def test_a_table_in_use_is_not_waited_for_long(self, blank_postgres_url: str) -> None:
        engine = session.open_engine(blank_postgres_url)
        session.migrate(engine)
        downgrade(engine)
        with psycopg.connect(blank_postgres_url) as other:
            other.execute(f"LOCK TABLE {schema.VERSION_TABLE}")
            with pytest.raises(DatabaseBusy, match="lock timeout"):
                session.migrate(engine)
        engine.dispose()


class TestVerdicts:
    def test_earlier_trials_get_the_verdict_that_followed_from_their_numbers(
        self, engine: Engine
    ) -> None:
        job = enqueue(engine)
        lease = claim(engine)
        kept = (
            trial(0, constraint=0.0),
            trial(1, constraint=0.01, verdict=Verdict.MISSED),
            trial(2, complete=False, constraint=-0.01, verdict=Verdict.MISSED),
        )
        for result in kept:
            trials.record(engine, lease, result, seconds=1, lease_seconds=LONG)
        with engine.begin() as connection:
            command.downgrade(schema.alembic_config(connection), "2026_11_23_jobs_and_trials")
        assert "verdict" not in {one["name"] for one in inspect(engine).get_columns("trials")}
        session.migrate(engine)
        assert trials.history(engine, job.id) == kept
        assert [one.result.number for one in trials.front(engine, job.id)] == [0]


class TestWebhooks:
    def test_earlier_jobs_tell_nobody(self, engine: Engine) -> None:
        job = enqueue(engine)
        with engine.begin() as connection:
            command.downgrade(schema.alembic_config(connection), "2026_11_24_tenants")
        left = {one["name"] for one in inspect(engine).get_columns("jobs")}
        assert not {"webhook", "start_untold", "end_untold"} & left
        session.migrate(engine)
        assert jobs.request_cancel(engine, job.id).submission.webhook is None
        assert deliveries.claim(engine, lease_seconds=LONG) is None


class TestEnvironment:
    def test_the_alembic_command_works_on_the_url_it_is_given(self, blank_url: str) -> None:
        config = schema.alembic_config()
        config.cmd_opts = Namespace(x=[f"url={blank_url}"])
        command.upgrade(config, "head")
        engine = session.open_engine(blank_url)
        session.require_current_schema(engine)
        engine.dispose()


class TestModels:
    def test_autogenerate_finds_nothing_to_do(self, engine: Engine) -> None:
        with engine.connect() as connection:
            context = MigrationContext.configure(
                connection, opts={"version_table": schema.VERSION_TABLE, "compare_type": True}
            )
            assert compare_metadata(context, METADATA) == []

    def test_what_autogenerate_does_not_see_is_the_same_too(self, blank: Engine) -> None:
        METADATA.create_all(blank)
        modelled = [described(blank, table) for table in METADATA.sorted_tables]
        METADATA.drop_all(blank)
        session.migrate(blank)
        assert [described(blank, table) for table in METADATA.sorted_tables] == modelled


def described(engine: Engine, table: Table) -> dict[str, Any]:
    """Return what the database says about the table's constraints and indexes."""
    found = inspect(engine)
    return {
        "checks": sorted(map(repr, found.get_check_constraints(table.name))),
        "unique": sorted(map(repr, found.get_unique_constraints(table.name))),
        "foreign": sorted(map(repr, found.get_foreign_keys(table.name))),
        "primary": found.get_pk_constraint(table.name),
        "indexes": index_definitions(engine, table),
        "columns": [
            (column["name"], repr(column["type"]), column["nullable"], column["default"])
            for column in found.get_columns(table.name)
        ],
    }


def index_definitions(engine: Engine, table: Table) -> list[Any]:
    """Return the statements that the database keeps for the table's indexes."""
    kept = {
        "sqlite": "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :table",
        "postgresql": "SELECT indexdef FROM pg_indexes WHERE tablename = :table",
    }[engine.dialect.name]
    with engine.connect() as connection:
        return sorted(connection.execute(text(kept), {"table": table.name}).scalars(), key=str)
