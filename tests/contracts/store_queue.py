"""What any database must do as a queue: each job to one worker, and none lost with its worker."""

from concurrent.futures import ProcessPoolExecutor
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from multiprocessing import get_context

import pytest
from sqlalchemy import Engine

from service.store import endings
from service.store import jobs
from service.store import leases
from service.store import priorities
from service.store import trials
from service.store.errors import JobAlreadyFinal
from service.store.errors import JobNotFound
from service.store.values import JobError
from service.store.values import JobState
from tests.contracts.claimers import claim_all
from tests.contracts.samples import ERROR
from tests.contracts.samples import LAPSED
from tests.contracts.samples import LONG
from tests.contracts.samples import claim
from tests.contracts.samples import enqueue
from tests.contracts.samples import trial


class QueueContract:
    def test_nothing_is_claimed_from_an_empty_queue(self, engine: Engine) -> None:
        assert leases.claim(engine, lease_seconds=LONG) is None

    def test_a_claim_starts_the_job_under_its_first_attempt(self, engine: Engine) -> None:
        queued = enqueue(engine)
        claimed = leases.claim(engine, lease_seconds=LONG)
        assert claimed is not None
        lease, job = claimed
        assert (lease.job_id, lease.attempt) == (queued.id, 1)
        assert (job.state, job.attempt, job.failures) == (JobState.RUNNING, 1, 0)
        assert job.started_at is not None
        assert job.started_at >= job.created_at

    def test_jobs_are_claimed_by_priority_then_by_age(self, engine: Engine) -> None:
        queued = [enqueue(engine, priority=priority).id for priority in (0, 5, 0, -1, 5)]
        claimed = [claim(engine).job_id for _ in queued]
        assert claimed == [queued[index] for index in (1, 4, 0, 2, 3)]

    def test_a_changed_priority_is_what_the_next_claim_goes_by(self, engine: Engine) -> None:
        first, second, third = (enqueue(engine).id for _ in range(3))
        assert priorities.change(engine, third, 3).priority == 3
        priorities.change(engine, first, -1)
        assert [claim(engine).job_id for _ in range(3)] == [third, second, first]

    def test_a_running_job_keeps_its_new_priority_for_its_return(self, engine: Engine) -> None:
        running = enqueue(engine)
        lease = claim(engine)
        waiting = enqueue(engine)
        assert priorities.change(engine, running.id, 1).state is JobState.RUNNING
        leases.release(engine, lease)
        assert [claim(engine).job_id for _ in range(2)] == [running.id, waiting.id]

    def test_another_priority_makes_no_other_submission(self, engine: Engine) -> None:
        job = enqueue(engine, idempotency_key="k", priority=2)
        priorities.change(engine, job.id, 5)
        assert enqueue(engine, idempotency_key="k", priority=2).id == job.id

    def test_a_job_that_has_ended_or_is_none_has_no_priority_to_change(
        self, engine: Engine
    ) -> None:
        job = enqueue(engine)
        leases.cancel(engine, claim(engine))
        with pytest.raises(JobAlreadyFinal):
            priorities.change(engine, job.id, 1)
        for nowhere in ("nonsense", "01a20899-af86-72ee-8086-ed2fab9297d2"):
            with pytest.raises(JobNotFound):
                priorities.change(engine, nowhere, 1)

    def test_many_threads_claim_each_job_exactly_once(self, engine: Engine) -> None:
        queued = {enqueue(engine).id for _ in range(40)}

        def work(_: int) -> list[str]:
            claimed: list[str] = []
            while (taken := leases.claim(engine, lease_seconds=LONG)) is not None:
                claimed.append(taken[0].job_id)
            return claimed

        with ThreadPoolExecutor(8) as threads:
            claimed = list(chain.from_iterable(threads.map(work, range(8))))
        assert len(claimed) == len(queued)
        assert set(claimed) == queued

    def test_many_processes_claim_each_job_exactly_once(
        self, engine: Engine, database_url: str
    ) -> None:
        queued = {enqueue(engine).id for _ in range(60)}
        with ProcessPoolExecutor(3, mp_context=get_context("spawn")) as processes:
            claimed = list(chain.from_iterable(processes.map(claim_all, [database_url] * 3)))
        assert len(claimed) == len(queued)
        assert set(claimed) == queued

    def test_a_lapsed_lease_returns_the_job_as_another_attempt(self, engine: Engine) -> None:
        enqueue(engine)
        first = claim(engine, lease_seconds=LAPSED)
        second = claim(engine)
        assert (second.job_id, second.attempt) == (first.job_id, 2)
        job = jobs.get(engine, first.job_id)
        assert job.failures == 1
        assert job.error is not None
        assert job.error.code == "worker-lost"

    def test_a_running_job_is_not_claimed_while_its_lease_holds(self, engine: Engine) -> None:
        enqueue(engine)
        lease = claim(engine, lease_seconds=LONG)
        leases.renew(engine, lease, lease_seconds=2 * LONG)
        assert LONG < (leases.due_in(engine) or 0) <= 2 * LONG
        assert leases.claim(engine, lease_seconds=LONG) is None

    def test_a_job_that_loses_its_worker_three_times_fails(self, engine: Engine) -> None:
        job = enqueue(engine)
        for _ in range(leases.MAX_FAILURES):
            claim(engine, lease_seconds=LAPSED)
        assert leases.claim(engine, lease_seconds=LONG) is None
        job = jobs.get(engine, job.id)
        assert (job.state, job.failures, job.attempt) == (JobState.FAILED, 3, 3)
        assert job.error == endings.WORKER_LOST
        assert job.finished_at is not None

    def test_the_cause_that_a_dying_worker_noted_is_the_cause_of_the_failure(
        self, engine: Engine
    ) -> None:
        job = enqueue(engine)
        claim(engine, lease_seconds=LAPSED)
        claim(engine, lease_seconds=LAPSED)
        self.vanish(engine, noting=ERROR)
        assert leases.claim(engine, lease_seconds=LONG) is None
        assert jobs.get(engine, job.id).error == ERROR

    def test_a_cause_noted_by_an_earlier_attempt_is_not_blamed_for_a_later_one(
        self, engine: Engine
    ) -> None:
        job = enqueue(engine)
        self.vanish(engine, noting=ERROR)
        assert claim(engine, lease_seconds=LAPSED).attempt == 2
        assert jobs.get(engine, job.id).error == ERROR
        claim(engine, lease_seconds=LAPSED)
        assert jobs.get(engine, job.id).error == endings.WORKER_LOST

    def test_a_recorded_trial_forgives_earlier_failures(self, engine: Engine) -> None:
        job = enqueue(engine)
        for number in range(2 * leases.MAX_FAILURES):
            lease = claim(engine)
            trials.record(engine, lease, trial(number), seconds=1, lease_seconds=LAPSED)
        claim(engine)
        assert jobs.get(engine, job.id).failures == 1

    def test_a_released_job_is_claimed_again_without_blame(self, engine: Engine) -> None:
        job = enqueue(engine)
        leases.release(engine, claim(engine))
        assert jobs.get(engine, job.id).state is JobState.QUEUED
        assert claim(engine).attempt == 2
        job = jobs.get(engine, job.id)
        assert (job.failures, job.error) == (0, None)

    def test_a_retry_is_not_claimed_before_its_delay(self, engine: Engine) -> None:
        job = enqueue(engine)
        leases.retry(engine, claim(engine), error=ERROR, delay_seconds=LONG)
        assert leases.claim(engine, lease_seconds=LONG) is None
        job = jobs.get(engine, job.id)
        assert (job.state, job.failures, job.error) == (JobState.QUEUED, 1, ERROR)

    def test_a_retry_without_delay_is_claimed_at_once(self, engine: Engine) -> None:
        enqueue(engine)
        leases.retry(engine, claim(engine), error=ERROR, delay_seconds=0)
        assert claim(engine).attempt == 2

    def test_a_job_that_kills_its_worker_three_times_fails_though_once_it_was_given_back(
        self, engine: Engine
    ) -> None:
        job = enqueue(engine)
        claim(engine, lease_seconds=LAPSED)
        leases.release(engine, claim(engine))
        for _ in range(leases.MAX_FAILURES - 1):
            claim(engine, lease_seconds=LAPSED)
        # whoever looks for work next, and be it in its worker's place
        assert leases.claim(engine, lease_seconds=LONG) is None
        found = jobs.get(engine, job.id)
        assert (found.state, found.failures, found.attempt) == (JobState.FAILED, 3, 4)
        assert found.error == endings.WORKER_LOST

    def test_a_job_is_put_off_without_blame_as_often_as_need_be(self, engine: Engine) -> None:
        job = enqueue(engine)
        for _ in range(2 * leases.MAX_FAILURES):
            leases.postpone(engine, claim(engine), error=ERROR, delay_seconds=0)
        found = jobs.get(engine, job.id)
        assert (found.state, found.failures, found.error) == (JobState.QUEUED, 0, ERROR)
        leases.postpone(engine, claim(engine), error=ERROR, delay_seconds=LONG)
        assert leases.claim(engine, lease_seconds=LONG) is None

    def test_a_job_retried_too_often_fails_with_the_last_cause(self, engine: Engine) -> None:
        job = enqueue(engine)
        for number in range(leases.MAX_FAILURES):
            error = JobError(code="evaluator-failed", message=f"attempt {number}")
            leases.retry(engine, claim(engine), error=error, delay_seconds=0)
        job = jobs.get(engine, job.id)
        assert (job.state, job.failures, job.error) == (JobState.FAILED, 3, error)

    @pytest.mark.parametrize("how", ["release", "retry", "postpone", "vanish"])
    def test_a_job_to_be_cancelled_does_not_return_to_the_queue(
        self, engine: Engine, how: str
    ) -> None:
        job = enqueue(engine)
        lease = claim(engine)
        assert jobs.request_cancel(engine, job.id).cancel_requested
        if how == "release":
            leases.release(engine, lease)
        elif how == "retry":
            leases.retry(engine, lease, error=ERROR, delay_seconds=0)
        elif how == "postpone":
            leases.postpone(engine, lease, error=ERROR, delay_seconds=0)
        else:
            leases.renew(engine, lease, lease_seconds=LAPSED)
        assert leases.claim(engine, lease_seconds=LONG) is None
        job = jobs.get(engine, job.id)
        assert (job.state, job.error) == (JobState.CANCELLED, None)

    def test_one_claim_ends_every_job_that_is_beyond_saving(self, engine: Engine) -> None:
        spent = [enqueue(engine).id for _ in range(3)]
        for _ in range(leases.MAX_FAILURES * len(spent)):
            claim(engine, lease_seconds=LAPSED)
        waiting = enqueue(engine)
        assert claim(engine).job_id == waiting.id
        assert {jobs.get(engine, job_id).state for job_id in spent} == {JobState.FAILED}

    @staticmethod
    def vanish(engine: Engine, *, noting: JobError) -> None:
        """Claim the next job, note a cause and let the lease lapse."""
        lease = claim(engine)
        leases.note_cause(engine, lease, noting)
        leases.renew(engine, lease, lease_seconds=LAPSED)
