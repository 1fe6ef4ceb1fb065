"""What a look at a database finds, on each of the two, and when something is wrong."""

import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import Engine
from sqlalchemy import text

from service.findings import Finding
from service.findings import Verdict
from service.store import checkup
from service.store import leases
from service.store import tokens
from service.store.access import Scope
from tests.contracts.samples import enqueue
from tests.service.api import deployment


def look(url: str) -> Mapping[str, Finding]:
    return {finding.what: finding for finding in checkup.look(url, clock=time.time)}


class TestLook:
    def test_all_is_well_once_a_worker_has_announced(
        self, engine: Engine, database_url: str
    ) -> None:
        deployment.announce(engine)
        # once of three times, for the machine may be busy, and answers slow
        for _ in range(3):
            found = [*checkup.look(database_url, clock=time.time)]
            complaints = {finding.what for finding in found if finding.verdict is not Verdict.OK}
            # a server that a test set up without fsync is no fault here
            if complaints <= {"durability"}:
                break
        assert complaints <= {"durability"}
        whats = {"database", "clock", "schema", "queue", "offers", "tokens"}
        assert whats <= {finding.what for finding in found}
        assert "1 models and 1 datasets" in look(database_url)["offers"].facts

    def test_without_a_worker_nothing_can_be_named(self, database_url: str) -> None:
        offers = look(database_url)["offers"]
        assert offers.verdict is Verdict.WARNING
        assert "start a worker" in offers.remedy

    def test_a_clock_an_hour_off_is_told(self, database_url: str) -> None:
        found = checkup.look(database_url, clock=lambda: time.time() + 3600)
        clock = next(finding for finding in found if finding.what == "clock")
        assert clock.verdict is Verdict.WARNING
        assert float(clock.facts.split()[0]) == pytest.approx(3600, abs=20)

    def test_tables_of_another_version_end_it(self, blank_url: str) -> None:
        if blank_url.startswith("sqlite"):
            Path(blank_url.removeprefix("sqlite:///")).touch()
        found = look(blank_url)
        assert found["schema"].verdict is Verdict.FAILURE
        assert "bitfloor migrate" in found["schema"].remedy
        assert "queue" not in found

    def test_a_job_left_by_its_worker_is_a_warning(self, engine: Engine, database_url: str) -> None:
        enqueue(engine)
        assert look(database_url)["queue"].verdict is Verdict.OK
        leases.claim(engine, lease_seconds=0.01)
        time.sleep(0.05)
        queue = look(database_url)["queue"]
        assert queue.verdict is Verdict.WARNING
        assert "1 left by a worker that has gone" in queue.facts

    def test_a_job_that_waits_with_nobody_at_work_is_a_warning(
        self, engine: Engine, database_url: str
    ) -> None:
        enqueue(engine)
        with engine.begin() as connection:
            connection.execute(text("UPDATE jobs SET claimable_at = claimable_at - 120"))
        queue = look(database_url)["queue"]
        assert queue.verdict is Verdict.WARNING
        assert "has waited for 12" in queue.facts

    def test_tokens_are_counted_not_shown(self, engine: Engine, database_url: str) -> None:
        assert "none" in look(database_url)["tokens"].facts
        _, shown = tokens.create(engine, tenant="t", name="n", scopes=frozenset({Scope.READ}))
        facts = look(database_url)["tokens"].facts
        assert "there are some" in facts
        assert shown not in facts


class TestSqlite:
    def test_a_missing_file_is_told_and_not_made(self, tmp_path: Path) -> None:
        (found,) = checkup.look(f"sqlite:///{tmp_path}/none.db", clock=time.time)
        assert found.verdict is Verdict.FAILURE
        assert "no such file" in found.facts
        assert list(tmp_path.iterdir()) == []

    def test_a_damaged_file_is_a_failure(self, sqlite_url: str) -> None:
        path = Path(sqlite_url.removeprefix("sqlite:///"))
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
            (root,) = connection.execute(
                "SELECT rootpage FROM sqlite_master WHERE name = 'ix_jobs_tenant_newest'"
            ).fetchone()
            (size,) = connection.execute("PRAGMA page_size").fetchone()
        with path.open("r+b") as file:
            file.seek((root - 1) * size)
            file.write(b"\xff" * size)
        found = look(sqlite_url)
        assert {f.verdict for f in (found.get("file"), found["database"]) if f} >= {Verdict.FAILURE}


class TestPostgresql:
    def test_a_server_that_may_forget_is_a_warning(self, postgres_url: str) -> None:
        # the tests' own server runs without fsync
        durability = look(postgres_url)["durability"]
        assert durability.verdict is Verdict.WARNING
        assert "fsync off" in durability.facts

    def test_few_connections_left_are_a_warning(self, postgres_url: str) -> None:
        held = [psycopg.connect(postgres_url) for _ in range(5)]
        try:
            found = look(postgres_url)["connections"]
        finally:
            for connection in held:
                connection.close()
        used, most = (int(part) for part in found.facts.removesuffix(" in use").split(" of "))
        assert used > len(held)
        assert (found.verdict is Verdict.WARNING) == (most - used < checkup.SPARE)

    def test_nobody_answering_is_told_without_the_password(self) -> None:
        (found,) = checkup.look("postgresql://me:s3cret@127.0.0.1:1/bitfloor", clock=time.time)
        assert found.verdict is Verdict.FAILURE
        assert "refused" in found.facts
        assert "s3cret" not in found.facts


@pytest.mark.parametrize("said", ["postgresql://me@host/name?password_file=/nowhere/secret"])
def test_a_password_file_that_is_not_there_is_named(said: str) -> None:
    (found,) = checkup.look(said, clock=time.time)
    assert "password_file" in found.facts
    assert "/nowhere/secret" in found.facts
