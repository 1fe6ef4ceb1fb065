"""Whoever listens is rung for every job that arrives or returns, and for nothing that did not."""

import threading
from collections.abc import Callable
from collections.abc import Iterator
from queue import Empty
from queue import SimpleQueue

import psycopg
import pytest
from sqlalchemy import Engine

from service.store import jobs
from service.store import leases
from service.store import quotas
from service.store import wakes
from service.store.access import Quota
from service.store.errors import DatabaseUnreachable
from service.store.errors import QuotaExceeded
from tests.conftest import opened
from tests.contracts.samples import ERROR
from tests.contracts.samples import LONG
from tests.contracts.samples import claim
from tests.contracts.samples import enqueue

PATIENCE = 10.0  # seconds


class Heard:
    """What a listener heard, and how it ended."""

    def __init__(self, engine: Engine, *, turn: float = 0.1) -> None:
        self.rings: SimpleQueue[None] = SimpleQueue()
        self.ended: list[Exception] = []
        self.wanted = True
        self._engine, self._turn = engine, turn
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()
        self.rings.get(timeout=PATIENCE)  # it listens

    def rung(self, *, within: float = PATIENCE) -> bool:
        """Tell whether it was rung, and forget it."""
        try:
            self.rings.get(timeout=within)
        except Empty:
            return False
        return True

    def _listen(self) -> None:
        try:
            ring = lambda: self.rings.put(None)  # noqa: E731 - a function of one expression
            wakes.listen(self._engine, ring, wanted=lambda: self.wanted, turn=self._turn)
        except DatabaseUnreachable as error:
            self.ended.append(error)


@pytest.fixture
def postgres(postgres_url: str) -> Iterator[Engine]:
    with opened(postgres_url) as engine:
        yield engine


@pytest.fixture
def heard(postgres: Engine) -> Iterator[Heard]:
    listening = Heard(postgres)
    yield listening
    listening.wanted = False
    enqueue(postgres)
    listening.thread.join(PATIENCE)
    assert not listening.thread.is_alive()


ARRIVALS: dict[str, Callable[[Engine], object]] = {
    "release": lambda engine: leases.release(engine, claim(engine)),
    "retry": lambda engine: leases.retry(engine, claim(engine), error=ERROR, delay_seconds=LONG),
}


class TestListen:
    def test_a_job_that_arrives_rings_at_once(self, postgres: Engine, postgres_url: str) -> None:
        # and not when its turn is over
        heard = Heard(postgres, turn=6 * PATIENCE)
        enqueue(postgres)
        assert heard.rung()
        end_listeners(postgres_url)
        heard.thread.join(PATIENCE)

    @pytest.mark.parametrize("how", ARRIVALS)
    def test_a_job_that_returns_rings(self, postgres: Engine, heard: Heard, how: str) -> None:
        enqueue(postgres)
        assert heard.rung()
        ARRIVALS[how](postgres)
        assert heard.rung()

    def test_what_was_rolled_back_rings_nobody(self, postgres: Engine, heard: Heard) -> None:
        quotas.put(postgres, Quota(tenant="default", queued_jobs=0))
        with pytest.raises(QuotaExceeded):
            enqueue(postgres)
        assert not heard.rung(within=0.3)
        quotas.remove(postgres, "default")

    def test_the_same_submission_again_rings_nobody(self, postgres: Engine, heard: Heard) -> None:
        enqueue(postgres, idempotency_key="mine")
        assert heard.rung()
        enqueue(postgres, idempotency_key="mine")
        assert not heard.rung(within=0.3)

    def test_work_on_a_job_rings_nobody(self, postgres: Engine, heard: Heard) -> None:
        job = enqueue(postgres)
        assert heard.rung()
        lease = claim(postgres)
        leases.renew(postgres, lease, lease_seconds=LONG)
        jobs.request_cancel(postgres, job.id)
        leases.cancel(postgres, lease)
        assert not heard.rung(within=0.3)

    def test_a_broken_connection_ends_it_with_what_broke_it(
        self, postgres: Engine, postgres_url: str
    ) -> None:
        heard = Heard(postgres)
        end_listeners(postgres_url)
        heard.thread.join(PATIENCE)
        (error,) = heard.ended
        assert "cannot reach the database" in str(error)


def end_listeners(url: str) -> int:
    """End the connections of all that listen to this database, as a restarted server would."""
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        ended = connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'bitfloor-listener' AND datname = current_database()"
        )
        return len(ended.fetchall())


class TestDueIn:
    def test_it_is_as_long_as_the_next_retry_or_lapse_takes(self, engine: Engine) -> None:
        assert leases.due_in(engine) is None
        enqueue(engine)
        assert leases.due_in(engine) == 0.0
        lease = claim(engine, lease_seconds=50)
        assert 40 < (leases.due_in(engine) or 0) <= 50
        leases.retry(engine, lease, error=ERROR, delay_seconds=20)
        assert 10 < (leases.due_in(engine) or 0) <= 20
        jobs.request_cancel(engine, lease.job_id)
        assert leases.due_in(engine) is None
