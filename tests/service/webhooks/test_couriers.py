"""Couriers: what a job did arrives, signed and the same at every try, by one of them at a time."""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import ExitStack
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlalchemy import event
from sqlalchemy import text

from service.signatures import tenant_secret
from service.signatures import verify_webhook
from service.store import deliveries
from service.store import jobs
from service.store import leases
from service.store import session
from service.store.values import Job
from service.store.webhooks import DeliveryState
from service.store.webhooks import Event
from service.store.webhooks import Webhook
from service.webhooks import couriers
from service.webhooks.allowlist import entries
from service.webhooks.couriers import deliver_next
from service.webhooks.post import Limits
from service.webhooks.post import Sender
from service.webhooks.underway import POLL_INTERVAL
from service.webhooks.underway import Underway
from tests.conftest import opened
from tests.contracts.samples import ERROR
from tests.contracts.samples import claim
from tests.contracts.samples import enqueue
from tests.service.webhooks.receivers import Answer
from tests.service.webhooks.receivers import Receiver
from tests.service.webhooks.receivers import Request
from tests.service.webhooks.receivers import receiving
from tests.service.webhooks.receivers import speaking
from tests.service.webhooks.receivers import takes

SECRETS = ("the secret of this deployment, 32+",)
VISION = tenant_secret(SECRETS[0], "vision")


def sender_to(*receivers: Receiver, limits: Limits = Limits()) -> Sender:  # noqa: B008 - it is frozen
    allowed = ",".join(f"http://127.0.0.1:{receiver.port}" for receiver in receivers)
    return Sender(entries(allowed), limits=limits)


def hooked(engine: Engine, receiver: Receiver, *events: Event, **said: Any) -> Job:
    """Queue a job of tenant vision that tells the receiver."""
    hook = Webhook(url=receiver.url(), events=events) if events else Webhook(url=receiver.url())
    return enqueue(engine, webhook=hook, **{"tenant": "vision", **said})


def read(request: Request) -> dict[str, Any]:
    """Return the document, verified."""
    return verify_webhook(request.headers, request.body, secret=VISION)


def make_due(engine: Engine) -> None:
    """Let all pauses be over."""
    with engine.begin() as connection:
        connection.execute(text("UPDATE deliveries SET claimable_at = 0 WHERE claimable_at > 0"))


@contextmanager
def served(engine: Engine, answer: Answer = takes) -> Iterator[tuple[Receiver, Callable[[], bool]]]:
    """Yield a receiver and what makes one try to deliver to it."""
    with receiving(answer) as receiver:
        sender = sender_to(receiver)
        underway = Underway(share=1)
        yield (
            receiver,
            lambda: deliver_next(engine, sender, secrets=SECRETS, underway=underway),
        )


class TestMessage:
    def test_success_is_told_with_what_was_saved(self, engine: Engine) -> None:
        with served(engine) as (receiver, deliver):
            job = hooked(engine, receiver, labels={"team": "x"})
            leases.succeed(engine, claim(engine), {"saved": 0.87})
            assert deliver()
        document = read(receiver.requests[0])
        assert document["type"] == "job.succeeded"
        assert document["timestamp"] == document["data"]["finished_at"]
        data = document["data"]
        assert (data["id"], data["state"], data["saved"]) == (job.id, "succeeded", 0.87)
        assert (data["tenant"], data["labels"], data["error"]) == ("vision", {"team": "x"}, None)
        assert data["href"] == f"/v1/jobs/{job.id}"
        assert receiver.requests[0].headers["Content-Type"] == "application/json"

    def test_failure_is_told_with_its_cause(self, engine: Engine) -> None:
        with served(engine) as (receiver, deliver):
            hooked(engine, receiver)
            leases.fail(engine, claim(engine), ERROR)
            assert deliver()
        data = read(receiver.requests[0])["data"]
        assert data["error"] == {"code": ERROR.code, "message": ERROR.message}

    def test_a_start_is_told_the_same_after_the_job_has_ended(self, engine: Engine) -> None:
        def fails_once(number: int) -> tuple[int, dict[str, str]]:
            return (500 if number == 0 else 200), {}

        with served(engine, fails_once) as (receiver, deliver):
            hooked(engine, receiver, Event.STARTED)
            lease = claim(engine)
            assert deliver()
            leases.succeed(engine, lease, {})
            make_due(engine)
            assert deliver()
        first, second = receiver.requests
        assert first.body == second.body
        assert json.loads(first.body)["data"]["state"] == "running"

    def test_another_tenants_secret_does_not_fit(self, engine: Engine) -> None:
        with served(engine) as (receiver, deliver):
            jobs.request_cancel(engine, hooked(engine, receiver, tenant="audio").id)
            assert deliver()
        (request,) = receiver.requests
        audio = tenant_secret(SECRETS[0], "audio")
        assert verify_webhook(request.headers, request.body, secret=audio)
        with pytest.raises(Exception, match="no signature fits"):
            read(request)


class TestDeliverNext:
    def test_it_is_tried_until_it_is_taken_under_one_id(self, engine: Engine) -> None:
        def fails_twice(number: int) -> tuple[int, dict[str, str]]:
            return (503 if number < 2 else 204), {}

        with served(engine, fails_twice) as (receiver, deliver):
            job = jobs.request_cancel(engine, hooked(engine, receiver).id)
            for _ in range(3):
                assert deliver()
                assert not deliver()  # it waits
                make_due(engine)
            assert not deliver()
        assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
        assert [read(request)["type"] for request in receiver.requests] == ["job.cancelled"] * 3
        (told,) = deliveries.of_job(engine, job.id)
        assert (told.state, told.tries, told.status) == (DeliveryState.DELIVERED, 3, 204)
        assert told.id == receiver.requests[0].headers["webhook-id"]

    def test_in_the_end_it_is_given_up(self, engine: Engine) -> None:
        with served(engine, lambda _: (500, {})) as (receiver, deliver):
            job = jobs.request_cancel(engine, hooked(engine, receiver).id)
            while deliver():
                make_due(engine)
        (told,) = deliveries.of_job(engine, job.id)
        assert told.state is DeliveryState.GIVEN_UP
        assert len(receiver.requests) == told.tries == deliveries.MAX_TRIES
        assert told.error == "the receiver answered 500"

    def test_a_receiver_that_is_gone_is_asked_once(self, engine: Engine) -> None:
        with served(engine, lambda _: (410, {})) as (receiver, deliver):
            job = jobs.request_cancel(engine, hooked(engine, receiver).id)
            assert deliver()
        assert deliveries.of_job(engine, job.id)[0].state is DeliveryState.GIVEN_UP

    def test_a_lease_outlasts_the_longest_try(self) -> None:
        assert Limits().total < couriers.LEASE


def until(condition: Callable[[], bool], *, seconds: float = 20.0) -> bool:
    """Wait for the condition; return whether it came about."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.02)
    return False


def joined() -> None:
    """Wait for couriers that are still trying, before their engine is closed."""
    for thread in threading.enumerate():
        if thread.name == couriers.THREAD_NAME:
            thread.join()


def arrives_beside(engine: Engine, hanging: Sequence[Receiver], receiver: Receiver) -> bool:
    """Deliver what is due; return whether it arrived while the others were still waited for."""
    sender = sender_to(*hanging, receiver, limits=Limits(read=60, total=60))
    with couriers.delivering(engine, sender, secrets=SECRETS):
        return until(lambda: len(receiver.requests) == 1)


class Gauge:
    """An answer that takes a while, and how many at most were asked for at a time."""

    def __init__(self) -> None:
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()

    def answer(self, _: int) -> tuple[int, dict[str, str]]:
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.2)
        with self._lock:
            self._now -= 1
        return 204, {}


class TestDelivering:
    def test_a_receiver_that_hangs_holds_up_no_other(self, engine: Engine) -> None:
        limits = Limits(read=40, total=40)
        with speaking() as hanging, receiving() as receiver:
            sender = sender_to(hanging, receiver, limits=limits)
            jobs.request_cancel(engine, hooked(engine, hanging).id)
            jobs.request_cancel(engine, hooked(engine, receiver).id)
            with couriers.delivering(engine, sender, secrets=SECRETS):
                assert until(lambda: len(receiver.requests) == 1)
                began = time.monotonic()
            assert time.monotonic() - began < 15  # stopped, though one is still waiting
        joined()

    def test_one_tenants_receivers_that_hang_hold_up_no_other_tenant(self, engine: Engine) -> None:
        with ExitStack() as stack:
            # more than there are couriers, each of them alone on its port
            hanging = [stack.enter_context(speaking()) for _ in range(couriers.THREADS + 2)]
            for receiver in hanging:
                jobs.request_cancel(engine, hooked(engine, receiver).id)
            receiver = stack.enter_context(receiving())
            jobs.request_cancel(engine, hooked(engine, receiver, tenant="audio").id)
            assert arrives_beside(engine, hanging, receiver)
            # the others were not left alone either
            assert until(lambda: sum(len(one.requests) for one in hanging) == couriers.SHARE)
        joined()

    def test_one_receiver_that_hangs_for_all_tenants_holds_up_no_other(
        self, engine: Engine
    ) -> None:
        with speaking() as hanging, receiving() as receiver:
            for number in range(couriers.THREADS + 2):
                tenant = f"tenant-{number}"
                jobs.request_cancel(engine, hooked(engine, hanging, tenant=tenant).id)
            jobs.request_cancel(engine, hooked(engine, receiver, tenant="audio").id)
            assert arrives_beside(engine, [hanging], receiver)
        joined()

    def test_of_one_tenant_no_more_than_its_share_are_tried_at_a_time(self, engine: Engine) -> None:
        gauge = Gauge()
        with receiving(gauge.answer) as receiver:
            queued = {jobs.request_cancel(engine, hooked(engine, receiver).id).id for _ in range(8)}
            with couriers.delivering(engine, sender_to(receiver), secrets=SECRETS):
                assert until(lambda: len(receiver.requests) == len(queued))
        joined()
        assert gauge.most == couriers.SHARE

    def test_however_many_couriers_wait_one_looks_for_all(self, engine: Engine) -> None:
        looks: list[str] = []
        event.listen(engine, "before_cursor_execute", lambda *call: looks.append(call[2]))
        with (
            receiving() as receiver,
            couriers.delivering(engine, sender_to(receiver), secrets=SECRETS),
        ):
            began = time.monotonic()
            time.sleep(1.5)
            most = (time.monotonic() - began) / POLL_INTERVAL + 2
            assert 1 <= sum("EXISTS" in statement for statement in looks) <= most
            # and what comes is taken by as many as there may be
            for tenant in ("vision", "audio", "lidar"):
                for _ in range(couriers.SHARE):
                    jobs.request_cancel(engine, hooked(engine, receiver, tenant=tenant).id)
            assert until(lambda: len(receiver.requests) == 3 * couriers.SHARE)
        joined()

    def test_a_fault_of_the_database_does_not_end_it(self, blank_url: str) -> None:
        # without tables every look at it fails
        with opened(blank_url) as engine, receiving() as receiver:
            couriers_of_it = couriers.delivering(
                engine, sender_to(receiver), secrets=SECRETS, pause_after_fault=0.05
            )
            with couriers_of_it:
                time.sleep(0.3)
                session.migrate(engine)
                jobs.request_cancel(engine, hooked(engine, receiver).id)
                assert until(lambda: len(receiver.requests) == 1)

    def test_many_processes_send_each_event_once(self, engine: Engine, database_url: str) -> None:
        with receiving() as receiver:
            queued = {
                jobs.request_cancel(engine, hooked(engine, receiver).id).id for _ in range(20)
            }
            command = [sys.executable, "-c", PROCESS, database_url, str(receiver.port)]
            running = [subprocess.Popen(command) for _ in range(2)]
            assert [process.wait(60) for process in running] == [0, 0]
        assert sorted(read(one)["data"]["id"] for one in receiver.requests) == sorted(queued)


#: an API process's couriers, until nothing is due
PROCESS = f"""
import sys
from service.store import deliveries, session
from service.webhooks.allowlist import entries
from service.webhooks.couriers import deliver_next
from service.webhooks.post import Sender
from service.webhooks.underway import Underway
engine = session.open_engine(sys.argv[1])
sender = Sender(entries("http://127.0.0.1:" + sys.argv[2]))
while deliver_next(engine, sender, secrets={SECRETS!r}, underway=Underway(share=1)):
    pass
"""
