"""Threads beside the API that deliver what is due, whatever receivers and database do."""

import random
import threading
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from functools import partial
from importlib.metadata import version

import structlog
from sqlalchemy import Engine

from service.signatures import signed
from service.signatures import tenant_secret
from service.store import deliveries
from service.store.values import Job
from service.store.webhooks import Delivery
from service.store.webhooks import Outcome
from service.webhooks import message
from service.webhooks.backoff import retry_in
from service.webhooks.post import Sender
from service.webhooks.underway import Underway

#: seconds for which a try is one sender's: longer than it can take, so that nobody tries beside it
LEASE = 120.0
PAUSE_AFTER_FAULT = 10.0  # seconds until the database is looked at again
THREADS = 6  # receivers that are waited for at a time, in each process
#: of these, at most for one tenant, and at most for one receiver
SHARE = 2
THREAD_NAME = "webhooks"
GRACE = 1.0  # seconds to stop in; a try that takes longer is made again after its lease

_log = structlog.get_logger(__name__)


def deliver_next(
    engine: Engine,
    sender: Sender,
    *,
    secrets: Sequence[str],
    underway: Underway,
    stop: threading.Event | None = None,
) -> bool:
    """Try the next delivery that is due, and record the outcome; False where there was none.

    `secrets` are the deployment's; each signs. `underway` is what this process tries beside it.
    With `stop` one is waited for until that is set.
    """
    with underway.claimed(engine, lease_seconds=LEASE, stop=stop) as claimed:
        if claimed is None:
            return False
        delivery, job = claimed
        outcome, pause = _tried(sender, delivery, job=job, secrets=secrets)
        deliveries.record(engine, delivery, outcome, retry_in=pause)
    told = {"delivery": delivery.id, "job": job.id, "type": f"job.{delivery.event}"}
    if outcome.error is None:
        _log.info("webhook delivered", tries=delivery.tries, **told)
    else:
        _log.warning("webhook failed", error=outcome.error, again_in=pause, **told)
    return True


def _tried(
    sender: Sender, delivery: Delivery, *, job: Job, secrets: Sequence[str]
) -> tuple[Outcome, float | None]:
    """Return what came of the try, and the seconds until the next one, if there is to be one."""
    webhook = job.submission.webhook
    assert webhook is not None, "a delivery has a job with a webhook"  # noqa: S101 - for the types
    content = message.body(delivery, job)
    own = [tenant_secret(secret, job.submission.tenant) for secret in secrets]
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"bitfloor/{version('bitfloor')}",
        **signed(content, message=delivery.id, secrets=own, now=time.time()),
    }
    outcome = sender.post(webhook.url, headers=headers, body=content)
    # spreads load, decides nothing
    return outcome, retry_in(delivery.tries, outcome, draw=random.random())  # noqa: S311 - no secret


@contextmanager
def delivering(
    engine: Engine,
    sender: Sender,
    *,
    secrets: Sequence[str],
    pause_after_fault: float = PAUSE_AFTER_FAULT,
) -> Iterator[None]:
    """Deliver while the block runs."""
    stop = threading.Event()
    underway = Underway(share=SHARE)
    deliver = partial(deliver_next, engine, sender, secrets=secrets, underway=underway, stop=stop)
    running = [
        # daemons: a receiver that hangs does not keep the process from ending
        threading.Thread(
            target=_keep_delivering,
            args=(deliver, stop),
            kwargs={"pause_after_fault": pause_after_fault},
            name=THREAD_NAME,
            daemon=True,
        )
        for _ in range(THREADS)
    ]
    for thread in running:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        underway.wake()
        deadline = time.monotonic() + GRACE
        for thread in running:
            thread.join(max(0.0, deadline - time.monotonic()))


def _keep_delivering(
    deliver: Callable[[], bool], stop: threading.Event, *, pause_after_fault: float
) -> None:
    while not stop.is_set():
        try:
            deliver()
        except Exception as error:  # noqa: BLE001 - the thread outlives whatever goes wrong once
            _log.warning("cannot deliver webhooks", error=str(error) or type(error).__name__)
            stop.wait(pause_after_fault)
