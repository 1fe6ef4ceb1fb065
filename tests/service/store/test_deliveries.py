"""Deliveries: no way to end a job goes untold, and each try is one sender's."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine
from sqlalchemy import text

from service.store import deliveries
from service.store import jobs
from service.store import leases
from service.store.errors import DeliveryNotFound
from service.store.errors import DeliveryPending
from service.store.errors import IdempotencyConflict
from service.store.shares import NOBODY
from service.store.shares import Full
from service.store.values import Job
from service.store.values import JobState
from service.store.webhooks import Delivery
from service.store.webhooks import DeliveryState
from service.store.webhooks import Event
from service.store.webhooks import Outcome
from service.store.webhooks import Webhook
from tests.contracts.lapsing import lapsing
from tests.contracts.samples import ERROR
from tests.contracts.samples import LAPSED
from tests.contracts.samples import LONG
from tests.contracts.samples import claim
from tests.contracts.samples import enqueue
from tests.contracts.samples import submission

URL = "https://ci.example.com/hook"
HOOK = Webhook(url=URL)
DELIVERED = Outcome(status=204)
FAILED = Outcome(status=500, error="the receiver answered 500")


def claimed(engine: Engine, *, lease_seconds: float = LONG, full: Full = NOBODY) -> Delivery:
    """Claim the next delivery, which there must be."""
    found = deliveries.claim(engine, lease_seconds=lease_seconds, full=full)
    assert found is not None, "nothing to deliver"
    return found[0]


def lapse(engine: Engine, job: Job, *, times: int) -> None:
    """Lose the job's worker so often, and let the next claim find out."""
    for _ in range(times):
        claim(engine, lease_seconds=LAPSED)
    leases.claim(engine, lease_seconds=LAPSED)


def fail_by_retries(engine: Engine, job: Job) -> None:
    for _ in range(leases.MAX_FAILURES):
        leases.retry(engine, claim(engine), error=ERROR, delay_seconds=0)


def cancel_while_running(engine: Engine, job: Job, *, give_back: Callable[..., None]) -> None:
    lease = claim(engine)
    jobs.request_cancel(engine, job.id)
    give_back(engine, lease)


def cancel_with_a_lost_worker(engine: Engine, job: Job) -> None:
    lease = claim(engine)
    jobs.request_cancel(engine, job.id)
    leases.renew(engine, lease, lease_seconds=LAPSED)
    leases.claim(engine, lease_seconds=LONG)


def cancel_after_the_lease(engine: Engine, job: Job) -> None:
    claim(engine, lease_seconds=LAPSED)
    jobs.request_cancel(engine, job.id)


ENDS: dict[str, tuple[Callable[[Engine, Job], object], Event]] = {
    "succeeds": (lambda e, _: leases.succeed(e, claim(e), {"saved": 0.5}), Event.SUCCEEDED),
    "is infeasible": (lambda e, _: leases.end_infeasible(e, claim(e), {}), Event.INFEASIBLE),
    "fails": (lambda e, _: leases.fail(e, claim(e), ERROR), Event.FAILED),
    "fails after retries": (fail_by_retries, Event.FAILED),
    "loses its workers": (lambda e, job: lapse(e, job, times=3), Event.FAILED),
    "is cancelled while queued": (lambda e, job: jobs.request_cancel(e, job.id), Event.CANCELLED),
    "is cancelled by its worker": (
        lambda e, job: cancel_while_running(e, job, give_back=leases.cancel),
        Event.CANCELLED,
    ),
    "is released while to be cancelled": (
        lambda e, job: cancel_while_running(e, job, give_back=leases.release),
        Event.CANCELLED,
    ),
    "is cancelled with a lost worker": (cancel_with_a_lost_worker, Event.CANCELLED),
    "is cancelled after its lease": (cancel_after_the_lease, Event.CANCELLED),
}


def ended(engine: Engine, hook: Webhook = HOOK) -> Job:
    """Queue a job and cancel it."""
    return jobs.request_cancel(engine, enqueue(engine, webhook=hook).id)


class TestEvents:
    @pytest.mark.parametrize("how", ENDS)
    def test_however_a_job_ends_its_end_is_told_once(self, engine: Engine, how: str) -> None:
        end, event = ENDS[how]
        job = enqueue(engine, webhook=HOOK)
        end(engine, job)
        found = deliveries.claim(engine, lease_seconds=LONG)
        assert found is not None
        delivery, told = found
        assert (delivery.event, told.state.value) == (event, event.value)
        assert (delivery.job_id, told.submission.webhook) == (job.id, HOOK)
        assert delivery.happened_at == told.finished_at
        assert deliveries.claim(engine, lease_seconds=LONG) is None

    def test_every_final_state_is_an_event(self) -> None:
        final = {state.value for state in JobState if state.final}
        assert {event.value for event in Event} == final | {"started"}

    def test_a_job_that_goes_on_or_has_no_webhook_tells_nothing(self, engine: Engine) -> None:
        enqueue(engine, webhook=HOOK)
        leases.retry(engine, claim(engine), error=ERROR, delay_seconds=0)
        jobs.request_cancel(engine, enqueue(engine).id)
        assert deliveries.claim(engine, lease_seconds=LONG) is None

    def test_only_what_was_asked_for_is_told(self, engine: Engine) -> None:
        job = ended(engine, Webhook(url=URL, events=(Event.SUCCEEDED,)))
        assert deliveries.claim(engine, lease_seconds=LONG) is None
        assert deliveries.of_job(engine, job.id) == ()

    def test_a_start_is_told_once_and_before_the_end(self, engine: Engine) -> None:
        job = enqueue(engine, webhook=Webhook(url=URL, events=(Event.STARTED, Event.FAILED)))
        assert deliveries.claim(engine, lease_seconds=LONG) is None
        fail_by_retries(engine, job)
        assert [claimed(engine).event for _ in range(2)] == [Event.STARTED, Event.FAILED]
        assert [one.event for one in deliveries.of_job(engine, job.id)] == ["started", "failed"]
        assert deliveries.claim(engine, lease_seconds=LONG) is None

    def test_more_jobs_than_are_noticed_at_a_time_are_all_told(self, engine: Engine) -> None:
        queued = {ended(engine).id for _ in range(deliveries.BATCH + 3)}
        assert {claimed(engine).job_id for _ in queued} == queued
        assert deliveries.claim(engine, lease_seconds=LONG) is None


class TestClaim:
    def test_many_threads_claim_each_delivery_exactly_once(self, engine: Engine) -> None:
        queued = {ended(engine).id for _ in range(24)}

        def take(_: int) -> list[str]:
            taken = []
            while (found := deliveries.claim(engine, lease_seconds=LONG)) is not None:
                taken.append(found[0].job_id)
            return taken

        with ThreadPoolExecutor(6) as threads:
            taken = [job_id for mine in threads.map(take, range(6)) for job_id in mine]
        while (found := deliveries.claim(engine, lease_seconds=LONG)) is not None:
            taken.append(found[0].job_id)  # of jobs that another had locked at every look
        assert sorted(taken) == sorted(queued)

    def test_a_lapsed_claim_is_taken_again_and_its_outcome_refused(self, engine: Engine) -> None:
        job = ended(engine)
        lost = claimed(engine, lease_seconds=LAPSED)
        again = claimed(engine)
        assert (again.id, lost.tries, again.tries) == (lost.id, 1, 2)
        assert not deliveries.record(engine, lost, DELIVERED)
        assert deliveries.of_job(engine, job.id)[0].state is DeliveryState.PENDING
        assert deliveries.record(engine, again, DELIVERED)

    def test_lost_at_its_last_try_it_is_given_up(self, engine: Engine) -> None:
        job = ended(engine)
        for _ in range(deliveries.MAX_TRIES):
            claimed(engine, lease_seconds=LAPSED)
        assert deliveries.claim(engine, lease_seconds=LONG) is None
        (told,) = deliveries.of_job(engine, job.id)
        assert (told.state, told.tries) == (DeliveryState.GIVEN_UP, deliveries.MAX_TRIES)
        assert told.error == deliveries.LOST

    def test_so_it_is_if_that_is_lost_while_somebody_claims(self, engine: Engine) -> None:
        job = ended(engine)
        for _ in range(deliveries.MAX_TRIES - 1):
            claimed(engine, lease_seconds=LAPSED)
        claimed(engine)
        # something else to look at, of which nothing is told
        ended(engine, Webhook(url=URL, events=(Event.SUCCEEDED,)))
        with lapsing(engine, "deliveries"):
            assert deliveries.claim(engine, lease_seconds=LONG) is None
        assert deliveries.claim(engine, lease_seconds=LONG) is None
        (told,) = deliveries.of_job(engine, job.id)
        assert (told.state, told.tries) == (DeliveryState.GIVEN_UP, deliveries.MAX_TRIES)

    def test_first_tries_come_before_repeated_ones(self, engine: Engine) -> None:
        ended(engine)
        deliveries.record(engine, claimed(engine), FAILED, retry_in=-10)
        late = ended(engine)
        assert claimed(engine).job_id == late.id


class TestRecord:
    def test_delivered_it_is_over(self, engine: Engine) -> None:
        job = ended(engine)
        assert deliveries.record(engine, claimed(engine), DELIVERED)
        (told,) = deliveries.of_job(engine, job.id)
        assert (told.state, told.status, told.error) == (DeliveryState.DELIVERED, 204, None)
        assert told.next_try_at is None
        assert told.delivered_at is not None
        assert deliveries.claim(engine, lease_seconds=LONG) is None

    def test_failed_it_waits_for_its_next_try(self, engine: Engine) -> None:
        job = ended(engine)
        deliveries.record(engine, claimed(engine), FAILED, retry_in=1000)
        (told,) = deliveries.of_job(engine, job.id)
        assert (told.state, told.status, told.error) == (DeliveryState.PENDING, 500, FAILED.error)
        assert told.last_try_at is not None
        assert told.next_try_at == pytest.approx(told.last_try_at + 1000, abs=60)
        assert deliveries.claim(engine, lease_seconds=LONG) is None
        with engine.begin() as connection:
            connection.execute(text("UPDATE deliveries SET claimable_at = claimable_at - 1000"))
        assert claimed(engine).tries == 2

    def test_failed_for_good_it_is_given_up(self, engine: Engine) -> None:
        job = ended(engine)
        deliveries.record(engine, claimed(engine), FAILED, retry_in=None)
        assert deliveries.of_job(engine, job.id)[0].state is DeliveryState.GIVEN_UP
        assert deliveries.claim(engine, lease_seconds=LONG) is None


class TestFull:
    """Whose share of the couriers is taken is passed over; everybody else is not."""

    def test_a_tenants_deliveries_wait_and_the_next_tenants_do_not(self, engine: Engine) -> None:
        first = jobs.request_cancel(engine, enqueue(engine, webhook=HOOK, tenant="vision").id)
        second = jobs.request_cancel(engine, enqueue(engine, webhook=HOOK, tenant="audio").id)
        full = Full(tenants=frozenset({"vision"}))
        assert [claimed(engine, full=full).job_id] == [second.id]
        assert deliveries.claim(engine, lease_seconds=LONG, full=full) is None
        assert claimed(engine).job_id == first.id

    @pytest.mark.parametrize(
        "url",
        [
            "https://ci_1.example.com/hook",
            "HTTPS://CI_1.example.com/hook",
            "https://ci_1.example.com?to=me",
            "https://ci_1.example.com",
        ],
    )
    def test_a_receivers_wait_however_its_url_goes_on(self, engine: Engine, url: str) -> None:
        ended(engine, Webhook(url=url))
        full = Full(receivers=frozenset({Webhook(url=url).receiver}))
        assert full.receivers == {"https://ci_1.example.com"}
        assert deliveries.claim(engine, lease_seconds=LONG, full=full) is None

    @pytest.mark.parametrize(
        "url",
        [
            "https://ci_1.example.com.org/",
            "https://ci_1.example.com:8443/",
            "http://ci_1.example.com/",
            "https://ci-1.example.com/",
            "https://other.org/https://ci_1.example.com/",
        ],
    )
    def test_another_receivers_do_not(self, engine: Engine, url: str) -> None:
        job = ended(engine, Webhook(url=url))
        full = Full(receivers=frozenset({"https://ci_1.example.com"}), tenants=frozenset({"x"}))
        assert claimed(engine, full=full).job_id == job.id


class TestResend:
    @pytest.mark.parametrize("outcome", [DELIVERED, FAILED])
    def test_what_is_over_is_tried_anew_under_its_id(
        self, engine: Engine, outcome: Outcome
    ) -> None:
        job = ended(engine)
        before = claimed(engine)
        deliveries.record(engine, before, outcome)
        told = deliveries.resend(engine, job.id, delivery_id=before.id)
        assert (told.id, told.state, told.tries) == (before.id, DeliveryState.PENDING, 0)
        assert (told.status, told.error, told.delivered_at) == (None, None, None)
        assert told.happened_at == before.happened_at
        again = claimed(engine)
        assert (again.id, again.tries) == (before.id, 1)
        assert deliveries.record(engine, again, DELIVERED)
        assert deliveries.of_job(engine, job.id)[0].state is DeliveryState.DELIVERED

    def test_it_has_all_its_tries_again(self, engine: Engine) -> None:
        job = ended(engine)
        for _ in range(2):
            for _ in range(deliveries.MAX_TRIES):
                claimed(engine, lease_seconds=LAPSED)
            assert deliveries.claim(engine, lease_seconds=LONG) is None
            (told,) = deliveries.of_job(engine, job.id)
            assert (told.state, told.tries) == (DeliveryState.GIVEN_UP, deliveries.MAX_TRIES)
            deliveries.resend(engine, job.id, delivery_id=told.id)

    def test_a_sender_from_before_it_records_nothing(self, engine: Engine) -> None:
        job = ended(engine)
        frozen = claimed(engine, lease_seconds=LAPSED)
        deliveries.record(engine, claimed(engine), DELIVERED)
        deliveries.resend(engine, job.id, delivery_id=frozen.id)
        time.sleep(0.01)  # the clock of a database may count milliseconds
        again = claimed(engine)
        assert again.tries == frozen.tries
        assert not deliveries.record(engine, frozen, DELIVERED)
        assert deliveries.record(engine, again, DELIVERED)

    def test_what_is_still_to_be_tried_is_left_alone(self, engine: Engine) -> None:
        job = ended(engine)
        delivery = claimed(engine)
        with pytest.raises(DeliveryPending, match=delivery.id):
            deliveries.resend(engine, job.id, delivery_id=delivery.id)
        deliveries.record(engine, delivery, FAILED, retry_in=1000)
        before = deliveries.of_job(engine, job.id)
        with pytest.raises(DeliveryPending):
            deliveries.resend(engine, job.id, delivery_id=delivery.id)
        assert deliveries.of_job(engine, job.id) == before

    def test_a_delivery_of_another_job_is_not_found(self, engine: Engine) -> None:
        job = ended(engine)
        delivery = claimed(engine)
        deliveries.record(engine, delivery, DELIVERED)
        for job_id, delivery_id in ((ended(engine).id, delivery.id), (job.id, "msg_0")):
            with pytest.raises(DeliveryNotFound):
                deliveries.resend(engine, job_id, delivery_id=delivery_id)
        assert deliveries.of_job(engine, job.id)[0].state is DeliveryState.DELIVERED

    def test_of_many_who_ask_at_once_one_is_heard(self, engine: Engine) -> None:
        job = ended(engine)
        delivery = claimed(engine)
        deliveries.record(engine, delivery, DELIVERED)

        def ask(_: int) -> bool:
            try:
                deliveries.resend(engine, job.id, delivery_id=delivery.id)
            except DeliveryPending:
                return False
            return True

        with ThreadPoolExecutor(6) as threads:
            assert sum(threads.map(ask, range(6))) == 1


class TestSubmission:
    def test_the_webhook_is_the_jobs(self, engine: Engine) -> None:
        hook = Webhook(url=URL, events=(Event.STARTED, Event.FAILED))
        job = enqueue(engine, webhook=hook)
        assert jobs.get(engine, job.id).submission.webhook == hook
        assert jobs.page(engine).items[0].submission.webhook == hook

    def test_one_key_with_another_webhook_is_another_submission(self, engine: Engine) -> None:
        first = enqueue(engine, webhook=HOOK, idempotency_key="k")
        assert enqueue(engine, webhook=HOOK, idempotency_key="k").id == first.id
        for hook in (None, Webhook(url=f"{URL}/2")):
            with pytest.raises(IdempotencyConflict):
                jobs.enqueue(engine, submission(webhook=hook, idempotency_key="k"))
