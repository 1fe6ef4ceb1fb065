"""The figures of the whole queue, on both databases."""

from sqlalchemy import Engine
from sqlalchemy import text

from service.store import leases
from service.store import totals
from service.store import trials
from service.store.values import JobState
from service.store.values import Lease
from tests.contracts.samples import ERROR
from tests.contracts.samples import LAPSED
from tests.contracts.samples import LONG
from tests.contracts.samples import claim
from tests.contracts.samples import enqueue
from tests.contracts.samples import trial


def record(engine: Engine, lease: Lease, count: int) -> None:
    for number in range(count):
        trials.record(engine, lease, trial(number), seconds=0.5, lease_seconds=LONG)


class TestRead:
    def test_an_empty_database_is_all_zeros(self, engine: Engine) -> None:
        found = totals.read(engine)
        assert set(found.jobs) == set(JobState)
        assert set(found.jobs.values()) == {0}
        rest = (found.due, found.oldest_due_seconds, found.lapsed)
        assert (*rest, found.trials, found.images, found.claims) == (0, 0.0, 0, 0, 0, 0)

    def test_it_adds_up_over_jobs_of_every_state(self, engine: Engine) -> None:
        for _ in range(4):
            enqueue(engine)
        ended, running = claim(engine), claim(engine)
        record(engine, ended, 3)
        record(engine, running, 2)
        leases.add_images(engine, running, 7)
        leases.succeed(engine, ended, {"a": 1})
        found = totals.read(engine)
        assert {state: count for state, count in found.jobs.items() if count} == {
            JobState.SUCCEEDED: 1,
            JobState.RUNNING: 1,
            JobState.QUEUED: 2,
        }
        assert (found.trials, found.images, found.claims) == (5, 57, 2)
        assert (found.due, found.lapsed) == (2, 0)

    def test_a_job_that_waits_for_its_retry_is_queued_and_not_due(self, engine: Engine) -> None:
        enqueue(engine)
        leases.retry(engine, claim(engine), error=ERROR, delay_seconds=LONG)
        found = totals.read(engine)
        assert found.jobs[JobState.QUEUED] == 1
        assert (found.due, found.oldest_due_seconds) == (0, 0.0)

    def test_a_lapsed_lease_is_seen_until_the_job_is_claimed_again(self, engine: Engine) -> None:
        enqueue(engine)
        claim(engine, lease_seconds=LAPSED)
        assert totals.read(engine).lapsed == 1
        claim(engine)
        found = totals.read(engine)
        assert (found.lapsed, found.claims) == (0, 2)

    def test_the_oldest_has_waited_since_it_was_due_and_not_since_it_was_new(
        self, engine: Engine
    ) -> None:
        first = enqueue(engine)
        with engine.begin() as connection:
            connection.execute(text("UPDATE jobs SET claimable_at = claimable_at - 120"))
        enqueue(engine)
        assert 120 <= totals.read(engine).oldest_due_seconds < 180
        lease = claim(engine)
        assert lease.job_id == first.id
        leases.release(engine, lease)
        assert totals.read(engine).oldest_due_seconds < 60
