"""Opening a database: what is promised about its connections, and what is said when it fails."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy import create_engine
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.store import jobs
from service.store import leases
from service.store import schema
from service.store import session
from service.store.errors import DatabaseBusy
from service.store.errors import DatabaseUnreachable
from service.store.errors import PasswordFileUnusable
from service.store.errors import SchemaOutdated
from service.store.errors import UnsupportedDatabase
from service.store.transactions import writing
from tests.contracts.samples import LONG
from tests.contracts.samples import enqueue


def shown(engine: Engine, setting: str) -> str:
    with engine.connect() as connection:
        return str(connection.execute(text(setting)).scalar_one())


def lose_connection(engine: Engine, url: str) -> None:
    with writing(engine) as opened:
        server = opened.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with psycopg.connect(url) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [server])
        opened.execute(text("SELECT 1"))


def stand_still(engine: Engine) -> None:
    with writing(engine) as opened:
        opened.execute(text("SELECT 1"))
        time.sleep(0.3)
        opened.execute(text("SELECT 1"))


@pytest.fixture
def sqlite(sqlite_url: str) -> Iterator[Engine]:
    engine = session.open_engine(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Engine]:
    engine = session.open_engine(postgres_url)
    yield engine
    engine.dispose()


class TestOpenEngine:
    @pytest.mark.parametrize(
        "setting, value",
        [
            ("PRAGMA journal_mode", "wal"),
            ("PRAGMA synchronous", "2"),
            ("PRAGMA foreign_keys", "1"),
            ("PRAGMA busy_timeout", "20000"),
        ],
    )
    def test_sqlite_is_durable_and_waits_its_turn(
        self, sqlite: Engine, setting: str, value: str
    ) -> None:
        assert shown(sqlite, setting) == value

    @pytest.mark.parametrize(
        "setting, value",
        [
            ("SHOW statement_timeout", "30s"),
            ("SHOW lock_timeout", "10s"),
            ("SHOW idle_in_transaction_session_timeout", "1min"),
            ("SHOW application_name", "bitfloor"),
        ],
    )
    def test_no_statement_on_postgresql_waits_forever(
        self, postgres: Engine, setting: str, value: str
    ) -> None:
        assert shown(postgres, setting) == value

    @pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
    def test_every_spelling_of_postgresql_is_served_by_psycopg(
        self, postgres_url: str, scheme: str
    ) -> None:
        engine = session.open_engine(postgres_url.replace("postgresql", scheme, 1))
        assert engine.driver == "psycopg"
        engine.dispose()

    def test_what_the_url_says_goes_before_our_defaults(self, postgres_url: str) -> None:
        engine = session.open_engine(f"{postgres_url}&application_name=mine")
        assert shown(engine, "SHOW application_name") == "mine"
        assert shown(engine, "SHOW lock_timeout") == "10s"
        engine.dispose()

    def test_a_password_is_read_from_the_file_that_the_url_names(
        self, postgres_url: str, tmp_path: Path
    ) -> None:
        secret = tmp_path / "secret"
        secret.write_text("s3cret\n")
        engine = session.open_engine(f"{postgres_url}&password_file={secret}")
        assert engine.url.password == secret.read_text().strip()
        assert "password_file" not in engine.url.query
        engine.dispose()
        secret.unlink()
        with pytest.raises(PasswordFileUnusable, match="password_file in the database URL"):
            session.open_engine(f"{postgres_url}&password_file={secret}")

    @pytest.mark.parametrize(
        "url",
        [
            "postgresql://bitfloor:s3cret@127.0.0.1:1/bitfloor",
            "postgresql://bitfloor@127.0.0.1:1/bitfloor?password=s3cret",
        ],
    )
    def test_nobody_answering_is_told_without_the_password(self, url: str) -> None:
        with pytest.raises(DatabaseUnreachable) as caught:
            session.open_engine(url)
        assert "@127.0.0.1:1/bitfloor: " in str(caught.value)
        assert "refused" in str(caught.value)
        assert "s3cret" not in str(caught.value)

    def test_a_password_that_the_driver_repeats_is_struck_out(self, postgres_server: str) -> None:
        # libpq quotes an option that it cannot read
        with pytest.raises(DatabaseUnreachable, match=r'invalid sslmode value: "\*\*\*"'):
            session.open_engine(f"{postgres_server}&password=s3cret&sslmode=s3cret")

    def test_a_folder_that_does_not_exist_is_unreachable(self, tmp_path: Path) -> None:
        with pytest.raises(DatabaseUnreachable, match="unable to open database file"):
            session.open_engine(f"sqlite:///{tmp_path}/nowhere/bitfloor.db")

    def test_a_file_that_is_no_database_is_unreachable(self, tmp_path: Path) -> None:
        (tmp_path / "bitfloor.db").write_text("not a database, however long it may be" * 100)
        with pytest.raises(DatabaseUnreachable, match="not a database"):
            session.open_engine(f"sqlite:///{tmp_path}/bitfloor.db")

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "nonsense",
            "mysql://root@h/d",
            "sqlite://",
            "sqlite:///:memory:",
            "postgresql://h:x/d",
            "postgresql:///d?port=x",
        ],
    )
    def test_other_databases_are_refused_with_examples_of_what_works(self, url: str) -> None:
        with pytest.raises(
            UnsupportedDatabase, match=r"sqlite:///path/to/file\.db or postgresql://"
        ):
            session.open_engine(url)


class TestRequireCurrentSchema:
    def test_a_migrated_database_will_do(self, engine: Engine) -> None:
        session.require_current_schema(engine)

    def test_a_blank_database_names_the_command_to_run(self, blank_url: str) -> None:
        engine = session.open_engine(blank_url)
        with pytest.raises(SchemaOutdated, match=r"at nothing and .* run `bitfloor migrate`"):
            session.require_current_schema(engine)
        engine.dispose()

    def test_another_version_is_named(self, engine: Engine) -> None:
        with engine.begin() as connection:
            connection.execute(text("UPDATE bitfloor_version SET version_num = 'later'"))
        try:
            with pytest.raises(SchemaOutdated, match="at later and"):
                session.require_current_schema(engine)
        finally:
            with engine.begin() as connection:
                connection.execute(
                    text("UPDATE bitfloor_version SET version_num = :head"),
                    {"head": schema.head()},
                )


class TestFaults:
    def test_a_missing_table_names_the_command_to_run(self, blank_url: str) -> None:
        engine = session.open_engine(blank_url)
        for use in (jobs.counts_by_state, enqueue):
            with pytest.raises(SchemaOutdated, match="run `bitfloor migrate`"):
                use(engine)
        engine.dispose()

    def test_a_database_that_went_away_is_unreachable(self, blank_postgres_url: str) -> None:
        engine = session.open_engine(blank_postgres_url)
        session.migrate(engine)
        with pytest.raises(DatabaseUnreachable):
            lose_connection(engine, blank_postgres_url)
        # the pool notices, and the next transaction has a connection that works
        assert enqueue(engine).attempt == 0
        engine.dispose()

    def test_a_lock_on_postgresql_that_takes_too_long_is_busy(self, postgres_url: str) -> None:
        engine = session.open_engine(f"{postgres_url}&options=-c%20lock_timeout=20ms")
        job = enqueue(engine)
        with psycopg.connect(postgres_url) as other:
            other.execute("SELECT 1 FROM jobs FOR UPDATE")
            with pytest.raises(DatabaseBusy, match="try again"):
                jobs.request_cancel(engine, job.id)
            # a claim passes by what somebody else has in hand
            assert leases.claim(engine, lease_seconds=LONG) is None
        engine.dispose()

    def test_whoever_stood_still_for_too_long_is_cut_off(self, postgres_url: str) -> None:
        hasty = f"{postgres_url}&options=-c%20idle_in_transaction_session_timeout=20ms"
        engine = session.open_engine(hasty)
        with pytest.raises(DatabaseUnreachable, match="idle-in-transaction timeout"):
            stand_still(engine)
        # as a worker is that was suspended, and finds its lease lost by then
        assert enqueue(engine).attempt == 0
        engine.dispose()

    def test_a_writer_on_sqlite_that_takes_too_long_is_busy(self, sqlite_url: str) -> None:
        engine = session.open_engine(f"{sqlite_url}?timeout=0.02")
        enqueue(engine)
        with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(DatabaseBusy, match="locked"):
                enqueue(engine)
            # readers wait for nobody
            assert len(jobs.page(engine).items) == 1
        engine.dispose()

    def test_a_pool_without_a_free_connection_is_busy(self, sqlite_url: str) -> None:
        engine = create_engine(sqlite_url, pool_size=1, max_overflow=0, pool_timeout=0.01)
        with engine.connect(), pytest.raises(DatabaseBusy, match="every connection is in use"):
            jobs.counts_by_state(engine)
        engine.dispose()


class TestParameters:
    def test_an_error_never_holds_what_was_sent(self, engine: Engine) -> None:
        with pytest.raises(DBAPIError) as caught, engine.begin() as connection:
            connection.execute(text("SELECT * FROM jobs WHERE nothing = :sent"), {"sent": "secret"})
        assert "secret" not in str(caught.value)
