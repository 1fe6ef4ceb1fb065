"""What a search starts from is kept once, whole, and apart from what it was taken from."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from search.allocation import BitAllocation
from search.allocation import QuantizerConfig
from search.pareto import pareto_front
from search.spec import GOALS
from search.trial import EARLIER
from search.trial import Hits
from search.trial import TrialResult
from search.trial import Verdict
from service.store import jobs
from service.store import leases
from service.store import quotas
from service.store import reuse
from service.store import starts
from service.store import trials
from service.store.access import Quota
from service.store.errors import IdempotencyConflict
from service.store.errors import JobNotFound
from service.store.errors import LeaseLost
from service.store.errors import QuotaExceeded
from service.store.starts import Start
from service.store.values import Job
from service.store.values import Taken
from tests.contracts.samples import LAPSED
from tests.contracts.samples import LONG
from tests.contracts.samples import SETUP
from tests.contracts.samples import SPEC
from tests.contracts.samples import claim
from tests.contracts.samples import enqueue
from tests.contracts.samples import submission
from tests.contracts.samples import trial

SENSITIVITY = {"images": 9, "margins": [0.1, -2.5e-17], "energies": {"features.0": []}}
GROUND = {"model": "a" * 64, "device": "cpu"}
CONTENT = "c" * 64


def allocation(bits: int) -> BitAllocation:
    return BitAllocation.of({"features.0": QuantizerConfig("affine", bits)})


#: as `search.earlier.judged` returns them: one that held, one that missed, one undecided
FOUND: tuple[TrialResult, ...] = (
    trial(0, origin=EARLIER, memory_bits=512),
    trial(1, origin=EARLIER, memory_bits=128, verdict=Verdict.MISSED, allocation=allocation(3)),
    trial(2, origin=EARLIER, memory_bits=256, hits=Hits(images=10, correct=9)),
    trial(3, origin=EARLIER, memory_bits=64, verdict=Verdict.UNDECIDED, complete=False),
)
START = Start(
    sensitivity=SENSITIVITY, trials=FOUND, taken=Taken(trials=len(FOUND), sensitivities=16)
)


def carry_out(engine: Engine, **said: str) -> Job:
    """Let a job find something and end."""
    job = enqueue(engine, **said)
    lease = claim(engine)
    starts.stand_on(engine, lease, GROUND)
    leases.begin(engine, lease, SETUP)
    starts.keep(engine, lease, Start(sensitivity=SENSITIVITY))
    trials.record(engine, lease, trial(0), seconds=1, lease_seconds=LONG)
    leases.cancel(engine, lease)
    return jobs.get(engine, job.id)


class TestKeep:
    def test_it_comes_back_as_it_was(self, engine: Engine) -> None:
        job = enqueue(engine)
        assert starts.kept(engine, job.id) is None
        starts.keep(engine, claim(engine), START)
        assert starts.kept(engine, job.id) == Start(sensitivity=SENSITIVITY)
        assert trials.history(engine, job.id) == FOUND

    @pytest.mark.parametrize("goal", GOALS)
    def test_best_and_front_are_those_of_what_was_taken_over(
        self, engine: Engine, goal: str
    ) -> None:
        job = enqueue(engine, spec=replace(SPEC, goal=goal))
        starts.keep(engine, claim(engine), START)
        assert jobs.get(engine, job.id).progress.best == FOUND[2]
        front = tuple(stored.result for stored in trials.front(engine, job.id))
        assert front == pareto_front(FOUND, goal=goal) != ()

    def test_it_counts_as_taken_and_not_as_done(self, engine: Engine) -> None:
        job = enqueue(engine)
        lease = claim(engine)
        starts.keep(engine, lease, START)
        trials.record(engine, lease, trial(4), seconds=1, lease_seconds=LONG)
        for found in (jobs.get(engine, job.id), jobs.outline(engine, job.id)):
            assert found.taken == Taken(trials=4, sensitivities=16)
            assert (found.progress.trials, found.progress.images_evaluated) == (1, 10)

    def test_trials_go_on_after_those_taken_over(self, engine: Engine) -> None:
        job = enqueue(engine)
        lease = claim(engine)
        starts.keep(engine, lease, START)
        better = trial(4, memory_bits=32, allocation=allocation(1))
        trials.record(engine, lease, better, seconds=1, lease_seconds=LONG)
        assert jobs.get(engine, job.id).progress.best == better
        assert [one.result.number for one in trials.front(engine, job.id)] == [4]

    def test_a_second_time_nothing_is_written(self, engine: Engine) -> None:
        job = enqueue(engine)
        lease = claim(engine)
        starts.keep(engine, lease, START)
        with pytest.raises(IntegrityError):
            starts.keep(engine, lease, Start(sensitivity=None))
        assert jobs.get(engine, job.id).taken == START.taken
        assert trials.history(engine, job.id) == FOUND

    def test_without_an_earlier_job_there_is_nothing_taken(self, engine: Engine) -> None:
        job = carry_out(engine)
        assert job.taken is None
        assert job.progress.best == trial(0)

    def test_a_lost_lease_writes_nothing(self, engine: Engine) -> None:
        job = enqueue(engine)
        lease = claim(engine, lease_seconds=LAPSED)
        with pytest.raises(LeaseLost):
            starts.keep(engine, lease, START)
        with pytest.raises(LeaseLost):
            starts.stand_on(engine, lease, GROUND)
        assert starts.kept(engine, job.id) is None
        assert trials.history(engine, job.id) == ()


class TestEarlier:
    def test_it_tells_what_was_found_out(self, engine: Engine) -> None:
        job = carry_out(engine, tenant="vision")
        found = starts.earlier(engine, job.id, tenant="vision")
        assert (found.id, found.spec, found.ground) == (job.id, SPEC, GROUND)
        assert (found.sensitivity, found.trials) == (SENSITIVITY, (trial(0),))

    def test_another_tenants_is_none(self, engine: Engine) -> None:
        job = carry_out(engine, tenant="vision")
        for read in (starts.earlier, starts.candidate):
            for job_id, tenant in ((job.id, "audio"), ("0" * 8, "vision")):
                with pytest.raises(JobNotFound):
                    read(engine, job_id, tenant=tenant)

    def test_a_candidate_tells_whether_it_has_begun(self, engine: Engine) -> None:
        begun = carry_out(engine)
        queued = enqueue(engine)
        for job, has_begun in ((begun, True), (queued, False)):
            found, told = starts.candidate(engine, job.id, tenant="default")
            assert (found.id, found.state, told) == (job.id, job.state, has_begun)


class TestSubmission:
    def test_the_job_says_what_it_starts_from(self, engine: Engine) -> None:
        earlier = carry_out(engine)
        job = enqueue(engine, from_job=earlier.id)
        assert job.submission.from_job == earlier.id
        assert jobs.get(engine, job.id) == job

    def test_the_same_key_with_another_start_is_a_conflict(self, engine: Engine) -> None:
        earlier = carry_out(engine)
        wanted = submission(idempotency_key="k", from_job=earlier.id)
        job, created = jobs.enqueue(engine, wanted)
        assert created
        assert jobs.enqueue(engine, wanted) == (job, False)
        with pytest.raises(IdempotencyConflict):
            jobs.enqueue(engine, submission(idempotency_key="k"))

    def test_a_job_answered_from_it_takes_its_start_along(self, engine: Engine) -> None:
        enqueue(engine)
        lease = claim(engine)
        reuse.answer(engine, lease, CONTENT, fresh=True)
        starts.keep(engine, lease, START)
        leases.succeed(engine, lease, {})
        again = enqueue(engine)
        assert reuse.answer(engine, claim(engine), CONTENT, fresh=False)
        assert jobs.get(engine, again.id).taken == START.taken
        assert starts.kept(engine, again.id) == Start(sensitivity=SENSITIVITY)

    def test_what_was_taken_over_uses_up_no_quota(self, engine: Engine) -> None:
        enqueue(engine, tenant="vision")
        lease = claim(engine)
        starts.keep(engine, lease, START)
        trials.record(engine, lease, trial(4), seconds=1, lease_seconds=LONG)
        leases.cancel(engine, lease)
        quotas.put(engine, Quota(tenant="vision", trials=1 + SPEC.budget, images=11))
        enqueue(engine, tenant="vision")
        with pytest.raises(QuotaExceeded, match="trials"):
            enqueue(engine, tenant="vision")
