"""A search on the same content is answered from the earlier one, whole, within a tenant."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from service.store import jobs
from service.store import leases
from service.store import quotas
from service.store import reuse
from service.store import trials
from service.store.access import Quota
from service.store.errors import LeaseLost
from service.store.values import Job
from service.store.values import JobState
from tests.contracts.samples import LAPSED
from tests.contracts.samples import LONG
from tests.contracts.samples import SETUP
from tests.contracts.samples import SPEC
from tests.contracts.samples import claim
from tests.contracts.samples import enqueue
from tests.contracts.samples import trial

CONTENT, OTHER = "a" * 64, "b" * 64
RESULT = {"saved": 0.9, "certification": {"holds": True}}


def carry_out(engine: Engine, *, content: str = CONTENT, tenant: str = "vision") -> Job:
    """Let a job search and succeed."""
    job = enqueue(engine, tenant=tenant)
    lease = claim(engine)
    assert not reuse.answer(engine, lease, content, fresh=True)
    leases.begin(engine, lease, SETUP)
    for number in range(3):
        trials.record(engine, lease, trial(number), seconds=1, lease_seconds=LONG)
    leases.succeed(engine, lease, RESULT)
    return jobs.get(engine, job.id)


class TestAnswer:
    def test_it_ends_the_job_with_all_that_was_found(self, engine: Engine) -> None:
        earlier = carry_out(engine)
        job = enqueue(engine, tenant="vision", labels={"team": "b"})
        assert reuse.answer(engine, claim(engine), CONTENT, fresh=False)
        answered = jobs.get(engine, job.id)
        assert (answered.state, answered.answered_by) == (JobState.SUCCEEDED, earlier.id)
        assert (answered.result, answered.setup) == (earlier.result, earlier.setup)
        assert answered.progress == replace(earlier.progress, images_evaluated=0)
        assert answered.submission.labels == {"team": "b"}
        assert trials.history(engine, job.id) == trials.history(engine, earlier.id)
        assert trials.front(engine, job.id) == trials.front(engine, earlier.id) != ()

    def test_the_newest_answers(self, engine: Engine) -> None:
        carry_out(engine)
        newest = carry_out(engine)
        job = enqueue(engine, tenant="vision")
        reuse.answer(engine, claim(engine), CONTENT, fresh=False)
        assert jobs.get(engine, job.id).answered_by == newest.id

    def test_other_content_another_tenant_or_a_wish_for_a_fresh_search_is_no_reason(
        self, engine: Engine
    ) -> None:
        carry_out(engine)
        for tenant, content, fresh in (
            ("vision", OTHER, False),
            ("audio", CONTENT, False),
            ("vision", CONTENT, True),
        ):
            job = enqueue(engine, tenant=tenant)
            lease = claim(engine)
            assert not reuse.answer(engine, lease, content, fresh=fresh)
            assert jobs.get(engine, job.id).state is JobState.RUNNING
            leases.cancel(engine, lease)

    def test_only_what_succeeded_answers(self, engine: Engine) -> None:
        enqueue(engine)
        lease = claim(engine)
        reuse.answer(engine, lease, CONTENT, fresh=False)
        leases.end_infeasible(engine, lease, {})
        enqueue(engine)
        assert not reuse.answer(engine, claim(engine), CONTENT, fresh=False)

    def test_a_search_that_is_under_way_goes_on(self, engine: Engine) -> None:
        job = enqueue(engine, tenant="vision")
        lease = claim(engine)
        trials.record(engine, lease, trial(0), seconds=1, lease_seconds=LONG)
        leases.release(engine, lease)
        lease = claim(engine)
        carry_out(engine)
        assert not reuse.answer(engine, lease, CONTENT, fresh=False)
        assert len(trials.history(engine, job.id)) == 1

    def test_a_lost_lease_writes_nothing(self, engine: Engine) -> None:
        carry_out(engine)
        job = enqueue(engine, tenant="vision")
        lease = claim(engine, lease_seconds=LAPSED)
        with pytest.raises(LeaseLost):
            reuse.answer(engine, lease, CONTENT, fresh=False)
        assert trials.history(engine, job.id) == ()


class TestQuota:
    def test_trials_that_were_answered_count_once(self, engine: Engine) -> None:
        spec = replace(SPEC, budget=60)
        carry_out(engine)
        enqueue(engine, tenant="vision")
        reuse.answer(engine, claim(engine), CONTENT, fresh=False)
        quotas.put(engine, Quota(tenant="vision", trials=63))
        enqueue(engine, tenant="vision", spec=spec)
