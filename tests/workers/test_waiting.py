"""How soon an idle worker begins: told by PostgreSQL, else by looking now and then."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
from sqlalchemy import Engine

from search.spec import JobSpec
from service.store import jobs
from service.store import leases
from service.store.values import Submission
from tests.conftest import opened
from tests.contracts.samples import ERROR
from tests.contracts.samples import LONG
from tests.contracts.samples import claim
from tests.workers.processes import has_logged
from tests.workers.processes import until
from tests.workers.processes import worker_process
from workers.bell import Bell
from workers.listener import Listener
from workers.worker import Worker

SELDOM = 30.0  # seconds between looks
SMALL = JobSpec(
    model="digits-vgg", dataset="digits", tolerance=0.02, quantizers=("affine",), budget=1
)
LISTENERS = (
    "FROM pg_stat_activity"
    " WHERE application_name = 'bitfloor-listener' AND datname = current_database()"
)


class TestBell:
    def test_a_ring_before_the_wait_ends_it_at_once_and_once(self) -> None:
        bell = Bell()
        bell.ring()
        bell.ring()
        assert bell.wait(10)
        assert not bell.wait(0.01)

    def test_a_ring_from_elsewhere_ends_the_wait(self) -> None:
        bell = Bell()
        threading.Timer(0.05, bell.ring).start()
        began = time.monotonic()
        assert bell.wait(10)
        assert time.monotonic() - began < 5


class TestIdle:
    """Of a worker that looks every thirty seconds at most."""

    def test_told_it_starts_within_a_second_also_after_it_was_cut_off(
        self, postgres_url: str, tmp_path: Path
    ) -> None:
        log = tmp_path / "log"
        seldom = {"BITFLOOR_POLL_SECONDS": str(SELDOM)}
        with (
            opened(postgres_url) as engine,
            worker_process(postgres_url, log=log, environment=seldom),
        ):
            finished(engine, arrived(engine))
            assert soonest(engine) < 1
            assert asked(postgres_url, f"SELECT pg_terminate_backend(pid) {LISTENERS}") == 1
            until(lambda: has_logged(log, "hears of no new jobs"))
            until(lambda: asked(postgres_url, f"SELECT pid {LISTENERS}") == 1)
            assert soonest(engine) < 1

    def test_a_retry_is_taken_when_it_is_due(self, engine: Engine, worker: Worker) -> None:
        job_id = arrived(engine)
        leases.retry(engine, claim(engine), error=ERROR, delay_seconds=0.5)
        began = time.monotonic()
        with working(worker, poll_seconds=SELDOM):
            finished(engine, job_id)
        assert time.monotonic() - began < SELDOM / 2

    def test_a_job_is_taken_when_the_lease_of_a_vanished_worker_lapses(
        self, engine: Engine, worker: Worker
    ) -> None:
        job_id = arrived(engine)
        claim(engine, lease_seconds=0.5)
        began = time.monotonic()
        with working(worker, poll_seconds=SELDOM):
            finished(engine, job_id)
        assert time.monotonic() - began < SELDOM / 2

    def test_a_retry_of_another_worker_is_heard_of_and_taken_when_it_is_due(
        self, postgres_url: str, worker: Worker
    ) -> None:
        with opened(postgres_url) as engine:
            job_id = arrived(engine)
            lease = claim(engine, lease_seconds=LONG)
            with working(replace(worker, engine=engine), poll_seconds=SELDOM):
                until(lambda: asked(postgres_url, f"SELECT pid {LISTENERS}") == 1)
                time.sleep(0.2)  # it waits
                leases.retry(engine, lease, error=ERROR, delay_seconds=0.5)
                began = time.monotonic()
                finished(engine, job_id)
                assert time.monotonic() - began < SELDOM / 2

    def test_untold_it_looks_every_now_and_then(self, engine: Engine, worker: Worker) -> None:
        with working(worker, poll_seconds=0.05, listening=False):
            time.sleep(0.2)
            finished(engine, arrived(engine))

    def test_looks_are_spread(self, worker: Worker) -> None:
        settings = worker.settings.model_copy(update={"poll_seconds": SELDOM})
        idle = replace(worker, settings=settings)
        waits = {idle.until_next_look() for _ in range(20)}
        assert len(waits) > 10
        assert all(0.5 * SELDOM <= wait <= SELDOM for wait in waits)


@contextmanager
def working(worker: Worker, *, poll_seconds: float, listening: bool = True) -> Iterator[None]:
    """Let it work in a thread, meanwhile."""
    settings = worker.settings.model_copy(update={"poll_seconds": poll_seconds})
    worker = replace(worker, settings=settings, stop=threading.Event())
    listener = Listener(worker.engine, worker.bell.ring)
    if listening:
        listener.start()
    thread = threading.Thread(target=worker.work_forever)
    thread.start()
    try:
        yield
    finally:
        worker.stop.set()
        worker.bell.ring()
        listener.stop()
        thread.join(60)


def arrived(engine: Engine) -> str:
    return jobs.enqueue(engine, Submission(spec=SMALL, fresh=True))[0].id


def finished(engine: Engine, job_id: str) -> None:
    until(lambda: jobs.get(engine, job_id).state.final)


def waited(engine: Engine, job_id: str) -> float:
    """Return how many seconds after its arrival the job was started, by the database's clock."""
    finished(engine, job_id)
    job = jobs.get(engine, job_id)
    assert job.started_at is not None
    return job.started_at - job.created_at


def soonest(engine: Engine) -> float:
    """Return the least of three waits: the machine may be busy with other tests."""
    return min(waited(engine, arrived(engine)) for _ in range(3))


def asked(url: str, statement: str) -> int:
    """Return how many rows the statement gives."""
    with psycopg.connect(url, autocommit=True) as connection:
        return len(connection.execute(statement.encode()).fetchall())
