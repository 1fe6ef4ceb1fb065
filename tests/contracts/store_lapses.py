"""What any database must do for jobs whose worker is gone while no other one claims."""

import pytest
from sqlalchemy import Engine

from service.store import endings
from service.store import jobs
from service.store import leases
from service.store.values import JobState
from tests.contracts.lapsing import lapsing
from tests.contracts.samples import LAPSED
from tests.contracts.samples import claim
from tests.contracts.samples import enqueue


class LapsesContract:
    def test_a_job_that_lost_its_worker_three_times_ends_though_nobody_claims(
        self, engine: Engine
    ) -> None:
        job = enqueue(engine)
        for _ in range(leases.MAX_FAILURES):
            claim(engine, lease_seconds=LAPSED)
        assert jobs.get(engine, job.id).state is JobState.RUNNING
        assert leases.end_lapsed(engine) == 1
        job = jobs.get(engine, job.id)
        assert (job.state, job.failures, job.attempt) == (JobState.FAILED, 3, 3)
        assert job.error == endings.WORKER_LOST
        assert job.finished_at is not None

    def test_one_that_was_to_be_cancelled_is(self, engine: Engine) -> None:
        job = enqueue(engine)
        lease = claim(engine)
        assert jobs.request_cancel(engine, job.id).state is JobState.RUNNING
        assert leases.renew(engine, lease, lease_seconds=LAPSED)
        assert leases.end_lapsed(engine) == 1
        job = jobs.get(engine, job.id)
        assert (job.state, job.failures, job.error) == (JobState.CANCELLED, 0, None)

    def test_whoever_may_be_saved_is_left_to_a_claim(self, engine: Engine) -> None:
        ids = held, lapsed, queued = [enqueue(engine).id for _ in range(3)]
        assert claim(engine).job_id == held
        assert claim(engine, lease_seconds=LAPSED).job_id == lapsed
        before = [jobs.get(engine, job_id) for job_id in ids]
        assert leases.end_lapsed(engine) == 0
        assert [jobs.get(engine, job_id) for job_id in ids] == before
        assert [claim(engine).job_id for _ in range(2)] == [lapsed, queued]

    @pytest.mark.parametrize("wanted", ["saved", "cancelled"])
    def test_nor_is_it_taken_again_if_its_lease_lapses_while_somebody_claims(
        self, engine: Engine, wanted: str
    ) -> None:
        job = enqueue(engine)
        for _ in range(leases.MAX_FAILURES - 1):
            claim(engine, lease_seconds=LAPSED)
        claim(engine)
        if wanted == "cancelled":
            jobs.request_cancel(engine, job.id)
        other = enqueue(engine).id
        with lapsing(engine, "jobs"):
            assert claim(engine).job_id == other
        assert leases.due_in(engine) == 0
        assert leases.claim(engine, lease_seconds=60) is None
        ended = JobState.CANCELLED if wanted == "cancelled" else JobState.FAILED
        job = jobs.get(engine, job.id)
        assert (job.state, job.attempt) == (ended, leases.MAX_FAILURES)
