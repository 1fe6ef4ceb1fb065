"""Quotas: no tenant gets more than its own, however many submit at once; others are not touched."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Engine
from sqlalchemy import text

from service.store import jobs
from service.store import leases
from service.store import priorities
from service.store import quotas
from service.store import trials
from service.store.access import Quota
from service.store.errors import QuotaExceeded
from service.store.values import JobFilter
from tests.contracts.samples import LONG
from tests.contracts.samples import SPEC
from tests.contracts.samples import claim
from tests.contracts.samples import enqueue
from tests.contracts.samples import submission
from tests.contracts.samples import trial

OLD = quotas.DAYS * 86_400 + 60  # seconds


def count(engine: Engine, tenant: str) -> int:
    return len(jobs.page(engine, JobFilter(tenant=tenant)).items)


class TestQueuedJobs:
    def test_the_queue_holds_so_many_and_no_more(self, engine: Engine) -> None:
        quotas.put(engine, Quota(tenant="vision", queued_jobs=2))
        for _ in range(2):
            enqueue(engine, tenant="vision")
        with pytest.raises(QuotaExceeded, match="may have 2 jobs queued"):
            enqueue(engine, tenant="vision")
        assert count(engine, "vision") == 2
        enqueue(engine, tenant="audio")

    def test_a_job_that_is_taken_makes_room(self, engine: Engine) -> None:
        quotas.put(engine, Quota(tenant="vision", queued_jobs=1))
        enqueue(engine, tenant="vision")
        claim(engine)
        enqueue(engine, tenant="vision")

    def test_a_repeated_key_needs_no_room(self, engine: Engine) -> None:
        quotas.put(engine, Quota(tenant="vision", queued_jobs=1))
        first = enqueue(engine, tenant="vision", idempotency_key="k")
        again, created = jobs.enqueue(engine, submission(tenant="vision", idempotency_key="k"))
        assert (again.id, created) == (first.id, False)

    def test_many_at_once_find_no_more_room_than_there_is(self, engine: Engine) -> None:
        quotas.put(engine, Quota(tenant="vision", queued_jobs=3))

        def attempt(_: int) -> bool:
            try:
                enqueue(engine, tenant="vision")
            except QuotaExceeded:
                return False
            return True

        with ThreadPoolExecutor(8) as threads:
            assert sum(threads.map(attempt, range(24))) == 3
        assert count(engine, "vision") == 3


class TestTrials:
    def test_a_budget_counts_until_the_job_ends_then_its_trials(self, engine: Engine) -> None:
        quotas.put(engine, Quota(tenant="vision", trials=100))
        spec = replace(SPEC, budget=60)
        enqueue(engine, tenant="vision", spec=spec)
        with pytest.raises(QuotaExceeded, match=r"ask for 120 trials .* may have 100"):
            enqueue(engine, tenant="vision", spec=spec)
        lease = claim(engine)
        trials.record(engine, lease, trial(), seconds=1, lease_seconds=LONG)
        leases.cancel(engine, lease)
        enqueue(engine, tenant="vision", spec=spec)

    def test_what_is_long_ago_does_not_count(self, engine: Engine) -> None:
        quotas.put(engine, Quota(tenant="vision", trials=60))
        enqueue(engine, tenant="vision", spec=replace(SPEC, budget=60))
        with engine.begin() as connection:
            connection.execute(text(f"UPDATE jobs SET created_at = created_at - {OLD}"))  # noqa: S608 - a number of ours
        enqueue(engine, tenant="vision", spec=replace(SPEC, budget=60))


class TestImages:
    def test_no_job_begins_once_they_are_used_up(self, engine: Engine) -> None:
        quotas.put(engine, Quota(tenant="vision", images=100))
        enqueue(engine, tenant="vision")
        leases.add_images(engine, claim(engine), 99)
        enqueue(engine, tenant="vision")
        leases.add_images(engine, claim(engine), 1)
        with pytest.raises(QuotaExceeded, match="evaluated all images"):
            enqueue(engine, tenant="vision")


class TestPriority:
    def test_it_may_be_as_high_as_said(self, engine: Engine) -> None:
        quotas.put(engine, Quota(tenant="vision", priority=5))
        enqueue(engine, tenant="vision", priority=5)
        with pytest.raises(QuotaExceeded, match="a priority of 5 at most, not 6"):
            enqueue(engine, tenant="vision", priority=6)

    def test_it_may_not_be_raised_above_that_later(self, engine: Engine) -> None:
        quotas.put(engine, Quota(tenant="vision", priority=5))
        job = enqueue(engine, tenant="vision")
        assert priorities.change(engine, job.id, 5).priority == 5
        with pytest.raises(QuotaExceeded, match="a priority of 5 at most, not 6"):
            priorities.change(engine, job.id, 6)
        assert jobs.get(engine, job.id).priority == 5


class TestWhoseItIs:
    def test_everybody_without_a_quota_has_that_of_the_star_each_alone(
        self, engine: Engine
    ) -> None:
        quotas.put(engine, Quota(tenant=quotas.EVERYBODY, queued_jobs=1))
        quotas.put(engine, Quota(tenant="vision", queued_jobs=2))
        for tenant in ("audio", "text", "vision", "vision"):
            enqueue(engine, tenant=tenant)
        for tenant in ("audio", "text", "vision"):
            with pytest.raises(QuotaExceeded):
                enqueue(engine, tenant=tenant)

    def test_a_quota_is_replaced_whole_and_can_be_removed(self, engine: Engine) -> None:
        quotas.put(engine, Quota(tenant="vision", queued_jobs=0, trials=7))
        quotas.put(engine, Quota(tenant="vision", images=9))
        assert quotas.every(engine) == (Quota(tenant="vision", images=9),)
        assert quotas.remove(engine, "vision")
        assert not quotas.remove(engine, "vision")
        assert quotas.every(engine) == ()
