"""A thread that ends jobs whose worker is gone, on both databases, and outlives their faults."""

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine
from sqlalchemy import inspect
from sqlalchemy import text
from structlog.testing import capture_logs

from service import lapses
from service.cli.database import opened
from service.store import jobs
from service.store import leases
from service.store.values import JobState
from tests.contracts.samples import LAPSED
from tests.contracts.samples import claim
from tests.contracts.samples import enqueue
from tests.service.cli.test_webhook import serving
from tests.workers.processes import until


def lose(engine: Engine) -> str:
    """Return a job whose worker was lost for the last time."""
    job_id = enqueue(engine).id
    for _ in range(leases.MAX_FAILURES):
        claim(engine, lease_seconds=LAPSED)
    return job_id


@pytest.fixture
def lost(engine: Engine) -> str:
    """Return such a job."""
    return lose(engine)


def threads() -> Iterator[threading.Thread]:
    return (thread for thread in threading.enumerate() if thread.name == lapses.THREAD_NAME)


def names(engine: Engine) -> set[str]:
    """Return those of the tables."""
    return {*inspect(engine).get_table_names()}


class TestEnding:
    def test_a_job_ends_though_nobody_claims(self, engine: Engine, lost: str) -> None:
        with lapses.ending(engine, pause=0.05):
            until(lambda: jobs.get(engine, lost).state is JobState.FAILED, seconds=20)
        until(lambda: not [*threads()], seconds=20)

    def test_it_goes_on_after_a_fault(self, engine: Engine, lost: str) -> None:
        def rename(old: str, new: str) -> None:
            with engine.begin() as connection:
                connection.execute(text(f"ALTER TABLE {old} RENAME TO {new}"))

        rename("jobs", "away")
        try:
            with capture_logs() as told, lapses.ending(engine, pause=0.05):
                until(lambda: len(told) >= 2, seconds=20)
                rename("away", "jobs")
                until(lambda: jobs.get(engine, lost).state is JobState.FAILED, seconds=20)
                until(lambda: told[-1]["event"] == "ended jobs whose worker was lost", seconds=20)
        finally:
            # others share the database
            if "away" in names(engine):
                rename("away", "jobs")
        assert told[0]["event"] == "cannot end lapsed jobs"
        assert told[-1]["jobs"] == 1


class TestServe:
    def test_the_service_has_one(self, sqlite_url: str) -> None:
        with opened(sqlite_url) as engine:
            job_id = lose(engine)
            with serving(sqlite_url):
                until(lambda: jobs.get(engine, job_id).state is JobState.FAILED, seconds=60)
